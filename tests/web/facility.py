"""A small facility for the pages: people with logins, rooms, stock, and lots at several stages."""

from datetime import timedelta
from decimal import Decimal

from anlage.app import make_account
from anlage.base import Quantity
from anlage.plant import (
    CleanRoom,
    FillDoses,
    FilledContainer,
    Grade,
    Lot,
    OpenDeviation,
    OrderProduct,
    QualifyRoom,
    RegisterRoom,
    RoomTerms,
    Severity,
)
from anlage.record import Actor
from tests.app.test_making import (
    ROLES,
    account,
    begin,
    examine,
    founding,
    make,
    order,
    step,
)

PASSWORD = "correct horse battery"
STEPS_BEFORE = 6


def furnish(plant, while_empty=None):
    """Give the numbers of what was made: a lot in work, one made and tested, one only ordered.

    `while_empty` is done before the lot in work takes its units.
    """
    by, at = Actor(person="admin", via="api"), plant.clock.now()
    plant.installation.journal.append(list(founding(at)), {}, by=by, at=at)
    for person in ROLES:
        make_account(login=person, person=person, password=PASSWORD)
    room(plant)
    order_one = order_only(plant)
    made = begin(plant, order(plant))
    make(plant, made)
    examine(plant, made)
    fills = (FilledContainer(container="DOSE-1", amount="20 mL", cells="1.4e8 cell"),)
    plant.do(FillDoses(lot=made, fills=fills), "anna")
    account(plant, made)
    more = while_empty(plant) if while_empty else {}
    running = begin(plant, order(plant))
    for _ in range(STEPS_BEFORE):
        lot = plant.state(Lot, f"lot/{running}")
        step(plant, lot, lot.ready[0])
    asked = OpenDeviation(
        lot=running, title="Label smudged", description="The label of the bag is smudged.",
        severity=Severity.MINOR,
    )  # fmt: skip
    plant.do(asked, "anna")
    tested = plant.state(Lot, f"lot/{made}").samples.values()
    sample = next(one.id for one in tested if "viability" in one.tests)
    return more | {"made": made, "running": running, "ordered": order_one, "sample": sample}


def room(plant):
    """Register and qualify the room that the units stand in."""
    terms = RoomTerms(
        grade=Grade.C, checks=("no material of the last lot", "labels destroyed"),
        agents={"sporicide": Decimal(10)},
    )  # fmt: skip
    plant.do(RegisterRoom(room="R", name="Cleanroom 1", terms=terms), "eva")
    due = plant.clock.now() + timedelta(days=200)
    signature = plant.sign("eva", "qualified", room="R")
    plant.do(QualifyRoom(room="R", due=due, report="ab" * 32, signature=signature), "eva")
    cleaning = CleanRoom(room="R", agent="sporicide", contact=Quantity(Decimal(10), "min"))
    plant.do(cleaning, "anna")


def order_only(plant):
    """Prescribe for one more patient."""
    shown = {"product": "cd19-car-t", "subject": "s2"}
    asked = OrderProduct(
        **shown, indication="B-cell lymphoma", treatment_site="ward", weight="61 kg",
        signature=plant.sign("greta", "prescribed", **shown),
    )  # fmt: skip
    outcome = plant.do(asked, "greta")
    name = next(one for one in outcome.streams if one.startswith("journey/"))
    return name.partition("/")[2]
