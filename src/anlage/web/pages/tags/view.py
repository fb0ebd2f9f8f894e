"""Tags: a code on every unit, room and place, and a badge for every person, by their own number."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.app import TAGGED, tag_values
from anlage.base import Refused
from anlage.web.here import installation
from anlage.web.label_file import FORMS, label_file
from anlage.web.menu import Place
from anlage.wire.labels import LAYOUTS

LAYOUT = LAYOUTS["tag"]
SHOWN = 500  # as many can be chosen at once; a request takes a thousand fields
PAGES = {
    "equipment": (gettext_lazy("Units"), "/equipment"),
    "room": (gettext_lazy("Rooms"), "/rooms"),
    "place": (gettext_lazy("Places"), "/store/places"),
    "person": (gettext_lazy("Persons"), "/people"),
}
"""The heading of each kind, and where its things are shown."""


@require_GET
def tags(request: HttpRequest) -> HttpResponse:
    """Show what carries a tag, to choose from."""
    kind = request.GET.get("kind", "equipment")
    if kind not in PAGES:
        raise Refused(
            "kind-unknown",
            what=f"kind {kind[:40]}",
            found="none of that name",
            limit=", ".join(PAGES),
            remedy="choose one of these",
        )
    chosen = TAGGED[kind]
    rows = installation().rows(chosen.view)
    found = rows.find(facet=chosen.facet, limit=SHOWN)
    context = {
        "kind": kind,
        "kinds": [(name, heading) for name, (heading, _) in PAGES.items()],
        "page": PAGES[kind][1],
        "rows": [{"thing": f"{kind}/{key}", "id": key, "name": row["name"]} for key, row in found],
        "more": max(0, rows.count(facet=chosen.facet) - SHOWN),
        "layout": LAYOUT,
    }
    return render(request, "tags/tags.html", context)


@require_GET
def print_tags(request: HttpRequest, form: str) -> HttpResponse:
    """Give the tags of the chosen things, as the printer takes them."""
    things = request.GET.getlist("thing")
    if not things:
        raise Refused(
            "nothing-chosen",
            what="tags",
            found="no thing",
            limit="one or more",
            remedy="go back and choose what gets a tag",
        )
    rows = [tag_values(installation(), thing) for thing in things]
    return label_file(request, LAYOUT, rows, name="tags", form=form)


MENU = (Place(group="custody", order=52, path="/tags", name=gettext_lazy("Tags")),)
ADDRESSES = [
    path("tags", tags),
    *(path(f"tags/tags.{form}", print_tags, {"form": form}) for form in FORMS),
]
