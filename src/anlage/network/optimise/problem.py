"""The design problem: which sites to open, how large, and from where to serve each clinic.

Values only. Money and demand are per year; times are days. Each clinic is served by one site, on
the cheapest lane mode that keeps the limit of time: once clinic and site are named nothing else is
left to choose, so the modes leave the search before it begins.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A size in which a site can be opened.

    Attributes:
        name: Its name; "" for a site of one size.
        capacity: Patients in a year; None for any number.
        cost: Money per year for having it, whatever it makes.
        cost_per_patient: Money for each patient made there.
    """

    name: str
    capacity: float | None
    cost: float
    cost_per_patient: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """How often a site fails, and how long it is out; both exponential.

    Attributes:
        up_days: Mean time from coming back to the next failure.
        out_days: Mean time out.
    """

    up_days: float
    out_days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A site that may be opened.

    Attributes:
        name: Its name.
        sizes: What it may be opened as, one at a time.
        must_open: It is open whatever it costs.
        failing: How it fails, for a robust design; None for never.
    """

    name: str
    sizes: tuple[Size, ...]
    must_open: bool = False
    failing: Failing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A clinic and its patients in a year."""

    name: str
    patients: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One lane mode between a clinic and a site.

    Attributes:
        clinic, site, mode: Their names.
        cost: Money for one patient, all journeys together.
        days: Time door to door; None when nothing limits it.
    """

    clinic: str
    site: str
    mode: str
    cost: float
    days: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignProblem:
    """A whole design problem.

    Attributes:
        name: Its name.
        clinics: Who is to be served.
        sites: What may be opened.
        ways: Every lane mode between them.
        limit_days: Longest time on a way; None for none.
        open_at_most: Most sites; None for any number.
    """

    name: str
    clinics: tuple[Demand, ...]
    sites: tuple[Candidate, ...]
    ways: tuple[Way, ...]
    limit_days: float | None = None
    open_at_most: int | None = None

    def within_limit(self, way: Way) -> bool:
        """Tell whether a way keeps the limit of time."""
        return self.limit_days is None or way.days is None or way.days <= self.limit_days + 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The problem after the modes have left it, as arrays.

    Attributes:
        cost: Money per year to serve clinic i from site j; infinite where no way fits.
        demand: Patients per year of clinic i.
        capacity: Patients per year of site j in state s; state 0 is closed, absent states -1.
        fixed: Money per year of site j in state s.
        unit_cost: Money per patient of site j in state s, beyond `cost`.
        allowed: Whether site j may be in state s.
        mode: Number of the cheapest way in `ways` for (i, j); -1 where none fits.
        open_max: Most sites open.
    """

    cost: NDArray[np.float64]
    demand: NDArray[np.float64]
    capacity: NDArray[np.float64]
    fixed: NDArray[np.float64]
    unit_cost: NDArray[np.float64]
    allowed: NDArray[np.bool_]
    mode: NDArray[np.int64]
    open_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found.

    Attributes:
        cost: Cost of the best design; infinite when there is none.
        bound: No design is cheaper than this.
        states: State of each site in it; 0 is closed.
        sites: Number of the site that serves each clinic.
        nodes: Branches of the exact search.
        finished: The search ended by itself; False when time ran out.
    """

    cost: float
    bound: float
    states: NDArray[np.int64]
    sites: NDArray[np.int64]
    nodes: int
    finished: bool

    @property
    def gap(self) -> float:
        """Give how far the cost may lie above the best possible, as a part of it."""
        return 0.0 if self.cost == 0 else max(0.0, (self.cost - self.bound) / abs(self.cost))


def columns_of(problem: DesignProblem) -> Columns:
    """Give the arrays of a problem, the cheapest fitting mode kept for each clinic and site."""
    clinics = {clinic.name: i for i, clinic in enumerate(problem.clinics)}
    sites = {site.name: j for j, site in enumerate(problem.sites)}
    demand = np.array([clinic.patients for clinic in problem.clinics], dtype=np.float64)
    mode = np.full((len(clinics), len(sites)), -1, dtype=np.int64)
    per_patient = np.full(mode.shape, np.inf)
    for number, way in enumerate(problem.ways):
        if not problem.within_limit(way):
            continue
        i, j = clinics[way.clinic], sites[way.site]
        if way.cost < per_patient[i, j]:
            per_patient[i, j], mode[i, j] = way.cost, number
    states = 1 + max(len(site.sizes) for site in problem.sites)
    shape = (len(sites), states)
    capacity, fixed, unit = np.full(shape, -1.0), np.zeros(shape), np.zeros(shape)
    allowed = np.zeros(shape, dtype=np.bool_)
    total = float(demand.sum())
    for j, site in enumerate(problem.sites):
        capacity[j, 0], allowed[j, 0] = 0.0, not site.must_open
        for s, size in enumerate(site.sizes, start=1):
            capacity[j, s] = total if size.capacity is None else min(size.capacity, total)
            fixed[j, s], unit[j, s] = size.cost, size.cost_per_patient
            allowed[j, s] = True
    most = problem.open_at_most
    return Columns(
        cost=np.where(mode >= 0, per_patient * demand[:, None], np.inf),
        demand=demand,
        capacity=capacity,
        fixed=fixed,
        unit_cost=unit,
        allowed=allowed,
        mode=mode,
        open_max=len(sites) if most is None else min(most, len(sites)),
    )
