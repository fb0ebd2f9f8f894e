"""Reference materials, and the controls that let a method's results be reported."""

from datetime import timedelta
from decimal import Decimal

import pytest

from anlage.base import Quantity, Refused, digest
from anlage.lab import (
    CertifiedValue,
    ControlSeries,
    MeasureControl,
    RegisterReference,
    RetireReference,
)
from anlage.library import DefinitionApproved, DefinitionDrafted, Method, starter
from anlage.plant import EnterResult, Lot, ReceiveSample, Sample
from anlage.record import Actor, Entry, Stream
from tests.app.test_making import AT, begin, founded, make, order

METHOD = "two-dye-controlled"


@pytest.fixture
def bench(tmp_path):
    """A made lot's sample in the laboratory, and a method gated by a control."""
    plant = founded(tmp_path)
    content = dict(starter("method", "two-dye-exclusion").content) | {
        "id": METHOD,
        "control": {"reference": "RM-7", "attribute": "viability", "sd": "1.5 %", "within": "24 h"},
    }
    stream, seal = Stream(f"definition/method:{METHOD}"), digest(content)
    drafted = DefinitionDrafted(
        kind_of="method", id=METHOD, number=1, title="t", content=content, digest=seal, author="a"
    )
    approved = DefinitionApproved(number=1, digest=seal, approver="eva", effective=AT)
    by = Actor(person="admin", via="api")
    plant.installation.journal.append(
        [Entry(stream, drafted), Entry(stream, approved)], {}, by=by, at=AT
    )
    lot = begin(plant, order(plant))
    make(plant, lot)
    samples = plant.state(Lot, f"lot/{lot}").samples.values()
    plant.sample = next(one.id for one in samples if "viability" in one.tests)
    plant.do(ReceiveSample(sample=plant.sample, laboratory="QC"), "clara")
    yield plant
    plant.installation.close()


def register(
    plant, *, value="92.0 %", uncertainty="1.0 %", days=300, name="RM-7", certificate="C-1"
):
    asked = RegisterReference(
        reference=name, name="Fixed cells", lot="0412", producer="Metrology institute",
        certificate=certificate, expires=plant.clock.now() + timedelta(days=days),
        properties=(
            CertifiedValue(
                attribute="viability", value=Quantity.parse(value),
                uncertainty=Quantity.parse(uncertainty), coverage=Decimal(2),
            ),
        ),
        signature=plant.sign("clara", "registered", reference=name, certificate=certificate),
    )  # fmt: skip
    return plant.do(asked, "clara")


def control(plant, found):
    plant.do(MeasureControl(method=METHOD, found=found), "clara")
    return plant.state(ControlSeries, f"control/{METHOD}").runs[-1]


def result(plant):
    shown = {"sample": plant.sample, "attribute": "viability", "reported": "91.0 %"}
    signature = plant.sign("clara", "tested", **shown)
    return plant.do(EnterResult(**shown, method=METHOD, signature=signature), "clara")


def code_of(do, *given):
    with pytest.raises(Refused) as caught:
        do(*given)
    return caught.value.code


@pytest.mark.req("L04")
def test_a_result_is_taken_after_a_good_control_and_not_before(bench):
    register(bench)

    assert code_of(result, bench) == "control-missing"
    run = control(bench, "91.1 %")
    result(bench)

    assert (run.gate, run.z) == ("accept", pytest.approx(-0.6))
    assert "viability" in bench.state(Sample, f"sample/{bench.sample}").results


@pytest.mark.req("L04")
def test_a_control_beyond_three_standard_deviations_stops_the_run_until_a_good_one(bench):
    register(bench)

    assert control(bench, "86.0 %").gate == "reject"
    assert code_of(result, bench) == "control-rejected"
    control(bench, "92.3 %")
    result(bench)


def test_two_controls_beyond_two_standard_deviations_on_one_side_reject_the_second(bench):
    register(bench)

    assert [control(bench, "95.3 %").gate, control(bench, "95.4 %").gate] == ["warn", "reject"]


def test_an_old_control_does_not_count(bench):
    register(bench)
    control(bench, "92.0 %")
    bench.clock.advance(timedelta(hours=25))

    assert code_of(result, bench) == "control-missing"


def test_a_reference_that_has_expired_or_was_retired_gates_nothing(bench):
    register(bench, days=2)
    bench.clock.advance(timedelta(days=3))
    assert code_of(control, bench, "92 %") == "reference-unusable"

    register(bench, name="RM-8", certificate="C-2")
    bench.do(RetireReference(reference="RM-8", reason="used up"), "clara")
    assert code_of(bench.do, RetireReference(reference="RM-8", reason="again"), "clara") == (
        "reference-unusable"
    )


@pytest.mark.parametrize(
    "given",
    [{"uncertainty": "-1 %"}, {"days": -1}, {"name": "RM-7"}],
    ids=["uncertainty", "expired", "twice"],
)
def test_a_reference_that_its_certificate_cannot_bear_is_refused(bench, given):
    if "name" in given:
        register(bench)

    assert code_of(lambda: register(bench, **given)) == "reference-malformed"


def test_a_control_is_a_number_in_the_certified_unit_of_a_method_that_has_one(bench):
    register(bench)

    assert code_of(control, bench, "fine") == "control-unreadable"
    asked = MeasureControl(method="endotoxin-kinetic", found="1 %")
    assert code_of(bench.do, asked, "clara") == "control-not-asked"


def test_a_control_says_its_spread_above_zero():
    content = dict(starter("method", "two-dye-exclusion").content) | {
        "control": {"reference": "RM", "attribute": "viability", "sd": "0 %", "within": "24 h"}
    }

    with pytest.raises(Refused, match="above zero"):
        Method.read(content)


def test_the_inventory_shows_value_uncertainty_and_status(bench):
    register(bench)

    row = bench.rows("references")["RM-7"]

    assert row["properties"][0]["value"] == {"value": "92.0", "unit": "%"}
    assert row["status"] == "in-use"
