"""Every network with its versions and runs; one network; designs side by side."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from anlage.app import network_examples
from anlage.base import Refused
from anlage.library import Definition, Phase, Version
from anlage.web.actions import Action, links
from anlage.web.here import installation, jobs
from anlage.web.menu import Place
from anlage.web.pages.jobs.view import shown
from anlage.web.reading import history, me, now, state

from . import edit, runs
from .edit import ABOUT, MAY_EDIT, MAY_RUN, text_of

ROWS_MAX, RUNS_MAX = 2000, 30
AUTHOR, PLANNER, APPROVER = "definition-author", "network-planner", "definition-approver"
BY_PHASE = {
    Phase.DRAFT: (Action("Submit for review", "submit-definition", (AUTHOR, PLANNER)),),
    Phase.IN_REVIEW: (
        Action("Approve", "approve-definition", (APPROVER,), is_main=True),
        Action("Return to the author", "return-definition", (APPROVER,)),
    ),
    Phase.EFFECTIVE: (Action("Retire", "retire-definition", (APPROVER,)),),
}


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show every network, the examples to start from, and one's own runs."""
    held = me(request).roles
    context = {
        "networks": networks(),
        "examples": [(name, ABOUT.get(name, "")) for name in network_examples()],
        "runs": [shown(one) for one in own_runs(request)],
        "may_edit": bool(held & MAY_EDIT),
        "may_run": bool(held & MAY_RUN),
    }
    return render(request, "networks/index.html", context)


@require_GET
def network(request: HttpRequest, name: str) -> HttpResponse:
    """Show one network: its map, its versions, what can be run, what was run."""
    found = state(Definition, "definition", f"network:{name}")
    chosen = version_of(request, found)
    phase = found.state_at(chosen.number, now())
    values = {
        "kind": "network",
        "id": name,
        "number": chosen.number,
        "digest": chosen.digest,
    }
    held = me(request).roles
    context = {
        "name": name,
        "chosen": chosen,
        "phase": phase,
        "versions": [(one, found.state_at(one.number, now())) for one in reversed(found.versions)],
        "map": edit.map_of(text_of(chosen)),
        "text": text_of(chosen),
        "changes": edit.changed_lines(found, chosen),
        "runs": [shown(one) for one in own_runs(request, f"network/{name}")],
        "facts": history("definition", f"network:{name}"),
        "actions": links(request, BY_PHASE.get(phase, ()), values),
        "may_edit": bool(held & MAY_EDIT),
        "may_run": bool(held & MAY_RUN),
    }
    return render(request, "networks/network.html", context)


@require_POST
def run(request: HttpRequest, name: str) -> HttpResponse:
    """Put a run of a network in the queue of jobs."""
    found = state(Definition, "definition", f"network:{name}")
    chosen = version_of(request, found)
    row = runs.submit(
        request,
        request.POST.get("what", "simulate-network"),
        text_of(chosen),
        title=f"{chosen.title or name}, version {chosen.number}",
        subject=f"network/{name}",
    )
    return redirect(f"/networks/runs/{row.id}")


@require_POST
def compare(request: HttpRequest) -> HttpResponse:
    """Put a comparison of the chosen networks in the queue; the first is the base."""
    names = request.POST.getlist("network")
    if len(names) < 2:
        raise Refused(
            "network-run-impossible",
            what="comparison of networks",
            found=f"{len(names)} chosen",
            limit="two or more",
            remedy="tick two networks, then compare",
        )
    texts = [
        text_of(state(Definition, "definition", f"network:{one}").versions[-1]) for one in names
    ]
    row = runs.submit_comparison(request, names, texts)
    return redirect(f"/networks/runs/{row.id}")


def networks() -> list[dict[str, Any]]:
    """Give every network with its latest version, those in use first."""
    found = []
    for _, row in installation().rows("definitions").find(limit=ROWS_MAX):
        if row["kind"] == "network":
            latest = row["versions"][-1]
            word = "retired" if row["retired"] else str(latest["state"])
            style = "warn" if word == Phase.IN_REVIEW else ""
            found.append(row | {"latest": latest, "word": word, "style": style})
    return sorted(found, key=lambda row: (row["word"] == "retired", row["id"]))


def own_runs(request: HttpRequest, subject: str = "") -> list[Any]:
    """Give one's own runs of networks, newest first."""
    user: Any = request.user  # type: ignore[attr-defined]
    found = jobs().own(user.person, subject=subject, limit=200)
    wanted = [one for one in found if one.name in runs.WORDS and one.subject != edit.TRIAL]
    return wanted[:RUNS_MAX]


def version_of(request: HttpRequest, found: Definition) -> Version:
    """Give the version that is asked for, the latest when none is."""
    text = request.POST.get("version") or request.GET.get("version") or ""
    is_number = text.isdecimal() and len(text) < 7
    return found.version(int(text) if is_number else found.versions[-1].number)


MENU = (Place(group="network", order=10, path="/networks", name=gettext_lazy("Networks")),)
ADDRESSES = [
    path("networks", index),
    path("networks/compare", compare),
    path("networks/new", edit.begin),
    path("networks/check", edit.check),
    path("networks/try", edit.attempt),
    path("networks/runs/<str:id>", runs.result),
    path("networks/runs/<str:id>/brief", runs.brief),
    path("networks/runs/<str:id>/report.pdf", runs.report),
    path("networks/<str:name>", network),
    path("networks/<str:name>/edit", edit.edit),
    path("networks/<str:name>/run", run),
]
