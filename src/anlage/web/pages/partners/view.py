"""What partners report about our containers: claims that wait, what was taken, agreements."""

import json
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.app import epcis_of, open_claims
from anlage.custody import CAPTURE_VIEW, CLAIM_VIEW
from anlage.record import Stream
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import now

SHOWN_MAX = 100
DECIDERS = ("store-keeper", "coordinator", "qa-reviewer")
ALWAYS = (
    Action("Name a thing by a code", "give-code", ()),
    Action("Agree with a partner", "agree-matching", DECIDERS),
)


@require_GET
def partners(request: HttpRequest) -> HttpResponse:
    """Show the claims that wait, newest first, and what became of the others."""
    site = installation()
    decided = site.rows(CLAIM_VIEW).find(facet="decided", limit=SHOWN_MAX, newest_first=True)
    jobs = site.rows(CAPTURE_VIEW).find(facet="job", limit=20, newest_first=True)
    agreed = (row for key, row in site.rows(CLAIM_VIEW).find(limit=5000) if key.startswith("m:"))
    context = {
        "claims": [(one, _take(one), _dismiss(one)) for one in open_claims(site, limit=SHOWN_MAX)],
        "decided": [row for _, row in decided],
        "agreed": list(agreed),
        "jobs": [row for _, row in jobs],
        "actions": links(request, ALWAYS, {}),
    }
    return render(request, "partners/partners.html", context)


@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """Give the custody of a subject as an EPCIS document to send to a partner."""
    subject = Stream(request.GET.get("subject", ""))
    document = epcis_of(installation(), subject, at=now())
    text = json.dumps(document, indent=2, ensure_ascii=False)
    answer = HttpResponse(text, content_type="application/ld+json")
    name = f"{subject.family}-{subject.id}.epcis.jsonld"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _take(claim: object) -> str:
    names = ("capture", "event", "thing", "container", "meaning", "place", "party")
    asked = {name: str(getattr(claim, name)) for name in names}
    return "/act/accept-claim?" + urlencode({**asked, "back": "/partners"})


def _dismiss(claim: object) -> str:
    asked = {name: str(getattr(claim, name)) for name in ("event", "container")}
    return "/act/dismiss-claim?" + urlencode({**asked, "back": "/partners"})


MENU = (Place(group="custody", order=60, path="/partners", name=gettext_lazy("Partners' events")),)
ADDRESSES = [path("partners", partners), path("partners/export", export)]
