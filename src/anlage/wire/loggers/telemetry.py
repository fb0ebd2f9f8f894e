"""Batches of a smart container's telemetry, from JSON or CSV, read without guessing.

JSON is a list of samples, or an object with `samples` and perhaps `unit` (the container). A sample
has `at` (ISO 8601 with its zone) and any of `celsius`, `tilt`, `shock`, `light`, `latitude`,
`longitude`, in degC, degrees, g, lux and degrees. CSV has a heading of these names.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anlage.base import Problem, Refused
from anlage.custody.transport import Sample

RULE = "Anlage telemetry 1"
BYTES_MAX, SAMPLES_MAX, LISTED_MAX = 32_000_000, 500_000, 20
RANGES = {
    "celsius": (-273.15, 200.0),
    "tilt": (0.0, 180.0),
    "shock": (0.0, 10_000.0),
    "light": (0.0, 200_000.0),
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a batch holds.

    Attributes:
        unit: The container that sent it; empty when it does not say.
        samples: In order of time, each moment once.
        problems: What could not be read.
    """

    unit: str
    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...]


def is_telemetry(data: bytes, name: str) -> bool:
    """Tell whether bytes are a batch of telemetry and no logger's file."""
    if name.lower().endswith(".json"):
        return True
    head = data[:400].decode("utf-8", "replace").splitlines()[:1]
    names = {one.strip().lower() for one in head[0].split(",")} if head else set()
    return "at" in names and bool(names & RANGES.keys())


def read_telemetry(data: bytes, name: str) -> Batch:
    """Read a batch.

    Raises:
        Refused: It is too large, no batch, or holds no sample that can be read.
    """
    if len(data) > BYTES_MAX:
        raise _refuse(name, f"{len(data)} bytes", f"at most {BYTES_MAX}")
    unit, rows = _rows(data, name)
    samples: dict[datetime, Sample] = {}
    problems: list[Problem] = []
    count = 0
    for number, row in enumerate(rows, start=1):
        count = number
        if number > SAMPLES_MAX:
            raise _refuse(name, f"more than {SAMPLES_MAX} samples", "fewer samples a batch")
        try:
            sample = _sample(row)
        except ValueError as error:
            if len(problems) < LISTED_MAX:
                problems.append(_problem(name, number, str(error)))
            elif len(problems) == LISTED_MAX:
                problems.append(_problem(name, number, "and more like these"))
            continue
        samples[sample.at] = sample
    if not samples:
        raise Refused(
            "telemetry-unreadable",
            what=f"telemetry {name}",
            found=f"{count} samples, none that can be read",
            limit="samples with `at` and a value",
            remedy="ask the container's maker for the batch again",
            rule=RULE,
            path=name,
            others=problems,
        )
    ordered = tuple(samples[at] for at in sorted(samples))
    return Batch(unit=unit, samples=ordered, problems=tuple(problems))


def _rows(data: bytes, name: str) -> tuple[str, Iterable[Any]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refuse(name, "bytes that are no UTF-8", "UTF-8") from error
    if text.lstrip()[:1] not in ("[", "{"):
        plain = text.replace("\r\n", "\n").replace("\r", "\n")
        try:
            return "", list(csv.DictReader(io.StringIO(plain)))
        except csv.Error as error:
            raise _refuse(name, f"{error}"[:80], "CSV with a heading") from error
    try:
        held = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refuse(name, f"{error}"[:80], "JSON") from error
    if isinstance(held, dict):
        unit, samples = held.get("unit", ""), held.get("samples")
    else:
        unit, samples = "", held
    if not isinstance(samples, list) or not isinstance(unit, str):
        raise _refuse(name, "no list of samples", "a list, or an object with `samples`")
    return unit[:64], samples


def _sample(row: Any) -> Sample:
    if not isinstance(row, Mapping):
        raise ValueError("no object")
    text = row.get("at")
    if not isinstance(text, str):
        raise ValueError("no time `at`")
    at = datetime.fromisoformat(text.strip())
    if at.tzinfo is None:
        raise ValueError(f"{text[:40]} has no time zone")
    values = {key: _number(key, row.get(key)) for key in RANGES}
    if all(value is None for value in values.values()):
        raise ValueError("no value")
    return Sample(at=at.astimezone(UTC), **values)


def _number(key: str, value: Any) -> float | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{key} is no number")
    number = float(value)
    low, high = RANGES[key]
    if not (math.isfinite(number) and low <= number <= high):
        raise ValueError(f"{key} {str(value)[:20]} outside {low:g} to {high:g}")
    return number


def _problem(name: str, number: int, found: str) -> Problem:
    return Problem(
        code="sample-unreadable",
        what=f"sample {number}",
        found=found[:120],
        limit="`at` with its zone, and numbers within their ranges",
        remedy="the sample is left out; ask for it again",
        rule=RULE,
        path=name,
        line=number,
    )


def _refuse(name: str, found: str, limit: str) -> Refused:
    return Refused(
        "telemetry-unreadable",
        what=f"telemetry {name[:80]}",
        found=found,
        limit=limit,
        remedy="ask the container's maker for the batch again",
        rule=RULE,
        path=name[:80],
    )
