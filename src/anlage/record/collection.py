"""Making many facts at once without the collector of garbage walking over them again and again."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Let reference counts alone free memory while this lasts.

    A hundred thousand facts hold no cycles; the collector looked at each several times and took a
    third of the time of a verification (`python3 run.py bench size`).
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
