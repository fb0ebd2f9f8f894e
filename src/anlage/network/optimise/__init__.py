"""OPTIMISE: the cheapest network that keeps its limits, with a proof of how good it is.

Touches: network's model and simulation, base.
Touched by: academy, app, web, cli.
Start at: problem.py (what is chosen), then search.py (how the cheapest is found and proved).
"""

from .cohort import Cohort, CohortPlan, Leg, Plant, Therapy, plan_cohort
from .design import design_of, optimise
from .of_network import design_problem_of, designs_of, network_of, served_by
from .problem import (
    Candidate,
    Columns,
    Demand,
    DesignProblem,
    Failing,
    Found,
    Size,
    Way,
    columns_of,
)
from .reading import CheckedDesign, check_design, is_design, read_design
from .robust import Risk, drawn_years, optimise_robust
from .search import solve
from .supply import Prices, fill_of, plan_supply, policy_cost, with_policy
from .whole import solve_whole

__all__ = [
    "Candidate",
    "CheckedDesign",
    "Cohort",
    "CohortPlan",
    "Columns",
    "Demand",
    "DesignProblem",
    "Failing",
    "Found",
    "Leg",
    "Plant",
    "Prices",
    "Risk",
    "Size",
    "Therapy",
    "Way",
    "check_design",
    "columns_of",
    "design_of",
    "design_problem_of",
    "designs_of",
    "drawn_years",
    "fill_of",
    "is_design",
    "network_of",
    "optimise",
    "optimise_robust",
    "plan_cohort",
    "plan_supply",
    "policy_cost",
    "read_design",
    "served_by",
    "solve",
    "solve_whole",
    "with_policy",
]
