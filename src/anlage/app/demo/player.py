"""A player: does commands in the name of simulated persons, signing as they would."""

import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from anlage.base import Instant
from anlage.record import Actor, Recorded, Stream

from ..engine import Outcome
from ..installation import Installation
from ..plant_clock import SimulatedClock
from ..signatures import signatures_wanted, with_signatures

S = TypeVar("S")


class Player:
    """Plays the persons of a simulated world on its installation."""

    def __init__(self, installation: Installation, clock: SimulatedClock) -> None:
        """Play on this installation, moving this clock."""
        self.installation = installation
        self.clock = clock
        self.names: dict[str, str] = {}
        self.facts = 0

    def do(self, request: Any, by: str) -> Outcome:
        """Do a command as a person; whoever has to sign does.

        Raises:
            Refused: As for anyone.
        """
        engine, actor = self.installation.engine, Actor(person=by, via="command-line")
        wanted = signatures_wanted(engine, request, actor=actor)
        signed = with_signatures(
            engine,
            request,
            wanted,
            method="simulated-person",
            names=self.names,
            template="simulation/1",
        )
        outcome = engine.do(signed, actor=actor)
        self.facts += len(outcome.facts)
        return outcome

    def state(self, cls: type[S], stream: str) -> S:
        """Give the state of a stream."""
        return self.installation.engine.state(cls, Stream(stream))

    def wait(self, **span: float) -> None:
        """Let plant time pass."""
        self.clock.advance(timedelta(**span))

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stop the clock's own running while a world is seeded, so that seeds give the same
        times.
        """
        speed, self.clock.speed = self.clock.speed, 0.0
        try:
            yield
        finally:
            self.clock.speed = speed


def first_of(outcome: Outcome, kind: str) -> Recorded:
    """Give the first fact of a kind that a command led to."""
    return next(one for one in outcome.facts if one.kind == kind)


class Stage:
    """Lets many journeys go on side by side in plant time: whoever waits least goes next."""

    def __init__(self, player: Player) -> None:
        """Begin at the player's present."""
        self.player = player
        self._queue: list[tuple[Instant, int, Iterator[timedelta]]] = []
        self._count = 0

    def enter(self, steps: Iterator[timedelta], *, after: timedelta = timedelta()) -> None:
        """Let a journey begin after a while."""
        self._count += 1
        heapq.heappush(self._queue, (self.player.clock.now() + after, self._count, steps))

    def run(self, until: Instant) -> None:
        """Move plant time on from act to act, up to an instant."""
        while self._queue and self._queue[0][0] <= until:
            at, number, steps = heapq.heappop(self._queue)
            behind = at - self.player.clock.now()
            if behind > timedelta():
                self.player.clock.advance(behind)
            span = next(steps, None)
            if span is not None:
                heapq.heappush(self._queue, (self.player.clock.now() + span, number, steps))
        rest = until - self.player.clock.now()
        if rest > timedelta():
            self.player.clock.advance(rest)

    def act_due(self) -> bool:
        """Do the one act whose time has come, if there is one; the clock runs by itself."""
        if not self._queue or self._queue[0][0] > self.player.clock.now():
            return False
        _, number, steps = heapq.heappop(self._queue)
        span = next(steps, None)
        if span is not None:
            heapq.heappush(self._queue, (self.player.clock.now() + span, number, steps))
        return True
