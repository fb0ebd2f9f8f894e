"""The store: its tree, one place, putting away and picking by scan, audits."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anlage.app import Meant, Scanned, around, meaning, pickable, suggestions
from anlage.base import Refused
from anlage.custody import Container
from anlage.custody.storage import (
    Keeping,
    Picklist,
    Place,
    PlaceKind,
    choose,
    place_and_position,
)
from anlage.record import Stream
from anlage.web import act
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.menu import Place as MenuPlace
from anlage.web.reading import history, line, names, state

from .grid import grid_of

ROWS_MAX = 2000
CHOICE_MAX = 500
FACTS_SHOWN = 12
KEEPER, QUALITY, OPERATOR, SECOND = "store-keeper", "qa-reviewer", "operator", "verifier"
TREE = (Action("Register a place", "register-place", (KEEPER, QUALITY)),)
INSIDE = (Action("Register a place in it", "register-place", (KEEPER, QUALITY)),)
PLACE = (
    Action("Bring it elsewhere", "move-place", (KEEPER, OPERATOR)),
    Action("Change what it is for", "change-place", (QUALITY, KEEPER)),
    Action("Note a cleaning", "clean-place", (KEEPER, OPERATOR)),
    Action("Clear it", "clear-place", (SECOND, KEEPER, OPERATOR)),
    Action("Use it no longer", "close-place", (KEEPER, QUALITY)),
)


@require_GET
def tree(request: HttpRequest) -> HttpResponse:
    """Show the tree of places with how full each is, and the picklists with open lines."""
    site = installation()
    rows = site.rows("places")
    context = {
        "tree": [one for _, root in rows.find(facet="in:") for one in _branch(root, 0)],
        "picklists": [row for _, row in site.rows("picklists").find(facet="open", limit=50)],
        "actions": links(request, TREE, {}),
    }
    return render(request, "storage/tree.html", context)


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Go to what was scanned: a place, a container in its place, a picklist."""
    meant = meaning(installation(), request.GET.get("scan", ""))
    if meant.kind is Scanned.CONTAINER:
        box = place_and_position(_container(meant.id).place)
        if box is None:
            return redirect(f"/store/put?container={meant.id}")
        return redirect(f"/store/places/{box[0]}?find={meant.id}")
    if meant.kind is Scanned.PICKLIST:
        return redirect(f"/store/picklists/{meant.id}")
    if meant.kind in (Scanned.PLACE, Scanned.POSITION):
        return redirect(f"/store/places/{meant.id}")
    return redirect(f"/record/{meant.kind.value}/{meant.id}")


@require_GET
def place(request: HttpRequest, name: str) -> HttpResponse:
    """Show one place: its grid, or the places in it."""
    found = state(Place, "place", name)
    site = installation()
    sought = request.GET.get("find", "")
    holds = found.kind is not None and found.kind.holds_containers
    context = {
        "place": found,
        "row": site.rows("places").get(name) or {},
        "way": around(site.rows("places").get, found.parent),
        "grid": grid_of(found, site.rows("stored"), sought=sought) if holds else None,
        "children": [row for _, row in site.rows("places").find(facet=f"in:{name}")],
        "sought": sought if found.position_of(sought) else "",
        "facts": _last_facts(name),
        "actions": [
            *([] if holds else links(request, INSIDE, {"parent": name})),
            *links(request, PLACE, {"place": name}),
        ],
    }
    return render(request, "storage/place.html", context)


@require_http_methods(["GET", "POST"])
def put(request: HttpRequest) -> HttpResponse:
    """Put away by scan: first the container, then the position; the rules judge."""
    given = request.POST if request.method == "POST" else request.GET
    context: dict[str, Any] = {"container": given.get("container", ""), "done": given.get("done")}
    try:
        if request.method == "POST":
            meant = meaning(installation(), given.get("scan", ""))
            return _put_on(request, context["container"], meant)
    except Refused as refusal:
        context["problems"] = refusal.problems
    name = context["container"]
    if name:
        keeping = installation().engine.state(Keeping, Stream(f"container/{name}"))
        context |= {
            "keeping": keeping,
            "at": _container(name),
            "suggested": suggestions(installation(), keeping),
        }
    status = 409 if context.get("problems") else 200
    return render(request, "storage/put.html", context, status=status)


@require_POST
def take(request: HttpRequest, name: str) -> HttpResponse:
    """Take a container out of a place by scan."""
    container, to = request.POST.get("container", ""), request.POST.get("to", "")
    meant = meaning(installation(), request.POST.get("scan", ""))
    values = {"container": container, "scanned": meant.id, "to": to, "evidence": "scanned"}
    act.do(request, "take-container", values)
    return redirect(f"/store/places/{name}")


@require_http_methods(["GET", "POST"])
def audit(request: HttpRequest, name: str) -> HttpResponse:
    """Audit a place: scan all that stands in it, one after another, then compare."""
    found = state(Place, "place", name)
    lines = request.POST.get("scanned", "").splitlines()
    context: dict[str, Any] = {"place": found, "scanned": "\n".join(lines)}
    context["aside"] = request.POST.get("aside", "")
    if request.method == "POST":
        try:
            values = _audited(name, lines) | {"aside": context["aside"]}
            act.do(request, "audit-place", values)
            return redirect(f"/store/places/{name}")
        except Refused as refusal:
            context["problems"] = refusal.problems
    status = 409 if context.get("problems") else 200
    return render(request, "storage/audit.html", context, status=status)


@require_http_methods(["GET", "POST"])
def new_picklist(request: HttpRequest) -> HttpResponse:
    """Make a picklist: so many containers of a lot, from the fewest tanks and boxes."""
    given = request.POST if request.method == "POST" else request.GET
    lot, order = given.get("lot", "").strip(), given.get("order", "").strip()
    count = int(given.get("count") or 0) if (given.get("count") or "0").isdecimal() else 0
    candidates = pickable(installation(), lot) if lot else []
    chosen = choose(candidates, min(count, CHOICE_MAX))
    context = {"lot": lot, "order": order, "count": count or "", "candidates": candidates}
    if request.method == "POST":
        values = {"order": order or lot, "containers": [one.container for one in chosen]}
        outcome = act.do(request, "make-picklist", values)
        name = next(one for one in outcome.streams if one.startswith("picklist/"))
        return redirect(f"/store/{name.replace('picklist/', 'picklists/')}")
    return render(request, "storage/new_picklist.html", context | {"chosen": chosen})


@require_http_methods(["GET", "POST"])
def picklist(request: HttpRequest, name: str) -> HttpResponse:
    """Pick by scan: the next line stands large; a wrong scan is refused."""
    found = state(Picklist, "picklist", name)
    context: dict[str, Any] = {"to": request.POST.get("to", request.GET.get("to", ""))}
    if request.method == "POST":
        try:
            _pick(request, found, context["to"])
            return redirect(f"/store/picklists/{name}?to={context['to']}")
        except Refused as refusal:
            context["problems"] = refusal.problems
    lines = found.made.lines if found.made else ()
    context |= {
        "picklist": found,
        "lines": [(one, found.lines[one.container].value) for one in lines],
        "next": found.next_line,
        "facts": history("picklist", name),
    }
    status = 409 if context.get("problems") else 200
    return render(request, "storage/picklist.html", context, status=status)


def _put_on(request: HttpRequest, container: str, meant: Meant) -> HttpResponse:
    """Take the next scan of putting away: a container begins anew, a position ends it."""
    if meant.kind is Scanned.CONTAINER:
        return redirect(f"/store/put?container={meant.id}")
    if meant.kind not in (Scanned.PLACE, Scanned.POSITION) or not container:
        raise Refused(
            "scan-out-of-order",
            what="scan",
            found=f"{meant.kind.value} {meant.id}",
            limit="a container, then its position" if container else "a container first",
            remedy="scan the container, then the position",
            rule="Anlage identifiers",
        )
    is_stored = place_and_position(_container(container).place) is not None
    values = {"container": container, "place": meant.id, "position": meant.position}
    command = "restow-container" if is_stored else "store-container"
    act.do(request, command, values | {"evidence": "scanned"})
    where = place_and_position(_container(container).place) or (meant.id, "")
    return redirect(f"/store/put?done={container} in {where[0]} {where[1]}")


def _pick(request: HttpRequest, found: Picklist, to: str) -> None:
    line = found.next_line
    if line is None:
        found.must_have_open("")
    assert line is not None
    if skipped := request.POST.get("reason", "").strip():
        values = {"picklist": found.id, "container": line.container, "reason": skipped}
        act.do(request, "skip-pick", values)
        return
    meant = meaning(installation(), request.POST.get("scan", ""))
    values = {"picklist": found.id, "container": line.container, "scanned": meant.id, "to": to}
    act.do(request, "pick-container", values | {"evidence": "scanned"})


def _audited(name: str, lines: list[str]) -> dict[str, Any]:
    """Read an audit's scans: a container a line, or a position and then its container."""
    scanned: list[str] = []
    positions: dict[str, str] = {}
    for one in lines:
        words = one.split()
        if len(words) == 2:
            position = words[0].removeprefix(f"{name}:")
            positions[position] = words[1]
        elif words:
            scanned.append(one.strip())
    return {"place": name, "scanned": scanned, "positions": positions, "evidence": "scanned"}


def _branch(row: dict[str, Any], depth: int) -> list[dict[str, Any]]:
    """Give a place of the tree and all in it down to the racks, each with its depth."""
    percent = round(100 * row["used"] / row["size"]) if row["size"] else 0
    found = [row | {"depth": depth, "percent": percent}]
    if row["kind"] not in (PlaceKind.RACK.value, PlaceKind.BOX.value, PlaceKind.SHELF.value):
        inside = installation().rows("places").find(facet=f"in:{row['place']}", limit=ROWS_MAX)
        for _, one in inside:
            found += _branch(one, depth + 1)
    return found


def _last_facts(name: str) -> list[dict[str, Any]]:
    """Give the last facts of a place; a box has hundreds, and its record page shows them all."""
    known = names()
    facts = installation().journal.read_stream(Stream(f"place/{name}"))[-FACTS_SHOWN:]
    return [line(one, known) for one in reversed(facts)]


def _container(name: str) -> Container:
    return installation().engine.state(Container, Stream(f"container/{name}"))


ADDRESSES = [
    path("store", tree),
    path("store/find", find),
    path("store/put", put),
    path("store/picklists/new", new_picklist),
    path("store/picklists/<str:name>", picklist),
    path("store/places/<str:name>", place),
    path("store/places/<str:name>/take", take),
    path("store/places/<str:name>/audit", audit),
]
MENU = (MenuPlace(group="custody", order=20, path="/store", name=gettext_lazy("Store")),)
