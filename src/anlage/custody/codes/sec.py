"""The Single European Code of tissues and cells (Directive 2006/86/EC annex VII): 40 characters."""

import re
from datetime import datetime

from anlage.base import Problem

from .country import ALPHA_2
from .reading import Element, Reading, fault

RULE = "Directive 2006/86/EC annex VII, as amended by 2015/565"
_FORM = re.compile(
    r"(?P<country>[A-Z]{2})(?P<establishment>[A-Z0-9]{6})(?P<donation>[A-Z0-9]{13})"
    r"(?P<system>[A-Z])(?P<product>[A-Z0-9]{7})(?P<split>[A-Z0-9]{3})(?P<expiry>\d{8})"
)
_SYSTEMS = {"A": "ISBT 128", "B": "Eurocode", "E": "EUTC"}
_ISBT_PRODUCT = re.compile(r"00[A-Z]\d{4}")


def looks_like(text: str) -> bool:
    """Tell whether a text is a Single European Code, printed or scanned."""
    plain = "".join(text.split())
    return plain.upper().startswith("SEC:") or (
        len(plain) == 40 and _FORM.fullmatch(plain) is not None and plain[:2] in ALPHA_2
    )


def decode(text: str) -> Reading:
    """Read a Single European Code, with or without `SEC:` and blanks.

    Example:
        >>> decode("SEC: PL001499Z549917123456 A00T041600320171231").fields["expiry"]
        '2017-12-31'
    """
    plain = "".join(text.split())
    if plain[:4].upper() == "SEC:":
        plain = plain[4:]
    match = _FORM.fullmatch(plain)
    if match is None:
        problem = _wrong(
            "Single European Code",
            f"{len(plain)} characters: {plain}",
            "40 characters: country 2, establishment 6, donation 13, system 1, product 7,"
            " split 3, expiry 8",
        )
        return Reading(kind="sec", raw=text, problems=(problem,))
    found = match.groupdict()
    problems: list[Problem] = []
    expiry = "none"
    if found["country"] not in ALPHA_2:
        problems.append(_wrong("country", found["country"], "an ISO 3166 country code"))
    if found["system"] not in _SYSTEMS:
        problems.append(
            _wrong("product coding system", found["system"], "A (ISBT 128), B (Eurocode), E (EUTC)")
        )
    if found["system"] == "A" and not _ISBT_PRODUCT.fullmatch(found["product"]):
        problems.append(
            _wrong("ISBT 128 product", found["product"], "00, a class letter and four digits")
        )
    if found["expiry"] != "00000000":
        try:
            expiry = datetime.strptime(found["expiry"], "%Y%m%d").date().isoformat()
        except ValueError:
            problems.append(_wrong("expiry", found["expiry"], "a date YYYYMMDD, or 00000000"))
    system = _SYSTEMS.get(found["system"], found["system"])
    elements = (
        _element("country", found["country"], "Country of the tissue establishment."),
        _element("establishment", found["establishment"], "Tissue establishment."),
        _element("donation", found["donation"], "Donation number, padded on the left with zeros."),
        _element("coding_system", found["system"], f"Product coding system {system}."),
        _element("product", found["product"], "Product number, padded on the left with zeros."),
        _element("split", found["split"], "Split number."),
        Element(
            code="expiry",
            name="expiry",
            raw=found["expiry"],
            value=expiry,
            meaning="No expiry date." if expiry == "none" else f"Expires on {expiry}.",
        ),
    )
    return Reading(kind="sec", raw=text, elements=elements, problems=tuple(problems))


def _element(name: str, raw: str, meaning: str) -> Element:
    return Element(code=name, name=name, raw=raw, value=raw, meaning=meaning)


def _wrong(what: str, found: str, limit: str) -> Problem:
    return fault(
        "sec-malformed",
        what,
        found=found,
        limit=limit,
        remedy="scan again; if it repeats, hold the tissue and ask its establishment",
        rule=RULE,
    )
