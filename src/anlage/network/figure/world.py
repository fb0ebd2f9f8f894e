"""The map: clinics, sites and the lanes between them, over land drawn from where airports lie.

No tiles, no outlines from elsewhere: land is a field of points, one for each patch of ground that
has an airport (decision 0701). The projection is equirectangular, true at the middle latitude.
"""

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from ..model import Clinic, Network, Site
from .drawing import CALM, FAINT, INK, Drawing, layout, words_of

PATCHES: Final = 105
"""Patches of ground across the map."""
SPAN_MIN_DEGREES: Final = 6.0
LANES_MAX: Final = 150
RATIO: Final = 1.75
BESIDE: Final = 0.35
"""How much more land is drawn on either side, as a share of the frame."""
LATITUDE_MAX: Final = 80.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The part of the world that a map shows, in degrees, and how it is laid flat."""

    west: float
    east: float
    south: float
    north: float

    @property
    def squeeze(self) -> float:
        """How much shorter a degree of longitude is than one of latitude, in the middle."""
        return math.cos(math.radians((self.south + self.north) / 2))

    def flat(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Give where a place lies on the map, in degrees of latitude."""
        return longitude * self.squeeze, latitude


def map_figure(network: Network) -> Drawing:
    """Draw clinics, sites and lanes.

    Args:
        network: Its clinics and sites; those without coordinates are left out, and said so.
    """
    clinics, sites, frame = placed(network)
    if frame is None:
        return nowhere(network)
    pairs = lanes_of(network, clinics, sites)
    data = (
        land(frame),
        lane_lines(pairs, frame),
        clinic_marks(clinics, frame),
        site_marks(sites, frame),
    )
    told = (
        f"{len(clinics)} clinics ({', '.join(words_of(one.name) for one in clinics)}) and"
        f" {len(sites)} sites ({', '.join(words_of(one.name) for one in sites)}),"
        f" {len(pairs)} ways between them"
    )
    return Drawing(
        name="map",
        title=f"Where {words_of(network.name)} works",
        told=told,
        data=data,
        layout=map_layout(frame),
    )


def placed(network: Network) -> tuple[list[Clinic], list[Site], Frame | None]:
    """Give clinics and sites with coordinates, and the part of the world that holds them."""
    clinics = [one for one in network.clinics if one.latitude is not None]
    sites = [one for one in network.sites if one.latitude is not None]
    places: list[Clinic | Site] = [*clinics, *sites]
    points = [(one.latitude or 0.0, one.longitude or 0.0) for one in places]
    if not points:
        return clinics, sites, None
    south, north = min(at for at, _ in points), max(at for at, _ in points)
    west, east = min(at for _, at in points), max(at for _, at in points)
    squeeze = math.cos(math.radians((south + north) / 2))
    high = max((north - south) * 1.35, SPAN_MIN_DEGREES)
    wide = max((east - west) * squeeze * 1.3, high * RATIO)
    high = max(high, wide / RATIO)
    middle, centre = (south + north) / 2, (west + east) / 2
    half = wide / squeeze / 2
    return (
        clinics,
        sites,
        Frame(
            west=centre - half,
            east=centre + half,
            south=max(middle - high / 2, -LATITUDE_MAX),
            north=min(middle + high / 2, LATITUDE_MAX),
        ),
    )


def lanes_of(
    network: Network, clinics: list[Clinic], sites: list[Site]
) -> list[tuple[Clinic, Site]]:
    """Give the pairs of places between which cells travel.

    Each clinic and the sites that serve it; when every site may serve every clinic, its nearest
    alone, unless patients go where the load is least.
    """
    pairs = []
    for clinic in clinics:
        may = [site for site in sites if not site.serves or clinic.name in site.serves]
        is_nearest = network.assign.rule != "least loaded" or len(clinics) * len(sites) > LANES_MAX
        if is_nearest and may:
            may = [min(may, key=lambda site: _apart(clinic, site))]
        pairs += [(clinic, site) for site in may]
    return pairs[:LANES_MAX]


def land(frame: Frame) -> dict[str, Any]:
    """Give the points of land in the frame, and beside it for wider screens."""
    step = (frame.north - frame.south) * RATIO / PATCHES
    beside = (frame.east - frame.west) * BESIDE
    frame = replace(frame, west=frame.west - beside, east=frame.east + beside)
    across = step / frame.squeeze
    seen = set()
    for latitude, longitude in _airfields():
        if frame.south <= latitude <= frame.north and frame.west <= longitude <= frame.east:
            row = math.floor((latitude - frame.south) / step)
            column = math.floor((longitude - frame.west) / across + (row % 2) / 2)
            seen.add((row, column))
    points = [
        frame.flat(
            frame.south + (row + 0.5) * step, frame.west + (column + 0.5 - (row % 2) / 2) * across
        )
        for row, column in sorted(seen)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "land",
        "x": [round(x, 3) for x, _ in points],
        "y": [round(y, 3) for _, y in points],
        "marker": {"color": FAINT, "size": 5},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def lane_lines(pairs: Iterable[tuple[Clinic, Site]], frame: Frame) -> dict[str, Any]:
    """Give the lines of the lanes."""
    x: list[float | None] = []
    y: list[float | None] = []
    for pair in pairs:
        for one in pair:
            across, up = frame.flat(one.latitude or 0.0, one.longitude or 0.0)
            x.append(round(across, 3))
            y.append(round(up, 3))
        x.append(None)
        y.append(None)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "lane",
        "x": x,
        "y": y,
        "line": {"color": "rgba(128,140,150,0.55)", "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def clinic_marks(clinics: list[Clinic], frame: Frame) -> dict[str, Any]:
    """Give the marks of the clinics: rings with their names."""
    return _marks(clinics, frame) | {
        "name": "clinic",
        "marker": {
            "color": CALM[0],
            "size": 11,
            "opacity": 1,
            "symbol": "circle",
            "line": {"color": "#ffffff", "width": 1},
        },
        "textposition": "top center",
        "textfont": {"size": 12, "color": INK},
    }


def site_marks(sites: list[Site], frame: Frame) -> dict[str, Any]:
    """Give the marks of the sites: squares with their names below."""
    return _marks(sites, frame) | {
        "name": "site",
        "marker": {
            "color": CALM[1],
            "size": 17,
            "opacity": 1,
            "symbol": "square",
            "line": {"color": "#ffffff", "width": 1},
        },
        "textposition": "bottom center",
        "textfont": {"size": 13, "color": INK},
    }


def map_layout(frame: Frame) -> dict[str, Any]:
    """Give the layout of a map: no axes, one scale both ways."""
    west, south = frame.flat(frame.south, frame.west)
    east, north = frame.flat(frame.north, frame.east)
    bare = {"visible": False, "showgrid": False, "zeroline": False}
    return layout(
        height=470,
        xaxis={**bare, "range": [west, east], "constrain": "range"},
        yaxis={**bare, "range": [south, north], "scaleanchor": "x", "constrain": "range"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
    )


def nowhere(network: Network) -> Drawing:
    """Give an empty map that says what is missing."""
    told = (
        "No place has coordinates: give clinics and sites an airport: or at: [latitude, longitude]."
    )
    note = {"text": told, "showarrow": False, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper"}
    bare = {"visible": False}
    return Drawing(
        name="map",
        title=f"Where {words_of(network.name)} works",
        told=told,
        data=(),
        layout=layout(height=160, xaxis=bare, yaxis=bare, annotations=[note]),
    )


def _marks(places: Iterable[Clinic | Site], frame: Frame) -> dict[str, Any]:
    points = [(one, frame.flat(one.latitude or 0.0, one.longitude or 0.0)) for one in places]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [round(at[0], 3) for _, at in points],
        "y": [round(at[1], 3) for _, at in points],
        "text": [words_of(one.name) for one, _ in points],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _apart(one: Clinic | Site, other: Clinic | Site) -> float:
    """Give the angle between two places, in radians."""
    a, b = math.radians(one.latitude or 0.0), math.radians(other.latitude or 0.0)
    turn = math.radians((one.longitude or 0.0) - (other.longitude or 0.0))
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(turn)
    return math.acos(max(-1.0, min(1.0, cosine)))


@functools.lru_cache(maxsize=1)
def _airfields() -> tuple[tuple[float, float], ...]:
    import airportsdata

    found = airportsdata.load("ICAO").values()
    return tuple((float(str(one["lat"])), float(str(one["lon"]))) for one in found)
