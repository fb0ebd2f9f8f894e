"""Reading counts: a table with the columns of NIST's COMET template.

Source: usnistgov/COMET, the full data template; ISO 20391-2:2019.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anlage.base import Problem, Refused

ROWS_MAX: Final = 100_000
BYTES_MAX: Final = 32 * 2**20
RULE: Final = "ISO 20391-2:2019"
COLUMNS_NEEDED: Final = ("counting_method", "target_dilution_fraction", "cell_conc")
_MISSING: Final = ("", "na", "n/a", "nan", "null", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One count of one sample.

    Attributes:
        method: Name of the counting method.
        cell_type: What was counted.
        concentration_type: Total or viable, as the laboratory calls it.
        stock: Stock solution that the sample came from.
        target: Dilution fraction intended, in (0, 1].
        measured: Dilution fraction measured (by weight, say); the target when it was not.
        sample: The pipetted sample within its dilution fraction.
        concentration: Cells per millilitre.
        line: Line in the file, counted from 1.
    """

    method: str
    cell_type: str
    concentration_type: str
    stock: str
    target: float
    measured: float
    sample: str
    concentration: float
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """A file of observations, with what was wrong in it.

    Attributes:
        observations: The usable rows, in file order.
        problems: One per row that was left out, with its line.
        missing: Rows left out because they say that no count was made.
    """

    observations: tuple[Observation, ...]
    problems: tuple[Problem, ...]
    missing: int


def read_counts(place: str | Path | bytes) -> Counts:
    """Read a COMET template: CSV with its column names, metadata rows above them allowed.

    Commas, semicolons and tabs separate; with semicolons a comma may mark decimals. A bad row is
    left out and told as a problem; the others stand.

    Raises:
        Refused: The file cannot be read, or has none of the template's columns.
    """
    text, path = _text_of(place)
    rows, separator = _rows(text, path)
    header, columns = _header(rows, path)
    observations: list[Observation] = []
    problems: list[Problem] = []
    missing = 0
    for line, row in rows[header + 1 :]:
        if not any(cell.strip() for cell in row):
            continue
        cells = {name: row[at].strip() if at < len(row) else "" for name, at in columns.items()}
        if all(_is_missing(cells[name]) for name in ("counting_method", "cell_conc")):
            continue
        if not _is_missing(cells["counting_method"]) and _is_missing(cells["cell_conc"]):
            missing += 1
            continue
        found = _observation(cells, line, path, decimal_comma=separator == ";")
        if isinstance(found, Problem):
            problems.append(found)
        else:
            observations.append(found)
    return Counts(observations=tuple(observations), problems=tuple(problems), missing=missing)


def _text_of(place: str | Path | bytes) -> tuple[str, str]:
    if isinstance(place, bytes):
        raw, path = place, "counts"
    else:
        path = str(place)
        try:
            if Path(place).stat().st_size > BYTES_MAX:
                raise Refused(
                    "counts-file", what="file", found="too large", limit=f"{BYTES_MAX} bytes",
                    path=path,
                )  # fmt: skip
            raw = Path(place).read_bytes()
        except OSError as error:
            raise Refused(
                "counts-file", what="file", found=error.strerror, remedy="check the path", path=path
            ) from error
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace"), path
    try:
        return raw.decode("utf-8-sig"), path
    except UnicodeDecodeError:
        return raw.decode("latin-1"), path


def _rows(text: str, path: str) -> tuple[list[tuple[int, list[str]]], str]:
    named = next((row for row in text.splitlines() if "counting_method" in row.lower()), "")
    separator = max((",", ";", "\t"), key=named.count)
    reader = csv.reader(io.StringIO(text.replace("\0", ""), newline=None), delimiter=separator)
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            rows.append((reader.line_num, row))
            if len(rows) > ROWS_MAX:
                raise Refused(
                    "counts-file", what="rows", found=f"more than {ROWS_MAX}", limit=ROWS_MAX,
                    path=path,
                )  # fmt: skip
    except csv.Error as error:
        raise Refused(
            "counts-file", what="CSV", found=str(error), remedy="export it again as CSV", path=path,
            line=reader.line_num,
        ) from error  # fmt: skip
    return rows, separator


def _header(rows: Sequence[tuple[int, list[str]]], path: str) -> tuple[int, dict[str, int]]:
    best: tuple[str, ...] = COLUMNS_NEEDED
    for place, (_, row) in enumerate(rows):
        named: dict[str, int] = {}
        for at, cell in enumerate(row):
            named.setdefault("_".join(cell.strip().lower().split()), at)
        lacking = tuple(name for name in COLUMNS_NEEDED if name not in named)
        if not lacking:
            return place, named
        if len(lacking) < len(best):
            best = lacking
    raise Refused(
        "counts-columns",
        what="columns",
        found="no row that names " + ", ".join(best),
        limit=", ".join(COLUMNS_NEEDED),
        remedy="use the column names of the COMET template",
        rule=RULE,
        path=path,
    )


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in _MISSING


def number(cell: str, *, decimal_comma: bool = False) -> float:
    """Read a finite number; not a number where it is none."""
    try:
        value = float(cell.replace(",", ".") if decimal_comma else cell)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _observation(
    cells: dict[str, str], line: int, path: str, *, decimal_comma: bool
) -> Observation | Problem:
    def problem(column: str, limit: str) -> Problem:
        return Problem(
            code="counts-row",
            what=f"column {column}",
            found=cells.get(column, "")[:80] or "nothing",
            limit=limit,
            remedy="correct the row; it was left out",
            rule=RULE,
            path=path,
            line=line,
        )

    if _is_missing(cells["counting_method"]):
        return problem("counting_method", "a name")
    concentration = number(cells["cell_conc"], decimal_comma=decimal_comma)
    if not 0 <= concentration < 1e15:
        return problem("cell_conc", "cells/mL, 0 or more")
    target = number(cells["target_dilution_fraction"], decimal_comma=decimal_comma)
    if not 0 < target <= 1:
        return problem("target_dilution_fraction", "above 0, at most 1")
    measured_cell = cells.get("measured_dilution_fraction", "")
    measured = target
    if not _is_missing(measured_cell):
        measured = number(measured_cell, decimal_comma=decimal_comma)
        if not 0 < measured <= 1.5:
            return problem("measured_dilution_fraction", "above 0, at most 1.5, or NA")
    sample = cells.get("stock_extraction", "")
    if _is_missing(sample):
        sample = cells.get("random_sample_number", "")
    if _is_missing(sample):
        return problem("random_sample_number", "the sample's number")
    return Observation(
        method=cells["counting_method"],
        cell_type=cells.get("cell_type", ""),
        concentration_type=cells.get("concentration_type", ""),
        stock=cells.get("stock_solution", ""),
        target=target,
        measured=measured,
        sample=sample,
        concentration=concentration,
        line=line,
    )
