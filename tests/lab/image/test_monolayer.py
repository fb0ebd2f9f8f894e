"""Confluence, colonies, carriers and objects against a renderer that knows the truth."""

import cv2
import numpy
import pytest

from anlage.base import Problem
from anlage.lab.image import (
    FAULTS,
    CarrierResult,
    Clonality,
    ColonyResult,
    ConfluenceResult,
    InspectionResult,
    ObjectClass,
    Picture,
    count_on_carriers,
    follow_colonies,
    inspect_objects,
    measure_confluence,
    read_picture,
)

from .scene import add_fibre, add_scrap, carrier_scene, colony_series, phase_scene
from .test_viability import chamber_scene


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.6, 0.95, 1.0])
def test_confluence_is_within_three_points(share):
    scene = phase_scene(numpy.random.default_rng(int(100 * share)), share=share)

    result = measure_confluence(Picture.of(scene.pixels))

    assert isinstance(result, ConfluenceResult)
    assert result.confluence_percent == pytest.approx(100 * scene.labels.mean(), abs=3)


def test_an_empty_flask_is_a_number_and_one_grey_is_none():
    empty = numpy.random.default_rng(1).normal(110, 1.2, (300, 300)).astype(numpy.uint8)

    assert measure_confluence(Picture.of(empty)).confluence_percent < 1
    assert isinstance(measure_confluence(Picture.of(numpy.full_like(empty, 110))), Problem)


def test_stained_material_has_no_confluence():
    scene = phase_scene(numpy.random.default_rng(1), share=0.5)
    colour = numpy.stack([scene.pixels, scene.pixels // 3, 255 - scene.pixels // 4], axis=-1)

    answer = measure_confluence(Picture.of(colour))

    assert isinstance(answer, Problem)
    assert answer.code == "image-stained"


@pytest.mark.parametrize("way", ["rows shifted", "columns lost", "banded", "interlaced"])
def test_a_broken_monolayer_has_no_confluence(way):
    scene = phase_scene(numpy.random.default_rng(2), share=0.6).pixels
    broken = FAULTS[way](scene.copy(), numpy.random.default_rng(2))

    assert not isinstance(measure_confluence(Picture.of(scene)), Problem)
    assert isinstance(measure_confluence(Picture.of(broken)), Problem)
    assert isinstance(follow_colonies([Picture.of(scene), Picture.of(broken)]), Problem)


@pytest.mark.shared
def test_a_wound_closes_over_a_day(shared_data):
    folder = shared_data / "microscopy_misc" / "cellprofiler_ExampleWoundHealing"

    before, after = (
        measure_confluence(read_picture(folder / f"DMSO_B5_t{hour}.JPG")) for hour in (0, 24)
    )

    assert isinstance(before, ConfluenceResult)
    assert isinstance(after, ConfluenceResult)
    assert after.confluence_percent > before.confluence_percent + 20


def _colonies(founders):
    series = colony_series(numpy.random.default_rng(5), founders=founders)
    result = follow_colonies([Picture.of(pixels) for pixels in series])
    assert isinstance(result, ColonyResult)
    return result.colonies


def test_a_colony_of_one_founder_is_clonal():
    (colony,) = _colonies([(170, 180)])

    assert colony.clonality is Clonality.CLONAL
    assert list(colony.areas_px) == sorted(colony.areas_px)
    assert colony.form_factor > 0.8


def test_a_colony_of_two_founders_is_not_clonal():
    (colony,) = _colonies([(170, 180), (195, 188)])

    assert colony.clonality is Clonality.MIXED
    assert len(colony.founders) == 2


def test_a_colony_that_arrives_late_has_no_evidence():
    empty = colony_series(numpy.random.default_rng(5), founders=[], frames=2)
    grown = colony_series(numpy.random.default_rng(5), founders=[(170, 180)])[2:]

    result = follow_colonies([Picture.of(pixels) for pixels in [*empty, *grown]])

    assert isinstance(result, ColonyResult)
    assert [one.clonality for one in result.colonies] == [Clonality.UNKNOWN]


def test_one_picture_is_no_series():
    (only,) = colony_series(numpy.random.default_rng(5), founders=[(170, 180)], frames=1)

    answer = follow_colonies([Picture.of(only)])

    assert isinstance(answer, Problem)


def test_stained_or_dark_pictures_show_no_colonies():
    grey = colony_series(numpy.random.default_rng(5), founders=[(170, 180)])[-1]
    colour = numpy.stack([grey, grey // 3, 255 - grey // 4], axis=-1)
    dark = grey // 32

    stained = follow_colonies([Picture.of(grey), Picture.of(colour)])
    fluorescent = follow_colonies([Picture.of(dark), Picture.of(dark)])

    assert isinstance(stained, Problem)
    assert stained.code == "image-stained"
    assert isinstance(fluorescent, Problem)


@pytest.mark.parametrize("mean_cells", [0.7, 2.0, 5.0])
def test_cells_on_each_carrier_are_counted(mean_cells):
    pixels, counts = carrier_scene(numpy.random.default_rng(11), mean_cells=mean_cells)

    result = count_on_carriers(Picture.of(pixels))

    assert isinstance(result, CarrierResult)
    assert len(result.carriers) == 9
    found = sorted((round(c.y / 230), round(c.x / 230), c.cells) for c in result.carriers)
    wrong = [abs(cells - truth) for (_, _, cells), truth in zip(found, counts, strict=True)]
    assert numpy.mean(wrong) <= 0.5


def _inspected(pixels):
    result = inspect_objects(Picture.of(pixels))
    assert isinstance(result, InspectionResult), result
    return result


def test_a_fibre_is_particulate_and_a_scrap_is_debris():
    scene = chamber_scene(numpy.random.default_rng(3), live=4, dead=0).grey()
    clean = _inspected(scene)

    fibre = _inspected(add_fibre(scene, (8, 200)))
    scrap = _inspected(add_scrap(scene, (225, 12)))

    assert fibre.count(ObjectClass.PARTICULATE) == clean.count(ObjectClass.PARTICULATE) + 1
    assert scrap.count(ObjectClass.DEBRIS) == clean.count(ObjectClass.DEBRIS) + 1
    assert fibre.count(ObjectClass.CELL) == clean.count(ObjectClass.CELL)


def test_a_fibre_that_touches_a_cell_is_told_beside_it():
    scene = chamber_scene(numpy.random.default_rng(3), live=4, dead=2).grey()
    clean = _inspected(scene)

    touching = _inspected(add_fibre(scene, (150, 120)))

    assert clean.count(ObjectClass.PARTICULATE) == 0
    assert touching.count(ObjectClass.PARTICULATE) == 1
    assert touching.count(ObjectClass.CELL) == clean.count(ObjectClass.CELL)


def test_the_lines_of_a_grid_are_no_objects():
    scene = chamber_scene(numpy.random.default_rng(3), live=4, dead=0).grey()
    clean = _inspected(scene)
    line = numpy.zeros(scene.shape, numpy.float32)
    cv2.line(line, (0, 232), (239, 232), -80, 2)
    # A line that came through a lens: one of sharp steps is refused as damage.
    lined = numpy.clip(scene + cv2.GaussianBlur(line, (0, 0), 1.0), 0, 255).astype(numpy.uint8)

    assert len(_inspected(lined).objects) <= len(clean.objects) + 1
