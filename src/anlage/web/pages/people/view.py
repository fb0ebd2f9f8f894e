"""Who may do what, until when; who has not read an SOP; one person."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anlage.library import Cell, Person, Requirement, qualification_matrix, who_has_not_read
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.reading import history, now, state

ROWS_MAX = 5000
ADMINISTRATOR, TRAINER, QUALITY = "administrator", "trainer", "qa-reviewer"
STYLES = {"valid": "", "expires-soon": "warn", "older-version": "warn"}
ALL = (Action("Register a person", "register-person", (ADMINISTRATOR,), is_main=True),)
ONE = (
    Action("Grant a role", "grant-role", (ADMINISTRATOR,)),
    Action("Withdraw a role", "withdraw-role", (ADMINISTRATOR, QUALITY)),
    Action("Note an assessment", "assess-qualification", (TRAINER, QUALITY)),
    Action("Revoke a qualification", "revoke-qualification", (TRAINER, QUALITY)),
    Action("Change the name", "rename-person", (ADMINISTRATOR,)),
    Action("End the employment", "end-employment", (ADMINISTRATOR,)),
)


@require_GET
def matrix(request: HttpRequest) -> HttpResponse:
    """Show the matrix of people and what their roles ask for."""
    role = request.GET.get("role") or None
    rows = installation().rows("people")
    cells = qualification_matrix(rows, now(), role=role, documents=_documents())
    asked = list(dict.fromkeys(one.requirement for one in sorted(cells, key=_by_kind)))
    held: dict[str, dict[str, Cell]] = {}
    for one in cells:
        held.setdefault(one.person, {})[one.requirement] = one
    everybody = [row for _, row in rows.find(limit=ROWS_MAX)]
    shown = [one for one in everybody if role is None or role in one["roles"]]
    context = {
        "people": [
            one | {"cells": [_cell(held.get(one["id"], {}).get(name)) for name in asked]}
            for one in shown
        ],
        "asked": [(name.split(":", 1)[0], name.split(":", 1)[1]) for name in asked],
        "roles": sorted({name for one in everybody for name in one["roles"]}),
        "role": role,
        "documents": sorted(_documents().items()),
        "gaps": sum(_cell(one)["style"] == "alarm" for one in cells),
        "actions": links(request, ALL, {}),
    }
    return render(request, "people/matrix.html", context)


@require_GET
def unread(request: HttpRequest, document: str) -> HttpResponse:
    """Show who has to read the effective version of an SOP and has not."""
    version = _documents().get(document, 1)
    cells = who_has_not_read(installation().rows("people"), document, version, now())
    user: Any = request.user  # type: ignore[attr-defined]
    reading = Action(f"I have read and understood version {version}", "read-document", (), True)
    mine = any(one.person == user.person for one in cells)
    values = {"document": document, "version": version}
    context = {
        "document": document,
        "version": version,
        "cells": [_cell(one) for one in cells],
        "actions": links(request, (reading,), values) if mine else [],
    }
    return render(request, "people/unread.html", context)


@require_GET
def person(request: HttpRequest, name: str) -> HttpResponse:
    """Show one person: roles, what stands between them and each role, qualifications."""
    found = state(Person, "person", name)
    at, documents = now(), _documents()
    roles = [
        (grant, found.gaps(role, at, documents=documents))
        for role, grant in sorted(found.grants.items())
    ]
    context = {
        "person": found,
        "roles": roles,
        "held": [
            {"name": Requirement(kind=one.requirement, subject=one.subject), "one": one}
            | {"lapse": one.lapse(at)}
            for one in found.qualifications.values()
        ],
        "facts": history("person", name),
        "actions": links(request, ONE, {"person": name}),
    }
    return render(request, "people/person.html", context)


def _documents() -> dict[str, int]:
    """Give the effective version of each SOP."""
    at = now().isoformat()
    found = {}
    for _, row in installation().rows("definitions").find(facet="sop", limit=ROWS_MAX):
        numbers = [one["number"] for one in row["versions"] if one.get("effective", "9") <= at]
        if numbers and not row["retired"]:
            found[row["id"]] = max(numbers)
    return found


def _cell(one: Cell | None) -> dict[str, Any]:
    if one is None:
        return {"word": "", "style": "", "expires": None, "name": "", "person": ""}
    style = STYLES.get(one.word, "alarm")
    return {
        "word": one.word,
        "style": style,
        "expires": one.expires,
        "name": one.name,
        "person": one.person,
        "version": one.version,
    }


def _by_kind(one: Cell) -> tuple[bool, str]:
    return one.requirement.startswith("sop:"), one.requirement


MENU = (Place(group="library", order=20, path="/people", name=gettext_lazy("People")),)
ADDRESSES = [
    path("people", matrix),
    path("people/unread/<str:document>", unread),
    path("people/<str:name>", person),
]
