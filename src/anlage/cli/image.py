"""`anlage image …`: microscope images become counts, viability, state and shape, or a refusal."""

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Problem, Refused
from anlage.cli.shell import Answer, Group

if TYPE_CHECKING:
    from anlage.lab.image import Picture

Row = dict[str, Any]
NUMBERS = {
    "count": ("count", "mask"),
    "viability": ("live", "dead", "viability_percent", "interval"),
    "activation": ("score",),
    "confluence": ("confluence_percent",),
    "inspect": ("counts",),
    "microcarriers": ("carriers", "cells_per_carrier"),
}
"""What each command measures: null in the row of a refused file."""

AT_ONCE = 4
"""Pictures per core that are held in memory at a time."""

Measure = Callable[[Any, argparse.Namespace], tuple[Row, str] | Problem]


def register(group: Group) -> None:
    """Add the commands of the group."""
    count = _command(group, "count", _count, "count nuclei or cells and outline each")
    count.add_argument("--masks", type=Path, metavar="DIR", help="write 16-bit label PNGs here")
    count.add_argument("--channel", metavar="NAME|N", help="channel that holds the nuclei")
    _concentration(count)
    viability = _command(group, "viability", _viability, "count living and dead cells")
    _concentration(viability)
    _command(group, "activation", _activation, "score how activated single T cells look")
    _command(group, "confluence", _confluence, "measure how much of a field cells cover")
    _command(group, "inspect", _inspect, "tell cells, dead cells, debris and particles apart")
    carriers = _command(group, "microcarriers", _microcarriers, "count cells on microcarriers")
    carriers.add_argument("--channel", metavar="NAME|N", help="channel that holds the nuclei")
    carriers.add_argument(
        "--radius-px", type=_positive, nargs=2, default=(40.0, 160.0), metavar=("MIN", "MAX")
    )
    colonies = group.command("colonies", _colonies, help="trace colonies back to their founders")
    colonies.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="one field in the order of time; stacks count as their pictures",
    )
    train = group.command("train", _train, help="train a packaged network again (needs torch)")
    train.add_argument("network", choices=("nuclei", "chamber", "activation", "gate"))
    train.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR")
    train.add_argument("--into", type=Path, required=True, metavar="DIR")
    train.add_argument(
        "--steps", type=_steps, metavar="N", help="train nuclei for at most N steps, as a trial"
    )
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--threads", type=int, default=1)
    train.add_argument(
        "--cross-validate", action="store_true", help="score with a series or donor left out"
    )


def _command(group: Group, name: str, measure: Measure, summary: str) -> argparse.ArgumentParser:
    parser = group.command(name, lambda options: _each(options, name, measure), help=summary)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--allow-duplicates", action="store_true", help="measure the same picture twice"
    )
    return parser


def _concentration(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--chamber-depth-um", type=_positive, metavar="UM", help="for a concentration"
    )
    parser.add_argument("--dilution", type=_positive, default=1.0, metavar="X")


def _positive(word: str) -> float:
    value = float(word)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("a positive number is expected")
    return value


def _steps(word: str) -> int:
    value = int(word)
    if not 1 <= value < 10_000_000:
        raise argparse.ArgumentTypeError("a positive whole number is expected")
    return value


def _each(options: argparse.Namespace, name: str, measure: Measure) -> Answer:
    """Measure every file, one on each core; a refusal does not stop the others."""
    from anlage.lab.processors import processors

    told: list[tuple[Row, str] | Refused] = []
    seen: dict[str, str] = {}
    together = AT_ONCE * processors()
    with ThreadPoolExecutor(processors()) as pool:
        for begun in range(0, len(options.files), together):
            paths = options.files[begun : begun + together]
            opened = [
                _once(path, one, seen, again=options.allow_duplicates)
                for path, one in zip(paths, pool.map(_opened, paths), strict=True)
            ]
            told += pool.map(lambda one: _measured(one, measure, options), opened)
    rows: list[Row] = []
    lines: list[str] = []
    for path, answer in zip(options.files, told, strict=True):
        row: Row = {"file": str(path), **dict.fromkeys(NUMBERS[name])}
        row |= {"flags": [], "refused": None}
        if isinstance(answer, Refused):
            row["refused"] = answer.problem.as_dict() | {"path": str(path)}
            line = f"refused [{answer.code}] {answer}"
        else:
            more, line = answer
            row.update(more)
        rows.append(row)
        lines.append(f"{path.name}: {line}")
    refused = sum(row["refused"] is not None for row in rows)
    if refused:
        lines.append(f"{refused} of {len(rows)} images refused")
    return Answer({"images": rows, "refused_count": refused}, "\n".join(lines), ok=not refused)


def _opened(path: Path) -> "tuple[Picture, str] | Refused":
    """Give the picture of a file and the digest of its pixels."""
    from anlage.lab.image import pixel_digest, read_picture

    try:
        picture = read_picture(path)
    except Refused as refusal:
        return refusal
    return picture, pixel_digest(picture)


def _once(
    path: Path, opened: "tuple[Picture, str] | Refused", seen: dict[str, str], *, again: bool
) -> "Picture | Refused":
    """Refuse the picture whose pixels came before, unless they may come again."""
    if isinstance(opened, Refused):
        return opened
    picture, key = opened
    if key in seen and not again:
        return Refused(
            "image-duplicate",
            what=f"image {path.name} holds the same pixels as {seen[key]}",
            remedy="leave one out, or allow duplicates",
            path=str(path),
        )
    seen.setdefault(key, path.name)
    return picture


def _measured(
    picture: "Picture | Refused", measure: Measure, options: argparse.Namespace
) -> tuple[Row, str] | Refused:
    if isinstance(picture, Refused):
        return picture
    try:
        answer = measure(picture, options)
    except Refused as refusal:
        return refusal
    if isinstance(answer, Problem):
        return Refused.of([answer])
    row, line = answer
    return row | {"digest": picture.digest}, line


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
        stem = picture.name
        # Files of one name from several folders do not overwrite each other's masks.
        if sum(path.stem == Path(stem).stem for path in options.files) > 1:
            stem = f"{Path(stem).stem}-{picture.digest[:12]}.png"
        row["mask"] = str(write_labels(result.labels[0], options.masks, stem))
    line = f"{result.count} objects"
    if result.per_ml is not None:
        line += f", {result.per_ml:.3g} per mL"
    return row, line


def _viability(picture: Any, options: argparse.Namespace) -> tuple[Row, str] | Problem:
    from anlage.lab.image import judge_viability

    result = judge_viability(
        picture, chamber_depth_um=options.chamber_depth_um, dilution=options.dilution
    )
    if isinstance(result, Problem):
        return result
    interval = result.interval
    row: Row = {
        "live": result.live,
        "dead": result.dead,
        "viability_percent": result.viability_percent,
        "interval": None if interval is None else list(interval),
        "live_interval": list(result.live_interval),
        "dead_interval": list(result.dead_interval),
        "flags": list(result.flags),
        "per_ml": result.per_ml,
        "cells": [
            {"x": cell.x, "y": cell.y, "alive": cell.alive, "chance": round(cell.chance, 3)}
            for cell in result.cells
        ],
        "method": result.card.as_dict(),
    }
    line = f"{result.live} living, {result.dead} dead"
    if interval is not None:
        line += f", viability {result.viability_percent:.1f} %"
        line += f" ({interval[0]:.1f} to {interval[1]:.1f} %)"
    return row, line


def _activation(picture: Any, options: argparse.Namespace) -> tuple[Row, str] | Problem:
    from anlage.lab.image import judge_activation

    result = judge_activation(picture)
    if isinstance(result, Problem):
        return result
    row: Row = {
        "score": result.score,
        "flags": list(result.flags),
        "method": result.card.as_dict(),
    }
    return row, f"activation score {result.score:.3f} (a development method)"


def _confluence(picture: Any, options: argparse.Namespace) -> tuple[Row, str] | Problem:
    from anlage.lab.image import measure_confluence

    result = measure_confluence(picture)
    if isinstance(result, Problem):
        return result
    row: Row = {
        "confluence_percent": result.confluence_percent,
        "frames": list(result.confluences_percent),
        "flags": list(result.flags),
        "method": result.card.as_dict(),
    }
    return row, f"{result.confluence_percent:.1f} % covered"


def _inspect(picture: Any, options: argparse.Namespace) -> tuple[Row, str] | Problem:
    from anlage.lab.image import ObjectClass, inspect_objects

    result = inspect_objects(picture)
    if isinstance(result, Problem):
        return result
    counts = {kind.value: result.count(kind) for kind in ObjectClass}
    row: Row = {
        "counts": counts,
        "objects": [
            {
                "x": one.x,
                "y": one.y,
                "class": one.kind.value,
                "area_px": one.area_px,
                "elongation": one.elongation,
                "darkness": one.darkness,
                "chance": one.chance,
            }
            for one in result.objects
        ],
        "flags": list(result.flags),
        "method": result.card.as_dict(),
    }
    return row, ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _microcarriers(picture: Any, options: argparse.Namespace) -> tuple[Row, str] | Problem:
    from anlage.lab.image import count_on_carriers

    least, largest = options.radius_px
    result = count_on_carriers(
        picture, radius_px=(least, largest), channel=_channel(picture, options.channel)
    )
    if isinstance(result, Problem):
        return result
    row: Row = {
        "carriers": [
            {"x": one.x, "y": one.y, "radius_px": one.radius, "cells": one.cells}
            for one in result.carriers
        ],
        "cells_apart": result.cells_apart,
        "cells_per_carrier": result.cells_per_carrier,
        "occupied_percent": result.occupied_percent,
        "occupied_percent_at_random": result.occupied_percent_at_random,
        "flags": list(result.flags),
        "method": result.card.as_dict(),
    }
    held = sum(one.cells for one in result.carriers)
    return row, f"{len(result.carriers)} carriers, {held} cells on them"


def _colonies(options: argparse.Namespace) -> Answer:
    from anlage.lab.image import follow_colonies, read_picture

    moments = [one for path in options.files for one in read_picture(path).moments()]
    result = follow_colonies(moments)
    if isinstance(result, Problem):
        raise Refused.of([result])
    colonies = [
        {
            "x": one.x,
            "y": one.y,
            "clonality": one.clonality.value,
            "founders": [list(founder) for founder in one.founders],
            "areas_px": list(one.areas_px),
            "form_factor": one.form_factor,
            "edge_sharpness": one.edge_sharpness,
        }
        for one in result.colonies
    ]
    data = {
        "files": [str(path) for path in options.files],
        "colonies": colonies,
        "method": result.card.as_dict(),
    }
    lines = [
        f"colony at {one.x:.0f}, {one.y:.0f} px: {one.clonality.value}, "
        f"{len(one.founders)} founders seen, {one.areas_px[-1]} px"
        for one in result.colonies
    ]
    return Answer(data, "\n".join(lines) or "no colony in the last image")


def _train(options: argparse.Namespace) -> Answer:
    from anlage.lab.image import train_packaged

    card = train_packaged(
        options.network,
        data=options.source,
        models=options.into,
        seed=options.seed,
        threads=options.threads,
        steps=options.steps,
        cross_validate=options.cross_validate,
    )
    return Answer({"network": options.network, "card": card})
