"""Reading the steps of a process."""

import difflib
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, cast

from .chance_reading import choice_of, share_of, time_of
from .distribution import Distribution, deterministic
from .document import Node
from .errors import KEY_UNKNOWN, NAME_TWICE, NAME_UNKNOWN, SHAPE_WRONG
from .fields import Fields, Judgement, one_of, truth, whole
from .measure import duration, money, share
from .model import (
    Arm,
    Assign,
    Branch,
    Charge,
    Choice,
    End,
    Exchange,
    Fail,
    Gather,
    GoTo,
    Hold,
    Keep,
    Mark,
    Outcome,
    Produce,
    Request,
    Ship,
    Step,
    Use,
    Wait,
)
from .recipe_step import Recipes, no_recipes, steps_of

STEPS_MAX = 2_000
OUTCOMES = {
    "infused": "infused",
    "finished": "infused",
    "done": "infused",
    "lost": "lost",
    "failed": "lost",
    "died": "lost",
    "withdrawn": "withdrawn",
    "left": "withdrawn",
}


class StepReader:
    """Reads the steps of one process, and keeps their names apart."""

    def __init__(
        self,
        process: str,
        judgement: Judgement,
        *,
        recipes: Recipes = no_recipes,
        pools: frozenset[str] = frozenset(),
    ) -> None:
        """Begin a process; `recipes` gives a recipe's tasks, `pools` are the file's resources."""
        self.process, self.judgement = process, judgement
        self.recipes, self.pools = recipes, pools
        self.names: set[str] = set()
        self.count = 0

    def steps(self, node: Node | None, what: str) -> tuple[Step, ...]:
        """Read a list of steps."""
        if node is None or (node.text is None and node.items is None and node.keys is None):
            return ()
        items = node.items if node.items is not None else [node]
        read: list[Step] = []
        for position, item in enumerate(items):
            self.count += 1
            if self.count > STEPS_MAX:
                self.judgement.say(
                    SHAPE_WRONG,
                    what,
                    item.line,
                    found=f"more than {STEPS_MAX} steps",
                    limit=f"at most {STEPS_MAX}",
                    remedy="use a loop, or several processes",
                )
                return tuple(read)
            read.extend(self._step(item, f"{what}[{position}]"))
        return tuple(read)

    def _step(self, node: Node, what: str) -> list[Step]:
        keys = node.keys or {}
        kinds = [key for key in keys if _plain(key) in KINDS]
        if len(kinds) != 1:
            self._say_kind(node, what, [key for key in keys if key != "name"], kinds)
            return []
        kind, (key, value) = _plain(kinds[0]), keys[kinds[0]]
        name_node = keys.get("name", keys.get("id", (key, None)))[1]
        if name_node is None and value.keys:
            name_node = value.keys.get("name", (key, None))[1]
        self._say_others(keys, kinds[0], what)
        given = None if name_node is None else name_node.text
        reader = KINDS[kind]
        return reader(self, value, f"{what}.{kind}", given, node.line)

    def _say_others(self, keys: dict[str, tuple[Node, Node]], kind: str, what: str) -> None:
        for name, (key, _) in keys.items():
            if name not in {kind, "name", "id", "description"}:
                self.judgement.say(
                    KEY_UNKNOWN,
                    f"{what}: key {name}",
                    key.line,
                    found=repr(name),
                    limit=f"name, and what belongs to the step under {kind}:",
                    remedy=f"indent {name} below {kind}:",
                )

    def _say_kind(self, node: Node, what: str, keys: list[str], kinds: list[str]) -> None:
        known = list(dict.fromkeys(KINDS))
        word = _plain(keys[0]) if keys else (node.text or "")
        close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
        self.judgement.say(
            KEY_UNKNOWN if keys else SHAPE_WRONG,
            what,
            node.line,
            found=", ".join(kinds or keys) or node.kind,
            limit="one step: " + ", ".join(known),
            remedy=(
                "make two steps of it, each with its own dash"
                if len(kinds) > 1
                else f"write {close[0]}"
                if close
                else "write - use: {resource: NAME, time: 1 hour}"
            ),
        )

    def named(self, given: str | None, base: str, line: int) -> str:
        """Give the step's name: the one given, or one made from what it does."""
        if given is not None:
            if given in self.names:
                self.judgement.say(
                    NAME_TWICE,
                    f"step {given}",
                    line,
                    found="a name that an earlier step has",
                    limit="each name once in a process",
                    remedy="choose another name",
                )
            self.names.add(given)
            name = given
        else:
            name, number = base, 1
            while name in self.names:
                number += 1
                name = f"{base} {number}"
            self.names.add(name)
        self.judgement.place(f"step {self.process}/{name}", line)
        return name

    def request(self, fields: Fields) -> Request:
        """Read what is taken, and under which terms it is waited for."""
        node = fields.node_of("resource", "resources", "material", "materials")
        if node is None:
            node = fields.need("resource")
        amount = fields.take("amount", "units", "number", reader=whole(1), default=1)
        patience_node = fields.node_of("patience", "reneging")
        patience = (
            time_of(patience_node, f"{fields.what}: patience", self.judgement)
            if patience_node
            else None
        )
        priority = fields.take("priority", reader=_priority, default=None)
        may_drop_out = fields.take("drop_out", "drop out", reader=truth, default=True)
        wants = () if node is None else self._wants(node, fields.what, amount)
        return Request(wants=wants, patience=patience, priority=priority, may_drop_out=may_drop_out)

    def _wants(self, node: Node, what: str, amount: int) -> tuple[tuple[str, int], ...]:
        if node.text is not None:
            self.judgement.place(f"{what}: {node.text}", node.line)
            return ((node.text, amount),)
        wants: dict[str, int] = {}
        for item in node.items or []:
            if item.text is None:
                self.judgement.say(
                    SHAPE_WRONG,
                    what,
                    item.line,
                    found=item.kind,
                    limit="names of resources",
                    remedy="write [unit, operator], or {unit: 1, operator: 2}",
                )
            else:
                wants[item.text] = wants.get(item.text, 0) + amount
        for name, (_, value) in (node.keys or {}).items():
            wants[name] = self.judgement.read(value, f"{what}: {name}", whole(1)) or 1
        if not wants:
            self.judgement.say(
                SHAPE_WRONG,
                what,
                node.line,
                found=node.kind,
                limit="at least one resource",
                remedy="write resource: NAME",
            )
        return tuple(wants.items())

    def probability(self, fields: Fields, default: float | None) -> Choice | None:
        """Read a probability, which may differ by class, clinic or site."""
        node = fields.node_of("probability", "chance", "p", "share")
        if node is None:
            return None if default is None else Choice(default=default)
        read = choice_of(node, f"{fields.what}: probability", self.judgement, share_of)
        return read or Choice(default=0.0)


_Read = Callable[[StepReader, Node, str, str | None, int], list[Step]]


def _plain(key: str) -> str:
    return key.strip().lower().replace("_", " ").replace("-", " ")


def _priority(text: str) -> int | None:
    return priority(text)


def priority(text: str) -> int:
    """Read a priority: a whole number, lower first, or high, normal, low.

    Raises:
        Unfit: It is neither.
    """
    return {"urgent": 0, "high": 1, "normal": 2, "low": 3}.get(text.strip().lower()) or whole(
        0, 1000
    )(text)


def _use(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    fields = Fields(node, what, reader.judgement)
    fields.node_of("name", "description")
    request = reader.request(fields)
    time_node = fields.need("time", "duration", "service", "for")
    fields.done()
    name = reader.named(given, "+".join(want for want, _ in request.wants) or "use", line)
    time = _time_choice(reader, time_node, what)
    return [Use(name=name, request=request, time=time)]


def _time_choice(reader: StepReader, node: Node | None, what: str) -> Choice:
    read = choice_of(node, f"{what}: time", reader.judgement, time_of) if node else None
    return read or Choice(default=deterministic(0.0))


def _hold(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    fields = Fields(node, what, reader.judgement)
    fields.node_of("name", "description")
    if "time" in fields.keys and not {"steps", "while"} & set(fields.keys):
        return _use(reader, node, what, given, line)
    request = reader.request(fields)
    steps_node = fields.need("steps", "while")
    fields.done()
    name = reader.named(given, "+".join(want for want, _ in request.wants) or "hold", line)
    return [Hold(name=name, request=request, steps=reader.steps(steps_node, f"{what}.steps"))]


def _wait(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    if node.keys and {"time", "duration", "for"} & set(node.keys):
        fields = Fields(node, what, reader.judgement)
        fields.node_of("name", "description")
        inner = fields.need("time", "duration", "for")
        fields.done()
    else:
        inner = node
    name = reader.named(given, "wait", line)
    return [Wait(name=name, time=_time_choice(reader, inner, what))]


def _consume(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    if node.text is not None:
        request = Request(wants=((node.text, 1),))
    else:
        fields = Fields(node, what, reader.judgement)
        fields.node_of("name", "description")
        request = reader.request(fields)
        fields.done()
    name = reader.named(given, "+".join(want for want, _ in request.wants) or "consume", line)
    return [Use(name=name, request=request, time=Choice(default=deterministic(0.0)))]


def _ship(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    lane = _word(reader, node, what, "lane")
    return [Ship(name=reader.named(given, f"ship {lane}", line), lane=lane)]


def _keep(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    word = _word(reader, node, what, "condition")
    condition = None if word.lower() in {"nothing", "none", "no", "off"} else word
    return [Keep(name=reader.named(given, f"keep {word}", line), condition=condition)]


def _recipe(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    """Read a recipe of the plant as the steps of its phases."""
    spread, wanted = 0.0, node.text
    if wanted is None:
        fields = Fields(node, what, reader.judgement)
        fields.node_of("name", "description")
        wanted = fields.take("recipe", "id", "file", reader=str, default="")
        spread = fields.take("spread", "cv", reader=share, default=0.0)
        if not wanted:
            fields.need("recipe")
        fields.done()
    tasks = reader.recipes(wanted) if wanted else ()
    if tasks is None:
        reader.judgement.say(
            NAME_UNKNOWN,
            f"{what}: recipe {wanted}",
            line,
            found=repr(wanted),
            limit="a starter recipe (anlage define starters), or the path of a recipe file",
            remedy="write recipe: cd19-car-t",
        )
        return []
    prefix = "" if given is None else f"{given}: "
    steps = steps_of(tasks, reader.pools, spread, prefix)
    return [replace(step, name=reader.named(None, step.name, line)) for step in steps]


def _exchange(
    reader: StepReader, node: Node, what: str, given: str | None, line: int
) -> list[Step]:
    message = _word(reader, node, what, "message")
    return [Exchange(name=reader.named(given, f"exchange {message}".strip(), line))]


def _word(reader: StepReader, node: Node, what: str, key: str) -> str:
    """Read a name given plainly, or under its key."""
    if node.text is not None:
        reader.judgement.place(f"{what}: {node.text}", node.line)
        return node.text
    fields = Fields(node, what, reader.judgement)
    fields.node_of("name", "description")
    word = fields.take(key, reader=str, default="") if key in fields.keys else ""
    if not word:
        fields.need(key)
    fields.done()
    return word


def _branch(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    name = reader.named(given, "branch", line)
    arms: list[Arm] = []
    rest: tuple[Step, ...] | None = None
    for position, item in enumerate(node.items or []):
        place = f"{what}[{position}]"
        fields = Fields(item, place, reader.judgement)
        fields.node_of("name", "description")
        other = fields.node_of("otherwise", "else")
        probability = reader.probability(fields, None)
        steps = _arm_steps(reader, fields, place)
        fields.done()
        if other is not None:
            rest = reader.steps(other, f"{place}.otherwise")
        elif probability is None:
            rest = steps
        else:
            arms.append(Arm(probability=probability, steps=steps))
    for chance, (_, value) in (node.keys or {}).items():
        place = f"{what}[{chance}]"
        if _plain(chance) in {"otherwise", "else", "rest"}:
            rest = reader.steps(value, place)
        else:
            read = reader.judgement.read(Node(line=value.line, text=chance), place, share)
            arms.append(
                Arm(probability=Choice(default=read or 0.0), steps=reader.steps(value, place))
            )
    if not arms:
        reader.judgement.say(
            SHAPE_WRONG,
            what,
            node.line,
            found=node.kind if not (node.items or node.keys) else "no probability",
            limit="a list of {probability, steps}",
            remedy="write - branch: [{probability: 30 %, steps: [...]}, {otherwise: [...]}]",
        )
    if rest is not None:
        # The arm without a probability takes what the others leave; None marks it.
        arms.append(Arm(probability=Choice(), steps=rest))
    return [Branch(name=name, arms=tuple(arms))]


def _arm_steps(reader: StepReader, fields: Fields, place: str) -> tuple[Step, ...]:
    steps = fields.node_of("steps", "then", "do")
    made = reader.steps(steps, f"{place}.steps")
    to = fields.node_of("goto", "go to", "to", "next")
    end = fields.node_of("end", "exit", "leave")
    if to is not None and (to.text or "").lower() in {"end", "exit", "out"}:
        end, to = Node(line=to.line, text="infused"), None
    if to is not None:
        made += tuple(_goto(reader, to, f"{place}.goto", None, to.line))
    if end is not None:
        made += tuple(_end(reader, end, f"{place}.end", None, end.line))
    return made


def _fail(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    if node.text is not None:
        node = Node(line=node.line, keys={"probability": (node, node)})
    fields = Fields(node, what, reader.judgement)
    fields.node_of("name", "description")
    below = fields.take(
        "viability_below", "viability below", "viability_min", reader=_optional_share, default=None
    )
    probability = reader.probability(fields, 0.0 if below is not None else None)
    if probability is None:
        fields.need("probability")
    cause = fields.take("cause", reader=str, default=given or "failure")
    retry = fields.take("retry", "retry_from", "to", "goto", reader=_optional, default=None)
    most = fields.take("most", "at_most", "at most", "retries", reader=_whole_or_none, default=None)
    otherwise = fields.node_of("otherwise", "else", "steps")
    outcome: str = "lost"
    steps: tuple[Step, ...] = ()
    if otherwise is not None and otherwise.text is not None:
        outcome = (
            reader.judgement.read(otherwise, f"{what}: otherwise", one_of(*OUTCOMES)) or "lost"
        )
    else:
        steps = reader.steps(otherwise, f"{what}.otherwise")
    fields.done()
    return [
        Fail(
            name=reader.named(given, f"fail {cause}", line),
            probability=probability or Choice(default=0.0),
            viability_min=below,
            cause=cause,
            retry=retry,
            most=most,
            otherwise=steps,
            outcome=cast(Outcome, OUTCOMES[outcome]),
        )
    ]


def _goto(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    if node.text is not None:
        reader.judgement.place(f"{what}: {node.text}", node.line)
        name = reader.named(given, f"go to {node.text}", line)
        return [GoTo(name=name, to=node.text, probability=Choice(default=1.0))]
    fields = Fields(node, what, reader.judgement)
    fields.node_of("name", "description")
    to = fields.need("to", "step", "goto")
    probability = reader.probability(fields, 1.0)
    most = fields.take("most", "at_most", "at most", reader=_whole_or_none, default=None)
    fields.done()
    target = (to.text or "") if to else ""
    name = reader.named(given, f"go to {target}", line)
    return [GoTo(name=name, to=target, probability=probability or Choice(default=1.0), most=most)]


def _repeat(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    fields = Fields(node, what, reader.judgement)
    fields.node_of("name", "description")
    inner = fields.need("steps")
    again = fields.node_of("again")
    probability = (
        choice_of(again, f"{what}: again", reader.judgement, share_of)
        if again
        else reader.probability(fields, None)
    )
    if probability is None and again is None:
        fields.need("probability")
    most = fields.take("most", "at_most", "at most", reader=_whole_or_none, default=None)
    fields.done()
    steps = reader.steps(inner, f"{what}.steps")
    if not steps:
        return []
    name = reader.named(given, f"repeat {steps[0].name}", line)
    back = GoTo(
        name=name, to=steps[0].name, probability=probability or Choice(default=0.0), most=most
    )
    return [*steps, back]


def _end(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    cause = ""
    if node.keys is not None:
        fields = Fields(node, what, reader.judgement)
        fields.node_of("name", "description")
        outcome = fields.take("outcome", "as", reader=one_of(*OUTCOMES), default="infused")
        cause = fields.take("cause", reader=str, default="")
        fields.done()
    elif node.text is None:
        outcome = "infused"
    else:
        outcome = reader.judgement.read(node, what, one_of(*OUTCOMES)) or "infused"
    name = reader.named(given, f"end {outcome}", line)
    return [End(name=name, outcome=cast(Outcome, OUTCOMES[outcome]), cause=cause)]


def _produce(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    fields = Fields(node, what, reader.judgement)
    fields.node_of("name", "description")
    material = fields.need("material")
    amount = fields.take("amount", "units", "doses", reader=whole(1), default=1)
    fields.done()
    of = (material.text or "") if material else ""
    return [Produce(name=reader.named(given, f"produce {of}", line), material=of, amount=amount)]


def _charge(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    fields = Fields(node, what, reader.judgement)
    fields.node_of("name", "description")
    cost_class = fields.take("class", "of", "for", reader=str, default="other")
    amount = fields.need("amount", "money")
    fields.done()
    read = choice_of(amount, f"{what}: amount", reader.judgement, _money) if amount else None
    return [
        Charge(
            name=reader.named(given, f"cost {cost_class}", line),
            cost_class=cost_class,
            amount=read or Choice(default=0.0),
        )
    ]


def _money(node: Node, what: str, judgement: Judgement) -> Distribution | float | None:
    return judgement.read(node, what, money)


def _gather(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    fields = Fields(node, what, reader.judgement)
    fields.node_of("name", "description")
    size = fields.take("size", "of", reader=whole(1, 10_000), default=1)
    wait = fields.take(
        "wait_at_most", "wait at most", "at_most", reader=_optional_duration, default=None
    )
    fields.done()
    name = reader.named(given, "gather", line)
    return [Gather(name=name, size=size, patience_days=wait)]


def _assign(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
    return [assign_of(node, what, reader.judgement, reader.named(given, "assign", line))]


def assign_of(node: Node, what: str, judgement: Judgement, name: str) -> Assign:
    """Read how a site is chosen."""
    rules = ("nearest", "least loaded")
    if node.text is not None:
        rule = judgement.read(node, what, one_of(*rules)) or "nearest"
        return Assign(name=name, rule=cast(Literal["nearest", "least loaded"], rule))
    fields = Fields(node, what, judgement)
    rule = fields.take("rule", "to", reader=one_of(*rules), default="nearest")
    resource = fields.take("resource", reader=_optional, default=None)
    fields.node_of("name", "description")
    fields.done()
    return Assign(name=name, rule=cast(Literal["nearest", "least loaded"], rule), resource=resource)


def _mark(what_mark: Literal["start", "stop", "viability"]) -> _Read:
    def read(reader: StepReader, node: Node, what: str, given: str | None, line: int) -> list[Step]:
        value = 1.0
        if what_mark == "viability":
            value = reader.judgement.read(node, what, share) or 0.0
        elif node.text is not None:
            reader.judgement.read(node, what, one_of("vein to vein", "clock"))
        return [Mark(name=reader.named(given, what_mark, line), what=what_mark, value=value)]

    return read


def _optional(text: str) -> str | None:
    return text


def _optional_share(text: str) -> float | None:
    return share(text)


def _optional_duration(text: str) -> float | None:
    return duration(text)


def _whole_or_none(text: str) -> int | None:
    return whole(0, 100)(text)


KINDS: dict[str, _Read] = {
    "use": _use,
    "hold": _hold,
    "wait": _wait,
    "delay": _wait,
    "consume": _consume,
    "ship": _ship,
    "keep": _keep,
    "recipe": _recipe,
    "exchange": _exchange,
    "branch": _branch,
    "fail": _fail,
    "goto": _goto,
    "go to": _goto,
    "rework": _goto,
    "repeat": _repeat,
    "end": _end,
    "produce": _produce,
    "cost": _charge,
    "charge": _charge,
    "gather": _gather,
    "assign": _assign,
    "start": _mark("start"),
    "stop": _mark("stop"),
    "viability": _mark("viability"),
}
