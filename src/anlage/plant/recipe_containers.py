"""Judges what a recipe says of containers: each is there when it is used, and none is left over.

A recipe that says nothing of containers is judged by nothing here; its lots then have no custody
of their own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .recipe import ContainerAct, ContainerVerb, Phase, Recipe, Shape

ROOM = "room"
_MAKES = (ContainerVerb.TRANSFER, ContainerVerb.FILL)


@dataclass(frozen=True, slots=True)
class ContainerFault:
    """A defect: code, place below the phase, what was found, what is right, what to do."""

    code: str
    phase: str
    place: str
    found: str
    limit: str
    remedy: str


def container_faults(recipe: Recipe) -> Iterator[ContainerFault]:
    """Give every defect, phase by phase in the order of the document.

    A choice counts as if each of its branches were taken, a loop as if it were run once.
    """
    phases = recipe.phases()
    if not any(phase.containers for phase in phases):
        for phase in phases:
            for index, plan in enumerate(phase.samples):
                if plan.source:
                    yield _unknown(phase, f"samples[{index}].from", plan.source, {})
        return
    process = _Process(parameters={f"{p.id}.{one.id}" for p in phases for one in p.parameters})
    for phase in phases:
        yield from process.faults(phase)
    if recipe.shape is Shape.AUTOLOGOUS and not process.has_received:
        yield ContainerFault(
            "container-not-received",
            "",
            "procedure",
            "no phase that receives the patient's cells",
            "a phase with {receive: collection}",
            "say where the collection is taken over",
        )
    for part, (phase_id, is_product) in process.here.items():
        if not is_product:
            yield ContainerFault(
                "container-left-over",
                phase_id,
                "containers",
                f"{part}, which no later phase empties or discards",
                "every vessel of the process transferred, filled off or discarded at the end",
                f"add {{discard: {part}}} where it is done with",
            )


@dataclass(slots=True)
class _Process:
    """Which parts there are at this point; each with the phase that made it."""

    parameters: set[str]
    here: dict[str, tuple[str, bool]] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    has_received: bool = False

    def faults(self, phase: Phase) -> Iterator[ContainerFault]:
        for index, act in enumerate(phase.containers):
            yield from self._act(phase, act, f"containers[{index}]")
        for index, plan in enumerate(phase.samples):
            place = f"samples[{index}].from"
            if plan.source is None:
                yield ContainerFault(
                    "key-missing", phase.id, place, "no from", "the part it is drawn from",
                    f"add from: {next(iter(self.here), 'culture')}",
                )  # fmt: skip
            elif plan.source not in self.here:
                yield self._absent(phase, place, plan.source)

    def _act(self, phase: Phase, act: ContainerAct, place: str) -> Iterator[ContainerFault]:
        yield from self._words(phase, act, place)
        if act.verb in (ContainerVerb.RECEIVE, ContainerVerb.CREATE):
            self.has_received |= act.verb is ContainerVerb.RECEIVE
            self.here[act.part] = (phase.id, False)
            return
        if act.part not in self.here:
            yield self._absent(phase, f"{place}.{act.verb}", act.part)
        elif act.verb in (ContainerVerb.TRANSFER, ContainerVerb.DISCARD):
            del self.here[act.part]
            self.gone[act.part] = phase.id
        if act.verb in _MAKES and act.into:
            self.here[act.into] = (phase.id, act.verb is ContainerVerb.FILL)

    def _words(self, phase: Phase, act: ContainerAct, place: str) -> Iterator[ContainerFault]:
        needs = {
            ContainerVerb.TRANSFER: ("into",),
            ContainerVerb.FILL: ("into", "count"),
            ContainerVerb.MOVE: ("to",),
        }.get(act.verb, ())
        for name in needs:
            if getattr(act, name) is None:
                yield ContainerFault(
                    "key-missing", phase.id, place, f"no {name}", name, f"add {name}"
                )  # fmt: skip
        if act.into is not None and act.verb not in _MAKES:
            yield ContainerFault(
                "key-unknown", phase.id, f"{place}.into", f"into beside {act.verb}",
                "into with transfer or fill only", "take it away",
            )  # fmt: skip
        if act.to is not None and act.to != ROOM and act.to not in phase.equipment:
            yield _unknown(phase, f"{place}.to", act.to, dict.fromkeys((ROOM, *phase.equipment)))
        for name in ("amount", "added", "count"):
            named = getattr(act, name)
            if named is not None and named not in self.parameters:
                yield _unknown(phase, f"{place}.{name}", named, dict.fromkeys(self.parameters))

    def _absent(self, phase: Phase, place: str, part: str) -> ContainerFault:
        if part in self.gone:
            return ContainerFault(
                "container-gone", phase.id, place, f"{part}, emptied by phase {self.gone[part]}",
                f"a container that is there: {', '.join(self.here) or 'none'}",
                "name the part that its content went into",
            )  # fmt: skip
        return _unknown(phase, place, part, self.here)


def _unknown(phase: Phase, place: str, found: str, known: Mapping[str, object]) -> ContainerFault:
    limit = ", ".join(sorted(known)[:12]) or "nothing is declared"
    return ContainerFault(
        "reference-unknown", phase.id, place, found, limit, "name one of them, or make it earlier"
    )  # fmt: skip
