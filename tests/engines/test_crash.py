"""kill -9 at random moments: nothing acknowledged is lost, nothing is half done, work goes on."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from anlage.app import Installation, settings
from anlage.base import FixedClock, Refused
from anlage.library import PersonRegistered, RoleGranted
from anlage.plant import RegisterSupplier
from anlage.record import Actor, Entry, Stream, World, root_of

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("ANLAGE_CRASH_ROUNDS", "10"))


def open_again(folder):
    return Installation.open(settings(folder), clock=FixedClock(datetime(2026, 3, 1, tzinfo=UTC)))


def run_and_kill(folder, number):
    """Run the load for a moment and kill it; give the numbers it acknowledged."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(ROOT / "src"), str(ROOT)]))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.engines.crash_worker", str(folder), str(number)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as worker:
        try:
            assert worker.stdout.readline().strip() == "ready"
            first = worker.stdout.readline()  # under load, however slow the machine is
            time.sleep(random.uniform(0.0, 0.4))
        finally:
            worker.send_signal(signal.SIGKILL)
        rest = first + worker.stdout.read()
    lines = rest.splitlines()
    complete = lines if rest.endswith("\n") else lines[:-1]
    return [[int(word) for word in line.split()] for line in complete]


def check(folder, groups):
    """See that nothing acknowledged is lost, nothing is half done, and proof and heads fit."""
    plant = open_again(folder)
    try:
        facts = list(plant.journal.read())
        assert plant.journal.root() == root_of([one.hash for one in facts])
        assert all(one.is_sound() for one in facts)
        by_command = {}
        for one in facts:
            by_command.setdefault(one.command, []).append(one.number)
        for group in groups:
            assert by_command[facts[group[0]].command] == group
        assert {len(numbers) for command, numbers in by_command.items() if command} <= {3}
        ends = {}
        for one in facts:
            assert one.version == ends.get(one.stream, 0) + 1
            ends[one.stream] = one.version
        assert {stream: head.version for stream, head in plant.journal.heads().items()} == ends
        return len(facts)
    finally:
        plant.close()


def rounds(folder, count):
    """Run, kill and check a plant again and again; give the acknowledged commands and the facts."""
    Installation.create(
        settings(folder), world=World.SIMULATED, site="S1", site_name="Site"
    ).close()
    acknowledged = facts = 0
    for number in range(count):
        groups = run_and_kill(folder, number)
        acknowledged += len(groups)
        facts = check(folder, groups)
    return acknowledged, facts


@pytest.mark.req("ANNEX11.16")
@pytest.mark.req("P11.10c")
@pytest.mark.req("U37")
@pytest.mark.skipif(os.name == "nt", reason="kill -9 is of POSIX")
def test_a_killed_plant_keeps_all_it_acknowledged_and_nothing_half(tmp_path):
    acknowledged, facts = rounds(tmp_path / "plant", ROUNDS)

    assert acknowledged >= ROUNDS
    assert facts >= 3 * acknowledged


def kill_at(point, folder, url):
    """Run a plant that kills itself at one point of its fourth commit; give what it acknowledged."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(ROOT / "src"), str(ROOT)]))
    done = subprocess.run(
        [sys.executable, "-m", "tests.engines.crash_point_worker", str(folder), point, url or ""],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.split()


def taken_up(chosen):
    """Open a plant whose process was killed; a database server needs a moment to notice."""
    for _ in range(100):
        try:
            return Installation.open(chosen, clock=FixedClock(datetime(2026, 3, 1, tzinfo=UTC)))
        except Refused as refusal:
            assert refusal.code == "journal-leased"
            time.sleep(0.1)
    raise AssertionError("the lease was never given back")


@pytest.mark.req("ANNEX11.16")
@pytest.mark.req("P11.10c")
@pytest.mark.skipif(os.name == "nt", reason="kill -9 is of POSIX")
@pytest.mark.parametrize("engine", ["sqlite", pytest.param("pg", marks=pytest.mark.postgres)])
@pytest.mark.parametrize("point", [
    "before-commit", "between-commits", "before-views-commit", "before-answer",
])  # fmt: skip
@pytest.mark.req("U38")
def test_a_kill_at_each_point_of_a_commit_leaves_all_or_nothing_and_views_that_catch_up(
    request, tmp_path, engine, point
):
    url = None if engine == "sqlite" else request.getfixturevalue("postgres_url")
    if url is not None:
        url = own_database(url, point)
    chosen = settings(tmp_path / "plant", database_url=url)
    founded(chosen)

    acknowledged = kill_at(point, tmp_path / "plant", url)

    plant = taken_up(chosen)
    try:
        assert acknowledged == ["A-1", "A-2", "A-3"]
        there = {one.stream.id for one in plant.journal.read() if one.stream.family == "supplier"}
        fourth = set() if point == "before-commit" else {"A-4"}
        assert there == {*acknowledged, *fourth}
        assert {key for key, _ in plant.rows("suppliers").find()} == there
        live = dict(plant.rows("suppliers").find())
        plant.views.rebuild(plant.journal, "suppliers")
        assert dict(plant.rows("suppliers").find()) == live
        assert plant.journal.root() == root_of([one.hash for one in plant.journal.read()])
        plant.engine.do(
            RegisterSupplier(supplier="B-1", name="B"), actor=Actor(person="kurt", via="api")
        )
    finally:
        plant.close()


def founded(chosen):
    """Make a plant whose store keeper may register suppliers."""
    plant = Installation.create(
        chosen, world=World.SIMULATED, site="S1", site_name="Site",
        clock=FixedClock(datetime(2026, 3, 1, tzinfo=UTC)),
    )  # fmt: skip
    granted = RoleGranted(role="store-keeper", role_version=1, requires=(), granted_by="admin")
    kurt = Stream("person/kurt")
    plant.journal.append(
        [Entry(kurt, PersonRegistered(id="kurt", name="Kurt")), Entry(kurt, granted)], {},
        by=Actor(person="admin", via="api"), at=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    plant.close()


def own_database(url, name):
    """Make a database of its own on the test's server, as an installation takes a whole one."""
    import psycopg

    name = f"crash_{name.replace('-', '_')}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    return f"{url.rpartition('/')[0]}/{name}"
