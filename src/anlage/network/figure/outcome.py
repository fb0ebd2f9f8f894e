"""Drawings of one run: waits by stage, cost by class, use of resources."""

from collections.abc import Mapping
from typing import Any

from .drawing import (
    CALM,
    INK,
    ROWS_MAX,
    Drawing,
    Json,
    days,
    money,
    rows_layout,
    words_of,
)

BUSY = 0.9
"""Use from which a resource is marked: waits grow without bound towards 1."""


def waits_figure(outcome: Json) -> Drawing:
    """Draw how long patients wait at each stage: the mean, and within what nine of ten wait.

    Args:
        outcome: What `outcome_of` gives.
    """
    rows = [
        (name, row)
        for name, row in outcome["stages"].items()
        if row["visits"] and (row["mean_wait_days"] or row["p90_wait_days"])
    ]
    rows = sorted(rows, key=lambda row: row[1]["mean_wait_days"] or 0.0, reverse=True)[:ROWS_MAX]
    names = [words_of(name) for name, _ in rows]
    means = [row["mean_wait_days"] or 0.0 for _, row in rows]
    ninth = [row["p90_wait_days"] or 0.0 for _, row in rows]
    told = "; ".join(
        f"{name}: mean {days(mean)}, nine of ten within {days(most)}"
        for name, mean, most in zip(names, means, ninth, strict=True)
    )
    data = (
        {
            "type": "bar",
            "orientation": "h",
            "name": "mean wait",
            "y": names,
            "x": means,
            "marker": {"color": CALM[0]},
            "hovertemplate": "%{y}: mean %{x:.2f} d<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "name": "90 % within",
            "y": names,
            "x": ninth,
            "marker": {"color": INK, "symbol": "line-ns-open", "size": 14},
            "hovertemplate": "%{y}: 90 % within %{x:.2f} d<extra></extra>",
        },
    )
    return Drawing(
        name="waits",
        title="Waits by stage",
        told=told or "Nobody waits.",
        data=data,
        layout=rows_layout(names, x="days", xaxis={"rangemode": "tozero"}),
    )


def cost_figure(outcomes: Mapping[str, Json]) -> Drawing:
    """Draw the cost of each treated patient by class of cost, one bar for each design.

    Args:
        outcomes: What `outcome_of` gives, by the name of the design.
    """
    names = [words_of(name) for name in outcomes]
    totals: dict[str, float] = {}
    for outcome in outcomes.values():
        for kind, value in outcome["cost_by_class"].items():
            totals[kind] = totals.get(kind, 0.0) + (value or 0.0)
    kinds = sorted(totals, key=lambda kind: -totals[kind])
    told = "; ".join(
        f"{name}: {money(outcome['cost_per_infused'] or 0.0)} ("
        + ", ".join(
            f"{words_of(kind)} {money(value or 0.0)}"
            for kind, value in outcome["cost_by_class"].items()
        )
        + ")"
        for name, outcome in zip(names, outcomes.values(), strict=True)
    )
    data: tuple[dict[str, Any], ...] = tuple(
        {
            "type": "bar",
            "orientation": "h",
            "name": words_of(kind),
            "y": names,
            "x": [outcome["cost_by_class"].get(kind) or 0.0 for outcome in outcomes.values()],
            "marker": {"color": CALM[place % len(CALM)]},
            "hovertemplate": "%{y}, " + words_of(kind) + ": %{x:,.0f}<extra></extra>",
        }
        for place, kind in enumerate(kinds)
    )
    made = rows_layout(names, x="money per treated patient", barmode="stack", bargap=0.35)
    return Drawing(
        name="cost",
        title="Cost of a treated patient by class",
        told=told,
        data=data,
        layout={**made, "height": 150 + 44 * len(names)},
    )


def utilisation_figure(outcome: Json) -> Drawing:
    """Draw how much of each resource's time is used, the most used first.

    Args:
        outcome: What `outcome_of` gives.
    """
    rows = [
        (name, row)
        for name, row in outcome["resources"].items()
        if row["utilisation"] is not None and row["requests"]
    ]
    rows = sorted(rows, key=lambda row: -row[1]["utilisation"])[:ROWS_MAX]
    names = [words_of(name) for name, _ in rows]
    used = [100 * row["utilisation"] for _, row in rows]
    told = "; ".join(
        f"{name}: {share:.0f} %, mean wait {days(row['mean_wait_days'])}"
        for name, share, (_, row) in zip(names, used, rows, strict=True)
    )
    calm, tight = CALM[0], CALM[1]
    data = (
        {
            "type": "bar",
            "orientation": "h",
            "name": "used",
            "y": names,
            "x": used,
            "text": [f"{share:.0f} %" for share in used],
            "marker": {"color": [tight if share > 100 * BUSY else calm for share in used]},
            "hovertemplate": "%{y}: %{x:.1f} % used<extra></extra>",
        },
    )
    line = {"type": "line", "x0": 100, "x1": 100, "yref": "paper", "y0": 0, "y1": 1}
    return Drawing(
        name="utilisation",
        title="Use of resources",
        told=told or "No resource is used.",
        data=data,
        layout=rows_layout(
            names,
            x="% of the time open",
            xaxis={"range": [0, 108]},
            shapes=[{**line, "line": {"color": INK, "width": 1, "dash": "dot"}}],
            showlegend=False,
        ),
    )
