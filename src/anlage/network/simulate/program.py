"""From the steps of a process to the rows of a program."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..distribution import Distribution
from ..model import (
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
    Process,
    Produce,
    Request,
    Ship,
    Step,
    Use,
    Wait,
)
from ..walk import holds_at
from .layout import (
    OP_ASSIGN,
    OP_CHANCE,
    OP_CHARGE,
    OP_CHOOSE,
    OP_CLOCKS,
    OP_COUNT,
    OP_DELAY,
    OP_END,
    OP_FAILED,
    OP_GATHER,
    OP_JUMP,
    OP_KEEP,
    OP_LEAVE,
    OP_MARK,
    OP_PUT,
    OP_RELEASE,
    OP_SEIZE,
    OP_SHIP,
    OP_SPAWN,
    OP_VANISH,
    OP_VIABLE,
    RULE_CLASS,
    RULE_CLINIC,
    RULE_NONE,
    RULE_PAIR,
    RULE_SITE,
    RULE_WAY,
)
from .lookup import Lookup, Selected

OUTCOME_NUMBERS = {"infused": 0, "lost": 1, "withdrawn": 2}
_MARKS = {"start": 0, "stop": 1, "viability": 2}


@dataclass(slots=True)
class Row:
    """One operation, with a target that may be a label until all rows stand."""

    op: int
    rule: int = RULE_NONE
    base: int = 0
    target: str | None = None
    stage: int = -1
    purpose: int = 0
    a: int = 0
    b: int = 0
    c: int = 0
    jumps: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A hold that is open at some step, and how it is given back."""

    name: str
    selected: Selected


class ProgramWriter:
    """Writes the programs of all processes into one list of rows."""

    def __init__(self, lookup: Lookup) -> None:
        """Begin with an empty program."""
        self.lookup = lookup
        self.rows: list[Row] = []
        self.labels: dict[str, int] = {}
        self._fresh = 0
        self._later: list[Callable[[], None]] = []
        self._exits: dict[tuple[Held, ...], str] = {}
        self._process = ""
        self._holds_at: dict[str, tuple[str, ...]] = {}
        self._counters = 0
        self.counters = 0

    def write(self, process: Process) -> int:
        """Write one process and give the row at which it begins."""
        start = len(self.rows)
        self._process = process.name
        self._holds_at = holds_at(process)
        self._exits = {}
        self._counters = 0
        assign = self.lookup.network.assign
        if assign.rule == "least loaded":
            self._step(assign, ())
        self._steps(process.steps, ())
        self._end("infused", "", ())
        while self._later:
            self._later.pop(0)()
        for holds, label in list(self._exits.items()):
            self._label(label)
            self._release(holds)
            self._put(OP_LEAVE)
        return start

    def resolved(self) -> list[tuple[int, ...]]:
        """Give the rows in the order of `layout.STEP`, with every label replaced by its row."""
        sites = len(self.lookup.sites)
        pairs = sites * len(self.lookup.clinics)
        steps = {
            RULE_NONE: (0, 0, 0, 0),
            RULE_CLASS: (1, 0, 0, 0),
            RULE_CLINIC: (0, 1, 0, 0),
            RULE_SITE: (0, 0, 1, 0),
            RULE_PAIR: (0, sites, 1, 0),
            RULE_WAY: (0, sites, 1, pairs),
        }
        made: list[tuple[int, ...]] = []
        for place, row in enumerate(self.rows):
            target = -1 if row.target is None else self.labels[row.target]
            lap = int(row.jumps and target <= place)
            a = lap if row.op == OP_JUMP else row.a
            by = steps[row.rule]
            made.append((row.op, row.base, *by, target, row.stage, a, row.b, row.c, row.purpose))
        return made

    def put(self, op: int, **fields: int) -> int:
        """Write one row that stands outside of any process, and give its number."""
        self.rows.append(Row(op=op, **fields))  # type: ignore[arg-type] # no target is given here
        return len(self.rows) - 1

    def put_jump(self, op: int, target: int, **fields: int) -> None:
        """Write one row that goes to a row known by its number."""
        label = self._name()
        self.labels[label] = target
        self.rows.append(Row(op=op, target=label, **fields))  # type: ignore[arg-type]

    def _put(
        self,
        op: int,
        selected: Selected | None = None,
        *,
        target: str | None = None,
        stage: int = -1,
        purpose: int = 0,
        a: int = 0,
        b: int = 0,
        c: int = 0,
    ) -> None:
        rule, base = (RULE_NONE, 0) if selected is None else (selected.rule, selected.base)
        self.rows.append(Row(op, rule, base, target, stage, purpose, a, b, c, jumps=op == OP_JUMP))

    def _name(self) -> str:
        self._fresh += 1
        return f"#{self._fresh}"

    def _label(self, name: str) -> None:
        self.labels[name] = len(self.rows)

    def _purpose(self, name: str, part: str = "") -> int:
        """Give the stream of chance of a step; equal names have equal streams in all designs."""
        text = f"{self._process}/{name}/{part}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")

    def _steps(self, steps: Sequence[Step], holds: tuple[Held, ...]) -> None:
        for step in steps:
            self._label(self._step_label(step.name))
            self._step(step, holds)

    def _step_label(self, name: str) -> str:
        return f"{self._process}/{name}"

    def _step(self, step: Step, holds: tuple[Held, ...]) -> None:
        match step:
            case Use():
                selected = self._seize(step.name, step.request, holds)
                self._delay(step.name, step.time)
                self._put(OP_RELEASE, selected)
            case Hold():
                selected = self._seize(step.name, step.request, holds)
                self._steps(step.steps, (*holds, Held(step.name, selected)))
                self._put(OP_RELEASE, selected)
            case Wait():
                self._delay(step.name, step.time, counts=True)
            case Ship():
                self._ship(step)
            case Keep():
                row = -1 if step.condition is None else self.lookup.keep(step.condition)
                self._put(OP_KEEP, a=row, b=self.lookup.cost_class("packaging"))
            case Exchange():
                self._exchange(step)
            case Branch():
                self._branch(step, holds)
            case Fail():
                self._fail(step, holds)
            case GoTo():
                self._goto(step, holds)
            case Produce():
                place = self.lookup.material(step.material)
                self._put(OP_PUT, place, a=step.amount)
            case Charge():
                amount = self.lookup.amounts(step.amount)
                self._put(OP_CHARGE, amount, a=self.lookup.cost_class(step.cost_class))
            case Gather():
                self._gather(step)
            case Assign():
                pool = -1
                if step.rule == "least loaded" and step.resource is not None:
                    pool = self.lookup.pool_base[step.resource]
                self._put(OP_ASSIGN, a=pool)
            case Mark():
                amount = self.lookup.amounts(Choice(default=step.value))
                self._put(OP_MARK, amount, a=_MARKS[step.what])
            case End():
                self._end(step.outcome, step.cause, holds)

    def _seize(self, name: str, request: Request, holds: tuple[Held, ...]) -> Selected:
        selected = self.lookup.signatures(request.wants)
        patience = -1 if request.patience is None else self.lookup.time(request.patience)
        level = -1 if request.priority is None else self.lookup.level(request.priority)
        self._put(
            OP_SEIZE,
            selected,
            target=self._exit(holds),
            stage=self.lookup.stage(self._process, name),
            purpose=self._purpose(name, "patience"),
            a=patience,
            b=level,
            c=int(request.may_drop_out),
        )
        return selected

    def _delay(self, name: str, time: Choice, *, counts: bool = False) -> None:
        plain = time.default if time.by == "nothing" else None
        if isinstance(plain, Distribution) and plain.is_constant and plain.mean_days() == 0:
            return
        self._put(
            OP_DELAY,
            self.lookup.times(time),
            stage=self.lookup.stage(self._process, name),
            purpose=self._purpose(name, "time"),
            a=int(counts),
        )

    def _exit(self, holds: tuple[Held, ...]) -> str:
        """Give the label of the way out for one who leaves while holding these."""
        if holds not in self._exits:
            self._exits[holds] = self._name()
        return self._exits[holds]

    def _release(self, holds: Sequence[Held]) -> None:
        for held in reversed(holds):
            self._put(OP_RELEASE, held.selected)

    def _end(self, outcome: str, cause: str, holds: tuple[Held, ...]) -> None:
        if outcome == "infused" and self.lookup.has_clocks:
            self._put(OP_CLOCKS, target=self._exit(holds))
        self._release(holds)
        number = self.lookup.cause(cause) if cause else -1
        self._put(OP_END, a=OUTCOME_NUMBERS[outcome], b=number)

    def _ship(self, step: Ship) -> None:
        guard = self.lookup.lane_guard(step.lane)
        if guard is not None:
            self._put(
                OP_SEIZE,
                guard,
                target=self._exit(()),
                a=-1,
                b=-1,
                purpose=self._purpose(step.name, "guard"),
            )
            self._put(OP_RELEASE, guard)
        ways = self.lookup.ways(step.lane)
        if ways.rule == RULE_WAY:
            pair = Selected(RULE_PAIR, ways.base)
            self._put(OP_CHOOSE, pair, purpose=self._purpose(step.name, "choice"))
        out = self.lookup.mode_guard(step.lane)
        if out is not None:
            self._put(OP_SEIZE, out, target=self._exit(()), a=-1, b=-1)
            self._put(OP_RELEASE, out)
        vehicles = self.lookup.vehicles(step.lane)
        stage = self.lookup.stage(self._process, step.name)
        if vehicles is not None:
            self._put(
                OP_SEIZE,
                vehicles,
                target=self._exit(()),
                stage=stage,
                a=-1,
                b=-1,
                purpose=self._purpose(step.name, "vehicle"),
            )
        self._put(
            OP_SHIP,
            ways,
            stage=stage,
            purpose=self._purpose(step.name, "way"),
            a=self.lookup.cost_class("transport"),
            b=self.lookup.cost_class("packaging"),
        )
        if vehicles is not None:
            self._return_vehicle(step, vehicles)

    def _return_vehicle(self, step: Ship, vehicles: Selected) -> None:
        home = self._name()
        self._put(OP_SPAWN, target=home)
        back = self.lookup.way_back(step.lane)
        purpose = self._purpose(step.name, "back")

        def later() -> None:
            self._label(home)
            self._put(OP_DELAY, back, purpose=purpose)
            self._put(OP_RELEASE, vehicles)
            self._put(OP_VANISH)

        self._later.append(later)

    def _exchange(self, step: Exchange) -> None:
        delay, error, correction = self.lookup.integration()
        stage = self.lookup.stage(self._process, step.name)
        self._put(OP_DELAY, delay, stage=stage, purpose=self._purpose(step.name, "delay"), a=1)
        wrong, right = self._name(), self._name()
        self._put(OP_CHANCE, error, target=wrong, purpose=self._purpose(step.name, "error"))
        self._label(right)
        purpose = self._purpose(step.name, "correction")

        def later() -> None:
            self._label(wrong)
            self._put(OP_DELAY, correction, stage=stage, purpose=purpose)
            self._put(OP_JUMP, target=right)

        self._later.append(later)

    def _branch(self, step: Branch, holds: tuple[Held, ...]) -> None:
        after = self._name()
        chances = [
            arm
            for arm in step.arms
            if arm.probability.default is not None or arm.probability.by != "nothing"
        ]
        rest = [arm for arm in step.arms if arm not in chances]
        for number, chance in enumerate(self.lookup.conditional([a.probability for a in chances])):
            arm_label = self._name()
            purpose = self._purpose(step.name, f"arm {number}")
            self._put(OP_CHANCE, chance, target=arm_label, purpose=purpose)
            self._later.append(self._arm(arm_label, chances[number].steps, holds, after))
        for arm in rest:
            self._steps(arm.steps, holds)
        self._label(after)

    def _arm(
        self, label: str, steps: tuple[Step, ...], holds: tuple[Held, ...], after: str
    ) -> Callable[[], None]:
        def later() -> None:
            self._label(label)
            self._steps(steps, holds)
            self._put(OP_JUMP, target=after)

        return later

    def _fail(self, step: Fail, holds: tuple[Held, ...]) -> None:
        failed = self._name()
        if step.viability_min is not None:
            limit = self.lookup.amounts(Choice(default=step.viability_min))
            self._put(OP_VIABLE, limit, target=failed)
        if not (step.probability.by == "nothing" and step.probability.default == 0.0):
            chance = self.lookup.amounts(step.probability)
            self._put(OP_CHANCE, chance, target=failed, purpose=self._purpose(step.name, "chance"))

        def later() -> None:
            self._label(failed)
            self._put(OP_FAILED, a=self.lookup.cause(step.cause))
            if step.retry is not None:
                self._go_back(step.retry, step.most, holds)
            self._steps(step.otherwise, holds)
            self._end(step.outcome, "", holds)

        self._later.append(later)

    def _goto(self, step: GoTo, holds: tuple[Held, ...]) -> None:
        always = step.probability.by == "nothing" and step.probability.default == 1.0
        if always and step.most is None:
            self._jump_to(step.to, holds)
            return
        away, after = self._name(), self._name()
        chance = self.lookup.amounts(step.probability)
        self._put(OP_CHANCE, chance, target=away, purpose=self._purpose(step.name, "chance"))
        self._label(after)

        def later() -> None:
            self._label(away)
            self._go_back(step.to, step.most, holds)
            self._put(OP_JUMP, target=after)

        self._later.append(later)

    def _go_back(self, to: str, most: int | None, holds: tuple[Held, ...]) -> None:
        """Go to a step, as often as is allowed; then fall through."""
        if most is None:
            self._jump_to(to, holds)
            return
        again, done = self._name(), self._name()
        slot = self._counters
        self._counters += 1
        self.counters = max(self.counters, self._counters)
        self._put(OP_COUNT, target=again, a=slot, b=most)
        self._put(OP_JUMP, target=done)
        self._label(again)
        self._jump_to(to, holds)
        self._label(done)

    def _jump_to(self, to: str, holds: tuple[Held, ...]) -> None:
        kept = len(self._holds_at[to])
        self._release(holds[kept:])
        self._put(OP_JUMP, target=self._step_label(to))

    def _gather(self, step: Gather) -> None:
        patience = 1e18 if step.patience_days is None else step.patience_days
        amount = self.lookup.amounts(Choice(default=patience))
        self._put(OP_GATHER, self.lookup.gather_slots(), a=step.size, b=amount.base)
