"""What an operator asks for at a step, and the values that a signature under it has to carry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from anlage.base import Instant
from anlage.record import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialGiven:
    """Material scanned for a step: which lot and how much of it."""

    material: str
    material_class: str
    amount: str
    pack: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartStep:
    """Open a step.

    Attributes:
        containers: Part of the process to the container numbers that were scanned.
    """

    lot: str
    step: str
    equipment: tuple[str, ...] = ()
    room: str | None = None
    containers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanIdentity:
    """Keep a scan, whether it fits or not."""

    lot: str
    step: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterReadings:
    """Enter values at an open step before it is completed."""

    lot: str
    step: str
    readings: Mapping[str, str]
    instruments: Mapping[str, str] = field(default_factory=dict)
    happened: Instant | None = None
    reason: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteStep:
    """Say that a step is done; a ready step that is not open is opened by it.

    Attributes:
        lot: The lot.
        step: The step's key.
        readings: Parameter to what was read, with its unit ("82.4 %").
        instruments: Parameter to the equipment unit that measured it.
        materials: What went in.
        equipment: Units in use.
        room: The room.
        scan: The raw string of the identity scan.
        source: The material lot whose titre or potency a calculation uses.
        witness: The second person.
        performed: The operator's signature.
        verified: The second person's signature.
        note: A remark.
        happened: When, if it is entered after the fact.
        reason: Why it is entered late.
        containers: Part of the process to the container numbers that were scanned; for a vessel
            that the step makes, its label.
    """

    lot: str
    step: str
    readings: Mapping[str, str] = field(default_factory=dict)
    instruments: Mapping[str, str] = field(default_factory=dict)
    materials: tuple[MaterialGiven, ...] = ()
    equipment: tuple[str, ...] = ()
    room: str | None = None
    scan: str | None = None
    source: str | None = None
    witness: str | None = None
    performed: Signature | None = None
    verified: Signature | None = None
    note: str | None = None
    happened: Instant | None = None
    reason: str | None = None
    containers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipStep:
    """Leave a ready step out, on an authorisation."""

    lot: str
    step: str
    reason: str


def shown_step(request: CompleteStep) -> dict[str, Any]:
    """Give the values that a page shows and that signatures under a step have to carry."""
    shown: dict[str, Any] = {
        "lot": request.lot,
        "step": request.step,
        "readings": {name: str(value) for name, value in sorted(request.readings.items())},
        "materials": [f"{one.material} {one.amount}" for one in request.materials],
        "scan": request.scan,
    }
    if request.containers:
        shown["containers"] = dict(sorted(request.containers.items()))
    return shown
