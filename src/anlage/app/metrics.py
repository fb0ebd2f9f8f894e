"""The measures of an installation: those of the way from vein to vein, and custody by grade."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from anlage.base import Instant
from anlage.custody import METRIC_VIEW, CustodyProof, Evidence, Measure, histories_of, measures
from anlage.custody import prove as prove_custody

from .installation import Installation

ROWS_MAX = 200_000
BEHIND_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Custody of every container, by grade.

    Attributes:
        proof: The proof over all containers.
        words: The exact definition.
        formula: How it is computed.
    """

    proof: CustodyProof
    words: str = (
        "Container-seconds with exactly one place and one holder, from a container's creation to"
        " its end or now, by how the last fact before is known. Paper and what was attested later"
        " never count as read."
    )
    formula: str = "container-seconds of a grade / container-seconds from creation to end or now"

    @property
    def by_grade(self) -> dict[str, float | None]:
        """The share of each grade, percent; None without containers."""
        has_any = bool(self.proof.containers)
        return {
            grade.value: self.proof.grade_percent(grade) if has_any else None for grade in Evidence
        }


def measured(site: Installation, *, since: str = "") -> list[Measure]:
    """Give the measures of what ended since a moment (as facts write it; empty for all)."""
    rows = [row for _, row in site.rows(METRIC_VIEW).find(limit=ROWS_MAX)]
    return measures(rows, since=since)


def coverage(site: Installation, *, at: Instant) -> Coverage:
    """Give the custody of every container up to a moment."""
    journal = site.journal
    facts = [one for stream in journal.streams("container") for one in journal.read_stream(stream)]
    return Coverage(proof=prove_custody(histories_of(facts), now=at))


def as_data(found: Sequence[Measure], custody: Coverage) -> dict[str, Any]:
    """Give the measures as JSON values: definition, number, and what stands behind it."""
    return {
        "measures": [
            {
                "measure": one.name,
                "title": one.definition.title,
                "definition": one.definition.words,
                "formula": one.definition.formula,
                "unit": one.definition.unit,
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "counted": len(one.behind),
                "against": list(one.against),
                "behind": [
                    {
                        "subject": each.subject,
                        "value": each.value,
                        "counts_against": each.counts_against,
                        "note": each.note,
                        "facts": [
                            {"what": what, "stream": stream, "number": number, "at": at}
                            for what, stream, number, at in each.facts
                        ],
                    }
                    for each in one.behind[:BEHIND_MAX]
                ],
                "left_out": [
                    {"subject": subject, "why": why} for subject, why in one.left_out[:BEHIND_MAX]
                ],
            }
            for one in found
        ],
        "custody": {
            "definition": custody.words,
            "formula": custody.formula,
            "coverage_percent": custody.proof.coverage_percent
            if custody.proof.containers
            else None,
            "by_grade": custody.by_grade,
            "containers": len(custody.proof.containers),
            "gaps": len(custody.proof.gaps),
        },
    }
