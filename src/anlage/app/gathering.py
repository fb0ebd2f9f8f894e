"""Many at once: callers that arrive while the disk is busy are served together by the next write.

One caller does the work of all who wait, then hands the lead to the first who came since. Nobody
waits for a timer: a lone caller is served at once.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
TOGETHER_MAX = 256


@dataclass(slots=True, eq=False)
class _Waiting(Generic[T, R]):
    item: T
    woken: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    answer: R | None = None
    failure: Exception | None = None


class Gatherer(Generic[T, R]):
    """Gives each caller the answer to its own item, out of work done for many."""

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R | Exception]]) -> None:
        """Use this work: items in, an answer or an exception for each out, in the same order.

        Args:
            work: Called by one thread at a time, with 1 to 256 items.
        """
        self._work = work
        self._lock = threading.Lock()
        self._queue: list[_Waiting[T, R]] = []
        self._is_led = False

    def do(self, item: T) -> R:
        """Give the answer to an item; the call returns when the work of its group is done.

        Raises:
            Exception: What the work answered for this item, or what broke it for all.
        """
        mine: _Waiting[T, R] = _Waiting(item)
        with self._lock:
            self._queue.append(mine)
            mine.leads = not self._is_led
            self._is_led = True
        if not mine.leads:
            mine.woken.wait()
        if mine.leads:
            self._lead()
        if mine.failure is not None:
            raise mine.failure
        return mine.answer  # type: ignore[return-value]  # set wherever there is no failure

    def _lead(self) -> None:
        """Do the work of everybody who waits, then let the next leader go on."""
        with self._lock:
            group, self._queue = self._queue[:TOGETHER_MAX], self._queue[TOGETHER_MAX:]
        try:
            answers = self._work([one.item for one in group])
        except Exception as error:
            answers = [error] * len(group)
        for one, answer in zip(group, answers, strict=True):
            if isinstance(answer, Exception):
                one.failure = answer
            else:
                one.answer = answer
        with self._lock:
            following = self._queue[0] if self._queue else None
            self._is_led = following is not None
        for one in group:
            one.woken.set()
        if following is not None:
            following.leads = True
            following.woken.set()
