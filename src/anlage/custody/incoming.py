"""What a trade item number stands for here, so that a scan of a delivery fills in its form."""

from dataclasses import dataclass, replace
from typing import Self

from anlage.base import Quantity, Refused, clean_line
from anlage.record import Entry, Recorded, Stream, fact

from .codes.check_character import mod10

RULE = "GS1 General Specifications; EU GMP Part IV 7.11"
NAME_MAX = 120


@fact("item-registered")
@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRegistered:
    """It was said what a trade item number stands for, or said anew.

    Attributes:
        material_class: Class of material, by its definition's identifier.
        supplier: Who supplies it.
        name: What people call it.
        pack: What one pack of it holds.
        by: Who said so.
        reason: Why it was said anew; empty the first time.
    """

    material_class: str
    supplier: str
    name: str
    pack: Quantity
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterItem:
    """Say what a trade item number (GTIN) stands for.

    Attributes:
        gtin: 14 digits; shorter ones are filled with zeros in front.
        pack: What one pack holds, such as 500 mL.
        reason: Why it is said anew; empty the first time.
    """

    gtin: str
    material_class: str
    supplier: str
    name: str
    pack: Quantity
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeItem:
    """What a trade item's facts amount to."""

    gtin: str
    said: ItemRegistered | None = None

    @classmethod
    def begin(cls, stream: Stream) -> Self:
        """Give the state of an item without facts."""
        return cls(gtin=stream.id)

    def after(self, recorded: Recorded) -> Self:
        """Give the state after one more fact of the journal."""
        fact = recorded.fact
        return replace(self, said=fact) if isinstance(fact, ItemRegistered) else self


def item_stream(gtin: str) -> Stream:
    """Give the stream of a trade item.

    Raises:
        Refused: `gtin-malformed`.
    """
    number = gtin.strip().zfill(14)
    is_number = len(gtin.strip()) in (8, 12, 13, 14) and number.isascii() and number.isdigit()
    if not is_number or mod10(number[:-1]) != number[-1]:
        raise Refused(
            "gtin-malformed",
            what="trade item number",
            found=repr(gtin[:20]),
            limit="8, 12, 13 or 14 digits, the last a check",
            remedy="scan it again",
            rule=RULE,
        )
    return Stream(f"item/{number}")


def register_item(item: TradeItem, request: RegisterItem, *, by: str) -> list[Entry]:
    """Give the fact of what a trade item number stands for.

    Raises:
        Refused: It was said before and no reason is given, or the pack holds nothing.
    """
    if item.said is not None and not request.reason.strip():
        raise Refused(
            "item-known",
            what=f"trade item {item.gtin}",
            found=f"{item.said.name} of {item.said.supplier}",
            limit="a reason for saying it anew",
            remedy="say why it changed",
            rule=RULE,
        )
    if request.pack.value <= 0:
        raise Refused(
            "item-pack",
            what=f"trade item {item.gtin}",
            found=f"a pack of {request.pack}",
            limit="more than nothing",
            remedy="say what one pack holds",
            rule=RULE,
        )
    said = ItemRegistered(
        material_class=clean_line(request.material_class, "material class", limit=NAME_MAX),
        supplier=clean_line(request.supplier, "supplier", limit=NAME_MAX),
        name=clean_line(request.name, "name", limit=NAME_MAX),
        pack=request.pack,
        by=by,
        reason=request.reason.strip(),
    )
    return [Entry(item_stream(item.gtin), said)]
