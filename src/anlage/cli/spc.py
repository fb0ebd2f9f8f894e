"""`anlage spc FILE`: control rules, charts with memory and capability of results in order."""

import argparse
import math
import re
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
    parser.add_argument(
        "--decimal",
        choices=[".", ",", "auto"],
        default="auto",
        help="decimal sign; auto where the file tells it",
    )


def spc(options: argparse.Namespace) -> Answer:
    """Judge results in order."""
    from anlage.base import Refused
    from anlage.lab import columns as tables
    from anlage.lab import spc as charts

    table = tables.read_columns(options.file, decimal=options.decimal)
    place = _place(table, options.column)
    values = [float(value) for value in table.numbers(place)]
    if options.baseline is not None and not 2 <= options.baseline <= len(values):
        raise Refused(
            "setting-out-of-range", what="--baseline", found=options.baseline,
            limit=f"2 to the {len(values)} results of the file",
            remedy="name how many of the first results set the limits",
        )  # fmt: skip
    base = values if options.baseline is None else values[: options.baseline]
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


# Columns that count or name the rows and are not what was measured.
_ORDER = ("run", "day", "index", "n", "no", "number", "batch", "lot", "id", "sample", "month",
          "time", "date", "order", "observation")  # fmt: skip


def _place(table: Any, column: str | None) -> int:
    """Give the column named; else value or result; else the only one that holds numbers."""
    from anlage.base import Refused
    from anlage.lab import columns as tables

    if column is not None:
        key = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
        return int(table.need(key))
    named = table.find("value", "result")
    if named is not None:
        return int(named)
    order = {table.find(name) for name in _ORDER}
    numeric = [
        k
        for k in range(len(table.header))
        if k not in order
        and any(
            tables.number(cell, decimal=table.decimal) is not None for cell in table.text(k)[:20]
        )
    ]
    if len(numeric) == 1:
        return numeric[0]
    raise Refused(
        "column-unclear",
        what="column of the results",
        found=", ".join(table.header[k] for k in numeric) or "no column of numbers",
        limit="one column of numbers, or one named value",
        remedy="name it with --column",
        path=table.path,
        line=1,
    )


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError("a finite number")
    return value
