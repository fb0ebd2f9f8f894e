"""What the bedside page shows: the order, the bag, the clock, what is still to be scanned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from anlage.base import Instant, Refused
from anlage.custody import Container
from anlage.library import Definition, Product
from anlage.plant import Journey, JourneyStage, Lot
from anlage.record import Stream
from anlage.web.guide import clock_speed
from anlage.web.here import installation
from anlage.web.reading import now, person_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Bedside:
    """The bedside as it stands.

    Attributes:
        mode: early (not cleared), thaw, scan, give, left or done.
        limit: How long the dose holds after thaw; None for a fresh product.
        elapsed: Seconds since thaw at the moment of the page.
        fields: What is scanned, each with its name, text and whether it is next.
        is_read: Whether band, bag and second person have been scanned.
    """

    mode: str
    journey: Journey
    lot: Lot | None
    bag: Container | None
    expires: Instant | None
    limit: timedelta | None
    elapsed: float | None
    speed: float
    fields: tuple[dict[str, Any], ...]
    is_read: bool

    @property
    def limit_seconds(self) -> float | None:
        """The limit in seconds."""
        return self.limit.total_seconds() if self.limit is not None else None

    @property
    def limit_minutes(self) -> float | None:
        """The limit in minutes."""
        return self.limit.total_seconds() / 60 if self.limit is not None else None


def bedside_of(journey: Journey, scans: Mapping[str, str]) -> Bedside:
    """Give the bedside of a patient."""
    engine = installation().engine
    lot = engine.state(Lot, Stream(f"lot/{journey.lot}")) if journey.lot else None
    bag = None
    if journey.dose_container:
        bag = engine.state(Container, Stream(f"container/{journey.dose_container}"))
    life, limit = _storage(lot)
    elapsed = (now() - journey.thawed).total_seconds() if journey.thawed else None
    fields = _fields(scans)
    return Bedside(
        mode=_mode(journey, bag, limit),
        journey=journey,
        lot=lot,
        bag=bag,
        expires=lot.made + life if lot and lot.made and life else None,
        limit=limit,
        elapsed=elapsed,
        speed=clock_speed(),
        fields=fields,
        is_read=all(one["text"] for one in fields),
    )


def _mode(journey: Journey, bag: Container | None, limit: timedelta | None) -> str:
    match journey.stage:
        case JourneyStage.CLEARED:
            return "thaw" if limit is not None and journey.thawed is None else "scan"
        case JourneyStage.CONFIRMED:
            return "give"
        case JourneyStage.INFUSED:
            return "left" if bag is not None and bag.exists else "done"
        case _:
            return "early"


def _fields(scans: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    named = (("band", _("Patient's band")), ("bag", _("Bag")), ("person", _("Second person")))
    first = next((key for key, _name in named if not scans.get(key)), None)
    return tuple(
        {
            "key": key,
            "name": name,
            "text": _shown(key, scans.get(key, "")),
            "is_next": key == first,
        }
        for key, name in named
    )


def _shown(key: str, text: str) -> str:
    return person_name(text) if key == "person" and text else text


def _storage(lot: Lot | None) -> tuple[timedelta | None, timedelta | None]:
    """Give shelf life and time after thaw of the lot's product."""
    if lot is None or not lot.product:
        return None, None
    definition = installation().engine.state(
        Definition, Stream(f"definition/product:{lot.product}")
    )
    try:
        storage = Product.read(definition.version(lot.product_version).content).storage
    except Refused:
        return None, None
    life = storage.shelf_life
    hold = storage.after_thaw
    return (
        timedelta(days=float(life.to("d").value)) if life is not None else None,
        timedelta(seconds=float(hold.to("s").value)) if hold is not None else None,
    )
