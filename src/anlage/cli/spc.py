"""`anlage spc FILE`: control rules, charts with memory and capability of results in order."""

import argparse
import math
from pathlib import Path
from typing import Any

from .shell import Answer, Group


def register(group: Group) -> None:
    """Make `spc` a command of its own."""
    parser = group.itself(spc)
    parser.add_argument("file", type=Path, help="results in the order they were made, in a column")
    parser.add_argument("--column", help="name of the column (value, result or the only number)")
    parser.add_argument("--mean", type=_finite, help="mean in control; estimated otherwise")
    parser.add_argument("--sd", type=_finite, help="standard deviation in control")
    parser.add_argument("--baseline", type=int, help="estimate both from the first N results")
    parser.add_argument("--by", choices=["moving range", "sample"], default="moving range")
    parser.add_argument("--rules", default="1,2,3,4,5,6,7,8", help="Nelson rules, or westgard")
    parser.add_argument("--lsl", type=_finite, help="lower specification limit")
    parser.add_argument("--usl", type=_finite, help="upper specification limit")
    parser.add_argument("--ewma-weight", type=_finite, default=0.1)
    parser.add_argument("--ewma-width", type=_finite, default=2.814)
    parser.add_argument("--cusum-k", type=_finite, default=0.5)
    parser.add_argument("--cusum-h", type=_finite, default=5.0)
    parser.add_argument("--gate", action="store_true", help="exit 2 when a rule is met")
    parser.add_argument("--decimal", choices=[".", ","], default=".", help="decimal sign")


def spc(options: argparse.Namespace) -> Answer:
    """Judge results in order."""
    from anlage.base import Refused
    from anlage.lab import columns as tables
    from anlage.lab import spc as charts

    table = tables.read_columns(options.file, decimal=options.decimal)
    names = [options.column.lower().replace(" ", "_")] if options.column else ["value", "result"]
    place = table.find(*names)
    if place is None and not options.column:
        place = next(
            (
                k
                for k in range(len(table.header))
                if tables.number(table.text(k)[0], decimal=options.decimal) is not None
            ),
            None,
        )
    if place is None:
        place = table.need(*names)
    values = [float(value) for value in table.numbers(place)]
    base = values[: options.baseline] if options.baseline else values
    if options.sd is not None:
        mean = options.mean if options.mean is not None else math.fsum(base) / len(base)
        limits = charts.Limits(mean=mean, sd=options.sd)
    else:
        limits = charts.Limits.from_individuals(base, by=options.by)
        if options.mean is not None:
            limits = charts.Limits(mean=options.mean, sd=limits.sd, source=limits.source)
    z = limits.z(values)
    gates: list[dict[str, Any]] = []
    if options.rules.strip().lower() == "westgard":
        signals = charts.westgard(z)
        gates = [
            {"run": v.run, "gate": v.gate.value, "rules": list(v.rules)}
            for v in charts.levey_jennings(z)
        ]
    else:
        try:
            wanted = [int(part) for part in options.rules.split(",")]
        except ValueError as error:
            raise Refused(
                "rule-unknown", what="--rules", found=options.rules[:60],
                limit="numbers 1 to 8 parted by commas, or westgard", remedy="name the rules",
            ) from error  # fmt: skip
        signals = charts.nelson(z, wanted)
    moving = charts.ewma(values, limits, weight=options.ewma_weight, width=options.ewma_width)
    sums = charts.cusum(values, limits, k=options.cusum_k, h=options.cusum_h)
    data: dict[str, Any] = {
        "file": str(options.file),
        "column": table.header[place],
        "observations": len(values),
        "mean": limits.mean,
        "sd": limits.sd,
        "limits_from": limits.source,
        "ucl": limits.mean + 3 * limits.sd,
        "lcl": limits.mean - 3 * limits.sd,
        "signals": [signal.as_dict() for signal in signals],
        "in_control": not signals,
        "levey_jennings": gates,
        "ewma": moving.as_dict(),
        "cusum": sums.as_dict(),
        "capability": None,
    }
    if options.lsl is not None or options.usl is not None:
        fit = charts.capability(values, lower=options.lsl, upper=options.usl)
        data["capability"] = fit.as_dict()
    hard = [signal for signal in signals if signal.rule != "1_2s"]
    lines = [
        f"{len(values)} results of {table.header[place]}: mean {limits.mean:.6g}, "
        f"sd {limits.sd:.4g} ({limits.source})",
        *(f"  point {s.point}: rule {s.rule}, {s.what}" for s in signals),
        f"EWMA beyond its limits at {list(moving.beyond) or 'no point'}; "
        f"CUSUM at {list(sums.beyond) or 'no point'}",
    ]
    return Answer(data, "\n".join(lines), ok=not (options.gate and hard))


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError("a finite number")
    return value
