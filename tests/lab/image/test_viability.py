"""Living and dead cells, and how sure a count of few can be."""

import numpy
import pytest

from anlage.base import Problem
from anlage.lab.image import Picture, ViabilityResult, judge_viability, viability_interval

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
