"""Training is repeatable, leaves held-out fields alone, and writes a card that tells what it did.

Torch and onnx are needed for training alone: without them these tests are skipped.
"""

import csv
import hashlib
import json

import cv2
import numpy
import pytest

from anlage.cli import shell
from anlage.lab.image.split import is_held_out_field, nuclei_fields

from .scene import nuclei_scene

pytest.importorskip("torch", reason="training needs torch")
pytest.importorskip("onnx", reason="training needs onnx")

# The exporter used is an old one: that which follows it needs one more package.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

IDENTITIES = [f"field-{number}" for number in range(120)]
HELD_OUT = [name for name in IDENTITIES if is_held_out_field(name)]


@pytest.fixture
def folder(tmp_path):
    """Labelled fields, some of them held out, and two stained pictures."""
    place = tmp_path / "data"
    place.mkdir()
    rng = numpy.random.default_rng(1)
    rows = []
    for name in IDENTITIES:
        scene = nuclei_scene(rng, side=96, count=4, radius=7)
        cv2.imwrite(str(place / f"{name}.png"), scene.pixels)
        cv2.imwrite(str(place / f"{name}-label.png"), scene.labels.astype(numpy.uint16))
        rows.append((f"{name}.png", f"{name}-label.png", "fluorescence", name))
    for modality in ("he_or_purple", "brightfield_gray"):
        bright = 255 - nuclei_scene(rng, side=96, count=4, radius=7).pixels
        cv2.imwrite(str(place / f"{modality}.png"), bright)
        rows.append((f"{modality}.png", "field-0-label.png", modality, modality))
    with (place / "index.csv").open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([("image", "label", "modality", "source_id"), *rows])
    return place


def _outlines(folder, into, *, seed=1):
    from anlage.lab.image.train_nuclei import train_outlines

    into.mkdir()
    train_outlines(nuclei_fields(folder), into, steps=3, seed=seed, threads=1)
    return [(into / name).read_bytes() for name in ("width.onnx", "nuclei.onnx")]


def test_the_same_data_and_seed_give_the_same_bytes(folder, tmp_path):
    once = _outlines(folder, tmp_path / "once")

    assert _outlines(folder, tmp_path / "again") == once
    assert _outlines(folder, tmp_path / "other", seed=2) != once


def test_held_out_fields_have_no_part_in_the_network(folder, tmp_path):
    once = _outlines(folder, tmp_path / "once")
    assert HELD_OUT

    for name in HELD_OUT:
        cv2.imwrite(str(folder / f"{name}.png"), numpy.full((96, 96), 77, numpy.uint8))

    assert _outlines(folder, tmp_path / "again") == once


def test_the_command_writes_networks_domain_and_card(folder, tmp_path, capsys):
    into = tmp_path / "out"

    words = ["--from", folder, "--into", into, "--steps", 3, "--seed", 5, "--json"]
    code = shell.main(["image", "train", "nuclei", *map(str, words)])

    told = json.loads(capsys.readouterr().out)
    card = json.loads((into / "nuclei.json").read_text(encoding="utf-8"))
    assert code == 0, told
    assert told["card"] == card
    assert card["recipe"]["seed"] == 5
    assert card["recipe"]["steps"] == card["recipe"]["width"]["steps"] == 3
    assert card["split"]["held_out"] == sorted(f"{name}.png" for name in HELD_OUT)
    assert card["data"]["fields"] == len(IDENTITIES) - len(HELD_OUT)
    assert 0 <= card["scores"]["ap_50"] <= 1
    for name, digest in card["files"].items():
        assert hashlib.sha256((into / name).read_bytes()).hexdigest() == digest
    assert "nuclei" in json.loads((into / "domain.json").read_text(encoding="utf-8"))["domains"]


def test_too_few_fields_to_train_on_are_refused(folder, tmp_path, capsys):
    index = folder / "index.csv"
    index.write_text("".join(index.read_text().splitlines(keepends=True)[:20]))

    code = shell.main(
        ["image", "train", "nuclei", "--from", str(folder), "--into", str(tmp_path), "--json"]
    )

    refused = json.loads(capsys.readouterr().out)["refused"]
    assert code == 2
    assert refused["code"] == "training-data-absent"
    assert refused["limit"] == "more than 96"
