"""The papers of a shipment: what it is, how to handle it, what borders ask for, who is called.

Made for carriers and customs, so nothing in them tells of a patient. The PDF carries the machine
record; `papers_of` gives it by itself.
"""

import json
from importlib.resources import as_file, files
from typing import Any

from anlage.base import Refused, stamp
from anlage.custody.storage import temperatures
from anlage.custody.transport import (
    CountryRule,
    Lane,
    LaneRegistered,
    Shipment,
    Shipper,
)
from anlage.record import Stream

from .conditions import rule_of_product
from .documents import PAPERS
from .installation import Installation
from .lanes import rules_in_force

FORMAT = "anlage-shipment-papers/1"
WHAT = {
    "starting-material": "Living human cells, starting material of a medicine for one patient",
    "cells": "Living human cells for one patient",
    "gene-modified-cells": "Living genetically modified human cells, a medicine for one patient",
}
HANDLING = (
    "DO NOT X-RAY",
    "DO NOT OPEN",
    "KEEP UPRIGHT",
    "DO NOT DELAY: irreplaceable, time critical",
)
IF_HELD = (
    "Call the first contact before anything is opened, screened or delayed.",
    "Screen without X-ray and without opening; ask for the papers below instead.",
    "Keep it upright, in its shipper, at room temperature and out of the sun.",
)
RULES = "definition/transport-rules:countries"


def papers_of(site: Installation, name: str) -> dict[str, Any]:
    """Give the machine-readable papers of a shipment.

    Raises:
        Refused: There is no such shipment, or it goes without a booking.
    """
    shipment = site.engine.state(Shipment, Stream(f"shipment/{name}"))
    booked = shipment.booked
    if booked is None:
        raise Refused(
            "papers-without-booking",
            what=f"papers of shipment {name}",
            found="not booked on a lane" if shipment.prepared else "no such shipment",
            limit="a booked shipment",
            remedy="book it on a lane first: the papers tell what the lane asks for",
            rule="ISO 21973",
        )
    lane = site.engine.state(Lane, Stream(f"lane/{booked.lane}")).registered
    shipper = site.engine.state(Shipper, Stream(f"shipper/{booked.shipper}")).registered
    rule = rule_of_product(site, booked.product, booked.pick_up.date())
    known = {one.id: one for one in rules_in_force(site).rules}
    prepared = shipment.prepared
    return {
        "format": FORMAT,
        "shipment": shipment.id,
        "site": site.journal.opened.site_name,
        "world": str(site.journal.opened.world),
        "what": WHAT.get(booked.goods, booked.goods),
        "goods": booked.goods,
        "handling": list(HANDLING),
        "if_held": list(IF_HELD),
        "under_quarantine": bool(prepared and prepared.under_quarantine),
        "limits": {
            "temperature": rule.bands[0].range.replace("degC", "°C"),
            "rule": rule.id,
            "hours_max": lane.hours_max if lane else None,
            "pick_up": stamp(booked.pick_up),
            "due": stamp(booked.due),
        },
        "way": _way(lane, booked.lane),
        "shipper": {
            "id": booked.shipper,
            "model": shipper.model if shipper else "",
            "serial": shipper.serial if shipper else "",
            "keeps": temperatures(shipper.keeps_min, shipper.keeps_max) if shipper else "",
        },
        "seal": prepared.seal if prepared else None,
        "containers": len(prepared.containers) if prepared else None,
        "contacts": list(booked.contacts),
        "rules": [_told(known[one]) for one in booked.rules if one in known],
        "not_known": list(booked.not_known),
        "accepted": booked.accepted,
        "made": stamp(site.clock.now()),
    }


def print_papers(site: Installation, name: str) -> bytes:
    """Print the papers of a shipment as PDF/A-3, with the machine record attached.

    Raises:
        Refused: As `papers_of`.
    """
    import typst

    data = papers_of(site, name)
    with as_file(files(__package__).joinpath(PAPERS)) as folder:
        printed: bytes = typst.compile(
            str(folder / "shipment.typ"),
            format="pdf",
            pdf_standards=["a-3b"],
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )
    return printed


def _way(lane: LaneRegistered | None, name: str) -> dict[str, Any]:
    if lane is None:
        return {"lane": name}
    return {
        "lane": name,
        "from": lane.origin,
        "from_country": lane.origin_country,
        "to": lane.destination,
        "to_country": lane.destination_country,
        "transit": list(lane.transit),
        "carrier": lane.carrier,
        "mode": lane.mode,
        "hours_planned": lane.hours_planned,
    }


def _told(rule: CountryRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "asks": rule.asks.value,
        "says": rule.says,
        "source": rule.source,
        "read": rule.read.isoformat() if rule.read else None,
    }
