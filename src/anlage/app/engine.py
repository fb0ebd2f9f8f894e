"""The command engine: loading, deciding, appending in one transaction, deciding again on conflict.
Done once, here.

A command's handler loads states through its `Desk` and calls a pure decision of a package. The
desk notes every stream that was read; the append holds all of them to the versions that were
judged.
"""

import functools
import inspect
import secrets
import threading
import typing
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from anlage.base import Clock, Instant, Refused, digest
from anlage.record import (
    SIGNING_LIMIT,
    Actor,
    Conflict,
    Entry,
    Journal,
    Receipt,
    Recorded,
    Signature,
    Stream,
    World,
    encode,
    fact,
    rebuild,
)

from .shape import must_be_legible, must_fit

S = TypeVar("S")
R = TypeVar("R")
TRIES_MAX = 4  # the first and at most three more
STATES_MAX = 20_000
KEY_MAX = 120


class _State(Protocol):
    @classmethod
    def begin(cls, stream: Stream) -> Any: ...

    def after(self, recorded: Recorded) -> Any: ...


@fact("number-given")
@dataclass(frozen=True, slots=True, kw_only=True)
class NumberGiven:
    """A number of a series was given to one thing; it is never given again.

    Attributes:
        number: From 1, without gaps.
        text: The number as it is printed.
        purpose: What it was given to; when that comes to nothing, the void is explained there.
    """

    number: int
    text: str
    purpose: str


class Handler(Protocol):
    """A command's handler: loads states through the desk and gives the entries of a pure
    decision.
    """

    def __call__(self, desk: "Desk", request: Any, /) -> Sequence[Entry]:
        """Decide."""
        ...


_HANDLERS: dict[str, tuple[type, Handler]] = {}


def command(name: str) -> Callable[[Callable[["Desk", R], Sequence[Entry]]], Callable[..., Any]]:
    """Bind a handler to a command's name; the request's class is that of the second parameter."""

    def bind(handler: Callable[["Desk", R], Sequence[Entry]]) -> Callable[..., Any]:
        parameters = list(inspect.signature(handler).parameters)
        request = typing.get_type_hints(handler)[parameters[1]]
        if name in _HANDLERS and _HANDLERS[name][0] is not request:
            raise ValueError(f"command {name} is bound twice")
        _HANDLERS[name] = (request, handler)
        return handler

    return bind


def command_classes() -> dict[str, type]:
    """Give every command's name and its request class."""
    return {name: request for name, (request, _) in sorted(_HANDLERS.items())}


def request_of(name: str, values: dict[str, Any]) -> Any:
    """Build a request from JSON values, for API, socket and command line.

    Raises:
        Refused: No such command, or the values do not fit it.
    """
    if name not in _HANDLERS:
        raise Refused(
            "command-unknown",
            what=f"command {name[:60]!r}",
            limit="one of those in docs/reference/commands.md",
            remedy="correct the name",
        )
    request = _HANDLERS[name][0]
    must_fit(request, values, f"command {name}")
    try:
        return rebuild(request, values)
    except Refused:
        raise
    except Exception as error:
        raise Refused(
            "request-malformed",
            what=f"command {name}",
            found=str(error)[:300],
            limit="the fields of the command, each of its type",
            remedy="correct the request",
        ) from error


def name_of(request: object) -> str:
    """Give the command name of a request object."""
    for name, (cls, _) in _HANDLERS.items():
        if type(request) is cls:
            return name
    raise KeyError(type(request).__name__)


def sealed_key(request: object, actor: Actor, key: str) -> str:
    """Give a client's key tied to who asks for what.

    So a key that comes again with other values, or from another person, is another command, and
    nobody is told that something was done which was not. Signatures do not count: they are made
    anew each time.

    Raises:
        Refused: `request-malformed`: it is over-long or not printable.
    """
    must_be_legible(key, "key", limit=KEY_MAX)
    values = {
        one: encode(inner)
        for one in request.__dataclass_fields__  # type: ignore[attr-defined]
        if not isinstance(inner := getattr(request, one), Signature)
    }
    seal = digest({"command": name_of(request), "person": actor.person, "values": values})
    return f"{key}.{seal[:16]}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command led to.

    Attributes:
        facts: The facts, on disk.
        is_repeat: True when the key had been used: these are the facts of the first time.
    """

    facts: tuple[Recorded, ...]
    is_repeat: bool = False

    @property
    def streams(self) -> list[str]:
        """The streams that facts were added to, in order, each once."""
        return list(dict.fromkeys(str(one.stream) for one in self.facts))


def is_signed(request: object) -> bool:
    """Tell whether a request carries a signature."""
    names = request.__dataclass_fields__  # type: ignore[attr-defined]
    return any(isinstance(getattr(request, name), Signature) for name in names)


class Desk:
    """What a handler sees while it decides: states by stream, the time, who asks."""

    def __init__(self, engine: "Engine", actor: Actor, at: Instant) -> None:
        """Open a desk for one try of one command."""
        self._engine = engine
        self.actor = actor
        self.at = at
        self.expected: dict[Stream, int] = {}
        self._given: dict[Stream, int] = {}
        self.extra: list[Entry] = []

    @property
    def world(self) -> World:
        """The world of the journal."""
        return self._engine.journal.world

    @property
    def site(self) -> str:
        """The site of the journal."""
        return self._engine.journal.site

    @property
    def clock_behind(self) -> timedelta:
        """How far the machine's clock stands behind the latest time that it has shown."""
        return self._engine.journal.clock_behind()

    def read(self, state: type[S], stream: Stream) -> S:
        """Give the state of a stream, and hold the command to the version that was seen."""
        version, value = self._engine.load(state, stream)
        self.expected.setdefault(stream, version)
        return value

    def next_number(self, series: str, pattern: str, purpose: str) -> str:
        """Take the next number of a series; `pattern` is a format with `{n}` (and `{yy}` for the
        year).

        The number is a fact of the series' own stream, in the same transaction: unique, without
        gaps, never reused.
        """
        stream = Stream(f"series/{series}")
        if stream not in self._given:
            facts = self._engine.journal.head(stream)
            self._given[stream] = facts.version
            self.expected.setdefault(stream, facts.version)
        self._given[stream] += 1
        number = self._given[stream]
        text = pattern.format(n=number, yy=self.at.strftime("%y"))
        given = NumberGiven(number=number, text=text, purpose=purpose)
        self.extra.append(Entry(stream, given))
        return text


class Engine:
    """Runs commands on one journal."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        """Use this journal and this clock (the simulated one in a simulated world)."""
        self.journal = journal
        self.clock = clock
        self._states: OrderedDict[tuple[type, Stream], tuple[int, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def do(self, request: object, *, actor: Actor, key: str | None = None) -> Outcome:
        """Decide and append; on conflict decide again, at most three times.

        Args:
            request: A request object of a bound command.
            actor: Who asks, through which door.
            key: The client's key: the same command by the same person under the same key again
                gives the first outcome and writes nothing.

        Raises:
            Refused: A rule said no; nothing is stored.
        """
        if not key:
            return self._do(request, actor, secrets.token_hex(12))
        earlier = self.done_before(request, actor=actor, key=key)
        if earlier is not None:
            return earlier
        try:
            return self._do(request, actor, sealed_key(request, actor, key))
        except Refused:
            # Its twin, sent at the same time, may have been faster.
            earlier = self.done_before(request, actor=actor, key=key)
            if earlier is None:
                raise
            return earlier

    def done_before(self, request: object, *, actor: Actor, key: str | None) -> Outcome | None:
        """Give the outcome of this very command by this person under this key, if it was done.

        Raises:
            Refused: `request-malformed`: the key is no key.
        """
        if not key:
            return None
        receipt = self.journal.find_command(sealed_key(request, actor, key))
        return None if receipt is None else Outcome(receipt.facts, is_repeat=True)

    def _do(self, request: object, actor: Actor, key: str) -> Outcome:
        handler = _HANDLERS[name_of(request)][1]
        if is_signed(request):
            self._must_tell_time()
        for attempt in range(1, TRIES_MAX + 1):
            desk = Desk(self, actor, self.clock.now())
            entries = [*handler(desk, request), *desk.extra]
            if not entries:
                return Outcome(())
            for entry in entries:
                if entry.stream not in desk.expected:
                    desk.expected[entry.stream] = self.journal.head(entry.stream).version
            try:
                receipt: Receipt = self.journal.append(
                    entries, desk.expected, by=actor, at=desk.at, command=key
                )
            except Conflict as conflict:
                if attempt == TRIES_MAX:
                    raise Refused(
                        "record-moved-on",
                        what=str(conflict.stream),
                        found=f"changed {TRIES_MAX} times while this command was judged",
                        remedy="look at it again and repeat the command",
                    ) from conflict
                continue
            return Outcome(receipt.facts, receipt.is_repeat)
        raise AssertionError("unreachable")

    def _must_tell_time(self) -> None:
        """See that the machine's clock can be relied on for the time of a signature."""
        behind = self.journal.clock_behind()
        if behind > SIGNING_LIMIT:
            raise Refused(
                "clock-behind",
                what="signing",
                found=f"the clock stands {behind.total_seconds():.0f} s behind what it has shown",
                limit=f"{SIGNING_LIMIT.total_seconds():.0f} s; all else is recorded meanwhile",
                remedy="set the clock right, or have an administrator confirm it (confirm-clock)",
                rule="21 CFR 11.50(a)(2)",
            )

    def judge(self, request: object, *, actor: Actor) -> list[Entry]:
        """Decide without writing: what the command would add, or the refusal it would meet."""
        desk = Desk(self, actor, self.clock.now())
        return [*_HANDLERS[name_of(request)][1](desk, request), *desk.extra]

    def load(self, state: type[S], stream: Stream) -> tuple[int, S]:
        """Give the version and the state of a stream; folded from where the last load left off."""
        folded = typing.cast("_State", state)
        place = (state, stream)
        with self._lock:
            version, value = self._states.get(place) or (0, None)
        if value is None:
            value = folded.begin(stream)
        news = self.journal.read_stream(stream, version)
        if news:
            value = functools.reduce(lambda past, one: past.after(one), news, value)
            version = news[-1].version
        with self._lock:
            self._states[place] = (version, value)
            self._states.move_to_end(place)
            while len(self._states) > STATES_MAX:
                self._states.popitem(last=False)
        return version, value

    def state(self, state: type[S], stream: Stream) -> S:
        """Give the state of a stream to look at."""
        return self.load(state, stream)[1]
