"""Files of four formats are read whole, with their meaning, or refused."""

import cv2
import numpy
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.lab.image import Picture, read_picture

from .scene import nuclei_scene


@pytest.fixture
def field(rng):
    return nuclei_scene(rng, side=128, count=5).pixels


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("kind", [numpy.uint8, numpy.uint16])
def test_a_lossless_file_gives_back_its_pixels(tmp_path, field, ending, kind):
    pixels = field.astype(kind) * (1 if kind is numpy.uint8 else 251)
    path = tmp_path / f"field.{ending}"
    cv2.imwrite(str(path), pixels)

    picture = read_picture(path)

    assert picture.pixels.dtype == kind
    assert (picture.grey() == pixels).all()


def test_a_jpeg_is_read_within_its_loss(tmp_path, field):
    path = tmp_path / "field.jpg"
    cv2.imwrite(str(path), field, [cv2.IMWRITE_JPEG_QUALITY, 95])

    assert abs(read_picture(path).grey().astype(int) - field).mean() < 2


def test_the_red_of_a_colour_file_is_the_first_channel(tmp_path):
    path = tmp_path / "colour.png"
    cv2.imwrite(str(path), numpy.full((40, 40, 3), (10, 20, 200), numpy.uint8))  # blue first

    picture = read_picture(path)

    assert picture.colour
    assert [int(plane[0, 0]) for plane in picture.pixels[0, 0]] == [200, 20, 10]


def test_an_ome_tiff_keeps_pixel_size_channels_and_axes(tmp_path, rng):
    path = tmp_path / "stack.ome.tif"
    stack = rng.integers(0, 4000, (2, 3, 2, 40, 50)).astype(numpy.uint16)
    tifffile.imwrite(
        path,
        stack,
        metadata={
            "axes": "TZCYX",
            "PhysicalSizeX": 325.0,
            "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 0.65,
            "PhysicalSizeYUnit": "µm",
            "Channel": {"Name": ["GFP", "DAPI"]},
        },
    )

    picture = read_picture(path)

    assert picture.pixels.shape == (2, 3, 2, 40, 50)
    assert picture.channel_names == ("GFP", "DAPI")
    assert picture.pixel_size_um == pytest.approx((0.325, 0.65))
    assert picture.channel_named("dapi") == 1
    assert picture.full_scale == 4095
    assert (picture.grey(frame=1, channel=1) == stack[1, :, 1].max(axis=0)).all()


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
@given(share=st.floats(0.02, 0.97))
@settings(max_examples=15, deadline=None)
def test_a_file_cut_short_is_refused(tmp_path_factory, ending, share):
    pixels = nuclei_scene(numpy.random.default_rng(1), side=96, count=3).pixels
    path = tmp_path_factory.mktemp("cut") / f"field.{ending}"
    cv2.imwrite(str(path), pixels)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    with pytest.raises(Refused) as refusal:
        read_picture(path)

    assert refusal.value.code in {"image-damaged", "image-format-unknown"}


@given(place=st.integers(8, 4000), bit=st.integers(0, 7))
@settings(max_examples=25, deadline=None)
def test_a_flipped_bit_in_a_png_is_refused(tmp_path_factory, place, bit):
    pixels = nuclei_scene(numpy.random.default_rng(2), side=96, count=3).pixels
    path = tmp_path_factory.mktemp("bit") / "field.png"
    cv2.imwrite(str(path), pixels)
    data = bytearray(path.read_bytes())
    data[min(place, len(data) - 1)] ^= 1 << bit
    path.write_bytes(bytes(data))

    with pytest.raises(Refused):
        read_picture(path)


@given(data=st.binary(max_size=300), head=st.sampled_from([b"", b"II*\0", b"\xff\xd8", b"MM\0*"]))
@settings(max_examples=60, deadline=None)
def test_hostile_bytes_are_refused_and_never_break_the_reader(tmp_path_factory, data, head):
    path = tmp_path_factory.mktemp("bytes") / "field"
    path.write_bytes(head + data)

    with pytest.raises(Refused):
        read_picture(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Refused) as refusal:
        read_picture(tmp_path / "absent.png")

    assert refusal.value.code == "image-unreadable"


def test_three_equal_channels_are_one_grey():
    grey = numpy.arange(400, dtype=numpy.uint16).reshape(20, 20)

    picture = Picture.of(numpy.stack([grey] * 3, axis=-1))

    assert not picture.colour
    assert picture.pixels.shape == (1, 1, 1, 20, 20)


def test_a_palette_is_resolved(tmp_path):
    indices = numpy.arange(64, dtype=numpy.uint8).reshape(8, 8)
    colours = numpy.zeros((3, 256), numpy.uint16)
    colours[:, :64] = numpy.arange(63, -1, -1) * 4 * 257
    tifffile.imwrite(tmp_path / "p.tif", indices, photometric="palette", colormap=colours)

    assert (read_picture(tmp_path / "p.tif").grey() == 4 * (63 - indices)).all()


def test_white_stored_as_zero_is_turned(tmp_path):
    light = numpy.arange(64, dtype=numpy.uint16).reshape(8, 8)
    tifffile.imwrite(tmp_path / "w.tif", 65535 - light, photometric="miniswhite")

    assert (read_picture(tmp_path / "w.tif").grey() == light).all()


@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?><OME><Image></OME>',
        '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
        + "".join(
            f'<!ENTITY {"bcdefghij"[k]} "{("&" + "abcdefghi"[k] + ";") * 10}">' for k in range(9)
        )
        + "]><OME><Image>&j;</Image></OME>",
    ],
    ids=["unclosed", "entities without end"],
)
def test_broken_metadata_is_refused(tmp_path, text):
    tifffile.imwrite(tmp_path / "o.tif", numpy.zeros((8, 8), numpy.uint8), description=text)

    with pytest.raises(Refused) as refusal:
        read_picture(tmp_path / "o.tif")

    assert refusal.value.code == "image-damaged"


def test_inks_are_no_light(tmp_path):
    tifffile.imwrite(
        tmp_path / "k.tif", numpy.zeros((8, 8, 4), numpy.uint8), photometric="separated"
    )

    with pytest.raises(Refused) as refusal:
        read_picture(tmp_path / "k.tif")

    assert refusal.value.code == "image-format-unknown"
