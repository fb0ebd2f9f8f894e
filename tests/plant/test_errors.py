"""Every refusal of the making of lots has a code that stands once, with its meaning."""

import re
from pathlib import Path

import anlage
from anlage.plant.errors import CODES

SOURCE = Path(anlage.__file__).parent
MODULES = [
    *(SOURCE / "plant" / f"{name}.py" for name in (
        "begin", "deviation", "disposition", "entry", "errors", "filling", "label_need",
        "personal_data",
        "readings", "results", "review", "sample", "signing", "steps",
    )),
    *sorted((SOURCE / "plant").glob("journey*.py")),
    *sorted((SOURCE / "plant").glob("step_*.py")),
    SOURCE / "app" / "commands" / "lots.py",
    SOURCE / "app" / "commands" / "making.py",
]  # fmt: skip
USED = re.compile(r'(?:Refused\(\s*|raise _no\(\s*|code=)"([a-z][a-z-]+)"')


def test_every_code_that_is_raised_is_explained():
    raised = {code for path in MODULES for code in USED.findall(path.read_text("utf-8"))}

    # What stands before release is told beside the refusal, not as a refusal of its own.
    before_release = set(re.findall(
        r'code="([a-z-]+)"', (SOURCE / "plant" / "review.py").read_text("utf-8")
    ))  # fmt: skip
    assert raised - before_release - CODES.keys() == set()


def test_no_code_is_explained_that_nobody_raises():
    text = "\n".join(path.read_text("utf-8") for path in MODULES if path.name != "errors.py")
    text += "".join(path.read_text("utf-8").partition("def distinct")[2] for path in MODULES)

    assert [code for code in CODES if f'"{code}"' not in text] == []
