"""The times of a step: its windows, its least and greatest duration, entries after the fact."""

from datetime import timedelta

from anlage.base import Instant, Refused

from .lot import Lot, StepState
from .recipe import Phase

LATE = timedelta(minutes=5)


def lateness(lot: Lot, happened: Instant | None, reason: str | None, at: Instant) -> bool:
    """Tell whether an entry is late (more than five minutes after the fact).

    Raises:
        Refused: It lies in the future, or is late and nobody says why.
    """
    if happened is None:
        return False
    if happened > at + LATE:
        raise Refused(
            "time-in-future",
            what=f"time of the entry in lot {lot.id}",
            found=happened.isoformat(),
            limit=f"not after {at.isoformat()}",
            remedy="correct the time",
            rule="ALCOA: contemporaneous",
        )
    if at - happened <= LATE:
        return False
    if not reason:
        raise Refused(
            "late-entry-unexplained",
            what=f"entry in lot {lot.id}",
            found=f"{span_words(at - happened)} after the fact",
            limit="a reason",
            remedy="say why it is entered late",
            rule="ALCOA: contemporaneous",
        )
    return True


def duration_fault(lot: Lot, phase: Phase, step: StepState, happened: Instant) -> str | None:
    """Refuse an end before the minimum; say how far it lies past the maximum."""
    lasted = happened - step.started
    if phase.minimum is not None and lasted < phase.minimum:
        raise Refused(
            "step-too-early",
            what=f"step {step.key} of lot {lot.id}",
            found=f"open for {span_words(lasted)}",
            limit=f"at least {span_words(phase.minimum)}",
            remedy=f"wait another {span_words(phase.minimum - lasted)}",
            rule=f"recipe {lot.recipe_id}",
        )
    if phase.maximum is not None and lasted > phase.maximum:
        most = span_words(phase.maximum)
        return f"{phase.name} lasted {span_words(lasted)}; at most {most} is validated"
    return None


def window_fault(lot: Lot, phase: Phase, key: str, happened: Instant) -> str | None:
    """Say how a step lies past its windows; None when it is in time.

    Raises:
        Refused: `step-too-early`.
    """
    late = []
    for window in phase.windows:
        since = lot.last(window.after)
        if since is None:
            continue
        base = since.started if window.since == "started" else since.completed
        if base is None:
            continue
        passed = happened - base
        if window.earliest is not None and passed < window.earliest:
            raise Refused(
                "step-too-early",
                what=f"step {key} of lot {lot.id}",
                found=f"{span_words(passed)} after {window.after}",
                limit=f"at least {span_words(window.earliest)}",
                remedy=f"wait another {span_words(window.earliest - passed)}",
                rule=f"recipe {lot.recipe_id}",
            )
        if window.latest is not None and passed > window.latest:
            late.append(
                f"{phase.name} began {span_words(passed)} after {window.after}; at most "
                f"{span_words(window.latest)} is allowed"
            )
    return "; ".join(late) or None


def span_words(span: timedelta) -> str:
    """Give a span as people say it."""
    minutes = round(span.total_seconds() / 60)
    if abs(minutes) < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if abs(hours) < 72:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h"
