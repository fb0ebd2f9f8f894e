"""What is done with accounts, told to the record."""

from typing import Protocol

from anlage.library import stream_of_account
from anlage.record import Actor, Entry

from .installation import Installation


class Tell(Protocol):
    """Takes what happened to the account of a person."""

    def __call__(self, person: str, happened: object, /) -> None:
        """Record it."""
        ...


def telling(installation: Installation, *, via: str, by: str | None = None) -> Tell:
    """Give what records the facts of accounts in an installation.

    Args:
        installation: Whose journal.
        via: The door: page, api or command-line.
        by: Who did it, when that is known; a failed login has nobody.
    """

    def tell(person: str, happened: object) -> None:
        # Relies on nothing and judges nothing, so no version is expected.
        installation.journal.append(
            [Entry(stream_of_account(person), happened)],
            {},
            by=Actor(person=by, via=via),
            at=installation.clock.now(),
        )

    return tell
