"""Furnish an installation in a folder, in a process of its own: `python -m tests.journeys.seed DIR`."""

import json
import sys
from pathlib import Path

from anlage.app import Installation, SimulatedClock, configure, prepare_desk, settings
from anlage.plant import Lot, ReceiveDose, ReceiveSample
from anlage.record import World
from tests.app.test_making import (
    AT,
    Plant,
    begin,
    collect,
    examine,
    make,
    order,
    order_collection,
    release,
)
from tests.web.facility import furnish


def treat(plant) -> dict[str, str]:
    """Bring a patient's dose to the ward."""
    coi = order(plant)
    lot = begin(plant, coi)
    make(plant, lot)
    examine(plant, lot)
    release(plant, lot, dose="DOSE-7")
    plant.do(ReceiveDose(coi=coi, container="DOSE-7", scan=coi), "iris")
    return {"to_treat": coi}


def untested(plant):
    """Make a lot and bring its release sample into the laboratory; give the sample."""
    lot = begin(plant, order(plant))
    make(plant, lot)
    samples = plant.state(Lot, f"lot/{lot}").samples.values()
    sample = next(one.id for one in samples if "viability" in one.tests)
    plant.do(ReceiveSample(sample=sample, laboratory="QC"), "clara")
    return sample


def while_empty(plant):
    """Do what needs the units before the lot in work takes them."""
    return treat(plant) | {"untested": untested(plant)}


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
    named = furnish(plant, while_empty)
    named["coi"] = order(plant)
    named["fresh"] = begin(plant, named["coi"])
    named["to_collect"] = order_collection(plant)
    named["to_receive"] = order_collection(plant)
    collect(plant, named["to_receive"])
    named["late"] = order_collection(plant)
    collect(plant, named["late"])
    clock.save()
    installation.close()
    print(json.dumps(named))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
