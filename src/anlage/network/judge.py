"""Judging what the parts of a network mean together.

Single values were judged while reading; here stand the questions that need the whole: does every
name exist, can every request be granted, is every clinic served, does every loop have an exit.
"""

import difflib
from collections.abc import Iterable

from .errors import (
    CAPACITY_IMPOSSIBLE,
    NAME_TWICE,
    NAME_UNKNOWN,
    NO_EXIT,
    SHAPE_WRONG,
    SITE_UNREACHABLE,
    VALUE_IMPOSSIBLE,
)
from .fields import Judgement
from .hours import open_share
from .model import (
    Assign,
    Branch,
    Choice,
    End,
    Exchange,
    Fail,
    GoTo,
    Hold,
    Keep,
    Network,
    Process,
    Produce,
    Resource,
    Ship,
    Step,
    Use,
    Wait,
)
from .walk import every_step, holds_at, request_of
from .ways import mode_for, sites_for, unfit_because, used_lanes

LOOPS_MAX = 14
"""Loops with a limit in one process; each needs a counter in every patient."""


def judge(network: Network, judgement: Judgement) -> None:
    """Say all that is wrong with a network as a whole."""
    _Judge(network, judgement).all()


class _Judge:
    def __init__(self, network: Network, judgement: Judgement) -> None:
        self.network, self.judgement = network, judgement
        self.pools = {pool.name: pool for pool in network.resources}
        self.materials = {material.name: material for material in network.materials}
        self.processes = {process.name for process in network.processes}
        self.clinics = {clinic.name for clinic in network.clinics}
        self.sites = {site.name for site in network.sites}

    def all(self) -> None:
        self._names()
        self._places()
        for patients in self.network.classes:
            place = f"classes.{patients.name}"
            self._known("process", patients.process, self.processes, place)
        for process in self.network.processes:
            self._process(process)
        self._materials()
        self._outages()
        self._reachable()

    def _line(self, *keys: str) -> int | None:
        return next(
            (self.judgement.lines[key] for key in keys if key in self.judgement.lines), None
        )

    def _known(
        self, kind: str, name: str, known: Iterable[str], place: str, line: int | None = None
    ) -> bool:
        names = list(known)
        if name in names:
            return True
        close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        self.judgement.say(
            NAME_UNKNOWN,
            f"{place}: {kind} {name}",
            line or self._line(place),
            found=repr(name),
            limit=f"a {kind} of this file: " + (", ".join(names[:12]) or "(there is none)"),
            remedy=f"write {close[0]}" if close else f"define the {kind}, or name another",
        )
        return False

    def _names(self) -> None:
        for name in self.pools.keys() & self.materials.keys():
            self.judgement.say(
                NAME_TWICE,
                f"materials.{name}",
                self._line(f"materials.{name}"),
                found="a resource of the same name",
                limit="a name of its own",
                remedy="rename the material",
            )
        for group, names in (("clinics", self.clinics), ("sites", self.sites)):
            for name in names & self.pools.keys():
                self.judgement.say(
                    NAME_TWICE,
                    f"{group}.{name}",
                    self._line(f"{group}.{name}"),
                    found="a resource of the same name",
                    limit="a name of its own",
                    remedy="rename the resource",
                )

    def _places(self) -> None:
        for pool in self.network.resources:
            if pool.per != "network" and not getattr(self, f"{pool.per}s"):
                self.judgement.say(
                    NAME_UNKNOWN,
                    f"resources.{pool.name}: per",
                    self._line(f"resources.{pool.name}"),
                    found=f"one at each {pool.per}",
                    limit=f"a network with {pool.per}s",
                    remedy=f"add {pool.per}s:, or leave out per",
                )
        for site in self.network.sites:
            for served in site.serves:
                self._known("clinic", served, self.clinics, f"sites.{site.name}")
        integrations = [way.name for way in self.network.integrations]
        for clinic in self.network.clinics:
            if clinic.integration is not None:
                place = f"clinics.{clinic.name}"
                self._known("integration", clinic.integration, integrations, place)
        preservations = [way.name for way in self.network.preservations]
        for lane in self.network.lanes:
            if lane.preservation is not None:
                self._known("preservation", lane.preservation, preservations, f"lanes.{lane.name}")
            for mode in lane.modes:
                if mode.vehicles is not None:
                    place = f"lanes.{lane.name}.modes.{mode.name}"
                    self._known("resource", mode.vehicles, self.pools, place)
                if mode.otherwise is not None:
                    place = f"lanes.{lane.name}.modes.{mode.name}"
                    self._known("mode", mode.otherwise, [one.name for one in lane.modes], place)
                if mode.hours is not None and open_share(mode.hours) == 0:
                    self.judgement.say(
                        VALUE_IMPOSSIBLE,
                        f"lanes.{lane.name}.modes.{mode.name}: hours",
                        self._line(f"lanes.{lane.name}.modes.{mode.name}"),
                        found="hours that never come",
                        limit="some hours of the week",
                        remedy='write hours: {days: mon-fri, from: "08:00", to: "16:00"}',
                    )
            for (clinic_name, site_name), mode_name in lane.only.items():
                place = f"lanes.{lane.name}.only"
                self._known("clinic", clinic_name, self.clinics, place)
                self._known("site", site_name, self.sites, place)
                self._known("mode", mode_name, [mode.name for mode in lane.modes], place)
        self._assign(self.network.assign, "assign")

    def _assign(self, step: Assign, place: str) -> None:
        if step.rule != "least loaded":
            return
        if step.resource is None:
            self.judgement.say(
                SHAPE_WRONG,
                place,
                self._line(place),
                found="no resource whose load is compared",
                limit="a resource that stands at each site",
                remedy="write assign: {rule: least loaded, resource: unit}",
            )
        elif (
            self._known("resource", step.resource, self.pools, place)
            and self.pools[step.resource].per != "site"
        ):
            self.judgement.say(
                VALUE_IMPOSSIBLE,
                place,
                self._line(place),
                found=f"{step.resource}, one for each {self.pools[step.resource].per}",
                limit="a resource that stands at each site",
                remedy="name a resource with per: site",
            )

    def _process(self, process: Process) -> None:
        holds = holds_at(process)
        loops = 0
        for step in every_step(process.steps):
            line = self._line(f"step {process.name}/{step.name}")
            self._step(process, step, line, holds)
            loops += isinstance(step, Fail | GoTo) and step.most is not None
        if loops > LOOPS_MAX:
            self.judgement.say(
                VALUE_IMPOSSIBLE,
                f"process {process.name}",
                self._line(f"step {process.name}/{process.steps[0].name}"),
                found=f"{loops} loops with a limit",
                limit=f"at most {LOOPS_MAX}",
                remedy="leave out most where the probability ends the loop soon enough",
            )
        self._exits(process)

    def _step(
        self, process: Process, step: Step, line: int | None, holds: dict[str, tuple[str, ...]]
    ) -> None:
        place = f"step {step.name}"
        request = request_of(step)
        if request is not None:
            for name, amount in request.wants:
                self._want(name, amount, place, line, isinstance(step, Hold))
        match step:
            case Use() | Wait():
                self._choice(step.time, place, line)
            case Ship():
                lanes = [lane.name for lane in self.network.lanes]
                self._known("lane", step.lane, lanes, place, line)
                self._outside_holds(step, holds, place, line)
            case Keep() if step.condition is not None:
                known = [one.name for one in self.network.preservations]
                self._known("preservation", step.condition, known, place, line)
            case Branch():
                self._branch(step, place, line)
            case Fail():
                self._choice(step.probability, place, line)
                if step.retry is not None:
                    self._target(step.retry, step.name, holds, place, line)
            case GoTo():
                self._choice(step.probability, place, line)
                self._target(step.to, step.name, holds, place, line)
            case Produce():
                self._known("material", step.material, self.materials, place, line)
            case Assign():
                self._assign(step, place)
                self._outside_holds(step, holds, place, line)
            case Exchange() if not self.network.clinics:
                self.judgement.say(
                    NAME_UNKNOWN,
                    place,
                    line,
                    found="no clinics",
                    limit="clinics with an integration",
                    remedy="add clinics:, or use wait instead",
                )
            case _:
                pass

    def _outside_holds(
        self, step: Step, holds: dict[str, tuple[str, ...]], place: str, line: int | None
    ) -> None:
        """Refuse a change of place while a resource of a place is held."""
        if holds.get(step.name) and isinstance(step, Assign):
            self.judgement.say(
                SHAPE_WRONG,
                place,
                line,
                found=f"a choice of site inside hold {holds[step.name][-1]}",
                limit="a choice of site outside of any hold",
                remedy="move it before the hold",
            )

    def _want(self, name: str, amount: int, place: str, line: int | None, is_hold: bool) -> None:
        if name in self.materials:
            return
        if not self._known("resource", name, [*self.pools, *self.materials], place, line):
            return
        pool = self.pools[name]
        most = max_capacity(pool, self.network)
        if amount > most:
            self.judgement.say(
                CAPACITY_IMPOSSIBLE,
                f"{place}: {amount} of {name}",
                line,
                found=str(amount),
                limit=f"at most {most}, which is what {name} ever has",
                remedy=f"ask for fewer, or raise the capacity of {name}",
            )

    def _choice(self, choice: Choice, place: str, line: int | None) -> None:
        if choice.by == "nothing":
            return
        known = {
            "class": {patients.name for patients in self.network.classes},
            "clinic": self.clinics,
            "site": self.sites,
        }[choice.by]
        for name in choice.values:
            self._known(choice.by, name, sorted(known), place, line)
        missing = sorted(known - choice.values.keys())
        if missing and choice.default is None:
            self.judgement.say(
                SHAPE_WRONG,
                f"{place}: by {choice.by}",
                line,
                found="no value for " + ", ".join(missing[:8]),
                limit=f"a value for every {choice.by}, or a default",
                remedy="add default: …",
            )

    def _branch(self, step: Branch, place: str, line: int | None) -> None:
        choices = [arm.probability for arm in step.arms]
        bys = {choice.by for choice in choices if choice.by != "nothing"}
        for choice in choices:
            self._choice(choice, place, line)
        if len(bys) > 1:
            self.judgement.say(
                SHAPE_WRONG,
                place,
                line,
                found="probabilities that differ by " + " and by ".join(sorted(bys)),
                limit="one kind of difference in a branch",
                remedy="make two branches of it",
            )
        names = {name for choice in choices for name in choice.values} or {""}
        for name in sorted(names):
            values = [choice.values.get(name, choice.default) for choice in choices]
            total = sum(value for value in values if isinstance(value, float))
            if total > 1 + 1e-9:
                self.judgement.say(
                    VALUE_IMPOSSIBLE,
                    f"{place}: probabilities" + (f" for {name}" if name else ""),
                    line,
                    found=f"a sum of {total:g}",
                    limit="a sum of at most 1",
                    remedy="lower them; what is left of 1 goes on with the next step",
                )

    def _target(
        self,
        to: str,
        name: str,
        holds: dict[str, tuple[str, ...]],
        place: str,
        line: int | None,
    ) -> None:
        if not self._known("step", to, holds, place, line):
            return
        inside, here = holds[to], holds.get(name, ())
        if here[: len(inside)] != inside:
            self.judgement.say(
                SHAPE_WRONG,
                f"{place}: to {to}",
                line,
                found=f"a way into hold {inside[-1]} from outside",
                limit="a step outside of the hold, or the hold itself",
                remedy=f"go to {inside[0]}",
            )

    def _exits(self, process: Process) -> None:
        can = dict.fromkeys(holds_at(process), False)
        may_leave = any(
            patients.drop_out or patients.survival or patients.patience
            for patients in self.network.classes
        )
        while True:
            before = dict(can)
            _mark_exits(process.steps, True, can, may_leave)
            if can == before:
                break
        stuck = [name for name, ends in can.items() if not ends]
        if stuck and all(name in can for name in _targets(process)):
            self.judgement.say(
                NO_EXIT,
                f"step {stuck[0]}",
                self._line(f"step {process.name}/{stuck[0]}"),
                found="a loop that nobody can leave: " + ", ".join(stuck[:6]),
                limit="a way from every step to the end",
                remedy="give the way back a probability below 1, or most: N",
            )

    def _materials(self) -> None:
        for material in self.network.materials:
            place = f"materials.{material.name}"
            if material.made_by is not None:
                self._known("process", material.made_by, self.processes, place)
            if material.per == "site" and not self.sites:
                self._known("site", "per: site", [], place)

    def _outages(self) -> None:
        suppliers = {name for m in self.network.materials for name in m.suppliers}
        lanes = {lane.name for lane in self.network.lanes}
        for outage in self.network.outages:
            place = f"outages.{outage.name}"
            modes = [f"{lane.name}/{one.name}" for lane in self.network.lanes for one in lane.modes]
            known = [*self.pools, *sorted(self.sites), *sorted(lanes), *sorted(suppliers), *modes]
            line = self._line(f"{place}: of", place)
            self._known(
                "resource, site, lane, LANE/MODE or supplier", outage.of, known, place, line
            )
            if outage.at is not None and outage.of in self.pools:
                self._known("place", outage.at, sorted(self.clinics | self.sites), place, line)
            for time, what in ((outage.every, "every"), (outage.lasts, "lasts")):
                if time is not None and time.mean_days() <= 0:
                    self.judgement.say(
                        VALUE_IMPOSSIBLE,
                        f"{place}: {what}",
                        line,
                        found="a time of zero",
                        limit="a time above zero",
                        remedy="write how long",
                    )

    def _reachable(self) -> None:
        """Say of each clinic that no site serves why not, and what a site lacks."""
        if not self.network.sites or not self.network.clinics:
            return
        if any(problem.code == NAME_UNKNOWN for problem in self.judgement.problems):
            return
        reached: set[int] = set()
        for clinic in self.network.clinics:
            sites = sites_for(self.network, clinic)
            everywhere = self.network.assign.rule == "least loaded"
            reached.update(sites if everywhere else sites[:1])
            if not sites:
                self.judgement.say(
                    SITE_UNREACHABLE,
                    f"clinics.{clinic.name}",
                    self._line(f"clinics.{clinic.name}"),
                    found=self._why_not(clinic.name),
                    limit="a site that serves it, with a mode that fits on every lane",
                    remedy="add a mode or a site, or correct serves",
                )
        used = {name for name, _ in self._wanted()}
        for number in sorted(reached):
            site = self.network.sites[number]
            for pool in self.network.resources:
                is_used = pool.per == "site" and pool.name in used
                if is_used and pool.at.get(site.name, pool.capacity) == 0:
                    self.judgement.say(
                        CAPACITY_IMPOSSIBLE,
                        f"sites.{site.name}",
                        self._line(f"sites.{site.name}"),
                        found=f"no {pool.name}",
                        limit=f"{pool.name} at every site that patients go to",
                        remedy=f"add resources: {{{pool.name}: 1}}",
                    )

    def _wanted(self) -> Iterable[tuple[str, int]]:
        for process in self.network.processes:
            for step in every_step(process.steps):
                request = request_of(step)
                if request is not None:
                    yield from request.wants

    def _why_not(self, name: str) -> str:
        clinic = next(one for one in self.network.clinics if one.name == name)
        used = used_lanes(self.network)
        for site in self.network.sites:
            for lane in self.network.lanes:
                if lane.name in used and mode_for(lane, clinic, site) is None:
                    reasons = [unfit_because(mode, lane, clinic, site) for mode in lane.modes]
                    said = "; ".join(reason for reason in reasons if reason)
                    return f"no way along {lane.name} to {site.name} ({said})"
        return "no site that serves it"


def max_capacity(pool: Resource, network: Network) -> int:
    """Give the most that a resource ever has at one place."""
    places: Iterable[str] = [""]
    if pool.per == "site":
        places = [site.name for site in network.sites]
    elif pool.per == "clinic":
        places = [clinic.name for clinic in network.clinics]
    most = 0
    for place in places:
        calendar = pool.calendar_at.get(place, pool.calendar)
        capacity = pool.at.get(place, pool.capacity)
        windows = calendar.windows if calendar else ()
        explicit = sum(window.capacity or 0 for window in windows)
        own = not windows or any(window.capacity is None for window in windows)
        most = max(most, capacity * own + explicit)
    return most


def _targets(process: Process) -> list[str]:
    found = []
    for step in every_step(process.steps):
        if isinstance(step, GoTo):
            found.append(step.to)
        elif isinstance(step, Fail) and step.retry is not None:
            found.append(step.retry)
    return found


def _mark_exits(
    steps: tuple[Step, ...], after: bool, can: dict[str, bool], may_leave: bool
) -> bool:
    """Mark the steps from which the end can be reached, and tell it of the first."""
    for step in reversed(steps):
        after = _can_exit(step, after, can, may_leave)
        can[step.name] = can[step.name] or after
    return after


def _can_exit(step: Step, after: bool, can: dict[str, bool], may_leave: bool) -> bool:
    match step:
        case End():
            return True
        case GoTo():
            always = step.probability.by == "nothing" and step.probability.default == 1.0
            ahead = after if not always or step.most is not None else False
            return ahead or can.get(step.to, False)
        case Fail():
            inside = _mark_exits(step.otherwise, True, can, may_leave)
            always = step.probability.by == "nothing" and step.probability.default == 1.0
            lost = inside and (step.retry is None or step.most is not None)
            return lost or (after and not always) or can.get(step.retry or "", False)
        case Branch():
            chances = [arm.probability.default for arm in step.arms]
            total = sum(chance for chance in chances if isinstance(chance, float))
            has_rest = any(
                arm.probability.default is None and arm.probability.by == "nothing"
                for arm in step.arms
            )
            arms = [_mark_exits(arm.steps, after, can, may_leave) for arm in step.arms]
            return any(arms) or (after and not has_rest and total < 1 - 1e-12)
        case Hold():
            inside = _mark_exits(step.steps, after, can, may_leave)
            return inside or may_leave or step.request.patience is not None
        case Use():
            return after or may_leave or step.request.patience is not None
        case _:
            return after
