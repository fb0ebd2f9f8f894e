"""`anlage lane`: what a way asks for, which way to choose, and what a shared pool knows of it."""

import argparse
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Refused, SystemClock
from anlage.cli.shell import Answer, Group

if TYPE_CHECKING:
    from anlage.custody.transport import CountryRule

POOL = Path("lane-pool.jsonl")


def register(group: Group) -> None:
    """Add the commands of the group."""
    parser = group.command("check", check, help="what the rules of a country pair ask for")
    parser.add_argument("--from", dest="origin", required=True, metavar="CC")
    parser.add_argument("--to", dest="destination", required=True, metavar="CC")
    parser.add_argument(
        "--goods", default="cells", help="starting-material, cells, gene-modified-cells"
    )
    parser.add_argument("--date", metavar="DAY", help="the day of the pick-up (today)")
    parser.add_argument("--rules", type=Path, metavar="FILE", help="your own rules, in YAML")
    parser = group.command("advise", advise, help="packaging and mode for a product")
    parser.add_argument("product", metavar="PRODUCT")
    parser.add_argument("--from", dest="origin", required=True, metavar="SITE")
    parser.add_argument("--to", dest="destination", required=True, metavar="SITE")
    parser.add_argument("--alive", type=float, default=0.0, metavar="PART", help="least part alive")
    parser = group.command("pool", pool, help="records of lanes that several houses share")
    parser.add_argument("act", choices=("export", "add", "query"))
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="records to add")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="for export")
    parser.add_argument(
        "--pool", type=Path, default=POOL, metavar="FILE", help=f"the pool ({POOL})"
    )
    parser.add_argument("--from", dest="origin", metavar="CC")
    parser.add_argument("--to", dest="destination", metavar="CC")
    parser.add_argument("--goods")
    parser.add_argument("--mode")
    parser.add_argument("--cause", help="a cause of holds, such as customs-documents")


def check(options: argparse.Namespace) -> Answer:
    """Check a way; exit code 2 where something stops it or is not known."""
    from anlage.app import checked_way, settings

    at = _moment(options.date)
    ways = (options.origin, options.destination, options.goods)
    chosen = settings(options.data)
    if (chosen.data / "journal.db").exists() and options.rules is None:
        from anlage.app import opened

        with opened(options.data) as site:
            found = checked_way(site, *ways, at)
    else:
        found = checked_way(None, *ways, at, file=options.rules)
    data = {
        "from": found.origin,
        "to": found.destination,
        "goods": found.goods.value,
        "date": found.day.isoformat(),
        "verdict": found.verdict,
        "holds": [_told(one) for one in found.holds],
        "not_known": list(found.not_known),
        "rules": [_told(one) for one in found.rules],
    }
    way = f"{found.goods.value} from {found.origin} to {found.destination} on {found.day}"
    lines = [f"{way}: {found.verdict.upper()}"]
    lines += [f"  HOLD {one.says} ({one.source})" for one in found.holds]
    lines += [f"  NOT KNOWN {one}" for one in found.not_known]
    for one in found.rules:
        read = f"read {one.read}" if one.read else "to be confirmed in the source"
        lines.append(f"  {one.asks.value}: {one.says} ({one.source}; {read})")
    return Answer(data, "\n".join(lines), ok=found.verdict == "open")


def advise(options: argparse.Namespace) -> Answer:
    """List the ways to send a product, the best first; exit code 2 where none may go."""
    from anlage.app import advice, opened

    ends = {"origin": options.origin, "destination": options.destination}
    with opened(options.data) as site:
        found = advice(site, options.product, **ends, alive_min=options.alive)
    ways = [
        {
            "lane": one.lane,
            "shipper": one.shipper,
            "model": one.model,
            "mode": one.mode,
            "hours": one.hours,
            "alive": [one.alive.low, one.alive.middle, one.alive.high] if one.alive else None,
            "may_go": one.may_go,
            "against": list(one.against),
        }
        for one in found
    ]
    lines = []
    for one in found:
        alive = f", alive {100 * one.alive.middle:.1f} %" if one.alive else ""
        says = "may go" if one.may_go else "; ".join(one.against)
        lines.append(f"{one.lane} with {one.shipper} ({one.model}), {one.hours:g} h{alive}: {says}")
    text = "\n".join(lines) or "no lane between these sites"
    return Answer({"options": ways}, text, ok=any(one.may_go for one in found))


def pool(options: argparse.Namespace) -> Answer:
    """Export this house's records, add records to a pool, or ask it."""
    return {"export": _export, "add": _add, "query": _query}[options.act](options)


def _export(options: argparse.Namespace) -> Answer:
    from anlage.app import opened, records_to_share

    if options.output is None:
        raise Refused(
            "output-unknown", what="lane records", found="no file", limit="-o FILE",
            remedy="name the file to write", rule="Anlage command line",
        )  # fmt: skip
    with opened(options.data) as site:
        lines = records_to_share(site)
    options.output.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    data = {"file": str(options.output), "records": len(lines)}
    return Answer(data, f"{options.output}: {len(lines)} records, pseudonymised")


def _add(options: argparse.Namespace) -> Answer:
    from anlage.app import add_to_pool

    if not options.files:
        raise Refused(
            "file-missing", what="lane records", found="no file named", limit="FILE …",
            remedy="name the files to add", rule="Anlage command line",
        )  # fmt: skip
    new, held, problems = add_to_pool(options.pool, options.files)
    data: dict[str, Any] = {
        "pool": str(options.pool),
        "new": new,
        "records": held,
        "problems": [one.as_dict() for one in problems],
    }
    lines = [f"{options.pool}: {new} new, {held} in all", *(f"  {one}" for one in problems)]
    return Answer(data, "\n".join(lines), ok=not problems)


def _query(options: argparse.Namespace) -> Answer:
    from anlage.app import read_pool
    from anlage.custody.transport import query

    records, problems = read_pool(options.pool)
    said = query(
        records,
        origin=options.origin,
        destination=options.destination,
        goods=options.goods,
        mode=options.mode,
        cause=options.cause,
    )
    said["problems"] = [one.as_dict() for one in problems]
    lines = [f"{said['records']} records of {said['members']} members"]
    if said["records"]:
        lines.append(f"  hours: median {said['hours_median']:g}, 95 of 100 {said['hours_p95']:g}")
        lines.append(f"  on time {said['on_time']:.0%}, held {said['held']:.0%}")
        lines += [
            f"  {cause}: {held['holds']} holds, median {held['hours_median']:g} h"
            for cause, held in said["causes"].items()
        ]
    return Answer(said, "\n".join(lines))


def _moment(text: str | None) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        return datetime.combine(date.fromisoformat(text), time(12), UTC)
    except ValueError as error:
        raise Refused(
            "date-unreadable", what="day", found=repr(text[:20]), limit="a day, such as 2026-03-01",
            remedy="write year, month, day", rule="ISO 8601",
        ) from error  # fmt: skip


def _told(rule: "CountryRule") -> dict[str, Any]:
    return {
        "id": rule.id,
        "asks": rule.asks.value,
        "says": rule.says,
        "source": rule.source,
        "read": rule.read.isoformat() if rule.read else None,
    }
