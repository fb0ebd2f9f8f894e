"""DEFINITIONS: the list, one definition with versions, differences and uses.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
