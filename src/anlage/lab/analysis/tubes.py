"""Tubes: what a flow cytometry file gave, with its gates drawn."""

from dataclasses import replace
from typing import Final

import numpy

from anlage.base import Refused
from anlage.lab.flow import (
    CARD,
    Dimension,
    Gated,
    Sample,
    Strategy,
    axes_of,
    density_figure,
    gate,
    gate_t_cells,
    overlay_figure,
    panel_of,
    populations,
    read_fcs,
    read_gatingml,
)

from ..method import MethodCard, Purpose
from .found import Figure, Found, Number, Source, Tell

FIGURES_MAX: Final = 12
WRITTEN_CARD: Final = MethodCard(
    name="gating",
    version="1",
    purposes=(Purpose.UNDERSTANDING, Purpose.DEVELOPMENT, Purpose.CONTROL),
    qualified_for=(),
    trained_domain="gates of Gating-ML 2.0 on FCS 2.0 to 3.2 files",
    sources=("Gating-ML 2.0 reference gates, every event alike",),
)
"""What counts by gates as written may be used for: as much as the gates were validated for."""
RESAMPLES: Final = 100
SEED: Final = 1
LOOK_CARD: Final = MethodCard(
    name="flow-quality",
    version="1",
    purposes=(Purpose.UNDERSTANDING, Purpose.DEVELOPMENT),
    qualified_for=(),
    trained_domain="any FCS 2.0 to 3.2 file",
    sources=("doi:10.1002/cyto.a.20825",),
)
"""What a first look at a tube may be used for."""


def gate_tube(source: Source, tell: Tell) -> Found:
    """Gate a T-cell tube by what the data show; a poor valley is refused, not guessed."""
    tell(0.1, "reading the events")
    sample = read_fcs(str(source.path), lenient=source.method.accepts_deviations)
    tell(0.3, "placing the gates, and placing them again on cells drawn anew")
    found = gate_t_cells(
        sample, panel_of(sample), rng=numpy.random.default_rng(SEED), resamples=RESAMPLES
    )
    tell(0.8, "drawing the gates")
    numbers = [Number(name="events", value=float(sample.event_count))]
    for name, one in found.populations.items():
        low, high = found.stability.get(name) or (None, None)
        share = one.percent_of_parent
        numbers.append(Number(name=name, value=share, unit="%", low=low, high=high))
    if found.car_percent is not None:
        numbers.append(Number(name="CAR+ above background", value=found.car_percent, unit="%"))
    refusal = " ".join(str(problem) for problem in found.refused)
    return Found(
        card=CARD,
        numbers=tuple(numbers),
        flags=(*found.notes, *_deviations(sample), *_words(sample)),
        refusal=refusal,
        figures=_figures(found.gated, {role: ch.name for role, ch in found.panel.channels.items()}),
        details={
            "thresholds": [one.as_dict() for one in found.thresholds],
            "gates": {name: one.as_dict() for name, one in found.populations.items()},
            "seed": SEED,
        },
    )


def gate_as_written(source: Source, tell: Tell) -> Found:
    """Count the populations of the gates that the method's definition holds, and no others.

    Raises:
        Refused: The method holds no gates, they are not sound, or the file lacks a channel.
    """
    if not source.method.gates:
        raise Refused(
            "method-without-gates",
            what=f"method {source.method.heading.id}",
            found="no gates in its definition",
            limit="a Gating-ML 2.0 document under gates",
            remedy="write a version that holds the gates",
        )
    strategy = read_gatingml(source.method.gates.encode())
    tell(0.1, "reading the events")
    sample = read_fcs(str(source.path), lenient=source.method.accepts_deviations)
    tell(0.5, "counting the populations")
    gated = gate(sample, strategy)
    numbers = [Number(name="events", value=float(sample.event_count))]
    for name, one in populations(gated).items():
        low, high = one.interval or (None, None)
        numbers.append(Number(name=name, value=one.percent_of_parent, unit="%", low=low, high=high))
    tell(0.8, "drawing the gates")
    drawn: list[tuple[str, str | None, str | None]] = []
    for made in strategy.gates.values():
        axes: tuple[Dimension, ...] = getattr(made, "dimensions", ())
        if len(axes) == 2 and not any(one.is_ratio for one in axes):
            drawn.append((axes[0].channel, axes[1].channel, made.parent))
    return Found(
        card=WRITTEN_CARD,
        numbers=tuple(numbers),
        flags=(*_deviations(sample), *_words(sample)),
        figures=_pairs(gated, list(dict.fromkeys(drawn))[:FIGURES_MAX]),
        details={"gates": {name: one.as_dict() for name, one in populations(gated).items()}},
    )


def look_at_tube(source: Source, tell: Tell) -> Found:
    """Tell the events, the singlets where heights are there, and the channels of any tube."""
    tell(0.1, "reading the events")
    sample = read_fcs(str(source.path), lenient=source.method.accepts_deviations)
    numbers = [Number(name="events", value=float(sample.event_count))]
    tell(0.6, "drawing what lies where")
    gated = gate(sample, Strategy())
    shown = [c.name for c in sample.channels if not c.name.upper().startswith("TIME")]
    figures = _pairs(gated, [(shown[0], shown[1], None)] if len(shown) > 1 else [])
    singlets = _singlets(sample)
    if singlets is not None:
        numbers.append(Number(name="Singlets", value=singlets, unit="%"))
    return Found(
        card=LOOK_CARD,
        numbers=tuple(numbers),
        flags=(*_deviations(sample), *_words(sample)),
        figures=figures,
        details={
            "channels": [one.as_dict() for one in sample.channels],
            "instrument": sample.instrument,
        },
    )


def _singlets(sample: Sample) -> float | None:
    """Give the share of events in the band of the usual height over area, in percent."""
    named = {one.name.upper(): one for one in sample.channels}
    if not {"FSC-A", "FSC-H"} <= named.keys() or not sample.event_count:
        return None
    height, area = sample.columns((named["FSC-H"].number - 1, named["FSC-A"].number - 1))
    with numpy.errstate(divide="ignore", invalid="ignore"):
        ratio = height / area
    finite = ratio[numpy.isfinite(ratio)]
    if not len(finite):
        return None
    middle = float(numpy.median(finite))
    reach = 4 * max(float(numpy.median(finite[finite >= middle])) - middle, 1e-6) / 0.6745
    return 100 * float(numpy.mean(numpy.abs(finite - middle) < reach))


def _words(sample: Sample) -> tuple[str, ...]:
    """Say which words of the header a person should see to: free text may name somebody."""
    named = sorted(one.keyword for one in sample.identifiers if one.kind == "sample")
    return (
        (f"free words in the header ({', '.join(named)}): see that they name nobody",)
        if named
        else ()
    )


def _deviations(sample: Sample) -> tuple[str, ...]:
    return tuple(f"{one.what}: {one.found}" for one in sample.deviations)


def _figures(gated: Gated, panel: dict[str, str]) -> tuple[Figure, ...]:
    """Draw what a reviewer looks at: each cut where it was made."""
    within = [name for name in ("T cells", "Live", "Singlets") if name in gated.membership]
    inner = within[0] if within else None
    wanted: list[tuple[str, str | None, str | None]] = []
    if "cd3" in panel:
        above = "Live" if "Live" in gated.membership else (within[-1] if within else None)
        wanted.append((panel["cd3"], None, above))
    young = next((panel[role] for role in ("cd45ra", "cd45ro") if role in panel), None)
    if "cd4" in panel and "cd8" in panel:
        wanted.append((panel["cd4"], panel["cd8"], inner))
    if "ccr7" in panel and young is not None:
        wanted += [(young, panel["ccr7"], one) for one in ("CD4", "CD8") if one in gated.membership]
    if "car" in panel:
        wanted.append((panel["car"], None, inner))
    return _pairs(gated, wanted)


def _pairs(gated: Gated, wanted: list[tuple[str, str | None, str | None]]) -> tuple[Figure, ...]:
    drawn = []
    for across, up, within in wanted:
        try:
            axes, scales = axes_of(gated, [across] if up is None else [across, up])
        except Refused:
            continue
        shown = replace(gated, strategy=replace(gated.strategy, scales=scales))
        what = within or "All events"
        if up is None:
            figure = overlay_figure({what: shown}, axes[0], within=within)
            _cuts(figure, gated, across)
        else:
            figure = density_figure(shown, axes[0], axes[1], within=within, bins=96)
        drawn.append(Figure.of(f"{what}: {across}" + (f" and {up}" if up else ""), figure))
    return tuple(drawn)


def _cuts(figure: object, gated: Gated, channel: str) -> None:
    """Mark where a channel is cut."""
    places = {
        side
        for made in gated.strategy.gates.values()
        for dimension, sides in zip(
            getattr(made, "dimensions", ()), getattr(made, "sides", ()), strict=False
        )
        if dimension.channel == channel and not dimension.is_ratio
        for side in sides
        if side is not None
    }
    for place in sorted(places):
        figure.add_vline(x=place, line={"width": 2, "color": "#c2410c"})  # type: ignore[attr-defined]
