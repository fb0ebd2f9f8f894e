"""Judges what a recipe says of label sets: each is for containers of its phase, and as many.

How many a phase makes the recipe fixes for samples and single vessels; what is counted at the work
place (bags of product) is a reading. Where a recipe says what its labels are for, whatever leaves
the process (product and samples) needs one; a vessel inside the process may have one.
"""

from collections.abc import Iterator

from .recipe import ContainerVerb, LabelNeed, Phase, Recipe
from .recipe_containers import ContainerFault

SAMPLES = "samples"
RULE = "21 CFR 211.125; EU GMP Part IV 9.5"
_ONE = (ContainerVerb.TRANSFER, ContainerVerb.CREATE)


def label_faults(recipe: Recipe) -> Iterator[ContainerFault]:
    """Give every defect of label sets, phase by phase."""
    if not any(need.part for phase in recipe.phases() for need in phase.labels):
        return
    parameters = {f"{one.id}.{each.id}" for one in recipe.phases() for each in one.parameters}
    for phase in recipe.phases():
        made = made_by(phase)
        seen: set[tuple[str, str]] = set()
        for index, need in enumerate(phase.labels):
            place = f"labels[{index}]"
            if need.part is None:
                part = SAMPLES if phase.samples else next(iter(made), "product")
                yield ContainerFault(
                    "label-without-purpose", phase.id, place, f"{need.label}, for nothing named",
                    "what each label is for, as other phases of the recipe say it",
                    f"write {{label: {need.label}, for: {part}}}",
                )  # fmt: skip
                continue
            if (need.label, need.part) in seen:
                yield ContainerFault(
                    "label-set-doubled", phase.id, place, f"{need.label} for {need.part} again",
                    "one set of a label for each part", "join them in one line with its count",
                )  # fmt: skip
            seen.add((need.label, need.part))
            if need.part not in made:
                known = ", ".join(sorted(made)) or "nothing that is labelled"
                yield ContainerFault(
                    "label-part-unknown", phase.id, f"{place}.for", need.part,
                    f"what the phase makes: {known}",
                    "name a part that its containers make, or samples",
                )  # fmt: skip
            else:
                yield from _count(phase, need, made[need.part], f"{place}.count", parameters)
        yield from _bare(phase)


def _count(
    phase: Phase, need: LabelNeed, made: int | str, place: str, parameters: set[str]
) -> Iterator[ContainerFault]:
    count = need.count
    if isinstance(count, str) and count not in parameters:
        yield ContainerFault(
            "reference-unknown", phase.id, place, count, "a reading, as phase.parameter",
            f"write count: {made}",
        )  # fmt: skip
    elif count is not None and count != made:
        yield ContainerFault(
            "label-count-mismatch", phase.id, place, f"{count} labels for {need.part}",
            f"{made}, as many as the phase makes",
            f"write count: {made}, or leave it out; more to be destroyed go under spare",
        )  # fmt: skip


def _bare(phase: Phase) -> Iterator[ContainerFault]:
    """Give what leaves the process at a phase without a label."""
    labelled = {need.part for need in phase.labels}
    if None in labelled:
        return
    filled = [
        (f"containers[{index}]", act.into)
        for index, act in enumerate(phase.containers)
        if act.verb is ContainerVerb.FILL and act.into
    ]
    for place, part in [*filled, *([("samples", SAMPLES)] if phase.samples else [])]:
        if part not in labelled:
            yield ContainerFault(
                "container-unlabelled", phase.id, place, f"{part} without a label",
                "a label set for all that leaves the process",
                f"add labels: - {{label: ..., for: {part}}}",
            )  # fmt: skip


def made_by(phase: Phase) -> dict[str, int | str]:
    """Give how many containers a phase makes of each part: a number, or the reading that says."""
    made: dict[str, int | str] = {}
    for act in phase.containers:
        part = act.part if act.verb is ContainerVerb.CREATE else act.into
        if part and act.verb in _ONE:
            made[part] = 1
        elif part and act.verb is ContainerVerb.FILL and act.count:
            made[part] = act.count
    if phase.samples:
        made[SAMPLES] = sum(plan.count for plan in phase.samples)
    return made
