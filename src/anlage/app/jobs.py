"""Jobs: work that takes longer than a page may, done in processes of its own.

A kind of job is a function bound by `@job` in a module of `app/work`; `Jobs` takes jobs in, shows
and cancels them; `job_runner.py` hands them to worker processes. A job is a plain row of the desk:
nothing rests on it. What a job writes to the record goes through the command engine, in the name
of the person who asked for it.
"""

import importlib
import inspect
import pkgutil
import secrets
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from anlage.base import Broken, Refused
from anlage.library import Person, stream_of_person
from anlage.record import rebuild

from .shape import must_be_legible, must_fit

if TYPE_CHECKING:
    from anlage.store.desk.models import JobRow

    from .installation import Installation

WAITING_MAX = 50
WAITING_OF_ONE_MAX = 10
ARGUMENTS_MAX = 4_000_000
SECONDS_MAX = 900.0
TITLE_MAX = 160
ALL_SEEN_BY = "administrator"


class Cancelled(BaseException):
    """The person no longer wants this job; not an `Exception`, so that nothing swallows it."""


class Work(Protocol):
    """What a job's function works with, inside the worker."""

    def tell(self, fraction: float, words: str = "") -> None:
        """Say how far the job is, 0 to 1, and what it does.

        Raises:
            Cancelled: The job was cancelled; let it pass.
        """
        ...

    def keep(self, name: str, data: bytes) -> str:
        """Keep a file as a result of the job, under a plain name; gives its SHA-256."""
        ...

    def read(self, digest: str) -> bytes:
        """Give a file that is kept under its SHA-256."""
        ...

    def do(self, command: str, values: Mapping[str, Any]) -> list[str]:
        """Do a command in the person's name; gives the streams that facts were added to.

        Raises:
            Refused: As the command says it.
        """
        ...


Handler = Callable[[Work, Any], Mapping[str, Any]]
H = typing.TypeVar("H", bound=Callable[..., Mapping[str, Any]])


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """A kind of job.

    Attributes:
        name: By which it is asked for, in kebab-case.
        request: The class of its arguments.
        handler: Does it; called in a worker process.
        roles: Who may ask for it: any of these; empty for everybody who works here.
        seconds_max: Time after which it is stopped.
        page: Where its result is shown, with `{id}`; empty for the page of the job.
        ready: Loads what the handler needs, in a worker, before it is needed; None for nothing.
    """

    name: str
    request: type
    handler: Handler
    roles: tuple[str, ...]
    seconds_max: float
    page: str
    ready: Callable[[], None] | None

    @property
    def about(self) -> str:
        """What it does, in a sentence."""
        return (inspect.getdoc(self.handler) or self.name).split("\n")[0]


_KINDS: dict[str, JobKind] = {}


def job(
    name: str,
    *,
    roles: tuple[str, ...] = (),
    seconds_max: float = SECONDS_MAX,
    page: str = "",
    ready: Callable[[], None] | None = None,
) -> Callable[[H], H]:
    """Bind a function as a kind of job; the class of its second parameter is that of the
    arguments.
    """

    def bind(handler: H) -> H:
        parameters = list(inspect.signature(handler).parameters)
        request = typing.get_type_hints(handler)[parameters[1]]
        if name in _KINDS and _KINDS[name].request is not request:
            raise ValueError(f"job {name} is bound twice")
        _KINDS[name] = JobKind(
            name=name,
            request=request,
            handler=handler,
            roles=roles,
            seconds_max=seconds_max,
            page=page,
            ready=ready,
        )
        return handler

    return bind


def job_kinds() -> Mapping[str, JobKind]:
    """Give every kind of job by its name."""
    from . import work

    for module in pkgutil.iter_modules(work.__path__):
        importlib.import_module(f"{work.__name__}.{module.name}")
    return dict(sorted(_KINDS.items()))


def job_request(name: str, arguments: object) -> tuple[JobKind, Any]:
    """Give the kind of a job and its request, built from JSON arguments.

    Raises:
        Refused: `job-unknown-kind`, `request-malformed`, or as the request's class says it.
    """
    kind = job_kinds().get(name)
    if kind is None:
        raise Refused(
            "job-unknown-kind",
            what=f"job {name[:60]!r}",
            limit=", ".join(_KINDS),
            remedy="correct the name",
        )
    where = f"job {name}"
    must_fit(kind.request, arguments, where)
    try:
        return kind, rebuild(kind.request, typing.cast("dict[str, Any]", arguments))
    except Broken as error:
        if isinstance(error.__cause__, Refused):
            raise error.__cause__ from None
        raise _malformed(where, str(error)[:300], "the job's fields, each of its type") from error


class Jobs:
    """The jobs of an installation: taken in, looked at, cancelled, each in a person's name."""

    def __init__(self, installation: "Installation") -> None:
        """Use the desk of this installation, which must be prepared."""
        self._site = installation
        self._blobs = installation.blobs

    def submit(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        person: str,
        title: str = "",
        subject: str = "",
    ) -> "JobRow":
        """Put a job in the queue.

        Args:
            name: Its kind.
            arguments: The fields of its request, as JSON values.
            person: Who asks; the job may do what this person may.
            title: What it is, for lists; the kind's own words when empty.
            subject: What it is about, to be found by: `network/central`.

        Raises:
            Refused: `job-unknown-kind`, `request-malformed`, `job-not-allowed`,
                `job-queue-full`, or as the request's class says it.
        """
        from anlage.store.desk.models import Job

        must_be_legible(title, "title of the job", limit=TITLE_MAX)
        must_be_legible(subject, "subject of the job", limit=TITLE_MAX)
        kind, _ = job_request(name, arguments)
        kept = orjson.dumps(dict(arguments))
        if len(kept) > ARGUMENTS_MAX:
            found, limit = f"{len(kept):,} bytes", f"{ARGUMENTS_MAX:,} bytes"
            raise _malformed(f"arguments of job {name}", found, limit)
        must_be_allowed(self._site, kind, person)
        waiting = Job.waiting_by_person()
        if sum(waiting.values()) >= WAITING_MAX or waiting.get(person, 0) >= WAITING_OF_ONE_MAX:
            raise Refused(
                "job-queue-full",
                what=f"job {name}",
                found=f"{waiting.get(person, 0)} of yours wait, {sum(waiting.values())} in all",
                limit=f"{WAITING_OF_ONE_MAX} of one person, {WAITING_MAX} in all",
                remedy="wait until one has ended, or cancel one",
            )
        row = Job.put(
            id=secrets.token_hex(8),
            name=name,
            person=person,
            arguments=kept.decode(),
            title=title or kind.about,
            subject=subject,
        )
        if self._site.runner is not None:
            self._site.runner.wake()
        return row

    def expect(self, name: str) -> None:
        """Say that a job of a kind is likely soon, so that a worker gets ready for it."""
        if self._site.runner is not None:
            self._site.runner.expect(name)

    def get(self, id: str, *, person: str) -> "JobRow":
        """Give a job that this person may see: an own one, or any to an administrator.

        Raises:
            Refused: `job-unknown`.
        """
        from anlage.store.desk.models import Job

        found = Job.find(id)
        if found is None or not (found.person == person or self._sees_all(person)):
            raise Refused(
                "job-unknown",
                what=f"job {id[:40]!r}",
                found="no such job of yours",
                remedy="look in the list of jobs",
            )
        return found

    def own(self, person: str, *, subject: str = "", limit: int = 100) -> "list[JobRow]":
        """Give a person's jobs, newest first; about one subject when it is named."""
        from anlage.store.desk.models import Job

        return Job.of(person, subject=subject, limit=limit)

    def cancel(self, id: str, *, person: str) -> "JobRow":
        """Cancel a job: a waiting one at once, a running one as soon as it looks up.

        Raises:
            Refused: `job-unknown`, or `job-ended`.
        """
        from anlage.store.desk.models import Job

        found = self.get(id, person=person)
        if not Job.ask_cancel(id):
            raise Refused(
                "job-ended",
                what=f"job {found.title}",
                found=str(found.state),
                limit="a job that waits or runs",
                remedy="nothing is left to cancel",
            )
        return self.get(id, person=person)

    def again(self, id: str, *, person: str) -> "JobRow":
        """Put the same job in the queue once more, in the name of who asks.

        Raises:
            Refused: As `get` and `submit` say it.
        """
        old = self.get(id, person=person)
        return self.submit(
            old.name, old.arguments, person=person, title=old.title, subject=old.subject
        )

    def result(self, id: str, *, person: str) -> dict[str, Any]:
        """Give what a job that is done found, as JSON.

        Raises:
            Refused: `job-unknown`, or `job-not-done`.
        """
        found = self.get(id, person=person)
        if found.result_file is None:
            raise Refused(
                "job-not-done",
                what=f"result of job {found.title}",
                found=str(found.state),
                limit="a job that is done",
                remedy="wait for it, or run it again",
            )
        return dict(orjson.loads(self._blobs.get(found.result_file)))

    def _sees_all(self, person: str) -> bool:
        state = self._site.engine.state(Person, stream_of_person(person))
        return state.is_active and ALL_SEEN_BY in state.roles


def must_be_allowed(installation: "Installation", kind: JobKind, person: str) -> None:
    """See that a person works here and holds one of the roles that a kind of job asks for.

    Raises:
        Refused: `job-not-allowed`.
    """
    state = installation.engine.state(Person, stream_of_person(person))
    if state.is_active and (not kind.roles or state.roles & set(kind.roles)):
        return
    held = ", ".join(sorted(state.roles)) or "no role"
    raise Refused(
        "job-not-allowed",
        what=f"job {kind.name} by {person}",
        found=held if state.is_active else "does not work here",
        limit="the role " + " or ".join(kind.roles) if kind.roles else "a person who works here",
        remedy="ask somebody in that role, or have the role granted",
        rule="21 CFR 11.10(d)",
    )


def _malformed(where: str, found: str, limit: str) -> Refused:
    return Refused(
        "request-malformed", what=where, found=found, limit=limit, remedy="correct the request"
    )
