"""A simulated RFID gate: what passes is read, what is missing is not, and chance is seeded."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused
from anlage.custody import compare, gather_reads
from anlage.custody.codes import tag
from anlage.wire.readers import Gateway, play, tag_of

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TAGS = [tag.encode(f"urn:epc:id:grai:4012345.00011.{number}") for number in range(40)]


def passed(seed=1, **options):
    return play(TAGS, at=AT, rng=np.random.default_rng(seed), **options)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 40), st.integers(0, 20), st.integers(0, 2**32))
def test_every_tag_that_passes_is_read_and_no_other(missing, foreign, seed):
    played = passed(seed, missing=missing, foreign=foreign)

    seen = set(gather_reads(played.reads))
    assert seen == set(played.passed) | set(played.strays)
    assert set(played.passed) | set(played.missed) == set(TAGS)
    assert (len(played.missed), len(played.strays)) == (missing, foreign)
    expected = {tag.decode(one).fields["epc"]: one for one in TAGS}
    found = compare(expected, seen)
    assert set(found.missing) == set(played.missed)
    assert len(found.foreign) == foreign


def test_the_same_seed_gives_the_same_reads_and_another_gives_others():
    assert passed(5) == passed(5)
    assert passed(5) != passed(6)


def test_tags_are_read_many_times_and_strays_seldom_and_weakly():
    played = passed(foreign=40, repeats=12)

    seen = gather_reads(played.reads)
    own = [seen[one] for one in played.passed]
    strays = [seen[one] for one in played.strays]
    assert 9 < sum(one.reads for one in own) / 40 < 15
    assert sum(one.reads for one in strays) < sum(one.reads for one in own) / 2
    assert max(one.rssi for one in strays) < sorted(one.rssi for one in own)[20]
    assert all(AT <= one.first <= one.last <= AT + timedelta(seconds=4) for one in own)
    assert [one.at for one in played.reads] == sorted(one.at for one in played.reads)


def test_a_code_that_a_tag_can_carry_has_its_memory_and_another_none():
    today = date(2026, 3, 1)

    for code in ("urn:epc:id:grai:4012345.00011.5", "https://id.gs1.org/01/80614141123458/21/6789"):
        assert tag.looks_like(tag_of(code, today))
    assert tag_of("=A99991712345600", today) is None
    assert tag_of("https://id.gs1.org/01/80614141123458", today) is None


@pytest.mark.parametrize(
    ("address", "token", "code"),
    [("ftp://x", "t", "address-malformed"), ("http://x", " ", "login-missing")],
)
def test_a_gate_without_an_address_or_a_token_is_refused(address, token, code):
    with pytest.raises(Refused) as refusal:
        Gateway(address, token)
    assert refusal.value.code == code
