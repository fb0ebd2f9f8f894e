"""`anlage logger`: temperature records of shipments and stores, judged."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from anlage.base import Problem, Refused
from anlage.cli.shell import Answer, Group

_NEAR_CELSIUS = 25.0
_NOTED = frozenset({"time-zone-unknown", "unit-not-stated"})


def register(group: Group) -> None:
    """Add the commands of the group."""
    parser = group.command("check", check, help="excursions and verdict of a logger's file")
    parser.add_argument("file", metavar="FILE", type=Path, help="CSV or text of a logger")
    parser.add_argument("--product", required=True, metavar="ID", help="whose rule judges")
    parser.add_argument("--rule", type=Path, metavar="FILE", help="your own rule, in YAML")
    parser.add_argument("--channel", metavar="NAME", help="the column of the product's probe")
    parser.add_argument("--unit", choices=("C", "F", "K"), help="where the file does not say")
    parser.add_argument("--date-order", choices=("dmy", "mdy"), help="where dates leave it open")
    parser.add_argument("--time-zone", metavar="+HH:MM", help="where the file does not say")
    group.command("products", products, help="the packaged rules")


def check(options: argparse.Namespace) -> Answer:
    """Judge a logger's file by the rule of a product."""
    from anlage.custody import Verdict, judge, rule_for
    from anlage.wire.loggers import read_file, read_rule

    rule = read_rule(options.rule) if options.rule else rule_for(options.product)
    record = read_file(
        options.file,
        channel=options.channel,
        unit=options.unit,
        order=options.date_order,
        zone=options.time_zone,
    )
    problems = list(record.problems)
    if not record.unit_stated:
        problems.append(_unit_problem(record.readings, rule, options.file))
    judgement = judge(record.readings, rule)
    verdict = judgement.verdict
    reasons = list(judgement.reasons)
    problems += judgement.problems
    if verdict is Verdict.ACCEPT and any(p.code not in _NOTED for p in problems):
        verdict = Verdict.QUARANTINE
        reasons.append("part of the record could not be read; see the problems")
    times = sorted(reading.at for reading in record.readings)
    data = {
        "file": str(options.file),
        "product": options.product,
        "readings": len(record.readings),
        "start": _shown(times[0]),
        "end": _shown(times[-1]),
        "excursions": [
            {
                "start": _shown(found.start),
                "end": _shown(found.end),
                "worst": found.worst,
                "limit": found.limit,
                "minutes": round((found.end - found.start).total_seconds() / 60, 2),
                "open": found.is_open,
            }
            for found in judgement.excursions
        ],
        "verdict": verdict.value,
        "reasons": reasons,
        "rule": rule.id,
        "rule_valid_from": rule.valid_from.isoformat(),
        "rule_source": rule.source,
        "mean_kinetic_temperature": judgement.kinetic,
        "channel": record.channel,
        "unit": record.unit,
        "time_zone": record.zone,
        "dialect": record.dialect,
        "problems": [problem.as_dict() for problem in problems],
    }
    lines = [f"{options.file}: {verdict.value.upper()} by {rule.id}"]
    lines += [f"  because {reason}" for reason in reasons]
    lines += [
        f"  excursion {e['start']} to {e['end']}, worst {e['worst']:g} degC"
        for e in data["excursions"]  # type: ignore[attr-defined]
    ]
    lines += [f"  {problem}" for problem in problems]
    return Answer(data, "\n".join(lines), ok=verdict is Verdict.ACCEPT)


def products(_options: argparse.Namespace) -> Answer:
    """List the packaged rules by product."""
    from anlage.custody import EXCURSION_RULES

    found = [
        {
            "product": product,
            "rule": rule.id,
            "name": rule.product,
            "valid_from": rule.valid_from.isoformat(),
            "range": rule.bands[0].range,
            "source": rule.source,
        }
        for product, rule in EXCURSION_RULES.items()
    ]
    text = "\n".join(f"{f['product']:<16} {f['range']:<18} {f['name']}" for f in found)
    return Answer({"products": found}, text)


def _unit_problem(readings: object, rule: object, path: Path) -> Problem:
    from anlage.custody import ExcursionRule, Reading

    assert isinstance(rule, ExcursionRule)
    assert isinstance(readings, tuple)
    values = sorted(r.celsius for r in readings if isinstance(r, Reading) and r.celsius is not None)
    middle = values[len(values) // 2] if values else 0.0
    band = rule.bands[0]
    low = -200.0 if band.low is None else band.low - _NEAR_CELSIUS
    high = 200.0 if band.high is None else band.high + _NEAR_CELSIUS
    if not low <= middle <= high:
        raise Refused(
            "unit-not-stated",
            what=f"temperatures in {path.name}",
            found=f"numbers around {middle:g} without a unit",
            limit="a unit in the heading, the values or the head of the file",
            remedy="say the unit with --unit C, F or K; these may be degrees Fahrenheit",
            rule="Anlage loggers",
            path=path.name,
        )
    return Problem(
        code="unit-not-stated",
        what=f"temperatures in {path.name}",
        found=f"numbers around {middle:g} without a unit, taken as degC",
        limit="a unit in the heading, the values or the head of the file",
        remedy="confirm the unit, or say it with --unit",
        rule="Anlage loggers",
        path=path.name,
    )


def _shown(at: datetime) -> str:
    """Give a time in UTC, or as the logger wrote it where its zone is unknown."""
    if at.tzinfo is None:
        return at.isoformat(timespec="seconds")
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
