"""FlowJo workspaces of the 10 series, in: gates, scales, matrices and the counts they recorded.

A workspace writes corners of rectangles and polygons as signals, and draws them on the display:
an edge is straight on the scale. Ellipses are written on a display of 256 positions. The layout is
read from files that FlowJo 10 wrote; its maker publishes no schema.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy

from anlage.base import Refused

from .compensation import Matrix
from .fcs import Sample
from .gate import (
    UNCOMPENSATED,
    VALUE_MAX,
    Boolean,
    Dimension,
    Ellipsoid,
    Gate,
    Polygon,
    Rectangle,
    Reference,
    Strategy,
    incomplete,
)
from .transform import (
    Asinh,
    Biexponential,
    FlowJoLog,
    Hyperlog,
    Linear,
    Logicle,
    Transform,
)
from .xml_tree import Element, read_xml

_DISPLAY: Final = 256.0
_NODES: Final = {"AndNode": "and", "OrNode": "or", "NotNode": "not"}
REGION: Final = " (region)"
"""Ends the id of a region whose population is the events outside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSample:
    """One sample of a workspace.

    Attributes:
        name: As the workspace shows it, usually the file name.
        file_name: The last part of the file's address.
        strategy: Its gates; ids are paths such as "Singlets/Live".
        recorded: Events per gate as FlowJo counted them; a gate never counted is absent.
        event_count: Events of the file as FlowJo counted them; None when never counted.
    """

    name: str
    file_name: str
    strategy: Strategy
    recorded: dict[str, int]
    event_count: int | None


def read_workspace(document: str | Path | bytes) -> tuple[WorkspaceSample, ...]:
    """Read a workspace from a file or from bytes.

    Raises:
        Refused: The document is unsafe, not of the 10 series, or a gate in it is incomplete.
    """
    if isinstance(document, bytes):
        raw, path = document, "workspace"
    else:
        path = Path(document).name
        try:
            raw = Path(document).read_bytes()
        except OSError as error:
            raise Refused(
                "flow-file", what=f"file {path}", found=error.strerror, remedy="check the path",
                path=str(document),
            ) from error  # fmt: skip
    root = read_xml(raw, path)
    version = root.get("flowJoVersion") or ""
    if root.name != "Workspace" or not (version.startswith("10") or root.get("version") == "20.0"):
        raise Refused(
            "workspace",
            what="document",
            found=f"<{root.name}> of FlowJo {version or 'unknown'}",
            limit="a FlowJo workspace of the 10 series",
            remedy="save it with FlowJo 10, or export the gates as Gating-ML 2.0",
            path=path,
            line=root.line,
        )
    holder = root.first("SampleList")
    return tuple(_sample(part) for part in (holder.all("Sample") if holder else []))


def strategy_for(samples: tuple[WorkspaceSample, ...], sample: Sample) -> WorkspaceSample:
    """Choose the workspace's sample that is this file, by file name or the keyword $FIL.

    Raises:
        Refused: None, or more than one, is.
    """
    names = {sample.name, sample.keywords.get("$FIL", "").strip() or sample.name}
    found = [each for each in samples if each.name in names or each.file_name in names]
    if len(found) == 1:
        return found[0]
    raise Refused(
        "workspace",
        what=f"sample {sample.name} of the workspace",
        found="none" if not found else "more than one",
        limit="one of " + ", ".join(each.name for each in samples[:50]),
        remedy="give the file that the workspace was made with",
        path=sample.name,
    )


def _sample(part: Element) -> WorkspaceSample:
    node = part.first("SampleNode")
    if node is None:
        raise incomplete("sample", "a sample without SampleNode", "one", part.line)
    data = part.first("DataSet")
    uri = (data.get("uri") if data else None) or ""
    reading = _Reading(part)
    reading.populations(node, ())
    return WorkspaceSample(
        name=node.get("name") or "",
        file_name=uri.replace("%20", " ").replace("\\", "/").rpartition("/")[2],
        strategy=Strategy(
            gates=reading.gates, scales=dict(reading.scales), matrices=reading.matrices
        ),
        recorded=reading.recorded,
        event_count=_count(node),
    )


def _count(node: Element) -> int | None:
    raw = (node.get("count") or "").strip()
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else None


def _float(element: Element, name: str, default: float | None = None) -> float:
    raw = element.get(name)
    try:
        value = default if raw is None and default is not None else float(raw or "")
    except ValueError:
        value = math.nan
    if value is None or not abs(value) < VALUE_MAX:
        raise incomplete(element.name, f"{name}={raw!r}"[:80], "a number", element.line)
    return value


class _Reading:
    """One sample's scales and matrix, and its tree of populations turned into gates."""

    def __init__(self, part: Element) -> None:
        self.gates: dict[str, Gate] = {}
        self.recorded: dict[str, int] = {}
        self.scales: dict[str, Transform] = {}
        self.matrices: dict[str, Matrix] = {}
        self._prefix, self._suffix = "Comp-", ""
        holder = part.first("Transformations")
        for element in holder.children if holder else []:
            name = element.first("parameter")
            if name is not None and name.get("name"):
                self.scales[name.get("name") or ""] = _scale(element)
        spill = next((e for e in part.walk() if e.name == "spilloverMatrix"), None)
        if spill is not None:
            self._prefix = spill.get("prefix") or ""
            self._suffix = spill.get("suffix") or ""
            matrix = _matrix(spill)
            self.matrices[matrix.id] = matrix

    def populations(self, node: Element, path: tuple[str, ...]) -> None:
        holder = node.first("Subpopulations")
        for child in holder.children if holder else []:
            if child.name != "Population" and child.name not in _NODES:
                continue
            here = (*path, child.get("name") or "unnamed")
            name = "/".join(here)
            if name in self.gates:
                raise incomplete(name, "the path twice", "paths used once", child.line)
            parent = "/".join(path) or None
            if child.name in _NODES:
                self._boolean(child, name, parent)
            else:
                self._population(child, name, parent)
            count = _count(child)
            if count is not None:
                self.recorded[name] = count
            self.populations(child, here)

    def _population(self, node: Element, name: str, parent: str | None) -> None:
        holder = node.first("Gate")
        shape = next((e for e in (holder.children if holder else []) if e.name in _SHAPES), None)
        if shape is None:
            raise incomplete(name, "no known gate", ", ".join(_SHAPES), node.line)
        is_outside = shape.get("eventsInside") == "0"
        region = name + REGION if is_outside else name
        self.gates[region] = self._shape(shape, region, None if is_outside else parent)
        if is_outside:
            self.gates[name] = Boolean(
                id=name, operation="not", references=(Reference(gate=region),), parent=parent
            )

    def _boolean(self, node: Element, name: str, parent: str | None) -> None:
        holder = node.first("Dependents")
        dependents = [each.get("name") or "" for each in (holder.children if holder else [])]
        operation: Literal["and", "or", "not"] = _NODES[node.name]  # type: ignore[assignment]
        references = tuple(Reference(gate=self._placed(each, parent)) for each in dependents)
        self.gates[name] = Boolean(
            id=name, operation=operation, references=references, parent=parent
        )

    def _placed(self, dependent: str, parent: str | None) -> str:
        """Give the path of a gate that a boolean names by its path, or beside itself."""
        beside = dependent if parent is None else f"{parent}/{dependent}"
        return beside if beside in self.gates and dependent not in self.gates else dependent

    def _shape(self, shape: Element, name: str, parent: str | None) -> Gate:
        axes = shape.all("dimension")
        dimensions = tuple(self._dimension(axis, name) for axis in axes)
        if shape.name == "RectangleGate":
            sides = tuple(self._sides(axis, at) for axis, at in zip(axes, dimensions, strict=True))
            return Rectangle(id=name, dimensions=dimensions, sides=sides, parent=parent)
        if len(dimensions) != 2:
            raise incomplete(name, f"{len(dimensions)} dimensions", "two", shape.line)
        if shape.name == "EllipsoidGate":
            return self._ellipse(shape, name, dimensions, parent)
        columns = numpy.array([_vertex(vertex, name) for vertex in shape.all("vertex")], float)
        if columns.ndim != 2:
            raise incomplete(name, "no vertex", "three or more", shape.line)
        for place, dimension in enumerate(dimensions):
            columns[:, place] = self._on_scale(dimension, columns[:, place])
        return Polygon(
            id=name,
            dimensions=(dimensions[0], dimensions[1]),
            vertices=tuple((x, y) for x, y in columns.tolist()),
            parent=parent,
        )

    def _dimension(self, axis: Element, gate: str) -> Dimension:
        channel = axis.first("fcs-dimension")
        shown = (channel.get("name") if channel else None) or ""
        if not shown:
            raise incomplete(gate, "a dimension without channel", "fcs-dimension", axis.line)
        scale = shown if shown in self.scales else None
        for matrix in self.matrices.values():
            bare = shown.removeprefix(self._prefix).removesuffix(self._suffix)
            if bare != shown and bare in matrix.fluorochromes:
                return Dimension(bare, matrix.id, scale)
        return Dimension(shown, UNCOMPENSATED, scale)

    def _on_scale(self, dimension: Dimension, values: numpy.ndarray) -> numpy.ndarray:  # type: ignore[type-arg]
        if dimension.scale is None:
            return values
        return self.scales[dimension.scale].apply(values)

    def _sides(self, axis: Element, dimension: Dimension) -> tuple[float | None, float | None]:
        """Give both sides on the scale; one past the end of a biexponential scale is open.

        That scale holds what lies beyond its ends at its ends, which such a gate includes.
        """
        sides: list[float | None] = []
        for name in ("min", "max"):
            if axis.get(name) is None:
                sides.append(None)
                continue
            signal = numpy.array([_float(axis, name)])
            sides.append(float(self._on_scale(dimension, signal)[0]))
        low, high = sides
        scale = None if dimension.scale is None else self.scales[dimension.scale]
        if isinstance(scale, Biexponential):
            if high is not None and high >= scale.channels:
                high = None
                low = 0.0 if low is None else low
            if low is not None and low <= 0 and high is not None:
                low = None
        return low, high

    def _ellipse(
        self, shape: Element, name: str, dimensions: tuple[Dimension, ...], parent: str | None
    ) -> Ellipsoid:
        foci, edge = shape.first("foci"), shape.first("edge")
        points = [
            numpy.array([_vertex(v, name) for v in holder.all("vertex")]) if holder else None
            for holder in (foci, edge)
        ]
        if points[0] is None or points[1] is None or len(points[0]) != 2 or len(points[1]) < 4:
            raise incomplete(name, "a part is missing", "two foci, four edge points", shape.line)
        ends = points[1][:4].reshape(2, 2, 2)
        lengths = numpy.linalg.norm(ends[:, 0] - ends[:, 1], axis=1)
        along = ends[int(numpy.argmax(lengths))]
        major = float(lengths.max()) / 2
        focal = float(numpy.linalg.norm(points[0][0] - points[0][1])) / 2
        if not 0 <= focal < major:
            raise incomplete(name, "foci outside the ellipse", "foci within it", shape.line)
        direction = (along[0] - along[1]) / (2 * major)
        across = numpy.array([-direction[1], direction[0]])
        covariance = major**2 * numpy.outer(direction, direction)
        covariance += (major**2 - focal**2) * numpy.outer(across, across)
        unit = numpy.array([self._unit(dimension) for dimension in dimensions])
        covariance *= numpy.outer(unit, unit)
        centre = points[0].mean(axis=0) * unit
        return Ellipsoid(
            id=name,
            dimensions=dimensions,
            centre=tuple(centre.tolist()),
            covariance=tuple(tuple(row) for row in covariance.tolist()),
            distance_square=1.0,
            parent=parent,
        )

    def _unit(self, dimension: Dimension) -> float:
        """Give how much of the scale one of the 256 display positions spans."""
        scale = None if dimension.scale is None else self.scales[dimension.scale]
        return (scale.channels if isinstance(scale, Biexponential) else 1.0) / _DISPLAY


_SHAPES: Final = ("RectangleGate", "PolygonGate", "EllipsoidGate")


def _vertex(vertex: Element, gate: str) -> list[float]:
    values = [_float(coordinate, "value") for coordinate in vertex.all("coordinate")]
    if len(values) != 2:
        raise incomplete(gate, f"{len(values)} coordinates", "two", vertex.line)
    return values


def _scale(element: Element) -> Transform:
    match element.name:
        case "linear":
            low = _float(element, "minRange", 0.0)
            return Linear(_float(element, "maxRange"), max(0.0, -low))
        case "log":
            return FlowJoLog(_float(element, "offset"), _float(element, "decades"))
        case "biex":
            return Biexponential(
                negative=_float(element, "neg", 0.0),
                width=_float(element, "width", -10.0),
                positive=_float(element, "pos", 4.41854),
                top=_float(element, "maxRange"),
            )
        case "fasinh":
            return Asinh(*(_float(element, letter) for letter in "TMA"))
        case "logicle":
            return Logicle(*(_float(element, letter) for letter in "TWMA"))
        case "hyperlog":
            return Hyperlog(*(_float(element, letter) for letter in "TWMA"))
        case _:
            raise incomplete(
                element.name, "an unknown scale", "linear, log, biex, fasinh, logicle, hyperlog",
                element.line,
            )  # fmt: skip


def _matrix(element: Element) -> Matrix:
    holder = element.first("parameters")
    names = tuple(each.get("name") or "" for each in (holder.children if holder else []))
    rows = []
    for row in element.all("spillover"):
        cells = {cell.get("parameter"): _float(cell, "value") for cell in row.all("coefficient")}
        rows.append((row.get("parameter") or "", tuple(cells.get(name, 0.0) for name in names)))
    return Matrix(
        id=element.get("name") or element.get("id") or "workspace",
        fluorochromes=tuple(name for name, _ in rows),
        detectors=names,
        values=tuple(values for _, values in rows),
    )
