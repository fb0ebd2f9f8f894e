"""Genealogy: what went into what, both ways, and the recall that follows from it.

The view keeps one edge per act, under its source and under its target; a correction moves the edge
that it names. Traversal is pure and visits each thing once, so a material lot used in a thousand
lots is answered from a few thousand rows.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from anlage.base import Refused
from anlage.record import Recorded, Rows

from .material_fact import (
    MaterialConsumed,
    MaterialDrawn,
    MaterialQuarantined,
    MaterialRecalled,
    MaterialReceived,
    MaterialRejected,
    MaterialReleased,
    MaterialUseCorrected,
    MaterialVoided,
)

NODES_MAX = 200_000
EDGES_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing in a genealogy.

    Attributes:
        id: Its stream ("material/M-1", "lot/L-4", "container/C-7").
        name: What people call it.
        state: Where it stands (released, recalled, infused ...).
        site: Where it is, or was last.
        patient: The chain-of-identity id it belongs to; None for common stock.
        unit: The unit of measure of what is taken from it.
    """

    id: str
    name: str = ""
    state: str = ""
    site: str = ""
    patient: str | None = None
    unit: str = ""

    @property
    def family(self) -> str:
        """The kind of thing."""
        return self.id.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One act by which a source went into a target.

    Attributes:
        source: The stream that it came from.
        target: The stream that it went into.
        fact: Number of the fact that says so.
        how: used, split, pool, or the word of the package that gave the edge.
        step: The step, where there was one.
        amount: How much, in `unit`; None where nothing is measured.
        unit: The unit of measure.
        happened: When, as written.
        is_late: Whether it was entered after the fact.
    """

    source: str
    target: str
    fact: int
    how: str
    step: str | None = None
    amount: Decimal | None = None
    unit: str = ""
    happened: str = ""
    is_late: bool = False


class Genealogy(Protocol):
    """Anything that knows nodes and edges."""

    def node(self, identifier: str) -> Node | None:
        """Give a thing; None when nothing is known of it."""
        ...

    def out_of(self, identifier: str) -> Iterable[Edge]:
        """Give the edges that start at a thing."""
        ...

    def into(self, identifier: str) -> Iterable[Edge]:
        """Give the edges that end at a thing."""
        ...


Links = Callable[[Recorded], Iterable[Node | Edge]]


class GenealogyView:
    """Edges under source and target, and one row per thing.

    Args of the constructor: `links` are functions of other families that give the nodes and edges
    of a fact, such as a lot's doses and whose they are.
    """

    name = "genealogy"
    version = 2

    def __init__(
        self, links: Sequence[Links] = (), families: frozenset[str] = frozenset({"material"})
    ) -> None:
        """Fold material lots, and through `links` other families."""
        self._links = tuple(links)
        self.families = families

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into nodes and edges."""
        if recorded.is_withheld:
            return
        stream, said = str(recorded.stream), recorded.fact
        match said:
            case MaterialReceived():
                _put_node(
                    rows,
                    Node(
                        id=stream,
                        name=said.name,
                        state=said.status.value,
                        site=recorded.site,
                        patient=said.dedicated_to,
                        unit=said.terms.unit,
                    ),
                )
            case MaterialConsumed():
                _put_edge(rows, _edge(rows, recorded, said.subject, "used", said.amount, said.step))
            case MaterialDrawn():
                how = said.origin.value
                _put_edge(rows, _edge(rows, recorded, said.into, how, said.amount, None))
            case MaterialUseCorrected():
                _correct(rows, said)
            case _ if (state := _STATES.get(type(said))) is not None:
                row = rows.get(f"node:{stream}")
                if row is not None:
                    rows.put(f"node:{stream}", row | {"state": state}, facet="node")
        for links in self._links:
            for found in links(recorded):
                if isinstance(found, Node):
                    _put_node(rows, found)
                else:
                    _put_edge(rows, found)


class RowGenealogy:
    """The genealogy that the rows of the view `genealogy` hold."""

    def __init__(self, rows: Rows) -> None:
        """Read these rows."""
        self._rows = rows

    def node(self, identifier: str) -> Node | None:
        """Give a thing; None when nothing is known of it."""
        row = self._rows.get(f"node:{identifier}")
        return None if row is None else Node(**row)

    def out_of(self, identifier: str) -> Iterator[Edge]:
        """Give the edges that start at a thing, in the order of their facts."""
        for _, row in self._rows.find(facet=f"from:{identifier}", limit=EDGES_MAX):
            yield _read_edge(row)

    def into(self, identifier: str) -> Iterator[Edge]:
        """Give the edges that end at a thing, in the order of their facts."""
        for _, row in self._rows.find(facet=f"to:{identifier}", limit=EDGES_MAX):
            yield _read_edge(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A genealogy both ways.

    Attributes:
        subject: What was asked for.
        backward: Every edge by which something came into it, at any depth, nearest first.
        forward: Every edge by which it went into something, at any depth, nearest first.
        nodes: Every thing met, by stream.
    """

    subject: str
    backward: tuple[Edge, ...]
    forward: tuple[Edge, ...]
    nodes: dict[str, Node] = field(default_factory=dict)

    def reached(self, family: str) -> list[Node]:
        """Give the things of a family that the subject went into."""
        found = dict.fromkeys(edge.target for edge in self.forward)
        return [self.nodes[name] for name in found if name.partition("/")[0] == family]


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """One product lot that a recall reaches.

    Attributes:
        lot: The lot.
        paths: The things between the recalled material and the lot, nearest first; empty when it
            was used directly.
        uses: The direct uses in the lot of the recalled lot or of what was made from it.
        doses: The containers made from it.
    """

    lot: Node
    through: tuple[str, ...]
    uses: tuple[Edge, ...]
    doses: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The data of one letter: to a site, about its patients' lots and doses."""

    site: str
    material: str
    material_name: str
    notice: str
    lots: tuple[str, ...]
    patients: tuple[str, ...]
    doses: tuple[str, ...]
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallReport:
    """All that a recall of a material lot reaches."""

    material: Node
    materials: tuple[Node, ...]
    lots: tuple[Affected, ...]
    patients: tuple[str, ...]
    sites: tuple[str, ...]
    letters: tuple[Letter, ...]


def trace(subject: str, genealogy: Genealogy) -> Trace:
    """Follow a thing both ways.

    Raises:
        Refused: Nothing is known of it, or it is tied to more things than one answer may hold.
    """
    forward = _walk(subject, genealogy.out_of, lambda edge: edge.target)
    backward = _walk(subject, genealogy.into, lambda edge: edge.source)
    start = genealogy.node(subject)
    if start is None and not forward and not backward:
        raise Refused(
            "subject-unknown",
            what=f"genealogy of {subject}",
            found="nothing under this name",
            remedy="scan the label again; write it as material/ID or lot/ID",
            rule="21 CFR 1271.290",
        )
    names = dict.fromkeys([subject])
    for edge in (*backward, *forward):
        names[edge.source] = names[edge.target] = None
    nodes = {name: genealogy.node(name) or Node(id=name) for name in names}
    return Trace(subject=subject, backward=tuple(backward), forward=tuple(forward), nodes=nodes)


def recall_report(material: str, genealogy: Genealogy, *, notice: str = "") -> RecallReport:
    """Give lots, patients, doses, sites, states and letters that a recall reaches.

    Args:
        material: The stream of the material lot ("material/M-1").
        genealogy: Where to look.
        notice: Number of the recall notice; empty for a mock recall.

    Raises:
        Refused: Nothing is known of the material lot.
    """
    found = trace(material, genealogy)
    arrivals: dict[str, list[Edge]] = {}
    departures: dict[str, list[Edge]] = {}
    for edge in found.forward:
        arrivals.setdefault(edge.target, []).append(edge)
        departures.setdefault(edge.source, []).append(edge)
    lots = tuple(
        Affected(
            lot=lot,
            through=_through(lot.id, material, arrivals),
            uses=tuple(arrivals[lot.id]),
            doses=_doses(lot.id, departures, found.nodes),
        )
        for lot in found.reached("lot")
    )
    patients = sorted({one.lot.patient for one in lots if one.lot.patient})
    return RecallReport(
        material=found.nodes[material],
        materials=tuple(found.reached("material")),
        lots=lots,
        patients=tuple(patients),
        sites=tuple(sorted({site for one in lots for site in _sites(one)})),
        letters=_letters(found.nodes[material], lots, notice),
    )


def _walk(
    start: str, edges_of: Callable[[str], Iterable[Edge]], far_end: Callable[[Edge], str]
) -> list[Edge]:
    seen, waiting, found = {start}, deque([start]), []
    while waiting:
        for edge in edges_of(waiting.popleft()):
            found.append(edge)
            name = far_end(edge)
            if name not in seen:
                seen.add(name)
                waiting.append(name)
        if len(seen) > NODES_MAX:
            raise Refused(
                "genealogy-too-wide",
                what=f"genealogy of {start}",
                found=f"more than {NODES_MAX} things",
                limit=NODES_MAX,
                remedy="ask for one of the lots between",
            )
    return found


def _through(lot: str, material: str, arrivals: dict[str, list[Edge]]) -> tuple[str, ...]:
    """Give the shortest way from the material to a lot, both ends left out."""
    came: dict[str, str] = {}
    waiting = deque([lot])
    while waiting:
        name = waiting.popleft()
        if name == material:
            break
        for edge in arrivals.get(name, ()):
            if edge.source not in came:
                came[edge.source] = name
                waiting.append(edge.source)
    way, name = [], came.get(material, lot)
    while name != lot:
        way.append(name)
        name = came[name]
    return tuple(way)


def _doses(lot: str, departures: dict[str, list[Edge]], nodes: dict[str, Node]) -> tuple[Node, ...]:
    seen, waiting = {lot}, deque([lot])
    while waiting:
        for edge in departures.get(waiting.popleft(), ()):
            if edge.target not in seen and not edge.target.startswith("lot/"):
                seen.add(edge.target)
                waiting.append(edge.target)
    return tuple(nodes[name] for name in sorted(seen) if name.startswith("container/"))


def _sites(affected: Affected) -> set[str]:
    return {node.site for node in (affected.lot, *affected.doses) if node.site}


def _letters(material: Node, lots: tuple[Affected, ...], notice: str) -> tuple[Letter, ...]:
    by_site: dict[str, list[tuple[Affected, tuple[Node, ...]]]] = {}
    for one in lots:
        for site in sorted(_sites(one)) or [""]:
            doses = tuple(dose for dose in one.doses if dose.site == site)
            by_site.setdefault(site, []).append((one, doses))
    return tuple(
        Letter(
            site=site,
            material=material.id,
            material_name=material.name,
            notice=notice,
            lots=tuple(one.lot.id for one, _ in told),
            patients=tuple(sorted({one.lot.patient for one, _ in told if one.lot.patient})),
            doses=tuple(dose.id for _, doses in told for dose in doses),
            states=tuple(
                sorted({node.state for one, doses in told for node in (one.lot, *doses)} - {""})
            ),
        )
        for site, told in sorted(by_site.items())
    )


_STATES: dict[type, str] = {
    MaterialQuarantined: "quarantined",
    MaterialReleased: "released",
    MaterialRejected: "rejected",
    MaterialRecalled: "recalled",
    MaterialVoided: "void",
}


def _edge(
    rows: Rows, recorded: Recorded, target: str, how: str, amount: Decimal, step: str | None
) -> Edge:
    source = str(recorded.stream)
    node = rows.get(f"node:{source}") or {}
    return Edge(
        source=source,
        target=target,
        fact=recorded.number,
        how=how,
        step=step,
        amount=amount,
        unit=node.get("unit", ""),
        happened=recorded.happened_text,
        is_late=bool(getattr(recorded.fact, "is_late", False)),
    )


def _put_node(rows: Rows, node: Node) -> None:
    old = rows.get(f"node:{node.id}") or {}
    told = {name: value for name in Node.__slots__ if (value := getattr(node, name))}
    rows.put(f"node:{node.id}", {**old, **told}, facet="node")


def _put_edge(rows: Rows, edge: Edge) -> None:
    row: dict[str, Any] = {name: getattr(edge, name) for name in Edge.__slots__}
    row["amount"] = None if edge.amount is None else str(edge.amount)
    order = f"{edge.fact:012d}"
    rows.put(f"from:{order}:{edge.target}", row, facet=f"from:{edge.source}", order=order)
    rows.put(f"to:{order}:{edge.target}", row, facet=f"to:{edge.target}", order=order)
    # A use is corrected by the number of its fact, which has one target only.
    if edge.how == "used":
        rows.put(f"use:{edge.fact}", {"target": edge.target}, facet="use")


def _correct(rows: Rows, said: MaterialUseCorrected) -> None:
    use = rows.get(f"use:{said.of}")
    if use is None:
        return
    order = f"{said.of:012d}"
    keys = [f"{end}:{order}:{use['target']}" for end in ("from", "to")]
    row = rows.get(keys[0])
    if row is None:
        row = use["edge"]  # it stood at zero
    for key in keys:
        rows.delete(key)
    moved = _read_edge(row | {"target": said.subject, "amount": str(said.amount)})
    if said.amount:
        _put_edge(rows, moved)
        return
    kept = {"target": said.subject, "edge": row | {"target": said.subject, "amount": "0"}}
    rows.put(f"use:{said.of}", kept, facet="use")


def _read_edge(row: dict[str, Any]) -> Edge:
    amount = row["amount"]
    return Edge(**(row | {"amount": None if amount is None else Decimal(amount)}))
