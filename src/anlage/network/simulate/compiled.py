"""Where compiled kernels are kept, so that one compilation serves every later process.

Kernels allocate nothing: all arrays come from Python. So numba's counting of references can be left
out (`_nrt=False`), which otherwise takes two fifths of the time.

The cache lies in the user's own folder, under a digest of the kernel's sources: an installation
that is read-only works, and a cache never outlives the code it was made from. `NUMBA_CACHE_DIR`
moves it; a machine without any writable folder compiles once per process.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

at = np.uint64
"""Turns a place in a table, known to be none below zero, into an index that needs no check."""

F = TypeVar("F", bound=Callable[..., Any])

_SOURCES = (
    "layout.py",
    "state.py",
    "chance.py",
    "calendar_queue.py",
    "queues.py",
    "patients.py",
    "journeys.py",
    "stocks.py",
    "kernel.py",
)


def kernel(function: F) -> F:
    """Compile on first use, without the interpreter lock, and keep the result on disk."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder())
    try:
        made: F = numba.njit(
            nogil=True, _nrt=False, cache=True, error_model="numpy", boundscheck=False
        )(function)
    finally:
        numba.config.CACHE_DIR = before
    return made


def part(function: F) -> F:
    """Compile as a part of a kernel."""
    made: F = numba.njit(nogil=True, _nrt=False, error_model="numpy", boundscheck=False)(function)
    return made


def inlined(function: F) -> F:
    """Compile as a part that is always written into its caller.

    A call costs more than the work here, because each table travels as seven words.
    """
    made: F = numba.njit(
        nogil=True, _nrt=False, error_model="numpy", boundscheck=False, inline="always"
    )(function)
    return made


@intrinsic
def trailing_zeros(_typing: Any, bits: Any) -> Any:
    """Give the place of the lowest bit that is set, in one instruction; `bits` is not zero."""

    def made(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), made


def is_cached(function: Callable[..., Any]) -> bool:
    """Tell whether a kernel was compiled before, here or in an earlier process."""
    if getattr(function, "signatures", None):
        return True
    return any(cache_folder().rglob(f"kernel.{getattr(function, '__name__', '')}*.nbc"))


def cache_folder() -> Path:
    """Give the folder of compiled kernels; made when it can be."""
    digest = hashlib.sha256(numba.__version__.encode())
    for name in _SOURCES:
        source = Path(__file__).with_name(name)
        digest.update(source.read_bytes() if source.exists() else b"")
    version = digest.hexdigest()[:16]
    places = [os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME"), None]
    home = os.environ.get("HOME") or os.environ.get("LOCALAPPDATA")
    places[2] = str(Path(home) / ".cache") if home else None
    for place in [*places, tempfile.gettempdir()]:
        if not place:
            continue
        folder = Path(place) / "anlage" / "kernels" / version
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return Path(tempfile.gettempdir())
