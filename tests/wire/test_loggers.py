"""Logger files of many makers' shapes; what a file leaves open is said, not guessed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.wire.loggers import read_bytes

START = datetime(2026, 3, 14, 8, 0)
VALUES = [4.5, 5.0, 9.25, 12.5, 7.0]


def rows(form, separator, decimal=".", step=15):
    return "\n".join(
        (START + timedelta(minutes=step * n)).strftime(form).replace("|", separator)
        + separator
        + f"{value:.2f}".replace(".", decimal)
        for n, value in enumerate(VALUES)
    )


DIALECTS = {
    "iso with zone": "timestamp,temperature_c\n" + rows("%Y-%m-%dT%H:%M:%SZ", ","),
    "german": "Seriennummer;123456\nZeitzone;UTC+1\nDatum;Uhrzeit;Temperatur [°C]\n"
    + rows("%d.%m.%Y|%H:%M:%S", ";", ","),
    "american with am and pm": "Device: 77\nDate/Time,Temperature (°C)\n"
    + rows("%m/%d/%Y %I:%M:%S %p", ","),
    "british": "Reading,Date Time,Temp °C\n"
    + "\n".join(
        f"{n},{START + timedelta(minutes=15 * n - 15):%d/%m/%Y %H:%M},{value}"
        for n, value in enumerate(VALUES, 1)
    ),
    "tabs": "Logger X\nStart time: 2026-03-14 08:00\n\nDate\tTime\tProbe (°C)\tHumidity (%RH)\n"
    + "\n".join(
        f"{START + timedelta(minutes=15 * n):%Y-%m-%d\t%H:%M:%S}\t{value}\t40.1"
        for n, value in enumerate(VALUES)
    ),
    "quoted": '"No.","Time (UTC)","Temperature °C"\n'
    + "\n".join(
        f'"{n}","{START + timedelta(minutes=15 * n - 15):%d-%b-%Y %H:%M:%S}","{value}"'
        for n, value in enumerate(VALUES, 1)
    ),
    "blanks": "# record\n#   date      time      temp_C\n"
    + "\n".join(
        f"{START + timedelta(minutes=15 * n):%Y-%m-%d  %H:%M:%S}  {value}"
        for n, value in enumerate(VALUES)
    ),
    "epoch": "unix_time,temp (C)\n"
    + "\n".join(
        f"{int((START.replace(tzinfo=UTC) + timedelta(minutes=15 * n)).timestamp())},{value}"
        for n, value in enumerate(VALUES)
    ),
    "unit in the value": "Time;Value\n"
    + "\n".join(
        f"{START + timedelta(minutes=15 * n):%Y/%m/%d %H:%M:%S};{value} °C"
        for n, value in enumerate(VALUES)
    ),
    "newest first": "time,temp_c\n" + "\n".join(rows("%Y-%m-%d %H:%M:%S", ",").splitlines()[::-1]),
}


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_a_dialect_is_detected(name, encoding):
    record = read_bytes(DIALECTS[name].encode(encoding), f"{name}.csv")

    assert [reading.celsius for reading in record.readings] == VALUES
    assert record.readings[0].at.replace(tzinfo=None) == START
    assert record.readings[1].at - record.readings[0].at == timedelta(minutes=15)
    assert record.unit_stated


def test_a_stated_zone_is_kept_and_a_missing_one_is_said():
    german = read_bytes(DIALECTS["german"].encode(), "a.csv")
    american = read_bytes(DIALECTS["american with am and pm"].encode(), "b.csv")

    assert german.readings[0].at == START.replace(tzinfo=timezone(timedelta(hours=1)))
    assert not german.problems
    assert [problem.code for problem in american.problems] == ["time-zone-unknown"]
    assert american.readings[0].at.tzinfo is None


def test_fahrenheit_and_kelvin_are_converted():
    for text, celsius in (("Temp (°F)", 5.0), ("Temperature [K]", -232.15)):
        record = read_bytes(f"time,{text}\n2026-03-14 08:00:00,41.0\n".encode(), "a.csv")
        assert record.readings[0].celsius == pytest.approx(celsius)


def test_dates_that_can_be_read_two_ways_are_refused():
    text = "time,temp_c\n03/04/2026 08:00,5\n"

    with pytest.raises(Refused) as refusal:
        read_bytes(text.encode(), "a.csv")
    assert refusal.value.code == "date-order-ambiguous"
    assert read_bytes(text.encode(), "a.csv", order="dmy").readings[0].at.month == 4


def test_a_steady_rate_settles_the_order_of_day_and_month():
    text = "time,temp_c\n" + "\n".join(f"03/{day:02d}/2026 00:00,5" for day in range(1, 11))

    record = read_bytes(text.encode(), "a.csv")

    assert record.dialect["date_order"] == "mdy"


def test_two_probes_are_never_guessed():
    text = "time,Temp 1 (°C),Temp 2 (°C)\n2026-03-14 08:00:00,5,6\n"

    with pytest.raises(Refused) as refusal:
        read_bytes(text.encode(), "a.csv")
    assert refusal.value.code == "channel-ambiguous"
    assert read_bytes(text.encode(), "a.csv", channel="Temp 2 (°C)").readings[0].celsius == 6


def test_the_product_probe_is_taken_before_the_ambient_one():
    text = "time,Ambient Temp (°C),Probe Temp (°C)\n2026-03-14 08:00:00Z,21,-180\n"

    assert read_bytes(text.encode(), "a.csv").readings[0].celsius == -180


def test_a_lost_sensor_is_no_temperature():
    text = (
        "time,temp_c\n2026-03-14 08:00:00Z,5\n2026-03-14 08:15:00Z,-999\n2026-03-14 08:30:00Z,ERR"
    )

    assert [r.celsius for r in read_bytes(text.encode(), "a.csv").readings] == [5, None, None]


def test_an_unreadable_row_is_named_by_its_line_and_does_not_stop_the_others():
    text = "time,temp_c\n2026-03-14 08:00:00Z,5\n2026-03-14 08:15:00Z,5x7\n2026-03-14 08:30:00Z,6"

    record = read_bytes(text.encode(), "a.csv")

    assert len(record.readings) == 3
    assert [(p.code, p.line) for p in record.problems] == [("row-unreadable", 3)]


def test_a_clock_that_goes_back_is_said():
    text = "time,temp_c\n" + "\n".join(
        f"2026-10-25 {clock},5" for clock in ("01:00", "01:30", "02:00", "02:30", "02:00", "02:30")
    )

    codes = [problem.code for problem in read_bytes(text.encode(), "a.csv").problems]

    assert codes == ["clock-went-back", "time-zone-unknown"]


@pytest.mark.req("U33")
@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_file_is_a_surprise(data):
    try:
        assert read_bytes(data, "a.csv").readings
    except Refused as refusal:
        assert refusal.problem.remedy


@pytest.mark.shared
def test_a_weather_record_without_a_unit_says_so(shared_data):
    record = read_bytes((shared_data / "logistics" / "sf-temps.csv").read_bytes(), "sf.csv")

    assert len(record.readings) > 8000
    assert not record.unit_stated
    assert record.zone is None
