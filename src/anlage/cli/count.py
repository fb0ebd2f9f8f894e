"""`anlage count`: the quality of a counting method from a dilution series."""

import argparse
from typing import TYPE_CHECKING

from anlage.base import Refused

from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.lab.counting import Evaluation


def register(group: Group) -> None:
    """Add the commands of the group."""
    evaluate = group.command(
        "evaluate", _evaluate, help="proportionality and precision of counting methods"
    )
    evaluate.add_argument("file", metavar="FILE", help="CSV with the columns of COMET's template")
    evaluate.add_argument("--resamples", type=int, default=500, metavar="N", help="bootstrap draws")
    evaluate.add_argument("--seed", type=int, default=20391, metavar="N", help="seed of the draws")
    evaluate.add_argument("--confidence", type=float, default=0.95, metavar="P")


def _evaluate(args: argparse.Namespace) -> Answer:
    import numpy

    from anlage.lab.counting import DEFAULT_INDEX, INDEX_FORMS, evaluate, read_counts

    counts = read_counts(args.file)
    if counts.problems and not counts.observations:
        raise Refused.of(counts.problems)
    found = evaluate(
        counts.observations,
        rng=numpy.random.default_rng(abs(args.seed)),
        resamples=args.resamples,
        confidence=args.confidence,
    )
    evaluations, comparisons = found.evaluations, found.comparisons
    problems = (*counts.problems, *found.problems)
    names = _names(evaluations)
    data = {
        "file": args.file,
        "methods": {
            name: evaluation.as_dict() for name, evaluation in zip(names, evaluations, strict=True)
        },
        "comparisons": [comparison.as_dict() for comparison in comparisons],
        "index_forms": INDEX_FORMS,
        "default_index": DEFAULT_INDEX,
        "rows": len(counts.observations),
        "rows_without_count": counts.missing,
        "resamples": args.resamples,
        "seed": args.seed,
        "confidence": args.confidence,
        "problems": [problem.as_dict() for problem in problems],
    }
    lines = []
    for name, each in zip(names, evaluations, strict=True):
        index = each.proportionality_index[DEFAULT_INDEX]
        low, high = each.intervals[DEFAULT_INDEX]
        lines.append(
            f"{name}: slope {each.slope:.7g} cells/mL, R2 {each.r_squared:.7f}, "
            f"proportionality index {index:.4g} ({low:.3g} to {high:.3g}), "
            f"CV {each.mean_cv_percent:.2f} %"
        )
        lines += [f"  design: {short}" for short in each.design]
    lines += [comparison.verdict for comparison in comparisons]
    lines += [f"left out: {problem}" for problem in problems]
    return Answer(data, "\n".join(lines), ok=not problems)


def _names(evaluations: "tuple[Evaluation, ...]") -> list[str]:
    """Name each evaluation by its method, with the cells counted where that is not enough."""
    methods = [evaluation.method for evaluation in evaluations]
    return [
        evaluation.method
        if methods.count(evaluation.method) == 1
        else f"{evaluation.method}, {evaluation.cell_type}, {evaluation.concentration_type}"
        for evaluation in evaluations
    ]
