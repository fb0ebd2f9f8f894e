"""The board of shipments, and one shipment: its way, its condition, its chain, its papers."""

import hashlib
import json
import secrets
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anlage.app import papers_of, predicted, print_papers, take_in, way_figure
from anlage.base import Refused, stamp
from anlage.custody.transport import LinkPurpose, Shipment
from anlage.web import act
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import history, nearness, now, state

from .picture import picture_of

ROWS_MAX, FILE_MAX = 500, 32_000_000
LINK_HOURS = {LinkPurpose.PICK_UP: 24, LinkPurpose.DELIVERY: 120}
KEEPER, QUALITY, OPERATOR, COORDINATOR, COURIER = (
    "store-keeper", "qa-reviewer", "operator", "coordinator", "courier",
)  # fmt: skip
BOARD = (
    Action("Book a shipment", "book-shipment", (KEEPER, COORDINATOR, OPERATOR), is_main=True),
    Action("Pack and seal", "prepare-shipment", (OPERATOR, KEEPER)),
)
BY_STANDING: dict[str, tuple[Action, ...]] = {
    "booked": (Action("Pack and seal", "prepare-shipment", (OPERATOR, KEEPER), is_main=True),),
    "sealed": (
        Action("Enter a hand-over on paper", "record-paper-hand-over", ()),
        Action("Load into a device", "load-device", (OPERATOR, KEEPER, COURIER)),
    ),
    "waiting-unattended": (Action("Collect", "collect-shipment", (), is_main=True),),
    "on-its-way": (
        Action("Receive", "receive-shipment", (), is_main=True),
        Action("It stands still", "hold-shipment", ()),
        Action("Enter a hand-over on paper", "record-paper-hand-over", ()),
    ),
    "held": (
        Action("It goes on", "go-on-shipment", (), is_main=True),
        Action("Receive", "receive-shipment", ()),
    ),
    "in-quarantine": (Action("Decide", "decide-shipment", (QUALITY,), is_main=True),),
}


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """Show the shipments that are not done, the next due first; the others when asked for."""
    rows, which = installation().rows("shipments"), request.GET.get("which", "open")
    found = [row for _, row in rows.find(facet=which, limit=ROWS_MAX, newest_first=which == "done")]
    context = {
        "rows": [row | {"style": _style(row)} for row in found],
        "which": which,
        "counts": {one: rows.count(facet=one) for one in ("open", "done")},
        "actions": links(request, BOARD, {}),
    }
    return render(request, "shipments/board.html", context)


@require_GET
def shipment(request: HttpRequest, name: str) -> HttpResponse:
    """Show one shipment."""
    found = state(Shipment, "shipment", name)
    given: dict[str, object] = {"shipment": name}
    if found.booked is not None:
        given |= {"shipper": found.booked.shipper, "due": f"{found.booked.due:%Y-%m-%dT%H:%M}"}
    offered = links(request, BY_STANDING.get(found.standing, ()), given)
    context = {
        "shipment": found,
        "style": _style(installation().rows("shipments").get(name) or {}),
        "logs": [(number, one) for number, one in enumerate(found.logs)],
        "alive": [predicted(installation(), one) for one in found.logs],
        "waiting": _waiting(found),
        "open_links": [one for one in found.links.values() if one.digest not in found.spent],
        "made": request.session.pop("courier-link", None),
        "facts": history("shipment", name),
        "actions": offered,
    }
    return render(request, "shipments/shipment.html", context)


@require_POST
def log(request: HttpRequest, name: str) -> HttpResponse:
    """Take in a logger's file or a batch of telemetry."""
    given = request.FILES.get("file")
    data = given.read(FILE_MAX + 1) if given else b""
    choices = {key: request.POST.get(key) or None for key in ("zone", "channel", "unit", "product")}
    take_in(
        installation(),
        name,
        data,
        given.name if given and given.name else "file",
        actor=act.actor_of(request),
        **choices,
    )
    return redirect(f"/shipments/{name}")


@require_GET
def figure(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Give the figure of one condition log."""
    del request
    found = state(Shipment, "shipment", name)
    if number >= len(found.logs):
        raise _unknown(f"condition log {number} of shipment {name}")
    return JsonResponse(way_figure(installation(), found.logs[number]))


@require_GET
def picture(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Give the curve of one condition log as a picture, for paper and where no script runs."""
    del request
    found = state(Shipment, "shipment", name)
    if number >= len(found.logs):
        raise _unknown(f"condition log {number} of shipment {name}")
    drawn = picture_of(way_figure(installation(), found.logs[number]))
    return HttpResponse(drawn, content_type="image/svg+xml")


@require_POST
def make_link(request: HttpRequest, name: str) -> HttpResponse:
    """Make a courier's link; it is shown once, and its secret is nowhere kept."""
    purpose = LinkPurpose(request.POST.get("purpose", LinkPurpose.PICK_UP.value))
    secret = secrets.token_urlsafe(24)
    values = {
        "shipment": name,
        "courier": request.POST.get("courier", ""),
        "purpose": purpose.value,
        "expires": stamp(now() + timedelta(hours=LINK_HOURS[purpose])),
        "digest": hashlib.sha256(secret.encode()).hexdigest(),
    }
    act.do(request, "make-courier-link", values)
    address = request.build_absolute_uri(f"/courier/{name}/{secret}")
    request.session["courier-link"] = {"address": address, "purpose": purpose.value}
    return redirect(f"/shipments/{name}#link")


@require_http_methods(["GET"])
def papers(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """Give the papers of a shipment, as PDF or as the machine reads them."""
    del request
    site = installation()
    if form == "json":
        text = json.dumps(papers_of(site, name), ensure_ascii=False, indent=2)
        return HttpResponse(text, content_type="application/json")
    response = HttpResponse(print_papers(site, name), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="papers-{name}.pdf"'
    return response


def _style(row: dict[str, Any]) -> str:
    """Say how much a shipment needs a person."""
    standing = row.get("standing")
    if standing == "in-quarantine" or row.get("verdict") == "reject":
        return "alarm"
    if standing == "held" or row.get("verdict") == "quarantine":
        return "warn"
    is_late = standing not in ("received", None) and row.get("due")
    return "alarm" if is_late and nearness(row["due"], timedelta()) else ""


def _waiting(found: Shipment) -> list[str]:
    quarantined = found.received.quarantined if found.received else ()
    return [one for one in quarantined if one not in found.decided]


def _unknown(what: str) -> Refused:
    return Refused("subject-unknown", what=what, found="nothing", remedy="check the number")


ADDRESSES = [
    path("shipments", board),
    path("shipments/<str:name>", shipment),
    path("shipments/<str:name>/log", log),
    path("shipments/<str:name>/log/<int:number>/figure", figure),
    path("shipments/<str:name>/log/<int:number>/picture", picture),
    path("shipments/<str:name>/link", make_link),
    path("shipments/<str:name>/papers.<str:form>", papers),
]
MENU = (Place(group="custody", order=30, path="/shipments", name=gettext_lazy("Shipments")),)
