"""Which images a network may learn from, and which stay unseen for ever.

The rule is a function of the identity of a field, donor or series alone, so that anyone can
repeat it and no later choice can move an image across. Sources of the data and their licences
stand in the model cards.
"""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

HELD_OUT_FIELDS_PERCENT = 14
"""Share of nuclei fields never trained on, chosen by the digest of their identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of nuclei with its label image.

    Attributes:
        image: The picture.
        label: 16-bit label image, 0 is background.
        identity: The name of the field at its source.
        held_out: True when it is never trained on.
    """

    image: Path
    label: Path
    identity: str
    held_out: bool


def is_held_out_field(identity: str) -> bool:
    """Tell whether the field of this identity belongs to the held-out share.

    Example:
        >>> is_held_out_field("08275a5b1c2dfcd739e8c4888a5ee2d29f83eccfa75185404ced1dc0866ea992")
        False
    """
    bucket = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "big") % 100
    return bucket < HELD_OUT_FIELDS_PERCENT


def nuclei_fields(folder: Path, *, modality: str = "fluorescence") -> list[Field]:
    """List the fields of one modality under the folder, in the order of their names.

    Args:
        folder: Holds `index.csv` with image, label, modality and source_id, and the files.
        modality: The kind of field wanted.
    """
    with (folder / "index.csv").open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["modality"] == modality]
    return [
        Field(
            image=folder / row["image"],
            label=folder / row["label"],
            identity=row["source_id"],
            held_out=is_held_out_field(row["source_id"]),
        )
        for row in sorted(rows, key=lambda row: row["image"])
    ]


def data_digest(files: list[Path]) -> str:
    """Give one SHA-256 over the names and bytes of the files, whatever their order."""
    whole = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.name):
        whole.update(file.name.encode())
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()
