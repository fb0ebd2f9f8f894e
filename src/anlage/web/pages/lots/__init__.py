"""LOTS: the board, and one lot with what stands before its release.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
