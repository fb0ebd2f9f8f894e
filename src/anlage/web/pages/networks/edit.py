"""Writing a network: what is wrong beside its line, a quick answer, versions that are saved."""

import difflib
import re
import time
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from anlage.app import check_network, network_content, network_examples
from anlage.base import Refused
from anlage.library import Definition, Phase, Version
from anlage.record import Stream
from anlage.web import act
from anlage.web.here import installation, jobs
from anlage.web.reading import me, state

from . import runs

MAY_EDIT = frozenset({"definition-author", "network-planner"})
MAY_RUN = frozenset({"network-planner"})
ABOUT = {
    "mm2": "a queue in ten lines: two desks, customers by chance",
    "allogeneic-bank": "one bank, many doses: batches, stock, expiry",
    "reference": "the published vein-to-vein setting, one site",
    "central": "one central plant for twelve European clinics",
    "regional": "three regional plants for the same clinics",
    "point-of-care": "a small plant at each of the twelve clinics",
}
EMPTY = "mm2"
TRIAL = "network-trial"
CHANGES_MAX = 400
NAMES_MAX = 100
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Write a new network, beginning with an example."""
    examples = network_examples()
    chosen = request.GET.get("from", EMPTY)
    text = examples.get(chosen, examples.get(EMPTY, ""))
    if request.method == "POST":
        return _save(request, None)
    about = ABOUT.get(chosen, "")
    given = {
        "id": _free(chosen),
        "title": about[:1].upper() + about[1:],
        "basis": "illustrative",
        "file": text,
    }
    return _editor(request, given)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """Write the next version of a network."""
    found = state(Definition, "definition", f"network:{name}")
    if request.method == "POST":
        return _save(request, found)
    latest = found.versions[-1].content
    given = {key: str(latest.get(key, "")) for key in ("id", "title", "basis", "file")}
    return _editor(request, given, found)


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Say what is wrong with a text, by line, as JSON."""
    begun = time.perf_counter()
    problems = check_network(request.POST.get("file", ""))
    seconds = round(time.perf_counter() - begun, 3)
    found = {"ok": not problems, "problems": [one.as_dict() for one in problems]}
    return JsonResponse(found | {"seconds": seconds})


@require_POST
def attempt(request: HttpRequest) -> HttpResponse:
    """Run a text as it stands, a few replications, and say which job answers."""
    text = request.POST.get("file", "")
    try:
        if problems := check_network(text):
            raise Refused.of(problems)
        row = runs.submit(
            request,
            "simulate-network",
            text,
            title="Quick answer while editing",
            subject=TRIAL,
            terms={"replications": runs.QUICK},
            is_followed=False,
        )
    except Refused as refusal:
        problems = list(refusal.problems)
        return JsonResponse({"problems": [one.as_dict() for one in problems]}, status=409)
    return JsonResponse({"id": row.id})


def map_of(text: str) -> dict[str, Any] | None:
    """Give the map of a network's text as JSON for the browser; None when it cannot be read."""
    from anlage.network import check as read
    from anlage.network.figure import map_figure

    network = read(text).network
    if network is None or not network.clinics:
        return None
    drawing = map_figure(network)
    return {
        "title": drawing.title,
        "told": drawing.told,
        "name": drawing.name,
        "json": drawing.as_json(),
    }


def text_of(version: Version) -> str:
    """Give the network's own text in a version."""
    return str(version.content.get("file", ""))


def changed_lines(found: Definition, chosen: Version) -> list[tuple[str, str]]:
    """Give the lines that a version changed from the one before: ("del" or "ins", line)."""
    if chosen.number == 1:
        return []
    old = text_of(found.version(chosen.number - 1)).splitlines()
    new = text_of(chosen).splitlines()
    kinds = {"-": "del", "+": "ins"}
    return [
        (kinds[line[0]], line[1:])
        for line in difflib.unified_diff(old, new, lineterm="", n=0)
        if line[0] in kinds and not line.startswith(("---", "+++"))
    ][:CHANGES_MAX]


def _save(request: HttpRequest, found: Definition | None) -> HttpResponse:
    """Draft the version; show the editor again, with everything in it, when it is refused."""
    given = {
        "id": found.id if found else request.POST.get("id", "").strip(),
        **{name: request.POST.get(name, "") for name in ("title", "basis", "file")},
    }
    try:
        if found is None:
            _must_be_new(given["id"])
        values: dict[str, Any] = {"content": network_content(**given)}
        for name in ("reason", "impact"):
            if request.POST.get(name, "").strip():
                values[name] = request.POST[name].strip()
        act.do(request, "draft-definition", values, key=request.POST.get("key") or None)
    except Refused as refusal:
        return _editor(request, given, found, problems=refusal.problems, status=409)
    return redirect(f"/networks/{given['id']}")


def _editor(
    request: HttpRequest,
    given: dict[str, str],
    found: Definition | None = None,
    *,
    problems: Any = (),
    status: int = 200,
) -> HttpResponse:
    jobs().expect("simulate-network")
    held = me(request).roles
    latest = found.versions[-1] if found else None
    is_rewrite = latest is not None and latest.state is Phase.DRAFT
    context = {
        "given": given,
        "is_new": found is None,
        "number": (len(found.versions) + (0 if is_rewrite else 1)) if found else 1,
        "needs_note": found is not None and len(found.versions) + (not is_rewrite) > 1,
        "reason": request.POST.get("reason", ""),
        "impact": request.POST.get("impact", ""),
        "problems": [one for one in problems if not one.line],
        "lines": [one.as_dict() for one in problems if one.line],
        "may_edit": bool(held & MAY_EDIT),
        "may_run": bool(held & MAY_RUN),
        "examples": list(network_examples()),
    }
    return render(request, "networks/edit.html", context, status=status)


def _must_be_new(id: str) -> None:
    if not _ID.fullmatch(id) or _known(id):
        raise Refused(
            "network-name-taken" if _known(id) else "network-name-malformed",
            what=f"name of the network {id[:60]!r}",
            found="a network of that name" if _known(id) else "another shape",
            limit="a new name of small letters, digits and single hyphens",
            remedy="choose another name, such as regional-2",
        )


def _free(id: str) -> str:
    """Give a name that no network has: the example's own, or with a number."""
    names = (id, *(f"{id}-{number}" for number in range(2, NAMES_MAX)))
    return next((one for one in names if not _known(one)), "")


def _known(id: str) -> bool:
    if not _ID.fullmatch(id):
        return False
    return installation().engine.load(Definition, Stream(f"definition/network:{id}"))[0] > 0
