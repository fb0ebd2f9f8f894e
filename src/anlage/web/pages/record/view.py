"""Search, history of any stream, checkpoint and export."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.app import export as make_export
from anlage.base import Refused
from anlage.record import Stream
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import line, names

PAGE = 100


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """Find a thing by its code or name; without one, show the newest facts."""
    journal = installation().journal
    asked = request.GET.get("q", "").strip()
    if asked:
        found = _find(asked)
        if len(found) == 1:
            return redirect(f"/record/{found[0]}")
        return render(request, "record/search.html", {"asked": asked, "found": found[:200]})
    known = names()
    start = max(0, journal.size - PAGE)
    facts = [line(one, known) for one in journal.read(start)]
    checkpoints = journal.checkpoints()[-5:]
    context = {"facts": facts[::-1], "size": journal.size, "checkpoints": checkpoints[::-1]}
    return render(request, "record/search.html", context)


@require_GET
def history(request: HttpRequest, family: str, name: str) -> HttpResponse:
    """Show everything that happened to one thing: the sentence first, the JSON on demand."""
    stream, known = Stream(f"{family}/{name}"), names()
    facts = [line(one, known) for one in installation().journal.read_stream(stream)]
    if not facts:
        raise Refused(
            "subject-unknown", what=str(stream), found="nothing recorded", remedy="search for it"
        )
    context = {"stream": stream, "facts": facts[::-1], "head": facts[-1]["hash"]}
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
    journal = installation().journal
    heads = journal.heads()
    lowered = asked.lower()
    exact = [one for one in heads if one.lower() == lowered or one.id.lower() == lowered]
    return sorted(exact or [one for one in heads if lowered in one.lower()])


MENU = (Place(group="record", order=10, path="/record", name=gettext_lazy("Record")),)
ADDRESSES = [
    path("record", search),
    path("record/<slug:family>/<str:name>/export", export),
    path("record/<slug:family>/<str:name>", history),
]
