"""Learning from tables: known truths are found, promises are kept, bad rows are named."""

import datetime
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from anlage.base import Refused
from anlage.cli import main
from anlage.network.learning import fit_demand, learn, promise, read_table


def a_csv(counts_of):
    first = datetime.date(2024, 1, 1)
    rows = ["clinic,date,count"]
    for name, counts in counts_of.items():
        for week, count in enumerate(counts):
            rows.append(f"{name},{first + datetime.timedelta(weeks=week)},{count}")
    return "\n".join(rows)


def steady(seed, clinics=8, weeks=60):
    chance = np.random.default_rng(seed)
    rates = chance.gamma(3.0, 0.4, clinics)
    return {f"c{i}": chance.poisson(rate, weeks) for i, rate in enumerate(rates)}


def test_forecasts_beat_the_naive_and_cover_what_they_say():
    found = learn(read_table(a_csv(steady(1))))["demand"]

    assert found["scores"]["ratio"] < 0.9
    assert 0.75 <= found["scores"]["covered"] <= 0.97
    assert not any(row["drift"] for row in found["clinics"].values())


def test_the_randomised_rank_of_what_came_is_inside_as_often_as_the_interval_says():
    found = learn(read_table(a_csv(steady(3, clinics=20, weeks=104))))["demand"]["scores"]

    assert found["weeks_scored"] == 20 * 26
    assert found["covered_by_rank"] == pytest.approx(0.8, abs=0.05)


def test_a_clinic_with_little_history_borrows_from_the_others():
    counts = steady(2)
    counts["new"] = [0] * 59 + [9]
    text = a_csv(counts).replace("\nnew,", "\n#,", 59).replace("#,", "old,")

    found = learn(read_table(text))["demand"]["clinics"]

    assert found["new"]["weeks"] == 1
    assert found["new"]["rate_per_week"] < 9


def test_a_rate_that_trebled_is_seen_as_drift_and_followed():
    counts = steady(3)
    chance = np.random.default_rng(9)
    counts["moved"] = np.concatenate([chance.poisson(1, 50), chance.poisson(4, 10)])

    row = learn(read_table(a_csv(counts)))["demand"]["clinics"]["moved"]

    assert row["drift"]
    assert row["rate_per_week"] > counts["moved"].mean()


def test_the_shared_prior_has_the_mean_of_the_rates():
    fitted = fit_demand([one.astype(float) for one in steady(4, clinics=30).values()])

    assert 0.8 < fitted.shape / fitted.weeks < 1.7


@pytest.mark.parametrize("confidence", [0.8, 0.9])
def test_a_promise_is_kept_as_often_as_it_says(confidence):
    chance = np.random.default_rng(5)
    drawn = chance.lognormal(3, 0.4, (4000, 40))

    kept = [promise(row[:-1], confidence) >= row[-1] for row in drawn]

    assert np.mean(kept) == pytest.approx(confidence, abs=0.02)


def test_too_few_times_promise_nothing():
    assert promise(np.array([1.0, 2.0]), 0.9) is None


def test_times_are_fitted_as_a_network_file_takes_them():
    days = np.random.default_rng(6).lognormal(np.log(20), 0.3, 400)
    text = "stage,days\n" + "\n".join(f"make,{day}" for day in days)

    row = learn(read_table(text))["times"]["make"]

    assert not row["drift"]
    fit = row["fit"].get("lognormal")
    assert fit["sigma"] == pytest.approx(0.3, abs=0.04)
    assert float(fit["median"].split()[0]) == pytest.approx(20, rel=0.05)


def test_promises_follow_times_that_grew():
    chance = np.random.default_rng(7)
    days = np.concatenate([chance.normal(20, 2, 60), chance.normal(30, 2, 60)])
    text = "stage,days\n" + "\n".join(f"make,{day}" for day in days)

    row = learn(read_table(text))["times"]["make"]

    assert row["drift"]
    assert row["promise_days"]["0.9"] > 31


def test_start_and_end_give_the_time_between():
    text = "stage,start,end\nship,2026-01-01T08:00,2026-01-02T20:00\n"

    assert read_table(text).times["ship"].tolist() == [1.5]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "clinic,date\nx,yesterday\n",
        "clinic,date,count\nx,2026-01-01,-3\n",
        "clinic,date,count\nx,2026-01-01,1.5\n",
        "stage,days\nx,nan\n",
        "stage,start,end\nx,2026-02-01,2026-01-01\n",
        "clinic,date\nx,0001-01-01\nx,2026-01-01\n",
        "clinic,date\n",
    ],
)
def test_a_bad_table_is_refused_with_a_remedy(text):
    with pytest.raises(Refused) as refusal:
        read_table(text, path="t.csv")

    assert refusal.value.problem.remedy
    assert refusal.value.problem.path == "t.csv"


@settings(max_examples=60, deadline=None)
@given(text=some.text(max_size=120))
def test_no_text_makes_the_reader_fall(text):
    for hostile in (text, "clinic,date\n" + text, "stage,days\n" + text):
        try:
            read_table(hostile)
        except Refused as refusal:
            assert refusal.problem.remedy


def test_the_command_prints_what_was_learnt(tmp_path, capsys):
    path = tmp_path / "demand.csv"
    path.write_text(a_csv(steady(8, clinics=2, weeks=30)))

    assert main(["network", "learn", str(path), "--json"]) == 0
    assert "forecast" in json.loads(capsys.readouterr().out)["demand"]["clinics"]["c0"]
