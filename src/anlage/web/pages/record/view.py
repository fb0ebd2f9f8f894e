"""Search, history of any stream, checkpoint and export."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from anlage.app import export as make_export
from anlage.base import Refused
from anlage.record import Stream
from anlage.web.here import installation
from anlage.web.reading import history as lines_of
from anlage.web.reading import line, names

PAGE = 100
DIGITS_MAX = 15
FOUND_MAX = 200


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


def _find(asked: str) -> list[str]:
    return [str(one) for one in installation().journal.search(asked, FOUND_MAX)]
