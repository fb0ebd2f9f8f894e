"""What the screen of a step shows, put together from the lot, the recipe and the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from anlage.base import Instant, Refused
from anlage.library import Person
from anlage.plant import (
    ContainerVerb,
    Lot,
    Phase,
    PhaseKind,
    Pick,
    StepState,
    new_vessels,
    picking_list,
    starting_of,
)
from anlage.web.here import installation

from .entry import Entered

PICKS_MAX = 3
UNITS_MAX = 2000
LASTING = frozenset({PhaseKind.WAIT, PhaseKind.HOLD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One value to be entered.

    Attributes:
        limits: The limits in words, beside the field.
        computed: The calculation that gives it, when nobody types it.
        stands: What was entered before and stands.
    """

    id: str
    name: str
    kind: str
    unit: str
    choices: tuple[str, ...]
    limits: tuple[str, ...]
    is_critical: bool
    is_required: bool
    computed: str
    typed: str
    stands: str
    is_outside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One material to be scanned, with what the store would give."""

    name: str
    planned: str
    unit: str
    picks: tuple[Pick, ...]
    scanned: str
    amount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vessel:
    """One part of the process whose containers the step handles.

    Attributes:
        part: Its name in the recipe.
        here: The containers that take it now; empty for one that the step makes.
        label: The number that a new one gets where no label is scanned.
        scanned: What was scanned.
    """

    part: str
    here: tuple[str, ...]
    label: str
    scanned: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """A step as it is shown.

    Attributes:
        step: How it stands; None before it is started.
        mode: start, scan, fill, held, done or closed (not its turn).
        inputs: Values to enter.
        needs: Materials to scan.
        vessels: Containers to scan.
        units: For each equipment class, the units that could be taken.
        witnesses: The people who may be the second person.
        times: What the clock asks of this step, each with its style.
        refused: Why the person may not do it; None when they may.
        phase_lasts: Whether nobody attends it, so that its containers are handled as it starts.
    """

    step: StepState | None
    mode: str
    inputs: tuple[Input, ...]
    needs: tuple[Need, ...]
    vessels: tuple[Vessel, ...]
    units: tuple[tuple[str, tuple[str, ...], str], ...]
    witnesses: tuple[tuple[str, str], ...]
    times: tuple[tuple[str, Instant | None, str], ...]
    refused: Refused | None
    entered: Entered
    phase_lasts: bool = False


def screen_of(
    lot: Lot, phase: Phase, key: str, *, me: Person, at: Instant, entered: Entered | None
) -> Screen:
    """Give the screen of a step."""
    step = lot.steps.get(key)
    entered = entered or Entered()
    return Screen(
        step=step,
        mode=_mode(lot, phase, key, step),
        inputs=_inputs(phase, step, entered),
        needs=_needs(lot, phase, at, entered),
        vessels=_vessels(lot, phase, step, entered),
        units=_units(lot, phase, entered),
        witnesses=_witnesses(phase, me),
        times=_times(lot, phase, step, at),
        refused=_refused(phase, me, at),
        entered=entered,
        phase_lasts=phase.kind in LASTING,
    )


def _vessels(
    lot: Lot, phase: Phase, step: StepState | None, entered: Entered
) -> tuple[Vessel, ...]:
    """Give the containers of a step; one that nobody attends handles them as it starts."""
    if phase.kind in LASTING and step is not None:
        return ()
    made = new_vessels(lot, phase, {})
    found: dict[str, Vessel] = {}
    for act in phase.containers:
        here = lot.vessels.get(act.part, ())
        if act.verb is ContainerVerb.RECEIVE:
            here = starting_of(lot)
        parts = [(act.part, here)] + ([(act.into, ())] if act.into in made else [])
        for part, containers in parts:
            if part and part not in found and (containers or part in made):
                found[part] = Vessel(
                    part=part,
                    here=containers,
                    label="" if containers else made.get(part, ""),
                    scanned=entered.containers.get(part, ""),
                )
    return tuple(found.values())


def _mode(lot: Lot, phase: Phase, key: str, step: StepState | None) -> str:
    if step is None:
        if key not in lot.ready:
            return "closed"
        if phase.equipment or phase.kind in LASTING:
            return "start"
        return "scan" if phase.is_identity_critical else "fill"
    if not step.is_open:
        return "done"
    if step.status == "held":
        return "held"
    return "scan" if phase.is_identity_critical and not step.scanned else "fill"


def _inputs(phase: Phase, step: StepState | None, entered: Entered) -> tuple[Input, ...]:
    found = []
    for one in phase.parameters:
        held = step.readings.get(one.id) if step else None
        limits = []
        if one.target is not None:
            limits.append(f"target {one.target}")
        if str(one.warning) != "any value":
            limits.append(f"warning outside {one.warning}")
        if str(one.hard) != "any value":
            limits.append(f"accepted {one.hard}")
        if one.accepted:
            limits.append(f"accepted: {', '.join(one.accepted)}")
        found.append(
            Input(
                id=one.id,
                name=one.name,
                kind=str(one.kind),
                unit="" if one.unit == "1" else one.unit,
                choices=one.choices,
                limits=tuple(limits),
                is_critical=one.critical,
                is_required=one.required and one.calculation is None and held is None,
                computed=one.calculation or "",
                typed=entered.typed.get(one.id, ""),
                stands=str(held.value) if held else "",
                is_outside=bool(held and held.judgement == "hard"),
            )
        )
    return tuple(found)


def _needs(lot: Lot, phase: Phase, at: Instant, entered: Entered) -> tuple[Need, ...]:
    site = installation()
    stock, packs = site.rows("stock"), site.rows("stock-pack")
    found = []
    for one in phase.materials:
        picks: Sequence[Pick] = picking_list(
            stock, packs, material_class=one.material_class, at=at, subject=str(lot.stream)
        )
        planned: Any = one.amount or lot.readings.get(one.amount_from or "")
        scanned, amount = entered.materials.get(one.material_class, ("", ""))
        found.append(
            Need(
                name=one.material_class,
                planned=str(planned) if planned else "",
                unit=picks[0].left.unit if picks else "",
                picks=tuple(pick for pick in picks if pick.against is None)[:PICKS_MAX],
                scanned=scanned,
                amount=amount,
            )
        )
    return tuple(found)


def _units(
    lot: Lot, phase: Phase, entered: Entered
) -> tuple[tuple[str, tuple[str, ...], str], ...]:
    """Give, for each class, the units that are cleared for this lot or in use by it."""
    rows = [row for _, row in installation().rows("equipment-board").find(limit=UNITS_MAX)]
    return tuple(
        (
            name,
            tuple(
                row["equipment"]
                for row in rows
                if row["class"] == name and (row["cleared_for"] == lot.id or lot.id in row["lots"])
            ),
            entered.equipment.get(name, ""),
        )
        for name in phase.equipment
    )


def _witnesses(phase: Phase, me: Person) -> tuple[tuple[str, str], ...]:
    if phase.witness is None:
        return ()
    rows = installation().rows("people").find(facet="active", limit=UNITS_MAX)
    found = [(row["name"], id) for id, row in rows if phase.witness in row["roles"] and id != me.id]
    return tuple(sorted(found))


def _times(
    lot: Lot, phase: Phase, step: StepState | None, at: Instant
) -> tuple[tuple[str, Instant | None, str], ...]:
    found: list[tuple[str, Instant | None, str]] = []
    if step is None:
        for window in phase.windows:
            since = lot.last(window.after)
            base = (
                None
                if since is None
                else since.started
                if window.since == "started"
                else since.completed
            )
            if base is None:
                continue
            if window.earliest is not None and at < base + window.earliest:
                found.append(("not before", base + window.earliest, "warn"))
            if window.latest is not None:
                end = base + window.latest
                found.append(("start by", end, _style(end, at)))
        return tuple(found)
    if step.is_open and phase.minimum is not None:
        end = step.started + phase.minimum
        found.append(("not before", end, "warn" if at < end else ""))
    if step.is_open and phase.maximum is not None:
        end = step.started + phase.maximum
        found.append(("end by", end, _style(end, at)))
    return tuple(found)


def _style(end: Instant, at: Instant) -> str:
    if at > end:
        return "alarm"
    return "warn" if end - at < timedelta(minutes=30) else ""


def _refused(phase: Phase, me: Person, at: Instant) -> Refused | None:
    if not phase.role:
        return None
    try:
        me.must_be_qualified(phase.role, at)
    except Refused as refusal:
        return refusal
    return None
