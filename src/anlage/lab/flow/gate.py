"""Gates: regions of a scale that name a population.

Source: Gating-ML 2.0 section 5, doi:10.1002/cyto.a.22690.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy

from anlage.base import Refused

from .compensation import Matrix
from .transform import Ratio, Transform

UNCOMPENSATED: Final = "uncompensated"
FCS: Final = "FCS"
VERTICES_MAX: Final = 100_000
VALUE_MAX: Final = 1e30


@dataclass(frozen=True, slots=True)
class Dimension:
    """One axis of a gate: a channel or a ratio, compensated and scaled in a named way.

    Attributes:
        channel: Channel of the file, fluorochrome of a matrix, or id of a ratio.
        compensation: "uncompensated", "FCS" (the file's own matrix) or the id of a matrix.
        scale: Id of a transformation, or None for the linear signal.
        is_ratio: Whether `channel` is the id of a ratio.
    """

    channel: str
    compensation: str = UNCOMPENSATED
    scale: str | None = None
    is_ratio: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rectangle:
    """Events within the half-open interval [low, high) of every dimension.

    `sides` holds low and high per dimension; None is open.
    """

    id: str
    dimensions: tuple[Dimension, ...]
    sides: tuple[tuple[float | None, float | None], ...]
    parent: str | None = None

    def __post_init__(self) -> None:
        """Check the sides.

        Raises:
            Refused: A side is missing or no number.
        """
        if not self.dimensions or len(self.dimensions) != len(self.sides):
            raise incomplete(self.id, f"{len(self.dimensions)} dimensions", "one or more")
        for low, high in self.sides:
            if low is None and high is None:
                raise incomplete(self.id, "neither minimum nor maximum", "at least one of them")
            _finite(self.id, [side for side in (low, high) if side is not None])
            if low is not None and high is not None and low > high:
                raise incomplete(self.id, f"minimum {low:g} above maximum {high:g}", "min <= max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygon:
    """Events inside a closed line of straight edges, by the even-odd rule."""

    id: str
    dimensions: tuple[Dimension, Dimension]
    vertices: tuple[tuple[float, float], ...]
    parent: str | None = None

    def __post_init__(self) -> None:
        """Check the vertices.

        Raises:
            Refused: There are fewer than three, or a coordinate is no number.
        """
        if len(self.dimensions) != 2 or not 3 <= len(self.vertices) <= VERTICES_MAX:
            raise incomplete(
                self.id,
                f"{len(self.dimensions)} dimensions, {len(self.vertices)} vertices",
                "two dimensions, three vertices or more",
            )
        for vertex in self.vertices:
            _finite(self.id, list(vertex))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipsoid:
    """Events within a Mahalanobis distance, whose square is the limit, of a centre."""

    id: str
    dimensions: tuple[Dimension, ...]
    centre: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    distance_square: float
    parent: str | None = None

    def __post_init__(self) -> None:
        """Check the shape.

        Raises:
            Refused: The covariance does not fit, or cannot be inverted.
        """
        size = len(self.dimensions)
        if (
            size < 2
            or len(self.centre) != size
            or len(self.covariance) != size
            or any(len(row) != size for row in self.covariance)
        ):
            raise incomplete(self.id, f"{size} dimensions", "a centre and covariance of that size")
        _finite(self.id, [*self.centre, self.distance_square])
        for row in self.covariance:
            _finite(self.id, list(row))
        with numpy.errstate(divide="ignore"):
            sign, _ = numpy.linalg.slogdet(numpy.array(self.covariance, numpy.float64))
        if self.distance_square < 0 or sign == 0:
            raise incomplete(
                self.id, "a covariance without inverse, or a negative distance", "a real ellipsoid"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Another gate, or all events outside it."""

    gate: str
    is_complement: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean:
    """Events of other gates joined by and, or, not."""

    id: str
    operation: Literal["and", "or", "not"]
    references: tuple[Reference, ...]
    parent: str | None = None

    def __post_init__(self) -> None:
        """Check the number of references.

        Raises:
            Refused: "not" has other than one, "and" or "or" fewer than two.
        """
        count = len(self.references)
        if (self.operation == "not") != (count == 1) or count == 0:
            raise incomplete(
                self.id, f"{self.operation} of {count} gates", "not of one, and/or of two or more"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Several half-open boxes of one quadrant gate, given as a gate each by `Quadrants.gates`."""

    id: str
    dimensions: tuple[Dimension, ...]
    sides: tuple[tuple[float | None, float | None], ...]
    parent: str | None = None
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divider:
    """A dimension cut at one or more values."""

    id: str
    dimension: Dimension
    values: tuple[float, ...]

    def side(self, location: float) -> tuple[float | None, float | None]:
        """Give the half-open interval between cuts that holds the location."""
        cuts = sorted(self.values)
        low = max((cut for cut in cuts if cut <= location), default=None)
        high = min((cut for cut in cuts if cut > location), default=None)
        return low, high


Gate = Rectangle | Polygon | Ellipsoid | Boolean | Cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """Gates with the scales and matrices that they name.

    Attributes:
        gates: By id, in document order; a quadrant gate stands as one gate per quadrant.
        scales: Transformations by id.
        ratios: Ratio dimensions by id.
        matrices: Compensation matrices by id.
    """

    gates: dict[str, Gate] = field(default_factory=dict)
    scales: dict[str, Transform] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    matrices: dict[str, Matrix] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that every name stands for something and no gate rests on itself.

        Raises:
            Refused: A reference leads nowhere, or in a circle.
        """
        for gate in self.gates.values():
            for dimension in getattr(gate, "dimensions", ()):
                self._check_dimension(gate.id, dimension)
            for name in needs(gate):
                if name not in self.gates:
                    raise unknown("gate", name, gate.id)
        self.order()

    @property
    def names_the_files_matrix(self) -> bool:
        """Whether a gate asks for the file's own compensation."""
        return any(
            dimension.compensation == FCS
            for gate in self.gates.values()
            for dimension in getattr(gate, "dimensions", ())
        )

    def _check_dimension(self, gate: str, dimension: Dimension) -> None:
        if dimension.scale is not None and dimension.scale not in self.scales:
            raise unknown("transformation", dimension.scale, gate)
        if dimension.is_ratio and dimension.channel not in self.ratios:
            raise unknown("ratio", dimension.channel, gate)
        if dimension.compensation not in (UNCOMPENSATED, FCS, *self.matrices):
            raise unknown("compensation matrix", dimension.compensation, gate)

    def order(self) -> list[str]:
        """Give the ids so that each gate comes after those it needs.

        Raises:
            Refused: Gates need one another in a circle.
        """
        placed: dict[str, None] = {}
        open_now: set[str] = set()
        for start in self.gates:
            waiting = [(start, False)]
            while waiting:
                name, is_done = waiting.pop()
                if is_done:
                    open_now.discard(name)
                    placed[name] = None
                elif name not in placed:
                    if name in open_now:
                        raise Refused(
                            "gatingml-cycle",
                            what=f"gate {name}",
                            found="needs itself by way of other gates",
                            limit="gates without circles",
                            remedy="correct the parent or the references",
                        )
                    open_now.add(name)
                    waiting.append((name, True))
                    waiting.extend((need, False) for need in needs(self.gates[name]))
        return list(placed)


def needs(gate: Gate) -> list[str]:
    """Give the ids of the gates that a gate rests on."""
    names = [] if gate.parent is None else [gate.parent]
    if isinstance(gate, Boolean):
        names += [reference.gate for reference in gate.references]
    return names


def incomplete(gate: str, found: str, limit: str, line: int | None = None) -> Refused:
    """Give the refusal of a gate that is incomplete or contradictory."""
    return Refused(
        "gatingml-gate",
        what=f"gate {gate}",
        found=found,
        limit=limit,
        remedy="correct the gate",
        rule="Gating-ML 2.0 section 5, doi:10.1002/cyto.a.22690",
        line=line,
    )


def unknown(kind: str, name: str, gate: str) -> Refused:
    """Give the refusal of a reference that leads nowhere."""
    return Refused(
        "gatingml-reference",
        what=f"{kind} {name}, named by gate {gate}",
        found="not in the document",
        remedy=f"add the {kind}, or correct the name",
    )


def _finite(gate: str, values: list[float]) -> None:
    if not all(abs(value) < VALUE_MAX for value in values):
        raise incomplete(gate, "a value that is no number", f"numbers below {VALUE_MAX:g}")
