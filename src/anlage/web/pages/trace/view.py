"""Genealogy of anything, both ways, and what a recall of a material lot reaches."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from anlage.plant import Edge, Node, RowGenealogy, recall_report
from anlage.plant import trace as follow
from anlage.web.here import installation

from .graph import graph

SHOWN_MAX = 200
PAGES = {
    "material": "/materials/",
    "lot": "/lots/",
    "journey": "/journeys/",
    "equipment": "/equipment/",
}


@require_GET
def trace(request: HttpRequest, family: str, name: str) -> HttpResponse:
    """Show what went into a thing and what it went into, as far as anything is known."""
    subject = f"{family}/{name}"
    found = follow(subject, RowGenealogy(installation().rows("genealogy")))
    drawn = graph(found)
    context = {
        "graph": drawn,
        "boxes": [(one, address(one.id) if one.id else "") for one in drawn.boxes],
        "subject": subject,
        "node": found.nodes[subject],
        "address": address(subject),
        "is_material": family == "material",
        "backward": _lines(found.backward, found.nodes, lambda edge: edge.source),
        "forward": _lines(found.forward, found.nodes, lambda edge: edge.target),
        "backward_all": len(found.backward),
        "forward_all": len(found.forward),
        "shown_max": SHOWN_MAX,
    }
    return render(request, "trace/trace.html", context)


@require_GET
def recall(request: HttpRequest, name: str) -> HttpResponse:
    """Show every lot, patient, dose and site that a recall of a material lot would reach."""
    report = recall_report(f"material/{name}", RowGenealogy(installation().rows("genealogy")))
    return render(request, "trace/recall.html", {"report": report, "name": name})


def address(subject: str) -> str:
    """Give the page of a thing."""
    family, _, name = subject.partition("/")
    return PAGES[family] + name if family in PAGES else f"/record/{subject}"


def _lines(edges: Iterable[Edge], nodes: dict[str, Node], far: Any) -> list[dict[str, Any]]:
    return [
        {"edge": edge, "node": nodes[far(edge)], "address": address(far(edge))} for edge in edges
    ][:SHOWN_MAX]


ADDRESSES = [
    path("trace/material/<str:name>/recall", recall),
    path("trace/<slug:family>/<str:name>", trace),
]
