"""A store of 100,000 positions, most of them taken: pages in process, and a scan from text to disk."""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from anlage.app import (
    Installation,
    SimulatedClock,
    configure,
    make_account,
    meaning,
    prepare_desk,
    request_of,
    settings,
)
from anlage.custody import ContainerCreated, Evidence
from anlage.custody.storage import ContainerClassified, Infectious, PositionFilled, Stowed
from anlage.library import PersonRegistered, RoleGranted
from anlage.record import Actor, Entry, Stream, World

TANKS, RACKS, BOXES = 10, 10, 7  # 700 boxes of 12 by 12: 100,800 positions
FILLED = 134
ROUNDS = 30
PASSWORD = "bench bench bench"
BY = Actor(person="kurt", via="api")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clock = SimulatedClock.make(folder, datetime(2026, 3, 1, tzinfo=UTC), speed=0)
        chosen = settings(folder, demo=True, durable=True)
        site = Installation.create(
            chosen, world=World.SIMULATED, site="B", site_name="Bench", clock=clock
        )
        started = time.perf_counter()
        boxes = _fill(site)
        taken = len(boxes) * FILLED
        print(
            f"{taken:,} containers in {len(boxes) * 144:,} positions, {site.journal.size:,} facts"
        )
        print(f"filled and folded in {time.perf_counter() - started:.0f} s")
        configure(chosen)
        prepare_desk(chosen)
        make_account(login="kurt", person="kurt", password=PASSWORD)
        from anlage.web import here

        here.use(site)
        _measure(site, boxes)
        site.close()


def _fill(site: Installation) -> list[str]:
    person = Stream("person/kurt")
    granted = RoleGranted(role="store-keeper", role_version=1, requires=(), granted_by="admin")
    site.journal.append(
        [Entry(person, PersonRegistered(id="kurt", name="Kurt")), Entry(person, granted)],
        {}, by=BY, at=site.clock.now(),
    )  # fmt: skip

    def register(place: str, kind: str, parent: str | None, **more: object) -> None:
        values = {"place": place, "name": place, "kind": kind, "parent": parent, **more}
        site.engine.do(request_of("register-place", values), actor=BY)

    register("SITE", "site", None)
    register("LN2", "store", "SITE")
    boxes = []
    for tank in range(TANKS):
        register(f"T{tank}", "tank", "LN2", keeps_max={"value": "-150", "unit": "Cel"})
        for rack in range(RACKS):
            register(f"T{tank}R{rack}", "rack", f"T{tank}", capacity=BOXES)
            for box in range(BOXES):
                name = f"T{tank}R{rack}B{box}"
                register(name, "box", f"T{tank}R{rack}", rows=12, columns=12)
                boxes.append(name)
    for box in boxes:
        site.journal.append(_content(site, box), {}, by=BY, at=site.clock.now())
    return boxes


def _content(site: Installation, box: str) -> list[Entry]:
    from anlage.custody.storage import Place

    names = site.engine.state(Place, Stream(f"place/{box}")).terms.names()
    entries = []
    for position in names[:FILLED]:
        name = f"C-{box}-{position}"
        stream = Stream(f"container/{name}")
        made = ContainerCreated(
            vessel="straw", place=f"{box}:{position}", holder="store LN2",
            evidence=Evidence.SCANNED, lot=f"L{box}",
        )  # fmt: skip
        said = ContainerClassified(
            product_class="cell bank", infectious=Infectious.NEGATIVE, by="kurt"
        )
        stowed = Stowed(
            container=name, product_class="cell bank", lot=f"L{box}",
            infectious=Infectious.NEGATIVE,
        )  # fmt: skip
        filled = PositionFilled(
            position=position, stowed=stowed, by="kurt", evidence=Evidence.SCANNED
        )
        entries += [Entry(stream, made), Entry(stream, said)]
        entries.append(Entry(Stream(f"place/{box}"), filled))
    return entries


def _measure(site: Installation, boxes: list[str]) -> None:
    from django.test import Client

    client = Client()
    client.post("/login", {"login": "kurt", "password": PASSWORD})

    def page(address: str) -> Callable[[int], None]:
        def get(_: int) -> None:
            if client.get(address).status_code != 200:
                raise SystemExit(address)

        return get

    def box_page(n: int) -> None:
        page(f"/store/places/{boxes[(n * 37) % len(boxes)]}")(n)

    def scan(n: int) -> None:
        meaning(site, f"C-{boxes[(n * 53) % len(boxes)]}-A{n % 12 + 1}")

    def move(n: int) -> None:
        box, to = boxes[(n * 41) % len(boxes)], boxes[(n * 43 + 11) % len(boxes)]
        values = {"container": f"C-{box}-B{n % 12 + 1}", "place": to, "evidence": "scanned"}
        values["position"] = f"L{3 + n % 10}"
        site.engine.do(request_of("restow-container", values), actor=BY)

    _row("page of a box of 144, another each time", ROUNDS, box_page)
    _row("page of the tree", ROUNDS, page("/store"))
    _row("page of a tank", ROUNDS, page("/store/places/T3"))
    _row("a scan looked up", ROUNDS, scan)
    _row("a scan that moves a container, to disk", ROUNDS, move)


def _row(name: str, rounds: int, act: Callable[[int], None]) -> None:
    spans = []
    for n in range(rounds):
        started = time.perf_counter()
        act(n)
        spans.append(1000 * (time.perf_counter() - started))
    spans.sort()
    print(
        f"{name:44} {statistics.median(spans):8.1f} ms median {spans[int(0.95 * rounds)]:8.1f} p95"
    )
