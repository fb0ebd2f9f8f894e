"""Writing what was learnt into a network file, in place: comments and all else stay as they are."""

from dataclasses import dataclass
from typing import Any, cast

import yaml

from anlage.base import Refused

from ..checking import check
from ..errors import NAME_UNKNOWN, SHAPE_WRONG
from .learn import Json

_TIMED = ("use", "wait", "delay")
_TIMES = ("time", "duration", "service", "for")


@dataclass(frozen=True, slots=True)
class Change:
    """One value that was written.

    Attributes:
        what: The step, clinic or class.
        line: Its line in the file as it was.
        was: The text that stood there.
        written: The text that stands there now.
    """

    what: str
    line: int
    was: str
    written: str


def written_into(
    text: str, learnt: Json, *, path: str | None = None
) -> tuple[str, tuple[Change, ...]]:
    """Give a network file with learnt times and rates in the place of its own, and what changed.

    A stage's fit goes to the step of its name. Rates of clinics go to their `share`, and the rate
    of all together to the classes, which keep their proportions.

    Raises:
        Refused: Nothing learnt has a place in the file, or the file would no longer be sound.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _unfit(str(error).splitlines()[0], path) from None
    if not isinstance(root, yaml.MappingNode):
        raise _unfit("no mapping", path)
    edits = _Edits(text)
    times = cast(dict[str, dict[str, Any]], learnt.get("times") or {})
    for name, node in _timed_steps(root):
        fit = times.get(name, {}).get("fit")
        if fit is not None:
            edits.put(f"step {name}", node, _flow(fit))
    demand = cast(dict[str, Any], learnt.get("demand") or {})
    if demand:
        _rates(root, demand, edits)
    if not edits.changes:
        steps = ", ".join(name for name, _ in _timed_steps(root)) or "(there is none)"
        raise Refused(
            NAME_UNKNOWN,
            what="what was learnt",
            found=", ".join([*times, *demand.get("clinics", {})][:12]) or "nothing",
            limit=f"stages named as steps of the file ({steps}), or clinics named as its clinics",
            remedy="name the step as the stage (name: …), or the other way round",
            path=path,
        )
    made = edits.text()
    problems = check(made, path=path).problems
    if problems:
        raise Refused.of(problems)
    return made, tuple(edits.changes)


class _Edits:
    """Pieces of a text that are to be replaced, by the places where they stand."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces: list[tuple[int, int, str]] = []
        self.changes: list[Change] = []

    def put(self, what: str, node: yaml.Node, written: str) -> None:
        start, end = node.start_mark.index, node.end_mark.index
        was = self._text[start:end]
        # A block's end mark lies at the next thing; what lies between is not the value's.
        kept = was.rstrip()
        self._pieces.append((start, start + len(kept), written))
        self.changes.append(Change(what, node.start_mark.line + 1, kept, written))

    def insert(self, what: str, at: int, line: int, written: str) -> None:
        self._pieces.append((at, at, written))
        self.changes.append(Change(what, line, "", written.strip(" ,\n")))

    def text(self) -> str:
        made = self._text
        for start, end, written in sorted(self._pieces, reverse=True):
            made = made[:start] + written + made[end:]
        return made


def _timed_steps(node: yaml.Node) -> list[tuple[str, yaml.Node]]:
    """Give every step that has a name and a time, with the node of the time."""
    found: list[tuple[str, yaml.Node]] = []
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            found += _timed_steps(item)
    if not isinstance(node, yaml.MappingNode):
        return found
    keys = {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    name = keys.get("name")
    for kind in _TIMED:
        inner = keys.get(kind)
        time = inner
        if isinstance(inner, yaml.MappingNode):
            parts = {key.value: value for key, value in inner.value}
            time = next((parts[one] for one in _TIMES if one in parts), None)
            if time is None and kind != "use":
                time = inner
            name = name or parts.get("name") or parts.get("resource")
        if time is not None and isinstance(name, yaml.ScalarNode):
            found.append((name.value, time))
    for _, value in node.value:
        found += _timed_steps(value)
    return found


def _rates(root: yaml.MappingNode, demand: dict[str, Any], edits: _Edits) -> None:
    """Write the shares of clinics, and the rates of classes."""
    parts = {key.value: value for key, value in root.value}
    rates = {name: row["rate_per_week"] for name, row in demand["clinics"].items()}
    clinics = parts.get("clinics")
    written = 0.0
    if isinstance(clinics, yaml.MappingNode):
        for key, node in clinics.value:
            if key.value in rates:
                written += rates[key.value]
                _share(key, node, f"{rates[key.value]:.4g}", edits)
    total = written or (sum(rates.values()) if "all" in rates else 0.0)
    classes = parts.get("classes")
    if not total or not isinstance(classes, yaml.MappingNode):
        return
    now = [(key.value, node, _rate_node(node)) for key, node in classes.value]
    known = [(name, node) for name, _, node in now if node is not None]
    weights = [_per_week(node.value) for _, node in known]
    for (name, node), weight in zip(known, weights, strict=True):
        part = weight / sum(weights) if sum(weights) else 1 / len(known)
        edits.put(f"class {name}", node, f"{total * part:.4g} / week")


def _share(key: yaml.Node, node: yaml.Node, share: str, edits: _Edits) -> None:
    what, line = f"clinic {key.value}", key.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        if node.start_mark.index == node.end_mark.index:
            edits.insert(what, node.start_mark.index, line, f" {{share: {share}}}")
        else:
            edits.put(what, node, f"{{share: {share}}}")
        return
    for inner, value in node.value:
        if inner.value == "share":
            edits.put(what, value, share)
            return
    if node.flow_style:
        gap = ", " if node.value else ""
        edits.insert(what, node.start_mark.index + 1, line, f"share: {share}{gap}")
    else:
        first = node.value[0][0].start_mark
        edits.insert(what, first.index, line, f"share: {share}\n{' ' * first.column}")


def _rate_node(node: yaml.Node) -> yaml.ScalarNode | None:
    """Give the node of a class's rate, where it is written as one."""
    if not isinstance(node, yaml.MappingNode):
        return None
    parts = {key.value: value for key, value in node.value}
    arrivals = parts.get("arrivals")
    if isinstance(arrivals, yaml.MappingNode):
        arrivals = {key.value: value for key, value in arrivals.value}.get("rate")
    return arrivals if isinstance(arrivals, yaml.ScalarNode) else None


def _per_week(text: str) -> float:
    from ..measure import Unfit, rate

    try:
        return rate(text) * 7
    except Unfit:
        return 0.0


def _flow(fit: dict[str, dict[str, object]]) -> str:
    """Give a distribution as one line of YAML."""
    return str(yaml.safe_dump(fit, default_flow_style=True, sort_keys=False, width=1_000)).strip()


def _unfit(found: str, path: str | None) -> Refused:
    return Refused(
        SHAPE_WRONG,
        what="the network file",
        found=found,
        limit="a network in YAML",
        remedy="run `anlage network check FILE`",
        path=path,
    )
