"""`anlage scan`: what a code says."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anlage.base import Refused
from anlage.cli.shell import Answer, Group
from anlage.custody.codes import Reading

_NAME_MAX = 255


def register(group: Group) -> None:
    """Add the commands of the group."""
    parser = group.command("decode", decode, help="explain any code: text, or an image of it")
    parser.add_argument("code", metavar="TEXT|IMAGE", help="text as scanned or typed, or an image")


def decode(options: argparse.Namespace) -> Answer:
    """Explain one code; every problem names what, found, limit and remedy."""
    from anlage.custody.codes import decode as decode_text
    from anlage.wire.symbols import IMAGE_SUFFIXES, nothing_read, read_file

    text: str = options.code
    today = datetime.now(UTC).date()
    path = Path(text) if len(text) <= _NAME_MAX and "\x00" not in text else None
    named = path is not None and path.suffix.lower() in IMAGE_SUFFIXES
    if path is None or not (named and "://" not in text):
        return _answer([("text", decode_text(text, today))])
    if not path.is_file():
        raise Refused(
            "file-missing",
            what=f"image {path}",
            found="no such file",
            limit="an image file that can be read",
            remedy="check the name and the folder",
            rule="Anlage command line",
            path=str(path),
        )
    scans = read_file(path)
    if not scans:
        problem = nothing_read(path.name)
        empty = Reading(kind="unknown", raw="", problems=(problem,))
        return _answer([("none", empty)])
    return _answer([(scan.symbology, decode_text(scan.marked, today)) for scan in scans])


def _answer(found: list[tuple[str, Reading]]) -> Answer:
    codes = [_as_data(symbology, reading) for symbology, reading in found]
    data = {**codes[0], "codes": codes} if len(codes) > 1 else codes[0]
    if len(codes) > 1:
        data["valid"] = all(code["valid"] for code in codes)
        data["problems"] = [problem for code in codes for problem in code["problems"]]
    text = "\n\n".join(_as_text(symbology, reading) for symbology, reading in found)
    return Answer(data, text, ok=bool(data["valid"]))


def _as_data(symbology: str, reading: Reading) -> dict[str, Any]:
    return {
        "symbology": symbology,
        "kind": reading.kind,
        "fields": reading.fields,
        "valid": reading.valid,
        "problems": [problem.as_dict() for problem in reading.problems],
        "notes": list(reading.notes),
        "raw": reading.raw,
        "explained": [
            {
                "code": element.code,
                "name": element.name,
                "raw": element.raw,
                "value": element.value,
                "meaning": element.meaning,
            }
            for element in reading.elements
        ],
    }


def _as_text(symbology: str, reading: Reading) -> str:
    state = "valid" if reading.valid else "REFUSED"
    lines = [f"{reading.kind} ({symbology}): {state}"]
    lines += [f"  {e.code:<10} {e.raw:<24} {e.meaning}" for e in reading.elements]
    lines += [f"  {name}: {value}" for name, value in reading.more if not name.isdigit()]
    lines += [f"  note: {note}" for note in reading.notes]
    lines += [f"  problem: {problem}" for problem in reading.problems]
    return "\n".join(lines)
