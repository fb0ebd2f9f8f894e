"""The bedside: band against bag against order, dose, expiry, thaw clock, a second person.

Scanner only. A wrong identity is refused, always; there is no authorisation that opens it.
"""

from dataclasses import dataclass
from datetime import timedelta

from anlage.base import Instant, Problem, Quantity, Refused
from anlage.record import Entry, fact

from .container import Container
from .container_fact import ContainerDrawn, ContainerEnded, End, Evidence

RULE = "FACT and JACIE administration; 21 CFR 1271.290"
_CHECK_HOLDS = timedelta(minutes=30)


@fact("bedside-checked")
@dataclass(frozen=True, slots=True, kw_only=True)
class BedsideChecked:
    """Band, bag and order agreed, before two persons.

    Attributes:
        order: The order.
        coi: The chain of identity that all three carry.
        thawed: When the bag was thawed; None for a fresh product.
        first: Who scanned.
        second: Who looked.
    """

    order: str
    coi: str
    first: str
    second: str
    thawed: Instant | None = None


@fact("leftover-reconciled")
@dataclass(frozen=True, slots=True, kw_only=True)
class LeftoverReconciled:
    """What was in the bag is accounted for: given, and left over for discard."""

    given: Quantity
    left: Quantity
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InfusionOrder:
    """What the physician ordered.

    Attributes:
        id: The order.
        coi: The patient's chain of identity.
        lot: The product lot.
        volume_min: Least volume of a dose.
        volume_max: Greatest volume of a dose.
        expires: Expiry of the product, before thaw.
        thaw_to_infusion_max: How long the product holds after thaw; None for a fresh product.
    """

    id: str
    coi: str
    lot: str
    volume_min: Quantity
    volume_max: Quantity
    expires: Instant
    thaw_to_infusion_max: timedelta | None = None


def check_at_bedside(
    order: InfusionOrder,
    container: Container,
    *,
    band: str,
    bag: str,
    thawed: Instant | None,
    first: str,
    second: str,
    at: Instant,
) -> list[Entry]:
    """Give the fact that opens an infusion.

    Args:
        order: What was ordered.
        container: The bag on record.
        band: Chain of identity as scanned from the patient's band.
        bag: Container as scanned from the bag.
        thawed: When it was thawed.
        first: Who scans; the bag's holder.
        second: Who looks.
        at: Now.

    Raises:
        Refused: Every reason at once; `identity-mismatch` stands first and has no way round.
    """
    problems = [
        *_identity(order, container, band, bag),
        *_state(order, container, first, second),
        *_times(order, thawed, at),
    ]
    if problems:
        raise Refused.of(problems)
    checked = BedsideChecked(
        order=order.id, coi=order.coi, first=first, second=second, thawed=thawed
    )
    return [Entry(container.stream, checked)]


def infuse(
    container: Container,
    *,
    given: Quantity,
    left: Quantity,
    by: str,
    at: Instant,
) -> list[Entry]:
    """Give the facts of an infusion: what was given and what is left.

    A bag from which all was given has come to its end; one with a remainder is answered for until
    that is destroyed or sent back.

    Raises:
        Refused: Somebody else answers for it, it was not checked within 30 minutes, or given and
            left are not what was in it.
    """
    if not container.exists or container.holder != by:
        raise _refuse(
            "not-the-holder",
            f"container {container.id}",
            f"held by {container.holder or 'nobody'}, asked by {by}",
            "its holder",
            "have the holder act, or hand the container over first",
        )
    checked_at = container.checked_at
    if checked_at is None or not timedelta(0) <= at - checked_at <= _CHECK_HOLDS:
        raise _refuse(
            "bedside-check-missing",
            f"infusion of {container.id}",
            "no check of band and bag" if checked_at is None else f"a check at {checked_at}",
            "a check within the last 30 minutes",
            "scan band and bag again",
        )
    if container.amount is None:
        raise _refuse(
            "amount-unknown", f"container {container.id}", "none", "an amount", "enter the amount"
        )
    unit = container.amount.unit
    total = given.to(unit).value + left.to(unit).value
    if given.value <= 0 or left.value < 0 or total != container.amount.value:
        raise _refuse(
            "leftover-not-reconciled",
            f"container {container.id}",
            f"{given} given and {left} left",
            f"together {container.amount}",
            "measure what is left in bag and line, and account for the rest",
        )
    drawn = ContainerDrawn(amount=given, into=(), evidence=Evidence.SCANNED)
    entries = [
        Entry(container.stream, LeftoverReconciled(given=given, left=left, by=by)),
        Entry(container.stream, drawn),
    ]
    if left.value == 0:
        ended = ContainerEnded(how=End.INFUSED, holder=by, evidence=Evidence.SCANNED)
        entries.append(Entry(container.stream, ended))
    return entries


def _identity(order: InfusionOrder, container: Container, band: str, bag: str) -> list[Problem]:
    stop = "stop: do not infuse; call the physician and the cell laboratory"
    found: list[Problem] = []
    for what, seen, wanted in (
        ("band of the patient", band, order.coi),
        ("bag", bag, container.id),
        ("patient of the bag", container.coi or "none", order.coi),
        ("lot of the bag", container.lot or "none", order.lot),
    ):
        if seen != wanted:
            found.append(
                Problem(
                    code="identity-mismatch",
                    what=what,
                    found=seen,
                    limit=wanted,
                    remedy=stop,
                    rule=RULE,
                )
            )
    return found


def _state(order: InfusionOrder, container: Container, first: str, second: str) -> list[Problem]:
    found: list[Problem] = []
    if not container.exists or container.inside is not None:
        found.append(
            _problem(
                "container-not-there",
                f"container {container.id}",
                "ended, packed or never created",
                "a bag in use",
                "unpack it and scan it again",
            )
        )
    elif container.holder != first:
        found.append(
            _problem(
                "not-the-holder",
                f"container {container.id}",
                f"held by {container.holder}",
                first,
                "have it handed over first",
            )
        )
    if not second.strip() or second == first:
        found.append(
            _problem(
                "second-person-missing",
                f"infusion of {container.id}",
                second or "nobody",
                f"a second person beside {first}",
                "have a second qualified person look",
            )
        )
    if container.amount is not None:
        volume = container.amount.to(order.volume_min.unit).value
        low, high = order.volume_min.value, order.volume_max.to(order.volume_min.unit).value
        if not low <= volume <= high:
            found.append(
                _problem(
                    "dose-outside-order",
                    f"dose in {container.id}",
                    str(container.amount),
                    f"{order.volume_min} to {order.volume_max}",
                    "ask the physician for a new order",
                )
            )
    return found


def _times(order: InfusionOrder, thawed: Instant | None, at: Instant) -> list[Problem]:
    found: list[Problem] = []
    if at > order.expires:
        found.append(
            _problem(
                "product-expired",
                f"lot {order.lot}",
                at.isoformat(),
                f"until {order.expires.isoformat()}",
                "stop and call the cell laboratory",
            )
        )
    if order.thaw_to_infusion_max is None:
        return found
    if thawed is None or thawed > at:
        found.append(
            _problem(
                "thaw-time-missing",
                f"lot {order.lot}",
                "no time of thaw" if thawed is None else "a thaw that is still to come",
                "the time of thaw",
                "scan the thaw record",
            )
        )
    elif at - thawed > order.thaw_to_infusion_max:
        found.append(
            _problem(
                "thaw-clock-run-out",
                f"lot {order.lot}",
                f"{(at - thawed).total_seconds() / 60:.0f} min after thaw",
                f"{order.thaw_to_infusion_max.total_seconds() / 60:.0f} min",
                "stop and call the physician and the cell laboratory",
            )
        )
    return found


def _problem(code: str, what: str, found: str, limit: str, remedy: str) -> Problem:
    return Problem(code=code, what=what, found=found, limit=limit, remedy=remedy, rule=RULE)


def _refuse(code: str, what: str, found: str, limit: str, remedy: str) -> Refused:
    return Refused.of([_problem(code, what, found, limit, remedy)])
