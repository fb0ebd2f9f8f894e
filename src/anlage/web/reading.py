"""What pages read with: states and their histories, names of people, the roles of who is asking."""

from datetime import timedelta
from typing import Any, TypeVar

from django.http import HttpRequest

from anlage.app import sentence
from anlage.base import Instant, Refused, instant
from anlage.library import Person
from anlage.record import Recorded, Stream

from .here import installation

S = TypeVar("S")
STATES_MAX = 5000
LATE_SECONDS = 300
SOON = timedelta(days=30)


def now() -> Instant:
    """Give the plant's time."""
    return installation().clock.now()


def state(cls: type[S], family: str, name: str) -> S:
    """Give the state of a thing.

    Raises:
        Refused: `subject-unknown`: nothing is recorded about it.
    """
    stream = Stream(f"{family}/{name}")
    version, value = installation().engine.load(cls, stream)
    if version == 0:
        raise Refused(
            "subject-unknown",
            what=f"{family} {name}",
            found="nothing recorded",
            remedy="check the number, or scan again",
        )
    return value


def states(cls: type[S], family: str) -> list[S]:
    """Give the state of everything of a family, in order of name."""
    site = installation()
    return [site.engine.state(cls, one) for one in site.journal.streams(family)[:STATES_MAX]]


def history(family: str, name: str) -> list[dict[str, Any]]:
    """Give what happened to a thing, newest first, as sentences with their facts."""
    facts = installation().journal.read_stream(Stream(f"{family}/{name}"))
    return [line(one) for one in reversed(facts)]


def line(one: Recorded) -> dict[str, Any]:
    """Give one fact as pages show it: the sentence first, the rest on demand."""
    return {
        "number": one.number,
        "stream": one.stream,
        "version": one.version,
        "happened": one.happened_text,
        "recorded": one.recorded_text,
        "person": one.by.person or one.by.device or one.by.via,
        "via": one.by.via,
        "sentence": sentence(one),
        "why": one.why,
        "body": one.body,
        "relied": one.relied,
        "hash": one.hash.hex(),
        "is_late": (one.recorded - one.happened).total_seconds() > LATE_SECONDS,
    }


def me(request: HttpRequest) -> Person:
    """Give the person who is logged in."""
    user: Any = request.user  # type: ignore[attr-defined]
    return installation().engine.state(Person, Stream(f"person/{user.person}"))


def nearness(moment: str | Instant | None, soon: timedelta = SOON) -> str:
    """Say how near an end is: "alarm" when past, "warn" when soon, else nothing."""
    if moment is None:
        return ""
    end = instant(moment) if isinstance(moment, str) else moment
    if end <= now():
        return "alarm"
    return "warn" if end <= now() + soon else ""
