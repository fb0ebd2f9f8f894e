"""The library's own judgement of an export's facts: what `anlage verify` asks beyond the bytes."""

from collections.abc import Iterator, Sequence

from anlage.base import Problem, digest
from anlage.record import Recorded

from .definition import (
    DefinitionApproved,
    DefinitionDrafted,
    DefinitionSubmitted,
)


def check(facts: Sequence[Recorded]) -> Iterator[Problem]:
    """Give what is wrong with the definitions in an export: content that does not have the digest
    that was approved, a version approved by one of its writers, an approval dated back.
    """
    writers: dict[tuple[str, int], set[str]] = {}
    digests: dict[tuple[str, int], str] = {}
    for one in facts:
        if one.is_withheld or one.stream.family != "definition":
            continue
        match one.fact:
            case DefinitionDrafted() as drafted:
                place = (str(one.stream), drafted.number)
                writers.setdefault(place, set()).add(drafted.author)
                digests[place] = drafted.digest
                if digest(drafted.content) != drafted.digest:
                    yield _problem(one, "definition-digest", "content with another digest")
            case DefinitionSubmitted(number=number, by=by):
                writers.setdefault((str(one.stream), number), set()).add(by)
            case DefinitionApproved() as approved:
                place = (str(one.stream), approved.number)
                if place in digests and approved.digest != digests[place]:
                    yield _problem(one, "definition-digest", "approval of another content")
                if approved.approver in writers.get(place, ()):
                    yield _problem(one, "definition-own-approval", "approved by a writer")
                if approved.effective < one.happened:
                    yield _problem(one, "definition-backdated", "effective before its approval")


def _problem(one: Recorded, code: str, found: str) -> Problem:
    return Problem(
        code=code,
        what=f"fact {one.number} of {one.stream}",
        found=found,
        limit="a definition approved as Anlage does it",
        remedy="ask the site that made the export",
        rule="EU GMP Part IV 6.9; 21 CFR 11.70",
        path=str(one.stream),
    )
