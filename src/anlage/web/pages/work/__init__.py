"""MY WORK: what waits for the person who is logged in.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
