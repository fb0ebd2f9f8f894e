"""CLEARANCE: a line is cleared for a lot by two persons.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
