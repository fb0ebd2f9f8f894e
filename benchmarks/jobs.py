"""Jobs and networks on pages: how soon an edited network answers, and what jobs cost the pages."""

import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from anlage.app import (
    Installation,
    Jobs,
    Runner,
    check_network,
    configure,
    make_account,
    network_examples,
    prepare_desk,
    settings,
)
from anlage.base import FixedClock
from anlage.library import PersonRegistered, RoleGranted
from anlage.record import Actor, Entry, Stream, World

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PERSON, PASSWORD = "nele", "correct horse battery"
ROUNDS, PAGES = 15, 60


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        chosen = settings(Path(name), demo=True, durable=False)
        plant = Installation.create(
            chosen, world=World.SIMULATED, site="B", site_name="Bench", clock=FixedClock(AT)
        )
        configure(chosen)
        prepare_desk(chosen)
        stream = Stream(f"person/{PERSON}")
        granted = RoleGranted(role="network-planner", role_version=1, requires=(), granted_by="x")
        entries = [Entry(stream, PersonRegistered(id=PERSON, name="Nele")), Entry(stream, granted)]
        plant.journal.append(entries, {}, by=Actor(via="command-line"), at=AT)
        make_account(login=PERSON, person=PERSON, password=PASSWORD)
        from anlage.web import here

        here.use(plant)
        _checks()
        runner = Runner(plant, workers=2)
        runner.start()
        try:
            _answers(plant)
            _pages(plant)
        finally:
            runner.close()
            plant.close()


def _checks() -> None:
    for name, text in network_examples().items():
        times = [_timed(lambda text=text: check_network(text)) for _ in range(ROUNDS)]
        print(f"check {name:<24} {1000 * statistics.median(times):8.1f} ms median")


def _answers(plant: Installation) -> None:
    text = network_examples()["central"]
    arguments = {"network": text, "terms": {"replications": 10}, "is_followed": False}
    times = [_timed(lambda: _run(plant, "simulate-network", arguments)) for _ in range(ROUNDS)]
    print(f"edited network, ten runs, cold {times[0]:8.2f} s (process, kernel from its cache)")
    print(f"the same, warm                 {statistics.median(times[1:]):8.2f} s median")
    smallest = {"network": network_examples()["mm2"], "terms": {"years": "0.01", "replications": 1}}
    times = [_timed(lambda: _run(plant, "simulate-network", smallest)) for _ in range(ROUNDS)]
    print(f"a job that does next to nothing{1000 * statistics.median(times):8.0f} ms median")


def _pages(plant: Installation) -> None:
    from django.test import Client

    client = Client()
    client.post("/login", {"login": PERSON, "password": PASSWORD})
    client.get("/networks")
    idle = [_timed(lambda: client.get("/networks")) for _ in range(PAGES)]
    text = network_examples()["regional"]
    arguments = {"network": text, "terms": {"replications": 1_000_000}, "is_followed": False}
    held = [_submitted(plant, "simulate-network", arguments) for _ in range(2)]
    while any(Jobs(plant).get(id, person=PERSON).fraction == 0 for id in held):
        time.sleep(0.1)
    busy = [_timed(lambda: client.get("/networks")) for _ in range(PAGES)]
    for id in held:
        Jobs(plant).cancel(id, person=PERSON)
    stopping = _timed(lambda: [_ended(plant, id) for id in held])
    inside = _with_threads(client)
    for what, times in (
        ("page, no jobs", idle),
        ("page, two jobs in processes", busy),
        ("page, the same work in threads of the server", inside),
    ):
        cut = statistics.quantiles(times, n=20)[18]
        middle = statistics.median(times)
        print(f"{what:<46} {1000 * middle:6.1f} ms median {1000 * cut:6.1f} ms p95")
    print(f"two running jobs cancelled in {stopping:.2f} s")


def _with_threads(client: object) -> list[float]:
    """Measure pages while two simulations run in threads beside them."""
    from dataclasses import replace

    from anlage.network import read
    from anlage.network.simulate import run, settings_for

    network = read(network_examples()["regional"])
    until = time.perf_counter() + 60
    stop = threading.Event()

    def work() -> None:
        asked = replace(settings_for(network, replications=20), seconds_max=2.0)
        while not stop.is_set() and time.perf_counter() < until:
            run(network, asked)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
    for one in threads:
        one.start()
    time.sleep(3)
    times = [_timed(lambda: client.get("/networks")) for _ in range(PAGES)]  # type: ignore[attr-defined]
    stop.set()
    for one in threads:
        one.join(30)
    return times


def _submitted(plant: Installation, name: str, arguments: dict[str, object]) -> str:
    return Jobs(plant).submit(name, arguments, person=PERSON).id


def _run(plant: Installation, name: str, arguments: dict[str, object]) -> None:
    _ended(plant, _submitted(plant, name, arguments))


def _ended(plant: Installation, id: str) -> None:
    while not (row := Jobs(plant).get(id, person=PERSON)).state.is_over:
        time.sleep(0.01)
    assert row.state in {"done", "cancelled"}, row


def _timed(work: object) -> float:
    begun = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - begun
