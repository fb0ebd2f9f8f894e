"""Reading an identity out of what a scanner gave."""

from datetime import date

from anlage.custody import LabelReading, read_label

CHAIN_OF_IDENTITY = "&/"
# The day only tells the century of dates in a code; identities have none.
_ANY_DAY = date(2000, 1, 1)


def identity_of(raw: str) -> str:
    """Give the identity that a raw scan carries: the characters without the ISBT 128 data
    identifier of the chain of identity (data structure 040), those of a compound code, or the
    printed characters.

    Example:
        >>> identity_of("&/CHA999926000001")
        'CHA999926000001'
    """
    text = raw.strip()
    if text.startswith("=+"):
        return label_of(text).coi or text
    return text.removeprefix(CHAIN_OF_IDENTITY)


def label_of(raw: str) -> LabelReading:
    """Give what a band, a bag or a badge says."""
    return read_label(raw, _ANY_DAY)
