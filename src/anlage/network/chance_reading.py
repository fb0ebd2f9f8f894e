"""Reading distributions, and values that differ by class, clinic or site."""

import difflib
import math
from collections.abc import Callable
from typing import Literal, cast

from .distribution import (
    Distribution,
    Kind,
    deterministic,
    empirical,
    exponential,
    gamma,
    lognormal,
    triangular,
    uniform,
)
from .document import Node
from .errors import KEY_UNKNOWN, SHAPE_WRONG, VALUE_IMPOSSIBLE
from .fields import Fields, Judgement
from .measure import DAYS_PER, Unfit, duration, number, rate, share
from .model import Choice

VALUES_MAX = 50_000

Chances = Callable[[Node, str, Judgement], Distribution | float | None]


def time_of(node: Node, what: str, judgement: Judgement) -> Distribution | None:
    """Read a time: a constant such as `1 hour`, or one family with its parameters."""
    if node.text is not None:
        days = judgement.read(node, what, duration)
        return None if days is None else deterministic(days)
    if node.items is not None:
        return _sample(node, None, what, judgement)
    keys = [key for key in (node.keys or {}) if key not in _PLUS]
    fields = Fields(node, what, judgement)
    plus = fields.take(*_PLUS, reader=duration, default=0.0)
    families = [key for key in keys if _plain(key) in FAMILIES]
    if len(families) != 1:
        _say_family(fields, keys, families)
        return None
    inner = fields.node_of(families[0])
    fields.done()
    if inner is None:
        return None
    name = _plain(families[0])
    made = _family(name, inner, f"{what}: {name}", judgement)
    if made is None or plus == 0:
        return made
    return Distribution(
        kind=made.kind,
        first=made.first,
        second=made.second,
        third=made.third,
        plus=plus,
        values=made.values,
        weights=made.weights,
    )


def share_of(node: Node, what: str, judgement: Judgement) -> float | None:
    """Read a probability."""
    return judgement.read(node, what, share)


def choice_of(node: Node, what: str, judgement: Judgement, reader: Chances) -> Choice | None:
    """Read a value that may differ: plain, or under `by class`, `by clinic` or `by site`."""
    names = {"by class": "class", "by clinic": "clinic", "by site": "site"}
    found = [key for key in (node.keys or {}) if key.replace("_", " ") in names]
    if not found:
        value = reader(node, what, judgement)
        return None if value is None else Choice(default=value)
    fields = Fields(node, what, judgement)
    table = fields.node_of(found[0])
    other = fields.node_of("default", "else", "otherwise")
    fields.done()
    default = None if other is None else reader(other, f"{what}: default", judgement)
    by = cast(Literal["class", "clinic", "site"], names[found[0].replace("_", " ")])
    values: dict[str, Distribution | float] = {}
    inner = Fields(table, f"{what}: {found[0]}", judgement) if table else None
    for name, (key, value_node) in (inner.keys if inner else {}).items():
        judgement.place(f"{what}: {name}", key.line)
        value = reader(value_node, f"{what}: {name}", judgement)
        if value is not None:
            values[name] = value
    return Choice(by=by, default=default, values=values)


_PLUS = ("plus", "shift", "offset")
FAMILIES = {
    "deterministic": "deterministic",
    "constant": "deterministic",
    "fixed": "deterministic",
    "exponential": "exponential",
    "uniform": "uniform",
    "triangular": "triangular",
    "lognormal": "lognormal",
    "gamma": "gamma",
    "erlang": "erlang",
    "weibull": "weibull",
    "normal": "normal",
    "pert": "pert",
    "empirical": "empirical",
    "sample": "empirical",
}


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "").replace("_", "").replace(" ", "")


def _say_family(fields: Fields, keys: list[str], families: list[str]) -> None:
    known = list(dict.fromkeys(FAMILIES))
    close = difflib.get_close_matches(_plain(keys[0]), known, n=1, cutoff=0.5) if keys else []
    fields.judgement.say(
        KEY_UNKNOWN if keys else SHAPE_WRONG,
        fields.what,
        fields.keys[keys[0]][0].line if keys else fields.node.line,
        found=", ".join(families or keys) or fields.node.kind,
        limit="a time such as 1 hour, or one of " + ", ".join(known),
        remedy=(
            "keep one of them"
            if len(families) > 1
            else f"write {close[0]}"
            if close
            else "write 1 hour, or {exponential: {mean: 1 hour}}"
        ),
    )


def _family(name: str, node: Node, what: str, judgement: Judgement) -> Distribution | None:
    family = FAMILIES[name]
    if family == "empirical":
        return _sample(node, None, what, judgement)
    if node.text is not None or node.items is not None:
        return _short(family, node, what, judgement)
    fields = Fields(node, what, judgement)
    before = len(judgement.problems)
    made = _LONG[family](fields)
    fields.done()
    return made if made and len(judgement.problems) == before else None


def _short(family: str, node: Node, what: str, judgement: Judgement) -> Distribution | None:
    """Read `exponential: 1 hour`, `uniform: [1 h, 2 h]`, `triangular: [1 h, 2 h, 3 h]`."""
    count = {"deterministic": 1, "exponential": 1, "uniform": 2, "triangular": 3, "pert": 3}
    items = node.items if node.items is not None else [node]
    if count.get(family) != len(items):
        names = {
            "lognormal": "{mean: 2 days, sd: 1 day}",
            "gamma": "{mean: 2 days, sd: 1 day}",
            "normal": "{mean: 2 days, sd: 1 day}",
            "erlang": "{shape: 3, mean: 2 days}",
            "weibull": "{shape: 1.5, scale: 2 days}",
            "uniform": "{low: 1 hour, high: 2 hours}",
            "triangular": "{low: 1 hour, mode: 2 hours, high: 3 hours}",
            "pert": "{low: 1 hour, mode: 2 hours, high: 3 hours}",
        }
        example = names.get(family, "{mean: 1 hour}")
        judgement.say(
            SHAPE_WRONG,
            what,
            node.line,
            found=node.kind,
            limit=f"its parameters, such as {example}",
            remedy=f"write {family}: {example}",
        )
        return None
    values = [judgement.read(item, what, duration) for item in items]
    if any(value is None for value in values):
        return None
    days = [value for value in values if value is not None]
    if family == "deterministic":
        return deterministic(days[0])
    if family == "exponential":
        return exponential(days[0]) if _positive(days[0], what, node, judgement) else None
    if family == "uniform":
        return _ordered(days, what, node, judgement) and uniform(*days)
    return _three(family, days, what, node, judgement)


def _three(
    family: str, days: list[float], what: str, node: Node, judgement: Judgement
) -> Distribution | None:
    if not _ordered(days, what, node, judgement):
        return None
    made = triangular(days[0], days[1], days[2])
    if family == "triangular":
        return made
    return Distribution(kind=Kind.PERT, first=days[0], second=days[1], third=days[2])


def _positive(value: float, what: str, node: Node, judgement: Judgement) -> bool:
    if value > 0:
        return True
    judgement.say(
        VALUE_IMPOSSIBLE,
        what,
        node.line,
        found=f"{value:g}",
        limit="more than zero",
        remedy="write a time above zero, or deterministic: 0",
    )
    return False


def _ordered(
    days: list[float], what: str, node: Node, judgement: Judgement
) -> Literal[True] | None:
    if sorted(days) == days and days[-1] > days[0]:
        return True
    judgement.say(
        VALUE_IMPOSSIBLE,
        what,
        node.line,
        found=" to ".join(f"{value:g} d" for value in days),
        limit="values that rise",
        remedy="write the lowest first; for a single value write deterministic",
    )
    return None


def _long_deterministic(fields: Fields) -> Distribution | None:
    node = fields.need("value", "mean", "time")
    days = None if node is None else fields.judgement.read(node, fields.what, duration)
    return None if days is None else deterministic(days)


def _long_exponential(fields: Fields) -> Distribution | None:
    frequency = fields.node_of("rate")
    if frequency is not None:
        per_day = fields.judgement.read(frequency, f"{fields.what}: rate", rate)
        if per_day is None or not _positive(per_day, fields.what, frequency, fields.judgement):
            return None
        return exponential(1 / per_day)
    node = fields.need("mean", "average")
    days = None if node is None else fields.judgement.read(node, f"{fields.what}: mean", duration)
    if node is None or days is None or not _positive(days, fields.what, node, fields.judgement):
        return None
    return exponential(days)


def _long_uniform(fields: Fields) -> Distribution | None:
    days = _times(
        fields, ("low", "min", "minimum", "from", "a"), ("high", "max", "maximum", "to", "b")
    )
    if days is None or not _ordered(days, fields.what, fields.node, fields.judgement):
        return None
    return uniform(*days)


def _long_three(family: str) -> Callable[[Fields], Distribution | None]:
    def read(fields: Fields) -> Distribution | None:
        days = _times(
            fields,
            ("low", "min", "minimum", "from"),
            ("mode", "likely", "most likely", "peak"),
            ("high", "max", "maximum", "to"),
        )
        if days is None:
            return None
        return _three(family, days, fields.what, fields.node, fields.judgement)

    return read


def _times(fields: Fields, *groups: tuple[str, ...]) -> list[float] | None:
    values: list[float] = []
    for names in groups:
        node = fields.need(*names)
        label = f"{fields.what}: {names[0]}"
        days = None if node is None else fields.judgement.read(node, label, duration)
        if days is None:
            return None
        values.append(days)
    return values


def _long_lognormal(fields: Fields) -> Distribution | None:
    median_node = fields.node_of("median")
    if median_node is not None:
        median = fields.judgement.read(median_node, f"{fields.what}: median", duration)
        sigma = _numeric(fields, "sigma", "shape")
        if not median or sigma is None:
            if median == 0:
                _positive(0.0, f"{fields.what}: median", median_node, fields.judgement)
            return None
        return Distribution(kind=Kind.LOGNORMAL, first=math.log(median), second=sigma)
    spread = _mean_and_sd(fields)
    return spread and lognormal(*spread)


def _long_gamma(fields: Fields) -> Distribution | None:
    if "shape" in fields.keys or "scale" in fields.keys:
        shape = _numeric(fields, "shape", "k", "alpha")
        per_time = fields.node_of("rate")
        if per_time is not None and shape is not None:
            per_day = fields.judgement.read(per_time, f"{fields.what}: rate", rate)
            return gamma(shape, 1 / per_day) if per_day else None
        scaled = fields.node_of("scale")
        names = ("scale",) if scaled is not None else ("mean", "scale")
        days = _times(fields, names)
        if shape is None or days is None:
            return None
        if not _positive(days[0], fields.what, fields.node, fields.judgement):
            return None
        return gamma(shape, days[0] if scaled is not None else days[0] / shape)
    spread = _mean_and_sd(fields)
    if spread is None:
        return None
    mean, sd = spread
    return gamma((mean / sd) ** 2, sd * sd / mean)


def _long_erlang(fields: Fields) -> Distribution | None:
    shape = _numeric(fields, "shape", "k", "phases", "stages")
    days = _times(fields, ("mean",))
    if shape is None or days is None:
        return None
    if not _positive(days[0], fields.what, fields.node, fields.judgement):
        return None
    return gamma(shape, days[0] / shape)


def _long_weibull(fields: Fields) -> Distribution | None:
    shape = _numeric(fields, "shape", "k")
    days = _times(fields, ("scale",))
    if shape is None or days is None:
        return None
    if not _positive(days[0], fields.what, fields.node, fields.judgement):
        return None
    return Distribution(kind=Kind.WEIBULL, first=shape, second=days[0])


def _long_normal(fields: Fields) -> Distribution | None:
    spread = _mean_and_sd(fields)
    if spread is None:
        return None
    return Distribution(kind=Kind.NORMAL, first=spread[0], second=spread[1])


def _mean_and_sd(fields: Fields) -> tuple[float, float] | None:
    days = _times(fields, ("mean",))
    ratio = fields.node_of("cv", "scv")
    if days is None or not _positive(days[0], fields.what, fields.node, fields.judgement):
        return None
    if ratio is not None:
        value = fields.judgement.read(ratio, f"{fields.what}: cv", _ratio)
        if value is not None and "scv" in fields.keys:
            value = math.sqrt(value)
        sd = None if value is None else value * days[0]
    else:
        spread = _times(fields, ("sd", "std", "standard deviation", "stdev"))
        sd = spread[0] if spread else None
    if sd is None or not _positive(sd, f"{fields.what}: sd", fields.node, fields.judgement):
        return None
    return days[0], sd


def _numeric(fields: Fields, *names: str) -> float | None:
    node = fields.need(*names)
    if node is None:
        return None
    value = fields.judgement.read(node, f"{fields.what}: {names[0]}", number)
    if value is None or not _positive(value, f"{fields.what}: {names[0]}", node, fields.judgement):
        return None
    return value


def _ratio(text: str) -> float:
    return number(text[:-1]) / 100 if text.strip().endswith("%") else number(text)


def _sample(node: Node, unit: float | None, what: str, judgement: Judgement) -> Distribution | None:
    """Read a sample: a list of times, or {values, weights, unit}, or {time: weight}."""
    weights: list[float | None] = []
    if node.keys is not None:
        fields = Fields(node, what, judgement)
        if not {"values", "value"} & set(fields.keys):
            fields.need("values")
            fields.done()
            return None
        unit = fields.take("unit", reader=_unit, default=0.0) or None
        values_node = fields.need("values")
        weights_node = fields.node_of("weights", "probabilities")
        fields.done()
        if weights_node is not None and weights_node.items is not None:
            weights = [
                judgement.read(item, f"{what}: weights", _weight) for item in weights_node.items
            ]
        node = values_node or node
    if not node.items or len(node.items) > VALUES_MAX:
        judgement.say(
            SHAPE_WRONG,
            what,
            node.line,
            found=f"{len(node.items)} values" if node.items is not None else node.kind,
            limit=f"a list of 1 to {VALUES_MAX} times",
            remedy="write empirical: [1 hour, 2 hours, 4 hours]",
        )
        return None
    reader = duration if unit is None else _scaled(unit)
    values = [judgement.read(item, what, reader) for item in node.items]
    if any(value is None for value in [*values, *weights]):
        return None
    if weights and (len(weights) != len(values) or not sum(w or 0 for w in weights) > 0):
        judgement.say(
            VALUE_IMPOSSIBLE,
            f"{what}: weights",
            node.line,
            found=f"{len(weights)} weights for {len(values)} values",
            limit="one weight for each value, not all zero",
            remedy="write as many weights as values",
        )
        return None
    return empirical(
        tuple(value for value in values if value is not None),
        tuple(weight for weight in weights if weight is not None),
    )


def _weight(text: str) -> float:
    value = _ratio(text)
    if value < 0:
        raise Unfit(VALUE_IMPOSSIBLE, text, "zero or more", "write a weight of 0 or more")
    return value


def _unit(text: str) -> float:
    duration(f"1 {text}")
    return DAYS_PER.get(text.strip()) or DAYS_PER[text.strip().lower()]


def _scaled(unit: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = number(text) * unit
        if value < 0:
            raise Unfit(
                VALUE_IMPOSSIBLE, text, "a time of zero or more", "leave out negative times"
            )
        return value

    return read


_LONG: dict[str, Callable[[Fields], Distribution | None]] = {
    "deterministic": _long_deterministic,
    "exponential": _long_exponential,
    "uniform": _long_uniform,
    "triangular": _long_three("triangular"),
    "pert": _long_three("pert"),
    "lognormal": _long_lognormal,
    "gamma": _long_gamma,
    "erlang": _long_erlang,
    "weibull": _long_weibull,
    "normal": _long_normal,
}
