"""What a visitor finds: about a dozen CAR-T lots at every stage, and what went otherwise than
planned.
"""

from anlage.plant import OpenDeviation, Severity

from .cast import BY_LOGIN
from .facility import found_facility
from .player import Player
from .walk import Until, Walk, walk_journey

# One journey each; the last ones began last. Days between two orders.
STAGES = (
    Until.INFUSED,
    Until.INFUSED,
    Until.ON_SITE,
    Until.RELEASED,
    Until.REVIEWED,  # waits for the reader's release
    Until.TESTED,
    Until.MADE,
    Until.EXPANDING,
    Until.EXPANDING,
    Until.ACTIVATED,
    Until.ACTIVATED,
    Until.ACCEPTED,
    Until.ORDERED,
)


def seed(player: Player) -> list[Walk]:
    """Found the facility and walk its patients; everything through the commands of real use."""
    found_facility(player)
    walks = []
    for number, until in enumerate(STAGES, start=1):
        walks.append(walk_journey(player, number, until))
        # Journeys overlap in a real plant; here each begins when the one before stands still, and
        # the plant's time runs on, so nothing is dated back.
        player.wait(hours=3)
    expanding = next(
        one for one in walks if one.lot and STAGES[walks.index(one)] is Until.EXPANDING
    )
    player.do(
        OpenDeviation(
            lot=expanding.lot,
            title="Incubator door left open",
            description="The incubator stood open for four minutes during a power test.",
            severity=Severity.MINOR,
        ),
        by=BY_LOGIN["operator"],
    )
    player.installation.checkpoint()
    return walks
