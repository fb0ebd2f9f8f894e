"""HEADER and TEXT of an FCS file: where the segments lie, and the keywords.

Source: ISAC Data File Standard for Flow Cytometry 2.0 to 3.2 (FCS 3.1: doi:10.1002/cyto.a.20825,
sections 3.1 and 3.2). Offsets count from the first byte of their data set.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from anlage.base import Refused

VERSIONS: Final = ("2.0", "3.0", "3.1", "3.2")
HEADER_BYTES: Final = 58
TEXT_BYTES_MAX: Final = 32 * 2**20
KEYWORDS_MAX: Final = 100_000
KEYWORD_BYTES_MAX: Final = 512

# Keywords on which a number depends; two values for one of them are no small matter.
_GOVERNS: Final = re.compile(
    r"\$(P\d+([BERGN]|DATATYPE)|PAR|TOT|BYTEORD|DATATYPE|MODE|NEXTDATA|BEGIN|END|TIMESTEP)|\$?SPILL"
)

ReadAt = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One place where a file departs from the standard.

    Attributes:
        code: The refusal's code of `errors.REFUSALS`.
        what: The thing that departs, by name.
        found: The value found.
        expected: What the standard, or the rest of the file, asks for.
        accepted: What the reader did about it.
        offset: Byte in the file, counted from 0; None when no single byte is at fault.
        breach: True when strict reading refuses it; False when no number can change by it.
    """

    code: str
    what: str
    found: str | None = None
    expected: str | None = None
    accepted: str = ""
    offset: int | None = None
    breach: bool = True

    def as_dict(self) -> dict[str, str | int | bool | None]:
        """Give the deviation as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Keeps the deviations of one reading; refuses a breach unless the reading is lenient."""

    path: str
    is_lenient: bool
    found: list[Deviation] = field(default_factory=list)

    def record(self, deviation: Deviation) -> None:
        """Write the deviation down.

        Raises:
            Refused: It is a breach and the reading is strict.
        """
        if deviation.breach and not self.is_lenient:
            raise self.refusal(
                deviation.code,
                deviation.what,
                found=deviation.found,
                limit=deviation.expected,
                remedy="export the file again, or read it with --lenient and check what it accepts",
                offset=deviation.offset,
            )
        if len(self.found) < 1_000:
            self.found.append(deviation)

    def refusal(
        self,
        code: str,
        what: str,
        *,
        found: object = None,
        limit: object = None,
        remedy: str | None = "copy the file again from the instrument",
        offset: int | None = None,
    ) -> Refused:
        """Give the refusal of this file, with the byte where it went wrong."""
        place = "" if offset is None else f" (byte {offset})"
        return Refused(
            code,
            what=f"{what}{place}",
            found=_shown(found),
            limit=limit,
            remedy=remedy,
            rule="FCS 3.1, doi:10.1002/cyto.a.20825",
            path=self.path,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first 58 bytes: the version, and first and last byte of the three segments.

    A segment that is absent, or too far out for eight digits, is None.
    """

    version: str
    text: tuple[int, int]
    data: tuple[int, int] | None
    analysis: tuple[int, int] | None


def read_header(read: ReadAt, at: int, size: int, ledger: Ledger) -> Header:
    """Read the header of the data set that begins at byte `at` of a file of `size` bytes.

    Raises:
        Refused: The bytes are no FCS header, or TEXT lies outside the file.
    """
    raw = read(at, HEADER_BYTES)
    version = raw[3:6].decode("ascii", "replace")
    if raw[:3] != b"FCS" or version not in VERSIONS:
        raise ledger.refusal(
            "fcs-not-fcs",
            "opening bytes",
            found=raw[:10].decode("latin-1") or "nothing",
            limit=", ".join(f"FCS{known}" for known in VERSIONS),
            remedy="give an FCS list-mode file",
            offset=at,
        )
    if len(raw) < HEADER_BYTES:
        raise ledger.refusal(
            "fcs-truncated", "header", found=f"{len(raw)} bytes", limit="58 bytes", offset=at
        )
    if raw[6:10] != b"    ":
        ledger.record(
            Deviation(
                code="fcs-header",
                what="bytes 6 to 9 after the version",
                found=repr(raw[6:10]),
                expected="four spaces",
                accepted="ignored",
                offset=at + 6,
            )
        )
    pairs: list[tuple[int, int] | None] = []
    for index, name in enumerate(("TEXT", "DATA", "ANALYSIS")):
        pairs.append(_offsets(raw, name, 10 + 16 * index, at, ledger))
    text = pairs[0]
    if text is None or text[0] < HEADER_BYTES or text[1] < text[0]:
        raise ledger.refusal(
            "fcs-header", "place of TEXT in the header", found=raw[10:26].decode("latin-1"),
            limit="first byte 58 or later, last byte after it", offset=at + 10,
        )  # fmt: skip
    if at + text[1] >= size:
        raise ledger.refusal(
            "fcs-truncated",
            "TEXT segment",
            found=f"file of {size} bytes",
            limit=f"at least {at + text[1] + 1} bytes",
            offset=size,
        )
    return Header(version=version, text=text, data=pairs[1], analysis=pairs[2])


def _offsets(raw: bytes, name: str, place: int, at: int, ledger: Ledger) -> tuple[int, int] | None:
    values = []
    for start in (place, place + 8):
        field_bytes = raw[start : start + 8].strip(b" ")
        if not field_bytes:
            if name == "DATA":
                ledger.record(
                    Deviation(
                        code="fcs-header",
                        what="place of DATA in the header",
                        found="blank",
                        expected="a number; 0 when TEXT gives it",
                        accepted="taken from TEXT",
                        offset=at + start,
                    )
                )
            return None
        if not field_bytes.isdigit():
            found = raw[start : start + 8].decode("latin-1")
            if name == "TEXT":
                raise ledger.refusal(
                    "fcs-header", "place of TEXT in the header", found=found, limit="digits",
                    offset=at + start,
                )  # fmt: skip
            ledger.record(
                Deviation(
                    code="fcs-header",
                    what=f"place of {name} in the header",
                    found=_shown(found),
                    expected="digits",
                    accepted="taken from TEXT",
                    offset=at + start,
                )
            )
            return None
        values.append(int(field_bytes))
    if values == [0, 0]:
        return None
    return values[0], values[1]


def read_keywords(
    read: ReadAt, at: int, span: tuple[int, int], version: str, ledger: Ledger
) -> dict[str, str]:
    """Read a TEXT segment as keywords (upper case) and values, in file order.

    Raises:
        Refused: The segment is over its limits, or is no list of keywords.
    """
    length = span[1] - span[0] + 1
    if length > TEXT_BYTES_MAX:
        raise ledger.refusal(
            "fcs-text-too-large",
            "TEXT segment",
            found=f"{length} bytes",
            limit=f"{TEXT_BYTES_MAX} bytes",
            offset=at + span[0],
        )
    raw = read(at + span[0], length)
    if len(raw) < 2:
        raise ledger.refusal("fcs-text", "TEXT segment", found="empty", offset=at + span[0])
    delimiter = raw[:1]
    if delimiter == b"\0" or delimiter >= b"\x7f":
        raise ledger.refusal(
            "fcs-text", "delimiter of TEXT", found=repr(delimiter), limit="ASCII 1 to 126",
            offset=at + span[0],
        )  # fmt: skip
    if raw.count(delimiter) > 2 * KEYWORDS_MAX:
        raise ledger.refusal(
            "fcs-text-too-large", "keywords in TEXT", found=raw.count(delimiter) // 2,
            limit=KEYWORDS_MAX, offset=at + span[0],
        )  # fmt: skip
    tokens = _tokens(raw, delimiter)
    return _paired(tokens, delimiter, version, at + span[0], ledger)


def _tokens(raw: bytes, delimiter: bytes) -> list[bytes]:
    """Split at single delimiters; a doubled one is a literal delimiter."""
    pieces = raw[1:].split(delimiter)
    tokens: list[bytes] = []
    index = 0
    while index < len(pieces):
        held = [pieces[index]]
        # An empty piece with another behind it stands for one literal delimiter.
        while index + 2 < len(pieces) and pieces[index + 1] == b"":
            index += 2
            held.append(pieces[index])
        tokens.append(delimiter.join(held))
        index += 1
    return tokens


def _paired(
    tokens: list[bytes], delimiter: bytes, version: str, at: int, ledger: Ledger
) -> dict[str, str]:
    # What follows the last delimiter is padding when it is blank, or a keyword without value.
    if tokens and not tokens[-1].strip(b" \0\r\n\t"):
        tokens = tokens[:-1]
    if len(tokens) % 2:
        orphan = tokens.pop()
        ledger.record(
            Deviation(
                code="fcs-text",
                what="last keyword of TEXT",
                found=_shown(orphan.decode("latin-1").strip()),
                expected="a value after it",
                accepted="left out",
                offset=at,
                breach=orphan.lstrip().startswith(b"$"),
            )
        )
    keywords: dict[str, str] = {}
    for key_bytes, value_bytes in _without_empty_values(tokens, delimiter, at, ledger):
        key = _decoded(key_bytes[:KEYWORD_BYTES_MAX], version, at, ledger).strip().upper()
        value = _decoded(value_bytes, version, at, ledger)
        if not key:
            ledger.record(
                Deviation(
                    code="fcs-text", what="keyword", found="empty", expected="a name",
                    accepted="left out with its value", offset=at,
                )
            )  # fmt: skip
            continue
        if key in keywords:
            ledger.record(
                Deviation(
                    code="fcs-text",
                    what=f"keyword {_shown(key)} given twice",
                    found=_shown(value),
                    expected=_shown(keywords[key]),
                    accepted="the first is used",
                    offset=at,
                    breach=keywords[key].strip() != value.strip() and bool(_GOVERNS.match(key)),
                )
            )
            continue
        keywords[key] = value
    return keywords


def _without_empty_values(
    tokens: list[bytes], delimiter: bytes, at: int, ledger: Ledger
) -> Iterator[tuple[bytes, bytes]]:
    """Give the pairs; a keyword that seems to hold a delimiter was written with an empty value."""
    for key, value in zip(tokens[::2], tokens[1::2], strict=True):
        *empties, last = key.split(delimiter)
        for empty in empties:
            ledger.record(
                Deviation(
                    code="fcs-text",
                    what=f"keyword {_shown(empty.decode('latin-1'))}",
                    found="empty value",
                    expected="at least one character",
                    accepted="taken as not given",
                    offset=at,
                    breach=False,
                )
            )
        yield last, value


def _decoded(raw: bytes, version: str, at: int, ledger: Ledger) -> str:
    if version in ("3.1", "3.2"):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            ledger.record(
                Deviation(
                    code="fcs-text",
                    what="characters of TEXT",
                    found=_shown(raw.decode("latin-1")),
                    expected="UTF-8",
                    accepted="read as Latin-1",
                    offset=at,
                    breach=False,
                )
            )
    return raw.decode("latin-1")


def whole_number(text: str | None) -> int | None:
    """Give a whole number of at most 18 digits written plainly; None when it is not one."""
    digits = (text or "").strip()
    if not digits.isascii() or not digits.isdigit() or len(digits.lstrip("0")) > 18:
        return None
    return int(digits)


def _shown(value: object) -> str | None:
    """Give a value short enough for a message, without control characters."""
    if value is None:
        return None
    text = "".join(letter if letter.isprintable() else "·" for letter in str(value)[:121])
    return text if len(text) <= 120 else text[:117] + "..."
