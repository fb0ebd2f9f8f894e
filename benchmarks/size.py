"""A plant of half a million facts: start, memory, every page, genealogy, export, rebuild.

`ANLAGE_BENCH_FACTS=5000000 python3 run.py bench size` does it with five million (about half an hour, 6 GB of
disk). `ANLAGE_BENCH_FOLDER` keeps the plant and takes it up again.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from anlage.app import (
    Installation,
    configure,
    export,
    make_account,
    open_clocked,
    prepare_desk,
    settings,
)
from anlage.app.demo import CAST, PASSWORD
from anlage.record import public_hex, unpack

from .plant_at_size import grow

FACTS = int(os.environ.get("ANLAGE_BENCH_FACTS", "500000"))
IS_LARGE = FACTS > 1_000_000
ROUNDS = 8 if IS_LARGE else 40
AIM_MS = 150


def main() -> None:
    """Print the tables."""
    kept = os.environ.get("ANLAGE_BENCH_FOLDER")
    if kept:
        measure(Path(kept))
        return
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name))


def measure(folder: Path) -> None:
    """Measure a plant in a folder; grow it first where there is none."""
    if not (folder / "journal.db").exists():
        folder.mkdir(parents=True, exist_ok=True)
        grown = grow(folder, FACTS)
        print(
            f"grown: {grown.lots} lots, {grown.plant.journal.size} facts"
            f" in {grown.seconds:.0f} s, {_megabytes(folder):.0f} MB on disk"
        )
        grown.plant.close()
    _start(folder)
    plant = open_clocked(settings(folder, demo=True, durable=False))
    try:
        _pages(plant)
        _exports(plant)
        if not IS_LARGE:  # each view reads the whole journal by itself: minutes for five million
            _views(plant)
    finally:
        plant.close()


def _start(folder: Path) -> None:
    """Open the plant in a process of its own: seconds and memory."""
    script = (
        "import sys, time, resource; from pathlib import Path\n"
        "from anlage.app import open_clocked, settings\n"
        "start = time.perf_counter()\n"
        "plant = open_clocked(settings(Path(sys.argv[1]), durable=False))\n"
        "took = time.perf_counter() - start\n"
        "print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
        "plant.close()"
    )
    for what in ("start, as it is left", "start, views thrown away"):
        if "thrown" in what:
            for path in folder.glob("views.db*"):
                path.unlink()
        found = subprocess.run(
            [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True
        ).stdout.split()
        print(f"{what:44} {float(found[0]):8.2f} s   {float(found[1]):6.0f} MB")


def _views(plant: Installation) -> None:
    size = plant.journal.size
    started = time.perf_counter()
    for name in plant.views.names:
        began = time.process_time()
        plant.views.rebuild(plant.journal, name)
        took = time.process_time() - began
        print(f"rebuild of {name:33} {took:8.2f} s   {size / took:10,.0f} facts/s/core")
    took = time.perf_counter() - started
    print(f"{'rebuild of all, one after another':44} {took:8.2f} s")


def _exports(plant: Installation) -> None:
    began = time.perf_counter()
    plant.checkpoint()
    print(f"{'a checkpoint':44} {time.perf_counter() - began:8.3f} s")
    began = time.perf_counter()
    data = export(plant, "lot/L-26-0001")
    print(
        f"{'export of a lot':44} {time.perf_counter() - began:8.2f} s   {len(data) / 2**20:6.1f} MB"
    )
    began = time.perf_counter()
    verdict = unpack(data, trust=public_hex(plant.key))
    took = time.perf_counter() - began
    print(f"{'its verification':44} {took:8.2f} s   {len(verdict.facts) / took:10,.0f} facts/s")
    if not verdict.ok:
        raise SystemExit(str(verdict.problems[:3]))


def _pages(plant: Installation) -> None:
    configure(plant.settings)
    prepare_desk(plant.settings)
    from django.test import Client

    from anlage.store.desk.models import Account
    from anlage.web import here

    for member in CAST:
        if not Account.objects.filter(person=member.id).exists():
            make_account(login=member.login, person=member.id, password=PASSWORD)
    here.use(plant)
    worst = 0.0
    print(
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; the aim is held against the clock"
    )
    print(f"{'page':44} {'first':>8} {'median':>8} {'p95':>8} {'CPU p95':>8}  ms")
    for login, pages in PAGES.items():
        client = Client()
        client.force_login(Account.objects.get(login=login))
        for page in pages:
            spans, works = [], []
            for _ in range(ROUNDS):
                began, worked = time.perf_counter(), time.thread_time()
                answer = client.get(page)
                works.append(1000 * (time.thread_time() - worked))
                spans.append(1000 * (time.perf_counter() - began))
                if answer.status_code != 200:
                    raise SystemExit(f"{page}: {answer.status_code}")
            first, rest = spans[0], sorted(spans[1:])
            place = int(0.95 * len(rest))
            p95, work = rest[place], sorted(works[1:])[place]
            worst = max(worst, p95)
            late = "" if p95 < AIM_MS else "   above the aim"
            median = statistics.median(rest)
            print(f"{page:44} {first:8.0f} {median:8.0f} {p95:8.0f} {work:8.0f}{late}", flush=True)
    print(f"{'the slowest page, p95':44} {worst:35.0f}  aim {AIM_MS}")


def _megabytes(folder: Path) -> float:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 2**20


PAGES = {
    "operator": (
        "/",
        "/floor",
        "/lots",
        "/lots?which=all",
        "/lots?which=all&q=2100",
        "/lots/L-26-0001",
        "/lots/L-26-0009",
        "/lots/L-26-0001/review",
        "/lots/L-26-0001/review?page=audit",
        "/journeys",
        "/journeys/CHA999926000001",
        "/materials",
        "/materials?all=yes",
        "/materials/M-051",
        "/equipment",
        "/equipment/BSC-01",
        "/rooms/R-101",
        "/deviations",
        "/definitions",
        "/definitions/recipe/cd19-car-t",
        "/people",
        "/people/P-0106",
        "/record",
        "/record?q=2100",
        "/record/lot/L-26-0001",
        "/record/equipment/BSC-01",
        "/record/material/M-051",
        "/trace/material/M-051",
        "/trace/material/M-051/recall",
        "/trace/lot/L-26-0001",
        "/epcis/events?perPage=30",
    ),
    "analyst": ("/",),
    "reviewer": ("/",),
    "releaser": ("/",),
    "coordinator": ("/",),
    "store": ("/",),
}


if __name__ == "__main__":
    main()
