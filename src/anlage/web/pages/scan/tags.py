"""A shipment's tags against its list."""

from typing import Any

from anlage.app import Installation
from anlage.custody import CODE_VIEW, SCAN_VIEW, Shipment, compare
from anlage.wire.epcis import canonical_thing

READS_MAX = 50


def manifest(site: Installation, shipment: Shipment) -> dict[str, Any]:
    """Give what the bulk reads of a shipment found, against what was packed."""
    codes = site.rows(CODE_VIEW)
    expected: dict[str, str] = {}
    untagged = []
    packed = shipment.prepared.containers if shipment.prepared else ()
    for container in packed:
        names = [row["code"] for _, row in codes.find(facet=f"container/{container}", limit=20)]
        expected |= dict.fromkeys(names, container)
        if not names:
            untagged.append(container)
    rows = site.rows(SCAN_VIEW)
    reads = [
        row for _, row in rows.find(facet=f"tags:{shipment.id}", limit=READS_MAX, newest_first=True)
    ]
    tags = [tag for row in reads for tag in row["tags"]]
    found = compare(expected, tags)
    present = dict.fromkeys(found.present)
    missing = [one for one in dict.fromkeys(expected.values()) if one not in present]
    return {
        "shipment": shipment,
        "reads": reads,
        "present": list(present),
        "missing": missing,
        "untagged": untagged,
        "foreign": [
            (one, (codes.get(canonical_thing(one)) or {}).get("subject", ""))
            for one in found.foreign
        ],
        "unreadable": list(found.unreadable),
        "is_complete": bool(reads)
        and not (missing or untagged or found.foreign or found.unreadable),
    }
