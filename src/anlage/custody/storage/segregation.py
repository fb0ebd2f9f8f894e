"""Segregation: what may not stand together, as hard constraints of every place and shipment.

An infectious status that is not known counts as infectious. Which tests hold is a dated definition
(`segregation_rules.py`); without one the packaged rules hold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from anlage.base import Instant, Problem, Quantity

from .segregation_rules import SegregationRules, Test, Within
from .starters import packaged_segregation

_SHORT = 4


class Infectious(StrEnum):
    """Infectious status of the donor of a material."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A thing that is to stand somewhere.

    Attributes:
        id: The container.
        product_class: cell therapy, tissue, reagent, waste.
        coi: The patient's chain of identity; None where there is none.
        infectious: The donor's status.
        is_open: True while it is handled open.
        label_name: The name that a person reads on it.
        keep_min: Lowest temperature it may be kept at; None for no limit.
        keep_max: Highest temperature it may be kept at; None for no limit.
    """

    id: str
    product_class: str
    coi: str | None = None
    infectious: Infectious = Infectious.UNKNOWN
    is_open: bool = False
    label_name: str = ""
    keep_min: Quantity | None = None
    keep_max: Quantity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRule:
    """What a place takes.

    Attributes:
        id: The place.
        classes: The product classes that it takes; empty for all.
        takes_infectious: True where positive and unknown materials may stand.
        takes_negative: False where none but those may.
        one_patient: True where only one patient's materials may stand at a time.
        clear_first: True while the place waits for cleaning and clearance.
        keeps_min: Lowest temperature it keeps; None when not stated.
        keeps_max: Highest temperature it keeps; None when not stated.
        last_patient: Whose materials left it last.
        last_left: When.
    """

    id: str
    classes: frozenset[str] = frozenset()
    takes_infectious: bool = False
    takes_negative: bool = True
    one_patient: bool = False
    clear_first: bool = False
    keeps_min: Quantity | None = None
    keeps_max: Quantity | None = None
    last_patient: str | None = None
    last_left: Instant | None = None


def conflicts(
    thing: Kept,
    place: PlaceRule,
    others: Iterable[Kept],
    *,
    around: Iterable[Kept] = (),
    rules: SegregationRules | None = None,
    at: Instant | None = None,
) -> list[Problem]:
    """Give every reason why a thing may not stand at a place beside others.

    Args:
        thing: What is to stand there.
        place: What the place takes.
        others: What stands in the place itself.
        around: What stands near it, for the rules that look further.
        rules: The rules in force; the packaged ones when None.
        at: When, for the time between two patients; that test is left out when None.
    """
    judge = _Judge(thing, place, rules or packaged_segregation())
    judge.place_itself(at)
    for other in others:
        if other.id != thing.id:
            judge.beside(other, Within.PLACE)
    for other in around:
        if other.id != thing.id:
            judge.beside(other, Within.AROUND)
    return judge.found


def conflicts_within(
    things: Sequence[Kept], place: PlaceRule, *, rules: SegregationRules | None = None
) -> list[Problem]:
    """Give every conflict of a whole content, each pair once: a room, a shelf, a shipment."""
    found: list[Problem] = []
    for number, thing in enumerate(things):
        found += conflicts(thing, place, things[:number], rules=rules)
    return found


def look_alike(one: str, other: str) -> bool:
    """Tell whether two names could be taken for each other: equal but for one sign or a swap."""
    a, b = (" ".join(name.lower().split()) for name in (one, other))
    if not a or not b or min(len(a), len(b)) < _SHORT:
        return bool(a) and a == b
    if a == b:
        return True
    if len(a) == len(b):
        differing = [place for place in range(len(a)) if a[place] != b[place]]
        if len(differing) == 1:
            return True
        return (
            len(differing) == 2
            and differing[1] == differing[0] + 1
            and a[differing[0]] == b[differing[1]]
            and a[differing[1]] == b[differing[0]]
        )
    short, long = sorted((a, b), key=len)
    return len(long) - len(short) == 1 and any(
        long[:place] + long[place + 1 :] == short for place in range(len(long))
    )


class _Judge:
    """Gathers what speaks against one thing at one place."""

    def __init__(self, thing: Kept, place: PlaceRule, rules: SegregationRules) -> None:
        self.thing, self.place, self.rules = thing, place, rules
        self._by_test = rules.by_test
        self.found: list[Problem] = []

    def place_itself(self, at: Instant | None) -> None:
        thing, place = self.thing, self.place
        if place.clear_first:
            self._add(
                Test.CLEARANCE, "place-not-cleared", "not cleared since its last use", "cleared"
            )
        if place.classes and thing.product_class not in place.classes:
            limit = ", ".join(sorted(place.classes))
            self._add(Test.PRODUCT_CLASS, "class-not-allowed", thing.product_class, limit)
        is_negative = thing.infectious is Infectious.NEGATIVE
        if not is_negative and not place.takes_infectious:
            self._add(
                Test.INFECTIOUS_PLACE, "infectious-not-allowed", thing.infectious.value, "negative"
            )
        if is_negative and not place.takes_negative:
            self._add(
                Test.INFECTIOUS_PLACE, "infectious-not-allowed", "negative", "positive or unknown"
            )
        if too_warm := _not_kept(thing, place):
            self._add(Test.TEMPERATURE, "temperature-not-kept", *too_warm)
        rule = self._by_test.get(Test.TIME)
        if (
            rule is not None
            and at is not None
            and place.one_patient
            and place.last_left is not None
            and place.last_patient not in (None, thing.coi)
            and at - place.last_left < timedelta(minutes=rule.minutes)
        ):
            waited = int((at - place.last_left) / timedelta(minutes=1))
            self._add(
                Test.TIME,
                "too-soon-after-patient",
                f"{waited} min after materials of {place.last_patient}",
                f"{rule.minutes} min between two patients",
            )

    def beside(self, other: Kept, within: Within) -> None:
        thing, place = self.thing, self.place
        two = thing.coi is not None and other.coi is not None and thing.coi != other.coi
        if two and place.one_patient and within is Within.PLACE:
            found = f"{other.id} of {other.coi}"
            self._add(Test.ONE_PATIENT, "two-patients", found, "one patient")
        elif two and thing.is_open and other.is_open and self._looks(Test.OPEN, within):
            found = f"{other.id} of {other.coi}, open as well"
            self._add(Test.OPEN, "two-patients", found, "one patient")
        if (
            two
            and self._looks(Test.LOOK_ALIKE, within)
            and look_alike(thing.label_name, other.label_name)
        ):
            self._add(
                Test.LOOK_ALIKE,
                "look-alike-names",
                f"{other.label_name!r} on {other.id}",
                f"a name that cannot be taken for {thing.label_name!r}",
            )
        mixed = {thing.infectious, other.infectious}
        if (
            Infectious.NEGATIVE in mixed
            and len(mixed) > 1
            and not (thing.coi == other.coi and thing.coi is not None)
            and self._looks(Test.INFECTIOUS_BESIDE, within)
        ):
            self._add(
                Test.INFECTIOUS_BESIDE,
                "infectious-beside-negative",
                f"{other.id}, {other.infectious.value}",
                thing.infectious.value,
            )

    def _looks(self, test: Test, within: Within) -> bool:
        rule = self._by_test.get(test)
        return rule is not None and (within is Within.PLACE or rule.within is Within.AROUND)

    def _add(self, test: Test, code: str, found: str, limit: str) -> None:
        rule = self._by_test.get(test)
        if rule is None:
            return
        first = (
            "clean and clear the place, or choose another"
            if code == "place-not-cleared"
            else ("choose another place")
        )
        self.found.append(
            Problem(
                code=code,
                what=f"container {self.thing.id} at {self.place.id}",
                found=found,
                limit=limit,
                remedy=f"{first}: {rule.reason}",
                rule=self.rules.cite(test),
            )
        )


def _not_kept(thing: Kept, place: PlaceRule) -> tuple[str, str] | None:
    """Give what a place keeps and what a thing needs, where these do not fit."""
    if thing.keep_min is None and thing.keep_max is None:
        return None
    too_cold = thing.keep_min is not None and (
        place.keeps_min is None or place.keeps_min.compare(thing.keep_min) < 0
    )
    too_warm = thing.keep_max is not None and (
        place.keeps_max is None or place.keeps_max.compare(thing.keep_max) > 0
    )
    if not (too_cold or too_warm):
        return None
    return temperatures(place.keeps_min, place.keeps_max), temperatures(
        thing.keep_min, thing.keep_max
    )


def temperatures(low: Quantity | None, high: Quantity | None) -> str:
    """Give a range of temperatures in words."""
    if low is None and high is None:
        return "no temperature stated"
    if low is None:
        return f"at most {celsius(high)}"
    return f"at least {celsius(low)}" if high is None else f"{celsius(low)} to {celsius(high)}"


def celsius(temperature: Quantity | None) -> str:
    """Give a temperature as people write it: -150 °C."""
    return f"{temperature.to('Cel').value:f} °C" if temperature is not None else ""
