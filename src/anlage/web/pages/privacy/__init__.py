"""PRIVACY: what names a patient: shown to those who need it, each reading recorded; erasure.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
