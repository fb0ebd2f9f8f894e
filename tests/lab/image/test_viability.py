"""Living and dead cells, and how sure a count of few can be."""

import numpy
import pytest

from anlage.base import Problem
from anlage.lab.image import (
    Picture,
    ViabilityResult,
    count_interval,
    found_interval,
    judge_viability,
    model_card,
    viability_interval,
)

from .scene import nuclei_scene


def chamber_scene(rng, *, live, dead, side=240):
    """Living cells as bright cores in dark rings, dead ones as grey smudges."""
    ys, xs = numpy.mgrid[:side, :side]
    field = numpy.full((side, side), 110.0)
    places = []
    while len(places) < live + dead:
        y, x = rng.uniform(25, side - 25, 2)
        if all((y - a) ** 2 + (x - b) ** 2 > 45**2 for a, b in places):
            places.append((y, x))
    for place, (y, x) in enumerate(places):
        apart = numpy.hypot(ys - y, xs - x)
        if place < live:
            field -= 85 * numpy.exp(-(((apart - 7.5) / 3) ** 2))
            field += 140 * numpy.exp(-((apart / 3.2) ** 2))
        else:
            field -= 28 * numpy.exp(-((apart / 9) ** 4)) * (1 + 0.4 * numpy.cos(apart * 0.9))
    field += rng.normal(0, 1.5, field.shape)
    return Picture.of(numpy.clip(field, 0, 255).astype(numpy.uint8))


@pytest.mark.parametrize(("live", "dead"), [(4, 0), (6, 0), (3, 2)])
def test_rendered_cells_are_found(live, dead):
    result = judge_viability(chamber_scene(numpy.random.default_rng(3), live=live, dead=dead))

    assert isinstance(result, ViabilityResult), result
    assert abs(result.live - live) <= 1
    assert abs(result.dead - dead) <= 1


def test_the_interval_is_that_of_wilson():
    from statsmodels.stats.proportion import proportion_confint

    for live, dead in ((1, 0), (0, 3), (17, 3), (950, 50)):
        low, high = proportion_confint(live, live + dead, method="wilson")
        assert viability_interval(live, dead) == pytest.approx((100 * low, 100 * high), rel=1e-6)


def test_no_cell_gives_no_viability():
    assert viability_interval(0, 0) is None
    assert found_interval(0, 0) is None


@pytest.mark.parametrize(("live", "dead"), [(1, 0), (0, 3), (17, 3), (950, 50), (90_000, 10_000)])
def test_cells_that_a_network_found_tell_less_than_cells_counted(live, dead):
    low, high = viability_interval(live, dead)
    least, most = found_interval(live, dead)

    assert most - least > high - low
    assert 0 <= least <= 100 * live / (live + dead) <= most + 1e-9
    assert most <= 100
    # However many were found, a series may be off.
    assert most - least > 5


def test_the_intervals_of_the_card_hold_on_every_series_left_out():
    for told in model_card("chamber")["scores"].values():
        assert told["interval_holds_series"] >= 95
        assert told["interval_of_five_holds_series"] >= 95
        assert told["live_interval_holds_crop"] >= 95
        assert told["dead_interval_holds_crop"] >= 95


def test_a_result_gives_an_interval_for_each_number():
    result = judge_viability(chamber_scene(numpy.random.default_rng(3), live=3, dead=2))

    assert isinstance(result, ViabilityResult)
    assert result.interval == found_interval(result.live, result.dead)
    assert result.live_interval == count_interval(result.live)
    assert result.dead_interval[0] <= result.dead <= result.dead_interval[1]


def test_a_fluorescence_field_is_no_chamber():
    answer = judge_viability(Picture.of(nuclei_scene(numpy.random.default_rng(1)).pixels))

    assert isinstance(answer, Problem)
    assert answer.code == "image-wrong-kind"


@pytest.mark.shared
def test_real_crops_are_counted_within_the_noise_of_their_annotator(shared_data):
    import csv

    from anlage.lab.image import read_picture

    folder = shared_data / "microscopy_livedead"
    with (folder / "index.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))[::4]
    wrong = []
    for row in rows:
        result = judge_viability(read_picture(folder / row["image"]))
        if isinstance(result, ViabilityResult):
            wrong.append(abs(result.live - int(row["n_living"])))
            wrong.append(abs(result.dead - int(row["n_dead"])))

    assert len(wrong) >= 2 * 0.98 * len(rows)
    assert numpy.mean(wrong) < 0.3
