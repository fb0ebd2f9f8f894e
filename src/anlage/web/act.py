"""One way to act: fill in a command, have it judged, see exactly what is signed, prove to be
oneself, done.

Validate, freeze, show, re-authenticate, sign: a command with a signature is judged first; what was
judged is frozen in the session under a one-use token and shown; the signature binds just that (21
CFR 11.50, 11.70, 11.200).
"""

import dataclasses
import hashlib
import inspect
import secrets
import time
from collections.abc import Mapping
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
from anlage.base import Refused
from anlage.record import Actor, encode

from .entrance import check_password
from .form import fields_of, values_of
from .here import installation
from .reading import person_name

TEMPLATE = "act/2"
PEOPLE_MAX = 5000
# Signatures of persons whom no field of the command names: the form asks who signs.
CHOSEN: Mapping[str, Mapping[str, str]] = {
    "authorise-exception": {"second": "authorised", "physician": "authorised"},
    "clear-line": {"signature": "clear line"},
    "clear-lymphodepletion": {"second": "cleared"},
}


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
        fixed = frozenset(key for key, value in given.items() if value)
        return form(request, name, given, back, fixed=fixed)
    try:
        values = values_of(name, request.POST)
        return begin(request, name, values, back=back, key=request.POST.get("key"))
    except Refused as refusal:
        filled = {key: str(value) for key, value in request.POST.items()}
        fixed = frozenset(request.POST.get("fixed", "").split())
        problems = refusal.problems
        return form(request, name, filled, back, fixed=fixed, problems=problems, status=409)


def begin(
    request: HttpRequest,
    name: str,
    values: dict[str, Any],
    *,
    back: str,
    key: str | None = None,
    shown: Mapping[str, Any] | None = None,
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
    if engine.done_before(asked, actor=actor, key=key) is not None:
        return redirect(back)
    values_shown = encode(asked)
    chosen = _chosen(request, name, values_shown)
    wanted = signatures_wanted(engine, asked, actor=actor, chosen=chosen)
    if not wanted:
        engine.do(asked, actor=actor, key=key)
        return redirect(back)
    token = secrets.token_urlsafe(18)
    frozen = {
        "command": name,
        "values": values_shown,
        "more": {**(shown or {}), **values_shown},
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
    seen = dict(frozen["more"])
    for one in wanted:
        seen |= one.shown
    context = {
        "frozen": frozen,
        "lines": shown_lines(seen),
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
            more=seen,
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


def form(
    request: HttpRequest,
    name: str,
    given: Mapping[str, str],
    back: str,
    *,
    fixed: frozenset[str] = frozenset(),
    problems: Any = (),
    status: int = 200,
) -> HttpResponse:
    """Show the form of a command, filled as given."""
    context = {
        "name": name,
        "fields": fields_of(name, given, fixed),
        "fixed": " ".join(sorted(fixed)),
        "others": [
            (one, f"signer-{one}", given.get(f"signer-{one}", "")) for one in CHOSEN.get(name, {})
        ],
        "people": people(),
        "back": back,
        "problems": problems,
        "key": given.get("key") or secrets.token_hex(12),
        "needs_signature": needs_signature(name),
        "about": (inspect.getdoc(command_classes()[name]) or "").split("\n")[0],
    }
    return render(request, "act.html", context, status=status)


def shown_lines(shown: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Give what is signed as labels with the lines under each; empty values are left out."""
    lines = []
    for name, value in shown.items():
        if value is None or value in ("", [], {}):
            continue
        match value:
            case {"value": number, "unit": unit} if len(value) == 2:
                texts = [f"{number} {unit}"]
            case Mapping():
                texts = [f"{key}: {_text(inner)}" for key, inner in value.items()]
            case list():
                texts = [_text(inner) for inner in value]
            case _:
                texts = [_text(value)]
        lines.append((name, texts))
    return lines


def people() -> list[tuple[str, str]]:
    """Give printed name and identifier of every active person, to choose a second one from."""
    rows = installation().rows("people").find(facet="active", limit=PEOPLE_MAX)
    return sorted((row["name"], id) for id, row in rows)


def _chosen(request: HttpRequest, name: str, values: Mapping[str, Any]) -> list[Wanted]:
    """Give the signatures whose signatories the form lets choose, as nothing else names them."""
    user: Any = request.user  # type: ignore[attr-defined]
    wanted = []
    for field, meaning in CHOSEN.get(name, {}).items():
        person = request.POST.get(f"signer-{field}", "")
        if person:
            wanted.append(Wanted(field=field, person=person, meaning=meaning, shown=dict(values)))
    if name == "authorise-exception":
        own = Wanted(field="quality", person=user.person, meaning="authorised", shown=dict(values))
        wanted.insert(0, own)
    return wanted


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


def _text(value: Any) -> str:
    match value:
        case {"value": number, "unit": unit} if len(value) == 2:
            return f"{number} {unit}"
        case Mapping():
            return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items())
        case list():
            return ", ".join(_text(inner) for inner in value)
        case True | False:
            return "yes" if value else "no"
        case _:
            return str(value)


def _window() -> float:
    return 60.0 * installation().settings.signing_minutes


def _safe(back: str) -> str:
    return back if back.startswith("/") and not back.startswith("//") else "/"
