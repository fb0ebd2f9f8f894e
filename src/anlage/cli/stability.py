"""`anlage stability FILE.csv --limit L --side lower|upper`: shelf life by ICH Q1E."""

import argparse
import math
from pathlib import Path

from .shell import Answer, Group


def register(group: Group) -> None:
    """Make `stability` a command of its own."""
    parser = group.itself(stability)
    parser.add_argument("file", type=Path, help="columns batch, month, value")
    parser.add_argument("--limit", type=_finite, required=True, help="acceptance limit")
    parser.add_argument("--side", choices=["lower", "upper", "both"], default="lower")
    parser.add_argument("--upper", type=_finite, help="the upper limit with --side both")
    parser.add_argument(
        "--storage",
        choices=["room", "refrigerated", "frozen", "cryogenic", "none"],
        default="room",
        help="long-term condition behind the cap on extrapolation (none: no cap)",
    )
    parser.add_argument(
        "--significant-change",
        action="store_true",
        help="the accelerated condition showed a significant change",
    )
    parser.add_argument("--confidence", type=_level, default=0.95)
    parser.add_argument("--mixed", action="store_true", help="batches as a random sample (REML)")
    parser.add_argument(
        "--new", type=Path, help="results to hold against the trend of FILE (out of trend: exit 2)"
    )
    parser.add_argument(
        "--decimal",
        choices=[".", ",", "auto"],
        default="auto",
        help="decimal sign; auto where the file tells it",
    )


def stability(options: argparse.Namespace) -> Answer:
    """Give the shelf life of a study."""
    from anlage.lab import stability as life

    study = life.read_study(options.file, decimal=options.decimal)
    judge = life.mixed_shelf_life if options.mixed else life.shelf_life
    found = judge(
        study,
        limit=options.limit,
        side=life.Side(options.side),
        upper=options.upper,
        storage=None if options.storage == "none" else life.Storage(options.storage),
        significant_change=options.significant_change,
        confidence=options.confidence,
    )
    data = {"file": str(options.file), "limit": options.limit, "side": options.side}
    data |= found.as_dict()
    crossing = "never" if found.crossing is None else f"month {found.crossing:.2f}"
    months = "none" if found.months is None else f"{found.months} months"
    lines = [
        f"model {found.model}, batch that decides: {found.worst}",
        f"confidence limit meets {options.limit:g}: {crossing}",
        f"shelf life: {months}",
        *found.notes,
    ]
    is_in_trend = True
    if options.new is not None:
        from anlage.lab import spc

        new = life.read_study(options.new, decimal=options.decimal)
        judged = spc.out_of_trend(
            (study.month.tolist(), study.value.tolist()), (new.month.tolist(), new.value.tolist())
        )
        is_in_trend = not any(item.is_out for item in judged)
        data["out_of_trend"] = [
            {
                "batch": batch,
                "month": item.month,
                "value": item.value,
                "low": item.low,
                "high": item.high,
                "out": item.is_out,
            }
            for batch, item in zip(new.batch, judged, strict=True)
        ]
        lines += [
            f"out of trend: month {item.month:g}, {item.value:g}" for item in judged if item.is_out
        ]
    return Answer(data, "\n".join(lines), ok=is_in_trend)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError("a finite number")
    return value


def _level(text: str) -> float:
    value = float(text)
    if not 0.5 <= value < 1:
        raise argparse.ArgumentTypeError("a level from 0.5 to below 1")
    return value
