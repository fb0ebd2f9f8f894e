"""How the interface answers: who may come in, the headers of EPCIS, a problem for each refusal."""

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from anlage import __version__
from anlage.base import Refused
from anlage.custody import CAPTURED_EVENTS_MAX
from anlage.record import Actor
from anlage.web.api.interface import BearerAuth

BYTES_MAX = 64 * 1024 * 1024
JSON_TYPES = frozenset({"application/json", "application/ld+json"})
HEADERS = {
    "GS1-EPCIS-Version": "2.0.0",
    "GS1-EPCIS-Min": "2.0.0",
    "GS1-EPCIS-Max": "2.0.0",
    "GS1-CBV-Version": "2.0.0",
    "GS1-CBV-Min": "2.0.0",
    "GS1-CBV-Max": "2.0.0",
    "GS1-Vendor-Version": __version__,
    "GS1-EPC-Format": "No_Preference",
    "GS1-EPCIS-Capture-Limit": str(CAPTURED_EVENTS_MAX),
    "GS1-EPCIS-Capture-File-Size-Limit": str(BYTES_MAX),
}
# The exceptions of EPCIS 2.0 (clauses 8.2.6 and 12) by our codes; all else is a
# ValidationException.
_EXCEPTIONS = {
    "login-needed": ("SecurityException", 401),
    "operator-unqualified": ("SecurityException", 403),
    "role-missing": ("SecurityException", 403),
    "resource-unknown": ("NoSuchResourceException", 404),
    "query-unknown": ("NoSuchNameException", 404),
    "subscription-unknown": ("NoSuchResourceException", 404),
    "method-unsupported": ("UnsupportedOperationException", 405),
    "answer-type-unsupported": ("NotAcceptableException", 406),
    "query-name-taken": ("DuplicateNameException", 409),
    "event-id-taken": ("ResourceAlreadyExistsException", 409),
    "capture-too-large": ("CaptureLimitExceededException", 413),
    "media-type-unsupported": ("UnsupportedMediaTypeException", 415),
    "parameter-unserved": ("ImplementationException", 501),
    "parameter-unknown": ("QueryParameterException", 400),
    "parameter-malformed": ("QueryParameterException", 400),
    "page-token-unusable": ("QueryParameterException", 400),
    "query-too-complex": ("QueryTooComplexException", 413),
    "query-too-large": ("QueryTooLargeException", 413),
    "version-unserved": ("NotAcceptableException", 406),
    "record-moved-on": ("ImplementationException", 503),
}
Handler = Callable[..., HttpResponse]


def resource(**handlers: Handler) -> Callable[..., HttpResponse]:
    """Give the view of one address: a handler per method, behind the door."""
    allowed = ", ".join([*sorted(handlers), "OPTIONS"])

    def answer(request: HttpRequest, **names: str) -> HttpResponse:
        try:
            response = _answer(request, handlers, allowed, names)
        except Refused as refusal:
            response = problem(refusal)
            if response.status_code == 405:
                response["Allow"] = allowed
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        return response

    exempt: Callable[..., HttpResponse] = csrf_exempt(answer)
    return exempt


def problem(refusal: Refused) -> HttpResponse:
    """Give a refusal as RFC 9457 problem, with our own problems beside."""
    name, status = _EXCEPTIONS.get(refusal.code, ("ValidationException", 400))
    problems = [one.as_dict() for one in refusal.problems]
    body = {
        "type": f"epcisException:{name}",
        "title": refusal.problem.what,
        "status": status,
        "detail": str(refusal),
        "refused": problems[0],
        "problems": problems,
    }
    response = as_json(body, status=status, kind="application/problem+json")
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def as_json(body: Any, *, status: int = 200, kind: str = "application/json") -> HttpResponse:
    """Give an answer in JSON."""
    return HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=kind)


def actor_of(request: HttpRequest) -> Actor:
    """Give who asks, through which token or session."""
    account: Any = request.auth  # type: ignore[attr-defined]
    door = getattr(request, "api_door", None) or request.session.session_key or ""
    session = hashlib.sha256(door.encode()).hexdigest()[:16]
    return Actor(person=account.person, via="api", session=session)


def refused(code: str, what: str, found: object, limit: object, remedy: str) -> Refused:
    """Give a refusal of this interface."""
    return Refused(
        code, what=what, found=found, limit=limit, remedy=remedy, rule="EPCIS 2.0 clause 12"
    )


def _answer(
    request: HttpRequest, handlers: dict[str, Handler], allowed: str, names: dict[str, str]
) -> HttpResponse:
    method = request.method or "GET"
    if method == "OPTIONS":
        response = HttpResponse(status=204)
        response["Allow"] = allowed
        return response
    account = BearerAuth()(request) or _logged_in(request)
    if account is None:
        raise refused(
            "login-needed",
            request.path[:80],
            "no token and no login",
            "Authorization: Bearer with a token of `anlage token create`",
            "send a token",
        )
    request.auth = account  # type: ignore[attr-defined]
    handler = handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        raise refused(
            "method-unsupported", request.path[:80], method, allowed, "use another method"
        )
    _must_take_json(request)
    _must_speak_our_version(request)
    return handler(request, **names)


def _logged_in(request: HttpRequest) -> Any:
    user: Any = request.user  # type: ignore[attr-defined]
    return user if user.is_authenticated else None


def _must_take_json(request: HttpRequest) -> None:
    accepted = [_bare(one) for one in request.headers.get("Accept", "*/*").split(",")]
    if not {"", "*/*", "application/*", "application/problem+json", *JSON_TYPES} & set(accepted):
        raise refused(
            "answer-type-unsupported",
            "Accept",
            ", ".join(accepted)[:120],
            ", ".join(sorted(JSON_TYPES)),
            "accept JSON",
        )


def _must_speak_our_version(request: HttpRequest) -> None:
    """See that the range of versions a client names, when it names one, holds ours."""
    for family in ("EPCIS", "CBV"):
        ours = _version(HEADERS[f"GS1-{family}-Version"])
        least = request.headers.get(f"GS1-{family}-Min")
        most = request.headers.get(f"GS1-{family}-Max")
        exact = request.headers.get(f"GS1-{family}-Version")
        fits = (
            (least is None or _version(least) <= ours)
            and (most is None or _version(most) >= ours[: len(_version(most))])
            and (exact is None or _version(exact)[:1] == ours[:1])
        )
        if not fits:
            said = ", ".join(one for one in (least, most, exact) if one)
            raise refused(
                "version-unserved",
                f"GS1-{family}-Min, -Max or -Version",
                said[:80],
                f"a range that holds {'.'.join(map(str, ours))}",
                "ask in version 2.0",
            )
    wanted = request.headers.get("GS1-EPC-Format", "No_Preference")
    if wanted not in ("No_Preference", "Never_Translates"):
        raise refused(
            "parameter-unserved",
            "GS1-EPC-Format",
            wanted[:60],
            "No_Preference or Never_Translates: events come back word for word",
            "leave the header out",
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in text.strip().split("."))


def body_of(request: HttpRequest) -> bytes:
    """Give the bytes that were sent.

    Raises:
        Refused: They are no JSON by their type, or too many.
    """
    kind = _bare(request.headers.get("Content-Type", ""))
    if kind not in JSON_TYPES:
        raise refused(
            "media-type-unsupported",
            "Content-Type",
            kind or "none",
            ", ".join(sorted(JSON_TYPES)),
            "send JSON-LD",
        )
    size = int(request.META.get("CONTENT_LENGTH") or 0)
    if size > BYTES_MAX:
        raise refused(
            "capture-too-large",
            "document",
            f"{size} bytes",
            f"{BYTES_MAX} bytes",
            "send it in several documents",
        )
    return bytes(request.body)


def _bare(kind: str) -> str:
    return kind.partition(";")[0].strip().lower()


def joined_contexts(contexts: Iterable[Any]) -> list[Any] | None:
    """Give one context for several documents; None when a prefix means two things."""
    addresses: dict[str, None] = {}
    prefixes: dict[str, Any] = {}
    for context in contexts:
        for part in context if isinstance(context, list) else [context]:
            if isinstance(part, str):
                addresses[part] = None
            elif isinstance(part, dict):
                for prefix, target in part.items():
                    if prefixes.setdefault(prefix, target) != target:
                        return None
    return [*addresses, *({name: target} for name, target in prefixes.items())]
