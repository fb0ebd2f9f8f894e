"""Jobs of NETWORK: simulate, compare designs, rank bottlenecks, find the cheapest design."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from anlage.base import Refused

from ..jobs import Work, job

if TYPE_CHECKING:
    from anlage.network import Network
    from anlage.network.simulate import Settings

PLANNER = "network-planner"
ROLES = (PLANNER,)
DESIGNS_MAX = 8
GAP = Decimal("0.0001")
TRACE_MAX = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTerms:
    """How a network is run; what is None is taken from its file.

    Attributes:
        years: Length of a run, warm-up included: "3" or "18 months".
        warmup: Part that is not measured, likewise.
        replications: How many runs.
        seed: Seed of all chance.
    """

    years: str | None = None
    warmup: str | None = None
    replications: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateNetwork:
    """Run one network.

    Attributes:
        network: Its file, as YAML.
        terms: How it is run.
        is_followed: Whether the first run is followed patient by patient, for the moving day.
    """

    network: str
    terms: RunTerms = RunTerms()
    is_followed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareNetworks:
    """Run designs side by side under common random numbers.

    Attributes:
        networks: Their files, as YAML; the first is what the others are compared with.
        terms: How they are run; the first one's file gives what is left out.
        names: What each is called; the names in the files when empty.
    """

    networks: tuple[str, ...]
    terms: RunTerms = RunTerms()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimiseNetwork:
    """Find the cheapest sites, sizes and modes.

    Attributes:
        network: A network file or a design file, as YAML.
        gap: Gap between cost and proof at which to stop.
        seconds: Time after which to stop.
    """

    network: str
    gap: Decimal = GAP
    seconds: int = 60


def _load() -> None:
    """Load the kernel and what is drawn with, by the smallest run there is."""
    from anlage.network.figure import distribution_of
    from anlage.network.simulate import outcome_of, run, settings_for

    network = _read(_SMALLEST)
    made = run(network, settings_for(network, years=0.01, replications=1))
    outcome_of(made)
    distribution_of(made)


_SMALLEST = """network: smallest
classes:
  one: {arrivals: {rate: 1 / day}}
resources:
  desk: {capacity: 1}
process:
  - use: {resource: desk, time: 1 hour}
"""


@job("simulate-network", roles=ROLES, page="/networks/runs/{id}", ready=_load)
def _simulate(work: Work, request: SimulateNetwork) -> Mapping[str, Any]:
    """Simulate a network."""
    from anlage.network.figure import day_of, distribution_of, load_of
    from anlage.network.simulate import outcome_of, run, trace_of

    network = _read(request.network)
    settings = _settings(network, request.terms)
    if request.is_followed:
        settings = replace(settings, trace_max=TRACE_MAX)
    made = run(network, settings, progress=_told(work, "simulating"))
    found = outcome_of(made) | {"distribution": distribution_of(made)}
    if request.is_followed:
        work.tell(1.0, "following the first run")
        trace = trace_of(made)
        found |= {"day": day_of(network, trace), "load": load_of(trace)}
    return found


@job("compare-networks", roles=ROLES, page="/networks/runs/{id}")
def _compare(work: Work, request: CompareNetworks) -> Mapping[str, Any]:
    """Compare networks side by side."""
    from anlage.network.simulate import Design, compare

    if not 2 <= len(request.networks) <= DESIGNS_MAX:
        raise Refused(
            "network-run-impossible",
            what="comparison of networks",
            found=f"{len(request.networks)} designs",
            limit=f"2 to {DESIGNS_MAX}",
            remedy="choose two or more",
        )
    if request.names and len(request.names) != len(request.networks):
        raise Refused(
            "network-run-impossible",
            what="comparison of networks",
            found=f"{len(request.names)} names for {len(request.networks)} designs",
            limit="one name for each design, or none",
            remedy="name each",
        )
    networks = [_read(text) for text in request.networks]
    names = request.names or tuple(one.name for one in networks)
    designs = [Design(name=name, network=one) for name, one in zip(names, networks, strict=True)]
    settings = _settings(networks[0], request.terms)
    return compare(designs, settings, progress=_told(work, "comparing"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RankBottlenecks:
    """Rank the resources of one network.

    Attributes:
        network: Its file, as YAML.
        terms: How it is run.
    """

    network: str
    terms: RunTerms = RunTerms()


@job("rank-bottlenecks", roles=ROLES, page="/networks/runs/{id}")
def _bottleneck(work: Work, request: RankBottlenecks) -> Mapping[str, Any]:
    """Rank resources by what one more of each brings."""
    from anlage.network.simulate import bottleneck

    network = _read(request.network)
    settings = _settings(network, request.terms)
    return bottleneck(network, settings, progress=_told(work, "one more of each"))


@job("optimise-network", roles=ROLES, page="/networks/runs/{id}")
def _optimise(work: Work, request: OptimiseNetwork) -> Mapping[str, Any]:
    """Find the cheapest design, with proof."""
    from anlage.network.optimise import design_problem_of, is_design, optimise, read_design

    if not (0 <= request.gap < 1 and 1 <= request.seconds <= 600):
        raise Refused(
            "network-run-impossible",
            what="optimise",
            found=f"gap {request.gap}, {request.seconds} s",
            limit="a gap from 0 to 1, 1 s to 600 s",
            remedy="choose others",
        )
    text = request.network
    problem = read_design(text) if is_design(text) else design_problem_of(_read(text))
    work.tell(0.05, "looking for the cheapest design")
    return optimise(problem, gap=float(request.gap), seconds=float(request.seconds))


def _read(text: str) -> "Network":
    from anlage.network import read

    from ..network_recipes import starter_tasks

    return read(text, recipes=starter_tasks)


def _settings(network: "Network", terms: RunTerms) -> "Settings":
    from anlage.network import read_years
    from anlage.network.simulate import settings_for

    return settings_for(
        network,
        years=read_years(terms.years, "years") if terms.years else None,
        warmup_years=read_years(terms.warmup, "warm-up") if terms.warmup else None,
        replications=terms.replications,
        seed=terms.seed,
    )


def _told(work: Work, words: str) -> Callable[[int, int], None]:
    def told(done: int, of: int) -> None:
        work.tell(done / of, f"{words}: {done} of {of}")

    return told
