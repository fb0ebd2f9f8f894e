"""Every refusal of the package is documented, and none is documented in vain."""

import re
from pathlib import Path

from anlage.lab import flow
from anlage.lab.flow import REFUSALS


def test_each_code_raised_is_documented_and_each_documented_code_is_raised():
    folder = Path(flow.__file__).parent
    files = [path for path in folder.glob("*.py") if path.name != "errors.py"]
    files.append(folder.parents[1] / "cli" / "flow.py")
    source = "\n".join(path.read_text() for path in files)
    used = set(
        re.findall(r'"((?:fcs|flow|gatingml|gate|transform|auto|membership)-[a-z-]+)"', source)
    )
    used |= {"workspace"} & set(re.findall(r'Refused\(\s*"(workspace)"', source))

    # "fcs-dimension" is an element of Gating-ML, not a code.
    assert used - {"fcs-dimension"} == set(REFUSALS)
