"""Gating-ML 2.0 documents, in and out.

Source: ISAC Gating-ML 2.0, doi:10.1002/cyto.a.22690.
"""

import math
from pathlib import Path
from typing import Final, Literal
from xml.sax.saxutils import quoteattr

from anlage.base import Refused

from .compensation import Matrix
from .gate import (
    UNCOMPENSATED,
    Boolean,
    Cells,
    Dimension,
    Divider,
    Ellipsoid,
    Gate,
    Polygon,
    Rectangle,
    Reference,
    Strategy,
    incomplete,
    unknown,
)
from .transform import Asinh, Hyperlog, Linear, Log, Logicle, Ratio, Transform
from .xml_tree import Element, read_xml

_SPACE: Final = "http://www.isac-net.org/std/Gating-ML/v2.0/"
_KINDS: Final = ("RectangleGate", "PolygonGate", "EllipsoidGate", "BooleanGate", "QuadrantGate")
Table = dict[str, list[float]]


def read_gatingml(document: str | Path | bytes) -> Strategy:
    """Read a Gating-ML 2.0 document from a file or from bytes.

    Raises:
        Refused: The document is unsafe, not Gating-ML 2.0, or a gate in it is incomplete.
    """
    if isinstance(document, bytes):
        raw, path = document, "gatingml"
    else:
        path = Path(document).name
        try:
            raw = Path(document).read_bytes()
        except OSError as error:
            raise Refused(
                "flow-file",
                what=f"file {path}",
                found=error.strerror,
                remedy="check the path",
                path=str(document),
            ) from error
    root = read_xml(raw, path)
    if root.name != "Gating-ML" or not root.space.startswith(_SPACE):
        raise Refused(
            "gatingml-root",
            what="document",
            found=f"{root.name} of {root.space or 'no namespace'}",
            limit=f"Gating-ML of {_SPACE}gating",
            remedy="export the gates as Gating-ML 2.0",
            path=path,
            line=root.line,
        )
    return _strategy(root)


def _strategy(root: Element) -> Strategy:
    scales: dict[str, Transform] = {}
    ratios: dict[str, Ratio] = {}
    matrices: dict[str, Matrix] = {}
    gates: dict[str, Gate] = {}
    for element in root.walk():
        if element.name == "transformation":
            name = _needed(element, "id", "transformation")
            made = _transformation(element, name)
            if isinstance(made, Ratio):
                ratios[name] = made
            else:
                scales[name] = made
        elif element.name == "spectrumMatrix":
            matrix = _matrix(element)
            matrices[matrix.id] = matrix
        elif element.name in _KINDS:
            for gate in _gates(element):
                if gate.id in gates:
                    raise incomplete(gate.id, "the id twice", "ids used once", element.line)
                gates[gate.id] = gate
    return Strategy(gates=gates, scales=scales, ratios=ratios, matrices=matrices)


def _needed(element: Element, attribute: str, what: str) -> str:
    value = element.get(attribute)
    if value is None or not value.strip():
        raise incomplete(what, f"<{element.name}> without {attribute}", attribute, element.line)
    return value.strip()


def _number(raw: str | None, what: str, element: Element) -> float:
    try:
        value = float(raw or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise incomplete(
            what, f"{raw!r} in <{element.name}>"[:120], "a finite number", element.line
        )
    return value


def _transformation(element: Element, name: str) -> Transform | Ratio:
    scale = next((c for c in element.children if c.name in (*_PARAMETERS, "fratio")), None)
    if scale is None:
        raise incomplete(name, "no known transformation", "flin, flog, fasinh …", element.line)

    def parameter(letter: str) -> float:
        return _number(scale.get(letter), name, scale)

    match scale.name:
        case "flin":
            return Linear(parameter("T"), parameter("A"))
        case "flog":
            return Log(parameter("T"), parameter("M"))
        case "fasinh":
            return Asinh(parameter("T"), parameter("M"), parameter("A"))
        case "logicle":
            return Logicle(*(parameter(letter) for letter in "TWMA"))
        case "hyperlog":
            return Hyperlog(*(parameter(letter) for letter in "TWMA"))
        case _:
            names = [_needed(axis, "name", name) for axis in scale.all("fcs-dimension")]
            if len(names) != 2:
                raise incomplete(name, f"{len(names)} channels", "two", scale.line)
            return Ratio(names[0], names[1], *(parameter(letter) for letter in "ABC"))


_PARAMETERS: Final = {
    "flin": "TA",
    "flog": "TM",
    "fasinh": "TMA",
    "logicle": "TWMA",
    "hyperlog": "TWMA",
}


def _matrix(element: Element) -> Matrix:
    name = _needed(element, "id", "spectrumMatrix")
    axes: list[tuple[str, ...]] = []
    for part in ("fluorochromes", "detectors"):
        holder = element.first(part)
        dimensions = holder.all("fcs-dimension") if holder else []
        axes.append(tuple(_needed(axis, "name", name) for axis in dimensions))
    rows = tuple(
        tuple(_number(cell.get("value"), name, cell) for cell in row.all("coefficient"))
        for row in element.all("spectrum")
    )
    is_inverted = (element.get("matrix-inverted-already") or "").strip().lower() in ("true", "1")
    return Matrix(
        id=name, fluorochromes=axes[0], detectors=axes[1], values=rows, is_inverted=is_inverted
    )


def _gates(element: Element) -> list[Gate]:
    if element.name == "QuadrantGate":
        return list(_quadrants(element))
    name = _needed(element, "id", element.name)
    parent = element.get("parent_id")
    if element.name == "BooleanGate":
        return [_boolean(element, name, parent)]
    axes = element.all("dimension")
    dimensions = tuple(_dimension(axis, name) for axis in axes)
    if element.name == "RectangleGate":
        sides = tuple((_side(axis, "min", name), _side(axis, "max", name)) for axis in axes)
        return [Rectangle(id=name, dimensions=dimensions, sides=sides, parent=parent)]
    if element.name == "PolygonGate":
        vertices = [_coordinates(vertex, name) for vertex in element.all("vertex")]
        if len(dimensions) != 2 or any(len(vertex) != 2 for vertex in vertices):
            raise incomplete(name, f"{len(dimensions)} dimensions", "two", element.line)
        return [
            Polygon(
                id=name,
                dimensions=(dimensions[0], dimensions[1]),
                vertices=tuple((vertex[0], vertex[1]) for vertex in vertices),
                parent=parent,
            )
        ]
    return [_ellipsoid(element, name, dimensions, parent)]


def _ellipsoid(
    element: Element, name: str, dimensions: tuple[Dimension, ...], parent: str | None
) -> Ellipsoid:
    mean = element.first("mean")
    matrix = element.first("covarianceMatrix")
    distance = element.first("distanceSquare")
    if mean is None or matrix is None or distance is None:
        raise incomplete(
            name, "a part is missing", "mean, covarianceMatrix, distanceSquare", element.line
        )
    return Ellipsoid(
        id=name,
        dimensions=dimensions,
        centre=tuple(_coordinates(mean, name)),
        covariance=tuple(
            tuple(_number(cell.get("value"), name, cell) for cell in row.all("entry"))
            for row in matrix.all("row")
        ),
        distance_square=_number(distance.get("value"), name, distance),
        parent=parent,
    )


def _side(axis: Element, name: str, gate: str) -> float | None:
    raw = axis.get(name)
    return None if raw is None else _number(raw, gate, axis)


def _coordinates(element: Element, gate: str) -> list[float]:
    return [_number(c.get("value"), gate, c) for c in element.all("coordinate")]


def _dimension(axis: Element, gate: str) -> Dimension:
    compensation = (axis.get("compensation-ref") or UNCOMPENSATED).strip()
    scale = axis.get("transformation-ref")
    channel = axis.first("fcs-dimension")
    if channel is not None:
        return Dimension(_needed(channel, "name", gate), compensation, scale)
    ratio = axis.first("new-dimension")
    if ratio is None:
        raise incomplete(gate, "a dimension without channel", "fcs-dimension", axis.line)
    return Dimension(_needed(ratio, "transformation-ref", gate), compensation, scale, is_ratio=True)


def _boolean(element: Element, name: str, parent: str | None) -> Boolean:
    part = element.first("and", "or", "not")
    if part is None:
        raise incomplete(name, "no operation", "and, or, not", element.line)
    references = tuple(
        Reference(
            gate=_needed(reference, "ref", name),
            is_complement=(reference.get("use-as-complement") or "").strip().lower()
            in ("true", "1"),
        )
        for reference in part.all("gateReference")
    )
    operation: Literal["and", "or", "not"] = part.name  # type: ignore[assignment]
    return Boolean(id=name, operation=operation, references=references, parent=parent)


def _quadrants(element: Element) -> list[Cells]:
    group = _needed(element, "id", "QuadrantGate")
    dividers: dict[str, Divider] = {}
    for part in element.all("divider"):
        name = _needed(part, "id", group)
        values = tuple(_number(value.text.strip(), group, value) for value in part.all("value"))
        if not values:
            raise incomplete(group, f"divider {name} without value", "one or more", part.line)
        dividers[name] = Divider(id=name, dimension=_dimension(part, group), values=values)
    cells = []
    for part in element.all("Quadrant"):
        name = _needed(part, "id", group)
        dimensions, sides = [], []
        for position in part.all("position"):
            reference = _needed(position, "divider_ref", name)
            if reference not in dividers:
                raise unknown("divider", reference, name)
            dimensions.append(dividers[reference].dimension)
            sides.append(
                dividers[reference].side(_number(position.get("location"), name, position))
            )
        if not dimensions:
            raise incomplete(name, "no position", "one or more", part.line)
        cells.append(
            Cells(
                id=name,
                dimensions=tuple(dimensions),
                sides=tuple(sides),
                parent=element.get("parent_id"),
                group=group,
            )
        )
    return cells


def write_gatingml(strategy: Strategy) -> str:
    """Give a strategy as a Gating-ML 2.0 document.

    Quadrants are written as rectangle gates of the same ids, which hold the same events.

    Raises:
        Refused: A scale has no place in Gating-ML (FlowJo's biexponential and logarithm).
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<gating:Gating-ML xmlns:gating="{_SPACE}gating"',
        f'    xmlns:transforms="{_SPACE}transformations" xmlns:data-type="{_SPACE}datatypes">',
    ]
    for matrix in strategy.matrices.values():
        lines += _matrix_lines(matrix)
    for name, scale in strategy.scales.items():
        lines += _scale_lines(name, scale)
    for name, ratio in strategy.ratios.items():
        lines += _ratio_lines(name, ratio)
    for gate in strategy.gates.values():
        lines += _gate_lines(gate)
    return "\n".join([*lines, "</gating:Gating-ML>", ""])


def _axis(name: str) -> str:
    return f"<data-type:fcs-dimension data-type:name={quoteattr(name)} />"


def _matrix_lines(matrix: Matrix) -> list[str]:
    inverted = ' transforms:matrix-inverted-already="true"' if matrix.is_inverted else ""
    lines = [f"<transforms:spectrumMatrix transforms:id={quoteattr(matrix.id)}{inverted}>"]
    for part, names in (("fluorochromes", matrix.fluorochromes), ("detectors", matrix.detectors)):
        lines.append(f"<transforms:{part}>{''.join(map(_axis, names))}</transforms:{part}>")
    for row in matrix.values:
        cells = "".join(f'<transforms:coefficient transforms:value="{value!r}" />' for value in row)
        lines.append(f"<transforms:spectrum>{cells}</transforms:spectrum>")
    return [*lines, "</transforms:spectrumMatrix>"]


def _scale_lines(name: str, scale: Transform) -> list[str]:
    kinds: dict[type, str] = {
        Linear: "flin", Log: "flog", Asinh: "fasinh", Logicle: "logicle", Hyperlog: "hyperlog",
    }  # fmt: skip
    kind = kinds.get(type(scale))
    if kind is None:
        raise Refused(
            "transform-parameter",
            what=f"transformation {name}",
            found=type(scale).__name__,
            limit="a scale of Gating-ML 2.0",
            remedy="draw the gate on a logicle scale",
        )
    values = " ".join(
        f'transforms:{letter}="{getattr(scale, letter)!r}"' for letter in _PARAMETERS[kind]
    )
    return [
        f"<transforms:transformation transforms:id={quoteattr(name)}>",
        f"<transforms:{kind} {values} />",
        "</transforms:transformation>",
    ]


def _ratio_lines(name: str, ratio: Ratio) -> list[str]:
    values = " ".join(f'transforms:{letter}="{getattr(ratio, letter)!r}"' for letter in "ABC")
    return [
        f"<transforms:transformation transforms:id={quoteattr(name)}>",
        f"<transforms:fratio {values}>{_axis(ratio.numerator)}{_axis(ratio.denominator)}",
        "</transforms:fratio></transforms:transformation>",
    ]


def _gate_lines(gate: Gate) -> list[str]:
    kind = "Rectangle" if isinstance(gate, Cells) else type(gate).__name__
    parent = "" if gate.parent is None else f" gating:parent_id={quoteattr(gate.parent)}"
    opening = f"<gating:{kind}Gate gating:id={quoteattr(gate.id)}{parent}>"
    lines = [opening]
    match gate:
        case Rectangle() | Cells():
            for dimension, (low, high) in zip(gate.dimensions, gate.sides, strict=True):
                sides = f' gating:min="{low!r}"' if low is not None else ""
                sides += f' gating:max="{high!r}"' if high is not None else ""
                lines.append(_dimension_line(dimension, sides))
        case Polygon():
            lines += [_dimension_line(dimension, "") for dimension in gate.dimensions]
            lines += [
                f"<gating:vertex>{_coordinate_cells(vertex)}</gating:vertex>"
                for vertex in gate.vertices
            ]
        case Ellipsoid():
            lines += [_dimension_line(dimension, "") for dimension in gate.dimensions]
            lines.append(f"<gating:mean>{_coordinate_cells(gate.centre)}</gating:mean>")
            lines.append("<gating:covarianceMatrix>")
            for row in gate.covariance:
                cells = "".join(f'<gating:entry data-type:value="{value!r}" />' for value in row)
                lines.append(f"<gating:row>{cells}</gating:row>")
            lines.append("</gating:covarianceMatrix>")
            lines.append(f'<gating:distanceSquare data-type:value="{gate.distance_square!r}" />')
        case Boolean():
            cells = "".join(
                f"<gating:gateReference gating:ref={quoteattr(reference.gate)}"
                + (' gating:use-as-complement="true"' if reference.is_complement else "")
                + " />"
                for reference in gate.references
            )
            lines.append(f"<gating:{gate.operation}>{cells}</gating:{gate.operation}>")
    return [*lines, f"</gating:{kind}Gate>"]


def _coordinate_cells(values: tuple[float, ...]) -> str:
    return "".join(f'<gating:coordinate data-type:value="{value!r}" />' for value in values)


def _dimension_line(dimension: Dimension, sides: str) -> str:
    scale = (
        ""
        if dimension.scale is None
        else f" gating:transformation-ref={quoteattr(dimension.scale)}"
    )
    channel = (
        f"<data-type:new-dimension data-type:transformation-ref={quoteattr(dimension.channel)} />"
        if dimension.is_ratio
        else _axis(dimension.channel)
    )
    compensation = quoteattr(dimension.compensation)
    return (
        f"<gating:dimension gating:compensation-ref={compensation}{scale}{sides}>"
        f"{channel}</gating:dimension>"
    )
