"""Views of the store: the tree of places with how full each is, and where each container stands."""

from typing import Any

from anlage.record import Recorded, Rows, View

from ..container_fact import ContainerCreated, ContainerEnded
from .keeping import ContainerClassified, ContainerQuarantined, ContainerReleased
from .picklist import LineState, PickConfirmed, PickLeft, PicklistMade
from .place_fact import (
    PlaceAudited,
    PlaceChanged,
    PlaceCleaned,
    PlaceCleared,
    PlaceClosed,
    PlaceMoved,
    PlaceRegistered,
    PlaceTerms,
    PositionEmptied,
    PositionFilled,
)
from .segregation import celsius

_DEPTH_MAX = 8


class PlacesView:
    """The tree: a row per place; its facet is the place around it, its order the slot.

    `used` and `size` count the containers and the positions in it, at any depth.
    """

    name = "places"
    version = 1
    families = frozenset({"place"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        fact, name = recorded.fact, recorded.stream.id
        row = rows.get(name)
        match fact:
            case PlaceRegistered():
                row = _registered(name, fact)
                _put(rows, name, row)
                _count(rows, fact.parent, size=row["size"])
                return
            case _ if row is None:
                return
            case PlaceChanged():
                row |= _terms(fact.new)
            case PlaceMoved():
                _count(rows, row["parent"], size=-row["size"], used=-row["used"])
                row |= {"parent": fact.parent, "slot": fact.slot}
                _put(rows, name, row)
                _count(rows, fact.parent, size=row["size"], used=row["used"])
                return
            case PlaceClosed():
                row["is_closed"] = True
                _count(rows, row["parent"], size=-row["size"])
            case PlaceCleaned():
                row["state"] = "cleaned"
            case PlaceCleared():
                row["state"] = ""
            case PositionFilled():
                _put(rows, name, row)
                _count(rows, name, used=1)
                return
            case PositionEmptied():
                _put(rows, name, row)
                _count(rows, name, used=-1)
                row = rows.get(name) or row
                if row["is_reusable"] and not row["used"]:
                    row["state"] = "to-be-cleaned"
            case PlaceAudited():
                row["audited"] = recorded.happened_text
                row["differences"] = len(fact.missing) + len(fact.foreign) + len(fact.shifted)
            case _:
                return
        _put(rows, name, row)


class StoredView:
    """Where each container stands: by container, its facet the box; and once more by lot."""

    name = "stored"
    version = 1
    families = frozenset({"place", "container"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        fact, name = recorded.fact, recorded.stream.id
        match fact:
            case ContainerCreated():
                made = {"container": name, "vessel": fact.vessel, "coi": fact.coi, "lot": fact.lot}
                self._put(rows, made | {"place": "", "position": ""})
            case ContainerEnded():
                self._drop(rows, name)
            case ContainerClassified():
                self._say(
                    rows,
                    name,
                    product_class=fact.product_class,
                    infectious=fact.infectious.value,
                    label_name=fact.label_name,
                )
            case ContainerQuarantined():
                self._say(rows, name, quarantined=fact.reason)
            case ContainerReleased():
                self._say(rows, name, quarantined="")
            case PositionFilled():
                since = recorded.happened_text
                where = {"place": name, "position": fact.position, "since": since}
                self._say(rows, fact.stowed.container, **where)
            case PositionEmptied():
                row = rows.get(f"c:{fact.container}")
                if row and (row["place"], row["position"]) == (name, fact.position):
                    self._say(rows, fact.container, place="", position="")
            case _:
                pass

    def _say(self, rows: Rows, container: str, **values: Any) -> None:
        row = rows.get(f"c:{container}")
        if row is not None:
            self._put(rows, row | values)

    def _put(self, rows: Rows, row: dict[str, Any]) -> None:
        name, order = row["container"], f"{row['place']}:{row['position']}"
        rows.put(f"c:{name}", row, facet=f"p:{row['place']}", order=order)
        if row["lot"]:
            rows.put(f"l:{row['lot']}:{name}", row, facet=f"l:{row['lot']}", order=order)

    def _drop(self, rows: Rows, container: str) -> None:
        row = rows.get(f"c:{container}")
        if row is not None:
            rows.delete(f"c:{container}")
            if row["lot"]:
                rows.delete(f"l:{row['lot']}:{container}")


class PicklistsView:
    """Picklists, those with open lines first; their facet says whether any line is open."""

    name = "picklists"
    version = 1
    families = frozenset({"picklist"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        fact, name = recorded.fact, recorded.stream.id
        if isinstance(fact, PicklistMade):
            row: dict[str, Any] = {
                "picklist": name,
                "order": fact.order,
                "lines": len(fact.lines),
                "openings": fact.openings,
                "open": len(fact.lines),
                "left": 0,
                "made": recorded.happened_text,
                "by": fact.by,
            }
        elif isinstance(fact, PickConfirmed | PickLeft):
            row = rows.get(name) or {}
            if not row:
                return
            row["open"] -= 1
            row[LineState.LEFT.value] += isinstance(fact, PickLeft)
        else:
            return
        rows.put(name, row, facet="open" if row["open"] else "done", order=row["made"])


VIEWS: tuple[View, ...] = (PlacesView(), StoredView(), PicklistsView())
"""The views of the store."""


def _registered(name: str, fact: PlaceRegistered) -> dict[str, Any]:
    return {
        "place": name,
        "name": fact.name,
        "kind": fact.kind_of.value,
        "parent": fact.parent or "",
        "slot": fact.slot,
        "gln": fact.gln or "",
        "used": 0,
        "size": fact.terms.size if fact.kind_of.holds_containers else 0,
        "state": "",
        "is_closed": False,
        "audited": "",
        "differences": 0,
        **_terms(fact.terms),
    }


def _terms(terms: PlaceTerms) -> dict[str, Any]:
    return {
        "rows": terms.rows,
        "columns": terms.columns,
        "keeps_min": celsius(terms.keeps_min) if terms.keeps_min else "",
        "keeps_max": celsius(terms.keeps_max) if terms.keeps_max else "",
        "classes": list(terms.classes),
        "infectious": terms.infectious.value,
        "is_reusable": terms.is_reusable,
    }


def _put(rows: Rows, name: str, row: dict[str, Any]) -> None:
    facet = "closed" if row["is_closed"] else f"in:{row['parent']}"
    rows.put(name, row, facet=facet, order=_slot_order(row["slot"]) + name)


def _count(rows: Rows, name: str | None, *, size: int = 0, used: int = 0) -> None:
    """Carry a change outwards, from a place to all around it."""
    for _ in range(_DEPTH_MAX):
        row = rows.get(name) if name else None
        if row is None:
            return
        row["size"] += size
        row["used"] += used
        _put(rows, str(name), row)
        name = row["parent"]


def _slot_order(slot: str) -> str:
    letters = slot.rstrip("0123456789")
    digits = slot[len(letters) :]
    return f"{len(letters)}{letters}{digits.zfill(4)} "
