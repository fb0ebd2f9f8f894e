"""What a visitor finds: a dozen CAR-T lots at every stage, and what went otherwise than planned."""

from datetime import timedelta

from anlage.plant import OpenDeviation, Severity

from .bench import bench
from .cast import BY_LOGIN
from .facility import found_facility
from .live import reserve
from .player import Player, Stage
from .store import furnish_store, wait_for_picking
from .transport import HOURS, ship_some
from .walk import Until, Walk, walk_bank, walk_journey

# How many days before the present each patient was prescribed for, and how far the walk may go.
# The fifth waits for the reader, who may log in as the releaser and certify it.
PATIENTS = (
    (38.0, Until.INFUSED),
    (31.0, Until.INFUSED),
    (24.0, Until.INFUSED),
    (21.0, Until.INFUSED),
    (20.0, Until.REVIEWED),
    (17.0, Until.INFUSED),
    (14.5, Until.INFUSED),
    (12.0, Until.INFUSED),
    (10.0, Until.INFUSED),
    (8.5, Until.INFUSED),
    (7.0, Until.INFUSED),
    (5.0, Until.INFUSED),
    (2.0, Until.INFUSED),
)
DAYS = 40
BANK_DAYS = 9  # the allogeneic lot: one bank, many doses


def seed(player: Player) -> list[Walk]:
    """Found the facility and walk its patients to the present; everything through the commands of
    real use.
    """
    end = player.clock.now() + timedelta(days=DAYS)
    found_facility(player)
    furnish_store(player)
    stage, walks = Stage(player), []
    for number, (days, until) in enumerate(PATIENTS, start=1):
        walk = Walk(player=player)
        walks.append(walk)
        begin = end - timedelta(days=days) - player.clock.now()
        stage.enter(walk_journey(walk, number, until), after=begin)
    bank = end - timedelta(days=BANK_DAYS) - player.clock.now()
    stage.enter(walk_bank(Walk(player=player)), after=bank)
    stage.enter(ship_some(player), after=end - timedelta(hours=HOURS) - player.clock.now())
    stage.run(end)
    wait_for_picking(player)
    player.do(
        OpenDeviation(
            lot=walks[7].lot,
            title="Incubator door left open",
            description="The incubator stood open for four minutes during a power test.",
            severity=Severity.MINOR,
        ),
        by=BY_LOGIN["operator"],
    )
    waiting = [
        walk for walk, (_, until) in zip(walks, PATIENTS, strict=True) if until is Until.REVIEWED
    ]
    for walk in waiting:
        bench(player, walk.lot)
    reserve(player.installation.folder, waiting)
    player.installation.checkpoint()
    return walks
