"""Command of the machine's clock."""

from anlage.library import ConfirmClock, confirm_clock
from anlage.record import Entry

from ..engine import Desk, command
from .definitions import me
from .materials import must_act


@command("confirm-clock")
def _confirm(desk: Desk, request: ConfirmClock) -> list[Entry]:
    must_act(desk, "administrator")
    return confirm_clock(me(desk), request, behind=desk.clock_behind)
