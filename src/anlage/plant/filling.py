"""Filling: the containers of product, labelled and read one by one, out of what was formulated."""

from collections.abc import Mapping
from dataclasses import dataclass

from anlage.base import Instant, Quantity, Refused, clean_line
from anlage.custody import Container as Custody
from anlage.record import Entry

from .errors import GMP, IDENTITY, not_running
from .lot import Lot, LotStatus
from .lot_fact import DosesFilled, Fill
from .recipe import ContainerAct, ContainerVerb
from .recipe_labels import RULE as LABEL_RULE
from .signing import Qualified
from .vessel import Vessels


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledContainer:
    """A container that was filled: its code, how much, how many cells."""

    container: str
    amount: str
    cells: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillDoses:
    """Record the containers of product.

    Attributes:
        scanned: The containers whose labels were read as they were filled, and that which they
            were filled from.
    """

    lot: str
    fills: tuple[FilledContainer, ...]
    scanned: tuple[str, ...] = ()


def fill_doses(
    lot: Lot,
    request: FillDoses,
    *,
    person: Qualified,
    at: Instant,
    containers: Mapping[str, Custody] | None = None,
) -> list[Entry]:
    """Record the containers of product, filled from the part of the process that the recipe names.

    Args:
        lot: The lot.
        request: What was filled.
        person: Who filled.
        at: The moment.
        containers: The containers that the decision has to know (`fill_wanted`).

    Raises:
        Refused: The lot is not being made, a container is named twice or exists, there are more
            than the step's reading says, or more than there was to fill.
    """
    if lot.status not in {LotStatus.RUNNING, LotStatus.MADE}:
        raise not_running(lot.id, str(lot.status), lot.held_because)
    person.must_be_qualified("operator", at)
    names = [one.container for one in request.fills]
    twice = {name for name in names if names.count(name) > 1 or name in lot.containers}
    if twice or not names:
        raise Refused(
            "dose-unknown",
            what=f"containers of lot {lot.id}",
            found=", ".join(sorted(twice)) or "none",
            limit="each container once",
            remedy="scan each container once",
        )
    fills = tuple(
        Fill(
            container=clean_line(one.container, "container", limit=96),
            amount=Quantity.parse(one.amount),
            cells=Quantity.parse(one.cells) if one.cells else None,
        )
        for one in request.fills
    )
    filled = Entry(lot.stream, DosesFilled(fills=fills, operator=person.id))
    return [filled, *_filled(lot, request, fills, person.id, containers or {})]


def fill_wanted(lot: Lot, request: FillDoses) -> tuple[str, ...]:
    """Give every container whose state `fill_doses` has to know."""
    act = _fill_act(lot)
    if act is None:
        return ()
    parts = (*lot.vessels.get(act[1].part, ()), *lot.vessels.get(act[1].into or "", ()))
    return (*parts, *(one.container for one in request.fills))


def _fill_act(lot: Lot) -> tuple[str, ContainerAct] | None:
    phases = lot.recipe.phases() if lot.recipe else ()
    found = [(phase.id, act) for phase in phases for act in phase.containers]
    return next((one for one in found if one[1].verb is ContainerVerb.FILL), None)


def _filled(
    lot: Lot,
    request: FillDoses,
    fills: tuple[Fill, ...],
    by: str,
    containers: Mapping[str, Custody],
) -> list[Entry]:
    found = _fill_act(lot)
    if found is None:
        return []
    step, act = found
    planned = lot.readings.get(act.count or "")
    if isinstance(planned, Quantity) and len(lot.containers) + len(fills) > planned.value:
        raise Refused(
            "fill-count-mismatch",
            what=f"containers of lot {lot.id}",
            found=f"{len(lot.containers) + len(fills)}",
            limit=f"{planned}, as read at step {step}",
            remedy="count the containers again, or correct the reading with its reason",
            rule=GMP,
        )
    sources = lot.vessels.get(act.part, ())
    if foreign := set(request.scanned) - {one.container for one in fills} - set(sources):
        raise Refused(
            "identity-mismatch",
            what=f"containers of lot {lot.id}",
            found=", ".join(sorted(foreign))[:200],
            limit=", ".join(one.container for one in fills)[:200],
            remedy="stop; put aside what was scanned and call the supervisor",
            rule=IDENTITY,
        )
    part = act.into or "product"
    _must_be_labelled(lot, step, part, [one.container for one in fills])
    scans = {part: " ".join(request.scanned)}
    work = Vessels(lot=lot, step=step, by=by, containers=containers, scans=scans)
    work.fill(act.part, {one.container: one.amount for one in fills}, act.vessel)
    work.join(part, tuple(one.container for one in fills))
    if lot.status is LotStatus.RUNNING:
        work.offer_on()
    return work.entries


def _must_be_labelled(lot: Lot, step: str, part: str, names: list[str]) -> None:
    """See that each container carries a label that was printed for it, where some were."""
    printed = lot.printed(step, part)
    if printed and (bare := [one for one in names if one not in printed]):
        raise Refused(
            "label-not-printed",
            what=f"containers of lot {lot.id}, filled at step {step}",
            found=", ".join(bare)[:200],
            limit=", ".join(one for one in printed if one not in lot.containers)[:200]
            or "no label is left",
            remedy="scan the label that is on the container, or print one more set for the step",
            rule=LABEL_RULE,
        )
