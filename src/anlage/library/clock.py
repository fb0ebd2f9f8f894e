"""Confirming the machine's clock after it had shown a time that was wrong."""

from dataclasses import dataclass
from datetime import timedelta

from anlage.base import Refused, clean_text
from anlage.record import JOURNAL_STREAM, ClockConfirmed, Entry

from .person import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmClock:
    """Say that the machine's clock was compared with another and is right; signing goes on.

    Attributes:
        reason: What it was compared with, and why it had shown another time.
    """

    reason: str


def confirm_clock(by: Person, request: ConfirmClock, *, behind: timedelta) -> list[Entry]:
    """Give the fact that the clock is right as it stands.

    Args:
        by: Who compared it.
        request: The command.
        behind: How far it stands behind the latest time that it has shown.

    Raises:
        Refused: It does not stand behind, so that there is nothing to confirm.
    """
    by.must_be_active()
    if behind <= timedelta():
        raise Refused(
            "clock-not-behind",
            what="clock of the machine",
            found="not behind any time that it has shown",
            remedy="nothing has to be confirmed",
            rule="21 CFR 11.50(a)(2)",
        )
    confirmed = ClockConfirmed(seconds=int(behind.total_seconds()))
    return [Entry(JOURNAL_STREAM, confirmed, why=clean_text(request.reason, "reason"))]
