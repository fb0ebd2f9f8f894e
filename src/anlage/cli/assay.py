"""`anlage assay fit|potency …`: curves, relative potency and plates on files."""

import argparse
from pathlib import Path
from typing import Any

from anlage.base import Refused

from . import assay_bench, assay_study
from .shell import Answer, Group


def register(group: Group) -> None:
    """Add the commands of the bench."""
    fit = group.command("fit", fit_curve, help="fit a curve to x and y")
    fit.add_argument("files", type=Path, nargs="+", metavar="FILE", help="columns x, y (weight)")
    fit.add_argument(
        "--model", help="4pl, 5pl, linear, polynomial:K, … a NIST name, or a formula in x and b1…"
    )
    fit.add_argument("--degree", type=int, help="degree of --model polynomial")
    fit.add_argument("--start", help="b1=500,b2=0.0001, or 1 or 2 for a published start")
    fit.add_argument(
        "--weighting",
        choices=["auto", "none", "1/y", "1/y2", "1/x", "1/x2", "column"],
        default="auto",
        help="auto: the column weight where there is one; column: refused without it",
    )
    fit.add_argument("--confidence", type=_level, default=0.95)
    fit.add_argument(
        "--decimal",
        choices=[".", ",", "auto"],
        default="auto",
        help="decimal sign; auto where the file tells it",
    )

    potency = group.command("potency", relative_potency, help="potency relative to a reference")
    potency.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="columns sample, dose, response (plate)"
    )
    potency.add_argument("--model", choices=["4pl", "5pl", "linear", "slope-ratio"], default="4pl")
    potency.add_argument("--reference", help="name of the reference sample")
    potency.add_argument(
        "--variance", choices=["constant", "1/y", "1/y2", "power"], default="constant"
    )
    potency.add_argument("--plates", choices=["combine", "ignore"], default="combine")
    potency.add_argument("--slope-bounds", default="0.80,1.25", metavar="LOW,HIGH")
    potency.add_argument("--asymptote-bound", type=float, default=0.20, metavar="SHARE")
    potency.add_argument("--alpha", type=float, default=0.05, help="size of each one-sided test")
    potency.add_argument("--confidence", type=_level, default=0.95)
    potency.add_argument(
        "--decimal",
        choices=[".", ",", "auto"],
        default="auto",
        help="decimal sign; auto where the file tells it",
    )
    potency.add_argument(
        "--require-parallel", action="store_true", help="exit 2 unless every sample is parallel"
    )

    identity = group.command("identity", judge_identity, help="results against identity criteria")
    identity.add_argument("file", type=Path, help="columns attribute, result (unit)")
    identity.add_argument(
        "--rules", required=True, help="msc, car-t, pluripotency, or a specification's path"
    )
    identity.add_argument(
        "--decimal",
        choices=[".", ",", "auto"],
        default="auto",
        help="decimal sign; auto where the file tells it",
    )

    karyotype = group.command("karyotype", judge_karyotype, help="pass or fail of a karyotype")
    karyotype.add_argument("karyotypes", nargs="+", metavar="ISCN", help="such as '46,XX[20]'")
    karyotype.add_argument("--sex", choices=["XX", "XY"], help="the donor's")
    assay_bench.register(group)
    assay_study.register(group)


def fit_curve(options: argparse.Namespace) -> Answer:
    """Fit a curve to each file."""
    from anlage.lab.assay import fit, model, read_points

    def one(path: Path) -> tuple[dict[str, Any], str, bool]:
        points = read_points(path, decimal=options.decimal)
        if options.model is None and options.degree is None and points.model is None:
            raise Refused(
                "model-missing",
                what=f"model for {path}",
                found="none",
                limit="--model",
                remedy="name a model, such as --model 4pl",
            )
        name = options.model
        if options.degree is not None and name in {None, "polynomial", "poly"}:
            name = f"polynomial:{options.degree}"
        curve = model(name) if name else points.model
        if curve is None:
            raise AssertionError("a model is known here")
        start = _start(options.start, curve.starts)
        found = fit(
            points,
            curve,
            start=start,
            weighting=options.weighting,
            confidence=options.confidence,
        )
        lines = [f"{path}: {found.model}  y = {found.formula}"]
        for name, value in found.parameters.items():
            error = found.standard_errors[name]
            lines.append(f"  {name:<6} {value:.10g}  ± {'?' if error is None else f'{error:.4g}'}")
        lines.append(f"  residual sum of squares {found.rss:.10g}, df {found.degrees_of_freedom}")
        if found.left_out:
            lines.append(f"  {found.left_out} rows left out: their weight is zero")
        return {"file": str(path), **found.as_dict()}, "\n".join(lines), True

    return _each(options.files, one)


def relative_potency(options: argparse.Namespace) -> Answer:
    """Give the potency of each sample in each file."""
    from anlage.lab.assay import Bounds, read_wells, relative_potencies

    low, high = _pair(options.slope_bounds)
    bounds = Bounds(
        slope_low=low, slope_high=high, asymptote=options.asymptote_bound, alpha=options.alpha
    )

    def one(path: Path) -> tuple[dict[str, Any], str, bool]:
        refusals: dict[str, Refused] = {}
        found = relative_potencies(
            read_wells(path, decimal=options.decimal),
            model=options.model,
            reference=options.reference,
            confidence=options.confidence,
            bounds=bounds,
            variance=options.variance,
            plates=options.plates,
            refusals=refusals,
        )
        data = {"file": str(path), **found[0].as_dict()}
        data["samples"] = [potency.as_dict() for potency in found]
        data["refused_samples"] = {
            name: refusal.problem.as_dict() for name, refusal in refusals.items()
        }
        data["problems"] = [
            problem.as_dict() for refusal in refusals.values() for problem in refusal.problems
        ]
        lines = [f"{path}: {name} refused: {refusal}" for name, refusal in refusals.items()]
        for p in found:
            verdict = {True: "parallel", False: "not parallel", None: "parallelism not shown"}
            limits = (
                f"{p.low:.6g} to {p.high:.6g}" if p.low is not None and p.high is not None else "-"
            )
            lines.append(
                f"{path}: {p.sample} against {p.reference}: {p.relative_potency:.6g} "
                f"({100 * p.confidence:g} % {limits}), {verdict[p.is_parallel]}"
            )
        is_parallel = not options.require_parallel or all(p.is_parallel for p in found)
        return data, "\n".join(lines), is_parallel and not refusals

    return _each(options.files, one)


def judge_identity(options: argparse.Namespace) -> Answer:
    """Judge results by a dated rule set."""
    from anlage.lab import assay

    rules = assay.criteria(options.rules)
    results = assay.read_results(options.file, decimal=options.decimal)
    found = assay.judge_identity(results, rules)
    lines = [f"{rules.heading.title} ({rules.heading.id}): {found.outcome.value}"]
    for name, verdict in found.verdicts.items():
        why = f" {' '.join(verdict.reasons)}" if verdict.reasons else ""
        lines.append(f"  {name:<28} {verdict.outcome.value:<12} {verdict.compared}{why}")
    data = {"file": str(options.file), "basis": rules.heading.basis, **found.as_dict()}
    return Answer(data, "\n".join(lines), ok=found.outcome.value in {"pass", "warning"})


def judge_karyotype(options: argparse.Namespace) -> Answer:
    """Judge each karyotype; one that cannot be read does not stop the others."""
    from anlage.lab import karyotype as chromosomes

    rules = chromosomes.hpsc_rules()
    verdicts: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    lines: list[str] = []
    for text in options.karyotypes:
        try:
            found = chromosomes.judge_karyotype(
                chromosomes.read_karyotype(text), rules, donor_sex=options.sex
            )
        except Refused as refusal:
            problem = refusal.problem.as_dict()
            verdicts.append({"karyotype": text, "outcome": "refused", "refused": problem})
            problems.append(problem)
            lines.append(f"{text}: refused: {refusal}")
            continue
        verdicts.append(found.as_dict())
        lines.append(f"{text}: {found.outcome.value}. {' '.join(found.reasons)}")
    good = all(verdict["outcome"] == "pass" for verdict in verdicts)
    return Answer({"verdicts": verdicts, "problems": problems}, "\n".join(lines), good)


def _each(files: list[Path], one: Any) -> Answer:
    """Do one thing per file; a refused file does not stop the others.

    One file prints its own object; several print them under `files`.
    """
    if len(files) == 1:
        data, text, is_good = one(files[0])
        return Answer(data, text, is_good)
    results: list[dict[str, Any]] = []
    texts: list[str] = []
    problems: list[dict[str, Any]] = []
    good = True
    for path in files:
        try:
            data, text, is_good = one(path)
        except Refused as refusal:
            problem = refusal.problem.as_dict()
            data, text, is_good = (
                {"file": str(path), "refused": problem},
                f"{path}: refused: {refusal}",
                False,
            )
            problems.extend(item.as_dict() for item in refusal.problems)
        results.append(data)
        texts.append(text)
        good = good and is_good
    return Answer({"files": results, "problems": problems}, "\n".join(texts), good)


def _start(text: str | None, starts: Any) -> dict[str, float] | None:
    if not text:
        return None
    if text in {"1", "2"} and len(starts) >= int(text):
        return dict(starts[int(text) - 1])
    values = {}
    for part in text.split(","):
        name, sign, value = part.partition("=")
        try:
            values[name.strip()] = float(value)
        except ValueError:
            sign = ""
        if not sign:
            raise Refused(
                "start-unreadable",
                what="--start",
                found=text[:80],
                limit="b1=500,b2=0.0001, or 1 or 2 where the model has published starts",
                remedy="write name=number, parted by commas",
            )
    return values


def _pair(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError as error:
        raise Refused(
            "bounds-unreadable",
            what="--slope-bounds",
            found=text[:60],
            limit="two numbers, such as 0.80,1.25",
            remedy="write LOW,HIGH",
        ) from error
    return low, high


def _level(text: str) -> float:
    value = float(text)
    if not 0.5 <= value < 1:
        raise argparse.ArgumentTypeError("a level from 0.5 to below 1")
    return value
