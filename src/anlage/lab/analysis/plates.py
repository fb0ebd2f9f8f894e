"""Plates and tables: a reader's file by its assay definition, or row by row."""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from anlage.base import Refused
from anlage.lab.assay import (
    CARDS,
    Analysis,
    AssayDefinition,
    Import,
    PlateResult,
    Reading,
    Region,
    WellRole,
    evaluate_plate,
    read_definition,
    read_reader_file,
    standard_curve,
)
from anlage.library import Content

from ..method import MethodCard, Purpose
from .found import Figure, Found, Number, Source, Tell

CURVE_POINTS = 60
INK = ("#2563eb", "#c2410c", "#15803d", "#7c3aed", "#0e7490", "#be123c", "#4d7c0f", "#a16207")
READER_CARD = MethodCard(
    name="reader-table",
    version="1",
    purposes=(Purpose.UNDERSTANDING, Purpose.DEVELOPMENT, Purpose.CONTROL),
    qualified_for=(),
    trained_domain="exports whose columns carry known names",
    sources=("own readers",),
)
"""What a value read from a table may be used for: as much as the instrument that wrote it."""


def plate(source: Source, tell: Tell) -> Found:
    """Evaluate a plate as its assay definition says."""
    tell(0.1, "reading the plate")
    definition = (
        AssayDefinition.read(source.assay)
        if source.assay is not None
        else read_definition(Path(source.method.assay))
    )
    read = read_reader_file(source.path)
    tell(0.4, "fitting the curves")
    result = evaluate_plate(definition, read)
    tell(0.8, "drawing the plate")
    scale, unit = (100.0, "%") if definition.unit == "1" else (1.0, definition.unit)
    numbers = tuple(
        Number(
            name=one.sample,
            value=None if one.value is None or one.is_parallel is False else one.value * scale,
            unit=unit,
            low=None if one.low is None else one.low * scale,
            high=None if one.high is None else one.high * scale,
            qualifier=one.qualifier,
        )
        for one in result.results
    )
    refusal = (
        ""
        if result.is_valid
        else "The plate does not meet its validity rules: "
        + " ".join(reason for verdict in result.validity.values() for reason in verdict.reasons)
    )
    return Found(
        card=_card(definition),
        numbers=numbers,
        flags=tuple(f"{one.sample}: {note}" for one in result.results for note in one.notes),
        refusal=refusal,
        figures=(_heat_map(definition, read), *_curves(definition, read, result)),
        details=result.as_dict(),
    )


def table(source: Source, tell: Tell) -> Found:
    """Read an instrument's table; every row has its verdict."""
    tell(0.2, "reading the rows")
    read = read_reader_file(source.path)
    mine, called = _rows_of(read, source.sample)
    numbers: dict[str, Number] = {}
    for one in mine:
        name = _MEASURES.get(one.measure, one.measure)
        if one.value is None or name in numbers:
            continue
        numbers[name] = Number(
            name=name,
            value=float(one.value),
            unit="" if one.unit == "1" else one.unit,
            qualifier=one.qualifier if one.qualifier in {"<", ">"} else "",
        )
    flags = [f"dialect {read.dialect}"]
    if bottles := [one for one in mine if one.measure == "growth"]:
        numbers["growth"], told = _growth(bottles)
        flags += told
    if read.accepted < len(read.rows):
        flags.append(f"{len(read.rows) - read.accepted} of {len(read.rows)} rows not accepted")
    if called and called.casefold() != source.sample.casefold():
        flags.append(f"the file calls the sample {called}")
    return Found(
        card=READER_CARD,
        numbers=tuple(numbers.values()),
        flags=tuple(flags),
        details=read.as_dict(),
    )


_MEASURES = {"viable_cells": "viable", "total_cells": "total", "dead_cells": "dead"}


def _growth(bottles: list[Reading]) -> tuple[Number, list[str]]:
    """Give growth, once one bottle shows it, or none, once all have been read to their end."""
    seen = [" ".join(one.text.casefold().split()) for one in bottles]
    waiting = [
        f"line {one.line}: {one.text} is not final"
        for one, text in zip(bottles, seen, strict=True)
        if text not in _GROWTH | _NO_GROWTH
    ]
    if any(text in _GROWTH for text in seen):
        words = "growth"
    else:
        words = "" if waiting else "no growth"
    return Number(name="growth", value=None, words=words), [f"bottles {len(bottles)}", *waiting]


_GROWTH = frozenset({"positive", "pos", "growth", "+", "final positive"})
_NO_GROWTH = frozenset({"negative", "neg", "no growth", "-", "final negative"})


def _rows_of(read: Import, sample: str) -> tuple[list[Reading], str]:
    """Give the readings of a sample, and what the file calls it."""
    called = called_in([one.sample for one in read.readings], sample)
    return [one for one in read.readings if one.sample in {called, ""}], called


def called_in(names: Iterable[str], sample: str) -> str:
    """Give what a file calls a sample; empty where it names none.

    Args:
        names: The names of samples in the file.
        sample: The sample's own number.

    Raises:
        Refused: The file has several samples and none of this name: whose value it is would be a
            guess.
    """
    names = list(dict.fromkeys(one for one in names if one))
    same = [name for name in names if name.casefold() == sample.casefold()]
    if not same and len(names) > 1:
        raise Refused(
            "sample-not-in-file",
            what=f"sample {sample}",
            found=", ".join(names)[:200],
            limit="a row of this sample, or a file of one sample",
            remedy="export the sample alone, or name it by its number on the instrument",
            rule="21 CFR 211.194(a)(1)",
        )
    return same[0] if same else (names[0] if names else "")


def card_of_assay(content: Content) -> MethodCard:
    """Give the card of the evaluation that an assay definition asks for."""
    return _card(AssayDefinition.read(content))


def _card(definition: AssayDefinition) -> MethodCard:
    name = "standard-curve"
    if definition.analysis is Analysis.POTENCY:
        name = f"relative-potency-{definition.model}"
    return CARDS.get(name, CARDS["standard-curve"])


def _heat_map(definition: AssayDefinition, read: Import) -> Figure:
    """Draw the plate as it lies: signal by colour, what stands in each well in words."""
    import plotly.graph_objects as go

    signals = read.signals()
    role = {well: one for one in definition.regions for well in one.wells}
    places = [_place(well) for well in signals]
    rows, columns = max(r for r, _ in places) + 1, max(c for _, c in places) + 1
    values: list[list[float | None]] = [[None] * columns for _ in range(rows)]
    words = [[""] * columns for _ in range(rows)]
    for (row, column), (well, value) in zip(places, signals.items(), strict=True):
        values[row][column] = float(value)
        words[row][column] = f"{well} {role[well].name if well in role else 'not in the layout'}"
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=[str(n + 1) for n in range(columns)],
            y=[_letters(n) for n in range(rows)],
            text=words,
            hovertemplate="%{text}<br>%{z}<extra></extra>",
            colorscale="Blues",
            xgap=2,
            ygap=2,
        )
    )
    figure.update_yaxes(autorange="reversed", title="row", constrain="domain")
    figure.update_xaxes(side="top", type="category", title="column")
    figure.update_layout(template="plotly_white", title="Signal by well")
    return Figure.of("The plate", figure)


def _curves(definition: AssayDefinition, read: Import, result: PlateResult) -> tuple[Figure, ...]:
    """Draw each curve through its own wells, with the verdict of parallelism in the legend."""
    import plotly.graph_objects as go

    if definition.analysis is Analysis.MEANS:
        return ()
    signals = read.signals()
    verdicts = {one.sample: one.is_parallel for one in result.results}
    figure = go.Figure()
    for place, (name, series) in enumerate(_series(definition, signals).items()):
        role, doses, values = series
        colour = INK[place % len(INK)]
        figure.add_trace(
            go.Scatter(x=doses, y=values, mode="markers", name=_told(name, role, verdicts),
                       marker={"color": colour, "size": 8}, legendgroup=name)
        )  # fmt: skip
        line = _line(definition.model, doses, values)
        if line is not None:
            figure.add_trace(
                go.Scatter(x=line[0], y=line[1], mode="lines", showlegend=False,
                           line={"color": colour, "width": 2}, legendgroup=name, hoverinfo="skip")
            )  # fmt: skip
    figure.update_xaxes(type="log" if definition.model in {"4pl", "5pl"} else None, title="dose")
    figure.update_yaxes(title="signal")
    figure.update_layout(template="plotly_white", title="Curves")
    return (Figure.of("The curves", figure),)


def _series(
    definition: AssayDefinition, signals: Mapping[str, Decimal]
) -> dict[str, tuple[WellRole, list[float], list[float]]]:
    series: dict[str, tuple[WellRole, list[float], list[float]]] = {}
    for region in definition.regions:
        if region.doses and region.role in _DRAWN:
            _, doses, values = series.setdefault(region.name, (region.role, [], []))
            _extend(region, signals, doses, values)
    return series


def _extend(
    region: Region, signals: Mapping[str, Decimal], doses: list[float], values: list[float]
) -> None:
    for well, dose in zip(region.wells, region.doses, strict=True):
        if well in signals:
            doses.append(float(dose))
            values.append(float(signals[well]))


def _line(
    model: str, doses: list[float], values: list[float]
) -> tuple[list[float], list[float]] | None:
    try:
        curve = standard_curve(doses, values, model if model in {"4pl", "5pl"} else "linear")
    except (Refused, ValueError):
        return None
    above = sorted({one for one in doses if one > 0})
    if len(above) < 2:
        return None
    low, high = math.log(above[0]), math.log(above[-1])
    grid = [math.exp(low + (high - low) * n / CURVE_POINTS) for n in range(CURVE_POINTS + 1)]
    return grid, [curve.at(one) for one in grid]


def _told(name: str, role: WellRole, verdicts: Mapping[str, Any]) -> str:
    if role is not WellRole.SAMPLE or name not in verdicts:
        return f"{name} ({role.value})"
    words = {True: "parallel", False: "not parallel", None: "parallelism not shown"}
    return f"{name}: {words[verdicts[name]]}"


def _place(well: str) -> tuple[int, int]:
    letters = well.rstrip("0123456789")
    row = 0
    for letter in letters:
        row = row * 26 + ord(letter) - 64
    return row - 1, int(well[len(letters) :]) - 1


def _letters(row: int) -> str:
    return chr(65 + row) if row < 26 else chr(64 + row // 26) + chr(65 + row % 26)


_DRAWN = frozenset({WellRole.REFERENCE, WellRole.SAMPLE, WellRole.CONTROL})
