"""What follows a step: the turns that the recipe takes and the steps that they open."""

from collections.abc import Sequence

from anlage.base import Instant
from anlage.record import Entry

from .deviation import entries_to_open
from .flow import TurnKind
from .lot import Lot
from .lot_fact import LotDeviationOpened, Reading, Severity, TurnTaken
from .recipe import Phase


def keys_opened(lot: Lot, phase: str, readings: Sequence[Reading]) -> tuple[str, ...]:
    """Give the keys of the steps that are ready once a phase has ended."""
    if lot.net is None:
        return ()
    values = {**lot.readings, **{f"{phase}.{one.parameter}": one.value for one in readings}}
    marking, _, _ = lot.moved(phase, values)
    keys = []
    for one in lot.net.ready(marking):
        done = lot.rounds.get(one, 0) + (one == phase)
        key = one if done == 0 else f"{one}:{done + 1}"
        if key not in lot.steps and key not in lot.ready:
            keys.append(key)
    return tuple(keys)


def entries_of_turns(
    lot: Lot,
    phase: Phase,
    readings: Sequence[Reading],
    at: Instant,
    before: Sequence[Entry],
    *,
    over: str | None = None,
    key: str | None = None,
) -> list[Entry]:
    """Give the turns that the recipe takes after a phase, with the deviations that they open."""
    values = {**lot.readings, **{f"{phase.id}.{one.parameter}": one.value for one in readings}}
    entries: list[Entry] = []
    faults = [("hold-over-maximum", f"{phase.name} lasted too long", over)] if over else []
    for turn in lot.moved(phase.id, values)[2]:
        taken = TurnTaken(
            at=turn.id, turn=turn.kind, branch=turn.branch, round=turn.round, because=turn.because
        )
        entries.append(Entry(lot.stream, taken))
        if turn.kind is TurnKind.EXHAUSTED:
            faults.append(("rounds-used-up", f"{turn.id}: all rounds used up", turn.because))
        if turn.kind is TurnKind.STUCK:
            faults.append(("no-branch", f"{turn.id}: no branch fits", turn.because))
    for cause, title, words in faults:
        entries += entries_to_open(
            lot,
            title=title,
            description=words,
            severity=Severity.MAJOR,
            cause=cause,
            at=at,
            step=key,
            ahead=openings([*before, *entries]),
        )[1]
    return entries


def openings(entries: Sequence[Entry]) -> int:
    """Count the deviations that a command opens."""
    return sum(isinstance(one.fact, LotDeviationOpened) for one in entries)
