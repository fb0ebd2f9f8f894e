"""One day of a run, moving: where patients are, and what is on its way between clinic and site."""

import datetime
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..model import Network, Ship
from ..walk import every_step
from .drawing import CALM, Drawing, Json, words_of
from .world import (
    clinic_marks,
    land,
    lane_lines,
    lanes_of,
    map_layout,
    nowhere,
    placed,
    site_marks,
)

if TYPE_CHECKING:
    import pyarrow

STEP_MINUTES: Final = 30
MOVING_MAX: Final = 200
SHARE_NOT_SHOWN: Final = 1 / 3
"""First part of a trace, which fills an empty network and is like no later day."""


@dataclass(slots=True)
class _Way:
    """What one patient's cells did: where they were from which moment on, and their journeys."""

    clinic: str = ""
    arrived: datetime.datetime | None = None
    ended: datetime.datetime | None = None
    journeys: list[tuple[datetime.datetime, datetime.datetime, str, bool]] = field(
        default_factory=list
    )


Day = dict[str, Any]
"""A day as JSON: `date`, and for each of `frames` its `time`, patients `at_clinics`, cells
`at_sites`, and what is `moving`: (clinic, site, share of the way, whether towards the site)."""


def day_of(network: Network, trace: "pyarrow.Table") -> Day:
    """Give the day of a trace on which most is on its way, in steps of half an hour.

    Args:
        network: What was run.
        trace: What `trace_of` gives.
    """
    ways = _ways(network, trace)
    date = _busiest(ways, trace)
    if date is None:
        return {"date": None, "frames": []}
    midnight = datetime.datetime.combine(date, datetime.time(), datetime.UTC)
    frames = []
    for number in range(24 * 60 // STEP_MINUTES + 1):
        at = midnight + datetime.timedelta(minutes=STEP_MINUTES * number)
        frames.append(
            {"time": at.strftime("%H:%M") if at.date() == date else "24:00"} | _at(ways, at)
        )
    return {"date": date.isoformat(), "frames": frames}


def day_figure(network: Network, day: Day) -> Drawing:
    """Draw a day on the map, a frame for each half hour.

    Marks of clinics grow with the patients waiting there, those of sites with the cells in work.

    Args:
        network: What was run.
        day: What `day_of` gives.
    """
    clinics, sites, frame = placed(network)
    if frame is None or not day["frames"]:
        return nowhere(network)
    at = {one.name: frame.flat(one.latitude or 0.0, one.longitude or 0.0) for one in clinics}
    to = {one.name: frame.flat(one.latitude or 0.0, one.longitude or 0.0) for one in sites}

    def moving(one: Json) -> list[dict[str, Any]]:
        made = []
        for is_out, name, colour, symbol in (
            (True, "to the site", CALM[2], "triangle-up"),
            (False, "to the clinic", CALM[3], "diamond"),
        ):
            x: list[float | None] = []
            y: list[float | None] = []
            text = []
            for clinic, site, share, goes_out in one["moving"]:
                if goes_out is is_out and clinic in at and site in to:
                    begin, end = (at[clinic], to[site]) if is_out else (to[site], at[clinic])
                    x.append(round(begin[0] + share * (end[0] - begin[0]), 3))
                    y.append(round(begin[1] + share * (end[1] - begin[1]), 3))
                    names = (clinic, site) if is_out else (site, clinic)
                    text.append(" → ".join(words_of(each) for each in names))
            if not x:  # a trace without a point would lose its place in the legend
                x, y, text = [None], [None], [""]
            mark = {"color": colour, "symbol": symbol, "size": 12, "opacity": 1}
            mark["line"] = {"color": "#ffffff", "width": 1}  # type: ignore[assignment] # plotly's
            made.append(
                {"type": "scatter", "mode": "markers", "name": name, "x": x, "y": y, "text": text}
                | {"marker": mark, "hovertemplate": "%{text}<extra></extra>", "showlegend": True}
            )
        return made

    def marks(one: Json) -> list[dict[str, Any]]:
        ring, square = clinic_marks(clinics, frame), site_marks(sites, frame)
        here = [one["at_clinics"].get(place.name, 0) for place in clinics]
        work = [one["at_sites"].get(place.name, 0) for place in sites]
        ring["marker"] = {**ring["marker"], "size": [8 + 1.6 * min(n, 60) ** 0.6 for n in here]}
        square["marker"] = {
            **square["marker"],
            "size": [14 + 1.7 * min(n, 400) ** 0.5 for n in work],
        }
        ring["hovertemplate"] = "%{text}: %{customdata} patients<extra></extra>"
        square["hovertemplate"] = "%{text}: %{customdata} in work<extra></extra>"
        square["text"] = [
            f"{words_of(place.name)} ({n})" for place, n in zip(sites, work, strict=True)
        ]
        return [{**ring, "customdata": here}, {**square, "customdata": work}]

    pairs = lanes_of(network, clinics, sites)
    first = day["frames"][0]
    still = [land(frame), lane_lines(pairs, frame)]
    traces = [2, 3, 4, 5]
    frames = tuple(
        {
            "name": one["time"],
            "data": [_slim(trace) for trace in (*marks(one), *moving(one))],
            "traces": traces,
        }
        for one in day["frames"]
    )
    counts = [len(one["moving"]) for one in day["frames"]]
    most = max(range(len(counts)), key=counts.__getitem__)
    told = (
        f"On {day['date']}, a day of the simulation, up to {counts[most]} shipments are on their"
        f" way at once, most at {day['frames'][most]['time']}; at noon"
        f" {sum(day['frames'][len(counts) // 2]['at_sites'].values())} products are in work at the"
        f" sites and {sum(day['frames'][len(counts) // 2]['at_clinics'].values())} patients wait."
    )
    return Drawing(
        name="day",
        title=f"A day of {words_of(network.name)}: {day['date']}",
        told=told,
        data=(*still, *marks(first), *moving(first)),
        layout=map_layout(frame),
        frames=frames,
    )


def _slim(trace: Json) -> dict[str, Any]:
    """Give what of a trace changes from frame to frame."""
    made = {name: trace[name] for name in ("x", "y", "text", "customdata") if name in trace}
    return made | {"marker": {"size": trace["marker"]["size"]}}


def _ways(network: Network, trace: "pyarrow.Table") -> list[_Way]:
    """Fold a trace into one way for each patient."""
    outward = _outward(network)
    ways: dict[str, _Way] = {}
    sent: dict[tuple[str, str], datetime.datetime] = {}
    names = ("stream", "kind", "happened_at", "clinic", "site", "step")
    columns = [trace[name].to_pylist() for name in names]
    for stream, kind, at, clinic, site, step in zip(*columns, strict=True):
        way = ways.setdefault(stream, _Way())
        way.clinic = clinic
        if kind == "PatientReferred":
            way.arrived = at
        elif kind == "CourseEnded":
            way.ended = at
        elif kind == "ShipmentSent":
            sent[stream, step] = at
        elif kind == "ShipmentReceived" and (stream, step) in sent:
            way.journeys.append((sent.pop((stream, step)), at, site, outward.get(step, True)))
    return [way for way in ways.values() if way.arrived is not None]


def _outward(network: Network) -> dict[str, bool]:
    """Tell of each step that ships whether it goes to the site: cells start at the clinic."""
    found: dict[str, bool] = {}
    for process in network.processes:
        is_out = True
        for step in every_step(process.steps):
            if isinstance(step, Ship) and step.name not in found:
                found[step.name] = is_out
                is_out = not is_out
    return found


def _busiest(ways: list[_Way], trace: "pyarrow.Table") -> datetime.date | None:
    """Give the date on which most journeys are under way, in the settled part of the trace."""
    times = trace["happened_at"].to_pylist()
    if not times:
        return None
    settled = times[0] + (times[-1] - times[0]) * SHARE_NOT_SHOWN
    counts: Counter[datetime.date] = Counter()
    for way in ways:
        for begin, end, _, _ in way.journeys:
            if begin >= settled:
                counts[begin.date()] += 1
                if end.date() != begin.date():
                    counts[end.date()] += 1
    if not counts:
        return None
    return min(counts, key=lambda date: (-counts[date], date))


def _at(ways: list[_Way], at: datetime.datetime) -> dict[str, Any]:
    """Give where everybody is at a moment."""
    clinics: Counter[str] = Counter()
    sites: Counter[str] = Counter()
    moving = []
    for way in ways:
        if way.arrived is None or way.arrived > at or (way.ended is not None and way.ended <= at):
            continue
        place = bisect_right(way.journeys, at, key=lambda one: one[0]) - 1
        if place < 0:
            clinics[way.clinic] += 1
            continue
        begin, end, site, is_out = way.journeys[place]
        if at < end:
            moving.append([way.clinic, site, round((at - begin) / (end - begin), 3), is_out])
        elif is_out:
            sites[site] += 1
        else:
            clinics[way.clinic] += 1
    return {
        "at_clinics": dict(sorted(clinics.items())),
        "at_sites": dict(sorted(sites.items())),
        "moving": moving[:MOVING_MAX],
    }
