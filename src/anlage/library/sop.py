"""Standard operating procedures: which document, who must have read it, when it is reviewed."""

import re
from dataclasses import dataclass
from typing import Self

from anlage.base import Quantity

from .fields import Content, Fields, Heading, Reference, read_with

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A procedure as defined.

    Attributes:
        heading: Identifier, title and basis.
        summary: What it governs, in words.
        file: SHA-256 of the document kept with it; None when the summary is all.
        review_every: How often it is reviewed.
        readers: Roles that must have read and understood it.
    """

    heading: Heading
    summary: str
    file: str | None
    review_every: Quantity | None
    readers: tuple[Reference, ...]

    @classmethod
    def read(cls, content: Content) -> Self:
        """Read a procedure from its content.

        Raises:
            Refused: With every problem and its path.
        """
        return read_with(content, cls.from_fields)

    @classmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read a procedure."""
        file = fields.text("file", "") or None
        if file is not None and not _DIGEST.fullmatch(file):
            fields.wrong("file", file, "64 hexadecimal digits", "give the SHA-256 of the file")
        every = fields.quantity("review-every")
        if every is not None:
            every.to("d")
        return cls(
            heading=fields.heading("sop"),
            summary=fields.text("summary"),
            file=file,
            review_every=every,
            readers=fields.ids("readers", "role"),
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """The roles that must read it."""
        return self.readers
