"""The commands of `anlage assay` that take instrument files, counts and validation data."""

import argparse
import math
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Problem, Refused

from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.lab.columns import Columns


def register(group: Group) -> None:
    """Add the commands to the group `assay`."""
    read = group.command("read", read_files, help="dry run of reader files: a verdict per row")
    read.add_argument("files", type=Path, nargs="+", metavar="FILE")
    read.add_argument("--second", type=Path, help="a second person's entry, to be compared")
    run = group.command("run", run_plates, help="plates against an assay's definition")
    run.add_argument(
        "definition", type=Path, help="the assay: a YAML file, relative-potency-96 or elisa-96"
    )
    run.add_argument("files", type=Path, nargs="+", metavar="FILE", help="reader files")
    run.add_argument("--samples", default="", help="S1=LOT-1,S2=LOT-2: what stood in each place")
    run.add_argument("--history", type=Path, help="earlier figures, columns attribute, value")
    dpcr = group.command("dpcr", digital_pcr, help="copies per uL and vector copies per cell")
    dpcr.add_argument("file", type=Path)
    dpcr.add_argument("--vector", help="name of the vector's target")
    dpcr.add_argument("--genome", help="name of the reference gene's target")
    dpcr.add_argument("--genome-copies", type=_positive, default=2.0)
    dpcr.add_argument("--transduced", type=_positive, help="transduced cells, percent")
    dpcr.add_argument(
        "--droplet-nl", type=_positive, help="volume of a partition; 0.85 for droplets of a QX"
    )
    dpcr.add_argument("--dilution", type=_positive, default=1.0)
    qpcr = group.command("qpcr", quantitative_pcr, help="copies from a qPCR standard curve")
    qpcr.add_argument("file", type=Path, help="standards are the rows with a quantity")
    dilution = group.command("dilution", dilute, help="frequency by limiting dilution")
    dilution.add_argument("file", type=Path, help="columns dose, wells, positives (sample)")
    limits = group.command("limits", detection, help="limits of detection and quantitation")
    limits.add_argument("file", type=Path, help="columns dose, response; dose 0 is a blank")
    validate = group.command("validate", validation, help="accuracy and precision by level")
    validate.add_argument("file", type=Path, help="columns nominal, value, run")
    transfer = group.command("transfer", transferred, help="do two sites agree within bounds")
    transfer.add_argument("file", type=Path, help="columns site, value (two sites)")
    transfer.add_argument("--low", type=_number, required=True)
    transfer.add_argument("--high", type=_number, required=True)
    transfer.add_argument("--ratio", action="store_true", help="compare on the log scale")
    compared = group.command(
        "agreement", agreed, help="does a method agree with its reference, sample by sample"
    )
    compared.add_argument("file", type=Path, help="columns reference, method (sample)")
    compared.add_argument("--low", type=_number, help="lowest difference allowed, or ratio")
    compared.add_argument("--high", type=_number, help="highest difference allowed, or ratio")
    compared.add_argument("--ratio", action="store_true", help="compare on the log scale")
    compared.add_argument(
        "--at", type=_number, action="append", default=[], metavar="RESULT",
        help="what the reference would have given for this result of the method",
    )  # fmt: skip
    bridging = group.command("bridge", bridged, help="value of a new reference lot")
    bridging.add_argument("file", type=Path, help="column relative_potency (ln_standard_error)")
    bridging.add_argument("--assigned", type=_positive, required=True, help="value of the old lot")
    bridging.add_argument("--low", type=_positive, default=0.9)
    bridging.add_argument("--high", type=_positive, default=1.1)
    joined = group.command("combine", combined, help="join potencies of several assays")
    joined.add_argument("file", type=Path, help="columns relative_potency, ln_standard_error, df")
    joined.add_argument(
        "--method", choices=["auto", "weighted", "semi-weighted", "unweighted"], default="auto"
    )
    killing = group.command("killing", killed, help="specific lysis by effector to target ratio")
    killing.add_argument("file", type=Path, help="columns sample, ratio, signal")
    killing.add_argument("--spontaneous", default="spontaneous", help="name of that control")
    killing.add_argument("--maximum", default="maximum", help="name of that control")
    for parser in (
        read, run, dpcr, qpcr, dilution, limits, validate, transfer, compared, bridging, joined,
        killing,
    ):  # fmt: skip
        parser.add_argument(
            "--decimal",
            choices=[".", ",", "auto"],
            default="auto",
            help="decimal sign; auto where the file tells it",
        )


def read_files(options: argparse.Namespace) -> Answer:
    """Read instrument files without keeping anything."""
    from anlage.lab import assay

    second = None
    if options.second is not None:
        second = assay.read_reader_file(options.second, decimal=options.decimal)
    files: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    lines: list[str] = []
    for path in options.files:
        try:
            found = assay.read_reader_file(path, decimal=options.decimal)
        except Refused as refusal:
            files.append({"file": str(path), "refused": refusal.problem.as_dict()})
            problems.extend(problem.as_dict() for problem in refusal.problems)
            lines.append(f"{path}: refused: {refusal}")
            continue
        data = found.as_dict()
        own = list(found.problems)
        if second is not None:
            own += assay.compare_entries(found, second)
            data["second"] = str(options.second)
        problems.extend(problem.as_dict() for problem in own)
        files.append(data)
        lines.append(f"{path}: {found.dialect}, {found.accepted} of {len(found.rows)} rows read")
        lines.extend(
            f"  line {row.line} {row.what}: {row.reason}"
            for row in found.rows
            if not row.is_accepted
        )
        lines.extend(f"  {problem}" for problem in own if problem.code == "entries-differ")
    result = dict(files[0]) if len(files) == 1 else {}
    return Answer(result | {"files": files, "problems": problems}, "\n".join(lines), not problems)


def run_plates(options: argparse.Namespace) -> Answer:
    """Turn plates into results."""
    from anlage.lab import assay

    definition = assay.read_definition(options.definition)
    pairs = [part.partition("=") for part in options.samples.split(",") if "=" in part]
    names = {place.strip(): name.strip() for place, _, name in pairs}
    history = _history(options.history, options.decimal) if options.history else {}
    plates: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    lines: list[str] = []
    good = True
    for path in options.files:
        try:
            plate = assay.read_reader_file(path, decimal=options.decimal)
            found = assay.evaluate_plate(definition, plate, names=names)
        except Refused as refusal:
            plates.append({"file": str(path), "refused": refusal.problem.as_dict()})
            problems.extend(problem.as_dict() for problem in refusal.problems)
            lines.append(f"{path}: refused: {refusal}")
            good = False
            continue
        trend = _trend(found.measured, history)
        data = found.as_dict() | {"trend": trend}
        plates.append(data)
        is_good = found.is_valid and all(item["gate"] != "reject" for item in trend)
        good = good and is_good
        lines.append(f"{path}: {'valid' if found.is_valid else 'NOT VALID'}")
        for name, verdict in found.validity.items():
            if not verdict.is_acceptable:
                lines.append(f"  {name}: {' '.join(verdict.reasons)}")
        for one in found.results:
            shown = "-" if one.value is None else f"{one.qualifier}{one.value:.6g} {found.unit}"
            ends = "" if one.low is None or one.high is None else f" ({one.low:.4g}-{one.high:.4g})"
            lines.append(f"  {one.sample}: {shown}{ends} {'; '.join(one.notes)}".rstrip())
    result = dict(plates[0]) if len(plates) == 1 else {}
    data = result | {"plates": plates, "problems": problems, "definition": definition.heading.id}
    return Answer(data, "\n".join(lines), good)


def _history(path: Path, decimal: str) -> dict[str, list[float]]:
    from anlage.lab import columns as tables

    table = tables.read_columns(path, decimal=decimal)
    names = table.text(table.need("attribute"))
    values = table.numbers(table.need("value"))
    found: dict[str, list[float]] = {}
    for name, value in zip(names, values, strict=True):
        found.setdefault(name, []).append(float(value))
    return found


def _trend(measured: Any, history: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Judge each figure of the plate by its own history (ten or more) and Westgard's rules."""
    import numpy as np

    from anlage.lab import spc

    found = []
    for name, earlier in history.items():
        if name not in measured or len(earlier) < 10:
            continue
        limits = spc.Limits.from_individuals(earlier, by="sample")
        z = limits.z([*earlier[-11:], measured[name]])
        verdict = spc.levey_jennings(np.asarray(z))[-1]
        found.append(
            {
                "attribute": name,
                "value": measured[name],
                "mean": limits.mean,
                "sd": limits.sd,
                "z": float(z[-1]),
                "gate": verdict.gate.value,
                "rules": list(verdict.rules),
            }
        )
    return found


def digital_pcr(options: argparse.Namespace) -> Answer:
    """Give copies per microlitre of each well, and vector copies per cell of each sample."""
    from anlage.lab import assay

    plate = assay.read_reader_file(options.file, decimal=options.decimal)
    found = assay.digital_plate(
        plate,
        vector=options.vector or "",
        genome=options.genome or "",
        genome_copies_per_cell=options.genome_copies,
        transduced_percent=options.transduced,
        droplet_nl=options.droplet_nl,
        dilution=options.dilution,
    )
    wells = [
        {
            "sample": one.sample,
            "well": one.well,
            "target": one.target,
            "positives": one.counts.positives,
            "droplets": one.counts.total,
            "copies_per_ul": one.copies_per_ul.as_dict(),
        }
        for one in found.wells
    ]
    lines = []
    for one in found.wells:
        copies = one.copies_per_ul
        shown = "-" if copies.value is None else f"{copies.qualifier}{copies.value:.5g}"
        lines.append(f"{one.well} {one.sample} {one.target}: {shown} copies/uL")
    lines.extend(
        f"{sample}: {ratio.value:.4g} copies per cell ({ratio.low:.4g}-{ratio.high:.4g})"
        for sample, ratio in found.vector_copies.items()
    )
    lines.extend(f"{sample}: no ratio: {why}" for sample, why in found.refused.items())
    data = {
        "file": str(options.file),
        "dialect": plate.dialect,
        "wells": wells,
        "samples": [
            {"sample": sample, "vector_copy_number": ratio.as_dict()}
            for sample, ratio in found.vector_copies.items()
        ],
        "without_ratio": {sample: why.problem.as_dict() for sample, why in found.refused.items()},
        "problems": [problem.as_dict() for problem in plate.problems],
    }
    return Answer(data, "\n".join(lines), ok=not plate.problems)


def quantitative_pcr(options: argparse.Namespace) -> Answer:
    """Give copies of each sample from the standards of the same file, by target."""
    from anlage.lab import assay

    plate = assay.read_reader_file(options.file, decimal=options.decimal)
    targets: list[dict[str, Any]] = []
    lines: list[str] = []
    for one in assay.qpcr_plate(plate):
        curve = one.curve
        results = []
        for sample in one.samples:
            copies = sample.copies
            told = copies.as_dict() if copies else {"value": None, "qualifier": "<LOD"}
            results.append(
                {
                    "sample": sample.sample,
                    "wells": sample.wells,
                    "detected": len(sample.cq),
                    **told,
                }
            )
        targets.append(
            {
                "target": one.target,
                "slope": curve.slope,
                "intercept": curve.intercept,
                "efficiency_percent": curve.efficiency,
                "efficiency_interval": [curve.efficiency_low, curve.efficiency_high],
                "r_squared": curve.r_squared,
                "results": results,
            }
        )
        lines.append(f"{one.target or 'target'}: efficiency {curve.efficiency:.1f} %")
        lines.extend(f"  {r['sample']}: {r['qualifier']}{r['value']}" for r in results)
    data = {
        "file": str(options.file),
        "targets": targets,
        "problems": [problem.as_dict() for problem in plate.problems],
    }
    return Answer(data, "\n".join(lines), ok=not plate.problems)


def dilute(options: argparse.Namespace) -> Answer:
    """Give the frequency of each sample by limiting dilution."""
    from anlage.lab import assay
    from anlage.lab import columns as tables

    table = tables.read_columns(options.file, decimal=options.decimal)
    place = table.find("sample", "group")
    names = table.text(place) if place is not None else ["all"] * len(table.rows)
    doses = _above_zero(table, table.need("dose", "cells"))
    wells, positives = (
        _fitting(table, table.need(*words), lambda v: v >= 0 and v.is_integer(), "whole numbers")
        for words in (("wells", "tested", "n"), ("positives", "positive", "k"))
    )
    beyond = [
        (line, k, n)
        for (line, _), k, n in zip(table.rows, positives, wells, strict=True)
        if k > n or n == 0
    ]
    if beyond:
        raise Refused.of(
            Problem(
                code="counts-impossible",
                what="limiting dilution",
                found=f"{k:g} positives in {n:g} wells",
                limit="positives from 0 to the wells, and a well at least",
                remedy="check the columns wells and positives",
                path=str(options.file),
                line=line,
            )
            for line, k, n in beyond
        )
    results: list[dict[str, Any]] = []
    lines = []
    for name in dict.fromkeys(names):
        keep = [k for k, other in enumerate(names) if other == name]
        found = assay.limiting_dilution(
            [doses[k] for k in keep],
            [int(wells[k]) for k in keep],
            [int(positives[k]) for k in keep],
        )
        results.append({"sample": name, **found.as_dict()})
        one_in = "-" if found.one_in is None else f"1 in {found.one_in:.5g}"
        high = "no limit" if found.high is None else f"{found.high:.5g}"
        lines.append(f"{name}: {one_in} ({found.low:.5g} to {high})")
    return Answer({"file": str(options.file), "samples": results}, "\n".join(lines))


def detection(options: argparse.Namespace) -> Answer:
    """Give limits of detection and quantitation of a line."""
    from anlage.lab import assay

    points = assay.read_points(options.file, decimal=options.decimal)
    x, y = [float(v) for v in points.x["x"]], [float(v) for v in points.y]
    blanks = [b for a, b in zip(x, y, strict=True) if a == 0]
    found = assay.detection_limits(x, y, blanks=blanks)
    return Answer({"file": str(options.file), **found.as_dict()})


def validation(options: argparse.Namespace) -> Answer:
    """Give accuracy and precision of each level."""
    from anlage.lab import assay
    from anlage.lab import columns as tables

    table = tables.read_columns(options.file, decimal=options.decimal)
    nominal = [float(v) for v in table.numbers(table.need("nominal", "true", "level"))]
    values = [float(v) for v in table.numbers(table.need("value", "result", "found"))]
    place = table.find("run", "day", "analyst", "series")
    runs = table.text(place) if place is not None else ["1"] * len(values)
    levels: list[dict[str, Any]] = []
    refused: list[Problem] = []
    for level in dict.fromkeys(nominal):
        keep = [k for k, other in enumerate(nominal) if other == level]
        try:
            found = assay.precision(level, [values[k] for k in keep], [runs[k] for k in keep])
        except Refused as refusal:
            refused.extend(refusal.problems)
        else:
            levels.append(found.as_dict())
    if not levels:
        raise Refused.of(refused)
    lines = [
        f"{one['nominal']:g}: bias {one['bias_percent']:+.2f} % "
        f"({one['bias_low']:+.2f} to {one['bias_high']:+.2f}), repeatability "
        f"{one['repeatability_cv']:.2f} %, intermediate {one['intermediate_cv']:.2f} %"
        for one in levels
    ]
    lines.extend(f"{problem.found}: not judged, needs {problem.limit}" for problem in refused)
    problems = [problem.as_dict() for problem in refused]
    data = {"file": str(options.file), "levels": levels, "problems": problems}
    return Answer(data, "\n".join(lines), ok=not refused)


def transferred(options: argparse.Namespace) -> Answer:
    """Test whether two sites agree within bounds."""
    from anlage.lab import assay
    from anlage.lab import columns as tables

    table = tables.read_columns(options.file, decimal=options.decimal)
    sites = table.text(table.need("site", "laboratory", "lab", "method", "group"))
    values = [float(v) for v in table.numbers(table.need("value", "result"))]
    names = list(dict.fromkeys(sites))
    if len(names) != 2:
        raise Refused(
            "sites-not-two",
            what="transfer",
            found=f"{len(names)} sites: {', '.join(names)}"[:300],
            limit="two: the sending one first",
            remedy="give the results of two sites",
            path=str(options.file),
        )
    groups = [[v for v, s in zip(values, sites, strict=True) if s == name] for name in names]
    found = assay.equivalence(
        groups[0], groups[1], low=options.low, high=options.high, as_ratio=options.ratio
    )
    data = {"file": str(options.file), "from": names[0], "to": names[1], **found.as_dict()}
    verdict = "equivalent" if found.is_equivalent else "not shown to be equivalent"
    text = f"{names[1]} against {names[0]}: {found.difference:.5g} ({found.low:.5g} to "
    return Answer(data, f"{text}{found.high:.5g}), {verdict}", ok=found.is_equivalent)


def agreed(options: argparse.Namespace) -> Answer:
    """Compare a method with its reference on the same samples."""
    from dataclasses import asdict

    from anlage.lab import assay
    from anlage.lab import columns as tables

    table = tables.read_columns(options.file, decimal=options.decimal)
    reference, method = (
        [float(one) for one in table.numbers(table.need(*words))]
        for words in (("reference", "x"), ("method", "test", "y"))
    )
    found = assay.agreement(
        reference, method, low=options.low, high=options.high, as_ratio=options.ratio
    )
    predicted = assay.predict_reference(reference, method, options.at)
    data = {
        "file": str(options.file),
        **found.as_dict(),
        "predictions": [asdict(one) for one in predicted],
    }
    kind = "ratio" if found.as_ratio else "difference"
    lines = [
        f"{found.pairs} samples, {kind} {_ends(found.bias)}",
        f"95 of 100 between {_ends(found.limit_low)} and {_ends(found.limit_high)}",
        f"slope {_ends(found.slope)}, intercept {_ends(found.intercept)}",
    ]
    if found.is_factor_apart:
        lines.append("the methods DIFFER by a factor")
    if found.is_constant_apart:
        lines.append("the methods DIFFER by a constant")
    if found.is_within is not None:
        lines.append(f"agreement {'shown' if found.is_within else 'NOT shown'} within the bounds")
    for one in predicted:
        beyond = ", beyond what was compared" if one.is_extrapolated else ""
        lines.append(f"{one.at:g}: {one.value:.5g} ({one.low:.5g} to {one.high:.5g}){beyond}")
    return Answer(data, "\n".join(lines), ok=found.is_within is not False)


def _ends(one: Any) -> str:
    value, low, high = (
        "-" if part is None else f"{part:.5g}" for part in (one.value, one.low, one.high)
    )
    return f"{value} ({low} to {high})"


def bridged(options: argparse.Namespace) -> Answer:
    """Value a new reference lot."""
    from anlage.lab import assay
    from anlage.lab import columns as tables

    table = tables.read_columns(options.file, decimal=options.decimal)
    if options.low >= options.high:
        raise Refused(
            "bounds-unreadable",
            what="bounds of the new lot",
            found=f"{options.low:g} to {options.high:g}",
            limit="low below high",
            remedy="correct --low and --high",
        )
    potency = table.need("relative_potency", "rp", "potency")
    scale = 100 if "%" in table.header[potency] else 1
    values = [value / scale for value in _above_zero(table, potency)]
    place = table.find("ln_standard_error", "standard_error", "se")
    errors = None if place is None else _above_zero(table, place)
    found = assay.bridge(
        options.assigned,
        values,
        standard_errors=errors,
        bound_low=options.low,
        bound_high=options.high,
    )
    data = {
        "file": str(options.file),
        "assigned_value": found.value,
        "low": found.low,
        "high": found.high,
        "within_bounds": found.is_within,
        "method": found.combined.method,
        "assays": len(values),
    }
    text = f"new lot: {found.value:.6g} ({found.low:.6g} to {found.high:.6g})"
    return Answer(data, text, ok=found.is_within)


def combined(options: argparse.Namespace) -> Answer:
    """Join independent relative potencies on the log scale."""
    from anlage.lab import assay
    from anlage.lab import columns as tables

    table = tables.read_columns(options.file, decimal=options.decimal)
    values = _above_zero(table, table.need("relative_potency", "rp", "potency"))
    places = [
        table.find("ln_standard_error", "standard_error", "se"),
        table.find("df", "degrees_of_freedom"),
    ]
    errors, freedoms = (None if place is None else _above_zero(table, place) for place in places)
    if len(values) < 2 or (errors is None and options.method not in {"auto", "unweighted"}):
        raise Refused(
            "too-few-observations",
            what="combination of assays",
            found=f"{len(values)} assays{'' if errors else ', no standard errors'}",
            limit="at least 2, with ln_standard_error for weights",
            remedy="add assays or the column",
            path=str(options.file),
        )
    found = assay.combine(
        [math.log(value) for value in values],
        errors or [1.0] * len(values),
        freedoms or [1e6] * len(values),
        method=options.method if errors else "unweighted",
    )
    data = {
        "file": str(options.file),
        "assays": len(values),
        "relative_potency": math.exp(found.ln),
        "ci_low": math.exp(found.low),
        "ci_high": math.exp(found.high),
        "method": found.method,
        "heterogeneity_chi_square": found.heterogeneity if errors else None,
        "heterogeneity_p": found.heterogeneity_p if errors else None,
        "between_assay_sd_ln": found.between_sd if errors else None,
    }
    text = f"{found.method}: {math.exp(found.ln):.6g} ({math.exp(found.low):.6g} to "
    return Answer(data, f"{text}{math.exp(found.high):.6g})")


def killed(options: argparse.Namespace) -> Answer:
    """Give the specific lysis of each sample at each ratio, and the area over log ratio."""
    from anlage.lab import assay
    from anlage.lab import columns as tables

    table = tables.read_columns(options.file, decimal=options.decimal)
    names = table.text(table.need("sample", "name"))
    signals = [float(v) for v in table.numbers(table.need("signal", "response", "value"))]
    place = table.need("ratio", "e_t", "et", "effector_to_target")
    controls: dict[str, float] = {}
    for name in (options.spontaneous, options.maximum):
        mine = [s for s, n in zip(signals, names, strict=True) if n.lower() == name.lower()]
        if not mine:
            raise Refused(
                "control-missing",
                what=f"control {name}",
                found="no row of this name",
                limit="rows of spontaneous and maximum release",
                remedy="name the controls with --spontaneous and --maximum",
                path=str(options.file),
            )
        controls[name] = math.fsum(mine) / len(mine)
    wells: dict[str, dict[float, list[float]]] = {}
    known = {options.spontaneous.lower(), options.maximum.lower()}
    rows = zip(table.rows, names, table.text(place), signals, strict=True)
    for (line, _), name, cell, signal in rows:
        if name.lower() in known:
            continue
        parts = [tables.number(part, decimal=table.decimal) for part in cell.split(":")]
        effectors, targets = [*parts, Decimal(1)][:2]
        if len(parts) > 2 or not effectors or not targets or min(effectors, targets) <= 0:
            raise Refused(
                "value-not-a-number",
                what="column ratio",
                found=repr(cell[:40]),
                limit="effectors to targets, above 0, such as 10, 10:1 or 1:4",
                remedy="correct the ratio",
                path=str(options.file),
                line=line,
            )
        lysis = assay.specific_lysis(
            signal, controls[options.spontaneous], controls[options.maximum]
        )
        ratio = float(effectors / targets)
        wells.setdefault(name, {}).setdefault(ratio, []).append(lysis)
    samples: list[dict[str, Any]] = []
    for name, levels in wells.items():
        points = [
            {
                "ratio": ratio,
                "lysis_percent": math.fsum(v) / len(v),
                "sd": _spread(v),
                "wells": len(v),
            }
            for ratio, v in sorted(levels.items())
        ]
        samples.append({"sample": name, "points": points, "area": _area(points)})
    lines = [
        f"{one['sample']} {p['ratio']:g}:1  {p['lysis_percent']:.1f} %"
        for one in samples
        for p in one["points"]
    ]
    data = {"file": str(options.file), "controls": controls, "samples": samples}
    return Answer(data, "\n".join(lines))


def _spread(values: list[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))


def _area(points: list[dict[str, Any]]) -> float | None:
    """Give the mean lysis over the logarithm of the ratio, by trapezia; None for one ratio."""
    if len(points) < 2:
        return None
    total = 0.0
    for one, other in pairwise(points):
        width = math.log(other["ratio"] / one["ratio"])
        total += width * (one["lysis_percent"] + other["lysis_percent"]) / 2
    return total / math.log(points[-1]["ratio"] / points[0]["ratio"])


def _above_zero(table: "Columns", place: int) -> list[float]:
    return _fitting(table, place, lambda value: value > 0, "numbers above 0")


def _fitting(
    table: "Columns", place: int, fits: Callable[[float], bool], limit: str
) -> list[float]:
    """Give a column's numbers; each line whose number does not fit is named."""
    values = [float(value) for value in table.numbers(place)]
    problems = [
        Problem(
            code="value-out-of-range",
            what=f"column {table.header[place]}",
            found=f"{value:g}",
            limit=limit,
            remedy="correct the value, or remove the row",
            path=table.path,
            line=line,
        )
        for (line, _), value in zip(table.rows, values, strict=True)
        if not fits(value)
    ]
    if problems:
        raise Refused.of(problems[:100])
    return values


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError("a finite number")
    return value


def _positive(text: str) -> float:
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("a number above 0")
    return value
