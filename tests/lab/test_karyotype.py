"""Karyotypes: what is read, what passes, what fails, what needs more cells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.lab.karyotype import hpsc_rules, judge_karyotype, read_karyotype
from anlage.library import Outcome


def judged(text: str, **given_sex: str):
    return judge_karyotype(read_karyotype(text), hpsc_rules(), **given_sex)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("46,XX[20]", Outcome.PASS),
        ("46,XY[50]", Outcome.PASS),
        ("46,XX[19]", Outcome.INCONCLUSIVE),
        ("46,XY", Outcome.INCONCLUSIVE),
        ("46,XY[18]/47,XY,+12[2]", Outcome.FAIL),
        ("46,XY[19]/47,XY,+12[1]", Outcome.INCONCLUSIVE),
        ("46,XX[18]/45,XX,-18[2]", Outcome.INCONCLUSIVE),
        ("46,XX[17]/45,XX,-18[3]", Outcome.FAIL),
        ("46,XX,dup(1)(q21q32)[20]", Outcome.FAIL),
        ("46,XY,i(20)(q10)[4]/46,XY[16]", Outcome.FAIL),
        ("46,XX,inv(9)(p12q13)c[20]", Outcome.PASS),
        ("47,XXY[20]", Outcome.FAIL),
        ("47,XXYc[20]", Outcome.PASS),
        ("45,X,-Y[3]/46,XY[17]", Outcome.FAIL),
        ("45,X,-Y[2]/46,XY[18]", Outcome.INCONCLUSIVE),
        ("47,XX,+X[2]/46,XX[18]", Outcome.FAIL),
        ("45,X[3]/46,XX[17]", Outcome.FAIL),
        ("46,XX[10]/46,XY[10]", Outcome.FAIL),
        ("47,XY,+8[2]/48,idem,+12[2]/46,XY[16]", Outcome.FAIL),
        ("45,XX,rob(13;14)(q10;q10)c[20]", Outcome.PASS),
        ("46,XY,t(9;22)(q34;q11.2)[20]", Outcome.FAIL),
    ],
)
def test_a_karyotype_is_judged_by_clones_and_metaphases(text, outcome):
    assert judged(text).outcome is outcome


def test_one_gain_in_two_clones_counts_the_cells_of_both():
    """One cell each would be no clone; the gain itself was seen in two cells."""
    found = judged("46,XY[18]/47,XY,+8[1]/48,XY,+8,+12[1]")

    assert found.outcome is Outcome.FAIL
    assert any("+8" in reason and "2 cells" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("text", "watched"),
    [
        ("47,XX,+12[5]/46,XX[15]", "12"),
        ("46,XX,dup(1)(q21q42)[5]/46,XX[15]", "1q"),
        ("47,XY,+i(12)(p10)[5]/46,XY[15]", "12"),
        ("46,XY,der(15)t(15;17)(p11;q21)[5]/46,XY[15]", "17"),
        ("47,XX,+20[5]/46,XX[15]", "20"),
    ],
)
def test_gains_that_recur_in_culture_are_named(text, watched):
    reasons = " ".join(judged(text).reasons)

    assert f"(watched: {watched}" in reasons


def test_a_pass_says_what_bands_cannot_show():
    assert "20q11.21" in judged("46,XX[20]").notes[0]


def test_cells_of_the_other_sex_than_the_donors_are_another_persons():
    found = judged("46,XY[20]", donor_sex="XX")

    assert found.outcome is Outcome.FAIL
    assert "donor XX" in found.reasons[0]


@pytest.mark.parametrize(
    "text",
    [
        "", "46", "46,XX,+23[20]", "47,XX[20]", "46,XX,+12[20]", "XX,46[20]", "46,XX[20", "46,QQ[20]",
        "arr[GRCh38] 20q11.21(31000000_33000000)x3", "46,XX,banana[20]", "47,idem,+8[2]",
        "46,XX[20]" * 300, "46,XX.ish 9q34(ABL1x2)[10]",
    ],
)  # fmt: skip
def test_what_is_no_banded_karyotype_is_refused(text):
    with pytest.raises(Refused) as refusal:
        read_karyotype(text)

    assert refusal.value.code == "karyotype-unreadable"


@given(st.text(alphabet="46,XY[]/+-()0123456789pqdelupt;.~c ", max_size=80))
def test_any_text_is_read_or_refused(text):
    try:
        karyotype = read_karyotype(text)
    except Refused:
        return
    judge_karyotype(karyotype, hpsc_rules())


@given(
    gains=st.lists(st.integers(1, 22), max_size=3, unique=True),
    cells=st.integers(1, 40),
    sex=st.sampled_from(["XX", "XY"]),
)
def test_gains_are_counted_and_fail_from_two_cells_on(gains, cells, sex):
    changes = "".join(f",+{n}" for n in gains)
    found = judged(f"{46 + len(gains)},{sex}{changes}[{cells}]/46,{sex}[40]")

    expected = Outcome.PASS
    if gains:
        expected = Outcome.FAIL if cells >= 2 else Outcome.INCONCLUSIVE
    assert found.outcome is expected


@pytest.mark.parametrize(
    ("text", "sex", "outcome"),
    [
        ("46,X,i(X)(q10)[20]", "XX", Outcome.FAIL),
        ("46,Y,t(X;11)(q13;q23)[20]", "XY", Outcome.FAIL),
        ("46,X,der(Y)t(Y;1)(q12;q21)[20]", "XY", Outcome.FAIL),
        ("46,X,inv(Y)(p11q11)c[20]", "XY", Outcome.PASS),
        ("46,X,-X,+8[3]/46,XX[17]", "X", Outcome.FAIL),
    ],
)
def test_a_sex_chromosome_written_as_a_change_is_counted(text, sex, outcome):
    karyotype = read_karyotype(text)

    assert karyotype.clones[0].sex == sex
    assert judge_karyotype(karyotype, hpsc_rules()).outcome is outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("92,XXXX[2]/46,XX[18]", Outcome.FAIL),
        ("92<4n>,XXYY[5]/46,XY[15]", Outcome.FAIL),
        ("69,XXX[20]", Outcome.FAIL),
        ("70<3n>,XXX,+8[20]", Outcome.FAIL),
        ("92,XXXX[1]/46,XX[29]", Outcome.INCONCLUSIVE),
    ],
)
def test_cells_of_more_than_two_sets_are_read_and_are_not_normal(text, outcome):
    assert judge_karyotype(read_karyotype(text), hpsc_rules()).outcome is outcome


@pytest.mark.parametrize("text", ["46,XX[20]/", "46,XX[18]//[2]", "46,XX[18]///47,XX,+8[2]"])
def test_a_clone_cut_off_is_refused(text):
    with pytest.raises(Refused):
        read_karyotype(text)
