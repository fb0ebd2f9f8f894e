"""Are these the cells they are called: published criteria applied by the one evaluator.

The criteria are dated definitions in the library's data, read as any specification is; a marker
that stands for another ("CD14 or CD11b") is judged by whichever was measured, and by the worse
where both were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anlage.base import Problem, Refused
from anlage.library import (
    Outcome,
    Result,
    Specification,
    Verdict,
    evaluate,
    overall,
    starter,
)

from ..assay_definition import read_file_with
from ..columns import read_columns

RULES = {
    "msc": "msc-identity-isct-2006",
    "car-t": "car-t-identity-fda-2024",
    "pluripotency": "pluripotency-isscr-2023",
    "vcn": "vector-copies-fda-2024",
}
_ALIASES = {
    "cd79alpha": "cd79a", "cd79α": "cd79a", "hladr": "hla-dr", "oct3/4": "oct4", "oct34": "oct4",
    "tra160": "tra-1-60", "ssea-4": "ssea4", "car": "car-positive", "car+": "car-positive",
    "vcn": "vcn-per-transduced-cell", "rcl": "replication-competent-virus",
    "rcr": "replication-competent-virus",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityVerdict:
    """What the results of a lot are worth against a rule set.

    Attributes:
        rules: Identifier of the rule set.
        outcome: The worst of the verdicts.
        verdicts: By attribute.
        ignored: Results that the rule set does not ask for.
    """

    rules: str
    outcome: Outcome
    verdicts: Mapping[str, Verdict]
    ignored: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Give the verdict as a JSON object."""
        return {
            "rules": self.rules,
            "outcome": self.outcome.value,
            "verdicts": {
                name: {
                    "outcome": verdict.outcome.value,
                    "compared": verdict.compared,
                    "reasons": list(verdict.reasons),
                }
                for name, verdict in self.verdicts.items()
            },
            "ignored": list(self.ignored),
        }


def criteria(name: str) -> Specification:
    """Give a rule set by its short name, its identifier, or the path of a file of your own.

    Raises:
        Refused: There is none of that name, or the file is no specification.
    """
    known = starter("specification", RULES.get(name, name))
    if known is not None and isinstance(known.defined, Specification):
        return known.defined
    path = Path(name)
    if not path.is_file():
        raise Refused(
            "rules-unknown",
            what="rule set",
            found=name[:80],
            limit=", ".join([*RULES, "or the path of a specification"]),
            remedy="name one of them",
        )
    return read_file_with(path, Specification.read)


def judge_identity(results: Mapping[str, Result], rules: Specification) -> IdentityVerdict:
    """Judge results by a rule set; what was not measured is inconclusive.

    Raises:
        Refused: A result's unit measures something other than its criterion's.
    """
    known = {_plain(name): result for name, result in results.items()}
    verdicts: dict[str, Verdict] = {}
    used: set[str] = set()
    for one in rules.criteria:
        names = [one.attribute, *one.attribute.split("-or-")]
        measured = [name for name in names if name in known]
        used.update(measured)
        found = [evaluate(one, known[name]) for name in measured]
        if found:
            order = [Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.WARNING, Outcome.PASS]
            verdicts[one.attribute] = min(found, key=lambda v: order.index(v.outcome))
        else:
            verdicts[one.attribute] = Verdict(
                outcome=Outcome.INCONCLUSIVE,
                reasons=(f"There is no result for {one.attribute}.",),
                compared=f"no result; limit {one.limit_text}",
            )
    counted = {
        one.attribute: verdicts[one.attribute]
        for one in rules.criteria
        if one.stage.value != "information"
    }
    return IdentityVerdict(
        rules=rules.heading.id,
        outcome=overall(counted),
        verdicts=verdicts,
        ignored=tuple(name for name in known if name not in used),
    )


def read_results(path: Path, *, decimal: str = ".") -> dict[str, Result]:
    """Read results from a table with the columns attribute and result (and unit).

    Raises:
        Refused: A column is missing, a result is blank or unreadable, or stands twice.
    """
    columns = read_columns(path, decimal=decimal)
    names = columns.text(columns.need("attribute", "test", "marker"))
    values = columns.text(columns.need("result", "value"))
    place = columns.find("unit", "units")
    units = columns.text(place) if place is not None else [""] * len(names)
    found: dict[str, Result] = {}
    problems: list[Problem] = []
    for (line, _), name, value, unit in zip(columns.rows, names, values, units, strict=True):
        if columns.decimal == ",":
            value = value.replace(",", ".")
        try:
            if not name or _plain(name) in found:
                raise Refused(
                    "value-missing" if not name else "result-twice",
                    what=f"attribute {name}".strip(),
                    found="no name" if not name else "a second result",
                    limit="one result per named attribute",
                    remedy="correct the row",
                )
            found[_plain(name)] = Result.parse(f"{value} {unit}".strip() if value else value)
        except Refused as refusal:
            one = refusal.problem
            problems.append(
                Problem(
                    code=one.code,
                    what=one.what,
                    found=one.found,
                    limit=one.limit,
                    remedy=one.remedy,
                    rule=one.rule,
                    path=str(path),
                    line=line,
                )
            )
    if problems:
        raise Refused.of(problems)
    return found


def _plain(name: str) -> str:
    key = name.strip().lower().replace("_", "-").replace(" ", "-")
    return _ALIASES.get(key.replace("-", ""), _ALIASES.get(key, key))
