"""Whatever people try with two patients' lots, in any order, the rules hold."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from anlage.base import Refused
from anlage.plant import (
    Lot,
    LotStatus,
    OpenDeviation,
    Outcome,
    ReleaseLot,
    StartStep,
    before_release,
    check_lots,
    open_deviation,
    release_lot,
    shown_release,
    start_step,
)
from anlage.record import Stream
from tests.builders_plant import (
    ANNA,
    BEN,
    COI,
    FRITZ,
    NOBODY,
    Bench,
    a_lot,
    do_step,
    signed,
)
from tests.plant.test_release import close, finish

OTHER = "CHA999926000002"
LOTS = {"L-1": COI, "L-2": OTHER}
STEPS = ("scan", "count", "keep", "thaw", "look", "look:2", "look:3", "take", "add")
READINGS = {
    "count": [
        {"viability": "90.0 %", "state": "fresh"},
        {"viability": "80.0 %", "state": "frozen"},
        {"viability": "10.0 %", "state": "fresh"},
        {"viability": "90.0 mL", "state": "fresh"},
        {},
    ],
    "look": [{"cells": "10 cell"}, {"cells": "200 cell"}, {}],
}
lots = st.sampled_from(tuple(LOTS))


class Making(RuleBasedStateMachine):
    """Two lots of two patients, and everything that people may try."""

    @initialize()
    def begin(self):
        self.bench = Bench()
        for lot, coi in LOTS.items():
            a_lot(self.bench, lot=lot, coi=coi)

    def attempt(self, act, *arguments, **named):
        try:
            act(*arguments, **named)
        except Refused as refusal:
            assert refusal.code and refusal.problem.what

    @rule(lot=lots, operator=st.sampled_from([ANNA, BEN, NOBODY]), data=st.data())
    def do_a_ready_step(self, lot, operator, data):
        state = self.bench.lot(lot)
        keys = [*state.ready, *(one.key for one in state.open_steps)]
        if keys:
            self.complete(lot, data.draw(st.sampled_from(keys)), operator, data)

    @rule(lot=lots, key=st.sampled_from(STEPS), data=st.data())
    def do_any_step(self, lot, key, data):
        self.complete(lot, key, ANNA, data)

    def complete(self, lot, key, operator, data):
        phase = key.partition(":")[0]
        values = {}
        if phase in READINGS:
            values["readings"] = data.draw(st.sampled_from(READINGS[phase]))
        if phase in {"scan", "take", "add"}:
            values["scan"] = data.draw(st.sampled_from([COI, OTHER, None]))
        witness = data.draw(st.sampled_from([ANNA, BEN]))
        self.attempt(
            do_step, self.bench, key, lot=lot, operator=operator, witness=witness, **values
        )

    @rule(lot=lots, key=st.sampled_from(STEPS))
    def start_any_step(self, lot, key):
        def act():
            request = StartStep(lot=lot, step=key)
            state = self.bench.lot(lot)
            self.bench.take(start_step(state, request, operator=ANNA, at=self.bench.at), ANNA)

        self.attempt(act)

    @rule(lot=lots)
    def report(self, lot):
        request = OpenDeviation(lot=lot, title="Seen", description="something")
        state = self.bench.lot(lot)
        entries = open_deviation(state, request, person=ANNA, at=self.bench.at)
        self.bench.take(entries, ANNA)

    @rule(lot=lots, outcome=st.sampled_from([Outcome.ACCEPT, Outcome.REJECT]))
    def close_the_first_deviation(self, lot, outcome):
        for one in self.bench.lot(lot).open_deviations[:1]:
            self.attempt(close, self.bench, one.id, outcome)

    @rule(minutes=st.sampled_from([1, 45, 300, 1000]))
    def wait(self, minutes):
        self.bench.later(minutes=minutes)

    @rule()
    def finish_the_first_lot(self):
        if self.bench.lot("L-1").status is LotStatus.MADE:
            self.attempt(finish, self.bench)

    @rule(lot=lots)
    def try_to_release(self, lot):
        state = self.bench.lot(lot)
        open_things = before_release(state, self.bench.at)
        signature = signed(FRITZ, "released", self.bench.at, **shown_release(state))
        request = ReleaseLot(lot=lot, signature=signature)
        journey = self.bench.journey(LOTS[lot])
        try:
            entries = release_lot(state, request, journey=journey, person=FRITZ, at=self.bench.at)
        except Refused:
            return
        assert open_things == ()
        self.bench.take(entries, FRITZ)

    @invariant()
    def a_lot_never_has_two_open_exclusive_steps(self):
        for lot in LOTS:
            state = self.bench.lot(lot)
            phases = [state.phase_of(one.key) for one in state.open_steps]
            assert sum(phase.is_exclusive for phase in phases) <= 1

    @invariant()
    def nothing_crosses_from_one_patient_to_the_other(self):
        for one in self.bench.facts:
            scan = one.body.get("scan")
            if one.kind == "step-completed" and scan is not None:
                assert scan == LOTS[one.stream.id]

    def teardown(self):
        if hasattr(self, "bench"):
            assert [str(one) for one in check_lots(self.bench.facts)] == []
            for lot in LOTS:
                facts = self.bench.by_stream[Stream(f"lot/{lot}")]
                again = Lot.begin(Stream(f"lot/{lot}"))
                for one in facts:
                    again = again.after(one)
                assert again == self.bench.lot(lot)


Making.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestMaking = Making.TestCase
