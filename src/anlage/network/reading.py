"""Reading a whole network out of its text."""

import datetime
import difflib
from collections.abc import Callable
from functools import partial
from typing import Literal

from anlage.base import Problem, Refused

from .chance_reading import time_of
from .distribution import Distribution
from .document import Node, parse, twice_problems
from .errors import NAME_UNKNOWN, SHAPE_WRONG, VALUE_IMPOSSIBLE
from .fields import Fields, Judgement, between, one_of, whole, words
from .measure import (
    YEAR_DAYS,
    Unfit,
    clock,
    date,
    duration,
    money_rate,
    number,
    rate,
    weekdays,
)
from .model import (
    UNLIMITED,
    Arrivals,
    Assign,
    Calendar,
    Clinic,
    Network,
    PatientClass,
    Process,
    Resource,
    RunDefaults,
    Site,
    Window,
)
from .recipe_step import Recipes, no_recipes
from .step_reading import StepReader, assign_of, priority
from .way_reading import integrations_of, lanes_of, materials_of, outages_of, preservations_of

PLACES_MAX = 2_000
Locate = Callable[[str], tuple[float, float, str] | None]
"""Gives latitude, longitude and country of an airport's IATA code, or None."""


class NetworkReader:
    """Reads one file's root node; what is wrong is said to the judgement."""

    def __init__(self, judgement: Judgement, locate: Locate, recipes: Recipes = no_recipes) -> None:
        """Begin; `locate` knows airports, `recipes` the tasks of recipes."""
        self.judgement, self.locate, self.recipes = judgement, locate, recipes
        self.calendars: dict[str, Calendar] = {}
        self.first_day = datetime.date(2026, 1, 5)
        self.resources: dict[str, Resource] = {}
        self.own_processes: list[Process] = []

    def network(self, root: Node) -> Network:
        """Read every section."""
        fields = Fields(root, "the network", self.judgement)
        name = fields.take("network", "name", reader=str, default="network")
        if "network" not in fields.keys and "name" not in fields.keys:
            fields.need("network")
        fields.node_of("description", "title", "notes", "sources")
        self.first_day = fields.take("start", reader=date, default=self.first_day)
        for key, node in self._members(fields.node_of("calendars"), "calendars"):
            self.calendars[key] = self._calendar(node, f"calendars.{key}")
        for key, node in self._members(fields.node_of("resources"), "resources"):
            self.resources[key] = self._resource(key, node, f"resources.{key}", "network")
        clinics = self._clinics(fields.node_of("clinics"))
        sites = self._sites(fields.node_of("sites"))
        preservations = preservations_of(
            fields.node_of("preservation", "preservations"), self.judgement
        )
        classes = self._classes(fields.need("classes", "patients", "customers"))
        network = Network(
            name=name,
            clinics=clinics,
            sites=sites,
            preservations=preservations,
            processes=self._processes(fields),
            classes=classes,
            lanes=lanes_of(fields.node_of("lanes"), self.judgement, self._calendar),
            integrations=integrations_of(
                fields.node_of("integrations", "integration"), self.judgement
            ),
            materials=materials_of(fields.node_of("materials"), self.judgement),
            outages=outages_of(fields.node_of("outages"), self.judgement),
            resources=tuple(self.resources.values()),
            assign=self._assign(fields.node_of("assign", "routing")),
            start_date=self.first_day,
            run=self._run(fields.node_of("run")),
        )
        fields.done()
        return network

    def _steps(self) -> Callable[[str], StepReader]:
        """Give what begins the reading of a process; the file's resources are known by then."""
        pools = frozenset(self.resources)
        return partial(StepReader, judgement=self.judgement, recipes=self.recipes, pools=pools)

    def _members(self, node: Node | None, what: str) -> list[tuple[str, Node]]:
        if node is None:
            return []
        fields = Fields(node, what, self.judgement)
        members = [(key, value) for key, (_, value) in fields.keys.items()]
        for key, (key_node, _) in fields.keys.items():
            self.judgement.place(f"{what}.{key}", key_node.line)
        if len(members) > PLACES_MAX:
            self.judgement.say(
                VALUE_IMPOSSIBLE,
                what,
                node.line,
                found=f"{len(members)} entries",
                limit=f"at most {PLACES_MAX}",
                remedy="merge places that behave alike",
            )
            return members[:PLACES_MAX]
        return members

    def _assign(self, node: Node | None) -> Assign:
        return (
            Assign(name="assign")
            if node is None
            else assign_of(node, "assign", self.judgement, "assign")
        )

    def _run(self, node: Node | None) -> RunDefaults:
        plain = RunDefaults()
        if node is None:
            return plain
        fields = Fields(node, "run", self.judgement)
        made = RunDefaults(
            years=fields.take("years", "for", reader=years, default=plain.years),
            warmup_years=fields.take(
                "warmup", "warm_up", "warm-up", reader=years, default=plain.warmup_years
            ),
            replications=fields.take("replications", reader=whole(1), default=plain.replications),
            seed=fields.take("seed", reader=whole(0, 2**62), default=plain.seed),
        )
        fields.done()
        return made

    def _processes(self, fields: Fields) -> tuple[Process, ...]:
        plain = fields.node_of("process", "steps")
        many = fields.node_of("processes")
        found = [] if plain is None else [("main", plain)]
        found += self._members(many, "processes")
        if not found and not self.own_processes:
            fields.need("process")
        made = list(self.own_processes)
        for name, node in found:
            reader = self._steps()(name)
            place = "process" if name == "main" and plain is node else f"processes.{name}"
            steps = reader.steps(node, place)
            if not steps and not self.judgement.problems:
                self.judgement.say(
                    SHAPE_WRONG,
                    place,
                    node.line,
                    found="no steps",
                    limit="at least one step",
                    remedy="write - use: {resource: NAME, time: 1 hour}",
                )
            made.append(Process(name=name, steps=steps))
        return tuple(made)

    def _classes(self, node: Node | None) -> tuple[PatientClass, ...]:
        made = [self._class(key, inner) for key, inner in self._members(node, "classes")]
        if node is not None and not made and node.keys is not None:
            self.judgement.say(
                SHAPE_WRONG,
                "classes",
                node.line,
                found="no class",
                limit="at least one class",
                remedy="write classes: {customer: {arrivals: {rate: 3 per day}}}",
            )
        return tuple(made)

    def _class(self, name: str, node: Node) -> PatientClass:
        what = f"classes.{name}"
        fields = Fields(node, what, self.judgement)
        fields.node_of("description")
        arrivals_node = fields.need("arrivals", "arrival")
        made = PatientClass(
            name=name,
            arrivals=self._arrivals(arrivals_node, f"{what}.arrivals"),
            priority=fields.take("priority", reader=priority, default=1),
            process=self._own_process(fields, name),
            drop_out=self._time(fields, "drop_out", "drop-out", "dropout", "withdrawal"),
            survival=self._time(fields, "survival", "death"),
            patience=self._time(fields, "patience", "reneging"),
            promise_days=fields.take(
                "promise", "promised", "due", reader=_optional_duration, default=None
            ),
        )
        fields.done()
        return made

    def _own_process(self, fields: Fields, name: str) -> str:
        """Read the name of a class's process, or its own steps written in place."""
        node = fields.node_of("process", "steps")
        if node is None or node.items is None:
            return fields.take("process", reader=str, default="main")
        steps = self._steps()(name).steps(node, f"{fields.what}.process")
        self.own_processes.append(Process(name=name, steps=steps))
        return name

    def _time(self, fields: Fields, *names: str) -> Distribution | None:
        node = fields.node_of(*names)
        if node is None:
            return None
        return time_of(node, f"{fields.what}: {names[0]}", self.judgement)

    def _arrivals(self, node: Node | None, what: str) -> Arrivals:
        if node is None:
            return Arrivals(rate_per_day=1.0)
        if node.text is not None:
            return Arrivals(rate_per_day=self.judgement.read(node, what, rate) or 0.0)
        fields = Fields(node, what, self.judgement)
        per_day = fields.take("rate", reader=_optional_rate, default=None)
        every = self._time(fields, "every", "interarrival", "interarrival_time", "gap")
        if "rate" not in fields.keys and every is None:
            fields.need("rate")
        elif "rate" in fields.keys and every is not None:
            self.judgement.say(
                SHAPE_WRONG,
                what,
                node.line,
                found="both rate and every",
                limit="one of them",
                remedy="keep rate for Poisson arrivals, every for any other",
            )
        if every is not None and every.mean_days() <= 0:
            self.judgement.say(
                VALUE_IMPOSSIBLE,
                f"{what}: every",
                node.line,
                found="a mean time of zero between arrivals",
                limit="a mean above zero",
                remedy="write the time between two arrivals",
            )
            every = None
        calendar_node = fields.node_of("open", "calendar", "hours")
        made = Arrivals(
            rate_per_day=per_day if every is None else None,
            every=every,
            group=fields.take("group", "batch", "size", reader=whole(1, 10_000), default=1),
            calendar=self._calendar(calendar_node, f"{what}.open") if calendar_node else None,
            first_day=fields.take("from", "start", reader=duration, default=0.0),
            last_day=fields.take("until", "end", reader=_optional_duration, default=None),
        )
        fields.done()
        return made

    def _calendar(self, node: Node, what: str) -> Calendar:
        """Read a calendar: a name, one window, a list or a mapping of windows."""
        if node.text is not None:
            known = self.calendars.get(node.text)
            if known is None:
                close = difflib.get_close_matches(node.text, list(self.calendars), n=1)
                self.judgement.say(
                    NAME_UNKNOWN,
                    what,
                    node.line,
                    found=repr(node.text),
                    limit="a calendar under calendars: " + (", ".join(self.calendars) or "(none)"),
                    remedy=f"write {close[0]}" if close else "define it under calendars:",
                )
            return known or Calendar(windows=(Window(),))
        if node.items is not None:
            return Calendar(windows=tuple(self._window(item, what) for item in node.items))
        keys = node.keys or {}
        holidays: tuple[int, ...] = ()
        if "holidays" in keys:
            holidays = self._holidays(keys["holidays"][1], what)
        if set(keys) & {"days", "from", "to", "open", "close"}:
            return Calendar(windows=(self._window(node, what),), holidays=holidays)
        inner = keys.get("windows", keys.get("shifts"))
        if inner is not None:
            read = self._calendar(inner[1], what)
            return Calendar(windows=read.windows, holidays=holidays)
        windows = tuple(
            self._window(value, f"{what}.{key}")
            for key, (_, value) in keys.items()
            if key != "holidays"
        )
        return Calendar(windows=windows or (Window(),), holidays=holidays)

    def _holidays(self, node: Node, what: str) -> tuple[int, ...]:
        days = [
            self.judgement.read(item, f"{what}: holidays", date) for item in node.items or [node]
        ]
        return tuple(sorted({(day - self.first_day).days for day in days if day is not None}))

    def _window(self, node: Node, what: str) -> Window:
        """Read one window; a plain number is the capacity of a shift named day or night."""
        if node.text is not None:
            capacity = self.judgement.read(node, what, whole(0))
            night = what.endswith("night")
            hours = (0.75, 0.25) if night else (0.25, 0.75) if what.endswith("day") else (0.0, 1.0)
            return Window(opens=hours[0], closes=hours[1], capacity=capacity)
        fields = Fields(node, what, self.judgement)
        fields.node_of("holidays", "name", "description")
        opens = fields.take("from", "open", "opens", "start", reader=clock, default=0.0)
        closes = fields.take("to", "close", "closes", "until", "end", reader=clock, default=1.0)
        made = Window(
            days=fields.take("days", "on", reader=weekdays, default=(0, 1, 2, 3, 4, 5, 6))
            if not _is_list(fields, "days", "on")
            else self._day_list(fields),
            opens=opens % 1.0,
            closes=closes,
            capacity=fields.take("capacity", "staff", reader=_optional_whole, default=None),
        )
        fields.done()
        return made

    def _day_list(self, fields: Fields) -> tuple[int, ...]:
        node = fields.node_of("days", "on")
        days = [
            self.judgement.read(item, f"{fields.what}: days", weekdays)
            for item in (node.items if node and node.items else [])
        ]
        return tuple(sorted({day for group in days for day in group or ()}))

    def _resource(self, name: str, node: Node, what: str, per: str) -> Resource:
        if node.text is not None:
            return Resource(name=name, per=_place(per), capacity=self._capacity(node, what))
        fields = Fields(node, what, self.judgement)
        fields.node_of("description")
        capacity_node = fields.node_of("capacity", "servers", "units", "number")
        shifts = fields.node_of("shifts", "calendar", "open", "hours")
        calendar = self._calendar(shifts, f"{what}.shifts") if shifts else None
        if capacity_node is None and not (
            calendar and all(window.capacity is not None for window in calendar.windows)
        ):
            fields.need("capacity")
        capacity = self._capacity(capacity_node, f"{what}: capacity") if capacity_node else 1
        made = Resource(
            name=name,
            per=_place(
                fields.take(
                    "per", "at_each", reader=one_of("network", "clinic", "site"), default=per
                )
            ),
            capacity=capacity,
            calendar=calendar,
            queue_limit=fields.take(
                "queue_limit", "queue", "waiting_places", reader=_optional_whole, default=None
            ),
            cost_per_day=fields.take("cost", "cost_per_day", reader=money_rate, default=0.0),
            cost_class=fields.take("cost_class", reader=str, default="equipment"),
        )
        fields.done()
        return made

    def _capacity(self, node: Node, what: str) -> int:
        if (node.text or "").lower() in {"unlimited", "infinite", "inf", ".inf"}:
            return UNLIMITED
        value = self.judgement.read(node, what, whole(0))
        if value == 0:
            self.judgement.say(
                VALUE_IMPOSSIBLE,
                what,
                node.line,
                found="0",
                limit="1 or more, or unlimited",
                remedy="write 1 or more; leave the resource out to have none",
            )
        return value or 1

    def _clinics(self, node: Node | None) -> tuple[Clinic, ...]:
        made: list[Clinic] = []
        for name, inner in self._places(node, "clinics"):
            fields = Fields(inner, f"clinics.{name}", self.judgement)
            latitude, longitude, country = self._at(fields)
            made.append(
                Clinic(
                    name=name,
                    share=fields.take("share", "weight", reader=between(0, 1e9), default=1.0),
                    latitude=latitude,
                    longitude=longitude,
                    country=country,
                    integration=fields.take("integration", reader=_optional, default=None),
                )
            )
            self._own_resources(fields, name, "clinic")
            fields.node_of("description", "name")
            fields.done()
        return tuple(made)

    def _sites(self, node: Node | None) -> tuple[Site, ...]:
        made: list[Site] = []
        for name, inner in self._places(node, "sites"):
            fields = Fields(inner, f"sites.{name}", self.judgement)
            latitude, longitude, country = self._at(fields)
            serves = fields.node_of("serves", "clinics")
            made.append(
                Site(
                    name=name,
                    latitude=latitude,
                    longitude=longitude,
                    country=country,
                    tier=fields.take("tier", reader=str, default=""),
                    serves=words(serves, f"sites.{name}: serves", self.judgement) if serves else (),
                    cost_per_day=fields.take(
                        "cost", "cost_per_day", "fixed_cost", reader=money_rate, default=0.0
                    ),
                )
            )
            self._own_resources(fields, name, "site")
            fields.node_of("description", "name")
            fields.done()
        return tuple(made)

    def _places(self, node: Node | None, what: str) -> list[tuple[str, Node]]:
        """Give the members of `clinics` or `sites`; `{count: 20}` makes twenty alike."""
        if node is None:
            return []
        if node.keys is not None and "count" in node.keys:
            fields = Fields(node, what, self.judgement)
            count = fields.take("count", reader=whole(1, PLACES_MAX), default=1)
            each = fields.node_of("each", "like")
            fields.done()
            alike = each or Node(line=node.line, keys={})
            return [(f"{what[:-1]}-{number}", alike) for number in range(1, count + 1)]
        if node.items is not None:
            return [(item.text, Node(line=item.line, keys={})) for item in node.items if item.text]
        return [
            (name, inner if inner.keys is not None else Node(line=inner.line, keys={}))
            if inner.text is None and inner.items is None
            else (name, inner)
            for name, inner in self._members(node, what)
        ]

    def _at(self, fields: Fields) -> tuple[float | None, float | None, str]:
        """Read where a place is: `at: [latitude, longitude]` or `airport: IATA`."""
        at, airport = fields.node_of("at", "coordinates"), fields.node_of("airport")
        country = fields.take("country", reader=str, default="")
        if airport is not None and airport.text is not None:
            found = self.locate(airport.text)
            if found is None:
                self.judgement.say(
                    NAME_UNKNOWN,
                    f"{fields.what}: airport",
                    airport.line,
                    found=repr(airport.text),
                    limit="an IATA code of three letters, such as AMS",
                    remedy="write the code, or at: [latitude, longitude]",
                )
                return None, None, country
            return found[0], found[1], country or found[2]
        if at is None:
            return None, None, country
        if at.items is None or len(at.items) != 2:
            self.judgement.say(
                SHAPE_WRONG,
                f"{fields.what}: at",
                at.line,
                found=at.kind,
                limit="[latitude, longitude] in degrees",
                remedy="write at: [52.3, 4.8]",
            )
            return None, None, country
        latitude = self.judgement.read(at.items[0], f"{fields.what}: latitude", between(-90, 90))
        longitude = self.judgement.read(
            at.items[1], f"{fields.what}: longitude", between(-180, 180)
        )
        return latitude, longitude, country

    def _own_resources(self, fields: Fields, place: str, per: str) -> None:
        """Read a place's own resources into the pools of that name."""
        for name, node in self._members(fields.node_of("resources"), f"{fields.what}.resources"):
            read = self._resource(name, node, f"{fields.what}.resources.{name}", per)
            base = self.resources.get(name)
            if base is not None and base.per != per and base.at:
                self.judgement.say(
                    VALUE_IMPOSSIBLE,
                    f"{fields.what}.resources.{name}",
                    node.line,
                    found=f"a resource of each {base.per}",
                    limit=f"one kind of place for {name}",
                    remedy="give it another name here",
                )
                continue
            base = base or Resource(name=name, per=_place(per), capacity=0)
            self.resources[name] = Resource(
                name=name,
                per=_place(per),
                capacity=base.capacity,
                calendar=base.calendar,
                queue_limit=base.queue_limit if read.queue_limit is None else read.queue_limit,
                cost_per_day=base.cost_per_day or read.cost_per_day,
                cost_class=base.cost_class if base.cost_per_day else read.cost_class,
                at={**base.at, place: read.capacity},
                calendar_at=(
                    {**base.calendar_at, place: read.calendar}
                    if read.calendar
                    else base.calendar_at
                ),
            )


def read_text(
    text: str, *, path: str | None = None, locate: Locate, recipes: Recipes = no_recipes
) -> tuple[Network, Judgement, Node]:
    """Read a network; the judgement holds what is wrong with single values.

    Raises:
        Refused: The text is no YAML mapping, or is beyond a limit.
    """
    root = parse(text, path=path)
    judgement = Judgement(path)
    judgement.problems.extend(twice_problems(root, path))
    network = NetworkReader(judgement, locate, recipes).network(root)
    return network, judgement, root


def years(text: str) -> float:
    """Read a number of years, or a time with its unit, in years.

    Raises:
        Unfit: It is neither.
    """
    try:
        value = number(text)
    except Unfit:
        return duration(text) / YEAR_DAYS
    if value < 0:
        raise Unfit(VALUE_IMPOSSIBLE, text, "zero or more", "write years such as 3, or 26 weeks")
    return value


def refuse(problems: list[Problem]) -> Refused:
    """Give one refusal out of the problems."""
    return Refused.of(problems)


def _is_list(fields: Fields, *names: str) -> bool:
    return any(name in fields.keys and fields.keys[name][1].items is not None for name in names)


def _place(per: str) -> Literal["network", "clinic", "site"]:
    return "site" if per == "site" else "clinic" if per == "clinic" else "network"


def _optional(text: str) -> str | None:
    return text


def _optional_duration(text: str) -> float | None:
    return duration(text)


def _optional_rate(text: str) -> float | None:
    return rate(text)


def _optional_whole(text: str) -> int | None:
    return whole(0)(text)
