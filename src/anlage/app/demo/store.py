"""The store of the demonstration: tanks, racks and boxes, a bank and patients' bags in them, a
picklist that waits. Everything through the commands of real use; every material is invented.
"""

from anlage.base import Quantity
from anlage.custody import CreateContainer, Evidence, RegisterItem
from anlage.custody.storage import (
    AuditPlace,
    ClassifyContainer,
    Infectious,
    InfectiousPolicy,
    MakePicklist,
    Place,
    PlaceKind,
    QuarantineContainer,
    RegisterPlace,
    StoreContainer,
)

from .facility import STORE
from .player import Player

VAPOUR = Quantity.parse("-150 Cel")
GLASS = Quantity.parse("-135 Cel")
CELLS = ("cell therapy", "cell bank", "starting material")
VIALS, RETAINS = 96, 14


def furnish_store(player: Player) -> None:
    """Register the store and put a bank and some patients' retained bags into it."""
    _places(player)
    for number in range(1, VIALS + 1):
        box = "T1-B1" if number <= 72 else "T1-B2"
        _put(player, f"BV-{number:03d}", "vial", box, lot="BANK-MSC-01", coi=None)
    for number in range(1, RETAINS + 1):
        coi = f"CHA999925{number:06d}"
        _put(player, f"RB-{number:03d}", "cryobag", "T1-C1", lot=f"CART-25-{number:03d}", coi=coi)
    _put(player, "RB-090", "cryobag", "T2-B1", lot="CART-25-090", coi="CHA999925000090",
         infectious=Infectious.POSITIVE)  # fmt: skip
    item = RegisterItem(
        gtin="09521101530018", material_class="wash-buffer", supplier="SUP-01", name="Wash buffer",
        pack=Quantity.parse("1000 mL"),
    )  # fmt: skip
    player.do(item, by=STORE)
    held = QuarantineContainer(container="RB-004", reason="sterility result of the lot is not back")
    player.do(held, by=STORE)


def wait_for_picking(player: Player) -> None:
    """Leave a picklist for the visitor, and an audit that found a vial missing."""
    there = [f"BV-{number:03d}" for number in range(73, VIALS + 1) if number != 80]
    audited = AuditPlace(place="T1-B2", scanned=tuple(there), evidence=Evidence.SCANNED)
    player.do(audited, by=STORE)
    wanted = ("BV-001", "BV-002", "BV-073", "RB-007")
    player.do(MakePicklist(order="thaw of working stock, week 12", containers=wanted), by=STORE)


def _places(player: Player) -> None:
    def register(
        place: str, name: str, kind: PlaceKind, parent: str | None, **terms: object
    ) -> None:
        asked = RegisterPlace(place=place, name=name, kind=kind, parent=parent, **terms)  # type: ignore[arg-type]
        player.do(asked, by=STORE)

    register("SITE", "Trial hospital", PlaceKind.SITE, None, gln="9521101530001")
    register("LN2", "Nitrogen store", PlaceKind.STORE, "SITE")
    register("COLD", "Cold store", PlaceKind.STORE, "SITE")
    for tank, name, policy in (
        ("T1", "Vapour tank 1", InfectiousPolicy.NONE),
        ("T2", "Vapour tank 2, quarantine", InfectiousPolicy.ALLOWED),
    ):
        register(tank, name, PlaceKind.TANK, "LN2", keeps_max=VAPOUR, infectious=policy,
                 classes=CELLS)  # fmt: skip
        for rack in ("R1", "R2"):
            register(f"{tank}-{rack}", f"Rack {rack[1]}", PlaceKind.RACK, f"{tank}", capacity=11)
        for box in ("B1", "B2", "B3"):
            register(f"{tank}-{box}", "Vial box 9 by 9", PlaceKind.BOX, f"{tank}-R1", rows=9,
                     columns=9)  # fmt: skip
    register("T1-C1", "Cassette frame", PlaceKind.BOX, "T1-R2", rows=4, columns=6)
    register("T1-B9", "Straw box 12 by 12", PlaceKind.BOX, "T1-R2", rows=12, columns=12)
    register("REF-1", "Refrigerator", PlaceKind.TANK, "COLD", keeps_min=Quantity.parse("2 Cel"),
             keeps_max=Quantity.parse("8 Cel"))  # fmt: skip
    register("REF-1-S1", "Upper shelf", PlaceKind.SHELF, "REF-1", capacity=20, is_reusable=True)


def _put(
    player: Player,
    name: str,
    vessel: str,
    place: str,
    *,
    lot: str,
    coi: str | None,
    infectious: Infectious = Infectious.NEGATIVE,
) -> None:
    volume = "1 mL" if vessel == "vial" else "20 mL"
    made = CreateContainer(
        container=name, vessel=vessel, place="receipt", evidence=Evidence.SCANNED, coi=coi, lot=lot,
        amount=Quantity.parse(volume),
    )  # fmt: skip
    player.do(made, by=STORE)
    said = ClassifyContainer(
        container=name,
        product_class="cell bank" if vessel == "vial" else "cell therapy",
        infectious=infectious,
        keep_max=GLASS,
    )
    player.do(said, by=STORE)
    held = player.state(Place, f"place/{place}")
    free = next(one for one in held.terms.names() if one not in held.stowed)
    asked = StoreContainer(container=name, place=place, position=free, evidence=Evidence.SCANNED)
    player.do(asked, by=STORE)
