"""Labels as they have always been printed: a changed label is a changed print, seen and agreed.

To agree: delete the file in `golden/` and run the test, which then writes it anew and fails once.
"""

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image
from tests.wire.test_labels import ALL

from anlage.wire.labels import LAYOUTS, render, zpl

GOLDEN = Path(__file__).parent / "golden"


def _agreed(name, text):
    path = GOLDEN / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        pytest.fail(f"{name} was not there and has been written: look at it, then commit it")
    return path.read_text("utf-8")


@pytest.mark.req("U27")
@pytest.mark.parametrize("name", ALL)
def test_a_thermal_label_is_as_agreed(name):
    text = zpl(LAYOUTS[name], [ALL[name]], dpi=200)

    assert text == _agreed(f"{name}.zpl", text)


@pytest.mark.parametrize("name", ALL)
def test_a_picture_of_a_label_is_as_agreed_to_the_pixel(name):
    (page,) = render(LAYOUTS[name], [ALL[name]], form="png", dpi=300).pages
    picture = Image.open(io.BytesIO(page)).convert("L")
    text = f"{picture.width} x {picture.height} {hashlib.sha256(picture.tobytes()).hexdigest()}\n"

    assert text == _agreed(f"{name}.png.sha256", text)
