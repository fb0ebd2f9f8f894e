"""Containers through the command engine, and their custody proved from the command line."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from anlage.app import Installation, settings
from anlage.base import FixedClock, Quantity, Refused
from anlage.cli.shell import main
from anlage.custody import (
    CreateContainer,
    End,
    Evidence,
    FinishContainer,
    MoveContainer,
    OfferContainer,
    PackContainer,
    PoolContainers,
    ReceiveContainer,
    SeeContainer,
    SplitContainer,
    UnpackContainer,
)
from anlage.library import PersonRegistered, RoleGranted
from anlage.record import Actor, Entry, Stream, World

AT = datetime(2026, 3, 1, tzinfo=UTC)
SCANNED = Evidence.SCANNED


@pytest.fixture
def site(tmp_path):
    clock = FixedClock(AT)
    installation = Installation.create(
        settings(tmp_path), world=World.SIMULATED, site="S1", site_name="Site", clock=clock
    )
    people = []
    for person in ("anna", "ben"):
        stream = Stream(f"person/{person}")
        people.append(Entry(stream, PersonRegistered(id=person, name=person.title())))
        granted = RoleGranted(role="operator", role_version=1, requires=(), granted_by="admin")
        people.append(Entry(stream, granted))
    installation.journal.append(people, {}, by=Actor(person="admin", via="api"), at=AT)

    def do(request, person="anna"):
        clock.advance(timedelta(hours=1))
        return installation.engine.do(request, actor=Actor(person=person, via="api"))

    do.folder, do.clock = tmp_path, clock
    do.close, do.journal = installation.close, installation.journal
    yield do
    installation.close()


def create(name, **fields):
    standard = {"vessel": "bag", "place": "clinic", "evidence": SCANNED}
    return CreateContainer(container=name, **standard | fields)


def prove(site, capsys, subject):
    code = main(["custody", "prove", subject, "--json", "--data", str(site.folder)])
    return code, json.loads(capsys.readouterr().out)


def ship(site):
    volume = Quantity.parse("100 mL")
    site(create("B1", coi="P1", lot="L1", amount=volume))
    site(create("SHIP", vessel="shipper"))
    site(PackContainer(container="B1", into="SHIP", evidence=SCANNED))
    site(OfferContainer(container="SHIP", to="ben", evidence=SCANNED))
    site(ReceiveContainer(container="SHIP", scanned="SHIP", place="van", evidence=SCANNED), "ben")
    site(MoveContainer(container="SHIP", place="plant", evidence=SCANNED), "ben")
    site(UnpackContainer(container="B1", out_of="SHIP", evidence=SCANNED), "ben")


def test_a_lot_that_was_always_held_is_proved_whole(site, capsys):
    ship(site)
    parts = {"S1": Quantity.parse("40 mL"), "S2": Quantity.parse("60 mL")}
    site(SplitContainer(container="B1", parts=parts, vessel="straw", evidence=SCANNED), "ben")
    for name in parts:
        site(FinishContainer(container=name, how=End.USED_UP, evidence=SCANNED), "ben")
    site.close()

    code, said = prove(site, capsys, "lot/L1")

    assert code == 0
    assert said["coverage_percent"] == 100
    assert said["by_grade"]["scanned"] == 100
    assert said["gaps"] == []
    assert said["containers"] == ["B1", "S1", "S2"]


def test_the_custody_of_a_lot_leaves_as_valid_events_without_the_patient(site, capsys, tmp_path):
    ship(site)
    site.close()
    out = tmp_path / "lot.jsonld"

    folder = str(site.folder)
    code = main(["epcis", "export", "lot/L1", "-o", str(out), "--json", "--data", folder])
    capsys.readouterr()
    assert code == 0
    assert main(["epcis", "check", str(out), "--json"]) == 0
    capsys.readouterr()
    main(["epcis", "hash", str(out), "--json"])
    hashes = json.loads(capsys.readouterr().out)["files"][0]["hashes"]

    events = json.loads(out.read_text())["epcisBody"]["eventList"]
    assert [event["eventID"] for event in events] == hashes
    assert [event["bizStep"] for event in events] == ["commissioning", "packing", "unpacking"]
    assert "P1" not in out.read_text()


def test_a_passport_is_issued_from_the_journal(site, capsys, tmp_path):
    ship(site)
    site.close()
    folder = str(site.folder)
    texts = {}
    for who in ("carrier", "site"):
        out = tmp_path / f"{who}.json"
        words = ["passport", "issue", "lot/L1", "--for", who, "-o", str(out), "--data", folder]
        assert main([*words, "--json"]) == 0
        assert main(["passport", "verify", str(out), "--json"]) == 0
        texts[who] = out.read_text()
    capsys.readouterr()

    assert '"P1"' in texts["site"]
    assert '"P1"' not in texts["carrier"]
    assert json.loads(texts["site"])["credentialSubject"]["custody"]["gaps"] == 0


def test_a_bag_seen_elsewhere_is_a_gap_between_two_facts(site, capsys):
    ship(site)
    site(SeeContainer(container="B1", place="corridor", evidence=SCANNED), "ben")
    site.close()

    code, said = prove(site, capsys, "container/B1")

    assert code == 2
    (gap,) = said["gaps"]
    assert gap["before"]["fact"] == "container-unpacked"
    assert gap["after"]["fact"] == "container-seen"
    assert gap["seconds"] == 3600


def test_only_the_holder_acts_and_patients_are_never_mixed(site):
    ship(site)
    site(create("B2", coi="P2", place="plant", amount=Quantity.parse("5 mL")), "ben")

    with pytest.raises(Refused) as refusal:
        site(MoveContainer(container="B1", place="store", evidence=SCANNED), "anna")
    assert refusal.value.code == "not-the-holder"
    with pytest.raises(Refused) as refusal:
        pooled = PoolContainers(containers=("B1", "B2"), into="P", vessel="bag", evidence=SCANNED)
        site(pooled, "ben")
    assert refusal.value.code == "identity-mismatch"


def test_a_shipment_goes_through_the_engine_and_reads_as_sentences(site):
    from anlage.app import sentence
    from anlage.custody import PrepareShipment, ReceiveShipment

    site(create("B1", coi="P1", lot="L1", amount=Quantity.parse("100 mL")))
    site(create("SHIP", vessel="shipper"))
    asked = PrepareShipment(
        shipment="S-1",
        shipper="SHIP",
        containers=("B1",),
        seal="77",
        receiver="ben",
        due=AT + timedelta(days=2),
        evidence=SCANNED,
    )
    with pytest.raises(Refused) as refusal:
        site(asked)
    assert refusal.value.code == "container-not-packed"
    site(PackContainer(container="B1", into="SHIP", evidence=SCANNED))
    site(asked)
    got = ReceiveShipment(shipment="S-1", scanned=("B1",), seal="77", verdict="accept")
    site(got, "ben")

    facts = [
        *site.journal.read_stream(Stream("container/B1")),
        *site.journal.read_stream(Stream("shipment/S-1")),
    ]
    assert [sentence(one) for one in facts] == [
        "Bag B1 came to be at clinic (scanned).",
        "anna put B1 into SHIP (scanned).",
        "Shipment S-1 was sealed with 77 for ben (scanned).",
        "ben received shipment S-1: accepted.",
    ]


def test_labels_are_printed_and_reconciled_through_the_engine(site):
    from anlage.app import request_of

    def ask(command, **values):
        return site(request_of(command, {"label_set": "LS-1", **values}))

    ask("print-labels", lot="L1", step="fill", layout="tube", numbers=["1", "2"])
    ask("reprint-label", number="2", reason="smudged")
    with pytest.raises(Refused) as refusal:
        ask("reconcile-labels", applied=["1", "2"], destroyed=[], second="ben")
    assert refusal.value.code == "labels-not-reconciled"
    ask("reconcile-labels", applied=["1", "2"], destroyed=["2"], second="ben")


def test_a_wrong_band_is_refused_through_the_engine(site):
    from anlage.custody import CheckAtBedside, InfuseContainer

    site(create("B1", coi="P1", lot="L1", amount=Quantity.parse("60 mL")))
    asked = {
        "container": "B1",
        "order": "O-1",
        "coi": "P1",
        "lot": "L1",
        "volume_min": Quantity.parse("50 mL"),
        "volume_max": Quantity.parse("70 mL"),
        "expires": AT + timedelta(days=2),
        "bag": "B1",
        "second": "ben",
    }

    with pytest.raises(Refused) as refusal:
        site(CheckAtBedside(**asked, band="P2"))
    assert refusal.value.code == "identity-mismatch"
    given = {"container": "B1", "given": Quantity.parse("59 mL"), "left": Quantity.parse("1 mL")}
    with pytest.raises(Refused) as refusal:
        site(InfuseContainer(**given))
    assert refusal.value.code == "bedside-check-missing"
    site(CheckAtBedside(**asked, band="P1"))
    site.clock.advance(timedelta(minutes=-50))
    site(InfuseContainer(**given))


def test_a_subject_without_containers_is_refused(site, capsys):
    site.close()

    code, said = prove(site, capsys, "lot/none")

    assert code == 2
    assert said["refused"]["code"] == "subject-unknown"
