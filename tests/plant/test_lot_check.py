"""An outsider who has only the record finds what does not follow."""

import dataclasses

import pytest

from anlage.plant import check_lots
from anlage.record import Actor, Entry, write
from tests.builders_plant import Bench, a_lot, run_through
from tests.plant.test_release import finish, release


@pytest.fixture(scope="module")
def record():
    bench = Bench()
    a_lot(bench)
    run_through(bench)
    finish(bench)
    release(bench)
    return bench.facts


def forge(record, kind, which=0, **changes):
    """Write one fact of a record anew with other values, as somebody with the database could."""
    place = [at for at, one in enumerate(record) if one.kind == kind][which]
    old = record[place]
    forged = write(
        Entry(old.stream, dataclasses.replace(old.fact, **changes)),
        number=old.number,
        version=old.version,
        previous=old.previous,
        site=old.site,
        by=Actor(person=old.person, via="test"),
        at=old.happened,
        recorded=old.recorded,
    )
    return [*record[:place], forged, *record[place + 1 :]]


def drop(record, kind, which=0):
    """Leave one fact of a record out."""
    place = [at for at, one in enumerate(record) if one.kind == kind][which]
    return [*record[:place], *record[place + 1 :]]


@pytest.mark.parametrize(
    ("forged", "code"),
    [
        (lambda r: forge(r, "step-completed", 1, operator="ben"), "signature-unsound"),
        (lambda r: forge(r, "step-completed", 0, scan="CHA999926000002"), "identity-mismatch"),
        (lambda r: forge(r, "step-completed", -1, witness="anna"), "person-not-distinct"),
        (lambda r: forge(r, "step-completed", 0, performed=None), "signature-missing"),
        (lambda r: forge(r, "step-started", 1, step="add"), "step-out-of-order"),
        (lambda r: forge(r, "control-recipe-frozen", digest="0" * 64), "control-recipe-altered"),
        (lambda r: forge(r, "lot-released", certificate="0" * 64), "certificate-altered"),
        (lambda r: forge(r, "lot-released", releaser="anna"), "person-not-distinct"),
        (lambda r: forge(r, "batch-reviewed", reviewer="ben"), "person-not-distinct"),
        (lambda r: drop(r, "batch-reviewed"), "released-while-open"),
        (lambda r: drop(r, "lot-result-reported"), "released-while-open"),
        (lambda r: drop(r, "step-started", 1), "step-not-open"),
    ],
)
def test_a_record_that_was_changed_is_found_out(record, forged, code):
    assert check_lots(record) == []

    assert code in {one.code for one in check_lots(forged(record))}


def test_a_reading_put_within_its_limit_is_found_out(record):
    facts = [one for one in record if one.kind == "step-completed" and one.body["step"] == "count"]
    readings = facts[0].fact.readings
    nicer = tuple(
        dataclasses.replace(one, number=type(one.number)(one.number.value + 1, one.number.unit))
        if one.number else one
        for one in readings
    )  # fmt: skip

    codes = {one.code for one in check_lots(forge(record, "step-completed", 1, readings=nicer))}

    assert "signature-unsound" in codes
