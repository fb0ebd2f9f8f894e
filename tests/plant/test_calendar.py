"""A lot on the calendar: working hours, weekends and holidays are honoured, windows are kept."""

import json
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.cli import main
from anlage.library import read_yaml
from anlage.plant import Recipe, WorkingHours, better_begins, plan_lot

STARTERS = resources.files("anlage.library") / "data" / "recipes"
BERLIN = ZoneInfo("Europe/Berlin")


def a_recipe(name="cd19-car-t"):
    return Recipe.read(read_yaml((STARTERS / f"{name}.yaml").read_bytes()).content)


def test_a_car_t_lot_takes_nine_to_twelve_days():
    plan = plan_lot(a_recipe(), datetime(2026, 3, 3, 6, tzinfo=UTC), WorkingHours(zone=BERLIN))

    assert 9 <= (plan.ends - plan.begins).days <= 12
    assert plan.conflicts == ()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 400), st.sampled_from(["cd19-car-t", "msc-microcarrier", "ipsc-bank"]))
def test_no_window_is_broken_without_being_named(days, name):
    recipe = a_recipe(name)
    plan = plan_lot(
        recipe, datetime(2026, 1, 1, 7, tzinfo=UTC) + timedelta(days=days), WorkingHours()
    )

    done = {}
    broken = 0
    for one in plan.touch_points:
        for window in one.phase.windows:
            since = done.get(window.after)
            if since is not None and window.latest is not None:
                base = since.starts if window.since == "started" else since.ends
                broken += one.starts > base + window.latest
            if since is not None and window.earliest is not None:
                assert one.starts >= since.ends + window.earliest
        done[one.phase.id] = one
    assert broken == len(plan.conflicts)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 400))
def test_a_step_outside_working_hours_is_marked_as_duty(days):
    hours = WorkingHours(zone=BERLIN, holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6)}))
    plan = plan_lot(a_recipe(), datetime(2026, 1, 1, 7, tzinfo=UTC) + timedelta(days=days), hours)

    for one in plan.touch_points:
        local = one.starts.astimezone(BERLIN)
        off = local.weekday() >= 5 or local.date() in hours.holidays
        if one.is_attended and off:
            assert one.is_duty


def test_a_wait_is_stretched_over_the_weekend_within_its_maximum():
    plan = plan_lot(a_recipe(), datetime(2026, 3, 3, 6, tzinfo=UTC), WorkingHours(zone=BERLIN))

    waits = [one for one in plan.touch_points if one.phase.id == "grow"]
    assert all(one.phase.minimum <= one.ends - one.starts <= one.phase.maximum for one in waits)
    assert not [one for one in plan.duties if one.starts.astimezone(BERLIN).weekday() >= 5]


def test_a_better_day_to_begin_is_offered():
    options = better_begins(a_recipe(), datetime(2026, 3, 3, 6, tzinfo=UTC), WorkingHours())

    assert len(options) == 7


@pytest.mark.req("P02")
def test_the_command_puts_every_step_on_the_calendar(capsys):
    code = main(["plan", "lot", "cd19-car-t", "--collect", "2026-03-03", "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert code == 0
    assert answer["touch_points"][0]["step"] == "receipt-identity"
    assert answer["touch_points"][-1]["step"] == "store"
    assert "grow:4" in {one["step"] for one in answer["touch_points"]}


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing", "--collect", "2026-03-03"],
        ["cd19-car-t", "--collect", "soon"],
        ["cd19-car-t", "--collect", "2026-03-03", "--zone", "Mars/Base"],
        ["cd19-car-t", "--collect", "2026-03-03", "--hours", "19:00-07:00"],
        ["cd19-car-t", "--collect", "2026-03-03", "--holiday", "x"],
    ],
)
def test_an_option_that_cannot_be_read_is_refused(arguments, capsys):
    assert main(["plan", "lot", *arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["refused"]["remedy"]
