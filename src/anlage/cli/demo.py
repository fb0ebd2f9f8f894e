"""`anlage demo`: a seeded, simulated hospital facility to click through, or one lot walked to its
end.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .shell import Answer, Group

if TYPE_CHECKING:
    from anlage.app import Installation, Settings
    from anlage.app.demo import Player

DAYS_BACK = 40


def register(group: Group) -> None:
    """Add the command."""
    parser = group.itself(demo)
    parser.add_argument("--port", type=int, default=8000, help="port to serve on (8000)")
    parser.add_argument("--speed", type=float, default=60.0, help="plant seconds per second (60)")
    parser.add_argument("--headless", action="store_true", help="walk one lot, print a summary")
    parser.add_argument("--fresh", action="store_true", help="begin anew")


def demo(options: argparse.Namespace) -> Answer:
    """Seed a facility and serve it, or walk one lot from prescription to infusion."""
    if options.headless:
        return _headless(options)
    from anlage.app import must_be_free, serve, set_speed, settings

    folder = options.data or Path(os.environ.get("ANLAGE_DEMO_DATA", _home() / "demo"))
    must_be_free(settings(folder, demo=True, port=options.port))
    if options.fresh and (folder / "demo_logins.txt").exists():
        shutil.rmtree(folder)
    chosen = settings(folder, demo=True, port=options.port)
    if not (folder / "journal.db").exists():
        started = time.monotonic()
        print(f"Seeding a simulated facility in {folder} ...", file=sys.stderr, flush=True)
        installation, player = _make(
            settings(folder, demo=True, durable=False), speed=options.speed
        )
        from anlage.app.demo import seed

        seed(player)
        player.clock.save()
        installation.close()
        print(f"Seeded in {time.monotonic() - started:.0f} s.", file=sys.stderr)
    os.environ["ANLAGE_DATA"], os.environ["ANLAGE_DEMO"] = str(folder), "1"
    set_speed(folder, options.speed)
    _greet(chosen)
    serve(chosen)
    return Answer({"ok": True, "data": str(folder)}, "stopped")


def _headless(options: argparse.Namespace) -> Answer:
    from anlage.app import documents_of, export, settings, verify
    from anlage.app.demo import Stage, Until, Walk, found_facility, walk_journey

    folder = options.data or Path(tempfile.mkdtemp(prefix="anlage-demo-"))
    print(f"Working in {folder}", file=sys.stderr)
    started = time.monotonic()
    installation, player = _make(settings(folder, demo=True), speed=0.0)
    try:
        found_facility(player)
        walk, stage = Walk(player=player), Stage(player)
        stage.enter(walk_journey(walk, 1, Until.INFUSED))
        stage.run(player.clock.now() + timedelta(days=DAYS_BACK - 1))
        documents = documents_of(installation, walk.lot)
        for name, document in documents.items():
            (folder / name).write_bytes(document)
        path = folder / f"{walk.lot}.zip"
        path.write_bytes(export(installation, f"lot/{walk.lot}", documents=documents))
        facts = installation.journal.size
        player.clock.save()
    finally:
        installation.close()
    key = (folder / "keys" / "site.pub").read_text("ascii").strip()
    verdict = verify(path, trust=key)
    data: dict[str, Any] = {
        "lot": walk.lot,
        "coi": walk.coi,
        "facts": facts,
        "seconds": round(time.monotonic() - started, 2),
        "batch_record": str(folder / f"batch-record-{walk.lot}.pdf"),
        "coa": str(folder / f"certificate-{walk.lot}.pdf"),
        "export": str(path),
        "verified": verdict.ok and verdict.anchored,
        "key": key,
        "data": str(folder),
        "world": "simulated",
        "problems": [one.as_dict() for one in verdict.problems],
    }
    text = "\n".join(f"{name:13} {value}" for name, value in data.items())
    return Answer(data, text, ok=verdict.ok)


def _make(chosen: "Settings", *, speed: float) -> "tuple[Installation, Player]":
    from anlage.app import (
        Installation,
        SimulatedClock,
        first_administrator,
        make_account,
        prepare_desk,
    )
    from anlage.app.demo import CAST, PASSWORD, Player, write_logins
    from anlage.base import SystemClock
    from anlage.record import World

    begin = SystemClock().now() - timedelta(days=DAYS_BACK)
    clock = SimulatedClock.make(chosen.data, begin, speed=speed)
    installation = Installation.create(
        chosen,
        world=World.SIMULATED,
        site="DEMO",
        site_name="Simulated University Hospital",
        clock=clock,
    )
    prepare_desk(chosen)
    first_administrator(installation, name=CAST[0].name)
    for member in CAST:
        make_account(login=member.login, person=member.id, password=PASSWORD)
    write_logins(chosen.data)
    return installation, Player(installation, clock)


def _greet(chosen: "Settings") -> None:
    from anlage.app.demo import CAST, PASSWORD

    lines = [
        "",
        f"  Anlage demo: http://127.0.0.1:{chosen.port}/   (a simulated world; nothing is real)",
        f"  Data in {chosen.data}; --fresh begins anew",
        "",
        *(f"  {one.login:14} {PASSWORD}   {one.name}, {one.post}" for one in CAST),
        "",
    ]
    print("\n".join(lines), file=sys.stderr, flush=True)


def _home() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "anlage"
