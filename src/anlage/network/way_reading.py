"""Reading lanes, preservation, integrations, materials and outages."""

from collections.abc import Callable
from itertools import pairwise
from typing import Literal, cast

from .chance_reading import time_of
from .distribution import Distribution, deterministic
from .document import Node
from .errors import SHAPE_WRONG, VALUE_IMPOSSIBLE
from .fields import Fields, Judgement, one_of, whole, words
from .measure import (
    KG_PER,
    KM_PER,
    Unfit,
    clock,
    duration,
    measured,
    money,
    money_rate,
    number,
    share,
    speed,
    weekdays,
)
from .model import Calendar, Integration, Lane, Material, Mode, Outage, Place, Preservation

ReadCalendar = Callable[[Node, str], Calendar]
"""Reads open hours, or the name of a calendar of the file."""


def lanes_of(node: Node | None, judgement: Judgement, calendar: ReadCalendar) -> tuple[Lane, ...]:
    """Read the lanes."""
    return tuple(
        _lane(name, inner, judgement, calendar)
        for name, inner in _members(node, "lanes", judgement)
    )


def preservations_of(node: Node | None, judgement: Judgement) -> tuple[Preservation, ...]:
    """Read the conditions under which cells travel and wait."""
    made = []
    for name, inner in _members(node, "preservation", judgement):
        fields = Fields(inner, f"preservation.{name}", judgement)
        fields.node_of("description", "source")
        made.append(
            Preservation(
                name=name,
                loss_per_day=fields.take("loss", "loss_per_day", reader=_loss, default=0.0),
                step_loss=fields.take("step_loss", "thaw_loss", reader=share, default=0.0),
                hold_days_max=fields.take(
                    "hold_at_most", "window", reader=_optional_duration, default=None
                ),
                curve=_curve(fields, judgement),
                cost=fields.take("cost", reader=money, default=0.0),
            )
        )
        fields.done()
    return tuple(made)


def integrations_of(node: Node | None, judgement: Judgement) -> tuple[Integration, ...]:
    """Read the ways to exchange messages."""
    made = []
    for name, inner in _members(node, "integrations", judgement):
        fields = Fields(inner, f"integrations.{name}", judgement)
        fields.node_of("description", "source")
        delay = fields.need("delay", "time")
        read = time_of(delay, f"integrations.{name}: delay", judgement) if delay else None
        made.append(
            Integration(
                name=name,
                delay=read or deterministic(0.0),
                error=fields.take("error", "errors", reader=share, default=0.0),
                correction=_time(fields, "correction", judgement),
            )
        )
        fields.done()
    return tuple(made)


def materials_of(node: Node | None, judgement: Judgement) -> tuple[Material, ...]:
    """Read the stocks."""
    made = []
    for name, inner in _members(node, "materials", judgement):
        what = f"materials.{name}"
        fields = Fields(inner, what, judgement)
        fields.node_of("description", "source")
        suppliers = fields.node_of("supplier", "suppliers")
        made_by = fields.take("made_by", "made by", reader=_optional, default=None)
        lead = _time(fields, "lead_time", judgement, "lead time")
        if made_by is None and lead is None:
            fields.need("lead_time")
        order = fields.take("order", "order_size", reader=whole(1), default=1)
        made.append(
            Material(
                name=name,
                per=cast(
                    Place, fields.take("per", reader=one_of("network", "site"), default="network")
                ),
                stock=fields.take("stock", "start", reader=whole(0), default=order),
                reorder_at=fields.take("reorder_at", "reorder at", reader=whole(0), default=0),
                order=order,
                lead_time=lead,
                made_by=made_by,
                suppliers=words(suppliers, f"{what}: suppliers", judgement) if suppliers else (),
                shelf_life=_time(fields, "shelf_life", judgement, "shelf life", "expiry"),
                unit_cost=fields.take("cost", "unit_cost", reader=money, default=0.0),
                holding_cost_per_day=fields.take("holding_cost", reader=money_rate, default=0.0),
            )
        )
        fields.done()
    return tuple(made)


def outages_of(node: Node | None, judgement: Judgement) -> tuple[Outage, ...]:
    """Read the outages."""
    made = []
    for name, inner in _members(node, "outages", judgement):
        what = f"outages.{name}"
        fields = Fields(inner, what, judgement)
        fields.node_of("description", "source")
        of = fields.need("of", "resource", "site", "lane", "supplier")
        lasts = fields.need("lasts", "for", "repair")
        every = _time(fields, "every", judgement, "up")
        start = fields.take("at_day", "from", "on", reader=_optional_duration, default=None)
        if every is None and start is None:
            fields.need("every")
        read = time_of(lasts, f"{what}: lasts", judgement) if lasts else None
        if of is not None and of.text is not None:
            judgement.place(f"{what}: of", of.line)
        made.append(
            Outage(
                name=name,
                of=(of.text or "") if of else "",
                at=fields.take("at", reader=_optional, default=None),
                every=every,
                start_day=start,
                lasts=read or deterministic(1.0),
                share=fields.take("share", reader=share, default=1.0),
            )
        )
        fields.done()
    return tuple(made)


def _lane(name: str, node: Node, judgement: Judgement, calendar: ReadCalendar) -> Lane:
    what = f"lanes.{name}"
    fields = Fields(node, what, judgement)
    fields.node_of("description", "source", "from", "to")
    modes_node = fields.node_of("modes")
    preservation = fields.take("preservation", "condition", reader=_optional, default=None)
    prefer = fields.take("prefer", reader=one_of("fastest", "cheapest", "first"), default="first")
    mass = fields.take("mass", "weight", reader=_mass, default=0.0)
    only = _only(fields, judgement)
    if modes_node is None:
        plain = {key: pair for key, pair in fields.keys.items() if key not in fields.taken}
        fields.taken.update(plain)
        modes: tuple[Mode, ...] = (
            _mode("transport", Node(line=node.line, keys=plain), what, judgement, calendar),
        )
    else:
        modes = tuple(
            _mode(key, inner, f"{what}.modes.{key}", judgement, calendar)
            for key, inner in _members(modes_node, f"{what}.modes", judgement)
        )
    fields.done()
    return Lane(
        name=name,
        modes=modes,
        prefer=cast(Literal["fastest", "cheapest", "first"], prefer),
        preservation=preservation,
        mass_kg=mass,
        only=only,
    )


def _only(fields: Fields, judgement: Judgement) -> dict[tuple[str, str], str]:
    """Read `only: {clinic: {site: mode}}`."""
    made: dict[tuple[str, str], str] = {}
    for clinic, inner in _members(fields.node_of("only"), f"{fields.what}.only", judgement):
        for site, (_, mode) in (inner.keys or {}).items():
            made[clinic, site] = mode.text or ""
    return made


def _mode(name: str, node: Node, what: str, judgement: Judgement, calendar: ReadCalendar) -> Mode:
    fields = Fields(node, what, judgement)
    fields.node_of("description", "source")
    time = _time(fields, "time", judgement, "duration")
    pace = fields.take("speed", reader=_optional_speed, default=None)
    if time is None and pace is None:
        fields.need("time")
    countries = fields.node_of("countries", "allowed_in", "rules")
    hours = fields.node_of("hours", "open")
    cost = fields.node_of("cost")
    fixed, per_km = _cost(cost, what, judgement) if cost else (0.0, 0.0)
    made = Mode(
        name=name,
        time=time,
        speed_km_per_day=pace,
        handling=_time(fields, "handling", judgement),
        delay=_time(fields, "delay", judgement),
        departures=_departures(fields.node_of("departures", "timetable"), what, judgement),
        hours=calendar(hours, f"{what}.hours") if hours else None,
        cancelled=fields.take("cancelled", "weather", "no_go", reader=_below_one, default=0.0),
        otherwise=fields.take("otherwise", "else", reader=_optional, default=None),
        range_km=fields.take("range", reader=_optional_distance, default=None),
        payload_kg=fields.take("payload", reader=_optional_mass, default=None),
        countries=words(countries, f"{what}: countries", judgement) if countries else (),
        cost=fixed,
        cost_per_km=per_km,
        vehicles=fields.take("vehicles", "resource", reader=_optional, default=None),
    )
    fields.done()
    return made


def _cost(node: Node, what: str, judgement: Judgement) -> tuple[float, float]:
    if node.keys is None:
        return judgement.read(node, f"{what}: cost", money) or 0.0, 0.0
    fields = Fields(node, f"{what}.cost", judgement)
    fixed = fields.take("fixed", "journey", reader=money, default=0.0)
    per_km = fields.take("per_km", "per km", reader=money, default=0.0)
    fields.done()
    return fixed, per_km


def _departures(node: Node | None, what: str, judgement: Judgement) -> tuple[float, ...]:
    """Read a timetable: `[08:00, 20:00]` daily, or a list of {days, times}."""
    if node is None:
        return ()
    offsets: set[float] = set()
    items = node.items if node.items is not None else [node]
    for item in items:
        if item.text is not None:
            days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
            times = [item]
        else:
            fields = Fields(item, f"{what}.departures", judgement)
            days = fields.take("days", "on", reader=weekdays, default=(0, 1, 2, 3, 4, 5, 6))
            times_node = fields.need("times", "at", "time")
            fields.done()
            times = (times_node.items or [times_node]) if times_node else []
        for time in times:
            part = judgement.read(time, f"{what}: departures", clock)
            offsets.update((day + (part or 0.0)) % 7 for day in days)
    return tuple(sorted(offsets))


def _curve(fields: Fields, judgement: Judgement) -> tuple[tuple[float, float], ...]:
    """Read points {time: part viable} of a richer model, in rising order of time."""
    node = fields.node_of("curve")
    if node is None:
        return ()
    points: list[tuple[float, float]] = []
    for text, (key, value) in Fields(node, f"{fields.what}.curve", judgement).keys.items():
        days = judgement.read(Node(line=key.line, text=text), f"{fields.what}.curve", duration)
        part = judgement.read(value, f"{fields.what}.curve", share)
        if days is not None and part is not None:
            points.append((days, part))
    points.sort()
    rising = any(later[1] > earlier[1] for earlier, later in pairwise(points))
    if rising or len({days for days, _ in points}) != len(points):
        judgement.say(
            VALUE_IMPOSSIBLE,
            f"{fields.what}.curve",
            node.line,
            found="viability that rises with time",
            limit="a part viable that falls or stays",
            remedy="sort the points by time",
        )
    return tuple(points)


def _members(node: Node | None, what: str, judgement: Judgement) -> list[tuple[str, Node]]:
    if node is None:
        return []
    if node.keys is None:
        judgement.say(
            SHAPE_WRONG,
            what,
            node.line,
            found=node.kind,
            limit="a mapping of NAME: {…}",
            remedy=f"write {what}: {{name: {{…}}}}",
        )
        return []
    for name, (key, _) in node.keys.items():
        judgement.place(f"{what}.{name}", key.line)
    return [(name, value) for name, (_, value) in node.keys.items()]


def _time(fields: Fields, name: str, judgement: Judgement, *others: str) -> Distribution | None:
    node = fields.node_of(name, *others)
    return None if node is None else time_of(node, f"{fields.what}: {name}", judgement)


def _loss(text: str) -> float:
    """Read a first-order loss, `2 % / day` or `0.02 / day`, as a rate per day."""
    head, slash, unit = text.partition("/")
    if not slash:
        raise Unfit(VALUE_IMPOSSIBLE, text, "a loss per time, such as 2 % / day", "write 2 % / day")
    plain = head.strip()
    part = number(plain[:-1]) / 100 if plain.endswith("%") else number(plain)
    if part < 0:
        raise Unfit(VALUE_IMPOSSIBLE, text, "a loss of zero or more", "write 2 % / day")
    return part / duration(f"1 {unit.strip()}")


def _below_one(text: str) -> float:
    value = share(text)
    if value > 0.99:
        raise Unfit(VALUE_IMPOSSIBLE, text, "at most 99 %", "leave the mode out if it never goes")
    return value


def _mass(text: str) -> float:
    return measured(text, KG_PER, "2 kg")


def _optional(text: str) -> str | None:
    return text


def _optional_mass(text: str) -> float | None:
    return _mass(text)


def _optional_distance(text: str) -> float | None:
    return measured(text, KM_PER, "60 km")


def _optional_speed(text: str) -> float | None:
    return speed(text)


def _optional_duration(text: str) -> float | None:
    return duration(text)
