"""Facts of the journal itself as plain English sentences."""

from .clockwork import ClockConfirmed, ClockSteppedBack
from .fact import Recorded
from .journal import JOURNAL_STREAM, JournalOpened


def sentence(one: Recorded) -> str:
    """Give a fact of the journal's own stream in words; empty for any other."""
    if one.stream != JOURNAL_STREAM:
        return ""
    match one.fact:
        case JournalOpened() as said:
            return f"The journal of {said.site_name} was opened for the {said.world} world."
        case ClockSteppedBack(before=before, after=after):
            seconds = (before - after).total_seconds()
            return f"The clock that records went back by {seconds:.0f} s; see what it recorded."
        case ClockConfirmed(seconds=seconds):
            return f"The clock was compared and found right, {seconds} s behind what it had shown."
        case _:
            return ""
