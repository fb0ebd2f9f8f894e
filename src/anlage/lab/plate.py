"""Wells of a plate: names, ranges and grids."""

import re

from anlage.base import Refused

ROWS_MAX = 32
COLUMNS_MAX = 48
_WELL = re.compile(r"([A-Za-z]{1,2})0*([1-9]\d?)")


def well_name(text: str) -> str | None:
    """Give a well's plain name ("A01" and "a1" are A1), or None where it is none."""
    match = _WELL.fullmatch(text.strip())
    if match is None:
        return None
    row, column = row_number(match[1]), int(match[2])
    return f"{row_letter(row)}{column}" if row <= ROWS_MAX and column <= COLUMNS_MAX else None


def row_letter(row: int) -> str:
    """Give the letters of a row, counted from 1: A to Z, then AA."""
    return chr(64 + row) if row <= 26 else f"A{chr(64 + row - 26)}"


def row_number(letters: str) -> int:
    """Give the number of a row's letters, counted from 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def place_of(well: str) -> tuple[int, int]:
    """Give row and column of a plain well name, both counted from 1."""
    match = _WELL.fullmatch(well)
    if match is None:
        raise Refused(
            "well-unreadable", what="well", found=well, limit="such as A1", remedy="name the well"
        )
    return row_number(match[1]), int(match[2])


def wells_in(text: str, *, rows: int = 8, columns: int = 12) -> list[str]:
    """Give the wells of ranges such as `A1:H2, C5`, row by row.

    Raises:
        Refused: A name is no well, a range runs backwards, or a well lies off the plate.
    """
    found: list[str] = []
    for part in text.split(","):
        first, _, last = (piece.strip() for piece in part.partition(":"))
        ends = [well_name(first), well_name(last or first)]
        if ends[0] is None or ends[1] is None:
            raise _off(part, rows, columns)
        (row, column), (row_end, column_end) = place_of(ends[0]), place_of(ends[1])
        if row > row_end or column > column_end or row_end > rows or column_end > columns:
            raise _off(part, rows, columns)
        found.extend(
            f"{row_letter(r)}{c}"
            for r in range(row, row_end + 1)
            for c in range(column, column_end + 1)
        )
    return found


Grid = dict[str, tuple[int, str]]


def grids_in(lines: list[tuple[int, list[str]]]) -> list[tuple[str, Grid]]:
    """Find plate grids among lines: a row 1, 2, 3 … over rows that open with A, B, C …

    Several reads of one plate may stand side by side, or under one another in each row.

    Returns:
        For each grid its caption (the nearest line above it) and each well's line and cell.
    """
    found = []
    at = 0
    caption = ""
    while at < len(lines):
        cells = lines[at][1]
        offset = _numbered_from(cells)
        if offset is None:
            words = [cell for cell in cells if cell]
            caption = words[0] if words and len(words) <= 2 else caption
            at += 1
            continue
        blocks = _blocks(cells, offset)
        grids, row = _lettered(lines, at + 1, blocks)
        if not grids:
            read = [_unlettered(lines, at + 1, start, width) for start, width in blocks]
            grids, row = [("", wells) for wells, _ in read if wells], read[0][1]
        if row > 2:
            for count, (label, wells) in enumerate(grids, start=1):
                several = label or f"{caption} {count}".strip()
                found.append((several if len(grids) > 1 else caption, wells))
        at += max(1, row)
        caption = ""
    return found or _bare(lines)


# Rows of a plate by its columns: of 24, 48, 96 and 384 wells.
_ROWS_OF = {6: 4, 8: 6, 12: 8, 24: 16}


def _blocks(cells: list[str], offset: int) -> list[tuple[int, int]]:
    """Give place and width of each run 1, 2, 3 … in a numbered line, the first from `offset`."""
    blocks = []
    at = offset
    while at < len(cells):
        width = 0
        while at + width < len(cells) and cells[at + width] == str(width + 1):
            width += 1
        if width >= 3:
            blocks.append((at, width))
        at += max(1, width)
    return blocks


def _lettered(
    lines: list[tuple[int, list[str]]], at: int, blocks: list[tuple[int, int]]
) -> tuple[list[tuple[str, Grid]], int]:
    """Read rows that open with A, B, C …: a grid per block and read, with the label beside it.

    Gives the grids, and how many lines were read, the numbered one with them.
    """
    offset, width = blocks[0]
    rows: list[list[tuple[int, list[str]]]] = []
    for line, cells in lines[at:]:
        head = cells[offset - 1] if len(cells) >= offset else ""
        if head.upper() == row_letter(len(rows) + 1):
            rows.append([(line, cells)])
        elif rows and not head and sum(map(_is_figure, cells[offset : offset + width])) > width / 2:
            rows[-1].append((line, cells))
        else:
            break
    # Lines without a letter are further reads where each row has as many of them.
    reads = len(rows[0]) if rows and len({len(row) for row in rows}) == 1 else 1
    grids = []
    for k in range(reads if rows else 0):
        for start, count in blocks:
            wells = {
                f"{row_letter(r)}{c + 1}": (row[k][0], "".join(row[k][1][start + c :][:1]))
                for r, row in enumerate(rows, start=1)
                for c in range(count)
            }
            grids.append(("".join(rows[0][k][1][start + count :][:1]), wells))
    return grids, 1 + sum(map(len, rows))


def _unlettered(
    lines: list[tuple[int, list[str]]], at: int, offset: int, width: int
) -> tuple[Grid, int]:
    """Read rows below a numbered line that bear no letters: a whole plate, in order, or nothing.

    Gives the wells, and how many lines were read, the numbered one with them.
    """
    rows = _ROWS_OF.get(width, 0)
    wells: Grid = {}
    for row in range(rows):
        line, cells = lines[at + row] if at + row < len(lines) else (0, [])
        held = cells[offset : offset + width]
        if len(held) < width or sum(_is_figure(cell) for cell in held) < width - 2:
            return {}, 1
        wells |= {f"{row_letter(row + 1)}{k + 1}": (line, cell) for k, cell in enumerate(held)}
    return wells, rows + 1


def _bare(lines: list[tuple[int, list[str]]]) -> list[tuple[str, Grid]]:
    """Find whole plates written as nothing but their figures, row under row."""
    found = []
    at = 0
    while at < len(lines):
        cells = lines[at][1]
        width = max((k for k, cell in enumerate(cells, start=1) if cell), default=0)
        rows = _ROWS_OF.get(width, 0)
        block = lines[at : at + rows]
        is_plate = (
            rows > 0
            and len(block) == rows
            and all(
                len(each) >= width and not any(each[width:]) and all(map(_is_figure, each[:width]))
                for _, each in block
            )
        )
        if is_plate:
            wells = {
                f"{row_letter(r)}{k}": (line, each[k - 1])
                for r, (line, each) in enumerate(block, start=1)
                for k in range(1, width + 1)
            }
            found.append(("", wells))
        at += rows if is_plate else 1
    return found


def _is_figure(cell: str) -> bool:
    return re.fullmatch(r"[<>]?\s*[+-]?\d*[.,]?\d+(?:[eE][+-]?\d+)?", cell.strip()) is not None


def _numbered_from(cells: list[str]) -> int | None:
    for offset in range(1, min(4, len(cells))):
        run = cells[offset : offset + 6]
        if run == [str(k) for k in range(1, len(run) + 1)] and len(run) >= 3:
            return offset
    return None


def _off(part: str, rows: int, columns: int) -> Refused:
    return Refused(
        "well-unreadable",
        what="wells",
        found=part.strip()[:40] or "nothing",
        limit=f"ranges such as A1:H2 within A1 to {row_letter(rows)}{columns}",
        remedy="correct the range",
    )
