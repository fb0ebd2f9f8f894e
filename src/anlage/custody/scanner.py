"""What a scanner types is not what the symbol says: a workstation's calibration gives it back.

A wedge scanner sends key strokes. The computer's keyboard layout turns some into other characters,
the scanner may put a prefix and a suffix around each code, and the separator FNC1 has no key, so
that it is sent as something else. Scanning three printed symbols tells all of it: the first holds
every character that a code of the field uses, the second a GS1 code with one separator, the third
an ISBT 128 code that proves the result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anlage.base import Refused

GS = "\x1d"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SIGNS = "!\"%&'()*+,-./:;<=>?_]#$@["
ALPHABET = f"0123456789{_LETTERS}{_SIGNS}"
SHEET = (
    ("alphabet", ALPHABET),
    ("separator", f"10ANLAGE{GS}21CALIBRATION"),
    ("proof", "=+02000=A99991712345600=>027031"),
)
"""The three symbols of the calibration sheet, in the order in which they are scanned."""
_AROUND_MAX = 24
_TEXT_MAX = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How a workstation's scanner types.

    Attributes:
        prefix: What it puts before each code, as the computer sees it.
        suffix: What it puts after each code.
        separator: What stands for FNC1, as the computer sees it; GS when it arrives as it is.
        keys: Character meant by character seen, where they differ.
    """

    prefix: str = ""
    suffix: str = ""
    separator: str = GS
    keys: Mapping[str, str] = field(default_factory=dict)

    def clean(self, typed: str) -> str:
        """Give the code that was read, from what the computer saw."""
        text = typed.strip("\r\n")
        if self.prefix and text.startswith(self.prefix):
            text = text[len(self.prefix) :]
        if self.suffix and text.endswith(self.suffix):
            text = text[: -len(self.suffix)]
        parts = text.split(self.separator) if self.separator else [text]
        return GS.join("".join(self.keys.get(one, one) for one in part) for part in parts)


def calibrate(typed: Mapping[str, str]) -> Calibration:
    """Give a workstation's calibration from what its scanner typed for the three symbols.

    Args:
        typed: What was typed, by the names in `SHEET`.

    Raises:
        Refused: `scanner-uncalibrated`: a symbol is missing, two characters arrive as one, or the
            third symbol does not come out as printed.
    """
    seen = {name: typed.get(name, "").strip("\r\n")[:_TEXT_MAX] for name, _ in SHEET}
    prefix, suffix, keys = _layout(seen["alphabet"])
    plain = Calibration(prefix=prefix, suffix=suffix, separator="", keys=keys)
    separator = _separator(plain, seen["separator"])
    found = Calibration(prefix=prefix, suffix=suffix, separator=separator, keys=keys)
    for name, meant in SHEET:
        if (got := found.clean(seen[name])) != meant:
            raise _no(f"symbol {name}", got[:120] or "nothing", meant)
    return found


def _layout(seen: str) -> tuple[str, str, dict[str, str]]:
    """Give what stands around the alphabet and which characters arrive as others.

    The digits arrive as digits on every layout that a scanner can be set to; they show where the
    alphabet begins.
    """
    start = seen.find("0123456789")
    if start < 0 or start > _AROUND_MAX or len(seen) < start + len(ALPHABET):
        raise _no("symbol alphabet", seen[:120] or "nothing", ALPHABET)
    body = seen[start : start + len(ALPHABET)]
    suffix = seen[start + len(ALPHABET) :]
    if len(suffix) > _AROUND_MAX:
        raise _no("symbol alphabet", seen[-60:], f"at most {_AROUND_MAX} characters after the code")
    if len(set(body)) < len(ALPHABET):
        twice = next(one for one in body if body.count(one) > 1)
        raise _no("symbol alphabet", f"{twice!r} for two characters", "one for each")
    keys = {got: meant for got, meant in zip(body, ALPHABET, strict=True) if got != meant}
    return seen[:start], suffix, keys


def _separator(plain: Calibration, seen: str) -> str:
    """Give what stands between the two parts of the second symbol, as the computer saw it."""
    back = {meant: got for got, meant in plain.keys.items()}
    before, after = SHEET[1][1].split(GS)
    first = "".join(back.get(one, one) for one in before)
    second = "".join(back.get(one, one) for one in after)
    text = seen.removeprefix(plain.prefix)
    text = text.removesuffix(plain.suffix) if plain.suffix else text
    between = text.removeprefix(first).removesuffix(second)
    if not (text.startswith(first) and text.endswith(second) and 0 < len(between) <= _AROUND_MAX):
        raise _no(
            "symbol separator",
            seen[:120] or "nothing",
            "something in place of FNC1; set the scanner to send it as GS, or as any other key",
        )
    return between


def _no(what: str, found: str, limit: str) -> Refused:
    return Refused(
        "scanner-uncalibrated",
        what=what,
        found=found,
        limit=limit,
        remedy="set the scanner to the keyboard layout of this computer and scan the sheet again",
        rule="Anlage scanners",
    )
