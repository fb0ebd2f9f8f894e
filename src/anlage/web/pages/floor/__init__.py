"""FLOOR: one tile per lot and per unit, with the time to the next action.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
