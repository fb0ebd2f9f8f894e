"""A recipe: what is to be done, from procedure down to phase (ISA-88), with what may vary.

A master recipe is a definition of kind `recipe`. Its content is a tree: unit procedures hold
operations, operations hold phases; at each level parts may run in parallel branches, be chosen by
a condition, or be repeated until one holds. A control recipe is the frozen copy that one lot
follows. `Recipe.read` gives the tree or says every defect of its form; `recipe_check` judges sense.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self, TypeAlias

from anlage.base import Broken, Quantity, Refused, digest
from anlage.library import Reference


class PhaseKind(StrEnum):
    """What a phase asks of people and equipment."""

    INSTRUCTION = "instruction"
    MEASURE = "measure"
    SCAN = "scan-identity"
    ADD = "add-material"
    EQUIPMENT = "use-equipment"
    SAMPLE = "sample"
    CLEARANCE = "line-clearance"
    HOLD = "hold"
    CALCULATE = "calculate"
    WAIT = "wait"
    MOVE = "move"


class ParameterKind(StrEnum):
    """What kind of value a parameter takes."""

    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"


class Shape(StrEnum):
    """Whose cells a recipe makes."""

    AUTOLOGOUS = "autologous"
    ALLOGENEIC = "allogeneic"


class Purpose(StrEnum):
    """What a sample is taken for."""

    TEST = "test"
    RETENTION = "retention"
    RESERVE = "reserve"
    SATELLITE = "satellite"


class Judgement(StrEnum):
    """How a reading stands to its limits."""

    PLAIN = "plain"
    WARNING = "warning"
    HARD = "hard"


class ContainerVerb(StrEnum):
    """What a phase does with the containers of the lot's material."""

    RECEIVE = "receive"
    CREATE = "create"
    TRANSFER = "transfer"
    MOVE = "move"
    FILL = "fill"
    DISCARD = "discard"


UNATTENDED = frozenset({PhaseKind.WAIT, PhaseKind.HOLD})
IDENTITY_KINDS = frozenset({PhaseKind.SCAN, PhaseKind.ADD, PhaseKind.SAMPLE, PhaseKind.MOVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A range that includes both ends; None leaves an end open."""

    lower: Quantity | None = None
    upper: Quantity | None = None

    def holds(self, value: Quantity) -> bool:
        """Tell whether the value lies in the range.

        Raises:
            Refused: The units measure different things.
        """
        if self.lower is not None and value.compare(self.lower) < 0:
            return False
        return self.upper is None or value.compare(self.upper) <= 0

    def __str__(self) -> str:
        if self.lower is not None and self.upper is not None:
            return f"{self.lower} to {self.upper}"
        if self.lower is not None:
            return f"at least {self.lower}"
        return f"at most {self.upper}" if self.upper is not None else "any value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value that a phase reads, enters or computes.

    Attributes:
        id: Its name within the phase; `phase.id` elsewhere.
        name: What people read.
        kind: number, choice or text.
        unit: The unit of measure in which it is kept; `1` for a pure number.
        decimals: How many decimals it is reported with.
        target: The value aimed at.
        warning: Outside it a reading is shown in the review.
        hard: Outside it a deviation is opened and the step is held.
        choices: The accepted answers of a choice.
        accepted: The answers that need no deviation; all, when empty.
        calculation: The calculation that gives the value (`id` or `id@version`).
        inputs: Input name of the calculation to its source: `phase.parameter`, `lot.weight` or a
        quantity. critical: True for a critical process parameter or in-process control.
        required: False when the value may be left out.
        source: Where the limits come from; "illustrative" when from nowhere public.
    """

    id: str
    name: str
    kind: ParameterKind = ParameterKind.NUMBER
    unit: str = "1"
    decimals: int | None = None
    target: Quantity | None = None
    warning: Limits = Limits()
    hard: Limits = Limits()
    choices: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    calculation: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    critical: bool = False
    required: bool = True
    source: str | None = None

    def judge(self, value: Quantity | str) -> Judgement:
        """Tell how a value stands to the limits.

        Raises:
            Refused: A number's unit does not convert to the parameter's.
        """
        if isinstance(value, str):
            return (
                Judgement.HARD if self.accepted and value not in self.accepted else Judgement.PLAIN
            )
        if not self.hard.holds(value):
            return Judgement.HARD
        return Judgement.PLAIN if self.warning.holds(value) else Judgement.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class MaterialNeed:
    """A material class that a phase uses up.

    Attributes:
        material_class: Identifier of the class.
        amount: How much; None when `amount_from` gives it or the operator decides.
        amount_from: The parameter (`phase.parameter`) whose reading is the amount.
        tolerance_percent: How far the amount may differ before it is shown in the review.
    """

    material_class: str
    amount: Quantity | None = None
    amount_from: str | None = None
    tolerance_percent: Decimal = Decimal(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerAct:
    """One thing that a phase does with containers. A recipe names a container by its part in the
    process ("collection", "culture", "product"); the lot knows which bag or tube that is.

    Attributes:
        verb: receive (take the starting material over), create (a first vessel filled from material
            lots), transfer (the whole content goes into a new vessel), move, fill (product
            containers), discard.
        part: The part that is acted on; for `create` the new one.
        into: The part that a transfer or filling makes.
        vessel: What the new container is.
        to: Where it stands then: an equipment class of the phase, or `room`.
        amount: The reading (`phase.parameter`) of what is in a new container.
        added: The reading of what went in beside the cells, for the mass balance.
        count: The reading of how many containers were filled.
    """

    verb: ContainerVerb
    part: str
    into: str | None = None
    vessel: str = "bag"
    to: str | None = None
    amount: str | None = None
    added: str | None = None
    count: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNeed:
    """A label that a phase uses; a set of its own where it says for which containers.

    Attributes:
        label: The label definition.
        part: What it goes on: a part of the process that the phase makes, or `samples`; None where
            the recipe only says which label is used, and no set is asked for.
        count: How many: a whole number, or the reading (`phase.parameter`) that gives it; None for
            one for each container.
        spare: How many more may be printed, to be destroyed when they are not used.
        is_optional: True when the phase may be completed without the set.
    """

    label: str
    part: str | None = None
    count: int | str | None = None
    spare: int = 0
    is_optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePlan:
    """Samples that a phase takes.

    Attributes:
        id: Its name within the recipe.
        specimen: What is taken ("cells and supernatant").
        amount: How much of it per container.
        count: How many containers.
        purpose: test, retention, reserve or satellite vial.
        tests: The attributes of the specification that it answers.
        turnaround: From taking to the approved result.
        is_destructive: True when the amount is lost to the product.
        source: The part of the process that it is drawn from; None where the recipe says nothing of
            containers.
    """

    id: str
    specimen: str
    amount: Quantity
    count: int = 1
    purpose: Purpose = Purpose.TEST
    tests: tuple[str, ...] = ()
    turnaround: timedelta | None = None
    is_destructive: bool = True
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a phase may start, counted from another one.

    Attributes:
        after: The other phase.
        since: "completed" or "started".
        earliest: Not before this has passed.
        latest: A later start opens a deviation.
    """

    after: str
    since: str = "completed"
    earliest: timedelta | None = None
    latest: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """The smallest thing that is started, done and signed.

    Attributes:
        id: Unique within the recipe.
        kind: What it asks.
        name: What people read.
        unit: The unit procedure it stands in.
        operation: The operation it stands in.
        room: The class of room it needs, from its unit procedure.
        text: The instruction.
        role: Who may do it.
        witness: The role of the second, distinct person; None without one.
        equipment: Classes of equipment in use.
        materials: Materials used up.
        parameters: Values read.
        samples: Samples taken.
        containers: What happens to the containers of the lot's material.
        labels: Labels used, and the sets that are printed for its containers.
        windows: When it may start.
        duration: How long it takes as planned.
        minimum: The least time between start and completion (wait, hold).
        maximum: The most time between start and completion; longer opens a deviation.
        is_identity_critical: The lot's identity is scanned before it is completed.
        is_exclusive: No other exclusive step of the lot may be open beside it.
        is_signed: The person who did it signs.
        is_any_day: May be planned outside working hours.
        photo: An attachment is required.
    """

    id: str
    kind: PhaseKind
    name: str
    unit: str
    operation: str
    room: str | None = None
    text: str = ""
    role: str = ""
    witness: str | None = None
    equipment: tuple[str, ...] = ()
    materials: tuple[MaterialNeed, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    samples: tuple[SamplePlan, ...] = ()
    containers: tuple[ContainerAct, ...] = ()
    labels: tuple[LabelNeed, ...] = ()
    windows: tuple[Window, ...] = ()
    duration: timedelta = timedelta()
    minimum: timedelta | None = None
    maximum: timedelta | None = None
    is_identity_critical: bool = False
    is_exclusive: bool = True
    is_signed: bool = True
    is_any_day: bool = False
    photo: bool = False

    def parameter(self, id: str) -> Parameter | None:
        """Give a parameter by its id."""
        return next((one for one in self.parameters if one.id == id), None)


class Comparison(StrEnum):
    """How a condition compares a reading with its value."""

    AT_LEAST = "at-least"
    AT_MOST = "at-most"
    ABOVE = "above"
    BELOW = "below"
    EQUALS = "equals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A question about readings: one comparison, or all or any of several.

    Attributes:
        reading: `phase.parameter`; the latest reading counts.
        comparison: How it is compared.
        value: With what.
        all: Conditions that must all hold.
        any: Conditions of which one must hold.
    """

    reading: str | None = None
    comparison: Comparison | None = None
    value: Quantity | str | None = None
    all: tuple["Condition", ...] = ()
    any: tuple["Condition", ...] = ()

    def holds(self, readings: Mapping[str, Quantity | str]) -> bool:
        """Tell whether it holds; a reading that was never made answers no.

        Raises:
            Refused: A reading's unit does not convert to that of the value.
        """
        if self.all:
            return all(inner.holds(readings) for inner in self.all)
        if self.any:
            return any(inner.holds(readings) for inner in self.any)
        found = readings.get(self.reading or "")
        if found is None or self.value is None:
            return False
        if isinstance(found, Quantity) and isinstance(self.value, Quantity):
            sign = found.compare(self.value)
            match self.comparison:
                case Comparison.AT_LEAST:
                    return sign >= 0
                case Comparison.AT_MOST:
                    return sign <= 0
                case Comparison.ABOVE:
                    return sign > 0
                case Comparison.BELOW:
                    return sign < 0
                case _:
                    return sign == 0
        return self.comparison is Comparison.EQUALS and str(found) == str(self.value)

    def readings(self) -> Iterator[str]:
        """Give every reading it asks for."""
        if self.reading:
            yield self.reading
        for inner in (*self.all, *self.any):
            yield from inner.readings()

    def __str__(self) -> str:
        if self.all:
            return " and ".join(str(inner) for inner in self.all)
        if self.any:
            return " or ".join(str(inner) for inner in self.any)
        words = str(self.comparison).replace("-", " ") if self.comparison else "is"
        return f"{self.reading} {words} {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A unit procedure or an operation: a name around parts that follow each other."""

    id: str
    level: str
    name: str
    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Branches that run side by side; all end before what follows."""

    id: str
    branches: tuple[tuple["Part", ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One way of a choice; `when` is None for the way taken otherwise."""

    when: Condition | None
    parts: tuple["Part", ...]
    is_expected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The first branch whose condition holds is taken."""

    id: str
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Parts done again until a condition holds, at most so many times.

    Attributes:
        id: Its name within the recipe.
        until: Asked after each round.
        at_most: The most rounds; reaching it without the condition opens a deviation.
        expected: How many rounds a plan counts on.
        parts: What is repeated.
    """

    id: str
    until: Condition
    at_most: int
    expected: int
    parts: tuple["Part", ...]


Part: TypeAlias = Group | Parallel | Choice | Loop | Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A whole recipe, well formed.

    Attributes:
        id: Its name as a definition.
        name: What people read.
        product: The product that it makes.
        shape: autologous or allogeneic.
        specification: The specification that its lots are released against.
        uses: What it refers to, per kind: calculations, material-classes, equipment-classes, roles,
        labels, tests. procedure: The unit procedures.
        content: The normalised content that was read.
    """

    id: str
    name: str
    product: str
    shape: Shape
    specification: str
    uses: Mapping[str, tuple[str, ...]]
    procedure: tuple[Part, ...]
    content: Mapping[str, Any]

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Self:
        """Read a recipe's content.

        Raises:
            Refused: It has defects of form or sense; all of them are named.
        """
        from .recipe_reader import read_recipe

        recipe, problems = read_recipe(content)
        if recipe is not None and not problems:
            from .recipe_check import sense

            problems = sense(recipe)
        if recipe is None or problems:
            raise Refused.of(problems)
        return recipe  # type: ignore[return-value]  # the reader builds this very class

    @classmethod
    def recall(cls, content: Mapping[str, Any]) -> Self:
        """Read a control recipe out of the record: it was judged when it was frozen, and rules of
        sense that were added since do not reach back.

        Raises:
            Broken: What was frozen is no recipe.
        """
        from .recipe_reader import read_recipe

        recipe, problems = read_recipe(content)
        if recipe is None:
            raise Broken("a control recipe that can be read", seen=problems[0] if problems else "")
        return recipe  # type: ignore[return-value]  # the reader builds this very class

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical content: what a lot's control recipe is known by."""
        return digest(dict(self.content))

    @property
    def references(self) -> tuple[Reference, ...]:
        """The definitions that it names."""
        kinds = {
            "calculations": "calculation",
            "material-classes": "material-class",
            "equipment-classes": "equipment-class",
            "roles": "role",
            "labels": "label",
        }
        found = [Reference(kind="product", id=self.product, path="product")]
        if self.specification:
            id = self.specification.partition("@")[0]
            found.append(Reference(kind="specification", id=id, path="specification"))
        for name, kind in kinds.items():
            for index, reference in enumerate(self.uses.get(name, ())):
                id = reference.partition("@")[0]
                found.append(Reference(kind=kind, id=id, path=f"uses.{name}[{index}]"))
        return tuple(found)

    def phases(self) -> tuple[Phase, ...]:
        """Give every phase, in the order of the document."""
        return tuple(walk(self.procedure))

    def phase(self, id: str) -> Phase | None:
        """Give a phase by its id."""
        return next((one for one in walk(self.procedure) if one.id == id), None)


def walk(parts: Sequence[Part]) -> Iterator[Phase]:
    """Give every phase below some parts, in the order of the document."""
    for part in parts:
        match part:
            case Phase():
                yield part
            case Group() | Loop():
                yield from walk(part.parts)
            case Parallel():
                for branch in part.branches:
                    yield from walk(branch)
            case Choice():
                for way in part.branches:
                    yield from walk(way.parts)
