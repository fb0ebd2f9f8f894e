"""INCOMING page: a delivery of raw material by scan, with its certificate and inspection.

Touches: app, custody's trade items, plant's materials.
Touched by: web's addresses.
Start at: view.py.
"""
