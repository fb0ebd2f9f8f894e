"""The packaged networks: one session per process, and the card that says what each was shown.

A network is an ONNX file of our own training with a JSON card beside it: recipe, digest of the
data, split, scores. It runs on the CPU; the same file and picture give the same numbers.
"""

import hashlib
import json
from functools import lru_cache
from importlib import resources
from typing import Any, Protocol

import cv2
import numpy
from numpy.typing import NDArray

from anlage.base import Broken

from ..method import MethodCard, Purpose
from ..processors import processors

THREADS_MAX = 4
TILE_PX = 1024
MARGIN_PX = 64
STRIDE_PX = 16
"""The networks halve the plane four times."""


CARD_OF = {
    "width": "nuclei",
    "trees": "activation",
    "gate-nuclei": "gate",
    "gate-chamber": "gate",
    "gate-activation": "gate",
    "gate-sound": "gate",
}
"""Networks that stand on the card of another, which they serve."""


class Runner(Protocol):
    """What runs a network: onnxruntime's session, or a stand-in with its one method."""

    def run(self, outputs: None, feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Give the outputs for the inputs by name."""
        ...


Network = str | Runner
"""A packaged network by its name, or one that was just trained."""


@lru_cache(maxsize=16)
def session(name: str) -> Runner:
    """Open the packaged network of this name.

    Raises:
        Broken: The file is not the one its card describes.
    """
    data = (resources.files(__package__) / "models" / f"{name}.onnx").read_bytes()
    stated = model_card(CARD_OF.get(name, name))["files"][f"{name}.onnx"]
    seen = hashlib.sha256(data).hexdigest()
    if seen != stated:
        raise Broken(f"the network {name} that its card describes ({stated})", seen=seen)
    return open_network(data)


def open_network(data: bytes) -> Runner:
    """Open the bytes of an ONNX file on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = min(THREADS_MAX, processors())
    # Waiting threads sleep: on a machine that others use, spinning halves everyone's speed.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    opened: Runner = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return opened


def run(
    network: Network, given: NDArray[numpy.float32], *, name: str = "image"
) -> list[NDArray[numpy.float32]]:
    """Give the outputs of a network for a batch, planes of shape (n, channel, y, x) as a rule.

    Args:
        network: The network.
        given: Its one input.
        name: How the network calls the input.
    """
    opened = session(network) if isinstance(network, str) else network
    return list(opened.run(None, {name: given}))


def maps(
    network: Network, planes: NDArray[numpy.float32], *, mirrored: bool
) -> tuple[NDArray[numpy.float32], NDArray[numpy.float32]]:
    """Give the fine and the coarse maps of a network of the U-Net family for one picture.

    Large pictures run in overlapping tiles and the maps are joined, so that an object cut by a
    tile is whole again.

    Args:
        network: The network.
        planes: What the network sees, shape (channel, y, x).
        mirrored: Whether the picture goes on beyond its border as in a mirror, else as zero.

    Returns:
        Maps at full resolution, shape (map, y, x), and at half resolution, rounded up.
    """
    _, height, width = planes.shape
    if height <= TILE_PX and width <= TILE_PX:
        return _whole(network, planes, mirrored)
    fine = coarse = None
    step = TILE_PX - 2 * MARGIN_PX
    for top in range(0, height, step):
        for left in range(0, width, step):
            y, x = max(top - MARGIN_PX, 0), max(left - MARGIN_PX, 0)
            bottom, right = min(top + step, height), min(left + step, width)
            tile = planes[:, y : bottom + MARGIN_PX, x : right + MARGIN_PX]
            one, two = _whole(network, numpy.ascontiguousarray(tile), mirrored)
            if fine is None or coarse is None:
                fine = numpy.empty((len(one), height, width), numpy.float32)
                half = (len(two), (height + 1) // 2, (width + 1) // 2)
                coarse = numpy.empty(half, numpy.float32)
            fine[:, top:bottom, left:right] = one[:, top - y : bottom - y, left - x : right - x]
            # Tiles begin at even places, so that half of a place is a place.
            coarse[:, top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2] = two[
                :,
                (top - y) // 2 : (bottom - y + 1) // 2,
                (left - x) // 2 : (right - x + 1) // 2,
            ]
    if fine is None or coarse is None:
        raise ValueError("a picture has at least one pixel")
    return fine, coarse


def _whole(
    network: Network, planes: NDArray[numpy.float32], mirrored: bool
) -> tuple[NDArray[numpy.float32], NDArray[numpy.float32]]:
    _, height, width = planes.shape
    down, right = -height % STRIDE_PX, -width % STRIDE_PX
    if down or right:
        border = cv2.BORDER_REFLECT_101 if mirrored else cv2.BORDER_CONSTANT
        grown = [cv2.copyMakeBorder(one, 0, down, 0, right, border) for one in planes]
        planes = numpy.stack(grown).astype(numpy.float32)
    fine, coarse = run(network, planes[None])[:2]
    return (
        numpy.ascontiguousarray(fine[0, :, :height, :width]),
        numpy.ascontiguousarray(coarse[0, :, : (height + 1) // 2, : (width + 1) // 2]),
    )


@lru_cache(maxsize=16)
def model_card(name: str) -> dict[str, Any]:
    """Give the model card of a packaged network as written by its training."""
    place = resources.files(__package__) / "models" / f"{name}.json"
    card: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return card


def method_card(name: str) -> MethodCard:
    """Give what the method that rests on a packaged network may be used for."""
    told = model_card(name)["method"]
    return MethodCard(
        name=told["name"],
        version=told["version"],
        purposes=tuple(Purpose(one) for one in told["purposes"]),
        qualified_for=tuple(Purpose(one) for one in told["qualified_for"]),
        trained_domain=told["trained_domain"],
        sources=tuple(told["sources"]),
    )
