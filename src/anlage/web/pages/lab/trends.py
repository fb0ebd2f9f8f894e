"""The trends of a method: its results of each attribute over time, with their figure."""

from typing import Any

from anlage.lab import ControlSeries
from anlage.plant import Lot
from anlage.record import Stream
from anlage.web.here import installation

RESULTS_MAX = 400


def trends_of(name: str) -> list[dict[str, Any]]:
    """Give, per attribute with numbers, the trend of a method's results and its figure."""
    rows = installation().rows("results").find(facet=name, limit=RESULTS_MAX)
    series: dict[str, list[dict[str, Any]]] = {}
    for _, row in rows:
        if row["value"] is not None and row["state"] != "invalidated":
            series.setdefault(row["attribute"], []).append(row)
    try:
        return [_trend(attribute, each) for attribute, each in sorted(series.items())]
    except ModuleNotFoundError:  # the server runs without the extra `lab`
        return []


def control_figure(series: ControlSeries) -> Any:
    """Give the Levey-Jennings figure of a method's controls, in standard deviations."""
    from anlage.lab.spc import Limits, Signal
    from anlage.lab.trend import Trend, trend_figure

    signals = tuple(
        Signal(rule="Westgard", point=at, points=(at,), what=run.gate)
        for at, run in enumerate(series.runs, start=1)
        if run.gate != "accept"
    )
    shown = Trend(
        values=tuple(run.z for run in series.runs),
        labels=tuple(f"{run.found} {run.at:%Y-%m-%d %H:%M} {run.gate}" for run in series.runs),
        limits=Limits(mean=0.0, sd=1.0, source="certified value"),
        signals=signals,
        average=None,
        outside=(),
        base=0,
    )
    return trend_figure(shown, name="control", unit="standard deviations")


def _trend(attribute: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    from anlage.lab.trend import trend_figure, trend_of

    unit = rows[-1]["unit"]
    rows = [row for row in rows if row["unit"] == unit]
    values = [float(row["value"]) for row in rows]
    found = trend_of(values, [f"{row['lot']} {row['sample']}" for row in rows])
    lower, upper = _limits(attribute, rows[-1]["lot"])
    signals = [f"{one.what} at result {one.point}" for one in found.signals]
    if found.average is not None and found.average.beyond:
        signals.append(f"EWMA beyond its limits from result {found.average.beyond[0]}")
    signals += [f"out of trend at result {place}" for place in found.outside]
    return {
        "attribute": attribute,
        "unit": unit,
        "count": len(values),
        "mean": None if found.limits is None else f"{found.limits.mean:.4g}",
        "sd": None if found.limits is None else f"{found.limits.sd:.3g}",
        "is_in_control": found.is_in_control,
        "is_flat": len(values) > 1 and len(set(values)) == 1,
        "signals": signals,
        "figure": trend_figure(found, name=attribute, unit=unit, lower=lower, upper=upper),
    }


def _limits(attribute: str, lot: str) -> tuple[float | None, float | None]:
    """Give the limits of an attribute by the specification of the newest lot."""
    from anlage.library import Definition, Specification

    site = installation()
    found = site.engine.state(Lot, Stream(f"lot/{lot}"))
    if not found.specification:
        return None, None
    stream = Stream(f"definition/specification:{found.specification}")
    content = site.engine.state(Definition, stream).version(found.specification_version).content
    for one in Specification.read(content).criteria:
        if one.attribute == attribute:
            low, high = one.limits
            return (None if low is None else float(low)), (None if high is None else float(high))
    return None, None
