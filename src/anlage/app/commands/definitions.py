"""Commands of definitions: draft, submit, return, approve, retire."""

from anlage.base import Refused
from anlage.library import (
    APPROVER,
    ApproveDefinition,
    ChangeNote,
    Definition,
    DraftDefinition,
    Person,
    RetireDefinition,
    ReturnDefinition,
    SubmitDefinition,
    approve,
    check_content,
    draft,
    retire,
    send_back,
    stream_of,
    submit,
)
from anlage.record import Entry, Signature, World

from ..engine import Desk, command
from ..methods import know_methods
from ..networks import know_networks
from ..recipes import know_recipes
from ..staff import person_of
from .materials import must_act

AUTHOR = "definition-author"
know_methods()
know_recipes()
know_networks()


@command("draft-definition")
def _draft(desk: Desk, request: DraftDefinition) -> list[Entry]:
    checked = check_content(request.content)
    must_act(desk, *_writers(checked.kind))
    note = None
    if request.reason or request.impact:
        note = ChangeNote(
            reason=request.reason or "", impact=request.impact or "", lots=request.lots
        )
    return draft(
        _definition(desk, checked.kind, checked.id),
        request.content,
        author=me(desk),
        note=note,
    )


@command("submit-definition")
def _submit(desk: Desk, request: SubmitDefinition) -> list[Entry]:
    must_act(desk, *_writers(request.kind))
    must_be_own(desk, request.signature, "submission for review")
    return submit(
        _definition(desk, request.kind, request.id),
        request.number,
        by=me(desk),
        signature=request.signature,
    )


@command("return-definition")
def _return(desk: Desk, request: ReturnDefinition) -> list[Entry]:
    must_act(desk, APPROVER)
    definition = _definition(desk, request.kind, request.id)
    return send_back(definition, request.number, by=me(desk), reason=request.reason)


@command("approve-definition")
def _approve(desk: Desk, request: ApproveDefinition) -> list[Entry]:
    must_be_own(desk, request.signature, "approval")
    return approve(
        _definition(desk, request.kind, request.id),
        request.number,
        approver=me(desk),
        effective=request.effective or desk.at,
        at=desk.at,
        summary=request.digest,
        signature=request.signature,
        impacts=request.lots,
    )


@command("retire-definition")
def _retire(desk: Desk, request: RetireDefinition) -> list[Entry]:
    must_be_own(desk, request.signature, "retirement")
    note = ChangeNote(reason=request.reason, impact=request.impact, lots=request.lots)
    return retire(
        _definition(desk, request.kind, request.id),
        by=me(desk),
        at=desk.at,
        note=note,
        signature=request.signature,
    )


def _writers(kind: str) -> tuple[str, ...]:
    """Give who may write a definition of a kind: networks are their planner's too."""
    return (AUTHOR, "network-planner") if kind == "network" else (AUTHOR,)


def me(desk: Desk) -> Person:
    """Give the person at the desk, who must be known and active.

    Raises:
        Refused: `operator-unqualified`: nobody is named, or the person is unknown or has left.
    """
    if desk.actor.person is None:
        raise Refused(
            "operator-unqualified",
            what=f"{desk.actor.via} without a person",
            found="nobody named",
            limit="a person",
            remedy="log in",
            rule="21 CFR 211.25",
        )
    person = person_of(desk, desk.actor.person)
    person.must_be_active()
    return person


def must_be_own(desk: Desk, signature: Signature | None, what: str) -> None:
    """See that an act is signed by who does it, soundly, by a method that the world allows.

    Raises:
        Refused: `signature-missing`, `signature-of-another` or `signature-unsound`.
    """
    if signature is None:
        raise Refused(
            "signature-missing",
            what=what,
            found="no signature",
            limit="the signature of who does it",
            remedy="sign it",
            rule="21 CFR 11.200",
        )
    if signature.person != desk.actor.person:
        raise Refused(
            "signature-of-another",
            what=what,
            found=signature.name,
            limit="the person who does it",
            remedy="sign it yourself",
            rule="21 CFR 11.200(a)(2)",
        )
    is_allowed = signature.method != "simulated-person" or desk.world is World.SIMULATED
    if not signature.is_sound() or not is_allowed:
        raise Refused(
            "signature-unsound",
            what=what,
            found=signature.method if is_allowed else "a simulated person in a real world",
            limit="a signature over what was shown",
            remedy="sign it again",
            rule="21 CFR 11.70",
        )


def _definition(desk: Desk, kind: str, id: str) -> Definition:
    return desk.read(Definition, stream_of(kind, id))
