"""Measures of the way from vein to vein: the number, its exact words, the facts behind it."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.app import coverage, measured
from anlage.base import Refused, stamp
from anlage.custody import Measure
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import now

PERIODS = (30, 90, 365)
BEHIND_MAX = 500


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Show every measure; waits as bars on one scale."""
    days = _days(request)
    found = measured(installation(), since=_since(days))
    waits = [one for one in found if one.name.startswith("wait-")]
    longest = max((one.value or 0.0 for one in waits), default=0.0) or 1.0
    custody = coverage(installation(), at=now())
    context = {
        "numbers": [(one, _number(one)) for one in found if one not in waits],
        "waits": [(one, _number(one), 100 * (one.value or 0.0) / longest) for one in waits],
        "custody": custody,
        "grades": custody.by_grade.items(),
        "days": days,
        "periods": PERIODS,
    }
    return render(request, "metrics/metrics.html", context)


@require_GET
def measure(request: HttpRequest, name: str) -> HttpResponse:
    """Show one measure: its definition, its formula, and each subject with its facts."""
    days = _days(request)
    found = {one.name: one for one in measured(installation(), since=_since(days))}
    if name not in found:
        raise Refused(
            "measure-unknown",
            what=f"measure {name[:40]}",
            found="none of that name",
            limit=", ".join(found),
            remedy="choose one of the measures",
        )
    one = found[name]
    context = {
        "measure": one,
        "number": _number(one),
        "subjects": one.behind[:BEHIND_MAX],
        "more": max(0, len(one.behind) - BEHIND_MAX),
        "days": days,
    }
    return render(request, "metrics/measure.html", context)


def _days(request: HttpRequest) -> int:
    text = request.GET.get("days", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _since(days: int) -> str:
    return stamp(now() - timedelta(days=days)) if days else ""


def _number(one: Measure) -> str:
    if one.value is None:
        return "–"
    if one.definition.unit == "share":
        return f"{one.value * 100:.1f} %"
    return f"{one.value:.1f} {one.definition.unit}"


MENU = (Place(group="custody", order=70, path="/metrics", name=gettext_lazy("Metrics")),)
ADDRESSES = [path("metrics", metrics), path("metrics/<str:name>", measure)]
