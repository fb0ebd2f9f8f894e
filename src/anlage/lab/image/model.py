"""The packaged networks: one session per process, and the card that says what each was shown.

A network is an ONNX file of our own training with a JSON card beside it: recipe, digest of the
data, split, scores. It runs on the CPU; the same file and picture give the same numbers.
"""

import hashlib
import json
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy
from numpy.typing import NDArray

from anlage.base import Broken

from ..method import MethodCard, Purpose

THREADS_MAX = 4


@lru_cache(maxsize=8)
def session(name: str) -> Any:
    """Open the packaged network of this name.

    Raises:
        Broken: The file is not the one its card describes.
    """
    import onnxruntime

    data = (resources.files(__package__) / "models" / f"{name}.onnx").read_bytes()
    stated = model_card(name)["sha256"]
    seen = hashlib.sha256(data).hexdigest()
    if seen != stated:
        raise Broken(f"the network {name} that its card describes ({stated})", seen=seen)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = THREADS_MAX if _cores() > THREADS_MAX else 0
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def run(name: str, planes: NDArray[numpy.float32]) -> list[NDArray[numpy.float32]]:
    """Give the outputs of a network for a batch of planes, shape (n, channel, y, x)."""
    return list(session(name).run(None, {"image": planes}))


@lru_cache(maxsize=8)
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


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
