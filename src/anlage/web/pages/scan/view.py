"""Scan anywhere: what a code is, opened; a photo read; a scanner understood; tags at once."""

import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anlage.app import CodeRead, keep_scan, tag_list, understand
from anlage.base import Refused
from anlage.custody import SCAN_VIEW, SCANNER_SHEET, Shipment, Workstation, workstation_stream
from anlage.custody.codes import Reading
from anlage.web.act import actor_of, do
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import state
from anlage.wire.symbols import read_bytes

from .sheet import symbols_of_sheet

COOKIE = "workstation"
COOKIE_SECONDS = 10 * 365 * 86400
SHOWN = 25
PHOTO_MAX = 40 * 1024 * 1024
PAGES = {
    "lot": "/lots/{}",
    "journey": "/journeys/{}",
    "material": "/materials/{}",
    "equipment": "/equipment/{}",
    "room": "/rooms/{}",
    "deviation": "/deviations/{}",
    "person": "/people/{}",
    "shipment": "/scan/shipment/{}",
    "sample": "/samples/{}",
    "place": "/store/places/{}",
    "picklist": "/store/picklists/{}",
}


@require_http_methods(["GET", "POST"])
def scan(request: HttpRequest) -> HttpResponse:
    """Show the scan box and the last scans; a code that is typed here opens what it is."""
    found = None
    if request.method == "POST":
        found = _kept(request, request.POST.get("scan", ""))
        if found.subject:
            return _remembered(request, redirect(page_of(found.subject)))
    kept = request.GET.get("kept", "")[:600]
    if found is None and kept:
        found = understand(installation(), kept)
    return _page(request, [found] if found else [])


@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Tell a page what its scanner has just read; the scan is kept first."""
    found = _kept(request, request.POST.get("typed", ""), page=request.POST.get("page", ""))
    answer = {
        "text": found.text,
        "kind": found.reading.kind,
        "valid": found.reading.valid or bool(found.subject),
        "subject": found.subject,
        "link": page_of(found.subject) if found.subject else "",
    }
    return _remembered(request, JsonResponse(answer))


@require_POST
def photo(request: HttpRequest) -> HttpResponse:
    """Read every symbol of a photo; each is kept, and explained, or opened when it is one."""
    sent = request.FILES.get("photo")
    if sent is None or sent.size is None or sent.size > PHOTO_MAX:
        raise Refused(
            "photo-unusable",
            what="photo of a code",
            found="none" if sent is None else f"{sent.size} bytes",
            limit=f"an image of at most {PHOTO_MAX} bytes",
            remedy="take the photo again, closer",
        )
    scans = read_bytes(sent.read(), sent.name or "photo")
    found = [_kept(request, one.marked, symbology=one.symbology) for one in scans]
    if len(found) == 1 and found[0].subject:
        return _remembered(request, redirect(page_of(found[0].subject)))
    return _page(request, found, nothing=not found)


@require_http_methods(["GET", "POST"])
def calibrate(request: HttpRequest) -> HttpResponse:
    """Print the sheet of three symbols; understand the scanner from what it types for them."""
    problems: Any = ()
    typed = {name: request.POST.get(name, "") for name, _ in SCANNER_SHEET}
    name = request.POST.get("name", "")
    if request.method == "POST":
        try:
            values = {"workstation": workstation_of(request), "name": name, "typed": typed}
            do(request, "calibrate-scanner", values)
            return _remembered(request, redirect("/scan"))
        except Refused as refusal:
            problems = refusal.problems
    context = {
        "symbols": [(*one, typed[one[0]]) for one in symbols_of_sheet()],
        "station": _station(request),
        "name": name,
        "problems": problems,
    }
    answer = render(request, "scan/calibrate.html", context, status=409 if problems else 200)
    return _remembered(request, answer)


@require_GET
def shipment(request: HttpRequest, name: str) -> HttpResponse:
    """Show a shipment's tags against its list: what is there, missing, foreign."""
    state(Shipment, "shipment", name)
    return render(request, "scan/shipment.html", {"list": tag_list(installation(), name)})


def page_of(subject: str) -> str:
    """Give the page of a thing; its history where it has no page of its own."""
    family, _, name = subject.partition("/")
    return PAGES.get(family, f"/record/{family}/{{}}").format(name)


def workstation_of(request: HttpRequest) -> str:
    """Give this browser's workstation: a number of its own, kept in a cookie."""
    held = str(request.COOKIES.get(COOKIE, ""))
    if not (len(held) == 12 and held.isalnum()):
        held = secrets.token_hex(6)
        request.COOKIES[COOKIE] = held
    return held


def _kept(
    request: HttpRequest, typed: str, *, symbology: str = "wedge", page: str = "/scan"
) -> CodeRead:
    return keep_scan(
        installation(),
        typed,
        workstation=workstation_of(request),
        actor=actor_of(request),
        symbology=symbology,
        page=page,
    )


def _page(request: HttpRequest, found: list[CodeRead], *, nothing: bool = False) -> HttpResponse:
    rows = installation().rows(SCAN_VIEW)
    context = {
        "found": [(one, _lines(one.reading)) for one in found],
        "nothing": nothing,
        "station": _station(request),
        "scans": [_shown(r) for _, r in rows.find(facet="scan", limit=SHOWN, newest_first=True)],
        "reads": [
            row
            for _, held in rows.find(facet="reads", limit=8, newest_first=True)
            if (row := rows.get(held["key"]))
        ],
    }
    return _remembered(request, render(request, "scan/scan.html", context))


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    link = page_of(row["subject"]) if row["subject"] else ""
    return row | {"link": link, "raw": row["raw"].replace("\x1d", "␝")}


def _lines(reading: Reading) -> list[tuple[str, str, str]]:
    return [(one.code, one.raw, one.meaning) for one in reading.elements]


def _station(request: HttpRequest) -> Workstation:
    return installation().engine.state(Workstation, workstation_stream(workstation_of(request)))


def _remembered(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    answer.set_cookie(
        COOKIE, workstation_of(request), max_age=COOKIE_SECONDS, httponly=True, samesite="Lax"
    )
    return answer


MENU = (Place(group="custody", order=5, path="/scan", name=gettext_lazy("Scan")),)
ADDRESSES = [
    path("scan", scan),
    path("scan/read", read),
    path("scan/photo", photo),
    path("scan/calibrate", calibrate),
    path("scan/shipment/<str:name>", shipment),
]
