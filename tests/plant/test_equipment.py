"""Equipment: fit for use, clean, cleared by a second person, one open lot at a time."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from anlage.base import Refused
from anlage.plant import (
    CalibrateEquipment,
    CleanEquipment,
    ClearEquipment,
    EquipmentBoard,
    EquipmentStatus,
    EquipmentUnit,
    Handling,
    LeaveEquipment,
    MoveEquipment,
    PutEquipmentBack,
    QualifyEquipment,
    RegisterEquipment,
    RetireEquipment,
    TakeEquipment,
    TakeEquipmentOut,
    calibrate_equipment,
    check,
    clean_equipment,
    clear_equipment,
    leave_equipment,
    move_equipment,
    put_equipment_back,
    qualify_equipment,
    register_equipment,
    retire_equipment,
    sentence,
    take_equipment,
    take_equipment_out,
)
from anlage.record import Entry, Stream
from tests.plant.bench import CABINET, INCUBATOR, Bench, q, signed


@pytest.fixture
def bench():
    return Bench(EquipmentBoard())


def refusal(what, *arguments, **more):
    with pytest.raises(Refused) as caught:
        what(*arguments, **more)
    return caught.value


def registered(bench, name="BSC-1", terms=CABINET):
    asked = RegisterEquipment(
        equipment=name,
        equipment_class=terms.equipment_class,
        name="safety cabinet",
        maker="Maker",
        model="X",
        serial="1",
        room="R-1",
    )
    bench.keep(register_equipment(bench.unit(name), asked, terms=terms))
    due = bench.at + timedelta(days=30)
    calibrated = CalibrateEquipment(equipment=name, is_passed=True, certificate="aa", due=due)
    bench.keep(calibrate_equipment(bench.unit(name), calibrated, at=bench.at))
    qualified = QualifyEquipment(equipment=name, due=due, report="bb", signature=signed())
    bench.keep(qualify_equipment(bench.unit(name), qualified, at=bench.at))
    return bench.unit(name)


def clean(bench, name="BSC-1", agent="ethanol 70 %", contact="2 min", by="op1"):
    asked = CleanEquipment(equipment=name, agent=agent, contact=q(contact))
    return bench.keep(clean_equipment(bench.unit(name), asked, at=bench.at), by=by)


def clear(bench, name="BSC-1", lot="L-1", by="op2"):
    asked = ClearEquipment(equipment=name, lot=lot, signature=signed(by))
    return bench.keep(clear_equipment(bench.unit(name), asked, at=bench.at), by=by)


def take(bench, name="BSC-1", lot="L-1", handling=Handling.OPEN, **more):
    asked = TakeEquipment(equipment=name, lot=lot, step="wash", handling=handling)
    return bench.keep(take_equipment(bench.unit(name), asked, at=bench.at, **more))


def leave(bench, name="BSC-1", lot="L-1"):
    return bench.keep(leave_equipment(bench.unit(name), LeaveEquipment(equipment=name, lot=lot)))


def test_a_unit_goes_from_lot_to_lot_only_by_cleaning_and_clearance(bench):
    registered(bench)

    assert refusal(take, bench).code == "equipment-not-ready"
    clean(bench)
    assert refusal(take, bench).problem.limit == "cleared for lot L-1"
    clear(bench)
    take(bench)
    leave(bench)
    assert bench.unit("BSC-1").status is EquipmentStatus.TO_BE_CLEANED
    assert refusal(take, bench).code == "equipment-not-ready"
    assert check(bench.facts) == []


def test_who_cleaned_a_unit_cannot_clear_it(bench):
    registered(bench)
    clean(bench, by="op1")

    assert refusal(clear, bench, by="op1").code == "second-person-needed"


def test_a_unit_cleared_for_one_lot_is_not_cleared_for_another(bench):
    registered(bench)
    clean(bench)
    clear(bench, lot="L-1")

    assert refusal(take, bench, lot="L-2").problem.found == "cleared for lot L-1"


def test_two_patients_open_in_one_cabinet_are_impossible_even_when_authorised(bench):
    registered(bench)
    clean(bench)
    clear(bench)
    take(bench)

    assert refusal(take, bench, lot="L-2").code == "segregation-broken"
    assert refusal(take, bench, lot="L-2", authorised=1).code == "segregation-broken"
    closed = refusal(take, bench, lot="L-2", handling=Handling.CLOSED)
    assert closed.code == "segregation-broken"


def test_an_incubator_holds_closed_lots_up_to_its_number(bench):
    registered(bench, "INC-1", INCUBATOR)
    clean(bench, "INC-1")
    clear(bench, "INC-1")
    for lot in ("L-1", "L-2", "L-3"):
        take(bench, "INC-1", lot, Handling.CLOSED)

    fourth = refusal(take, bench, "INC-1", "L-4", Handling.CLOSED)
    opened = refusal(take, bench, "INC-1", "L-1", Handling.OPEN)

    assert fourth.problem.limit == "3 lots, each shut in its set"
    assert opened.code == "segregation-broken"


@pytest.mark.parametrize(("agent", "contact"), [("water", "9 min"), ("ethanol 70 %", "90 s")])
def test_a_cleaning_with_another_agent_or_too_short_is_refused(bench, agent, contact):
    registered(bench)

    assert refusal(clean, bench, agent=agent, contact=contact).code == "cleaning-insufficient"


def test_a_cleaning_does_not_hold_for_ever(bench):
    registered(bench)
    clean(bench)
    clear(bench)
    bench.later(hours=5)

    assert "cleaning held until" in refusal(take, bench).problem.found


def test_calibration_and_qualification_out_of_date_stop_a_unit(bench):
    registered(bench)
    bench.later(days=31)
    clean(bench)
    clear(bench)

    refused = refusal(take, bench)

    assert "calibration ended" in refused.problems[0].found
    assert "qualification ended" in refused.problems[1].found
    assert len(refused.problems) == 2


def test_readings_come_only_from_a_registered_unit_in_calibration(bench):
    registered(bench)
    unknown = bench.unit("BSC-9")

    bench.unit("BSC-1").must_measure(bench.at)
    assert refusal(unknown.must_measure, bench.at).problem.found == "not registered"
    late = bench.at + timedelta(days=31)
    assert refusal(bench.unit("BSC-1").must_measure, late).code == "reading-untrusted"


def test_a_failed_calibration_takes_a_unit_out_and_dates_the_doubt(bench):
    registered(bench)
    good = bench.at
    bench.later(days=3)
    failed = CalibrateEquipment(equipment="BSC-1", is_passed=False, certificate="cc")
    bench.keep(calibrate_equipment(bench.unit("BSC-1"), failed, at=bench.at))

    unit = bench.unit("BSC-1")

    assert unit.status is EquipmentStatus.OUT_OF_SERVICE
    assert unit.doubtful_since == good
    back = PutEquipmentBack(equipment="BSC-1", reason="repaired", signature=signed())
    assert "failed" in refusal(put_equipment_back, unit, back).problem.found


def test_a_unit_out_of_service_stays_out_when_its_lot_leaves(bench):
    registered(bench)
    clean(bench)
    clear(bench)
    take(bench)
    out = TakeEquipmentOut(equipment="BSC-1", reason="fan alarm")
    bench.keep(take_equipment_out(bench.unit("BSC-1"), out))

    leave(bench)

    assert bench.unit("BSC-1").status is EquipmentStatus.OUT_OF_SERVICE
    back = PutEquipmentBack(equipment="BSC-1", reason="fan changed", signature=signed())
    bench.keep(put_equipment_back(bench.unit("BSC-1"), back))
    assert bench.unit("BSC-1").status is EquipmentStatus.TO_BE_CLEANED


def test_a_moved_unit_is_qualified_again(bench):
    registered(bench)

    bench.keep(move_equipment(bench.unit("BSC-1"), MoveEquipment(equipment="BSC-1", room="R-2")))

    assert bench.unit("BSC-1").qualification_due is None
    assert bench.rows("equipment-board").get("BSC-1")["room"] == "R-2"


def test_every_fact_of_a_unit_is_told_in_a_sentence(bench):
    registered(bench)
    clean(bench)
    clear(bench)
    take(bench)
    leave(bench)
    bench.keep(
        retire_equipment(bench.unit("BSC-1"), RetireEquipment(equipment="BSC-1", reason="old"))
    )

    told = [sentence(one) for one in bench.facts]

    assert all(one and one.endswith(".") for one in told)
    assert "Op2 cleared BSC-1 for lot L-1." in told


def test_the_verifier_names_a_second_lot_in_an_open_cabinet(bench):
    registered(bench)
    clean(bench)
    clear(bench)
    (fact,) = take(bench)
    said = fact.fact
    other = type(said)(lot="L-2", step="wash", handling=Handling.OPEN)
    bench.keep([Entry(Stream("equipment/BSC-1"), other)])

    assert "beside L-1" in check(bench.facts)[0].found


LOTS = st.sampled_from(["L-1", "L-2", "L-3"])
HANDLING = st.sampled_from(list(Handling))


class UnitMachine(RuleBasedStateMachine):
    """Whatever is asked in whatever order, an open lot is alone in its unit."""

    @initialize(terms=st.sampled_from([CABINET, INCUBATOR]))
    def begin(self, terms):
        self.bench = Bench(EquipmentBoard())
        registered(self.bench, terms=terms)

    def attempt(self, act, *arguments, **more):
        with suppress(Refused):
            act(self.bench, *arguments, **more)

    @rule(by=st.sampled_from(["op1", "op2"]))
    def clean(self, by):
        self.attempt(clean, by=by)

    @rule(by=st.sampled_from(["op1", "op2"]), lot=LOTS)
    def clear(self, by, lot):
        self.attempt(clear, by=by, lot=lot)

    @rule(lot=LOTS, handling=HANDLING, forced=st.booleans())
    def take(self, lot, handling, forced):
        self.attempt(take, lot=lot, handling=handling, authorised=1 if forced else None)

    @rule(lot=LOTS)
    def leave(self, lot):
        self.attempt(leave, lot=lot)

    @rule(hours=st.integers(1, 6))
    def wait(self, hours):
        self.bench.later(hours=hours)

    @invariant()
    def an_open_lot_is_alone(self):
        unit: EquipmentUnit = self.bench.unit("BSC-1")
        assert len(unit.lots) <= unit.terms.lots_max
        if Handling.OPEN in unit.lots.values():
            assert len(unit.lots) == 1

    @invariant()
    def the_board_says_the_same(self):
        unit, row = self.bench.unit("BSC-1"), self.bench.rows("equipment-board").get("BSC-1")
        assert row["status"] == unit.status
        assert row["lots"] == unit.lots
        assert row["cleared_for"] == unit.cleared_for

    def teardown(self):
        assert check(self.bench.facts) == []


TestUnitMachine = UnitMachine.TestCase
TestUnitMachine.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
