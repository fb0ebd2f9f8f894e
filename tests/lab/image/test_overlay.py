"""Every method has a figure: the picture, what was found over it, and the numbers above it."""

import numpy

from anlage.lab.image import (
    ActivationResult,
    CarrierResult,
    ColonyResult,
    ConfluenceResult,
    InspectionResult,
    ObjectClass,
    Picture,
    count_on_carriers,
    follow_colonies,
    inspect_objects,
    measure_confluence,
    overlay_figure,
)
from anlage.lab.image.model import method_card

from .scene import carrier_scene, colony_series, phase_scene
from .test_viability import chamber_scene


def _title(figure):
    return figure.layout.title.text


def test_the_covered_part_is_tinted():
    scene = phase_scene(numpy.random.default_rng(1), share=0.4)
    picture = Picture.of(scene.pixels, name="flask")
    result = measure_confluence(picture)
    assert isinstance(result, ConfluenceResult)

    figure = overlay_figure(picture, result)

    shown = numpy.asarray(figure.data[0].z)
    tinted = shown[..., 2].astype(int) > shown[..., 0]
    assert abs(tinted.mean() - result.covered.mean()) < 0.05
    assert f"{result.confluence_percent:.1f} %" in _title(figure)


def test_every_class_of_object_has_its_own_mark(rng):
    picture = chamber_scene(numpy.random.default_rng(3), live=4, dead=2)
    result = inspect_objects(picture)
    assert isinstance(result, InspectionResult), result

    figure = overlay_figure(picture, result)

    marks = {trace.name: trace.marker.symbol for trace in figure.data[1:]}
    assert len(set(marks.values())) == len(marks) >= 1
    assert sum(len(trace.x) for trace in figure.data[1:]) == len(result.objects)
    assert all(kind.value in _title(figure) for kind in ObjectClass)


def test_colonies_show_their_founders():
    series = colony_series(numpy.random.default_rng(1), founders=[(100.0, 100.0), (250.0, 240.0)])
    pictures = [Picture.of(one) for one in series]
    result = follow_colonies(pictures)
    assert isinstance(result, ColonyResult)

    figure = overlay_figure(pictures[-1], result)

    founders = next(trace for trace in figure.data[1:] if trace.name.startswith("founder"))
    assert len(founders.x) == sum(len(one.founders) for one in result.colonies) == 2


def test_every_carrier_shows_its_cells():
    pixels, _ = carrier_scene(numpy.random.default_rng(2), mean_cells=3.0)
    picture = Picture.of(pixels)
    result = count_on_carriers(picture)
    assert isinstance(result, CarrierResult)

    figure = overlay_figure(picture, result)

    assert list(figure.data[1].text) == [str(one.cells) for one in result.carriers]


def test_a_crop_is_shown_large_with_its_score():
    crop = Picture.of(numpy.random.default_rng(1).integers(0, 90, (20, 22)).astype(numpy.uint8))
    result = ActivationResult(name="cell", score=0.25, flags=(), card=method_card("activation"))

    figure = overlay_figure(crop, result)

    assert numpy.asarray(figure.data[0].z).shape[0] >= 200
    assert "0.25" in _title(figure)
