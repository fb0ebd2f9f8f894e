"""Every definition, and one with its versions, what changed, and where it is used."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.library import Definition, Phase, Version, difference, where_used
from anlage.plant import Recipe
from anlage.web import act
from anlage.web.actions import Action, Link, links
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import history, me, now, state

from .procedure import procedure

ROWS_MAX = 5000
LOTS_MAX = 50
AUTHOR, APPROVER = "definition-author", "definition-approver"
DRAFT = Action("Write a definition", "draft-definition", (AUTHOR,), is_main=True)
BY_PHASE = {
    Phase.DRAFT: (Action("Submit for review", "submit-definition", (AUTHOR,), is_main=True),),
    Phase.IN_REVIEW: (
        Action("Approve", "approve-definition", (APPROVER,), is_main=True),
        Action("Return to the author", "return-definition", (APPROVER,)),
    ),
    Phase.EFFECTIVE: (Action("Retire", "retire-definition", (APPROVER,)),),
}


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show every definition by kind, with the version in effect and what waits."""
    asked, kind = request.GET.get("q", "").strip().lower(), request.GET.get("kind", "")
    kinds: dict[str, list[dict[str, Any]]] = {}
    names = set()
    for key, row in installation().rows("definitions").find(limit=ROWS_MAX):
        names.add(row["kind"])
        if kind in {"", row["kind"]} and asked in f"{key} {row['title']}".lower():
            kinds.setdefault(row["kind"], []).append(row | _standing(row))
    context = {
        "kinds": sorted(kinds.items()),
        "names": sorted(names),
        "asked": request.GET.get("q", ""),
        "kind": kind,
        "actions": links(request, (DRAFT,), {}),
    }
    return render(request, "definitions/index.html", context)


@require_GET
def definition(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """Show one definition: a version's content, what it changes, where it is used."""
    found = state(Definition, "definition", f"{kind}:{name}")
    latest = found.versions[-1].number
    chosen = found.version(_number(request, "version", latest))
    before = _number(request, "from", max(1, chosen.number - 1))
    rows = installation().rows("definitions")
    values = {"kind": kind, "id": name, "number": chosen.number, "digest": chosen.digest}
    phase = found.state_at(chosen.number, now())
    in_progress = (rows.get(f"{kind}:{name}") or {"lots": {}})["lots"]
    context = {
        "definition": found,
        "chosen": chosen,
        "phase": phase,
        "versions": [(one, found.state_at(one.number, now())) for one in reversed(found.versions)],
        "before": before,
        "changes": _changes(found.version(before), chosen),
        "lines": list(_outline(chosen.content)),
        "boxes": procedure(Recipe.read(chosen.content)) if kind == "recipe" else [],
        "used": [one.split(":", 1) for one in where_used(rows, kind, name)],
        "lots": sorted(in_progress.items())[-LOTS_MAX:],
        "lots_all": len(in_progress),
        "facts": history("definition", f"{kind}:{name}"),
        "actions": [
            *links(request, BY_PHASE.get(phase, ()), values),
            *_change(request),
        ],
    }
    return render(request, "definitions/definition.html", context)


@require_GET
def draft(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """Show the form of the next version, filled with the latest."""
    latest = state(Definition, "definition", f"{kind}:{name}").versions[-1]
    given = {"content": json.dumps(latest.content, indent=2, ensure_ascii=False)}
    return act.form(request, "draft-definition", given, f"/definitions/{kind}/{name}")


def _change(request: HttpRequest) -> list[Link]:
    is_author = AUTHOR in me(request).roles
    return [Link(_("Write the next version"), f"{request.path}/draft")] if is_author else []


def _number(request: HttpRequest, name: str, otherwise: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 7 else otherwise


def _changes(old: Version, new: Version) -> list[dict[str, object]]:
    if old.number == new.number:
        return []
    return [
        {"path": one.path, "old": one.old, "new": one.new}
        for one in difference(old.content, new.content)
    ]


def _standing(row: dict[str, Any]) -> dict[str, Any]:
    """Give the version in effect, and the word for what waits for somebody."""
    at = now().isoformat()
    versions = row["versions"]
    latest = versions[-1]
    effective = [
        one
        for one in versions
        if one.get("effective", "9") <= at and not (one.get("until") or "9") <= at
    ]
    word, style = "effective", ""
    if row["retired"]:
        word = "retired"
    elif latest["state"] in {Phase.DRAFT, Phase.IN_REVIEW}:
        word, style = str(latest["state"]), "warn"
    elif not effective:
        word, style = "not in effect", "warn"
    return {
        "effective": effective[-1] if effective else None,
        "latest": latest,
        "word": word,
        "style": style if word != "draft" else "",
    }


def _outline(content: object, depth: int = 0) -> Any:
    """Give a content as lines of an outline: (depth, name, value)."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _branch(str(key), value, depth)
    elif isinstance(content, list | tuple):
        for at, value in enumerate(content, 1):
            label = ""
            if isinstance(value, dict):
                named = ("name", "title", "attribute", "id", "subject", "phase")
                label = next((str(value[key]) for key in named if key in value), "")
            yield from _branch(label or str(at), value, depth)


def _branch(name: str, value: object, depth: int) -> Any:
    if isinstance(value, list | tuple) and not any(isinstance(one, dict | list) for one in value):
        yield {"depth": depth, "name": name, "value": ", ".join(str(one) for one in value)}
    elif isinstance(value, dict | list | tuple):
        yield {"depth": depth, "name": name, "value": None}
        yield from _outline(value, depth + 1)
    else:
        yield {"depth": depth, "name": name, "value": value}


MENU = (Place(group="library", order=10, path="/definitions", name=gettext_lazy("Definitions")),)
ADDRESSES = [
    path("definitions", index),
    path("definitions/<slug:kind>/<str:name>", definition),
    path("definitions/<slug:kind>/<str:name>/draft", draft),
]
