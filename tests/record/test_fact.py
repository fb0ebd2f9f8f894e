"""Facts: what is written is read back, whatever a fact may hold."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

import pytest

from anlage.base import Quantity, Refused
from anlage.record import (
    Actor,
    Entry,
    Recorded,
    Signature,
    Stream,
    Unknown,
    decode,
    encode,
    fact,
    sign,
    upcaster,
    write,
)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    name: str
    amount: Quantity


@fact("trial-happened")
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialHappened:
    colour: Colour
    parts: tuple[Part, ...]
    ratio: Decimal
    at: datetime
    note: str | None = None
    signature: Signature | None = None


@fact("trial-renamed", version=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRenamed:
    full_name: str


@upcaster("trial-renamed", 1)
def _to_full_name(body):
    return {"full_name": body["name"]}


AT = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)


def a_signature():
    return sign(
        {"step": "wash"},
        person="P-1",
        name="A. Ito",
        meaning="performed",
        template="step/1",
        method="password",
        at=AT,
    )


def a_trial():
    return TrialHappened(
        colour=Colour.RED,
        parts=(Part(name="bag", amount=Quantity.parse("0.50 mL")),),
        ratio=Decimal("1.10"),
        at=AT,
        signature=a_signature(),
    )


def a_record(trial, **others):
    return write(
        Entry(Stream("lot/L-1"), trial, why="because"),
        number=0,
        version=1,
        previous=bytes(32),
        site="S1",
        by=Actor(person="P-1", via="page"),
        at=AT,
        recorded=AT,
        command="key-1",
        **others,
    )


def test_header_and_body_belong_together():
    one, other = a_record(a_trial()), a_record(a_trial())

    assert one.is_sound()
    assert Recorded.read(0, one.header, one.content) == one
    assert not Recorded.read(0, one.header, other.content).is_sound()


def test_a_withheld_body_leaves_its_place_provable_and_its_content_unguessable():
    one, again = a_record(a_trial()), a_record(a_trial())
    withheld = Recorded.read(0, one.header, None)

    assert withheld.is_withheld and withheld.hash == one.hash
    assert withheld.body == {}
    assert one.parts["digest"] != again.parts["digest"]


def test_a_fact_is_read_back_as_it_was_written():
    record = a_record(a_trial())

    assert record.fact == a_trial()
    assert (record.why, record.command, record.person) == ("because", "key-1", "P-1")
    assert record.happened == AT


def test_an_older_version_is_read_through_its_upcaster():
    assert decode("trial-renamed", 1, {"name": "wash"}) == TrialRenamed(full_name="wash")


def test_an_unknown_kind_is_shown_raw():
    assert isinstance(decode("from-the-future", 1, {"x": 1}), Unknown)
    assert isinstance(decode("trial-happened", 99, {"x": 1}), Unknown)


def test_a_float_never_enters_the_record():
    with pytest.raises(TypeError):
        encode(1.5)


@pytest.mark.parametrize(
    "name", ["lot", "lot/", "Lot/L-1", "lot/L 1", "lot/../x/y", "lot/" + "x" * 200]
)
def test_a_malformed_stream_is_refused(name):
    with pytest.raises(Refused):
        Stream(name)


@pytest.mark.req("P11.70")
def test_a_signature_does_not_fit_other_values():
    signature = a_signature()
    moved = Signature(
        **{**{n: getattr(signature, n) for n in Signature.__slots__}, "shown": '{"step":"fill"}'}
    )

    assert signature.is_sound()
    assert not moved.is_sound()
