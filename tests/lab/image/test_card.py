"""Packaged networks: each file is the one its card describes, small, and honestly described."""

import csv
import hashlib
import json
from importlib import resources

import cv2
import numpy
import pytest

from anlage.lab.image.crop_trait import CROP_TRAITS, crop_traits
from anlage.lab.image.gate import look
from anlage.lab.image.grey import between_percentiles
from anlage.lab.image.model import CARD_OF, model_card, run, session
from anlage.lab.image.nuclei import nuclei_width_px
from anlage.lab.image.seam import SEAM, seams
from anlage.lab.image.split import is_held_out_field
from anlage.lab.image.spoil import FAULTS
from anlage.lab.image.structure import STRUCTURE, structure
from anlage.lab.image.trait import TRAITS

from .scene import nuclei_scene
from .test_viability import chamber_scene

MODELS = resources.files("anlage.lab.image") / "models"
FILES = sorted(place.name for place in MODELS.iterdir() if place.name.endswith(".onnx"))
CARDS = sorted({CARD_OF.get(name[:-5], name[:-5]) for name in FILES})


@pytest.mark.parametrize("file", FILES)
def test_a_packaged_network_is_the_one_of_its_card(file):
    data = (MODELS / file).read_bytes()
    card = model_card(CARD_OF.get(file[:-5], file[:-5]))

    assert card["files"][file] == hashlib.sha256(data).hexdigest()
    assert len(data) < 1_000_000


@pytest.mark.parametrize("name", CARDS)
def test_a_card_tells_split_data_scores_and_what_is_not_shown(name):
    card = json.loads((MODELS / f"{name}.json").read_text(encoding="utf-8"))

    assert len(card["data"]["digest"]) == 64
    assert card["split"]["rule"]
    assert card["recipe"]
    assert card["not_validated"]
    assert card.get("scores") or card["gates"]


@pytest.mark.parametrize("file", FILES)
def test_a_packaged_network_opens_and_answers(file):
    name = file[:-5]
    width = {"trees": len(CROP_TRAITS)}.get(name, len(TRAITS) + len(STRUCTURE) + len(SEAM))
    channels = 3 if name == "activation" else 2
    side = 48 if name == "activation" else 64
    if name == "trees" or name.startswith("gate-"):
        answers = run(name, numpy.zeros((2, width), numpy.float32), name="traits")
        assert 0 <= float(answers[0].min()) <= float(answers[0].max()) <= 1
    else:
        answers = run(name, numpy.zeros((1, channels, side, side), numpy.float32))
    assert all(numpy.isfinite(one).all() for one in answers)
    assert session(name) is session(name)


@pytest.mark.shared
def test_held_out_fields_of_the_card_follow_the_rule(shared_data):
    held = set(model_card("nuclei")["split"]["held_out"])
    with (shared_data / "microscopy_nuclei_dsb2018" / "index.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["modality"] == "fluorescence"]

    assert rows
    for row in rows:
        name = row["image"].rpartition("/")[2]
        assert (name in held) == is_held_out_field(row["source_id"])


@pytest.mark.parametrize("radius", [5.0, 10.0, 24.0])
def test_the_width_of_nuclei_is_guessed(radius):
    scene = nuclei_scene(numpy.random.default_rng(4), side=320, count=14, radius=radius)

    guess = nuclei_width_px(between_percentiles(scene.pixels))

    assert guess == pytest.approx(2 * radius, rel=0.35)


def test_the_traits_of_a_crop_are_finite_whatever_it_shows():
    rng = numpy.random.default_rng(1)
    for crop in (
        numpy.zeros((7, 9), numpy.uint8),
        numpy.full((30, 20), 255, numpy.uint8),
        rng.integers(0, 256, (70, 12)).astype(numpy.uint8),
    ):
        found = crop_traits(crop)
        assert found.shape == (len(CROP_TRAITS),)
        assert numpy.isfinite(found).all()


def test_seams_blocks_and_odd_directions_are_seen():
    scene = nuclei_scene(numpy.random.default_rng(1)).pixels
    at = {name: place for place, name in enumerate(STRUCTURE)}
    whole = structure(scene)
    rows = scene.copy()
    rows[numpy.random.default_rng(2).random(len(rows)) < 0.3] = 0
    _, packed = cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, 2])
    blocks = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)

    assert structure(rows)[at["seams_down"]] > whole[at["seams_down"]] + 1
    assert structure(rows)[at["unlike_directions"]] > whole[at["unlike_directions"]] + 0.5
    assert structure(blocks)[at["grid_8"]] > whole[at["grid_8"]] + 0.5


@pytest.mark.parametrize(
    ("way", "name", "least"),
    [
        ("rows shifted", "unlike_next", 1.0),
        ("columns shifted", "unlike_next", 1.0),
        ("interlaced", "unlike_next_apart", 1.0),
        ("tiles mixed", "step_share", 0.3),
        ("banded", "gain_agreed", 0.7),
        ("rows repeated", "twin_lines", 0.2),
        ("bits flipped", "lonely_share", 1.0),
        ("rippled", "tone", 1.5),
        ("moved", "soft_apart", 0.3),
    ],
)
def test_a_way_of_breaking_moves_its_number(way, name, least):
    scene = chamber_scene(numpy.random.default_rng(3), live=3, dead=1).grey()
    broken = FAULTS[way](scene.copy(), numpy.random.default_rng(5))

    moved = float((seams(broken) - seams(scene))[SEAM.index(name)])

    assert moved > least


def test_the_numbers_of_seams_stay_when_rows_and_columns_change_places():
    small = nuclei_scene(numpy.random.default_rng(1), side=160, count=8).pixels
    large = nuclei_scene(numpy.random.default_rng(1)).pixels

    assert seams(small.T) == pytest.approx(seams(small), abs=1e-3)
    # Of a large plane percentiles are taken of some pixels, others once it is turned.
    assert seams(large.T) == pytest.approx(seams(large), abs=0.05)


def test_the_numbers_of_seams_are_finite_whatever_a_picture_shows():
    rng = numpy.random.default_rng(1)
    for plane in (
        numpy.zeros((6, 9), numpy.uint8),
        numpy.full((30, 20), 65535, numpy.uint16),
        rng.integers(0, 256, (70, 12)).astype(numpy.float32),
    ):
        found = seams(plane)
        assert found.shape == (len(SEAM),)
        assert numpy.isfinite(found).all()


def test_a_gate_names_what_is_oddest():
    answer = look("nuclei", numpy.full(len(TRAITS) + len(STRUCTURE) + len(SEAM), 50.0))

    assert not answer.passes
    assert answer.oddest
