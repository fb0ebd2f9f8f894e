"""The README's picture, taken of a real page; ANLAGE_SCREENSHOTS=docs/images writes it anew."""

import os
import struct
from pathlib import Path

import pytest

pytestmark = pytest.mark.journey


def test_a_lot_in_work_makes_the_picture_of_the_readme(come, hospital, tmp_path):
    page = come("eva", size="desktop")
    page.goto(f"{hospital.address}/lots/{hospital.named['running']}")
    page.get_by_role("heading", name="What stands before release").wait_for()
    folder = Path(os.environ.get("ANLAGE_SCREENSHOTS", tmp_path))

    data = page.screenshot(path=folder / "lots.png")

    assert data.startswith(b"\x89PNG")
    assert struct.unpack(">II", data[16:24]) == (1360, 900)
    assert len(data) > 30_000, "an empty page compresses to less"
