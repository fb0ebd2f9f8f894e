"""Check digits and check characters of the field's identifiers.

Sources: GS1 General Specifications 7.9.1 (mod 10) and 7.9.5 (check character pair);
ISO/IEC 7064 (mod 37-2); ISO 13616 (mod 97-10).
"""

ALPHABET_37 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_PAIR_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_VALUE_37 = {character: value for value, character in enumerate(ALPHABET_37)}
_VALUE_82 = {character: value for value, character in enumerate(CSET_82)}
_PRIMES = (
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83,
)  # fmt: skip


def mod10(payload: str) -> str:
    """Give the GS1 check digit of a string of digits.

    Example:
        >>> mod10("950600013435"), mod10("10614141123456789")
        ('2', '7')
    """
    weighted = 3 * sum(map(int, payload[::-2])) + sum(map(int, payload[-2::-2]))
    return str(-weighted % 10)


def mod37_2(payload: str) -> int:
    """Give the ISO 7064 mod 37-2 checksum (0 to 36) of capital letters and digits.

    Example:
        >>> mod37_2("G123417654321"), ALPHABET_37[mod37_2("W000026123456")]
        (10, '*')
    """
    total = 0
    for character in payload:
        total = (total + _VALUE_37[character]) * 2 % 37
    return (38 - total) % 37


def check_pair(payload: str) -> str:
    """Give the check character pair of a GS1 alphanumeric key (GMN, Basic UDI-DI).

    Example:
        >>> check_pair("1987654Ad4X4bL5ttr2310c")
        '2K'
    """
    total = sum(
        _VALUE_82[character] * prime
        for character, prime in zip(reversed(payload), _PRIMES, strict=False)
    )
    total %= 1021
    return _PAIR_ALPHABET[total >> 5] + _PAIR_ALPHABET[total & 31]


def iban_holds(text: str) -> bool:
    """Tell whether an account number passes mod 97-10."""
    turned = text[4:] + text[:4]
    if not (turned.isascii() and turned.isalnum() and len(text) > 4):
        return False
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1
