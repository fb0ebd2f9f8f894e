"""`anlage jobs`: long work done beside the pages: look at it, cancel it, put it in, do it."""

import argparse
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Refused

from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.app import Jobs
    from anlage.store.desk.models import JobRow

LOOK_SECONDS = 0.2


def register(group: Group) -> None:
    """Add the commands of the group."""
    from .acting import ask_person

    listing = group.command("list", _list, help="the person's jobs, newest first")
    ask_person(listing)
    for name, run, words in (
        ("show", _show, "one job: how far it is, how it ended"),
        ("result", _result, "what a job that is done found, as JSON"),
        ("cancel", _cancel, "cancel a job that waits or runs"),
    ):
        command = group.command(name, run, help=words)
        command.add_argument("id", metavar="ID", help="the job, as `anlage jobs list` names it")
        ask_person(command)
    command = group.command("submit", _submit, help="put a job in the queue")
    command.add_argument("name", metavar="NAME", help="its kind; `anlage jobs kinds` lists them")
    command.add_argument("arguments", type=Path, metavar="FILE", help="its arguments, as JSON")
    command.add_argument("--title", default="", help="what it is, for lists")
    ask_person(command)
    group.command("kinds", _kinds, help="what kinds of job there are")
    group.command("work", _work, help="do what waits, here; for when no server runs")


def _list(options: argparse.Namespace) -> Answer:
    with _jobs(options) as (jobs, person):
        rows = [_row(one) for one in jobs.own(person)]
    lines = [
        f"{row['id']}  {row['state']:<12}{row['fraction']:>5.0%}  {row['title']}" for row in rows
    ]
    return Answer({"jobs": rows}, "\n".join(lines) or "no jobs")


def _show(options: argparse.Namespace) -> Answer:
    with _jobs(options) as (jobs, person):
        return Answer({"job": _row(jobs.get(options.id, person=person))})


def _result(options: argparse.Namespace) -> Answer:
    with _jobs(options) as (jobs, person):
        return Answer(jobs.result(options.id, person=person))


def _cancel(options: argparse.Namespace) -> Answer:
    with _jobs(options) as (jobs, person):
        return Answer({"job": _row(jobs.cancel(options.id, person=person))})


def _submit(options: argparse.Namespace) -> Answer:
    try:
        arguments = json.loads(options.arguments.read_bytes())
    except (OSError, ValueError) as error:
        raise Refused(
            "request-malformed",
            what=f"arguments in {options.arguments}",
            found=str(error)[:200],
            limit="a file with one JSON object",
            remedy="correct the file",
        ) from error
    with _jobs(options) as (jobs, person):
        row = jobs.submit(options.name, arguments, person=person, title=options.title)
        return Answer({"job": _row(row)}, row.id)


def _kinds(options: argparse.Namespace) -> Answer:
    del options
    from anlage.app import job_kinds

    kinds = {
        name: {
            "about": kind.about,
            "arguments": list(kind.request.__dataclass_fields__),  # type: ignore[attr-defined]
            "roles": list(kind.roles),
            "seconds_max": kind.seconds_max,
        }
        for name, kind in job_kinds().items()
    }
    lines = [f"{name:<20}{one['about']}" for name, one in kinds.items()]
    return Answer({"kinds": kinds}, "\n".join(lines))


def _work(options: argparse.Namespace) -> Answer:
    from anlage.app import Runner, opened, prepare_desk, settings

    prepare_desk(settings(options.data))
    from anlage.store.desk.models import Job

    ended: dict[str, str] = {}
    with opened(options.data, may_be_beside=False) as installation:
        runner = Runner(installation)
        runner.listen(lambda _, seen: ended.update({seen["id"]: seen["state"]}))
        runner.start()
        try:
            while Job.open_count():
                time.sleep(LOOK_SECONDS)
        finally:
            runner.close()
    lines = [f"{id}  {state}" for id, state in ended.items()]
    return Answer({"jobs": ended}, "\n".join(lines) or "nothing waited")


@contextlib.contextmanager
def _jobs(options: argparse.Namespace) -> "Iterator[tuple[Jobs, str]]":
    """Give the jobs and the person who asks."""
    from anlage.app import Jobs, opened, prepare_desk, settings

    from .acting import Acting

    prepare_desk(settings(options.data))
    with opened(options.data) as installation:
        yield Jobs(installation), Acting(options, installation).person


def _row(row: "JobRow") -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "title": row.title,
        "person": row.person,
        "state": str(row.state),
        "fraction": row.fraction,
        "words": row.words,
        "problems": row.problems,
        "files": row.files,
        "submitted": row.submitted.isoformat(),
        "ended": None if row.ended is None else row.ended.isoformat(),
    }
