"""The recipe of the gates: good pictures beside broken and foreign ones. Needs onnx.

How well a gate does is measured twice, always on series, donors, fields and foreign pictures that
it never saw: once on ways of breaking that it knows, once on ways kept from it too.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

from .domain import Kind, domain, unlike
from .picture import Picture, read_picture
from .quality import fault, sharpness
from .seam import seams
from .split import nuclei_fields
from .spoil import ALIKE, FAULTS, natural_pictures, small_natural_pictures
from .structure import structure
from .train_domain import varied
from .trait import centre, traits
from .tree import grow_gate, write_trees
from .viability import OUT_OF_FOCUS

GATES = ("nuclei", "chamber", "activation")

GOOD_REFUSED = {"nuclei": 0.01, "chamber": 0.01, "activation": 0.02, "sound": 0.02}
"""Share of good pictures of unseen groups below the limit of a gate, varied or not.

A sample gives hundreds of crops of single cells: one left out costs less than one broken.
"""

WAYS = {"nuclei": 8, "chamber": len(FAULTS), "activation": len(FAULTS)}
"""In so many ways each picture is broken: the smaller the pictures of a kind, the more."""

ANY_WAYS = {"natural": 10, "stained": 8, "nuclei": 8, "chamber": 8}
ANY_ZOOM = 0.2
DRAWN = ("chessboard_GRAY", "phantom", "color", "horse", "text", "page")
"""Natural pictures that no lens made: they have the steps of broken ones."""

FAR = ("foreign", "stained")
FAR_SHARE = 0.3
FOLDS = 5
WAY_FOLDS = 12
FIELD_GROUPS = 12
VARIED = {"nuclei": 1, "chamber": 5, "activation": 3}
ZOOM = {"nuclei": 0.25, "chamber": 0.15, "activation": 0.1}
Floats = NDArray[numpy.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """One picture as the gates see it.

    Attributes:
        values: Its numbers.
        kind: The method it was made for.
        group: Its field, series, donor or source.
        fault: How it was broken.
        ruled_out: The rules refuse it whatever the gate of its kind says.
    """

    values: Floats
    kind: str
    group: str
    fault: str
    ruled_out: bool = False


FOLDERS = {
    "nuclei": "microscopy_nuclei_dsb2018",
    "chamber": "microscopy_livedead",
    "activation": "microscopy_tcell_activation",
}
"""Where the pictures of each kind lie under the folder of data."""

KIND = {"nuclei": Kind.FLUORESCENCE, "chamber": Kind.CHAMBER, "activation": Kind.CROP}

MONOLAYERS = "microscopy_misc/cellprofiler_ExampleWoundHealing"
"""Phase contrast of a monolayer, foreign to all three; left out where it is absent."""


def train_gates(data: Path, models: Path, *, seed: int) -> dict[str, Any]:
    """Grow the gates of the three methods, write them, and give what their card tells.

    Fields held out from the nuclei network are held out here too.

    Args:
        data: The folder above the three folders of pictures.
        models: Where the ONNX files are written.
        seed: Seed of all choice.
    """
    shown = list(_shown(data, numpy.random.default_rng(seed)))
    table = numpy.stack([one.values for one in shown])
    fault = numpy.array([one.fault for one in shown])
    gates = {}
    for name in GATES:
        good = numpy.array([one.kind == name and not one.fault for one in shown])
        limit, refused = _refused(name, shown, table, good, seed=seed)
        forest = grow_gate(table, good, _weight(good, fault), seed=seed)
        write_trees(forest, models / f"gate-{name}.onnx")
        low, middle, high = numpy.percentile(table[good], (5, 50, 95), axis=0)
        gates[name] = {
            "limit": limit,
            "centre": [round(float(one), 4) for one in middle],
            "scale": [round(float(max(one, 0.02)), 4) for one in (high - low) / 3.3],
            "refused_percent": refused,
        }
    gates["sound"] = _train_sound(data, models, seed=seed)
    return {"pictures": len(shown), "gates": gates}


def _train_sound(data: Path, models: Path, *, seed: int) -> dict[str, Any]:
    """Grow the gate that knows no kind, for methods without training pictures of their own.

    It learns sound and broken fields, chambers, stained and natural pictures. Each kind is scored
    by a forest that never saw it; the monolayers are in no forest and judge the packaged limit.
    """
    shown = list(_sound_or_broken(data, numpy.random.default_rng(seed)))
    table = numpy.stack([one.values for one in shown])
    kind = numpy.array([one.kind for one in shown])
    good = numpy.array([not one.fault for one in shown])
    taught = kind != "monolayer"
    chance = numpy.full(len(shown), numpy.nan)
    for one in sorted(set(kind)):
        kept = taught & (kind != one)
        forest = grow_gate(table[kept], good[kept], _alike(kind[kept], good[kept]), seed=seed)
        chance[kind == one] = forest.predict_proba(table[kind == one])[:, 1]
    # Natural pictures teach what a lens makes; nobody measures them.
    measured = good & taught & (kind != "natural")
    limit = _limit("sound", chance[measured])
    forest = grow_gate(table[taught], good[taught], _alike(kind[taught], good[taught]), seed=seed)
    write_trees(forest, models / "gate-sound.onnx")
    low, middle, high = numpy.percentile(table[good & taught], (5, 50, 95), axis=0)

    def share(which: NDArray[numpy.bool_]) -> float:
        return round(100 * float((chance[which] < limit).mean()), 2)

    return {
        "limit": limit,
        "centre": [round(float(one), 4) for one in middle],
        "scale": [round(float(max(one, 0.02)), 4) for one in (high - low) / 3.3],
        "refused_percent": {
            str(one): {
                "good": share(good & (kind == one)),
                "broken": share(~good & (kind == one)),
            }
            for one in sorted(set(kind))
        },
    }


def _limit(gate: str, good: Floats) -> float:
    """Give the chance that the share of `GOOD_REFUSED` of good pictures lies below."""
    return float(numpy.floor(1000 * numpy.quantile(good, GOOD_REFUSED[gate])) / 1000)


def _alike(kind: NDArray[Any], good: NDArray[numpy.bool_]) -> Floats:
    """Let the sound and the broken pictures of every kind weigh alike."""
    weight = numpy.zeros(len(kind), numpy.float64)
    for one in set(kind):
        for which in (good, ~good):
            members = which & (kind == one)
            weight[members] = 1 / max(int(members.sum()), 1)
    return weight


def _sound_or_broken(data: Path, rng: numpy.random.Generator) -> Iterator[_Shown]:
    for kind, name, picture in _any_kind(data):
        sound = [picture, _perhaps_deeper(varied(picture, rng, ANY_ZOOM), rng)]
        for one in sound:
            yield _Shown(values=numbers(one), kind=kind, group=name, fault="")
        grey = numpy.ascontiguousarray(centre(picture.grey()))
        for way in rng.choice(sorted(FAULTS), ANY_WAYS.get(kind, len(FAULTS)), replace=False):
            broken = _perhaps_deeper(Picture.of(FAULTS[way](grey.copy(), rng)), rng)
            yield _Shown(values=numbers(broken), kind=kind, group=name, fault=str(way))


def _any_kind(data: Path) -> Iterator[tuple[str, str, Picture]]:
    """Give pictures of many kinds in grey: kind, name, picture; crops of one cell are too small."""
    for foreign in natural_pictures():
        if not foreign.picture.colour and foreign.name not in DRAWN:
            yield "natural", foreign.name, foreign.picture
    for modality in ("he_or_purple", "brightfield_gray"):
        for field in nuclei_fields(data / FOLDERS["nuclei"], modality=modality):
            grey = read_picture(field.image).grey().astype(numpy.uint8)
            yield "stained", field.identity, Picture.of(numpy.ascontiguousarray(grey))
    for turn, (kind, group, file) in enumerate(_good(data), start=1):
        if kind == "chamber" or (kind == "nuclei" and turn % 2):
            yield kind, group, read_picture(file)
    for file in sorted((data / MONOLAYERS).glob("*.JPG")):
        grey = read_picture(file).grey()
        for top in range(0, grey.shape[0] - 383, 384):
            for left in range(0, grey.shape[1] - 383, 384):
                window = numpy.ascontiguousarray(grey[top : top + 384, left : left + 384])
                yield "monolayer", file.stem, Picture.of(window)


def numbers(picture: Picture) -> Floats:
    """Give what a gate sees of a picture: traits, structure and seams."""
    plane = centre(picture.grey())
    seen: Floats = numpy.concatenate([traits(picture), structure(plane), seams(plane)])
    return seen


def _weight(good: NDArray[numpy.bool_], fault: NDArray[Any]) -> Floats:
    """Let good pictures count one half, foreign and stained ones `FAR_SHARE` of the other half."""
    far = numpy.isin(fault, FAR)
    near = ~good & ~far
    weight = numpy.zeros(len(good), numpy.float64)
    for which, share in ((good, 0.5), (far, 0.5 * FAR_SHARE), (near, 0.5 * (1 - FAR_SHARE))):
        weight[which] = share / max(int(which.sum()), 1)
    return weight


def _shown(data: Path, rng: numpy.random.Generator) -> Iterator[_Shown]:
    for kind, group, file in _good(data):
        picture = read_picture(file)
        yield _seen(picture, kind, group, "")
        for _ in range(VARIED[kind]):
            other = _perhaps_deeper(varied(picture, rng, ZOOM[kind]), rng)
            yield _seen(other, kind, group, "")
        grey = numpy.ascontiguousarray(centre(picture.grey()))
        for name in rng.choice(sorted(FAULTS), WAYS[kind], replace=False):
            broken = _perhaps_deeper(Picture.of(FAULTS[name](grey.copy(), rng)), rng)
            yield _seen(broken, kind, group, str(name))
    for foreign in (*natural_pictures(), *small_natural_pictures()):
        values = numbers(foreign.picture)
        yield _Shown(
            values=values, kind="foreign", group=f"foreign {foreign.name}", fault="foreign"
        )
    for file in sorted((data / MONOLAYERS).glob("*.JPG")):
        for window in _windows(read_picture(file).grey()):
            values = numbers(Picture.of(window))
            yield _Shown(
                values=values, kind="foreign", group=f"foreign {file.stem}", fault="foreign"
            )
    for modality in ("he_or_purple", "brightfield_gray"):
        for field in nuclei_fields(data / FOLDERS["nuclei"], modality=modality):
            stained = read_picture(field.image)
            for one in (stained, Picture.of(stained.grey())):
                group = f"stained {field.identity}"
                yield _Shown(values=numbers(one), kind="stained", group=group, fault="stained")


def _seen(picture: Picture, kind: str, group: str, way: str) -> _Shown:
    ruled_out = bool(way) and (
        fault(picture) is not None
        or unlike(picture, traits(picture), wanted=(KIND[kind],), trained=domain(kind), method=kind)
        is not None
        or (kind == "chamber" and sharpness(picture.grey()) < OUT_OF_FOCUS)
    )
    return _Shown(values=numbers(picture), kind=kind, group=group, fault=way, ruled_out=ruled_out)


def _windows(grey: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Give windows of a large picture at three magnifications."""
    for times in (1.0, 0.5, 0.25):
        small = cv2.resize(grey, None, fx=times, fy=times, interpolation=cv2.INTER_AREA)
        side = 384
        for top in range(0, small.shape[0] - side + 1, side):
            for left in range(0, small.shape[1] - side + 1, side):
                window = small[top : top + side, left : left + side]
                yield numpy.ascontiguousarray(window.astype(grey.dtype))
        yield numpy.ascontiguousarray(small.astype(grey.dtype))


def _perhaps_deeper(picture: Picture, rng: numpy.random.Generator) -> Picture:
    """Give a third of the pictures as a camera of 10 to 14 bits would have stored them."""
    if picture.pixels.dtype != numpy.uint8 or rng.random() > 1 / 3:
        return picture
    step = int(2 ** rng.integers(2, 7))
    grey = picture.grey().astype(numpy.uint16) * step
    # Between the levels of the shallow picture lie those that it could not hold.
    fine = rng.integers(0, step, grey.shape).astype(numpy.uint16) if rng.random() < 0.7 else 0
    return Picture.of((grey + fine).astype(numpy.uint16), name=picture.name)


def _good(data: Path) -> Iterator[tuple[str, str, Path]]:
    """Give kind, group and file of every good picture that may be learnt from."""
    for place, field in enumerate(nuclei_fields(data / FOLDERS["nuclei"])):
        if not field.held_out:
            yield "nuclei", f"field {place % FIELD_GROUPS}", field.image
    for kind, column, name in (
        ("chamber", "series", "image"),
        ("activation", "donor", "file_name"),
    ):
        folder = data / FOLDERS[kind]
        with (folder / "index.csv").open(newline="", encoding="utf-8") as lines:
            for row in sorted(csv.DictReader(lines), key=lambda row: row[name]):
                yield kind, f"{kind} {row[column]}", folder / "images" / Path(row[name]).name


def _refused(
    name: str, shown: list[_Shown], table: Floats, good: NDArray[numpy.bool_], *, seed: int
) -> tuple[float, dict[str, Any]]:
    """Score gates that saw neither the group nor, the second time, the way or its like.

    Returns:
        The limit that leaves all but `GOOD_REFUSED` of the good pictures standing; percentages
        refused of good pictures; of broken ones of known ways and of unknown ways, by the gate
        alone and by gate and rules; of foreign and stained ones.
    """
    rng = numpy.random.default_rng(seed)
    fold = _folds([one.group for one in shown], rng, FOLDS)
    way = _folds([f"way {ALIKE.get(one.fault, one.fault)}" for one in shown], rng, WAY_FOLDS)
    own = numpy.array([one.kind == name for one in shown])
    way_of = numpy.array([one.fault for one in shown])
    ruled_out = numpy.array([one.ruled_out for one in shown])
    apart = numpy.isin(way_of, ("", *FAR))
    known, unknown = numpy.full(len(shown), numpy.nan), numpy.full(len(shown), numpy.nan)
    for one in range(FOLDS):
        kept = fold != one
        forest = grow_gate(table[kept], good[kept], _weight(good[kept], way_of[kept]), seed=seed)
        known[~kept] = forest.predict_proba(table[~kept])[:, 1]
    holding = sorted(set(fold[own].tolist()))
    for one in range(WAY_FOLDS):
        # A few ways are kept back together with one part of the groups, another part each time.
        apart_group = fold == holding[one % len(holding)]
        asked = apart_group & own & ~apart & (way == one)
        kept = ~apart_group & (apart | (way != one))
        forest = grow_gate(table[kept], good[kept], _weight(good[kept], way_of[kept]), seed=seed)
        unknown[asked] = forest.predict_proba(table[asked])[:, 1]
    limit = _limit(name, known[good])

    def share(chances: Floats, which: NDArray[numpy.bool_], *, rules: bool = False) -> float:
        which = which & numpy.isfinite(chances)
        refused = (chances[which] < limit) | (ruled_out[which] & rules)
        return round(100 * float(refused.mean()), 2)

    broken = own & ~apart
    told = {
        "good": share(known, good),
        "broken_known_way": share(known, broken),
        "broken_unknown_way": share(unknown, broken),
        "with_rules_known_way": share(known, broken, rules=True),
        "with_rules_unknown_way": share(unknown, broken, rules=True),
        "foreign": share(known, way_of == "foreign"),
        "stained": share(known, way_of == "stained"),
        "ways": {
            str(one): [
                share(known, own & (way_of == one), rules=True),
                share(unknown, own & (way_of == one), rules=True),
            ]
            for one in sorted(set(way_of[broken]))
        },
    }
    return limit, told


def _folds(names: list[str], rng: numpy.random.Generator, count: int) -> NDArray[numpy.int64]:
    """Put every name into one of the folds, names of one first word into different ones in turn."""
    place: dict[str, int] = {}
    different = sorted(set(names))
    for word in sorted({name.partition(" ")[0] for name in different}):
        own = [name for name in different if name.partition(" ")[0] == word]
        for turn, one in enumerate(rng.permutation(len(own))):
            place[own[int(one)]] = turn % count
    return numpy.array([place[name] for name in names], numpy.int64)
