"""`anlage recall MATERIAL_LOT`: lots, patients, doses, sites and letters that a recall reaches.

It reads only: the recall itself is the command `recall-material`, signed for by quality.
"""

import argparse
import time
from typing import Any

from .shell import Answer, Group
from .trace import edge_values, node_values, with_genealogy


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(_recall)
    parser.add_argument("material", metavar="MATERIAL_LOT", help="M-1 or material/M-1")
    parser.add_argument("--notice", default="", help="number of the recall notice")
    parser.add_argument("--mock", action="store_true", help="an exercise: letters say so")


def _recall(args: argparse.Namespace) -> Answer:
    from anlage.plant import recall_report

    name = args.material if "/" in args.material else f"material/{args.material}"
    notice = f"EXERCISE {args.notice}".strip() if args.mock else args.notice
    installation, genealogy = with_genealogy(args)
    try:
        started = time.perf_counter()
        report = recall_report(name, genealogy, notice=notice)
        seconds = round(time.perf_counter() - started, 4)
    finally:
        installation.close()
    lots: list[dict[str, Any]] = [
        {
            "lot": one.lot.id,
            "coi": one.lot.patient,
            "state": one.lot.state,
            "site": one.lot.site,
            "through": list(one.through),
            "uses": [edge_values(edge) for edge in one.uses],
            "doses": [node_values(dose) for dose in one.doses],
        }
        for one in report.lots
    ]
    letters: list[dict[str, Any]] = [
        {
            "site": one.site,
            "material": one.material,
            "material_name": one.material_name,
            "notice": one.notice,
            "lots": list(one.lots),
            "patients": list(one.patients),
            "doses": list(one.doses),
            "states": list(one.states),
        }
        for one in report.letters
    ]
    data = {
        "material": node_values(report.material),
        "mock": args.mock,
        "notice": notice,
        "materials": [node_values(one) for one in report.materials],
        "lots": lots,
        "patients": list(report.patients),
        "doses": [dose for lot in lots for dose in lot["doses"]],
        "sites": list(report.sites),
        "letters": letters,
        "seconds": seconds,
    }
    lines = [
        f"{name} ({report.material.state}): {len(lots)} lots, {len(report.patients)} patients, "
        f"{len(data['doses'])} doses, {len(report.sites)} sites",
        *(f"  {lot['lot']} {lot['state']} {lot['coi'] or ''}" for lot in lots),
    ]
    return Answer(data, "\n".join(lines))
