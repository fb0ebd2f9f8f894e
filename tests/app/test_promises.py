"""Promise dates: counted from the last event, kept as often as they say, made anew at each event."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from anlage.app import (
    Course,
    Installation,
    promised,
    promises_of_journey,
    release_promises,
    settings,
)
from anlage.base import FixedClock, Quantity
from anlage.plant.journey_fact import (
    CollectionFailed,
    CollectionPerformed,
    DoseReleased,
    JourneyCancelled,
    ProductOrdered,
    SlotBooked,
)
from anlage.record import Actor, Entry, Stream, World, sign

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
PRODUCT = "cd19-car-t"


def days(number):
    return timedelta(days=float(number))


def a_course(id, begins, *, collected, released):
    """A course whose collection and release came these days after its order."""
    at = {"ordered": begins, "collected": begins + days(collected)}
    return Course(id=id, at=at | {"released": begins + days(released)})


def release_of(found):
    [one] = [one for one in found if one.milestone == "released"]
    return one


def test_the_date_is_the_one_that_enough_earlier_courses_kept():
    others = [a_course(f"c{n}", AT, collected=1, released=1 + n) for n in range(1, 20)]
    course = Course(id="own", at={"ordered": AT, "collected": AT + days(2)})

    one = release_of(promised(course, others, now=AT + days(2)))

    # Of 19 courses of 1 to 19 days, the 10th, 16th and 19th in order (split conformal).
    assert one.since == "collected" and one.courses == 19
    assert one.likely == AT + days(2 + 10)
    assert one.told == AT + days(2 + 16)
    assert one.sure == AT + days(2 + 19)


def test_what_is_sure_needs_nineteen_courses_and_what_is_told_four():
    others = [a_course(f"c{n}", AT, collected=1, released=1 + n) for n in range(1, 19)]
    course = Course(id="own", at={"ordered": AT, "collected": AT})

    eighteen = release_of(promised(course, others, now=AT))
    three = release_of(promised(course, others[:3], now=AT))

    assert eighteen.sure is None and eighteen.told is not None
    assert three.told is None and three.likely is not None


def test_courses_done_sooner_than_this_one_has_waited_teach_nothing_any_more():
    others = [a_course(f"c{n}", AT, collected=0, released=n) for n in range(1, 31)]
    course = Course(id="own", at={"ordered": AT, "collected": AT})

    early = release_of(promised(course, others, now=AT))
    late = release_of(promised(course, others, now=AT + days(20)))
    beyond = release_of(promised(course, others, now=AT + days(31)))

    assert late.told > early.told and late.courses == 10
    assert beyond.courses == 0 and beyond.likely is None


def test_promises_are_kept_as_often_as_they_say(rng):
    kept = {0.5: [], 0.8: [], 0.95: []}
    for _ in range(800):
        lengths = rng.gamma(4.0, 5.0, size=40)
        *others, own = (
            a_course(str(n), AT, collected=0, released=length) for n, length in enumerate(lengths)
        )
        course = own.until(AT)
        one = release_of(promised(course, others, now=AT))
        for confidence, made in one.dates.items():
            kept[confidence].append(own.at["released"] <= made)

    for confidence, found in kept.items():
        error = 4 * np.sqrt(confidence * (1 - confidence) / len(found))
        assert confidence - error < np.mean(found) < confidence + 1 / 40 + error


@pytest.fixture
def site(tmp_path):
    clock = FixedClock(AT + days(200))
    installation = Installation.create(
        settings(tmp_path, durable=False), world=World.SIMULATED, site="S1", site_name="Site",
        clock=clock,
    )  # fmt: skip
    yield installation
    installation.close()


def happen(site, id, at, fact):
    by = Actor(person="hans", via="page")
    site.journal.append([Entry(Stream(f"journey/{id}"), fact)], {}, by=by, at=at)


def order(site, id, at):
    said = ProductOrdered(
        product=PRODUCT, physician="greta", subject="00" * 32, indication="x", treatment_site="ward"
    )
    happen(site, id, at, said)


def book(site, id, at, begins):
    happen(site, id, at, SlotBooked(slot="A1", begins=begins, suite="S", by="hans"))


def collect(site, id, at):
    shown = {"container": f"B{id}"}
    signed = sign(
        shown, person="iris", name="Iris", meaning="collected", template="t@1",
        method="simulated-person", at=at,
    )  # fmt: skip
    said = CollectionPerformed(
        donation=f"D{id}", container=f"B{id}", volume=Quantity.of("100", "mL"), nurse="iris",
        second="jan", signature=signed, verified=signed,
    )  # fmt: skip
    happen(site, id, at, said)


@pytest.fixture
def past(site):
    """Thirty earlier courses: booked ten days ahead, released 21 to 50 days after the slot."""
    for number in range(30):
        id, begins = f"P{number:02d}", AT + days(number)
        order(site, id, begins)
        book(site, id, begins + days(1), begins + days(11))
        collect(site, id, begins + days(11))
        happen(
            site,
            id,
            begins + days(11 + 21 + number),
            DoseReleased(lot=f"L{number}", is_exceptional=False),
        )


def test_a_journey_is_promised_anew_at_its_slot_its_collection_and_when_that_fails(site, past):
    now = site.clock.now()
    order(site, "own", now)
    ordered = release_of(promises_of_journey(site, "own"))
    book(site, "own", now, now + days(60))
    booked = release_of(promises_of_journey(site, "own"))
    book(site, "own", now, now + days(20))
    before = promises_of_journey(site, "own")
    moved = release_of(before)

    # From order to release 32 to 61 days; from the slot 21 to 50: the date follows the slot.
    assert ordered.told == now + days(32 + 24)
    assert booked.told == now + days(60 + 21 + 24)
    assert moved.told == now + days(20 + 21 + 24)

    site.clock.advance(days(20))
    collect(site, "own", site.clock.now())
    collected = release_of(promises_of_journey(site, "own"))
    happen(site, "own", site.clock.now(), CollectionFailed(reason="clotted", by="iris"))
    failed = release_of(promises_of_journey(site, "own"))

    assert collected.since == "collected" and collected.told == moved.told
    [arrival] = [one for one in before if one.milestone == "collected"]
    assert arrival.told == now + days(20)  # collections are timed to the slot
    assert failed.since == "booked"


def test_what_was_promised_is_kept_in_sight_and_judged(site, past):
    now = site.clock.now()
    order(site, "own", now)
    book(site, "own", now + days(1), now + days(10))
    site.clock.advance(days(100))
    collect(site, "own", now + days(10))
    happen(site, "own", now + days(99), DoseReleased(lot="L-own", is_exceptional=False))

    told = release_promises(site, "own")

    assert [one.since for one in told] == ["ordered", "booked", "collected"]
    assert [one.is_kept for one in told] == [False, False, False]
    [first, *_] = release_promises(site, "P29")
    # When the last of the thirty was ordered, none of the others was released yet but a few.
    assert first.courses < 10


def test_a_cancelled_journey_and_an_unknown_one_are_promised_nothing(site, past):
    order(site, "own", site.clock.now())
    happen(site, "own", site.clock.now(), JourneyCancelled(reason="wish", by="hans"))

    assert promises_of_journey(site, "own") == []
    assert promises_of_journey(site, "none") == []
