"""`anlage assay study`: an interlaboratory study from tables."""

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Refused

from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.lab.columns import Columns

_LAB = ("laboratory", "lab", "participant", "site", "lab_code", "laboratory_code", "code",
        "organisation", "institute", "lab_id")  # fmt: skip
_VALUE = ("value", "result", "reported", "mean", "measurement", "x", "response")
_ITEM = ("item", "sample", "bottle", "vial", "unit", "specimen", "container", "ampoule")
_TIME = ("time", "day", "days", "month", "months", "week", "weeks", "age", "date", "when")
_ERROR = ("uncertainty", "u", "standard_uncertainty", "stated_uncertainty")
_EXPANDED = ("expanded_uncertainty", "u_expanded", "uncertainty_k2")
_PHASE = ("phase", "part", "stage", "study")
_MEASURAND = ("measurand", "analyte", "attribute", "test", "parameter")


def register(group: Group) -> None:
    """Add the command to the group `assay`."""
    parser = group.command(
        "study", study, help="interlaboratory study: homogeneity, stability, value, scores"
    )
    parser.add_argument("file", type=Path, help="columns laboratory, value (uncertainty, phase)")
    parser.add_argument("--homogeneity", type=Path, metavar="FILE", help="columns item, value")
    parser.add_argument("--stability", type=Path, metavar="FILE", help="columns time, value")
    parser.add_argument("--assigned", type=_finite, help="assigned value of a reference material")
    parser.add_argument("--assigned-uncertainty", type=_least, default=0.0, metavar="U")
    parser.add_argument("--sigma", type=_above, help="standard deviation for proficiency")
    parser.add_argument("--sigma-percent", type=_above, help="the same in percent of the value")
    parser.add_argument("--median", action="store_true", help="the median is the assigned value")
    parser.add_argument("--coverage", type=_above, default=2.0, help="factor of expanded figures")
    parser.add_argument(
        "--require-satisfactory", action="store_true", help="exit 2 unless every score is so"
    )
    parser.add_argument(
        "--decimal", choices=[".", ",", "auto"], default="auto", help="sign of decimals (by file)"
    )


def study(options: argparse.Namespace) -> Answer:
    """Evaluate a study, one measurand after another."""
    from anlage.lab import columns as tables

    table = tables.read_columns(options.file, decimal=options.decimal, expect=(_VALUE,))
    found = {}
    lines = []
    for name, rows in _measurands(table).items():
        one = _evaluated(options, table, rows, name)
        found[name] = one
        if name:
            lines.append(f"{name}:")
        lines += _told(one)
    good = True
    if options.require_satisfactory:
        scores = [each for one in found.values() for each in one.scores]
        good = all(str(each.score) == "satisfactory" for each in scores)
    checks = [c for one in found.values() for c in (one.homogeneity, one.stability) if c]
    good = good and all(check.is_sufficient for check in checks)
    data: dict[str, Any] = {"file": str(options.file)}
    if list(found) == [""]:
        data |= found[""].as_dict()
    else:
        data["measurands"] = {name: one.as_dict() for name, one in found.items()}
    return Answer(data | {"problems": []}, "\n".join(lines), ok=good)


def _measurands(table: "Columns") -> dict[str, list[int]]:
    place = table.find(*_MEASURAND)
    names = [""] * len(table.rows) if place is None else table.text(place)
    rows: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        rows.setdefault(name, []).append(at)
    return rows


def _evaluated(
    options: argparse.Namespace, table: "Columns", rows: list[int], measurand: str
) -> Any:
    from anlage.lab import assay

    parts = _parts(table, rows)
    value_place = table.need(*_VALUE)
    values = _numbers(table, value_place, rows)
    results: dict[str, list[float]] = {}
    labs = table.text(table.need(*_LAB)) if parts["round"] else []
    for at in parts["round"]:
        results.setdefault(labs[at], []).append(values[at])
    items = _grouped(table, parts["homogeneity"], _ITEM, values)
    ages = _aged(table, parts["stability"], values)
    if options.homogeneity is not None:
        other = _beside(options.homogeneity, options, (_ITEM, _VALUE))
        of = _rows_of(other, measurand)
        items = _grouped(other, of, _ITEM, _numbers(other, other.need(*_VALUE), of))
    if options.stability is not None:
        other = _beside(options.stability, options, (_TIME, _VALUE))
        of = _rows_of(other, measurand)
        ages = _aged(other, of, _numbers(other, other.need(*_VALUE), of))
    given = None
    if options.assigned is not None:
        given = (options.assigned, options.assigned_uncertainty)
    return assay.interlaboratory_study(
        results,
        uncertainties=_uncertainties(table, parts["round"], labs, options.coverage),
        assigned=given,
        sigma=options.sigma,
        sigma_percent=options.sigma_percent,
        by_median=options.median,
        items=items or None,
        ages=ages,
        coverage=options.coverage,
    )


def _parts(table: "Columns", rows: list[int]) -> dict[str, list[int]]:
    """Part the rows of one file into the round itself and the checks of its items."""
    place = table.find(*_PHASE)
    parts: dict[str, list[int]] = {"round": [], "homogeneity": [], "stability": []}
    for at in rows:
        word = "" if place is None else table.text(place)[at].lower()
        kind = "homogeneity" if word.startswith("homog") else "round"
        parts["stability" if word.startswith("stab") else kind].append(at)
    return parts


def _grouped(
    table: "Columns", rows: list[int], names: tuple[str, ...], values: dict[int, float]
) -> dict[str, list[float]]:
    if not rows:
        return {}
    labels = table.text(table.need(*names))
    grouped: dict[str, list[float]] = {}
    for at in rows:
        grouped.setdefault(labels[at], []).append(values[at])
    return grouped


def _aged(
    table: "Columns", rows: list[int], values: dict[int, float]
) -> tuple[list[float], list[float]] | None:
    if not rows:
        return None
    times = _numbers(table, table.need(*_TIME), rows)
    return [times[at] for at in rows], [values[at] for at in rows]


def _uncertainties(
    table: "Columns", rows: list[int], labs: list[str], coverage: float
) -> dict[str, float]:
    """Give the standard uncertainty that each laboratory states; expanded ones are divided."""
    plain, expanded = table.find(*_ERROR), table.find(*_EXPANDED)
    place = plain if plain is not None else expanded
    if place is None:
        return {}
    factor = 1.0 if plain is not None else coverage
    cells = table.text(place)
    kept = [at for at in rows if cells[at]]
    found = _numbers(table, place, kept)
    return {labs[at]: value / factor for at, value in found.items() if value > 0}


def _numbers(table: "Columns", place: int, rows: list[int]) -> dict[int, float]:
    """Give the numbers of some rows.

    Raises:
        Refused: One of them has none; the line is named.
    """
    import dataclasses

    some = dataclasses.replace(table, rows=tuple(table.rows[at] for at in rows))
    return dict(zip(rows, (float(one) for one in some.numbers(place)), strict=True))


def _beside(path: Path, options: argparse.Namespace, expect: Any) -> "Columns":
    from anlage.lab import columns as tables

    return tables.read_columns(path, decimal=options.decimal, expect=expect)


def _rows_of(table: "Columns", measurand: str) -> list[int]:
    rows = _measurands(table)
    if measurand in rows:
        return rows[measurand]
    if list(rows) == [""]:
        return rows[""]
    raise Refused(
        "measurand-missing",
        what=f"measurand {measurand or 'without a name'}",
        found=", ".join(rows),
        limit="the same measurands in every file",
        remedy="name it alike in all files",
        path=table.path,
    )


def _told(one: Any) -> list[str]:
    lines = [
        f"assigned value {one.assigned:.6g} (u {one.assigned_uncertainty:.3g}, {one.assigned_by}); "
        f"standard deviation for proficiency {one.sigma:.4g} ({one.sigma_by})"
    ]
    if one.homogeneity is not None:
        check = one.homogeneity
        word = "alike enough" if check.is_sufficient else "NOT alike enough"
        lines.append(
            f"items {word}: between {check.between_sd:.4g}, within {check.within_sd:.4g}, "
            f"allowed {check.allowed:.4g} (expanded {check.expanded:.4g})"
        )
    if one.stability is not None:
        check = one.stability
        word = "kept" if check.is_sufficient else "did NOT keep"
        lines.append(
            f"items {word}: change {check.change:+.4g}, allowed {check.allowed:.4g} "
            f"(expanded {check.expanded:.4g})"
        )
    if one.precision is not None:
        p = one.precision
        lines.append(
            f"repeatability {p.repeatability_sd:.4g}, reproducibility {p.reproducibility_sd:.4g}"
        )
    for each in one.scores:
        zeta = "" if each.zeta is None else f", zeta {each.zeta:+.2f}, En {each.en:+.2f}"
        shown = f"z' {each.z_prime:+.2f}" if one.is_uncertain else f"z {each.z:+.2f}"
        lines.append(f"  {each.laboratory:<16} {each.value:<12.6g} {shown}{zeta}  {each.score}")
    return [*lines, *(f"note: {note}" for note in one.notes)]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError("a finite number")
    return value


def _least(text: str) -> float:
    value = _finite(text)
    if value < 0:
        raise argparse.ArgumentTypeError("0 or more")
    return value


def _above(text: str) -> float:
    value = _finite(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("above 0")
    return value
