"""A genealogy as a picture: what went in at the left, the thing itself, what came of it at the
right; one column per act of making between them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from anlage.plant import Edge, Node, Trace

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 200, 48, 72, 12, 8
ROWS_MAX = 12
ALARMS = frozenset({"recalled", "rejected", "voided", "quarantined"})
Places = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One thing, or the rest of a column.

    Attributes:
        id: Its stream; empty for the rest of a column.
        title: What stands in it first.
        words: What stands below.
        x, y: Its corner, in pixels.
        style: "here", "alarm" or "".
    """

    id: str
    title: str
    words: str
    x: int
    y: int
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The picture: boxes, and one way for each pair of things that an act joins.

    Attributes:
        boxes: The things.
        ways: SVG paths.
        width, height: Of the whole, in pixels.
    """

    boxes: tuple[Box, ...]
    ways: tuple[str, ...]
    width: int
    height: int


def graph(found: Trace) -> Graph:
    """Lay a genealogy out in columns by how many acts lie between."""
    depth = {found.subject: 0}
    depth |= {one: -far for one, far in _depths(found.subject, found.backward, False).items()}
    depth |= _depths(found.subject, found.forward, True)
    columns: dict[int, list[str]] = defaultdict(list)
    for name, far in depth.items():
        columns[far].append(name)
    edges = {(one.source, one.target) for one in (*found.backward, *found.forward)}
    _settle(columns, edges)
    first = min(columns)
    rows = max(min(len(names), ROWS_MAX + 1) for names in columns.values())
    height = 2 * MARGIN + rows * HEIGHT + (rows - 1) * GAP_Y
    places: Places = {}
    boxes = []
    for far, names in sorted(columns.items()):
        x = MARGIN + (far - first) * (WIDTH + GAP_X)
        for place, name in _placed(names, x, height):
            places[name] = place
            boxes.append(_box(found.nodes[name], name == found.subject, place))
        if (more := len(names) - ROWS_MAX) > 0:
            y = height - MARGIN - HEIGHT
            boxes.append(Box(id="", title=f"and {more} more", words="in the table", x=x, y=y))
    return Graph(
        boxes=tuple(boxes),
        ways=tuple(_ways(places, edges)),
        width=2 * MARGIN + len(columns) * WIDTH + (len(columns) - 1) * GAP_X,
        height=height,
    )


def _depths(subject: str, edges: Iterable[Edge], forward: bool) -> dict[str, int]:
    """Give how many acts lie between the subject and each thing; the edges come nearest first."""
    far = {subject: 0}
    for one in edges:
        near, other = (one.source, one.target) if forward else (one.target, one.source)
        far.setdefault(other, far.get(near, 0) + 1)
    del far[subject]
    return far


def _settle(columns: dict[int, list[str]], edges: Iterable[tuple[str, str]]) -> None:
    """Put each column in the order of what it is joined to, so that few ways cross."""
    joined: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        joined[source].append(target)
        joined[target].append(source)
    rank: dict[str, float] = {}
    for far in sorted(columns, key=abs):
        columns[far].sort(key=lambda name: (_middle(joined[name], rank), name))
        rank |= {name: place for place, name in enumerate(columns[far])}


def _middle(names: list[str], rank: Mapping[str, float]) -> float:
    known = [rank[one] for one in names if one in rank]
    return sum(known) / len(known) if known else 0.0


def _placed(names: list[str], x: int, height: int) -> Iterable[tuple[tuple[int, int], str]]:
    shown = names[:ROWS_MAX]
    rows = len(shown) + (len(names) > ROWS_MAX)
    top = (height - rows * HEIGHT - (rows - 1) * GAP_Y) // 2
    for row, name in enumerate(shown):
        yield (x, top + row * (HEIGHT + GAP_Y)), name


def _box(node: Node, is_here: bool, place: tuple[int, int]) -> Box:
    words = node.name or node.family
    style = "here" if is_here else "alarm" if node.state in ALARMS else ""
    if node.state:
        words = f"{words} · {node.state.replace('-', ' ')}"
    return Box(
        id=node.id,
        title=node.id.partition("/")[2],
        words=words if len(words) <= 30 else f"{words[:29]}…",
        x=place[0],
        y=place[1],
        style=style,
    )


def _ways(places: Places, edges: Iterable[tuple[str, str]]) -> Iterable[str]:
    for source, target in sorted(edges):
        if source not in places or target not in places:
            continue
        (x1, y1), (x2, y2) = places[source], places[target]
        start, end = x1 + WIDTH, x2
        middle = (start + end) // 2
        yield (
            f"M{start},{y1 + HEIGHT // 2} C{middle},{y1 + HEIGHT // 2} "
            f"{middle},{y2 + HEIGHT // 2} {end},{y2 + HEIGHT // 2}"
        )
