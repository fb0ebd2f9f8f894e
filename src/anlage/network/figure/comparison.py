"""Drawings of designs side by side: differences, spread, scale; and of bottlenecks."""

from typing import Any

from .drawing import CALM, INK, Drawing, Json, days, layout, money, rows_layout, words_of

MEASURES = {
    "vein_to_vein_days": ("vein to vein", "d", 1.0),
    "infused_fraction": ("infused", "points", 100.0),
    "lost_fraction": ("lost", "points", 100.0),
    "withdrawn_fraction": ("withdrawn", "points", 100.0),
    "infused_per_year": ("infused a year", "patients", 1.0),
    "cost_per_infused": ("cost of a treated patient", "money", 1.0),
    "cost_per_day": ("cost of a day", "money", 1.0),
}
BOTTLENECKS_MAX, FEW = 15, 5


def differences_figure(compared: Json) -> Drawing:
    """Draw each design's paired differences from the first, with 95 % intervals.

    Every measure has its own scale, its interval's longer reach being one; the figures stand
    beside. What lies clear of zero is coloured.

    Args:
        compared: What `compare` gives.
    """
    rows: list[tuple[str, float, float, float, str]] = []
    for key, (word, unit, factor) in MEASURES.items():
        found = [
            (name, kinds[key])
            for name, kinds in compared["differences"].items()
            if kinds.get(key) and kinds[key]["difference"] is not None
        ]
        reach = max(
            (abs(value) for _, one in found for value in one["ci95"] or [one["difference"]]),
            default=0.0,
        )
        for name, one in found:
            low, high = one["ci95"] or [one["difference"]] * 2
            scale = 1 / reach if reach else 0.0
            label = f"{word} · {words_of(name)}" if len(compared["differences"]) > 1 else word
            text = _signed(one["difference"] * factor, low * factor, high * factor, unit)
            rows.append((label, one["difference"] * scale, low * scale, high * scale, text))
    names = [row[0] for row in rows]
    colours = [CALM[1] if row[2] > 0 or row[3] < 0 else INK for row in rows]
    data = (
        {
            "type": "scatter",
            "mode": "markers",
            "y": names,
            "x": [row[1] for row in rows],
            "text": [row[4] for row in rows],
            "marker": {"color": colours, "size": 11},
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": [row[3] - row[1] for row in rows],
                "arrayminus": [row[1] - row[2] for row in rows],
                "color": INK,
                "thickness": 2,
            },
            "hovertemplate": "%{y}: %{text}<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "text",
            "y": names,
            "x": [1.15] * len(rows),
            "text": [row[4] for row in rows],
            "textposition": "middle right",
            "hoverinfo": "skip",
        },
    )
    base = words_of(compared["baseline"])
    made = rows_layout(
        names,
        x=f"less ← than {base} → more (each in its own scale)",
        xaxis={"range": [-1.1, 2.9], "showticklabels": False, "showgrid": False},
        showlegend=False,
    )
    return Drawing(
        name="differences",
        title=f"Differences from {base}",
        told="; ".join(f"{row[0]}: {row[4]}" for row in rows) or "no difference could be taken",
        data=data,
        layout={**made, "height": 90 + 34 * max(len(rows), 1)},
    )


def spread_figure(compared: Json) -> Drawing:
    """Draw the vein-to-vein time of each design: median, mean, and where eight of ten lie.

    Args:
        compared: What `compare` gives.
    """
    rows = [
        (words_of(name), outcome["vein_to_vein_days"])
        for name, outcome in compared["designs"].items()
        if outcome["vein_to_vein_days"]["median"] is not None
    ]
    names = [name for name, _ in rows]
    centre = [time["median"] for _, time in rows]
    error = {
        "type": "data",
        "symmetric": False,
        "array": [time["p90"] - time["median"] for _, time in rows],
        "arrayminus": [time["median"] - time["p10"] for _, time in rows],
        "color": CALM[0],
        "thickness": 6,
        "width": 0,
    }
    marks = {"type": "scatter", "mode": "markers", "y": names}
    data = (
        {
            **marks,
            "name": "median, 10 % to 90 %",
            "x": centre,
            "error_x": error,
            "marker": {"color": CALM[0], "size": 14},
            "hovertemplate": "%{y}: median %{x:.1f} d<extra></extra>",
        },
        {
            **marks,
            "name": "mean",
            "x": [time["mean"] for _, time in rows],
            "marker": {"color": INK, "size": 11, "symbol": "x-thin-open"},
            "hovertemplate": "%{y}: mean %{x:.1f} d<extra></extra>",
        },
    )
    told = "; ".join(
        f"{name}: median {days(time['median'])}, 10 to 90 % {days(time['p10'])} to"
        f" {days(time['p90'])}"
        for name, time in rows
    )
    made = rows_layout(names, x="days from collection to infusion", xaxis={"rangemode": "tozero"})
    return Drawing(
        name="spread",
        title="Vein to vein by design",
        told=told,
        data=data,
        layout={**made, "height": 150 + 44 * len(names)},
    )


def scale_figure(compared: Json) -> Drawing:
    """Draw what a treated patient costs against how many are treated in a year, by design.

    Args:
        compared: What `compare` gives.
    """
    rows = [
        (words_of(name), one["infused_per_year"], one["cost_per_infused"], one)
        for name, one in compared["designs"].items()
        if one["infused_per_year"] and one["cost_per_infused"]
    ]
    up, down = [], []
    for _, _, cost, one in rows:
        low, high = one.get("cost_per_infused_ci95") or [cost, cost]
        up.append(high - cost)
        down.append(cost - low)
    error = {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": INK}
    data = (
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [row[1] for row in rows],
            "y": [row[2] for row in rows],
            "text": [row[0] for row in rows],
            "textposition": ["top center", "bottom center"] * len(rows),
            "error_y": error,
            "marker": {
                "size": 13,
                "color": [CALM[place % len(CALM)] for place in range(len(rows))],
            },
            "hovertemplate": "%{text}: %{x:.0f} a year at %{y:,.0f}<extra></extra>",
        },
    )
    told = "; ".join(f"{row[0]}: {row[1]:.0f} patients a year at {money(row[2])}" for row in rows)
    return Drawing(
        name="scale",
        title="Cost against scale",
        told=told or "no design treats anybody at a cost",
        data=data,
        layout=layout(
            height=380,
            x="patients treated a year",
            y="money per treated patient",
            xaxis={"range": _around([row[1] for row in rows])},
            yaxis={"range": _around([row[2] for row in rows])},
            showlegend=False,
        ),
    )


def bottleneck_figure(ranked: Json) -> Drawing:
    """Draw what one more of each resource would bring, with 95 % intervals.

    Args:
        ranked: What `bottleneck` gives.
    """
    known = [
        row
        for row in ranked["resources"]
        if row["patients_saved_per_year"]["difference"] is not None
    ]
    # One more of what nobody waits for changes nothing; a few such rows are enough to say so.
    felt = [row for row in known if any(row["patients_saved_per_year"]["ci95"] or [1])]
    rows: list[dict[str, Any]] = [*felt, *(row for row in known if row not in felt)]
    rows = rows[: min(max(len(felt), FEW), BOTTLENECKS_MAX)]
    names = [words_of(row["resource"]) for row in rows]
    saved = [row["patients_saved_per_year"]["difference"] for row in rows]
    spans = [row["patients_saved_per_year"]["ci95"] for row in rows]
    sure = [span is not None and (span[0] > 0 or span[1] < 0) for span in spans]
    up = [span[1] - at if span else 0.0 for span, at in zip(spans, saved, strict=True)]
    down = [at - span[0] if span else 0.0 for span, at in zip(spans, saved, strict=True)]
    gains = [row["money_saved_per_day"]["difference"] or 0.0 for row in rows]
    told = "; ".join(
        f"{name}: {at:+.2f} patients a year, {money(gain)} money a day"
        for name, at, gain in zip(names, saved, gains, strict=True)
    )
    error = {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": INK}
    data = (
        {
            "type": "bar",
            "orientation": "h",
            "y": names,
            "x": saved,
            "error_x": error,
            "marker": {"color": [CALM[1] if one else CALM[7] for one in sure]},
            "customdata": [money(gain) for gain in gains],
            "hovertemplate": "%{y}: %{x:+.2f} patients a year, %{customdata} money a day"
            "<extra></extra>",
        },
    )
    return Drawing(
        name="bottlenecks",
        title="What one more of each would bring",
        told=told or "no resource can be enlarged",
        data=data,
        layout=rows_layout(names, x="patients saved a year", showlegend=False),
    )


def _signed(value: float, low: float, high: float, unit: str) -> str:
    if unit == "money":
        return f"{_plus(money(value))} ({_plus(money(low))} to {_plus(money(high))})"
    digits = 2 if max(abs(low), abs(high)) < 10 else 1
    return f"{value:+.{digits}f} {unit} ({low:+.{digits}f} to {high:+.{digits}f})"


def _plus(text: str) -> str:
    return text if text.startswith("-") else f"+{text}"


def _around(values: list[float]) -> list[float]:
    """Give a range with room on both sides, from zero where zero is near."""
    if not values:
        return [0.0, 1.0]
    low, high = min(values), max(values)
    room = max(0.25 * (high - low), 0.12 * high)
    return [max(0.0, low - room), high + room]
