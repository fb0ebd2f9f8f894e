"""Stock by class, what ends soon, and one material lot."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.base import instant
from anlage.plant import MaterialLot, MaterialStatus, expiring
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import history, now, state

ROWS_MAX = 5000
NAMED_MAX = 10
USES_MAX = 100
KEEPER, QUALITY, OPERATOR = "store-keeper", "qa-reviewer", "operator"
RECEIVE = (
    Action("Receive a delivery", "receive-material", (KEEPER,), True),
    Action("Prepare in house", "prepare-material", (OPERATOR,)),
    Action("Register a supplier", "register-supplier", (KEEPER, QUALITY)),
)
WAITING = (
    Action("Release", "release-material", (QUALITY,), True),
    Action("Note the incoming checks", "inspect-material", (KEEPER,)),
    Action("Add certificate, titre or RCL", "certify-material", (KEEPER,)),
    Action("Reject", "reject-material", (QUALITY,)),
)
USABLE = (
    Action("Open a pack", "open-pack", (KEEPER, OPERATOR), True),
    Action("Thaw a pack", "thaw-pack", (KEEPER, OPERATOR)),
    Action("Keep for a lot", "reserve-material", (KEEPER, OPERATOR)),
    Action("Split", "split-material", (KEEPER, OPERATOR)),
    Action("Put into quarantine", "quarantine-material", (KEEPER, QUALITY)),
    Action("Recall", "recall-material", (QUALITY,)),
)
BY_STATUS: dict[MaterialStatus, tuple[Action, ...]] = {
    MaterialStatus.QUARANTINED: WAITING,
    MaterialStatus.RELEASED: USABLE,
}
ALWAYS = (
    Action("Count", "reconcile-material", (KEEPER,)),
    Action("Move a pack", "move-pack", (KEEPER, OPERATOR)),
    Action("Destroy", "destroy-material", (KEEPER, OPERATOR)),
    Action("Change the expiry", "change-material-expiry", (KEEPER, QUALITY)),
)


@require_GET
def stock(request: HttpRequest) -> HttpResponse:
    """Show the stock by class, what ends soon first."""
    asked, wanted = request.GET.get("q", "").strip().lower(), request.GET.get("class", "")
    everything = request.GET.get("all") == "yes"
    classes: dict[str, list[dict[str, Any]]] = {}
    names = set()
    for _, row in installation().rows("stock").find(limit=ROWS_MAX):
        names.add(row["class"])
        text = f"{row['material']} {row['name']} {row['supplier_lot']} {row['class']}".lower()
        is_there = everything or Decimal(row["left"]) > 0
        if asked in text and wanted in {"", row["class"]} and is_there:
            classes.setdefault(row["class"], []).append(row | _standing(row))
    context = {
        "classes": sorted(classes.items()),
        "names": sorted(names),
        "asked": request.GET.get("q", ""),
        "wanted": wanted,
        "everything": everything,
        "ended": [one for one in _ending() if one["end"] <= now()],
        "ending": [one for one in _ending() if one["end"] > now()],
        "named_max": NAMED_MAX,
        "actions": links(request, RECEIVE, {}),
    }
    return render(request, "materials/stock.html", context)


@require_GET
def material(request: HttpRequest, name: str) -> HttpResponse:
    """Show one material lot: packs, where it went, what happened, what can be done."""
    lot = state(MaterialLot, "material", name)
    row = installation().rows("stock").get(name) or {}
    offered = BY_STATUS.get(lot.status, ()) if lot.status else ()
    context = {
        "lot": lot,
        "standing": _standing(row) if row else {},
        "packs": sorted(lot.packs.items()),
        "uses": sorted(lot.uses.items(), reverse=True)[:USES_MAX],
        "uses_all": len(lot.uses),
        "facts": history("material", name),
        "actions": links(request, (*offered, *ALWAYS), _given(lot)),
    }
    return render(request, "materials/material.html", context)


def _given(lot: MaterialLot) -> dict[str, object]:
    missing = [one for one in lot.terms.inspections if one not in lot.passed]
    only = next(iter(lot.packs)) if len(lot.packs) == 1 else None
    checks = {"checks": "\n".join(f"{one}: " for one in missing)} if missing else {}
    return {"material": lot.id, **({"pack": only} if only else {}), **checks}


def _standing(row: dict[str, Any]) -> dict[str, str]:
    """Give the word for where a lot stands and how much it needs a person."""
    is_left = Decimal(row["left"]) > 0
    if row["status"] == MaterialStatus.RELEASED and instant(row["expires"]) <= now():
        return {"word": "expired", "style": "alarm" if is_left else ""}
    bad = row["status"] in {MaterialStatus.RECALLED, MaterialStatus.REJECTED}
    if row["off_count"] and is_left and not bad:
        return {"word": f"{row['status']}, count is off", "style": "warn"}
    return {"word": str(row["status"]), "style": "alarm" if bad and is_left else ""}


def _ending() -> list[dict[str, Any]]:
    site = installation()
    stock_rows, packs = site.rows("stock"), site.rows("stock-pack")
    found = expiring(stock_rows, packs, at=now(), within=timedelta(days=30))
    return [
        {"end": end, "material": name, "pack": pack, "name": (stock_rows.get(name) or {})["name"]}
        for end, name, pack in found
    ]


MENU = (Place(group="plant", order=20, path="/materials", name=gettext_lazy("Materials")),)
ADDRESSES = [path("materials", stock), path("materials/<str:name>", material)]
