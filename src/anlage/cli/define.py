"""`anlage define ...`: definitions as files and in an installation."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from anlage.base import Problem, Refused

if TYPE_CHECKING:
    from anlage.library import Checked

from .define_acts import register_acts
from .shell import Answer, Group

FILES_MAX = 2000


def register(group: Group) -> None:
    """Add the commands."""
    check_ = group.command("check", check, help="check definition files: form, units, sense")
    check_.add_argument("files", nargs="+", type=Path, metavar="FILE", help="YAML file or folder")
    check_.add_argument(
        "--alone", action="store_true", help="do not ask that the definitions named are there too"
    )
    diff_ = group.command("diff", diff, help="what differs between two definition files")
    diff_.add_argument("old", type=Path)
    diff_.add_argument("new", type=Path)
    classify_ = group.command("classify", classify, help="which labels a medium may carry, and why")
    classify_.add_argument("files", nargs="+", type=Path, metavar="FILE")
    classify_.add_argument("--rules", type=Path, metavar="FILE", help="another rule set")
    starters_ = group.command("starters", starters, help="the definitions that come with Anlage")
    starters_.add_argument("--kind", help="one kind only")
    starters_.add_argument("--to", type=Path, metavar="DIR", help="copy them there to begin with")
    compute_ = group.command("compute", compute, help="do a calculation from its file")
    compute_.add_argument("file", type=Path)
    compute_.add_argument("inputs", nargs="*", metavar="NAME=VALUE", help='such as "weight=70 kg"')
    compute_.add_argument("--check", metavar="VALUE", help="a result worked out independently")
    evaluate_ = group.command("evaluate", evaluate, help="judge results by a specification's file")
    evaluate_.add_argument("file", type=Path)
    evaluate_.add_argument("results", nargs="*", metavar="ATTRIBUTE=RESULT")
    evaluate_.add_argument("--stage", default="release", help="release, in-process, after-release")
    evaluate_.add_argument(
        "--only-given", action="store_true", help="leave out attributes without a result"
    )
    register_acts(group)


def check(options: argparse.Namespace) -> Answer:
    """Check each file by its kind, then that what they name is there; one bad file stops none."""
    from anlage.app import know_methods, know_networks, know_recipes
    from anlage.library import check_document, dangling, starters

    know_methods()
    know_recipes()
    know_networks()
    good: list[Checked] = []
    rows, problems = [], list[Problem]()
    for path in _each(options.files):
        found: tuple[Problem, ...] = ()
        row: dict[str, object] = {"path": str(path), "kind": None, "id": None, "digest": None}
        try:
            one = check_document(bytes_of(path), str(path))
            good.append(one)
            row |= {"kind": one.kind, "id": one.id, "title": one.title, "digest": one.digest}
        except Refused as refusal:
            found = refusal.problems
        problems.extend(found)
        rows.append(row)
    twice = _twice(good)
    problems.extend(twice)
    if not options.alone:
        known = [(one.kind, one.id) for one in starters()] + _recipes()
        problems.extend(dangling(good, known))
    for row in rows:
        mine = [one for one in problems if one.path == row["path"]]
        row |= {"ok": not mine, "problems": [one.as_dict() for one in mine]}
    text = [f"{row['path']}: {'ok' if row['ok'] else 'NOT ok'}" for row in rows]
    data = {
        "ok": not problems,
        "files": rows,
        "problems": [one.as_dict() for one in problems],
    }
    return Answer(data, "\n".join([*text, *(f"  {one}" for one in problems)]), ok=not problems)


def diff(options: argparse.Namespace) -> Answer:
    """Show every value that differs between two files."""
    from anlage.library import check_document, difference

    old = check_document(bytes_of(options.old), str(options.old))
    new = check_document(bytes_of(options.new), str(options.new))
    changes = difference(old.content, new.content)
    data = {
        "old": {"path": str(options.old), "digest": old.digest},
        "new": {"path": str(options.new), "digest": new.digest},
        "is_same": not changes,
        "changes": [{"path": one.path, "old": one.old, "new": one.new} for one in changes],
    }
    return Answer(data, "\n".join(map(str, changes)) or "no difference")


def classify(options: argparse.Namespace) -> Answer:
    """Judge the labels of media; a claim that is not plainly true makes the answer invalid."""
    from anlage.library import MaterialClass, RuleSet, check_document, media_labels

    rules = media_labels()
    if options.rules is not None:
        defined = check_document(bytes_of(options.rules), str(options.rules)).defined
        if not isinstance(defined, RuleSet):
            raise _other_kind(options.rules, "vocabulary")
        rules = defined
    rows, lines, problems = [], list[str](), list[Problem]()
    for path in options.files:
        try:
            one = check_document(bytes_of(path), str(path))
            if not isinstance(one.defined, MaterialClass):
                raise _other_kind(path, "material-class")
            verdicts = rules.classify(one.defined.composition)
        except Refused as refusal:
            problems.extend(refusal.problems)
            lines.extend(f"  {problem}" for problem in refusal.problems)
            continue
        labels = [
            {"label": each.label, "verdict": each.word.value, "reasons": list(each.reasons)}
            for each in verdicts
        ]
        claimed = rules.judge_claims(one.defined.claims, one.defined.composition)
        wrong = [one.document.locate(each) if one.document else each for each in claimed]
        problems.extend(wrong)
        rows.append(
            {
                "path": str(path),
                "id": one.id,
                "labels": labels,
                "claims": list(one.defined.claims),
                "ok": not wrong,
            }
        )
        lines.append(f"{one.title} ({rules.name})")
        lines += [f"  {v.label:24} {v.word.value:9} {'; '.join(v.reasons)}" for v in verdicts]
        lines += [f"  {each}" for each in wrong]
    data = {
        "ok": not problems,
        "rule_set": rules.name,
        "media": rows,
        "problems": [one.as_dict() for one in problems],
    }
    return Answer(data, "\n".join(lines), ok=not problems)


def starters(options: argparse.Namespace) -> Answer:
    """List the starter definitions, and copy them where asked."""
    from anlage.library import kinds
    from anlage.library import starters as all_starters

    if options.kind is not None and options.kind not in kinds():
        raise Refused(
            "definition-kind",
            what="kind",
            found=options.kind,
            limit=", ".join(kinds()),
            remedy="choose one of these",
        )
    found = [one for one in all_starters() if options.kind in {None, one.kind}]
    if options.to is not None:
        for one in found:
            _copy((one.document and one.document.name) or "", options.to)
    rows = [
        {"kind": one.kind, "id": one.id, "title": one.title, "digest": one.digest} for one in found
    ]
    lines = [f"{one.kind:16} {one.id:30} {one.title}" for one in found]
    return Answer({"definitions": rows, "to": options.to and str(options.to)}, "\n".join(lines))


def compute(options: argparse.Namespace) -> Answer:
    """Do a calculation, and compare it with an independent result where one is given."""
    from anlage.base import Quantity
    from anlage.library import Calculation, check_document

    defined = check_document(bytes_of(options.file), str(options.file)).defined
    if not isinstance(defined, Calculation):
        raise _other_kind(options.file, "calculation")
    values = {name: Quantity.parse(text) for name, text in _pairs(options.inputs).items()}
    done = defined.trace(values)
    data: dict[str, object] = {
        "calculation": done.calculation,
        "inputs": {name: str(value) for name, value in done.inputs.items()},
        "steps": {name: str(value) for name, value in done.steps},
        "unrounded": str(done.unrounded),
        "result": {"value": str(done.result.value), "unit": done.result.unit},
    }
    text, ok = f"{defined.heading.title}: {done.result}", True
    if options.check is not None:
        agreement = defined.check(done.result, Quantity.parse(options.check))
        data["check"] = {"agrees": agreement.agrees, "sentence": agreement.sentence}
        text, ok = f"{text}\n{agreement.sentence}", agreement.agrees
    return Answer(data, text, ok=ok)


def evaluate(options: argparse.Namespace) -> Answer:
    """Judge results; a fail or an open question makes the answer invalid."""
    from anlage.library import Outcome, Result, Specification, Stage, check_document, overall

    defined = check_document(bytes_of(options.file), str(options.file)).defined
    if not isinstance(defined, Specification):
        raise _other_kind(options.file, "specification")
    if options.stage not in [one.value for one in Stage]:
        raise Refused(
            "stage-unknown",
            what="stage",
            found=options.stage,
            limit=", ".join(one.value for one in Stage),
            remedy="choose one of these",
        )
    given = {name: Result.parse(text) for name, text in _pairs(options.results).items()}
    verdicts = defined.judge(given, stage=Stage(options.stage))
    if options.only_given:
        verdicts = {name: one for name, one in verdicts.items() if name in given}
    outcome = overall(verdicts)
    rows = [
        {
            "attribute": name,
            "outcome": one.outcome.value,
            "reported": one.reported and str(one.reported),
            "compared": one.compared,
            "reasons": list(one.reasons),
        }
        for name, one in verdicts.items()
    ]
    lines = [f"{row['outcome']:13} {row['attribute']:28} {row['compared']}" for row in rows]
    return Answer(
        {"specification": defined.heading.id, "outcome": outcome.value, "verdicts": rows},
        "\n".join([*lines, f"overall: {outcome.value}"]),
        ok=outcome in {Outcome.PASS, Outcome.WARNING},
    )


def _each(paths: list[Path]) -> Iterator[Path]:
    count = 0
    for path in paths:
        inside = sorted(path.rglob("*.y*ml")) if path.is_dir() else [path]
        if not inside:
            raise Refused(
                "folder-empty",
                what=str(path),
                found="no YAML file",
                limit="at least one",
                remedy="name the folder that holds the definitions",
            )
        for one in inside:
            count += 1
            if count > FILES_MAX:
                raise Refused(
                    "too-many-files", what="files", limit=FILES_MAX, remedy="check in parts"
                )
            yield one


def bytes_of(path: Path) -> bytes:
    """Give the bytes of a definition's file, one more than the most that is read.

    Raises:
        Refused: It cannot be read.
    """
    from anlage.library import BYTES_MAX

    try:
        with path.open("rb") as stream:
            return stream.read(BYTES_MAX + 1)
    except OSError as error:
        raise Refused(
            "file-unreadable",
            what=f"definition file {path}",
            found=error.strerror,
            remedy="name another",
            path=str(path),
        ) from error


def _pairs(words: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name or name in pairs:
            raise Refused(
                "input-malformed",
                what="input",
                found=repr(word[:60]),
                limit="NAME=VALUE, each name once",
                remedy='write it as "weight=70 kg"',
            )
        pairs[name] = value
    return pairs


def _recipes() -> list[tuple[str, str]]:
    from importlib.resources import files

    folder = files("anlage.library").joinpath("data", "recipes")
    return [("recipe", one.name.removesuffix(".yaml")) for one in folder.iterdir()]


def _twice(good: "list[Checked]") -> list[Problem]:
    first: dict[tuple[str, str], str] = {}
    problems = []
    for one in good:
        name = one.document.name if one.document else None
        if (key := (one.kind, one.id)) in first:
            problems.append(
                Problem(
                    code="definition-twice",
                    what=f"{one.kind} {one.id}",
                    found=f"also in {first[key]}",
                    limit="each definition once",
                    remedy="keep one, or give it another id",
                    path=name,
                    line=1,
                )
            )
        else:
            first[key] = name or ""
    return problems


def _other_kind(path: Path, kind: str) -> Refused:
    return Refused(
        "definition-kind",
        what=f"definition file {path}",
        found="another kind",
        limit=f"a definition of kind {kind}",
        remedy="name another file",
        path=str(path),
    )


def _copy(name: str, folder: Path) -> None:
    from importlib.resources import files

    target = folder / Path(name).relative_to("data")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        raise Refused(
            "file-exists",
            what=str(target),
            found="a file",
            remedy="copy into an empty folder, so that nothing of yours is overwritten",
        )
    target.write_bytes(files("anlage.library").joinpath(name).read_bytes())
