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
from anlage.base import FixedClock
from anlage.record import World, root_of

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
            time.sleep(random.uniform(0.02, 0.4))
        finally:
            worker.send_signal(signal.SIGKILL)
        rest = worker.stdout.read()
    lines = rest.splitlines()
    complete = lines if rest.endswith("\n") else lines[:-1]
    return [[int(word) for word in line.split()] for line in complete]


@pytest.mark.req("ANNEX11.16")
@pytest.mark.req("P11.10c")
@pytest.mark.skipif(os.name == "nt", reason="kill -9 is of POSIX")
def test_a_killed_plant_keeps_all_it_acknowledged_and_nothing_half(tmp_path):
    folder = tmp_path / "plant"
    Installation.create(
        settings(folder), world=World.SIMULATED, site="S1", site_name="Site"
    ).close()
    acknowledged = 0
    for number in range(ROUNDS):
        groups = run_and_kill(folder, number)
        acknowledged += len(groups)

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
        finally:
            plant.close()
    assert acknowledged > ROUNDS
