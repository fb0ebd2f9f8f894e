"""RFID tags: the bits of an EPC memory bank (GS1 EPC Tag Data Standard 14) to a URN, and back."""

import re
from dataclasses import dataclass

from anlage.base import Problem

from . import epc
from .reading import Element, Reading, fault

RULE = "GS1 EPC Tag Data Standard 2.0, clause 14"
_HEX = re.compile(r"[0-9A-F]+")
_PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)
_DIGITS_OF_PREFIX = (12, 11, 10, 9, 8, 7, 6)
_CHARACTER_BITS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One binary encoding: total of bits, bits of prefix and reference, how the serial is kept."""

    scheme: str
    bits: int
    partition_bits: int
    reference_digits: int
    serial: str
    serial_bits: int = 0


_LAYOUTS = {
    0x30: Layout(scheme="sgtin", bits=96, partition_bits=44, reference_digits=13, serial="number"),
    0x36: Layout(scheme="sgtin", bits=198, partition_bits=44, reference_digits=13, serial="text"),
    0x31: Layout(scheme="sscc", bits=96, partition_bits=58, reference_digits=17, serial="none"),
    0x32: Layout(scheme="sgln", bits=96, partition_bits=41, reference_digits=12, serial="number"),
    0x39: Layout(scheme="sgln", bits=195, partition_bits=41, reference_digits=12, serial="text"),
    0x33: Layout(scheme="grai", bits=96, partition_bits=44, reference_digits=12, serial="number"),
    0x37: Layout(scheme="grai", bits=170, partition_bits=44, reference_digits=12, serial="text"),
    0x34: Layout(scheme="giai", bits=96, partition_bits=82, reference_digits=0, serial="asset"),
    0x38: Layout(scheme="giai", bits=202, partition_bits=188, reference_digits=0, serial="asset"),
    0x2C: Layout(scheme="gdti", bits=96, partition_bits=41, reference_digits=12, serial="number"),
    0x3E: Layout(scheme="gdti", bits=174, partition_bits=41, reference_digits=12, serial="text"),
    0x2D: Layout(scheme="gsrn", bits=96, partition_bits=58, reference_digits=17, serial="none"),
    0x2E: Layout(scheme="gsrnp", bits=96, partition_bits=58, reference_digits=17, serial="none"),
}
_FILTERS = {
    "sgtin": ("other", "point of sale", "full case", "reserved", "inner pack", "reserved",
              "unit load", "component inside an item"),
    "sscc": ("other", "reserved", "full case", "reserved", "reserved", "reserved", "unit load",
             "reserved"),
}  # fmt: skip


def looks_like(text: str) -> bool:
    """Tell whether a text is the memory of an EPC tag in hexadecimal."""
    plain = _plain(text)
    if not _HEX.fullmatch(plain) or len(plain) < 24 or len(plain) % 2:
        return False
    layout = _LAYOUTS.get(int(plain[:2], 16))
    return layout is not None and layout.bits <= len(plain) * 4 <= layout.bits + 31


def decode(text: str) -> Reading:
    """Read the memory of a tag.

    Example:
        >>> decode("3074257BF7194E4000001A85").fields["epc"]
        'urn:epc:id:sgtin:0614141.812345.6789'
    """
    plain = _plain(text)
    layout = _LAYOUTS[int(plain[:2], 16)]
    total = len(plain) * 4
    number = int(plain, 16)
    bits = _Bits(number, total, 8)
    level = bits.take(3)
    partition = bits.take(3)
    if partition > 6:
        return _refuse(text, "partition", str(partition), "0 to 6")
    prefix_digits = _DIGITS_OF_PREFIX[partition]
    prefix = bits.take(_PREFIX_BITS[partition])
    if prefix >= 10**prefix_digits:
        return _refuse(text, "company prefix", str(prefix), f"{prefix_digits} digits")
    company = str(prefix).zfill(prefix_digits)
    rest_bits = layout.partition_bits - _PREFIX_BITS[partition]
    tail = _asset(layout, bits, rest_bits) if layout.serial == "asset" else None
    if tail is None:
        room = layout.reference_digits - prefix_digits
        value = bits.take(rest_bits)
        if value >= 10**room:
            return _refuse(text, "reference", str(value), f"{room} digits")
        tail = str(value).zfill(room) if room else ""
        if layout.serial == "number":
            tail += f".{bits.take(layout.bits - 14 - layout.partition_bits)}"
        elif layout.serial == "text":
            serial = bits.text((layout.bits - 14 - layout.partition_bits) // _CHARACTER_BITS)
            if not serial:
                return _refuse(text, "serial", "no characters", "text ended by zero bits")
            tail += f".{epc.escape(serial)}"
        elif bits.take(layout.bits - 14 - layout.partition_bits):
            return _refuse(text, "unused bits", "bits that are set", "zeros")
    urn = f"urn:epc:id:{layout.scheme}:{company}.{tail}"
    inner = epc.decode(urn)
    filters = _FILTERS.get(layout.scheme)
    head = (
        Element(
            code="header",
            name="encoding",
            raw=plain[:2],
            value=f"{layout.scheme}-{layout.bits}",
            meaning=f"Binary encoding {layout.scheme.upper()}-{layout.bits}.",
        ),
        Element(
            code="filter",
            name="filter",
            raw=str(level),
            value=str(level),
            meaning=f"Filter {level}" + (f": {filters[level]}." if filters else "."),
        ),
    )
    return Reading(
        kind="rfid-tag",
        raw=text,
        elements=(*head, *inner.elements),
        problems=inner.problems,
        more=(
            ("epc", urn),
            ("tag_uri", f"urn:epc:tag:{layout.scheme}-{layout.bits}:{level}.{company}.{tail}"),
            *inner.more,
        ),
    )


def encode(urn: str, *, level: int = 0) -> str | None:
    """Give the memory of the tag that carries an EPC, in hexadecimal; None where no tag can.

    The 96-bit encoding is taken where the serial is a plain number that fits, else the long one.

    Example:
        >>> encode("urn:epc:id:sgtin:0614141.812345.6789", level=3)
        '3074257BF7194E4000001A85'
    """
    parsed = epc.parse(urn)
    if isinstance(parsed, Problem):
        return None
    for header, layout in sorted(_LAYOUTS.items(), key=lambda one: one[1].bits):
        if layout.scheme != parsed.scheme:
            continue
        fields = _fields(layout, parsed)
        if fields is None:
            continue
        head = ((header, 8), (level, 3), (12 - len(parsed.company_prefix), 3))
        number = 0
        for value, bits in (*head, *fields):
            number = number << bits | value
        filled = 14 + sum(bits for _, bits in fields)
        words = -(-filled // 16) * 16
        return f"{number << (words - filled):0{words // 4}X}"
    return None


def _fields(layout: Layout, parsed: epc.Epc) -> list[tuple[int, int]] | None:
    """Give the values after the partition with their bits; None where one does not fit."""
    digits = len(parsed.company_prefix)
    prefix_bits = _PREFIX_BITS[12 - digits]
    rest_bits = layout.partition_bits - prefix_bits
    serial_bits = layout.bits - 14 - layout.partition_bits
    prefix = (int(parsed.company_prefix), prefix_bits)
    if layout.serial == "asset":
        tail = (
            _plain_number(parsed.reference, rest_bits)
            if layout.bits == 96
            else _packed(parsed.reference, rest_bits)
        )
        return None if tail is None else [prefix, *tail]
    serial = parsed.serial or ""
    match layout.serial:
        case "number":
            tail = _plain_number(serial, serial_bits)
        case "text":
            tail = _packed(serial, serial_bits)
        case _:
            tail = [(0, serial_bits)]
    return None if tail is None else [prefix, (int(parsed.reference or 0), rest_bits), *tail]


def _plain_number(text: str, bits: int) -> list[tuple[int, int]] | None:
    is_plain = text.isascii() and text.isdigit() and (text == "0" or text[0] != "0")
    return [(int(text), bits)] if is_plain and int(text) < 1 << bits else None


def _packed(text: str, bits: int) -> list[tuple[int, int]] | None:
    room = bits // _CHARACTER_BITS
    if not 0 < len(text) <= room or not text.isascii():
        return None
    values = [(ord(one), _CHARACTER_BITS) for one in text]
    return [*values, (0, bits - _CHARACTER_BITS * len(text))]


class _Bits:
    """The bits of a tag, taken from the left."""

    def __init__(self, number: int, total: int, at: int) -> None:
        self._number, self._total, self._at = number, total, at

    def take(self, count: int) -> int:
        """Give the next bits as a number."""
        self._at += count
        return self._number >> (self._total - self._at) & ((1 << count) - 1)

    def text(self, characters: int) -> str:
        """Give the next seven-bit characters up to the first zero."""
        values = [self.take(_CHARACTER_BITS) for _ in range(characters)]
        stop = values.index(0) if 0 in values else len(values)
        return "".join(map(chr, values[:stop])) if not any(values[stop:]) else ""


def _asset(layout: Layout, bits: _Bits, count: int) -> str:
    if layout.bits == 96:
        return str(bits.take(count))
    return epc.escape(bits.text(count // _CHARACTER_BITS))


def _plain(text: str) -> str:
    return "".join(text.split()).removeprefix("0x").removeprefix("0X").upper()


def _refuse(text: str, what: str, found: str, limit: str) -> Reading:
    problem: Problem = fault(
        "tag-malformed",
        f"{what} of the tag",
        found=found,
        limit=limit,
        remedy="read the tag again; if it repeats, replace it and record the old one",
        rule=RULE,
    )
    return Reading(kind="rfid-tag", raw=text, problems=(problem,))
