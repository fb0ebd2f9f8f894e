"""One name for one thing, whichever code it was read from.

A bag may carry a GS1 DataMatrix, an RFID tag and a Digital Link that say the same; a donation is
the same in a Code 128 and in a compound message. The name is a Digital Link for GS1 keys (finest
key: item, asset or location with its serial), `isbt128:…` for ISBT 128, else nothing.
"""

from collections.abc import Mapping
from urllib.parse import quote

from .reading import Reading

HOST = "https://id.gs1.org"
# Keys that name one thing, with the attributes that make them finer (GS1 General Specifications 3).
_KEYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("00", ()),
    ("01", ("21", "10")),
    ("8006", ("21", "10")),
    ("8003", ()),
    ("8004", ()),
    ("253", ()),
    ("255", ()),
    ("401", ()),
    ("402", ()),
    ("8010", ("8011",)),
    ("8017", ("8019",)),
    ("8018", ("8019",)),
    ("414", ("254",)),
    ("417", ()),
)


def thing_of(reading: Reading) -> str | None:
    """Give the one name of what a valid code identifies; None when it identifies nothing.

    Example:
        >>> from datetime import date
        >>> from .decode import decode
        >>> thing_of(decode("(01)09506000134352(10)L7(21)S1", date(2026, 3, 1)))
        'https://id.gs1.org/01/09506000134352/21/S1'
        >>> thing_of(decode("=A99991712345600", date(2026, 3, 1)))
        'isbt128:A999917123456'
    """
    if not reading.valid:
        return None
    fields = reading.fields
    if reading.kind.startswith("isbt128"):
        return _isbt128(fields)
    for key, finer in _KEYS:
        if key in fields:
            path = f"{HOST}/{key}/{quote(fields[key], safe='')}"
            extra = next((name for name in finer if name in fields), None)
            return path if extra is None else f"{path}/{extra}/{quote(fields[extra], safe='')}"
    return None


def _isbt128(fields: Mapping[str, str]) -> str | None:
    if "chain_of_identity" in fields and "donation_number" not in fields:
        return f"isbt128:{fields['chain_of_identity']}"
    if "donation_number" not in fields:
        return None
    parts = [fields["donation_number"]]
    parts += [fields[name] for name in ("product_code", "division") if fields.get(name)]
    return "isbt128:" + "/".join(parts)
