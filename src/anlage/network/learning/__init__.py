"""LEARNING: demand, times and promises learnt from a table or from facts.

Touches: network's errors and reading, custody, base.
Touched by: academy, app, web, cli.
Start at: learn.py, then facts.py (what facts teach) and writing.py (into a network file).
"""

from .facts import Promises, courses_of, promises_of, table_of
from .learn import Demand, Table, fit_demand, forecast, learn, promise, read_table, times_of
from .writing import Change, written_into

__all__ = [
    "Change",
    "Demand",
    "Promises",
    "Table",
    "courses_of",
    "fit_demand",
    "forecast",
    "learn",
    "promise",
    "promises_of",
    "read_table",
    "table_of",
    "times_of",
    "written_into",
]
