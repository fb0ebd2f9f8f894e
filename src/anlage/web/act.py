"""One way to act: fill in a command, have it judged, see exactly what is signed, prove to be
oneself, done.

Validate, freeze, show, re-authenticate, sign: a command with a signature is judged first; what was
judged is frozen in the session under a one-use token and shown; the signature binds just that (21
CFR 11.50, 11.70, 11.200).
"""

import dataclasses
import enum
import hashlib
import inspect
import json
import secrets
import time
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from anlage.app import (
    Outcome,
    Wanted,
    command_classes,
    request_of,
    signature_fields,
    signatures_wanted,
    with_signatures,
)
from anlage.base import Quantity, Refused
from anlage.record import Actor, Signature, Stream, encode

from .entrance import check_password
from .here import installation

TEMPLATE = "act/1"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a command, as a form shows it."""

    name: str
    label: str
    kind: str
    hint: str
    value: str
    is_required: bool
    choices: tuple[str, ...] = ()


def actor_of(request: HttpRequest) -> Actor:
    """Give who acts on this page."""
    user: Any = request.user  # type: ignore[attr-defined]
    session = hashlib.sha256((request.session.session_key or "").encode()).hexdigest()[:16]
    return Actor(person=user.person, via="page", session=session)


def do(
    request: HttpRequest, name: str, values: dict[str, Any], *, key: str | None = None
) -> Outcome:
    """Do a command that needs no signature, as the person of this page."""
    return installation().engine.do(request_of(name, values), actor=actor_of(request), key=key)


@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, name: str) -> HttpResponse:
    """Show the form of a command; judge what was filled in; go on to the signature or do it."""
    given = {key: request.GET[key] for key in request.GET if key != "back"}
    back = _safe(request.GET.get("back") or request.POST.get("back") or "/")
    if request.method == "GET":
        return _form(request, name, given, back)
    try:
        values = _values(name, request.POST)
        return begin(request, name, values, back=back, key=request.POST.get("key"))
    except Refused as refusal:
        filled = {key: str(value) for key, value in request.POST.items()}
        return _form(request, name, filled, back, problems=refusal.problems, status=409)


def begin(
    request: HttpRequest,
    name: str,
    values: dict[str, Any],
    *,
    back: str,
    key: str | None = None,
    shown: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Judge a command; do it, or freeze it and show what is to be signed.

    Args:
        request: The page's request.
        name: The command.
        values: Its fields as JSON values.
        back: Where to go when it is done.
        key: The form's own key, so that sending it twice does it once.
        shown: More that the person sees and so signs (identity, limits).
    """
    asked = request_of(name, values)
    engine, actor = installation().engine, actor_of(request)
    wanted = signatures_wanted(engine, asked, actor=actor)
    if not wanted:
        engine.do(asked, actor=actor, key=key)
        return redirect(back)
    token = secrets.token_urlsafe(18)
    frozen = {
        "command": name,
        "values": encode(asked),
        "shown": {**_plain(asked), **(shown or {})},
        "more": dict(shown or {}),
        "wanted": [dataclasses.asdict(one) for one in wanted],
        "meaning": wanted[0].meaning,
        "back": back,
        "key": key or secrets.token_hex(12),
        "at": time.time(),
    }
    waiting = dict(request.session.get("waiting", {}))
    request.session["waiting"] = dict(list(waiting.items())[-9:]) | {token: frozen}
    return redirect(f"/sign/{token}")


@require_http_methods(["GET", "POST"])
def sign_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show exactly what is signed, ask for the password, sign and do it."""
    waiting = dict(request.session.get("waiting", {}))
    frozen = waiting.get(token)
    if frozen is None or time.time() - frozen["at"] > 1800:
        raise Refused(
            "signature-token-spent",
            what="this signature page",
            found="used before, or older than 30 minutes",
            remedy="begin the action again",
            rule="21 CFR 11.200",
        )
    user: Any = request.user  # type: ignore[attr-defined]
    is_first = time.time() - request.session.get("signed_at", 0) > _window()
    wanted = [Wanted(**one) for one in frozen["wanted"]]
    others = [one for one in wanted if one.person != user.person]
    context = {
        "frozen": frozen,
        "is_first": is_first,
        "own": next((one for one in wanted if one.person == user.person), None),
        "others": [(one, person_name(one.person)) for one in others],
    }
    if request.method == "GET":
        return render(request, "sign.html", context)
    try:
        for one in wanted:
            _prove(request, one, is_first=is_first)
        engine = installation().engine
        signed = with_signatures(
            engine,
            request_of(frozen["command"], frozen["values"]),
            wanted,
            method="password",
            names={one.person: person_name(one.person) for one in wanted},
            template=TEMPLATE,
            more=frozen["more"],
        )
        engine.do(signed, actor=actor_of(request), key=frozen["key"])
    except Refused as refusal:
        return render(request, "sign.html", {**context, "problems": refusal.problems}, status=409)
    waiting.pop(token)
    request.session["waiting"] = waiting
    request.session["signed_at"] = time.time()
    return redirect(frozen["back"])


def needs_signature(name: str) -> bool:
    """Tell whether a command may carry a signature."""
    return bool(signature_fields(command_classes()[name]))


def fields_of(name: str, given: Mapping[str, str]) -> list[Field]:
    """Give the fields of a command's form, filled with what is given."""
    cls = command_classes().get(name)
    if cls is None:
        request_of(name, {})
    hints = typing.get_type_hints(cls)
    helps = _helps(cls)
    found = []
    for one in dataclasses.fields(typing.cast("Any", cls)):
        if _bare(hints[one.name]) is Signature:
            continue
        hint, is_required = _bare(hints[one.name]), one.default is dataclasses.MISSING
        is_required = is_required and one.default_factory is dataclasses.MISSING
        choices = tuple(str(e.value) for e in hint) if _is_enum(hint) else ()
        value = given.get(one.name, "")
        if not value and not is_required and one.default not in (None, dataclasses.MISSING):
            value = str(encode(one.default))
        found.append(
            Field(
                name=one.name,
                label=one.name.replace("_", " ").capitalize(),
                kind=_kind(hint),
                hint=helps.get(one.name, ""),
                value=value,
                is_required=is_required,
                choices=choices,
            )
        )
    return found


def _form(
    request: HttpRequest,
    name: str,
    given: Mapping[str, str],
    back: str,
    *,
    problems: Any = (),
    status: int = 200,
) -> HttpResponse:
    context = {
        "name": name,
        "fields": fields_of(name, given),
        "back": back,
        "problems": problems,
        "key": given.get("key") or secrets.token_hex(12),
        "needs_signature": needs_signature(name),
        "about": (inspect.getdoc(command_classes()[name]) or "").split("\n")[0],
    }
    return render(request, "act.html", context, status=status)


def _values(name: str, posted: Mapping[str, Any]) -> dict[str, Any]:
    cls = command_classes().get(name)
    if cls is None:
        request_of(name, {})
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for one in dataclasses.fields(typing.cast("Any", cls)):
        if _bare(hints[one.name]) is Signature:
            continue
        kind = _kind(_bare(hints[one.name]))
        text = str(posted.get(one.name, "")).strip()
        if kind == "yes-no":
            values[one.name] = text == "on"
        elif text:
            values[one.name] = _read(kind, one.name, text)
    return values


def _read(kind: str, name: str, text: str) -> Any:
    try:
        if kind == "whole-number":
            return int(text)
        if kind == "quantity":
            return encode(Quantity.parse(text))
        if kind == "json":
            return json.loads(text)
    except ValueError as error:
        raise Refused(
            "field-unreadable",
            what=name.replace("_", " "),
            found=repr(text[:60]),
            limit={"whole-number": "a whole number", "json": "JSON"}.get(kind, kind),
            remedy="type it again",
        ) from error
    return text


def _kind(hint: Any) -> str:
    if hint is bool:
        return "yes-no"
    if hint is int:
        return "whole-number"
    if hint is Decimal:
        return "number"
    if hint is Quantity:
        return "quantity"
    if hint is datetime:
        return "moment"
    if _is_enum(hint):
        return "choice"
    if isinstance(hint, type) and issubclass(hint, str):
        return "text"
    return "json"


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, enum.Enum)


def _bare(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint


def _helps(cls: Any) -> dict[str, str]:
    """Give what the class's docstring says of each attribute."""
    found, name = {}, ""
    for line in (inspect.getdoc(cls) or "").partition("Attributes:")[2].splitlines():
        head, colon, tail = line.strip().partition(": ")
        if (
            colon
            and line.startswith("    ")
            and not line.startswith("     ")
            and head.isidentifier()
        ):
            name, found[head] = head, tail
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found


def _prove(request: HttpRequest, wanted: Wanted, *, is_first: bool) -> None:
    """See that whoever has to sign is the person at the page, by login name and password.

    Raises:
        Refused: Another person, or a wrong password.
    """
    user: Any = request.user  # type: ignore[attr-defined]
    is_own = wanted.person == user.person
    prefix = "" if is_own else f"{wanted.field}-"
    name = request.POST.get(f"{prefix}login", "")
    if is_own and not is_first:
        name = user.login
    account = check_password(request, name, request.POST.get(f"{prefix}password", ""))
    if account.person != wanted.person:
        raise Refused(
            "signature-by-another",
            what=f"signature {wanted.meaning!r}",
            found=f"login {name[:40]!r}",
            limit=person_name(wanted.person),
            remedy="sign as that person, or go back and name another",
            rule="21 CFR 11.200(a)(3)",
        )


def person_name(person: str) -> str:
    """Give the printed name of a person."""
    from anlage.library import Person

    state = installation().engine.state(Person, Stream(f"person/{person}"))
    return str(state.name or person)


def _plain(asked: Any) -> dict[str, str]:
    values = encode(asked)
    return {
        key.replace("_", " "): value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False)
        for key, value in values.items()
    }


def _window() -> float:
    return 60.0 * installation().settings.signing_minutes


def _safe(back: str) -> str:
    return back if back.startswith("/") and not back.startswith("//") else "/"
