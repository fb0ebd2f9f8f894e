"""Commands of trade items: what a scanned number stands for."""

from anlage.base import Refused
from anlage.custody import RegisterItem, TradeItem, item_stream, register_item
from anlage.library import Definition
from anlage.plant import Supplier
from anlage.record import Entry, Stream

from ..engine import Desk, command
from .equipment import KEEPER, QUALITY
from .materials import must_act


@command("register-item")
def _register(desk: Desk, request: RegisterItem) -> list[Entry]:
    must_act(desk, KEEPER, QUALITY)
    item = desk.read(TradeItem, item_stream(request.gtin))
    definition = Stream(f"definition/material-class:{request.material_class}")
    desk.read(Definition, definition).must_have_effective(desk.at)
    supplier = desk.read(Supplier, Stream(f"supplier/{request.supplier}"))
    if not supplier.name:
        raise Refused(
            "supplier-unknown",
            what=f"supplier {request.supplier}",
            found="not registered",
            limit="a registered supplier",
            remedy="register the supplier first",
            rule="EU GMP Part IV 7.11",
        )
    return register_item(item, request, by=desk.actor.person or "")
