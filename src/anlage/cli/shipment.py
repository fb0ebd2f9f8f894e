"""`anlage shipment`: conditions, verdicts, papers."""

import argparse
import json
from pathlib import Path
from typing import Any

from anlage.base import Refused, stamp
from anlage.cli.acting import Acting, ask_person
from anlage.cli.shell import Answer, Group

FORMS = {".pdf": "pdf", ".json": "json"}


def register(group: Group) -> None:
    """Add the commands of the group."""
    parser = group.command("show", show, help="where a shipment stands and what is known of it")
    parser.add_argument("shipment", metavar="SHIPMENT")
    parser = group.command("log", log, help="take in a logger's file or telemetry, and judge it")
    parser.add_argument("shipment", metavar="SHIPMENT")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--product", metavar="ID", help="whose rule judges, without a booking")
    parser.add_argument("--channel", metavar="NAME", help="the column of the product's probe")
    parser.add_argument("--unit", choices=("C", "F", "K"), help="where the file does not say")
    parser.add_argument("--time-zone", metavar="+HH:MM", help="where the file does not say")
    ask_person(parser)
    parser = group.command("papers", papers, help="the papers of a shipment, PDF or JSON")
    parser.add_argument("shipment", metavar="SHIPMENT")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")


def show(options: argparse.Namespace) -> Answer:
    """Say where a shipment stands, its hand-overs, holds, logs and what would live."""
    from anlage.app import opened, predicted
    from anlage.custody.transport import Shipment
    from anlage.record import Stream

    with opened(options.data) as site:
        found = site.engine.state(Shipment, Stream(f"shipment/{options.shipment}"))
        if found.standing == "unknown":
            raise _unknown(options.shipment)
        data: dict[str, Any] = {
            "shipment": found.id,
            "standing": found.standing,
            "lane": found.booked.lane if found.booked else None,
            "due": stamp(found.prepared.due) if found.prepared else None,
            "hand_overs": [
                {"from": one.giver, "to": one.receiver, "means": one.means.value,
                 "grade": one.evidence.value, "place": one.place}
                for one in found.hand_overs
            ],
            "holds": [
                {"cause": one.held.cause.value, "place": one.held.place,
                 "from": stamp(one.began) if one.began else None,
                 "to": stamp(one.ended) if one.ended else None}
                for one in found.holds
            ],
            "verdict": found.verdict,
            "logs": [
                {"name": one.name, "verdict": one.verdict, "reasons": list(one.reasons),
                 "rule": one.rule, "readings": one.readings, "low": str(one.low),
                 "high": str(one.high), "excursions": len(one.excursions),
                 "events": list(one.events), "alive": predicted(site, one)}
                for one in found.logs
            ],
        }  # fmt: skip
    lines = [f"{found.id}: {found.standing}"]
    lines += [
        f"  {h['from']} -> {h['to']} at {h['place']} ({h['grade']})" for h in data["hand_overs"]
    ]
    lines += [f"  stood still at {h['place']}: {h['cause']}" for h in data["holds"]]
    for one in data["logs"]:
        lines.append(f"  {one['name']}: {one['verdict']} by {one['rule']}")
        lines += [f"    because {reason}" for reason in one["reasons"]]
        if one["alive"]:
            alive = one["alive"]
            lines.append(f"    alive {alive['percent']} % ({alive['low']} to {alive['high']} %)")
    return Answer(data, "\n".join(lines))


def log(options: argparse.Namespace) -> Answer:
    """Take in a record of the way. Exit code 2 where the verdict is not accept."""
    from anlage.app import opened, take_in
    from anlage.custody.transport import ConditionLogged
    from anlage.record import Actor

    try:
        data = options.file.read_bytes()
    except OSError as error:
        raise Refused(
            "file-missing", what=f"record {options.file}", found=error.strerror or "unreadable",
            limit="a file that can be read", remedy="check the name", rule="Anlage command line",
        ) from error  # fmt: skip
    with opened(options.data) as site:
        acting = Acting(options, site)
        outcome = take_in(
            site,
            options.shipment,
            data,
            options.file.name,
            actor=Actor(person=acting.person, via="command-line"),
            product=options.product,
            channel=options.channel,
            unit=options.unit,
            zone=options.time_zone,
        )
    said = next(one.fact for one in outcome.facts if isinstance(one.fact, ConditionLogged))
    found = {
        "file": said.file,
        "verdict": said.verdict,
        "rule": said.rule,
        "reasons": list(said.reasons),
        "readings": said.readings,
        "excursions": [
            {"start": stamp(one.start), "end": stamp(one.end), "worst": str(one.worst)}
            for one in said.excursions
        ],
        "events": list(said.events),
        "problems": list(said.problems),
    }
    lines = [f"{options.file.name}: {said.verdict.upper()} by {said.rule}"]
    lines += [f"  because {reason}" for reason in said.reasons]
    return Answer(found, "\n".join(lines), ok=said.verdict == "accept")


def papers(options: argparse.Namespace) -> Answer:
    """Write the papers; the ending of the file's name says which form."""
    from anlage.app import opened, papers_of, print_papers

    form = FORMS.get(options.output.suffix.lower())
    if form is None:
        raise Refused(
            "output-unknown", what=f"papers {options.output.name}",
            found=options.output.suffix or "no ending", limit=", ".join(FORMS),
            remedy="name a file that ends in one of these", rule="Anlage command line",
        )  # fmt: skip
    with opened(options.data) as site:
        data = papers_of(site, options.shipment)
        written = (
            print_papers(site, options.shipment)
            if form == "pdf"
            else json.dumps(data, ensure_ascii=False, indent=2).encode()
        )
    options.output.write_bytes(written)
    said = {"file": str(options.output), "bytes": len(written), "rules": len(data["rules"])}
    return Answer(said, f"{options.output}: {len(written)} bytes")


def _unknown(name: str) -> Refused:
    return Refused(
        "subject-unknown", what=f"shipment {name}", found="nothing recorded",
        remedy="check the number, or scan again",
    )  # fmt: skip
