"""Dates and times as loggers write them; an order of day and month is found, never guessed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan", "feb", "mar mär mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt",
            "nov", "dec dez",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_DATE = re.compile(r"(\d{1,4})\s*[./-]\s*(\d{1,2}|[A-Za-zä]{3,9})\.?\s*[./-]\s*(\d{1,4})")
_NAMED = re.compile(r"([A-Za-zä]{3,9})\.?\s+(\d{1,2}),?\s+(\d{4})")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([AaPp])?\.?(?:[Mm]\.?)?")
_ZONE = re.compile(r"(?<=[\d\sMm])\s*(Z|UTC|GMT)?\s*([+-]\d{1,2}(?::?\d{2})?)?\s*$")
_STATED = re.compile(
    r"(?:time\s*zone|timezone|zeitzone|utc\s*offset|\btz\b)[^A-Za-z0-9+-]*(.{1,40})", re.IGNORECASE
)
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])\s*(\d{1,2})(?::?(\d{2}))?")
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class RawStamp:
    """A date and time before the order of its parts is known."""

    parts: tuple[int, int, int]
    clock: tuple[int, int, int, int]
    zone: timezone | None
    year_first: bool
    named: bool


def parse(text: str) -> RawStamp | datetime | None:
    """Take a date and time apart; a full instant where the text is an epoch number."""
    text = text.strip().strip("\"'")
    if _EPOCH.fullmatch(text):
        number = float(text)
        return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    clock = _CLOCK.search(text)
    day = _DATE.search(text)
    named = _NAMED.search(text) if day is None else None
    if clock is None or (day is None and named is None):
        return None
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if clock[5]:
        hour = hour % 12 + (12 if clock[5] in "Pp" else 0)
    micro = int(((clock[4] or "") + "000000")[:6])
    zone = _zone(text[clock.end() :])
    if named is not None:
        month = _MONTHS.get(named[1][:3].lower())
        return (
            RawStamp(
                (int(named[3]), month, int(named[2])),
                (hour, minute, second, micro),
                zone,
                True,
                True,
            )
            if month
            else None
        )
    assert day is not None
    first, middle, last = day.groups()
    if not middle.isdigit():
        month = _MONTHS.get(middle[:3].lower())
        if month is None:
            return None
        year, of_month = (int(first), int(last)) if len(first) == 4 else (_year(last), int(first))
        return RawStamp((year, month, of_month), (hour, minute, second, micro), zone, True, True)
    if len(first) == 4:
        parts = (int(first), int(middle), int(last))
        return RawStamp(parts, (hour, minute, second, micro), zone, True, False)
    if len(last) not in (2, 4):
        return None
    return RawStamp(
        (int(first), int(middle), _year(last)), (hour, minute, second, micro), zone, False, False
    )


def orders(stamps: Sequence[RawStamp], separator: str) -> list[str]:
    """Give the orders of day and month that fit every stamp: `ymd`, `dmy`, `mdy`."""
    if all(stamp.year_first for stamp in stamps):
        return ["ymd"]
    fitting = [
        order
        for order in ("dmy", "mdy")
        if all(stamp.year_first or settle(stamp, order) is not None for stamp in stamps)
    ]
    if separator == "." and "dmy" in fitting:
        return ["dmy"]  # day.month.year is the only order written with points
    if len(fitting) < 2:
        return fitting
    # Both fit: a logger writes at a steady rate, so the order that jumps about is wrong.
    spread = {order: _spread([settle(stamp, order) for stamp in stamps]) for order in fitting}
    if spread["dmy"] * 4 < spread["mdy"]:
        return ["dmy"]
    if spread["mdy"] * 4 < spread["dmy"]:
        return ["mdy"]
    return fitting


def settle(stamp: RawStamp, order: str) -> datetime | None:
    """Give the date and time of a stamp read in an order; None when there is no such day."""
    a, b, c = stamp.parts
    year, month, day = (a, b, c) if stamp.year_first else (c, b, a) if order == "dmy" else (c, a, b)
    hour, minute, second, micro = stamp.clock
    try:
        return datetime(year, month, day, hour, minute, second, micro, tzinfo=stamp.zone)
    except ValueError:
        return None


def stated_zone(lines: Sequence[str]) -> timezone | None:
    """Give the time zone that the head of a file states as an offset."""
    for line in lines:
        if match := _STATED.search(line):
            rest = match[1]
            if offset := _OFFSET.search(rest):
                return _of(offset[1], offset[2], offset[3])
            if re.match(r"\s*(UTC|GMT|Z)\b", rest, re.IGNORECASE):
                return UTC
        if match := re.search(r"\((?:UTC|GMT)\s*([+-]\d{1,2}(?::?\d{2})?)?\)", line):
            offset = _OFFSET.search(match[1] or "")
            return _of(offset[1], offset[2], offset[3]) if offset else UTC
        if re.search(r"\b(?:UTC|GMT)\b(?!\s*[+-])", line) and re.search(
            r"time|date|zeit", line, re.IGNORECASE
        ):
            return UTC
    return None


def _zone(tail: str) -> timezone | None:
    match = _ZONE.search(" " + tail)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[2]:
        return UTC
    offset = _OFFSET.search(match[2])
    return _of(offset[1], offset[2], offset[3]) if offset else None


def _of(sign: str, hours: str, minutes: str | None) -> timezone | None:
    total = int(hours) * 60 + int(minutes or 0)
    return timezone(timedelta(minutes=-total if sign == "-" else total)) if total <= 840 else None


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _spread(times: Sequence[datetime | None]) -> float:
    known = [time for time in times if time is not None]
    if len(known) < 2:
        return 0.0
    return sum(abs((b - a).total_seconds()) for a, b in pairwise(known)) / (len(known) - 1)
