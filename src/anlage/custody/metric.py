"""Measures of the way from vein to vein, each with its exact definition, formula and facts.

A measure whose facts are missing is None, never 0. Times are differences between the moments at
which two facts happened. The view below notes, per patient, lot and shipment, the moment and the
fact of each stage; it reads facts of other packages by kind and content, so that nothing here
depends on them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from anlage.base import instant
from anlage.record import Recorded, Rows

VIEW = "metrics"
_DAY = 86_400.0
_HOUR = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a measure is: its title, its exact words, its formula, its unit."""

    title: str
    words: str
    formula: str
    unit: str


STAGES: Mapping[str, tuple[str, str, str]] = {
    "ordered-to-collected": ("ordered", "collected", "from the order to the collection"),
    "collected-to-accepted": ("collected", "accepted", "from the collection to its acceptance"),
    "accepted-to-begun": ("accepted", "begun", "from its acceptance to the lot's beginning"),
    "begun-to-made": ("begun", "made", "from the lot's beginning to the filled doses"),
    "made-to-released": ("made", "released", "from the filled doses to the release"),
    "released-to-on-site": ("released", "on-site", "from the release to the dose on site"),
    "on-site-to-infused": ("on-site", "infused", "from the dose on site to the infusion"),
}
"""Each stage of the way: the fact it begins with, the fact it ends with, in words."""

DEFINITIONS: Mapping[str, Definition] = {
    "vein-to-vein": Definition(
        title="Vein to vein",
        words="Time from the collection that a patient's lot was made of to the infusion of a dose"
        " of it to the same patient. Of several collections the last before the infusion counts.",
        formula="median over patients of (infusion-performed - collection-performed)",
        unit="days",
    ),
    "on-time-in-full": Definition(
        title="On time, in full",
        words="Share of the shipments received that came by the time they were due, with every"
        " container accepted at receipt: none missing, none in quarantine.",
        formula="shipments received <= due with disposition accepted / shipments received",
        unit="share",
    ),
    "out-of-specification-rate": Definition(
        title="Out of specification",
        words="Share of the lots with a counted result of which at least one attribute's counted"
        " result fails. A result that was invalidated does not count.",
        formula="lots with a counted result 'fail' / lots with a counted result",
        unit="share",
    ),
    "excursion-rate": Definition(
        title="Excursions on the way",
        words="Share of the shipments with a condition log of which a log was judged other than"
        " accept. A shipment without a log is not counted, and is listed as such.",
        formula="shipments with a log not accepted / shipments with a log",
        unit="share",
    ),
    **{
        f"wait-{name}": Definition(
            title=words[0].upper() + words[1:],
            words=f"Time {words}, of each patient's product.",
            formula=f"median over patients of ({end} - {start})",
            unit="hours",
        )
        for name, (start, end, words) in STAGES.items()
    },
}
"""The definition of each measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """What stands behind a number: one subject, its own value, and the facts it comes from.

    Attributes:
        subject: lot/ID, journey/ID or shipment/ID.
        value: Its own time in the measure's unit; None for a share.
        counts_against: True when it lowers the measure.
        facts: Name, stream, number and time of each fact.
        note: Why it counts as it does; empty when the facts say it.
    """

    subject: str
    value: float | None
    counts_against: bool
    facts: tuple[tuple[str, str, int, str], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure.

    Attributes:
        name: One of `DEFINITIONS`.
        value: In the unit of its definition; None without facts.
        low: The smallest of the values behind it; None for a share.
        high: The largest.
        behind: What stands behind it, the worst first.
        left_out: Subjects that could not be counted, and why.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    behind: tuple[Behind, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def definition(self) -> Definition:
        """What it is."""
        return DEFINITIONS[self.name]

    @property
    def against(self) -> tuple[str, ...]:
        """The subjects that count against it."""
        return tuple(one.subject for one in self.behind if one.counts_against)


def measures(rows: Iterable[Mapping[str, Any]], *, since: str = "") -> list[Measure]:
    """Give every measure over the rows of the view.

    Args:
        rows: Rows of `MetricView`: patients with their lots' stages, lots, shipments.
        since: Leave out what ended before this moment (as facts write it); empty for all.
    """
    held = list(rows)
    patients = _with_lots(held)
    shipments = [row for row in held if row["what"] == "shipment" and row.get("received")]
    shipments = [row for row in shipments if row["received"][0] >= since]
    lots = [row for row in held if row["what"] == "lot" and row["results"]]
    lots = [row for row in lots if max(one[1] for one in row["results"].values()) >= since]
    found = [
        _time("vein-to-vein", patients, "collected", "infused", _DAY, since),
        _on_time(shipments),
        _excursions(shipments),
        _out_of_specification(lots),
    ]
    found += [
        _time(f"wait-{name}", patients, start, end, _HOUR, since)
        for name, (start, end, _) in STAGES.items()
    ]
    return found


def _with_lots(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give each patient's stages, with those of the lot that was made for them."""
    lots = {row["id"]: row for row in rows if row["what"] == "lot"}
    found = []
    for row in rows:
        if row["what"] == "journey":
            times = dict(row["times"])
            times |= lots.get(row.get("lot") or "", {}).get("times", {})
            found.append({**row, "times": times})
    return found


def _time(
    name: str,
    patients: Sequence[Mapping[str, Any]],
    start: str,
    end: str,
    unit: float,
    since: str,
) -> Measure:
    behind, left_out = [], []
    for row in patients:
        times = row["times"]
        if end not in times or times[end][0] < since:
            continue
        if start not in times:
            left_out.append((f"journey/{row['id']}", f"no fact of {start}"))
            continue
        length = instant(times[end][0]) - instant(times[start][0])
        facts = tuple((stage, *times[stage][1:], times[stage][0]) for stage in (start, end))
        behind.append(
            Behind(
                subject=f"journey/{row['id']}",
                value=length.total_seconds() / unit,
                counts_against=False,
                facts=facts,
            )
        )
    behind.sort(key=lambda one: -(one.value or 0.0))
    values = [one.value for one in behind if one.value is not None]
    return Measure(
        name=name,
        value=median(values) if values else None,
        low=min(values, default=None),
        high=max(values, default=None),
        behind=tuple(behind),
        left_out=tuple(left_out),
    )


def _on_time(shipments: Sequence[Mapping[str, Any]]) -> Measure:
    behind = []
    for row in shipments:
        at, stream, number = row["received"]
        is_late = bool(row.get("due")) and instant(at) > instant(row["due"])
        is_short = row["disposition"] != "accepted"
        notes = [f"due {row['due']}"] if is_late else []
        notes += [row["disposition"]] if is_short else []
        facts = [("received", stream, number, at)]
        if row.get("prepared"):
            when, whose, first = row["prepared"]
            facts.insert(0, ("prepared", whose, first, when))
        behind.append(
            Behind(
                subject=f"shipment/{row['id']}",
                value=None,
                counts_against=is_late or is_short,
                facts=tuple(facts),
                note=", ".join(notes),
            )
        )
    return _share("on-time-in-full", behind, is_good=True)


def _excursions(shipments: Sequence[Mapping[str, Any]]) -> Measure:
    behind, left_out = [], []
    for row in shipments:
        if not row["logs"]:
            left_out.append((f"shipment/{row['id']}", "no condition log"))
            continue
        bad = [one for one in row["logs"] if one[3] != "accept"]
        facts = tuple(("condition log", one[1], one[2], one[0]) for one in bad or row["logs"])
        note = ", ".join(dict.fromkeys(one[3] for one in bad))
        behind.append(
            Behind(
                subject=f"shipment/{row['id']}",
                value=None,
                counts_against=bool(bad),
                facts=facts,
                note=note,
            )
        )
    return _share("excursion-rate", behind, left_out)


def _out_of_specification(lots: Sequence[Mapping[str, Any]]) -> Measure:
    behind = []
    for row in lots:
        results = row["results"]
        bad = [name for name, one in results.items() if one[0] == "fail"]
        facts = tuple(
            (name, f"lot/{row['id']}", results[name][2], results[name][1])
            for name in bad or results
        )
        behind.append(
            Behind(
                subject=f"lot/{row['id']}",
                value=None,
                counts_against=bool(bad),
                facts=facts,
                note=", ".join(bad),
            )
        )
    return _share("out-of-specification-rate", behind)


def _share(
    name: str,
    behind: list[Behind],
    left_out: Sequence[tuple[str, str]] = (),
    *,
    is_good: bool = False,
) -> Measure:
    behind.sort(key=lambda one: (not one.counts_against, one.subject))
    bad = sum(one.counts_against for one in behind)
    share = bad / len(behind) if behind else None
    if share is not None and is_good:
        share = 1 - share
    return Measure(name=name, value=share, behind=tuple(behind), left_out=tuple(left_out))


_JOURNEY = {
    "product-ordered": "ordered",
    "collection-performed": "collected",
    "collection-accepted": "accepted",
    "dose-on-site": "on-site",
    "infusion-performed": "infused",
}
_LOT = {"lot-created": "begun", "doses-filled": "made", "lot-released": "released"}
_LAST = frozenset({"collection-performed", "collection-accepted", "infusion-performed"})


class MetricView:
    """The moment and the fact of each stage, per patient, lot and shipment."""

    name = VIEW
    version = 1
    families = frozenset({"journey", "lot", "shipment"})

    def apply(self, rows: Rows, recorded: Recorded) -> None:
        """Take one fact into the rows."""
        if recorded.is_withheld:
            return
        family, name = recorded.stream.family, recorded.stream.id
        key = f"{family}:{name}"
        here = [recorded.happened_text, str(recorded.stream), recorded.number]
        row = noted(rows.get(key), family, name, recorded.kind, recorded.body, here)
        if row is not None:
            rows.put(key, row, facet=family, order=name)


def noted(
    row: dict[str, Any] | None,
    family: str,
    name: str,
    kind: str,
    body: Mapping[str, Any],
    here: list[Any],
) -> dict[str, Any] | None:
    """Give the row of a patient, lot or shipment after one more fact; None when it says nothing.

    Args:
        row: The row so far; None for the first fact.
        family: journey, lot or shipment.
        name: Which one.
        kind: What happened.
        body: The fact's fields as JSON values.
        here: When, in which stream, under which number.
    """
    row = row or {"what": family, "id": name, "times": {}, "results": {}, "logs": []}
    took = {"journey": _journey, "lot": _lot, "shipment": _shipment}[family]
    return row if took(row, kind, body, here) else None


def _journey(row: dict[str, Any], kind: str, body: Mapping[str, Any], here: list[Any]) -> bool:
    if kind == "lot-assigned":
        row["lot"] = body.get("lot")
        return True
    stage = _JOURNEY.get(kind)
    if stage is None:
        return False
    if kind == "infusion-performed" and body.get("began"):
        here = [body["began"], *here[1:]]
    if stage not in row["times"] or kind in _LAST:
        row["times"][stage] = here
    return True


def _lot(row: dict[str, Any], kind: str, body: Mapping[str, Any], here: list[Any]) -> bool:
    if kind == "lot-result-reported":
        row["results"][body["attribute"]] = [body["outcome"], here[0], here[2]]
        return True
    if kind == "lot-result-invalidated":
        return row["results"].pop(body.get("attribute"), None) is not None
    stage = _LOT.get(kind)
    if stage is None:
        return False
    row["times"].setdefault(stage, here)
    return True


def _shipment(row: dict[str, Any], kind: str, body: Mapping[str, Any], here: list[Any]) -> bool:
    match kind:
        case "shipment-prepared":
            row["due"], row["prepared"] = body.get("due"), here
        case "condition-logged":
            row["logs"].append([*here, body["verdict"]])
        case "shipment-received":
            row["received"], row["disposition"] = here, body["disposition"]
            if body.get("record") and not row["logs"]:
                said = " ".join(body.get("reasons", ()))
                row["logs"].append([*here, "doubtful" if "condition log" in said else "accept"])
        case _:
            return False
    return True


VIEWS = (MetricView(),)
