"""The laboratory: what waits; a measurement with its figures; every method with its trends."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from anlage.base import Refused
from anlage.lab import ControlSeries, Measurement, MeasurementStatus
from anlage.lab.analysis import card_of
from anlage.library import Content, Definition, Method, Stage
from anlage.plant import Sample
from anlage.record import Stream
from anlage.web.actions import Action, links
from anlage.web.here import installation
from anlage.web.menu import Place
from anlage.web.pages.samples.offer import methods_in_force, stages_of
from anlage.web.reading import history, me, now, state

from .trends import control_figure, trends_of

ANALYST = "qc-analyst"
REGISTER = Action("Register a reference material", "register-reference", (ANALYST,), is_main=True)
CONTROL = Action("Report a control", "measure-control", (ANALYST,))
REJECT = Action("Reject it", "reject-measurement", (ANALYST,))
ROWS_MAX = 300
FIGURE_MEDIA = frozenset({"image/png", "application/vnd.plotly.v1+json"})


@require_GET
def laboratory(request: HttpRequest) -> HttpResponse:
    """Show the samples with tests to do, and the measurements that wait for their judgement."""
    site = installation()
    samples = []
    for kind in ("taken", "received"):
        for _, row in site.rows("samples").find(facet=kind, limit=ROWS_MAX):
            open_ones = [
                one
                for one in row.get("tests") or []
                if row["results"].get(one, {}).get("state") != "approved"
            ]
            if open_ones:
                samples.append(row | {"open": open_ones})
    waiting = [row for _, row in site.rows("measurements-waiting").find(limit=ROWS_MAX)]
    samples.sort(key=lambda row: row.get("due") or "9")
    context = {"samples": samples, "waiting": waiting}
    return render(request, "lab/laboratory.html", context)


@require_GET
def measurement(request: HttpRequest, name: str) -> HttpResponse:
    """Show one measurement: what was found, what to look at, and what may be done with it."""
    found = state(Measurement, "measurement", name)
    said = found.fact
    if said is None:
        raise _unknown(name)
    definition = installation().engine.state(Definition, Stream(f"definition/method:{said.method}"))
    is_open = found.status in {MeasurementStatus.WAITING, MeasurementStatus.ACCEPTED}
    context = {
        "measurement": found,
        "said": said,
        "judged": _judged(request, found, definition) if is_open else [],
        "figures": [
            (place, one.title, one.media_type == "image/png")
            for place, one in enumerate(said.figures, start=1)
        ],
        "facts": history("measurement", name),
        "actions": links(request, (REJECT,), {"measurement": name})
        if found.status is MeasurementStatus.WAITING
        else [],
    }
    return render(request, "lab/measurement.html", context)


def _judged(request: HttpRequest, found: Measurement, definition: Definition) -> list[Any]:
    """Give each value that serves a test: whether its method may give the result, and how."""
    said = found.fact
    if said is None:
        return []
    sample = installation().engine.state(Sample, Stream(f"sample/{said.sample}"))
    stages, is_analyst = stages_of(sample), ANALYST in me(request).roles
    method = next((one for one, _ in methods_in_force() if one.heading.id == said.method), None)
    lines = []
    for value in said.values:
        if not value.attribute or value.attribute not in sample.tests or not value.text:
            continue
        stage = stages.get(value.attribute, Stage.RELEASE)
        known = sample.results.get(value.attribute)
        may = method is not None and method.may_judge(value.attribute, stage)
        is_free = known is None or known.is_invalidated
        link = f"/act/accept-measurement?measurement={found.id}&attribute={value.attribute}"
        lines.append(
            {
                "value": value,
                "stage": str(stage),
                "may": may,
                "accepted": found.accepted.get(value.attribute),
                "link": f"{link}&back={request.path}" if may and is_free and is_analyst else "",
                "known": None if is_free else known,
            }
        )
    return lines


@require_GET
def figure(request: HttpRequest, name: str, place: int) -> HttpResponse:
    """Give a figure of a measurement: a picture, or what the page draws."""
    said = state(Measurement, "measurement", name).fact
    if said is None or not 1 <= place <= len(said.figures):
        raise _unknown(f"{name}, figure {place}")
    one = said.figures[place - 1]
    media = one.media_type if one.media_type in FIGURE_MEDIA else "application/octet-stream"
    return HttpResponse(installation().blobs.get(one.digest), content_type=media)


@require_GET
def file(request: HttpRequest, name: str, which: str) -> HttpResponse:
    """Give the instrument's file, or everything that the analysis said, to be kept."""
    said = state(Measurement, "measurement", name).fact
    digest = None if said is None else said.raw_file if which == "raw" else said.details
    if said is None or digest is None:
        raise _unknown(f"{name}, file {which}")
    answer = HttpResponse(installation().blobs.get(digest), content_type="application/octet-stream")
    kept = said.raw_name if which == "raw" else f"{name}.json"
    plain = kept.replace('"', "").replace("\\", "")
    answer["Content-Disposition"] = f'attachment; filename="{plain}"'
    return answer


@require_GET
def methods(request: HttpRequest) -> HttpResponse:
    """Show every method in force: what it is for and how far it is validated."""
    rows = installation().rows("results")
    found = [
        {
            "method": one,
            "version": version,
            "results": rows.count(facet=one.heading.id),
            "purposes": [each.value for each in one.purposes],
            "qualified": [each.value for each in one.qualified_for],
            "attributes": [each.attribute for each in one.measures],
        }
        for one, version in methods_in_force()
    ]
    return render(request, "lab/methods.html", {"methods": found})


@require_GET
def method(request: HttpRequest, name: str) -> HttpResponse:
    """Show one method: its purposes, its validation, its model's card, its trends."""
    found = next((one for one in methods_in_force() if one[0].heading.id == name), None)
    if found is None:
        raise _unknown(f"method {name}")
    defined, version = found
    rows = list(installation().rows("results").find(facet=name, newest_first=True, limit=ROWS_MAX))
    context = {
        "method": defined,
        "version": version,
        "purposes": [one.value for one in defined.purposes],
        "qualified": [one.value for one in defined.qualified_for],
        "card": card_of(defined, _assay_of(defined)),
        "trends": trends_of(name),
        "results": [row for _, row in rows][:40],
        "series": installation().engine.state(ControlSeries, Stream(f"control/{name}")),
        "actions": links(request, (CONTROL,), {"method": name}) if defined.control else [],
    }
    return render(request, "lab/method.html", context)


def _assay_of(method: Method) -> Content | None:
    """Give the content of the assay in force that a method follows; None for none."""
    if not method.assay:
        return None
    stream = Stream(f"definition/assay:{method.assay}")
    version = installation().engine.state(Definition, stream).effective(now())
    return None if version is None else version.content


@require_GET
def controls(request: HttpRequest, name: str) -> HttpResponse:
    """Give the Levey-Jennings figure of a method's controls."""
    series = state(ControlSeries, "control", name)
    return HttpResponse(control_figure(series).to_json(), content_type="application/json")


@require_GET
def references(request: HttpRequest) -> HttpResponse:
    """Show the reference materials: certified values with uncertainty, expiry, what they gate."""
    rows = [row for _, row in installation().rows("references").find(limit=ROWS_MAX)]
    used: dict[str, list[str]] = {}
    for one, _ in methods_in_force():
        if one.control is not None:
            used.setdefault(one.control.reference, []).append(one.heading.id)
    context = {
        "references": [row | {"methods": used.get(row["reference"], [])} for row in rows],
        "actions": links(request, (REGISTER,), {}),
    }
    return render(request, "lab/references.html", context)


@require_GET
def trend(request: HttpRequest, name: str, attribute: str) -> HttpResponse:
    """Give the figure of a method's results of one attribute over time."""
    for one in trends_of(name):
        if one["attribute"] == attribute:
            return HttpResponse(one["figure"].to_json(), content_type="application/json")
    raise _unknown(f"trend of {attribute} by {name}")


@require_GET
@cache_control(max_age=86_400, private=True)
def plotly(request: HttpRequest) -> HttpResponse:
    """Give the script that draws figures, from the package that makes them: no network."""
    from plotly.offline import get_plotlyjs

    return HttpResponse(get_plotlyjs(), content_type="text/javascript; charset=utf-8")


def _unknown(what: str) -> Refused:
    return Refused(
        "subject-unknown",
        what=what[:120],
        found="nothing recorded",
        remedy="choose one from the laboratory's page",
    )


MENU = (
    Place(group="lab", order=10, path="/laboratory", name=gettext_lazy("Laboratory")),
    Place(group="lab", order=20, path="/methods", name=gettext_lazy("Methods")),
    Place(group="lab", order=30, path="/references", name=gettext_lazy("References")),
)
ADDRESSES = [
    path("laboratory", laboratory),
    path("measurements/<str:name>", measurement),
    path("measurements/<str:name>/figure/<int:place>", figure),
    path("measurements/<str:name>/file/<slug:which>", file),
    path("methods", methods),
    path("methods/<slug:name>", method),
    path("methods/<slug:name>/controls", controls),
    path("references", references),
    path("methods/<slug:name>/trend/<slug:attribute>", trend),
    path("plotly.js", plotly),
]
