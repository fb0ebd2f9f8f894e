"""Codes, event hash, labels and custody, each beside its peer where there is one.

The event hash is measured beside the reference generator on the shared documents, in one run, and
its results are compared. `ANLAGE_SHARED` names the folder of shared data.
"""

import json
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from anlage.custody import (
    ContainerCreated,
    ContainerMoved,
    Dated,
    Evidence,
    prove,
)
from anlage.custody.codes import decode
from anlage.wire.epcis import canonical_lines, check, hashes, read_bytes
from anlage.wire.labels import LAYOUTS, render

TODAY = date(2026, 3, 1)
VERSIONED = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
SHORT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"


def main() -> None:
    """Print every figure."""
    print(f"{'what':<44}{'ours':>14}{'peer':>14}{'ratio':>8}")
    event_hash()
    big_document()
    codes()
    labels()
    proof()
    proof_of_a_lot()


def best(work: Callable[[], object], times: int = 5) -> float:
    """Give the best of several runs, seconds."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)


def line(what: str, ours: str, peer: str = "", ratio: float | None = None) -> None:
    print(f"{what:<44}{ours:>14}{peer:>14}{'' if ratio is None else f'{ratio:.1f}':>8}")


def shared() -> list[Path]:
    """Give the shared EPCIS documents."""
    root = Path(os.environ.get("ANLAGE_SHARED", Path(__file__).parents[2] / "shared"))
    folder = root / "data" / "epcis_gs1"
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".xml", ".json", ".jsonld") and "schema" not in path.parts
    ]


def reference() -> Callable[[str, bytes], list[str]]:
    """Give the reference generator as a function of a document."""
    from epcis_event_hash_generator import (
        file_document_loader,
        hash_generator,
        json_to_py,
        xml_to_py,
    )
    from pyld import jsonld

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore", DeprecationWarning)
    packaged = file_document_loader.file_document_loader()
    jsonld.set_document_loader(
        lambda url, options=None: packaged(VERSIONED if url == SHORT else url, options or {})
    )

    def lines(name: str, data: bytes) -> list[str]:
        json_to_py._namespaces.clear()
        module = xml_to_py if name.endswith(".xml") else json_to_py
        events = module.event_list_from_epcis_document_str(data.decode())
        return list(hash_generator.derive_prehashes_from_events(events))

    return lines


def event_hash() -> None:
    from pyld import jsonld

    theirs = reference()
    documents = []
    events = 0
    for path in shared():
        data = path.read_bytes()
        try:
            expected = theirs(path.name, data)
        except (KeyError, IndexError, jsonld.JsonLdError):
            continue  # the reference itself cannot read it
        if canonical_lines(read_bytes(data, path.name), all_fields=True) != expected:
            raise SystemExit(f"{path.name}: the lines differ")
        documents.append((path.name, data))
        events += len(expected)
    if not documents:
        print("event hash: the shared documents are absent")
        return
    peer = best(lambda: [theirs(name, data) for name, data in documents], 3)
    ours = best(lambda: [hashes(read_bytes(data, name)) for name, data in documents])
    line(
        f"event hash, {len(documents)} documents, {events} events, equal",
        f"{ours / events * 1e6:.0f} us",
        f"{peer / events * 1e6:.0f} us",
        peer / ours,
    )


def big_document() -> None:
    theirs = reference()
    event = {
        "type": "ObjectEvent",
        "eventTimeZoneOffset": "+01:00",
        "action": "OBSERVE",
        "bizStep": "receiving",
        "disposition": "in_progress",
        "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
    }
    document = {
        "@context": [VERSIONED],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-01T12:00:00Z",
        "epcisBody": {
            "eventList": [
                event
                | {
                    "eventTime": (datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=n))
                    .isoformat()
                    .replace("+00:00", "Z"),
                    "epcList": [f"urn:epc:id:sgtin:0614141.107346.{n}"],
                }
                for n in range(1000)
            ]
        },
    }
    data = json.dumps(document).encode()
    ours = best(lambda: hashes(read_bytes(data, "a.json")))
    peer = best(lambda: theirs("a.json", data), 2)
    if canonical_lines(read_bytes(data, "a.json")) != theirs("a.json", data):
        raise SystemExit("the lines differ")
    line("event hash, one document of 1,000 events", f"{ours * 1e3:.1f} ms", f"{peer * 1e3:.0f} ms",
         peer / ours)  # fmt: skip
    checked = best(lambda: check(read_bytes(data, "a.json")))
    line("check, one document of 1,000 events", f"{checked * 1e3:.1f} ms")


def codes() -> None:
    for name, text in (
        ("ISBT 128 compound message", "=+04000=/A9997XYZ100T0479=A99991712345600=,000012=>019031"),
        ("GS1 element string", "]d20109506000134352172612311" + "0ABC\x1d21XYZ"),
        ("RFID tag", "3074257BF7194E4000001A85"),
    ):
        one = best(lambda text=text: [decode(text, TODAY) for _ in range(1000)]) / 1000
        peer, ratio = "", None
        if name.startswith("GS1"):
            import biip

            theirs = best(lambda text=text: [biip.parse(text) for _ in range(200)]) / 200
            peer, ratio = f"{theirs * 1e6:.0f} us", theirs / one
        line(f"decode {name}", f"{one * 1e6:.0f} us", peer, ratio)


def labels() -> None:
    rows = [
        {"gtin": "09506000134352", "serial": f"S{n}", "lot": "L-42", "name": "CAR-T straw"}
        for n in range(100)
    ]
    sheet = best(lambda: render(LAYOUTS["tube"], rows, form="pdf", on_sheets=True), 3)
    line("sheet of 100 labels, each read back", f"{sheet:.2f} s")


def proof() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    places = ("tank", "bench")
    histories = {}
    for number in range(200):
        created = ContainerCreated(
            vessel="straw", place="tank", holder="anna", evidence=Evidence.SCANNED, lot="L"
        )
        history = [Dated(start, created)]
        history += [
            Dated(
                start + timedelta(minutes=step + 1),
                ContainerMoved(
                    origin=places[step % 2],
                    place=places[(step + 1) % 2],
                    holder="anna",
                    evidence=Evidence.SCANNED,
                ),
            )
            for step in range(20)
        ]
        histories[f"C{number}"] = history
    took = best(lambda: prove(histories, now=start + timedelta(days=1)))
    line("custody proof, 200 containers, 4,200 facts", f"{took * 1e3:.0f} ms")


def proof_of_a_lot() -> None:
    """Prove one lot of 20 containers, read from a journal with 1,000 such lots."""
    from anlage.app import Installation, custody_histories, settings
    from anlage.base import FixedClock
    from anlage.custody import HandOverOpened
    from anlage.record import Actor, Entry, Stream, World

    start = datetime(2026, 3, 1, tzinfo=UTC)
    lots, containers = 1000, 20
    with tempfile.TemporaryDirectory() as folder:
        site = Installation.create(
            settings(Path(folder), durable=False),
            world=World.SIMULATED,
            site="BENCH",
            site_name="Bench",
            clock=FixedClock(start),
        )
        by = Actor(person="anna", via="api")
        for lot in range(lots):
            entries = []
            for number in range(containers):
                stream = Stream(f"container/L{lot}-C{number}")
                source = (f"L{lot}-C{number - 1}",) if number else ()
                created = ContainerCreated(
                    vessel="bag", place="tank", holder="anna", evidence=Evidence.SCANNED,
                    coi=f"P{lot}", lot=f"L{lot}" if number else None, sources=source,
                )  # fmt: skip
                moved = ContainerMoved(
                    origin="tank", place="bench", holder="anna", evidence=Evidence.SCANNED
                )
                offered = HandOverOpened(giver="anna", receiver="ben", evidence=Evidence.SCANNED)
                entries += [Entry(stream, one) for one in (created, moved, offered)]
            site.journal.append(entries, {}, by=by, at=start)

        def prove_one() -> None:
            histories, chosen = custody_histories(site, Stream(f"lot/L{lots // 2}"))
            found = prove(histories, now=start + timedelta(days=1), subjects=chosen)
            if len(found.containers) != containers or found.coverage_percent != 100:
                raise SystemExit("the proof of the lot is not whole")

        took = best(prove_one)
        size = site.journal.size
        site.close()
    line(f"custody proof of a lot, {lots} lots, {size:,} facts", f"{took * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
