"""`anlage metrics`: measures with their exact definitions and the facts behind them."""

import argparse
import os
from datetime import timedelta
from pathlib import Path

from anlage.base import stamp
from anlage.cli.shell import Answer, Group


def register(group: Group) -> None:
    """Add the command of the group."""
    parser = group.itself(show)
    parser.add_argument("--days", type=int, default=0, help="only what ended in so many days")


def show(options: argparse.Namespace) -> Answer:
    """Compute the measures from the facts of the installation."""
    from anlage.app import coverage, measured, metrics_as_data, open_clocked, settings

    folder = options.data or Path(os.environ.get("ANLAGE_DATA", "anlage-data"))
    site = open_clocked(settings(folder), may_be_beside=True)
    try:
        at = site.clock.now()
        since = stamp(at - timedelta(days=options.days)) if options.days > 0 else ""
        data = metrics_as_data(measured(site, since=since), coverage(site, at=at))
    finally:
        site.close()
    lines = []
    for one in data["measures"]:
        against = f"; {len(one['against'])} against" if one["against"] else ""
        number = _number(one["value"], one["unit"])
        lines.append(f"{one['title']:<56}{number:>14}  of {one['counted']}{against}")
    custody = data["custody"]
    lines.append(
        f"{'Custody of containers covered':<56}{_number(custody['coverage_percent'], '%'):>14}"
        f"  of {custody['containers']}"
    )
    lines += [
        f"  {grade:<54}{_number(share, '%'):>14}" for grade, share in custody["by_grade"].items()
    ]
    return Answer(data, "\n".join(lines))


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "no facts"
    return f"{value * 100:.1f} %" if unit == "share" else f"{value:.1f} {unit}"
