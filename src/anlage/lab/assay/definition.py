"""An assay as it is approved: plate layout, model, reference, validity rules. Read from YAML."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from anlage.base import Refused
from anlage.library import Content

from ..columns import decoded, read_bytes

BYTES_MAX = 1_000_000


def content_of(path: Path) -> Content:
    """Give the mapping that a YAML file holds.

    Raises:
        Refused: The file is missing, too large, no YAML, or no mapping of names.
    """
    text = decoded(read_bytes(path), path)
    if len(text) > BYTES_MAX:
        raise _refused(path, f"{len(text)} characters", None)
    try:
        content = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _refused(path, str(getattr(error, "problem", error))[:200], mark) from error
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        raise _refused(path, type(content).__name__, None)
    return content


class _Loader(yaml.SafeLoader):
    """A safe loader that leaves decimals and dates as they are written."""


_Loader.yaml_implicit_resolvers = {
    sign: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in {"tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp"}
    ]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _refused(path: Path, found: str, mark: "yaml.Mark | None") -> Refused:
    return Refused(
        "definition-unreadable",
        what="definition",
        found=found,
        limit=f"YAML that names its fields, at most {BYTES_MAX} characters",
        remedy="correct the file",
        path=str(path),
        line=None if mark is None else mark.line + 1,
    )
