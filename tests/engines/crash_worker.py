"""A plant under load, to be killed: appends pairs of facts and says on stdout which are acknowledged."""

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from anlage.app import Installation, settings
from anlage.base import FixedClock
from anlage.record import Actor
from tests.app_trial import Weigh


def main():
    installation = Installation.open(
        settings(Path(sys.argv[1])), clock=FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    )
    lock = threading.Lock()

    def work(worker):
        for count in range(100_000):
            outcome = installation.engine.do(
                Weigh(lot=f"K{worker}-{sys.argv[2]}-{count}", grams=1, scale=f"E-{worker}"),
                actor=Actor(person="P-1", via="api"),
            )
            with lock:
                print(" ".join(str(one.number) for one in outcome.facts), flush=True)

    print("ready", flush=True)
    for worker in range(3):
        threading.Thread(target=work, args=(worker,), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
