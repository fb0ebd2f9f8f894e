"""`anlage store`: where everything stands, to the position."""

import argparse
from pathlib import Path
from typing import Any

from anlage.base import Refused
from anlage.cli.acting import Acting, ask_person
from anlage.cli.shell import Answer, Group

ROWS_MAX = 100_000


def register(group: Group) -> None:
    """Add the commands of the group."""
    group.command("tree", tree, help="every place with how full it is")
    parser = group.command("show", show, help="what stands in a place")
    parser.add_argument("place", metavar="PLACE")
    parser = group.command("find", find, help="where what was scanned stands")
    parser.add_argument("code", metavar="CODE", help="a container, place or picklist as scanned")
    parser = group.command("pick", pick, help="make a picklist of a lot, with the fewest openings")
    parser.add_argument("lot", metavar="LOT")
    parser.add_argument("--count", type=int, required=True, metavar="N")
    parser.add_argument("--order", default="", help="what it is for")
    ask_person(parser)
    parser = group.command("audit", audit, help="compare a place with a list of scans")
    parser.add_argument("place", metavar="PLACE")
    parser.add_argument("file", type=Path, metavar="FILE", help="a container, or `A1 NAME`, a line")
    parser.add_argument("--aside", default="", help="where what does not belong was put")
    ask_person(parser)


def tree(options: argparse.Namespace) -> Answer:
    """List the places, each with its way, its size and how much of it is taken."""
    from anlage.app import opened

    with opened(options.data) as site:
        rows = dict(site.rows("places").find(limit=ROWS_MAX))
    found = [row | {"way": _way(rows, row)} for row in rows.values() if not row["is_closed"]]
    found.sort(key=lambda row: row["way"])
    lines = [
        f"{'  ' * (len(row['way']) - 1)}{row['place']:<16} {row['kind']:<10}"
        f" {row['used']:>6} / {row['size']:<6} {row['state']}"
        for row in found
    ]
    return Answer({"places": found}, "\n".join(lines) or "no place is registered")


def show(options: argparse.Namespace) -> Answer:
    """List what stands in a place."""
    from anlage.app import opened

    with opened(options.data) as site:
        row = site.rows("places").get(options.place)
        if row is None:
            raise Refused(
                "place-unknown",
                what=f"place {options.place}",
                found="never registered",
                limit="a place of `anlage store tree`",
                remedy="correct its code",
                rule="Anlage identifiers",
            )
        stored = [r for _, r in site.rows("stored").find(facet=f"p:{options.place}", limit=6000)]
    lines = [f"{row['place']} {row['name']}: {row['used']} of {row['size']}"]
    lines += [f"  {r['position']:<6} {r['container']:<24} {r['lot'] or ''}" for r in stored]
    return Answer({"place": row, "stored": stored}, "\n".join(lines))


def find(options: argparse.Namespace) -> Answer:
    """Say where what was scanned stands."""
    from anlage.app import Scanned, meaning, opened

    with opened(options.data) as site:
        meant = meaning(site, options.code)
        row = site.rows("stored").get(f"c:{meant.id}") if meant.kind is Scanned.CONTAINER else None
    where = f"{row['place']} {row['position']}" if row and row["place"] else "in no position"
    text = f"{meant.kind.value} {meant.id}" + (f": {where}" if row else "")
    return Answer({"kind": meant.kind.value, "id": meant.id, "stored": row}, text)


def pick(options: argparse.Namespace) -> Answer:
    """Choose so many containers of a lot, fewest openings first, and make the list."""
    from anlage.app import opened, pickable
    from anlage.custody.storage import MakePicklist, Picklist, choose
    from anlage.record import Stream

    with opened(options.data) as site:
        acting = Acting(options, site)
        chosen = choose(pickable(site, options.lot), options.count)
        wanted = tuple(one.container for one in chosen)
        asked = MakePicklist(order=options.order or options.lot, containers=wanted)
        outcome = acting.do(asked)
        name = next(one for one in outcome.streams if one.startswith("picklist/"))
        made = site.engine.state(Picklist, Stream(name)).made
    assert made is not None
    data = {
        "picklist": name.partition("/")[2],
        "openings": made.openings,
        "lines": [
            {"container": one.container, "way": list(one.way), "position": one.position}
            for one in made.lines
        ],
    }
    lines = [f"{data['picklist']}: {len(made.lines)} containers, {made.openings} openings"]
    lines += [f"  {' > '.join(one.way)} {one.position}  {one.container}" for one in made.lines]
    return Answer(data, "\n".join(lines))


def audit(options: argparse.Namespace) -> Answer:
    """Compare a place with scans; differences become facts. Exit code 2 where there are any."""
    from anlage.app import opened
    from anlage.custody import Evidence
    from anlage.custody.storage import AuditPlace, PlaceAudited

    try:
        lines = options.file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            "file-missing",
            what=f"scans {options.file}",
            found=str(error)[:80],
            limit="a text file with a container on each line",
            remedy="check the name",
            rule="Anlage command line",
        ) from error
    words = [line.split() for line in lines if line.strip()]
    asked = AuditPlace(
        place=options.place,
        evidence=Evidence.SCANNED,
        scanned=tuple(" ".join(one) for one in words if len(one) != 2),
        positions={one[0]: one[1] for one in words if len(one) == 2},
        aside=options.aside,
    )
    with opened(options.data) as site:
        outcome = Acting(options, site).do(asked)
    said = next(one.fact for one in outcome.facts if isinstance(one.fact, PlaceAudited))
    data: dict[str, Any] = {
        "place": options.place,
        "expected": said.expected,
        "found": said.found,
        "missing": list(said.missing),
        "foreign": list(said.foreign),
        "shifted": list(said.shifted),
    }
    is_same = not (said.missing or said.foreign or said.shifted)
    text = f"{options.place}: {said.found} found, {said.expected} expected"
    for word in ("missing", "foreign", "shifted"):
        text += f"\n  {word}: {', '.join(data[word])}" if data[word] else ""
    return Answer(data, text, ok=is_same)


def _way(rows: dict[str, dict[str, Any]], row: dict[str, Any]) -> list[str]:
    way = [row["place"]]
    while (parent := rows.get(row["parent"])) is not None and len(way) < 8:
        way.insert(0, parent["place"])
        row = parent
    return way
