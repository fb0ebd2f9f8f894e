"""Reading a design problem from its file, and saying all that is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass

from anlage.base import Problem, Refused

from ..distribution import deterministic
from ..document import Node, parse, twice_problems
from ..errors import (
    CAPACITY_IMPOSSIBLE,
    KEY_MISSING,
    NAME_TWICE,
    NAME_UNKNOWN,
    SHAPE_WRONG,
    SITE_UNREACHABLE,
    VALUE_IMPOSSIBLE,
)
from ..fields import Fields, Judgement, between, truth, whole
from ..measure import KM_PER, YEAR_DAYS, Unfit, duration, measured, money, number, rate, speed
from ..model import Clinic, Lane, Mode, Site
from ..places import airport
from ..ways import distance_km, journey_cost, mean_days, unfit_because
from .problem import Candidate, Demand, DesignProblem, Failing, Size, Way

PLACES_MAX = 2_000
SIZES_MAX = 20
Locate = Callable[[str], tuple[float, float, str] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDesign:
    """What was read, and what is wrong with it; `problem` is None when something is."""

    problem: DesignProblem | None
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Tell whether the design problem can be solved."""
        return not self.problems


def is_design(text: str) -> bool:
    """Tell a design problem from a network by its first words, without reading it whole.

    Example:
        >>> is_design("design: three regions")
        True
    """
    return any(line.startswith(("design:", '"design":')) for line in text.splitlines()[:200])


def check_design(text: str, *, path: str | None = None, locate: Locate = airport) -> CheckedDesign:
    """Read a design problem and judge it.

    Example:
        >>> check_design("design: empty").problems[0].code
        'network-key-missing'
    """
    try:
        root = parse(text, path=path)
    except Refused as refusal:
        return CheckedDesign(problem=None, problems=refusal.problems)
    judgement = Judgement(path)
    judgement.problems.extend(twice_problems(root, path))
    problem = _Reader(judgement, locate).problem(root)
    if not judgement.problems:
        _judge(problem, judgement)
    problems = tuple(sorted(judgement.problems, key=lambda one: one.line or 0))
    return CheckedDesign(problem=None if problems else problem, problems=problems)


def read_design(text: str, *, path: str | None = None, locate: Locate = airport) -> DesignProblem:
    """Give the design problem of a text.

    Raises:
        Refused: It has a problem; all of them are in the refusal.
    """
    checked = check_design(text, path=path, locate=locate)
    if checked.problem is None:
        raise Refused.of(checked.problems)
    return checked.problem


class _Reader:
    """Reads one file; what is wrong is said to the judgement."""

    def __init__(self, judgement: Judgement, locate: Locate) -> None:
        self.judgement, self.locate = judgement, locate

    def problem(self, root: Node) -> DesignProblem:
        fields = Fields(root, "the design", self.judgement)
        name = fields.take("design", "name", reader=str, default="design")
        fields.node_of("description", "title", "notes", "sources")
        limit = fields.take("limit", "time_limit", "limit_hours", reader=_hours, default=None)
        most = fields.take("open_at_most", "sites_max", reader=_count, default=None)
        clinic_node, site_node = fields.need("clinics"), fields.need("sites")
        places: dict[str, Clinic] = {}
        plants: dict[str, Site] = {}
        clinics = tuple(
            self._clinic(key, node, places) for key, node in self._members(clinic_node, "clinics")
        )
        sites = tuple(
            self._site(key, node, plants) for key, node in self._members(site_node, "sites")
        )
        lanes, modes = fields.node_of("lanes", "ways"), fields.node_of("modes")
        ways = self._lanes(lanes, set(places), set(plants)) if lanes else []
        if modes is not None:
            ways += self._by_distance(modes, places, plants)
        if lanes is None and modes is None:
            fields.need("lanes")
        fields.done()
        return DesignProblem(
            name=name,
            clinics=clinics,
            sites=sites,
            ways=tuple(ways),
            limit_days=limit,
            open_at_most=most,
        )

    def _members(self, node: Node | None, what: str) -> list[tuple[str, Node]]:
        """Give named members, from a mapping or from a list of mappings with a `name`."""
        if node is None:
            return []
        made: list[tuple[str, Node]] = []
        if node.keys is not None:
            made = [(key, inner) for key, (_, inner) in node.keys.items()]
        for position, item in enumerate(node.items or ()):
            named = (item.keys or {}).get("name")
            if named is None or named[1].text is None:
                self._missing(f"{what}[{position}]", item.line, "name")
            elif named[1].text in dict(made):
                self.judgement.say(
                    NAME_TWICE,
                    f"{what}[{position}]",
                    item.line,
                    found=repr(named[1].text),
                    limit="each name once",
                    remedy="give it another name",
                )
            else:
                made.append((named[1].text, item))
        if node.text is not None or (node.keys is None and node.items is None):
            self.judgement.say(
                SHAPE_WRONG,
                what,
                node.line,
                found=node.kind,
                limit="a mapping NAME: {…}",
                remedy="see docs/reference/network-design-file.md",
            )
        if len(made) > PLACES_MAX:
            self.judgement.say(
                VALUE_IMPOSSIBLE,
                what,
                node.line,
                found=f"{len(made)} entries",
                limit=f"at most {PLACES_MAX}",
                remedy="join those that lie together",
            )
            return []
        return made

    def _missing(self, what: str, line: int, key: str) -> None:
        self.judgement.say(
            KEY_MISSING,
            what,
            line,
            found=f"no key {key}",
            limit=f"the key {key}",
            remedy=f"add {key}: …",
        )

    def _clinic(self, name: str, node: Node, places: dict[str, Clinic]) -> Demand:
        what = f"clinics.{name}"
        self.judgement.place(what, node.line)
        if node.text is not None:
            places[name] = Clinic(name=name)
            return Demand(name=name, patients=self.judgement.read(node, what, _per_year) or 0.0)
        fields = Fields(node, what, self.judgement)
        fields.node_of("name", "description")
        needed = fields.need("demand", "patients")
        read = self.judgement.read(needed, f"{what}: demand", _per_year) if needed else None
        latitude, longitude, country = self._at(fields)
        places[name] = Clinic(name=name, latitude=latitude, longitude=longitude, country=country)
        fields.done()
        return Demand(name=name, patients=read or 0.0)

    def _site(self, name: str, node: Node, plants: dict[str, Site]) -> Candidate:
        what = f"sites.{name}"
        self.judgement.place(what, node.line)
        fields = Fields(node, what, self.judgement)
        fields.node_of("name", "description")
        latitude, longitude, country = self._at(fields)
        plants[name] = Site(name=name, latitude=latitude, longitude=longitude, country=country)
        sizes_node = fields.node_of("sizes")
        if sizes_node is None:
            sizes: tuple[Size, ...] = (self._size("", fields),)
        else:
            sizes = tuple(
                self._sized(key, inner, f"{what}.sizes.{key}")
                for key, inner in self._members(sizes_node, f"{what}.sizes")
            )
        if len(sizes) > SIZES_MAX or not sizes:
            self.judgement.say(
                VALUE_IMPOSSIBLE,
                f"{what}.sizes",
                node.line,
                found=f"{len(sizes)} sizes",
                limit=f"1 to {SIZES_MAX}",
                remedy="name one size or more",
            )
            sizes = (Size(name="", capacity=None, cost=0.0),)
        must = fields.take("must_open", "open", reader=truth, default=False)
        failing = self._failing(fields.node_of("outage", "outages"), what)
        fields.done()
        return Candidate(name=name, sizes=sizes, must_open=must, failing=failing)

    def _failing(self, node: Node | None, what: str) -> Failing | None:
        """Read `outage: {every: 3 years, lasts: 60 days}`, the mean times up and out."""
        if node is None:
            return None
        fields = Fields(node, f"{what}.outage", self.judgement)
        read = []
        for key in ("every", "lasts"):
            inner = fields.need(key)
            value = self.judgement.read(inner, f"{what}.outage: {key}", _mean) if inner else None
            read.append(value or 1.0)
        fields.done()
        return Failing(up_days=read[0], out_days=read[1])

    def _sized(self, name: str, node: Node, what: str) -> Size:
        fields = Fields(node, what, self.judgement)
        fields.node_of("name", "description")
        size = self._size(name, fields)
        fields.done()
        return size

    def _size(self, name: str, fields: Fields) -> Size:
        cost = fields.need("cost", "fixed_cost", "fixed")
        read = self.judgement.read(cost, f"{fields.what}: cost", _money_per_year) if cost else None
        return Size(
            name=name,
            capacity=fields.take("capacity", reader=_capacity, default=None),
            cost=read or 0.0,
            cost_per_patient=fields.take(
                "cost_per_patient", "unit_cost", reader=money, default=0.0
            ),
        )

    def _at(self, fields: Fields) -> tuple[float | None, float | None, str]:
        at, code = fields.node_of("at", "coordinates"), fields.node_of("airport")
        country = fields.take("country", reader=str, default="")
        if code is not None and code.text is not None:
            found = self.locate(code.text)
            if found is not None:
                return found[0], found[1], country or found[2]
            self._unknown(f"{fields.what}: airport", code, "an IATA code of three letters")
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
        north = self.judgement.read(at.items[0], f"{fields.what}: latitude", between(-90, 90))
        east = self.judgement.read(at.items[1], f"{fields.what}: longitude", between(-180, 180))
        return north, east, country

    def _lanes(self, node: Node, clinics: set[str], sites: set[str]) -> list[Way]:
        """Read lanes as clinic: {site: {mode: …}}, or as a list with clinic, site and mode."""
        ways: list[Way] = []
        if node.items is not None:
            for position, item in enumerate(node.items):
                ways += self._lane_row(item, f"lanes[{position}]", clinics, sites)
            return ways
        for clinic, inner in self._members(node, "lanes"):
            if clinic not in clinics:
                self._unknown(f"lanes.{clinic}", inner, "a clinic of this file", clinic)
                continue
            for site, modes in self._members(inner, f"lanes.{clinic}"):
                if site not in sites:
                    self._unknown(f"lanes.{clinic}.{site}", modes, "a site of this file", site)
                    continue
                ways += self._modes(modes, f"lanes.{clinic}.{site}", clinic, site)
        return ways

    def _lane_row(self, item: Node, what: str, clinics: set[str], sites: set[str]) -> list[Way]:
        fields = Fields(item, what, self.judgement)
        ends: list[str] = []
        for keys, known in ((("clinic", "from"), clinics), (("site", "to"), sites)):
            node = fields.need(*keys)
            if node is not None and node.text in known:
                ends.append(node.text or "")
            elif node is not None:
                self._unknown(f"{what}: {keys[0]}", node, f"a {keys[0]} of this file")
        modes = fields.node_of("modes")
        if len(ends) < 2:
            return []
        if modes is not None:
            fields.done()
            return self._modes(modes, f"{what}.modes", ends[0], ends[1])
        mode = fields.take("mode", "name", reader=str, default="")
        way = self._way(fields, ends[0], ends[1], mode)
        fields.done()
        return [way]

    def _modes(self, node: Node, what: str, clinic: str, site: str) -> list[Way]:
        if node.keys is not None and {"cost", "price"} & node.keys.keys():
            fields = Fields(node, what, self.judgement)
            mode = fields.take("mode", "name", reader=str, default="")
            ways = [self._way(fields, clinic, site, mode)]
            fields.done()
            return ways
        ways = []
        for mode, inner in self._members(node, what):
            fields = Fields(inner, f"{what}.{mode}", self.judgement)
            fields.node_of("name", "description")
            ways.append(self._way(fields, clinic, site, mode))
            fields.done()
        return ways

    def _way(self, fields: Fields, clinic: str, site: str, mode: str) -> Way:
        cost = fields.need("cost", "price")
        read = self.judgement.read(cost, f"{fields.what}: cost", money) if cost else None
        days = fields.take("time", "hours", reader=_hours, default=None)
        return Way(clinic=clinic, site=site, mode=mode, cost=read or 0.0, days=days)

    def _by_distance(
        self, node: Node, places: dict[str, Clinic], plants: dict[str, Site]
    ) -> list[Way]:
        """Read modes that go between all places, and work out their cost and time by distance."""
        ways: list[Way] = []
        for name, inner in self._members(node, "modes"):
            mode = self._mode(name, inner)
            ends: list[Clinic | Site] = [*places.values(), *plants.values()]
            apart = [end for end in ends if end.latitude is None or end.longitude is None]
            if apart:
                self.judgement.say(
                    KEY_MISSING,
                    f"modes.{name}",
                    inner.line,
                    found=f"{apart[0].name} has no coordinates",
                    limit="at: or airport: for every clinic and site",
                    remedy=f"add at: [latitude, longitude] to {apart[0].name}, or write lanes:",
                )
                return []
            for clinic in places.values():
                for site in plants.values():
                    way = _by_mode(mode, clinic, site)
                    if way is not None:
                        ways.append(way)
        return ways

    def _mode(self, name: str, node: Node) -> Mode:
        fields = Fields(node, f"modes.{name}", self.judgement)
        fields.node_of("name", "description")
        time = fields.take("time", reader=duration, default=0.0)
        handling = fields.take("handling", reader=duration, default=0.0)
        reach = fields.take("range", reader=_reach, default=None)
        pace = fields.take("speed", reader=_pace, default=None)
        cost, per_km = fields.need("cost"), 0.0
        fixed = 0.0
        if cost is not None and cost.keys is not None:
            parts = Fields(cost, f"modes.{name}.cost", self.judgement)
            fixed = parts.take("fixed", reader=money, default=0.0)
            per_km = parts.take("per_km", reader=money, default=0.0)
            parts.done()
        elif cost is not None:
            fixed = self.judgement.read(cost, f"modes.{name}: cost", money) or 0.0
        fields.done()
        return Mode(
            name=name,
            time=deterministic(time + handling),
            speed_km_per_day=pace,
            range_km=reach,
            cost=fixed,
            cost_per_km=per_km,
        )

    def _unknown(self, what: str, node: Node, limit: str, found: str | None = None) -> None:
        self.judgement.say(
            NAME_UNKNOWN,
            what,
            node.line,
            found=repr(found) if found is not None else node.kind,
            limit=limit,
            remedy="correct the name, or define it",
        )


def _judge(problem: DesignProblem, judgement: Judgement) -> None:
    """Say what can be seen to be impossible before any search."""
    judgement_line = judgement.lines.get
    for kind, members in (("clinics", problem.clinics), ("sites", problem.sites)):
        if not members:
            judgement.say(
                KEY_MISSING,
                kind,
                1,
                found="none",
                limit="at least one",
                remedy=f"name one under {kind}:",
            )
    reached = {way.clinic for way in problem.ways if problem.within_limit(way)}
    fastest: dict[str, float] = {}
    for way in problem.ways:
        days = way.days or 0.0
        fastest[way.clinic] = min(days, fastest.get(way.clinic, days))
    for clinic in problem.clinics:
        if clinic.name not in reached:
            slow = fastest.get(clinic.name)
            judgement.say(
                SITE_UNREACHABLE,
                f"clinics.{clinic.name}",
                judgement_line(f"clinics.{clinic.name}"),
                found="no lane" if slow is None else f"its fastest lane takes {24 * slow:.1f} h",
                limit="a lane to a site"
                if problem.limit_days is None
                else f"a lane of at most {24 * problem.limit_days:g} h to a site",
                remedy="add a lane or a faster mode, or raise limit:",
            )
    _judge_capacity(problem, judgement)


def _judge_capacity(problem: DesignProblem, judgement: Judgement) -> None:
    rooms = sorted(
        (
            max(float("inf") if size.capacity is None else size.capacity for size in site.sizes)
            for site in problem.sites
        ),
        reverse=True,
    )
    must = sum(site.must_open for site in problem.sites)
    if problem.open_at_most is not None:
        rooms = rooms[: problem.open_at_most]
        if must > problem.open_at_most:
            judgement.say(
                VALUE_IMPOSSIBLE,
                "open_at_most",
                1,
                found=f"{problem.open_at_most}, but {must} sites must be open",
                limit=f"{must} or more",
                remedy="raise open_at_most, or take must_open from a site",
            )
    total = sum(clinic.patients for clinic in problem.clinics)
    if rooms and total > sum(rooms) * (1 + 1e-9):
        judgement.say(
            CAPACITY_IMPOSSIBLE,
            "sites",
            1,
            found=f"{total:g} patients a year",
            limit=f"{sum(rooms):g}, what the largest sites can make together",
            remedy="add sites or sizes",
        )
    for clinic in problem.clinics:
        if rooms and clinic.patients > rooms[0] * (1 + 1e-9):
            judgement.say(
                CAPACITY_IMPOSSIBLE,
                f"clinics.{clinic.name}",
                judgement.lines.get(f"clinics.{clinic.name}"),
                found=f"{clinic.patients:g} patients a year",
                limit=f"{rooms[0]:g}, what the largest site can make",
                remedy="part the clinic into two, for a clinic is served by one site",
            )


def _by_mode(mode: Mode, clinic: Clinic, site: Site) -> Way | None:
    if unfit_because(mode, Lane(name="", modes=(mode,)), clinic, site) is not None:
        return None
    if distance_km(clinic, site) is None:
        return None
    return Way(
        clinic=clinic.name,
        site=site.name,
        mode=mode.name,
        cost=journey_cost(mode, clinic, site),
        days=mean_days(mode, clinic, site),
    )


def _mean(text: str) -> float:
    return duration(text, zero=False)


def _per_year(text: str) -> float:
    """Read patients a year: a plain number, or a rate such as `2 per week`."""
    if "/" in text or "per" in text or "every" in text:
        return rate(text) * YEAR_DAYS
    return between(0, 1e9)(text)


def _capacity(text: str) -> float | None:
    return None if text.strip().lower() in {"unlimited", "none", "inf"} else _per_year(text)


def _money_per_year(text: str) -> float:
    """Read money a year: a plain amount, or one such as `23136 / day`."""
    if "/" in text or " per " in text:
        return rate(text.lstrip("€$£ ")) * YEAR_DAYS
    return money(text)


def _hours(text: str) -> float | None:
    """Read a time with its unit; a plain number is hours."""
    try:
        number(text)
    except Unfit:
        return duration(text)
    return duration(f"{text.strip()} hours")


def _count(text: str) -> int | None:
    return whole(1)(text)


def _reach(text: str) -> float | None:
    return measured(text, KM_PER, "400 km")


def _pace(text: str) -> float | None:
    return speed(text)
