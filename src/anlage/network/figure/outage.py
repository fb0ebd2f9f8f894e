"""How many patients are on their way over time, with the outages: when one is felt, how long."""

import datetime
from collections import Counter
from typing import TYPE_CHECKING, Any

from ..model import Network
from .drawing import CALM, WARN, Drawing, Json, layout, words_of

if TYPE_CHECKING:
    import pyarrow

POINTS_MAX = 400


def load_of(trace: "pyarrow.Table") -> dict[str, Any]:
    """Count, at the end of each day of a trace, patients on their way, and infusions in the day.

    Returns:
        `dates`, `on_their_way`, `infused`, one of each a day.
    """
    change: Counter[datetime.date] = Counter()
    infused: Counter[datetime.date] = Counter()
    columns = (trace[name].to_pylist() for name in ("kind", "happened_at", "outcome"))
    for kind, at, outcome in zip(*columns, strict=True):
        if kind == "PatientReferred":
            change[at.date()] += 1
        elif kind == "CourseEnded":
            change[at.date()] -= 1
            infused[at.date()] += outcome == "infused"
    if not change:
        return {"dates": [], "on_their_way": [], "infused": []}
    first, last = min(change), max(change)
    dates = [first + datetime.timedelta(days=at) for at in range((last - first).days + 1)]
    present, count = [], 0
    for date in dates:
        count += change[date]
        present.append(count)
    return {
        "dates": [date.isoformat() for date in dates],
        "on_their_way": present,
        "infused": [infused[date] for date in dates],
    }


def outage_figure(network: Network, load: Json) -> Drawing:
    """Draw patients on their way over time, with each planned outage as a band.

    An outage that strikes by chance is named below: when it strikes differs between runs.

    Args:
        network: What was run.
        load: What `load_of` gives for the trace of its first run.
    """
    step = max(1, len(load["dates"]) // POINTS_MAX)
    dates, present = load["dates"][::step], load["on_their_way"][::step]
    bands, notes, told = [], [], []
    for outage in network.outages:
        name = words_of(outage.name)
        if outage.start_day is None:
            told.append(f"{name} strikes by chance")
            continue
        begin = network.start_date + datetime.timedelta(days=outage.start_day)
        end = begin + datetime.timedelta(days=max(outage.lasts.mean_days(), 0.5))
        told.append(f"{name} from {begin} to {end}")
        band = {"type": "rect", "x0": begin.isoformat(), "x1": end.isoformat(), "yref": "paper"}
        style = {"fillcolor": WARN, "opacity": 0.22, "line": {"width": 0}, "layer": "below"}
        bands.append({**band, "y0": 0, "y1": 1, **style})
        note = {"x": begin.isoformat(), "y": 1, "yref": "paper", "showarrow": False, "text": name}
        notes.append({**note, "xanchor": "left", "yanchor": "top"})
    most = max(present, default=0)
    said = f"At most {most} patients are on their way at once. " + "; ".join(told)
    data = (
        {
            "type": "scatter",
            "mode": "lines",
            "x": dates,
            "y": present,
            "line": {"color": CALM[0], "width": 2, "shape": "hv"},
            "hovertemplate": "%{x}: %{y} on their way<extra></extra>",
        },
    )
    return Drawing(
        name="outages",
        title="Patients on their way over time",
        told=said,
        data=data,
        layout=layout(
            height=320,
            y="patients on their way",
            xaxis={"type": "date", "showgrid": False},
            yaxis={"rangemode": "tozero"},
            shapes=bands,
            annotations=notes,
            showlegend=False,
        ),
    )
