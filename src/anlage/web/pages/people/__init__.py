"""PEOPLE: who may do what, until when, and who has not read which SOP.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
