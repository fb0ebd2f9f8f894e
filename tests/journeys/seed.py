"""Furnish an installation in a folder, in a process of its own: `python -m tests.journeys.seed DIR`."""

import json
import sys
from pathlib import Path

from anlage.app import Installation, SimulatedClock, configure, prepare_desk, settings
from anlage.record import World
from tests.app.test_making import AT, Plant, begin, order
from tests.web.facility import furnish


def main(folder: Path) -> None:
    """Write the installation and print the numbers of its lots."""
    clock = SimulatedClock.make(folder, AT, speed=1.0)
    chosen = settings(folder, demo=True)
    installation = Installation.create(
        chosen, world=World.SIMULATED, site="S1", site_name="Trial Hospital", clock=clock
    )
    configure(chosen)
    prepare_desk(chosen)
    plant = Plant(installation, clock)
    named = furnish(plant, with_untested=True)
    named["coi"] = order(plant)
    named["fresh"] = begin(plant, named["coi"])
    clock.save()
    installation.close()
    print(json.dumps(named))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
