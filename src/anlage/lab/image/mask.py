"""Label images on disk: 16-bit PNG, 0 is background, objects 1..n."""

from pathlib import Path
from typing import Any

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Refused

MAX_OBJECTS = 65_535


def write_labels(labels: NDArray[Any], folder: Path, name: str) -> Path:
    """Write one label image as `<stem>.png` into the folder and give its path.

    Args:
        labels: Label image, shape (y, x).
        folder: Made when absent.
        name: Name of the picture; its stem names the mask.

    Raises:
        Refused: More objects than 16 bits hold, or the folder cannot be written.
    """
    if labels.max(initial=0) > MAX_OBJECTS:
        raise Refused(
            "mask-too-many-objects",
            what=f"the mask of {name}",
            found=int(labels.max()),
            limit=MAX_OBJECTS,
            remedy="cut the image into parts",
        )
    place = folder / f"{Path(name).stem}.png"
    done, data = cv2.imencode(".png", labels.astype(numpy.uint16))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.tobytes() if done else b"")
    except OSError as error:
        raise Refused(
            "mask-not-written",
            what=f"the mask of {name}",
            found=error.strerror,
            remedy="name a folder that can be written",
            path=str(place),
        ) from error
    return place
