"""Lanes and the fleet: what is qualified until when, what a way asks for, which way to choose."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.app import advice, checked_way, records_to_share, rules_in_force
from anlage.base import Refused
from anlage.custody import EXCURSION_RULES
from anlage.custody.transport import Goods, Lane, Shipper
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import history, nearness, now, state

ROWS_MAX = 1000
KEEPER, QUALITY, OPERATOR, COORDINATOR = (
    "store-keeper", "qa-reviewer", "operator", "coordinator",
)  # fmt: skip
LANES = (Action("Register a lane", "register-lane", (KEEPER, QUALITY, COORDINATOR)),)
LANE = (
    Action("Qualify", "qualify-lane", (QUALITY,)),
    Action("Suspend", "suspend-lane", (QUALITY, COORDINATOR)),
    Action("Book a shipment", "book-shipment", (KEEPER, COORDINATOR, OPERATOR), is_main=True),
)
FLEET = (Action("Take a shipper into the fleet", "register-shipper", (KEEPER, QUALITY)),)
SHIPPER = (
    Action("Note a cleaning", "clean-shipper", (KEEPER, OPERATOR), is_main=True),
    Action("It came back", "return-shipper", (KEEPER, OPERATOR)),
    Action("Qualify", "qualify-shipper", (QUALITY,)),
    Action("Take out of service", "withdraw-shipper", (KEEPER, QUALITY)),
)


@require_GET
def lanes(request: HttpRequest) -> HttpResponse:
    """Show the lanes, and what is known of a way that was asked for."""
    asked = {key: request.GET.get(key, "").strip() for key in ("from", "to", "goods")}
    context: dict[str, Any] = {"asked": asked, "goods": [one.value for one in Goods]}
    site = installation()
    if asked["from"] and asked["to"]:
        try:
            context["check"] = checked_way(site, asked["from"], asked["to"], asked["goods"], now())
        except Refused as refusal:
            context["problems"] = refusal.problems
    rows = [row for _, row in site.rows("lanes").find(limit=ROWS_MAX)]
    context |= {
        "rows": [row | {"style": _due(row)} for row in rows],
        "rules": rules_in_force(site).heading,
        "actions": links(request, LANES, {}),
    }
    return render(request, "lanes/lanes.html", context)


@require_GET
def lane(request: HttpRequest, name: str) -> HttpResponse:
    """Show one lane, with advice on what to send by it."""
    found = state(Lane, "lane", name)
    way, site = found.registered, installation()
    product = request.GET.get("product", "").strip()
    context: dict[str, Any] = {
        "lane": found,
        "style": _due(site.rows("lanes").get(name) or {}),
        "products": sorted(EXCURSION_RULES),
        "product": product,
        "facts": history("lane", name),
        "actions": links(request, LANE, {"lane": name}),
    }
    if product and way is not None:
        try:
            context["options"] = advice(
                site, product, origin=way.origin, destination=way.destination
            )[:30]
        except Refused as refusal:
            context["problems"] = refusal.problems
    return render(request, "lanes/lane.html", context)


@require_GET
def share(request: HttpRequest) -> HttpResponse:
    """Give this house's lane records for a pool."""
    del request
    text = "".join(f"{line}\n" for line in records_to_share(installation()))
    response = HttpResponse(text, content_type="application/x-ndjson")
    response["Content-Disposition"] = 'attachment; filename="lane-records.jsonl"'
    return response


@require_GET
def fleet(request: HttpRequest) -> HttpResponse:
    """Show the fleet: what is clean, out, due, worn."""
    rows = [row for _, row in installation().rows("fleet").find(limit=ROWS_MAX)]
    context = {
        "rows": [row | {"style": _fleet_style(row)} for row in rows],
        "actions": links(request, FLEET, {}),
    }
    return render(request, "lanes/fleet.html", context)


@require_GET
def shipper(request: HttpRequest, name: str) -> HttpResponse:
    """Show one shipper."""
    found = state(Shipper, "shipper", name)
    row = installation().rows("fleet").get(name) or {}
    context = {
        "shipper": found,
        "row": row,
        "style": _fleet_style(row),
        "facts": history("shipper", name),
        "actions": links(request, SHIPPER, {"shipper": name}),
    }
    return render(request, "lanes/shipper.html", context)


def _due(row: dict[str, Any]) -> str:
    if row.get("suspended") or not row.get("due"):
        return "alarm"
    return nearness(row["due"])


def _fleet_style(row: dict[str, Any]) -> str:
    if row.get("withdrawn") or not row.get("due") or row["cycles"] >= row["cycles_max"]:
        return "alarm"
    near = nearness(row["due"])
    return near or ("warn" if row["state"] == "to-be-cleaned" else "")


ADDRESSES = [
    path("lanes", lanes),
    path("lanes/records.jsonl", share),
    path("lanes/<str:name>", lane),
    path("fleet", fleet),
    path("fleet/<str:name>", shipper),
]
MENU = (
    Place(group="custody", order=40, path="/lanes", name=gettext_lazy("Lanes")),
    Place(group="custody", order=50, path="/fleet", name=gettext_lazy("Shippers")),
)
