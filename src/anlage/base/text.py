"""Text from people and devices: checked for length and for characters that hide or break."""

import unicodedata

from .errors import Refused

LINE_MAX = 400
TEXT_MAX = 20_000


def clean_line(text: str, what: str, *, limit: int = LINE_MAX) -> str:
    """Give one line of text, normalised (NFC) and stripped, or refuse it.

    Raises:
        Refused: It is empty, too long, or holds control or bidirectional override characters.
    """
    line = clean_text(text, what, limit=limit)
    if "\n" in line or "\t" in line:
        raise _refused(what, "a line break or tab", "one line")
    return line


def clean_text(text: str, what: str, *, limit: int = TEXT_MAX) -> str:
    """Give text that may run over several lines, normalised (NFC) and stripped, or refuse it.

    Raises:
        Refused: It is empty, too long, or holds control or bidirectional override characters.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if not text:
        raise _refused(what, "nothing", "some text")
    if len(text) > limit:
        raise _refused(what, f"{len(text)} characters", f"at most {limit} characters")
    for character in text:
        if character in "\n\t":
            continue
        if unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} or character in _OVERRIDES:
            raise _refused(what, f"character U+{ord(character):04X}", "printable text")
    return text


_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def _refused(what: str, found: str, limit: str) -> Refused:
    return Refused(
        "text-unusable",
        what=what,
        found=found,
        limit=limit,
        remedy="type it again",
        rule="ALCOA: legible",
    )
