"""FlowJo workspaces: the counts that FlowJo itself recorded."""

import json

import numpy
import pytest

from anlage.base import Refused
from anlage.cli import shell
from anlage.lab.flow import Writing, gate, read_fcs, read_workspace, strategy_for, write_fcs

NAMESPACES = (
    'xmlns:gating="http://www.isac-net.org/std/Gating-ML/v2.0/gating" '
    'xmlns:transforms="http://www.isac-net.org/std/Gating-ML/v2.0/transformations" '
    'xmlns:data-type="http://www.isac-net.org/std/Gating-ML/v2.0/datatypes"'
)


def a_workspace(populations, transformations="", matrix="", version="10.8"):
    return (
        f'<Workspace version="20.0" flowJoVersion="{version}" {NAMESPACES}><SampleList><Sample>'
        f'<DataSet uri="file:/C:/some%20place/bytes" sampleID="1"/>'
        f"<Transformations>{transformations}</Transformations>{matrix}"
        f'<SampleNode name="bytes" count="4"><Subpopulations>{populations}</Subpopulations>'
        "</SampleNode></Sample></SampleList></Workspace>"
    ).encode()


def a_population(name, channel="A", sides='gating:min="2"', inside="1", below="", count="-1"):
    return (
        f'<Population name="{name}" count="{count}"><Gate gating:id="ID">'
        f'<gating:RectangleGate eventsInside="{inside}"><gating:dimension {sides}>'
        f'<data-type:fcs-dimension data-type:name="{channel}"/></gating:dimension>'
        f"</gating:RectangleGate></Gate><Subpopulations>{below}</Subpopulations></Population>"
    )


@pytest.fixture
def sample():
    events = numpy.array([[1.0, 10], [2, 20], [3, 30], [4, 40]])
    return read_fcs(write_fcs(Writing(names=("A", "B")), events))


def marks(sample, document, name):
    strategy = strategy_for(read_workspace(document), sample).strategy
    return gate(sample, strategy).membership[name].tolist()


@pytest.mark.shared
@pytest.mark.parametrize(
    "workspace",
    [
        "simple_diamond_example/simple_diamond_example_quad_gate.wsp",
        "simple_diamond_example/test_data_diamond_asinh_rect.wsp",
        "simple_diamond_example/test_data_diamond_biex_rect.wsp",
        "simple_line_example/single_ellipse_51_events.wsp",
    ],
)
def test_every_gate_holds_as_many_events_as_flowjo_counted(shared_data, workspace):
    folder = shared_data / "flow_cytometry" / "flowkit"
    (found,) = read_workspace(folder / workspace)
    sample = read_fcs((folder / workspace).parent / found.name)

    gated = gate(sample, found.strategy)

    assert sample.event_count == found.event_count
    assert found.recorded
    assert {name: gated.count(name) for name in found.recorded} == found.recorded


@pytest.mark.shared
def test_the_command_gates_by_workspace_and_tells_flowjos_count(shared_data, capsys):
    folder = shared_data / "flow_cytometry" / "flowkit" / "simple_diamond_example"
    words = [folder / "test_data_diamond_01.fcs", "--workspace"]
    words.append(folder / "test_data_diamond_biex_rect.wsp")

    assert shell.main(["flow", "gate", *map(str, words), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["gates"]["upper_right"]
    assert told["count"] == told["count_recorded"] == 50_605


def test_children_are_named_by_their_path_and_hold_only_their_parents_events(sample):
    below = a_population("High", "B", 'gating:max="35"')
    document = a_workspace(a_population("Cells", below=below, count="3"))

    assert marks(sample, document, "Cells/High") == [False, True, True, False]


def test_a_gate_turned_inside_out_holds_what_lies_outside(sample):
    assert marks(sample, a_workspace(a_population("Not", inside="0")), "Not") == [
        True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("AndNode", [False, True, True, False]), ("OrNode", [True, True, True, True]),
    ],
)  # fmt: skip
def test_boolean_nodes_join_other_gates(sample, node, expected):
    document = a_workspace(
        a_population("One")
        + a_population("Two", "B", 'gating:max="35"')
        + f'<{node} name="Joined"><Dependents><Dependent name="One"/><Dependent name="Two"/>'
        f"</Dependents></{node}>"
    )

    assert marks(sample, document, "Joined") == expected


def test_a_side_past_the_end_of_the_scale_leaves_out_nothing_beyond_it():
    events = numpy.array([[-1e6], [500.0], [2e4], [1e6]])
    sample = read_fcs(write_fcs(Writing(names=("A",)), events))
    biex = (
        '<transforms:biex transforms:length="256" transforms:maxRange="262144" transforms:neg="0" '
        'transforms:width="-10" transforms:pos="4.418539922">'
        '<data-type:parameter data-type:name="A"/></transforms:biex>'
    )
    wide = a_population("Wide", sides='gating:min="1000" gating:max="400000"')
    low = a_population("Low", sides='gating:min="-400000" gating:max="1000"')
    document = a_workspace(wide + low, biex)

    assert marks(sample, document, "Wide") == [False, False, True, True]
    assert marks(sample, document, "Low") == [True, True, False, False]


def test_a_compensated_channel_is_read_through_the_workspaces_matrix(sample):
    matrix = (
        '<transforms:spilloverMatrix prefix="Comp-" name="M"><data-type:parameters>'
        '<data-type:parameter data-type:name="A"/><data-type:parameter data-type:name="B"/>'
        "</data-type:parameters>"
        '<transforms:spillover data-type:parameter="A">'
        '<transforms:coefficient data-type:parameter="A" transforms:value="1"/>'
        '<transforms:coefficient data-type:parameter="B" transforms:value="0"/>'
        '</transforms:spillover><transforms:spillover data-type:parameter="B">'
        '<transforms:coefficient data-type:parameter="A" transforms:value="0.1"/>'
        '<transforms:coefficient data-type:parameter="B" transforms:value="1"/>'
        "</transforms:spillover></transforms:spilloverMatrix>"
    )
    document = a_workspace(a_population("Zero", "Comp-A", 'gating:min="0.5"'), matrix=matrix)

    # A is exactly a tenth of B: nothing of its own is left.
    assert marks(sample, document, "Zero") == [False] * 4


@pytest.mark.parametrize(
    "document",
    [
        b"<Workspace flowJoVersion='9.1' version='1'/>", b"<Other/>", b"", b"<Workspace",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><Workspace version='20.0'/>",
        a_workspace('<Population name="Empty"/>'),
        a_workspace(a_population("R", sides='gating:min="x"')),
        a_workspace(a_population("R"), '<transforms:odd><data-type:parameter '
                    'data-type:name="A"/></transforms:odd>'),
    ],
)  # fmt: skip
def test_what_is_no_workspace_of_the_10_series_is_refused(document):
    with pytest.raises(Refused):
        read_workspace(document)


def test_a_file_that_the_workspace_does_not_know_is_refused():
    other = read_fcs(write_fcs(Writing(names=("A",), keywords={"$FIL": "x"}), numpy.ones((2, 1))))
    document = a_workspace(a_population("R")).replace(b"bytes", b"another.fcs")

    with pytest.raises(Refused) as refusal:
        strategy_for(read_workspace(document), other)
    assert refusal.value.code == "workspace"
