"""Gating-ML 2.0: the reference gates event by event, boundaries, and documents that lie."""

import json
from pathlib import Path

import numpy
import pytest

from anlage.base import Refused
from anlage.cli import shell
from anlage.lab.flow import (
    Cells,
    Dimension,
    Ellipsoid,
    Log,
    Logicle,
    Polygon,
    Rectangle,
    Strategy,
    Writing,
    gate,
    populations,
    read_fcs,
    read_gatingml,
    shares,
    signal_of,
    write_fcs,
    write_gatingml,
)

HEAD = """<?xml version="1.0"?>{doctype}
<gating:Gating-ML xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating"
 xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations"
 xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes">{body}</gating:Gating-ML>"""


def a_document(body, doctype=""):
    return HEAD.format(body=body, doctype=doctype).encode()


def a_range(name="R", sides='gating:min="1" gating:max="3"', more="", channel="A", on=""):
    return (
        f'<gating:RectangleGate gating:id="{name}" {more}>'
        f'<gating:dimension gating:compensation-ref="uncompensated" {sides} {on}>'
        f'<data-type:fcs-dimension data-type:name="{channel}" /></gating:dimension>'
        "</gating:RectangleGate>"
    )


def a_sample(events, names=("A", "B")):
    return read_fcs(write_fcs(Writing(names=names), numpy.array(events, float)))


def marks(sample, body, name="R"):
    return gate(sample, read_gatingml(a_document(body))).membership[name].tolist()


@pytest.fixture
def gates(shared_data):
    return shared_data / "flow_cytometry" / "gatingml"


@pytest.mark.shared
@pytest.mark.req("L05")
def test_every_reference_gate_holds_exactly_the_events_of_the_truth(gates):
    sample = read_fcs(gates / "data1.fcs")
    truth = {
        path.stem.removeprefix("Results_"): numpy.loadtxt(path, dtype=bool)
        for path in (gates / "truth").iterdir()
    }
    met = set()
    for path in sorted((gates / "gml").iterdir()):
        for name, found in gate(sample, read_gatingml(path)).membership.items():
            if name in truth:
                assert numpy.count_nonzero(found != truth[name]) == 0, (path.name, name)
                met.add(name)
    assert met == set(truth)
    assert len(met) == 35


@pytest.mark.shared
def test_the_whole_document_agrees_with_flowkit_on_every_gate(gates):
    import flowkit

    document = gates / "gml" / "gml_all_gates.xml"
    expected = flowkit.parse_gating_xml(str(document)).gate_sample(
        flowkit.Sample(str(gates / "data1.fcs"))
    )

    found = gate(read_fcs(gates / "data1.fcs"), read_gatingml(document)).membership

    assert len(found) == 49
    for name, held in found.items():
        assert numpy.array_equal(held, expected.get_gate_membership(name)), name


@pytest.mark.shared
def test_compensated_and_scaled_gates_on_a_real_tube_agree_with_flowkit(shared_data, tmp_path):
    import flowkit

    path = shared_data / "flow_cytometry" / "flowkit" / "100715.fcs"
    seven, four = Dimension("G610-A", "FCS", "L"), Dimension("V655-A", "FCS", "L")
    triangle = Polygon(
        id="P", dimensions=(seven, four), vertices=((0.2, 0.3), (0.7, 0.3), (0.5, 1))
    )
    box = Rectangle(
        id="R", dimensions=(four, Dimension("V800-A", "FCS", "L")), sides=((0.4, 0.8), (None, 0.5))
    )
    strategy = Strategy(gates={"P": triangle, "R": box}, scales={"L": Logicle(262_144, 1, 4.5, 0)})
    document = tmp_path / "gates.xml"
    document.write_text(write_gatingml(strategy))
    expected = flowkit.parse_gating_xml(str(document)).gate_sample(flowkit.Sample(str(path)))

    found = gate(read_fcs(path), strategy)

    for name, held in found.membership.items():
        assert 1_000 < numpy.count_nonzero(held) < 64_000
        assert numpy.array_equal(held, expected.get_gate_membership(name))


@pytest.mark.shared
def test_a_document_written_again_holds_the_same_events(gates):
    sample = read_fcs(gates / "data1.fcs")
    strategy = read_gatingml(gates / "gml" / "gml_all_gates.xml")

    again = read_gatingml(write_gatingml(strategy).encode())

    before, after = gate(sample, strategy).membership, gate(sample, again).membership
    assert before.keys() == after.keys()
    assert all(numpy.array_equal(before[name], after[name]) for name in before)


def test_a_range_holds_its_minimum_and_not_its_maximum():
    sample = a_sample([[0.5, 0], [1, 0], [2, 0], [3, 0]])

    assert marks(sample, a_range()) == [False, True, True, False]


def test_an_open_side_has_no_bound_and_no_number_is_in_no_gate():
    sample = a_sample([[numpy.inf, 0], [-numpy.inf, 0], [numpy.nan, 0]])

    assert marks(sample, a_range(sides='gating:min="1"')) == [True, False, False]
    assert marks(sample, a_range(sides='gating:max="1"')) == [False, True, False]


def test_a_child_holds_only_events_of_its_parent_wherever_it_stands():
    body = a_range("Child", 'gating:min="0"', 'gating:parent_id="R"') + a_range()
    sample = a_sample([[0.5, 0], [2, 0]])

    assert marks(sample, body, "Child") == [False, True]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(workers, rng):
    sample = a_sample(rng.normal(0, 2, (50_000, 2)))
    dimensions = (Dimension("A"), Dimension("B"))
    polygon = Polygon(id="P", dimensions=dimensions, vertices=((-2, -2), (2, -1), (0, 3)))
    strategy = Strategy(gates={"P": polygon})

    found = gate(sample, strategy, keep=dimensions, workers=workers)

    alone = gate(sample, strategy, workers=1)
    assert numpy.array_equal(found.membership["P"], alone.membership["P"])
    assert numpy.array_equal(found.values, sample.events())


def test_a_polygon_holds_what_flowutils_says_even_on_its_edges(rng):
    from flowutils.gating import points_in_polygon

    grid = numpy.stack(numpy.meshgrid(numpy.arange(-1, 9, 0.5), numpy.arange(-1, 9, 0.5)), -1)
    points = grid.reshape(-1, 2)
    sample = a_sample(points)
    for _ in range(40):
        vertices = rng.integers(0, 8, (int(rng.integers(3, 9)), 2)).astype(float)
        polygon = Polygon(
            id="P",
            dimensions=(Dimension("A"), Dimension("B")),
            vertices=tuple((x, y) for x, y in vertices.tolist()),
        )
        found = gate(sample, Strategy(gates={"P": polygon})).membership["P"]
        assert numpy.array_equal(found, points_in_polygon(vertices, points))


def test_a_ball_is_an_ellipsoid_with_unit_covariance(rng):
    events = rng.normal(0, 1, (2_000, 3))
    names = ("A", "B", "C")
    sphere = Ellipsoid(
        id="S",
        dimensions=tuple(map(Dimension, names)),
        centre=(0, 0, 0),
        covariance=((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        distance_square=2.0,
    )
    sample = a_sample(events, names)

    found = gate(sample, Strategy(gates={"S": sphere})).membership["S"]

    assert numpy.array_equal(found, (sample.events() ** 2).sum(axis=0) <= 2.0)


def test_a_quadrant_with_two_cuts_has_three_cells_and_each_event_lies_in_one():
    cells = {
        f"Q{place}": Cells(id=f"Q{place}", dimensions=(Dimension("A"),), sides=(side,), group="Q")
        for place, side in enumerate([(None, 1.0), (1.0, 2.0), (2.0, None)])
    }
    found = gate(a_sample([[0, 0], [1, 0], [1.5, 0], [2, 0]]), Strategy(gates=dict(cells)))

    assert numpy.array_equal(sum(found.membership.values()), numpy.ones(4))
    assert [found.count(name) for name in cells] == [1, 2, 1]


UNSAFE = {
    "entities": a_document("", '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'),
    "an outside entity": a_document("", '<!DOCTYPE x SYSTEM "file:///etc/passwd">'),
    "not closed": b"<gating:Gating-ML",
    "nothing": b"",
    "too deep": b"<a>" * 5_000 + b"</a>" * 5_000,
    "entities in UTF-16": ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x []><x/>').encode(
        "utf-16"
    ),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_unsafe_or_broken_xml_is_refused(case):
    with pytest.raises(Refused) as refusal:
        read_gatingml(UNSAFE[case])
    assert refusal.value.code == "flow-xml"


WRONG = {
    "not Gating-ML": (b"<html/>", "gatingml-root"),
    "version 1.5": (
        b'<Gating-ML xmlns="http://www.isac-net.org/std/Gating-ML/v1.5/gating"/>', "gatingml-root",
    ),
    "no id": (a_document("<gating:RectangleGate/>"), "gatingml-gate"),
    "no dimension": (a_document('<gating:RectangleGate gating:id="R"/>'), "gatingml-gate"),
    "no side": (a_document(a_range(sides="")), "gatingml-gate"),
    "a side of nan": (a_document(a_range(sides='gating:min="nan"')), "gatingml-gate"),
    "sides crossed": (
        a_document(a_range(sides='gating:min="3" gating:max="1"')), "gatingml-gate",
    ),
    "the same id twice": (a_document(a_range() + a_range()), "gatingml-gate"),
    "two vertices": (
        a_document('<gating:PolygonGate gating:id="P"/>'), "gatingml-gate",
    ),
    "no parent": (a_document(a_range(more='gating:parent_id="X"')), "gatingml-reference"),
    "no scale": (
        a_document(a_range(on='gating:transformation-ref="X"')), "gatingml-reference",
    ),
    "its own parent": (a_document(a_range(more='gating:parent_id="R"')), "gatingml-cycle"),
    "a circle": (
        a_document(
            a_range("A", more='gating:parent_id="B"') + a_range("B", more='gating:parent_id="A"')
        ),
        "gatingml-cycle",
    ),
    "an unknown scale": (
        a_document('<transforms:transformation transforms:id="T"><transforms:odd/>'
                   "</transforms:transformation>"),
        "gatingml-gate",
    ),
    "a side beyond reason": (a_document(a_range(sides='gating:min="1e308"')), "gatingml-gate"),
    "a scale of no height": (
        a_document('<transforms:transformation transforms:id="T"><transforms:logicle '
                   'transforms:T="1e-308" transforms:W="1" transforms:M="4" transforms:A="0"/>'
                   "</transforms:transformation>"),
        "transform-parameter",
    ),
    "not of two": (
        a_document(
            a_range() + '<gating:BooleanGate gating:id="N"><gating:not>'
            '<gating:gateReference gating:ref="R"/><gating:gateReference gating:ref="R"/>'
            "</gating:not></gating:BooleanGate>"
        ),
        "gatingml-gate",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_document_that_contradicts_itself_is_refused(case):
    document, code = WRONG[case]

    with pytest.raises(Refused) as refusal:
        read_gatingml(document)

    assert refusal.value.code == code


def test_a_gate_on_a_channel_that_the_file_lacks_is_refused():
    with pytest.raises(Refused) as refusal:
        marks(a_sample([[1, 2]]), a_range(channel="CD19"))
    assert refusal.value.code == "gate-dimension"


def test_a_chain_of_three_hundred_parents_is_followed():
    body = a_range("G0", 'gating:min="0"') + "".join(
        a_range(f"G{n}", 'gating:min="0"', f'gating:parent_id="G{n - 1}"') for n in range(1, 300)
    )

    assert marks(a_sample([[1, 1]]), body, "G299") == [True]


def test_shares_are_told_of_all_events_and_of_the_parent_with_exact_intervals():
    sample = a_sample([[value, 0] for value in range(10)])
    body = a_range(sides='gating:min="2"') + a_range("C", 'gating:min="6"', 'gating:parent_id="R"')

    found = populations(gate(sample, read_gatingml(a_document(body))), ["A"])

    assert (found["C"].count, found["C"].percent, found["C"].percent_of_parent) == (4, 40.0, 50.0)
    assert (found["C"].signals["A"].median, found["C"].signals["A"].mean) == (7.5, 7.5)
    # Clopper-Pearson for 4 of 8: 15.7 to 84.3 %; Garwood for 4: 1.09 to 10.24.
    assert found["C"].interval == pytest.approx((15.70, 84.30), abs=0.005)
    assert found["C"].count_interval == pytest.approx((1.090, 10.242), abs=0.0005)


def test_brightness_is_summed_up_as_its_definitions_say():
    rng = numpy.random.default_rng(1)
    values = rng.lognormal(5, 0.1, 200_000)

    found = signal_of(numpy.append(values, numpy.nan))

    # A normal distribution spans one sigma from the 50th to the 84.13th percentile.
    assert found.median == pytest.approx(numpy.exp(5), rel=2e-3)
    assert found.geometric_mean == pytest.approx(numpy.exp(5), rel=2e-3)
    assert found.mean == pytest.approx(numpy.exp(5.005), rel=2e-3)
    assert found.robust_cv_percent == pytest.approx(100 * numpy.sinh(0.1), rel=2e-2)
    assert signal_of(-values).robust_cv_percent is None


def test_an_empty_sample_has_counts_of_zero_and_no_shares():
    sample = a_sample(numpy.empty((0, 2)))

    found = populations(gate(sample, read_gatingml(a_document(a_range()))))["R"]

    assert (found.count, found.percent, found.interval) == (0, None, None)
    assert shares(5, 5)[1] == 100.0


def test_a_scale_of_its_own_gives_the_same_gate_as_its_inverse(rng):
    scale = Log(1_000, 3)
    sample = a_sample(rng.uniform(1, 1_000, (5_000, 2)))
    on_scale = Rectangle(id="S", dimensions=(Dimension("A", scale="L"),), sides=((0.3, 0.7),))

    found = gate(sample, Strategy(gates={"S": on_scale}, scales={"L": scale}))

    low, high = scale.inverse(numpy.array([0.3, 0.7]))
    values = sample.events()[0]
    assert numpy.array_equal(found.membership["S"], (values >= low) & (values < high))


def run(capsys, *words):
    code = shell.main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.shared
@pytest.mark.req("L05")
def test_the_command_counts_gates_and_writes_who_is_in_them(gates, tmp_path, capsys):
    document = gates / "gml" / "gml_parent_quadrant_rect_gate.xml"
    folder = tmp_path / "members"

    code, told = run(
        capsys, "flow", "gate", gates / "data1.fcs", "--gatingml", document, "--membership", folder
    )

    truth = (gates / "truth" / "Results_FL2N-FL4P.txt").read_text().split()
    assert code == 0
    assert told["events"] == 13_367
    assert told["gates"]["FL2N-FL4P"]["count"] == truth.count("1")
    assert (folder / "FL2N-FL4P.txt").read_text().split() == truth


def test_the_command_refuses_a_damaged_file_and_reads_on(tmp_path, capsys):
    good, bad = tmp_path / "good.fcs", tmp_path / "bad.fcs"
    good.write_bytes(write_fcs(Writing(names=("A",)), numpy.ones((4, 1))))
    bad.write_bytes(good.read_bytes()[:-5])

    code, told = run(capsys, "flow", "info", good, bad)
    assert code == 2
    assert [file["refused"] is None for file in told["files"]] == [True, False]
    assert told["problems"][0]["code"] == "fcs-truncated"

    code, told = run(capsys, "flow", "info", bad)
    assert (code, told["refused"]["code"]) == (2, "fcs-truncated")
    code, told = run(capsys, "flow", "info", bad, "--lenient")
    assert (code, told["events"]) == (0, 2)
    assert told["deviations"][0]["code"] == "fcs-truncated"
    code, told = run(capsys, "flow", "info", tmp_path / "none.fcs")
    assert (code, told["refused"]["code"]) == (2, "flow-file")


def test_a_gate_name_cannot_leave_the_folder(tmp_path, capsys):
    sample, document = tmp_path / "a.fcs", tmp_path / "g.xml"
    sample.write_bytes(write_fcs(Writing(names=("A",)), numpy.ones((4, 1))))
    document.write_bytes(a_document(a_range("../../out")))

    code, _ = run(
        capsys, "flow", "gate", sample, "--gatingml", document, "--membership", tmp_path / "m"
    )

    assert code == 0
    assert [Path(path).name for path in (tmp_path / "m").iterdir()] == ["_.._out.txt"]


def test_the_command_says_where_the_files_own_matrix_is_missing(tmp_path, capsys):
    tube, document = tmp_path / "a.fcs", tmp_path / "g.xml"
    events = numpy.array([[1.0, 2.0], [3.0, 4.0]])
    tube.write_bytes(write_fcs(Writing(names=("A", "B")), events))
    own = a_range().replace("uncompensated", "FCS")
    document.write_bytes(a_document(own))

    code, told = run(capsys, "flow", "gate", tube, "--gatingml", document)

    assert code == 0
    assert told["gates"]["R"]["count"] == 1
    assert any("holds no matrix" in note for note in told["notes"])


def test_the_command_refuses_a_document_without_gates(tmp_path, capsys):
    tube, document = tmp_path / "a.fcs", tmp_path / "g.xml"
    tube.write_bytes(write_fcs(Writing(names=("A",)), numpy.array([[1.0]])))
    document.write_bytes(a_document(""))

    code, told = run(capsys, "flow", "gate", tube, "--gatingml", document)

    assert code == 2
    assert told["refused"]["code"] == "gatingml-gate"
