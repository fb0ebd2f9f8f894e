"""Accounts, tokens of interfaces, jobs. A person is facts; the account is only how the person gets
in. A job is a row: what waits, runs or has ended.
"""

import hashlib
import json
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone


class AccountManager(BaseUserManager["Account"]):
    """Makes accounts."""

    def create_account(self, login: str, person: str, password: str) -> "Account":
        """Make the account of a person; one person has one account, for ever (21 CFR 11.100)."""
        account: Account = self.model(login=login, person=person)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser):
    """How a person gets in: login name and password hash.

    Attributes:
        login: What is typed; unique, never reused.
        person: Identifier of the person whose facts decide what may be done.
        failures: Failed logins since the last good one.
        locked_until: No login before this instant.
        version: Raised when roles or state change, so that other sessions look again.
    """

    login = models.CharField(max_length=80, unique=True)
    person = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)
    theme = models.CharField(max_length=8, default="auto")

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["person"]

    objects = AccountManager()

    class Meta:
        """One table."""

        db_table = "account"


class Token(models.Model):
    """A token of an interface; only its digest is kept."""

    name = models.CharField(max_length=80)
    person = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        """One table."""

        db_table = "token"

    @classmethod
    def make(cls, name: str, person: str) -> str:
        """Make a token and give its text; it is shown once."""
        text = f"anlage_{secrets.token_urlsafe(32)}"
        cls.objects.create(name=name, person=person, digest=token_digest(text))
        return text

    @classmethod
    def holder(cls, text: str) -> tuple[str, Account] | None:
        """Give the name of a token and the account it stands for; None when either is closed.

        One plain query: it stands before every request of a program.
        """
        found = Account.objects.raw(
            "SELECT account.*, token.name AS door FROM token"
            " JOIN account ON account.person = token.person"
            " WHERE token.digest = %s AND token.is_active AND account.is_active",
            [token_digest(text)],
        )
        return next(((one.door, one) for one in found), None)


def token_digest(text: str) -> str:
    """Give the digest under which a token is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self not in {JobState.WAITING, JobState.RUNNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as others see it.

    Attributes:
        id: Not to be guessed.
        name: Its kind.
        person: Who asked for it.
        title: What it is, in words.
        subject: What it is about; empty for nothing in particular.
        arguments: What it was asked with.
        state: Where it stands.
        fraction: How far it is, 0 to 1.
        words: What it does, or how it ended.
        problems: Why it was refused or failed, in the one problem shape.
        result_file: SHA-256 of what it found, as JSON; None until it is done.
        files: SHA-256 of each file that it made, by name.
        submitted, started, ended: By the machine's clock.
        is_cancel_asked: Whether it is to stop.
    """

    id: str
    name: str
    person: str
    title: str
    subject: str
    arguments: dict[str, Any]
    state: JobState
    fraction: float
    words: str
    problems: list[dict[str, Any]]
    result_file: str | None
    files: dict[str, str]
    submitted: datetime
    started: datetime | None
    ended: datetime | None
    is_cancel_asked: bool


class Job(models.Model):
    """The queue of jobs and their history; only `JobRow` leaves this class."""

    id = models.CharField(max_length=16, primary_key=True)
    name = models.CharField(max_length=80)
    person = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    subject = models.CharField(max_length=200, blank=True, default="")
    arguments = models.TextField()
    state = models.CharField(max_length=12, default=JobState.WAITING, db_index=True)
    fraction = models.FloatField(default=0.0)
    words = models.TextField(default="")
    problems = models.TextField(default="[]")
    result_file = models.CharField(max_length=64, null=True)
    files = models.TextField(default="{}")
    submitted = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    is_cancel_asked = models.BooleanField(default=False)

    class Meta:
        """One table; a person's own jobs are looked for most."""

        db_table = "job"
        indexes: ClassVar = [models.Index(fields=["person", "-submitted"], name="job_of_person")]

    @classmethod
    def put(cls, **values: str) -> JobRow:
        """Add a job that waits."""
        made: Job = cls.objects.create(**values)
        return made._row()

    @classmethod
    def find(cls, id: str) -> JobRow | None:
        """Give a job."""
        found = cls.objects.filter(pk=id).first()
        return None if found is None else found._row()

    @classmethod
    def of(cls, person: str, *, subject: str = "", limit: int = 100) -> list[JobRow]:
        """Give a person's jobs, newest first."""
        found = cls.objects.filter(person=person, **({"subject": subject} if subject else {}))
        return [one._row() for one in found.order_by("-submitted", "-id")[:limit]]

    @classmethod
    def waiting_by_person(cls) -> dict[str, int]:
        """Give how many jobs of each person wait."""
        return Counter(cls.objects.filter(state=JobState.WAITING).values_list("person", flat=True))

    @classmethod
    def open_count(cls) -> int:
        """Give how many jobs wait or run."""
        return int(cls.objects.filter(state__in=[JobState.WAITING, JobState.RUNNING]).count())

    @classmethod
    def claim(cls) -> JobRow | None:
        """Begin the next job: of who has the fewest running, the one that waits longest."""
        running = Counter(
            cls.objects.filter(state=JobState.RUNNING).values_list("person", flat=True)
        )
        waiting = cls.objects.filter(state=JobState.WAITING).order_by("submitted", "id")
        for one in sorted(waiting.only("pk", "person"), key=lambda one: running[one.person]):
            taken = cls.objects.filter(pk=one.pk, state=JobState.WAITING).update(
                state=JobState.RUNNING, started=timezone.now()
            )
            if taken:
                return cls.find(one.pk)
        return None

    @classmethod
    def ask_cancel(cls, id: str) -> bool:
        """End a waiting job, or mark a running one to be stopped; False when it has ended."""
        ended = cls.objects.filter(pk=id, state=JobState.WAITING).update(
            state=JobState.CANCELLED,
            is_cancel_asked=True,
            words="cancelled before it began",
            ended=timezone.now(),
        )
        running = cls.objects.filter(pk=id, state=JobState.RUNNING)
        return bool(ended or running.update(is_cancel_asked=True))

    @classmethod
    def is_to_stop(cls, id: str) -> bool:
        """Tell whether a running job is to be stopped."""
        return bool(cls.objects.filter(pk=id, is_cancel_asked=True).exists())

    @classmethod
    def tell(cls, id: str, fraction: float, words: str) -> None:
        """Note how far a running job is."""
        cls.objects.filter(pk=id, state=JobState.RUNNING).update(fraction=fraction, words=words)

    @classmethod
    def end(
        cls,
        id: str,
        state: JobState,
        *,
        words: str,
        problems: Any = (),
        result_file: str | None = None,
        files: Any = (),
    ) -> None:
        """End a running job."""
        values: dict[str, Any] = {"fraction": 1.0} if state is JobState.DONE else {}
        cls.objects.filter(pk=id, state=JobState.RUNNING).update(
            state=state,
            words=words,
            problems=json.dumps(list(problems)),
            result_file=result_file,
            files=json.dumps(dict(files)),
            ended=timezone.now(),
            **values,
        )

    @classmethod
    def interrupt_orphans(cls) -> int:
        """End what runs although nobody runs it; gives how many there were."""
        return int(
            cls.objects.filter(state=JobState.RUNNING).update(
                state=JobState.INTERRUPTED,
                words="the server stopped while the job ran; run it again",
                ended=timezone.now(),
            )
        )

    def _row(self) -> JobRow:
        return JobRow(
            id=self.id,
            name=self.name,
            person=self.person,
            title=self.title,
            subject=self.subject,
            arguments=json.loads(self.arguments),
            state=JobState(self.state),
            fraction=self.fraction,
            words=self.words,
            problems=json.loads(self.problems),
            result_file=self.result_file,
            files=json.loads(self.files),
            submitted=self.submitted,
            started=self.started,
            ended=self.ended,
            is_cancel_asked=self.is_cancel_asked,
        )
