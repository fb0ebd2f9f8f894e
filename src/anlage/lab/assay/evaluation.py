"""One plate against its definition: results, validity with reasons, and whether they may count."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from anlage.base import Refused
from anlage.library import Outcome, Qualifier, Result, Verdict, evaluate, overall

from ..assay_definition import Analysis, AssayDefinition, Region, WellRole
from .parallelism import Bounds
from .potency import relative_potencies
from .quantify import StandardCurve, standard_curve
from .reader import Import
from .wells import Wells


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleResult:
    """The result of one sample on one plate.

    Attributes:
        sample: Its name.
        value: The result, in the definition's unit; None where only a bound is known.
        low: Lower end of its interval.
        high: Upper end.
        qualifier: "<" or ">" where the signal lay off the standards.
        verdict: Against the definition's acceptance, if it has one.
        is_parallel: For potency: the verdict by equivalence.
        notes: What the reader must know.
    """

    sample: str
    value: float | None
    low: float | None
    high: float | None
    qualifier: str = ""
    verdict: Verdict | None = None
    is_parallel: bool | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateResult:
    """What a plate gave.

    Attributes:
        assay: Identifier of the definition.
        path: The reader's file.
        results: One per sample.
        measured: What the validity rules were held against, by attribute.
        validity: Verdict per rule.
        is_valid: True when every rule is met (and there is at least one).
        is_reportable: True when valid and the method's purpose is control.
        unit: Unit of the results.
    """

    assay: str
    path: str
    results: tuple[SampleResult, ...]
    measured: Mapping[str, float]
    validity: Mapping[str, Verdict]
    is_valid: bool
    is_reportable: bool
    unit: str

    def as_dict(self) -> dict[str, object]:
        """Give the plate's result as a JSON object."""
        return {
            "assay": self.assay,
            "file": self.path,
            "valid": self.is_valid,
            "reportable": self.is_reportable,
            "unit": self.unit,
            "results": [
                {
                    "sample": r.sample,
                    "value": r.value,
                    "low": r.low,
                    "high": r.high,
                    "qualifier": r.qualifier,
                    "outcome": None if r.verdict is None else r.verdict.outcome.value,
                    "reasons": [] if r.verdict is None else list(r.verdict.reasons),
                    "parallel": r.is_parallel,
                    "notes": list(r.notes),
                }
                for r in self.results
            ],
            "measured": dict(self.measured),
            "validity": {
                name: {
                    "outcome": v.outcome.value,
                    "compared": v.compared,
                    "reasons": list(v.reasons),
                }
                for name, v in self.validity.items()
            },
        }


def evaluate_plate(
    definition: AssayDefinition, plate: Import, *, names: Mapping[str, str] | None = None
) -> PlateResult:
    """Turn a plate's signals into results, as the definition says.

    Args:
        definition: The assay in force.
        plate: The reader's file.
        names: The sample that stood in each place of the layout ("S1" -> "LOT-0412").

    Raises:
        Refused: A well that the analysis needs has no signal, or the analysis cannot be done.
    """
    signals = plate.signals()
    missing = [
        well
        for region in definition.regions
        if region.role is not WellRole.EMPTY
        for well in region.wells
        if well not in signals
    ]
    if missing:
        raise Refused(
            "well-without-signal",
            what=f"plate {plate.path}",
            found=f"no signal in {', '.join(missing[:12])}{' …' if len(missing) > 12 else ''}",
            limit=f"a signal in every well of the layout of {definition.heading.id}",
            remedy="read the plate again; a blank is never a zero",
            path=plate.path,
        )
    blanks = _signals(definition, signals, WellRole.BLANK)
    offset = math.fsum(blanks) / len(blanks) if definition.subtract_blank and blanks else 0.0
    values = {well: float(value) - offset for well, value in signals.items()}
    measured: dict[str, float] = {"replicate-cv-max": _replicate_cv(definition, values)}
    if blanks:
        measured["blank-mean"] = math.fsum(blanks) / len(blanks)
    known = names or {}
    match definition.analysis:
        case Analysis.POTENCY:
            results = _potencies(definition, values, known, measured)
        case Analysis.QUANTIFY:
            results = _quantities(definition, values, known, measured)
        case Analysis.MEANS:
            results = _means(definition, values, known)
            _control_means(definition, values, measured)
    validity = {
        rule.attribute: (
            evaluate(rule, Result(value=_exact(measured[rule.attribute]), unit=rule.unit))
            if rule.attribute in measured and math.isfinite(measured[rule.attribute])
            else Verdict(
                outcome=Outcome.INCONCLUSIVE,
                reasons=(f"The plate gives no {rule.attribute}.",),
                compared=f"no value; limit {rule.limit_text}",
            )
        )
        for rule in definition.validity
    }
    is_valid = not validity or overall(validity) in {Outcome.PASS, Outcome.WARNING}
    return PlateResult(
        assay=definition.heading.id,
        path=plate.path,
        results=tuple(_judged(definition, result) for result in results),
        measured=measured,
        validity=validity,
        is_valid=is_valid,
        is_reportable=is_valid and bool(validity) and definition.purpose == "control",
        unit=definition.unit,
    )


def _potencies(
    definition: AssayDefinition,
    values: Mapping[str, float],
    names: Mapping[str, str],
    measured: dict[str, float],
) -> list[SampleResult]:
    rows: list[tuple[str, float, float]] = []
    reference = ""
    for region in definition.regions:
        if region.role not in {WellRole.REFERENCE, WellRole.SAMPLE, WellRole.CONTROL}:
            continue
        if not region.doses:
            continue
        if region.role is WellRole.REFERENCE:
            reference = region.name
        for well, dose in zip(region.wells, region.doses, strict=True):
            rows.append((region.name, float(dose), values[well]))
    wells = Wells(
        sample=tuple(row[0] for row in rows),
        dose=np.array([row[1] for row in rows]),
        response=np.array([row[2] for row in rows]),
        plate=("",) * len(rows),
    )
    bounds = Bounds(
        slope_low=float(definition.slope_bounds[0]),
        slope_high=float(definition.slope_bounds[1]),
        asymptote=float(definition.asymptote_bound),
    )
    refusals: dict[str, Refused] = {}
    found = relative_potencies(
        wells, model=definition.model, reference=reference, bounds=bounds, refusals=refusals
    )
    _reference_figures(definition, wells, reference, found[0].free_parameters, measured)
    factor = 1.0 if definition.reference is None else float(definition.reference.value)
    controls = {r.name: r for r in definition.regions if r.role is WellRole.CONTROL}
    results = [
        SampleResult(
            sample=names.get(name, name), value=None, low=None, high=None, notes=(str(refusal),)
        )
        for name, refusal in refusals.items()
        if name not in controls
    ]
    for potency in found:
        region = next(r for r in definition.regions if r.name == potency.sample)
        scale = factor * float(region.dilution)
        value = potency.relative_potency * scale
        if potency.sample in controls:
            _control_figure(controls[potency.sample], value, measured)
            continue
        results.append(
            SampleResult(
                sample=names.get(potency.sample, potency.sample),
                value=value,
                low=None if potency.low is None else potency.low * scale,
                high=None if potency.high is None else potency.high * scale,
                is_parallel=potency.is_parallel,
                notes=(*potency.notes, *_PARALLEL_NOTES[potency.is_parallel]),
            )
        )
    return results


_PARALLEL_NOTES: dict[bool | None, tuple[str, ...]] = {
    True: (),
    False: ("not parallel to the reference: no potency may be reported",),
    None: ("parallelism is not shown within the bounds: repeat with more wells",),
}


def _reference_figures(
    definition: AssayDefinition,
    wells: Wells,
    reference: str,
    free: Mapping[str, Mapping[str, float]],
    measured: dict[str, float],
) -> None:
    """Note how good the reference's own curve is: R squared and the ratio of its ends."""
    mask = wells.of(reference)
    if definition.model in {"4pl", "5pl"}:
        curve = standard_curve(
            wells.dose[mask].tolist(), wells.response[mask].tolist(), definition.model
        )
        measured["r-squared"] = curve.r_squared
        ends = sorted(abs(free["reference"][name]) for name in ("A", "D"))
        measured["signal-window"] = ends[1] / ends[0] if ends[0] > 0 else math.inf


def _quantities(
    definition: AssayDefinition,
    values: Mapping[str, float],
    names: Mapping[str, str],
    measured: dict[str, float],
) -> list[SampleResult]:
    doses, signals = [], []
    for region in definition.regions:
        if region.role is WellRole.REFERENCE:
            doses += [float(dose) for dose in region.doses]
            signals += [values[well] for well in region.wells]
    curve = standard_curve(doses, signals, definition.model)
    measured["r-squared"] = curve.r_squared
    if curve.recovery:
        measured["standard-recovery-low"] = min(share for _, share in curve.recovery)
        measured["standard-recovery-high"] = max(share for _, share in curve.recovery)
    results = []
    for name, regions in _by_name(definition, (WellRole.SAMPLE, WellRole.CONTROL)).items():
        result = _quantity(name, regions, values, curve)
        if regions[0].role is WellRole.CONTROL:
            if result.value is not None and not result.qualifier:
                _control_figure(regions[0], result.value, measured)
            continue
        results.append(
            SampleResult(
                sample=names.get(name, name),
                value=result.value,
                low=result.low,
                high=result.high,
                qualifier=result.qualifier,
                notes=result.notes,
            )
        )
    return results


def _quantity(
    name: str, regions: Sequence[Region], values: Mapping[str, float], curve: StandardCurve
) -> SampleResult:
    """Read a sample at each of its dilutions; those within the standards are averaged on logs."""
    found = [
        (float(region.dilution), curve.read([values[well] for well in region.wells]))
        for region in regions
    ]
    inside = [(d, e) for d, e in found if not e.qualifier and e.value is not None]
    if not inside:
        dilution, estimate = found[0]
        bound = None if estimate.value is None else estimate.value * dilution
        low = None if estimate.low is None else estimate.low * dilution
        high = None if estimate.high is None else estimate.high * dilution
        note = ("off the standards at every dilution",)
        return SampleResult(
            sample=name, value=bound, low=low, high=high, qualifier=estimate.qualifier, notes=note
        )
    if len(inside) == 1:
        dilution, estimate = inside[0]
        return SampleResult(
            sample=name,
            value=(estimate.value or 0.0) * dilution,
            low=None if estimate.low is None else estimate.low * dilution,
            high=None if estimate.high is None else estimate.high * dilution,
        )
    mean = math.fsum((e.value or 0.0) * d for d, e in inside) / len(inside)
    lows = [e.low * d for d, e in inside if e.low is not None]
    highs = [e.high * d for d, e in inside if e.high is not None]
    return SampleResult(
        sample=name,
        value=mean,
        low=min(lows) if lows else None,
        high=max(highs) if highs else None,
        notes=(f"mean of {len(inside)} dilutions; the interval spans theirs",),
    )


def _means(
    definition: AssayDefinition, values: Mapping[str, float], names: Mapping[str, str]
) -> list[SampleResult]:
    results = []
    for name, regions in _by_name(definition, (WellRole.SAMPLE,)).items():
        wells = [values[well] * float(r.dilution) for r in regions for well in r.wells]
        mean = math.fsum(wells) / len(wells)
        results.append(SampleResult(sample=names.get(name, name), value=mean, low=None, high=None))
    return results


def _control_means(
    definition: AssayDefinition, values: Mapping[str, float], measured: dict[str, float]
) -> None:
    for regions in _by_name(definition, (WellRole.CONTROL,)).values():
        wells = [values[well] for region in regions for well in region.wells]
        _control_figure(regions[0], math.fsum(wells) / len(wells), measured)


def _control_figure(region: Region, value: float, measured: dict[str, float]) -> None:
    """Note a control's value and, where one is expected, its recovery in percent."""
    key = region.name.lower().replace(" ", "-").replace("_", "-")
    measured[f"{key}-value"] = value
    if region.expected:
        measured[f"{key}-recovery"] = 100 * value / float(region.expected)


def _judged(definition: AssayDefinition, result: SampleResult) -> SampleResult:
    if definition.acceptance is None or result.value is None:
        return result

    qualifier = {"<": Qualifier.BELOW, ">": Qualifier.ABOVE}.get(result.qualifier)
    measured = Result(
        value=_exact(result.value), unit=definition.acceptance.unit, qualifier=qualifier
    )
    return replace(result, verdict=evaluate(definition.acceptance, measured))


def _replicate_cv(definition: AssayDefinition, values: Mapping[str, float]) -> float:
    """Give the greatest coefficient of variation among wells meant to be alike, in percent."""
    worst = 0.0
    groups: dict[tuple[str, Decimal, Decimal], list[float]] = {}
    for region in definition.regions:
        if region.role in {WellRole.EMPTY, WellRole.BLANK}:
            continue
        doses = region.doses or (Decimal(0),) * len(region.wells)
        for well, dose in zip(region.wells, doses, strict=True):
            groups.setdefault((region.name, dose, region.dilution), []).append(values[well])
    for group in groups.values():
        if len(group) > 1:
            mean = math.fsum(group) / len(group)
            spread = math.sqrt(math.fsum((v - mean) ** 2 for v in group) / (len(group) - 1))
            worst = max(worst, 100 * spread / abs(mean) if mean else math.inf)
    return worst


def _by_name(definition: AssayDefinition, roles: tuple[WellRole, ...]) -> dict[str, list[Region]]:
    found: dict[str, list[Region]] = {}
    for region in definition.regions:
        if region.role in roles:
            found.setdefault(region.name, []).append(region)
    return found


def _signals(
    definition: AssayDefinition, signals: Mapping[str, Decimal], role: WellRole
) -> list[float]:
    return [
        float(signals[well])
        for region in definition.regions
        if region.role is role
        for well in region.wells
        if well in signals
    ]


def _exact(value: float) -> Decimal:
    return Decimal(f"{value:.12g}")
