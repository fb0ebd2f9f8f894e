"""Nuclei are counted and outlined where the truth is known, and refused where none can be."""

import numpy
import pytest

from anlage.base import Problem
from anlage.lab.image import CountResult, Picture, agreement, count_nuclei, segment_nuclei

from .scene import nuclei_scene


def _result(pixels):
    answer = count_nuclei(Picture.of(pixels))
    assert isinstance(answer, CountResult), answer
    return answer


@pytest.mark.parametrize(("count", "radius"), [(6, 16.0), (20, 9.0), (45, 6.0)])
def test_separate_nuclei_are_counted_exactly(count, radius):
    scene = nuclei_scene(numpy.random.default_rng(3), count=count, radius=radius)

    assert abs(_result(scene.pixels).count - scene.labels.max()) <= 1


def test_outlines_agree_with_the_truth():
    scene = nuclei_scene(numpy.random.default_rng(4), count=20)

    assert agreement(segment_nuclei(scene.pixels), scene.labels).precision > 0.9


def test_sixteen_bits_give_the_count_of_eight():
    scene = nuclei_scene(numpy.random.default_rng(5), count=12)

    wide = scene.pixels.astype(numpy.uint16) * 257

    assert _result(wide).count == _result(scene.pixels).count


def test_the_same_picture_gives_the_same_labels():
    scene = nuclei_scene(numpy.random.default_rng(6), count=12)

    assert (_result(scene.pixels).labels == _result(scene.pixels).labels).all()


def test_tiles_of_a_large_field_leave_no_seam():
    tile = nuclei_scene(numpy.random.default_rng(7), side=320, count=25)
    large = numpy.tile(tile.pixels, (4, 4))

    assert abs(int(segment_nuclei(large).max()) - 16 * 25) <= 8


def test_concentration_follows_from_chamber_geometry():
    scene = nuclei_scene(numpy.random.default_rng(8), count=10)
    flat = Picture.of(scene.pixels)
    sized = Picture(name="sized", pixels=flat.pixels, channel_names=("",), pixel_size_um=(0.5, 0.5))

    result = count_nuclei(sized, chamber_depth_um=100, dilution=2)

    # 256 px x 0.5 µm = 128 µm square, 100 µm deep: 1.6384e-6 mL.
    assert isinstance(result, CountResult)
    assert result.per_ml == pytest.approx(2 * result.count / 1.6384e-6)


@pytest.mark.parametrize("level", [0, 17, 255])
def test_an_even_field_is_refused(level):
    answer = count_nuclei(Picture.of(numpy.full((128, 128), level, numpy.uint8)))

    assert isinstance(answer, Problem)
    assert answer.code == "image-blank"


def test_noise_without_objects_is_refused(rng):
    noise = numpy.clip(rng.normal(20, 3, (256, 256)), 0, 255).astype(numpy.uint8)

    answer = count_nuclei(Picture.of(noise))

    assert isinstance(answer, Problem)


def test_a_saturated_field_is_refused():
    scene = nuclei_scene(numpy.random.default_rng(9), count=12, radius=12)
    burnt = numpy.where(scene.labels > 0, 255, scene.pixels).astype(numpy.uint8)
    burnt[:, :70] = 255

    answer = count_nuclei(Picture.of(burnt))

    assert isinstance(answer, Problem)
    assert answer.code == "image-saturated"


def test_a_field_with_a_filled_gap_is_refused():
    scene = nuclei_scene(numpy.random.default_rng(10), count=20)
    broken = scene.pixels.copy()
    broken[150:] = 128

    answer = count_nuclei(Picture.of(broken))

    assert isinstance(answer, Problem)
    assert answer.code == "image-damaged"
