"""The store: one container per position, segregation in every move, picklists, audits."""

import contextlib
import itertools

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.custody.memory_desk import AT, MemoryDesk

from anlage.base import Refused
from anlage.custody import Container
from anlage.custody.storage import (
    InfectiousPolicy,
    Keeping,
    Kept,
    PickLine,
    Picklist,
    Place,
    PlaceKind,
    PlaceTerms,
    choose,
    conflicts,
    in_order,
    openings,
    packaged_segregation,
    rule_on,
)
from anlage.record import Stream, sign

COLD = {"value": "-150", "unit": "Cel"}


def signed(person, meaning):
    return sign(
        {}, person=person, name=person, meaning=meaning, method="simulated-person", template="t",
        at=AT,
    )  # fmt: skip


@pytest.fixture
def desk():
    return furnished(MemoryDesk())


def furnished(desk):
    """A site, a nitrogen store with two tanks, a rack and two boxes in each; a cleanroom."""
    desk.ask("register-place", place="SITE", name="Hospital", kind="site", gln="9521101530001")
    desk.ask("register-place", place="LN2", name="Nitrogen store", kind="store", parent="SITE")
    for tank, policy in (("T1", "none"), ("T2", "allowed")):
        desk.ask(
            "register-place", place=tank, name=f"Tank {tank}", kind="tank", parent="LN2",
            keeps_max=COLD, infectious=policy, classes=["cell therapy", "tissue"],
        )  # fmt: skip
        desk.ask(
            "register-place", place=f"{tank}-R1", name="Rack", kind="rack", parent=tank, capacity=6
        )
        for box in ("B1", "B2"):
            desk.ask(
                "register-place", place=f"{tank}-{box}", name="Box", kind="box",
                parent=f"{tank}-R1", rows=9, columns=9,
            )  # fmt: skip
    desk.ask(
        "register-place", place="ROOM", name="Cleanroom", kind="cleanroom", parent="SITE",
        capacity=4, one_patient=True, is_reusable=True, infectious="allowed",
    )  # fmt: skip
    return desk


def bag(desk, name, coi="P1", *, infectious="negative", product="cell therapy", **more):
    desk.ask(
        "create-container", container=name, vessel="cryobag", place="bench", evidence="scanned",
        coi=coi, lot=f"L-{coi}", amount={"value": "20", "unit": "mL"},
    )  # fmt: skip
    desk.ask(
        "classify-container", container=name, product_class=product, infectious=infectious, **more
    )


def put(desk, name, place="T1-B1", position="A1", person="anna"):
    values = {"container": name, "place": place, "position": position, "evidence": "scanned"}
    return desk.ask("store-container", person, **values)


def refused(desk, command, person="anna", **values):
    before = {stream: len(facts) for stream, facts in desk.facts.items()}
    with pytest.raises(Refused) as refusal:
        desk.ask(command, person, **values)
    assert {stream: len(facts) for stream, facts in desk.facts.items()} == before
    return [one.code for one in refusal.value.problems]


def where(desk, name):
    return desk.read(Container, Stream(f"container/{name}"))


def place(desk, name):
    return desk.read(Place, Stream(f"place/{name}"))


def test_a_container_is_put_in_by_scan_and_the_store_answers_for_it(desk):
    bag(desk, "C1")

    put(desk, "C1", position="c07")

    assert where(desk, "C1").place == "T1-B1:C7"
    assert where(desk, "C1").holder == "store LN2"
    assert place(desk, "T1-B1").stowed["C7"].container == "C1"


def test_a_position_takes_one_container(desk):
    bag(desk, "C1")
    bag(desk, "C2")
    put(desk, "C1")

    values = {"container": "C2", "place": "T1-B1", "position": "A1", "evidence": "scanned"}
    assert refused(desk, "store-container", **values) == ["position-occupied"]


@pytest.mark.parametrize("position", ["J1", "A10", "A0", "", "1A", "A-1", "AA1", "A1 B2"])
def test_a_position_outside_the_grid_is_refused(desk, position):
    bag(desk, "C1")

    values = {"container": "C1", "place": "T1-B1", "position": position, "evidence": "scanned"}
    assert refused(desk, "store-container", **values) == ["position-unknown"]


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"infectious": "unknown"}, "infectious-not-allowed"),
        ({"infectious": "positive"}, "infectious-not-allowed"),
        ({"product": "reagent"}, "class-not-allowed"),
        ({"keep_max": {"value": "-160", "unit": "Cel"}}, "temperature-not-kept"),
        ({"coi": "P2", "label_name": "Hartmann J"}, "look-alike-names"),
    ],
)
def test_what_may_not_stand_there_is_refused_with_the_rule(desk, other, code):
    bag(desk, "C1", label_name="Hartman J")
    put(desk, "C1")
    bag(desk, "C2", **{"coi": "P1", **other})

    values = {"container": "C2", "place": "T1-B2", "position": "A1", "evidence": "scanned"}
    with pytest.raises(Refused) as refusal:
        desk.ask("store-container", **values)
    (problem,) = refusal.value.problems
    assert problem.code == code
    assert problem.rule.startswith("segregation ")


def test_positive_and_negative_never_share_a_box(desk):
    bag(desk, "C1", infectious="positive")
    put(desk, "C1", "T2-B1")
    bag(desk, "C2", coi="P2")

    values = {"container": "C2", "place": "T2-B1", "position": "A2", "evidence": "scanned"}
    assert refused(desk, "store-container", **values) == ["infectious-beside-negative"]
    put(desk, "C2", "T2-B2")


def test_two_patients_never_stand_open_side_by_side(desk):
    bag(desk, "C1", is_open=True)
    put(desk, "C1")
    bag(desk, "C2", coi="P2", is_open=True)
    bag(desk, "C3", coi="P2")

    values = {"container": "C2", "place": "T1-B1", "position": "A2", "evidence": "scanned"}
    assert refused(desk, "store-container", **values) == ["two-patients"]
    put(desk, "C3", "T1-B1", "A2")


def test_an_unclassified_container_is_not_put_away(desk):
    desk.ask("create-container", container="C1", vessel="bag", place="bench", evidence="scanned")

    values = {"container": "C1", "place": "T1-B1", "position": "A1", "evidence": "scanned"}
    assert refused(desk, "store-container", **values) == ["container-unclassified"]


def test_a_stored_container_is_moved_by_the_store_alone(desk):
    bag(desk, "C1")
    put(desk, "C1")

    assert refused(desk, "move-container", container="C1", place="bench", evidence="scanned") == [
        "not-the-holder"
    ]
    assert refused(
        desk, "classify-container", container="C1", product_class="x", infectious="negative"
    ) == ["container-stored"]


def test_a_box_is_not_entered_without_a_position(desk):
    bag(desk, "C1")

    for wanted in ("T1-B1", "T1-R1", "T1", "T1-B1:A1"):
        assert refused(
            desk, "move-container", container="C1", place=wanted, evidence="scanned"
        ) == ["place-needs-scan"]


def test_a_wrong_scan_at_taking_out_is_refused(desk):
    bag(desk, "C1")
    put(desk, "C1")

    values = {"container": "C1", "scanned": "C2", "to": "bench", "evidence": "scanned"}
    assert refused(desk, "take-container", **values) == ["identity-mismatch"]
    desk.ask("take-container", "ben", **values | {"scanned": "C1"})
    assert where(desk, "C1").holder == "ben"
    assert place(desk, "T1-B1").stowed == {}


def test_a_container_in_no_position_is_not_taken_out(desk):
    bag(desk, "C1")

    values = {"container": "C1", "scanned": "C1", "to": "bench", "evidence": "scanned"}
    assert refused(desk, "take-container", **values) == ["container-not-stored"]


def test_a_box_moves_with_its_content_where_the_content_is_allowed(desk):
    bag(desk, "C1", infectious="positive")
    put(desk, "C1", "T2-B1")

    assert refused(desk, "move-place", place="T2-B1", into="T1-R1", reason="space") == [
        "infectious-not-allowed"
    ]
    bag(desk, "C2")
    put(desk, "C2", "T1-B1")
    desk.ask("move-place", place="T1-B1", into="T2-R1", slot="5", reason="tank is serviced")
    assert place(desk, "T1-B1").parent == "T2-R1"
    assert place(desk, "T1-R1").children == {"T1-B2": "2"}
    assert place(desk, "T2-R1").children["T1-B1"] == "5"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"into": "T1-B2"}, "place-misplaced"),
        ({"into": "NONE"}, "place-unknown"),
        ({"into": "T2-R1", "slot": "1"}, "slot-not-free"),
        ({"into": "T2-R1", "slot": "9"}, "slot-not-free"),
    ],
)
def test_a_box_is_brought_where_it_fits(desk, change, code):
    asked = {"place": "T1-B1", "reason": "space"} | change

    assert refused(desk, "move-place", **asked) == [code]


def test_a_rack_is_not_brought_into_itself(desk):
    desk.ask("register-place", place="T3", name="Tank", kind="tank", parent="LN2")

    assert refused(desk, "move-place", place="LN2", into="T3", reason="x") == ["place-misplaced"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"place": "T1"}, "place-exists"),
        ({"kind": "site"}, "place-misplaced"),
        ({"parent": None}, "place-misplaced"),
        ({"parent": "T1-B1"}, "place-misplaced"),
        ({"parent": "nowhere"}, "place-unknown"),
        ({"rows": 0, "columns": 0}, "place-terms-unusable"),
        ({"rows": 9, "columns": 0}, "place-terms-unusable"),
        ({"rows": 900}, "place-terms-unusable"),
        ({"capacity": 5}, "place-terms-unusable"),
        (
            {"keeps_min": COLD, "keeps_max": {"value": "-196", "unit": "Cel"}},
            "place-terms-unusable",
        ),
        ({"keeps_max": {"value": "1", "unit": "mL"}}, "unit-mismatch"),
        ({"gln": "9521101530002"}, "gln-malformed"),
        ({"place": "a:b"}, "identifier-malformed"),
        ({"name": "  "}, "text-unusable"),
        ({"slot": "1"}, "slot-not-free"),
    ],
)
def test_a_place_that_cannot_be_is_refused(desk, change, code):
    asked = {
        "place": "NEW",
        "name": "Box",
        "kind": "box",
        "parent": "T1-R1",
        "rows": 9,
        "columns": 9,
    }

    assert refused(desk, "register-place", **asked | change) == [code]


def test_terms_are_not_changed_under_what_stands_there(desk):
    bag(desk, "C1")
    put(desk, "C1")

    assert refused(desk, "change-place", place="T1", reason="x", classes=["tissue"]) == [
        "class-not-allowed"
    ]
    assert refused(desk, "close-place", place="T1-B1", reason="x") == ["place-not-empty"]
    desk.ask("close-place", place="T1-B2", reason="broken")
    assert refused(desk, "close-place", place="T1-B2", reason="x") == ["place-unknown"]


def test_a_cleanroom_keeps_patients_apart_and_is_cleared_between_them(desk):
    bag(desk, "C1")
    bag(desk, "C2", coi="P2")
    into = {"place": "ROOM", "evidence": "scanned"}
    desk.ask("move-container", container="C1", **into)

    assert refused(desk, "move-container", container="C2", **into) == ["two-patients"]
    desk.ask("move-container", container="C1", place="bench", evidence="scanned")
    assert place(desk, "ROOM").stowed == {}
    assert refused(desk, "move-container", container="C2", **into) == [
        "place-not-cleared", "too-soon-after-patient"
    ]  # fmt: skip
    assert refused(desk, "clear-place", place="ROOM") == ["place-not-cleaned"]
    assert refused(
        desk, "clean-place", place="ROOM", agent="spray", contact={"value": "0", "unit": "min"}
    ) == ["cleaning-too-short"]
    contact = {"value": "10", "unit": "min"}
    desk.ask("clean-place", place="ROOM", agent="sporicide", contact=contact)
    assert refused(desk, "clear-place", place="ROOM") == ["second-person-missing"]
    assert refused(desk, "clear-place", "ben", place="ROOM") == ["signature-missing"]
    from anlage.custody.storage import ClearPlace

    desk.do(ClearPlace(place="ROOM", signature=signed("ben", "cleared")), "ben", minutes=20)
    desk.ask("move-container", container="C2", **into)
    assert where(desk, "C2").holder == "anna"


def test_quarantine_is_kept_and_left_by_signature_alone(desk):
    from anlage.custody.storage import ReleaseContainer

    bag(desk, "C1")
    put(desk, "C1")
    desk.ask("quarantine-container", container="C1", reason="late result")

    assert refused(desk, "quarantine-container", container="C1", reason="x") == [
        "container-quarantined"
    ]
    assert refused(desk, "make-picklist", order="dose", containers=["C1"]) == [
        "container-quarantined"
    ]
    assert refused(desk, "release-container", container="C1", reason="ok") == ["signature-missing"]
    desk.do(ReleaseContainer(container="C1", reason="ok", signature=signed("anna", "released")))
    assert desk.read(Keeping, Stream("container/C1")).quarantined is None
    assert refused(desk, "release-container", container="C1", reason="ok") == [
        "container-not-quarantined"
    ]


def test_a_picklist_is_confirmed_line_by_line_and_refuses_a_wrong_scan(desk):
    for name, box, position in (
        ("C1", "T2-B1", "B1"),
        ("C2", "T1-B1", "A10"[:2]),
        ("C3", "T1-B1", "A2"),
    ):
        bag(desk, name)
        put(desk, name, box, position)
    desk.ask("make-picklist", order="dose of P1", containers=["C1", "C2", "C3"])
    name = "PL26-00001"
    made = desk.read(Picklist, Stream(f"picklist/{name}"))
    assert [one.container for one in made.made.lines] == ["C2", "C3", "C1"]

    assert refused(
        desk, "take-container", container="C3", scanned="C3", to="bench", evidence="scanned"
    ) == ["container-promised"]
    assert refused(desk, "make-picklist", order="x", containers=["C3"]) == ["container-promised"]
    pick = {"picklist": name, "to": "ROOM", "evidence": "scanned"}
    assert refused(desk, "pick-container", container="C2", scanned="C3", **pick) == [
        "identity-mismatch"
    ]
    desk.ask("pick-container", container="C2", scanned="C2", **pick)
    assert where(desk, "C2").place == "ROOM"
    assert place(desk, "ROOM").stowed["1"].container == "C2"
    assert refused(desk, "pick-container", container="C2", scanned="C2", **pick) == [
        "pick-not-open"
    ]
    desk.ask("skip-pick", picklist=name, container="C3", reason="order was changed")
    desk.ask("take-container", container="C3", scanned="C3", to="bench", evidence="scanned")
    desk.ask("pick-container", container="C1", scanned="C1", **pick)
    assert desk.read(Picklist, Stream(f"picklist/{name}")).is_done


def test_a_picklist_names_stored_containers_each_once(desk):
    bag(desk, "C1")

    assert refused(desk, "make-picklist", order="x", containers=["C1"]) == ["container-not-stored"]
    assert refused(desk, "make-picklist", order="x", containers=[]) == ["picklist-malformed"]
    put(desk, "C1")
    assert refused(desk, "make-picklist", order="x", containers=["C1", "C1"]) == [
        "picklist-malformed"
    ]


def test_an_audit_turns_differences_into_facts(desk):
    for name, box, position in (
        ("C1", "T1-B1", "A1"),
        ("C2", "T1-B1", "A2"),
        ("C3", "T1-B2", "A1"),
    ):
        bag(desk, name)
        put(desk, name, box, position)
    scan = {"place": "T1-B1", "evidence": "scanned"}

    assert refused(desk, "audit-place", scanned=["C1", "C3"], **scan) == ["aside-missing"]
    desk.ask("audit-place", "ben", scanned=["C1", "C3", "STRANGER"], aside="bench", **scan)

    assert where(desk, "C2").place is None
    assert (where(desk, "C3").place, where(desk, "C3").holder) == ("bench", "ben")
    assert set(place(desk, "T1-B1").stowed) == {"A1"}
    assert place(desk, "T1-B2").stowed == {}
    desk.ask("audit-place", scanned=["C2"], place="T1-B2", evidence="scanned", aside="bench")
    assert where(desk, "C2").place == "bench"


def test_an_audit_sees_what_stands_in_another_position(desk):
    for name, position in (("C1", "A1"), ("C2", "A2")):
        bag(desk, name)
        put(desk, name, "T1-B1", position)
    scan = {"place": "T1-B1", "evidence": "scanned"}

    assert refused(desk, "audit-place", positions={"A2": "C1"}, scanned=["C2"], **scan) == [
        "audit-malformed"
    ]
    assert refused(desk, "audit-place", positions={"Z9": "C1"}, **scan) == ["audit-malformed"]
    desk.ask("audit-place", positions={"A2": "C1", "A1": "C2"}, **scan)
    assert where(desk, "C1").place == "T1-B1:A2"
    assert where(desk, "C2").place == "T1-B1:A1"
    assert place(desk, "T1-B1").stowed["A2"].container == "C1"


def test_a_container_that_ends_or_is_missed_leaves_its_position(desk):
    bag(desk, "C1")
    put(desk, "C1")

    desk.ask("miss-container", container="C1", evidence="scanned")

    assert place(desk, "T1-B1").stowed == {}


def test_a_holder_without_the_role_does_not_store(desk):
    from anlage.library import PersonRegistered
    from anlage.record import Entry

    desk.keep([Entry(Stream("person/otto"), PersonRegistered(id="otto", name="Otto"))])
    bag(desk, "C1")

    with pytest.raises(Refused) as refusal:
        put(desk, "C1", person="otto")
    assert refusal.value.code == "operator-unqualified"


def test_a_shelf_takes_as_many_as_it_holds(desk):
    desk.ask(
        "register-place", place="SH", name="Shelf", kind="shelf", parent="LN2", capacity=1,
        keeps_max=COLD,
    )  # fmt: skip
    bag(desk, "C1")
    bag(desk, "C2")
    put(desk, "C1", "SH", "")

    values = {"container": "C2", "place": "SH", "evidence": "scanned"}
    assert refused(desk, "store-container", **values) == ["place-full"]
    assert refused(desk, "store-container", **values | {"place": "T1"}) == [
        "place-holds-no-containers"
    ]


@given(rows=st.integers(1, 52), columns=st.integers(1, 100))
def test_the_names_of_a_grid_are_read_as_they_are_written(rows, columns):
    terms = PlaceTerms(rows=rows, columns=columns)
    names = terms.names()

    assert len(set(names)) == len(names) == rows * columns
    assert [terms.position(one) for one in names[:: max(1, len(names) // 50)]] == list(
        names[:: max(1, len(names) // 50)]
    )


LINES = st.lists(
    st.builds(
        lambda tank, rack, box, at: PickLine(
            container=f"{tank}{rack}{box}{at}", way=("S", "R", f"T{tank}", f"{tank}K{rack}",
            f"{tank}{rack}B{box}"), position=f"A{at}"),
        st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.integers(1, 9),
    ),
    min_size=1, max_size=7, unique_by=lambda one: one.container,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(LINES)
def test_no_other_order_opens_fewer_lids(lines):
    least = min(openings(way) for way in itertools.islice(itertools.permutations(lines), 5040))

    assert openings(in_order(lines)) == least


@settings(deadline=None, max_examples=60)
@given(LINES, st.integers(1, 7))
def test_no_other_choice_opens_fewer_tanks(lines, count):
    chosen = choose(lines, count)
    wanted = min(count, len(lines))
    tanks = {one.way[:3] for one in lines}
    least = next(
        size for size in range(1, len(tanks) + 1)
        for some in itertools.combinations(tanks, size)
        if sum(1 for one in lines if one.way[:3] in some) >= wanted
    )  # fmt: skip

    assert len(chosen) == wanted
    assert len({one.way[:3] for one in chosen}) <= least


class Store(RuleBasedStateMachine):
    """Any sequence of acts, allowed or refused, leaves the store sound."""

    names = tuple(f"C{n}" for n in range(8))
    boxes = ("T1-B1", "T1-B2", "T2-B1", "T2-B2", "ROOM")

    @initialize(data=st.data())
    def furnish(self, data):
        self.desk = furnished(MemoryDesk())
        # Mostly what may be stored at all, so that pairs meet.
        kinds = st.tuples(
            st.sampled_from(["P1", "P2", "P3", None]),
            st.sampled_from(["negative"] * 5 + ["positive", "unknown"]),
            st.sampled_from(["cell therapy"] * 4 + ["reagent"]),
            st.sampled_from(["", "Meier", "Maier"]),
            st.booleans(),
        )
        for name in self.names:
            coi, infectious, product, label, is_open = data.draw(kinds)
            bag(self.desk, name, coi, infectious=infectious, product=product, label_name=label,
                is_open=is_open)  # fmt: skip

    def attempt(self, command, **values):
        with contextlib.suppress(Refused):
            self.desk.ask(command, **values)

    @rule(
        name=st.sampled_from(names),
        box=st.sampled_from(boxes),
        at=st.sampled_from(["A1", "A2", "B1", "1", ""]),
    )
    def put(self, name, box, at):
        values = {"container": name, "place": box, "position": at, "evidence": "scanned"}
        self.attempt("store-container", **values)

    @rule(
        name=st.sampled_from(names),
        box=st.sampled_from(boxes),
        at=st.sampled_from(["A1", "A2", "B1"]),
    )
    def restow(self, name, box, at):
        values = {"container": name, "place": box, "position": at, "evidence": "scanned"}
        self.attempt("restow-container", **values)

    @rule(name=st.sampled_from(names), to=st.sampled_from(["bench", "ROOM", "T1-B1"]))
    def take(self, name, to):
        self.attempt("take-container", container=name, scanned=name, to=to, evidence="scanned")

    @rule(name=st.sampled_from(names), to=st.sampled_from(["bench", "ROOM", "T1-B1", "corridor"]))
    def move(self, name, to):
        self.attempt("move-container", container=name, place=to, evidence="scanned")

    @rule(box=st.sampled_from(boxes), rack=st.sampled_from(["T1-R1", "T2-R1"]))
    def move_box(self, box, rack):
        self.attempt("move-place", place=box, into=rack, reason="space")

    @rule(names=st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    def pick(self, names):
        self.attempt("make-picklist", order="x", containers=names)

    @rule(name=st.sampled_from(names), how=st.sampled_from(["discarded", "used-up"]))
    def finish(self, name, how):
        self.attempt("finish-container", container=name, how=how, evidence="scanned")

    @rule(
        box=st.sampled_from(boxes), names=st.lists(st.sampled_from(names), max_size=4, unique=True)
    )
    def audit(self, box, names):
        self.attempt("audit-place", place=box, scanned=names, aside="bench", evidence="scanned")

    @invariant()
    def one_container_per_position_and_one_position_per_container(self):
        if not hasattr(self, "desk"):
            return
        stood = {}
        for box in self.boxes:
            for position, one in place(self.desk, box).stowed.items():
                assert one.container not in stood
                stood[one.container] = f"{box}:{position}"
        for name in self.names:
            state = where(self.desk, name)
            recorded = state.place or ""
            if name in stood:
                assert recorded in (stood[name], "ROOM")
            else:
                assert ":" not in recorded
                assert recorded != "ROOM"
            if state.end is None:
                assert state.amount.value == 20

    @invariant()
    def segregation_holds(self):
        """Looked at afresh, without the code that judges."""
        if not hasattr(self, "desk"):
            return
        by_rack = {}
        for box in self.boxes:
            here = place(self.desk, box)
            said = [
                self.desk.read(Keeping, Stream(f"container/{one.container}"))
                for one in here.stowed.values()
            ]
            facts = [(one.coi, one.said.infectious.value, one.said.product_class, one.said.label_name, one.said.is_open)
                     for one in said]  # fmt: skip
            tank = (here.parent or "")[:2]
            by_rack.setdefault(here.parent, []).extend(facts)
            statuses = {one[1] for one in facts}
            if tank == "T1":
                assert statuses <= {"negative"}
            if tank in ("T1", "T2"):
                assert {one[2] for one in facts} <= {"cell therapy", "tissue"}
            if box == "ROOM":
                assert len({one[0] for one in facts} - {None}) <= 1
            for one, other in itertools.combinations(facts, 2):
                two = None not in (one[0], other[0]) and one[0] != other[0]
                assert not (two and one[4] and other[4])
                mixed = one[1] != other[1] and "negative" in (one[1], other[1])
                assert not mixed or (one[0] == other[0] is not None)
        for facts in by_rack.values():
            for one, other in itertools.combinations(facts, 2):
                two = None not in (one[0], other[0]) and one[0] != other[0]
                assert not (two and {one[3], other[3]} <= {"Meier", "Maier"})


QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a store takes minutes
Store.TestCase.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, phases=QUICK
)
TestStore = Store.TestCase


def test_the_strictest_place_around_decides():
    tank = Place(id="T", kind=PlaceKind.TANK, terms=PlaceTerms(infectious=InfectiousPolicy.NONE))
    box = Place(
        id="B", kind=PlaceKind.BOX,
        terms=PlaceTerms(rows=1, columns=1, infectious=InfectiousPolicy.ALLOWED),
    )  # fmt: skip

    assert not rule_on([box, tank]).takes_infectious
    assert not rule_on([Place(id="S")]).takes_infectious


def test_a_rule_set_without_a_mandatory_test_is_refused():
    from anlage.library import check_content

    content = {
        "kind": "segregation-rules", "id": "s", "title": "t", "basis": "own", "valid-from": "2026-01-01",
        "rules": [{"test": "look-alike", "within": "around", "reason": "r", "source": "s"},
                  {"test": "time-between-patients", "reason": "r", "source": "s"},
                  {"test": "clearance", "within": "around", "reason": "r", "source": "s"}],
    }  # fmt: skip
    with pytest.raises(Refused) as refusal:
        check_content(content)
    assert {one.path for one in refusal.value.problems} == {
        "rules",
        "rules[1].minutes",
        "rules[2].within",
    }


def test_a_test_that_the_site_left_out_does_not_hold():
    rules = packaged_segregation()
    from dataclasses import replace

    fewer = replace(rules, rules=tuple(r for r in rules.rules if r.test != "look-alike"))
    one = Kept(id="a", product_class="x", coi="P1", label_name="Meier")
    other = Kept(id="b", product_class="x", coi="P2", label_name="Maier")
    spot = rule_on(
        [Place(id="B", kind=PlaceKind.BOX, terms=PlaceTerms(infectious=InfectiousPolicy.ALLOWED))]
    )

    assert [p.code for p in conflicts(one, spot, [other], rules=rules)] == ["look-alike-names"]
    assert conflicts(one, spot, [other], rules=fewer) == []
