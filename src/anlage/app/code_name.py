"""The one name of a code, whichever way it was read or written."""

from datetime import date

from anlage.custody.codes import decode, thing_of
from anlage.wire.epcis import canonical_thing


def code_name(text: str, today: date) -> str:
    """Give the name under which a code is known here; a text of our own stays as it is.

    Example:
        >>> code_name("urn:epc:id:grai:4012345.00011.5", date(2026, 3, 1))
        'https://id.gs1.org/8003/040123450001185'
    """
    plain = text.strip()
    named = thing_of(decode(plain, today))
    return canonical_thing(named or plain)
