"""Times, rates, shares and money as people write them, read into days and plain numbers.

The reader is small and its own (pint takes half a second to load, a third of the time in which an
edited model shall answer). A day is 24 h, a week 7 d, a month 30.4375 d and a year 365.25 d
(UCUM `mo_j`, `a_j`).
"""

import datetime
import math
import re

from anlage.base import Problem

from .errors import UNIT_WRONG, VALUE_IMPOSSIBLE, VALUE_UNREADABLE

YEAR_DAYS = 365.25
_UNITS: dict[str, float] = {
    "s sec secs second seconds": 1 / 86400,
    "min mins minute minutes": 1 / 1440,
    "h hr hrs hour hours": 1 / 24,
    "d day days": 1.0,
    "w wk wks week weeks": 7.0,
    "mo month months": YEAR_DAYS / 12,
    "a y yr yrs year years": YEAR_DAYS,
}
DAYS_PER: dict[str, float] = {
    word: days for words, days in _UNITS.items() for word in words.split()
}
KM_PER = {"km": 1.0, "m": 0.001, "mi": 1.609344, "mile": 1.609344, "miles": 1.609344}
KG_PER = {"kg": 1.0, "g": 0.001, "lb": 0.45359237}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_NUMBER = r"[+-]?(?:\d+(?:_\d{3})*\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_PLAIN = re.compile(_NUMBER)
_TERM = re.compile(rf"({_NUMBER})\s*([A-Za-zµ]+)\s*")
_RATE = re.compile(rf"({_NUMBER})\s*([A-Za-z ]*?)\s*(?:/|\bper\b)\s*(?:({_NUMBER})\s*)?([A-Za-z]+)")
_EVERY = re.compile(r"(?:one\s+)?every\s+(.+)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_TEXT_MAX = 200


class Unfit(Exception):  # noqa: N818 - becomes a Problem where the line is known
    """A value that cannot be read; carries what a Problem says of it."""

    def __init__(self, code: str, found: str, limit: str, remedy: str) -> None:
        """State what was found, what would do, and what to write."""
        self.code, self.found, self.limit, self.remedy = code, found[:120], limit, remedy
        super().__init__(f"found {self.found}, accepted is {limit}")

    def problem(self, what: str, path: str | None, line: int | None) -> Problem:
        """Give the full problem once the place is known."""
        return Problem(
            code=self.code,
            what=what,
            found=self.found,
            limit=self.limit,
            remedy=self.remedy,
            path=path,
            line=line,
        )


def number(text: str) -> float:
    """Read a finite number; `unlimited` and `inf` are refused here.

    Raises:
        Unfit: It is no number.
    """
    text = text.strip()
    if len(text) > _TEXT_MAX or not _PLAIN.fullmatch(text):
        raise Unfit(VALUE_UNREADABLE, repr(text), "a number", "write a number, such as 2 or 0.05")
    value = float(text.replace("_", ""))
    if not math.isfinite(value):
        raise Unfit(VALUE_IMPOSSIBLE, text, "a finite number", "write a smaller number")
    return value


def duration(text: str, *, zero: bool = True) -> float:
    """Read a time such as `1 hour`, `90 min` or `1 d 6 h` in days.

    Raises:
        Unfit: No number, no unit of time, or a negative time.
    """
    text = text.strip()
    limit = "a number with a unit of time (s, min, hour, day, week, month, year)"
    if len(text) > _TEXT_MAX:
        raise Unfit(VALUE_UNREADABLE, repr(text[:40]), limit, "write a time such as 1 hour")
    if _PLAIN.fullmatch(text):
        if float(text.replace("_", "")) == 0 and zero:
            return 0.0
        raise Unfit(UNIT_WRONG, repr(text), limit, f"name the unit, such as {text} hours")
    total, at = 0.0, 0
    for term in _TERM.finditer(text):
        if term.start() != at:
            break
        total += float(term[1].replace("_", "")) * _unit(term[2], text, limit)
        at = term.end()
    if at != len(text) or not text:
        raise Unfit(VALUE_UNREADABLE, repr(text), limit, "write a time such as 1 hour or 90 min")
    if total < 0 or (total == 0 and not zero):
        allowed = "a time of zero or more" if zero else "a time above zero"
        raise Unfit(VALUE_IMPOSSIBLE, text, allowed, "write a time that can pass")
    if total > 1e6:
        raise Unfit(VALUE_IMPOSSIBLE, text, "at most a million days", "check the unit")
    return total


def rate(text: str) -> float:
    """Read `1.6 / hour`, `3 per day`, `900 patients per year` or `every 2 hours` in 1/day.

    Raises:
        Unfit: It is no rate, or not above zero.
    """
    text = text.strip()
    limit = "a rate such as 1.6 / hour or 3 per day"
    if len(text) <= _TEXT_MAX and (match := _EVERY.fullmatch(text)):
        word = match[1].strip()
        return 1.0 / duration(f"1 {word}" if word in DAYS_PER else word, zero=False)
    if len(text) > _TEXT_MAX or not (match := _RATE.fullmatch(text)):
        code = UNIT_WRONG if len(text) <= _TEXT_MAX and _PLAIN.fullmatch(text) else VALUE_UNREADABLE
        raise Unfit(code, repr(text[:40]), limit, "say per which time, such as 3 per day")
    value = float(match[1].replace("_", "")) / (float(match[3]) if match[3] else 1.0)
    per_day = value / _unit(match[4], text, limit)
    if not per_day >= 0 or not math.isfinite(per_day):
        raise Unfit(VALUE_IMPOSSIBLE, text, "a rate of zero or more", "write a rate of 0 or more")
    return per_day


def share(text: str) -> float:
    """Read a probability written as `0.05` or `5 %`.

    Raises:
        Unfit: It is no number from 0 to 1.
    """
    text = text.strip()
    value = number(text[:-1]) / 100 if text.endswith("%") else number(text)
    if not 0 <= value <= 1:
        raise Unfit(
            VALUE_IMPOSSIBLE, text, "a share from 0 to 1, or 0 % to 100 %", "write 0.05 or 5 %"
        )
    return value


def money(text: str) -> float:
    """Read an amount of money; a currency's name may stand before or after it.

    Raises:
        Unfit: It is no amount of zero or more.
    """
    bare = re.sub(r"^(?:[A-Z]{3}\s|[€$£])\s*|\s*(?:[A-Z]{3}|[€$£])$", "", text.strip())
    value = number(bare)
    if value < 0:
        raise Unfit(
            VALUE_IMPOSSIBLE, text, "an amount of zero or more", "write a cost of 0 or more"
        )
    return value


def money_rate(text: str) -> float:
    """Read money per time, such as `23136 / day`, in money per day.

    Raises:
        Unfit: It is no money per time.
    """
    return rate(re.sub(r"^[€$£]\s*", "", text.strip()))


def measured(text: str, units: dict[str, float], example: str) -> float:
    """Read a number with a unit out of `units`, such as a distance or a mass.

    Raises:
        Unfit: No number, another unit, or below zero.
    """
    match = _TERM.fullmatch(text.strip()[:_TEXT_MAX])
    if not match or match[2] not in units:
        raise Unfit(UNIT_WRONG, repr(text[:40]), f"a value such as {example}", f"write {example}")
    value = float(match[1].replace("_", "")) * units[match[2]]
    if value < 0:
        raise Unfit(VALUE_IMPOSSIBLE, text, "zero or more", f"write {example}")
    return value


def speed(text: str) -> float:
    """Read a speed in km/day.

    Raises:
        Unfit: It is no speed above zero.
    """
    match = re.fullmatch(rf"({_NUMBER})\s*(km/h|kmh|km / h|mph|km per hour|m/s)", text.strip())
    if not match or float(match[1]) <= 0:
        raise Unfit(UNIT_WRONG, repr(text[:40]), "a speed such as 70 km/h", "write 70 km/h")
    return float(match[1]) * {"mph": 1.609344 * 24, "m/s": 86.4}.get(match[2], 24.0)


def clock(text: str) -> float:
    """Read a time of day, `08:00` to `24:00`, as a part of a day.

    Raises:
        Unfit: It is no time of day.
    """
    match = _CLOCK.fullmatch(text.strip())
    if not match or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > 1440:
        raise Unfit(VALUE_UNREADABLE, repr(text[:20]), "a time of day", "write it as 08:00")
    return (int(match[1]) * 60 + int(match[2])) / 1440


def weekdays(text: str) -> tuple[int, ...]:
    """Read `mon-fri`, `sat, sun`, `daily` or `weekdays` as numbers, Monday 0.

    Raises:
        Unfit: A word is no day of the week.
    """
    words = {
        "daily": "mon-sun",
        "every day": "mon-sun",
        "weekdays": "mon-fri",
        "weekend": "sat-sun",
    }
    days: list[int] = []
    for part in words.get(text.strip().lower(), text).split(","):
        first, _, last = part.strip().lower().partition("-")
        ends = [_weekday(first.strip(), text), _weekday((last or first).strip(), text)]
        span = (ends[1] - ends[0]) % 7
        days.extend((ends[0] + step) % 7 for step in range(span + 1))
    return tuple(sorted(set(days)))


def date(text: str) -> datetime.date:
    """Read an ISO 8601 date.

    Raises:
        Unfit: It is no date.
    """
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise Unfit(
            VALUE_UNREADABLE, repr(text[:20]), "a date such as 2026-12-25", "write year-month-day"
        ) from None


def _weekday(word: str, text: str) -> int:
    for position, day in enumerate(WEEKDAYS):
        if len(word) >= 3 and word.startswith(day):
            return position
    raise Unfit(
        VALUE_UNREADABLE, repr(text[:40]), "days such as mon-fri or sat, sun", "write mon-fri"
    )


def _unit(word: str, text: str, limit: str) -> float:
    days = DAYS_PER.get(word) or DAYS_PER.get(word.lower())
    if days is None:
        raise Unfit(
            UNIT_WRONG, repr(text), limit, f"{word!r} is no unit of time; write hour or day"
        )
    return days
