"""Confirming the clock: by an administrator, with a reason, and signing goes on."""

from datetime import timedelta

import pytest

from anlage.app import Installation, first_administrator, settings
from anlage.base import FixedClock, Refused
from anlage.library import ConfirmClock, RegisterPerson
from anlage.record import Actor, World
from tests.app.test_making import AT

ADA = Actor(person="P-0001", via="api")


@pytest.fixture
def plant(tmp_path):
    machine = FixedClock(AT)
    site = Installation.create(
        settings(tmp_path), world=World.REAL, site="S1", site_name="S", machine=machine
    )
    first_administrator(site, name="Ada")
    yield site, machine
    site.close()


def test_an_administrator_confirms_a_clock_that_had_been_ahead(plant):
    site, machine = plant
    machine.advance(timedelta(days=365))
    site.engine.do(RegisterPerson(id="anna", name="Anna"), actor=ADA)
    machine.advance(timedelta(days=-365))
    assert site.journal.clock_behind() == timedelta(days=365)

    site.engine.do(ConfirmClock(reason="NTP was off; compared with DCF77"), actor=ADA)

    assert site.journal.clock_behind() == timedelta()


def test_a_clock_that_is_not_behind_has_nothing_to_confirm(plant):
    site, _ = plant
    size = site.journal.size

    with pytest.raises(Refused) as refusal:
        site.engine.do(ConfirmClock(reason="so"), actor=ADA)

    assert refusal.value.code == "clock-not-behind"
    assert site.journal.size == size


def test_nobody_else_confirms_the_clock(plant):
    site, machine = plant
    site.engine.do(RegisterPerson(id="anna", name="Anna"), actor=ADA)
    machine.advance(timedelta(hours=-1))

    with pytest.raises(Refused) as refusal:
        site.engine.do(ConfirmClock(reason="so"), actor=Actor(person="anna", via="api"))

    assert refusal.value.code == "operator-unqualified"
