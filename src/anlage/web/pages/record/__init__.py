"""RECORD: search what was recorded, follow a thing's history, verify, export.

Touches: app, record.
Touched by: web/urls.py.
Start at: view.py.
"""
