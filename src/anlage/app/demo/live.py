"""The plant goes on while a visitor watches: simulated persons do the next acts as plant time
comes to them.
"""

import json
import logging
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from anlage.base import Refused
from anlage.plant import Journey, Lot

from ..installation import Installation
from ..plant_clock import SimulatedClock
from .cast import CAST
from .player import Player, Stage
from .walk import BANK_SCRIPT, Until, Walk, run_lot, walk_journey

RESERVED = "demo-reserved.json"
PAUSE_SECONDS = 0.5
NEW_PATIENT = timedelta(days=3)
AGAIN = timedelta(minutes=30)
log = logging.getLogger(__name__)


def reserve(folder: Path, walks: list[Walk]) -> None:
    """Leave these journeys to the visitor."""
    (folder / RESERVED).write_text(json.dumps([one.coi for one in walks]), "utf-8")


def keep_playing(installation: Installation, clock: SimulatedClock) -> threading.Thread:
    """Play on in a thread of the served process, until it ends."""
    player = Player(installation, clock)
    player.names = {member.id: member.name for member in CAST}
    stage = Stage(player)
    path = installation.folder / RESERVED
    reserved = set(json.loads(path.read_text("utf-8"))) if path.exists() else set()
    known = [one.id for one in installation.journal.streams("journey")]
    for coi in known:
        if coi not in reserved:
            stage.enter(_patiently(player, coi), after=timedelta(minutes=5))
    for lot in installation.journal.streams("lot"):
        if player.state(Lot, lot).coi is None:
            stage.enter(run_lot(Walk(player=player, lot=lot.id, script=BANK_SCRIPT)), after=AGAIN)
    stage.enter(_arrivals(player, stage, len(known)), after=NEW_PATIENT)
    thread = threading.Thread(target=_play, args=(stage,), name="simulated-persons", daemon=True)
    thread.start()
    return thread


def _play(stage: Stage) -> None:
    while True:
        try:
            if not stage.act_due():
                time.sleep(PAUSE_SECONDS)
        except Exception:
            log.exception("a simulated person stumbled")
            time.sleep(PAUSE_SECONDS)


def _arrivals(player: Player, stage: Stage, number: int) -> Iterator[timedelta]:
    while True:
        number += 1
        stage.enter(_patiently(player, "", number))
        yield NEW_PATIENT


def _patiently(player: Player, coi: str, number: int = 0) -> Iterator[timedelta]:
    """Walk a journey from where it stands; where a rule says no (the visitor acted), look again
    later.
    """
    walk = Walk(player=player, coi=coi)
    for _ in range(200):
        if walk.coi:
            journey = player.state(Journey, f"journey/{walk.coi}")
            if journey.infused is not None or not journey.has_consent:
                return
            walk.lot = journey.lot or ""
            if walk.lot:
                containers = player.state(Lot, f"lot/{walk.lot}").containers
                walk.bag = journey.dose_container or next(iter(containers), "")
        try:
            yield from walk_journey(walk, number, Until.INFUSED)
            return
        except Refused as refusal:
            log.info("waiting: %s", refusal)
            yield AGAIN
