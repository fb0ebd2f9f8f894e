"""A logger's file to its readings: the dialect is detected, and what is not stated is said."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

from anlage.base import Problem, Refused
from anlage.custody import Reading

from .stamp import RawStamp, orders, parse, settle, stated_zone

RULE = "Anlage loggers"
_BYTES_MAX = 64_000_000
_ROWS_MAX = 2_000_000
_HEAD_MAX = 200
_LISTED_MAX = 20
_DELIMITERS = ("\t", ";", ",", "|")
_NUMBER = re.compile(
    r"\s*([+-−]?\s*\d+(?:[.,]\d+)?|[+-−]?[.,]\d+)\s*(°?\s*[CFK]|deg\s*[CFK])?\s*", re.I
)
_UNIT = re.compile(
    r"°\s*([CFK])\b|\bdeg\.?\s*([CFK])\b|\bCel(sius)\b|\bFahren(heit)\b|\bKel(vin)\b"
    r"|[\[(_\s]([CFK])[\])]?\s*$|℃()|℉()",
    re.I,
)
_TEMPERATURE = re.compile(r"temp|\bt\d?\b|°|℃|℉|probe|sensor|channel|\bch\s*\d|\bcelsius", re.I)
_OTHER = re.compile(
    r"hum|\brh\b|%|feucht|batt|alarm|event|dew|taupunkt|press|light|lux|shock|tilt|\bno\.?$|index"
    r"|serial|latitude|longitude|limit|comment|\bid\b|min\b|max\b",
    re.I,
)
_OUTSIDE = re.compile(r"ambient|room|outside|außen|aussen|environment|extern.*air", re.I)
_TIME_WORD = re.compile(r"date|time|stamp|zeit|datum|uhr", re.I)
_LOST = re.compile(
    r"^\s*(|-+|n/?a|nan|null|none|err(or)?|open|fault|fail|short|lost|no\s*sensor|\*+|#+.*|overrange"
    r"|underrange|-999(\.\d+)?|-9999|999(\.9+)?|85535|-?3276[78](\.\d+)?)\s*$",
    re.I,
)
_ABSOLUTE_ZERO, _HOTTEST = -273.15, 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a logger's file holds.

    Attributes:
        readings: In the order of the file; times aware where a zone is stated, else naive.
        channel: The column that was read.
        unit: Unit of the file: C, F or K; readings are in degC.
        unit_stated: False when the file does not say its unit.
        zone: The time zone in words; None when the file does not say it.
        dialect: What was detected, for the person who checks it.
        problems: What could not be read or is not stated.
    """

    readings: tuple[Reading, ...]
    channel: str
    unit: str
    unit_stated: bool
    zone: str | None
    dialect: dict[str, str]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows of a file with the names of their columns."""

    delimiter: str
    head: list[str]
    names: list[str]
    rows: list[tuple[int, list[str]]]


def read_file(path: Path, **choices: str | None) -> Record:
    """Read a logger's file; choices as for `read_bytes`.

    Raises:
        Refused: No such file, no readings, or something that the file leaves open.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _refuse(
            "file-missing", f"logger file {path}", error.strerror or "unreadable", "a file"
        ) from error
    return read_bytes(data, path.name, **choices)


def read_bytes(
    data: bytes,
    name: str,
    *,
    channel: str | None = None,
    unit: str | None = None,
    order: str | None = None,
    zone: str | None = None,
) -> Record:
    """Read the bytes of a logger's file.

    Args:
        data: CSV or text, in UTF-8, UTF-16 or Latin-1.
        name: For messages.
        channel: Name of the column to read, where there are several temperatures.
        unit: C, F or K, where the file does not say.
        order: `dmy` or `mdy`, where the dates leave it open.
        zone: Offset such as `+01:00`, where the file does not say.

    Raises:
        Refused: No readings, or something that the file leaves open and that changes the result.
    """
    if len(data) > _BYTES_MAX:
        raise _refuse("file-too-large", f"logger file {name}", f"{len(data)} bytes", "64 MB")
    table = _table(_text(data), name)
    times = _time_columns(table, name)
    column = _temperature_column(table, times, channel, name)
    separator, stamps = _stamps(table, times, name)
    chosen = _order(stamps, separator, order, name)
    known_unit = _unit_of(table, column)
    kept_unit = (unit or known_unit or "C").upper()[:1]
    stated = stated_zone([*table.head, *table.names])
    if stated is None and zone:
        stated = stated_zone([f"time zone: {zone}"])
    problems: list[Problem] = []
    readings: list[Reading] = []
    zoned = False
    for (line, row), raw in zip(table.rows, stamps, strict=True):
        at = settle(raw, chosen) if isinstance(raw, RawStamp) else raw
        cell = row[column] if column < len(row) else ""
        if at is None:
            problems.append(
                _row(name, line, "time", " ".join(row[i] for i in times if i < len(row)))
            )
            continue
        zoned = zoned or at.tzinfo is not None
        if at.tzinfo is None and stated is not None:
            at = at.replace(tzinfo=stated)
        celsius, fault = _celsius(cell, kept_unit)
        if fault:
            problems.append(_row(name, line, "temperature", cell))
        readings.append(Reading(at, celsius))
    readings, more = _straighten(readings, name)
    if not any(reading.celsius is not None for reading in readings):
        raise _refuse(
            "no-readings", f"logger file {name}", f"{len(table.rows)} rows, no reading", "readings"
        )
    is_zoned = zoned or stated is not None
    words = _zone_words(readings, is_zoned)
    problems = [*_listed(problems, name), *more]
    if not is_zoned:
        problems.append(_no_zone(name))
    return Record(
        readings=tuple(readings),
        channel=table.names[column] if column < len(table.names) else f"column {column + 1}",
        unit=kept_unit,
        unit_stated=bool(unit or known_unit),
        zone=words,
        dialect={
            "delimiter": {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}.get(
                table.delimiter, "blanks"
            ),
            "date_order": chosen,
            "decimal": "comma" if _has_decimal_comma(table, column) else "point",
            "columns": ", ".join(table.names),
        },
        problems=tuple(problems),
    )


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _table(text: str, name: str) -> _Table:
    lines = text.splitlines()[:_ROWS_MAX]
    dated = [number for number, line in enumerate(lines) if _is_row(line)]
    if not dated:
        raise _refuse(
            "no-readings",
            f"logger file {name}",
            f"{len(lines)} lines, none with a date, a time and a number",
            "rows with date, time and temperature",
        )
    first = dated[0]
    sample = [lines[number] for number in dated[:50]]
    delimiter = _delimiter(sample)
    head = lines[max(0, first - _HEAD_MAX) : first]
    rows = [(number + 1, _cells(lines[number], delimiter)) for number in dated]
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    names = next(
        (
            [cell.strip() for cell in cells]
            for line in reversed(head)
            if len(cells := _cells(line, delimiter)) >= 2
            and abs(len(cells) - width) <= 1
            and any(_TIME_WORD.search(cell) or _TEMPERATURE.search(cell) for cell in cells)
        ),
        [f"column {number + 1}" for number in range(width)],
    )
    return _Table(delimiter, head, names, rows)


def _is_row(line: str) -> bool:
    if not any(character.isdigit() for character in line) or len(line) > 2000:
        return False
    found = parse(line)
    if isinstance(found, RawStamp):
        return len(re.findall(r"\d", line)) >= 8 and line[:1] not in "#%" and _starts_dated(line)
    return bool(re.match(r"\s*\"?1\d{9}(\d{3})?\"?\s*[,;\t|]", line))


def _starts_dated(line: str) -> bool:
    """A row of data has its date in one of its first cells, after no words of a heading."""
    head = re.split(r"[,;\t|]", line)[:4]
    return not any(re.search(r"[A-Za-z]{4,}\s*:", cell) for cell in head) and not re.match(
        r"\s*(start|stop|end|first|last|report|print|created|download|export|record)",
        line,
        re.I,
    )


def _delimiter(sample: list[str]) -> str:
    for delimiter in _DELIMITERS:
        counts = {line.count(delimiter) for line in sample}
        steady = Counter(line.count(delimiter) for line in sample).most_common(1)[0]
        if steady[0] and steady[1] >= len(sample) * 0.9:
            if delimiter == "," and max(counts) == 1 and ";" in sample[0]:
                continue
            return delimiter
    return " "


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return re.split(r"\s{2,}|\s(?=[+-]?\d)|(?<=\d)\s", line.strip())
    if '"' in line:
        import csv

        return next(csv.reader([line], delimiter=delimiter))
    return line.split(delimiter)


def _time_columns(table: _Table, name: str) -> list[int]:
    """Give the one column that holds date and time, or the two that do together."""
    _, row = table.rows[0]
    for place, cell in enumerate(row):
        if parse(cell) is not None:
            return [place]
    for place in range(len(row) - 1):
        for other in range(len(row)):
            if other != place and parse(f"{row[place]} {row[other]}") is not None:
                return [place, other]
    raise _refuse(
        "time-column-missing",
        f"logger file {name}",
        " | ".join(row),
        "a column with date and time, or one of each",
    )


def _temperature_column(table: _Table, times: list[int], channel: str | None, name: str) -> int:
    _, row = table.rows[0]
    candidates = [
        place for place in range(len(row)) if place not in times and _looks_numeric(table, place)
    ]
    if channel is not None:
        named = [
            place
            for place in range(len(table.names))
            if table.names[place].strip().lower() == channel.strip().lower()
        ]
        if named:
            return named[0]
        raise _refuse(
            "channel-missing", f"channel {channel} of {name}", "none of that name",
            ", ".join(table.names),
        )  # fmt: skip
    headed = not table.names[0].startswith("column ")

    def label(place: int) -> str:
        return table.names[place] if place < len(table.names) else ""

    warm = [p for p in candidates if _TEMPERATURE.search(label(p)) and not _OTHER.search(label(p))]
    if not headed and len(candidates) == 1:
        warm = candidates
    if not warm:
        warm = [p for p in candidates if not _OTHER.search(label(p))]
    if len(warm) > 1:
        units = [p for p in warm if _UNIT.search(label(p)) or re.search("temp", label(p), re.I)]
        inside = [p for p in (units or warm) if not _OUTSIDE.search(label(p))]
        warm = inside if inside else warm
    if len(warm) == 1:
        return warm[0]
    raise _refuse(
        "channel-ambiguous" if warm else "temperature-missing",
        f"temperature column of {name}",
        ", ".join(label(p) or f"column {p + 1}" for p in warm) or "no column with numbers",
        "one temperature",
        "name the column of the product's probe with --channel",
    )


def _looks_numeric(table: _Table, place: int) -> bool:
    cells = [row[place] for _, row in table.rows[:200] if place < len(row)]
    numbers = sum(1 for cell in cells if _NUMBER.fullmatch(cell))
    lost = sum(1 for cell in cells if _LOST.match(cell))
    return numbers > 0 and numbers + lost >= len(cells) * 0.6


def _stamps(table: _Table, times: list[int], name: str) -> tuple[str, list[RawStamp | datetime]]:
    found: list[RawStamp | datetime] = []
    separator = ""
    impossible = RawStamp((0, 0, 0), (0, 0, 0, 0), None, True, False)
    for _, row in table.rows:
        text = " ".join(row[place] for place in times if place < len(row))
        stamp = parse(text)
        if not separator and (match := re.search(r"\d([./-])\d", text)):
            separator = match[1]
        found.append(stamp if stamp is not None else impossible)
    del name
    return separator, found


def _order(stamps: list[RawStamp | datetime], separator: str, order: str | None, name: str) -> str:
    raw = [s for s in stamps if isinstance(s, RawStamp) and s.parts != (0, 0, 0)]
    if not raw:
        return "ymd"
    fitting = orders(raw, separator)
    if order in ("dmy", "mdy") and fitting != ["ymd"]:
        return order
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:  # single rows are wrong; take the order that reads most of them
        return max(("dmy", "mdy"), key=lambda o: sum(settle(s, o) is not None for s in raw))
    a, b, c = raw[0].parts
    raise _refuse(
        "date-order-ambiguous",
        f"dates of {name}",
        f"{a:02d}{separator}{b:02d}{separator}{c}, which may be day or month first",
        "dates that can be read one way",
        "say which with --date-order dmy or mdy",
    )


def _unit_of(table: _Table, column: int) -> str | None:
    """Give C, F or K as the column's name, its values or the head of the file say."""
    name = table.names[column] if column < len(table.names) else ""
    cells = " ".join(row[column] for _, row in table.rows[:3] if column < len(row))
    for text in (name, cells):
        if found := _unit_in(text):
            return found
    for line in table.head:
        if re.search(r"temp|unit|einheit", line, re.I) and (found := _unit_in(line)):
            return found
    return None


def _unit_in(text: str) -> str | None:
    match = _UNIT.search(text.strip())
    if match is None:
        return None
    if "℃" in match[0] or "sius" in match[0].lower():
        return "C"
    if "℉" in match[0] or "heit" in match[0].lower():
        return "F"
    if "vin" in match[0].lower():
        return "K"
    return next(group for group in match.groups() if group).upper()


def _celsius(cell: str, unit: str) -> tuple[float | None, bool]:
    """Give the temperature, None when the sensor gave none, and whether the cell is unreadable."""
    if _LOST.match(cell):
        return None, False
    match = _NUMBER.fullmatch(cell.strip())
    if match is None:
        return None, True
    number = float(re.sub(r"\s", "", match[1]).replace("−", "-").replace(",", "."))
    own = (match[2] or unit).strip().upper()[-1]
    celsius = (number - 32) / 1.8 if own == "F" else number - 273.15 if own == "K" else number
    if not _ABSOLUTE_ZERO <= celsius <= _HOTTEST:
        return None, False  # no sensor measures this: it is the logger's sign for a lost probe
    return round(celsius, 4), False


def _straighten(readings: list[Reading], name: str) -> tuple[list[Reading], list[Problem]]:
    """Give the readings oldest first, and say where time runs back."""
    if len(readings) > 1:
        later = sum(b.at > a.at for a, b in pairwise(readings))
        earlier = sum(b.at < a.at for a, b in pairwise(readings))
        if earlier > later:
            readings = readings[::-1]
    back = [(a.at, b.at) for a, b in pairwise(readings) if b.at < a.at]
    if not back:
        return readings, []
    problem = Problem(
        code="clock-went-back",
        what=f"times in {name}",
        found=f"{back[0][1].isoformat()} after {back[0][0].isoformat()}, {len(back)} times",
        limit="times that only go forward",
        remedy="find out whether summer time ended or the clock was set; judge with UTC times",
        rule=RULE,
        path=name,
    )
    return readings, [problem]


def _has_decimal_comma(table: _Table, column: int) -> bool:
    cells = (row[column] for _, row in table.rows[:50] if column < len(row))
    return any("," in cell for cell in cells)


def _zone_words(readings: list[Reading], is_zoned: bool) -> str | None:
    if not is_zoned or not readings:
        return None
    zone = readings[0].at.tzinfo
    return "UTC" if zone is None or zone == timezone.utc else str(zone)  # noqa: UP017


def _no_zone(name: str) -> Problem:
    return Problem(
        code="time-zone-unknown",
        what=f"times in {name}",
        found="times without a zone",
        limit="a zone in the times or in the head of the file",
        remedy="times are shown as the logger wrote them; state the zone with --time-zone +01:00",
        rule=RULE,
        path=name,
    )


def _row(name: str, line: int, what: str, found: str) -> Problem:
    return Problem(
        code="row-unreadable",
        what=f"{what} in row",
        found=found[:60] or "nothing",
        limit="a date and time" if what == "time" else "a number",
        remedy="the row is left out; read the logger out again if it matters",
        rule=RULE,
        path=name,
        line=line,
    )


def _listed(problems: list[Problem], name: str) -> list[Problem]:
    if len(problems) <= _LISTED_MAX:
        return problems
    rest = Problem(
        code="row-unreadable",
        what=f"rows of {name}",
        found=f"{len(problems)} rows that cannot be read",
        limit="readable rows",
        remedy="read the logger out again",
        rule=RULE,
        path=name,
    )
    return [*problems[:_LISTED_MAX], rest]


def _refuse(code: str, what: str, found: str, limit: str, remedy: str = "") -> Refused:
    return Refused(
        code,
        what=what,
        found=found[:120],
        limit=limit,
        remedy=remedy or "export the record again as CSV with its headings",
        rule=RULE,
    )
