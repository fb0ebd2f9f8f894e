"""Any code of the field to its reading: the one entry for what a scanner or a person typed."""

import re
from datetime import date

from anlage.base import Problem

from . import digital_link, epc, gs1, isbt128, sec, tag
from .check_character import mod10
from .reading import Element, Reading, fault

_TEXT_MAX = 4096
_RAW_EPC = re.compile(r"urn:epc:raw:\d+\.x([0-9A-F]+)")
_SYMBOLOGY = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_BARE_NUMBER = {8: "GTIN-8", 12: "GTIN-12", 13: "GTIN-13 or GLN", 14: "GTIN-14", 18: "SSCC or GSRN"}


def decode(text: str, today: date) -> Reading:
    """Read any code: ISBT 128, SEC, GS1, Digital Link, EPC URN, RFID tag.

    A symbology identifier in front (`]d2` …) is taken into account. What is no code of the field
    is refused with what would have been one; the raw text is kept in every case.
    """
    raw = text
    text = text.strip("\r\n\t ")
    if not text or len(text) > _TEXT_MAX:
        return Reading(
            kind="unknown",
            raw=raw[:_TEXT_MAX],
            problems=(_unknown(text, "nothing" if not text else f"{len(text)} characters"),),
        )
    plain = _SYMBOLOGY.sub("", text, count=1) if text.startswith("]") else text
    if isbt128.looks_like(plain):
        return isbt128.decode(plain)
    if match := _RAW_EPC.fullmatch(plain):
        return tag.decode(match[1]) if tag.looks_like(match[1]) else epc.decode(plain)
    if epc.looks_like(plain):
        return epc.decode(plain)
    if sec.looks_like(plain):
        return sec.decode(plain)
    if digital_link.looks_like(plain):
        return digital_link.decode(plain, today)
    if plain[:4].lower() == "http":
        return Reading(
            kind="web-address",
            raw=raw,
            problems=(
                fault(
                    "digital-link-malformed",
                    "web address",
                    found=plain,
                    limit="an address whose path holds a GS1 key, such as /01/09506000134352",
                    remedy="scan the item's own code; this address names no item",
                    rule=digital_link.RULE,
                ),
            ),
        )
    if tag.looks_like(plain) and not plain.isdigit():
        return tag.decode(plain)
    if plain.isascii() and plain.isdigit() and len(plain) in _BARE_NUMBER:
        return _bare_number(plain)
    if typed := isbt128.typed_identifier(plain):
        return typed
    if gs1.looks_like(text) and (plain != text or not _doubtful(plain)):
        return gs1.decode(text, today)
    if plain != text and gs1.looks_like(plain):
        return Reading(kind="gs1-element-string", raw=raw, problems=(_not_marked(text),))
    if tag.looks_like(plain):
        return tag.decode(plain)
    return Reading(kind="unknown", raw=raw, problems=(_unknown(text, text),))


def _doubtful(plain: str) -> bool:
    """Tell whether unmarked text only happens to open with an application identifier.

    A bare number with one misread character, or a company's internal identifier without any mark
    of GS1, is not taken for an element string.
    """
    if plain[:1] == "(" or gs1.SEPARATOR in gs1.with_separators(plain):
        return False
    digits = sum(character.isdigit() for character in plain)
    return plain[:1] == "9" or (len(plain) in _BARE_NUMBER and digits == len(plain) - 1)


def _bare_number(text: str) -> Reading:
    name = _BARE_NUMBER[len(text)]
    problems: tuple[Problem, ...] = ()
    if text[-1] != mod10(text[:-1]):
        problems = (
            fault(
                "check-digit-wrong",
                f"{name} {text}",
                found=text[-1],
                limit=f"check digit {mod10(text[:-1])}",
                remedy="scan again; if it repeats, the label is wrong: hold the item",
                rule=f"{gs1.RULE} 7.9",
            ),
        )
    if len(text) == 18:
        element = Element(
            code="number", name="number", raw=text, value=text, meaning="SSCC or GSRN."
        )
    else:
        value = text.zfill(14)
        element = Element(
            code="number", name="gtin", raw=text, value=value, meaning=f"{name} {text}."
        )
    return Reading(kind="gs1-number", raw=text, elements=(element,), problems=problems)


def _not_marked(text: str) -> Problem:
    return fault(
        "gs1-not-marked",
        "scanned symbol",
        found=text,
        limit="a symbol marked as GS1 (]d2, ]C1, ]Q3), application identifiers without brackets",
        remedy="the label was printed without its GS1 mark (FNC1 in first place): have it replaced",
        rule=gs1.RULE,
    )


def _unknown(text: str, found: str) -> Problem:
    return fault(
        "code-unknown",
        "scanned text",
        found=found or repr(text),
        limit="ISBT 128 (= or & in front), SEC:, GS1 element string or (AI), Digital Link,"
        " urn:epc:, or the memory of an RFID tag in hexadecimal",
        remedy="scan the code again; if = & ( ) come out as other characters, calibrate the"
        " scanner's keyboard layout",
        rule="Anlage identifiers",
    )
