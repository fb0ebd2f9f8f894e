"""A patient's journey: everything in its order, for this patient and no other."""

from datetime import timedelta

import pytest

from anlage.base import Refused
from anlage.plant import (
    AcceptCollection,
    BeginLot,
    CancelJourney,
    CheckPatient,
    ClearLymphodepletion,
    ConfirmBedside,
    FailCollection,
    JourneyStage,
    OrderCollection,
    OrderProduct,
    ReceiveDose,
    RecordFollowUp,
    RecordInfusion,
    WithdrawConsent,
    accept_collection,
    begin_lot,
    cancel_journey,
    check_patient,
    clear_lymphodepletion,
    confirm_bedside,
    fail_collection,
    order_collection,
    order_product,
    receive_dose,
    record_follow_up,
    record_infusion,
    withdraw_consent,
)
from tests.builders_plant import (
    ANNA,
    COI,
    GRETA,
    HANS,
    IRIS,
    JAN,
    KURT,
    Approved,
    Bench,
    a_lot,
    an_accepted_journey,
    run_through,
    signed,
    small_recipe,
)
from tests.plant.test_release import finish, release

OTHER = "CHA999926000002"


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture(scope="module")
def released():
    bench = Bench()
    a_lot(bench)
    run_through(bench)
    finish(bench)
    release(bench)
    return bench


def copy_of(bench):
    return Bench(
        facts=list(bench.facts),
        by_stream={stream: list(facts) for stream, facts in bench.by_stream.items()},
        clock=type(bench.clock)(bench.at),
    )


def refused(act, *arguments, **named):
    with pytest.raises(Refused) as refusal:
        act(*arguments, **named)
    assert refusal.value.problem.remedy
    return refusal.value.code


@pytest.mark.req("U15")
def test_the_chain_of_identity_begins_with_the_order(bench):
    an_accepted_journey(bench)

    assert bench.facts[0].kind == "product-ordered"
    assert {one.stream for one in bench.facts} == {f"journey/{COI}"}


def test_an_id_is_not_ordered_twice(bench):
    an_accepted_journey(bench)

    assert refused(an_accepted_journey, bench) == "journey-out-of-order"


def test_a_collection_is_not_ordered_before_checks_consent_and_slot(bench):
    order = OrderProduct(
        product="small", subject="s", indication="i", treatment_site="w",
        signature=signed(GRETA, "prescribed", bench.at, product="small", subject="s"),
    )  # fmt: skip
    bench.take(order_product(bench.journey(), order, physician=GRETA, at=bench.at), GRETA)
    asked = OrderCollection(coi=COI, site="w", planned=bench.at)

    code = refused(order_collection, bench.journey(), asked, person=HANS, at=bench.at)
    incomplete = CheckPatient(coi=COI, checks={"identity": "pass"})

    assert code == "journey-out-of-order"
    assert refused(
        check_patient, bench.journey(), incomplete, person=HANS, at=bench.at
    ) == "consent-missing"  # fmt: skip


def test_the_collection_of_another_patient_is_not_accepted(bench):
    an_accepted_journey(bench)
    taken = bench.by_stream[bench.journey().stream]
    bench.by_stream[bench.journey().stream] = taken[:-1]
    wrong = AcceptCollection(coi=COI, container="BAG-0001", scan=OTHER)
    bag = AcceptCollection(coi=COI, container="BAG-0002", scan=COI)

    for request in (wrong, bag):
        code = refused(accept_collection, bench.journey(), request, person=KURT, at=bench.at)
        assert code == "identity-mismatch"


def test_a_failed_collection_is_followed_by_another(bench):
    an_accepted_journey(bench)
    taken = bench.by_stream[bench.journey().stream]
    bench.by_stream[bench.journey().stream] = taken[:-1]
    failed = FailCollection(coi=COI, reason="too few cells")
    bench.take(fail_collection(bench.journey(), failed, person=IRIS, at=bench.at), IRIS)
    again = OrderCollection(coi=COI, site="w", planned=bench.at)
    bench.take(order_collection(bench.journey(), again, person=HANS, at=bench.at), HANS)

    assert bench.journey().stage is JourneyStage.COLLECTION_ORDERED


def test_a_lot_does_not_begin_before_the_collection_is_accepted(bench):
    an_accepted_journey(bench)
    taken = bench.by_stream[bench.journey().stream]
    bench.by_stream[bench.journey().stream] = taken[:-1]

    code = refused(
        begin_lot, bench.lot(), BeginLot(lot="L-1", product="small", coi=COI),
        recipe=Approved(small_recipe()), product_version=1, journey=bench.journey(),
        person=ANNA, at=bench.at,
    )  # fmt: skip

    assert code == "journey-out-of-order"


def clear(bench, **changes):
    shown = {"coi": COI, "exception": changes.get("exception")}
    request = ClearLymphodepletion(
        coi=COI, signature=signed(GRETA, "cleared", bench.at, **shown), **changes
    )
    second = changes.pop("second_person", None)
    bench.take(
        clear_lymphodepletion(
            bench.journey(), request, physician=GRETA, second=second, at=bench.at
        ),
        GRETA,
    )


def arrive(bench, scan=COI, integrity="intact"):
    request = ReceiveDose(coi=COI, container="DOSE-1", scan=scan, integrity=integrity)
    bench.take(receive_dose(bench.journey(), request, person=IRIS, at=bench.at), IRIS)


def confirm(bench, second=JAN, **changes):
    shown = {"coi": COI, "container": changes.get("container", "DOSE-1")}
    values = {"band_scan": COI, "bag_scan": "DOSE-1", "container": "DOSE-1", **changes}
    request = ConfirmBedside(
        coi=COI, second=second.id, **values,
        signature=signed(IRIS, "confirmed", bench.at, **shown),
        verified=signed(second, "verified", bench.at, **shown),
    )  # fmt: skip
    entries = confirm_bedside(bench.journey(), request, nurse=IRIS, second=second, at=bench.at)
    bench.take(entries, IRIS)


def infuse(bench, container="DOSE-1"):
    request = RecordInfusion(
        coi=COI, container=container, began=bench.at, ended=bench.at, volume="20 mL",
        signature=signed(IRIS, "infused", bench.at, coi=COI, container=container),
    )  # fmt: skip
    bench.take(record_infusion(bench.journey(), request, person=IRIS, at=bench.at), IRIS)


def test_nobody_is_prepared_before_the_dose_is_released_and_on_site(released):
    bench = copy_of(released)

    assert refused(clear, bench) == "journey-out-of-order"
    arrive(bench)
    clear(bench)
    assert bench.journey().stage is JourneyStage.CLEARED


def test_a_written_exception_needs_a_second_physician(released):
    bench = copy_of(released)

    code = refused(clear, bench, exception="the disease moves too fast")

    assert code == "signature-missing"


@pytest.mark.req("P24")
@pytest.mark.parametrize(
    "changes",
    [
        {"band_scan": OTHER},
        {"band_scan": "DOSE-1"},
        {"bag_scan": OTHER},
        {"bag_scan": COI},
        {"bag_scan": "DOSE-2"},
        {"container": "DOSE-2"},
    ],
)
def test_at_the_bedside_the_wrong_band_or_bag_stops_everything(released, changes):
    bench = copy_of(released)
    arrive(bench)
    clear(bench)

    assert refused(confirm, bench, **changes) == "identity-mismatch"
    assert refused(infuse, bench) == "journey-out-of-order"


def test_the_bedside_check_is_done_by_two_persons(released):
    bench = copy_of(released)
    arrive(bench)
    clear(bench)

    assert refused(confirm, bench, second=IRIS) == "person-not-distinct"


def test_a_dose_that_is_not_intact_is_not_received(released):
    bench = copy_of(released)

    assert refused(arrive, bench, integrity="cracked") == "dose-unavailable"
    assert refused(arrive, bench, scan=OTHER) == "identity-mismatch"


@pytest.mark.req("B06")
def test_after_the_infusion_fifteen_years_of_follow_up_are_due(released):
    bench = copy_of(released)
    arrive(bench)
    clear(bench)
    confirm(bench)
    infuse(bench)
    journey = bench.journey()

    years = int(journey.due[-1][:4]) - bench.at.year
    done = RecordFollowUp(coi=COI, due=journey.due[0], summary="well")
    bench.take(record_follow_up(journey, done, person=IRIS), IRIS)

    assert years == 15 or years == 14
    assert journey.due[0] in bench.journey().done
    assert refused(record_follow_up, bench.journey(), done, person=IRIS) == "reading-unusable"


def test_without_consent_nothing_more_is_done_to_the_patient(released):
    bench = copy_of(released)
    arrive(bench)
    clear(bench)
    withdrawn = WithdrawConsent(coi=COI, reason="the patient's wish")
    bench.take(withdraw_consent(bench.journey(), withdrawn, person=IRIS), IRIS)

    assert refused(confirm, bench) == "consent-missing"


def test_a_given_product_is_not_cancelled(released):
    bench = copy_of(released)
    arrive(bench)
    clear(bench)
    confirm(bench)
    infuse(bench)
    request = CancelJourney(coi=COI, reason="late")

    assert refused(
        cancel_journey, bench.journey(), request, person=HANS, at=bench.at
    ) == "journey-out-of-order"  # fmt: skip


def test_an_infusion_of_the_future_is_refused(released):
    bench = copy_of(released)
    arrive(bench)
    clear(bench)
    confirm(bench)
    request = RecordInfusion(
        coi=COI, container="DOSE-1", began=bench.at, ended=bench.at + timedelta(hours=2),
        volume="20 mL", signature=signed(IRIS, "infused", bench.at, coi=COI, container="DOSE-1"),
    )  # fmt: skip

    assert refused(record_infusion, bench.journey(), request, person=IRIS, at=bench.at) == (
        "reading-unusable"
    )
