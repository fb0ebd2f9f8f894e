"""Whether a signature stands under what it should: sound, by that person, in that meaning."""

from collections.abc import Mapping
from typing import Any, Protocol

from anlage.base import Instant, Refused, parse_canonical
from anlage.record import Signature, SignatureWanted, World

from .lot import Lot
from .lot_fact import Rule

RULE = "21 CFR 11.50, 11.70"
SIMULATED_PERSON = "simulated-person"


class Qualified(Protocol):
    """Anyone who may be qualified for a role: a person of the library."""

    @property
    def id(self) -> str:
        """The person's identifier."""
        ...

    @property
    def world(self) -> World:
        """The world in which they act."""
        ...

    def must_be_qualified(self, role: str, at: Instant) -> None:
        """Refuse, with `operator-unqualified`, a person who may not act in a role."""
        ...


def must_sign(
    signature: Signature | None,
    *,
    person: Qualified,
    meaning: str,
    what: str,
    shown: Mapping[str, Any],
) -> Signature:
    """Give the signature if it stands under just this.

    Args:
        signature: What was given.
        person: Who has to have signed.
        meaning: In which meaning.
        what: What is signed, for messages.
        shown: Values that have to stand among those that were shown and signed.

    Raises:
        Refused: It is missing, not sound, another's, in another meaning, under other values, or
            that of a simulated person outside a simulated world.
    """
    if signature is None:
        raise SignatureWanted(what, person=person.id, meaning=meaning, shown=shown, rule=RULE)
    fault = _of_this_world(signature, person.world)
    if fault := fault or fault_of(signature, person=person.id, meaning=meaning, shown=shown):
        raise Refused(
            "signature-unsound",
            what=f"signature under {what}",
            found=fault,
            limit=f"{meaning} by {person.id}, under the values that are recorded",
            remedy="look at the values again and sign anew",
            rule=RULE,
        )
    return signature


def _of_this_world(signature: Signature, world: World) -> str | None:
    """Say what is wrong when a simulated person signs where real ones work or learn."""
    if signature.method == SIMULATED_PERSON and world is not World.SIMULATED:
        return f"a simulated person in a {world} world"
    return None


def fault_of(
    signature: Signature, *, person: str, meaning: str, shown: Mapping[str, Any]
) -> str | None:
    """Say what is wrong with a signature; None when nothing is."""
    if not signature.is_sound():
        return "a digest that is not that of what was shown"
    if signature.person != person:
        return f"a signature of {signature.person}"
    if signature.meaning != meaning:
        return f"the meaning {signature.meaning}"
    values = parse_canonical(signature.shown.encode())
    for name, value in shown.items():
        if values.get(name) != value:
            return f"{name} shown as {values.get(name)!r}, recorded as {value!r}"[:300]
    return None


def must_be_allowed(lot: Lot, person: Qualified, role: str, step: str, at: Instant) -> int | None:
    """See that a person may do a step, or give the number of the authorisation that lets them.

    Raises:
        Refused: `operator-unqualified`.
    """
    try:
        person.must_be_qualified(role, at)
    except Refused as refusal:
        if refusal.code != "operator-unqualified":
            raise
        number = lot.authorisation(Rule.OPERATOR, step, person.id, at)
        if number is None:
            raise
        return number
    return None
