"""Reading FCS: every layout the standard knows, and files that break its rules."""

import importlib.util
import tracemalloc
import warnings
from pathlib import Path

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.lab.flow.fcs_files import an_fcs_file

from anlage.base import Refused
from anlage.lab.flow import Matrix, Writing, read_fcs, write_fcs


def values(sample):
    return sample.events().T.tolist()


@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1", "3.2"])
@pytest.mark.parametrize("big", [False, True])
def test_each_version_and_byte_order_gives_the_events_written(version, big):
    sample = read_fcs(an_fcs_file([[1, 1023], [512, 7]], version=version, big=big))

    assert sample.version == version
    assert values(sample) == [[1, 1023], [512, 7]]
    assert sample.deviations == ()


@pytest.mark.parametrize("big", [False, True])
def test_mixed_widths_are_read_side_by_side(big):
    written = [[200, 40_000, 9_000_000, 3_000_000_000], [1, 2, 3, 4]]
    raw = an_fcs_file(written, bits=(8, 16, 24, 32), ranges=(256, 65_536, 2**24, 2**32), big=big)

    assert values(read_fcs(raw)) == written


def test_bits_above_the_range_are_masked_away():
    raw = an_fcs_file([[0xFC00 + 5, 0xFFFF]], ranges=(1024, 1000))

    assert values(read_fcs(raw)) == [[5, 1023]]


def test_a_logarithmic_channel_becomes_linear_and_a_gain_is_divided_out():
    raw = an_fcs_file([[512, 80]], change={"$P1E": "4,1", "$P2G": "8"})

    assert values(read_fcs(raw)) == [[pytest.approx(100.0), 10.0]]


def test_an_offset_of_zero_on_a_logarithmic_channel_counts_as_one_and_is_noted():
    sample = read_fcs(an_fcs_file([[512, 80]], change={"$P1E": "4,0"}))

    assert values(sample)[0][0] == pytest.approx(100.0)
    assert [(note.what, note.breach) for note in sample.deviations] == [("$P1E", False)]


def test_time_is_given_in_seconds_and_not_divided_by_a_gain():
    change = {"$P2N": "Time", "$TIMESTEP": "0.01", "$P2G": "0.01"}

    assert values(read_fcs(an_fcs_file([[1, 50]], change=change))) == [[1, 0.5]]


@pytest.mark.parametrize(("kind", "width"), [("f4", 32), ("f8", 64)])
@pytest.mark.parametrize("big", [False, True])
def test_floating_point_of_both_widths_and_orders_is_read_exactly(kind, width, big, rng):
    events = rng.normal(0, 1e4, (300, 3)).astype(kind)
    raw = an_fcs_file(
        [[0, 0, 0]] * 300,
        bits=(width,) * 3,
        ranges=(262_144,) * 3,
        big=big,
        data=events.astype(("> " if big else "< ").strip() + kind).tobytes(),
        data_type="F" if width == 32 else "D",
    )

    assert numpy.array_equal(read_fcs(raw).events().T, events.astype(float))


def test_a_file_of_3_2_may_mix_data_types():
    data = (7).to_bytes(2, "little") + numpy.float32(1.5).tobytes()
    raw = an_fcs_file(
        [[0, 0]], version="3.2", bits=(16, 32), data=data, change={"$P2DATATYPE": "F"}
    )

    assert values(read_fcs(raw)) == [[7.0, 1.5]]


def test_a_doubled_delimiter_is_a_letter_of_the_value():
    sample = read_fcs(an_fcs_file(change={"$P1S": "CD3/CD28", "$COM": "a/b//c"}))

    assert sample.channels[0].marker == "CD3/CD28"
    assert sample.keywords["$COM"] == "a/b//c"


def test_supplemental_text_adds_keywords():
    sample = read_fcs(an_fcs_file(supplement=b"/EXTRA/here/$CYT/Other/"))

    assert sample.keywords["EXTRA"] == "here"
    assert sample.instrument == "Trial"


def test_a_binary_block_in_the_supplement_is_noted_and_left_out():
    sample = read_fcs(an_fcs_file(supplement=b"\x00\x01PK\x03\x04binary"))

    assert [(note.what, note.breach) for note in sample.deviations] == [
        ("supplemental TEXT", False)
    ]


def test_each_data_set_of_a_file_can_be_read():
    second = an_fcs_file([[9, 9]])
    first = an_fcs_file([[1, 1]], change={"$NEXTDATA": "0" * 8})
    first = first.replace(b"$NEXTDATA/00000000", b"$NEXTDATA/%08d" % len(first))

    assert values(read_fcs(first + second)) == [[1, 1]]
    assert read_fcs(first + second).dataset_count == 2
    assert values(read_fcs(first + second, dataset=1)) == [[9, 9]]
    with pytest.raises(Refused, match="data set"):
        read_fcs(first + second, dataset=2)


def test_offsets_too_large_for_the_header_are_taken_from_text():
    raw = an_fcs_file(header={26: b"%8d%8d" % (0, 0)})

    assert values(read_fcs(raw)) == [[1, 2], [3, 4], [5, 6]]


def test_a_written_file_reads_back_with_its_matrix(rng):
    matrix = Matrix(
        id="FCS", fluorochromes=("A", "B"), detectors=("A", "B"), values=((1, 0.1), (0.02, 1))
    )
    events = rng.normal(0, 100, (50, 2)).astype("f4").astype(float)

    sample = read_fcs(write_fcs(Writing(names=("A", "B"), spillover=matrix), events))

    assert numpy.array_equal(sample.events().T, events)
    assert sample.spillover == matrix
    assert sample.deviations == ()


BROKEN = {
    "header and text disagree": (
        {"header": {34: b"%8d" % 99}}, "fcs-offset", [[1, 2], [3, 4], [5, 6]]
    ),
    "one event less than stated": (
        {"change": {"$TOT": "4"}}, "fcs-data-size", [[1, 2], [3, 4], [5, 6]]
    ),
    "one event more than stated": ({"change": {"$TOT": "2"}}, "fcs-data-size", [[1, 2], [3, 4]]),
    "a name used twice": (
        {"change": {"$P2N": "P1-A"}}, "fcs-channel", [[1, 2], [3, 4], [5, 6]]
    ),
    "no number of events": (
        {"change": {"$TOT": None}}, "fcs-keyword", [[1, 2], [3, 4], [5, 6]]
    ),
    "a matrix without values": (
        {"change": {"$SPILLOVER": "2,P1-A,P2-A"}}, "fcs-spillover", [[1, 2], [3, 4], [5, 6]]
    ),
    "a singular matrix": (
        {"change": {"$SPILLOVER": "2,P1-A,P2-A,1,1,1,1"}}, "fcs-spillover",
        [[1, 2], [3, 4], [5, 6]],
    ),
    "two gains for one channel": (
        {"change": {"$P1G": "1", "$p1g": "8"}}, "fcs-text", [[1, 2], [3, 4], [5, 6]]
    ),
    "data said to lie in the text": (
        {"header": {26: b"%8d%8d" % (60, 71)}, "change": {"$BEGINDATA": "60", "$ENDDATA": "71"}},
        "fcs-offset", None,
    ),
    "no amplification of integers": (
        {"change": {"$P1E": None}}, "fcs-keyword", [[1, 2], [3, 4], [5, 6]]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_breach_is_refused_strictly_and_written_down_leniently(case):
    how, code, expected = BROKEN[case]
    raw = an_fcs_file(**how)

    with pytest.raises(Refused) as refusal:
        read_fcs(raw)
    assert refusal.value.code == code
    sample = read_fcs(raw, lenient=True)
    assert code in [deviation.code for deviation in sample.deviations if deviation.breach]
    assert expected is None or values(sample) == expected


def test_a_comment_given_twice_is_noted_and_the_first_stands():
    sample = read_fcs(an_fcs_file(change={"$COM": "one", "$com": "two"}))

    assert sample.keywords["$COM"] == "one"
    assert [(note.code, note.breach) for note in sample.deviations] == [("fcs-text", False)]


def test_a_matrix_that_calls_channels_by_marker_or_number_is_understood():
    change = {"$SPILLOVER": "2,CD3,2,1,0.1,0,1", "$P1S": "CD3"}

    assert read_fcs(an_fcs_file(change=change)).spillover.detectors == ("P1-A", "P2-A")


HOPELESS = {
    "no FCS at all": (b"%PDF-1.7 something else entirely, of good length .....", "fcs-not-fcs"),
    "nothing": (b"", "fcs-not-fcs"),
    "a version to come": (an_fcs_file(version="9.9"), "fcs-not-fcs"),
    "letters in the header": (an_fcs_file(header={18: b"    abcd"}), "fcs-header"),
    "a text before the header's end": (an_fcs_file(header={10: b"%8d" % 3}), "fcs-header"),
    "a text past the file's end": (an_fcs_file(header={18: b"%8d" % 10**7}), "fcs-truncated"),
    "no channels": (an_fcs_file(change={"$PAR": "0"}), "fcs-keyword"),
    "a billion channels": (an_fcs_file(change={"$PAR": "999999999"}), "fcs-keyword"),
    "more channels than named": (an_fcs_file(change={"$PAR": "5"}), "fcs-keyword"),
    "a histogram": (an_fcs_file(change={"$MODE": "U"}), "fcs-unsupported"),
    "numbers as letters": (an_fcs_file(change={"$DATATYPE": "A"}), "fcs-unsupported"),
    "bits that fill no byte": (an_fcs_file(change={"$P1B": "10"}), "fcs-unsupported"),
    "an order of bytes unknown": (an_fcs_file(change={"$BYTEORD": "3,4,1,2"}), "fcs-unsupported"),
    "a width that is no number": (an_fcs_file(change={"$P1B": "wide"}), "fcs-keyword"),
}


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("case", HOPELESS)
def test_what_cannot_be_read_is_refused_even_leniently(case, lenient):
    raw, code = HOPELESS[case]

    with pytest.raises(Refused) as refusal:
        read_fcs(raw, lenient=lenient)

    # A lenient reader may meet another fault first, behind the one that it accepted.
    assert refusal.value.code == code or (lenient and refusal.value.code.startswith("fcs-"))


def test_a_file_cut_short_is_refused_with_the_byte_where_it_ends():
    raw = an_fcs_file()[:-3]

    with pytest.raises(Refused, match=f"byte {len(raw)}") as refusal:
        read_fcs(raw)

    assert refusal.value.code == "fcs-truncated"
    assert values(read_fcs(raw, lenient=True)) == [[1, 2], [3, 4]]


def test_a_bomb_of_keywords_is_refused_before_it_fills_memory():
    text = b"/" + b"k/v/" * 4_000_000
    head = b"FCS3.1    " + b"%8d%8d%8d%8d%8d%8d" % (58, 57 + len(text), 0, 0, 0, 0)
    raw = head + text

    tracemalloc.start()
    with pytest.raises(Refused) as refusal:
        read_fcs(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert refusal.value.code == "fcs-text-too-large"
    assert peak < 80 * 2**20


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=12),
    st.integers(0, 700),
    st.booleans(),
)
def test_no_damage_gets_past_the_reader_but_as_a_refusal(damage, cut, lenient):
    raw = bytearray(an_fcs_file(change={"$SPILLOVER": "2,P1-A,P2-A,1,0.1,0.2,1"}))
    for place, value in damage:
        if place < len(raw):
            raw[place] = value

    try:
        sample = read_fcs(bytes(raw[: max(cut, 100)] if cut < 300 else raw), lenient=lenient)
        found = sample.events()
    except Refused as refusal:
        assert refusal.code
    else:
        assert found.shape == (len(sample.channels), sample.event_count)


def test_keywords_that_may_name_a_patient_are_told_without_their_value():
    sample = read_fcs(an_fcs_file(change={"&10Patient ID": "Doe, J", "$OP": "Ada", "$SMNO": "7"}))

    told = {found.keyword: found.kind for found in sample.identifiers}

    assert told == {"&10PATIENT ID": "subject", "$OP": "staff", "$SMNO": "sample"}
    assert "Doe" not in str([found.as_dict() for found in sample.identifiers])


@pytest.mark.shared
def test_real_files_read_as_flowio_reads_them(shared_data):
    import flowio

    folder = shared_data / "flow_cytometry"
    files = sorted(path for path in folder.rglob("*.fcs") if "flowcal" not in path.parts)
    compared = 0
    for path in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = flowio.FlowData(str(path), ignore_offset_error=True).as_array()
        except flowio.exceptions.FCSParsingError:
            continue
        sample = read_fcs(path, lenient=True)
        assert numpy.array_equal(sample.events().T, expected), path.name
        compared += 1
    assert compared >= 8


def a_collection():
    """Give the folder of real files that fcsparser's distribution carries."""
    found = importlib.util.find_spec("fcsparser")
    if found is None or found.origin is None:
        pytest.skip("fcsparser is not installed")
    return Path(found.origin).parent / "tests" / "data" / "FlowCytometers"


def test_the_instruments_of_fcsparsers_collection_read_as_flowio_reads_them():
    import flowio

    folder = a_collection()
    compared = set()
    for path in sorted([*folder.rglob("*.fcs"), *folder.rglob("*.lmd")]):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = flowio.FlowData(str(path), ignore_offset_error=True).as_array()
        except Exception:  # noqa: BLE001 - whatever FlowIO cannot read is no oracle
            continue
        if expected.size > 1:
            found = read_fcs(path, lenient=True).events().T
            assert numpy.array_equal(found, expected), path.name
            compared.add(path.relative_to(folder).parts[0])
    assert len(compared) >= 5


def test_a_damaged_file_of_that_collection_is_refused():
    folder = a_collection()
    for name in ("corrupted/corrupted.fcs", "cytek-nl-2000/sample_header.fcs"):
        for lenient in (False, True):
            with pytest.raises(Refused):
                read_fcs(folder / name, lenient=lenient)


@pytest.mark.shared
def test_integers_of_three_bytes_are_read_as_numpy_reads_them(shared_data):
    path = shared_data / "flow_cytometry" / "flowcal" / "sample001.fcs"
    raw = numpy.frombuffer(path.read_bytes()[4_096:796_672], numpy.uint8).reshape(-1, 8, 3)
    words = raw[:, :, 0] * 65_536.0 + raw[:, :, 1] * 256.0 + raw[:, :, 2]

    sample = read_fcs(path)

    assert sample.event_count == len(words) == 33_024
    masks = [2 ** int(channel.range - 1).bit_length() for channel in sample.channels]
    expected = words % masks
    for column, channel in enumerate(sample.channels):
        expected[:, column] *= channel.time_step or 1
        if channel.decades:
            expected[:, column] = 10 ** (channel.decades * expected[:, column] / channel.range)
    assert numpy.allclose(sample.events().T, expected, rtol=1e-12)


@pytest.mark.shared
def test_the_files_that_break_the_offset_rules_are_refused_strictly(shared_data):
    folder = shared_data / "flow_cytometry" / "flowkit"
    for path in [*sorted((folder / "noncompliant").iterdir()), folder / "test_comp_example.fcs"]:
        with pytest.raises(Refused) as refusal:
            read_fcs(path)
        assert refusal.value.code in ("fcs-offset", "fcs-data-size")
        assert read_fcs(path, lenient=True).event_count in (2, 10_703)
