"""Networks as one kind of definition: the network package reads them, the library keeps them.

The definition holds the file's own text: its comments carry the sources of its numbers, and a
problem names its line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from anlage.base import Problem, Refused
from anlage.library import Content, Reference, register_kind

from .network_recipes import starter_tasks

KIND = "network"
FILE_MAX = 100_000
TEXTS = ("id", "title", "basis", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFile:
    """A network's definition.

    Attributes:
        id: Its identifier.
        title: Its name in words.
        basis: Where its numbers come from.
        file: The network as YAML.
    """

    id: str
    title: str
    basis: str
    file: str

    @property
    def references(self) -> tuple[Reference, ...]:
        """A network names no other definition."""
        return ()


def read_network_definition(content: Content) -> NetworkFile:
    """Check a network's definition and the network in it.

    Raises:
        Refused: With every defect; those of the network have the line in its file.
    """
    problems = [
        Problem(
            code="definition-malformed",
            what=f"{name} of a network",
            found="nothing" if not content.get(name) else type(content[name]).__name__,
            limit="text",
            remedy="write it",
            path=name,
        )
        for name in TEXTS
        if not isinstance(content.get(name), str) or not content[name]
    ]
    problems += [
        Problem(
            code="definition-malformed",
            what="key of a network's definition",
            found=name[:60],
            limit=", ".join(("kind", *TEXTS)),
            remedy="leave it out",
            path=name[:60],
        )
        for name in content
        if name not in {"kind", *TEXTS}
    ]
    if not problems:
        problems += check_network(str(content["file"]))
    if problems:
        raise Refused.of(problems)
    return NetworkFile(**{name: str(content[name]) for name in TEXTS})


def check_network(text: str) -> list[Problem]:
    """Give every problem of a network's text, by line."""
    from anlage.network import check

    if len(text) > FILE_MAX:
        return [
            Problem(
                code="network-unreadable",
                what="the network's text",
                found=f"{len(text):,} characters",
                limit=f"{FILE_MAX:,} characters",
                remedy="run a larger file with `anlage network`",
            )
        ]
    return list(check(text, recipes=starter_tasks).problems)


def network_content(*, id: str, title: str, basis: str, file: str) -> dict[str, str]:
    """Give the content of a network's definition; the file ends with one line break."""
    text = file.replace("\r\n", "\n").rstrip() + "\n"
    return {"kind": KIND, "id": id, "title": title, "basis": basis, "file": text}


def know_networks() -> None:
    """Let the library keep networks too."""
    register_kind(KIND, read_network_definition)


def network_examples() -> Mapping[str, str]:
    """Give the ready examples: text by name, the simplest first."""
    found = {
        path.name.removesuffix(".yaml"): path.read_text("utf-8")
        for folder in _folders()
        if folder.is_dir()
        for path in folder.iterdir()
        if path.name.endswith(".yaml")
    }
    return dict(sorted(found.items(), key=lambda one: len(one[1])))


def _folders() -> list[Path]:
    """Give where examples lie: in the wheel beside the package, in a checkout at its root."""
    package = Path(str(files("anlage.network")))
    return [package / "examples", package.parents[2] / "examples" / "networks"]
