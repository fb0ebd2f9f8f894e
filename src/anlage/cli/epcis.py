"""`anlage epcis`: documents of supply-chain events, checked and hashed."""

import argparse
from pathlib import Path
from typing import Any

from anlage.base import Refused
from anlage.cli.shell import Answer, Group


def register(group: Group) -> None:
    """Add the commands of the group."""
    parser = group.command("check", check_files, help="whether documents are valid EPCIS 2.0")
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="JSON-LD or XML")
    parser = group.command("export", export, help="the custody of a subject as EPCIS 2.0")
    parser.add_argument("subject", metavar="SUBJECT", help="lot/ID, container/ID or shipment/ID")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--base", default="urn:anlage:", help="what stands before our ids")
    parser = group.command("hash", hash_files, help="canonical hash of each event (CBV 2.0)")
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="JSON-LD or XML")
    parser.add_argument(
        "--all-fields",
        action="store_true",
        help="count also the fields that the document says a repository added (ignoreFields)",
    )
    parser.add_argument(
        "--lines", action="store_true", help="give also the line that each hash is made of"
    )


def export(options: argparse.Namespace) -> Answer:
    """Write the custody of a subject as an EPCIS document that passes our own check."""
    import json
    import os

    from anlage.app import epcis_of, open_clocked, settings
    from anlage.record import Stream

    folder = options.data or Path(os.environ.get("ANLAGE_DATA", "anlage-data"))
    site = open_clocked(settings(folder), may_be_beside=True)
    try:
        subject = Stream(options.subject)
        document = epcis_of(site, subject, at=site.clock.now(), base=options.base)
    finally:
        site.close()
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    options.output.write_text(text, "utf-8")
    events = document["epcisBody"]["eventList"]
    things = {one for event in events for one in event.get("epcList", event.get("childEPCs", []))}
    return Answer(
        {"file": str(options.output), "events": len(events), "containers": sorted(things)},
        f"{options.output}: {len(events)} events of {len(things)} things",
    )


def check_files(options: argparse.Namespace) -> Answer:
    """Judge each document; every problem names its place and the reason."""
    from anlage.wire.epcis import check, read_file

    files: list[dict[str, Any]] = []
    lines: list[str] = []
    for path in options.files:
        try:
            problems = check(read_file(path))
        except Refused as refusal:
            problems = list(refusal.problems)
        files.append(
            {
                "file": str(path),
                "valid": not problems,
                "problems": [problem.as_dict() for problem in problems],
            }
        )
        lines.append(f"{path}: {'INVALID' if problems else 'valid'}")
        lines += [f"  {problem}" for problem in problems]
    return Answer({"files": files}, "\n".join(lines), ok=all(entry["valid"] for entry in files))


def hash_files(options: argparse.Namespace) -> Answer:
    """Give the event hashes of each file in document order."""
    from anlage.wire.epcis import canonical_lines, declares_ignored, event_hash, read_file

    files: list[dict[str, Any]] = []
    for path in options.files:
        entry: dict[str, Any] = {"file": str(path), "hashes": [], "problems": []}
        try:
            document = read_file(path)
            lines = canonical_lines(document, all_fields=options.all_fields)
            entry["hashes"] = [event_hash(line) for line in lines]
            if options.lines:
                entry["lines"] = lines
            if declares_ignored(document) and not options.all_fields:
                entry["hashes_all_fields"] = [
                    event_hash(line) for line in canonical_lines(document, all_fields=True)
                ]
            if not lines:
                raise _nothing(path)
        except Refused as refusal:
            entry["problems"] = [problem.as_dict() for problem in refusal.problems]
        files.append(entry)
    text = "\n".join(
        "\n".join([entry["file"], *(f"  {value}" for value in entry["hashes"])])
        + "".join(
            f"\n  problem: {problem['what']}: {problem['found']}" for problem in entry["problems"]
        )
        for entry in files
    )
    return Answer({"files": files}, text, ok=not any(entry["problems"] for entry in files))


def _nothing(path: Path) -> Refused:
    return Refused(
        "no-events",
        what=f"document {path.name}",
        found="no events",
        limit="at least one event",
        remedy="check that the file is an EPCIS document with an event list",
        rule="EPCIS 2.0",
        path=str(path),
    )
