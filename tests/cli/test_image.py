"""`anlage image …`: the keys that others read, and refusals that stop no other file."""

import json

import cv2
import numpy
import pytest
from tests.lab.image.scene import colony_series, nuclei_scene, phase_scene

from anlage.cli import shell
from anlage.cli.image import AT_ONCE
from anlage.lab.processors import processors


@pytest.fixture
def field(tmp_path):
    """A field of twelve nuclei on disk."""
    path = tmp_path / "field.png"
    cv2.imwrite(str(path), nuclei_scene(numpy.random.default_rng(3), count=12).pixels)
    return path


def _run(capsys, *words):
    code = shell.main(["image", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_count_writes_a_mask_with_as_many_labels(field, tmp_path, capsys):
    code, told = _run(capsys, "count", field, "--masks", tmp_path / "masks")

    (row,) = told["images"]
    mask = cv2.imread(row["mask"], cv2.IMREAD_UNCHANGED)
    assert code == 0
    assert row["refused"] is None
    assert mask.dtype == numpy.uint16
    assert mask.max() == row["count"]
    assert abs(row["count"] - 12) <= 1
    assert row["file"] == str(field)


def test_a_refused_file_stops_no_other(field, tmp_path, capsys):
    blank, broken = tmp_path / "blank.png", tmp_path / "broken.png"
    cv2.imwrite(str(blank), numpy.zeros((64, 64), numpy.uint8))
    broken.write_bytes(field.read_bytes()[:500])

    code, told = _run(capsys, "count", blank, field, broken, tmp_path / "absent.png")

    codes = [row["refused"] and row["refused"]["code"] for row in told["images"]]
    assert code == 2
    assert codes == ["image-blank", None, "image-damaged", "image-unreadable"]
    assert told["images"][1]["count"] > 0


def test_the_same_picture_twice_is_counted_once(field, tmp_path, capsys):
    copy = tmp_path / "copy.png"
    copy.write_bytes(field.read_bytes())

    code, told = _run(capsys, "count", field, copy)
    allowed, _ = _run(capsys, "count", field, copy, "--allow-duplicates")

    assert code == 2
    assert told["images"][1]["refused"]["code"] == "image-duplicate"
    assert allowed == 0


def test_many_files_are_told_in_their_order(field, tmp_path, capsys):
    files = [field]
    for number in range(2 * AT_ONCE * processors()):
        files.append(tmp_path / f"{number}.png")
        files[-1].write_bytes(field.read_bytes() if number % 7 == 6 else b"no picture")

    _, told = _run(capsys, "count", *files)

    codes = [row["refused"] and row["refused"]["code"] for row in told["images"]]
    assert [row["file"] for row in told["images"]] == [str(file) for file in files]
    assert codes[0] is None
    assert set(codes[7::7]) == {"image-duplicate"}
    assert codes.count("image-duplicate") == len(codes[7::7])


@pytest.mark.parametrize("command", ["viability", "activation"])
def test_a_method_refuses_a_picture_of_another_kind(field, capsys, command):
    code, told = _run(capsys, command, field)

    assert code == 2
    assert told["images"][0]["refused"]["code"] == "image-wrong-kind"


def test_masks_of_one_name_do_not_overwrite_each_other(tmp_path, capsys):
    paths = []
    for seed in (3, 4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        paths.append(folder / "field.png")
        scene = nuclei_scene(numpy.random.default_rng(seed), count=9)
        cv2.imwrite(str(paths[-1]), scene.pixels)

    _, told = _run(capsys, "count", *paths, "--masks", tmp_path / "masks")

    assert len({row["mask"] for row in told["images"]}) == 2


def test_an_unknown_channel_is_refused(field, capsys):
    code, told = _run(capsys, "count", field, "--channel", "GFP")

    assert code == 2
    assert told["images"][0]["refused"]["code"] == "image-channel-unknown"


def test_confluence_gives_percent(tmp_path, capsys):
    path = tmp_path / "flask.png"
    scene = phase_scene(numpy.random.default_rng(3), share=0.4)
    cv2.imwrite(str(path), scene.pixels)

    code, told = _run(capsys, "confluence", path)

    assert code == 0
    assert told["images"][0]["confluence_percent"] == pytest.approx(40, abs=3)


def test_colonies_give_the_evidence(tmp_path, capsys):
    paths = []
    for frame, pixels in enumerate(
        colony_series(numpy.random.default_rng(5), founders=[(170, 180)])
    ):
        paths.append(tmp_path / f"{frame}.png")
        cv2.imwrite(str(paths[-1]), pixels)

    code, told = _run(capsys, "colonies", *paths)

    assert code == 0
    assert told["colonies"][0]["clonality"] == "clonal"
    assert len(told["colonies"][0]["founders"]) == 1


def test_training_without_its_data_is_refused(tmp_path, capsys):
    code, told = _run(capsys, "train", "nuclei", "--from", tmp_path, "--into", tmp_path / "out")

    assert code == 2
    assert told["refused"]["code"] in {"training-needs-torch", "training-data-absent"}
