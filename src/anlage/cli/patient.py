"""`anlage patient`: what names a patient: keep, show, hold, erase; each on record."""

import argparse
import sys
from typing import TYPE_CHECKING

from anlage.base import Refused

from .acting import Acting, ask_person
from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.app import Installation


def register(group: Group) -> None:
    """Add the commands."""
    for name, run, what in (
        ("keep", keep, "put what names a patient into the vault (NAME=VALUE lines on stdin)"),
        ("show", show, "be shown what names a patient; who and why is recorded first"),
        ("status", status, "what is kept, who was shown it, what stands against erasing it"),
        ("hold", hold, "forbid erasing, for a claim or an inquiry"),
        ("lift", lift, "end a legal hold"),
        ("erase", erase, "destroy the patient's key and salt, for ever"),
    ):
        parser = group.command(name, run, help=what)
        parser.add_argument("coi", help="the chain-of-identity id")
        if name != "status":
            ask_person(parser)
        if name == "show":
            parser.add_argument("--why", required=True, metavar="PURPOSE")
        if name in {"hold", "lift"}:
            parser.add_argument("hold", help="its name: the number of the claim")
            parser.add_argument("--why", required=True, metavar="REASON")
        if name == "erase":
            parser.add_argument(
                "--asked", required=True, metavar="REQUEST", help="the request that it answers"
            )


def keep(options: argparse.Namespace) -> Answer:
    """Seal NAME=VALUE lines of standard input in the vault."""
    from anlage.app import keep_personal, opened

    with opened(options.data) as site:
        acting = Acting(options, site)
        lines = [line.partition("=") for line in sys.stdin.read().splitlines() if line.strip()]
        values = {name.strip(): value.strip() for name, _, value in lines}
        keep_personal(site, options.coi, values, actor=acting.actor)
    return Answer({"coi": options.coi, "items": sorted(values)}, f"kept: {', '.join(values)}")


def show(options: argparse.Namespace) -> Answer:
    """Record who is shown it and why, then print it."""
    from anlage.app import opened, read_personal

    with opened(options.data) as site:
        acting = Acting(options, site)
        values = read_personal(site, options.coi, options.why, actor=acting.actor)
    return Answer({"coi": options.coi, **values}, "\n".join(f"{k}: {v}" for k, v in values.items()))


def status(options: argparse.Namespace) -> Answer:
    """Say what is kept, who was shown it, and what stands against erasing it."""
    from anlage.app import opened

    with opened(options.data) as site:
        found = _status(site, options.coi)
    return Answer(found)


def hold(options: argparse.Namespace) -> Answer:
    """Place a legal hold."""
    from anlage.plant import PlaceLegalHold

    request = PlaceLegalHold(coi=options.coi, hold=options.hold, reason=options.why)
    return _do(options, request, f"{options.coi} is held: {options.hold}")


def lift(options: argparse.Namespace) -> Answer:
    """Lift a legal hold."""
    from anlage.plant import LiftLegalHold

    request = LiftLegalHold(coi=options.coi, hold=options.hold, reason=options.why)
    return _do(options, request, f"the hold {options.hold} of {options.coi} is lifted")


def erase(options: argparse.Namespace) -> Answer:
    """Erase what names a patient, signed."""
    from dataclasses import replace

    from anlage.app import opened
    from anlage.plant import ErasePersonalData

    request = ErasePersonalData(coi=options.coi, asked=options.asked)
    with opened(options.data) as site:
        acting = Acting(options, site)
        values = {"coi": options.coi, "asked": options.asked}
        outcome = acting.do(replace(request, signature=acting.sign("erased", values)))
        number = outcome.facts[-1].number
    data = {"coi": options.coi, "erased": number}
    return Answer(data, f"personal data of {options.coi} erased by fact {number}")


def _do(options: argparse.Namespace, request: object, text: str) -> Answer:
    from anlage.app import opened

    with opened(options.data) as site:
        outcome = Acting(options, site).do(request)
    return Answer({"coi": options.coi, "facts": [one.number for one in outcome.facts]}, text)


def _status(site: "Installation", coi: str) -> dict[str, object]:
    from anlage.app import sentence
    from anlage.plant import PersonalData, access_stream
    from anlage.record import Stream

    data = site.engine.state(PersonalData, Stream(f"journey/{coi}"))
    try:
        data.must_be_erasable(site.clock.now())
        against = None
    except Refused as refusal:
        against = refusal.problem.as_dict()
    until = data.kept_until()
    return {
        "coi": coi,
        "items": sorted(data.items),
        "erased": data.erased,
        "holds": dict(data.holds),
        "kept_until": until.isoformat() if until else None,
        "against_erasing": against,
        "reads": [sentence(one) for one in site.journal.read_stream(access_stream(coi))],
    }
