"""Doing the steps of a lot: in order, by the right people, on the right cells, within limits."""

from dataclasses import replace

import pytest

from anlage.base import Refused
from anlage.plant import (
    AttachFile,
    AuthoriseException,
    CompleteStep,
    CorrectEntry,
    DispositionDeviation,
    EnterReadings,
    InvestigateDeviation,
    LotStatus,
    MaterialGiven,
    OpenDeviation,
    Outcome,
    Rule,
    ScanIdentity,
    SkipStep,
    StartStep,
    StepStatus,
    attach_file,
    authorise_exception,
    complete_step,
    correct_entry,
    disposition_deviation,
    enter_readings,
    investigate_deviation,
    not_plain,
    open_deviation,
    scan_identity,
    skip_step,
    start_step,
)
from tests.builders_plant import (
    ANNA,
    BEN,
    CLARA,
    EVA,
    GRETA,
    NOBODY,
    Bench,
    a_lot,
    do_step,
    recipe_content,
    request_for,
    run_through,
    signed,
    small_recipe,
    with_signatures,
)


@pytest.fixture
def bench():
    bench = Bench()
    a_lot(bench)
    return bench


def refused(act, *arguments, **named):
    with pytest.raises(Refused) as refusal:
        act(*arguments, **named)
    assert refusal.value.problem.remedy
    return refusal.value.code


@pytest.mark.parametrize("name", ["cd19-car-t", "msc-microcarrier", "ipsc-bank", "small"])
def test_a_lot_runs_through_its_recipe_to_the_end(name):
    bench = Bench()
    a_lot(bench, small_recipe() if name == "small" else recipe_content(name))

    lot = run_through(bench)

    assert lot.status is LotStatus.MADE
    assert lot.open_steps == ()
    assert not lot.ready


@pytest.mark.req("P11.10f")
@pytest.mark.req("P03")
def test_a_step_out_of_order_is_refused(bench):
    assert refused(do_step, bench, "count") == "step-out-of-order"
    assert refused(do_step, bench, "add") == "step-out-of-order"


def test_a_step_that_is_not_in_the_recipe_is_refused(bench):
    request = CompleteStep(lot="L-1", step="dance")
    lot = bench.lot()

    assert refused(complete_step, lot, request, operator=ANNA, at=bench.at) == "step-unknown"


def test_a_completed_step_is_not_done_again(bench):
    do_step(bench, "scan")

    assert refused(do_step, bench, "scan") == "step-done"


@pytest.mark.req("U12")
def test_a_step_is_skipped_only_on_an_authorisation_and_that_leaves_a_sign(bench):
    skip = SkipStep(lot="L-1", step="scan", reason="broken scanner")
    code = refused(skip_step, bench.lot(), skip, operator=ANNA, at=bench.at)
    authorise(bench, "scan", Rule.ORDER, "scan")
    bench.take(skip_step(bench.lot(), skip, operator=ANNA, at=bench.at), ANNA)

    lot = bench.lot()
    assert code == "step-out-of-order"
    assert lot.steps["scan"].status is StepStatus.SKIPPED
    assert lot.ready == ("count",)
    assert [one.kind for one in not_plain(lot)][:3] == [
        "exceptional authorisation",
        "deviation",
        "skipped",
    ]
    assert lot.open_deviations


def test_a_step_done_early_on_an_authorisation_is_passed_over_when_its_turn_comes(bench):
    authorise(bench, "count", Rule.ORDER, "count")
    do_step(bench, "count")
    do_step(bench, "scan")

    assert bench.lot().ready == ("keep",)


@pytest.mark.req("P11.10i")
@pytest.mark.req("A02")
def test_an_unqualified_operator_is_refused(bench):
    assert refused(do_step, bench, "scan", operator=NOBODY) == "operator-unqualified"


def test_an_unqualified_operator_may_do_the_one_step_that_was_authorised_and_no_other(bench):
    authorise(bench, "scan", Rule.OPERATOR, NOBODY.id)

    do_step(bench, "scan", operator=NOBODY)

    assert refused(do_step, bench, "count", operator=NOBODY) == "operator-unqualified"


@pytest.mark.req("U13")
def test_the_identity_of_another_patient_is_refused_and_nothing_opens_that_door(bench):
    code = refused(do_step, bench, "scan", scan="CHA999926000002")

    assert code == "identity-mismatch"
    assert "identity-mismatch" not in {str(rule) for rule in Rule}


def test_a_step_that_asks_for_a_scan_is_not_completed_without_one(bench):
    assert refused(do_step, bench, "scan", scan=None) == "identity-not-scanned"


@pytest.mark.req("U25")
def test_a_scan_is_kept_as_it_was_read_whether_it_fits_or_not(bench):
    for raw in ("&/CHA999926000002", "&/CHA999926000001"):
        request = ScanIdentity(lot="L-1", step="scan", raw=raw)
        bench.take(scan_identity(bench.lot(), request, operator=ANNA), ANNA)

    kept = [one.body for one in bench.facts if one.kind == "identity-scanned"]
    assert [(one["raw"], one["is_match"]) for one in kept] == [
        ("&/CHA999926000002", False),
        ("&/CHA999926000001", True),
    ]
    assert "wrong code scanned" in not_plain(bench.lot())[0].what


@pytest.mark.req("P05")
@pytest.mark.req("U5")
def test_the_witness_is_another_person(bench):
    run_to(bench, "take")

    assert refused(do_step, bench, "take", operator=BEN, witness=BEN) == "person-not-distinct"
    assert refused(do_step, bench, "take", witness=CLARA) == "operator-unqualified"


def test_a_step_is_not_completed_without_its_signature(bench):
    unsigned = request_for(bench.lot(), "scan")

    code = refused(complete_step, bench.lot(), unsigned, operator=ANNA, at=bench.at)

    assert code == "signature-missing"


@pytest.mark.req("P11.70")
@pytest.mark.req("P04")
def test_a_signature_cannot_be_moved_to_other_values(bench):
    do_step(bench, "scan")
    request = with_signatures(request_for(bench.lot(), "count"), bench.at, witness=None)
    moved = replace(request, readings={**request.readings, "viability": "99 %"})

    assert refused(complete_step, bench.lot(), moved, operator=ANNA, at=bench.at) == (
        "signature-unsound"
    )


def test_a_signature_of_another_person_is_refused(bench):
    other = with_signatures(request_for(bench.lot(), "scan"), bench.at, BEN, None)

    assert refused(complete_step, bench.lot(), other, operator=ANNA, at=bench.at) == (
        "signature-unsound"
    )


def test_a_required_reading_is_not_left_out(bench):
    do_step(bench, "scan")

    assert refused(do_step, bench, "count", readings={"state": "fresh"}) == "reading-missing"


@pytest.mark.parametrize("text", ["82,5 %", "82.5", "82.5 mL", "high", "", "nan %", "1e999999 %"])
@pytest.mark.req("U34")
def test_a_value_that_does_not_fit_is_refused_and_never_coerced(bench, text):
    do_step(bench, "scan")

    code = refused(do_step, bench, "count", readings={"viability": text, "state": "fresh"})

    assert code in {"reading-unusable", "text-unusable"}


def test_a_reading_outside_the_warning_limit_is_shown_in_the_review(bench):
    do_step(bench, "scan")
    do_step(bench, "count", readings={"viability": "80.0 %", "state": "fresh"})

    lot = bench.lot()
    assert lot.steps["count"].status is StepStatus.COMPLETED
    assert [one.kind for one in not_plain(lot)] == ["warning limit"]
    assert lot.open_deviations == ()


@pytest.mark.req("P14")
def test_a_reading_outside_the_hard_limit_is_kept_opens_a_deviation_and_holds_the_step(bench):
    do_step(bench, "scan")
    do_step(bench, "count", readings={"viability": "60.0 %", "state": "fresh"})

    lot = bench.lot()
    assert lot.steps["count"].status is StepStatus.HELD
    assert str(lot.readings["count.viability"]) == "60.0 %"
    assert [one.id for one in lot.open_deviations] == ["L-1-D01"]
    assert refused(do_step, bench, "count") == "step-held"


@pytest.mark.req("P16")
def test_a_held_step_goes_on_once_qa_has_dispositioned_its_deviation(bench):
    do_step(bench, "scan")
    do_step(bench, "count", readings={"viability": "60.0 %", "state": "fresh"})
    close(bench, "L-1-D01")
    do_step(bench, "count", readings={})

    lot = bench.lot()
    assert lot.steps["count"].status is StepStatus.COMPLETED
    assert lot.ready == ("keep",)


def test_a_deviation_is_not_dispositioned_before_it_is_investigated(bench):
    do_step(bench, "scan")
    do_step(bench, "count", readings={"viability": "60.0 %", "state": "fresh"})
    request = disposition_of(bench, "L-1-D01")

    deviation = bench.deviation("L-1-D01")
    code = refused(disposition_deviation, deviation, bench.lot(), request, person=EVA, at=bench.at)

    assert code == "deviation-not-investigated"


@pytest.mark.req("P02")
def test_a_condition_on_a_reading_decides_the_branch(bench):
    do_step(bench, "scan")
    do_step(bench, "count", readings={"viability": "90.0 %", "state": "frozen"})

    lot = bench.lot()
    turn = next(one.body for one in bench.facts if one.kind == "turn-taken")
    assert lot.ready == ("thaw",)
    assert turn["because"] == "count.state equals frozen; count.state was frozen"


def test_a_loop_goes_round_until_its_count_is_reached(bench):
    run_to(bench, "look")
    do_step(bench, "look", readings={"cells": "20 cell"})
    again = bench.lot().ready
    do_step(bench, "look:2", readings={"cells": "120 cell"})

    assert again == ("look:2",)
    assert bench.lot().ready == ("take", "add") or set(bench.lot().ready) == {"take", "add"}
    assert bench.lot().open_deviations == ()


def test_a_loop_whose_rounds_are_used_up_goes_on_with_a_deviation(bench):
    run_to(bench, "look")
    for key in ("look", "look:2", "look:3"):
        do_step(bench, key, readings={"cells": "20 cell"})

    lot = bench.lot()
    assert set(lot.ready) == {"take", "add"}
    assert lot.open_deviations[0].title == "feed-loop: all rounds used up"


def test_only_one_exclusive_step_of_a_lot_is_open_at_a_time():
    bench = Bench()
    a_lot(bench, small_recipe(("                  exclusive: false\n", "")))
    run_to(bench, "take")
    start(bench, "take")

    assert refused(start, bench, "add") == "step-exclusive"


def test_steps_of_parallel_branches_may_be_open_side_by_side(bench):
    run_to(bench, "take")
    start(bench, "take")
    start(bench, "add")

    assert {one.key for one in bench.lot().open_steps} == {"take", "add"}


def test_a_hold_past_its_maximum_opens_a_deviation_and_holds_nothing(bench):
    run_to(bench, "keep")
    start(bench, "keep")
    bench.later(hours=5)
    do_step(bench, "keep")

    lot = bench.lot()
    assert lot.ready == ("look",)
    assert lot.open_deviations[0].title == "Keep lasted too long"


def test_a_wait_is_not_ended_before_its_minimum():
    bench = Bench()
    a_lot(bench, small_recipe(("kind: hold, name: Keep, role: operator,",
                               "kind: hold, name: Keep, role: operator, minimum: 30 min,")))  # fmt: skip
    run_to(bench, "keep")
    start(bench, "keep")

    assert refused(do_step, bench, "keep") == "step-too-early"


def test_a_step_past_its_latest_start_goes_on_with_a_deviation(bench):
    run_to(bench, "add")
    bench.later(hours=9)
    do_step(bench, "add")

    lot = bench.lot()
    assert lot.steps["add"].status is StepStatus.COMPLETED
    assert lot.open_deviations[0].title == "Add buffer began late"


@pytest.mark.req("P12")
def test_a_material_that_the_step_does_not_ask_for_is_refused(bench):
    run_to(bench, "add")
    wrong = (MaterialGiven(material="M-1", material_class="bleach", amount="50 mL"),)

    assert refused(do_step, bench, "add", materials=()) == "material-missing"
    assert refused(do_step, bench, "add", materials=wrong) == "material-missing"


def test_an_amount_outside_its_tolerance_is_shown_in_the_review(bench):
    run_to(bench, "add")
    much = (MaterialGiven(material="M-1", material_class="buffer", amount="60 mL"),)
    do_step(bench, "add", materials=much)

    assert [one.kind for one in not_plain(bench.lot())] == ["amount"]


@pytest.mark.req("U21")
def test_a_late_entry_needs_its_reason_and_is_flagged(bench):
    past = bench.at
    bench.later(minutes=30)

    code = refused(do_step, bench, "scan", happened=past)
    do_step(bench, "scan", happened=past, reason="the network was down")

    assert code == "late-entry-unexplained"
    assert [one.kind for one in not_plain(bench.lot())] == ["late entry"]
    assert bench.lot().steps["scan"].completed == past


def test_nothing_happens_in_the_future(bench):
    future = bench.later(hours=1).at
    bench.later(hours=-1)

    assert refused(do_step, bench, "scan", happened=future) == "time-in-future"


@pytest.mark.req("P11.10e")
@pytest.mark.req("P07")
@pytest.mark.req("U6")
def test_a_correction_keeps_old_and_new_value_and_its_reason(bench):
    do_step(bench, "scan")
    do_step(bench, "count")
    correct(bench, "count", "viability", "88.0 %", "typed from the wrong line")

    fact = next(one for one in bench.facts if one.kind == "entry-corrected")
    body = fact.body
    assert body["old"]["number"]["value"] != body["new"]["number"]["value"] == "88.0"
    assert fact.why == body["reason"] == "typed from the wrong line"
    assert bench.facts[body["corrects"]].kind == "step-completed"
    assert not_plain(bench.lot())[0].kind == "correction"


def test_a_correction_past_a_hard_limit_opens_a_deviation(bench):
    do_step(bench, "scan")
    do_step(bench, "count")
    correct(bench, "count", "viability", "50.0 %", "typed from the wrong line")

    assert bench.lot().open_deviations[0].step == "count"


@pytest.mark.req("U8")
def test_a_correction_without_reason_is_refused(bench):
    do_step(bench, "scan")
    do_step(bench, "count")

    assert refused(correct, bench, "count", "viability", "88.0 %", " ") == "text-unusable"
    assert refused(correct, bench, "count", "colour", "red", "x") == "entry-unknown"


def test_readings_may_be_entered_before_the_step_is_completed(bench):
    do_step(bench, "scan")
    start(bench, "count")
    for readings in ({"viability": "90.0 %"}, {"state": "fresh"}):
        request = EnterReadings(lot="L-1", step="count", readings=readings)
        bench.take(enter_readings(bench.lot(), request, operator=ANNA, at=bench.at), ANNA)
    do_step(bench, "count", readings={})

    assert set(bench.lot().steps["count"].readings) == {"viability", "state"}


def test_a_step_that_asks_for_a_picture_is_not_completed_without_one():
    bench = Bench()
    a_lot(bench, small_recipe(("name: Count\n", "name: Count\n            photo: true\n")))
    do_step(bench, "scan")
    start(bench, "count")

    code = refused(do_step, bench, "count")
    file = AttachFile(
        lot="L-1", step="count", name="cells.png", digest="a" * 64, media_type="image/png", size=5
    )
    bench.take(attach_file(bench.lot(), file, person=ANNA), ANNA)
    do_step(bench, "count")

    assert code == "attachment-missing"


def test_a_person_reports_a_deviation_at_a_step(bench):
    do_step(bench, "scan")
    report = OpenDeviation(lot="L-1", title="Spill", description="a drop on the floor", step="scan")
    bench.take(open_deviation(bench.lot(), report, person=ANNA, at=bench.at), ANNA)

    assert bench.deviation("L-1-D01").opener == "anna"
    assert bench.lot().open_deviations[0].step == "scan"


@pytest.mark.parametrize("missing", ["second", "physician"])
def test_the_one_door_needs_two_distinct_persons_and_the_physician(bench, missing):
    people = {"quality": EVA, "second": BEN, "physician": GRETA}
    people[missing] = EVA if missing == "second" else None

    code = refused(authorise, bench, "scan", Rule.ORDER, "scan", **people)

    assert code in {"person-not-distinct", "authorisation-unusable"}


def test_an_authorisation_is_not_given_after_the_act(bench):
    do_step(bench, "scan")

    assert refused(authorise, bench, "scan", Rule.ORDER, "scan") == "step-unknown"


def start(bench, key, operator=ANNA):
    request = StartStep(lot="L-1", step=key)
    bench.take(start_step(bench.lot(), request, operator=operator, at=bench.at), operator)


def run_to(bench, key):
    """Do steps until one is ready; branches not asked for are left alone."""
    for _ in range(20):
        ready = bench.lot().ready
        if key in ready:
            return
        do_step(bench, ready[0])
    raise AssertionError(f"{key} never comes")


def correct(bench, step, parameter, value, reason):
    request = CorrectEntry(
        lot="L-1",
        step=step,
        parameter=parameter,
        value=value,
        reason=reason,
        signature=signed(
            ANNA, "corrected", bench.at, lot="L-1", step=step, parameter=parameter, value=value,
            reason=reason,
        ),
    )  # fmt: skip
    bench.take(correct_entry(bench.lot(), request, person=ANNA, at=bench.at), ANNA)


def authorise(bench, step, rule, subject, quality=EVA, second=BEN, physician=GRETA):
    shown = {"lot": "L-1", "step": step, "rule": str(rule), "subject": subject, "reason": "why"}
    request = AuthoriseException(
        lot="L-1",
        step=step,
        rule=rule,
        subject=subject,
        reason="why",
        quality=signed(quality, "authorised", bench.at, **shown),
        second=signed(second, "authorised", bench.at, **shown),
        physician=signed(physician, "authorised", bench.at, **shown) if physician else None,
    )
    entries = authorise_exception(
        bench.lot(), request, quality=quality, second=second, physician=physician, at=bench.at
    )
    bench.take(entries, quality)


def disposition_of(bench, id, outcome=Outcome.ACCEPT):
    shown = {"deviation": id, "outcome": str(outcome), "conclusion": "no impact"}
    return DispositionDeviation(
        deviation=id,
        outcome=outcome,
        conclusion="no impact",
        signature=signed(EVA, "dispositioned", bench.at, **shown),
    )


def close(bench, id, outcome=Outcome.ACCEPT):
    found = InvestigateDeviation(
        deviation=id,
        root_cause="pipette",
        impact="none",
        signature=signed(ANNA, "investigated", bench.at, deviation=id, root_cause="pipette"),
    )
    bench.take(investigate_deviation(bench.deviation(id), found, person=ANNA), ANNA)
    request = disposition_of(bench, id, outcome)
    deviation = bench.deviation(id)
    entries = disposition_deviation(deviation, bench.lot(), request, person=EVA, at=bench.at)
    bench.take(entries, EVA)


@pytest.mark.req("U17")
def test_a_check_is_asked_for_only_where_the_recipe_says_so():
    bench = Bench()
    a_lot(bench)

    lot = run_through(bench)

    planned = [plan for phase in lot.recipe.phases() for plan in phase.samples]
    without = [step for step in lot.steps.values() if not lot.phase_of(step.key).parameters]
    assert without, "the recipe has steps that ask for no value"
    assert all(not step.readings for step in without)
    assert len(lot.samples) == sum(plan.count for plan in planned)
