"""What pages read with: states and their histories, names of people, the roles of who is asking."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from anlage.app import told
from anlage.base import Instant, Refused, instant
from anlage.library import Person
from anlage.record import Recorded, Stream, World

from .here import installation

S = TypeVar("S")
STATES_MAX = 5000
LINES_MAX = 100
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


class Lines(list[dict[str, Any]]):
    """Facts as pages show them, newest first.

    Attributes:
        older: The address of those before them; None when these go back to the first.
        all: How many facts the stream has.
    """

    older: str | None = None
    all: int = 0


def history(family: str, name: str, *, before: int | None = None, most: int = LINES_MAX) -> Lines:
    """Give what happened to a thing, newest first, as sentences with their facts.

    Args:
        family: The kind of thing.
        name: Its identifier.
        before: Only what lies before this version of its stream.
        most: How many facts at the most; the rest stands behind `older`.
    """
    stream, journal = Stream(f"{family}/{name}"), installation().journal
    end = journal.head(stream).version
    last = end if before is None else max(0, min(before - 1, end))
    facts = journal.read_stream(stream, max(0, last - most), last)
    known = names()
    found = Lines(line(one, known) for one in reversed(facts))
    found.all = end
    if last > most:
        found.older = f"/record/{stream}?before={last - most + 1}"
    return found


def line(one: Recorded, known: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Give one fact as pages show it: the sentence first, the rest on demand."""
    return {
        "number": one.number,
        "stream": one.stream,
        "kind": one.kind,
        "version": one.version,
        "happened": one.happened_text,
        "recorded": one.recorded_text,
        "person": one.by.person or one.by.device or one.by.via,
        "via": one.by.via,
        "sentence": _told(one, names() if known is None else known),
        "why": one.why,
        "body": one.body,
        "relied": one.relied,
        "hash": one.hash.hex(),
        "is_late": _is_late(one),
    }


def person_name(person: str) -> str:
    """Give the printed name of a person; the identifier where nobody is known by it."""
    row = installation().rows("people").get(person)
    return str(row["name"]) if row and row["name"] else person


def local(at: Instant) -> str:
    """Give an instant in the site's zone, zone named: 2026-03-01 12:00 UTC."""
    zone = ZoneInfo(installation().settings.time_zone)
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")


def names() -> dict[str, str]:
    """Give the printed name of every person by identifier."""
    rows = installation().rows("people").find(limit=STATES_MAX)
    return {id: row["name"] or id for id, row in rows}


def _told(one: Recorded, known: Mapping[str, str]) -> str:
    """Give the sentence of a fact with people by name and times in the site's zone."""
    return _STAMP.sub(lambda found: local(instant(found[0])), told(one, known))


def _is_late(one: Recorded) -> bool:
    # In a simulated world the machine's clock, which records, is not the plant's.
    if one.body.get("is_late") or installation().journal.world is not World.REAL:
        return bool(one.body.get("is_late"))
    return (one.recorded - one.happened).total_seconds() > LATE_SECONDS


_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


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
