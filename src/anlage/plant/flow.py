"""A recipe as a net of steps: which may start next, and which branch or round follows.

The tree is laid out once as nodes with successors; a marking says which nodes hold a token. A
phase with a token is ready. Forks, joins, choices and loops are passed through when a phase ends;
each choice made and each round begun is a `Turn`, which becomes a fact.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from anlage.base import Broken, Quantity

from .recipe import Choice, Condition, Group, Loop, Parallel, Part, Phase, Recipe

END = -1
_PASSES_MAX = 10_000


class TurnKind(StrEnum):
    """What was decided where the recipe may go several ways."""

    BRANCH = "branch"
    AGAIN = "again"
    LEAVE = "leave"
    EXHAUSTED = "exhausted"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One decision of the net.

    Attributes:
        id: The choice or loop.
        kind: A branch was taken, a loop goes on, is left, or is left because its rounds are used
        up; stuck when no branch fits. branch: Which branch, from 0.
        round: Which round ended, from 1.
        because: The condition and what it saw.
    """

    id: str
    kind: TurnKind
    branch: int | None = None
    round: int | None = None
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """Where a lot stands in its net: nodes with a token, tokens waiting at joins, rounds done."""

    tokens: frozenset[int] = frozenset()
    waiting: Mapping[int, int] = field(default_factory=dict)
    rounds: Mapping[int, int] = field(default_factory=dict)

    @property
    def is_ended(self) -> bool:
        """True when the net has been run to its end."""
        return not self.tokens and not self.waiting


@dataclass(frozen=True, slots=True)
class _Node:
    phase: str | None = None
    next: int = END
    fork: tuple[int, ...] = ()
    join: int = 0
    choice: Choice | None = None
    loop: Loop | None = None
    ways: tuple[int, ...] = ()
    inside: tuple[int, ...] = ()


class Net:
    """The laid-out recipe. Immutable once built."""

    def __init__(self, recipe: Recipe) -> None:
        """Lay out a recipe's procedure."""
        self._nodes: list[_Node] = []
        self._at: dict[str, int] = {}
        self._first = self._lay(recipe.procedure, END)
        self.recipe = recipe
        self.phases: Mapping[str, Phase] = {one.id: one for one in recipe.phases()}

    def begin(self) -> tuple[Marking, tuple[Turn, ...]]:
        """Give the marking at the start of a lot."""
        return self._run(Marking(), [self._first], {})

    def ready(self, marking: Marking) -> tuple[str, ...]:
        """Give the phases that hold a token, in the order of the document."""
        return tuple(phase for node in sorted(marking.tokens) if (phase := self._nodes[node].phase))

    def done(
        self, marking: Marking, phase: str, readings: Mapping[str, Quantity | str]
    ) -> tuple[Marking, tuple[Turn, ...]]:
        """Give the marking after a ready phase has ended, and the turns taken on the way."""
        node = self._at[phase]
        if node not in marking.tokens:
            raise Broken(f"phase {phase} to be ready when it ends", seen=self.ready(marking))
        rest = replace(marking, tokens=marking.tokens - {node})
        return self._run(rest, [self._nodes[node].next], readings)

    def retry(
        self, marking: Marking, readings: Mapping[str, Quantity | str]
    ) -> tuple[Marking, tuple[Turn, ...]]:
        """Ask choices at which the lot is stuck once more, after a correction."""
        stuck = [node for node in marking.tokens if self._nodes[node].choice]
        rest = replace(marking, tokens=marking.tokens - set(stuck))
        return self._run(rest, stuck, readings)

    def is_stuck(self, marking: Marking) -> bool:
        """Tell whether a choice holds a token because none of its branches fitted."""
        return any(self._nodes[node].choice for node in marking.tokens)

    # The layout is made from the end to the start, so that every node knows its successor.

    def _lay(self, parts: Sequence[Part], after: int) -> int:
        for part in reversed(parts):
            after = self._lay_part(part, after)
        return after

    def _lay_part(self, part: Part, after: int) -> int:
        match part:
            case Phase():
                self._at[part.id] = self._add(_Node(phase=part.id, next=after))
                return self._at[part.id]
            case Group():
                return self._lay(part.parts, after)
            case Parallel():
                join = self._add(_Node(join=len(part.branches), next=after))
                return self._add(
                    _Node(fork=tuple(self._lay(branch, join) for branch in part.branches))
                )
            case Choice():
                ways = tuple(self._lay(way.parts, after) for way in part.branches)
                return self._add(_Node(choice=part, ways=ways))
            case Loop():
                test = self._add(_Node())
                start = len(self._nodes)
                first = self._lay(part.parts, test)
                inside = tuple(
                    one for one in range(start, len(self._nodes)) if self._nodes[one].loop
                )
                self._nodes[test] = _Node(loop=part, next=after, ways=(first,), inside=inside)
                return first

    def _add(self, node: _Node) -> int:
        self._nodes.append(node)
        return len(self._nodes) - 1

    def _run(
        self, marking: Marking, arriving: list[int], readings: Mapping[str, Quantity | str]
    ) -> tuple[Marking, tuple[Turn, ...]]:
        tokens, waiting = set(marking.tokens), dict(marking.waiting)
        rounds, turns = dict(marking.rounds), list[Turn]()
        passes = 0
        while arriving:
            passes += 1
            if passes > _PASSES_MAX:
                raise Broken("a net that comes to rest", seen=f"{_PASSES_MAX} passes")
            at = arriving.pop()
            if at == END:
                continue
            node = self._nodes[at]
            if node.phase:
                tokens.add(at)
            elif node.fork:
                arriving.extend(node.fork)
            elif node.join:
                waiting[at] = waiting.get(at, 0) + 1
                if waiting[at] == node.join:
                    del waiting[at]
                    arriving.append(node.next)
            elif node.choice:
                turn = _choose(node.choice, readings)
                turns.append(turn)
                if turn.branch is None:
                    tokens.add(at)
                else:
                    arriving.append(node.ways[turn.branch])
            elif node.loop:
                turn = _repeat(node.loop, rounds.get(at, 0) + 1, readings)
                turns.append(turn)
                if turn.kind is TurnKind.AGAIN:
                    rounds[at] = turn.round or 0
                    for inner in node.inside:
                        rounds.pop(inner, None)
                    arriving.append(node.ways[0])
                else:
                    rounds.pop(at, None)
                    arriving.append(node.next)
            else:
                raise Broken("a laid-out node", seen=at)
        after = Marking(tokens=frozenset(tokens), waiting=waiting, rounds=rounds)
        return after, tuple(turns)


def _choose(choice: Choice, readings: Mapping[str, Quantity | str]) -> Turn:
    for index, way in enumerate(choice.branches):
        if way.when is None or way.when.holds(readings):
            because = "otherwise" if way.when is None else _because(way.when, readings)
            return Turn(id=choice.id, kind=TurnKind.BRANCH, branch=index, because=because)
    seen = ", ".join(
        f"{name} {readings.get(name, 'not read')}"
        for way in choice.branches
        if way.when
        for name in way.when.readings()
    )
    return Turn(id=choice.id, kind=TurnKind.STUCK, because=f"no branch fits: {seen}")


def _repeat(loop: Loop, round: int, readings: Mapping[str, Quantity | str]) -> Turn:
    because = _because(loop.until, readings)
    if loop.until.holds(readings):
        return Turn(id=loop.id, kind=TurnKind.LEAVE, round=round, because=because)
    kind = TurnKind.EXHAUSTED if round >= loop.at_most else TurnKind.AGAIN
    return Turn(id=loop.id, kind=kind, round=round, because=because)


def _because(condition: Condition, readings: Mapping[str, Quantity | str]) -> str:
    seen = ", ".join(
        f"{name} was {readings.get(name, 'not read')}" for name in condition.readings()
    )
    return f"{condition}; {seen}"


def before(parts: Sequence[Part], seen: tuple[str, ...] = ()) -> Iterator[tuple[Part, set[str]]]:
    """Give every part with the phases that have surely or possibly been done before it starts.

    Phases of sibling branches are left out: they are never before.
    """
    done = set(seen)
    for part in parts:
        yield part, set(done)
        match part:
            case Phase():
                done.add(part.id)
            case Group() | Loop():
                yield from before(part.parts, tuple(done))
                done |= _all(part.parts)
            case Parallel():
                for branch in part.branches:
                    yield from before(branch, tuple(done))
                for branch in part.branches:
                    done |= _all(branch)
            case Choice():
                for way in part.branches:
                    yield from before(way.parts, tuple(done))
                for way in part.branches:
                    done |= _all(way.parts)


def _all(parts: Sequence[Part]) -> set[str]:
    from .recipe import walk

    return {phase.id for phase in walk(parts)}
