"""The REST API: do a command, read a stream, list what there is. Login by session or by bearer
token.
"""

import dataclasses
import hashlib
import typing
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from ninja.security import HttpBearer, SessionAuth
from pydantic import Field

from anlage import __version__
from anlage.app import (
    Outcome,
    command_classes,
    request_of,
    signature_fields,
    signatures_wanted,
    tag_list,
    with_signatures,
)
from anlage.app import sentence as sentence_of
from anlage.base import Quantity, Refused
from anlage.record import Actor, Recorded, Stream
from anlage.store.desk.models import Token
from anlage.web.entrance import check_password, has_left
from anlage.web.here import installation
from anlage.web.reading import person_name

PAGE_MAX = 1000
PROOFS_MAX = 8
TEXT_MAX = 1000
NUMBER_MAX = 2**53


class BearerAuth(HttpBearer):
    """A token made by `anlage token create`."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Give the account that the token stands for."""
        found = Token.holder(token)
        if found is None or has_left(found[1].person):
            return None
        request.api_door = f"token:{found[0]}"  # type: ignore[attr-defined]
        return found[1]


class _Session(SessionAuth):
    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        del key
        user: Any = request.user  # type: ignore[attr-defined]
        return user if user.is_authenticated else None


api = NinjaAPI(
    title="Anlage",
    version=__version__,
    description="Commands, facts and definitions of one installation.",
    auth=[BearerAuth(), _Session()],
    urls_namespace="api",
    docs_url="/docs",
)


class Proof(Schema):
    """The proof of re-authentication under a signature."""

    password: str = Field(max_length=TEXT_MAX)
    login: str | None = Field(None, max_length=TEXT_MAX)


class Asked(Schema):
    """A command's fields, and what it takes to sign it."""

    values: dict[str, Any] = {}
    key: str | None = None
    sign: list[Proof] = Field([], max_length=PROOFS_MAX)


class Done(Schema):
    """What a command led to."""

    facts: list[int]
    streams: list[str]
    is_repeat: bool


class FactOut(Schema):
    """A fact with its place."""

    number: int
    stream: str
    version: int
    kind: str
    happened: str
    recorded: str
    person: str | None
    sentence: str
    why: str | None
    hash: str
    body: dict[str, Any]


class TagOut(Schema):
    """A container of a shipment and a code that it carries."""

    container: str
    code: str


class TagsOut(Schema):
    """A shipment's list against what readers read."""

    shipment: str
    world: str
    expected: list[TagOut]
    untagged: list[str]
    present: list[str]
    missing: list[str]
    foreign: list[str]
    unreadable: list[str]
    is_complete: bool


class ProblemOut(Schema):
    """A refusal, in the one problem shape."""

    refused: dict[str, Any]
    problems: list[dict[str, Any]]


REFUSALS = {409: ProblemOut, 401: dict[str, Any], 422: ProblemOut, 404: ProblemOut}


@api.exception_handler(Refused)
def refuse(request: HttpRequest, error: Refused) -> HttpResponse:
    """Answer a refusal in the problem shape."""
    del request
    status = 404 if error.code in {"subject-unknown", "command-unknown"} else 409
    data = {
        "refused": error.problem.as_dict(),
        "problems": [one.as_dict() for one in error.problems],
    }
    return JsonResponse(data, status=status)


@api.exception_handler(ValidationError)
def refuse_shape(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer a body of another shape in the problem shape too."""
    del request
    problems = [
        {
            "code": "request-malformed",
            "path": ".".join(str(part) for part in one.get("loc", ())),
            "line": None,
            "what": "request",
            "found": str(one.get("msg"))[:200],
            "limit": "the shape in /api/docs",
            "remedy": "correct the request",
            "rule": None,
        }
        for one in error.errors
    ]
    return JsonResponse({"refused": problems[0], "problems": problems}, status=422)


@api.exception_handler(HttpError)
def refuse_request(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer a body that is no JSON, and a missing login, in the problem shape."""
    del request
    is_login = error.status_code in {401, 403}
    refusal = Refused(
        "login-missing" if is_login else "request-malformed",
        what="request",
        found=str(error)[:200],
        limit="a login or a token" if is_login else "the shape in /api/docs",
        remedy="log in" if is_login else "correct the request",
        rule="21 CFR 11.10(d)" if is_login else None,
    )
    data = {"refused": refusal.problem.as_dict(), "problems": [refusal.problem.as_dict()]}
    return JsonResponse(data, status=error.status_code)


@api.exception_handler(RecursionError)
def refuse_depth(request: HttpRequest, error: RecursionError) -> HttpResponse:
    """Answer a body that is nested too deep to be read."""
    del error
    return refuse_request(request, HttpError(400, "nested too deep"))


@api.get("/commands", summary="Every command with its fields")
def list_commands(request: HttpRequest) -> dict[str, Any]:
    """List the commands: field, type, whether it is required."""
    del request
    return {name: _shape(cls) for name, cls in command_classes().items()}


@api.post("/commands/{name}", response={200: Done, **REFUSALS}, summary="Do a command")
def do_command(request: HttpRequest, name: str, asked: Asked) -> Done:
    """Judge the command and record its facts, or refuse it and store nothing."""
    account: Any = request.auth  # type: ignore[attr-defined]
    actor = Actor(person=account.person, via="api", session=_session(request))
    wanted = request_of(name, asked.values)
    engine = installation().engine
    earlier = engine.done_before(wanted, actor=actor, key=asked.key)
    if earlier is not None:
        return _done(earlier)
    signatures = signatures_wanted(engine, wanted, actor=actor)
    if signatures:
        proofs = {account.person: account.login}
        for one in asked.sign:
            found = check_password(request, one.login or account.login, one.password)
            proofs[found.person] = "proven"
        missing = [one for one in signatures if proofs.get(one.person) != "proven"]
        if missing:
            raise Refused(
                "signature-missing",
                what=f"command {name}",
                found="no proof of re-authentication",
                limit=f"login and password of {', '.join(one.person for one in missing)}",
                remedy='give "sign": [{"login": …, "password": …}]',
                rule="21 CFR 11.200",
            )
        names = {one.person: person_name(one.person) for one in signatures}
        wanted = with_signatures(
            engine, wanted, signatures, method="password", names=names, template="api/1"
        )
    return _done(engine.do(wanted, actor=actor, key=asked.key))


@api.get("/streams/{family}/{name}", response={200: list[FactOut], **REFUSALS})
def read_stream(
    request: HttpRequest, family: str, name: str, after: int = 0, limit: int = PAGE_MAX
) -> list[FactOut]:
    """Give the facts of one stream past a version, oldest first."""
    del request
    first, most = min(max(0, after), NUMBER_MAX), max(1, min(limit, PAGE_MAX))
    facts = installation().journal.read_stream(Stream(f"{family}/{name}"), first, first + most)
    if not facts and after <= 0:
        raise Refused("subject-unknown", what=f"{family}/{name}"[:80], found="nothing recorded")
    return [_out(one) for one in facts]


@api.get("/facts", response={200: list[FactOut], **REFUSALS})
def read_facts(request: HttpRequest, start: int = 0, limit: int = 100) -> list[FactOut]:
    """Give facts in global order from a number on: the outbox of the journal."""
    del request
    first = min(max(0, start), NUMBER_MAX)
    stop = first + max(1, min(limit, PAGE_MAX))
    if first >= installation().journal.size:
        return []
    return [_out(one) for one in installation().journal.read(first, stop)]


@api.get("/shipments/{name}/tags", response={200: TagsOut, **REFUSALS})
def shipment_tags(request: HttpRequest, name: str) -> TagsOut:
    """Give a shipment's list with its codes, and what readers found: a gate's lamp goes by it."""
    del request
    found = tag_list(installation(), name)
    if found.shipment.prepared is None:
        raise Refused("subject-unknown", what=f"shipment/{name}"[:80], found="nothing packed")
    return TagsOut(
        shipment=found.shipment.id,
        world=str(installation().journal.world),
        expected=[TagOut(container=held, code=code) for code, held in found.codes.items()],
        untagged=list(found.untagged),
        present=list(found.present),
        missing=list(found.missing),
        foreign=[one.epc for one in found.foreign],
        unreadable=list(found.unreadable),
        is_complete=found.is_complete,
    )


@api.get("/checkpoint", summary="The newest signed checkpoint")
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Give the newest signed checkpoint as a note."""
    del request
    return HttpResponse(
        installation().checkpoint().as_note(), content_type="text/plain; charset=utf-8"
    )


def _done(outcome: Outcome) -> Done:
    return Done(
        facts=[one.number for one in outcome.facts],
        streams=outcome.streams,
        is_repeat=outcome.is_repeat,
    )


def _out(one: Recorded) -> FactOut:
    return FactOut(
        number=one.number,
        stream=str(one.stream),
        version=one.version,
        kind=one.kind,
        happened=one.happened_text,
        recorded=one.recorded_text,
        person=one.person,
        sentence=sentence_of(one),
        why=one.why,
        hash=one.hash.hex(),
        body=one.body,
    )


def _session(request: HttpRequest) -> str:
    door = getattr(request, "api_door", None) or request.session.session_key or ""
    return hashlib.sha256(door.encode()).hexdigest()[:16]


def _shape(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {
        one.name: {
            "type": _type_name(hints[one.name]),
            "required": one.default is dataclasses.MISSING
            and one.default_factory is dataclasses.MISSING,
        }
        for one in dataclasses.fields(cls)
        if one.name not in signature_fields(cls)
    }


def _type_name(hint: Any) -> str:
    names = {str: "text", int: "integer", bool: "boolean", Decimal: "decimal text"}
    names |= {Quantity: 'quantity {"value", "unit"}', datetime: "instant"}
    return names.get(hint, str(getattr(hint, "__name__", hint)))
