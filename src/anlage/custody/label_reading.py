"""What the code on a band, a bag or a badge says, so that a scan lands where it belongs.

A band carries a chain of identity and nothing else; a container's label carries the container's own
number, often with chain of identity and donation number beside it.
"""

import re
from dataclasses import dataclass
from datetime import date

from .codes import decode

# The characters of ISBT 128 data structure 040, as a linear code without its identifier gives them.
_PLAIN = re.compile(r"CH[0-9A-Z]{5}\d{8}")
_NUMBERS = ("supplementary_number", "product_lot", "serial", "container", "sscc")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelReading:
    """One scan.

    Attributes:
        raw: As the scanner gave it.
        coi: The chain of identity in it; None without one.
        donation: The donation number in it; None without one.
        numbers: What may be a container's own number: the numbers of a compound code, or the
            whole text of one that no codec of the field knows.
    """

    raw: str
    coi: str | None = None
    donation: str | None = None
    numbers: tuple[str, ...] = ()

    def names(self, container: str) -> bool:
        """Tell whether it is the label of a container."""
        return container in self.numbers


def read_label(raw: str, today: date) -> LabelReading:
    """Read a scan.

    Args:
        raw: As the scanner gave it.
        today: For codes that leave the century out.
    """
    text = raw.strip()
    if _PLAIN.fullmatch(text):
        return LabelReading(raw=raw, coi=text)
    reading = decode(text, today)
    if not reading.valid:
        return LabelReading(raw=raw, numbers=(text,) if text else ())
    fields = reading.fields
    return LabelReading(
        raw=raw,
        coi=fields.get("chain_of_identity"),
        donation=fields.get("donation_number"),
        numbers=tuple(fields[name] for name in _NUMBERS if name in fields)
        + ((text,) if reading.kind == "unknown" else ()),
    )
