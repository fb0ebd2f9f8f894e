"""`anlage flow`: what an FCS file says, and which events its gates hold."""

import argparse
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Refused

from .shell import Answer, Group

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from anlage.lab.flow import Population, Sample, Strategy


def register(group: Group) -> None:
    """Add the commands of the group."""
    info = group.command("info", _info, help="what an FCS file says, and where it deviates")
    info.add_argument("files", nargs="+", metavar="FILE", help="FCS files")
    _reading(info)
    info.add_argument("--keywords", action="store_true", help="print every keyword too")

    gate = group.command("gate", _gate, help="count the events of each gate of a document")
    gate.add_argument("file", metavar="FILE", help="FCS file")
    _gates(gate, required=True)
    gate.add_argument(
        "--membership", type=Path, metavar="DIR", help="write GATE.txt: 0 or 1 per event"
    )
    gate.add_argument(
        "--signal", action="append", default=[], metavar="CHANNEL", help="median, mean, CV per gate"
    )
    gate.add_argument("--compensated", action="store_true", help="signals by the file's own matrix")
    _reading(gate)

    auto = group.command("auto", _auto, help="find the gates of a T-cell tube")
    auto.add_argument("file", metavar="FILE", help="FCS file")
    auto.add_argument(
        "--channel", action="append", default=[], metavar="ROLE=NAME", help="cd3, cd4, car …"
    )
    auto.add_argument(
        "--fmo", action="append", default=[], metavar="ROLE=FILE", help="control without a stain"
    )
    auto.add_argument(
        "--threshold", action="append", default=[], metavar="ROLE=SIGNAL", help="cut set by hand"
    )
    auto.add_argument("--write-gatingml", type=Path, metavar="FILE", help="write the gates found")
    auto.add_argument("--membership", type=Path, metavar="DIR", help="write GATE.txt per gate")
    auto.add_argument("--resamples", type=int, default=200, metavar="N", help="bootstrap draws")
    auto.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the draws")
    _reading(auto)

    compare = group.command(
        "compare", _compare, help="the same gates on two files, or two gatings of one file"
    )
    compare.add_argument("files", nargs="+", metavar="FILE", help="one or two FCS files")
    _gates(compare, required=True)
    compare.add_argument("--against", metavar="FILE", help="second Gating-ML, for one FCS file")
    compare.add_argument(
        "--tolerance", type=float, metavar="POINTS", help="percentage points that count as alike"
    )
    _reading(compare)

    plot = group.command("plot", _plot, help="draw a density, contours or an overlay as a page")
    plot.add_argument("files", nargs="+", metavar="FILE", help="FCS files; several are overlaid")
    plot.add_argument("--x", required=True, metavar="CHANNEL", help="channel across")
    plot.add_argument("--y", metavar="CHANNEL", help="channel up")
    plot.add_argument("--kind", choices=("density", "contour"), default="density")
    plot.add_argument("--within", metavar="GATE", help="draw only the events of a gate")
    plot.add_argument("--out", type=Path, required=True, metavar="FILE", help=".html or .json")
    _gates(plot, required=False)
    _reading(plot)


def _gates(parser: argparse.ArgumentParser, *, required: bool) -> None:
    gates = parser.add_mutually_exclusive_group(required=required)
    gates.add_argument("--gatingml", metavar="FILE", help="gates as Gating-ML 2.0")
    gates.add_argument("--workspace", metavar="FILE", help="gates of a FlowJo 10 workspace")


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
        "data_types": sorted({channel.kind for channel in sample.channels}),
        "big_endian": sample.layout.is_big,
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
    from anlage.lab.flow import gate, populations, read_fcs

    sample = read_fcs(args.file, lenient=args.lenient, dataset=args.dataset)
    strategy, recorded = _strategy(args, sample)
    if not strategy.gates:
        raise Refused(
            "gatingml-gate", what="gates of the document", found="none", limit="one or more",
            remedy="export the gates, not the scales alone",
            path=args.gatingml or args.workspace,
        )  # fmt: skip
    gated = gate(sample, strategy)
    notes = []
    if sample.spillover is None and strategy.names_the_files_matrix:
        notes.append(
            "gates ask for the compensation of the file, which holds no matrix: "
            "its signals are taken as compensated already"
        )
    compensation = "FCS" if args.compensated else "uncompensated"
    found = populations(gated, args.signal, compensation=compensation)
    gates = {name: population.as_dict() for name, population in found.items()}
    if args.membership is not None:
        for name, path in _write_membership(args.membership, gated.membership).items():
            gates[name]["membership"] = str(path)
    for name, count in recorded.items():
        gates[name]["count_recorded"] = count
    data = {
        "file": args.file,
        "events": sample.event_count,
        "gates": gates,
        "notes": notes,
        "deviations": [deviation.as_dict() for deviation in sample.deviations],
        "problems": [],
    }
    lines = [f"{sample.event_count} events", *_counted(found)]
    lines += [f"  note: {note}" for note in notes]
    return Answer(data, "\n".join(lines))


def _counted(found: "dict[str, Population]") -> list[str]:
    lines = []
    for name, population in found.items():
        share = population.percent_of_parent
        of = "" if population.parent is None else f" of {population.parent}"
        told = "" if share is None else f"{share:8.3f} %{of}"
        lines.append(f"  {name:<28} {population.count:>9} {told}")
    return lines


def _strategy(args: argparse.Namespace, sample: "Sample") -> "tuple[Strategy, dict[str, int]]":
    """Read the gates, with the counts that a workspace recorded."""
    from anlage.lab.flow import read_gatingml, read_workspace, strategy_for

    if args.gatingml is not None:
        return read_gatingml(args.gatingml), {}
    chosen = strategy_for(read_workspace(args.workspace), sample)
    return chosen.strategy, chosen.recorded


def _pairs(words: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for word in words:
        role, sign, value = word.partition("=")
        if not sign or not role or not value:
            raise Refused(
                "auto-panel", what=f"option {option}", found=word, limit="ROLE=VALUE",
                remedy=f"write {option} car=…",
            )  # fmt: skip
        pairs[role.strip().lower()] = value
    return pairs


def _auto(args: argparse.Namespace) -> Answer:
    import numpy

    from anlage.lab.flow import CARD, Controls, gate_t_cells, panel_of, read_fcs, write_gatingml

    sample = read_fcs(args.file, lenient=args.lenient, dataset=args.dataset)
    thresholds = {}
    for role, value in _pairs(args.threshold, "--threshold").items():
        try:
            thresholds[role] = float(value)
        except ValueError as error:
            raise Refused(
                "auto-panel", what=f"threshold of {role}", found=value, limit="a number"
            ) from error
    fmo = {
        role: read_fcs(file, lenient=args.lenient)
        for role, file in _pairs(args.fmo, "--fmo").items()
    }
    found = gate_t_cells(
        sample,
        panel_of(sample, _pairs(args.channel, "--channel")),
        rng=numpy.random.default_rng(abs(args.seed)),
        controls=Controls(fmo=fmo, thresholds=thresholds),
        resamples=max(20, min(args.resamples, 10_000)),
    )
    if args.write_gatingml is not None:
        args.write_gatingml.write_text(write_gatingml(found.gated.strategy), encoding="utf-8")
    if args.membership is not None:
        _write_membership(args.membership, found.gated.membership)
    gates = {}
    for name, population in found.populations.items():
        gates[name] = {**population.as_dict(), "stability_interval": found.stability.get(name)}
    data = {
        "file": args.file,
        "events": sample.event_count,
        "panel": {role: channel.name for role, channel in found.panel.channels.items()},
        "thresholds": [threshold.as_dict() for threshold in found.thresholds],
        "gates": gates,
        "car": {"percent": found.car_percent, "background_percent": found.background},
        "refused_steps": [problem.as_dict() for problem in found.refused],
        "notes": list(found.notes),
        "method": CARD.as_dict(),
        "seed": args.seed,
        "deviations": [deviation.as_dict() for deviation in sample.deviations],
        "problems": [problem.as_dict() for problem in found.refused],
    }
    lines = [f"{sample.event_count} events", *_counted(found.populations)]
    lines += [
        f"  threshold {cut.role} {cut.signal:.4g} by {cut.source}" for cut in found.thresholds
    ]
    if found.car_percent is not None:
        lines.append(
            f"  CAR+ {found.car_percent:.2f} % of T cells above {found.background:.2f} % background"
        )
    lines += [f"  note: {note}" for note in found.notes]
    lines += [f"  refused: {problem}" for problem in found.refused]
    return Answer(data, "\n".join(lines), ok=not found.refused)


def _compare(args: argparse.Namespace) -> Answer:
    from anlage.lab.flow import (
        compare_gatings,
        compare_samples,
        gate,
        read_fcs,
        read_gatingml,
    )

    samples = [
        read_fcs(file, lenient=args.lenient, dataset=args.dataset) for file in args.files[:2]
    ]
    if len(args.files) == 1 and args.against is not None:
        first = gate(samples[0], _strategy(args, samples[0])[0])
        agreements = compare_gatings(first, gate(samples[0], read_gatingml(args.against)))
        lines = [
            f"  {each.gate:<28} {each.first:>9} {each.second:>9}  {each.differing} events differ"
            for each in agreements
        ]
        told = {each.gate: each.as_dict() for each in agreements}
        data = {"files": args.files, "gates": told, "problems": []}
        return Answer(data, "\n".join(lines))
    if len(args.files) != 2 or args.against is not None:
        raise Refused(
            "flow-file",
            what="files to compare",
            found=len(args.files),
            limit="two files, or one file with --against",
            remedy="give FILE FILE --gatingml GATES, or FILE --gatingml A --against B",
        )
    one, two = (gate(sample, _strategy(args, sample)[0]) for sample in samples)
    differences = compare_samples(one, two, tolerance_points=args.tolerance)
    data = {
        "files": args.files,
        "events": [sample.event_count for sample in samples],
        "gates": {each.gate: each.as_dict() for each in differences},
        "tolerance_points": args.tolerance,
        "problems": [],
    }
    ok = all(each.is_within is not False for each in differences)
    return Answer(data, "\n".join(each.verdict for each in differences), ok=ok)


def _plot(args: argparse.Namespace) -> Answer:
    from anlage.lab.flow import (
        Strategy,
        axes_of,
        contour_figure,
        density_figure,
        gate,
        overlay_figure,
        read_fcs,
    )

    gated = {}
    for file in args.files:
        sample = read_fcs(file, lenient=args.lenient, dataset=args.dataset)
        given = (
            _strategy(args, sample)[0] if args.gatingml or args.workspace else Strategy(gates={})
        )
        gated[Path(file).name] = gate(sample, given)
    first = next(iter(gated.values()))
    if args.within is not None and args.within not in first.membership:
        raise Refused(
            "gatingml-reference",
            what=f"gate {args.within}",
            found="not among the gates given",
            limit=", ".join(first.membership) or "no gates were given",
            remedy="name one of the gates",
        )
    names = [name for name in (args.x, args.y) if name is not None]
    axes, scales = axes_of(first, names)
    shown = {
        name: replace(each, strategy=replace(each.strategy, scales=scales))
        for name, each in gated.items()
    }
    if len(axes) == 1:
        figure = overlay_figure(shown, axes[0], within=args.within)
    else:
        draw = density_figure if args.kind == "density" else contour_figure
        figure = draw(next(iter(shown.values())), axes[0], axes[1], within=args.within)
    try:
        if args.out.suffix.lower() == ".json":
            args.out.write_text(figure.to_json(), encoding="utf-8")
        else:
            figure.write_html(str(args.out), include_plotlyjs=True)
    except OSError as error:
        raise Refused(
            "flow-file", what=f"file {args.out}", found=error.strerror, remedy="choose another"
        ) from error
    data = {"file": args.files[0], "out": str(args.out), "traces": len(figure.data), "problems": []}
    return Answer(data, f"drew {args.out}")


def _write_membership(
    folder: Path, membership: "dict[str, NDArray[numpy.bool_]]"
) -> dict[str, Path]:
    """Write a file per gate, and give their places."""
    import numpy

    paths: dict[str, Path] = {}
    taken: dict[str, str] = {}
    for name in membership:
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
        paths[name] = folder / f"{safe}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, marks in membership.items():
            lines = numpy.full((len(marks), 2), ord("\n"), numpy.uint8)
            lines[:, 0] = marks.astype(numpy.uint8) + ord("0")
            paths[name].write_bytes(lines.tobytes())
    except OSError as error:
        raise Refused(
            "flow-file",
            what=f"folder {folder}",
            found=error.strerror,
            limit="a folder that can be written",
            remedy="choose another folder",
        ) from error
    return paths


def _file_name(name: str) -> str:
    safe = re.sub(r"[^\w.+ -]", "_", name).strip(". ")[:120]
    return safe or "_"
