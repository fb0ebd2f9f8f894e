"""Genealogy of a material lot used in many lots, beside a recursive query on bare SQLite.

Run: `python -m benchmarks.genealogy`
"""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from anlage.app import Installation, settings
from anlage.base import FixedClock, Quantity
from anlage.plant import (
    ConsumeMaterial,
    MaterialLot,
    MaterialTerms,
    ReceiveMaterial,
    RowGenealogy,
    consume_material,
    recall_report,
    receive_material,
    trace,
)
from anlage.record import Actor, Entry, Stream, World

AT = datetime(2026, 3, 1, tzinfo=UTC)
TERMS = MaterialTerms(
    material_class="medium",
    unit="mL",
    is_qualified_supplier=False,
    is_quarantined=False,
    needs_certificate=False,
)
SIZES = (1000, 5000)
ROUNDS = 5


def main() -> None:
    """Print milliseconds for each size, the peer's, and the ratio."""
    print(f"{'lots':>6} {'trace ms':>9} {'recall ms':>10} {'bare SQLite ms':>15} {'ratio':>6}")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            traced, recalled = _ours(Path(folder), size)
            bare = _peer(Path(folder) / "bare.db", size)
        print(f"{size:>6} {traced:>9.1f} {recalled:>10.1f} {bare:>15.1f} {traced / bare:>6.1f}")


def _ours(folder: Path, size: int) -> tuple[float, float]:
    plant = Installation.create(
        settings(folder), world=World.SIMULATED, site="S1", site_name="S", clock=FixedClock(AT)
    )
    try:
        stream, by = Stream("material/M-1"), Actor(person="op", via="api")
        request = ReceiveMaterial(
            material="M-1",
            material_class="medium",
            name="basal medium",
            amount=Quantity(Decimal(size), "mL"),
            expires=AT + timedelta(days=90),
            supplier="ACME",
            supplier_lot="1",
        )
        lot = MaterialLot.begin(stream)
        received = receive_material(lot, request, terms=TERMS, supplier=None, at=AT)
        plant.journal.append(received, {}, by=by, at=AT)
        held = plant.engine.state(MaterialLot, stream)
        uses: list[Entry] = []
        for number in range(size):
            asked = ConsumeMaterial(
                material="M-1",
                lot=f"L-{number}",
                step="feed",
                material_class="medium",
                amount=Quantity(Decimal(1), "mL"),
            )
            uses += consume_material(held, asked, at=AT)
        for start in range(0, size, 1000):
            plant.journal.append(uses[start : start + 1000], {}, by=by, at=AT)
        genealogy = RowGenealogy(plant.rows("genealogy"))
        return (
            _median(lambda: len(trace("material/M-1", genealogy).forward), size),
            _median(lambda: len(recall_report("material/M-1", genealogy).lots), size),
        )
    finally:
        plant.close()


def _peer(path: Path, size: int) -> float:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE edge (source TEXT, target TEXT, fact INTEGER)")
    rows = [("material/M-1", f"lot/L-{number}", number) for number in range(size)]
    database.executemany("INSERT INTO edge VALUES (?, ?, ?)", rows)
    database.execute("CREATE INDEX edge_source ON edge (source)")
    database.commit()
    query = """WITH RECURSIVE reach(name) AS (SELECT 'material/M-1' UNION
               SELECT edge.target FROM edge JOIN reach ON edge.source = reach.name)
               SELECT edge.* FROM edge JOIN reach ON edge.source = reach.name"""
    took = _median(lambda: len(database.execute(query).fetchall()), size)
    database.close()
    return took


def _median(run: Callable[[], int], expected: int) -> float:
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        if run() != expected:
            raise SystemExit("a use is missing from the genealogy")
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
