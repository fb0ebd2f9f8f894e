"""BEDSIDE: the dose at the patient: thaw clock, band, bag, order, second person, leftovers.

Touches: app and package types.
Touched by: web/urls.py.
Start at: view.py, then screen.py.
"""
