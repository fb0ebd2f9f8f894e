"""The face of a state: what a stream's facts amount to, as a decision sees it."""

from typing import Protocol, Self

from .fact import Recorded, Stream


class State(Protocol):
    """An immutable fold of one stream."""

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of a stream without facts."""
        ...

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact; a kind it does not know leaves it as it is."""
        ...
