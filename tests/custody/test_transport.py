"""Shipments from booking to decision; lanes, the fleet, country rules, the pool, advice."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.custody.memory_desk import AT, MemoryDesk

from anlage.base import Refused
from anlage.custody import Container
from anlage.custody.storage import Keeping
from anlage.custody.transport import (
    Alive,
    DecideShipment,
    Goods,
    HoldCause,
    Lane,
    LaneRegistered,
    QualifyLane,
    QualifyShipper,
    Sample,
    Shipment,
    Shipper,
    TransportRules,
    breaches,
    check_lane,
    joined,
    lane_record,
    options,
    packaged_transport_rules,
    query,
    read_records,
    record_line,
    rule_for,
)
from anlage.library import check_content
from anlage.record import Stream, sign

COLD = {"value": "-150", "unit": "Cel"}
DUE = "2026-03-04T09:00:00.000Z"
PICK_UP = "2026-03-02T12:00:00.000Z"
SECRET = "s" * 32
DIGEST = hashlib.sha256(SECRET.encode()).hexdigest()


def signature(person="anna", meaning="qualified"):
    return sign({}, person=person, name=person, meaning=meaning, method="simulated-person",
                template="t", at=AT)  # fmt: skip


def readied(desk, *, clean=True, hold=120, due=365, cycles=3):
    desk.ask("register-shipper", shipper="DS-1", model="DV4", maker="simulated", serial="1",
             cycles_max=cycles, keeps_max=COLD)  # fmt: skip
    if hold:
        desk.do(QualifyShipper(shipper="DS-1", report="R-1", hold_hours=hold, profile="summer",
                               due=desk.at + timedelta(days=due), signature=signature()))  # fmt: skip
    if clean:
        desk.ask("clean-shipper", shipper="DS-1", agent="alcohol")


def laned(desk, *, to="FR", qualified=True, due=365, models=("DV4",)):
    desk.ask("register-lane", lane="L1", origin="Plant", origin_country="DE", destination="Clinic",
             destination_country=to, carrier="Fast", mode="road", hours_planned=20, hours_max=48)  # fmt: skip
    if qualified:
        desk.do(QualifyLane(lane="L1", report="R-2", runs=5, hours_p95=30, models=models,
                            due=desk.at + timedelta(days=due), signature=signature()))  # fmt: skip


def packed(desk, names=("B1", "B2"), *, classified=True):
    for name in names:
        desk.ask("create-container", container=name, vessel="cryobag", place="plant",
                 evidence="scanned", coi="P1", lot="LOT-1")  # fmt: skip
        if classified:
            desk.ask("classify-container", container=name, product_class="cell therapy",
                     infectious="negative")  # fmt: skip
    desk.ask(
        "create-container", container="DS-1", vessel="shipper", place="plant", evidence="scanned"
    )
    for name in names:
        desk.ask("pack-container", container=name, into="DS-1", evidence="scanned")


def booking(**change):
    return {"shipment": "S1", "lane": "L1", "product": "frozen-car-t", "shipper": "DS-1",
            "goods": "gene-modified-cells", "pick_up": PICK_UP, "due": DUE} | change  # fmt: skip


def sealing(**change):
    return {"shipment": "S1", "shipper": "DS-1", "containers": ["B1", "B2"], "seal": "77",
            "receiver": "ben", "due": DUE, "evidence": "scanned"} | change  # fmt: skip


@pytest.fixture
def desk():
    return MemoryDesk()


@pytest.fixture
def sent(desk):
    """A booked and sealed shipment."""
    readied(desk)
    laned(desk)
    packed(desk)
    desk.ask("book-shipment", **booking())
    desk.ask("prepare-shipment", **sealing())
    return desk


def codes(desk, command, person="anna", **values):
    before = {stream: len(facts) for stream, facts in desk.facts.items()}
    with pytest.raises(Refused) as refusal:
        desk.ask(command, person, **values)
    assert {stream: len(facts) for stream, facts in desk.facts.items()} == before
    return [one.code for one in refusal.value.problems]


def shipment(desk):
    return desk.read(Shipment, Stream("shipment/S1"))


def shipper(desk):
    return desk.read(Container, Stream("container/DS-1"))


def link(desk, purpose="pick-up", secret=SECRET, hours=24, **change):
    asked = {"shipment": "S1", "courier": "K. Roth, Fast", "purpose": purpose,
             "expires": (desk.at + timedelta(hours=hours)).isoformat().replace("+00:00", "Z"),
             "digest": hashlib.sha256(secret.encode()).hexdigest()} | change  # fmt: skip
    return desk.ask("make-courier-link", **asked)


SIGNING = {"shipment": "S1", "secret": SECRET, "name": "Karl Roth", "seal": "77", "place": "ramp"}


def test_a_shipment_goes_from_booking_to_a_decision(sent):
    link(sent)
    sent.ask("sign-as-courier", "nobody", **SIGNING)
    assert shipper(sent).holder == "courier K. Roth, Fast"
    sent.ask("hold-shipment", shipment="S1", cause="customs-documents", place="CDG")
    assert shipment(sent).standing == "held"
    sent.ask("go-on-shipment", shipment="S1")
    link(sent, "delivery", "d" * 30)
    sent.ask("sign-as-courier", "nobody", **SIGNING | {"secret": "d" * 30, "place": "clinic"})
    assert shipper(sent).offered_to == "ben"
    sent.ask("receive-shipment", "ben", shipment="S1", scanned=["B1"], seal="77", place="clinic")

    state = shipment(sent)
    assert shipper(sent).holder == "ben"
    assert state.received.quarantined == ("B1",)  # no condition log: nobody knows
    assert state.received.missing == ("B2",)
    assert sent.read(Keeping, Stream("container/B1")).quarantined
    decision = DecideShipment(shipment="S1", containers=("B1",), accept=True, reason="log was found",
                              signature=signature("anna", "decided"))  # fmt: skip
    sent.do(decision)
    assert sent.read(Keeping, Stream("container/B1")).quarantined is None
    assert shipment(sent).standing == "received"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"seal": "78"}, "seal-broken"),
        ({"seal": ""}, "seal-broken"),
        ({"secret": "x"}, "link-spent"),
        ({"secret": ""}, "link-spent"),
        ({"name": ""}, "text-unusable"),
        ({"place": ""}, "text-unusable"),
        ({"shipment": "S2"}, "link-spent"),
    ],
)
def test_a_link_signs_its_one_shipment_with_its_seal_alone(sent, change, code):
    link(sent)

    assert codes(sent, "sign-as-courier", **SIGNING | change) == [code]


def test_a_link_is_used_once_and_not_after_its_time(sent):
    link(sent)
    link(sent, secret="late", hours=2)
    sent.ask("sign-as-courier", **SIGNING)

    assert codes(sent, "sign-as-courier", **SIGNING) == ["link-spent"]
    sent.at += timedelta(hours=3)
    assert codes(sent, "sign-as-courier", **SIGNING | {"secret": "late"}) == ["link-spent"]


def test_a_withdrawn_link_does_not_sign(sent):
    link(sent)
    sent.ask("withdraw-courier-link", shipment="S1", digest=DIGEST, reason="another courier")

    assert codes(sent, "sign-as-courier", **SIGNING) == ["link-spent"]
    assert codes(sent, "withdraw-courier-link", shipment="S1", digest=DIGEST, reason="x") == [
        "link-spent"
    ]


@pytest.mark.parametrize(
    "change", [{"digest": "ab"}, {"digest": "Z" * 64}, {"hours": 200}, {"hours": -1}]
)
def test_a_link_that_cannot_be_is_refused(sent, change):
    hours = change.pop("hours", 24)
    with pytest.raises(Refused) as refusal:
        link(sent, hours=hours, **change)
    assert refusal.value.code == "link-malformed"


def test_a_delivery_is_signed_by_who_holds_it(sent):
    link(sent, "delivery")

    assert codes(sent, "sign-as-courier", **SIGNING) == ["not-the-holder"]


def test_the_secret_of_a_link_is_nowhere_in_the_record(sent):
    link(sent)
    sent.ask("sign-as-courier", **SIGNING)

    assert not any(SECRET.encode() in one.content for facts in sent.facts.values() for one in facts)


def test_paper_is_graded_paper_and_dated_as_written(sent):
    sent.at += timedelta(minutes=5)
    written = (sent.at - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    paper = {"shipment": "S1", "receiver": "courier Fast", "seal": "77", "place": "ramp"}

    assert codes(sent, "record-paper-hand-over", happened="2026-03-09T00:00:00Z", **paper) == [
        "paper-time"
    ]
    sent.at += timedelta(hours=5)
    sent.ask("record-paper-hand-over", happened=written, **paper)
    assert shipper(sent).holder == "courier Fast"
    last = sent.facts[Stream("container/DS-1")][-1]
    assert last.fact.evidence.value == "paper"
    assert sent.at - last.happened > timedelta(hours=5)


def test_a_person_with_a_login_takes_what_was_offered(sent):
    asked = {"shipment": "S1", "seal": "77", "place": "ramp"}

    assert codes(sent, "hand-over-shipment", "ben", **asked) == ["hand-over-not-open"]
    sent.ask("offer-container", container="DS-1", to="ben", evidence="scanned")
    sent.ask("hand-over-shipment", "ben", **asked)
    assert shipment(sent).hand_overs[0].name == "Ben"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lane": "L9"}, "lane-unknown"),
        ({"shipper": "DS-9"}, "shipper-unknown"),
        ({"product": "soup"}, "excursion-rule-missing"),
        ({"goods": "soup"}, "goods-unknown"),
        ({"due": "2028-03-04T09:00:00.000Z"}, "shipper-overdue"),
        ({"pick_up": "2026-03-05T09:00:00.000Z"}, "shipment-times"),
        ({"pick_up": "2026-03-01T09:00:00.000Z"}, "shipment-times"),
    ],
)
def test_a_booking_that_cannot_be_is_refused(desk, change, code):
    readied(desk)
    laned(desk)

    assert codes(desk, "book-shipment", **booking(**change)) == [code]


@pytest.mark.parametrize(
    ("fleet", "code"),
    [
        ({"clean": False}, "shipper-not-clean"),
        ({"hold": 0}, "shipper-unqualified"),
        ({"due": 1}, "shipper-overdue"),
        ({"hold": 40}, "shipper-holds-too-short"),
    ],
)
def test_a_shipper_that_is_not_ready_is_refused(desk, fleet, code):
    readied(desk, **fleet)
    laned(desk)

    assert codes(desk, "book-shipment", **booking()) == [code]


@pytest.mark.parametrize(
    ("lane", "code"),
    [
        ({"qualified": False}, "lane-unqualified"),
        ({"due": 1}, "lane-overdue"),
        ({"models": ("DV10",)}, "lane-not-for-model"),
        ({"to": "JP"}, "lane-not-known"),
    ],
)
def test_a_lane_that_is_not_open_is_refused(desk, lane, code):
    readied(desk)
    laned(desk, **lane)

    assert codes(desk, "book-shipment", **booking()) == [code]


def test_what_is_not_known_is_accepted_with_a_reason_that_stays(desk):
    readied(desk)
    laned(desk, to="JP")

    desk.ask("book-shipment", **booking(accepted="PMDA was asked on the phone; note N-12"))

    state = shipment(desk)
    assert state.booked.accepted
    assert "tells nothing about DE to JP" in state.booked.not_known[0]


def test_a_suspended_lane_is_not_booked(desk):
    readied(desk)
    laned(desk)
    desk.ask("suspend-lane", lane="L1", reason="strike")

    assert codes(desk, "book-shipment", **booking()) == ["lane-suspended"]
    assert codes(desk, "suspend-lane", lane="L1", reason="x") == ["lane-suspended"]
    assert codes(desk, "suspend-lane", lane="L2", reason="x") == ["lane-unknown"]


def test_a_shipper_goes_round_and_wears_out(desk):
    readied(desk, cycles=1)
    packed(desk)
    desk.ask("prepare-shipment", **sealing())
    state = desk.read(Shipper, Stream("shipper/DS-1"))

    assert (state.out_with, state.cycles, state.is_clean) == ("S1", 1, False)
    assert codes(desk, "clean-shipper", shipper="DS-1", agent="x") == ["shipper-out"]
    desk.ask("return-shipper", shipper="DS-1", condition="fine")
    assert codes(desk, "return-shipper", shipper="DS-1", condition="x") == ["shipper-not-out"]
    desk.ask("clean-shipper", shipper="DS-1", agent="alcohol")
    laned(desk)
    assert codes(desk, "book-shipment", **booking(shipment="S2")) == ["shipper-worn-out"]
    desk.ask("withdraw-shipper", shipper="DS-1", reason="worn out")
    assert "shipper-withdrawn" in codes(desk, "book-shipment", **booking(shipment="S2"))


def test_a_damaged_shipper_is_out_of_service_until_it_is_qualified(desk):
    readied(desk)
    packed(desk)
    desk.ask("prepare-shipment", **sealing())
    desk.ask("return-shipper", shipper="DS-1", condition="dented", damaged=True)

    assert desk.read(Shipper, Stream("shipper/DS-1")).withdrawn
    readied_again = QualifyShipper(shipper="DS-1", report="R", hold_hours=10, profile="p",
                                   due=desk.at + timedelta(days=9), signature=signature())  # fmt: skip
    desk.do(readied_again)
    assert desk.read(Shipper, Stream("shipper/DS-1")).withdrawn is None


@pytest.mark.parametrize(
    ("command", "values", "code"),
    [
        ("register-shipper", {"shipper": "DS-1", "cycles_max": 1}, "shipper-exists"),
        ("register-shipper", {"shipper": "N", "cycles_max": 0}, "shipper-malformed"),
        ("qualify-shipper", {"shipper": "DS-1", "hold_hours": 1, "due": "2020-01-01T00:00:00Z"}, "shipper-malformed"),
        ("qualify-shipper", {"shipper": "DS-1", "hold_hours": 1, "due": "2027-01-01T00:00:00Z"}, "signature-missing"),
        ("clean-shipper", {"shipper": "N"}, "shipper-unknown"),
    ],
)  # fmt: skip
def test_the_fleet_refuses_what_cannot_be(desk, command, values, code):
    readied(desk)
    standard = {
        "register-shipper": {"model": "m", "maker": "m", "serial": "s"},
        "qualify-shipper": {"report": "r", "profile": "p"},
        "clean-shipper": {"agent": "a"},
    }[command]

    assert codes(desk, command, **standard | values) == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lane": "L1"}, "lane-exists"),
        ({"origin_country": "Germany"}, "country-malformed"),
        ({"origin_country": "D1"}, "country-malformed"),
        ({"hours_planned": 99}, "lane-malformed"),
        ({"hours_max": 9999}, "lane-malformed"),
    ],
)
def test_a_lane_that_cannot_be_is_refused(desk, change, code):
    laned(desk)
    asked = {"lane": "L2", "origin": "a", "origin_country": "DE", "destination": "b", "mode": "air",
             "destination_country": "US", "carrier": "c", "hours_planned": 20, "hours_max": 48}  # fmt: skip

    assert codes(desk, "register-lane", **asked | change) == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"hours_p95": 60}, "lane-too-slow"),
        ({"runs": 0}, "lane-malformed"),
        ({}, "signature-missing"),
    ],
)
def test_a_lane_is_qualified_within_its_longest_time(desk, change, code):
    laned(desk, qualified=False)
    asked = {"lane": "L1", "report": "r", "runs": 3, "hours_p95": 30, "due": "2027-01-01T00:00:00Z"}

    assert codes(desk, "qualify-lane", **asked | change) == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"shipper": "DS-2"}, "container-not-packed"),
        ({"containers": ["B1", "B9"]}, "container-not-packed"),
        ({"seal": " "}, "shipment-incomplete"),
    ],
)
def test_a_shipment_is_sealed_as_it_was_packed(desk, change, code):
    readied(desk)
    packed(desk)

    assert codes(desk, "prepare-shipment", **sealing(**change)) == [code]


def test_a_shipment_travels_in_the_shipper_that_was_booked(desk):
    readied(desk)
    laned(desk)
    desk.ask("book-shipment", **booking(shipper="DS-1"))
    desk.ask(
        "create-container", container="DS-2", vessel="shipper", place="plant", evidence="scanned"
    )
    desk.ask("create-container", container="B3", vessel="bag", place="plant", evidence="scanned")
    desk.ask("pack-container", container="B3", into="DS-2", evidence="scanned")

    assert codes(desk, "prepare-shipment", **sealing(shipper="DS-2", containers=["B3"])) == [
        "shipper-not-booked"
    ]


def test_segregation_holds_in_a_shipper(desk):
    packed(desk, ("B1",))
    desk.ask(
        "create-container",
        container="B2",
        vessel="bag",
        place="plant",
        evidence="scanned",
        coi="P2",
    )
    desk.ask(
        "classify-container", container="B2", product_class="cell therapy", infectious="positive"
    )
    desk.ask("pack-container", container="B2", into="DS-1", evidence="scanned")

    assert codes(desk, "prepare-shipment", **sealing()) == ["infectious-beside-negative"]


def test_quarantined_containers_go_under_quarantine_alone(desk):
    packed(desk)
    desk.ask("quarantine-container", container="B1", reason="result open")

    assert codes(desk, "prepare-shipment", **sealing()) == ["container-quarantined"]
    desk.ask("prepare-shipment", **sealing(under_quarantine=True))


def test_a_shipment_not_sealed_is_not_held_or_handed_over(desk):
    assert codes(desk, "hold-shipment", shipment="S1", cause="weather", place="x") == [
        "shipment-not-on-its-way"
    ]
    assert codes(desk, "go-on-shipment", shipment="S1") == ["shipment-not-held"]


def test_a_shipment_stands_still_once_at_a_time(sent):
    sent.ask("hold-shipment", shipment="S1", cause="weather", place="FRA")

    assert codes(sent, "hold-shipment", shipment="S1", cause="weather", place="FRA") == [
        "shipment-held"
    ]
    assert codes(sent, "book-shipment", **booking()) == ["shipper-out"]


def test_a_decision_is_about_what_waits_and_is_signed(sent):
    sent.ask("receive-shipment", "ben", shipment="S1", scanned=["B1", "B2"], seal="77")
    asked = {"shipment": "S1", "accept": True, "reason": "x"}

    assert codes(sent, "decide-shipment", containers=["B9"], **asked) == ["nothing-to-decide"]
    assert codes(sent, "decide-shipment", containers=["B1"], **asked) == ["signature-missing"]


def test_a_summary_that_was_typed_is_refused(sent):
    assert codes(sent, "log-condition", shipment="S1", logged="{}", seal="0" * 64) == [
        "summary-not-made-here"
    ]


# Country pairs


@pytest.mark.parametrize(
    ("origin", "destination", "goods", "verdict", "rule"),
    [
        ("DE", "FR", Goods.GENE_MODIFIED, "open", "eu-no-customs"),
        ("DE", "US", Goods.CELLS, "open", "us-import-hctp"),
        ("US", "IT", Goods.CELLS, "open", "eu-import-tissue-establishment"),
        ("NL", "GB", Goods.GENE_MODIFIED, "open", "gb-import-medicine"),
        ("DE", "CH", Goods.GENE_MODIFIED, "open", "ch-import-medicine"),
        ("DE", "CH", Goods.STARTING_MATERIAL, "not-known", "customs-declaration"),
        ("DE", "BR", Goods.CELLS, "not-known", "customs-declaration"),
    ],
)
def test_the_packaged_rules_tell_what_they_know_and_what_not(
    origin, destination, goods, verdict, rule
):
    found = check_lane(
        origin, destination, goods, day=date(2026, 12, 1), rules=packaged_transport_rules()
    )

    assert found.verdict == verdict
    assert rule in {one.id for one in found.rules}
    assert ("customs-declaration" in {one.id for one in found.rules}) == (
        not packaged_transport_rules().share_customs(origin, destination)
    )
    assert all(one.source for one in (*found.rules, *found.holds))


RULES = {
    "kind": "transport-rules", "id": "countries", "title": "t", "basis": "own",
    "groups": [{"id": "EU", "customs-union": True, "members": ["DE", "FR"]}],
    "told": [{"from": ["any"], "to": ["any"]}],
    "rules": [
        {"id": "stop", "from": ["DE"], "to": ["US"], "goods": ["cells"], "asks": "hold",
         "says": "no flights", "source": "airport", "valid-from": "2026-03-01", "valid-until": "2026-03-10"},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("day", "verdict"),
    [
        ("2026-02-28", "open"),
        ("2026-03-01", "hold"),
        ("2026-03-10", "hold"),
        ("2026-03-11", "open"),
    ],
)
def test_a_hold_stands_from_its_first_day_to_its_last(day, verdict):
    rules = TransportRules.read(RULES)

    found = check_lane("de", "US", Goods.CELLS, day=date.fromisoformat(day), rules=rules)

    assert found.verdict == verdict


def test_a_hold_has_no_door(desk):
    from anlage.custody.transport import must_be_passable

    rules = TransportRules.read(RULES)
    found = check_lane("DE", "US", Goods.CELLS, day=date(2026, 3, 5), rules=rules)
    with pytest.raises(Refused) as refusal:
        must_be_passable(found, accepted="the boss said so")
    assert refusal.value.code == "lane-on-hold"


def test_rules_that_cannot_be_are_refused_with_their_places():
    wrong = RULES | {
        "groups": [{"id": "EU", "members": ["Germany"]}],
        "rules": [{"id": "x", "from": ["Mars"], "to": ["US"], "goods": ["soup"], "asks": "maybe",
                   "says": "s", "source": "s", "read": "yesterday"}],
    }  # fmt: skip
    with pytest.raises(Refused) as refusal:
        check_content(wrong)
    assert {"groups[0].members", "rules[0].goods", "rules[0].asks", "rules[0].read"} <= {
        one.path for one in refusal.value.problems
    }


def test_an_excursion_rule_is_a_definition_and_never_kinetic_for_cells():
    content = {
        "kind": "excursion-rule", "id": "our-car-t", "title": "Our CAR-T", "basis": "own",
        "valid-from": "2026-01-01", "holds": "living-cells",
        "bands": [{"high": "-150", "outside-minutes": 20, "beyond": "quarantine", "why": "hold time"}],
    }  # fmt: skip
    rule = check_content(content).defined.rule

    assert rule.bands[0].high == -150 and rule.bands[0].outside_max == timedelta(minutes=20)
    with pytest.raises(Refused) as refusal:
        check_content(content | {"kinetic": {"limit": "8", "hours": 24}})
    assert refusal.value.problems[0].path == "kinetic"
    with pytest.raises(Refused):
        check_content(
            content | {"bands": [{"low": "8", "high": "2", "beyond": "reject", "why": "x"}]}
        )


# Telemetry


def at(minute):
    return AT + timedelta(minutes=minute)


def test_tilt_counts_when_it_lasts_and_a_shock_at_once():
    samples = [
        Sample(at=at(n), tilt=80 if 10 <= n < 30 or n == 50 else 2, shock=20 if n == 40 else 1,
               light=100 if n >= 58 else 0)
        for n in range(60)
    ]  # fmt: skip

    found = breaches(samples)

    assert [(one.what, one.start, one.worst) for one in found] == [
        ("tilt", at(10), 80), ("shock", at(40), 20), ("light", at(58), 100)
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 180)), max_size=40))
def test_every_lasting_tilt_is_found_once(values):
    samples = [Sample(at=at(n), tilt=t) for n, t in sorted(dict(values).items())]

    found = [one for one in breaches(samples) if one.what == "tilt"]

    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(one.end - one.start > timedelta(minutes=10) for one in found)


# The pool


def received(sent):
    link(sent)
    sent.ask("sign-as-courier", **SIGNING)
    sent.ask("hold-shipment", shipment="S1", cause="customs-inspection", place="CDG")
    sent.at += timedelta(hours=4)
    sent.ask("go-on-shipment", shipment="S1")
    sent.ask("receive-shipment", "ben", shipment="S1", scanned=["B1", "B2"], seal="77")
    return shipment(sent), sent.read(Lane, Stream("lane/L1")).registered


def test_a_lane_record_tells_the_way_and_names_nobody(sent):
    record = lane_record(*received(sent), member="Our Hospital", secret=b"k")
    line = record_line(record)

    assert record["holds"] == [{"cause": "customs-inspection", "hours": 4.0}]
    assert (record["origin"], record["destination"]) == ("DE", "FR")
    for name in (
        "S1",
        "L1",
        "Plant",
        "Clinic",
        "Fast",
        "anna",
        "ben",
        "Our Hospital",
        "P1",
        "LOT-1",
    ):
        assert f'"{name}' not in line
    assert read_records(line, "x")[1] == []


def test_pseudonyms_depend_on_the_houses_own_secret(sent):
    state = received(sent)

    one = lane_record(*state, member="m", secret=b"k")
    other = lane_record(*state, member="m", secret=b"j")

    assert one["id"] != other["id"] and one["lane"] != other["lane"]


def test_a_pool_takes_a_record_once_and_refuses_another_under_its_name(sent):
    record = lane_record(*received(sent), member="m", secret=b"k")

    pool, new = joined([], [record, record])
    again, none = joined(pool, [record])

    assert (len(pool), new, len(again), none) == (1, 1, 1, 0)
    with pytest.raises(Refused) as refusal:
        joined(pool, [record | {"hours": 1.0}])
    assert refusal.value.code == "pool-record-changed"


def test_a_pool_is_asked_by_way_and_cause(sent):
    record = lane_record(*received(sent), member="m", secret=b"k")
    other = record | {"id": "2", "origin": "US", "holds": [], "hours": 10.0}

    said = query([record, other], origin="DE")

    assert (said["records"], said["held"], said["hours_median"]) == (1, 1.0, record["hours"])
    assert said["causes"]["customs-inspection"] == {"holds": 1, "hours_median": 4.0}
    assert query([record, other], cause=HoldCause.WEATHER.value)["hours_median"] is None


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '"x"',
        "null",
        "[" * 5000,
        '{"format": "anlage-lane-record/1"}',
        "x" * 30_000,
        "NaN",
    ],
)
def test_a_line_that_is_no_record_is_left_out_with_its_number(line):
    found, problems = read_records(f"\n{line}\n", "pool.jsonl")

    assert found == []
    assert [(one.code, one.line) for one in problems] == [("pool-record-malformed", 2)]


@settings(deadline=None, max_examples=40)
@given(key=st.sampled_from(["hours", "holds", "verdict", "month", "on_time", "format", "origin"]),
       value=st.one_of(st.none(), st.integers(-5, 10**9), st.text(max_size=5), st.booleans(),
                       st.lists(st.integers(), max_size=2)))  # fmt: skip
def test_a_record_with_another_value_of_the_wrong_kind_never_enters(key, value):
    record = {
        "format": "anlage-lane-record/1", "id": "i", "member": "m", "lane": "l", "origin": "DE",
        "destination": "FR", "mode": "road", "goods": "cells", "month": "2026-03", "hours_planned": 1,
        "hours": 2.0, "holds": [], "verdict": "accept", "on_time": True, "complete": True,
    }  # fmt: skip
    found, problems = read_records(record_line(record | {key: value}), "x")

    assert len(found) + len(problems) == 1
    if found:
        query(found)
        joined([], found)


# Advice


def test_advice_puts_what_may_go_first_and_says_what_stands_against_the_rest(desk):
    readied(desk)
    laned(desk)
    desk.ask("register-shipper", shipper="BOX-1", model="Foam", maker="m", serial="2", cycles_max=9,
             keeps_max={"value": "8", "unit": "Cel"})  # fmt: skip
    lanes = [desk.read(Lane, Stream("lane/L1"))]
    fleet = [desk.read(Shipper, Stream(f"shipper/{one}")) for one in ("BOX-1", "DS-1")]

    found = options(lanes, fleet, rule=rule_for("frozen-car-t"), until=desk.at + timedelta(days=2),
                    survival=lambda stays: Alive(low=0.8, middle=0.9, high=1.0), alive_min=0.7)  # fmt: skip

    assert [(one.shipper, one.may_go) for one in found] == [("DS-1", True), ("BOX-1", False)]
    assert any("keeps 8 degC" in one for one in found[1].against)
    poor = options(lanes, fleet[1:], rule=rule_for("frozen-car-t"), until=desk.at + timedelta(days=2),
                   survival=lambda stays: Alive(low=0.5, middle=0.9, high=1.0), alive_min=0.7)  # fmt: skip
    assert not poor[0].may_go


def test_a_registered_lane_without_facts_is_not_open():
    with pytest.raises(Refused):
        Lane(id="x").must_be_open(until=AT, model="m")
    state = LaneRegistered(origin="a", origin_country="DE", destination="b", destination_country="FR",
                           carrier="c", mode="road", hours_planned=1, hours_max=2)  # fmt: skip
    with pytest.raises(Refused):
        Lane(id="x", registered=state).must_be_open(
            until=datetime(2026, 1, 1, tzinfo=UTC), model="m"
        )


# Delivery without a person

STANDARD = {
    "kind": "unattended-standard", "id": "unattended", "title": "Locker at the ward", "basis": "own",
    "valid-from": "2026-01-01", "wait-minutes": 60, "gap-minutes": 5, "light-lux": 20,
    "tilt-degrees": 30,
    "points": [{"id": "ward-7", "title": "Locker, ward 7", "latitude": "52.5200", "longitude": "13.4050",
                "within-metres": 30}],
}  # fmt: skip


def approved(desk, content=STANDARD):
    """Make the standard effective."""
    from anlage.base import digest
    from anlage.library import DefinitionApproved, DefinitionDrafted, DefinitionSubmitted
    from anlage.record import Entry

    stream, mark = Stream("definition/unattended-standard:unattended"), digest(content)
    desk.keep([
        Entry(stream, DefinitionDrafted(kind_of="unattended-standard", id="unattended", number=1,
                                        title="t", content=content, digest=mark, author="a")),
        Entry(stream, DefinitionSubmitted(number=1, digest=mark, by="a")),
        Entry(stream, DefinitionApproved(number=1, digest=mark, approver="b", effective=AT)),
    ])  # fmt: skip


def leaving(desk, **change):
    return {"shipment": "S1", "point": "ward-7", "device": "robot R-1", "seal": "77",
            "latitude": "52.5201", "longitude": "13.4050", "celsius": "-181.5", "light": "0", "tilt": "3",
            "sampled": desk.at.isoformat().replace("+00:00", "Z")} | change  # fmt: skip


def loaded(desk):
    desk.ask("load-device", shipment="S1", device="robot R-1", seal="77", place="ramp")


def test_a_device_leaves_a_shipment_as_its_standard_asks_and_a_person_collects_it(sent):
    approved(sent)
    loaded(sent)
    sent.ask("leave-unattended", **leaving(sent))
    assert shipment(sent).standing == "waiting-unattended"
    assert shipment(sent).left.metres == 11
    assert shipper(sent).holder == "point ward-7"

    sent.ask("collect-shipment", "ben", shipment="S1", seal="77")

    assert shipper(sent).holder == "ben"
    assert shipment(sent).collected.is_within
    grades = [one.evidence.value for one in shipment(sent).hand_overs]
    assert grades == ["device", "device", "scanned"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"point": "ward-8"}, "unattended-point-unknown"),
        ({"latitude": "52.5300"}, "unattended-too-far"),
        ({"celsius": "-120"}, "unattended-condition"),
        ({"light": "300"}, "unattended-condition"),
        ({"tilt": "80"}, "unattended-condition"),
        ({"light": None}, "unattended-not-read"),
        ({"tilt": None}, "unattended-not-read"),
        ({"sampled": "2026-03-02T08:00:00Z"}, "unattended-stale"),
        ({"sampled": "2026-03-09T08:00:00Z"}, "unattended-stale"),
        ({"device": "robot R-2"}, "not-the-holder"),
        ({"seal": "78"}, "seal-broken"),
    ],
)
def test_a_device_does_not_leave_a_shipment_otherwise(sent, change, code):
    approved(sent)
    loaded(sent)

    assert codes(sent, "leave-unattended", **leaving(sent, **change)) == [code]


def test_every_reason_is_said_at_once(sent):
    approved(sent)
    loaded(sent)

    assert set(codes(sent, "leave-unattended", **leaving(sent, celsius="5", light="300", latitude="0"))) == {
        "unattended-condition", "unattended-too-far"
    }  # fmt: skip


def test_without_a_standard_nothing_is_left_unattended(sent):
    loaded(sent)

    assert codes(sent, "leave-unattended", **leaving(sent)) == ["unattended-no-standard"]


def test_a_standard_holds_from_its_day(sent):
    approved(sent, STANDARD | {"valid-from": "2026-06-01"})
    loaded(sent)

    assert codes(sent, "leave-unattended", **leaving(sent)) == ["unattended-not-in-force"]


def test_what_waited_too_long_is_doubted_at_receipt(sent):
    approved(sent)
    loaded(sent)
    sent.ask("leave-unattended", **leaving(sent))
    sent.at += timedelta(hours=2)
    sent.ask("collect-shipment", "ben", shipment="S1", seal="77")

    sent.ask(
        "receive-shipment", "ben", shipment="S1", scanned=["B1", "B2"], seal="77", verdict="accept"
    )

    state = shipment(sent)
    assert not state.collected.is_within
    assert set(state.received.quarantined) == {"B1", "B2"}
    assert any("waited" in reason for reason in state.received.reasons)


def test_nothing_is_collected_that_does_not_wait(sent):
    assert codes(sent, "collect-shipment", shipment="S1", seal="77") == ["shipment-not-waiting"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"points": []}, "points"),
        ({"points": [{"id": "a", "title": "t", "latitude": "99", "longitude": "0", "within-metres": 5}]}, "points[0].latitude"),
        ({"points": [{"id": "a", "title": "t", "latitude": "9", "longitude": "0", "within-metres": 5000}]}, "points[0].within-metres"),
        ({"wait-minutes": 0}, "wait-minutes"),
        ({"valid-from": "soon"}, "valid-from"),
    ],
)  # fmt: skip
def test_a_standard_that_cannot_be_is_refused(change, path):
    with pytest.raises(Refused) as refusal:
        check_content(STANDARD | change)
    assert path in {one.path for one in refusal.value.problems}
