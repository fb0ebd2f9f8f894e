"""REVIEW AND RELEASE: exceptions first, then page by page, then the audit trail.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
