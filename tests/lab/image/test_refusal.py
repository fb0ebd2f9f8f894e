"""Quality and kind come before numbers: what cannot be judged is refused, with the reason."""

import cv2
import numpy
import pytest

from anlage.base import Problem
from anlage.lab.image import (
    FAULTS,
    ActivationResult,
    Picture,
    agreement,
    count_nuclei,
    duplicates,
    fault,
    find_cells,
    judge_activation,
    judge_viability,
    model_card,
    natural_pictures,
    nuclei_fields,
    overlay_figure,
    pixel_digest,
    read_picture,
    segment_nuclei,
)
from anlage.lab.image.viability import exchanged

from .scene import nuclei_scene
from .test_viability import chamber_scene

METHODS = [count_nuclei, judge_viability, judge_activation]


def _stained(rng):
    """Purple nuclei on a pink ground."""
    scene = nuclei_scene(rng, count=25)
    depth = (scene.labels > 0).astype(numpy.float32)[..., None]
    ground, nucleus = numpy.array([225, 190, 215]), numpy.array([90, 50, 140])
    colour = ground * (1 - depth) + nucleus * depth + rng.normal(0, 3, (*depth.shape[:2], 3))
    return numpy.clip(cv2.GaussianBlur(colour, (0, 0), 1), 0, 255).astype(numpy.uint8)


def _code(answer):
    assert isinstance(answer, Problem), answer
    return answer.code


@pytest.mark.parametrize("method", METHODS)
def test_stained_tissue_is_refused_by_every_method(method):
    assert _code(method(Picture.of(_stained(numpy.random.default_rng(1))))) == "image-stained"


@pytest.mark.parametrize("method", METHODS)
def test_stained_tissue_in_grey_is_refused_by_every_method(method):
    grey = cv2.cvtColor(_stained(numpy.random.default_rng(1)), cv2.COLOR_RGB2GRAY)

    assert isinstance(method(Picture.of(grey)), Problem)


@pytest.mark.parametrize("method", METHODS)
def test_pure_noise_is_refused_by_every_method(method, rng):
    noise = rng.integers(0, 256, (200, 200)).astype(numpy.uint8)

    assert _code(method(Picture.of(noise))) in {"image-noisy", "image-wrong-kind"}


def test_a_blurred_chamber_is_out_of_focus_or_unlike_the_trained():
    sharp = chamber_scene(numpy.random.default_rng(3), live=5, dead=0).grey()
    blurred = cv2.GaussianBlur(sharp, (0, 0), 8)

    assert not isinstance(judge_viability(Picture.of(sharp)), Problem)
    assert _code(judge_viability(Picture.of(blurred))) in {
        "image-out-of-focus",
        "image-out-of-domain",
        "image-blank",
    }


def test_a_negative_of_a_chamber_is_refused():
    whole = chamber_scene(numpy.random.default_rng(3), live=5, dead=0)
    # The ground stays as bright as it was: brightness alone does not tell.
    turned = numpy.clip(220 - whole.grey().astype(int), 0, 255).astype(numpy.uint8)
    negative = Picture.of(turned)

    assert isinstance(judge_viability(negative), Problem)
    assert exchanged(whole, find_cells(whole.grey()), method="viability") is None
    assert _code(exchanged(negative, find_cells(turned), method="viability")) == (
        "image-out-of-domain"
    )


def test_a_field_is_no_crop_and_a_crop_is_no_field():
    field = Picture.of(nuclei_scene(numpy.random.default_rng(1)).pixels)
    crop = Picture.of(nuclei_scene(numpy.random.default_rng(1)).pixels[:22, :24].copy())

    assert _code(judge_activation(field)) == "image-wrong-kind"
    assert isinstance(count_nuclei(crop), Problem)


def test_a_picture_of_a_few_pixels_is_refused():
    found = fault(Picture.of(numpy.arange(16, dtype=numpy.uint8).reshape(4, 4)))

    assert found is not None
    assert found.code == "image-too-small"


def test_the_same_pixels_are_duplicates_whatever_the_name():
    pixels = nuclei_scene(numpy.random.default_rng(1)).pixels
    first, second = Picture.of(pixels, name="a"), Picture.of(pixels.copy(), name="b")
    other = Picture.of(255 - pixels, name="c")

    digests = [pixel_digest(one) for one in (first, second, other)]

    assert duplicates(digests) == [None, 0, None]


def test_every_refusal_says_what_to_do():
    answer = count_nuclei(Picture.of(numpy.zeros((64, 64), numpy.uint8)))

    assert isinstance(answer, Problem)
    assert answer.remedy
    assert answer.found


def _ring(rng):
    """A crop of one dim cell with a brighter ring, as autofluorescence shows a lymphocyte."""
    ys, xs = numpy.mgrid[:22, :20]
    apart = numpy.hypot(ys - 10.5, xs - 9.5)
    light = 12 + 45 * numpy.exp(-(((apart - 6) / 2.5) ** 2)) + rng.normal(0, 1.5, apart.shape)
    return numpy.clip(cv2.GaussianBlur(light, (0, 0), 0.8), 0, 255).astype(numpy.uint8)


def test_a_turned_cell_keeps_its_score():
    crop = _ring(numpy.random.default_rng(2))

    one, turned = judge_activation(Picture.of(crop)), judge_activation(Picture.of(crop[::-1]))

    assert isinstance(one, ActivationResult)
    assert isinstance(turned, ActivationResult)
    assert 0 <= one.score <= 1
    assert one.score == pytest.approx(turned.score, abs=0.02)


def test_label_free_activation_is_never_offered_for_control():
    from anlage.lab import Purpose

    result = judge_activation(Picture.of(_ring(numpy.random.default_rng(2))))

    assert isinstance(result, ActivationResult)
    assert not result.card.may_serve(Purpose.CONTROL)
    assert result.card.may_serve(Purpose.DEVELOPMENT)


def test_a_figure_shows_rims_and_the_number():
    scene = nuclei_scene(numpy.random.default_rng(3), count=8)
    picture = Picture.of(scene.pixels, name="field")
    result = count_nuclei(picture)

    figure = overlay_figure(picture, result)

    assert str(result.count) in figure.layout.title.text
    assert len(figure.data) == 1


@pytest.mark.parametrize(
    "way", ["banded", "rows lost", "rows shifted", "jpeg blocks", "pixelated", "tiles mixed"]
)
def test_a_broken_field_is_refused(way):
    scene = nuclei_scene(numpy.random.default_rng(1), count=25)
    broken = FAULTS[way](scene.pixels.copy(), numpy.random.default_rng(2))

    assert not isinstance(count_nuclei(Picture.of(scene.pixels)), Problem)
    assert isinstance(count_nuclei(Picture.of(broken)), Problem)


@pytest.mark.parametrize(
    "way", ["rows shifted", "columns shifted", "interlaced", "rows lost", "banded"]
)
def test_a_broken_chamber_is_refused(way):
    scene = chamber_scene(numpy.random.default_rng(3), live=4, dead=0).grey()
    broken = FAULTS[way](scene.copy(), numpy.random.default_rng(2))

    assert not isinstance(judge_viability(Picture.of(scene)), Problem)
    assert isinstance(judge_viability(Picture.of(broken)), Problem)


def test_what_the_gates_refuse_on_their_card_is_enough():
    gates = model_card("gate")["gates"]
    unseen = gates["sound"]["refused_percent"]["monolayer"]
    assert unseen["good"] <= 1
    assert unseen["broken"] > 80
    for name, good in (("nuclei", 1.2), ("chamber", 1.2), ("activation", 2.2)):
        refused = gates[name]["refused_percent"]
        assert refused["good"] < good
        assert refused["stained"] >= 99
        assert refused["with_rules_known_way"] > 95


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "method"),
    [
        ("microscopy_livedead", judge_viability),
        ("microscopy_tcell_activation", judge_activation),
    ],
)
def test_broken_pictures_are_refused_and_good_ones_are_not(shared_data, folder, method):
    rng = numpy.random.default_rng(3)
    files = sorted((shared_data / folder / "images").glob("*.png"))[::12]
    pictures = [read_picture(file) for file in files]
    ways = ["rows shifted", "columns lost", "tiles mixed", "blank", "noise", "interlaced"]

    good = [isinstance(method(one), Problem) for one in pictures]
    broken = [
        isinstance(method(Picture.of(FAULTS[way](one.grey().copy(), rng))), Problem)
        for one in pictures
        for way in ways
    ]

    assert numpy.mean(good) <= 0.02
    assert numpy.mean(broken) >= 0.95


@pytest.mark.parametrize("method", METHODS)
def test_a_natural_picture_is_refused(method):
    pictures = [one.picture for one in natural_pictures()][::9]

    assert pictures
    assert all(isinstance(method(picture), Problem) for picture in pictures)


@pytest.mark.shared
def test_good_fields_that_no_gate_saw_are_measured(shared_data):
    fields = nuclei_fields(shared_data / "microscopy_nuclei_dsb2018")
    held = [one for one in fields if one.held_out]
    refused = [one for one in held if isinstance(count_nuclei(read_picture(one.image)), Problem)]

    assert len(held) > 40
    assert len(refused) <= 1


@pytest.mark.shared
def test_the_held_out_score_of_the_card_is_reproduced(shared_data):
    stated = model_card("nuclei")["scores"]["ap_50"]
    matched = whole = 0
    for field in nuclei_fields(shared_data / "microscopy_nuclei_dsb2018"):
        if field.held_out:
            truth = cv2.imread(str(field.label), cv2.IMREAD_UNCHANGED).astype(numpy.int32)
            one = agreement(segment_nuclei(read_picture(field.image).grey()), truth)
            matched += one.matched
            whole += one.matched + one.spurious + one.missed

    assert matched / whole == pytest.approx(stated, abs=0.005)
