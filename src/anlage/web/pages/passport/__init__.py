"""PASSPORT: a page without a login that judges a passport in the browser alone.

Touches: app.
Touched by: web, cli.
Start at: view.py.
"""
