"""A delivery read from its codes: what the scans say, and what the house knows of the item."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from anlage.base import Problem, Refused
from anlage.custody import TradeItem, item_stream
from anlage.custody.codes import decode
from anlage.library import Definition
from anlage.plant import read_terms
from anlage.record import Stream

from .installation import Installation

SCANS_MAX, TEXT_MAX, STOCK_MAX = 20, 400, 20_000
ALWAYS = ("packaging", "label")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is known of a delivery from its codes.

    Attributes:
        filled: Values of the receipt's form, as a person would type them.
        checks: What must be looked at before its release: the class's demands, packaging, label.
        said: What each scan said, in words.
        problems: Codes that are refused, and what the house does not know.
        received_before: Material lots of the same supplier's lot.
        unknown_item: A trade item number that stands for nothing here yet; empty else.
    """

    filled: dict[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ALWAYS
    said: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    received_before: tuple[str, ...] = ()
    unknown_item: str = ""


def read_delivery(site: Installation, scans: Iterable[str], *, packs: str = "1") -> Delivery:
    """Read the codes of a delivery: one GS1 code with everything, or several that add up.

    Two codes that tell different things of one delivery (another item, lot or expiry) are a
    problem: they are of two deliveries.
    """
    fields: dict[str, str] = {}
    said: list[str] = []
    problems: list[Problem] = []
    for text in list(scans)[:SCANS_MAX]:
        reading = decode(text[:TEXT_MAX], site.clock.now().date())
        problems += reading.problems
        said += [one.meaning for one in reading.elements] if reading.valid else []
        for key in ("gtin", "lot", "expiry", "serial") if reading.valid else ():
            value = reading.fields.get(key)
            if value is None or key == "serial":
                continue
            if fields.setdefault(key, value) != value:
                problems.append(_two(key, fields[key], value))
    item = _item(site, fields.get("gtin"))
    filled = {"supplier_lot": fields.get("lot", ""), "gtin": fields.get("gtin", "")}
    if "expiry" in fields:
        filled["expires"] = _end_of(fields["expiry"], site.settings.time_zone)
    known = item.said if item is not None else None
    if known is not None:
        filled |= {
            "name": known.name,
            "material_class": known.material_class,
            "supplier": known.supplier,
            "pack": str(known.pack),
            "packs": packs,
        }
    return Delivery(
        filled=filled,
        checks=(*_demands(site, filled.get("material_class", "")), *ALWAYS),
        said=tuple(said),
        problems=tuple(problems),
        received_before=_before(site, filled),
        unknown_item=fields.get("gtin", "") if known is None else "",
    )


def _item(site: Installation, gtin: str | None) -> TradeItem | None:
    if gtin is None:
        return None
    try:
        return site.engine.state(TradeItem, item_stream(gtin))
    except Refused:
        return None


def _demands(site: Installation, name: str) -> tuple[str, ...]:
    """Give the checks that the class of material asks for before release."""
    stream = f"definition/material-class:{name}"
    if not name or not Stream.pattern.fullmatch(stream):
        return ()
    version = site.engine.state(Definition, Stream(stream)).effective(site.clock.now())
    if version is None:
        return ()
    terms = read_terms(name, version.content, version=version.number, digest=version.digest)
    return terms.inspections


def _before(site: Installation, filled: dict[str, str]) -> tuple[str, ...]:
    lot, supplier = filled.get("supplier_lot", ""), filled.get("supplier", "")
    if not (lot and supplier):
        return ()
    return tuple(
        name
        for name, row in site.rows("stock").find(limit=STOCK_MAX)
        if row["supplier_lot"] == lot and row.get("supplier") == supplier
    )


def _end_of(day: str, zone: str) -> str:
    """Give the last minute of a day in the site's zone, as its forms take it."""
    try:
        end = datetime.combine(datetime.fromisoformat(day).date(), time(23, 59), ZoneInfo(zone))
    except ValueError:
        return ""
    return f"{end:%Y-%m-%dT%H:%M}"


def _two(key: str, one: str, other: str) -> Problem:
    return Problem(
        code="scans-differ",
        what=f"{key} of the delivery",
        found=other,
        limit=one,
        remedy="scan one delivery at a time; begin again for the other",
        rule="EU GMP Part IV 7.41",
    )
