"""Commands of the fleet of shippers."""

from anlage.custody.transport import (
    CleanShipper,
    QualifyShipper,
    RegisterShipper,
    ReturnShipper,
    Shipper,
    WithdrawShipper,
    clean_shipper,
    qualify_shipper,
    register_shipper,
    return_shipper,
    withdraw_shipper,
)
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .equipment import KEEPER, OPERATOR, QUALITY
from .materials import must_act, must_sign


@command("register-shipper")
def _register(desk: Desk, request: RegisterShipper) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY)
    return register_shipper(_shipper(desk, request.shipper), request)


@command("qualify-shipper")
def _qualify(desk: Desk, request: QualifyShipper) -> list[Entry]:
    must_act(desk, QUALITY)
    must_sign(desk, request.signature, QUALITY)
    by = desk.actor.person or ""
    return qualify_shipper(_shipper(desk, request.shipper), request, by=by, at=desk.at)


@command("clean-shipper")
def _clean(desk: Desk, request: CleanShipper) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    by = desk.actor.person or ""
    return clean_shipper(_shipper(desk, request.shipper), agent=request.agent, by=by)


@command("return-shipper")
def _return(desk: Desk, request: ReturnShipper) -> list[Entry]:
    must_act(desk, KEEPER, OPERATOR)
    return return_shipper(
        _shipper(desk, request.shipper),
        condition=request.condition,
        is_damaged=request.damaged,
        by=desk.actor.person or "",
    )


@command("withdraw-shipper")
def _withdraw(desk: Desk, request: WithdrawShipper) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY)
    by = desk.actor.person or ""
    return withdraw_shipper(_shipper(desk, request.shipper), reason=request.reason, by=by)


def _shipper(desk: Desk, name: str) -> Shipper:
    return desk.read(Shipper, Stream(f"shipper/{name}"))
