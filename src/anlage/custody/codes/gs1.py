"""GS1 element strings: scanned with FNC1 separators, or typed in the printed form with brackets.

A separator stands only after values of variable length. Text with brackets is the printed form;
brackets inside a scanned GS1 symbol are a misprinted label and are refused.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

from anlage.base import Problem

from .application import Application, Component, applications, at_start, matches
from .check_character import CSET_82, check_pair, iban_holds, mod10
from .country import ALPHA_2, COUNTRY_NUMBERS, CURRENCY_NUMBERS
from .reading import Element, Reading, fault

RULE = "GS1 General Specifications"
SEPARATOR = "\x1d"
_SEPARATOR_FORMS = re.compile(r"␝|\{GS\}|<GS>|\[GS\]|\\x1d|\\u001d|\{FNC1\}|<FNC1>|\^\]|~1")
_SYMBOLOGY = re.compile(r"\](?:C1|d2|Q3|e0|e1|e2|J1|z1)")
_BRACKETED = re.compile(r"\((\d{2,4})\)")
_CHARSETS = {
    "N": (frozenset("0123456789"), "digits"),
    "X": (frozenset(CSET_82), "letters, digits and GS1 punctuation"),
    "Y": (frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ#-/"), "capital letters, digits, # - /"),
    "Z": (
        frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="),
        "base64url characters",
    ),
}
_ELEMENTS_MAX = 60

Pair = tuple[Application, str]


def looks_like(text: str) -> bool:
    """Tell whether a text is an element string, scanned or printed."""
    if _SYMBOLOGY.match(text) or _BRACKETED.match(text):
        return True
    plain = with_separators(text)
    return at_start(plain.lstrip(SEPARATOR)) is not None and plain[:1] in "0123456789" + SEPARATOR


def with_separators(text: str) -> str:
    """Give the text with every visible form of FNC1 written as the separator character."""
    return _SEPARATOR_FORMS.sub(SEPARATOR, text)


def decode(text: str, today: date) -> Reading:
    """Read an element string; `today` settles the century of two-digit years.

    Example:
        >>> decode("(01)09506000134352(17)261231(10)ABC", date(2026, 1, 1)).fields["expiry"]
        '2026-12-31'
    """
    symbology = _SYMBOLOGY.match(text)
    body = with_separators(text[3:] if symbology else text).removeprefix(SEPARATOR)
    printed = _BRACKETED.match(body) is not None
    if symbology and printed:
        return Reading(kind="gs1-element-string", raw=text, problems=(_brackets_printed(body),))
    pairs, problems, notes = split_printed(body) if printed else _split_scanned(body)
    single = symbology is not None and symbology[0] == "]C1"
    elements, inner, more = read_pairs(pairs, today)
    problems += inner
    pairing = pairing_problems(pairs)
    if single and len(pairs) < 4:
        # A linear symbol may carry half of what the label says; its partner stands beside it.
        notes += [str(p) for p in pairing if p.code == "gs1-partner-missing"]
        pairing = [p for p in pairing if p.code != "gs1-partner-missing"]
    return Reading(
        kind="gs1-element-string",
        raw=text,
        elements=tuple(elements),
        problems=(*problems, *pairing),
        notes=tuple(notes),
        more=tuple(more),
    )


def read_pairs(
    pairs: list[Pair], today: date
) -> tuple[list[Element], list[Problem], list[tuple[str, str]]]:
    """Read and check values that belong to known application identifiers."""
    elements: list[Element] = []
    problems: list[Problem] = []
    for application, value in pairs:
        problems += check_value(application, value)
        meant = _meaning(application, value, today)
        elements.append(
            Element(
                code=f"({application.number})",
                name=application.name,
                raw=value,
                value=meant,
                meaning=f"{application.title}: {meant}.",
            )
        )
    more = [(a.number, v) for a, v in pairs]
    return elements, problems, more


def check_value(application: Application, value: str) -> list[Problem]:
    """Give what is wrong with one value: characters, length, check digits, dates, codes."""
    what = f"({application.number}) {application.title}"
    problems: list[Problem] = []
    at = 0
    for component in application.components:
        if component.optional and at >= len(value):
            break
        part = value[at : at + component.length_max]
        at += len(part)
        problems += _check_component(what, component, part)
    if at < len(value):
        problems.append(
            fault(
                "gs1-value-too-long",
                what,
                found=f"{len(value)} characters: {value}",
                limit=f"{application.length_max} characters",
                remedy="a separator (FNC1) is missing after this value: set the scanner to send"
                " FNC1 as GS, or have the label replaced",
                rule=RULE,
            )
        )
    return problems


def pairing_problems(pairs: list[Pair]) -> list[Problem]:
    """Give what is wrong with the values taken together: repeated, excluded, alone."""
    problems: list[Problem] = []
    present = {application.number: value for application, value in pairs}
    seen: dict[str, str] = {}
    for application, value in pairs:
        before = seen.setdefault(application.number, value)
        if before != value:
            problems.append(
                _pairing(
                    "gs1-repeated",
                    application,
                    f"{before} and {value}",
                    "one value",
                    "print the label again: it says two different things",
                )
            )
    for application, _ in pairs:
        for pattern in application.excludes:
            others = [n for n in present if n != application.number and matches(pattern, n)]
            problems += [
                _pairing(
                    "gs1-excluded",
                    application,
                    f"({other}) beside it",
                    f"no ({other}) on the same item",
                    "print the label again with one of the two",
                )
                for other in others
            ]
        if application.requires and not any(
            all(any(matches(p, n) for n in present) for p in group)
            for group in application.requires
        ):
            allowed = ", ".join(
                " with ".join(f"({p})" for p in group) for group in application.requires
            )
            problems.append(
                _pairing(
                    "gs1-partner-missing",
                    application,
                    "it stands without its partner",
                    f"together with one of {allowed}",
                    "scan the other code of the label too, or add the missing element",
                )
            )
    return problems


def gs1_date(text: str, today: date) -> date | None:
    """Give the date of YYMMDD; day 00 is the last of the month; None when there is none.

    The century is that which puts the year within 49 years back and 50 years ahead of today.
    """
    if not (len(text) == 6 and text.isascii() and text.isdigit()):
        return None
    year = today.year // 100 * 100 + int(text[:2])
    if year - today.year >= 51:
        year -= 100
    elif today.year - year >= 50:
        year += 100
    month, day = int(text[2:4]), int(text[4:])
    if not 1 <= month <= 12:
        return None
    try:
        if day:
            return date(year, month, day)
        following = date(year + month // 12, month % 12 + 1, 1)
    except ValueError:
        return None
    return following - timedelta(days=1)


def element_string(pairs: list[tuple[str, str]]) -> str:
    """Write an element string with separators, values of predefined length first.

    Example:
        >>> element_string([("10", "ABC"), ("01", "09506000134352")])
        '010950600013435210ABC'
    """
    known = applications()
    ordered = sorted(pairs, key=lambda pair: not known[pair[0]].predefined)
    text = ""
    for place, (number, value) in enumerate(ordered):
        last = place == len(ordered) - 1
        text += number + value + ("" if last or known[number].predefined else SEPARATOR)
    return text


def split_printed(body: str) -> tuple[list[Pair], list[Problem], list[str]]:
    """Take the printed form apart: pairs, problems and notes."""
    known = applications()
    pairs: list[Pair] = []
    problems: list[Problem] = []
    marks = [m for m in _BRACKETED.finditer(body) if m[1] in known or m.start() == 0]
    for place, mark in enumerate(marks[:_ELEMENTS_MAX]):
        end = marks[place + 1].start() if place + 1 < len(marks) else len(body)
        value = body[mark.end() : end].strip(SEPARATOR).strip()
        application = known.get(mark[1])
        if application is None:
            problems.append(_unknown(mark[1], mark.start()))
        else:
            pairs.append((application, value))
    return pairs, problems, []


def _split_scanned(body: str) -> tuple[list[Pair], list[Problem], list[str]]:
    pairs: list[Pair] = []
    notes: list[str] = []
    at = 0
    for _ in range(_ELEMENTS_MAX):
        if at >= len(body):
            return pairs, [], notes
        if body[at] == SEPARATOR:
            at += 1
            continue
        application = at_start(body[at:])
        if application is None:
            return pairs, [_unknown(body[at : at + 4], at)], notes
        start = at + len(application.number)
        stop = body.find(SEPARATOR, start)
        stop = len(body) if stop < 0 else stop
        fixed = all(c.length_min == c.length_max and not c.optional for c in application.components)
        if fixed and (application.predefined or stop - start > application.length_max):
            stop = min(stop, start + application.length_max)
        value = body[start:stop]
        pairs.append((application, value))
        if stop == len(body) and not fixed and (tail := _hidden_tail(value)):
            notes.append(
                f"({application.number}) {value} runs to the end of the code; {tail} inside it"
                " could be another element whose separator (FNC1) is missing."
            )
        at = stop
    problem = fault(
        "gs1-too-many",
        "element string",
        found=f"more than {_ELEMENTS_MAX} elements",
        limit=f"{_ELEMENTS_MAX} elements",
        remedy="scan one symbol at a time",
        rule=RULE,
    )
    return pairs, [problem], notes


def _hidden_tail(value: str) -> str:
    """Give an expiry, lot or serial that seems to hide at the end of a value."""
    match = re.search(r"(17|11|15)(\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])$", value)
    return f"({match[1]}){value[match.start() + 2 :]}" if match and match.start() else ""


def _check_component(what: str, component: Component, part: str) -> list[Problem]:
    allowed, words = _CHARSETS[component.charset]
    exact = component.length_min == component.length_max
    length = str(component.length_max) if exact else f"1 to {component.length_max}"
    if not component.length_min <= len(part) <= component.length_max:
        return [
            fault(
                "gs1-length-wrong",
                what,
                found=f"{len(part)} characters: {part}",
                limit=f"{length} {words}",
                remedy="scan again; if it repeats, have the label replaced",
                rule=RULE,
            )
        ]
    strange = [character for character in part if character not in allowed]
    if strange:
        return [
            fault(
                "gs1-character-wrong",
                what,
                found=f"{strange[0]!r} in {part}",
                limit=words,
                remedy="check the scanner's keyboard layout, then scan again",
                rule=RULE,
            )
        ]
    problems = []
    for check in component.checks:
        limit = _CHECKS[check](part)
        if limit:
            problems.append(
                fault(
                    "check-digit-wrong" if check in ("csum", "csumalpha", "iban") else "gs1-value",
                    what,
                    found=part,
                    limit=limit,
                    remedy="scan again; if it repeats, the label is wrong: hold the item",
                    rule=f"{RULE} 7.9" if check.startswith("csum") else RULE,
                )
            )
    return problems


def _month_day(part: str, zero_day: bool) -> bool:
    if gs1_date(part, date(2020, 1, 1)) is None:
        return False
    return zero_day or part[4:] != "00"


def _is_long_date(part: str) -> bool:
    try:
        datetime.strptime(part, "%Y%m%d")
    except ValueError:
        return False
    return True


def _number_within(low: int, high: int) -> Callable[[str], bool]:
    return lambda part: part.isdigit() and low <= int(part) <= high


def _percent_encoded(part: str) -> bool:
    return re.search(r"%(?![0-9A-Fa-f]{2})", part) is None


def _piece_of_total(part: str) -> bool:
    return part[:2] != "00" and part[2:] != "00" and int(part[:2]) <= int(part[2:])


def _position(part: str) -> bool:
    match = re.fullmatch(r"(\d)/(\d)", part)
    return match is not None and "0" not in part and int(match[1]) <= int(match[2])


def _rule(holds: Callable[[str], bool], limit: str) -> Callable[[str], str]:
    return lambda part: "" if holds(part) else limit


_CHECKS: dict[str, Callable[[str], str]] = {
    "csum": lambda part: (
        "" if part[-1] == mod10(part[:-1]) else f"check digit {mod10(part[:-1])} at the end"
    ),
    "csumalpha": lambda part: (
        ""
        if len(part) > 2 and part[-2:] == check_pair(part[:-2])
        else "the check character pair that the key gives"
    ),
    "yymmd0": _rule(lambda p: _month_day(p, True), "a date YYMMDD (day 00: end of month)"),
    "yymmdd": _rule(lambda p: _month_day(p, False), "a date YYMMDD"),
    "yyyymmdd": _rule(_is_long_date, "a date YYYYMMDD"),
    "hhmi": _rule(lambda p: int(p[:2]) < 24 and int(p[2:]) < 60, "a time hhmm from 0000 to 2359"),
    "hh": _rule(_number_within(0, 23), "an hour 00 to 23"),
    "mi": _rule(_number_within(0, 59), "a minute 00 to 59"),
    "ss": _rule(_number_within(0, 59), "a second 00 to 59"),
    "iso3166": _rule(COUNTRY_NUMBERS.__contains__, "a three-digit country code of ISO 3166"),
    "iso3166999": _rule(
        lambda p: p == "999" or p in COUNTRY_NUMBERS, "a country code of ISO 3166, or 999"
    ),
    "iso3166alpha2": _rule(ALPHA_2.__contains__, "a two-letter country code of ISO 3166"),
    "iso4217": _rule(CURRENCY_NUMBERS.__contains__, "a three-digit currency code of ISO 4217"),
    "iso5218": _rule(lambda p: p in "0129", "0, 1, 2 or 9 (ISO 5218)"),
    "iban": _rule(iban_holds, "an account number whose check digits hold"),
    "pcenc": _rule(_percent_encoded, "percent-encoded text (% and two hexadecimal digits)"),
    "yesno": _rule(lambda p: p in "01", "0 or 1"),
    "zero": _rule(lambda p: p == "0", "0"),
    "nonzero": _rule(lambda p: int(p) > 0, "a number above zero"),
    "nozeroprefix": _rule(lambda p: p == "0" or p[0] != "0", "no zero in front"),
    "hasnondigit": _rule(lambda p: not p.isdigit(), "at least one character that is no digit"),
    "hyphen": _rule(lambda p: p == "-", "- for below zero, or nothing"),
    "latitude": _rule(_number_within(0, 1_800_000_000), "0000000000 to 1800000000"),
    "longitude": _rule(_number_within(0, 3_600_000_000), "0000000000 to 3600000000"),
    "winding": _rule(lambda p: p in "019", "0, 1 or 9"),
    "pieceoftotal": _rule(_piece_of_total, "piece and total, from 0101, piece not above total"),
    "posinseqslash": _rule(_position, "place and total such as 1/2"),
    "mediatype": _rule(
        lambda p: _number_within(1, 10)(p) or _number_within(80, 99)(p), "01 to 10, or 80 to 99"
    ),
    "importeridx": _rule(lambda p: p.isalnum() or p in "-_", "a letter, digit, - or _"),
    "packagetype": _rule(
        lambda p: re.fullmatch(r"[0-9A-Z]{1,4}", p) is not None, "a package type code"
    ),
    "couponcode": _rule(lambda p: p.isdigit() and len(p) > 10, "a coupon's digits"),
    "couponposoffer": _rule(lambda p: p.isdigit() and p[0] in "01", "a positive offer's digits"),
}


def _meaning(application: Application, value: str, today: date) -> str:
    number = application.number
    first = application.components[0]
    if first.checks[:1] in (("yymmd0",), ("yymmdd",)):
        day = gs1_date(value[:6], today)
        if day is None:
            return value
        clock = value[6:]
        if len(clock) >= 4 and clock.isdigit():
            return f"{day.isoformat()}T{clock[:2]}:{clock[2:4]}"
        if len(clock) == 2 and clock.isdigit():
            return f"{day.isoformat()}T{clock}:00"
        return day.isoformat()
    if "yyyymmdd" in first.checks and _is_long_date(value[:8]):
        return f"{value[:4]}-{value[4:6]}-{value[6:8]}" + (
            f"T{value[8:10]}:{value[10:]}" if len(value) == 12 else ""
        )
    if len(number) == 4 and "3100" <= number <= "3699" and value.isdigit():
        return _decimal(value, int(number[3]))
    if number in ("4330", "4331", "4332", "4333") and value[:6].isdigit():
        return ("-" if value.endswith("-") else "") + _decimal(value[:6], 2)
    if len(number) == 4 and number[:3] in ("390", "392", "394", "395") and value.isdigit():
        return _decimal(value, int(number[3]))
    return value


def _decimal(digits: str, places: int) -> str:
    whole = digits.zfill(places + 1)
    left = (whole[:-places] if places else whole).lstrip("0") or "0"
    return left + (f".{whole[-places:]}" if places else "")


def _unknown(found: str, at: int) -> Problem:
    return fault(
        "gs1-identifier-unknown",
        f"application identifier at character {at + 1}",
        found=found,
        limit="a GS1 application identifier",
        remedy="if a separator (FNC1) is missing before it, set the scanner to send FNC1 as GS;"
        " else hold the item and have the label replaced",
        rule=RULE,
    )


def _brackets_printed(body: str) -> Problem:
    return fault(
        "gs1-brackets-in-symbol",
        "scanned GS1 symbol",
        found=body,
        limit="application identifiers without brackets",
        remedy="the label was printed wrongly, with the printed form inside the bars:"
        " have it replaced",
        rule=RULE,
    )


def _pairing(code: str, application: Application, found: str, limit: str, remedy: str) -> Problem:
    return fault(
        code,
        f"({application.number}) {application.title}",
        found=found,
        limit=limit,
        remedy=remedy,
        rule=f"{RULE} 4.13, 4.14",
    )
