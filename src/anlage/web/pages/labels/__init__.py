"""LABELS: sets of labels for a step, printed, printed again, accounted for.

Touches: app, custody, wire.
Touched by: web.
Start at: view.py.
"""
