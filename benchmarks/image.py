"""Image methods on real pictures with truth, beside scikit-image's best classical pipeline.

Run: python -m benchmarks.image (the real data beside the checkout, or ANLAGE_SHARED).
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Problem, Refused
from anlage.lab.image import (
    FAULTS,
    ActivationResult,
    CountResult,
    Picture,
    ViabilityResult,
    agreement,
    count_nuclei,
    count_on_carriers,
    follow_colonies,
    judge_activation,
    judge_viability,
    measure_confluence,
    measure_objects,
    model_card,
    natural_pictures,
    nuclei_fields,
    read_picture,
    segment_nuclei,
    small_natural_pictures,
)

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("ANLAGE_SHARED", ROOT.parent / "shared")) / "data"
NUCLEI = DATA / "microscopy_nuclei_dsb2018"
CHAMBER = DATA / "microscopy_livedead"
CROPS = DATA / "microscopy_tcell_activation"
Grey = NDArray[numpy.uint8]
Measure = Callable[[Picture], object]
MONOLAYERS = DATA / "microscopy_misc" / "cellprofiler_ExampleWoundHealing"


def main() -> None:
    """Print every row of the table: nuclei, shapes, viability, activation, refusals, rules."""
    if not DATA.is_dir():
        print("the real data are not beside this checkout")
        return
    nuclei()
    shapes()
    viability()
    activation()
    refusals()
    rules()


def nuclei() -> None:
    """Fields never trained on: overlap with the truth, count error and speed, beside the peer."""
    fields = [field for field in nuclei_fields(NUCLEI) if field.held_out]
    pairs = [
        (read_picture(field.image).grey(), cv2.imread(str(field.label), cv2.IMREAD_UNCHANGED))
        for field in fields
    ]
    segment_nuclei(pairs[0][0])
    area = sum(grey.size for grey, _ in pairs) / 1e6
    print(f"nuclei: {len(pairs)} fields never trained on, {area:.1f} Mpx")
    print(f"{'':>14} AP@0.5  AP@0.75  count error (median)  Mpx/s  Mpx per processor second")
    for name, segment in (("anlage", segment_nuclei), ("scikit-image", classical)):
        matched = Counter[float]()
        whole = Counter[float]()
        errors = []
        spent = worked = 0.0
        for grey, truth in pairs:
            begun, before = time.perf_counter(), time.process_time()
            found = segment(grey)
            spent += time.perf_counter() - begun
            worked += time.process_time() - before
            for overlap in (0.5, 0.75):
                one = agreement(found, truth.astype(numpy.int32), overlap=overlap)
                matched[overlap] += one.matched
                whole[overlap] += one.matched + one.spurious + one.missed
            errors.append(abs(int(found.max()) - int(truth.max())) / max(int(truth.max()), 1))
        print(
            f"{name:>14} {matched[0.5] / whole[0.5]:6.3f} {matched[0.75] / whole[0.75]:8.3f}"
            f" {100 * numpy.median(errors):18.1f} % {area / spent:9.1f} {area / worked:12.1f}"
        )
    files = [str(field.image) for field in fields]
    begun = time.perf_counter()
    started = [sys.executable, "-m", "anlage", "image", "count", *files, "--json"]
    told = json.loads(subprocess.run(started, stdout=subprocess.PIPE, check=False).stdout)
    spent = time.perf_counter() - begun
    print(
        f"the command on the same files, start, checks and refusals with it: {spent:.1f} s, "
        f"{area / spent:.1f} Mpx/s, {told['refused_count']} refused"
    )


def classical(grey: Grey) -> NDArray[numpy.int32]:
    """Local threshold and distance watershed, the best of the classical pipelines tried."""
    from scipy import ndimage
    from skimage import feature, filters, measure, segmentation

    values = filters.gaussian(grey, 1, preserve_range=True)
    mask = (values > filters.threshold_local(values, 101, offset=0)) & (
        values > 0.6 * filters.threshold_otsu(values)
    )
    mask = ndimage.binary_fill_holes(ndimage.binary_opening(mask))
    depth = filters.gaussian(ndimage.distance_transform_edt(mask), 1)
    peaks = feature.peak_local_max(depth, min_distance=5, labels=measure.label(mask))
    seeds = numpy.zeros(grey.shape, numpy.int32)
    seeds[tuple(peaks.T)] = numpy.arange(1, len(peaks) + 1)
    return numpy.asarray(segmentation.watershed(-depth, seeds, mask=mask), numpy.int32)


def shapes() -> None:
    """Shape features beside `regionprops_table`, on one field of many nuclei."""
    from skimage.measure import regionprops_table

    field = max(nuclei_fields(NUCLEI), key=lambda one: one.label.stat().st_size)
    labels = cv2.imread(str(field.label), cv2.IMREAD_UNCHANGED).astype(numpy.int32)
    names = [
        "area",
        "area_bbox",
        "centroid",
        "area_convex",
        "eccentricity",
        "equivalent_diameter_area",
        "euler_number",
        "extent",
        "axis_major_length",
        "feret_diameter_max",
        "axis_minor_length",
        "orientation",
        "perimeter",
        "solidity",
        "bbox",
    ]
    measure_objects(labels)
    ours = _best(lambda: measure_objects(labels), 5)
    theirs = _best(lambda: regionprops_table(labels, properties=names), 1)
    print(
        f"shapes: {labels.max()} objects, anlage {1e3 * ours:.1f} ms, "
        f"scikit-image {1e3 * theirs:.0f} ms, {theirs / ours:.0f} times"
    )


def viability() -> None:
    """Mean absolute error per crop: what the card tells of series left out, and on known crops."""
    for series, told in model_card("chamber")["scores"].items():
        print(f"viability, series {series} left out: living {told['live']}, dead {told['dead']}")
    with (CHAMBER / "index.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    live, dead = [], []
    for row in rows:
        result = judge_viability(read_picture(CHAMBER / row["image"]))
        if isinstance(result, ViabilityResult):
            live.append(abs(result.live - int(row["n_living"])))
            dead.append(abs(result.dead - int(row["n_dead"])))
    print(
        f"viability: {len(live)} of {len(rows)} crops judged; error per crop on crops the network "
        f"was trained on: living {numpy.mean(live):.2f}, dead {numpy.mean(dead):.2f}"
    )


def activation() -> None:
    """Area under the curve per donor: what the card tells of donors left out, and on known ones."""
    for donor, told in model_card("activation")["scores"].items():
        low, high = told["auc_interval"]
        print(f"activation, donor {donor} left out: {told['auc']:.3f} ({low:.3f} to {high:.3f})")
    with (CROPS / "index.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    scores: dict[str, list[tuple[bool, float]]] = {}
    for row in rows:
        result = judge_activation(read_picture(CROPS / "images" / Path(row["file_name"]).name))
        if isinstance(result, ActivationResult):
            scores.setdefault(row["donor"], []).append(
                (row["activity"] == "activated", result.score)
            )
    curves = ", ".join(f"{donor}: {_auc(pairs):.3f}" for donor, pairs in sorted(scores.items()))
    print(f"activation: area under the curve on donors the network was trained on: {curves}")


def refusals() -> None:
    """Share of spoilt and foreign pictures refused, and of good ones, per method."""
    rng = numpy.random.default_rng(1)
    stained, fields, chamber, crops = _pictures()
    natural = [one.picture for one in natural_pictures()]
    small = [one.picture for one in small_natural_pictures()]
    wanted: tuple[tuple[str, Measure, list[Picture], list[Picture]], ...] = (
        ("count", count_nuclei, fields, crops),
        ("viability", judge_viability, chamber, fields + crops),
        ("activation", judge_activation, crops, fields + chamber),
    )
    print("refusals, percent of pictures: good, then what must be refused")
    for name, measure, good, foreign in wanted:
        told = [
            f"good {_refused(measure, good):.1f}",
            f"stained {_refused(measure, stained):.1f}",
            f"grey stained {_refused(measure, [_grey(one) for one in stained]):.1f}",
            f"foreign {_refused(measure, foreign):.1f}",
            f"natural {_refused(measure, natural + small):.1f}",
        ]
        every, astray, whole = [], 0, 0
        for fault, spoil in FAULTS.items():
            refused = []
            for one in good[::2]:
                answer = measure(Picture.of(spoil(one.grey().copy(), rng)))
                refused.append(isinstance(answer, Problem))
                astray += not refused[-1] and _astray(measure(one), answer)
            whole += len(refused)
            every.append(100 * float(numpy.mean(refused)))
            told.append(f"{fault} {every[-1]:.0f}")
        print(
            f"{name:>12}: {', '.join(told)}; broken ways together {numpy.mean(every):.1f}; "
            f"let through with a number gone astray {100 * astray / whole:.1f}"
        )
    print(f"{'files':>12}: cut short {_cut_short():.1f}")
    print("the gates alone, on pictures, and on ways of breaking, that were left out of them")
    for name, told in model_card("gate")["gates"].items():
        shares = {key: value for key, value in told["refused_percent"].items() if key != "ways"}
        print(f"{name:>12}: {', '.join(f'{key} {value}' for key, value in shares.items())}")


def rules() -> None:
    """Share refused by the methods without training of their own, of real pictures of other kinds."""
    rng = numpy.random.default_rng(1)
    stained, fields, chamber, crops = _pictures()
    natural = [one.picture for one in natural_pictures()]
    monolayers = [
        Picture.of(numpy.ascontiguousarray(window))
        for path in sorted(MONOLAYERS.glob("*.JPG"))
        for window in _windows(read_picture(path).grey())
    ]
    wanted: tuple[tuple[str, Measure, list[Picture], dict[str, list[Picture]]], ...] = (
        ("confluence", measure_confluence, monolayers, {"fluorescence": fields}),
        (
            "colonies",
            lambda one: follow_colonies([one, one]),
            monolayers,
            {"fluorescence": fields},
        ),
        (
            "microcarriers",
            count_on_carriers,
            fields,
            {"chamber": chamber, "monolayer": monolayers},
        ),
    )
    print("methods without training, percent refused: good, then what must be refused")
    for name, measure, good, others in wanted:
        others = {"stained": stained, "crops": crops, "natural": natural, **others}
        others["grey stained"] = [_grey(one) for one in stained]
        told = [f"good {_refused(measure, good):.1f}"]
        told += [f"{kind} {_refused(measure, one):.1f}" for kind, one in others.items()]
        every = []
        for fault, spoil in FAULTS.items():
            spoilt = [Picture.of(spoil(one.grey().copy(), rng)) for one in good[::2]]
            every.append(_refused(measure, spoilt))
            told.append(f"{fault} {every[-1]:.0f}")
        print(f"{name:>13}: {', '.join(told)}; broken ways together {numpy.mean(every):.1f}")


def _pictures() -> tuple[list[Picture], list[Picture], list[Picture], list[Picture]]:
    """Give stained fields, held-out fields of nuclei, chamber crops and crops of T cells."""
    with (NUCLEI / "index.csv").open(newline="") as lines:
        stained = [
            read_picture(NUCLEI / row["image"])
            for row in csv.DictReader(lines)
            if row["modality"] != "fluorescence"
        ]
    fields = [read_picture(field.image) for field in nuclei_fields(NUCLEI) if field.held_out]
    chamber = [read_picture(path) for path in sorted((CHAMBER / "images").glob("*.png"))[::3]]
    crops = [read_picture(path) for path in sorted((CROPS / "images").glob("*.png"))[::5]]
    return stained, fields, chamber, crops


def _windows(grey: Grey) -> list[Grey]:
    side = 384
    return [
        grey[top : top + side, left : left + side]
        for top in range(0, grey.shape[0] - side + 1, side)
        for left in range(0, grey.shape[1] - side + 1, side)
    ]


def _astray(sound: object, broken: object) -> bool:
    """Tell whether a broken picture gave another number than the sound one it was made of."""
    match sound, broken:
        case CountResult(), CountResult():
            return abs(sound.count - broken.count) > max(1, 0.1 * sound.count)
        case ViabilityResult(), ViabilityResult():
            return abs(sound.live - broken.live) + abs(sound.dead - broken.dead) > 1
        case ActivationResult(), ActivationResult():
            return abs(sound.score - broken.score) > 0.1
        case _:
            return False


def _grey(picture: Picture) -> Picture:
    return Picture.of(picture.grey(), name=picture.name)


def _refused(measure: Measure, pictures: list[Picture]) -> float:
    return 100 * float(numpy.mean([isinstance(measure(one), Problem) for one in pictures]))


def _cut_short() -> float:
    refused = []
    for path in sorted((NUCLEI / "images").glob("*.png"))[::8]:
        part = Path(os.environ.get("TMPDIR", "/tmp")) / "anlage-cut.png"
        data = path.read_bytes()
        part.write_bytes(data[: int(0.7 * len(data))])
        try:
            read_picture(part)
            refused.append(False)
        except Refused:
            refused.append(True)
        part.unlink()
    return 100 * float(numpy.mean(refused))


def _auc(pairs: list[tuple[bool, float]]) -> float:
    up = numpy.array([score for active, score in pairs if active])
    down = numpy.array([score for active, score in pairs if not active])
    above = (up[:, None] > down[None]).mean() + 0.5 * (up[:, None] == down[None]).mean()
    return float(above)


def _best(work: Callable[[], object], times: int) -> float:
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begun)
    return min(spent)


if __name__ == "__main__":
    main()
