"""EQUIPMENT AND CLEANROOMS: the board, one unit, one room.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
