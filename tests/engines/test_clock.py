"""Steps of the machine's clock: recorded and flagged, never refused; beyond five minutes signing stops."""

from datetime import UTC, datetime, timedelta

import pytest

from anlage.app import Engine
from anlage.base import FixedClock, Refused
from anlage.record import JOURNAL_STREAM, Actor, sentence, sign
from anlage.store import SqlJournal
from tests.app_trial import Weigh
from tests.engines.test_journal import opened

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ME = Actor(person="P-1", via="api")


class Plant:
    """A journal on a clock that the test moves, opened again on demand."""

    def __init__(self, make_dialect):
        self.make, self.clock, self.count = make_dialect, FixedClock(AT), 0
        self.journal = self.engine = None
        self.again()

    def again(self):
        if self.journal is not None:
            self.journal.close()
        self.journal = opened(SqlJournal(self.make(), clock=self.clock))
        self.engine = Engine(self.journal, self.clock)

    def step(self, **by):
        self.clock.advance(timedelta(**by))

    def weigh(self, signed=False):
        self.count += 1
        signature = sign(
            {"grams": 1}, person="P-1", name="P", meaning="weighed", template="t",
            method="simulated-person", at=AT,
        ) if signed else None  # fmt: skip
        lot = f"L-{self.count}"
        return self.engine.do(Weigh(lot=lot, grams=1, signature=signature), actor=ME)

    @property
    def steps(self):
        return [
            one for one in self.journal.read_stream(JOURNAL_STREAM)
            if one.kind == "clock-stepped-back"
        ]  # fmt: skip


@pytest.fixture
def plant(make_dialect):
    found = Plant(make_dialect)
    yield found
    found.journal.close()


@pytest.mark.req("U21")
def test_a_step_back_of_a_minute_is_recorded_once_and_refuses_nothing(plant):
    plant.weigh(signed=True)
    plant.step(minutes=-1)

    plant.weigh(signed=True)
    plant.weigh(signed=True)

    (step,) = plant.steps
    assert (step.fact.before, step.fact.after) == (AT, AT - timedelta(minutes=1))
    assert "60 s" in sentence(step)
    assert plant.journal.clock_behind() == timedelta(minutes=1)


@pytest.mark.req("P11.50")
def test_beyond_five_minutes_facts_are_recorded_and_only_signing_stops(plant):
    plant.weigh()
    plant.step(minutes=-6)
    size = plant.journal.size

    with pytest.raises(Refused) as refusal:
        plant.weigh(signed=True)

    assert refusal.value.code == "clock-behind"
    assert plant.journal.size == size
    assert plant.weigh().facts
    with pytest.raises(Refused):
        plant.weigh(signed=True)


def test_signing_goes_on_when_the_clock_has_caught_up(plant):
    plant.weigh()
    plant.step(minutes=-6)
    plant.weigh()

    plant.step(minutes=2)

    assert plant.weigh(signed=True).facts


def test_many_small_steps_back_count_together_and_over_a_new_start(plant):
    plant.weigh()
    for _ in range(3):
        plant.step(minutes=-3)
        plant.weigh()
        plant.again()

    assert len(plant.steps) == 3
    assert plant.journal.clock_behind() == timedelta(minutes=9)
    with pytest.raises(Refused):
        plant.weigh(signed=True)


def test_a_clock_set_back_while_the_plant_was_down_is_seen_at_the_first_commit(plant):
    plant.weigh()
    plant.step(hours=-1)

    plant.again()
    plant.weigh()

    assert len(plant.steps) == 1


def test_a_step_forward_and_a_millisecond_back_are_no_steps_back(plant):
    plant.weigh()
    plant.step(days=400)
    plant.weigh(signed=True)
    plant.step(milliseconds=-3)
    plant.weigh(signed=True)

    assert plant.steps == []


def test_the_chain_and_tree_hold_over_a_step(plant):
    from anlage.record import root_of

    plant.weigh()
    plant.step(minutes=-2)
    plant.weigh()
    plant.again()

    facts = list(plant.journal.read())
    assert plant.journal.root() == root_of([one.hash for one in facts])
    assert {stream: head.version for stream, head in plant.journal.heads().items()} == {
        one.stream: one.version for one in facts
    }
