"""Review of a lot: what is open, the exceptions, the record by page, the audit trail."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from anlage.plant import Lot, LotStatus, Remark, before_release, not_plain
from anlage.web.actions import Action, Link, links
from anlage.web.blockers import with_pages
from anlage.web.reading import history, me, now, state

QUALITY, RELEASER = "qa-reviewer", "releaser"
ASSESS = Action("Assess an exceptional release", "assess-exceptional-release", (QUALITY,))
TRAIL_MAX = 10_000  # a review sees the whole trail
RANK_ALARM, RANK_WARN = 1, 3
AUDITED = frozenset({"entry-corrected", "exception-authorised", "identity-scanned"})


@require_GET
def review(request: HttpRequest, name: str) -> HttpResponse:
    """Show the review of a lot: the exceptions, or one page of its record, or the audit trail."""
    lot = state(Lot, "lot", name)
    facts = history("lot", name, most=TRAIL_MAX)
    pages = _pages(lot)
    shown = request.GET.get("page", "exceptions")
    blockers = before_release(lot, now()) if lot.status.is_open else ()
    at = list(pages).index(shown) if shown in pages else -1
    context = {
        "lot": lot,
        "blockers": with_pages(name, blockers),
        "tabs": [("exceptions", _("Exceptions"), len(lot.remarks))]
        + [(unit, unit, len(steps)) for unit, steps in pages.items()]
        + [("audit", _("Audit trail"), len(facts))],
        "shown": shown,
        "remarks": [(one, _style(one)) for one in not_plain(lot)],
        "steps": pages.get(shown, []),
        "following": (list(pages)[at + 1 : at + 2] or ["audit"])[0] if at >= 0 else "",
        "facts": facts if shown == "audit" else [],
        "changed": [one for one in facts if _is_audited(one)],
        "reviews": _reviews(lot),
        "actions": _offered(request, lot, bool(blockers)),
        "took_part": me(request).id in lot.people,
    }
    return render(request, "review/review.html", context)


def _offered(request: HttpRequest, lot: Lot, is_blocked: bool) -> list[Link]:
    """Give what the reviewer and the releaser can do; a release only when nothing is open."""
    if lot.status is not LotStatus.MADE:
        return []
    values: dict[str, object] = {"lot": lot.id, "through": lot.version}
    shown = [
        Action(f"Sign the {name}", command, (QUALITY,), is_main=True)
        for name, command, mark in (
            ("batch review", "review-batch", lot.batch_review),
            ("audit-trail review", "review-audit-trail", lot.audit_review),
        )
        if mark is None or mark.through < lot.content_version
    ]
    if lot.request is not None:
        shown.append(ASSESS)
    deciding = (Action("Release", "release-lot", (RELEASER,), is_main=True),)
    rejecting = (Action("Reject", "reject-lot", (RELEASER,)),)
    return [
        *links(request, shown, values),
        *links(request, () if is_blocked else deciding, {"lot": lot.id}),
        *links(request, rejecting, {"lot": lot.id}),
    ]


def _pages(lot: Lot) -> dict[str, list[dict[str, Any]]]:
    """Give the executed steps by unit procedure, in the order in which they were begun."""
    pages: dict[str, list[dict[str, Any]]] = {}
    for step in sorted(lot.steps.values(), key=lambda one: one.started):
        phase = lot.phase_of(step.key)
        if phase is None:
            continue
        readings = [
            {"reading": one, "parameter": phase.parameter(name)}
            for name, one in step.readings.items()
        ]
        pages.setdefault(phase.unit, []).append(
            {"step": step, "phase": phase, "readings": readings}
        )
    return pages


def _reviews(lot: Lot) -> list[dict[str, Any]]:
    kinds = (
        (_("Batch review"), lot.batch_review),
        (_("Audit-trail review"), lot.audit_review),
    )
    return [
        {
            "name": name,
            "mark": mark,
            "is_old": mark is not None and mark.through < lot.content_version,
        }
        for name, mark in kinds
    ]


def _is_audited(one: dict[str, Any]) -> bool:
    wrong = one["body"].get("is_match") is False
    return one["is_late"] or one["kind"] in AUDITED - {"identity-scanned"} or wrong


def _style(one: Remark) -> str:
    return "alarm" if one.rank <= RANK_ALARM else "warn" if one.rank <= RANK_WARN else ""


ADDRESSES = [path("lots/<str:name>/review", review)]
