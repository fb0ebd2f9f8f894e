"""OPTIMISE: the cheapest network that keeps its limits, with a proof of how good it is.

Touches: network's model and simulation, base.
Touched by: academy, app, web, cli.
Start at: problem.py (what is chosen), then search.py (how the cheapest is found and proved).
"""

from .cohort import Cohort, CohortPlan, Leg, Plant, Therapy, plan_cohort
from .design import design_of, optimise
from .of_network import design_problem_of, network_of
from .problem import Candidate, Columns, Demand, DesignProblem, Found, Size, Way, columns_of
from .reading import CheckedDesign, check_design, is_design, read_design
from .search import solve
from .whole import solve_whole

__all__ = [
    "Candidate",
    "CheckedDesign",
    "Cohort",
    "CohortPlan",
    "Columns",
    "Demand",
    "DesignProblem",
    "Found",
    "Leg",
    "Plant",
    "Size",
    "Therapy",
    "Way",
    "check_design",
    "columns_of",
    "design_of",
    "design_problem_of",
    "is_design",
    "network_of",
    "optimise",
    "plan_cohort",
    "read_design",
    "solve",
    "solve_whole",
]
