"""Commands of lanes."""

from anlage.custody.transport import (
    Lane,
    QualifyLane,
    RegisterLane,
    SuspendLane,
    qualify_lane,
    register_lane,
    suspend_lane,
)
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .equipment import KEEPER, QUALITY
from .materials import must_act, must_sign
from .shipments import COORDINATOR


@command("register-lane")
def _register(desk: Desk, request: RegisterLane) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY, COORDINATOR)
    return register_lane(_lane(desk, request.lane), request)


@command("qualify-lane")
def _qualify(desk: Desk, request: QualifyLane) -> list[Entry]:
    must_act(desk, QUALITY)
    must_sign(desk, request.signature, QUALITY)
    by = desk.actor.person or ""
    return qualify_lane(_lane(desk, request.lane), request, by=by, at=desk.at)


@command("suspend-lane")
def _suspend(desk: Desk, request: SuspendLane) -> list[Entry]:
    must_act(desk, QUALITY, COORDINATOR)
    by = desk.actor.person or ""
    return suspend_lane(_lane(desk, request.lane), reason=request.reason, by=by)


def _lane(desk: Desk, name: str) -> Lane:
    return desk.read(Lane, Stream(f"lane/{name}"))
