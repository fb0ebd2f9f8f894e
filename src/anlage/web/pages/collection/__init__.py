"""COLLECTION: the patient's cells are collected and labelled, as specified or with a reason.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
