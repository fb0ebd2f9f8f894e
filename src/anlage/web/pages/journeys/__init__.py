"""PATIENTS: each journey from prescription to follow-up.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
