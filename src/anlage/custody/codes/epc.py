"""EPC identifiers as URNs (GS1 EPC Tag Data Standard 6 to 8), and their GS1 keys.

A URN splits a key after the company prefix and leaves the check digit out; the key joins the parts
again. The other way round needs the length of the company prefix, which a key does not carry.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from anlage.base import Problem

from .check_character import CSET_82, mod10
from .reading import Element, Reading, fault

RULE = "GS1 EPC Tag Data Standard 2.0"
_PREFIX_MIN, _PREFIX_MAX = 6, 12
_SERIAL = re.compile(r"(?:%[0-9A-Fa-f]{2}|[!'()*+,\-.0-9:;=A-Z_a-z])+")
_COMPONENT = re.compile(r"(?:%23|%2F|[0-9A-Z-])+")
_ESCAPED = frozenset('"%&/<>?#')


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One EPC scheme.

    Attributes:
        name: As it stands in the URN.
        key: Application identifier of the key.
        digits: Digits of company prefix and reference together, check digit left out; None when
            the reference is text of a greatest length `text_max` together with the prefix.
        indicator: The reference opens with a digit that stands before the company prefix.
        checked: The key ends with a check digit.
        serial: Application identifier of the serial, "" when the key carries it itself, None
            when there is none.
        serial_max: Greatest length of the serial.
        serial_digits: The serial is made of digits.
        title: What it names.
    """

    name: str
    key: str
    digits: int | None
    title: str
    indicator: bool = False
    checked: bool = True
    serial: str | None = None
    serial_max: int = 0
    serial_digits: bool = False
    text_max: int = 30
    lead: str = ""


SCHEMES = {
    scheme.name: scheme
    for scheme in (
        Scheme(
            name="sgtin",
            key="01",
            digits=13,
            indicator=True,
            serial="21",
            serial_max=20,
            title="Trade item with serial number",
        ),
        Scheme(name="sscc", key="00", digits=17, indicator=True, title="Logistic unit"),
        Scheme(name="sgln", key="414", digits=12, serial="254", serial_max=20, title="Location"),
        Scheme(
            name="grai",
            key="8003",
            digits=12,
            serial="",
            serial_max=16,
            lead="0",
            title="Returnable asset",
        ),
        Scheme(name="giai", key="8004", digits=None, checked=False, title="Individual asset"),
        Scheme(name="gsrn", key="8018", digits=17, title="Service recipient"),
        Scheme(name="gsrnp", key="8017", digits=17, title="Service provider"),
        Scheme(name="gdti", key="253", digits=12, serial="", serial_max=17, title="Document"),
        Scheme(
            name="cpi",
            key="8010",
            digits=None,
            checked=False,
            serial="8011",
            serial_max=12,
            serial_digits=True,
            title="Component or part",
        ),
        Scheme(
            name="sgcn",
            key="255",
            digits=12,
            serial="",
            serial_max=12,
            serial_digits=True,
            title="Coupon",
        ),
        Scheme(name="ginc", key="401", digits=None, checked=False, title="Consignment"),
        Scheme(name="gsin", key="402", digits=16, title="Shipment"),
        Scheme(
            name="itip",
            key="8006",
            digits=13,
            indicator=True,
            serial="21",
            serial_max=20,
            title="Piece of a trade item",
        ),
        Scheme(
            name="upui",
            key="01",
            digits=13,
            indicator=True,
            serial="235",
            serial_max=28,
            title="Item with third-party serial number",
        ),
        Scheme(name="pgln", key="417", digits=12, title="Party"),
    )
}
_PATTERNED = {"sgtin", "grai", "gdti", "sgcn", "cpi", "itip", "upui"}
_CLASSES = {"lgtin"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Epc:
    """An EPC taken apart: its scheme, its parts, the key it stands for."""

    scheme: str
    company_prefix: str
    reference: str
    serial: str | None
    key: tuple[tuple[str, str], ...]

    @property
    def digital_link(self) -> str:
        """The canonical GS1 Digital Link of the key."""
        return "https://id.gs1.org" + "".join(
            f"/{number}/{quote(value, safe='')}" for number, value in self.key
        )


def looks_like(text: str) -> bool:
    """Tell whether a text is an EPC URN."""
    return text[:8].lower() == "urn:epc:"


def decode(text: str) -> Reading:
    """Read an EPC URN (`id`, `class`, `idpat`; a `tag` URN is read with its filter).

    Example:
        >>> decode("urn:epc:id:sgtin:0614141.812345.6789").fields["digital_link"]
        'https://id.gs1.org/01/80614141123458/21/6789'
    """
    parsed = parse(text)
    if isinstance(parsed, Problem):
        return Reading(kind="epc-urn", raw=text, problems=(parsed,))
    scheme = SCHEMES[{"lgtin": "sgtin"}.get(parsed.scheme, parsed.scheme)]
    elements = [
        Element(
            code="scheme",
            name="scheme",
            raw=parsed.scheme,
            value=parsed.scheme,
            meaning="Trade item of one lot." if parsed.scheme == "lgtin" else f"{scheme.title}.",
        ),
        Element(
            code="company_prefix",
            name="company_prefix",
            raw=parsed.company_prefix,
            value=parsed.company_prefix,
            meaning="GS1 company prefix of the issuer.",
        ),
        Element(
            code="reference",
            name="reference",
            raw=parsed.reference,
            value=parsed.reference,
            meaning="Reference that the issuer gave.",
        ),
    ]
    if parsed.serial is not None:
        elements.append(
            Element(
                code="serial",
                name="lot" if parsed.scheme == "lgtin" else "serial",
                raw=parsed.serial,
                value=parsed.serial,
                meaning="Lot." if parsed.scheme == "lgtin" else "Serial number or extension.",
            )
        )
    return Reading(
        kind="epc-urn",
        raw=text,
        elements=tuple(elements),
        more=(*_named(parsed), ("digital_link", parsed.digital_link)),
    )


def parse(text: str) -> Epc | Problem:
    """Take an EPC URN apart, or say what is wrong with it."""
    words = text.split(":", 4)
    if len(words) != 5 or words[0].lower() != "urn" or words[1] != "epc":
        return _wrong("EPC", text, "urn:epc:id:SCHEME:… or urn:epc:class:lgtin:…")
    sort, name, rest = words[2], words[3], words[4]
    if sort == "tag":
        return _parse_tag(text, name, rest)
    pattern = sort == "idpat"
    if sort == "class" and name in _CLASSES:
        return _build(text, "lgtin", rest, pattern=False)
    if (sort == "id" and name in SCHEMES) or (pattern and name in _PATTERNED):
        return _build(text, name, rest, pattern=pattern)
    known = ", ".join(sorted(_PATTERNED if pattern else SCHEMES))
    return _wrong(
        f"EPC scheme of {text}",
        f"{sort}:{name}",
        f"class:lgtin, or {'idpat' if pattern else 'id'} with one of {known}",
    )


def from_key(number: str, key: str, serial: str | None, prefix_length: int) -> str:
    """Write the URN of a key whose company prefix has a known length.

    Example:
        >>> from_key("01", "80614141123458", "6789", 7)
        'urn:epc:id:sgtin:0614141.812345.6789'
    """
    names = {"01": "sgtin", "00": "sscc", "414": "sgln", "8003": "grai", "8004": "giai"}
    names |= {"8018": "gsrn", "8017": "gsrnp", "253": "gdti", "402": "gsin", "417": "pgln"}
    scheme = SCHEMES[names[number]]
    body = key.removeprefix(scheme.lead) if scheme.lead else key
    if scheme.digits is None:
        return f"urn:epc:id:{scheme.name}:{body[:prefix_length]}.{escape(body[prefix_length:])}"
    extra = body[scheme.digits + 1 :]
    body = body[: scheme.digits]
    if scheme.indicator:
        prefix, reference = body[1 : 1 + prefix_length], body[0] + body[1 + prefix_length :]
    else:
        prefix, reference = body[:prefix_length], body[prefix_length:]
    tail = extra if scheme.serial == "" else serial
    if tail is None and scheme.name == "sgln":
        tail = "0"
    return f"urn:epc:id:{scheme.name}:{prefix}.{reference}" + (f".{escape(tail)}" if tail else "")


def _build(text: str, name: str, rest: str, *, pattern: bool) -> Epc | Problem:
    scheme = SCHEMES["sgtin" if name == "lgtin" else name]
    prefix, _, tail = rest.partition(".")
    if not (prefix.isascii() and prefix.isdigit() and _PREFIX_MIN <= len(prefix) <= _PREFIX_MAX):
        return _wrong(f"company prefix of {text}", prefix, "6 to 12 digits")
    if scheme.digits is None:
        return _build_text(text, scheme, prefix, tail, pattern=pattern)
    room = scheme.digits - len(prefix)
    if scheme.serial is None:
        reference, serial = tail, None
    else:
        reference, dot, serial = tail.partition(".")
        if not dot:
            return _wrong(f"{scheme.title.lower()} {text}", "no serial part", "a part after a dot")
    if not (len(reference) == room and ((reference.isascii() and reference.isdigit()) or not room)):
        return _wrong(
            f"reference of {text}",
            f"{reference or 'nothing'} after a company prefix of {len(prefix)} digits",
            f"{room} digits, so that prefix and reference make {scheme.digits}",
        )
    lead = ""
    if scheme.name == "itip":
        piece, _, serial = (serial or "").partition(".")
        total, _, serial = serial.partition(".")
        if not (len(piece) == len(total) == 2 and (piece + total).isdigit() and piece <= total):
            return _wrong(f"piece and total of {text}", f"{piece}.{total}", "two digits each")
        lead = piece + total
    body = reference[:1] + prefix + reference[1:] if scheme.indicator else f"{prefix}{reference}"
    key = scheme.lead + body + mod10(body) + lead
    if pattern:
        if serial != "*":
            return _wrong(f"pattern {text}", serial or "nothing", "* as serial")
        return Epc(
            scheme=name,
            company_prefix=prefix,
            reference=reference,
            serial=None,
            key=((scheme.key, key),),
        )
    if serial is None:
        return Epc(
            scheme=name,
            company_prefix=prefix,
            reference=reference,
            serial=None,
            key=((scheme.key, key),),
        )
    plain = _serial(text, scheme, serial)
    if isinstance(plain, Problem):
        return plain
    pairs: tuple[tuple[str, str], ...]
    if scheme.serial == "":
        pairs = ((scheme.key, key + plain),)
    elif scheme.name == "sgln" and plain == "0":
        pairs = ((scheme.key, key),)
    else:
        pairs = ((scheme.key, key), ("10" if name == "lgtin" else scheme.serial or "", plain))
    return Epc(scheme=name, company_prefix=prefix, reference=reference, serial=plain, key=pairs)


def _build_text(
    text: str, scheme: Scheme, prefix: str, tail: str, *, pattern: bool
) -> Epc | Problem:
    """Build the keys whose reference is text: assets, consignments, components."""
    serial: str | None = None
    if scheme.name == "cpi":
        tail, dot, serial = tail.rpartition(".")
        if not dot or not (serial == "*" if pattern else serial.isdigit()):
            return _wrong(f"serial of {text}", serial or "nothing", "digits after the last dot")
        if pattern:
            serial = None
        elif len(serial) > scheme.serial_max or (len(serial) > 1 and serial[0] == "0"):
            return _wrong(f"serial of {text}", serial, "1 to 12 digits without a zero in front")
    form = _COMPONENT if scheme.name == "cpi" else _SERIAL
    if not form.fullmatch(tail):
        return _wrong(f"reference of {text}", tail or "nothing", "characters of an EPC URN")
    reference = unquote(tail)
    if len(prefix) + len(reference) > scheme.text_max:
        return _wrong(
            f"reference of {text}",
            f"{len(prefix) + len(reference)} characters with the prefix",
            f"{scheme.text_max} characters",
        )
    pairs = [(scheme.key, prefix + reference)]
    if serial is not None:
        pairs.append((scheme.serial or "", serial))
    return Epc(
        scheme=scheme.name,
        company_prefix=prefix,
        reference=reference,
        serial=serial,
        key=tuple(pairs),
    )


def _serial(text: str, scheme: Scheme, serial: str) -> str | Problem:
    if scheme.serial_digits:
        if not (serial.isascii() and serial.isdigit() and len(serial) <= scheme.serial_max):
            return _wrong(f"serial of {text}", serial, f"1 to {scheme.serial_max} digits")
        return serial
    if not _SERIAL.fullmatch(serial):
        return _wrong(
            f"serial of {text}",
            serial or "nothing",
            "letters, digits and ! ' ( ) * + , - . : ; = _ , others as % and two hex digits",
        )
    plain = unquote(serial)
    if len(plain) > scheme.serial_max or any(c not in CSET_82 for c in plain):
        return _wrong(
            f"serial of {text}",
            f"{len(plain)} characters: {plain}",
            f"1 to {scheme.serial_max} characters of GS1 set 82",
        )
    return plain


def _parse_tag(text: str, name: str, rest: str) -> Epc | Problem:
    scheme = name.rpartition("-")[0]
    level, _, tail = rest.partition(".")
    if scheme not in SCHEMES or not (level.isdigit() and int(level) <= 7):
        return _wrong("tag URN", text, "urn:epc:tag:SCHEME-BITS:FILTER.… with filter 0 to 7")
    return _build(text, scheme, tail, pattern=False)


def _named(epc: Epc) -> tuple[tuple[str, str], ...]:
    names = {
        "01": "gtin", "00": "sscc", "414": "gln", "417": "gln", "8003": "grai", "8004": "giai",
        "8018": "gsrn", "8017": "gsrn", "253": "gdti", "255": "gcn", "401": "ginc", "402": "gsin",
        "8006": "itip", "8010": "cpid",
    }  # fmt: skip
    number, value = epc.key[0]
    return ((names[number], value), *epc.key)


def escape(text: str) -> str:
    """Write the characters that a URN may not hold as % and two hexadecimal digits."""
    return "".join(f"%{ord(c):02X}" if c in _ESCAPED else c for c in text)


def _wrong(what: str, found: str, limit: str) -> Problem:
    return fault(
        "epc-malformed",
        what,
        found=found,
        limit=limit,
        remedy="ask the sender for the identifier as the Tag Data Standard writes it",
        rule=RULE,
    )
