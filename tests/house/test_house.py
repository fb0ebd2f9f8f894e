"""The house itself: each package opens with its card and lists its face."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import anlage

SOURCE = Path(anlage.__file__).parent
PACKAGES = sorted(
    ".".join(path.parent.relative_to(SOURCE.parent).parts) for path in SOURCE.glob("*/__init__.py")
)
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "services", "manager", "tools"}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_opens_with_its_card(name):
    card = importlib.import_module(name).__doc__ or ""

    assert re.search(r"^Touches: ", card, re.MULTILINE)
    assert re.search(r"^Touched by: ", card, re.MULTILINE)
    assert re.search(r"^Start at: ", card, re.MULTILINE)


def test_no_module_has_a_name_that_says_nothing():
    names = {module.name.rpartition(".")[2] for module in pkgutil.walk_packages([str(SOURCE)])}

    assert not names & FORBIDDEN_NAMES


def test_a_package_is_entered_by_its_face():
    offences = []
    for path in SOURCE.rglob("*.py"):
        home = path.relative_to(SOURCE).parts[0]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                parts = node.module.split(".")
                is_ours = parts[0] == "anlage" and len(parts) > 2
                if is_ours and parts[1] != home and not _is_face(parts):
                    offences.append(f"{path.relative_to(SOURCE)}: {node.module}")

    assert offences == []


def _is_face(parts):
    """A folder is a face; a module inside another package is not, save Django's `models`."""
    if parts[-1] == "models":
        return True
    if parts[1] in {"lab", "twin"} and len(parts) == 3:
        return True  # each method is a face of its own, so that importing one stays light
    return (SOURCE.joinpath(*parts[1:]) / "__init__.py").exists()
