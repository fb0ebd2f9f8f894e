"""`anlage image …`: microscope images become counts, viability, state and shape, or a refusal."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anlage.base import Problem, Refused
from anlage.cli.shell import Answer, Group

Row = dict[str, Any]
Measure = Callable[[Any, argparse.Namespace], tuple[Row, str] | Problem]


def register(group: Group) -> None:
    """Add the commands of the group."""
    count = _command(group, "count", _count, "count nuclei or cells and outline each")
    count.add_argument("--masks", type=Path, metavar="DIR", help="write 16-bit label PNGs here")
    count.add_argument("--channel", metavar="NAME|N", help="channel that holds the nuclei")
    count.add_argument(
        "--chamber-depth-um", type=_positive, metavar="UM", help="for a concentration"
    )
    count.add_argument("--dilution", type=_positive, default=1.0, metavar="X")


def _command(group: Group, name: str, measure: Measure, summary: str) -> argparse.ArgumentParser:
    parser = group.command(name, lambda options: _each(options, measure), help=summary)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--allow-duplicates", action="store_true", help="measure the same picture twice"
    )
    return parser


def _positive(word: str) -> float:
    value = float(word)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("a positive number is expected")
    return value


def _each(options: argparse.Namespace, measure: Measure) -> Answer:
    """Measure every file; one refusal does not stop the others."""
    from anlage.lab.image import pixel_digest, read_picture

    rows: list[Row] = []
    lines: list[str] = []
    seen: dict[str, str] = {}
    for path in options.files:
        row: Row = {"file": str(path), "flags": [], "refused": None}
        try:
            picture = read_picture(path)
            key = pixel_digest(picture)
            if key in seen and not options.allow_duplicates:
                raise Refused(
                    "image-duplicate",
                    what=f"image {path.name} holds the same pixels as {seen[key]}",
                    remedy="leave one out, or allow duplicates",
                    path=str(path),
                )
            seen.setdefault(key, path.name)
            answer = measure(picture, options)
            if isinstance(answer, Problem):
                raise Refused.of([answer])
            more, line = answer
            row.update(more)
            row["digest"] = picture.digest
        except Refused as refusal:
            row["refused"] = refusal.problem.as_dict() | {"path": str(path)}
            line = f"refused [{refusal.code}] {refusal}"
        rows.append(row)
        lines.append(f"{path.name}: {line}")
    refused = sum(row["refused"] is not None for row in rows)
    if refused:
        lines.append(f"{refused} of {len(rows)} images refused")
    return Answer({"images": rows, "refused_count": refused}, "\n".join(lines), ok=not refused)


def _channel(picture: Any, word: str | None) -> int | None:
    if word is None:
        return None
    if word.isdigit() and int(word) < len(picture.channel_names):
        return int(word)
    found = [
        k for k, name in enumerate(picture.channel_names) if name.casefold() == word.casefold()
    ]
    if found:
        return found[0]
    raise Refused(
        "image-channel-unknown",
        what=f"image {picture.name} has no channel {word}",
        found=", ".join(name or str(k) for k, name in enumerate(picture.channel_names)),
        remedy="name one of these",
    )


def _count(picture: Any, options: argparse.Namespace) -> tuple[Row, str] | Problem:
    from anlage.lab.image import count_nuclei, write_labels

    result = count_nuclei(
        picture,
        channel=_channel(picture, options.channel),
        chamber_depth_um=options.chamber_depth_um,
        dilution=options.dilution,
    )
    if isinstance(result, Problem):
        return result
    row: Row = {
        "count": result.count,
        "flags": list(result.flags),
        "mask": None,
        "frames": list(result.counts),
        "area_px_median": result.area_px_median,
        "per_mm2": result.per_mm2,
        "per_ml": result.per_ml,
        "method": result.card.as_dict(),
    }
    if options.masks is not None:
        row["mask"] = str(write_labels(result.labels[0], options.masks, picture.name))
    line = f"{result.count} objects"
    if result.per_ml is not None:
        line += f", {result.per_ml:.3g} per mL"
    return row, line
