"""Judges whether a well-formed recipe makes sense, and names every defect with its remedy.

What is judged: references that nobody answers, steps that can never be reached, loops that never
end, limits that exclude each other, units that do not convert, windows that cannot be met, and
roles, materials or maximum times that are missing.
"""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from anlage.base import Problem, Quantity, Refused, digest
from anlage.library import Document

from .flow import before
from .recipe import (
    Choice,
    Condition,
    Group,
    Loop,
    Parallel,
    Parameter,
    ParameterKind,
    Part,
    Phase,
    PhaseKind,
    Recipe,
    SamplePlan,
    Shape,
    walk,
)
from .recipe_containers import container_faults
from .recipe_labels import RULE as LABEL_RULE
from .recipe_labels import label_faults
from .recipe_reader import read_recipe


class Catalogue(Protocol):
    """Whoever knows which definitions there are."""

    def knows(self, kind: str, id: str) -> bool | None:
        """Tell whether a definition exists; None when this kind is not kept here."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What checking a recipe found.

    Attributes:
        recipe: The recipe, when its form could be read.
        problems: Every defect, in the order of the document.
    """

    recipe: Recipe | None
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """True when nothing is wrong."""
        return self.recipe is not None and not self.problems

    @property
    def digest(self) -> str | None:
        """The digest of the content, when there is nothing wrong."""
        return digest(dict(self.recipe.content)) if self.ok and self.recipe else None


def check_recipe(document: Document, catalogue: Catalogue | None = None) -> Checked:
    """Judge a recipe that was read from a document."""
    recipe, problems = read_recipe(document.content)
    if recipe is not None:
        problems.extend(sense(recipe, catalogue))
    placed = {
        (one.code, one.path, one.what, one.found): replace(one, line=document.line(one.path or ""))
        for one in problems
    }
    ordered = sorted(placed.values(), key=lambda one: (one.line or 0, one.path or ""))
    return Checked(recipe=recipe, problems=tuple(ordered))


def sense(recipe: Recipe, catalogue: Catalogue | None = None) -> list[Problem]:
    """Judge the sense of a recipe whose form could be read."""
    checker = _Checker(recipe)
    for rule in (
        checker.references,
        checker.names,
        checker.kinds,
        checker.roles,
        checker.limits,
        checker.conditions,
        checker.windows,
        checker.identity,
        checker.containers,
        checker.labels,
    ):
        rule()
    if catalogue is not None:
        checker.catalogue(catalogue)
    return checker.problems


class _Checker:
    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.problems: list[Problem] = []
        self.phases = recipe.phases()
        self.by_id = {phase.id: phase for phase in self.phases}
        self.path_of = _paths_of(recipe)
        self.parameters = {
            f"{phase.id}.{one.id}": one for phase in self.phases for one in phase.parameters
        }

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
                found=None if found is None else str(found),
                limit=limit,
                remedy=remedy,
                rule=rule,
                path=path,
            )
        )

    def at(self, id: str) -> str:
        return self.path_of.get(id, "procedure")

    def unknown(self, path: str, what: str, found: str, known: Iterable[str], where: str) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(found, known, 1)
        remedy = f"did you mean {near[0]}?" if near else f"add it to {where}, or correct it"
        limit = ", ".join(known[:12]) or "nothing is declared"
        self.add("reference-unknown", path, what, found, limit, remedy)

    # Rules -----------------------------------------------------------------------------------

    def references(self) -> None:
        for phase in self.phases:
            path, what = self.at(phase.id), f"phase {phase.id}"
            for key, kind, named in _named(phase):
                known = self.recipe.uses.get(kind, ())
                if named not in known:
                    place = f"{path}.{key}"
                    self.unknown(place, f"{_KINDS[kind]} of {what}", named, known, f"uses.{kind}")
            for index, need in enumerate(phase.materials):
                if need.amount_from is not None:
                    place = f"{path}.materials[{index}].amount-from"
                    self.reading(place, f"amount of {need.material_class}", need.amount_from, phase)
            for index, one in enumerate(phase.parameters):
                self.inputs(phase, one, f"{path}.parameters[{index}]")

    def inputs(self, phase: Phase, parameter: Parameter, path: str) -> None:
        for name, given in parameter.inputs.items():
            place, what = f"{path}.inputs.{name}", f"input {name} of parameter {parameter.id}"
            if given in {"lot.weight", "material.titre", "material.potency"}:
                continue
            try:
                Quantity.parse(given)
            except Refused:
                self.reading(place, what, given, phase)

    def reading(self, path: str, what: str, given: str, phase: Phase | None) -> Parameter | None:
        found = self.parameters.get(given)
        if found is None:
            self.unknown(path, what, given, self.parameters, "the parameters of a phase")
            return None
        owner = given.partition(".")[0]
        if phase is not None and owner != phase.id and owner not in self.done_before(phase.id):
            self.add(
                "reference-too-early",
                path,
                what,
                f"{given}, which is read later or in another branch",
                "a value that has been read by then",
                "move the phase, or refer to an earlier value",
            )
        return found

    def done_before(self, id: str) -> set[str]:
        for part, done in before(self.recipe.procedure):
            if isinstance(part, Phase) and part.id == id:
                return done
        return set()

    def names(self) -> None:
        seen: dict[tuple[str, str], str] = {}
        for id, path, word in _ids(self.recipe.content):
            space = word if word in {"unit", "operation"} else "step"
            if (other := seen.setdefault((space, id), path)) != path:
                limit = "each name given once"
                found = f"{id}, also at {other}"
                self.add("identifier-twice", path, f"{word} {id}", found, limit, "rename one")

    def kinds(self) -> None:
        for phase in self.phases:
            path, what = self.at(phase.id), f"phase {phase.id} of kind {phase.kind}"
            names = [one.id for one in phase.parameters]
            for index, name in enumerate(names):
                if name in names[:index]:
                    place, limit = f"{path}.parameters[{index}]", "each parameter named once"
                    self.add("identifier-twice", place, what, name, limit, "rename one")
            for code, missing, needed in _needs(phase):
                if missing:
                    remedy = f"add {needed}, or choose another kind"
                    self.add(code, path, what, f"no {needed}", needed, remedy)
            if phase.minimum and phase.maximum and phase.minimum > phase.maximum:
                found = f"minimum {_time(phase.minimum)}"
                limit = f"at most the maximum, {_time(phase.maximum)}"
                self.add("limits-inverted", f"{path}.minimum", what, found, limit, "swap the two")
            if phase.maximum and phase.duration > phase.maximum:
                found = f"duration {_time(phase.duration)}"
                limit = f"at most the maximum, {_time(phase.maximum)}"
                remedy = "shorten the duration, or validate a longer maximum"
                self.add("duration-past-maximum", f"{path}.duration", what, found, limit, remedy)
            for index, plan in enumerate(phase.samples):
                self.sample(plan, f"{path}.samples[{index}]")

    def sample(self, plan: SamplePlan, path: str) -> None:
        what = f"sample {plan.id}"
        if plan.purpose.value == "test" and not plan.tests:
            remedy = "name the tests, or make it a retention or reserve sample"
            self.add("tests-missing", path, what, "no tests", "one test or more", remedy)
        if plan.amount.value <= 0:
            limit = "an amount above zero"
            self.add("amount-missing", f"{path}.amount", what, plan.amount, limit, "correct it")

    def roles(self) -> None:
        for phase in self.phases:
            path, what = self.at(phase.id), f"phase {phase.id}"
            if not phase.role and phase.kind is not PhaseKind.WAIT:
                self.add(
                    "role-missing",
                    path,
                    what,
                    "no role",
                    "the role that may do it",
                    f"add role: {next(iter(self.recipe.uses.get('roles', ())), 'operator')}",
                    "21 CFR 11.10(i)",
                )
            if phase.witness and not phase.is_signed:
                self.add(
                    "witness-unsigned",
                    f"{path}.witness",
                    what,
                    "a witness of a step that nobody signs",
                    "a signed step",
                    "take signed: false away",
                    "EU GMP Annex 11, 6",
                )

    def limits(self) -> None:
        for phase in self.phases:
            for index, one in enumerate(phase.parameters):
                path = f"{self.at(phase.id)}.parameters[{index}]"
                for problem in _inverted(one):
                    key, found, limit, remedy = problem
                    what = f"parameter {one.id} of phase {phase.id}"
                    self.add("limits-inverted", f"{path}.{key}", what, found, limit, remedy)
                self.choices(one, path)

    def choices(self, one: Parameter, path: str) -> None:
        what = f"parameter {one.id}"
        if one.kind is ParameterKind.CHOICE and len(one.choices) < 2:
            found = f"{len(one.choices)} answers"
            self.add("choices-few", path, what, found, "two or more answers", "add choices")
        for word in one.accepted:
            if word not in one.choices:
                self.unknown(f"{path}.accepted", f"answer of {what}", word, one.choices, "choices")
        if one.inputs and one.calculation is None:
            remedy = "name the calculation, or take the inputs away"
            self.add("calculation-missing", path, what, "inputs only", "a calculation", remedy)

    def conditions(self) -> None:
        for part, done in before(self.recipe.procedure):
            match part:
                case Choice():
                    self.choice(part, done)
                case Loop():
                    self.loop(part, done)
                case _:
                    pass

    def choice(self, choice: Choice, done: set[str]) -> None:
        path = self.at(choice.id)
        seen: list[str] = []
        for index, way in enumerate(choice.branches):
            place = f"{path}.branches[{index}]"
            inside = ", ".join(phase.id for phase in walk(way.parts)) or "nothing"
            if None in [other.when for other in choice.branches[:index]]:
                found = f"phases {inside} after the branch taken otherwise"
                self.unreachable(place, choice.id, found, "put otherwise last")
                continue
            if way.when is None:
                continue
            if str(way.when) in seen:
                found = f"phases {inside} behind a condition that an earlier branch takes"
                self.unreachable(place, choice.id, found, "change the condition")
            seen.append(str(way.when))
            if self.condition(way.when, f"{place}.when", done) is False:
                found = f"phases {inside} behind a condition that never holds"
                self.unreachable(place, choice.id, found, "correct the condition")
        if choice.branches and choice.branches[-1].when is not None:
            self.add(
                "choice-without-otherwise",
                path,
                f"choice {choice.id}",
                "no branch for the other cases",
                "a last branch with otherwise: true",
                "add it, so that a lot is never stuck",
            )

    def unreachable(self, path: str, id: str, found: str, remedy: str) -> None:
        limit = "branches that can be taken"
        self.add("phase-unreachable", path, f"choice {id}", found, limit, remedy)

    def loop(self, loop: Loop, done: set[str]) -> None:
        path = self.at(loop.id)
        inside = {phase.id for phase in walk(loop.parts)}
        asked = set(loop.until.readings())
        if not asked:
            return
        possible = self.condition(loop.until, f"{path}.until", done | inside)
        owners = {reading.partition(".")[0] for reading in asked}
        if possible is False or not owners & inside:
            found = (
                "a condition that never holds"
                if possible is False
                else f"until asks {', '.join(sorted(asked))}, which no phase inside reads again"
            )
            self.add(
                "loop-without-exit",
                f"{path}.until",
                f"loop {loop.id}",
                found,
                "a condition on a value read inside the loop",
                "read the value inside the loop, or correct the condition",
                "ISA-88: a recipe comes to an end",
            )

    def condition(self, condition: Condition, path: str, done: set[str]) -> bool | None:
        """Judge a condition; False when it can never hold, None when it may."""
        if condition.all or condition.any:
            word = "all" if condition.all else "any"
            inner = [
                self.condition(one, f"{path}.{word}[{index}]", done)
                for index, one in enumerate(condition.all or condition.any)
            ]
            never = False in inner if condition.all else all(one is False for one in inner)
            return False if never else None
        if condition.reading is None:
            return None
        found = self.parameters.get(condition.reading)
        place, what = f"{path}.reading", "condition"
        if found is None:
            self.unknown(place, what, condition.reading, self.parameters, "a phase's parameters")
            return None
        if condition.reading.partition(".")[0] not in done:
            limit = "a value that has been read by then"
            remedy = "read it earlier, or ask another value"
            seen = f"{condition.reading}, which is read later or in another branch"
            self.add("reference-too-early", place, what, seen, limit, remedy)
            return False
        return self.possible(condition, found, path)

    def possible(self, condition: Condition, parameter: Parameter, path: str) -> bool | None:
        value, place = condition.value, f"{path}.{condition.comparison}"
        if parameter.kind is ParameterKind.CHOICE:
            if str(value) not in parameter.choices:
                what = f"answer asked of {condition.reading}"
                self.unknown(place, what, str(value), parameter.choices, "choices")
                return False
            return None
        if parameter.kind is ParameterKind.NUMBER:
            try:
                if not isinstance(value, Quantity):
                    raise Refused("unit-mismatch", what="condition", remedy="give a number")
                value.to(parameter.unit)
            except Refused:
                limit = f"a number whose unit converts to {parameter.unit}"
                what = f"value asked of {condition.reading}"
                self.add("unit-mismatch", place, what, value, limit, "correct the unit", "UCUM")
        return None

    def windows(self) -> None:
        times = earliest(self.recipe)
        for part, done in before(self.recipe.procedure):
            if not isinstance(part, Phase):
                continue
            for index, window in enumerate(part.windows):
                path = f"{self.at(part.id)}.windows[{index}]"
                what = f"window of phase {part.id} after {window.after}"
                if window.after not in self.by_id:
                    place, name = f"{path}.after", f"window of phase {part.id}"
                    self.unknown(place, name, window.after, self.by_id, "the procedure")
                    continue
                if window.after == part.id or window.after not in done:
                    self.add(
                        "window-impossible",
                        f"{path}.after",
                        what,
                        f"{window.after}, which does not come before {part.id}",
                        "an earlier phase",
                        "name the phase from which the time runs",
                    )
                    continue
                if window.earliest and window.latest and window.earliest > window.latest:
                    found = f"earliest {_time(window.earliest)}"
                    limit = f"at most the latest, {_time(window.latest)}"
                    self.add(
                        "window-impossible", f"{path}.earliest", what, found, limit, "swap them"
                    )
                    continue
                since = times[window.after][0 if window.since == "started" else 1]
                least = times[part.id][0] - since
                if window.latest is not None and least > window.latest:
                    self.add(
                        "window-impossible",
                        f"{path}.latest",
                        what,
                        f"latest {_time(window.latest)}, while the steps between take "
                        f"{_time(least)} as planned",
                        f"at least {_time(least)}",
                        "widen the window, or shorten the steps between",
                    )

    def identity(self) -> None:
        first = next((one for one in self.phases if one.is_identity_critical), None)
        if self.recipe.shape is Shape.AUTOLOGOUS and self.phases and first is None:
            self.add(
                "identity-never-checked",
                "procedure",
                f"recipe {self.recipe.id}",
                "no phase that scans the lot's identity",
                "at least one phase of kind scan-identity",
                "add a scan where the patient's cells arrive",
                "21 CFR 1271.290(b)",
            )

    def containers(self) -> None:
        for one in container_faults(self.recipe):
            path = f"{self.at(one.phase)}.{one.place}" if one.phase else one.place
            what = f"containers of phase {one.phase}" if one.phase else "containers of the recipe"
            rule = "ISO 21973; chain of custody"
            self.add(one.code, path, what, one.found, one.limit, one.remedy, rule)

    def labels(self) -> None:
        for one in label_faults(self.recipe):
            what = f"labels of phase {one.phase}"
            path = f"{self.at(one.phase)}.{one.place}"
            self.add(one.code, path, what, one.found, one.limit, one.remedy, LABEL_RULE)

    def catalogue(self, catalogue: Catalogue) -> None:
        for kind, named in self.recipe.uses.items():
            for index, reference in enumerate(named):
                id = reference.partition("@")[0]
                if catalogue.knows(_KINDS[kind], id) is False:
                    path = f"uses.{kind}[{index}]"
                    self.unknown(path, _KINDS[kind], reference, (), "the definitions")
        specification = self.recipe.specification.partition("@")[0]
        if specification and catalogue.knows("specification", specification) is False:
            self.unknown("specification", "specification", specification, (), "the definitions")


def earliest(recipe: Recipe) -> dict[str, tuple[timedelta, timedelta]]:
    """Give start and end of every phase from the begin of the lot, as early as its own durations
    allow: parallel branches start together, each loop is run once, each branch counts.
    """
    times: dict[str, tuple[timedelta, timedelta]] = {}

    def run(parts: Iterable[Part], at: timedelta) -> timedelta:
        for part in parts:
            match part:
                case Phase():
                    times[part.id] = (at, at + part.duration)
                    at += part.duration
                case Group() | Loop():
                    at = run(part.parts, at)
                case Parallel():
                    at = max([run(branch, at) for branch in part.branches], default=at)
                case Choice():
                    # The shortest branch: a window is impossible only if no way can meet it.
                    at = min([run(way.parts, at) for way in part.branches], default=at)
        return at

    run(recipe.procedure, timedelta())
    return times


_KINDS = {
    "calculations": "calculation",
    "material-classes": "material-class",
    "equipment-classes": "equipment-class",
    "roles": "role",
    "labels": "label",
    "tests": "test",
}


def _named(phase: Phase) -> Iterator[tuple[str, str, str]]:
    if phase.role:
        yield "role", "roles", phase.role
    if phase.witness:
        yield "witness", "roles", phase.witness
    for index, name in enumerate(phase.equipment):
        yield f"equipment[{index}]", "equipment-classes", name
    for index, need in enumerate(phase.materials):
        yield f"materials[{index}].class", "material-classes", need.material_class
    for index, label in enumerate(phase.labels):
        yield f"labels[{index}]", "labels", label.label
    for index, one in enumerate(phase.parameters):
        if one.calculation:
            yield f"parameters[{index}].calculation", "calculations", one.calculation
    for index, plan in enumerate(phase.samples):
        for inner, test in enumerate(plan.tests):
            yield f"samples[{index}].tests[{inner}]", "tests", test


def _needs(phase: Phase) -> Iterator[tuple[str, bool, str]]:
    match phase.kind:
        case PhaseKind.MEASURE:
            yield "parameters-missing", not phase.parameters, "parameters"
        case PhaseKind.CALCULATE:
            computed = any(one.calculation for one in phase.parameters)
            yield "calculation-missing", not computed, "a parameter with its calculation"
        case PhaseKind.ADD:
            yield "materials-missing", not phase.materials, "materials"
        case PhaseKind.SAMPLE:
            yield "samples-missing", not phase.samples, "samples"
        case PhaseKind.EQUIPMENT:
            yield "equipment-missing", not phase.equipment, "equipment"
        case PhaseKind.HOLD:
            yield "maximum-missing", phase.maximum is None, "maximum"
        case PhaseKind.WAIT:
            yield "minimum-missing", phase.minimum is None and not phase.duration, "minimum"
        case PhaseKind.CLEARANCE:
            yield "witness-missing", phase.witness is None, "witness"
        case _:
            pass


def _inverted(one: Parameter) -> Iterator[tuple[str, str, str, str]]:
    for key, limits in (("warning", one.warning), ("hard", one.hard)):
        if limits.lower and limits.upper and limits.lower.compare(limits.upper) > 0:
            limit = f"at most the upper limit, {limits.upper}"
            yield f"{key}.lower", f"lower limit {limits.lower}", limit, "swap the two"
    for end in ("lower", "upper"):
        inner, outer = getattr(one.warning, end), getattr(one.hard, end)
        if inner is None or outer is None:
            continue
        if inner.compare(outer) == (-1 if end == "lower" else 1):
            yield (
                f"warning.{end}",
                f"warning limit {inner} outside the hard limit",
                f"within the hard limit, {outer}",
                "warn before the hard limit, not past it",
            )
    if one.target is not None and not one.hard.holds(one.target):
        yield "target", f"target {one.target}", f"within the hard limits, {one.hard}", "correct it"
    elif one.target is not None and not one.warning.holds(one.target):
        limit = f"within the warning limits, {one.warning}"
        yield "target", f"target {one.target}", limit, "correct it"


def _ids(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    if isinstance(value, dict):
        for word in ("unit", "operation", "phase", "parallel", "choose", "repeat"):
            is_part = word in value and path.startswith("procedure")
            if is_part and (word != "unit" or "operations" in value):
                yield str(value[word]), path, word
        for index, plan in enumerate(_listed(value.get("samples"))):
            if isinstance(plan, dict) and "phase" in value and "id" in plan:
                yield f"sample {plan['id']}", f"{path}.samples[{index}]", "sample"
        for key, inner in value.items():
            yield from _ids(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _ids(inner, f"{path}[{index}]")


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _paths_of(recipe: Recipe) -> dict[str, str]:
    found: dict[str, str] = {}
    for id, path, word in _ids(recipe.content):
        if word not in {"unit", "operation"}:
            found.setdefault(id, path)
    return found


def _time(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{count} {word}" for count, word in parts if count) or "0 min"
