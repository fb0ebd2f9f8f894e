"""Reading an identity out of what a scanner gave."""

CHAIN_OF_IDENTITY = "&/"


def identity_of(raw: str) -> str:
    """Give the identity that a raw scan carries: the characters without the ISBT 128 data
    identifier of the chain of identity (data structure 040), or the printed characters.

    Example:
        >>> identity_of("&/CHA999926000001")
        'CHA999926000001'
    """
    return raw.strip().removeprefix(CHAIN_OF_IDENTITY)
