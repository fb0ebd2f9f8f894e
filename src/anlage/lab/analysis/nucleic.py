"""PCR exports: copies of a sample by a standard curve, or by counting partitions."""

from collections.abc import Iterable

from anlage.base import Refused
from anlage.lab.assay import (
    CARDS,
    DigitalPlate,
    Estimate,
    QpcrTarget,
    digital_plate,
    qpcr_plate,
    read_reader_file,
)

from ..method import MethodCard, Purpose
from .found import Figure, Found, Number, Source, Tell
from .plates import INK, called_in

DIGITAL_CARD = CARDS["digital-pcr"]
QPCR_CARD = MethodCard(
    name="qpcr-curve",
    version="1",
    purposes=(Purpose.UNDERSTANDING, Purpose.DEVELOPMENT, Purpose.CONTROL),
    qualified_for=(),
    trained_domain="Cq between those of the highest and the lowest standard of the same plate",
    sources=("Bustin et al., Clin Chem 55 (2009), doi 10.1373/clinchem.2008.112797",),
)
"""What copies read from a qPCR curve may be used for."""

EFFICIENCY_PERCENT = (90.0, 110.0)
"""An efficiency outside is told beside the number (MIQE asks to report it; the range is usual)."""

BLANKS = frozenset({"ntc", "nac", "blank", "water", "h2o"})


def qpcr(source: Source, tell: Tell) -> Found:
    """Read the copies of the sample off the curve of its target."""
    tell(0.2, "reading the wells")
    targets = qpcr_plate(read_reader_file(source.path))
    wanted = source.settings["target"]
    if wanted:
        targets = tuple(one for one in targets if one.target.casefold() == wanted.casefold())
    if not targets:
        raise _target_missing(source, wanted)
    tell(0.6, "reading the curves")
    names = (one.sample for target in targets for one in target.samples)
    called = called_in([name for name in names if name.casefold() not in BLANKS], source.sample)
    numbers: list[Number] = []
    flags: list[str] = []
    for target in targets:
        title = f"copies {target.target}".strip()
        mine = next((one for one in target.samples if one.sample == called), None)
        if mine is not None and mine.copies is not None:
            numbers.append(_number(title, mine.copies, ""))
        elif mine is not None:
            lowest = 10**target.curve.curve.lowest
            numbers.append(Number(name=title, value=lowest, high=lowest, qualifier="<"))
        numbers.append(
            Number(
                name=f"efficiency {target.target}".strip(),
                value=target.curve.efficiency,
                unit="%",
                low=target.curve.efficiency_low,
                high=target.curve.efficiency_high,
            )
        )
        flags.extend(_flags_of(target))
    if called.casefold() != source.sample.casefold():
        flags.append(f"the file calls the sample {called}")
    tell(0.9, "drawing the curves")
    return Found(
        card=QPCR_CARD,
        numbers=tuple(numbers),
        flags=tuple(flags),
        figures=tuple(_curve(one) for one in targets),
        details={
            one.target or "target": {
                "slope": one.curve.slope,
                "intercept": one.curve.intercept,
                "r_squared": one.curve.r_squared,
                "samples": {
                    each.sample: {
                        "wells": each.wells,
                        "cq": each.cq,
                        "copies": each.copies.as_dict() if each.copies else None,
                    }
                    for each in one.samples
                },
            }
            for one in targets
        },
    )


def digital(source: Source, tell: Tell) -> Found:
    """Count the copies of the sample, and its vector copies per cell where both targets are."""
    tell(0.2, "reading the wells")
    settings = source.settings
    plate = digital_plate(
        read_reader_file(source.path),
        vector=settings["vector"],
        genome=settings["genome"],
        genome_copies_per_cell=source.setting("genome-copies") or 2.0,
        droplet_nl=source.setting("partition-nl"),
        dilution=source.setting("dilution") or 1.0,
    )
    names = [one.sample for one in plate.wells if one.sample.casefold() not in BLANKS]
    called = called_in(names, source.sample)
    numbers = []
    if called in plate.refused:
        raise plate.refused[called]
    if called in plate.vector_copies:
        numbers.append(_number("vector copies per cell", plate.vector_copies[called], ""))
    elif wanted := [settings[name] for name in ("vector", "genome") if settings[name]]:
        raise _target_missing(source, " and ".join(wanted))
    numbers += [
        _number(f"copies per uL {target}".strip(), copies, "/uL")
        for (sample, target), copies in plate.copies_per_ul.items()
        if sample == called
    ]
    flags = [
        f"blank {one.sample} {one.well}, {one.target}: positive partitions {one.counts.positives}"
        for one in plate.wells
        if one.sample.casefold() in BLANKS and one.counts.positives
    ]
    if called.casefold() != source.sample.casefold():
        flags.append(f"the file calls the sample {called}")
    tell(0.9, "drawing the wells")
    return Found(
        card=DIGITAL_CARD,
        numbers=tuple(numbers),
        flags=tuple(flags),
        figures=(_wells(plate),),
        details={
            "wells": [
                {
                    "sample": one.sample,
                    "well": one.well,
                    "target": one.target,
                    "positives": one.counts.positives,
                    "partitions": one.counts.total,
                    "copies_per_ul": one.copies_per_ul.as_dict(),
                }
                for one in plate.wells
            ]
        },
    )


def _number(name: str, found: Estimate, unit: str) -> Number:
    return Number(
        name=name,
        value=found.value,
        unit=unit,
        low=found.low,
        high=found.high,
        qualifier=found.qualifier,
    )


def _target_missing(source: Source, wanted: str) -> Refused:
    return Refused(
        "target-missing",
        what=f"file {source.path.name[:80]}",
        found="no wells of it for this sample",
        limit=f"target {wanted}",
        remedy="export the target too, or write a version of the method that names the right one",
    )


def _flags_of(target: QpcrTarget) -> Iterable[str]:
    low, high = EFFICIENCY_PERCENT
    name = target.target or "the target"
    if not low <= target.curve.efficiency <= high:
        yield f"efficiency of {name} outside {low:g} to {high:g} %"
    for one in target.samples:
        if one.sample.casefold() in BLANKS and one.cq:
            yield f"blank {one.sample} shows {name} in {len(one.cq)} of {one.wells} wells"


def _curve(target: QpcrTarget) -> Figure:
    """Draw Cq over copies: standards, their line, and the samples on it."""
    import plotly.graph_objects as go

    curve = target.curve
    ends = [10**curve.curve.lowest, 10**curve.curve.highest]
    figure = go.Figure(
        [
            go.Scatter(
                x=ends,
                y=[
                    curve.intercept + curve.slope * one
                    for one in (curve.curve.lowest, curve.curve.highest)
                ],
                mode="lines",
                name=f"slope {curve.slope:.3f}, R² {curve.r_squared:.4f}",
                line={"color": "#6b7280", "width": 2},
            ),
            go.Scatter(
                x=[copies for copies, _ in target.standards],
                y=[cq for _, cq in target.standards],
                mode="markers",
                name="standards",
                marker={"color": "#2563eb", "size": 8},
            ),
        ]
    )
    read = [one for one in target.samples if one.copies is not None and one.copies.value]
    figure.add_trace(
        go.Scatter(
            x=[one.copies.value for one in read if one.copies],
            y=[sum(one.cq) / len(one.cq) for one in read],
            mode="markers+text",
            text=[one.sample for one in read],
            textposition="top right",
            name="samples",
            marker={"color": "#c2410c", "size": 10, "symbol": "diamond"},
        )
    )
    figure.update_xaxes(type="log", title="copies")
    figure.update_yaxes(title="Cq")
    title = f"Standard curve {target.target}".strip()
    figure.update_layout(template="plotly_white", title=title)
    return Figure.of(title, figure)


def _wells(plate: DigitalPlate) -> Figure:
    """Draw the copies of every well with their intervals, a colour for each target."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for place, target in enumerate(dict.fromkeys(one.target for one in plate.wells)):
        mine = [
            one
            for one in plate.wells
            if one.target == target and one.copies_per_ul.value is not None
        ]
        values = [one.copies_per_ul.value or 0.0 for one in mine]
        figure.add_trace(
            go.Scatter(
                x=[f"{one.sample} {one.well}" for one in mine],
                y=values,
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [
                        (one.copies_per_ul.high or v) - v
                        for one, v in zip(mine, values, strict=True)
                    ],
                    "arrayminus": [
                        v - (one.copies_per_ul.low or 0.0)
                        for one, v in zip(mine, values, strict=True)
                    ],
                },
                mode="markers",
                name=target or "target",
                marker={"color": INK[place % len(INK)], "size": 9},
            )
        )
    figure.update_xaxes(type="category", title="sample and well")
    figure.update_yaxes(title="copies per uL", rangemode="tozero")
    figure.update_layout(template="plotly_white", title="Copies by well, 95 % intervals")
    return Figure.of("Copies by well", figure)
