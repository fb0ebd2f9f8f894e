"""A box as a picture: its grid with what stands in each position."""

from dataclasses import dataclass
from typing import Any

from anlage.custody.storage import Place, row_name
from anlage.record import Rows

STORED_MAX = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One position.

    Attributes:
        position: Its name.
        state: free, full, promised or held (in quarantine).
        container: What stands in it; empty when free.
        short: The end of its name, as far as it fits.
        told: What a person is told of it.
        is_sought: True for the container that was asked for.
    """

    position: str
    state: str
    container: str = ""
    short: str = ""
    told: str = ""
    is_sought: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The picture: names of the columns, and the rows of cells with their names."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    counts: dict[str, int]


def grid_of(place: Place, stored: Rows, *, sought: str = "") -> Grid:
    """Give the picture of a place that holds containers."""
    known = {
        row["position"]: row for _, row in stored.find(facet=f"p:{place.id}", limit=STORED_MAX)
    }
    cells = [_cell(place, one, known.get(one, {}), sought) for one in place.terms.names()]
    counts = dict.fromkeys(("full", "promised", "held", "free"), 0)
    for one in cells:
        counts[one.state] += 1
    if not place.terms.rows:
        return Grid(columns=(), rows=(("", tuple(cells)),), counts=counts)
    wide = place.terms.columns
    rows = [
        (row_name(at), tuple(cells[at * wide : (at + 1) * wide])) for at in range(place.terms.rows)
    ]
    columns = tuple(str(number) for number in range(1, wide + 1))
    return Grid(columns=columns, rows=tuple(rows), counts=counts)


def _cell(place: Place, position: str, row: dict[str, Any], sought: str) -> Cell:
    one = place.stowed.get(position)
    if one is None:
        return Cell(position=position, state="free", told=f"{position}: free")
    state, why = "full", ""
    if row.get("quarantined"):
        state, why = "held", f", in quarantine: {row['quarantined']}"
    elif one.container in place.promised:
        state, why = "promised", f", promised to {place.promised[one.container]}"
    patient = f", {one.coi}" if one.coi else ""
    return Cell(
        position=position,
        state=state,
        container=one.container,
        short=one.container[-4:],
        told=f"{position}: {one.container}{patient}, {one.product_class}{why}",
        is_sought=one.container == sought,
    )
