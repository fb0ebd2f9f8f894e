"""The custody proof: for how much of their lives containers had exactly one place and one holder.

Coverage = container-seconds with one place and one holder / container-seconds from creation to
infusion, discard or now. Each part carries the grade of the evidence that opened it. A fact that
contradicts the record (scanned elsewhere, given by somebody else) turns the time since the last
fact into a gap, because in that time the thing moved and nobody recorded it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from anlage.base import Instant, Problem, stamp
from anlage.record import Recorded

from .container_fact import (
    ContainerCreated,
    ContainerEnded,
    ContainerFound,
    ContainerMissed,
    ContainerMoved,
    ContainerPacked,
    ContainerSeen,
    ContainerUnpacked,
    Evidence,
    HandOverClosed,
    HandOverOpened,
    HandOverWithdrawn,
)

_DEPTH_MAX = 8
_ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Dated:
    """A fact with the moment at which it happened, and its number in the journal."""

    at: Instant
    fact: object
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time in which a container's custody was one thing.

    Attributes:
        start: From.
        end: To.
        place: Where it was; None when unknown.
        holder: Who answered for it; None when unknown.
        grade: How this is known; None for a gap.
        why: Why it is a gap; empty otherwise.
        before: The fact that opens it.
        after: The fact that closes it; None while it is open.
    """

    start: Instant
    end: Instant
    place: str | None
    holder: str | None
    grade: Evidence | None
    why: str = ""
    before: Dated | None = None
    after: Dated | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time for which no one place and holder can be shown, with the two facts around it."""

    container: str
    start: Instant
    end: Instant
    why: str
    before: Dated | None
    after: Dated | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyProof:
    """What can be shown.

    Attributes:
        total: Container time from creation to end or now.
        by_grade: Container time with one place and one holder, per grade.
        gaps: The rest, each with its reason.
        containers: The containers judged.
    """

    total: timedelta
    by_grade: Mapping[Evidence, timedelta]
    gaps: tuple[Gap, ...]
    containers: tuple[str, ...]

    @property
    def covered(self) -> timedelta:
        """The container time with one place and one holder."""
        return sum(self.by_grade.values(), _ZERO)

    @property
    def coverage_percent(self) -> float:
        """Covered in percent of total; 100 only when nothing is missing."""
        return _percent(self.covered, self.total)

    @property
    def read_percent(self) -> float:
        """Percent of total known from a code or device read at the moment; paper never counts."""
        read = sum((t for grade, t in self.by_grade.items() if grade.is_read), _ZERO)
        return _percent(read, self.total)

    def grade_percent(self, grade: Evidence) -> float:
        """Percent of total known in one grade."""
        return _percent(self.by_grade.get(grade, _ZERO), self.total)

    def as_dict(self) -> dict[str, Any]:
        """Give the proof as a JSON object; each gap with the two facts around it."""
        return {
            "coverage_percent": self.coverage_percent,
            "read_percent": self.read_percent,
            "by_grade": {grade.value: self.grade_percent(grade) for grade in Evidence},
            "container_seconds": self.total.total_seconds(),
            "containers": list(self.containers),
            "gaps": [
                {
                    "container": gap.container,
                    "start": stamp(gap.start),
                    "end": stamp(gap.end),
                    "seconds": (gap.end - gap.start).total_seconds(),
                    "why": gap.why,
                    "before": _around(gap.before),
                    "after": _around(gap.after),
                }
                for gap in self.gaps
            ],
        }


def prove(
    histories: Mapping[str, Sequence[Dated]],
    *,
    now: Instant,
    subjects: Iterable[str] | None = None,
) -> CustodyProof:
    """Prove the custody of containers from their facts.

    Args:
        histories: Facts by container; those of the containers that they were packed in as well.
        now: Until when living containers are judged.
        subjects: The containers to judge; all of them when None.
    """
    reader = _Reader(histories, now)
    chosen = sorted(histories if subjects is None else subjects)
    grades: dict[Evidence, timedelta] = dict.fromkeys(Evidence, _ZERO)
    gaps: list[Gap] = []
    total = _ZERO
    for name in chosen:
        for span in reader.spans(name):
            length = span.end - span.start
            total += length
            if span.grade is None:
                gaps.append(
                    Gap(
                        container=name,
                        start=span.start,
                        end=span.end,
                        why=span.why,
                        before=span.before,
                        after=span.after,
                    )
                )
            else:
                grades[span.grade] += length
    return CustodyProof(total=total, by_grade=grades, gaps=tuple(gaps), containers=tuple(chosen))


def spans(histories: Mapping[str, Sequence[Dated]], name: str, *, now: Instant) -> list[Span]:
    """Give the times of one container, in order and without holes, from creation to end or now."""
    return _Reader(histories, now).spans(name)


def _around(dated: Dated | None) -> dict[str, Any] | None:
    if dated is None:
        return None
    kind = getattr(dated.fact, "kind", type(dated.fact).__name__)
    return {"number": dated.number, "at": stamp(dated.at), "fact": str(kind)}


def histories_of(facts: Iterable[Recorded]) -> dict[str, list[Dated]]:
    """Give the dated facts of each container among recorded ones."""
    found: dict[str, list[Dated]] = {}
    for recorded in facts:
        if recorded.stream.family == "container" and not recorded.is_withheld:
            found.setdefault(recorded.stream.id, []).append(
                Dated(recorded.happened, recorded.fact, recorded.number)
            )
    return found


def check(facts: Sequence[Recorded]) -> list[Problem]:
    """Judge the containers of an export: nothing happens to one before its creation or after its
    end, no container is created twice, and none holds another patient's cells than its sources.
    """
    problems: list[Problem] = []
    histories = histories_of(facts)
    born = {
        name: dated.fact
        for name, history in histories.items()
        for dated in history
        if isinstance(dated.fact, ContainerCreated)
    }
    for name, created_fact in born.items():
        mixed = [
            source
            for source in created_fact.sources
            if source in born
            and created_fact.coi is not None
            and born[source].coi != created_fact.coi
        ]
        if mixed:
            problems.append(
                Problem(
                    code="identity-mismatch",
                    what=f"container {name}",
                    found=f"filled from {', '.join(mixed)}, which are not of {created_fact.coi}",
                    limit="cells of one patient",
                    remedy="ask the site how the cells of two patients met",
                    rule="ISO 21973; chain of identity",
                    path=f"container/{name}",
                )
            )
    for name, history in histories.items():
        created = [d for d in history if isinstance(d.fact, ContainerCreated)]
        ended = [d for d in history if isinstance(d.fact, ContainerEnded)]
        late = [d for d in history if ended and d.number > ended[0].number]
        if len(created) > 1 or late:
            problems.append(
                Problem(
                    code="container-history-broken",
                    what=f"container {name}",
                    found=f"{len(created)} creations, {len(late)} facts after its end",
                    limit="one creation, nothing after the end",
                    remedy="ask the site which of the facts is wrong and how it was corrected",
                    rule="ISO 21973",
                    path=f"container/{name}",
                )
            )
    return problems


@dataclass(slots=True)
class _Now:
    """Custody while a history is walked."""

    place: str | None = None
    holder: str | None = None
    inside: str | None = None
    grade: Evidence | None = None
    since: Dated | None = None
    missing: bool = False
    offered: str | None = None


@dataclass(slots=True)
class _Reader:
    """Walks histories; a packed container takes its place from the one it is in."""

    histories: Mapping[str, Sequence[Dated]]
    now: Instant
    _known: dict[str, list[Span]] = field(default_factory=dict)

    def spans(self, name: str, depth: int = 0) -> list[Span]:
        if name not in self._known:
            self._known[name] = self._walk(name, depth)
        return self._known[name]

    def _walk(self, name: str, depth: int) -> list[Span]:
        # Facts of one moment keep the order of the journal.
        history = sorted(
            enumerate(self.histories.get(name, ())), key=lambda pair: (pair[1].at, pair[0])
        )
        found: list[Span] = []
        state: _Now | None = None
        for _, dated in history:
            if isinstance(dated.fact, ContainerCreated):
                if state is None:
                    state = _Now(since=dated)
                    _take(state, dated)
                continue
            if state is None:
                continue  # before its creation there is nothing to hold
            if not _says_something(dated.fact):
                continue
            why = _contradiction(state, dated.fact)
            self._close(found, state, dated, why, depth)
            state.since = dated
            if isinstance(dated.fact, ContainerEnded):
                return found
            _take(state, dated)
        if state is not None:
            self._close(found, state, None, "", depth)
        return found

    def _close(
        self, found: list[Span], state: _Now, after: Dated | None, why: str, depth: int
    ) -> None:
        before = state.since
        end = after.at if after else self.now
        if before is None or end <= before.at:
            return
        if why or state.missing:
            why = why or "nobody knew where it was"
            found.append(
                Span(
                    start=before.at,
                    end=end,
                    place=None,
                    holder=None,
                    grade=None,
                    why=why,
                    before=before,
                    after=after,
                )
            )
        elif state.inside is not None:
            found += self._inside(state, before, end, after, depth)
        else:
            found.append(
                Span(
                    start=before.at,
                    end=end,
                    place=state.place,
                    holder=state.holder,
                    grade=state.grade,
                    before=before,
                    after=after,
                )
            )

    def _inside(
        self, state: _Now, before: Dated, end: Instant, after: Dated | None, depth: int
    ) -> list[Span]:
        """Give the times of the outer container, cut to those in which this one was in it."""
        outer = state.inside or ""
        parts = self.spans(outer, depth + 1) if depth < _DEPTH_MAX else []
        found: list[Span] = []
        at = before.at

        def hole(until: Instant) -> Span:
            return Span(
                start=at,
                end=until,
                place=None,
                holder=None,
                grade=None,
                why=f"inside {outer}, whose own custody is not recorded",
                before=before,
                after=after,
            )

        for part in parts:
            start, stop = max(part.start, at), min(part.end, end)
            if start >= stop:
                continue
            if start > at:
                found.append(hole(start))
            found.append(
                Span(
                    start=start,
                    end=stop,
                    place=part.place,
                    holder=part.holder,
                    grade=_weaker(part.grade, state.grade),
                    why=part.why and f"inside {outer}: {part.why}",
                    before=part.before,
                    after=part.after,
                )
            )
            at = stop
        if at < end:
            found.append(hole(end))
        return found


def _says_something(fact: object) -> bool:
    return isinstance(
        fact,
        ContainerMoved
        | ContainerSeen
        | HandOverOpened
        | HandOverClosed
        | HandOverWithdrawn
        | ContainerPacked
        | ContainerUnpacked
        | ContainerMissed
        | ContainerFound
        | ContainerEnded,
    )


def _take(state: _Now, dated: Dated) -> None:
    """Carry a fact into the state."""
    fact = dated.fact
    match fact:
        case ContainerCreated() | ContainerMoved() | ContainerUnpacked() | ContainerFound():
            state.place, state.holder, state.inside = fact.place, fact.holder, None
            state.grade, state.missing = fact.evidence, False
        case HandOverClosed():
            state.place, state.holder = fact.place, fact.receiver
            state.grade, state.missing, state.offered = fact.evidence, False, None
        case HandOverOpened():
            state.holder, state.offered = fact.giver, fact.receiver
        case HandOverWithdrawn():
            state.offered = None
        case ContainerSeen():
            if state.inside is None:
                state.place, state.grade = fact.place, fact.evidence
                state.missing = state.holder is None
        case ContainerPacked():
            state.inside, state.place, state.holder = fact.into, None, None
            state.grade, state.missing = fact.evidence, False
        case ContainerMissed():
            state.place = state.holder = state.inside = None
            state.missing = True
        case _:
            pass


def _contradiction(state: _Now, fact: object) -> str:
    """Say how a fact contradicts what the record had until then; empty when it fits."""
    if state.missing:
        return ""
    match fact:
        case ContainerMoved():
            if state.inside is not None:
                return f"moved by itself, but the record has it inside {state.inside}"
            if fact.origin != state.place:
                return f"taken from {fact.origin}, but the record has it at {state.place}"
            return _other_holder(state, fact.holder)
        case HandOverOpened() | HandOverClosed():
            if state.inside is not None:
                return f"handed over by itself, but the record has it inside {state.inside}"
            if why := _other_holder(state, fact.giver):
                return why
            return _one_sided(state, fact) if isinstance(fact, HandOverClosed) else ""
        case ContainerSeen():
            if state.inside is None and fact.place != state.place:
                return f"seen at {fact.place}, but the record has it at {state.place}"
            return ""
        case ContainerPacked():
            if state.inside is not None:
                return f"packed, but the record has it inside {state.inside}"
            return _other_holder(state, fact.holder)
        case ContainerUnpacked():
            if fact.origin != state.inside:
                where = f"inside {state.inside}" if state.inside else f"at {state.place}"
                return f"taken out of {fact.origin}, but the record has it {where}"
            return ""
        case ContainerFound():
            return f"found at {fact.place}, though it was never missed"
        case ContainerEnded():
            if state.inside is not None:
                return f"ended, but the record has it inside {state.inside}"
            return _other_holder(state, fact.holder)
        case _:
            return ""


def _other_holder(state: _Now, holder: str) -> str:
    if holder == state.holder:
        return ""
    return f"{holder} had it, but the record has {state.holder} answer for it"


def _one_sided(state: _Now, fact: HandOverClosed) -> str:
    """Say what a taking lacks that the giver never offered; an offer to a role or to a lot's next
    step was judged when it was taken.
    """
    offered = state.offered
    if offered is None:
        return f"taken by {fact.receiver}, but {fact.giver} never offered it"
    if offered != fact.receiver and "/" not in offered:
        return f"taken by {fact.receiver}, but offered to {offered}"
    return ""


def _weaker(one: Evidence | None, other: Evidence | None) -> Evidence | None:
    if one is None or other is None:
        return None
    order = list(Evidence)
    return max(one, other, key=order.index)


def _percent(part: timedelta, total: timedelta) -> float:
    if total <= _ZERO or part == total:
        return 100.0 if part == total else 0.0
    return min(round(part / total * 100, 6), 99.999999)
