"""Runs of networks as jobs: putting one in, its progress, its result in figures, its report."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from anlage.app import drawings_of, key_figures, network_report, side_by_side
from anlage.base import Refused
from anlage.store.desk.models import JobRow
from anlage.web.here import installation, jobs
from anlage.web.pages.jobs.view import shown
from anlage.web.reading import local, person_name

QUICK = 10
WORDS = {
    "simulate-network": "Simulation",
    "rank-bottlenecks": "Bottlenecks",
    "optimise-network": "Cheapest design",
    "compare-networks": "Comparison",
}


@require_GET
def result(request: HttpRequest, id: str) -> HttpResponse:
    """Show a run: its progress while it goes, what it found when it is done."""
    row = _run(request, id)
    found = jobs().result(id, person=_person(request)) if row.state == "done" else None
    context: dict[str, Any] = {"job": shown(row), "problems_of_job": row.problems}
    if found is not None:
        context |= _found(row, found)
    return render(request, "networks/run.html", context)


@require_GET
def brief(request: HttpRequest, id: str) -> HttpResponse:
    """Give the key figures of a simulation as JSON, for the editor's quick answer."""
    row = _run(request, id)
    data: dict[str, Any] = {"state": row.state, "words": row.words, "problems": row.problems}
    if row.state == "done":
        found = jobs().result(id, person=_person(request))
        data["rows"] = key_figures(found) if row.name == "simulate-network" else []
        data["seconds"] = found.get("seconds")
        data["replications"] = found.get("replications")
    return JsonResponse(data)


@require_GET
def report(request: HttpRequest, id: str) -> HttpResponse:
    """Give the report of a run as PDF."""
    row = _run(request, id)
    found = jobs().result(id, person=_person(request))
    made = f"Run {row.id}, {local(row.ended) if row.ended else ''}, {person_name(row.person)}."
    printed = network_report(
        row.name,
        found,
        network=_texts(row)[0],
        made=made,
        site=installation().journal.opened.site_name,
    )
    answer = HttpResponse(printed, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{row.name}-{row.id}.pdf"'
    return answer


def submit(
    request: HttpRequest,
    what: str,
    text: str,
    *,
    title: str,
    subject: str,
    terms: Mapping[str, Any] | None = None,
    is_followed: bool = True,
) -> JobRow:
    """Put a run of one network in the queue.

    Raises:
        Refused: As `Jobs.submit` says it, or `request-malformed`.
    """
    if what not in WORDS or what == "compare-networks":
        raise Refused(
            "request-malformed",
            what=f"run {what[:40]!r}",
            limit=", ".join(WORDS),
            remedy="choose one of these",
        )
    arguments: dict[str, Any] = {"network": text}
    if what != "optimise-network":
        arguments["terms"] = dict(terms) if terms is not None else terms_of(request)
    if what == "simulate-network":
        arguments["is_followed"] = is_followed
    named = f"{WORDS[what]}: {title}" if is_followed else title
    return jobs().submit(
        what, arguments, person=_person(request), title=named[:160], subject=subject
    )


def submit_comparison(request: HttpRequest, names: Sequence[str], texts: Sequence[str]) -> JobRow:
    """Put a comparison in the queue."""
    arguments = {"networks": list(texts), "names": list(names), "terms": terms_of(request)}
    title = f"Comparison: {', '.join(names)}"[:160]
    return jobs().submit("compare-networks", arguments, person=_person(request), title=title)


def terms_of(request: HttpRequest) -> dict[str, Any]:
    """Give how a network is to be run, from the fields that were filled in.

    Raises:
        Refused: `request-malformed`: no whole number where one belongs.
    """
    terms: dict[str, Any] = {}
    for name in ("years", "warmup"):
        if text := request.POST.get(name, "").strip():
            terms[name] = text
    for name in ("replications", "seed"):
        if text := request.POST.get(name, "").strip():
            if not text.isdecimal() or len(text) > 15:
                raise Refused(
                    "request-malformed",
                    what=name,
                    found=text[:40],
                    limit="a whole number",
                    remedy="write digits alone, or leave it empty",
                )
            terms[name] = int(text)
    return terms


def _found(row: JobRow, found: dict[str, Any]) -> dict[str, Any]:
    """Give what a run found as the page shows it."""
    context: dict[str, Any] = {
        "drawings": [
            {
                "name": f"{one.name}-{place}",
                "title": one.title,
                "told": one.told,
                "json": one.as_json(),
                "is_moving": bool(one.frames),
                "is_wide": one.name in {"day", "map"},
            }
            for place, one in enumerate(drawings_of(row.name, found, network=_texts(row)[0]))
        ],
        "stopped": found.get("problems", ()),
        "has_report": row.name != "optimise-network",
    }
    if row.name == "simulate-network":
        context["figures"] = key_figures(found)
        context["run_words"] = (
            f"{found['replications']} runs of {found['years']:g} years, the first"
            f" {found['warmup_years']:g} not measured, seed {found['seed']};"
            f" {found['events']:,} events in {found['seconds']:.2f} s"
        )
    elif row.name == "compare-networks":
        context["table"] = side_by_side(found)
    elif row.name == "optimise-network":
        context["design"] = found
    return context


def _run(request: HttpRequest, id: str) -> JobRow:
    """Give a job that is a run of networks.

    Raises:
        Refused: `job-unknown`.
    """
    row = jobs().get(id, person=_person(request))
    if row.name not in WORDS:
        raise Refused(
            "job-unknown", what=f"run {id[:40]}", found=row.name, remedy="look in the list of jobs"
        )
    return row


def _texts(row: JobRow) -> list[str]:
    """Give the texts of the networks that were run; none for a design file."""
    from anlage.network.optimise import is_design

    texts = row.arguments.get("networks") or [row.arguments.get("network", "")]
    return ["" if is_design(one) else one for one in texts]


def _person(request: HttpRequest) -> str:
    user: Any = request.user  # type: ignore[attr-defined]
    return str(user.person)
