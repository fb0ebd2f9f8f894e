"""Label sets: printed for a step, again with a reason, until every copy is accounted for."""

import base64
import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from anlage.app import label_layout, label_values
from anlage.base import Problem, Refused
from anlage.custody import LABEL_VIEW, LabelSet
from anlage.plant import LabelDue, Lot, labels_due
from anlage.record import Stream
from anlage.web.act import do
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.label_file import FORMS, label_file
from anlage.web.menu import Place
from anlage.web.reading import history, state
from anlage.wire.labels import LAYOUTS, NUMBER, Layout
from anlage.wire.labels import render as print_labels

SHOWN = 200
PRINTERS = ("operator", "verifier", "store-keeper", "qa-reviewer", "collection-nurse")
DPI = (200, 300, 600)


@require_GET
def sets(request: HttpRequest) -> HttpResponse:
    """Show the label sets, open ones first."""
    rows = installation().rows(LABEL_VIEW)
    context = {
        "open": [r for _, r in rows.find(facet="open", limit=SHOWN, newest_first=True)],
        "closed": [r for _, r in rows.find(facet="closed", limit=SHOWN, newest_first=True)],
        "layouts": list(LAYOUTS.values()),
    }
    return render(request, "labels/labels.html", context)


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Fill in a set, see the first label as it will be printed, print."""
    given = request.POST if request.method == "POST" else request.GET
    due = _due(given)
    layout = _layout(given.get("layout") or (due.need.label if due else ""))
    asked = _asked(layout, given)
    if due is not None and request.method == "GET":
        asked |= _known(layout, due, asked["lot"])
    preview, problems = "", tuple[Problem, ...]()
    if request.method == "POST":
        try:
            row = {**asked["shared"], asked["number_field"]: asked["numbers"][0]}
            preview = _picture(layout, row)
            if "print" in request.POST:
                values = {"label_set": f"LS-{secrets.token_hex(4)}", "layout": layout.id, **asked}
                do(request, "print-labels", values)
                return redirect(f"/labels/{values['label_set']}")
        except Refused as refusal:
            problems = refusal.problems
    context = {
        "layout": layout,
        "asked": asked,
        "due": due,
        "fields": [(name, asked["shared"].get(name, "")) for name in layout.fields],
        "numbers": "\n".join(asked["numbers"]),
        "preview": preview,
        "problems": problems,
    }
    return render(request, "labels/new.html", context, status=409 if problems else 200)


@require_GET
def one(request: HttpRequest, name: str) -> HttpResponse:
    """Show a set: its labels as they are printed, its copies, what can be done."""
    held = state(LabelSet, "label-set", name)
    layout = _layout(held.layout)
    number = next(iter(held.copies))
    act = (
        Action("Print one again", "reprint-label", PRINTERS),
        Action("Account for every copy", "reconcile-labels", PRINTERS, True),
    )
    context = {
        "held": held,
        "layout": layout,
        "preview": _picture(layout, held.fields_of(number)) if held.number_field else "",
        "copies": sorted(held.copies.items()),
        "actions": [] if held.is_closed else links(request, act, {"label_set": name}),
        "history": history("label-set", name),
        "dpi": DPI,
    }
    return render(request, "labels/set.html", context)


@require_GET
def file(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """Give the set, or one of its labels, as the printer takes it: the renderer of the preview."""
    held = state(LabelSet, "label-set", name)
    layout = _layout(held.layout)
    wanted = request.GET.get("number", "")
    numbers = [wanted] if wanted in held.copies else list(held.copies)
    rows = [held.fields_of(number) for number in numbers]
    return label_file(request, layout, rows, name=name, form=form)


def _layout(name: str) -> Layout:
    return label_layout(installation(), name or next(iter(LAYOUTS)))


def _due(given: Any) -> LabelDue | None:
    """Give the set that a step's recipe asks for, where the page is about one."""
    lot, step = given.get("lot", "").strip(), given.get("step", "").strip()
    if not given.get("label") or not Stream.pattern.fullmatch(f"lot/{lot}"):
        return None
    wanted = (given["label"], given.get("part", ""))
    due = labels_due(state(Lot, "lot", lot), step)
    return next((one for one in due if (one.need.label, one.need.part) == wanted), None)


def _known(layout: Layout, due: LabelDue, lot: str) -> dict[str, Any]:
    """Give what the record fills into a set of a step."""
    values = label_values(installation(), state(Lot, "lot", lot))
    return {
        "numbers": list(due.numbers) or [""],
        "shared": {name: values[name] for name in layout.fields if name in values},
        "number_field": NUMBER,
    }


def _asked(layout: Layout, given: Any) -> dict[str, Any]:
    """Give the fields of the command, as far as they are filled in."""
    lines = [line.strip() for line in given.get("numbers", "").splitlines()]
    chosen = given.get("number_field", "")
    return {
        "lot": given.get("lot", "").strip(),
        "step": given.get("step", "").strip(),
        "label": given.get("label", "").strip(),
        "part": given.get("part", "").strip(),
        "numbers": [line for line in lines if line] or [""],
        "shared": {
            name: given.get(f"field-{name}", "").strip()
            for name in layout.fields
            if name != chosen and given.get(f"field-{name}", "").strip()
        },
        "number_field": chosen if chosen in layout.fields else layout.fields[0],
    }


def _picture(layout: Layout, row: dict[str, str]) -> str:
    (page,) = print_labels(layout, [row], form="png", dpi=300).pages
    return "data:image/png;base64," + base64.b64encode(page).decode("ascii")


MENU = (Place(group="custody", order=50, path="/labels", name=gettext_lazy("Labels")),)
ADDRESSES = [
    path("labels", sets),
    path("labels/new", new),
    path("labels/<str:name>", one),
    *(path(f"labels/<str:name>/labels.{form}", file, {"form": form}) for form in FORMS),
]
