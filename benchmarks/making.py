"""The making of lots: how fast a lot is folded, judged, decided upon and shown on the board.

The peer in the same run is the bare reading of the same facts: their JSON parsed and rebuilt as
dataclasses, without any rule of making.

Run: python -m benchmarks.making
"""

import time
from collections.abc import Callable

from tests.builders_plant import Bench, a_lot, recipe_content, run_through

from anlage.plant import Lot, LotBoard, WorkView, before_release, check_lots
from anlage.record import Recorded, Stream

ROUNDS = 40


class Rows:
    """Rows in memory, as a view sees them."""

    def __init__(self) -> None:
        """Begin empty."""
        self.rows: dict[str, dict] = {}

    def get(self, key: str) -> dict | None:
        """Give a row."""
        return self.rows.get(key)

    def put(self, key: str, row: dict, *, facet: str = "", order: str = "") -> None:
        """Keep a row."""
        self.rows[key] = row

    def delete(self, key: str) -> None:
        """Drop a row."""
        self.rows.pop(key, None)


def main() -> None:
    bench = Bench()
    a_lot(bench, recipe_content("cd19-car-t"))
    run_through(bench)
    facts = bench.by_stream[Stream("lot/L-1")]
    lot = bench.lot()
    bare = _seconds(lambda: [one.fact for one in _again(facts)])
    print(f"one CAR-T lot: {len(facts)} facts, {len(lot.steps)} steps")
    print(f"{'':34}{'seconds':>10}{'facts/s':>12}{'of bare reading':>18}")
    print(f"{'bare reading of its facts':34}{bare:>10.4f}{len(facts) / bare:>12,.0f}{1:>18.2f}")
    for name, act in (
        ("fold into a lot", lambda: _fold(_again(facts))),
        ("judge again, as verify does", lambda: check_lots(_again(facts))),
        ("board and work views", lambda: _views(_again(facts))),
    ):
        took = _seconds(act)
        print(f"{name:34}{took:>10.4f}{len(facts) / took:>12,.0f}{bare / took:>18.2f}")
    took = _seconds(lambda: before_release(lot, bench.at))
    print(f"{'what stands before release':34}{took:>10.5f}")


def _seconds(act: Callable[[], object]) -> float:
    for _ in range(ROUNDS // 4):
        act()
    started = time.perf_counter()
    for _ in range(ROUNDS):
        act()
    return (time.perf_counter() - started) / ROUNDS


def _again(facts: list[Recorded]) -> list[Recorded]:
    return [Recorded.read(one.number, one.header, one.content) for one in facts]


def _fold(facts: list[Recorded]) -> Lot:
    lot = Lot(id="L-1")
    for one in facts:
        lot = lot.after(one)
    return lot


def _views(facts: list[Recorded]) -> None:
    for view in (LotBoard(), WorkView()):
        rows = Rows()
        for one in facts:
            view.apply(rows, one)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
