"""Drawings of what a simulation found: the numbers drawn are those found, wherever they are shown."""

import datetime
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from anlage.cli import main
from anlage.network import read
from anlage.network.figure import (
    bottleneck_figure,
    cost_figure,
    day_figure,
    day_of,
    differences_figure,
    distribution_figure,
    distribution_of,
    load_of,
    map_figure,
    outage_figure,
    scale_figure,
    spread_figure,
    utilisation_figure,
    waits_figure,
)
from anlage.network.simulate import (
    Design,
    bottleneck,
    compare,
    outcome_of,
    run,
    settings_for,
    trace_of,
    with_loss,
)

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "networks"


@pytest.fixture(scope="module")
def central():
    return read((EXAMPLES / "central.yaml").read_text())


@pytest.fixture(scope="module")
def lost(central):
    """The central network with its plant lost for ten days."""
    return with_loss(central, "central_plant", start_day=250.0, days=10.0).network


@pytest.fixture(scope="module")
def made(lost):
    settings = settings_for(lost, years=1.0, warmup_years=0.2, replications=3, seed=5)
    return run(lost, replace(settings, trace_max=200_000))


@pytest.fixture(scope="module")
def outcome(made):
    return outcome_of(made) | {"distribution": distribution_of(made)}


@pytest.fixture(scope="module")
def trace(made):
    return trace_of(made)


@pytest.fixture(scope="module")
def compared(central):
    regional = read((EXAMPLES / "regional.yaml").read_text())
    designs = [Design(name=one.name, network=one) for one in (central, regional)]
    return compare(designs, settings_for(central, years=1.0, replications=4, seed=5))


@pytest.fixture(scope="module")
def ranked(central):
    return bottleneck(central, settings_for(central, years=0.6, replications=3, seed=5))


@pytest.fixture(scope="module")
def drawings(central, lost, outcome, trace, compared, ranked):
    return [
        waits_figure(outcome),
        cost_figure({"central": outcome}),
        utilisation_figure(outcome),
        distribution_figure({"central": outcome}),
        distribution_figure({"one": outcome, "two": outcome}),
        differences_figure(compared),
        spread_figure(compared),
        scale_figure(compared),
        bottleneck_figure(ranked),
        map_figure(central),
        day_figure(lost, day_of(lost, trace)),
        outage_figure(lost, load_of(trace)),
    ]


def test_every_drawing_is_a_plotly_figure_a_picture_and_words(drawings):
    for drawing in drawings:
        figure = drawing.figure()  # Plotly refuses a property that it does not know
        picture = ElementTree.fromstring(drawing.svg())
        json.dumps(drawing.as_json(), allow_nan=False)

        assert len(figure.data) == len(drawing.data)
        assert drawing.told and drawing.title
        assert len(list(picture.iter())) > 5, drawing.name


def test_a_drawing_as_a_page_asks_no_other_host(drawings):
    text = drawings[0].html()

    asked = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']([^\"']+)", text)
    assert asked == []
    assert "Plotly.newPlot" in text


def test_waits_and_use_are_the_outcomes_own_numbers(outcome):
    [bars, marks] = waits_figure(outcome).data
    stages = {name.replace("_", " "): row for name, row in outcome["stages"].items()}
    for name, mean, ninth in zip(bars["y"], bars["x"], marks["x"], strict=True):
        assert mean == stages[name]["mean_wait_days"]
        assert ninth == stages[name]["p90_wait_days"]
    assert list(bars["x"]) == sorted(bars["x"], reverse=True)

    [used] = utilisation_figure(outcome).data
    unit = outcome["resources"]["unit@central_plant"]["utilisation"]
    assert used["x"][used["y"].index("unit · central plant")] == pytest.approx(100 * unit)


def test_classes_of_cost_add_up_to_the_cost_of_a_patient(outcome):
    drawn = sum(trace["x"][0] for trace in cost_figure({"central": outcome}).data)

    assert drawn == pytest.approx(outcome["cost_per_infused"])


def test_the_distribution_holds_everybody_and_has_the_outcomes_median(outcome):
    counted = outcome["distribution"]

    assert sum(counted["shares"]) + counted["beyond"] == pytest.approx(1)
    assert counted["beyond"] < 0.01
    within, at = 0.0, counted["from_days"]
    for share in counted["shares"]:
        if within + share >= 0.5:
            break
        within, at = within + share, at + counted["width_days"]
    assert abs(at - outcome["vein_to_vein_days"]["median"]) <= counted["width_days"] * 1.01


def test_differences_are_drawn_to_scale_with_their_intervals(compared):
    marks = differences_figure(compared).data[0]
    found = compared["differences"]["regional"]["vein_to_vein_days"]
    reach = max(abs(one) for one in found["ci95"])
    place = marks["y"].index("vein to vein")

    assert marks["x"][place] == pytest.approx(found["difference"] / reach)
    error = marks["error_x"]
    assert marks["x"][place] + error["array"][place] == pytest.approx(found["ci95"][1] / reach)
    is_sure = found["ci95"][0] > 0 or found["ci95"][1] < 0
    assert (marks["marker"]["color"][place] != "#66717a") == is_sure
    assert f"{found['difference']:+.2f} d" in marks["text"][place]


def test_designs_are_drawn_where_their_cost_and_scale_are(compared):
    [points] = scale_figure(compared).data

    for name, x, y in zip(points["text"], points["x"], points["y"], strict=True):
        assert x == compared["designs"][name]["infused_per_year"]
        assert y == compared["designs"][name]["cost_per_infused"]


def test_places_stand_where_they_are_and_land_fills_the_frame(central):
    land, _, clinics, sites = map_figure(central).data
    squeeze = clinics["x"][clinics["text"].index("amsterdam")] / 4.76

    assert clinics["y"][clinics["text"].index("amsterdam")] == pytest.approx(52.31, abs=0.05)
    assert sites["x"][0] == clinics["x"][clinics["text"].index("amsterdam")]
    rome = clinics["text"].index("rome")
    assert clinics["x"][rome] / squeeze == pytest.approx(12.25, abs=0.1)
    assert len(land["x"]) > 500
    # The middle of the Bay of Biscay has no airport, and so no land.
    wet = [
        1 for x, y in zip(land["x"], land["y"], strict=True)
        if 44.5 < y < 46.5 and -6.5 < x / squeeze < -3.5
    ]  # fmt: skip
    assert wet == []


def test_a_network_without_places_says_what_to_give():
    drawing = map_figure(read((EXAMPLES / "mm2.yaml").read_text()))

    assert "airport" in drawing.told
    assert drawing.figure().data == ()


def test_a_name_is_no_markup_in_a_drawing():
    text = (EXAMPLES / "central.yaml").read_text()
    text = text.replace("  paris:", """  '<a href="https://elsewhere">paris</a>':""")

    drawn = json.dumps(map_figure(read(text)).as_json())

    assert "paris" in drawn and "<a" not in drawn


def test_in_every_moment_of_the_day_everybody_is_somewhere_once(lost, trace):
    day = day_of(lost, trace)
    times = trace["happened_at"].to_pylist()
    rows = list(zip(trace["stream"].to_pylist(), trace["kind"].to_pylist(), times, strict=True))
    midnight = datetime.datetime.fromisoformat(day["date"]).replace(tzinfo=datetime.UTC)

    assert len(day["frames"]) == 49
    for number in (0, 17, 30, 48):
        at = midnight + datetime.timedelta(minutes=30 * number)
        present = {
            stream for stream, kind, when in rows if kind == "PatientReferred" and when <= at
        }
        present -= {stream for stream, kind, when in rows if kind == "CourseEnded" and when <= at}
        frame = day["frames"][number]
        told = sum(frame["at_clinics"].values()) + sum(frame["at_sites"].values())
        assert told + len(frame["moving"]) == len(present), frame["time"]
        assert all(0 <= share < 1 for _, _, share, _ in frame["moving"])


def test_a_shipment_moves_forward_along_its_lane(lost, trace):
    day = day_of(lost, trace)
    before = {}
    for frame in day["frames"]:
        for clinic, site, share, is_out in frame["moving"]:
            before.setdefault((clinic, site, is_out), []).append(share)
    assert any(len(shares) > 3 for shares in before.values())
    assert {True, False} == {is_out for _, _, is_out in before}

    drawing = day_figure(lost, day)
    assert [frame["name"] for frame in drawing.frames][:3] == ["00:00", "00:30", "01:00"]


def test_the_load_rises_while_the_plant_is_lost(lost, trace):
    load = load_of(trace)
    drawing = outage_figure(lost, load)
    [band] = drawing.layout["shapes"]
    begin = load["dates"].index(band["x0"])

    assert band["x0"] == (lost.start_date + datetime.timedelta(days=250)).isoformat()
    assert band["x1"] == (lost.start_date + datetime.timedelta(days=260)).isoformat()
    assert load["on_their_way"][begin + 12] > load["on_their_way"][begin]
    assert "loss of central plant" in drawing.told


def command(capsys, *words):
    code = main(["network", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


RUN = ("--years", "0.3", "--replications", "3", "--seed", "5")


def test_the_command_line_writes_drawings_and_a_report_without_a_server(capsys, tmp_path):
    figures, report = tmp_path / "made" / "figures", tmp_path / "central.pdf"
    words = ("simulate", EXAMPLES / "central.yaml", *RUN)

    code, answer = command(capsys, *words, "--figures", figures, "--report", report)
    plain = command(capsys, *words)[1]

    assert code == 0
    assert {Path(one).name for one in answer["figures"]} == {
        "figures.html", "day.svg", "vein-to-vein.svg", "waits.svg", "cost.svg", "outages.svg",
        "utilisation.svg",
    }  # fmt: skip
    for one in figures.glob("*.svg"):
        ElementTree.parse(one)
    assert (figures / "figures.html").read_text().count("Plotly.newPlot") == 6
    assert report.read_bytes()[:5] == b"%PDF-"
    # Drawing changes nothing of what was found.
    for name in ("vein_to_vein_days", "stages", "resources", "cost_per_infused"):
        assert answer[name] == plain[name]
    assert "day" not in answer and "figures" not in plain


def test_comparisons_and_bottlenecks_are_drawn_too(capsys, tmp_path):
    files = (EXAMPLES / "central.yaml", EXAMPLES / "regional.yaml")

    code, answer = command(capsys, "compare", *files, *RUN, "--report", tmp_path / "c.pdf")
    assert code == 0 and Path(answer["report"]).read_bytes()[:5] == b"%PDF-"

    words = ("bottleneck", EXAMPLES / "mm2.yaml", *RUN, "--figures", tmp_path / "b")
    code, answer = command(capsys, *words)
    assert code == 0 and (tmp_path / "b" / "bottlenecks.svg").exists()


def test_a_place_that_cannot_be_written_to_is_refused(capsys, tmp_path):
    (tmp_path / "file").write_text("in the way")

    code, answer = command(
        capsys, "simulate", EXAMPLES / "mm2.yaml", *RUN, "--figures", tmp_path / "file" / "x"
    )

    assert code == 2 and answer["refused"]["code"] == "network-unwritable"
