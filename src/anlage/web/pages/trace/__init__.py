"""GENEALOGY: what went into what, both ways, and the recall report.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
