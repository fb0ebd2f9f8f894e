"""EPCIS over HTTP: capture of documents and single events, the history of one container.

Everything goes through the served application in process: token, check, hash, file, journal on
disk, index. `EVENTS` sets the number of events (1,000,000 when not given). No free EPCIS
repository runs without a server of its own, so there is no peer in this run.
"""

import json
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

DOCUMENT = 1_000
TRIES = 40
START = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Print the figures, and the history again at every tenth of the way."""
    total = int(os.environ.get("EVENTS", "1000000"))
    with tempfile.TemporaryDirectory() as folder:
        client = _client(Path(folder))
        containers = max(DOCUMENT, total // 10)
        print(f"{'single events':<44}{_singles(client):>14}", flush=True)
        spent = 0.0
        for number in range(total // DOCUMENT):
            data = _document(number, containers)
            start = time.perf_counter()
            answer = client.post("/epcis/capture", data, content_type="application/json")
            spent += time.perf_counter() - start
            assert answer.status_code == 202, answer.content
            if (number + 1) % max(1, total // DOCUMENT // 10) == 0:
                events = (number + 1) * DOCUMENT
                _report(client, events, spent, containers)


def _report(client: Any, events: int, spent: float, containers: int) -> None:
    print(f"{'documents of 1,000: events captured':<44}{events:>14,}")
    print(f"{'  events/s so far':<44}{events / spent:>14,.0f}")
    times = []
    for turn in range(TRIES):
        thing = f"https://id.gs1.org/8004/4000001{turn * 7919 % containers:08d}"
        start = time.perf_counter()
        answer = client.get("/epcis/events", {"MATCH_anyEPC": thing})
        times.append((time.perf_counter() - start) * 1000)
        held = answer.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    times.sort()
    print(f"{'  history of one container, median ms':<44}{statistics.median(times):>14.1f}")
    print(f"{'  of 40, slowest ms':<44}{times[-1]:>14.1f}")
    print(f"{'  events in the last history':<44}{len(held):>14}", flush=True)


def _singles(client: Any) -> str:
    start = time.perf_counter()
    for number in range(200):
        event = an_event(number, number) | {"disposition": "active"}
        answer = client.post("/epcis/events", json.dumps(event), content_type="application/json")
        assert answer.status_code == 201, answer.content
    return f"{200 / (time.perf_counter() - start):,.0f} per s"


def an_event(number: int, container: int) -> dict[str, Any]:
    at = (START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "type": "ObjectEvent",
        "eventTime": at,
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "epcList": [f"https://id.gs1.org/8004/4000001{container:08d}"],
        "bizStep": "storing",
        "disposition": "in_progress",
        "readPoint": {"id": f"https://id.gs1.org/414/4012345000009/254/{number % 500}"},
    }


def _document(number: int, containers: int) -> str:
    first = number * DOCUMENT
    events = [an_event(n, n % containers) for n in range(first, first + DOCUMENT)]
    whole = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-02-01T11:00:00.000Z",
        "epcisBody": {"eventList": events},
    }
    return json.dumps(whole)


def _client(folder: Path) -> Any:
    from anlage.app import (
        Installation,
        configure,
        first_administrator,
        make_account,
        make_token,
        prepare_desk,
        settings,
    )
    from anlage.record import World

    chosen = settings(folder / "site", demo=True)
    installation = Installation.create(
        chosen, world=World.SIMULATED, site="S1", site_name="Benchmark"
    )
    configure(chosen)
    prepare_desk(chosen)
    from anlage.web import here

    here.use(installation)
    first_administrator(installation, name="Ada")
    make_account(login="ada", person="P-0001", password="correct horse battery")
    from django.test import Client

    return Client(headers={"Authorization": f"Bearer {make_token('benchmark', 'P-0001')}"})


if __name__ == "__main__":
    main()
