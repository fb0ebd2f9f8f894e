"""Search, history of any stream, checkpoint, export and verification."""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from anlage.app import custody_shown, read_key, verify_bytes
from anlage.app import export as make_export
from anlage.base import Refused
from anlage.record import Stream, public_hex
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import history as lines_of
from anlage.web.reading import line, names

PAGE = 100
DIGITS_MAX = 15
FOUND_MAX = 200
EXPORT_MAX = 200_000_000


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Find a thing by its code or name; without one, show the newest facts."""
    journal = installation().journal
    asked = request.GET.get("q", "").strip()
    if asked:
        found = _find(asked)
        if len(found) == 1:
            return redirect(f"/record/{found[0]}")
        return render(request, "record/search.html", {"asked": asked, "found": found})
    known = names()
    start = max(0, journal.size - PAGE)
    facts = [line(one, known) for one in journal.read(start)]
    checkpoints = journal.checkpoints()[-5:]
    context = {"facts": facts[::-1], "size": journal.size, "checkpoints": checkpoints[::-1]}
    return render(request, "record/search.html", context)


@require_GET
def history(request: HttpRequest, family: str, name: str) -> HttpResponse:
    """Show everything that happened to one thing: the sentence first, the JSON on demand."""
    stream = Stream(f"{family}/{name}")
    asked = request.GET.get("before", "")
    before = int(asked) if asked.isdecimal() and len(asked) <= DIGITS_MAX else None
    facts = lines_of(family, name, before=before)
    if not facts:
        raise Refused(
            "subject-unknown", what=str(stream), found="nothing recorded", remedy="search for it"
        )
    head = installation().journal.head(stream)
    context = {"stream": stream, "facts": facts, "head": head.hash.hex()}
    return render(request, "record/history.html", context)


@require_GET
def export(request: HttpRequest, family: str, name: str) -> HttpResponse:
    """Send the export of a subject."""
    del request
    data = make_export(installation(), f"{family}/{name}")
    response = HttpResponse(data, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{family}-{name}.zip"'
    return response


@require_GET
def verify(request: HttpRequest, family: str, name: str) -> HttpResponse:
    """Make the export of a subject and check it, against this site's key."""
    data = make_export(installation(), f"{family}/{name}")
    return _verdict(request, data, f"{family}/{name}", public_hex(installation().key))


@require_http_methods(["GET", "POST"])
def verify_file(request: HttpRequest) -> HttpResponse:
    """Check an export file that somebody brings, against the key that they trust."""
    if request.method == "GET":
        return render(request, "record/verify.html", {"trust": public_hex(installation().key)})
    given = request.FILES.get("file")
    if given is None or not 0 < (given.size or 0) <= EXPORT_MAX:
        raise Refused(
            "export-unreadable",
            what="file",
            found="none" if given is None else f"{given.size} bytes",
            limit=f"an export of 1 to {EXPORT_MAX} bytes",
            remedy="choose the file that `anlage export` or the Export button made",
        )
    trust = request.POST.get("trust", "").strip().lower() or None
    return _verdict(request, given.read(), given.name or "file", trust)


def _verdict(request: HttpRequest, data: bytes, name: str, trust: str | None) -> HttpResponse:
    verdict = verify_bytes(data, trust=None if trust is None else read_key(trust))
    context = {
        "verdict": verdict,
        "custody": custody_shown(verdict),
        "name": name,
        "trust": trust or "",
        "digest": hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }
    return render(request, "record/verify.html", context)


def _find(asked: str) -> list[str]:
    return [str(one) for one in installation().journal.search(asked, FOUND_MAX)]


MENU = (Place(group="record", order=10, path="/record", name=gettext_lazy("Record")),)
ADDRESSES = [
    path("record", search),
    path("record/verify", verify_file),
    path("record/<slug:family>/<str:name>/export", export),
    path("record/<slug:family>/<str:name>/verify", verify),
    path("record/<slug:family>/<str:name>", history),
]
