"""LEARNING: demand and times learnt from a table.

Touches: network's errors, base.
Touched by: academy, app, web, cli.
Start at: learn.py.
"""

from .learn import Demand, Table, fit_demand, forecast, learn, promise, read_table, times_of

__all__ = [
    "Demand",
    "Table",
    "fit_demand",
    "forecast",
    "learn",
    "promise",
    "read_table",
    "times_of",
]
