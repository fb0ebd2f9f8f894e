"""Commands of codes and readers: what a code names, what was read, how a scanner types."""

from anlage.custody import (
    CalibrateScanner,
    Code,
    GiveCode,
    RecordScan,
    RecordTags,
    WithdrawCode,
    calibrate_scanner,
    code_stream,
    give_code,
    record_scan,
    record_tags,
    withdraw_code,
)
from anlage.record import Entry

from ..code_name import code_name
from ..engine import Desk, command
from .equipment import KEEPER, OPERATOR, QUALITY, SECOND
from .materials import must_act

COORDINATOR, ADMINISTRATOR = "coordinator", "administrator"
# Whoever works with what is labelled; a scan decides nothing, so that its record is open to all.
LABELLERS = (KEEPER, OPERATOR, SECOND, QUALITY, COORDINATOR)


@command("give-code")
def _give(desk: Desk, request: GiveCode) -> list[Entry]:
    must_act(desk, *LABELLERS)
    name = code_name(request.code, desk.at.date())
    return give_code(desk.read(Code, code_stream(name)), name, request.subject)


@command("withdraw-code")
def _withdraw(desk: Desk, request: WithdrawCode) -> list[Entry]:
    must_act(desk, *LABELLERS)
    name = code_name(request.code, desk.at.date())
    return withdraw_code(desk.read(Code, code_stream(name)), name, request.reason)


@command("record-scan")
def _scan(desk: Desk, request: RecordScan) -> list[Entry]:
    del desk
    return record_scan(request)


@command("record-tags")
def _tags(desk: Desk, request: RecordTags) -> list[Entry]:
    return record_tags(request, desk.world)


@command("calibrate-scanner")
def _calibrate(desk: Desk, request: CalibrateScanner) -> list[Entry]:
    must_act(desk, *LABELLERS, ADMINISTRATOR)
    return calibrate_scanner(request)
