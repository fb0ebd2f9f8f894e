"""Numbers under many hands: unique, without gaps, on every engine."""

import threading
from datetime import UTC, datetime

import pytest

from anlage.app import Engine
from anlage.base import FixedClock, Refused
from anlage.record import Actor
from anlage.store import SqlJournal
from tests.app_trial import Weigh
from tests.engines.test_journal import opened

AT = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE, EACH = 20, 5


def weigh(engine, worker, count):
    """Weigh once; whoever is told that the record moved on asks again, as a person would."""
    request = Weigh(lot=f"W{worker}-{count}", grams=1, scale=f"E-{worker}")
    while True:
        try:
            return engine.do(request, actor=Actor(person=f"P-{worker}", via="api"))
        except Refused as refusal:
            if refusal.code != "record-moved-on":
                raise


@pytest.mark.req("U20")
def test_twenty_people_at_once_get_numbers_without_gaps(make_dialect):
    journal = opened(SqlJournal(make_dialect(), clock=FixedClock(AT)))
    engine, numbers = Engine(journal, FixedClock(AT)), []

    def work(worker):
        for count in range(EACH):
            numbers.append(weigh(engine, worker, count).facts[0].fact.number)

    threads = [threading.Thread(target=work, args=(one,)) for one in range(PEOPLE)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    journal.close()

    assert sorted(numbers) == [f"W26-{number:04d}" for number in range(1, PEOPLE * EACH + 1)]
