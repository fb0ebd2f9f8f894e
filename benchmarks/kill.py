"""kill -9 at a hundred random moments under load: nothing acknowledged is lost, nothing is half done.

The check is that of `tests/engines/test_crash.py`, where continuous integration does ten rounds.
"""

import os
import tempfile
import time
from pathlib import Path

from tests.engines.test_crash import rounds

ROUNDS = int(os.environ.get("ANLAGE_CRASH_ROUNDS", "100"))


def main() -> None:
    """Print what was acknowledged, and that all of it is there."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        acknowledged, facts = rounds(Path(folder) / "plant", ROUNDS)
        took = time.perf_counter() - started
    print(
        f"{ROUNDS} rounds of kill -9 in {took:.0f} s: {acknowledged} commands acknowledged, none lost;"
        f" {facts} facts, chain, tree and heads sound after each"
    )


if __name__ == "__main__":
    main()
