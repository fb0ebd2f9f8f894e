"""RUN A STEP: one step per screen, identity always in view.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py.
"""
