"""From samples to the certificate: results, out of specification, review, release and its blocks."""

from dataclasses import replace

import pytest

from anlage.base import Refused
from anlage.plant import (
    AllocateDose,
    ApproveResult,
    AssessExceptionalRelease,
    CheckPatient,
    DispositionDeviation,
    EnterResult,
    FillDoses,
    FilledContainer,
    GiveConsent,
    HoldLot,
    InvalidateResult,
    InvestigateDeviation,
    JourneyStage,
    LotStatus,
    OpenDeviation,
    OrderProduct,
    Outcome,
    RecallLot,
    ReceiveSample,
    RejectLot,
    ReleaseLot,
    RequestExceptionalRelease,
    ResumeLot,
    ReviewAuditTrail,
    ReviewBatch,
    StoreSample,
    TerminateLot,
    VoidLot,
    allocate_dose,
    approve_result,
    assess_exceptional_release,
    before_release,
    certificate,
    check_lots,
    check_patient,
    disposition_deviation,
    enter_result,
    fill_doses,
    give_consent,
    hold_lot,
    invalidate_result,
    investigate_deviation,
    open_deviation,
    order_product,
    recall_lot,
    receive_sample,
    reject_lot,
    release_lot,
    request_exceptional_release,
    resume_lot,
    review_audit_trail,
    review_batch,
    shown_release,
    shown_review,
    store_sample,
    terminate_lot,
    void_lot,
)
from tests.builders_plant import (
    ANNA,
    CLARA,
    COI,
    DAVID,
    EVA,
    FRITZ,
    GRETA,
    HANS,
    KURT,
    Bench,
    a_lot,
    do_step,
    run_through,
    signed,
    small_recipe,
)

TESTS = {"viability": "90.0 %", "sterility": "no growth", "mycoplasma": "not detected"}


def judge(attribute, reported, detection, quantitation):
    failed = reported in {"50.0 %", "growth", "detected"}
    return ("fail" if failed else "pass"), f"{attribute} {reported}", ()


@pytest.fixture
def bench():
    bench = Bench()
    a_lot(bench)
    return bench


@pytest.fixture
def made(bench):
    run_through(bench)
    return bench


def codes(bench):
    return {one.code for one in before_release(bench.lot(), bench.at)}


def refused(act, *arguments, **named):
    with pytest.raises(Refused) as refusal:
        act(*arguments, **named)
    return refusal.value


@pytest.mark.req("L01")
@pytest.mark.req("U3")
def test_a_lot_goes_from_samples_over_results_and_reviews_to_the_release(made):
    finish(made)
    release(made)

    assert made.lot().status is LotStatus.RELEASED
    assert made.journey().stage is JourneyStage.DOSE_RELEASED
    assert check_lots(made.facts) == []


@pytest.mark.req("P15")
def test_release_is_blocked_by_everything_open_and_says_who_owns_it_and_until_when(made):
    blocked = refused(release, made)

    found = {one.found for one in blocked.problems}
    assert found == {
        "result-missing", "sample-not-stored", "nothing-filled", "batch-review-missing",
        "audit-trail-review-missing",
    }  # fmt: skip
    sterility = next(one for one in blocked.problems if "sterility" in one.what)
    assert sterility.remedy.startswith("qc-analyst:")
    assert sterility.limit.startswith("expected 2026-03-")


def test_a_running_lot_names_the_step_and_its_role_before_release(bench):
    first = before_release(bench.lot(), bench.at)[0]

    assert (first.code, first.subject, first.owner) == ("step-to-do", "scan", "operator")
    assert first.expected > bench.at


@pytest.mark.req("ANNEX11.15")
def test_only_the_qp_releases_and_only_one_who_did_not_make_or_review_it(made):
    finish(made)

    assert refused(release, made, person=EVA).code == "operator-unqualified"
    maker = replace(ANNA, roles=frozenset({"releaser"}))
    reviewer = replace(EVA, roles=frozenset({"releaser"}))
    assert refused(release, made, person=maker).code == "person-not-distinct"
    assert refused(release, made, person=reviewer).code == "person-not-distinct"


def test_a_release_is_signed_under_its_certificate(made):
    finish(made)
    other = signed(FRITZ, "released", made.at, lot="L-1", coi=COI, certificate="0" * 64)

    code = refused(release, made, signature=other).code

    assert code == "signature-unsound"


def test_an_entry_after_the_review_asks_for_the_review_again(made):
    finish(made)
    report = OpenDeviation(lot="L-1", title="Late news", description="a leak was seen")
    made.take(open_deviation(made.lot(), report, person=ANNA, at=made.at), ANNA)

    assert codes(made) == {
        "deviation-open", "batch-review-missing", "audit-trail-review-missing",
    }  # fmt: skip


def test_a_review_of_an_older_page_is_refused(made):
    lot = made.lot()
    stale = lot.content_version - 1
    request = ReviewBatch(
        lot="L-1", through=stale, comment="x",
        signature=signed(EVA, "reviewed", made.at, **shown_review(lot, stale, is_full=False)),
    )  # fmt: skip

    assert refused(review_batch, lot, request, person=EVA, at=made.at).code == (
        "lot-not-releasable"
    )


@pytest.mark.req("ANNEX11.9")
def test_the_audit_trail_is_reviewed_by_somebody_who_took_no_part(made):
    maker = replace(ANNA, roles=frozenset({"qa-reviewer"}))

    assert refused(review_trail, made, person=maker).code == "person-not-distinct"


def test_a_result_is_approved_by_another_than_the_analyst(made):
    sample = take_in(made, "viability")
    enter(made, sample, "viability")

    assert refused(approve, made, sample, "viability", person=CLARA).code == "person-not-distinct"


@pytest.mark.req("U28")
def test_a_failed_result_opens_its_investigation_and_blocks_the_release(made):
    finish(made, reported={**TESTS, "viability": "50.0 %"})

    opened = made.lot().open_deviations
    assert [one.attribute for one in opened] == ["viability"]
    assert {"result-failed", "deviation-open"} <= codes(made)


def test_a_result_is_not_repeated_until_it_passes(made):
    sample = take_in(made, "viability")
    enter(made, sample, "viability", "50.0 %")

    assert refused(enter, made, sample, "viability").code == "result-missing"


def test_a_result_is_set_aside_only_for_a_proven_error_of_the_laboratory(made):
    sample = take_in(made, "viability")
    enter(made, sample, "viability", "50.0 %")
    code = refused(set_aside, made, sample, "viability", "L-1-D01").code
    investigate(made, "L-1-D01", is_laboratory_error=True)
    set_aside(made, sample, "viability", "L-1-D01")
    enter(made, sample, "viability", "91.0 %")
    approve(made, sample, "viability")

    assert code == "result-missing"
    assert made.lot().results["viability"].reported == "91.0 %"


def test_a_product_out_of_specification_is_released_only_on_request_assessment_and_signature(made):
    finish(made, reported={**TESTS, "viability": "50.0 %"})
    close(made, "L-1-D01", Outcome.ACCEPT)
    review(made)
    review_trail(made)
    blocked = {one.found for one in refused(release, made).problems}
    request(made)
    still = {one.found for one in refused(release, made).problems}
    assess(made)
    released = release(made, meaning="released exceptionally")

    assert blocked == still == {"result-failed"}
    assert released[0].body["is_exceptional"] is True
    assert made.journey().is_exceptional
    assert check_lots(made.facts) == []


def test_an_exceptional_release_still_waits_for_everything_else(made):
    finish(made, reported={**TESTS, "viability": "50.0 %"})
    request(made)
    assess(made)

    assert {one.found for one in refused(release, made).problems} >= {"deviation-open"}


def test_a_final_result_may_come_after_release_and_a_late_failure_opens_a_deviation():
    bench = Bench()
    a_lot(bench, later=("sterility",))
    run_through(bench)
    finish(bench, reported={name: one for name, one in TESTS.items() if name != "sterility"})
    released = release(bench)
    sample = next(one for one in bench.lot().samples.values() if "sterility" in one.tests).id
    enter(bench, sample, "sterility", "growth")

    assert released[0].body["pending"] == ["sterility"]
    assert bench.lot().open_deviations[0].attribute == "sterility"


def test_a_deviation_closed_against_the_product_blocks_the_release(made):
    report = OpenDeviation(lot="L-1", title="Leak", description="the bag leaks", step="add")
    made.take(open_deviation(made.lot(), report, person=ANNA, at=made.at), ANNA)
    close(made, "L-1-D01", Outcome.REJECT)
    finish(made)

    assert codes(made) == {"deviation-rejects"}


def test_nobody_dispositions_a_deviation_of_the_own_step(made):
    report = OpenDeviation(lot="L-1", title="Leak", description="the bag leaks", step="add")
    made.take(open_deviation(made.lot(), report, person=ANNA, at=made.at), ANNA)
    maker = replace(ANNA, roles=frozenset({"qa-reviewer"}))

    assert refused(close, made, "L-1-D01", Outcome.ACCEPT, person=maker).code == (
        "person-not-distinct"
    )


def test_a_held_lot_takes_no_work_until_it_is_resumed(bench):
    hold = HoldLot(lot="L-1", reason="water in the room")
    bench.take(hold_lot(bench.lot(), hold, person=EVA, at=bench.at), EVA)
    code = refused(do_step, bench, "scan").code
    resume = ResumeLot(lot="L-1", reason="dry again")
    bench.take(resume_lot(bench.lot(), resume, person=EVA, at=bench.at), EVA)
    do_step(bench, "scan")

    assert code == "lot-not-running"
    assert bench.lot().ready == ("count",)


@pytest.mark.parametrize("how", ["reject", "terminate"])
def test_an_ended_lot_takes_no_more_work(bench, how):
    end(bench, how)

    assert refused(do_step, bench, "scan").code == "lot-not-running"
    assert codes(bench) == {"lot-ended"}


def test_a_lot_in_which_something_was_done_is_terminated_and_not_voided(bench):
    do_step(bench, "scan")
    request_ = VoidLot(lot="L-1", reason="wrong product chosen")

    assert refused(void_lot, bench.lot(), request_, person=ANNA, at=bench.at).code == (
        "lot-not-running"
    )


def test_a_released_lot_can_be_called_back(made):
    finish(made)
    release(made)
    recall = RecallLot(
        lot="L-1", reason="growth",
        signature=signed(FRITZ, "recalled", made.at, lot="L-1", reason="growth"),
    )  # fmt: skip
    made.take(recall_lot(made.lot(), recall, person=FRITZ, at=made.at), FRITZ)

    assert made.lot().status is LotStatus.RECALLED


@pytest.mark.req("L02")
@pytest.mark.req("U35")
def test_the_certificate_shows_results_as_they_were_reported(made):
    finish(made)

    found = {one["attribute"]: one["reported"] for one in certificate(made.lot())["results"]}
    assert found == TESTS


@pytest.mark.req("U16")
def test_one_allogeneic_lot_serves_many_patients_one_container_each():
    bench = Bench()
    a_lot(bench, {**small_recipe(), "shape": "allogeneic"})
    run_through(bench)
    finish(bench, containers=("B-1", "B-2"))
    release(bench)
    patient(bench, "CHA999926000007")
    patient(bench, "CHA999926000008")

    allocate(bench, "B-1", "CHA999926000007")
    code = refused(allocate, bench, "B-1", "CHA999926000008").code
    allocate(bench, "B-2", "CHA999926000008")

    assert code == "dose-unavailable"
    assert [one.coi for one in bench.lot().containers.values()] == [
        "CHA999926000007", "CHA999926000008",
    ]  # fmt: skip
    assert bench.journey("CHA999926000008").stage is JourneyStage.DOSE_RELEASED


def patient(bench, coi):
    at = bench.at
    order = OrderProduct(
        product="small", subject="s", indication="i", treatment_site="w", scheme="allogeneic",
        signature=signed(GRETA, "prescribed", at, product="small", subject="s"),
    )  # fmt: skip
    bench.take(order_product(bench.journey(coi), order, physician=GRETA, at=at), GRETA)
    checks = {"identity": "pass", "eligibility": "pass", "infectious-markers": "pass"}
    check = CheckPatient(coi=coi, checks=checks)
    bench.take(check_patient(bench.journey(coi), check, person=HANS, at=at), HANS)
    consent = GiveConsent(coi=coi, form="f", form_version="1")
    bench.take(give_consent(bench.journey(coi), consent, person=HANS, at=at), HANS)


def allocate(bench, container, coi):
    asked = AllocateDose(lot="L-1", container=container, coi=coi)
    bench.take(
        allocate_dose(bench.lot(), bench.journey(coi), asked, person=KURT, at=bench.at), KURT
    )


def take_in(bench, attribute):
    mark = next(one for one in bench.lot().samples.values() if attribute in one.tests)
    if str(bench.sample(mark.id).status) == "taken":
        receive = ReceiveSample(sample=mark.id, laboratory="QC")
        sample = bench.sample(mark.id)
        bench.take(receive_sample(sample, receive, person=CLARA, at=bench.at), CLARA)
    return mark.id


def enter(bench, sample, attribute, reported=None):
    reported = reported or TESTS[attribute]
    shown = {"sample": sample, "attribute": attribute, "reported": reported}
    asked = EnterResult(**shown, method="m", signature=signed(CLARA, "tested", bench.at, **shown))
    state = bench.sample(sample)
    entries = enter_result(state, bench.lot(), asked, analyst=CLARA, judge=judge, at=bench.at)
    bench.take(entries, CLARA)


def approve(bench, sample, attribute, person=DAVID):
    reported = bench.sample(sample).results[attribute].fact.reported
    shown = {"sample": sample, "attribute": attribute, "reported": reported}
    asked = ApproveResult(
        sample=sample, attribute=attribute, signature=signed(person, "approved", bench.at, **shown)
    )
    state = bench.sample(sample)
    bench.take(approve_result(state, bench.lot(), asked, person=person, at=bench.at), person)


def set_aside(bench, sample, attribute, deviation):
    shown = {"sample": sample, "attribute": attribute, "reason": "wrong dilution"}
    asked = InvalidateResult(
        **shown, deviation=deviation, signature=signed(EVA, "invalidated", bench.at, **shown)
    )
    entries = invalidate_result(
        bench.sample(sample), bench.lot(), bench.deviation(deviation), asked, person=EVA,
        at=bench.at,
    )  # fmt: skip
    bench.take(entries, EVA)


def investigate(bench, id, is_laboratory_error=False):
    found = InvestigateDeviation(
        deviation=id, root_cause="cause", impact="none", is_laboratory_error=is_laboratory_error,
        signature=signed(ANNA, "investigated", bench.at, deviation=id, root_cause="cause"),
    )  # fmt: skip
    bench.take(investigate_deviation(bench.deviation(id), found, person=ANNA), ANNA)


def close(bench, id, outcome, person=EVA):
    investigate(bench, id)
    shown = {"deviation": id, "outcome": str(outcome), "conclusion": "so"}
    asked = DispositionDeviation(
        deviation=id, outcome=outcome, conclusion="so",
        signature=signed(person, "dispositioned", bench.at, **shown),
    )  # fmt: skip
    state = bench.deviation(id)
    entries = disposition_deviation(state, bench.lot(), asked, person=person, at=bench.at)
    bench.take(entries, person)


def finish(bench, reported=TESTS, containers=("DOSE-1",)):
    for mark in bench.lot().samples.values():
        if mark.tests:
            continue
        store = StoreSample(sample=mark.id, place="N2/A1")
        sample = bench.sample(mark.id)
        bench.take(store_sample(sample, bench.lot(), store, person=CLARA), CLARA)
    for attribute, value in reported.items():
        sample = take_in(bench, attribute)
        enter(bench, sample, attribute, value)
        approve(bench, sample, attribute)
    fills = tuple(FilledContainer(container=one, amount="20 mL") for one in containers)
    fill = FillDoses(lot="L-1", fills=fills)
    bench.take(fill_doses(bench.lot(), fill, person=ANNA, at=bench.at), ANNA)
    review(bench)
    review_trail(bench)


def review(bench):
    lot = bench.lot()
    asked = ReviewBatch(
        lot="L-1", through=lot.version, comment="seen",
        signature=signed(EVA, "reviewed", bench.at, **shown_review(lot, lot.version, is_full=False)),
    )  # fmt: skip
    bench.take(review_batch(lot, asked, person=EVA, at=bench.at), EVA)


def review_trail(bench, person=EVA):
    lot = bench.lot()
    asked = ReviewAuditTrail(
        lot="L-1", through=lot.version, comment="seen",
        signature=signed(
            person, "audit trail reviewed", bench.at, lot="L-1", through=lot.version
        ),
    )  # fmt: skip
    bench.take(review_audit_trail(lot, asked, person=person, at=bench.at), person)


def release(bench, person=FRITZ, meaning="released", signature=None):
    lot = bench.lot()
    signature = signature or signed(person, meaning, bench.at, **shown_release(lot))
    asked = ReleaseLot(lot="L-1", signature=signature)
    journey = bench.journey() if lot.coi else None
    entries = release_lot(lot, asked, journey=journey, person=person, at=bench.at)
    return bench.take(entries, person)


def request(bench):
    shown = {"lot": "L-1", "attributes": ["viability"], "reason": "no other chance"}
    asked = RequestExceptionalRelease(
        lot="L-1", attributes=("viability",), reason="no other chance",
        signature=signed(GRETA, "requested", bench.at, **shown),
    )  # fmt: skip
    entries = request_exceptional_release(
        bench.lot(), asked, physician=GRETA, journey=bench.journey(), at=bench.at
    )
    bench.take(entries, GRETA)


def assess(bench):
    shown = {"lot": "L-1", "assessment": "weighed", "is_supported": True}
    asked = AssessExceptionalRelease(**shown, signature=signed(EVA, "assessed", bench.at, **shown))
    bench.take(assess_exceptional_release(bench.lot(), asked, person=EVA, at=bench.at), EVA)


def end(bench, how):
    act, cls, person, word = {
        "reject": (reject_lot, RejectLot, FRITZ, "rejected"),
        "terminate": (terminate_lot, TerminateLot, EVA, "terminated"),
    }[how]
    asked = cls(
        lot="L-1", reason="lost", signature=signed(person, word, bench.at, lot="L-1", reason="lost")
    )
    bench.take(act(bench.lot(), asked, person=person, at=bench.at), person)
