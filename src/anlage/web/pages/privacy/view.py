"""What names one patient: who was shown it and why, holds, and what stands against erasing it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from anlage.app import keep_personal, read_personal
from anlage.base import Refused
from anlage.plant import KEEPERS, NEED_TO_KNOW, PersonalData
from anlage.web.act import actor_of
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.reading import history, me, now, state

QUALITY = "qa-reviewer"
ITEMS = (("name", _("Name")), ("born", _("Born on")), ("hospital-number", _("Hospital number")))
ACTIONS = (
    Action("Place a legal hold", "place-legal-hold", (QUALITY,)),
    Action("Lift a legal hold", "lift-legal-hold", (QUALITY,)),
    Action("Erase for ever", "erase-personal-data", (QUALITY,)),
)


@require_GET
def personal(request: HttpRequest, coi: str) -> HttpResponse:
    """Show what is kept without showing it, and who was shown it."""
    return _show(request, coi)


@require_POST
def shown(request: HttpRequest, coi: str) -> HttpResponse:
    """Record who is shown it and why, then show it, once."""
    try:
        values = read_personal(
            installation(), coi, request.POST.get("purpose", ""), actor=actor_of(request)
        )
    except Refused as refusal:
        return _show(request, coi, problems=refusal.problems, status=409)
    return _show(request, coi, values=values)


@require_POST
def keep(request: HttpRequest, coi: str) -> HttpResponse:
    """Put what was typed into the vault."""
    typed = {name: request.POST.get(name, "") for name, _label in ITEMS}
    try:
        keep_personal(installation(), coi, typed, actor=actor_of(request))
    except Refused as refusal:
        return _show(request, coi, problems=refusal.problems, status=409)
    return redirect(f"/journeys/{coi}/personal")


def _show(request: HttpRequest, coi: str, *, status: int = 200, **more: Any) -> HttpResponse:
    data = state(PersonalData, "journey", coi)
    roles = me(request).roles
    context = {
        "data": data,
        "against": _against(data),
        "until": data.kept_until(),
        "reads": history("access", coi),
        "may_read": bool(roles & set(NEED_TO_KNOW)) and bool(data.items),
        "may_keep": bool(roles & set(KEEPERS)) and data.erased is None,
        "items": ITEMS,
        "actions": links(request, ACTIONS, {"coi": coi}),
        **more,
    }
    return render(request, "privacy/personal.html", context, status=status)


def _against(data: PersonalData) -> Any:
    """Give what stands against erasing, as the command would say it; None when nothing does."""
    try:
        data.must_be_erasable(now())
    except Refused as refusal:
        return refusal.problem
    return None


ADDRESSES = [
    path("journeys/<str:coi>/personal", personal),
    path("journeys/<str:coi>/personal/shown", shown),
    path("journeys/<str:coi>/personal/keep", keep),
]
