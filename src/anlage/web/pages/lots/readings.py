"""The readings of a lot over time: one chart per parameter that was read more than once."""

from typing import Any

from anlage.plant import Lot
from anlage.web.chart import Point, line_chart

READINGS_MIN = 2
CHARTS_MAX = 6


def charts(lot: Lot) -> list[dict[str, Any]]:
    """Give the charts of a lot: name, SVG."""
    series: dict[tuple[str, str], list[Point]] = {}
    for step in sorted(lot.steps.values(), key=lambda one: one.started):
        for name, reading in step.readings.items():
            phase = lot.phase_of(step.key)
            parameter = phase.parameter(name) if phase else None
            if reading.number is None or parameter is None or phase is None:
                continue
            point = Point(
                at=step.completed or step.started,
                value=reading.number.to(parameter.unit).value,
                judgement=str(reading.judgement),
            )
            series.setdefault((phase.id, name), []).append(point)
    found = []
    for (phase_id, name), points in series.items():
        phase = lot.phase_of(phase_id)
        parameter = phase.parameter(name) if phase else None
        if len(points) < READINGS_MIN or parameter is None or phase is None:
            continue
        lower, upper = parameter.hard.lower, parameter.hard.upper
        picture = line_chart(
            points,
            name=parameter.name,
            unit=parameter.unit,
            lower=lower.to(parameter.unit).value if lower else None,
            upper=upper.to(parameter.unit).value if upper else None,
        )
        found.append(
            {"name": parameter.name, "phase": phase.name, "unit": parameter.unit, "svg": picture}
        )
    return found[:CHARTS_MAX]
