"""A drawing: data and layout as Plotly understands them, with its words, and where it can be put.

Kept as plain JSON, so that a page needs no Plotly to make one: the browser draws it. `figure`
gives Plotly's own figure for a notebook, `html` a page that needs nothing else, `svg` a picture
for paper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Json = Mapping[str, Any]

INK: Final = "#66717a"
"""Text and marks that need nobody, legible on light and dark."""
FAINT: Final = "rgba(128,140,150,0.28)"
CALM: Final = (
    "#4f7ca8",
    "#c07f3e",
    "#5f9160",
    "#8f72ad",
    "#459696",
    "#b0607a",
    "#8a8a4a",
    "#7d8b99",
)
WARN: Final = "#c8841a"
ROW: Final = 30
ROWS_MAX: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One drawing.

    Attributes:
        name: For files and addresses, in kebab-case.
        title: What it shows.
        told: The same in words, for who cannot see it.
        data: Traces: `bar` or `scatter`.
        layout: Axes, height, lines.
        frames: Steps of an animation; empty for none.
    """

    name: str
    title: str
    told: str
    data: tuple[Json, ...]
    layout: Json
    frames: tuple[Json, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give data, layout and frames for plotly.js; the title is the page's own."""
        return {"data": list(self.data), "layout": dict(self.layout), "frames": list(self.frames)}

    def figure(self) -> "Figure":
        """Give Plotly's figure, with its title, to show in a notebook."""
        import plotly.graph_objects as go

        title = {"text": self.title, "x": 0.01, "xanchor": "left", "y": 0.98, "yanchor": "top"}
        margin = {**self.layout.get("margin", {}), "t": 84, "b": 96 if self.frames else 10}
        layout = {**self.layout, "title": title, "template": "plotly_white", "margin": margin}
        if self.frames:
            layout |= _player(self.frames)
            layout["height"] = layout["height"] + 110
        layout["height"] = layout["height"] + 64
        figure = go.Figure(data=list(self.data), layout=layout)
        figure.frames = [go.Frame(one) for one in self.frames]
        return figure

    def html(self) -> str:
        """Give a page that draws it with nothing from elsewhere."""
        return page_of([self], title=self.title)

    def svg(self, *, width: int = 760) -> str:
        """Give a picture for paper."""
        from .svg import svg_of

        return svg_of(self, width=width)


def page_of(drawings: Sequence[Drawing], *, title: str) -> str:
    """Give one page that draws several with nothing from elsewhere.

    Args:
        drawings: What is drawn, from the top.
        title: Of the page.
    """
    parts = []
    for place, one in enumerate(drawings):
        asked: dict[str, Any] = {"include_plotlyjs": place == 0, "full_html": False}
        asked |= {"auto_play": False, "config": {"displayModeBar": False, "responsive": True}}
        drawn = one.figure().to_html(**asked)
        parts.append(f"<section>{drawn}<p>{escape(one.told)}</p></section>")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{''.join(parts)}</body></html>\n"
    )


_STYLE: Final = (
    "body{font-family:system-ui,sans-serif;max-width:70rem;margin:1rem auto;padding:0 1rem;"
    "color:#1d2327;background:#fff}section{margin-block-end:2rem}p{color:#5a646b}"
)


def layout(*, height: int, x: str = "", y: str = "", **more: Any) -> dict[str, Any]:
    """Give a layout in the house's manner: no ground, thin lines, room for names."""
    axis = {"gridcolor": FAINT, "zerolinecolor": INK, "automargin": True, "ticks": ""}
    made: dict[str, Any] = {
        "height": height,
        "margin": {"l": 10, "r": 20, "t": 16, "b": 10},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": INK, "size": 14},
        "xaxis": {**axis, "title": {"text": x, "font": {"size": 13}}},
        "yaxis": {**axis, "title": {"text": y, "font": {"size": 13}}},
        "legend": {
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "traceorder": "normal",
        },
        "hoverlabel": {"align": "left"},
    }
    for name, value in more.items():
        made[name] = {**made[name], **value} if isinstance(made.get(name), dict) else value
    return made


def rows_layout(names: Sequence[str], *, x: str, **more: Any) -> dict[str, Any]:
    """Give the layout of horizontal rows, first name on top."""
    height = 96 + ROW * max(len(names), 1)
    span = [max(len(names), 1) - 0.5, -0.5]
    order = {"categoryorder": "array", "categoryarray": list(names), "range": span}
    y = {"type": "category", "showgrid": False, **order}
    return layout(height=height, x=x, yaxis=y, **more)


def words_of(name: str) -> str:
    """Give a name for people: `central_plant` as `central plant`, `unit@x` as `unit · x`.

    Plotly reads marks such as `<a href=...>` in text; a name holds none.
    """
    return name.replace("_", " ").replace("@", " · ").replace("<", "‹").replace(">", "›")


def days(value: float | None) -> str:
    """Give a time in days for people; hours below a day."""
    if value is None:
        return "–"
    return f"{value:.1f} d" if abs(value) >= 1 else f"{value * 24:.1f} h"


def money(value: float) -> str:
    """Give money with its thousands apart."""
    return f"{value:,.0f}".replace(",", "\u00a0")


def _player(frames: Sequence[Json]) -> dict[str, Any]:
    """Give play, pause and a slider for an animation."""
    pace = {"frame": {"duration": 180, "redraw": False}, "transition": {"duration": 180}}
    still = {"frame": {"duration": 0}, "mode": "immediate", "transition": {"duration": 0}}
    buttons = [
        {"label": "Play", "method": "animate", "args": [None, {**pace, "fromcurrent": True}]},
        {"label": "Pause", "method": "animate", "args": [[None], still]},
    ]
    steps = [
        {"label": one["name"], "method": "animate", "args": [[one["name"]], still]}
        for one in frames
    ]
    menu = {"type": "buttons", "direction": "left", "x": 0, "y": -0.02, "yanchor": "top"}
    slider = {"x": 0.2, "len": 0.8, "y": -0.02, "currentvalue": {"prefix": ""}, "steps": steps}
    return {"updatemenus": [{**menu, "buttons": buttons}], "sliders": [slider]}
