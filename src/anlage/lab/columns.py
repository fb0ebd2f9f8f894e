"""A table of named columns out of a file: read strictly, refused with line numbers.

Separator, encoding and the line with the column names are found, whatever an instrument wrote above
it. The decimal sign is read off the file only where its numbers leave no doubt: 1,234 is a thousand
in one country and a little over one in the next, so that a file with nothing but such numbers is
refused until its sign is declared. A blank cell is never a zero.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from anlage.base import Problem, Refused

BYTES_MAX = 64 * 1024 * 1024
ROWS_MAX = 1_000_000
COLUMNS_MAX = 2_000
PROBLEMS_MAX = 100
# No laboratory measures past 1e100; squares of such numbers would overflow.
EXPONENT_MAX = 100
HEADER_LINES = 80
AUTO = "auto"
"""The decimal sign that the file's own numbers tell."""

Lines = list[tuple[int, list[str]]]

_GROUPED = {
    ".": re.compile(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+|[+-]?\d{1,3}(?:,\d{3}){2,}"),
    ",": re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+|[+-]?\d{1,3}(?:\.\d{3}){2,}"),
}
_SPACED = re.compile(r"[+-]?\d{1,3}(?:[\u00a0\u202f' ]\d{3})+(?:[.,]\d+)?")
_COMMA = re.compile(r"[<>≤≥~]?\s*[+-]?(?:\d+,\d+|,\d+)(?:[eE][+-]?\d+)?\s*%?")
_POINT = re.compile(r"[<>≤≥~]?\s*[+-]?(?:\d*\.\d+)(?:[eE][+-]?\d+)?\s*%?")
_DOUBTFUL = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
# What follows a column's name where its unit is written without brackets.
_UNITS = re.compile(
    r"_(?:(?:n|u|p|m|k|f)?(?:g|l|mol|m|iu|u|eu)|eu|cells?|percent|pct|months?|mo|h|hr|hours?|min|s"
    r"|days?|d|weeks?|wk|years?|yr|nm|rlu|rfu|au|a_u|x10_?\d|per|ml|ul|dl|l|mg|kg|g|label_claim|\d{3})$"
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d{1,3})?")
_BLANK = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Rows of text under a header.

    Attributes:
        path: The file, as the caller named it.
        header: Column names as written, stripped.
        rows: Line number (from 1) and cells of each row that is not empty.
        decimal: The declared decimal sign, "." or ",".
    """

    path: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    decimal: str = "."

    def find(self, *names: str) -> int | None:
        """Give the place of the first column with one of these names (case and unit ignored)."""
        return place_of(self.header, names)

    def need(self, *names: str) -> int:
        """Give the place of a column that must be there.

        Raises:
            Refused: No column has one of the names.
        """
        place = self.find(*names)
        if place is None:
            raise Refused(
                "column-missing",
                what=f"column {names[0]}",
                found=f"columns {', '.join(self.header) or 'none'}"[:300],
                limit=" or ".join(names),
                remedy=f"name the column {names[0]} in the first line",
                path=self.path,
                line=1,
            )
        return place

    def text(self, place: int) -> list[str]:
        """Give a column's cells, stripped."""
        return [row[place] if place < len(row) else "" for _, row in self.rows]

    def numbers(self, place: int) -> list[Decimal]:
        """Give a column's numbers, each exact as written.

        Raises:
            Refused: A cell is blank or no finite number; every such line is named.
        """
        values, problems = [], []
        for (line, _), cell in zip(self.rows, self.text(place), strict=True):
            value = number(cell, decimal=self.decimal)
            if value is None:
                problems.append(_bad_number(self, place, line, cell))
            else:
                values.append(value)
        if problems:
            raise Refused.of(problems[:PROBLEMS_MAX])
        return values


def place_of(header: Sequence[str], names: Sequence[str]) -> int | None:
    """Give the place of the first column with one of these names, with or without its unit."""
    keys = [_key(cell) for cell in header]
    bare = [_without_unit(key) for key in keys]
    for among in (keys, bare):
        for name in names:
            if name in among:
                return among.index(name)
    return None


def number(cell: str, *, decimal: str = ".") -> Decimal | None:
    """Give the exact number of a cell, or None where it is blank, none, or past 1e100.

    Thousands may be grouped where that leaves no doubt ("1,234.5", "1 234"); a % sign is dropped.
    """
    cell = cell.strip().replace("\u2212", "-").removesuffix("%").rstrip()
    if decimal == "." and len(cell) <= 60 and _NUMBER.fullmatch(cell):
        return _within(Decimal(re.sub("[dD]", "e", cell)))
    if _GROUPED.get(decimal, _SPACED).fullmatch(cell):
        cell = cell.replace("," if decimal == "." else ".", "")
    elif _SPACED.fullmatch(cell):
        cell = re.sub("[\u00a0\u202f' ]", "", cell)
    if decimal == ",":
        if "." in cell:
            return None
        cell = cell.replace(",", ".")
    if len(cell) > 60 or not _NUMBER.fullmatch(cell):
        return None
    return _within(Decimal(re.sub("[dD]", "e", cell)))


def _within(value: Decimal) -> Decimal | None:
    return value if not value or abs(value.adjusted()) <= EXPONENT_MAX else None


def is_blank(cell: str) -> bool:
    """Say whether a cell holds nothing (an empty cell, NA, a dash)."""
    return cell.strip().lower() in _BLANK


def read_columns(
    path: Path, *, decimal: str = ".", expect: Sequence[Sequence[str]] = ()
) -> Columns:
    """Read a CSV, TSV or XLSX file; lines above the one that names the columns are passed over.

    Args:
        path: The file.
        decimal: Its decimal sign; "auto" where its numbers tell it.
        expect: Names of columns that must be there, each with its synonyms.

    Raises:
        Refused: The file is missing, too large, not text, without rows, or a row has more cells
            than the header.
    """
    decimal = decimal_of(path) if decimal == AUTO else decimal
    lines = _sheet_with(path, expect, decimal)
    lines = lines[_header_at(lines, expect, decimal) :]
    header = tuple(cell.strip() for cell in lines[0][1])
    while header and not header[-1]:
        header = header[:-1]
    keys = [_key(cell) for cell in header]
    for place, key in enumerate(keys):
        if key and key in keys[:place]:
            raise Refused(
                "column-twice",
                what=f"column {header[place]}",
                found="two columns of this name",
                limit="one",
                remedy="remove or rename one of them",
                path=str(path),
                line=lines[0][0],
            )
    rows, problems = [], []
    for line, cells in lines[1:]:
        if len(cells) > len(header) and any(cells[len(header) :]):
            problems.append(
                Problem(
                    code="row-too-long",
                    what="row",
                    found=f"{len(cells)} cells",
                    limit=f"{len(header)}, as in the header",
                    remedy="quote cells that hold the separator, or declare the decimal sign",
                    path=str(path),
                    line=line,
                )
            )
        rows.append((line, tuple(cells[: len(header)])))
    if problems:
        raise Refused.of(problems[:PROBLEMS_MAX])
    if not rows:
        raise _empty(path)
    return Columns(path=str(path), header=header, rows=tuple(rows), decimal=decimal)


def _sheet_with(path: Path, expect: Sequence[Sequence[str]], decimal: str) -> Lines:
    """Give the filled lines of the first sheet that has the columns; else of the first sheet."""
    first: Lines = []
    for _, sheet in read_sheets(path, decimal=decimal):
        lines = [(line, cells) for line, cells in sheet if any(cells)]
        if not first:
            first = lines
        for _, cells in lines[:HEADER_LINES] if expect else ():
            if all(place_of(cells, names) is not None for names in expect):
                return lines
    if not first:
        raise _empty(path)
    return first


def _header_at(
    lines: Sequence[tuple[int, list[str]]], expect: Sequence[Sequence[str]], decimal: str
) -> int:
    """Give the place of the line that names the columns; the first where nothing tells better."""
    head = [cells for _, cells in lines[:HEADER_LINES]]
    if expect:
        for at, cells in enumerate(head):
            if all(place_of(cells, names) is not None for names in expect):
                return at
    width = max(sum(map(bool, cells)) for cells in head)
    if sum(map(bool, head[0])) >= width:
        return 0
    for at, cells in enumerate(head[:-1]):
        held = [cell for cell in cells if cell]
        is_named = len(held) > 1 and all(number(cell, decimal=decimal) is None for cell in held)
        below = [cell for cell in head[at + 1] if number(cell, decimal=decimal) is not None]
        if is_named and below and len(head[at + 1]) <= len(cells):
            return at
    return 0


def decimal_of(path: Path) -> str:
    """Give the decimal sign that a file's numbers tell; a point where they leave it open.

    Raises:
        Refused: The file is missing, too large, or not text.
    """
    # With commas as separators only a quoted cell can hold a decimal comma.
    raw = read_bytes(path)
    is_parted = False
    if raw[:4] != b"PK\x03\x04":
        text = decoded(raw, path)
        is_parted = "," in text and _separator(text, ",", least=2) != ","
        if not is_parted and '"' not in text:
            return "."
    grid = read_grid(path, decimal="," if is_parted else ".")
    cells = [cell for _, row in grid[:2_000] for cell in row if cell]
    commas = [cell for cell in cells if _COMMA.fullmatch(cell)]
    is_doubtful = all(_DOUBTFUL.fullmatch(cell) for cell in commas)
    if not commas or is_doubtful or any(_POINT.fullmatch(cell) for cell in cells):
        return "."
    return ","


def read_grid(path: Path, *, decimal: str = ".") -> list[tuple[int, list[str]]]:
    """Give every line of a CSV, TSV or XLSX file as stripped cells, with its line number.

    Of a workbook this is the first sheet that holds anything.

    Raises:
        Refused: The file is missing, too large, or not text.
    """
    return next(read_sheets(path, decimal=decimal))[1]


def read_sheets(path: Path, *, decimal: str = ".") -> Iterator[tuple[str, Lines]]:
    """Give each sheet that holds anything: its name and lines, as `read_grid` does.

    Raises:
        Refused: The file is missing, too large, empty, or not text.
    """
    raw = read_bytes(path)
    if raw[:4] == b"PK\x03\x04":
        yield from _workbook(raw, path, decimal)
        return
    text = decoded(raw, path)
    separator = _separator(text, decimal)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    lines: list[tuple[int, list[str]]] = []
    last = 0
    try:
        for cells in reader:
            if len(lines) >= ROWS_MAX or len(cells) > COLUMNS_MAX:
                raise _too_large(path, f"{len(lines)} rows of {len(cells)} cells")
            lines.append((last + 1, [cell.strip() for cell in cells]))
            last = reader.line_num
    except csv.Error as error:
        raise _unreadable(path, str(error), line=last + 1) from error
    yield "", lines


def read_bytes(path: Path) -> bytes:
    """Give a file's bytes.

    Raises:
        Refused: It is missing, no file, larger than 64 MB or empty.
    """
    try:
        size = path.stat().st_size
        if size > BYTES_MAX:
            raise _too_large(path, f"{size} bytes")
        raw = path.read_bytes()
    except (OSError, ValueError) as error:
        raise Refused(
            "file-unreadable",
            what="file",
            found=str(error)[:200],
            limit="a file that can be read",
            remedy="check the path",
            path=str(path),
        ) from error
    if not raw.strip():
        raise _empty(path)
    return raw


def decoded(raw: bytes, path: Path) -> str:
    """Give the text of a file in UTF-8 or UTF-16 (by its mark) or, failing that, Windows-1252.

    Raises:
        Refused: It holds zero bytes: it is no text.
    """
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        try:
            return raw.decode("utf-16")
        except UnicodeDecodeError as error:
            raise _unreadable(path, str(error)) from error
    if b"\x00" in raw:
        head = raw[:4096]
        for encoding, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
            if zeros.count(0) > 0.8 * len(zeros):  # text of two bytes a letter, without its mark
                try:
                    return raw.decode(encoding)
                except UnicodeDecodeError:
                    break
        raise _unreadable(path, "zero bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _separator(text: str, decimal: str, *, least: int = 1) -> str:
    """Give what parts the cells: the sign that stands in most lines.

    Args:
        text: The file.
        decimal: The decimal sign; a comma then parts nothing.
        least: Lines in which a tab or semicolon must stand; below that it is the comma.
    """
    candidates = "\t;" if decimal == "," else "\t;,"
    head = [line for line in text[:20_000].splitlines() if line.strip()][:40]
    counts = {sign: sum(sign in line for line in head) for sign in candidates}
    best = max(candidates, key=lambda sign: (counts[sign], -candidates.index(sign)))
    if least > 1:
        return best if counts[best] >= least and counts[best] * 2 >= len(head) else ","
    return best if counts[best] else candidates[-1]


def _workbook(raw: bytes, path: Path, decimal: str) -> Iterator[tuple[str, Lines]]:
    import zipfile

    import python_calamine

    held = 0
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if sum(item.file_size for item in archive.infolist()) > 8 * BYTES_MAX:
                raise _too_large(path, "a packed file that unpacks beyond half a gigabyte")
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            rows = sheet.to_python(skip_empty_area=False)
            if len(rows) > ROWS_MAX:
                raise _too_large(path, f"{len(rows)} rows")
            lines = [
                (line, [_cell(value, decimal) for value in row])
                for line, row in enumerate(rows, start=1)
            ]
            _spread_merged(lines, sheet.merged_cell_ranges or ())
            if any(any(cells) for _, cells in lines):
                held += 1
                yield name, lines
    except (python_calamine.CalamineError, zipfile.BadZipFile, IndexError, OSError) as error:
        raise _unreadable(path, str(error)) from error
    if not held:
        raise _empty(path)


def _spread_merged(lines: Lines, ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """Let a cell merged over rows hold for each of them."""
    filled: dict[int, int] = {}
    for (top, left), (bottom, _) in sorted(ranges):
        if top >= len(lines) or left >= len(lines[top][1]):
            continue  # beyond all that is filled in
        # No cell twice: ranges that lie on one another are of a book made to keep us busy.
        end = min(bottom + 1, len(lines))
        for row in range(max(top + 1, filled.get(left, 0)), end):
            lines[row][1][left] = lines[top][1][left]
        filled[left] = max(end, filled.get(left, 0))


def _cell(value: object, decimal: str) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        shown = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        return shown.replace(".", decimal)
    return "" if value is None else str(value).strip()


def _key(cell: str) -> str:
    """Give the column's name without case, unit in brackets, and signs."""
    plain = re.sub(r"[(\[].*?[)\]]", "", cell.lower().replace("µ", "u").replace("μ", "u"))
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _without_unit(key: str) -> str:
    for _ in range(3):
        key, count = _UNITS.subn("", key)
        if not count:
            break
    return key


def _bad_number(columns: Columns, place: int, line: int, cell: str) -> Problem:
    blank = is_blank(cell)
    return Problem(
        code="value-missing" if blank else "value-not-a-number",
        what=f"column {columns.header[place]}",
        found="nothing" if blank else repr(cell[:40]),
        limit=f"a number with the decimal sign {columns.decimal!r}",
        remedy="enter the value, or remove the row"
        if blank
        else "correct the value, or declare the decimal sign with --decimal",
        path=columns.path,
        line=line,
    )


def cells_of(columns: Columns, names: Sequence[str]) -> dict[str, list[str]]:
    """Give the text of those of the named columns that are there."""
    found = {name: columns.find(name) for name in names}
    return {name: columns.text(place) for name, place in found.items() if place is not None}


def _empty(path: Path) -> Refused:
    return Refused(
        "file-empty",
        what="table",
        found="no rows",
        limit="a header and at least one row",
        remedy="export the data again",
        path=str(path),
    )


def _too_large(path: Path, found: str) -> Refused:
    return Refused(
        "file-too-large",
        what="file",
        found=found,
        limit=f"{BYTES_MAX} bytes, {ROWS_MAX} rows, {COLUMNS_MAX} columns",
        remedy="split the file",
        path=str(path),
    )


def _unreadable(path: Path, found: str, line: int | None = None) -> Refused:
    return Refused(
        "file-not-a-table",
        what="file",
        found=found[:200],
        limit="CSV, TSV or XLSX",
        remedy="export the data as CSV or XLSX",
        path=str(path),
        line=line,
    )
