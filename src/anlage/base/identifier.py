"""Identifiers are their own types, never bare text."""

import re
from typing import ClassVar, Self

from .errors import Refused


class Identifier(str):
    """A name that stands for one thing; checked when built.

    Subclass it per kind of thing: `class LotId(Identifier)`. Characters: ASCII letters, digits,
    `-`, `_`, `.` and `:`; it starts with a letter or digit and has at most 64 characters.
    """

    pattern: ClassVar[re.Pattern[str]] = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}")

    def __new__(cls, text: str) -> Self:
        """Check and give the identifier.

        Raises:
            Refused: The text does not have the form of this identifier.
        """
        if not cls.pattern.fullmatch(text):
            raise Refused(
                "identifier-malformed",
                what=cls.__name__,
                found=repr(text[:80]),
                limit=f"text of the form {cls.pattern.pattern}",
                remedy="scan the code, or type it as printed",
            )
        return super().__new__(cls, text)
