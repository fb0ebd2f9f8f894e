"""The transport of the demonstration: two lanes, four shippers, shipments at several stages.

Temperatures and ways are invented and said to be simulated; everything goes through the commands of
real use.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from anlage.base import Quantity, stamp
from anlage.custody import CreateContainer, Evidence, PackContainer, UnpackContainer
from anlage.custody.storage import ClassifyContainer, Infectious
from anlage.custody.transport import (
    BookShipment,
    CleanShipper,
    GoOnShipment,
    HoldCause,
    HoldShipment,
    LinkPurpose,
    MakeCourierLink,
    PrepareShipment,
    QualifyLane,
    QualifyShipper,
    ReceiveShipment,
    RegisterLane,
    RegisterShipper,
    ReturnShipper,
    SignAsCourier,
)
from anlage.record import Actor

from ..conditions import take_in
from .facility import OPERATOR, QUALITY, STORE
from .player import Player

SHIPPERS = (
    ("DS-01", "Dry vapour 4 L", "-150 Cel", 240, 60),
    ("DS-02", "Dry vapour 4 L", "-150 Cel", 240, 60),
    ("DS-03", "Dry vapour 10 L", "-150 Cel", 300, 60),
    ("BX-01", "Cool box 2 to 8", "8 Cel", 96, 30),
)
LANES = (
    # lane, to, country, mode, carrier, planned, longest, 95 of 100
    ("LANE-PAR", "Clinic Paris", "FR", "road and air", "Simulated Courier", 14, 40, 26),
    ("LANE-ZRH", "Clinic Zurich", "CH", "road and air", "Simulated Courier", 16, 48, 34),
)
CONTACTS = ("sender, store of the hospital, +49 000 0001", "receiver, ward, +49 000 0002")
STEP = timedelta(minutes=10)
HOURS = 37  # how long all of it takes
Steps = Iterator[timedelta]


def ship_some(player: Player) -> Steps:
    """Send shipments: one received, one that grew warm, one held at customs at the end."""
    _fleet(player)
    yield from _ship(player, 1, "LANE-PAR", "DS-01")
    yield timedelta(hours=13)
    _log(player, 1, warm_hours=0.0)
    yield from _receive(player, 1)
    player.do(ReturnShipper(shipper="DS-01", condition="whole, charged"), by=STORE)
    player.do(CleanShipper(shipper="DS-01", agent="alcohol 70 %"), by=STORE)
    yield from _ship(player, 2, "LANE-ZRH", "DS-02")
    yield from _stand_still(player, 2, hours=5)
    yield timedelta(hours=9)
    _log(player, 2, warm_hours=2.4)
    yield from _receive(player, 2)
    yield from _ship(player, 3, "LANE-ZRH", "DS-03")
    held = HoldShipment(shipment="SH-003", cause=HoldCause.DOCUMENTS, place="airport, customs",
                        note="value missing on the invoice")  # fmt: skip
    player.do(held, by=STORE)


def _fleet(player: Player) -> None:
    due = player.clock.now() + timedelta(days=300)
    for name, model, keeps, hours, cycles in SHIPPERS:
        limit = Quantity.parse(keeps)
        low = Quantity.parse("2 Cel") if name.startswith("BX") else None
        player.do(
            RegisterShipper(
                shipper=name, model=model, maker="simulated", serial=f"SIM-{name}",
                cycles_max=cycles, keeps_min=low, keeps_max=limit, has_telemetry=True,
            ),
            by=STORE,
        )  # fmt: skip
        player.do(
            QualifyShipper(shipper=name, report="simulated report", hold_hours=hours,
                           profile="summer, simulated", due=due),
            by=QUALITY,
        )  # fmt: skip
        player.do(CleanShipper(shipper=name, agent="alcohol 70 %"), by=STORE)
    for lane, to, country, mode, carrier, planned, longest, p95 in LANES:
        player.do(
            RegisterLane(lane=lane, origin="Simulated University Hospital", origin_country="DE",
                         destination=to, destination_country=country, carrier=carrier, mode=mode,
                         hours_planned=planned, hours_max=longest),
            by=STORE,
        )  # fmt: skip
        player.do(
            QualifyLane(lane=lane, report="simulated report", runs=12, hours_p95=p95, due=due),
            by=QUALITY,
        )


def _ship(player: Player, number: int, lane: str, shipper: str) -> Steps:
    now = player.clock.now()
    bag, name = f"SB-{number:03d}", f"SH-{number:03d}"
    player.do(
        CreateContainer(container=bag, vessel="cryobag", place="packing", evidence=Evidence.SCANNED,
                        coi=f"CHA9999259{number:05d}", lot=f"CART-25-9{number:02d}",
                        amount=Quantity.parse("20 mL")),
        by=STORE,
    )  # fmt: skip
    player.do(
        ClassifyContainer(container=bag, product_class="cell therapy",
                          infectious=Infectious.NEGATIVE),
        by=STORE,
    )  # fmt: skip
    player.do(
        CreateContainer(container=shipper, vessel="shipper", place="packing",
                        evidence=Evidence.SCANNED),
        by=STORE,
    )  # fmt: skip
    player.do(PackContainer(container=bag, into=shipper, evidence=Evidence.SCANNED), by=STORE)
    due = now + timedelta(hours=40)
    player.do(
        BookShipment(shipment=name, lane=lane, product="frozen-car-t", goods="gene-modified-cells",
                     shipper=shipper, pick_up=now + timedelta(hours=1), due=due, contacts=CONTACTS),
        by=STORE,
    )  # fmt: skip
    player.do(
        PrepareShipment(shipment=name, shipper=shipper, containers=(bag,), seal=f"77{number:04d}",
                        receiver=OPERATOR, due=due, evidence=Evidence.SCANNED),
        by=STORE,
    )  # fmt: skip
    yield from _courier(player, number, LinkPurpose.PICK_UP)


def _courier(player: Player, number: int, purpose: LinkPurpose) -> Steps:
    yield timedelta(minutes=50)
    name, secret = f"SH-{number:03d}", f"simulated secret {number} {purpose.value}"
    made = MakeCourierLink(
        shipment=name, courier="M. Ober, Simulated Courier", purpose=purpose,
        expires=player.clock.now() + timedelta(hours=60),
        digest=hashlib.sha256(secret.encode()).hexdigest(),
    )  # fmt: skip
    player.do(made, by=STORE)
    signed = SignAsCourier(
        shipment=name, secret=secret, name="Max Ober", seal=f"77{number:04d}", place="ramp",
    )  # fmt: skip
    player.installation.engine.do(signed, actor=Actor(via="courier-link"))


def _stand_still(player: Player, number: int, *, hours: float) -> Steps:
    yield timedelta(hours=3)
    name = f"SH-{number:03d}"
    held = HoldShipment(shipment=name, cause=HoldCause.INSPECTION, place="airport, customs")
    player.do(held, by=STORE)
    yield timedelta(hours=hours)
    player.do(GoOnShipment(shipment=name), by=STORE)


def _log(player: Player, number: int, *, warm_hours: float) -> None:
    """Take in simulated telemetry of the last half day; warm for a while in the middle."""
    end = player.clock.now()
    start = end - timedelta(hours=12)
    samples: list[dict[str, Any]] = []
    for step in range(int((end - start) / STEP)):
        at = start + step * STEP
        hours = (at - start) / timedelta(hours=1)
        celsius = -186.0 + 2.0 * math.sin(hours / 2.3) + 0.4 * math.sin(step * 1.7)
        warming = max(0.0, 1.0 - abs(hours - 6.0) / warm_hours) if warm_hours else 0.0
        samples.append(
            {
                "at": stamp(at),
                "celsius": round(celsius + 44.0 * warming, 2),
                "tilt": 3 + step % 4,
                "shock": round(1 + 0.3 * (step % 5), 1),
            }
        )
    data = json.dumps({"unit": f"DS-{number:02d}, simulated", "samples": samples}).encode()
    name, actor = f"SH-{number:03d}", Actor(person=OPERATOR, via="command-line")
    take_in(player.installation, name, data, f"way-{number}.json", actor=actor)


def _receive(player: Player, number: int) -> Steps:
    name = f"SH-{number:03d}"
    yield from _courier(player, number, LinkPurpose.DELIVERY)
    got = ReceiveShipment(
        shipment=name, scanned=(f"SB-{number:03d}",), seal=f"77{number:04d}", place="clinic",
    )  # fmt: skip
    player.do(got, by=OPERATOR)
    shipper, bag = f"DS-{number:02d}", f"SB-{number:03d}"
    taken = UnpackContainer(container=bag, out_of=shipper, evidence=Evidence.SCANNED)
    player.do(taken, by=OPERATOR)
