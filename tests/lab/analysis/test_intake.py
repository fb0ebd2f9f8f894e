"""What stands between an upload and the decoders: hostile files go no further."""

import io
import struct
import zipfile
import zlib

import numpy
import pytest

from anlage.base import Refused
from anlage.lab.analysis import examine
from anlage.lab.flow import Writing, write_fcs


def refused(name, data):
    with pytest.raises(Refused) as caught:
        examine(name, data)
    return caught.value


def chunk(kind, data):
    seal = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", seal)


def a_png(width=4, height=4, *more):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = zlib.compress(b"\0" * (5 * 4))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def a_tube(**keywords):
    writing = Writing(
        names=("FSC-A", "SSC-A"), keywords={k.replace("_", " "): v for k, v in keywords.items()}
    )
    return write_fcs(writing, numpy.ones((10, 2)))


def packed(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "media"),
    [
        ("tube.fcs", a_tube(), "fcs"),
        ("field.png", a_png(), "image"),
        ("plate.csv", b"Well,Signal\nA1,1.0\n", "table"),
        ("plate.txt", "Well\tSignal\n".encode("utf-16"), "table"),
    ],
)
def test_an_instruments_file_is_told_by_its_bytes(name, data, media):
    assert examine("lies.bin", data).media == media
    assert examine(name, data).size == len(data)


def test_a_file_that_names_a_patient_is_refused_by_its_keyword():
    found = refused("tube.fcs", a_tube(PATIENT_NAME="Doe, Jane"))

    assert found.code == "patient-named"
    assert "PATIENT NAME" in str(found)
    assert "Doe" not in str(found)


def test_a_picture_that_names_a_patient_is_refused():
    words = chunk(b"tEXt", b"Comment\0Patient: Jane Doe")

    assert refused("field.png", a_png(4, 4, words)).code == "patient-named"


def test_the_same_picture_without_the_name_is_taken():
    assert examine("field.png", a_png(4, 4, chunk(b"tEXt", b"Comment\0L-0412"))).media == "image"


def test_a_header_that_promises_a_huge_picture_is_refused_before_decoding():
    found = refused("field.png", a_png(60_000, 60_000))

    assert found.code == "picture-too-large"
    assert "60000 x 60000" in str(found)


def test_a_workbook_that_unpacks_to_far_more_than_it_is_is_refused():
    bomb = packed(xl__sheet1="0" * 60_000_000, **{"[Content_Types].xml": "<x/>"})

    assert refused("plate.xlsx", bomb).code == "packed-too-tightly"


@pytest.mark.parametrize(
    "data",
    [
        packed(evil="x"),
        b"%PDF-1.7\n",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0",
        b"MZ\x90\0\0\0",
        b"PK\x03\x04broken",
        b"\x89PNG\r\n\x1a\nbroken",
    ],
    ids=["zip", "pdf", "html", "svg", "elf", "exe", "broken zip", "broken png"],
)
def test_another_kind_of_file_is_refused(data):
    assert refused("field.png", data).code == "file-of-another-kind"


@pytest.mark.parametrize("data", [b"", b"1" * 64_000_001], ids=["empty", "huge"])
def test_a_file_of_no_size_or_too_much_is_refused(data):
    assert refused("plate.csv", data).code == "upload-too-large"


def test_a_name_with_a_path_loses_it():
    assert examine("../../etc/pass\nwd.csv", b"a,b\n1,2\n").name == "pass_wd.csv"
