"""GS1 Digital Link: a web address that carries a GS1 key (GS1 standard: URI Syntax)."""

import re
from datetime import date
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from anlage.base import Problem

from .application import applications
from .gs1 import Pair, pairing_problems, read_pairs
from .reading import Reading, fault

RULE = "GS1 Digital Link: URI Syntax"
_NAMES = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017",
    "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402",
    "grai": "8003", "giai": "8004", "cpv": "22", "lot": "10", "ser": "21", "glnx": "254",
}  # fmt: skip
_PATH_MAX = 2000


def looks_like(text: str) -> bool:
    """Tell whether a text is a web address whose path holds a GS1 key."""
    return text[:8].lower().startswith(("http://", "https://")) and key_at(text) is not None


def key_at(text: str) -> int | None:
    """Give the place of the first key among the parts of the path; None when there is none."""
    parts = _path(text)
    for place in range(len(parts) - 1):
        application = applications().get(_NAMES.get(parts[place], parts[place]))
        if application is None or application.qualifiers is None or (len(parts) - place) % 2:
            continue
        if re.match(r"\d{4}", parts[place + 1]) or (parts[place] in _NAMES and parts[place + 1]):
            return place
    return None


def decode(text: str, today: date) -> Reading:
    """Read a Digital Link: key, qualifiers in their order, attributes of the query.

    Example:
        >>> decode("https://example.com/01/09506000134352/10/A?17=261231", date(2026, 1, 1)).valid
        True
    """
    pairs, problems, notes = parse(text)
    elements, inner, more = read_pairs(pairs, today)
    canonical = _canonical(pairs)
    return Reading(
        kind="gs1-digital-link",
        raw=text,
        elements=tuple(elements),
        problems=(*problems, *inner, *pairing_problems(pairs)),
        notes=tuple(notes),
        more=(*more, *((("digital_link", canonical),) if canonical else ())),
    )


def parse(text: str) -> tuple[list[Pair], list[Problem], list[str]]:
    """Take a Digital Link apart; values are checked by the caller."""
    known = applications()
    notes: list[str] = []
    problems: list[Problem] = []
    if len(text) > _PATH_MAX:
        return [], [_wrong("address", f"{len(text)} characters", f"{_PATH_MAX} characters")], []
    start = key_at(text)
    if start is None:
        return [], [_wrong("path", text, "a GS1 key such as /01/ and its value")], []
    parts = _path(text)[start:]
    numbers = [_NAMES.get(part, part) for part in parts[::2]]
    values = [unquote(part) for part in parts[1::2]]
    if any(part in _NAMES for part in parts[::2]):
        notes.append("Names such as /gtin/ in the path are withdrawn; write the number, as /01/.")
    pairs: list[Pair] = []
    for number, value in zip(numbers, values, strict=True):
        application = known.get(number)
        if application is None:
            problems.append(_wrong(f"part /{number}/ of the path", number, "a GS1 identifier"))
            continue
        if number == "01" and value.isdigit() and len(value) in (8, 12, 13):
            notes.append("The GTIN has fewer than 14 digits; zeros belong in front.")
            value = value.zfill(14)
        pairs.append((application, value))
    problems += _order(pairs, numbers)
    for name, value in parse_qsl(urlsplit(text).query, keep_blank_values=True):
        application = known.get(name)
        if application is None:
            if name.isdigit():
                problems.append(_wrong(f"query {name}", name, "a GS1 identifier"))
            continue
        if application.in_query:
            pairs.append((application, value))
        else:
            problems.append(
                _wrong(f"query {name}", f"{name}={value}", "an identifier that is an attribute")
            )
    return pairs, problems, notes


def _order(pairs: list[Pair], numbers: list[str]) -> list[Problem]:
    if not pairs or pairs[0][0].qualifiers is None:
        return []
    followers = numbers[1:]
    for order in pairs[0][0].qualifiers:
        remaining = iter(order)
        if all(number in remaining for number in followers):
            return []
    allowed = " or ".join("/".join(order) for order in pairs[0][0].qualifiers if order) or "none"
    return [
        _wrong(
            f"qualifiers of key ({numbers[0]})",
            "/".join(followers),
            f"{allowed}, in this order",
        )
    ]


def _canonical(pairs: list[Pair]) -> str:
    if not pairs:
        return ""
    path, query = "", []
    for place, (application, value) in enumerate(pairs):
        follows = pairs[0][0].qualifiers or ()
        if place == 0 or any(application.number in order for order in follows):
            path += f"/{application.number}/{quote(value, safe='')}"
        else:
            query.append(f"{application.number}={quote(value, safe='')}")
    return f"https://id.gs1.org{path}" + (f"?{'&'.join(sorted(query))}" if query else "")


def _path(text: str) -> list[str]:
    try:
        path = urlsplit(text).path
    except ValueError:
        return []
    return [part for part in path.split("/") if part]


def _wrong(what: str, found: str, limit: str) -> Problem:
    return fault(
        "digital-link-malformed",
        what,
        found=found,
        limit=limit,
        remedy="have the label printed again with a Digital Link that follows the standard",
        rule=RULE,
    )
