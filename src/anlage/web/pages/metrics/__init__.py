"""METRICS: measures of the way, each with its definition and the facts behind it.

Touches: app, custody.
Touched by: web.
Start at: view.py.
"""
