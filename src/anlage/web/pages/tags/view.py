"""Tags: a code on every unit, room and place, and a badge for every person, by their own number."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.app import understand
from anlage.base import Refused
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.wire.labels import LAYOUTS
from anlage.wire.labels import render as print_labels
from anlage.wire.labels import zpl as print_zpl

LAYOUT = LAYOUTS["tag"]
SHOWN = 2000
TAGS_MAX = 500
FORMS = {"pdf": "application/pdf", "zpl": "text/plain; charset=utf-8", "png": "image/png"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing that carries a tag: where its rows are, and what they call it."""

    title: Any
    view: str
    facet: str | None
    page: str


KINDS = {
    "equipment": Kind(
        title=gettext_lazy("Units"), view="equipment-board", facet=None, page="/equipment"
    ),
    "room": Kind(title=gettext_lazy("Rooms"), view="room-board", facet=None, page="/rooms"),
    "place": Kind(title=gettext_lazy("Places"), view="places", facet=None, page="/store/places"),
    "person": Kind(title=gettext_lazy("Persons"), view="people", facet="active", page="/people"),
}


@require_GET
def tags(request: HttpRequest) -> HttpResponse:
    """Show what carries a tag, to choose from."""
    kind = _kind(request.GET.get("kind", "equipment"))
    chosen = KINDS[kind]
    rows = installation().rows(chosen.view).find(facet=chosen.facet, limit=SHOWN)
    context = {
        "kind": kind,
        "kinds": KINDS.items(),
        "page": chosen.page,
        "rows": [{"thing": f"{kind}/{key}", "id": key, "name": row["name"]} for key, row in rows],
        "layout": LAYOUT,
    }
    return render(request, "tags/tags.html", context)


@require_GET
def print_tags(request: HttpRequest, form: str) -> HttpResponse:
    """Give the tags of the chosen things, as the printer takes them."""
    things = request.GET.getlist("thing")[:TAGS_MAX]
    if not things:
        raise Refused(
            "nothing-chosen",
            what="tags",
            found="no thing",
            limit="one or more",
            remedy="go back and choose what gets a tag",
        )
    rows = [_row_of(thing) for thing in things]
    if form == "zpl":
        data = print_zpl(LAYOUT, rows, dpi=300).encode()
    else:
        on_sheets = request.GET.get("sheet") == "yes"
        data = print_labels(LAYOUT, rows, form=form, dpi=300, on_sheets=on_sheets).pages[0]
    answer = HttpResponse(data, content_type=FORMS[form])
    answer["Content-Disposition"] = f'inline; filename="tags.{form}"'
    return answer


def _kind(name: str) -> str:
    if name in KINDS:
        return name
    raise Refused(
        "kind-unknown",
        what=f"kind {name[:40]}",
        found="none of that name",
        limit=", ".join(KINDS),
        remedy="choose one of these",
    )


def _row_of(thing: str) -> dict[str, str]:
    """Give what stands on a tag.

    Raises:
        Refused: `thing-unknown`; or `tag-ambiguous`: its number means something else to a scanner.
    """
    family, _, number = thing.partition("/")
    kind = KINDS[_kind(family)]
    row = installation().rows(kind.view).get(number)
    if row is None:
        raise Refused(
            "thing-unknown",
            what=thing[:80],
            found="not registered",
            limit="a thing of this house",
            remedy="choose from the list",
        )
    meant = understand(installation(), number).subject
    if meant != thing:
        raise Refused(
            "tag-ambiguous",
            what=f"tag of {thing}",
            found=f"a scan of {number} means {meant or 'nothing'}",
            limit=f"a number that means {thing} alone",
            remedy="give one of the two another number",
            rule="everything physical has a code of its own",
        )
    return {"code": number, "name": row["name"][:30], "kind": str(kind.title)}


def _forms() -> Iterator[Any]:
    for form in FORMS:
        yield path(f"tags/tags.{form}", print_tags, {"form": form})


MENU = (Place(group="custody", order=52, path="/tags", name=gettext_lazy("Tags")),)
ADDRESSES = [path("tags", tags), *_forms()]
