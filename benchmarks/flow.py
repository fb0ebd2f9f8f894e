"""Flow cytometry beside FlowKit: one million events of sixteen channels, from file to gates.

Run: python -m benchmarks.flow
"""

import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy

from anlage.lab.flow import (
    TYPES,
    Boolean,
    Dimension,
    Ellipsoid,
    Gated,
    Logicle,
    Matrix,
    Polygon,
    Recipe,
    Rectangle,
    Reference,
    Strategy,
    Writing,
    gate,
    gate_t_cells,
    panel_of,
    read_fcs,
    read_gatingml,
    simulate_t_cells,
    write_fcs,
    write_gatingml,
)

EVENTS = 1_000_000
STAINS = tuple(f"FL{number}-A" for number in range(1, 9))
NAMES = ("FSC-A", "FSC-H", "SSC-A", "SSC-H", *STAINS, "FSC-W", "SSC-W", "SSC-B", "Time")


def main() -> None:
    """Print each step's time, FlowKit's on the same file, and the events on which they differ."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        path, document = Path(folder) / "million.fcs", Path(folder) / "gates.xml"
        path.write_bytes(a_million())
        strategy = six_gates()
        document.write_text(write_gatingml(strategy))
        size = path.stat().st_size / 1e6
        print(f"{EVENTS:,} events x {len(NAMES)} channels, {size:.0f} MB, 8 stains compensated")
        _against_flowkit(path, document)
    _transforms()
    _reference_gates()
    _t_cells()


def a_million(events: int = EVENTS) -> bytes:
    """Give a file of simulated cells: two populations in each of eight spilling stains."""
    rng = numpy.random.default_rng(7)
    values = numpy.empty((events, len(NAMES)))
    values[:, 0] = rng.normal(100_000, 15_000, events)
    values[:, 1] = values[:, 0] * rng.normal(0.95, 0.03, events)
    values[:, 2] = rng.normal(60_000, 12_000, events)
    values[:, 3] = values[:, 2] * rng.normal(0.9, 0.05, events)
    for column in range(4, 15):
        is_bright = rng.random(events) < 0.4
        signal = numpy.where(
            is_bright, rng.lognormal(9.5, 0.5, events), rng.normal(100, 250, events)
        )
        values[:, column] = signal
    values[:, 4:12] = values[:, 4:12] @ numpy.array(spill().values)
    values[:, 15] = numpy.arange(events) / 100
    return write_fcs(Writing(names=NAMES, spillover=spill()), values)


def spill() -> Matrix:
    """Give a spillover of up to 15 % between neighbouring stains."""
    rng = numpy.random.default_rng(3)
    values = numpy.eye(8) + numpy.triu(rng.uniform(0, 0.15, (8, 8)), 1)
    values += numpy.tril(rng.uniform(0, 0.03, (8, 8)), -1)
    rows = tuple(tuple(row) for row in values.tolist())
    return Matrix(id="FCS", fluorochromes=STAINS, detectors=STAINS, values=rows)


def six_gates() -> Strategy:
    """Give six gates that use all eight stains: polygon, rectangles, ellipse, boolean."""
    fl = [Dimension(name, "FCS", "logicle") for name in STAINS]
    scatter = (Dimension("FSC-A", "FCS"), Dimension("FSC-H", "FCS"))
    gates = (
        Polygon(
            id="Singlets",
            dimensions=scatter,
            vertices=((40_000, 35_000), (160_000, 140_000), (160_000, 162_000), (40_000, 42_000)),
        ),
        Rectangle(
            id="Live", dimensions=(fl[0], fl[1]), sides=((None, 0.6), (0.1, None)),
            parent="Singlets",
        ),
        Polygon(
            id="CD4", dimensions=(fl[2], fl[3]), parent="Live",
            vertices=((0.5, 0.05), (0.95, 0.1), (1.0, 0.5), (0.6, 0.55), (0.5, 0.4)),
        ),
        Ellipsoid(
            id="Memory", dimensions=(fl[4], fl[5]), centre=(0.7, 0.3), distance_square=4.0,
            covariance=((0.01, 0.002), (0.002, 0.02)), parent="Live",
        ),
        Rectangle(id="Exhausted", dimensions=(fl[6], fl[7]), sides=((0.5, None), (0.5, None))),
        Boolean(
            id="Both", operation="and",
            references=(Reference(gate="CD4"), Reference(gate="Exhausted", is_complement=True)),
        ),
    )  # fmt: skip
    return Strategy(
        gates={gate.id: gate for gate in gates}, scales={"logicle": Logicle(262_144, 0.5, 4.5, 0)}
    )


def _best(work: Callable[[], object], rounds: int) -> tuple[float, object]:
    times, result = [], None
    for _ in range(rounds):
        started = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - started)
    return min(times), result


def _against_flowkit(path: Path, document: Path) -> None:
    import flowkit

    stains = tuple(Dimension(name, "FCS", "logicle") for name in STAINS)

    def ours(keep: bool, workers: int | None) -> Gated:
        return gate(
            read_fcs(path), read_gatingml(document), keep=stains if keep else (), workers=workers
        )

    def theirs() -> object:
        sample = flowkit.Sample(str(path))
        return flowkit.parse_gating_xml(str(document)).gate_sample(sample)

    ours(True, None)
    peer, expected = _best(theirs, 2)
    print(f"{'path':<54}{'seconds':>9}{'FlowKit':>9}{'ratio':>8}")
    for told, keep, workers in (
        ("read, compensate, logicle, gate; values kept", True, None),
        ("the same on one thread", True, 1),
        ("the same, memberships only", False, None),
    ):
        taken, found = _best(lambda: ours(keep, workers), 7)  # noqa: B023 - called at once
        print(f"{told:<54}{taken:9.3f}{peer:9.3f}{peer / taken:7.1f}x")
    assert isinstance(found, Gated)
    differing = sum(
        int(numpy.count_nonzero(marks != expected.get_gate_membership(name)))  # type: ignore[attr-defined]
        for name, marks in found.membership.items()
    )
    print(f"events that FlowKit sorts differently, all gates: {differing}")


def _transforms() -> None:
    from flowutils import transforms

    rng = numpy.random.default_rng(1)
    x = numpy.concatenate([rng.normal(0, 3_000, 500_000), rng.lognormal(8, 2, 500_000)])
    scale = Logicle(262_144, 0.5, 4.5, 0)
    out = numpy.empty_like(x)
    scale.apply(x, out)
    taken, _ = _best(lambda: scale.apply(x, out), 9)
    peer, expected = _best(lambda: transforms._logicle(x, 262_144, 4.5, 0.5, 0), 3)
    worst = float(numpy.max(numpy.abs(out - expected)))
    print(
        f"logicle, a million values: {taken * 1e3:.2f} ms, FlowUtils {peer * 1e3:.0f} ms, "
        f"{peer / taken:.0f}x, largest difference {worst:.1e}"
    )


def _reference_gates() -> None:
    """Count the events that differ from ISAC's truth, where the real data are beside us."""
    shared = Path(os.environ.get("ANLAGE_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    folder = shared / "data" / "flow_cytometry" / "gatingml"
    if not folder.is_dir():
        print("Gating-ML reference gates: the real data are not beside this checkout")
        return
    sample = read_fcs(folder / "data1.fcs")
    truth = {
        path.stem.removeprefix("Results_"): numpy.loadtxt(path, dtype=bool)
        for path in (folder / "truth").iterdir()
    }
    met, differing = set(), 0
    for path in sorted((folder / "gml").iterdir()):
        for name, marks in gate(sample, read_gatingml(path)).membership.items():
            if name in truth:
                met.add(name)
                differing += int(numpy.count_nonzero(marks != truth[name]))
    print(f"Gating-ML reference gates: {differing} events different from truth in {len(met)} gates")


def _t_cells() -> None:
    """Gate simulated T-cell tubes, and print the lowest F1 of any memory subset."""
    print(f"{'simulated T-cell tube, separation in SD':<54}{'seconds':>9}{'lowest F1':>12}")
    for separation in (1.7, 1.3, 1.1):
        rng = numpy.random.default_rng(1)
        recipe = Recipe(events=100_000, separation=separation)
        raw, kinds, _ = simulate_t_cells(recipe, rng)
        truth = numpy.array(TYPES)[kinds]
        sample = read_fcs(raw)
        started = time.perf_counter()
        found = gate_t_cells(sample, panel_of(sample), rng=rng)
        taken = time.perf_counter() - started
        scores = []
        for name in TYPES[:8]:
            marks = found.gated.membership.get(name)
            if marks is not None:
                both = 2 * numpy.count_nonzero(marks & (truth == name))
                scores.append(both / (marks.sum() + numpy.count_nonzero(truth == name)))
        told = f"{min(scores):.4f}" if scores else "refused"
        print(f"{separation / recipe.spread:<54.1f}{taken:9.2f}{told:>12}")


if __name__ == "__main__":
    main()
