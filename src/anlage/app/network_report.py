"""The report of a network's run, as PDF/A-3 with its figures and the machine record attached."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anlage.base import Refused

from .documents import print_paper

if TYPE_CHECKING:
    from anlage.network import Network
    from anlage.network.figure import Drawing

WIDTH = 720


def network_report(
    name: str,
    result: Mapping[str, Any],
    *,
    network: "str | Network" = "",
    made: str = "",
    site: str = "Anlage",
) -> bytes:
    """Print what a simulation, a comparison or a ranking found.

    Args:
        name: `simulate-network`, `compare-networks` or `rank-bottlenecks`.
        result: What the run gave, as the job and the command line give it.
        network: The first network, or its text; its map is drawn when it is given.
        made: When and by whom, in words.
        site: Whose report it is.

    Raises:
        Refused: Another kind of result, or one of an unsound network.
    """
    if name not in _BODIES:
        raise Refused(
            "report-unknown",
            what=f"report of {name}",
            limit=", ".join(_BODIES),
            remedy="read its result as JSON",
        )
    title, pairs, tables = _BODIES[name](result)
    drawings = drawings_of(name, result, network=network, is_moving=False)
    data = {
        "title": title,
        "site": site,
        "made": made,
        "pairs": pairs,
        "tables": tables,
        "stopped": [
            {key: str(value or "") for key, value in one.items()}
            for one in result.get("problems", ())
        ],
        "figures": [
            {"title": one.title, "told": one.told, "svg": one.svg(width=WIDTH)}
            for one in drawings
            if one.data
        ],
        "record": {key: value for key, value in result.items() if key not in _LONG},
    }
    return print_paper("network-report", data)


def drawings_of(
    name: str, result: Mapping[str, Any], *, network: "str | Network" = "", is_moving: bool = True
) -> "list[Drawing]":
    """Give the drawings of a result, the most telling first.

    Args:
        name: The kind of run, as `network_report` takes it.
        result: What the run gave.
        network: The first network, or its text, for its map; left out when empty.
        is_moving: Whether the map may move.
    """
    from anlage.network import figure as draw
    from anlage.network import read

    model = None
    if network:
        model = read(network) if isinstance(network, str) else network
    made: list[Drawing] = []
    if name == "simulate-network":
        label = str(result["network"])
        if model is not None and model.clinics:
            day = result.get("day") or {"frames": []}
            is_seen = is_moving and bool(day["frames"])
            made.append(draw.day_figure(model, day) if is_seen else draw.map_figure(model))
        if "distribution" in result:
            made.append(draw.distribution_figure({label: result}))
        made.append(draw.waits_figure(result))
        if result["cost_by_class"]:
            made.append(draw.cost_figure({label: result}))
        if model is not None and result.get("load"):
            made.append(draw.outage_figure(model, result["load"]))
        made.append(draw.utilisation_figure(result))
    elif name == "compare-networks":
        made = [draw.differences_figure(result), draw.spread_figure(result)]
        if any(one["cost_by_class"] for one in result["designs"].values()):
            made += [draw.cost_figure(result["designs"]), draw.scale_figure(result)]
    elif name == "rank-bottlenecks":
        made = [draw.bottleneck_figure(result)]
    return made


def key_figures(outcome: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Give the figures that matter most of a run: what, how much, and its 95 % interval."""
    time = outcome["vein_to_vein_days"]
    rows = [
        ("patients treated a year", _number(outcome.get("infused_per_year")), ""),
        ("vein to vein, median", _days(time["median"]), f"90 % within {_days(time['p90'])}"),
        ("vein to vein, mean", _days(time["mean"]), _span(time["ci95"], _days)),
    ]
    for word, key in (
        ("infused", "infused_fraction"),
        ("lost", "lost_fraction"),
        ("withdrawn", "withdrawn_fraction"),
    ):
        span = _span(outcome.get(f"{key}_ci95"), _share)
        rows.append((word, _share(outcome[key]), span))
    if outcome["cost_per_infused"]:
        span = _span(outcome.get("cost_per_infused_ci95"), _number)
        rows.append(("cost of a treated patient", _number(outcome["cost_per_infused"]), span))
    viable = outcome.get("viability_at_infusion") or {}
    if viable.get("mean"):
        rows.append(
            ("viability at infusion", _share(viable["mean"]), f"5 % below {_share(viable['p05'])}")
        )
    if outcome.get("on_time_fraction") is not None:
        rows.append(("infused by the promised day", _share(outcome["on_time_fraction"]), ""))
    return rows


def _simulated(result: Mapping[str, Any]) -> tuple[str, list[list[str]], list[dict[str, Any]]]:
    resources = [
        [_words(name), _share(row["utilisation"]), _days(row["mean_wait_days"])]
        for name, row in result["resources"].items()
    ]
    failures = [
        [name, str(row["count"]), _share(row["per_patient"])]
        for name, row in result["failures"].items()
    ]
    tables = [{"title": "Resources", "head": ["resource", "used", "mean wait"], "rows": resources}]
    if failures:
        head = ["cause", "count", "per patient"]
        tables.append({"title": "Failures by cause", "head": head, "rows": failures})
    rows = [[what, f"{much}  {span}".strip()] for what, much, span in key_figures(result)]
    return f"Simulation of {result['network']}", [*_terms(result), *rows], tables


def _compared(result: Mapping[str, Any]) -> tuple[str, list[list[str]], list[dict[str, Any]]]:
    return (
        "Designs side by side",
        [["compared with", result["baseline"]], *_terms(result)],
        [side_by_side(result)],
    )


def side_by_side(result: Mapping[str, Any]) -> dict[str, Any]:
    """Give the key figures of compared designs as one table, a column for each design."""
    columns = {name: key_figures(one) for name, one in result["designs"].items()}
    first = next(iter(columns.values()))
    rows = []
    for what, _, _ in first:
        cells = [
            next((much for word, much, _ in column if word == what), "–")
            for column in columns.values()
        ]
        rows.append([what, *cells])
    return {"title": "Designs", "head": ["", *columns], "rows": rows}


def _ranked(result: Mapping[str, Any]) -> tuple[str, list[list[str]], list[dict[str, Any]]]:
    rows = []
    for row in result["resources"]:
        saved, money = row["patients_saved_per_year"], row["money_saved_per_day"]
        rows.append(
            [
                _words(row["resource"]),
                _signed(saved["difference"]),
                _span(saved["ci95"], _signed),
                _number(money["difference"]),
                _share(row["utilisation"]),
            ]
        )
    head = ["one more of", "patients a year", "95 % interval", "money a day", "used"]
    return (
        f"Bottlenecks of {result['network']}",
        [["first", _first(result)], *_terms(result)],
        [{"title": "What one more of each would bring", "head": head, "rows": rows}],
    )


_BODIES = {
    "simulate-network": _simulated,
    "compare-networks": _compared,
    "rank-bottlenecks": _ranked,
}
_LONG = frozenset({"day", "load", "distribution"})


def _terms(result: Mapping[str, Any]) -> list[list[str]]:
    words = [f"{result['replications']} runs"]
    if "years" in result:
        words.append(
            f"of {result['years']:g} years, the first {result['warmup_years']:g} unmeasured"
        )
    return [["run", " ".join(words)], ["seed", str(result["seed"])]]


def _first(result: Mapping[str, Any]) -> str:
    """Name the bottleneck, if its gain is sure."""
    rows = [row for row in result["resources"] if row["resource"] == result["bottleneck"]]
    span = rows[0]["patients_saved_per_year"]["ci95"] if rows else None
    if span and (span[0] > 0 or span[1] < 0):
        return _words(result["bottleneck"])
    return "none for sure: no interval of patients saved lies clear of zero"


def _words(name: str) -> str:
    return name.replace("_", " ").replace("@", " · ")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u00a0")


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def _days(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f} d" if abs(value) >= 1 else f"{24 * value:.1f} h"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _span(interval: Sequence[float] | None, shown: Any) -> str:
    return "" if not interval else f"{shown(interval[0])} to {shown(interval[1])}"
