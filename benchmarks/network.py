"""The simulation beside SimPy: patients per CPU-second on one vein-to-vein model, and the goals.

Run: `python -m benchmarks.network`. Both SimPy programs are written by hand for this one model; the
lean one checks drop-out when a resource is granted and keeps no event that nobody reads. Rounds are
interleaved, so that a busy machine slows all alike; the median round counts.
"""

import random
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import simpy

from anlage.network import Network, read
from anlage.network.simulate import bottleneck, outcome_of, run, settings_for

REFERENCE = Path(__file__).parents[1] / "examples" / "networks" / "reference.yaml"
YEAR = 365.25
ROUNDS = 5


class Plant:
    """The reference model in SimPy: one replication."""

    def __init__(self, seed: int, years: float, warmup_years: float, *, lean: bool) -> None:
        self.env = simpy.Environment()
        self.chance = random.Random(seed)
        self.lean = lean
        self.horizon, self.warmup = years * YEAR, warmup_years * YEAR
        self.apheresis = [simpy.Resource(self.env, 2) for _ in range(20)]
        self.infusion = [simpy.Resource(self.env, 2) for _ in range(20)]
        self.units = [simpy.Resource(self.env, 14) for _ in range(2)]
        self.operators = [self._shift(3, 1) for _ in range(2)]
        self.analysts = [self._shift(2, 1) for _ in range(2)]
        self.releasers = [self._shift(2, 1) for _ in range(2)]
        self.arrived = 0
        self.times: list[float] = []
        self.waits: list[float] = []
        self.ends = {"infused": 0, "lost": 0, "withdrawn": 0}

    def run(self) -> "Plant":
        """Run to the horizon."""
        self.env.process(self._arrivals())
        self.env.run(self.horizon)
        return self

    def _shift(self, day: int, night: int) -> simpy.PriorityResource:
        pool = simpy.PriorityResource(self.env, day)
        for _ in range(day - night):
            self.env.process(self._absent_at_night(pool))
        return pool

    def _absent_at_night(self, pool: simpy.PriorityResource):
        end = 0.25
        while True:
            with pool.request(priority=-1) as request:
                yield request
                yield self.env.timeout(max(0.0, end - self.env.now))
            yield self.env.timeout(end + 0.5 - self.env.now)
            end += 1.0

    def _arrivals(self):
        while True:
            yield self.env.timeout(self.chance.expovariate(900 / YEAR))
            self.arrived += 1
            self.env.process(self._patient())

    def _wait(self, request, deadline: float):
        """Wait for a resource, but not beyond the deadline; True when it is granted in time."""
        if self.lean:
            yield request
            return self.env.now < deadline
        yield request | self.env.timeout(max(0.0, deadline - self.env.now))
        return request.triggered

    def _use(self, pool, low: float, high: float):
        with pool.request() as request:
            yield request
            yield self.env.timeout(self.chance.uniform(low, high))

    def _patient(self):
        outcome = yield from self._course(self.env.now)
        if self.env.now >= self.warmup:
            self.ends[outcome] += 1

    def _course(self, start: float):
        env, chance = self.env, self.chance
        deadline = start + chance.expovariate(1 / 150)
        clinic = int(chance.random() * 20)
        with self.apheresis[clinic].request() as bed:
            if not (yield from self._wait(bed, deadline)):
                return "withdrawn"
            yield env.timeout(chance.triangular(0.15, 0.40, 0.25))
        sites = self.units
        site = min((0, 1), key=lambda s: (sites[s].count + len(sites[s].queue)) / 14)
        yield env.timeout(chance.lognormvariate(-0.043088847, 0.293560379))
        yield from self._use(self.analysts[site], 0.05, 0.15)
        remakes = {"manufacture": 0, "specification": 0}
        while True:
            asked = env.now
            if deadline <= env.now:
                return "withdrawn"
            with self.units[site].request() as unit:
                granted = yield from self._wait(unit, deadline)
                if env.now >= self.warmup:
                    self.waits.append(env.now - asked)
                if not granted:
                    return "withdrawn"
                yield from self._use(self.operators[site], 0.1, 0.2)
                yield env.timeout(chance.uniform(7, 9))
                yield from self._use(self.operators[site], 0.15, 0.25)
            failed = "manufacture" if chance.random() < 0.05 else ""
            if not failed:
                yield from self._use(self.analysts[site], 0.1, 0.2)
                yield env.timeout(chance.uniform(5, 7))
                if chance.random() < 0.06:
                    yield from self._use(self.analysts[site], 0.1, 0.2)
                    failed = "specification" if chance.random() < 0.30 else ""
            if not failed:
                break
            remakes[failed] += 1
            if remakes[failed] > 1:
                return "lost"
        yield from self._use(self.releasers[site], 0.1, 0.3)
        yield env.timeout(chance.lognormvariate(-0.043088847, 0.293560379))
        if deadline <= env.now:
            return "withdrawn"
        with self.infusion[clinic].request() as bed:
            if not (yield from self._wait(bed, deadline)):
                return "withdrawn"
            yield env.timeout(0.25)
        if deadline <= env.now:
            return "withdrawn"
        if env.now >= self.warmup:
            self.times.append(env.now - start)
        return "infused"


def main() -> None:
    """Print the table of goals."""
    network = read(REFERENCE.read_text("utf-8"))
    run(network, settings_for(network, years=0.1, warmup_years=0.0, replications=1))
    rates = interleaved(network)
    ours, plain, lean = (statistics.median(rates[name]) for name in ("anlage", "plain", "lean"))
    print(f"{'patients per CPU-second, one core':<58}{'rate':>12}{'ratio':>9}")
    print(f"{'  Anlage':<58}{ours:>12,.0f}")
    print(f"{'  SimPy, plain (goal 120, aim 250)':<58}{plain:>12,.0f}{ours / plain:>8.0f}x")
    print(f"{'  SimPy, lean (goal 90, aim 180)':<58}{lean:>12,.0f}{ours / lean:>8.0f}x")
    two_workers(network, plain)
    agreement(network)
    closed_forms()
    scaling(network)
    many(network)
    cold()
    ranking()


def interleaved(network: Network) -> dict[str, list[float]]:
    """Give patients per CPU-second of each program, round by round."""
    rates: dict[str, list[float]] = {"anlage": [], "plain": [], "lean": []}
    settings = settings_for(network, years=3, warmup_years=1, replications=200)
    for number in range(ROUNDS):
        for name in ("plain", "lean"):
            began = time.process_time()
            made = Plant(number, 3, 1, lean=name == "lean").run()
            rates[name].append(made.arrived / (time.process_time() - began))
        began = time.process_time()
        found = outcome_of(run(network, replace(settings, seed=number)))
        rates["anlage"].append(arrived(found) / (time.process_time() - began))
    return rates


def arrived(found: dict) -> float:
    """Give the patients of a whole run; the arrivals counted are those after the warm-up."""
    return found["arrivals"] * found["years"] / (found["years"] - found["warmup_years"])


def two_workers(network: Network, plain: float) -> None:
    """Print patients per second of wall time on two workers, the best of many short runs.

    Short, because on a shared machine only a short run finds both cores free; beside it the CPU
    seconds that two workers use for what one does, which no other job can change.
    """
    settings = settings_for(network, years=3, warmup_years=1, replications=128, workers=2)
    rates, used = [], []
    for _ in range(40):
        began, spent = time.perf_counter(), time.process_time()
        found = outcome_of(run(network, settings))
        rates.append(arrived(found) / (time.perf_counter() - began))
        used.append((time.process_time() - spent) / arrived(found))
    alone = []
    for _ in range(5):
        spent = time.process_time()
        found = outcome_of(run(network, replace(settings, workers=1)))
        alone.append((time.process_time() - spent) / arrived(found))
    print(
        f"{'  Anlage, two workers, wall time (goal 200, aim 450)':<58}{max(rates):>12,.0f}", end=""
    )
    print(f"{max(rates) / plain:>8.0f}x")
    print(f"    CPU-seconds of two workers for the work of one: {min(used) / min(alone):.2f}x")


def agreement(network: Network) -> None:
    """Print five statistics of both with 95 % intervals."""
    found = outcome_of(run(network, settings_for(network, years=3, replications=200)))
    worlds = [Plant(100 + seed, 3, 1, lean=False).run() for seed in range(8)]
    ends = [sum(one.ends.values()) for one in worlds]
    rows = {
        "vein to vein, mean (d)": (
            found["vein_to_vein_days"]["mean"],
            found["vein_to_vein_days"]["ci95"],
            [statistics.fmean(one.times) for one in worlds],
        ),
        "vein to vein, sd (d)": (
            found["vein_to_vein_days"]["sd"],
            None,
            [statistics.stdev(one.times) for one in worlds],
        ),
        "withdrawn": (
            found["withdrawn_fraction"],
            found["withdrawn_fraction_ci95"],
            [one.ends["withdrawn"] / n for one, n in zip(worlds, ends, strict=True)],
        ),
        "lost": (
            found["lost_fraction"],
            found["lost_fraction_ci95"],
            [one.ends["lost"] / n for one, n in zip(worlds, ends, strict=True)],
        ),
        "wait for a unit (d)": (
            found["stages"]["manufacture"]["mean_wait_days"],
            found["stages"]["manufacture"]["mean_wait_ci95"],
            [statistics.fmean(one.waits) for one in worlds],
        ),
    }
    print(
        "\nthe same model, five statistics            Anlage        SimPy  (95 % interval)  overlap"
    )
    for name, (mine, interval, values) in rows.items():
        mean = statistics.fmean(values)
        half = 2.36 * statistics.stdev(values) / len(values) ** 0.5
        low, high = interval or (mine, mine)
        overlap = low <= mean + half and mean - half <= high
        print(f"  {name:<36}{mine:>12.4f}{mean:>13.4f}  (+- {half:.4f}){overlap!s:>12}")


def scaling(network: Network) -> None:
    """Print the time per event from 900 to 90,000 patients a year."""
    print("\npatients a year    ns per event (goal 1.5x, aim 1.3x)")
    first = 0.0
    for factor in (1, 10, 100):
        big = scaled(network, factor)
        settings = settings_for(big, years=2, warmup_years=0.5, replications=max(1, 60 // factor))
        costs = []
        for _ in range(3):
            began = time.process_time()
            made = run(big, settings)
            costs.append((time.process_time() - began) / made.events * 1e9)
        first = first or min(costs)
        print(f"{900 * factor:>15,}{min(costs):>12.0f}{min(costs) / first:>9.2f}x")


def scaled(network: Network, factor: int) -> Network:
    """Give the network with load and capacity multiplied."""
    patients = network.classes[0]
    rate = (patients.arrivals.rate_per_day or 0) * factor
    pools = []
    for pool in network.resources:
        calendars = {
            place: replace(
                calendar,
                windows=tuple(
                    replace(window, capacity=(window.capacity or 0) * factor)
                    for window in calendar.windows
                ),
            )
            for place, calendar in pool.calendar_at.items()
        }
        at = {place: capacity * factor for place, capacity in pool.at.items()}
        pools.append(replace(pool, at=at, calendar_at=calendars))
    arrivals = replace(patients.arrivals, rate_per_day=rate)
    return replace(network, classes=(replace(patients, arrivals=arrivals),), resources=tuple(pools))


def many(network: Network) -> None:
    """Print the wall time of 10,000 replications of three years."""
    settings = settings_for(network, years=3, warmup_years=1, replications=10_000, workers=2)
    began = time.process_time()
    found = outcome_of(run(network, settings))
    used = time.process_time() - began
    print(f"\n10,000 x 3 years x 900 patients, 2 workers: {found['seconds']:.1f} s", end="")
    print(f" for {arrived(found):,.0f} patients (goal 30 s, aim 15 s); {used:.1f} CPU-s")


def cold() -> None:
    """Print how long an edited model takes, from a new process and in a running one."""
    text = REFERENCE.read_text("utf-8").replace("capacity: 14", "capacity: 15")
    command = [sys.executable, "-m", "anlage", "network", "simulate", "-", "--years", "2", "--json"]
    command += ["--replications", "20"]
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, input=text.encode(), capture_output=True, check=True)
        times.append(time.perf_counter() - began)
    began = time.perf_counter()
    edited = read(text.replace("900 / year", "910 / year"))
    outcome_of(run(edited, settings_for(edited, years=2, replications=5)))
    warm = time.perf_counter() - began
    print(f"edited model answered: new process {min(times):.2f} s (goal 3, aim 1.5), ", end="")
    print(f"running process {warm * 1000:.0f} ms (goal 200, aim 50)")


def ranking() -> None:
    """Print how long a ranking of thirty resources takes."""
    network = read(REFERENCE.read_text("utf-8"))
    pools = [pool for pool in network.resources if pool.per == "site"]
    names = [f"{pool.name}@{site.name}" for pool in pools for site in network.sites]
    names += [f"apheresis_bed@clinic-{n}" for n in range(1, 21)]
    names += ["infusion_bed@clinic-1", "infusion_bed@clinic-2"]
    settings = settings_for(network, years=3, warmup_years=1, replications=200, workers=2)
    began, used = time.perf_counter(), time.process_time()
    found = bottleneck(network, settings, only=names)
    passed, used = time.perf_counter() - began, time.process_time() - used
    print(f"bottleneck ranking of {len(found['resources'])} resources, 200 paired runs: ", end="")
    print(f"{passed:.1f} s (goal 30, aim 10), {used:.1f} CPU-s; first {found['bottleneck']}")


def closed_forms() -> None:
    """Print the relative errors of textbook queues from long runs."""
    service = "{exponential: 1 hour}"
    queue = "network: q\nclasses: {c: {arrivals: RATE / hour, PATIENCE}}\nresources: {d: SERVERS}\n"
    queue += "process: [{use: {resource: d, time: TIME}}]\n"
    cases = (
        ("M/M/2, wait", "1.6", "2", service, "", 16 / 9),
        ("M/D/1, wait", "0.7", "1", "1 hour", "", 0.7 / 2 / 0.3),
        ("M/G/1 (lognormal, cv 1), wait", "0.7", "1", "{lognormal: {mean: 1 h, cv: 1}}", "", 7 / 3),
    )
    print("\nclosed form                         found / exact - 1   (goal 1 %, aim 0.5 %)")
    for name, rate, servers, time_, patience, hours in cases:
        text = queue.replace("RATE", rate).replace("SERVERS", servers).replace("TIME", time_)
        network = read(text.replace(", PATIENCE", patience))
        settings = settings_for(network, years=20, warmup_years=0.5, replications=100, workers=2)
        found = outcome_of(run(network, settings))["resources"]["d"]["mean_wait_days"] * 24
        print(f"  {name:<34}{found / hours - 1:>+12.3%}")


if __name__ == "__main__":
    main()
