"""MATERIALS: stock by class, one material lot with its packs and its history.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
