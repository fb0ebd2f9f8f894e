"""The trace matrix, read from the marks on the tests; never typed by hand."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


FILES = {"Part 11 and Annex 11": "requirements.toml", "Pains of users": "users.toml"}


def requirements(file=None):
    """Give the requirement rows by id, of one file or of all."""
    names = FILES.values() if file is None else [file]
    read = [tomllib.loads((ROOT / "docs/validation" / one).read_text("utf-8")) for one in names]
    return {name: row for rows in read for name, row in rows.items()}


def marked_tests():
    """Give, per requirement id, the tests that carry its mark: file and name."""
    found = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for one in node.decorator_list:
                    if isinstance(one, ast.Call) and ast.unparse(one.func) == "pytest.mark.req":
                        for argument in one.args:
                            place = (path.relative_to(ROOT).as_posix(), node.name)
                            found.setdefault(argument.value, []).append(place)
    return found


def as_page():
    """Give the matrix as a page of Markdown."""
    marks, lines = marked_tests(), []
    lines += [
        "# Trace matrix",
        "",
        "Made from the marks on the tests each time the documents are built.",
        "",
    ]
    for title, file in FILES.items():
        lines += [f"## {title}", "", "| requirement | asks | shown by |", "|---|---|---|"]
        for name, row in requirements(file).items():
            shown = _shown(marks.get(name, [])) or "**open**: " + row.get("open", "")
            lines.append(f"| {name} | {row['asks']} | {shown} |")
        lines.append("")
    others = {name: tests for name, tests in marks.items() if name not in requirements()}
    lines += [
        "",
        "## Checks of buyers, and rows of the roadmap",
        "",
        "| mark | shown by |",
        "|---|---|",
    ]
    for name in sorted(others, key=str):
        lines.append(f"| {name} | {_shown(others[name])} |")
    return "\n".join(lines) + "\n"


def _shown(tests):
    return "<br>".join(
        f"`{file}` {test.removeprefix('test_').replace('_', ' ')}" for file, test in tests
    )
