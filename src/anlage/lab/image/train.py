"""Train the packaged networks again: `anlage image train`. Needs torch, for this alone.

Each recipe reads a folder of labelled pictures, trains, measures what it never trained on, and
writes three things: the ONNX file, its JSON card (recipe, digest of the data, split, scores) and
the domain of the pictures it was shown. The same data, steps and seed on the same machine give
the same network, byte for byte on one thread; elsewhere the scores agree within the spread given
in the model card document.
"""

from pathlib import Path
from typing import Any

from anlage.base import Refused

from .split import nuclei_fields
from .train_card import finish_activation, finish_chamber, finish_gates, finish_nuclei
from .train_domain import PROTOTYPES
from .train_gate import FOLDERS, train_gates
from .train_score import activation_scores, chamber_scores
from .tree import LEAST_IN_LEAF, TREES


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
    seed: int,
    threads: int,
    steps: int | None = None,
    cross_validate: bool = False,
) -> dict[str, Any]:
    """Train one network into a folder and give its card.

    Args:
        network: `nuclei`, `chamber`, `activation` or `gate`.
        data: The labelled pictures, with their `index.csv`; for the gates the folder above the
            three folders of pictures.
        models: Where the ONNX file, the card and the domain are written.
        seed: Seed of weights and variation.
        threads: Processor threads.
        steps: Trains the nuclei networks for at most so many steps, as a trial; by default the
            steps of the recipe. The others have a fixed number.
        cross_validate: Score the recipe too, one series or donor left out at a time; long.

    Raises:
        Refused: Torch is not installed, or the folder holds no labelled pictures or too few.
    """
    needs_torch()
    folders = [data / name for name in FOLDERS.values()] if network == "gate" else [data]
    if missing := [one for one in folders if not (one / "index.csv").is_file()]:
        raise Refused(
            "training-data-absent",
            what=f"the pictures to train {network} on",
            found=f"no index.csv in {missing[0]}",
            remedy="name the folder that holds index.csv and the pictures",
            path=str(data),
        )
    models.mkdir(parents=True, exist_ok=True)
    seeds = {"seed": seed, "threads": threads}
    match network:
        case "nuclei":
            from .train_nuclei import train_outlines

            fields = nuclei_fields(data)
            if (shown := sum(not field.held_out for field in fields)) <= PROTOTYPES:
                raise Refused(
                    "training-data-absent",
                    what="the fluorescence fields to train nuclei on",
                    found=f"{shown} that are not held out",
                    limit=f"more than {PROTOTYPES}",
                    remedy="name a folder that holds more",
                    path=str(data),
                )
            done = train_outlines(fields, models, steps=steps, seed=seed, threads=threads)
            return finish_nuclei(data, models, done | seeds)
        case "gate":
            return finish_gates(data, models, train_gates(data, models, seed=seed) | {"seed": seed})
        case "chamber":
            from .train_chamber import STEPS, chamber_crops, train_chamber

            crops_done = train_chamber(
                chamber_crops(data),
                models / "chamber.onnx",
                steps=STEPS,
                seed=seed,
                threads=threads,
            )
            if cross_validate:
                crops_done["scores"] = chamber_scores(data, seed=seed, threads=threads)
            return finish_chamber(data, models, crops_done | seeds)
        case _:
            from .train_activation import (
                EPOCHS,
                MEMBERS,
                cell_crops,
                export_activation,
                train_trees,
            )
            from .train_activation import train_activation as train_member

            crops = cell_crops(data)
            members = [
                train_member(crops, epochs=EPOCHS, seed=seed + one, threads=threads)
                for one in range(MEMBERS)
            ]
            export_activation(members, models / "activation.onnx")
            train_trees(crops, models / "trees.onnx", seed=seed)
            recipe: dict[str, Any] = {
                "epochs": EPOCHS,
                "members": MEMBERS,
                "trees": TREES,
                "least_in_leaf": LEAST_IN_LEAF,
            }
            if cross_validate:
                recipe["scores"] = activation_scores(data, seed=seed, threads=threads)
            return finish_activation(data, models, recipe | seeds)
