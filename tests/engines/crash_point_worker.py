"""A plant that kills itself with -9 at one point of its fourth commit, after telling which were acknowledged."""

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from anlage.app import Installation, settings
from anlage.base import FixedClock
from anlage.plant import RegisterSupplier
from anlage.record import Actor


def die(*_arguments, **_options):
    os.kill(os.getpid(), signal.SIGKILL)


def arm(plant, point):
    """Set the trap: the process dies when the commit comes to this point."""
    journal, views = plant.journal, plant.views
    if point == "before-commit":  # the rows are written, the transaction is open
        insert = journal._insert
        journal._insert = lambda *given: (insert(*given), die())
    elif point == "between-commits":  # the journal is on disk, no view has moved
        views.follow = die
    elif point == "before-views-commit":  # views have written their rows, nothing is committed
        views._stand = die
    else:  # views have followed, nobody has been answered
        plant.listen(die)


def main():
    folder, point, url = sys.argv[1:]
    plant = Installation.open(
        settings(Path(folder), database_url=url or None),
        clock=FixedClock(datetime(2026, 3, 1, tzinfo=UTC)),
    )
    for number in range(1, 5):
        if number == 4:
            arm(plant, point)
        name = f"A-{number}"
        plant.engine.do(
            RegisterSupplier(supplier=name, name=name), actor=Actor(person="kurt", via="api")
        )
        print(name, flush=True)


if __name__ == "__main__":
    main()
