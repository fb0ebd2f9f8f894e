"""RECEIPT: the collection arrives at the facility and is accepted, or rejected with reasons.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
