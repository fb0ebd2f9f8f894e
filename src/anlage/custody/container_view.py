"""Which containers belong to a lot: one row per container, so that a proof reads only those."""

from collections.abc import Iterable

from anlage.record import Recorded, Rows

VIEW = "containers"
_LOT_MAX = 5000


class ContainerView:
    """One row per container; the facet is its lot, empty for a shipper."""

    name = VIEW
    version = 1
    families = frozenset({"container"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld or recorded.stream.family != "container":
            return
        id, body = recorded.stream.id, recorded.body
        row = rows.get(id) or {"container": id, "lot": "", "coi": None, "sources": [], "inside": []}
        match recorded.kind:
            case "container-created":
                row |= {
                    "lot": body.get("lot") or "",
                    "coi": body.get("coi"),
                    "vessel": body["vessel"],
                    "sources": list(body.get("sources", ())),
                    "created": recorded.happened_text,
                }
            case "container-assigned":
                row["coi"] = body["coi"]
            case "container-packed":
                row["inside"] = sorted({*row["inside"], body["into"]})
            case "container-ended":
                row["end"] = body["how"]
            case _:
                return
        rows.put(id, row, facet=row["lot"], order=row.get("created", ""))


def wanted_for(rows: Rows, lot: str) -> tuple[list[str], set[str]]:
    """Give the containers that a lot's proof shows, and all whose facts it has to read.

    Args:
        rows: The rows of the view.
        lot: The lot.
    """
    chosen = {key for key, _ in rows.find(facet=lot, limit=_LOT_MAX)} if lot else set()
    chosen |= _reached(rows, chosen, "sources")
    return sorted(chosen), chosen | _reached(rows, chosen, "inside")


def _reached(rows: Rows, begin: Iterable[str], how: str) -> set[str]:
    found: set[str] = set()
    waiting = list(begin)
    while waiting:
        row = rows.get(waiting.pop()) or {}
        more = {str(one) for one in row.get(how, ())} - found
        found |= more
        waiting += more
    return found


VIEWS = (ContainerView(),)
