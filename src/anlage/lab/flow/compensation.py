"""Compensation: undoing the spill of one fluorochrome into the detectors of others.

Measured = true x S, with a row of S per fluorochrome and a column per detector. A square matrix is
inverted; one with more detectors than fluorochromes is solved by least squares.
Source: Gating-ML 2.0 section 7, doi:10.1002/cyto.a.22690; Bagwell & Adams 1993,
doi:10.1111/j.1749-6632.1993.tb38775.x.
"""

from dataclasses import dataclass
from typing import Final

import numpy
from numpy.typing import NDArray

from anlage.base import Refused

from .fcs_text import Deviation, Ledger
from .kernels import multiply

DETECTORS_MAX: Final = 512
CONDITION_MAX: Final = 1e10
COEFFICIENT_MAX: Final = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A spillover or spectrum matrix.

    Attributes:
        id: Its name; "FCS" for the file's own.
        fluorochromes: Names of the rows: the compensated dimensions.
        detectors: Names of the columns: channels of the file.
        values: Row-major coefficients.
        is_inverted: Whether the values are the unmixing matrix already (detector x fluorochrome).
    """

    id: str
    fluorochromes: tuple[str, ...]
    detectors: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    is_inverted: bool = False

    def __post_init__(self) -> None:
        """Check shape and names.

        Raises:
            Refused: The shape does not fit the names, or the matrix cannot be inverted.
        """
        rows, columns = len(self.fluorochromes), len(self.detectors)
        if self.is_inverted:
            rows, columns = columns, rows
        shape_fits = len(self.values) == rows and all(len(row) == columns for row in self.values)
        if (
            not shape_fits
            or not 1 <= len(self.fluorochromes) <= len(self.detectors) <= DETECTORS_MAX
            or len(set(self.fluorochromes)) != len(self.fluorochromes)
            or len(set(self.detectors)) != len(self.detectors)
        ):
            raise self._refused(
                f"{len(self.values)} rows for {len(self.fluorochromes)} fluorochromes and "
                f"{len(self.detectors)} detectors",
                "one row per fluorochrome, one column per detector, each named once",
            )
        if not all(abs(value) < COEFFICIENT_MAX for row in self.values for value in row):
            raise self._refused("a value that is no number", f"numbers below {COEFFICIENT_MAX:g}")
        condition = float(numpy.linalg.cond(numpy.array(self.values)))
        if not condition < CONDITION_MAX:
            raise self._refused(
                f"condition {condition:.3g}", f"condition below {CONDITION_MAX:.0g}"
            )

    def _refused(self, found: str, limit: str) -> Refused:
        return Refused(
            "fcs-spillover",
            what=f"compensation matrix {self.id}",
            found=found,
            limit=limit,
            remedy="compute it again from single-stained controls",
            rule="Gating-ML 2.0, doi:10.1002/cyto.a.22690",
        )

    @property
    def unmixing(self) -> NDArray[numpy.float64]:
        """Detector x fluorochrome matrix U with true = measured x U."""
        values = numpy.array(self.values, numpy.float64)
        if self.is_inverted:
            return values
        if values.shape[0] == values.shape[1]:
            return numpy.ascontiguousarray(numpy.linalg.inv(values))
        return numpy.ascontiguousarray(numpy.linalg.pinv(values))

    def apply(self, block: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
        """Give true signals, a row per fluorochrome, from a row per detector."""
        out = numpy.empty((len(self.fluorochromes), block.shape[1]))
        rows = numpy.arange(len(self.detectors))
        multiply(self.unmixing, numpy.ascontiguousarray(block, numpy.float64), rows, out)
        return out


def spillover_of(
    keywords: dict[str, str], names: tuple[str, ...], markers: tuple[str, ...], ledger: Ledger
) -> Matrix | None:
    """Read the file's own matrix from $SPILLOVER (3.1), or SPILL as instruments before wrote it.

    Args:
        keywords: The file's keywords.
        names: Short name of each channel.
        markers: Long name of each channel, "" where none; understood where the short name is due.
        ledger: Where deviations are written down.

    Raises:
        Refused: The matrix is unreadable and the reading is strict.
    """
    for keyword in ("$SPILLOVER", "SPILL", "$SPILL", "SPILLOVER"):
        raw = keywords.get(keyword, "").strip()
        if not raw or raw == "0":
            continue
        try:
            return parse_spillover(raw, names, markers)
        except Refused as refusal:
            ledger.record(
                Deviation(
                    code="fcs-spillover",
                    what=keyword,
                    found=refusal.problem.found,
                    expected=refusal.problem.limit,
                    accepted="events are read without it",
                )
            )
            return None
    return None


def parse_spillover(
    text: str, names: tuple[str, ...] = (), markers: tuple[str, ...] = ()
) -> Matrix:
    """Read "n,name1..namen,values" of a $SPILLOVER keyword.

    Args:
        text: The value of the keyword.
        names: Short names of the file's channels; when given, each name must be among them
            (some instruments write the channel's number instead, which is understood).
        markers: Long names of the same channels, which are understood too.

    Raises:
        Refused: The list is not n names and n x n numbers.
    """
    parts = [part.strip() for part in text.split(",")]
    count = int(parts[0]) if parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 5 else 0
    if not 1 <= count <= DETECTORS_MAX or len(parts) != 1 + count + count * count:
        raise Refused(
            "fcs-spillover",
            what="spillover matrix",
            found=f"{len(parts) - 1} values after n={parts[0][:20]}",
            limit="n names and n x n numbers",
        )
    called = parts[1 : 1 + count]
    if names:
        called = [_named(name, names, markers) for name in called]
    try:
        numbers = [float(part) for part in parts[1 + count :]]
    except ValueError as error:
        raise Refused(
            "fcs-spillover", what="spillover matrix", found=str(error)[:80], limit="numbers"
        ) from error
    rows = tuple(tuple(numbers[row * count : (row + 1) * count]) for row in range(count))
    return Matrix(id="FCS", fluorochromes=tuple(called), detectors=tuple(called), values=rows)


def _named(name: str, names: tuple[str, ...], markers: tuple[str, ...]) -> str:
    if name in names:
        return name
    if name and markers.count(name) == 1:
        return names[markers.index(name)]
    if name.isascii() and name.isdigit() and 1 <= int(name[:9]) <= len(names):
        return names[int(name) - 1]
    raise Refused(
        "fcs-spillover",
        what="spillover matrix",
        found=f"channel {name[:40]}",
        limit="channels of the file",
    )
