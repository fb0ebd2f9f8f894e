"""What facts teach: times, promises made anew at each event, and parameters written into a file."""

import datetime
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from anlage.base import Refused
from anlage.cli.shell import main
from anlage.custody import Happening
from anlage.network import read
from anlage.network.learning import Promises, learn, promises_of, table_of, written_into
from anlage.network.simulate import facts_of, outcome_of, run, settings_for

EXAMPLES = Path(__file__).parents[2] / "examples" / "networks"
START = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def facts():
    network = read((EXAMPLES / "regional.yaml").read_text("utf-8"))
    how = settings_for(network, years=2, warmup_years=0.0, replications=1)
    rows = facts_of(run(network, replace(how, trace_max=200_000))).to_pylist()
    return [
        Happening(
            stream=row["stream"],
            kind=row["kind"],
            happened=row["happened"],
            body=orjson.loads(row["body"]),
            site=row["site"],
        )
        for row in rows
    ]


@pytest.fixture(scope="module")
def learnt(facts):
    return learn(table_of(facts))


def test_times_of_steps_are_those_of_the_file(learnt):
    # culture: {triangular: [6 days, 7 days, 9 days]}; sterility: {uniform: [6 days, 8 days]}
    assert learnt["times"]["culture"]["mean_days"] == pytest.approx(22 / 3, rel=0.01)
    assert learnt["times"]["sterility"]["mean_days"] == pytest.approx(7, rel=0.01)


def test_demand_of_clinics_is_that_of_the_file(learnt):
    rates = [row["rate_per_week"] for row in learnt["demand"]["clinics"].values()]

    assert len(rates) == 12
    assert sum(rates) == pytest.approx(900 / 365.25 * 7, rel=0.1)


def test_promises_are_kept_as_often_as_they_say(facts):
    kept = promises_of(facts)["kept"]

    assert kept["promises"] > 2_000
    for level, share in kept["kept"].items():
        assert share > float(level) - 0.03
    assert kept["kept"]["0.5"] < 0.65


def test_a_promise_is_made_anew_at_each_event_and_comes_nearer_the_end(facts):
    promises = promises_of(facts)

    days = {name: row["promise_days"]["0.9"] for name, row in promises["events"].items()}
    order = ["product ordered", "collection performed", "culture done", "sterility done"]
    assert [days[name] for name in order] == sorted((days[name] for name in order), reverse=True)
    assert promises["under_way"]
    assert all(one["last_event"] != "infused" for one in promises["under_way"].values())


def test_a_course_that_has_waited_is_promised_later_than_one_that_has_not():
    at = [START + datetime.timedelta(days=n) for n in range(60)]
    courses = [(("ordered", at[0]), ("infused", at[n])) for n in range(1, 41)]
    promises = Promises.of(courses)
    course = (("ordered", at[0]),)

    now, later = (promises.promised(course, 0.5, at[day]) for day in (0, 30))

    assert now == at[21]
    assert later == at[36]
    assert promises.promised(course, 0.5, at[50]) is None


def test_what_was_learnt_is_written_into_a_file_and_the_rest_stays(learnt):
    text = (EXAMPLES / "regional.yaml").read_text("utf-8")

    made, changes = written_into(text, learnt)

    assert {"step culture", "clinic amsterdam", "class high_risk"} <= {one.what for one in changes}
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert [line for line in made.splitlines() if line.startswith("#")] == comments
    assert len(made.splitlines()) == len(text.splitlines())
    network = read(made)
    settings = settings_for(network, years=2, warmup_years=0.5, replications=20)
    old = outcome_of(run(read(text), settings))["vein_to_vein_days"]["mean"]
    assert outcome_of(run(network, settings))["vein_to_vein_days"]["mean"] == pytest.approx(
        old, rel=0.03
    )


def test_shares_are_written_into_clinics_of_any_shape():
    text = """network: shapes
clinics:
  a: {share: 9}
  b: {}
  c:
  d:
    country: NL
classes: {patient: {arrivals: {rate: 1 / day}}}
resources: {unit: 5}
process:
  - {name: make, use: {resource: unit, time: 1 day}}
"""
    clinics = {
        name: {"rate_per_week": rate} for name, rate in zip("abcd", (1, 2, 3, 4), strict=True)
    }
    fit = {"gamma": {"shape": 2.0, "scale": "0.5 days"}}

    made, _ = written_into(text, {"demand": {"clinics": clinics}, "times": {"make": {"fit": fit}}})

    network = read(made)
    assert [one.share for one in network.clinics] == [1, 2, 3, 4]
    assert network.classes[0].arrivals.rate_per_day == pytest.approx(10 / 7, rel=1e-3)
    assert network.process("main").steps[0].time.default.mean_days() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "network: x\nclasses: {c: {arrivals: 1 per day}}\nresources: {d: 1}\n"
            "process: [{use: {resource: d, time: 1 h}}]\n",
            "network-name-unknown",
        ),
        ("- 1\n", "network-shape-wrong"),
        ("{", "network-shape-wrong"),
    ],
)
def test_what_has_no_place_in_a_file_is_refused(text, code):
    with pytest.raises(Refused) as refused:
        written_into(text, {"times": {"culture": {"fit": {"gamma": {"shape": 2.0}}}}})

    assert refused.value.code == code


def test_the_command_learns_from_a_trace_and_writes_into_a_network(tmp_path, capsys):
    trace, copy = tmp_path / "trace.arrow", tmp_path / "network.yaml"
    source = EXAMPLES / "regional.yaml"
    copy.write_text(source.read_text("utf-8"), "utf-8")
    main(
        [
            "network",
            "simulate",
            str(source),
            "--years",
            "2",
            "--warmup",
            "0",
            "--replications",
            "1",
            "--trace",
            str(trace),
            "--json",
        ]
    )
    capsys.readouterr()

    code = main(["network", "learn", str(trace), "--into", str(copy), "--json"])

    told = orjson.loads(capsys.readouterr().out)
    assert code == 0
    assert {"demand", "times", "promises", "written"} <= told.keys()
    assert "lognormal" in copy.read_text("utf-8") or "gamma" in copy.read_text("utf-8")
    assert main(["network", "check", str(copy)]) == 0


def test_a_broken_export_is_refused_and_no_traceback(tmp_path, capsys):
    broken = tmp_path / "lot.zip"
    broken.write_bytes(b"PK\x03\x04" + np.random.default_rng(1).bytes(500))

    code = main(["network", "learn", str(broken), "--json"])

    assert code == 2
    assert "refused" in orjson.loads(capsys.readouterr().out)
