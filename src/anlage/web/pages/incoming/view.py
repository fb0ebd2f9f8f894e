"""A delivery of raw material: scan it, see what is known, attach the certificate, inspect it."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from anlage.app import read_delivery
from anlage.base import Quantity, Refused
from anlage.record import encode
from anlage.web import act
from anlage.web.form import moment_of
from anlage.web.here import installation
from anlage.web.menu import Place

FILE_MAX, PACKS_MAX, OPTIONS_MAX = 50_000_000, 2000, 500
FIELDS = (
    "material",
    "name",
    "material_class",
    "supplier",
    "supplier_lot",
    "expires",
    "pack",
    "packs",
)


@require_http_methods(["GET", "POST"])
def incoming(request: HttpRequest) -> HttpResponse:
    """Show what the scans say and take the delivery in."""
    given = request.POST if request.method == "POST" else request.GET
    scans = [one for one in given.getlist("scan") if one.strip()]
    delivery = read_delivery(installation(), scans)
    filled = delivery.filled | {key: given[key] for key in FIELDS if given.get(key)}
    context: dict[str, Any] = {
        "scans": scans,
        "delivery": delivery,
        "filled": filled,
        "checks": [(one, given.get(f"check-{one}", "")) for one in delivery.checks],
        "failed": given.getlist("failed"),
        "problems": delivery.problems,
        "classes": _options("definitions", "material-class"),
        "suppliers": _options("suppliers", "supplier"),
    }
    if request.method == "POST":
        try:
            return _take(request, filled, delivery.checks)
        except Refused as refusal:
            context["problems"] = refusal.problems
    status = 409 if request.method == "POST" else 200
    return render(request, "incoming/incoming.html", context, status=status)


def _take(request: HttpRequest, filled: dict[str, str], checks: tuple[str, ...]) -> HttpResponse:
    """Keep the certificate, receive the material, and note what was seen."""
    name = filled.get("material", "")
    given = request.FILES.get("certificate")
    data = given.read(FILE_MAX + 1) if given else b""
    if len(data) > FILE_MAX:
        raise Refused("file-too-large", what="certificate", limit=f"{FILE_MAX} bytes")
    values = _values(filled)
    if data:
        values["certificate"] = installation().blobs.put(data)
    act.do(request, "receive-material", values)
    seen = {one: request.POST.get(f"check-{one}", "").strip() for one in checks}
    seen = {one: text for one, text in seen.items() if text}
    failed = [one for one in request.POST.getlist("failed") if one in seen]
    if seen:
        act.do(request, "inspect-material", {"material": name, "checks": seen, "failed": failed})
    return redirect(f"/materials/{name}")


def _values(filled: dict[str, str]) -> dict[str, Any]:
    """Give the receipt's values as a command takes them.

    Raises:
        Refused: A pack, a number of packs or the expiry cannot be read.
    """
    each = Quantity.parse(filled.get("pack", ""))
    text = filled.get("packs", "")
    count = int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
    if not 0 < count <= PACKS_MAX:
        raise Refused(
            "field-unreadable", what="packs", found=repr(text[:20]),
            limit=f"a whole number from 1 to {PACKS_MAX}", remedy="count the packs",
        )  # fmt: skip
    try:
        whole = Quantity(each.value * Decimal(count), each.unit)
    except InvalidOperation as error:
        raise Refused("quantity-unreadable", what="pack", found=filled.get("pack")) from error
    keys = ("material", "name", "material_class", "supplier", "supplier_lot")
    return {key: filled.get(key, "") for key in keys} | {
        "amount": encode(whole),
        "packs": [{"id": str(n), "amount": encode(each)} for n in range(1, count + 1)],
        "expires": moment_of(filled.get("expires", "")),
    }


def _options(view: str, facet: str) -> list[tuple[str, str]]:
    rows = installation().rows(view).find(facet=facet, limit=OPTIONS_MAX)
    title = "title" if view == "definitions" else "name"
    return sorted((key.partition(":")[2] or key, str(row.get(title) or "")) for key, row in rows)


ADDRESSES = [path("incoming", incoming)]
MENU = (Place(group="custody", order=10, path="/incoming", name=gettext_lazy("Incoming")),)
