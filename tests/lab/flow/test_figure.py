"""Figures show the events and the gates, whatever the sample."""

import json

import numpy
import pytest

from anlage.cli import shell
from anlage.lab.flow import (
    Dimension,
    Ellipsoid,
    Logicle,
    Polygon,
    Recipe,
    Rectangle,
    Strategy,
    Writing,
    contour_figure,
    density_figure,
    gate,
    overlay_figure,
    read_fcs,
    simulate_t_cells,
    write_fcs,
)

X, Y = Dimension("A", scale="L"), Dimension("B", scale="L")


def gated(count):
    rng = numpy.random.default_rng(1)
    events = rng.lognormal(6, 1, (count, 2))
    sample = read_fcs(write_fcs(Writing(names=("A", "B"), markers=("CD3", "")), events))
    gates = {
        "R": Rectangle(id="R", dimensions=(X, Y), sides=((0.4, None), (0.4, 0.8))),
        "P": Polygon(id="P", dimensions=(Y, X), vertices=((0.2, 0.2), (0.6, 0.2), (0.4, 0.7))),
        "E": Ellipsoid(
            id="E", dimensions=(X, Y), centre=(0.5, 0.5), covariance=((0.01, 0), (0, 0.02)),
            distance_square=1,
        ),
        "C": Rectangle(id="C", dimensions=(X,), sides=((0.3, None),), parent="R"),
    }  # fmt: skip
    return gate(sample, Strategy(gates=gates, scales={"L": Logicle(262_144, 0.5, 4.5, 0)}))


@pytest.mark.parametrize("draw", [density_figure, contour_figure])
@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_two_dimensions_are_drawn_with_the_gates_on_them(draw, count):
    figure = draw(gated(count), X, Y)

    names = {trace.name for trace in figure.data}
    assert {"R", "P", "E"} <= names
    assert "C" not in names
    assert figure.layout.xaxis.title.text == "CD3 (A)"


def test_every_event_is_counted_in_the_density():
    figure = density_figure(gated(5_000), X, Y, bins=64)

    assert figure.data[0].customdata.sum() == pytest.approx(5_000, rel=0.01)


def test_a_channel_may_be_drawn_against_itself():
    assert density_figure(gated(500), X, X).data[0].customdata.sum() == pytest.approx(500, rel=0.01)


def test_ticks_stand_at_powers_of_ten():
    axis = density_figure(gated(5_000), X, Y).layout.xaxis
    scale = Logicle(262_144, 0.5, 4.5, 0)

    place = axis.tickvals[axis.ticktext.index("10<sup>3</sup>")]
    assert scale.inverse(numpy.array([place]))[0] == pytest.approx(1_000)


def test_an_overlay_has_one_curve_per_sample_each_up_to_its_mode():
    figure = overlay_figure({"day 0": gated(4_000), "day 7": gated(2_000)}, X, within="R")

    assert len(figure.data) == 2
    assert [max(trace.y) for trace in figure.data] == pytest.approx([100, 100])


def test_the_command_draws_one_or_several_files(tmp_path, capsys):
    raw, _, _ = simulate_t_cells(Recipe(events=3_000), numpy.random.default_rng(1))
    tube, page, drawn = tmp_path / "a.fcs", tmp_path / "a.html", tmp_path / "a.json"
    tube.write_bytes(raw)

    words = ["flow", "plot", str(tube), "--x", "CD4", "--y", "CD8"]
    assert shell.main([*words, "--out", str(page), "--json"]) == 0
    assert "<html" in page.read_text()
    assert shell.main([*words, "--kind", "contour", "--out", str(drawn)]) == 0
    assert json.loads(drawn.read_text())["data"][0]["type"] == "contour"
    words = ["flow", "plot", str(tube), str(tube), "--x", "CD3", "--out", str(drawn)]
    assert shell.main(words) == 0
    capsys.readouterr()
    words = ["flow", "plot", str(tube), "--x", "CD9", "--out", str(drawn), "--json"]
    assert shell.main(words) == 2
    assert json.loads(capsys.readouterr().out)["refused"]["code"] == "fcs-channel"
