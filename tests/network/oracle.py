"""The oracle: the same network run by SimPy, by other code and other chance.

It reads the model's values only, knows nothing of tables, and serves one resource at a time.
"""

import random
from dataclasses import dataclass, field

import simpy

from anlage.network import (
    Assign,
    Branch,
    Distribution,
    End,
    Fail,
    GoTo,
    Hold,
    Kind,
    Network,
    Use,
    Wait,
)
from anlage.network.hours import capacity_steps

YEAR = 365.25


@dataclass
class Found:
    """What one replication measured after its warm-up."""

    times: list = field(default_factory=list)
    waits: dict = field(default_factory=dict)
    ends: dict = field(default_factory=lambda: {"infused": 0, "lost": 0, "withdrawn": 0})

    def share(self, outcome):
        return self.ends[outcome] / max(1, sum(self.ends.values()))

    def mean_time(self):
        return sum(self.times) / max(1, len(self.times))

    def sd_time(self):
        mean = self.mean_time()
        return (sum((t - mean) ** 2 for t in self.times) / max(1, len(self.times) - 1)) ** 0.5

    def mean_wait(self, step):
        waits = self.waits.get(step, [0.0])
        return sum(waits) / len(waits)


def replicate(network: Network, *, years, warmup_years, seed):
    """Run one replication."""
    return _World(network, years * YEAR, warmup_years * YEAR, seed).run()


class _World:
    def __init__(self, network, horizon, warmup, seed):
        self.network, self.horizon, self.warmup = network, horizon, warmup
        self.random = random.Random(seed)
        self.env = simpy.Environment()
        self.found = Found()
        self.clinics = [clinic.name for clinic in network.clinics] or [""]
        self.sites = [site.name for site in network.sites] or [""]
        self.pools = {}
        for pool in network.resources:
            places = {"clinic": self.clinics, "site": self.sites, "network": [""]}[pool.per]
            for place in places:
                self._pool(pool, place)

    def run(self):
        for patients in self.network.classes:
            shares = [clinic.share for clinic in self.network.clinics] or [1.0]
            for clinic, share in zip(self.clinics, shares, strict=True):
                rate = (patients.arrivals.rate_per_day or 0) * share / sum(shares)
                self.env.process(self._arrivals(patients, clinic, rate))
        self.env.run(self.horizon)
        return self.found

    def _pool(self, pool, place):
        calendar = pool.calendar_at.get(place, pool.calendar)
        capacity = pool.at.get(place, pool.capacity)
        steps = [(0.0, capacity)]
        if calendar is not None:
            steps = capacity_steps(calendar, capacity, self.network.start_weekday, 7)
        most = max(present for _, present in steps)
        made = simpy.PriorityResource(self.env, min(most, 10**6))
        self.pools[pool.name, place] = made
        if len(steps) > 1:
            for server in range(most):
                self.env.process(self._absent(made, steps, server))

    def _absent(self, pool, steps, server):
        """Keep one server busy whenever fewer than its number are present."""
        week = 0.0
        while True:
            for number, (start, present) in enumerate(steps):
                end = steps[number + 1][0] if number + 1 < len(steps) else 7.0
                if week + start > self.env.now:
                    yield self.env.timeout(week + start - self.env.now)
                if present <= server:
                    with pool.request(priority=-1) as request:
                        yield request
                        if week + end > self.env.now:
                            yield self.env.timeout(week + end - self.env.now)
            week += 7.0
            if week > self.env.now:
                yield self.env.timeout(week - self.env.now)

    def _arrivals(self, patients, clinic, rate):
        while True:
            yield self.env.timeout(self.random.expovariate(rate))
            self.env.process(self._patient(patients, clinic))

    def _patient(self, patients, clinic):
        start = self.env.now
        site = self.sites[0]
        if self.network.assign.rule == "least loaded":
            name = self.network.assign.resource
            site = min(self.sites, key=lambda place: self._load(place, name))
        deadline = float("inf")
        if patients.drop_out is not None:
            deadline = start + self._draw(patients.drop_out)
        who = {"class": patients, "clinic": clinic, "site": site, "deadline": deadline, "count": {}}
        steps = self.network.process(patients.process).steps
        signal, value = yield from self._steps(steps, who, 0)
        while signal == "goto":
            names = [step.name for step in steps]
            signal, value = yield from self._steps(steps, who, names.index(value))
        outcome = value if signal == "end" else "infused"
        if outcome == "infused" and self.env.now >= deadline:
            outcome = "withdrawn"
        if self.env.now >= self.warmup:
            self.found.ends[outcome] += 1
            if outcome == "infused":
                self.found.times.append(self.env.now - start)

    def _load(self, site, name):
        pool = self.pools[name, site]
        return (pool.count + len(pool.queue)) / pool.capacity

    def _steps(self, steps, who, first):
        for step in steps[first:]:
            signal, value = yield from self._step(step, who)
            if signal != "next":
                return signal, value
        return "next", None

    def _step(self, step, who):
        match step:
            case Wait():
                yield self.env.timeout(self._draw(step.time.default))
            case Use() | Hold():
                return (yield from self._serve(step, who))
            case Branch():
                u = self.random.random()
                for arm in step.arms:
                    u -= arm.probability.default if arm.probability.default is not None else 2.0
                    if u < 0:
                        return (yield from self._steps(arm.steps, who, 0))
            case Fail():
                if self.random.random() < step.probability.default:
                    if step.retry and self._may_again(step, who):
                        return "goto", step.retry
                    return "end", step.outcome
            case GoTo():
                if self.random.random() < step.probability.default and self._may_again(step, who):
                    return "goto", step.to
            case Assign():
                who["site"] = min(self.sites, key=lambda site: self._load(site, step.resource))
            case End():
                return "end", step.outcome
        return "next", None

    def _may_again(self, step, who):
        who["count"][step.name] = who["count"].get(step.name, 0) + 1
        return step.most is None or who["count"][step.name] <= step.most

    def _serve(self, step, who):
        ((name, amount),) = step.request.wants
        assert amount == 1
        pool = next(
            self.pools[name, place]
            for place in ("", who["clinic"], who["site"])
            if (name, place) in self.pools
        )
        deadline = who["deadline"] if step.request.may_drop_out else float("inf")
        if deadline <= self.env.now:
            return "end", "withdrawn"
        patience = step.request.patience or who["class"].patience
        if patience is not None:
            deadline = min(deadline, self.env.now + self._draw(patience))
        began = self.env.now
        with pool.request(priority=who["class"].priority) as request:
            if deadline < float("inf"):
                yield request | self.env.timeout(deadline - self.env.now)
            else:
                yield request
            if self.env.now >= self.warmup:
                self.found.waits.setdefault(step.name, []).append(self.env.now - began)
            if not request.triggered:
                return "end", "withdrawn"
            if isinstance(step, Hold):
                return (yield from self._steps(step.steps, who, 0))
            yield self.env.timeout(self._draw(step.time.default))
        return "next", None

    def _draw(self, time: Distribution):
        chance, a, b, c = self.random, time.first, time.second, time.third
        match time.kind:
            case Kind.DETERMINISTIC:
                value = a
            case Kind.EXPONENTIAL:
                value = chance.expovariate(1 / a)
            case Kind.UNIFORM:
                value = chance.uniform(a, b)
            case Kind.TRIANGULAR:
                value = chance.triangular(a, c, b)
            case Kind.LOGNORMAL:
                value = chance.lognormvariate(a, b)
            case Kind.GAMMA:
                value = chance.gammavariate(a, b)
            case Kind.WEIBULL:
                value = chance.weibullvariate(b, a)
            case Kind.EMPIRICAL:
                value = chance.choices(time.values, time.weights or None)[0]
            case _:
                raise NotImplementedError(time.kind)
        return time.plus + value
