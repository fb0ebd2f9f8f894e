"""One sample: its tests and what may give each, files of instruments taken in and analysed."""

import tempfile
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from anlage.app import keep_file, measure_request
from anlage.base import Problem, Refused
from anlage.lab.analysis import Intake, examine
from anlage.plant import Sample
from anlage.record import encode
from anlage.web.here import installation, jobs
from anlage.web.pages.jobs.view import shown as shown_job
from anlage.web.reading import me, state

from .offer import file_methods, tests_of

ANALYST = "qc-analyst"
FILES_MAX, ROWS_SHOWN, JOBS_SHOWN = 20, 400, 12
FILE_MAX = 64_000_000


@require_http_methods(["GET", "POST"])
def sample(request: HttpRequest, name: str) -> HttpResponse:
    """Show a sample; take in files of instruments."""
    found = state(Sample, "sample", name)
    return _show(request, found) if request.method == "GET" else _take_in(request, found)


def _take_in(request: HttpRequest, found: Sample) -> HttpResponse:
    """Have pictures and tubes analysed at once, tables after a look at their rows."""
    method = request.POST.get("method", "")
    _must_be_analyst(request)
    problems: list[Problem] = []
    tables: list[dict[str, Any]] = []
    for given in request.FILES.getlist("file")[:FILES_MAX]:
        try:
            intake, digest = keep_file(
                installation(), given.name or "file", given.read(FILE_MAX + 1)
            )
            if intake.media == "table":
                tables.append(_rows(intake, digest))
            else:
                _begin(request, found.id, method, intake, digest)
        except Refused as refusal:
            problems += refusal.problems
    if not request.FILES:
        limit = f"1 to {FILES_MAX} files"
        problems.append(
            Problem(code="upload-empty", what="upload", found="no file", limit=limit,
                    remedy="choose a file")
        )  # fmt: skip
    if tables:
        context = {"sample": found, "tables": tables, "method": method, "problems": problems}
        return render(request, "samples/rows.html", context)
    if problems:
        return _show(request, found, problems=problems)
    return redirect(f"/samples/{found.id}#measured")


@require_POST
def measure(request: HttpRequest, name: str) -> HttpResponse:
    """Have a kept table analysed, after its rows were looked at."""
    found = state(Sample, "sample", name)
    _must_be_analyst(request)
    digest = request.POST.get("digest", "")
    data = installation().blobs.get(digest)
    intake = examine(request.POST.get("name", "file"), data)
    _begin(request, found.id, request.POST.get("method", ""), intake, digest)
    return redirect(f"/samples/{name}#measured")


def _begin(request: HttpRequest, sample: str, method: str, intake: Intake, digest: str) -> None:
    """Put the analysis of a kept file in the queue of jobs."""
    asked = measure_request(installation(), sample=sample, method=method, file=(intake, digest))
    jobs().submit(
        "measure-file",
        {key: encode(getattr(asked, key)) for key in asked.__dataclass_fields__},
        person=me(request).id,
        title=f"{intake.name} by {method}",
        subject=f"sample/{sample}",
    )


def _rows(intake: Intake, digest: str) -> dict[str, Any]:
    """Give what an instrument's table would be read as, row by row, without keeping a thing."""
    from anlage.lab.assay import read_reader_file

    ending = ".csv" if intake.media_type == "text/csv" else ".xlsx"
    with tempfile.TemporaryDirectory(prefix="anlage-") as folder:
        place = Path(folder) / f"rows{ending}"
        place.write_bytes(installation().blobs.get(digest))
        table: dict[str, Any] = {"name": intake.name, "digest": digest, "rows": [], "problems": ()}
        try:
            read = read_reader_file(place)
        except Refused as refusal:
            return table | {"problems": refusal.problems}
    values: dict[int, list[str]] = {}
    for one in read.readings:
        text = one.text if one.value is None else f"{one.value.normalize():f}"
        unit = "" if one.unit == "1" else f" {one.unit}"
        values.setdefault(one.line, []).append(
            f"{one.measure.replace('_', ' ')} {one.qualifier}{text}{unit}"
        )
    return table | {
        "dialect": read.dialect,
        "accepted": read.accepted,
        "total": len(read.rows),
        "rows": [
            {"line": row.line, "what": row.what, "is_accepted": row.is_accepted,
             "reason": row.reason, "values": values.get(row.line, [])[:6]}
            for row in read.rows[:ROWS_SHOWN]
        ],
    }  # fmt: skip


def _show(request: HttpRequest, found: Sample, *, problems: Any = ()) -> HttpResponse:
    rows = installation().rows("measurements").find(facet=found.id, newest_first=True)
    subject = f"sample/{found.id}"
    mine = [shown_job(one) for one in jobs().own(me(request).id, subject=subject, limit=JOBS_SHOWN)]
    is_analyst = ANALYST in me(request).roles
    context = {
        "sample": found,
        "tests": tests_of(found, is_analyst=is_analyst, back=f"/samples/{found.id}"),
        "methods": file_methods(),
        "is_analyst": is_analyst,
        "is_here": found.status == "received",
        "measurements": [row for _, row in rows],
        "jobs": [one for one in mine if not one["is_over"] or one["style"]],
        "problems": problems,
    }
    return render(request, "samples/sample.html", context, status=409 if problems else 200)


def _must_be_analyst(request: HttpRequest) -> None:
    person = me(request)
    if ANALYST not in person.roles:
        raise Refused(
            "operator-unqualified",
            what=f"{person.id} at the bench",
            found=", ".join(sorted(person.roles)) or "no role",
            limit=ANALYST,
            remedy="ask an analyst",
            rule="21 CFR 211.25",
        )


ADDRESSES = [
    path("samples/<str:name>", sample),
    path("samples/<str:name>/measure", measure),
]
