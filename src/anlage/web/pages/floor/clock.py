"""When something next happens to a lot: the end of a wait, the last moment to begin a step."""

from anlage.base import Instant
from anlage.plant import Lot


def next_end(lot: Lot, at: Instant) -> tuple[str, Instant | None]:
    """Give what comes next and when; the moment is None where the recipe sets no time."""
    ends: list[tuple[Instant, str]] = []
    for step in lot.open_steps:
        phase = lot.phase_of(step.key)
        if phase is None:
            continue
        if phase.minimum is not None:
            ready = step.started + phase.minimum
            ends.append((ready, "can go on since" if ready <= at else "can go on"))
        if phase.maximum is not None:
            ends.append((step.started + phase.maximum, "has to end"))
    for key in lot.ready:
        phase = lot.phase_of(key)
        for window in phase.windows if phase else ():
            since = lot.last(window.after)
            base = since and (since.started if window.since == "started" else since.completed)
            if base and window.latest is not None:
                ends.append((base + window.latest, "has to begin"))
    if not ends:
        return "", None
    end, word = min(ends)
    return word, end
