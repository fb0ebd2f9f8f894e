"""Line clearance: what is checked before a lot, answered by one person, signed by a second.

The questions are those of the checklist in force, or the room's own checks where there is none.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from anlage.base import Refused
from anlage.plant import Lot, Room, identity_of
from anlage.record import Stream
from anlage.web import act, guide
from anlage.web.here import installation
from anlage.web.reading import me, now, person_name, state

SESSION = "clearance"
CLEARANCE = "line-clearance"
_YES_NO = ("", "yes", "no")


@require_http_methods(["GET", "POST"])
def clearance(request: HttpRequest, room: str) -> HttpResponse:
    """Show the room and its checks; take the scans of lot and second person, then the answers."""
    found = state(Room, "room", room)
    if request.method == "GET":
        return _show(request, found)
    try:
        if request.POST.get("part") == "scan":
            return _scan(request, room)
        return _clear(request, found)
    except Refused as refusal:
        return _show(request, found, refusal)


def _scan(request: HttpRequest, room: str) -> HttpResponse:
    """Put a scan where it belongs: a badge is the second person, an identity is the lot."""
    raw = request.POST.get("scan", "").strip()[:300]
    kept = dict(request.session.get(SESSION, {}))
    if installation().rows("people").get(raw) is not None:
        kept["second"] = raw
    elif lot := _lot_of(raw):
        kept["lot"] = lot
    else:
        raise Refused(
            "lot-unknown",
            what=f"scan at room {room}",
            found=raw[:96] or "nothing",
            limit="the number or identity of a lot in work, or a badge",
            remedy="scan the lot's own label, or the badge of the second person",
            rule="chain of identity",
        )
    request.session[SESSION] = kept
    return redirect(request.path)


def _lot_of(raw: str) -> str | None:
    engine = installation().engine
    identity = identity_of(raw)
    if engine.state(Lot, Stream(f"lot/{raw}")).version if _is_name(raw) else 0:
        return raw
    rows = installation().rows("lot-board").find(facet="running", limit=5000)
    return next((row["lot"] for _key, row in rows if row["coi"] == identity), None)


def _is_name(raw: str) -> bool:
    return 0 < len(raw) <= 64 and raw.replace("-", "").isalnum() and raw.isascii()


def _clear(request: HttpRequest, found: Room) -> HttpResponse:
    kept = request.session.get(SESSION, {})
    asked = guide.checklist(CLEARANCE)
    if asked is None:
        given = {one: request.POST.get(f"check-{one}", "") for one in found.terms.checks}
    else:
        given = guide.answers(request, asked)
    values: dict[str, Any] = {
        "room": found.id,
        "lot": kept.get("lot", ""),
        "answers": {name: text == "yes" for name, text in given.items() if text in _YES_NO},
        "words": {name: text for name, text in given.items() if text not in _YES_NO},
        "by": me(request).id,
    }
    answer = act.begin(request, "clear-line", values, back=f"/rooms/{found.id}")
    request.session[SESSION] = {}
    return answer


def _show(request: HttpRequest, found: Room, refusal: Refused | None = None) -> HttpResponse:
    kept = request.session.get(SESSION, {})
    lot, second = kept.get("lot"), kept.get("second")
    fields = [
        {"name": _("Lot that comes next"), "text": lot, "is_next": not lot},
        {
            "name": _("Second person"),
            "text": person_name(second) if second else None,
            "is_next": bool(lot) and not second,
        },
    ]
    asked = guide.checklist(CLEARANCE)
    own = found.terms.checks if asked is None else ()
    problems = refusal.problems if refusal else ()
    context = {
        "room": found,
        "fields": fields,
        "second": second,
        "is_read": bool(lot and second),
        "is_clean": found.clean_until is not None and found.clean_until > now(),
        "checks": [(one, request.POST.get(f"check-{one}", "")) for one in own],
        "questions": guide.questions(asked, guide.answers(request, asked)),
        "stopped": [one.path for one in problems],
        "problems": problems,
    }
    return render(request, "clearance/clearance.html", context, status=409 if refusal else 200)


ADDRESSES = [path("rooms/<str:room>/clearance", clearance)]
