"""Designs side by side under common random numbers: paired differences, value of information."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from anlage.base import Refused

from ..distribution import deterministic
from ..errors import NAME_TWICE, NAME_UNKNOWN
from ..measure import YEAR_DAYS
from ..model import Assign, Network, Outage
from .interval import student_quantile
from .outcome import Figures, Json, figures, outcome_of
from .running import Progress, Run, Settings, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A network under the name by which it is compared."""

    name: str
    network: Network


def compare(
    designs: Sequence[Design],
    settings: Settings,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    investments: Mapping[str, float] = MappingProxyType({}),
    patient_value: float = 0.0,
) -> Json:
    """Run designs with the same chance and give each one's difference from the first.

    Replication i of every design draws the same patients with the same fates wherever the designs
    share a step, so differences are taken replication by replication.

    Args:
        designs: The designs; the first is the base.
        settings: How each is run.
        executor: Where replications run.
        progress: Told how many replications of all are done.
        investments: Money per year that a design costs beside what its file says; those designs get
            a return on investment.
        patient_value: Money that one patient infused more is worth, for that return.

    Raises:
        Refused: Two designs have one name, or an investment names none of them.
    """
    names = [design.name for design in designs]
    if len(set(names)) < len(names):
        raise Refused(
            NAME_TWICE,
            what="designs",
            found=", ".join(names),
            limit="different names",
            remedy="change network: NAME in one of the files",
        )
    unknown = sorted(set(investments) - set(names[1:]))
    if unknown:
        raise Refused(
            NAME_UNKNOWN,
            what="an investment",
            found=", ".join(unknown),
            limit="a design that is compared with the base: " + ", ".join(names[1:]),
            remedy="name one of these",
        )
    runs: list[Run] = []
    for number, design in enumerate(designs):
        step = _shifted(progress, number, len(designs))
        runs.append(run(design.network, settings, executor=executor, progress=step))
    first = figures(runs[0])
    stopped = [made.stopped for made in runs if made.stopped is not None]
    data: Json = {
        "designs": {name: outcome_of(made) for name, made in zip(names, runs, strict=True)},
        "baseline": names[0],
        "differences": {
            name: differences(figures(made), first)
            | returns(figures(made), first, investments.get(name), patient_value)
            for name, made in zip(names[1:], runs[1:], strict=True)
        },
        "replications": settings.replications,
        "seed": settings.seed,
    }
    if stopped:
        data["problems"] = [problem.as_dict() for problem in stopped]
    return data


def differences(one: Figures, base: Figures) -> Json:
    """Give the differences one - base with 95 % intervals, paired by replication."""
    pairs = {
        "vein_to_vein_days": ("time_sum", "infused"),
        "infused_fraction": ("infused", "ended"),
        "lost_fraction": ("lost", "ended"),
        "withdrawn_fraction": ("withdrawn", "ended"),
        "cost_per_infused": ("cost", "infused"),
    }
    made: Json = {
        name: paired(
            getattr(one, upper), getattr(one, lower), getattr(base, upper), getattr(base, lower)
        )
        for name, (upper, lower) in pairs.items()
    }
    made["infused_per_year"] = paired(
        one.infused, one.days / YEAR_DAYS, base.infused, base.days / YEAR_DAYS
    )
    made["cost_per_day"] = paired(one.cost, one.days, base.cost, base.days)
    return made


def returns(one: Figures, base: Figures, investment: float | None, patient_value: float) -> Json:
    """Give the return on an investment per year, with a 95 % interval; nothing without one.

    What is gained in a year is money no longer spent, and the value of patients infused more; the
    return is (gained - invested) / invested.
    """
    if investment is None or investment <= 0:
        return {}
    gained = paired(
        patient_value * one.infused - one.cost,
        one.days / YEAR_DAYS,
        patient_value * base.infused - base.cost,
        base.days / YEAR_DAYS,
    )
    mean, between = gained["difference"], gained["ci95"]
    if not isinstance(mean, float):
        return {}
    return {
        "return_on_investment": {
            "return": mean / investment - 1,
            "ci95": [end / investment - 1 for end in between]
            if isinstance(between, list)
            else None,
            "gained_per_year": mean,
            "invested_per_year": investment,
        }
    }


def paired(
    upper: np.ndarray, lower: np.ndarray, base_upper: np.ndarray, base_lower: np.ndarray
) -> Json:
    """Give the difference of two ratios of totals, with an interval that uses the pairing.

    `narrower` is how many times narrower the interval is than without common random numbers.
    """
    count = min(upper.size, base_upper.size)
    upper, lower = upper[:count], lower[:count]
    base_upper, base_lower = base_upper[:count], base_lower[:count]
    if lower.sum() <= 0 or base_lower.sum() <= 0:
        return {"difference": None, "ci95": None, "narrower": None}
    ratio, base_ratio = upper.sum() / lower.sum(), base_upper.sum() / base_lower.sum()
    mine = (upper - ratio * lower) / lower.mean()
    theirs = (base_upper - base_ratio * base_lower) / base_lower.mean()
    difference = float(ratio - base_ratio)
    if count < 2:
        return {"difference": difference, "ci95": None, "narrower": None}
    together = float(np.sum((mine - theirs) ** 2))
    apart = float(np.sum(mine**2) + np.sum(theirs**2))
    half = student_quantile(0.975, count - 1) * (together / (count - 1) / count) ** 0.5
    return {
        "difference": difference,
        "ci95": [difference - half, difference + half],
        "narrower": (apart / together) ** 0.5 if together > 0 else None,
    }


def information_designs(network: Network) -> list[Design]:
    """Give the same network with less and more information.

    Every way to exchange messages that the file defines, at all clinics; and, where a resource
    stands at each of several sites, patients sent to the nearest site (nothing shared) or to the
    one with the least work per server (loads shared).

    Raises:
        Refused: The network has neither integrations nor a choice of site.
    """
    designs = [
        Design(
            name=f"integration {way.name}",
            network=replace(
                network,
                name=f"{network.name}, {way.name}",
                clinics=tuple(replace(one, integration=way.name) for one in network.clinics),
            ),
        )
        for way in network.integrations
        if network.clinics
    ]
    pool = network.assign.resource or next(
        (one.name for one in network.resources if one.per == "site"), None
    )
    if len(network.sites) > 1 and pool is not None:
        for name, rule in (
            ("loads not shared", Assign(name="assign", rule="nearest")),
            ("loads shared", Assign(name="assign", rule="least loaded", resource=pool)),
        ):
            designs.append(Design(name=name, network=replace(network, assign=rule)))
    if not designs:
        raise Refused(
            NAME_UNKNOWN,
            what=f"value of information in {network.name}",
            found="no integrations, and no choice between sites",
            limit="integrations: with clinics, or several sites with a resource each",
            remedy="add integrations: {paper: {delay: 2 days}, fhir: {delay: 1 hour}}",
        )
    return designs


def with_loss(network: Network, of: str, *, start_day: float, days: float) -> Design:
    """Give the network with one resource, site, lane or supplier lost for a while.

    Raises:
        Refused: Nothing has that name.
    """
    known = {
        *(pool.name for pool in network.resources),
        *(site.name for site in network.sites),
        *(lane.name for lane in network.lanes),
        *(name for material in network.materials for name in material.suppliers),
        *(f"{lane.name}/{mode.name}" for lane in network.lanes for mode in lane.modes),
    }
    if of not in known:
        raise Refused(
            NAME_UNKNOWN,
            what=f"loss of {of}",
            found=repr(of),
            limit="a resource, site, lane, LANE/MODE or supplier: " + ", ".join(sorted(known)),
            remedy="name one of these",
        )
    outage = Outage(name=f"loss of {of}", of=of, start_day=start_day, lasts=deterministic(days))
    lost = replace(network, outages=(*network.outages, outage))
    return Design(name=f"loss of {of}", network=lost)


def _shifted(progress: Progress | None, number: int, designs: int) -> Progress | None:
    """Give the progress of one design as a part of all."""
    if progress is None:
        return None

    def told(done: int, of: int) -> None:
        progress(number * of + done, designs * of)

    return told
