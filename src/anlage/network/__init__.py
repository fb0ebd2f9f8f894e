"""NETWORK: the way from vein to vein, simulated and optimised.

Touches: twin, custody, library, record, base.
Touched by: academy, store, wire, app, web, cli.
Start at: model.py.
"""
