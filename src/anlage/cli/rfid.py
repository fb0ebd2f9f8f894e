"""`anlage rfid simulate`: a gate that is simulated, and sends what it read in bulk."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Refused
from anlage.cli.shell import Answer, Group

if TYPE_CHECKING:
    from anlage.wire.readers import Gateway

_TAGS_MAX = 2000


def register(group: Group) -> None:
    """Add the commands of the group."""
    parser = group.command("simulate", simulate, help="let tags pass a simulated gate")
    parser.add_argument(
        "what", metavar="SHIPMENT|FILE", help="shipment/ID, or a file with an EPC memory per line"
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the served installation")
    parser.add_argument(
        "--token", default="", help="a token of `anlage token create` (or ANLAGE_TOKEN)"
    )
    parser.add_argument("--shipment", default="", metavar="ID", help="what the tags of a file are")
    parser.add_argument("--reader", default="simulated-gate", help="the reader's name")
    parser.add_argument("--missing", type=int, default=0, metavar="N", help="tags that stay silent")
    parser.add_argument("--foreign", type=int, default=0, metavar="N", help="stray tags besides")
    parser.add_argument("--repeats", type=float, default=12, help="reads of a tag in the mean")
    parser.add_argument("--antennas", type=int, default=4, help="antennas of the gate")
    parser.add_argument("--bulk", type=int, default=_TAGS_MAX, help="reads in one request")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same reads")


def simulate(options: argparse.Namespace) -> Answer:
    """Read the tags of a shipment or a file at a simulated gate, and send the reads."""
    import numpy as np

    from anlage.custody import gather_reads
    from anlage.wire.readers import Gateway, play

    _must_be_in_range(options)
    gateway = Gateway(options.url, options.token or os.environ.get("ANLAGE_TOKEN", ""))
    shipment, tags, untagged = _tags(options, gateway)
    if not tags:
        raise _no("tags-missing", options.what, "no tag that an RFID reader reads", "one or more")
    played = play(
        tags,
        at=datetime.now(UTC),
        rng=np.random.default_rng(options.seed),
        missing=options.missing,
        foreign=options.foreign,
        repeats=options.repeats,
        antennas=options.antennas,
    )
    requests = gateway.send(
        played.reads,
        reader=options.reader,
        shipment=shipment,
        bulk=options.bulk,
        is_simulated=True,
    )
    seen = gather_reads(played.reads)
    data: dict[str, Any] = {
        "simulated": True,
        "reader": options.reader,
        "shipment": shipment,
        "tags": len(tags),
        "reads": len(played.reads),
        "requests": requests,
        "read": list(played.passed),
        "missed": list(played.missed),
        "strays": list(played.strays),
        "untagged": untagged,
        "strongest": {epc: str(one.rssi) for epc, one in seen.items()},
    }
    if shipment:
        verdict = gateway.tags(shipment)
        data["verdict"] = {
            name: verdict[name]
            for name in ("present", "missing", "foreign", "unreadable", "untagged", "is_complete")
        }
        data["page"] = f"{options.url.rstrip('/')}/scan/shipment/{shipment}"
    return Answer(data, _text(data))


def _text(data: dict[str, Any]) -> str:
    lines = [
        f"SIMULATED reader {data['reader']}: {data['reads']} reads of "
        f"{len(data['read']) + len(data['strays'])} tags in {len(data['requests'])} requests"
    ]
    lines += [f"  not read on purpose: {one}" for one in data["missed"]]
    lines += [f"  stray on purpose: {one}" for one in data["strays"]]
    lines += [f"  carries no EPC tag: {one}" for one in data["untagged"]]
    if verdict := data.get("verdict"):
        state = "complete" if verdict["is_complete"] else "NOT complete"
        lines.append(f"{data['page']}: {state}, {len(verdict['present'])} there")
        lines += [f"  missing: {one}" for one in verdict["missing"]]
        lines += [f"  foreign: {one}" for one in verdict["foreign"]]
        lines += [f"  unreadable: {one}" for one in verdict["unreadable"]]
    return "\n".join(lines)


def _tags(options: argparse.Namespace, gateway: "Gateway") -> tuple[str, list[str], list[str]]:
    """Give the shipment, the memory of each tag, and containers that carry no tag."""
    from anlage.wire.readers import tag_of

    path = Path(options.what)
    if path.is_file():
        return options.shipment, _file(path), []
    family, _, shipment = options.what.rpartition("/")
    if family not in ("", "shipment"):
        raise _no("subject-unknown", options.what, "no shipment and no file", "shipment/ID")
    listed = gateway.tags(shipment)
    today = datetime.now(UTC).date()
    memories: dict[str, str] = {}
    for one in listed["expected"]:
        memory = tag_of(one["code"], today)
        if memory is not None:
            memories.setdefault(one["container"], memory)
    held = dict.fromkeys((*(one["container"] for one in listed["expected"]), *listed["untagged"]))
    return shipment, list(memories.values()), [one for one in held if one not in memories]


def _file(path: Path) -> list[str]:
    try:
        text = path.read_text("ascii")
    except (OSError, ValueError) as error:
        raise _no(
            "file-unreadable", str(path), str(error)[:80], "an EPC memory per line"
        ) from error
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    return list(dict.fromkeys(line for line in lines if line))


def _must_be_in_range(options: argparse.Namespace) -> None:
    for name, low, high in (
        ("missing", 0, _TAGS_MAX),
        ("foreign", 0, _TAGS_MAX),
        ("repeats", 1, 1000),
        ("antennas", 1, 64),
        ("bulk", 1, _TAGS_MAX),
    ):
        if not low <= getattr(options, name) <= high:
            raise _no(
                "option-out-of-range", f"--{name}", str(getattr(options, name)), f"{low} to {high}"
            )


def _no(code: str, what: str, found: str, limit: str) -> Refused:
    return Refused(
        code, what=what, found=found, limit=limit, remedy="correct it", rule="Anlage command line"
    )
