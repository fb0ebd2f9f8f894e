"""`anlage flow`: what an FCS file says, and which events its gates hold."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Refused

from .shell import Answer, Group

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from anlage.lab.flow import Sample


def register(group: Group) -> None:
    """Add the commands of the group."""
    info = group.command("info", _info, help="what an FCS file says, and where it deviates")
    info.add_argument("files", nargs="+", metavar="FILE", help="FCS files")
    _reading(info)
    info.add_argument("--keywords", action="store_true", help="print every keyword too")

    gate = group.command("gate", _gate, help="count the events of each Gating-ML 2.0 gate")
    gate.add_argument("file", metavar="FILE", help="FCS file")
    gates = gate.add_mutually_exclusive_group(required=True)
    gates.add_argument("--gatingml", metavar="FILE", help="gates as Gating-ML 2.0")
    gate.add_argument(
        "--membership", type=Path, metavar="DIR", help="write GATE.txt: 0 or 1 per event"
    )
    gate.add_argument(
        "--median", action="append", default=[], metavar="CHANNEL", help="median per gate"
    )
    _reading(gate)


def _reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lenient", action="store_true", help="accept deviations and write them down"
    )
    parser.add_argument(
        "--dataset", type=int, default=0, metavar="N", help="data set within the file, from 0"
    )


def _info(args: argparse.Namespace) -> Answer:
    from anlage.lab.flow import read_fcs

    found: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    lines = []
    for file in args.files:
        try:
            sample = read_fcs(file, lenient=args.lenient, dataset=args.dataset)
        except Refused as refusal:
            if len(args.files) == 1:
                raise
            found.append({"file": file, "refused": refusal.problem.as_dict()})
            problems += [problem.as_dict() for problem in refusal.problems]
            lines.append(f"{file}: refused: {refusal}")
            continue
        said = {"file": file, **_said(sample), "refused": None}
        if args.keywords:
            said["keywords"] = sample.keywords
        found.append(said)
        lines.append(_told(file, sample))
    text = "\n".join(lines)
    if len(found) == 1:
        return Answer({**found[0], "problems": []}, text)
    return Answer({"files": found, "problems": problems}, text, ok=not problems)


def _said(sample: "Sample") -> dict[str, Any]:
    matrix = sample.spillover
    return {
        "version": sample.version,
        "instrument": sample.instrument,
        "acquired": sample.keywords.get("$DATE"),
        "events": sample.event_count,
        "channels": [channel.as_dict() for channel in sample.channels],
        "spillover": None if matrix is None else list(matrix.detectors),
        "dataset": sample.dataset,
        "datasets": sample.dataset_count,
        "deviations": [deviation.as_dict() for deviation in sample.deviations],
        "lenient": sample.is_lenient,
        "identifiers": [identifier.as_dict() for identifier in sample.identifiers],
    }


def _told(file: str, sample: "Sample") -> str:
    lines = [
        f"{file}: FCS {sample.version}, {sample.event_count} events, "
        f"{len(sample.channels)} channels, {sample.instrument or 'instrument not named'}"
    ]
    lines += [
        f"  {channel.number:3d}  {channel.name:<16} {channel.marker or ''}"
        for channel in sample.channels
    ]
    for deviation in sample.deviations:
        kind = "deviation" if deviation.breach else "note"
        lines.append(
            f"  {kind}: {deviation.what}: found {deviation.found}, "
            f"expected {deviation.expected}; {deviation.accepted}"
        )
    for identifier in sample.identifiers:
        lines.append(f"  may name a {identifier.kind}: {identifier.keyword}")
    return "\n".join(lines)


def _gate(args: argparse.Namespace) -> Answer:
    from anlage.lab.flow import gate, populations, read_fcs, read_gatingml

    sample = read_fcs(args.file, lenient=args.lenient, dataset=args.dataset)
    strategy = read_gatingml(args.gatingml)
    gated = gate(sample, strategy)
    found = populations(gated, args.median)
    if args.membership is not None:
        _write_membership(args.membership, gated.membership)
    data = {
        "file": args.file,
        "events": sample.event_count,
        "gates": {name: population.as_dict() for name, population in found.items()},
        "deviations": [deviation.as_dict() for deviation in sample.deviations],
        "problems": [],
    }
    lines = [f"{sample.event_count} events"]
    for name, population in found.items():
        share = population.percent_of_parent
        of = "" if population.parent is None else f" of {population.parent}"
        told = "" if share is None else f"{share:8.3f} %{of}"
        lines.append(f"  {name:<28} {population.count:>9} {told}")
    return Answer(data, "\n".join(lines))


def _write_membership(folder: Path, membership: "dict[str, NDArray[numpy.bool_]]") -> None:
    import numpy

    folder.mkdir(parents=True, exist_ok=True)
    taken: dict[str, str] = {}
    for name, marks in membership.items():
        safe = _file_name(name)
        if safe.casefold() in taken:
            raise Refused(
                "membership-name",
                what=f"gate {name}",
                found=f"the file name of gate {taken[safe.casefold()]}",
                limit="gates whose names differ in a file name",
                remedy="rename one of the gates",
            )
        taken[safe.casefold()] = name
        lines = numpy.full((len(marks), 2), ord("\n"), numpy.uint8)
        lines[:, 0] = marks.astype(numpy.uint8) + ord("0")
        (folder / f"{safe}.txt").write_bytes(lines.tobytes())


def _file_name(name: str) -> str:
    safe = re.sub(r"[^\w.+ -]", "_", name).strip(". ")[:120]
    return safe or "_"
