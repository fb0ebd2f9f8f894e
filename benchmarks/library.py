"""Definitions beside their peers: PyYAML for reading, pint for calculations with units.

Run: python -m benchmarks.library
"""

import time
from collections.abc import Callable
from decimal import Decimal

import pint
import yaml

from anlage.base import Quantity
from anlage.library import (
    Calculation,
    Result,
    Specification,
    check_document,
    evaluate,
    read_yaml,
    starter,
)

ROUNDS = 2000


def main() -> None:
    """Print each figure with the peer's, measured in the same run."""
    rows = [_calculating(), _judging(), *_reading()]
    print(f"{'what':44} {'ours':>12} {'peer':>12} {'peer is':26} ratio")
    for what, ours, peer, name in rows:
        ratio = f"{peer / ours:.1f} x" if peer else ""
        theirs = f"{peer * 1e6:9.1f} us" if peer else ""
        print(f"{what:44} {ours * 1e6:9.1f} us {theirs:>12} {name:26} {ratio}")


def _calculating() -> tuple[str, float, float, str]:
    defined = starter("calculation", "car-dose-per-kg").defined
    assert isinstance(defined, Calculation)
    texts = {
        "density": ("20e6", "cell/mL"),
        "volume": ("21", "mL"),
        "viability": ("90", "%"),
        "car_positive": ("40", "%"),
        "weight": ("75", "kg"),
    }
    values = {name: Quantity.of(value, unit) for name, (value, unit) in texts.items()}
    registry = pint.UnitRegistry(non_int_type=Decimal)
    registry.define("cell = [cells]")
    theirs = {
        name: registry.Quantity(Decimal(value), "percent" if unit == "%" else unit)
        for name, (value, unit) in texts.items()
    }

    def peer() -> None:
        product = theirs["density"] * theirs["volume"] * theirs["viability"]
        (product * theirs["car_positive"] / theirs["weight"]).to("cell/kg")

    ours = _time(lambda: defined.compute(values), ROUNDS)
    return "a dose of cells per kg, with units", ours, _time(peer, ROUNDS), "pint with Decimal"


def _judging() -> tuple[str, float, float, str]:
    defined = starter("specification", "cd19-car-t-release").defined
    assert isinstance(defined, Specification)
    criterion = defined.criterion("endotoxin")
    registry = pint.UnitRegistry(non_int_type=Decimal)
    registry.define("EU = [endotoxin]")
    limit = registry.Quantity(Decimal("3.5"), "EU/mL")

    def peer() -> None:
        found = registry.Quantity(Decimal(2049), "EU/L").to("EU/mL")
        bool(round(found.magnitude, 1) <= limit.magnitude)

    result = Result.parse("2049 [EU]/L")
    ours = _time(lambda: evaluate(criterion, result), ROUNDS)
    return "a result against a limit in another unit", ours, _time(peer, ROUNDS), "pint, bare"


def _reading() -> list[tuple[str, float, float, str]]:
    one = starter("product", "cd19-car-t")
    assert one is not None
    text = yaml.safe_dump(one.content)
    read = _time(lambda: read_yaml(text), 30)
    fast = _time(lambda: yaml.load(text, Loader=yaml.CSafeLoader), 30)
    checked = _time(lambda: check_document(text), 30)
    size = f"{len(text) // 1000} kB"
    return [
        (f"a product of {size}, read with lines", read, fast, "PyYAML, C loader"),
        (f"a product of {size}, read and checked", checked, fast, "PyYAML, C loader, no check"),
        ("a bomb of aliases, refused", _time(_refuse, 30), 0.0, ""),
    ]


def _refuse() -> None:
    from anlage.base import Refused

    bomb = "a: &a [x, x]\n" + "\n".join(f"b{at}: &b{at} [*a, *a]" for at in range(50))
    try:
        read_yaml(bomb)
    except Refused:
        return
    raise AssertionError("a bomb was read")


def _time(act: Callable[[], object], rounds: int) -> float:
    act()
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(rounds):
            act()
        best = min(best, (time.perf_counter() - started) / rounds)
    return best


if __name__ == "__main__":
    main()
