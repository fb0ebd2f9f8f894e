"""What was typed and scanned at a step, read into the fields of its commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from anlage.base import Quantity, Refused, stamp
from anlage.plant import Judgement, Lot, MaterialLot, Phase
from anlage.record import Stream
from anlage.web.here import installation
from anlage.web.tags import titled


class Part(StrEnum):
    """Which part of the screen was sent."""

    START = "start"
    SCAN = "scan"
    KEEP = "keep"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """The step's form, as sent.

    Attributes:
        scan: The raw string of the identity scan.
        equipment: Unit by equipment class.
        readings: Parameter to the value with its unit.
        typed: Parameter to just what was typed, to be shown again.
        materials: Material class to what was scanned and how much.
        containers: Part of the process to the container labels that were scanned.
        happened: When, if it is entered after the fact.
    """

    scan: str = ""
    equipment: Mapping[str, str] = field(default_factory=dict)
    room: str = ""
    readings: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)
    materials: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    containers: Mapping[str, str] = field(default_factory=dict)
    instrument: str = ""
    witness: str = ""
    note: str = ""
    happened: str = ""
    reason: str = ""

    def start(self, lot: str, step: str) -> dict[str, Any]:
        """Give the fields of start-step."""
        values: dict[str, Any] = {"lot": lot, "step": step}
        if units := [one for one in self.equipment.values() if one]:
            values["equipment"] = units
        if self.room:
            values["room"] = self.room
        if self.containers:
            values["containers"] = dict(self.containers)
        return values

    def readings_only(self, lot: str, step: str) -> dict[str, Any]:
        """Give the fields of enter-readings."""
        return {"lot": lot, "step": step, "readings": dict(self.readings)} | self._when()

    def complete(self, lot: str, step: str, known: Any) -> dict[str, Any]:
        """Give the fields of complete-step."""
        begun: dict[str, Any] = {"lot": lot, "step": step}
        values = self.start(lot, step) if known is None else begun
        values["readings"] = dict(self.readings)
        if self.containers:
            values["containers"] = dict(self.containers)
        if self.instrument:
            values["instruments"] = dict.fromkeys(self.readings, self.instrument)
        values["materials"] = [
            self._material(name, scanned, amount)
            for name, (scanned, amount) in self.materials.items()
            if scanned
        ]
        if source := self._source():
            values["source"] = source
        optional = {"scan": self.scan, "witness": self.witness, "note": self.note}
        return values | {key: text for key, text in optional.items() if text} | self._when()

    def shown(self, lot: Lot, phase: Phase) -> dict[str, Any]:
        """Give what is signed beside the values: whose it is, and what lies outside limits."""
        outside = []
        for name, text in self.readings.items():
            parameter = phase.parameter(name)
            if parameter is None:
                continue
            try:
                value = Quantity.parse(text) if parameter.kind == "number" else text
                judgement = parameter.judge(value)
            except Refused:
                continue  # the decision says what is wrong with it
            if judgement is not Judgement.PLAIN:
                limits = parameter.hard if judgement is Judgement.HARD else parameter.warning
                word = "hard limit" if judgement is Judgement.HARD else "warning limit"
                outside.append(f"{parameter.name} {text}: outside the {word}, {limits}")
        is_hard = any("hard limit" in one for one in outside)
        return {
            "patient": lot.coi or "",
            "product": str(titled(lot.product, "product")),
            "name of the step": phase.name,
            "attention": outside,
            "what follows": "a deviation is opened and the step is held" if is_hard else "",
        }

    def _material(self, name: str, scanned: str, amount: str) -> dict[str, str]:
        lot, _, pack = scanned.replace("|", "/").partition("/")
        given = {"material": lot.strip(), "material_class": name, "amount": amount}
        return given | ({"pack": pack.strip()} if pack else {})

    def _source(self) -> str | None:
        """Give the scanned material lot that carries a titre."""
        engine = installation().engine
        for scanned, _ in self.materials.values():
            lot = scanned.replace("|", "/").partition("/")[0].strip()
            if lot and engine.state(MaterialLot, Stream(f"material/{lot}")).titre is not None:
                return lot
        return None

    def _when(self) -> dict[str, str]:
        if not self.happened:
            return {}
        at = datetime.fromisoformat(self.happened)
        zone = ZoneInfo(installation().settings.time_zone)
        moment = stamp((at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC))
        return {"happened": moment} | ({"reason": self.reason} if self.reason else {})


def part_of(posted: Mapping[str, Any]) -> Part:
    """Tell which part of the screen was sent."""
    text = str(posted.get("part", ""))
    return Part(text) if text in set(Part) else Part.COMPLETE


def read_entry(phase: Phase, posted: Mapping[str, Any]) -> Entered:
    """Read the step's form. A decimal comma is read as a point; a number gets the unit that the
    screen shows beside it.
    """

    def text(name: str) -> str:
        return str(posted.get(name, "")).strip()

    typed, readings = {}, {}
    for one in phase.parameters:
        value = text(f"reading-{one.id}")
        if not value:
            continue
        typed[one.id] = value
        readings[one.id] = value
        if one.kind == "number":
            readings[one.id] = _number(value, one.unit)
    materials = {
        one.material_class: (
            text(f"material-{one.material_class}"),
            text(f"amount-{one.material_class}").replace(",", "."),
        )
        for one in phase.materials
    }
    return Entered(
        scan=text("scan"),
        equipment={name: text(f"equipment-{name}") for name in phase.equipment},
        room=text("room"),
        readings=readings,
        typed=typed,
        materials=materials,
        containers={
            name.removeprefix("container-"): str(value).strip()
            for name, value in posted.items()
            if name.startswith("container-") and str(value).strip()
        },
        instrument=text("instrument"),
        witness=text("witness"),
        note=text("note"),
        happened=text("happened"),
        reason=text("reason"),
    )


def _number(value: str, unit: str) -> str:
    plain = value.replace(",", ".") if value.count(",") == 1 and "." not in value else value
    has_unit = any(letter.isalpha() and letter not in "eE" for letter in plain) or "%" in plain
    return plain if has_unit or unit == "1" else f"{plain} {unit}"
