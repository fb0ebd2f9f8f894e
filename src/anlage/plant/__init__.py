"""PLANT: making one patient's product, step by step.

Touches: twin, custody, library, record, base.
Touched by: academy, store, wire, app, web, cli.
Start at: recipe.py (what is to be done), then lot.py (what is being done).
"""
