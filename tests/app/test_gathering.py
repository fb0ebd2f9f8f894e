"""Many callers at once: each gets the answer to its own item, out of few pieces of work."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from anlage.app import Gatherer

CALLERS = 24


def test_callers_that_wait_are_served_together_each_with_its_own_answer():
    groups = []
    first = threading.Event()

    def work(items):
        groups.append(len(items))
        if len(groups) == 1:
            first.wait(5)
        return [item * 2 for item in items]

    gatherer = Gatherer(work)
    with ThreadPoolExecutor(CALLERS) as pool:
        answers = [pool.submit(gatherer.do, number) for number in range(CALLERS)]
        while len(gatherer._queue) < CALLERS - 1:
            pass
        first.set()
        assert [one.result(5) for one in answers] == [2 * n for n in range(CALLERS)]

    assert groups == [1, CALLERS - 1]


def test_one_refused_item_does_not_touch_the_others():
    gatherer = Gatherer(lambda items: [ValueError(one) if one < 0 else one for one in items])

    assert gatherer.do(1) == 1
    with pytest.raises(ValueError, match="-1"):
        gatherer.do(-1)


def test_work_that_breaks_fails_all_who_waited_and_the_next_is_served():
    tries = []

    def work(items):
        tries.append(items)
        if len(tries) == 1:
            raise OSError("disk")
        return items

    gatherer = Gatherer(work)

    with pytest.raises(OSError, match="disk"):
        gatherer.do(1)
    assert gatherer.do(2) == 2
