"""One's own jobs: how far each is, how it ended, its files; cancel it, or run it again."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from anlage.app import job_kinds
from anlage.base import Refused
from anlage.store.desk.models import JobRow
from anlage.web.here import installation, jobs
from anlage.web.menu import Place

ROWS_MAX = 200
STYLES = {"refused": "alarm", "failed": "alarm", "interrupted": "warn"}


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show one's own jobs, newest first."""
    found = [shown(one) for one in jobs().own(_person(request), limit=ROWS_MAX)]
    context = {"jobs": found, "workers": installation().settings.job_workers}
    return render(request, "jobs/index.html", context)


@require_GET
def one_job(request: HttpRequest, id: str) -> HttpResponse:
    """Show one job: with what it was asked, how it goes, what it found."""
    found = jobs().get(id, person=_person(request))
    arguments = {
        name: value if len(str(value)) < 400 else f"{str(value)[:400]} …"
        for name, value in found.arguments.items()
    }
    context = {"job": shown(found), "arguments": arguments, "problems_of_job": found.problems}
    return render(request, "jobs/job.html", context)


@require_POST
def cancel(request: HttpRequest, id: str) -> HttpResponse:
    """Cancel a job that waits or runs."""
    jobs().cancel(id, person=_person(request))
    return redirect(f"/jobs/{id}")


@require_POST
def again(request: HttpRequest, id: str) -> HttpResponse:
    """Run a job that has ended once more."""
    return redirect(f"/jobs/{jobs().again(id, person=_person(request)).id}")


@require_GET
def file(request: HttpRequest, id: str, name: str) -> HttpResponse:
    """Give a file that a job made, to be kept on the person's own machine."""
    found = jobs().get(id, person=_person(request))
    if name == "result.json" and found.result_file:
        return _download(installation().blobs.get(found.result_file), f"{found.name}-{id}.json")
    if name not in found.files:
        raise Refused(
            "file-missing",
            what=f"file {name[:60]} of job {found.title}",
            found=", ".join(found.files) or "no files",
            remedy="choose one of its files",
        )
    return _download(installation().blobs.get(found.files[name]), name)


def shown(row: JobRow) -> dict[str, Any]:
    """Give a job as pages show it."""
    kind = job_kinds().get(row.name)
    began = row.started or row.ended
    is_done = row.state == "done"
    return {
        "row": row,
        "style": STYLES.get(row.state, ""),
        "percent": round(100 * row.fraction),
        "took": _span(row.ended - began) if row.ended and began else "",
        "result": kind.page.format(id=row.id) if kind and kind.page and is_done else "",
        "is_running": row.state == "running",
        "is_over": row.state.is_over,
    }


def _span(took: timedelta) -> str:
    seconds = took.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _person(request: HttpRequest) -> str:
    user: Any = request.user  # type: ignore[attr-defined]
    return str(user.person)


def _download(data: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(data, content_type="application/octet-stream")
    quoted = name.replace('"', "")
    answer["Content-Disposition"] = f'attachment; filename="{quoted}"'
    return answer


MENU = (Place(group="record", order=30, path="/jobs", name=gettext_lazy("Jobs")),)
ADDRESSES = [
    path("jobs", index),
    path("jobs/<str:id>", one_job),
    path("jobs/<str:id>/cancel", cancel),
    path("jobs/<str:id>/again", again),
    path("jobs/<str:id>/files/<str:name>", file),
]
