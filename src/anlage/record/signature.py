"""A person's signature under what was shown to them.

What is signed is the canonical JSON of the values and the meaning shown, with the version of the
page or document that showed them. The signature lies in the fact that it signs, so it cannot be
moved to another (21 CFR 11.50, 11.70).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anlage.base import Instant, Refused, canonical, digest, parse_canonical

METHODS = ("password", "password-and-code", "session", "passkey", "simulated-person")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed what, in which meaning.

    Attributes:
        person: Identifier of the person.
        name: The printed name.
        meaning: What the signature says, in words ("performed", "verified", "released").
        shown: The canonical JSON of exactly what was shown.
        digest: SHA-256 of `shown`, in hexadecimal.
        template: Name and version of the page or document that showed it.
        method: How the person proved to be that person; one of `METHODS`.
        at: When.
    """

    person: str
    name: str
    meaning: str
    shown: str
    digest: str
    template: str
    method: str
    at: Instant

    def is_sound(self) -> bool:
        """Tell whether the digest is that of what was shown and the meaning is the one shown."""
        try:
            values = parse_canonical(self.shown.encode())
        except Refused:
            return False
        return (
            isinstance(values, dict)
            and digest(values) == self.digest
            and values.get("meaning") == self.meaning
        )


def sign(
    shown: Mapping[str, Any],
    *,
    person: str,
    name: str,
    meaning: str,
    template: str,
    method: str,
    at: Instant,
) -> Signature:
    """Give the signature of a person who has just proved to be that person.

    Raises:
        Refused: The method is not one that Anlage knows.
    """
    if method not in METHODS:
        raise Refused(
            "signature-method-unknown",
            what=f"signature of {name}",
            found=method,
            limit=", ".join(METHODS),
            remedy="sign on the page again",
            rule="21 CFR 11.200",
        )
    values = {**shown, "meaning": meaning, "template": template}
    return Signature(
        person=person,
        name=name,
        meaning=meaning,
        shown=canonical(values).decode(),
        digest=digest(values),
        template=template,
        method=method,
        at=at,
    )


class SignatureWanted(Refused):
    """A decision that would go through, had a certain person signed certain values in a certain
    meaning.

    A shell shows the values, has the person prove to be that person, and asks again.
    """

    def __init__(
        self, what: str, *, person: str, meaning: str, shown: Mapping[str, Any], rule: str
    ) -> None:
        """Say who has to sign what."""
        self.person, self.meaning, self.shown = person, meaning, dict(shown)
        super().__init__(
            "signature-missing",
            what=what,
            found="no signature",
            limit=f"the signature of {person}, meaning {meaning}",
            remedy="sign",
            rule=rule,
        )
