"""ISBT 128: the data structures of donation, product, division, date and chain-of-identity codes.

Structure and algorithm only (ICCBBA ST-001): no facility, product or collection-type names are
resolved, because those tables belong to ICCBBA and its registered users. Use of ISBT 128 needs
registration with ICCBBA.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from anlage.base import Problem

from .check_character import ALPHABET_37, mod37_2
from .reading import Element, Reading, fault

RULE = "ICCBBA ST-001"
_FIN = r"[A-NP-Z1-9][A-NP-Z0-9]{2}\d{2}"
_DIN = re.compile(rf"({_FIN})(\d{{2}})(\d{{6}})(\d{{2}})")
_TYPED_DIN = re.compile(rf"{_FIN}\d{{8}}")
_PRODUCT = re.compile(r"([A-FHMNPRSTVWXY])(\d{4})([A-Z0-9])([A-Z0-9])([a-z0-9])")
_COI = re.compile(rf"CH({_FIN})(\d{{2}})([A-NP-Z0-9]{{6}})")
_FIRST_OF_DIN = frozenset("ABCDEFGHIJKLMNPQRSTUVWXYZ123456789")
_DATED = {
    "01": "expiry",
    "02": "collection",
    "03": "production",
    "04": "cross-clamp",
    "05": "preservation",
    "06": "donor death",
}
_STRUCTURES_MAX = 40

Found = tuple[list[Element], list[Problem]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """One data structure: how it is announced, how long it is, how it is read.

    `length` counts the content after the identifier, but a donation number counts from the
    second character of its identifier, which is data too. None: the content says how long it is.
    """

    number: str
    identifier: str
    name: str
    length: int | None
    read: Callable[["Structure", str], Found]


def looks_like(text: str) -> bool:
    """Tell whether a text opens with an ISBT 128 data identifier."""
    return len(text) > 1 and text[0] in "=&" and not text[1].isspace() and text[1].isprintable()


def decode(text: str) -> Reading:
    """Read one structure, a run of structures, or a compound message.

    Example:
        >>> reading = decode("=G12341765432170")
        >>> reading.valid, reading.fields["donation_number"], reading.fields["check_character"]
        (True, 'G123417654321', 'A')
    """
    if text.startswith("=+"):
        return _compound(text)
    elements: list[Element] = []
    problems: list[Problem] = []
    numbers: list[str] = []
    for number, found in _structures(text):
        numbers.append(number)
        elements += found[0]
        problems += found[1]
    problems += _divided(elements)
    kind = _KINDS.get(numbers[0], "isbt128") if len(numbers) == 1 else "isbt128-sequence"
    return Reading(
        kind=kind, raw=text, elements=tuple(elements), problems=tuple(problems), notes=_note(text)
    )


def typed_identifier(text: str) -> Reading | None:
    """Read a donation number or chain-of-identity number typed from the printed text.

    The printed text ends with the check character in a box, which a scan does not hold; without
    it a typed number is refused. None when the text is neither.
    """
    plain = re.sub(r"[\s-]", "", text)
    for name, form, label in (
        ("chain_of_identity", _COI, "chain-of-identity number"),
        ("donation_number", _TYPED_DIN, "donation number"),
    ):
        if not form.fullmatch(plain[:-1]):
            continue
        body, given = plain[:-1], plain[-1]
        expected = ALPHABET_37[mod37_2(body)]
        problems: tuple[Problem, ...] = ()
        if given != expected:
            problems = (
                fault(
                    "check-character-wrong",
                    f"check character of the {label} {body}",
                    found=given,
                    limit="the character that the number itself gives",
                    remedy="scan the code, or type it again as printed",
                    rule=f"{RULE} 7.5, ISO 7064 mod 37-2",
                ),
            )
        kind = "isbt128-coi" if name == "chain_of_identity" else "isbt128-din"
        return Reading(
            kind=kind,
            raw=text,
            elements=(
                Element(
                    code="typed",
                    name=name,
                    raw=body,
                    value=body,
                    meaning=f"{label[:1].upper()}{label[1:]}, typed from the printed text.",
                ),
                Element(
                    code="K",
                    name="check_character",
                    raw=given,
                    value=given,
                    meaning="Check character, printed in a box.",
                ),
            ),
            problems=problems,
        )
    return None


def donation_identifier(number: str) -> str:
    """Give the code content of a 13-character donation number with its type-3 flags.

    Example:
        >>> donation_identifier("A999818123456")
        '=A99981812345683'
    """
    return f"={number}{60 + mod37_2(number):02d}"


def compound_message(structures: list[str]) -> str:
    """Join structures to the compound message that goes into a two-dimensional symbol."""
    return f"=+{len(structures):02d}000{''.join(structures)}"


def _compound(text: str) -> Reading:
    head = text[2:7]
    problems: list[Problem] = []
    elements: list[Element] = []
    if not (len(head) == 5 and head.isascii() and head.isdigit()):
        problems.append(
            _malformed("compound message header", head, "two digits of count and three of order")
        )
        return Reading(kind="isbt128-compound", raw=text, problems=tuple(problems))
    declared, order = int(head[:2]), head[2:]
    elements.append(
        Element(
            code="=+",
            name="structures_declared",
            raw=head,
            value=str(declared),
            meaning=f"Compound message of {declared} data structures"
            + (", in no stated order." if order == "000" else f", in order {order}."),
        )
    )
    found = list(_structures(text[7:])) if text[7:] else []
    for _, (inner, wrong) in found:
        elements += inner
        problems += wrong
    if declared != len(found):
        problems.insert(
            0,
            fault(
                "compound-count-wrong",
                "count of structures in the compound message",
                found=f"{len(found)} structures",
                limit=f"{declared}, as the message declares",
                remedy="reject the whole label, print it again and scan it again",
                rule=f"{RULE} data structure 023",
            ),
        )
    problems += _divided(elements)
    return Reading(
        kind="isbt128-compound",
        raw=text,
        elements=tuple(elements),
        problems=tuple(problems),
        notes=_note(text),
    )


def _structures(text: str) -> Iterator[tuple[str, Found]]:
    """Give each structure's number and what it holds; stops at what cannot be read."""
    at = 0
    for _ in range(_STRUCTURES_MAX):
        if at >= len(text):
            return
        structure = _structure_at(text, at)
        if structure is None:
            shown = text[at : at + 3]
            yield (
                "?",
                (
                    [],
                    [
                        fault(
                            "data-identifier-unknown",
                            f"data identifier at character {at + 1}",
                            found=shown,
                            limit=" ".join(known.identifier for known in STRUCTURES),
                            remedy="check that the label is ISBT 128 and that the scanner sends"
                            " = and & unchanged (keyboard layout)",
                            rule=RULE,
                        )
                    ],
                ),
            )
            return
        start = at + len(structure.identifier)
        content = text[start:]
        length = structure.length
        if structure.number == "025":
            length = 4 + int(content[2:4]) if content[2:4].isdigit() else 4
        if length is not None:
            content = content[:length]
        at = start + len(content)
        if length is not None and len(content) < length:
            problem = _malformed(
                f"{structure.name.replace('_', ' ')} ({structure.identifier})",
                f"{len(content)} characters: {content}",
                f"{length} characters",
            )
            yield structure.number, ([], [problem])
            return
        yield structure.number, structure.read(structure, content)
    yield (
        "?",
        (
            [],
            [_malformed("run of structures", "more structures", f"{_STRUCTURES_MAX} structures")],
        ),
    )


def _structure_at(text: str, at: int) -> Structure | None:
    if text[at] == "=" and text[at + 1 : at + 2] in _FIRST_OF_DIN:
        return _BY_IDENTIFIER["="]
    return _BY_IDENTIFIER.get(text[at : at + 3]) or _BY_IDENTIFIER.get(text[at : at + 2])


def _divided(elements: list[Element]) -> list[Problem]:
    """A product code that ends in 99 needs its division structure, and the other way round."""
    products = [element for element in elements if element.name == "product_code"]
    divisions = [element for element in elements if element.name == "division"]
    if not products:
        return []
    points_away = any(element.raw.endswith("99") for element in products)
    if bool(divisions) == points_away or (points_away and len(elements) == 1):
        return []
    if not divisions and len(elements) <= 4:  # the product code alone, its division on another code
        return []
    return [
        fault(
            "division-mismatch",
            "division of the product",
            found="a division structure" if divisions else "no division structure",
            limit="product code ending in 99 together with a division structure, or neither",
            remedy="scan the division code as well, or print the label again",
            rule=f"{RULE} data structure 032",
        )
    ]


def _note(text: str) -> tuple[str, ...]:
    return (
        ("Facility, product and collection type are not named: their tables belong to ICCBBA.",)
        if "=<" in text
        else ()
    )


def _malformed(what: str, found: str, limit: str) -> Problem:
    return fault(
        "structure-malformed",
        what,
        found=found or "nothing",
        limit=limit,
        remedy="scan again; if it repeats, quarantine the item and have the label replaced",
        rule=RULE,
    )


def _one(structure: Structure, raw: str, value: str, meaning: str) -> list[Element]:
    return [
        Element(
            code=structure.identifier,
            name=structure.name,
            raw=raw,
            value=value,
            meaning=meaning,
        )
    ]


def _read_din(structure: Structure, content: str) -> Found:
    match = _DIN.fullmatch(content)
    if match is None:
        return [], [
            _malformed(
                "donation number",
                content,
                "five characters of facility, two of year, six of serial, two of flags",
            )
        ]
    facility, year, serial, flags = match.groups()
    number = content[:13]
    checksum = mod37_2(number)
    meaning, problems = _flags(number, int(flags), checksum)
    elements = [
        *_one(structure, content, number, f"Donation {number}."),
        Element(
            code="FIN", name="facility", raw=facility, value=facility, meaning="Issuing facility."
        ),
        Element(
            code="yy", name="year", raw=year, value=f"20{year}", meaning=f"Nominal year 20{year}."
        ),
        Element(code="nnnnnn", name="serial", raw=serial, value=serial, meaning="Serial number."),
        Element(code="ff", name="flags", raw=flags, value=flags, meaning=meaning),
        Element(
            code="K",
            name="check_character",
            raw="",
            value=ALPHABET_37[checksum],
            meaning="Check character, printed in a box beside the number; not in the bars.",
        ),
    ]
    return elements, problems


def _flags(number: str, flags: int, checksum: int) -> tuple[str, list[Problem]]:
    if flags == 0:
        return "Flags not used.", []
    if flags <= 19:
        return f"Process-control flag {flags:02d}.", []
    if flags <= 59:
        return f"Flag {flags:02d} of local meaning.", []
    if flags <= 96:
        if flags == 60 + checksum:
            return "Type 3 check of the donation number; it holds.", []
        return "Type 3 check of the donation number; it does not hold.", [
            fault(
                "check-flag-wrong",
                f"type 3 check flags of donation {number}",
                found=f"{flags:02d}",
                limit=f"{60 + checksum:02d}",
                remedy="scan again; if it repeats, quarantine the item: its number is not sure",
                rule=f"{RULE} appendix A, ISO 7064 mod 37-2",
            )
        ]
    return f"Reserved flags {flags:02d}.", [
        _malformed(f"flags of donation {number}", f"{flags:02d}", "00 to 96; 97 to 99 are reserved")
    ]


def _read_product(structure: Structure, content: str) -> Found:
    match = _PRODUCT.fullmatch(content)
    if match is None:
        return [], [
            _malformed(
                "product code",
                content,
                "a class letter, four digits, collection type and two of division",
            )
        ]
    letter, _, kind, first, second = match.groups()
    divided = content[5:]
    problems: list[Problem] = []
    if letter in "MNRTVW":
        if not divided.isdigit():
            problems.append(_malformed(f"division of product {content}", divided, "three digits"))
        division = "undivided" if divided == "000" else f"division {divided}"
        sort = None
    else:
        sort = kind
        elsewhere = first + second == "99"
        if not elsewhere and letter not in "ABCD":
            if not (first == "0" or first.isupper()) or not (second == "0" or second.islower()):
                problems.append(
                    _malformed(
                        f"division of product {content}",
                        first + second,
                        "00, or a capital letter and then 0 or a small letter",
                    )
                )
            elif first == "0" and second != "0":
                problems.append(
                    _malformed(
                        f"division of product {content}",
                        first + second,
                        "a first division before a second",
                    )
                )
        division = (
            "stated in its own division code"
            if elsewhere
            else "undivided"
            if first + second == "00"
            else f"division {first + second}"
        )
    elements = _one(
        structure, content, content, f"Product {content[:5]} ({_CLASSES[letter]}), {division}."
    )
    elements.append(
        Element(
            code="αoooo",
            name="product_description",
            raw=content[:5],
            value=content[:5],
            meaning=f"Product description code, class {_CLASSES[letter]}.",
        )
    )
    if sort is not None:
        elements.append(
            Element(
                code="t",
                name="collection_type",
                raw=sort,
                value=sort,
                meaning="Collection type, or use intended.",
            )
        )
    elements.append(
        Element(
            code="ds",
            name="product_division",
            raw=divided if sort is None else divided[1:],
            value=division,
            meaning=division[:1].upper() + division[1:] + ".",
        )
    )
    return elements, problems


_CLASSES = {
    **dict.fromkeys("ABCD", "national or local use"),
    **dict.fromkeys("EF", "blood component"),
    "H": "cell therapy with an international non-proprietary name",
    "P": "regenerated tissue",
    "S": "cell therapy",
    "T": "tissue",
    "X": "other blood product",
    "Y": "clinical trial",
    **dict.fromkeys("MNRVW", "other medical product of human origin"),
}


def _read_division(structure: Structure, content: str) -> Found:
    if content.isascii() and content.isdigit():
        value = "undivided" if content == "000000" else content
        return _one(structure, content, value, f"Division {value}, one level."), []
    levels = [content[at : at + 2] for at in (0, 2, 4)]
    if all(re.fullmatch(r"[A-Z0-9]{2}", level) for level in levels):
        used = [level for level in levels if level != "00"]
        return _one(structure, content, " ".join(used), f"Division of {len(used)} levels."), []
    return [], [_malformed("division", content, "six digits, or three pairs of letters")]


def _day(text: str) -> date | None:
    """Give the date of cyyjjj; None when there is no such day."""
    if not (text.isascii() and text.isdigit()) or text[0] not in "019":
        return None
    year = {"9": 1900, "0": 2000, "1": 2100}[text[0]] + int(text[1:3])
    ordinal = int(text[3:6])
    first = date(year, 1, 1)
    day = first + timedelta(days=ordinal - 1)
    return day if ordinal and day.year == year else None


def _read_day(structure: Structure, content: str) -> Found:
    day = _day(content)
    if day is None:
        return [], [
            _malformed(
                structure.name.replace("_", " "),
                content,
                "century digit (0 for 20xx), two digits of year, day of the year 001 to 366",
            )
        ]
    until = " Valid to the end of the day." if structure.name == "expiry" else ""
    text = f"{structure.name.capitalize()} on {day.isoformat()}.{until}"
    return _one(structure, content, day.isoformat(), text), []


def _read_moment(structure: Structure, content: str) -> Found:
    day = _day(content[:6])
    clock = content[6:]
    if day is None or not re.fullmatch(r"([01]\d|2[0-3])[0-5]\d", clock):
        return [], [
            _malformed(
                structure.name.replace("_", " "),
                content,
                "century digit, year, day of the year, hour and minute",
            )
        ]
    value = f"{day.isoformat()}T{clock[:2]}:{clock[2:]}"
    name = structure.name.removesuffix("_time").capitalize()
    return _one(structure, content, value, f"{name} at {value}, local time."), []


def _read_standard_time(structure: Structure, content: str) -> Found:
    try:
        at = datetime.strptime(content[4:], "%Y%m%d%H%M")
    except ValueError:
        at = None
    kind = _DATED.get(content[2:4])
    if at is None or content[0] not in "12" or content[1] != "0" or kind is None:
        return [], [
            _malformed(
                "date and time",
                content,
                "1 or 2 (local or UTC), 0, type 01 to 06, YYYYMMDDhhmm",
            )
        ]
    zone = "Z" if content[0] == "2" else ""
    value = at.strftime("%Y-%m-%dT%H:%M") + zone
    element = Element(
        code=structure.identifier,
        name=kind.replace(" ", "_").replace("-", "_") + "_time",
        raw=content,
        value=value,
        meaning=f"{kind[:1].upper()}{kind[1:]} at {value}, {'UTC' if zone else 'local time'}.",
    )
    return [element], []


def _facility_and(count: int) -> re.Pattern[str]:
    return re.compile(rf"({_FIN})([A-Z0-9]{{{count}}})")


_DONOR, _STAFF = _facility_and(16), _facility_and(6)
_PROCESSOR_PRODUCT = re.compile(rf"({_FIN})([A-Z0-9]{{6}})([A-Z]\d{{4}})")


def _read_person(structure: Structure, content: str) -> Found:
    form = _DONOR if structure.length == 21 else _STAFF
    match = form.fullmatch(content)
    if match is None:
        count = (structure.length or 0) - 5
        return [], [
            _malformed(
                structure.name.replace("_", " "),
                content,
                f"five characters of facility and {count} capital letters or digits",
            )
        ]
    label = structure.name.replace("_", " ")
    elements = _one(
        structure, content, content, f"{label[:1].upper()}{label[1:]} {match[2]} of {match[1]}."
    )
    return elements, []


def _read_processor_product(structure: Structure, content: str) -> Found:
    match = _PROCESSOR_PRODUCT.fullmatch(content)
    if match is None:
        return [], [
            _malformed(
                "processor's product code",
                content,
                "five characters of facility, six of its own code, a letter and four digits",
            )
        ]
    meaning = f"Product {match[2]} of facility {match[1]}, description code {match[3]}."
    return _one(structure, content, content, meaning), []


def _read_patient(structure: Structure, content: str) -> Found:
    held = content[4:]
    if not content[:4].isdigit() or int(content[2:4]) != len(held) or not held:
        return [], [
            _malformed("patient number", content, "location (2 digits), length (2 digits), number")
        ]
    return _one(structure, content, held, f"Patient number, found at location {content[:2]}."), []


def _read_birth(structure: Structure, content: str) -> Found:
    # ICCBBA ST-001 v6.2.2, 2.4.24: two digits for where it was found, then the date.
    try:
        born = datetime.strptime(content[2:], "%Y%m%d").date()
    except ValueError:
        born = None
    if born is None or not content.isdigit():
        limit = "location code (2 digits), YYYYMMDD"
        return [], [_malformed("date of birth", content, limit)]
    meaning = f"Patient's date of birth, found at location {content[:2]}."
    return _one(structure, content, born.isoformat(), meaning), []


def _read_lot(structure: Structure, content: str) -> Found:
    if not re.fullmatch(r"[A-Z0-9]{18}", content):
        return [], [
            _malformed(structure.name.replace("_", " "), content, "18 capital letters or digits")
        ]
    value = content.lstrip("0") or "0"
    label = structure.name.replace("_", " ")
    return _one(structure, content, value, f"{label[:1].upper()}{label[1:]} {value}."), []


def _read_group(structure: Structure, content: str) -> Found:
    if not re.fullmatch(r"[0-9A-Za-z]{2}[0-9A-Z]{2}", content):
        return [], [_malformed("blood group", content, "four letters or digits")]
    return _one(structure, content, content, "Blood group code (its table belongs to ICCBBA)."), []


def _read_sec(structure: Structure, content: str) -> Found:
    from .sec import decode as decode_sec

    inner = decode_sec(content)
    head = _one(structure, content, content, "Single European Code.")
    return [*head, *inner.elements], list(inner.problems)


def _read_grid(structure: Structure, content: str) -> Found:
    if not re.fullmatch(r"\d{4}[A-Z0-9]{13}\d{2}", content):
        return [], [
            _malformed("donor registration number", content, "4 digits, 13 characters, 2 digits")
        ]
    expected = mod37_2(content[:17])
    problems = []
    if int(content[17:]) != expected:
        problems.append(
            fault(
                "check-character-wrong",
                f"checksum of donor registration number {content[:17]}",
                found=content[17:],
                limit=f"{expected:02d}",
                remedy="scan again; if it repeats, ask the registry for the number",
                rule=f"{RULE} data structure 039, ISO 7064 mod 37-2",
            )
        )
    return (
        _one(
            structure, content, content, f"Donor {content} of registry organisation {content[:4]}."
        ),
        problems,
    )


def _read_coi(structure: Structure, content: str) -> Found:
    match = _COI.fullmatch(content)
    if match is None:
        return [], [
            _malformed(
                "chain-of-identity number",
                content,
                "CH, five characters of facility, two of year, six of serial",
            )
        ]
    elements = [
        *_one(structure, content, content, f"Chain of identity {content}."),
        Element(
            code="FIN", name="facility", raw=match[1], value=match[1], meaning="Assigning facility."
        ),
        Element(
            code="yy",
            name="year",
            raw=match[2],
            value=f"20{match[2]}",
            meaning=f"Nominal year 20{match[2]}.",
        ),
        Element(
            code="K",
            name="check_character",
            raw="",
            value=ALPHABET_37[mod37_2(content)],
            meaning="Check character, printed beside the number; not in the bars.",
        ),
    ]
    return elements, []


def _of(
    number: str,
    identifier: str,
    name: str,
    length: int | None,
    read: Callable[[Structure, str], Found],
) -> Structure:
    return Structure(number=number, identifier=identifier, name=name, length=length, read=read)


STRUCTURES = (
    _of("001", "=", "donation_number", 15, _read_din),
    _of("002", "=%", "blood_group", 4, _read_group),
    _of("003", "=<", "product_code", 8, _read_product),
    _of("004", "=>", "expiry", 6, _read_day),
    _of("005", "&>", "expiry_time", 10, _read_moment),
    _of("006", "=*", "collection", 6, _read_day),
    _of("007", "&*", "collection_time", 10, _read_moment),
    _of("008", "=}", "production", 6, _read_day),
    _of("009", "&}", "production_time", 10, _read_moment),
    _of("019", "=;", "donor_number", 21, _read_person),
    _of("020", "='", "staff_number", 11, _read_person),
    _of("024", "=#", "patient_birth", 10, _read_birth),
    _of("025", "&#", "patient_number", None, _read_patient),
    _of("031", "=(", "date_and_time", 16, _read_standard_time),
    _of("032", "=,", "division", 6, _read_division),
    _of("033", "&+", "processing_facility", 11, _read_person),
    _of("034", "=/", "processor_product", 16, _read_processor_product),
    _of("035", "&,1", "product_lot", 18, _read_lot),
    _of("036", "&,2", "supplementary_number", 18, _read_lot),
    _of("038", "&,4", "single_european_code", 40, _read_sec),
    _of("039", "&:", "donor_registration_number", 19, _read_grid),
    _of("040", "&/", "chain_of_identity", 15, _read_coi),
)
_BY_IDENTIFIER = {structure.identifier: structure for structure in STRUCTURES}
_KINDS = {
    "001": "isbt128-din",
    "002": "isbt128-group",
    "003": "isbt128-product",
    "032": "isbt128-division",
    "038": "isbt128-sec",
    "039": "isbt128-grid",
    "040": "isbt128-coi",
    **dict.fromkeys(("004", "005", "006", "007", "008", "009", "031"), "isbt128-date"),
    **dict.fromkeys(("019", "020", "024", "025"), "isbt128-person"),
    "033": "isbt128-facility",
    **dict.fromkeys(("034",), "isbt128-product"),
    **dict.fromkeys(("035", "036"), "isbt128-lot"),
}
