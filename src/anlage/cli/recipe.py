"""`anlage recipe`: check a recipe before anybody relies on it."""

import argparse
from pathlib import Path
from typing import Any

from anlage.base import Problem, Refused

from .shell import Answer, Group


def register(group: Group) -> None:
    """Add `anlage recipe check`."""
    check = group.command("check", _check, help="explain every defect of a recipe, with its line")
    check.add_argument("files", metavar="FILE", nargs="+", type=Path, help="a recipe in YAML")


def _check(args: argparse.Namespace) -> Answer:
    files = [_check_one(path) for path in args.files]
    problems = [problem for one in files for problem in one["problems"]]
    ok = all(one["ok"] for one in files)
    lines = []
    for one in files:
        count = f"{one['phases']} phases" if one["ok"] else f"{len(one['problems'])} defects"
        lines.append(f"{one['path']}: {'ok' if one['ok'] else 'not usable'}, {count}")
        lines += [f"  {_sentence(problem)}" for problem in one["problems"]]
    data: dict[str, Any] = {"ok": ok, "files": files, "problems": problems}
    if len(files) == 1:
        data |= {key: files[0][key] for key in ("recipe", "digest", "phases")}
    return Answer(data, "\n".join(lines), ok=ok)


def _check_one(path: Path) -> dict[str, Any]:
    from anlage.library import read_yaml
    from anlage.plant import check_recipe

    try:
        checked = check_recipe(read_yaml(_read(path), str(path)))
    except Refused as refusal:
        return _found(path, None, None, 0, refusal.problems)
    recipe = checked.recipe
    phases = len(recipe.phases()) if recipe else 0
    id = recipe.id if recipe else None
    return _found(path, id, checked.digest, phases, checked.problems)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(
            "file-unreadable",
            what=f"file {path}",
            found=error.strerror or "it cannot be read",
            limit="a file that can be read",
            remedy="check the name",
            path=str(path),
        ) from error


def _found(
    path: Path, recipe: str | None, digest: str | None, phases: int, problems: tuple[Problem, ...]
) -> dict[str, Any]:
    return {
        "path": str(path),
        "ok": not problems and recipe is not None,
        "recipe": recipe,
        "digest": digest,
        "phases": phases,
        "problems": [{**one.as_dict(), "file": str(path)} for one in problems],
    }


def _sentence(problem: dict[str, Any]) -> str:
    values = {key: value for key, value in problem.items() if key != "file"}
    return f"[{problem['code']}] {Problem(**values)}"
