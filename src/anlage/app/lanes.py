"""What pages and the command line ask of lanes: a check before booking, advice, shared records."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from anlage.base import Instant, Problem, Refused
from anlage.custody.transport import (
    Goods,
    Lane,
    LaneCheck,
    Option,
    Shipment,
    Shipper,
    TransportRules,
    check_lane,
    joined,
    lane_record,
    options,
    packaged_transport_rules,
    read_records,
    record_line,
)
from anlage.library import Definition, check_document
from anlage.record import Stream

from .conditions import rule_of_product
from .installation import Installation
from .survival import survival

RULES = "definition/transport-rules:countries"
POOL_BYTES_MAX = 256_000_000
OPTIONS_MAX = 400
SHIPMENTS_MAX = 100_000


def rules_in_force(site: Installation | None, file: Path | None = None) -> TransportRules:
    """Give the rules of country pairs: of a file, the site's own, or the packaged ones.

    Raises:
        Refused: The file holds none.
    """
    if file is not None:
        checked = check_document(_read(file), file.name)
        if not isinstance(checked.defined, TransportRules):
            raise Refused(
                "definition-kind",
                what=f"rules {file.name}",
                found=checked.kind,
                limit="transport-rules",
                remedy="name a file of rules of country pairs",
            )
        return checked.defined
    if site is not None:
        version = site.engine.state(Definition, Stream(RULES)).effective(site.clock.now())
        if version is not None:
            return TransportRules.read(version.content)
    return packaged_transport_rules()


def checked_way(
    site: Installation | None,
    origin: str,
    destination: str,
    goods: str,
    at: Instant,
    *,
    file: Path | None = None,
) -> LaneCheck:
    """Check a way before it is booked.

    Raises:
        Refused: A country or the goods are none.
    """
    rules = rules_in_force(site, file)
    return check_lane(origin, destination, Goods.named(goods), day=at.date(), rules=rules)


def advice(
    site: Installation, product: str, *, origin: str, destination: str, alive_min: float = 0.0
) -> list[Option]:
    """Give every way to send a product between two sites, the best first.

    Raises:
        Refused: There is no rule for the product.
    """
    at = site.clock.now()
    rule = rule_of_product(site, product, at.date())
    lanes = [
        lane
        for lane in _all(site, Lane, "lane")
        if lane.registered is not None
        and lane.registered.origin == origin
        and lane.registered.destination == destination
    ]
    fleet = _all(site, Shipper, "shipper")[: OPTIONS_MAX // max(1, len(lanes))]
    longest = max((lane.registered.hours_max for lane in lanes if lane.registered), default=0)
    return options(
        lanes,
        fleet,
        rule=rule,
        survival=survival,
        until=at + timedelta(hours=longest),
        alive_min=alive_min,
    )


def records_to_share(site: Installation) -> list[str]:
    """Give the lane records of every shipment that was received, as lines for a pool."""
    secret = bytes.fromhex(site.vault.digest("lane-pool", b"pseudonyms"))
    lines = []
    for shipment in _all(site, Shipment, "shipment")[:SHIPMENTS_MAX]:
        if shipment.booked is None:
            continue
        lane = site.engine.state(Lane, Stream(f"lane/{shipment.booked.lane}")).registered
        if lane is None:
            continue
        record = lane_record(shipment, lane, member=site.journal.site, secret=secret)
        if record is not None:
            lines.append(record_line(record))
    return lines


def read_pool(path: Path) -> tuple[list[dict[str, object]], list[Problem]]:
    """Read a pool, or a file of records for it; nothing where there is none yet."""
    if not path.exists():
        return [], []
    return read_records(_read(path).decode("utf-8", "replace"), path.name)


def add_to_pool(pool: Path, files: Sequence[Path]) -> tuple[int, int, list[Problem]]:
    """Add files of records to a pool; gives how many are new, how many it holds, and problems.

    Raises:
        Refused: A file is missing; a record under a known identifier is another.
    """
    known, problems = read_pool(pool)
    added: list[dict[str, object]] = []
    for file in files:
        if not file.is_file():
            raise Refused(
                "file-missing", what=f"lane records {file}", found="no such file",
                limit="a file of records, one a line", remedy="check the name",
            )  # fmt: skip
        found, wrong = read_pool(file)
        added += found
        problems += wrong
    together, new = joined(known, added)
    if new:
        fresh = pool.with_suffix(".tmp")
        pool.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text("".join(f"{record_line(one)}\n" for one in together), "utf-8")
        fresh.replace(pool)
    return new, len(together), problems


def _all(site: Installation, cls: type, family: str) -> list[Any]:
    return [site.engine.state(cls, one) for one in site.journal.streams(family)]


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > POOL_BYTES_MAX:
            raise Refused(
                "file-too-large", what=f"file {path.name}", found=f"{path.stat().st_size} bytes",
                limit=f"{POOL_BYTES_MAX} bytes", remedy="split it",
            )  # fmt: skip
        return path.read_bytes()
    except OSError as error:
        raise Refused(
            "file-missing", what=f"file {path}", found=error.strerror or "unreadable",
            limit="a file that can be read", remedy="check the name",
        ) from error  # fmt: skip
