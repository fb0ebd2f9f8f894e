"""The face of a view: a fold over facts into rows that pages read. Any view can be dropped and
rebuilt.
"""

from collections.abc import Iterator
from typing import Any, Protocol

from .fact import Recorded


class Rows(Protocol):
    """The rows of one view while it folds, and for those who read it.

    A row is a JSON document under a key. `facet` is one text by which rows are found (exactly or
    by prefix), such as a state or an owner; `order` sorts them.
    """

    def get(self, key: str) -> dict[str, Any] | None:
        """Give a row; None when there is none."""
        ...

    def put(self, key: str, row: dict[str, Any], *, facet: str = "", order: str = "") -> None:
        """Write or replace a row."""
        ...

    def delete(self, key: str) -> None:
        """Take a row away."""
        ...

    def find(
        self,
        *,
        facet: str | None = None,
        limit: int = 1000,
        newest_first: bool = False,
        after: str | None = None,
        text: str = "",
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give (key, row) in order, all or those whose facet is just this one.

        `after` leaves out the rows up to and with this order, so that a page goes on where the
        last one ended; it counts upwards only. `text` leaves out rows whose document does not hold
        it, whatever the case; it is a first sieve, which lets through what is not ASCII.
        """
        ...

    def count(self, *, facet: str | None = None) -> int:
        """Count the rows, all or those of one facet."""
        ...


class View(Protocol):
    """A fold over facts. Raising `version` makes a rebuild happen at the next start; there are no
    migrations.
    """

    @property
    def name(self) -> str:
        """The name of the view, kebab-case."""
        ...

    @property
    def version(self) -> int:
        """The version of its fold."""
        ...

    @property
    def families(self) -> frozenset[str]:
        """The families of streams whose facts it folds; empty for all."""
        ...

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows. It reads nothing but rows and fact."""
        ...
