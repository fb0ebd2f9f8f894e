"""DEVIATIONS: the list, one deviation from its opening to its disposition.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
