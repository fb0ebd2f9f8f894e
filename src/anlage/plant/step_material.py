"""The materials of a step: what the recipe asks for, and how much was planned."""

from collections.abc import Mapping, Sequence

from anlage.base import Instant, Quantity, Refused

from .lot import Lot
from .lot_fact import MaterialUsed, Reading, Rule
from .recipe import MaterialNeed, Phase
from .step_request import MaterialGiven


def materials_used(
    lot: Lot,
    phase: Phase,
    key: str,
    given: Sequence[MaterialGiven],
    readings: Sequence[Reading],
    at: Instant,
) -> tuple[MaterialUsed, ...]:
    """Give what went into a step, set against what the recipe asks for.

    Raises:
        Refused: `material-missing`, or `material-unusable` for a class that is not asked for.
    """
    named = {one.material_class for one in given}
    missing = [one.material_class for one in phase.materials if one.material_class not in named]
    foreign = named - {one.material_class for one in phase.materials}
    if missing or foreign:
        raise Refused(
            "material-missing" if missing else "material-unusable",
            what=f"materials of step {key} of lot {lot.id}",
            found=f"no {', '.join(missing)}" if missing else f"{', '.join(sorted(foreign))}",
            limit=", ".join(one.material_class for one in phase.materials) or "none",
            remedy="scan the material that the step asks for",
            rule=f"recipe {lot.recipe_id}",
        )
    values = {**lot.readings, **{f"{phase.id}.{one.parameter}": one.value for one in readings}}
    used = []
    for need in phase.materials:
        parts = [one for one in given if one.material_class == need.material_class]
        amounts = [Quantity.parse(one.amount) for one in parts]
        planned, within = _planned(need, amounts, values)
        used += [
            MaterialUsed(
                material=one.material,
                material_class=one.material_class,
                amount=amount,
                planned=planned,
                is_within=within,
                authorised=lot.authorisation(Rule.MATERIAL, key, one.material, at),
            )
            for one, amount in zip(parts, amounts, strict=True)
        ]
    return tuple(used)


def _planned(
    need: MaterialNeed, amounts: Sequence[Quantity], values: Mapping[str, Quantity | str]
) -> tuple[Quantity | None, bool]:
    planned = need.amount
    if need.amount_from is not None:
        read = values.get(need.amount_from)
        planned = read if isinstance(read, Quantity) else None
    if planned is None:
        return None, True
    total = sum((one.to(planned.unit).value for one in amounts), planned.value * 0)
    return planned, abs(total - planned.value) * 100 <= abs(planned.value) * need.tolerance_percent
