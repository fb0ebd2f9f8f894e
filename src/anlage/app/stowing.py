"""Offers read off the views of the store: where a container may stand, and what may be picked."""

from typing import Any

from anlage.base import Refused
from anlage.custody.storage import (
    Keeping,
    PickLine,
    Place,
    as_kept,
    conflicts,
    packaged_segregation,
    rule_on,
)
from anlage.record import Stream

from .installation import Installation

LOOKED_AT_MAX = 400
GIVEN_MAX = 4
PLACES_MAX = 5000
DEPTH_MAX = 8
LOT_MAX = 20_000


def suggestions(site: Installation, keeping: Keeping) -> list[str]:
    """Give a few free positions that a container may be put into, boxes of its patient first.

    It is an offer: the command judges again, by the rules in force.
    """
    try:
        kept = keeping.kept()
    except Refused:
        return []
    own = {row["place"] for _, row in site.rows("stored").find(facet=f"l:{keeping.lot}")}
    rules, found = packaged_segregation(), []
    rows = [
        row
        for _, row in site.rows("places").find(limit=PLACES_MAX)
        if row["kind"] in ("box", "shelf") and not row["is_closed"] and row["used"] < row["size"]
    ]
    rows.sort(key=lambda row: (row["place"] not in own, -row["used"], row["place"]))
    for row in rows[:LOOKED_AT_MAX]:
        way = [site.engine.state(Place, Stream(f"place/{row['place']}"))]
        while (name := way[-1].parent) is not None and len(way) < 8:
            way.append(site.engine.state(Place, Stream(f"place/{name}")))
        others = [as_kept(one) for one in way[0].stowed.values()]
        if not conflicts(kept, rule_on(way), others, rules=rules, at=site.clock.now()):
            free = next(one for one in way[0].terms.names() if one not in way[0].stowed)
            found.append(f"{way[0].id}:{free}")
        if len(found) == GIVEN_MAX:
            break
    return found


def pickable(site: Installation, lot: str) -> list[PickLine]:
    """Give every stored container of a lot that is free to be picked, with the way to it."""
    found = []
    places = site.rows("places")
    for _, row in site.rows("stored").find(facet=f"l:{lot}", limit=LOT_MAX):
        if not row["place"] or row.get("quarantined"):
            continue
        box = site.engine.state(Place, Stream(f"place/{row['place']}"))
        if row["container"] not in box.promised:
            way = tuple(
                one["place"] for one in [*around(places.get, box.parent), {"place": box.id}]
            )
            name, position = row["container"], row["position"]
            found.append(PickLine(container=name, way=way, position=position))
    return found


def around(row_of: Any, name: str | None) -> list[dict[str, Any]]:
    """Give the rows of a place and those around it, from the outside in."""
    way: list[dict[str, Any]] = []
    while name and len(way) < DEPTH_MAX and (row := row_of(name)):
        way.insert(0, row)
        name = row["parent"]
    return way
