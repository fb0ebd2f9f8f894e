"""Pages of the demo's plant: answer times in process, as a logged-in operator sees them, and signing with Argon2."""

import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from anlage.app import (
    Installation,
    SimulatedClock,
    configure,
    first_administrator,
    make_account,
    prepare_desk,
    settings,
)
from anlage.app.demo import CAST, PASSWORD, Player, seed
from anlage.record import World

ROUNDS = 20


def main() -> None:
    """Print the table: median and 95th percentile of each page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clock = SimulatedClock.make(folder, datetime(2026, 3, 1, tzinfo=UTC), speed=0)
        chosen = settings(folder, demo=True, durable=False)
        plant = Installation.create(
            chosen, world=World.SIMULATED, site="B", site_name="Bench", clock=clock
        )
        first_administrator(plant, name="Ada Winter")
        started, busy = time.perf_counter(), time.process_time()
        walks = seed(Player(plant, clock))
        print(
            f"seeded {plant.journal.size} facts in {time.perf_counter() - started:.1f} s,"
            f" {time.process_time() - busy:.1f} s of processor"
        )
        configure(chosen)
        prepare_desk(chosen)
        for member in CAST:
            make_account(login=member.login, person=member.id, password=PASSWORD)
        from anlage.web import here

        here.use(plant)
        _measure(walks[5].lot)
        plant.close()


def _measure(lot: str) -> None:
    from django.test import Client

    client = Client()
    started = time.perf_counter()
    client.post("/login", {"login": "operator", "password": PASSWORD})
    print(f"{'login (Argon2)':34} {1000 * (time.perf_counter() - started):8.0f} ms")
    _sign()
    pages = (
        "/",
        "/floor",
        "/lots",
        f"/lots/{lot}",
        f"/lots/{lot}/custody",
        f"/lots/{lot}/review",
        "/journeys",
        "/materials",
    )
    pages += (
        "/equipment",
        "/deviations",
        "/definitions",
        "/people",
        "/record",
        f"/record/lot/{lot}",
    )
    for page in (*pages, "/trace/material/M-051"):
        spans, busy = [], time.process_time()
        for _ in range(ROUNDS):
            started = time.perf_counter()
            answer = client.get(page)
            spans.append(1000 * (time.perf_counter() - started))
            if answer.status_code != 200:
                raise SystemExit(f"{page}: {answer.status_code}")
        spans.sort()
        each = 1000 * (time.process_time() - busy) / ROUNDS
        print(
            f"{page:34} {statistics.median(spans):8.0f} ms   p95 {spans[int(0.95 * ROUNDS)]:6.0f} ms"
            f"   processor {each:4.0f} ms"
        )


def _sign() -> None:
    """Time a signature as a person gives it: the page of the signing is posted with a password."""
    from django.test import Client

    physician = Client()
    physician.post("/login", {"login": "physician", "password": PASSWORD})
    asked = {"product": "cd19-car-t", "indication": "bench", "treatment_site": "ward", "back": "/"}
    spans = []
    for _ in range(ROUNDS):
        begun = physician.post("/act/order-product", asked)
        signing = begun["Location"]
        answers = {"login": "physician", "password": PASSWORD}
        started = time.perf_counter()
        done = physician.post(signing, answers)
        spans.append(1000 * (time.perf_counter() - started))
        if done.status_code != 302:
            raise SystemExit(f"{signing}: {done.status_code}")
    spans.sort()
    label = "signature (Argon2, to disk)"
    print(
        f"{label:34} {statistics.median(spans):8.0f} ms   p95 {spans[int(0.95 * ROUNDS)]:6.0f} ms"
    )


if __name__ == "__main__":
    main()
