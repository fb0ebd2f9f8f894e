"""How well a recipe does on what it never saw, with intervals by resampling whole fields or crops.

The scores that stand on the cards of the packaged networks; `anlage image train` prints them.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy
from numpy.typing import NDArray

from .activation import activation_score
from .grey import read_grey
from .model import Network, open_network
from .nuclei import segment_nuclei
from .score import agreement
from .split import nuclei_fields
from .viability import count_interval, find_cells, found_interval

RESAMPLES = 2_000
Floats = NDArray[numpy.float64]
Score = dict[str, float | list[float]]


def nuclei_scores(data: Path, models: Path) -> Score:
    """Measure the nuclei network on the fields it was never trained on.

    Returns:
        Pooled precision TP / (TP + FP + FN) at overlaps of 0.5 and 0.75, and the median relative
        count error in percent, each with the 95 % interval over resampled fields.
    """
    network = open_network((models / "nuclei.onnx").read_bytes())
    width = open_network((models / "width.onnx").read_bytes())
    rows = []
    for field in nuclei_fields(data):
        if not field.held_out:
            continue
        truth = read_grey(field.label).astype(numpy.int32)
        found = segment_nuclei(read_grey(field.image), network=network, width=width)
        row = []
        for overlap in (0.5, 0.75):
            one = agreement(found, truth, overlap=overlap)
            row += [one.matched, one.matched + one.spurious + one.missed]
        count = max(int(truth.max()), 1)
        rows.append([*row, 100 * abs(int(found.max()) - int(truth.max())) / count])
    table = numpy.array(rows, numpy.float64)
    return (
        _with_interval("ap_50", table, lambda part: float(part[:, 0].sum() / part[:, 1].sum()))
        | _with_interval("ap_75", table, lambda part: float(part[:, 2].sum() / part[:, 3].sum()))
        | _with_interval(
            "count_error_median_percent", table, lambda part: float(numpy.median(part[:, 4]))
        )
    )


def chamber_scores(data: Path, *, seed: int, threads: int) -> dict[str, Score]:
    """Score the recipe: each series by a network that never saw it.

    Returns:
        Mean absolute error per crop of living and of dead cells, for each series, with intervals;
        and how often the intervals of the method hold, see `interval_coverage`.
    """
    from .train_chamber import CROSS_STEPS, chamber_crops, train_chamber

    crops = chamber_crops(data)
    scores = {}
    for series in sorted({crop.series for crop in crops}):
        with TemporaryDirectory() as folder:
            file = Path(folder) / "chamber.onnx"
            left_out = frozenset((series,))
            train_chamber(
                crops, file, steps=CROSS_STEPS, seed=seed, threads=threads, left_out=left_out
            )
            network = open_network(file.read_bytes())
        rows = []
        for crop in crops:
            if crop.series == series:
                cells = find_cells(read_grey(crop.image), network=network)
                live = sum(cell.alive for cell in cells)
                dead = float(crop.boxes[:, 4].sum())
                rows.append((live, len(cells) - live, len(crop.boxes) - dead, dead))
        found = numpy.array(rows, numpy.int64)
        table = numpy.abs(found[:, :2] - found[:, 2:]).astype(numpy.float64)
        scores[series] = (
            _with_interval("live", table, lambda part: float(part[:, 0].mean()))
            | _with_interval("dead", table, lambda part: float(part[:, 1].mean()))
            | interval_coverage(found)
        )
    return scores


def interval_coverage(found: NDArray[numpy.int64]) -> Score:
    """Give how often the intervals hold the truth, over the crops of one series, in percent.

    Args:
        found: Living and dead cells found, then living and dead cells annotated, shape (n, 4).

    Returns:
        For the viability interval: that of the series, from single crops and from 200 draws of
        five crops together, and that of the crop itself; for the two intervals of counts.
    """
    rng = numpy.random.default_rng(1)
    fives = numpy.stack(
        [found[rng.choice(len(found), 5, replace=False)].sum(axis=0) for _ in range(200)]
    )
    whole = found.sum(axis=0)

    def holds(row: NDArray[numpy.int64], truth: NDArray[numpy.int64]) -> bool | None:
        interval = found_interval(int(row[0]), int(row[1]))
        if interval is None or not truth.sum():
            return None
        # Limits of exactly 0 and 100 are reached up to rounding.
        viability = 100 * float(truth[0]) / float(truth.sum())
        return interval[0] - 1e-9 <= viability <= interval[1] + 1e-9

    def share(answers: list[bool | None]) -> float:
        return round(100 * float(numpy.mean([one for one in answers if one is not None])), 1)

    told: Score = {
        "interval_holds_series": share([holds(row, whole[2:]) for row in found]),
        "interval_of_five_holds_series": share([holds(row, whole[2:]) for row in fives]),
        "interval_holds_crop": share([holds(row, row[2:]) for row in found]),
    }
    for place, name in enumerate(("live", "dead")):
        inside: list[bool | None] = []
        for row in found:
            low, high = count_interval(int(row[place]))
            inside.append(low <= int(row[place + 2]) <= high)
        told[f"{name}_interval_holds_crop"] = share(inside)
    return told


def activation_scores(data: Path, *, seed: int, threads: int) -> dict[str, Score]:
    """Score the recipe: the area under the curve of each donor, by what never saw the donor."""
    from .train_activation import (
        EPOCHS,
        MEMBERS,
        cell_crops,
        export_activation,
        train_activation,
        train_trees,
    )

    crops = cell_crops(data)
    scores = {}
    for donor in sorted({crop.donor for crop in crops}):
        left_out = frozenset((donor,))
        members = [
            train_activation(
                crops, epochs=EPOCHS, seed=seed + one, threads=threads, left_out=left_out
            )
            for one in range(MEMBERS)
        ]
        with TemporaryDirectory() as folder:
            export_activation(members, Path(folder) / "activation.onnx")
            train_trees(crops, Path(folder) / "trees.onnx", seed=seed, left_out=left_out)
            network: Network = open_network((Path(folder) / "activation.onnx").read_bytes())
            trees: Network = open_network((Path(folder) / "trees.onnx").read_bytes())
        own = [crop for crop in crops if crop.donor == donor]
        found = [activation_score(crop.grey, network=network, trees=trees) for crop in own]
        table = numpy.column_stack([found, [crop.active for crop in own]]).astype(numpy.float64)
        scores[donor] = _with_interval("auc", table, area_under_curve)
    return scores


def area_under_curve(table: Floats) -> float:
    """Give the chance that an active crop outranks a quiescent one.

    Args:
        table: Score and state (1 active, 0 quiescent) of each crop, shape (n, 2).

    Returns:
        0 to 1; not a number when one of the states is missing.
    """
    up = table[table[:, 1] > 0.5, 0][:, None]
    down = table[table[:, 1] <= 0.5, 0][None]
    if not up.size or not down.size:
        return float("nan")
    return float((up > down).mean() + 0.5 * (up == down).mean())


def _with_interval(name: str, table: Floats, measure: Callable[[Floats], float]) -> Score:
    """Give a score over all rows and its 95 % interval over resampled rows."""
    rng = numpy.random.default_rng(1)
    drawn = [measure(table[rng.integers(len(table), size=len(table))]) for _ in range(RESAMPLES)]
    low, high = numpy.nanpercentile(drawn, (2.5, 97.5))
    return {
        name: round(measure(table), 4),
        f"{name}_interval": [round(float(low), 4), round(float(high), 4)],
    }
