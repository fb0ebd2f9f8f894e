"""The canonical Digital Link of any identifier in an event, at its finest level (CBV 2.0, 8.9).

Behaviour follows the reference event-hash generator to the letter, because two parties must reach
one hash; where its forms are narrower than the standards', the identifier stays as it is.
"""

import re

from anlage.custody.codes import check_character

_HOST = "https://id.gs1.org"
_CHARACTER = (
    r"(?:%2[125-9A-Fa-f]|%3[0-9A-Fa-f]|%4[1-9A-Fa-f]|%5[0-9AaFf]|%6[1-9A-Fa-f]|%7[0-9Aa]"
    r"|[!')(*+,.0-9:;=A-Za-z_-])"
)
_PART_CHARACTER = r"(?:%2[3dfDF]|%3[0-9]|%4[1-9A-Fa-f]|%5[0-9Aa]|[0-9A-Z-])"
_ENCODED = str.maketrans(
    {"!": "%21", "(": "%28", ")": "%29", "*": "%2A", "+": "%2B", ",": "%2C", ":": "%3A"}
)
_KEYS = (
    "01|gtin|8006|itip|8010|cpid|414|gln|417|party|8017|gsrnp|8018|gsrn|255|gcn|00|sscc|253|gdti"
    "|401|ginc|402|gsin|8003|grai|8004|giai"
)
_LINK = re.compile(
    r"https?:(//(([^/?#]*@)?[^/?#:]*(:[^/?#]*)?))?"
    rf"(([^?#]*/({_KEYS})/)(\d{{4}}[^/]+)|/[A-Za-z_-]{{10}}$)"
)
_ON_HOST = re.compile(
    r"https://id.gs1.org/(01|8006|8010|414|417|8017|8018|255|00|253|401|402|8003|8004)/\d{4}[^/]+"
    r"|(/[A-Za-z_-]{10}$)"
)
_NAMES = (
    ("/gtin/", "/01/"), ("/itip/", "/8006/"), ("/cpid/", "/8010/"), ("/gln/", "/414/"),
    ("/party/", "/417/"), ("/gsrnp/", "/8017/"), ("/gsrn/", "/8018/"), ("/gcn/", "/255/"),
    ("/sscc/", "/00/"), ("/gdti/", "/253/"), ("/ginc/", "/401/"), ("/gsin/", "/402/"),
    ("/grai/", "/8003/"), ("/giai/", "/8004/"), ("/cpv/", "/22/"), ("/lot/", "/10/"),
    ("/ser/", "/21/"),
)  # fmt: skip
_SEARCHED = (
    "00", "01", "253", "255", "401", "402", "414", "417", "8003", "8004", "8006", "8010", "8017",
    "8018",
)  # fmt: skip
_SET = r"\x22\x27\x2D\x2E\x30-\x39\x3B-\x3F\x41-\x5A\x5F\x61-\x7A"
_VARIANT = re.compile(rf"https://id.gs1.org/(8006/\d{{18}}|01/\d{{14}})/22/[{_SET}]{{0,20}}$")
_VARIANT_AND_MORE = re.compile(
    rf"https://id.gs1.org/(8006/\d{{18}}|01/\d{{14}})/22/[/{_SET}]{{0,20}}$"
)
_LOT_AND_SERIAL = re.compile(
    rf"https://id.gs1.org/(8006/\d{{18}}|01/\d{{14}})/10/[{_SET}]{{0,20}}/21/[{_SET}]{{0,20}}$"
)
_FINAL = re.compile(
    r"https://id.gs1.org/(?:"
    rf"00/\d{{18}}|01/\d{{14}}(?:/(?:21|10)/[{_SET}]{{0,20}}|/235/[{_SET}]{{0,28}})?"
    rf"|253/\d{{13}}[{_SET}]{{0,17}}|255/\d{{13}}\d{{0,12}}|401/[{_SET}]{{0,30}}|402/\d{{17}}"
    rf"|414/\d{{13}}(?:/254/[{_SET}]{{0,20}})?|417/\d{{13}}|8003/\d{{14}}[{_SET}]{{0,16}}"
    rf"|8004/[{_SET}]{{0,30}}|8006/\d{{18}}(?:/(?:21|10)/[{_SET}]{{0,20}})?"
    r"|8010/[\x23\x2D\x2F\x30-\x39\x41-\x5A]{0,30}(?:/8011/\d{0,12})?|8017/\d{18}|8018/\d{18})$"
)


def canonical_link(text: str) -> str | None:
    """Give the canonical Digital Link of a URN or Digital Link; None for anything else.

    Example:
        >>> canonical_link("urn:epc:id:sgtin:0614141.812345.6789")
        'https://id.gs1.org/01/80614141123458/21/6789'
    """
    if "." not in text:
        return None
    if text.startswith("urn:epc:"):
        words = text.split(":", 4)
        rule = _RULES.get((words[2], words[3])) if len(words) == 5 else None
        return rule(words[4]) if rule else None
    return _from_link(text) if text.startswith("http") else None


def _split(total: int, twelve: str = r"\.") -> str:
    """Give the pattern of a company prefix of 6 to 12 digits and a reference filling up."""
    shapes = [rf"\d{{{n}}}\.\d{{{total - n}}}" for n in range(6, 13) if total > n]
    if total == 12:
        shapes.append(rf"\d{{12}}{twelve}")
    return f"(?:{'|'.join(shapes)})"


def _checked(body: str) -> str:
    return body + check_character.mod10(body)


def _item(body: str) -> str:
    """Give the 14-digit item number of `prefix.reference`, 14 characters with the dot."""
    prefix, _, reference = body.partition(".")
    return _checked(reference[:1] + prefix + reference[1:])


def _joined(body: str) -> str:
    return _checked(body.replace(".", ""))


def _text_key(key: str):  # type: ignore[no-untyped-def]
    shapes = "|".join(rf"\d{{{n}}}\.{_CHARACTER}{{1,{30 - n}}}" for n in range(6, 13))
    form = re.compile(rf"(?:{shapes})$")

    def rule(rest: str) -> str | None:
        if not form.match(rest):
            return None
        prefix, _, reference = rest.partition(".")
        return f"{_HOST}/{key}/{prefix}{reference.translate(_ENCODED)}"

    return rule


def _rule(pattern: str, give):  # type: ignore[no-untyped-def]
    form = re.compile(pattern + "$")
    return lambda rest: give(rest) if form.match(rest) else None


def _sgln(rest: str) -> str:
    key, extension = _joined(rest[:13]), rest[14:]
    return f"{_HOST}/414/{key}" + (
        "" if extension == "0" else f"/254/{extension.translate(_ENCODED)}"
    )


def _component(rest: str) -> str:
    body, _, serial = rest.rpartition(".")
    prefix, _, reference = body.partition(".")
    key = (prefix + reference).translate(_ENCODED)
    return f"{_HOST}/8010/{key}" + ("" if serial == "*" else f"/8011/{serial}")


_PART = "|".join(rf"\d{{{n}}}\.{_PART_CHARACTER}{{1,{30 - n}}}" for n in range(6, 13))
_ITEM, _ASSET, _SERVICE = _split(13), _split(12, r"\.\."), _split(17)
_RULES = {
    ("id", "sgtin"): _rule(
        rf"{_ITEM}\.{_CHARACTER}{{1,20}}",
        lambda r: f"{_HOST}/01/{_item(r[:14])}/21/{r[15:].translate(_ENCODED)}",
    ),
    ("id", "sscc"): _rule(_SERVICE, lambda r: f"{_HOST}/00/{_item(r)}"),
    ("id", "sgln"): _rule(rf"{_split(12)}\.{_CHARACTER}{{1,20}}", _sgln),
    ("id", "grai"): _rule(
        rf"{_ASSET}\.{_CHARACTER}{{1,16}}",
        lambda r: f"{_HOST}/8003/{_asset(r)}{r[14:].translate(_ENCODED)}",
    ),
    ("id", "giai"): _text_key("8004"),
    ("id", "gsrn"): _rule(_SERVICE, lambda r: f"{_HOST}/8018/{_joined(r)}"),
    ("id", "gsrnp"): _rule(_SERVICE, lambda r: f"{_HOST}/8017/{_joined(r)}"),
    ("id", "gdti"): _rule(
        rf"{_ASSET}{_CHARACTER}{{1,20}}",
        lambda r: f"{_HOST}/253/{_joined(r[:13])}{r[14:].translate(_ENCODED)}",
    ),
    ("id", "cpi"): _rule(rf"(?:{_PART})\.\d{{1,12}}", _component),
    ("id", "sgcn"): _rule(
        rf"{_split(12)}\.\d{{1,12}}", lambda r: f"{_HOST}/255/{_joined(r[:13])}{r[14:]}"
    ),
    ("id", "ginc"): _text_key("401"),
    ("id", "gsin"): _rule(_split(16), lambda r: f"{_HOST}/402/{_joined(r)}"),
    ("id", "itip"): _rule(
        rf"{_ITEM}\.\d{{2}}\.\d{{2}}\.{_CHARACTER}{{1,20}}",
        lambda r: (
            f"{_HOST}/8006/{_item(r[:14])}{r[15:17]}{r[18:20]}/21/{r[21:].translate(_ENCODED)}"
        ),
    ),
    ("id", "upui"): _rule(
        rf"{_ITEM}\.{_CHARACTER}{{1,28}}",
        lambda r: f"{_HOST}/01/{_item(r[:14])}/235/{r[15:].translate(_ENCODED)}",
    ),
    ("id", "pgln"): _rule(_split(12), lambda r: f"{_HOST}/417/{_joined(r)}"),
    ("class", "lgtin"): _rule(
        rf"{_ITEM}\.{_CHARACTER}{{1,20}}",
        lambda r: f"{_HOST}/01/{_item(r[:14])}/10/{r[15:].translate(_ENCODED)}",
    ),
    ("idpat", "sgtin"): _rule(rf"{_ITEM}\.\*", lambda r: f"{_HOST}/01/{_item(r[:14])}"),
    ("idpat", "upui"): _rule(rf"{_ITEM}\.\*", lambda r: f"{_HOST}/01/{_item(r[:14])}"),
    ("idpat", "grai"): _rule(rf"{_ASSET}\.\*", lambda r: f"{_HOST}/8003/{_asset(r)}"),
    ("idpat", "gdti"): _rule(rf"{_ASSET}\.\*", lambda r: f"{_HOST}/253/{_joined(r[:13])}"),
    ("idpat", "sgcn"): _rule(rf"{_ASSET}\.\*", lambda r: f"{_HOST}/255/{_joined(r[:13])}"),
    ("idpat", "cpi"): _rule(rf"(?:{_PART})\.\*", _component),
    ("idpat", "itip"): _rule(
        rf"{_ITEM}\.\d{{2}}\.\d{{2}}\.\*",
        lambda r: f"{_HOST}/8006/{_item(r[:14])}{r[15:17]}{r[18:20]}",
    ),
}


def _asset(rest: str) -> str:
    return _checked("0" + rest[:13].replace(".", ""))


def _from_link(link: str) -> str | None:
    if not _LINK.match(link):
        return None
    link = link.partition("?")[0]
    for name, number in _NAMES:
        link = link.replace(name, number)
    if not _ON_HOST.match(link):
        for key in _SEARCHED:
            if (at := link.find(f"/{key}/")) >= 0:
                link = _HOST + link[at:]
                break
    link = _fourteen_digits(link)
    variant = link.find("/22/")
    rest = link[variant + 4 :]
    if _VARIANT.match(link):
        link = link[:variant]
        variant = link.find("/22/")
    if _VARIANT_AND_MORE.match(link):
        link = link[:variant] + rest[rest.find("/") :]
    if _LOT_AND_SERIAL.match(link):
        lot = link.find("/10/")
        tail = link[lot + 4 :]
        link = link[:lot] + tail[tail.find("/") :]
    return link if _FINAL.match(link) else None


def _fourteen_digits(link: str) -> str:
    head = f"{_HOST}/01/"
    if link.startswith(head):
        digits = len(re.match(r"\d*", link[len(head) :])[0])  # type: ignore[index]
        if digits < 14:
            for length in (13, 12, 8):
                if digits >= length:
                    return link.replace("/01/", "/01/" + "0" * (14 - length))
    return link
