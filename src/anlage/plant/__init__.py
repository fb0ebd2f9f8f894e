"""PLANT: making one patient's product, step by step.

Touches: twin, custody, library, record, base.
Touched by: academy, store, wire, app, web, cli.
Start at: recipe.py (what is to be done), then lot.py (what is being done).
"""

from .calendar import (
    LotPlan,
    TouchPoint,
    WorkingHours,
    begin_of,
    better_begins,
    plan_lot,
)
from .recipe import Phase, PhaseKind, Recipe, Shape
from .recipe_check import Catalogue, Checked, check_recipe
from .source import Source, read_source

__all__ = [
    "Catalogue",
    "Checked",
    "LotPlan",
    "Phase",
    "PhaseKind",
    "Recipe",
    "Shape",
    "Source",
    "TouchPoint",
    "WorkingHours",
    "begin_of",
    "better_begins",
    "check_recipe",
    "plan_lot",
    "read_source",
]
