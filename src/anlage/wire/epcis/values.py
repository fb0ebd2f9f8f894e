"""The values that stand in events: times, offsets, addresses, words, identifiers, numbers."""

import functools
import re
from datetime import datetime
from typing import Any

from anlage.custody.codes import digital_link, epc, gs1

from .vocabulary import CBV, VOC

_TIME = re.compile(
    r"(-?\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    r"(\.\d+)?(Z|[+-](0\d|1[0-4]):[0-5]\d)?"
)
_OFFSET = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_NI = re.compile(r"ni:///[A-Za-z0-9-]+;[0-9A-Za-z_=-]+(?:\?ver=CBV\d\.\d)?")
_NI_SHA_256 = re.compile(r"ni:///sha-256;[0-9a-f]{64}\?ver=CBV\d\.\d")
_UUID = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNIT = re.compile(r"[A-Z0-9]{2,3}")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_VOCABULARY_MARK = re.compile(r"(?:BizStep|Disp|BTT|SDT|ER|Comp)-")
_TRANSACTION = re.compile(r"urn:epcglobal:cbv:bt:(\d{13}):(.+)")
_GS1_HOST = re.compile(r"https?://id\.gs1\.[a-z]+/")


def time_fault(value: Any, *, needs_zone: bool = True) -> str | None:
    """Give what was expected where a value is no date and time with a zone.

    The creation date of an XML document alone may stand without one (`xsd:dateTime`).
    """
    limit = "date and time with zone, such as 2026-03-01T12:00:00.000+01:00"
    if not isinstance(value, str):
        return limit
    match = _TIME.fullmatch(value)
    if match is None or (needs_zone and match[6] is None):
        return limit
    try:
        datetime.fromisoformat(value[:19] if value[0] != "-" else value[1:20])
    except ValueError:
        return "a day that the calendar has"
    return None


def offset_fault(value: Any) -> str | None:
    """Give what was expected where a value is no time zone offset."""
    ok = isinstance(value, str) and _OFFSET.fullmatch(value)
    return None if ok else "an offset from -14:00 to +14:00, such as +01:00"


def uri_fault(value: Any) -> str | None:
    """Give what was expected where a value is no absolute address (URI)."""
    if not isinstance(value, str) or not _URI.fullmatch(value):
        return "an absolute address (URI), such as urn:epc:id:sgtin:… or https://…"
    return None


def event_id_fault(value: Any) -> str | None:
    """Give what was expected where a value cannot identify an event."""
    if isinstance(value, str) and value.startswith("_:"):
        return None
    if fault := uri_fault(value):
        return fault
    if value.startswith("ni:"):
        if not _NI.fullmatch(value):
            return "a hash address, ni:///sha-256;…?ver=CBV2.0"
        if value.startswith("ni:///sha-256;") and not _NI_SHA_256.fullmatch(value):
            return "ni:///sha-256; with 64 hexadecimal digits and ?ver=CBV2.0"
    if value.startswith("urn:uuid:") and not _UUID.fullmatch(value):
        return "urn:uuid: with a UUID of 36 characters"
    return None


@functools.lru_cache(maxsize=16384)
def identifier_fault(value: str, level: str) -> str | None:
    """Give what was expected where an identifier breaks the form of its scheme.

    Args:
        value: An absolute address.
        level: What it may name: `class`, `location`, `party` or `any`.
    """
    if value.startswith("urn:epc:"):
        return _urn_fault(value, level)
    # On another host an address may only look like a Digital Link.
    if _GS1_HOST.match(value) and digital_link.key_at(value) is not None:
        return _link_fault(value, level)
    return None


def word_fault(
    value: Any, words: frozenset[str], prefix: str, urn: str, *, bare: bool
) -> str | None:
    """Give what was expected where a value is no word of its vocabulary and no own address.

    Args:
        value: The value found.
        words: The standard's words.
        prefix: What stands before a word in its web address.
        urn: What stands before a word in its CBV 1.2 URN; empty when it has none.
        bare: True in JSON-LD, where a standard word stands bare; False in XML.
    """
    limit = f"one of {', '.join(sorted(words))}; or an address (URI) in your own namespace"
    if not isinstance(value, str) or not value:
        return limit
    if value in words:
        return None if bare else f"{prefix}{value}: XML takes the full address, not the bare word"
    for start in (prefix, prefix.replace(CBV, "cbv:").replace(VOC, "gs1:")):
        if value.startswith(start) and start:
            return None if value[len(start) :] in words or start in (VOC, "gs1:") else limit
    if value.startswith("urn:epcglobal:cbv:"):
        if bare:
            return f"the bare word in JSON-LD; {limit}"
        return None if urn and value.startswith(urn) and value[len(urn) :] in words else limit
    if value.startswith((CBV, "cbv:")):
        tail = value.removeprefix(CBV).removeprefix("cbv:")
        return limit if _VOCABULARY_MARK.match(tail) else None
    return limit if uri_fault(value) else None


def unit_fault(value: Any) -> str | None:
    """Give what was expected where a value is no unit of measure."""
    ok = isinstance(value, str) and _UNIT.fullmatch(value)
    return None if ok else "a unit code of UN/ECE Recommendation 20, such as KGM or CEL"


def hex_fault(value: Any) -> str | None:
    """Give what was expected where a value is no hexadecimal text."""
    ok = isinstance(value, str) and _HEX.fullmatch(value) and len(value) % 2 == 0
    return None if ok else "pairs of hexadecimal digits"


def number_of(value: Any, *, text: bool) -> float | None:
    """Give a number; None where the value is none. In XML numbers are text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if (
        text
        and isinstance(value, str)
        and re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value)
    ):
        return float(value)
    return None


def transaction_fault(value: str) -> str | None:
    """Give what was expected where a business transaction identifier breaks its form."""
    if value.startswith("urn:epcglobal:cbv:bt:") and not _TRANSACTION.fullmatch(value):
        return "urn:epcglobal:cbv:bt: with a GLN of 13 digits and the transaction's number"
    return identifier_fault(value, "any")


def _urn_fault(value: str, level: str) -> str | None:
    parsed = epc.parse(value)
    if not isinstance(parsed, epc.Epc):
        return f"{parsed.limit} ({parsed.what.partition(' of ')[0]})"
    sort = value.split(":", 3)[2]
    if sort == "tag":
        return "an identity (urn:epc:id:), not a tag encoding"
    if level == "class" and sort == "id" and parsed.scheme != "gsrn":
        return "a class (urn:epc:class:lgtin:… or urn:epc:idpat:…), not one thing"
    if level == "location" and (sort != "id" or parsed.scheme != "sgln"):
        return "a location (urn:epc:id:sgln:…)"
    if level == "party" and (
        sort != "id" or parsed.scheme not in ("pgln", "sgln", "gsrn", "gsrnp")
    ):
        return "a party (urn:epc:id:pgln:…)"
    return None


def _link_fault(value: str, level: str) -> str | None:
    pairs, problems, _ = digital_link.parse(value)
    for application, found in pairs[:4]:
        problems += gs1.check_value(application, found)
    if problems:
        return f"{problems[0].limit} ({problems[0].what})"
    numbers = {application.number for application, _ in pairs}
    if level == "class" and numbers & {"21", "235", "00"}:
        return "a class (a GTIN, or a GTIN with its lot), not one thing"
    if level == "location" and "414" not in numbers and numbers & {"01", "00", "417"}:
        return "a location (/414/ with its number)"
    return None
