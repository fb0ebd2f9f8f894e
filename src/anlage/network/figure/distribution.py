"""The distribution of vein-to-vein times: counted from a run, and drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .drawing import CALM, INK, Drawing, Json, days, layout, words_of

if TYPE_CHECKING:
    from ..simulate import Run

BINS = 48
TAIL = 0.995


def distribution_of(run: "Run") -> dict[str, Any]:
    """Count how long the infused patients of a run took, in bins of equal width.

    Returns:
        `from_days`, `width_days`, `shares` (of all, in each bin), and the share `beyond` the bins.
    """
    from ..simulate.layout import OCTAVE_LOW, TIME_BINS_PER_OCTAVE

    fine = run.results.times[: run.compiled.class_count].sum(axis=0).astype(float)
    total = float(fine.sum())
    if total <= 0:
        return {"from_days": 0.0, "width_days": 1.0, "shares": [], "beyond": 0.0}
    centres = 2.0 ** ((np.arange(fine.size) + 0.5) / TIME_BINS_PER_OCTAVE + OCTAVE_LOW)
    within = np.cumsum(fine) / total
    low = float(centres[int(np.searchsorted(within, 1 - TAIL))])
    high = float(centres[min(int(np.searchsorted(within, TAIL)), fine.size - 1)])
    width = max((high - low) / BINS, 1e-9)
    low = max(0.0, low - width)
    places = np.clip(((centres - low) / width).astype(int), 0, BINS)
    shares = np.bincount(places, weights=fine, minlength=BINS + 1) / total
    *within_bins, beyond = shares.tolist()
    return {"from_days": low, "width_days": width, "shares": within_bins, "beyond": beyond}


def distribution_figure(outcomes: Mapping[str, Json]) -> Drawing:
    """Draw vein-to-vein times: bars for one design, lines for several.

    Args:
        outcomes: What `outcome_of` gives, each with `distribution` from `distribution_of`.
    """
    data: list[Json] = []
    told = []
    is_one = len(outcomes) == 1
    for place, (name, outcome) in enumerate(outcomes.items()):
        counted, time = outcome["distribution"], outcome["vein_to_vein_days"]
        width = counted["width_days"]
        centres = [
            counted["from_days"] + (at + 0.5) * width for at in range(len(counted["shares"]))
        ]
        heights = [100 * share for share in counted["shares"]]
        told.append(
            f"{words_of(name)}: median {days(time['median'])}, nine of ten within"
            f" {days(time['p90'])}, mean {days(time['mean'])}"
        )
        hover = "%{x:.1f} d: %{y:.1f} % of patients<extra></extra>"
        trace: dict[str, Any] = {"name": words_of(name), "x": centres, "y": heights}
        if is_one:
            trace |= {"type": "bar", "width": width, "marker": {"color": CALM[0]}}
        else:
            line = {"color": CALM[place % len(CALM)], "width": 2}
            trace |= {"type": "scatter", "mode": "lines", "line": line}
        data.append({**trace, "hovertemplate": hover})
    shapes, notes = [], []
    if is_one:
        time = next(iter(outcomes.values()))["vein_to_vein_days"]
        for word, key, level in (("median", "median", 1.0), ("90 %", "p90", 0.93)):
            if time[key] is None:
                continue
            line = {"type": "line", "x0": time[key], "x1": time[key], "yref": "paper"}
            shapes.append(
                {**line, "y0": 0, "y1": 1, "line": {"color": INK, "width": 1.5, "dash": "dash"}}
            )
            note = {"x": time[key], "y": level, "yref": "paper", "showarrow": False}
            text = f" {word} {days(time[key])}"
            notes.append({**note, "text": text, "xanchor": "left", "yanchor": "top"})
    return Drawing(
        name="vein-to-vein",
        title="Vein to vein",
        told="; ".join(told),
        data=tuple(data),
        layout=layout(
            height=340,
            x="days from collection to infusion",
            y="% of patients",
            shapes=shapes,
            annotations=notes,
            bargap=0.04,
            showlegend=not is_one,
        ),
    )
