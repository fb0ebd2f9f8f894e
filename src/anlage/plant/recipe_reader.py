"""Reads a recipe's content into its tree and names every defect of form, with its place."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from anlage.base import Problem, Quantity, Refused

from .recipe import (
    IDENTITY_KINDS,
    UNATTENDED,
    Branch,
    Choice,
    Comparison,
    Condition,
    ContainerAct,
    ContainerVerb,
    Group,
    LabelNeed,
    Limits,
    Loop,
    MaterialNeed,
    Parallel,
    Parameter,
    ParameterKind,
    Part,
    Phase,
    PhaseKind,
    Purpose,
    Recipe,
    SamplePlan,
    Shape,
    Window,
)

PARTS_MAX = 2000
ROUNDS_MAX = 100
USES = ("calculations", "material-classes", "equipment-classes", "roles", "labels", "tests")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_REFERENCE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}(@[1-9][0-9]{0,4})?")
_LEVELS = ("unit", "operation", "phase")
_INSIDE = ("operations", "phases")
E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


def read_recipe(content: object) -> tuple[Recipe | None, list[Problem]]:
    """Give the recipe, as far as it can be read, and the defects of its form."""
    reader = _Reader()
    recipe = reader.recipe(content)
    return recipe, reader.problems


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._parts = 0

    def add(
        self,
        code: str,
        path: str,
        what: str,
        found: object,
        limit: str,
        remedy: str,
        rule: str | None = None,
    ) -> None:
        self.problems.append(
            Problem(
                code=code,
                what=what,
                found=None if found is None else str(found)[:200],
                limit=limit,
                remedy=remedy,
                rule=rule,
                path=path,
            )
        )

    def recipe(self, content: object) -> Recipe | None:
        head = {"kind", "id", "title", "product", "procedure"}
        more = {"shape", "specification", "uses", "basis", "note"}
        values = self.mapping(content, "", "recipe", head, more)
        if values is None:
            return None
        if (kind := values.get("kind", "recipe")) != "recipe":
            self.add("kind-wrong", "kind", "kind of the definition", kind, "recipe", "correct it")
        uses = self.mapping(values.get("uses", {}), "uses", "uses", set(), set(USES)) or {}
        procedure = self.parts(values.get("procedure", []), "procedure", 0, "", "", None)
        if isinstance(values.get("procedure"), list) and not values["procedure"]:
            self.empty("procedure", "procedure")
        return Recipe(
            id=self.id(values.get("id", "unnamed"), "id", "recipe"),
            name=self.text(values.get("title", ""), "title", "title of the recipe"),
            product=self.id(values.get("product", "unnamed"), "product", "product"),
            shape=self.enum(Shape, values.get("shape", "autologous"), "shape", "shape")
            or Shape.AUTOLOGOUS,
            specification=self.reference(values["specification"], "specification", "specification")
            if values.get("specification")
            else "",
            uses={name: self.references(uses.get(name, []), f"uses.{name}", name) for name in USES},
            procedure=procedure,
            content=values,
        )

    # Parts of the tree -----------------------------------------------------------------------

    def parts(
        self, values: object, path: str, level: int, unit: str, operation: str, room: str | None
    ) -> tuple[Part, ...]:
        found = []
        for index, value in enumerate(self.list(values, path, "parts")):
            self._parts += 1
            if self._parts > PARTS_MAX:
                raise Refused(
                    "recipe-too-long",
                    what="recipe",
                    found=f"more than {PARTS_MAX} parts",
                    limit=PARTS_MAX,
                    remedy="make two recipes of it",
                    path=path,
                )
            part = self.part(value, f"{path}[{index}]", level, unit, operation, room)
            if part is not None:
                found.append(part)
        return tuple(found)

    def part(
        self, value: object, path: str, level: int, unit: str, operation: str, room: str | None
    ) -> Part | None:
        word = _LEVELS[level]
        if not isinstance(value, dict):
            limit = f"a mapping that begins with {word}, parallel, choose or repeat"
            self.add("part-malformed", path, "part of the procedure", value, limit, "write it so")
            return None
        here = (level, unit, operation, room)
        if "parallel" in value:
            return self.parallel(value, path, here)
        if "choose" in value:
            return self.choice(value, path, here)
        if "repeat" in value:
            return self.loop(value, path, here)
        if level == 2:
            return self.phase(value, path, unit, operation, room)
        inside = _INSIDE[level]
        more = {"room", "text"} if level == 0 else {"text"}
        if self.mapping(value, path, word, {word, "name", inside}, more) is None:
            return None
        id = self.id(value.get(word, "unnamed"), f"{path}.{word}", word)
        room = self.text(value["room"], f"{path}.room", "room") if value.get("room") else room
        parts = self.parts(
            value.get(inside, []),
            f"{path}.{inside}",
            level + 1,
            id if level == 0 else unit,
            id if level == 1 else operation,
            room,
        )
        if inside in value and value[inside] == []:
            self.empty(f"{path}.{inside}", f"{word} {id}")
        return Group(id=id, level=word, name=str(value.get("name", id)), parts=parts)

    def parallel(
        self, value: dict[str, Any], path: str, here: tuple[int, str, str, str | None]
    ) -> Parallel:
        self.mapping(value, path, "parallel part", {"parallel", "branches"}, {"name"})
        id = self.id(value.get("parallel", "unnamed"), f"{path}.parallel", "parallel part")
        branches = []
        place = f"{path}.branches"
        listed = self.list(value.get("branches", []), place, "branches")
        if len(listed) < 2:
            found = f"{len(listed)} branch"
            self.add("branches-few", place, f"parallel part {id}", found, "two or more", "add one")
        for index, branch in enumerate(listed):
            inner = f"{place}[{index}]"
            branches.append(self.parts(branch, inner, *here))
            if branch == []:
                self.empty(inner, f"a branch of {id}")
        return Parallel(id=id, branches=tuple(branches))

    def choice(
        self, value: dict[str, Any], path: str, here: tuple[int, str, str, str | None]
    ) -> Choice:
        self.mapping(value, path, "choice", {"choose", "branches"}, {"name"})
        id = self.id(value.get("choose", "unnamed"), f"{path}.choose", "choice")
        branches = []
        place = f"{path}.branches"
        for index, branch in enumerate(self.list(value.get("branches", []), place, "branches")):
            inner = f"{place}[{index}]"
            allowed = {"when", "otherwise", "expected"}
            if self.mapping(branch, inner, f"branch of {id}", {"do"}, allowed) is None:
                continue
            if ("when" in branch) == ("otherwise" in branch):
                self.add(
                    "branch-without-condition",
                    inner,
                    f"branch of choice {id}",
                    "neither or both of when and otherwise",
                    "one of them",
                    "give the condition with when, or write otherwise: true",
                )
            when = self.condition(branch["when"], f"{inner}.when") if "when" in branch else None
            expected = self.flag(branch.get("expected", False), f"{inner}.expected")
            parts = self.parts(branch.get("do", []), f"{inner}.do", *here)
            branches.append(Branch(when=when, parts=parts, is_expected=expected))
        if not branches:
            self.empty(place, f"choice {id}")
        return Choice(id=id, branches=tuple(branches))

    def loop(
        self, value: dict[str, Any], path: str, here: tuple[int, str, str, str | None]
    ) -> Loop:
        self.mapping(value, path, "loop", {"repeat", "do"}, {"until", "at-most", "expected"})
        id = self.id(value.get("repeat", "unnamed"), f"{path}.repeat", "loop")
        until = Condition()
        if value.get("until") is None:
            self.add(
                "loop-without-exit",
                path,
                f"loop {id}",
                "no until",
                "a condition that ends it",
                "add until: {reading: …, at-least: …}",
                "ISA-88: a recipe comes to an end",
            )
        else:
            until = self.condition(value["until"], f"{path}.until")
        at_most = self.count(value.get("at-most"), f"{path}.at-most", f"rounds of loop {id}")
        if value.get("at-most") is None:
            self.add(
                "loop-without-exit",
                path,
                f"loop {id}",
                "no at-most",
                f"a number of rounds from 1 to {ROUNDS_MAX}",
                "add at-most: 5",
                "ISA-88: a recipe comes to an end",
            )
        expected = self.count(value.get("expected", 1), f"{path}.expected", f"rounds of loop {id}")
        if at_most and expected and expected > at_most:
            limit = f"at most {at_most}"
            remedy = "lower expected or raise at-most"
            self.add("loop-inverted", f"{path}.expected", f"loop {id}", expected, limit, remedy)
        parts = self.parts(value.get("do", []), f"{path}.do", *here)
        if value.get("do") == []:
            self.empty(f"{path}.do", f"loop {id}")
        return Loop(id=id, until=until, at_most=at_most or 1, expected=expected or 1, parts=parts)

    def condition(self, value: object, path: str) -> Condition:
        comparisons = {str(one) for one in Comparison}
        values = self.mapping(
            value, path, "condition", set(), {"reading", "all", "any"} | comparisons
        )
        if values is None:
            return Condition()
        for word in ("all", "any"):
            if word in values:
                listed = self.list(values[word], f"{path}.{word}", "conditions")
                inner = tuple(
                    self.condition(one, f"{path}.{word}[{index}]")
                    for index, one in enumerate(listed)
                )
                if not inner:
                    self.empty(f"{path}.{word}", "condition")
                return Condition(all=inner) if word == "all" else Condition(any=inner)
        given = [word for word in values if word in comparisons]
        if "reading" not in values or len(given) != 1:
            limit = f"reading and one of {', '.join(sorted(comparisons))}"
            remedy = 'write {reading: phase.parameter, at-least: "2e9 cell"}'
            self.add("condition-malformed", path, "condition", sorted(values), limit, remedy)
            return Condition()
        comparison = Comparison(given[0])
        raw = values[given[0]]
        parsed = self.quantity_or_word(raw)
        if isinstance(parsed, str) and comparison is not Comparison.EQUALS:
            place = f"{path}.{given[0]}"
            parsed = self.quantity(raw, place, "value of the condition") or parsed
        return Condition(
            reading=self.text(values["reading"], f"{path}.reading", "reading"),
            comparison=comparison,
            value=parsed,
        )

    # Phases ----------------------------------------------------------------------------------

    def phase(
        self, value: dict[str, Any], path: str, unit: str, operation: str, room: str | None
    ) -> Phase | None:
        if self.mapping(value, path, "phase", {"phase", "kind"}, _PHASE_KEYS) is None:
            return None
        id = self.id(value.get("phase", "unnamed"), f"{path}.phase", "phase")
        what = f"phase {id}"
        kind = self.enum(PhaseKind, value.get("kind"), f"{path}.kind", f"kind of {what}")
        kind = kind or PhaseKind.INSTRUCTION
        unattended = kind in UNATTENDED
        minimum = self.time(value, "minimum", path, what)
        maximum = self.time(value, "maximum", path, what)
        duration = self.time(value, "duration", path, what) or minimum or timedelta()
        return Phase(
            id=id,
            kind=kind,
            name=self.text(value.get("name", id), f"{path}.name", f"name of {what}"),
            unit=unit,
            operation=operation,
            room=room,
            text=self.text(value["text"], f"{path}.text", f"text of {what}")
            if "text" in value
            else "",
            role=self.optional_id(value, "role", path, what) or "",
            witness=self.optional_id(value, "witness", path, what),
            equipment=self.references(value.get("equipment", []), f"{path}.equipment", what),
            materials=self.each(value, "materials", path, self.material),
            parameters=self.each(value, "parameters", path, self.parameter),
            samples=self.each(value, "samples", path, self.sample),
            containers=self.each(value, "containers", path, self.container_act),
            labels=self.each(value, "labels", path, self.label),
            windows=self.each(value, "windows", path, self.window),
            duration=duration,
            minimum=minimum,
            maximum=maximum,
            is_identity_critical=self.flag(
                value.get("identity", kind in IDENTITY_KINDS), f"{path}.identity"
            ),
            is_exclusive=self.flag(value.get("exclusive", not unattended), f"{path}.exclusive"),
            is_signed=self.flag(value.get("signed", not unattended), f"{path}.signed"),
            is_any_day=self.flag(value.get("any-day", unattended), f"{path}.any-day"),
            photo=self.flag(value.get("photo", False), f"{path}.photo"),
        )

    def parameter(self, value: object, path: str) -> Parameter | None:
        values = self.mapping(value, path, "parameter", {"id"}, _PARAMETER_KEYS)
        if values is None:
            return None
        id = self.id(values.get("id", "unnamed"), f"{path}.id", "parameter")
        what = f"parameter {id}"
        kind = ParameterKind.CHOICE if "choices" in values else ParameterKind.NUMBER
        if "kind" in values:
            kind = self.enum(ParameterKind, values["kind"], f"{path}.kind", what) or kind
        unit = self.unit(values.get("unit", "1"), f"{path}.unit", what)
        target = values.get("target")
        inputs = self.mapping(values.get("inputs", {}), f"{path}.inputs", what, set(), None) or {}
        return Parameter(
            id=id,
            name=self.text(values.get("name", id), f"{path}.name", f"name of {what}"),
            kind=kind,
            unit=unit,
            decimals=self.count(values["decimals"], f"{path}.decimals", what, 0, 12)
            if "decimals" in values
            else None,
            target=None
            if target is None
            else self.quantity(target, f"{path}.target", f"target of {what}", unit),
            warning=self.limits(values.get("warning"), f"{path}.warning", what, unit),
            hard=self.limits(values.get("hard"), f"{path}.hard", what, unit),
            choices=self.words(values.get("choices", []), f"{path}.choices", what),
            accepted=self.words(values.get("accepted", []), f"{path}.accepted", what),
            calculation=self.reference(values["calculation"], f"{path}.calculation", "calculation")
            if "calculation" in values
            else None,
            inputs={name: str(given) for name, given in inputs.items()},
            critical=self.flag(values.get("critical", False), f"{path}.critical"),
            required=self.flag(values.get("required", True), f"{path}.required"),
            source=str(values["source"]) if values.get("source") else None,
        )

    def limits(self, value: object, path: str, what: str, unit: str) -> Limits:
        if value is None:
            return Limits()
        values = self.mapping(value, path, f"limits of {what}", set(), {"lower", "upper"}) or {}
        ends = {
            end: self.quantity(values[end], f"{path}.{end}", f"{end} limit of {what}", unit)
            for end in ("lower", "upper")
            if values.get(end) is not None
        }
        return Limits(lower=ends.get("lower"), upper=ends.get("upper"))

    def material(self, value: object, path: str) -> MaterialNeed | None:
        more = {"amount", "amount-from", "tolerance"}
        values = self.mapping(value, path, "material", {"class"}, more)
        if values is None:
            return None
        name = self.reference(values.get("class", "unnamed"), f"{path}.class", "material class")
        if ("amount" in values) == ("amount-from" in values):
            found = "neither or both of amount and amount-from"
            remedy = 'write amount: "50 mL", or amount-from: phase.parameter'
            self.add("amount-missing", path, f"material {name}", found, "one of them", remedy)
        tolerance = self.quantity(
            values.get("tolerance", "10 %"), f"{path}.tolerance", f"tolerance of {name}", "%"
        )
        return MaterialNeed(
            material_class=name,
            amount=self.quantity(values["amount"], f"{path}.amount", f"amount of {name}")
            if "amount" in values
            else None,
            amount_from=str(values["amount-from"]) if "amount-from" in values else None,
            tolerance_percent=tolerance.value if tolerance else Decimal(10),
        )

    def label(self, value: object, path: str) -> LabelNeed | None:
        if not isinstance(value, dict):
            return LabelNeed(label=self.reference(value, path, "label"))
        values = self.mapping(
            value, path, "label set", {"label", "for"}, {"count", "spare", "optional"}
        )
        if values is None:
            return None
        name = self.reference(values.get("label", "unnamed"), f"{path}.label", "label")
        what = f"set of label {name}"
        count = values.get("count")
        if count is not None and not isinstance(count, str):
            count = self.count(count, f"{path}.count", what)
        return LabelNeed(
            label=name,
            part=self.id(values.get("for", "unnamed"), f"{path}.for", what),
            count=count,
            spare=self.count(values.get("spare", 0), f"{path}.spare", what, 0, 1000) or 0,
            is_optional=self.flag(values.get("optional", False), f"{path}.optional"),
        )

    def sample(self, value: object, path: str) -> SamplePlan | None:
        more = {"count", "purpose", "tests", "turnaround", "destructive", "from"}
        values = self.mapping(value, path, "sample", {"id", "specimen", "amount"}, more)
        if values is None:
            return None
        id = self.id(values.get("id", "unnamed"), f"{path}.id", "sample")
        what = f"sample {id}"
        return SamplePlan(
            id=id,
            specimen=self.text(values.get("specimen", ""), f"{path}.specimen", what),
            amount=self.quantity(values.get("amount", ""), f"{path}.amount", f"amount of {what}")
            or Quantity(Decimal(0), "mL"),
            count=self.count(values.get("count", 1), f"{path}.count", what) or 1,
            purpose=self.enum(
                Purpose, values.get("purpose", "test"), f"{path}.purpose", f"purpose of {what}"
            )
            or Purpose.TEST,
            tests=self.references(values.get("tests", []), f"{path}.tests", what),
            turnaround=self.time(values, "turnaround", path, what),
            is_destructive=self.flag(values.get("destructive", True), f"{path}.destructive"),
            source=self.optional_id(values, "from", path, what),
        )

    def container_act(self, value: object, path: str) -> ContainerAct | None:
        verbs = {str(one) for one in ContainerVerb}
        more = {"into", "vessel", "to", "amount", "added", "count"}
        values = self.mapping(value, path, "act on a container", set(), verbs | more)
        if values is None:
            return None
        named = [word for word in values if word in verbs]
        if len(named) != 1:
            self.add(
                "container-act-malformed",
                path,
                "act on a container",
                ", ".join(sorted(values)) or "nothing",
                f"one of {', '.join(sorted(verbs))}",
                "write {transfer: collection, into: washed, vessel: bag}",
            )
            return None
        what = f"container {values[named[0]]}"
        texts = {
            name: str(values[name]) if values.get(name) is not None else None
            for name in ("to", "amount", "added", "count")
        }
        return ContainerAct(
            verb=ContainerVerb(named[0]),
            part=self.id(values[named[0]], f"{path}.{named[0]}", "part of the process"),
            into=self.optional_id(values, "into", path, what),
            vessel=self.text(values.get("vessel", "bag"), f"{path}.vessel", f"vessel of {what}"),
            **texts,
        )

    def window(self, value: object, path: str) -> Window | None:
        values = self.mapping(value, path, "window", {"after"}, {"since", "earliest", "latest"})
        if values is None:
            return None
        since = str(values.get("since", "completed"))
        if since not in {"completed", "started"}:
            limit = "completed or started"
            self.add("word-unknown", f"{path}.since", "window", since, limit, f"write {limit}")
        if "earliest" not in values and "latest" not in values:
            found = "neither earliest nor latest"
            self.add("window-empty", path, "window", found, "one or both", "add earliest or latest")
        return Window(
            after=str(values.get("after", "")),
            since=since,
            earliest=self.time(values, "earliest", path, "window"),
            latest=self.time(values, "latest", path, "window"),
        )

    # Values ----------------------------------------------------------------------------------

    def mapping(
        self, value: object, path: str, what: str, required: set[str], more: set[str] | None
    ) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            found = "nothing" if value is None else f"{value!r}"
            limit = "a mapping"
            remedy = "write keys with values"
            self.add("value-malformed", path, what, found, limit, remedy)
            return None
        for key in sorted(required - value.keys()):
            self.add("key-missing", path, what, f"no {key}", key, f"add {key}")
        for key in value:
            if more is not None and key not in required and key not in more:
                self.unknown_key(key, path, what, required | more)
        return value

    def unknown_key(self, key: str, path: str, what: str, known: set[str]) -> None:
        near = difflib.get_close_matches(key, sorted(known), 1)
        self.add(
            "key-unknown",
            f"{path}.{key}" if path else key,
            what,
            f"key {key!r}",
            ", ".join(sorted(known)),
            f"did you mean {near[0]}?" if near else "take it away",
        )

    def list(self, value: object, path: str, what: str) -> Sequence[Any]:
        if isinstance(value, list):
            return value
        found = "nothing" if value is None else f"{value!r}"
        self.add("value-malformed", path, what, found, "a list", "write one item a line, with - ")
        return []

    def each(
        self, value: Mapping[str, Any], key: str, path: str, read: Callable[[object, str], T | None]
    ) -> tuple[T, ...]:
        if key not in value:
            return ()
        listed = self.list(value[key], f"{path}.{key}", key)
        found = (read(one, f"{path}.{key}[{index}]") for index, one in enumerate(listed))
        return tuple(one for one in found if one is not None)

    def id(self, value: object, path: str, what: str) -> str:
        text = str(value)
        if isinstance(value, dict | list) or not _ID.fullmatch(text):
            limit = "small letters, digits and hyphens, at most 64"
            self.add("identifier-malformed", path, f"id of {what}", text, limit, "rename it")
        return text

    def optional_id(self, value: Mapping[str, Any], key: str, path: str, what: str) -> str | None:
        if value.get(key) is None:
            return None
        return self.id(value[key], f"{path}.{key}", f"{key} of {what}")

    def reference(self, value: object, path: str, what: str) -> str:
        text = str(value)
        if isinstance(value, dict | list) or not _REFERENCE.fullmatch(text):
            limit = "an id, or id@version"
            self.add(
                "identifier-malformed", path, f"reference to {what}", text, limit, "correct it"
            )
        return text

    def references(self, value: object, path: str, what: str) -> tuple[str, ...]:
        listed = self.list(value, path, what)
        return tuple(
            self.reference(one, f"{path}[{index}]", what) for index, one in enumerate(listed)
        )

    def words(self, value: object, path: str, what: str) -> tuple[str, ...]:
        return tuple(
            self.text(one, f"{path}[{index}]", what)
            for index, one in enumerate(self.list(value, path, what))
        )

    def text(self, value: object, path: str, what: str) -> str:
        text = " ".join(str(value).split()) if isinstance(value, str | int) else ""
        if not text or len(text) > 4000:
            found = "nothing" if not text else f"{len(text)} characters"
            self.add("text-unusable", path, what, found, "1 to 4000 characters", "write it")
        return text

    def flag(self, value: object, path: str) -> bool:
        if isinstance(value, bool):
            return value
        self.add("value-malformed", path, "flag", value, "true or false", "write true or false")
        return False

    def count(
        self, value: object, path: str, what: str, least: int = 1, most: int = ROUNDS_MAX
    ) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        if value is not None:
            limit = f"a whole number from {least} to {most}"
            self.add("number-out-of-range", path, what, value, limit, "correct the number")
        return None

    def quantity(
        self, value: object, path: str, what: str, unit: str | None = None
    ) -> Quantity | None:
        """Read a quantity; a bare number takes the unit, another unit must convert to it."""
        try:
            text = str(value)
            read = Quantity.parse(text)
            if unit is None:
                return read
            if read.unit == "1" and unit != "1" and not text.strip().endswith(" 1"):
                return Quantity(read.value, unit)
            return read.to(unit)
        except Refused as refusal:
            problem = refusal.problem
            self.add(
                problem.code,
                path,
                what,
                problem.found if problem.code != "unit-mismatch" else value,
                problem.limit or "",
                problem.remedy or "",
                problem.rule,
            )
            return None

    def quantity_or_word(self, value: object) -> Quantity | str:
        try:
            return Quantity.parse(str(value))
        except Refused:
            return str(value)

    def unit(self, value: object, path: str, what: str) -> str:
        try:
            Quantity.of(1, str(value))
        except Refused as refusal:
            problem = refusal.problem
            unit = f"unit of {what}"
            limit, remedy = problem.limit or "", problem.remedy or ""
            self.add(problem.code, path, unit, problem.found, limit, remedy, problem.rule)
            return "1"
        return str(value)

    def time(self, value: Mapping[str, Any], key: str, path: str, what: str) -> timedelta | None:
        if value.get(key) is None:
            return None
        read = self.quantity(value[key], f"{path}.{key}", f"{key} of {what}", "s")
        if read is None:
            return None
        if str(value[key]).strip().replace(".", "").isdigit() and str(value[key]).strip() != "0":
            limit = "a time with its unit, such as 30 min, 4 h, 2 d"
            self.add(
                "unit-missing", f"{path}.{key}", f"{key} of {what}", value[key], limit, "add it"
            )
            return None
        if not 0 <= read.value <= 400 * 86400:
            limit = "from 0 to 400 days"
            remedy = "correct the time"
            self.add(
                "time-out-of-range", f"{path}.{key}", f"{key} of {what}", value[key], limit, remedy
            )
            return None
        return timedelta(seconds=float(read.value))

    def enum(self, kind: type[E], value: object, path: str, what: str) -> E | None:
        try:
            return kind(str(value))
        except ValueError:
            known = [str(one) for one in kind]
            near = difflib.get_close_matches(str(value), known, 1)
            remedy = f"did you mean {near[0]}?" if near else "choose one of them"
            self.add("word-unknown", path, what, value, ", ".join(known), remedy)
            return None

    def empty(self, path: str, what: str) -> None:
        self.add(
            "nothing-inside", path, what, "nothing", "one part or more", "add it, or remove it"
        )


_PHASE_KEYS = {
    "name", "text", "role", "witness", "equipment", "materials", "parameters", "samples", "labels",
    "containers", "windows", "duration", "minimum", "maximum", "identity", "exclusive", "signed",
    "any-day", "photo", "source",
}  # fmt: skip
_PARAMETER_KEYS = {
    "name", "kind", "unit", "decimals", "target", "warning", "hard", "choices", "accepted",
    "calculation", "inputs", "critical", "required", "source",
}  # fmt: skip
