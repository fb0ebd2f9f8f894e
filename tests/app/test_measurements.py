"""Files of instruments become measurements, and measurements results, only by a method that may."""

import numpy
import pytest

from anlage.app import keep_file, measure, measure_request
from anlage.app.demo.bench import simulated_plate
from anlage.base import Refused, digest
from anlage.lab import (
    AcceptMeasurement,
    Measurement,
    MeasurementStatus,
    RejectMeasurement,
    TakeMeasurement,
)
from anlage.lab.flow import (
    Recipe,
    Strategy,
    gate_t_cells,
    panel_of,
    read_fcs,
    simulate_t_cells,
    write_gatingml,
)
from anlage.library import DefinitionApproved, DefinitionDrafted, starter
from anlage.plant import ApproveResult, EnterResult, Lot, ReceiveSample, Sample
from anlage.record import Actor, Entry, Stream
from tests.app.test_making import AT, begin, founded, make, order


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A made lot whose release sample is in the laboratory."""
    plant = founded(tmp_path_factory.mktemp("bench"))
    lot = begin(plant, order(plant))
    make(plant, lot)
    mark = next(
        one for one in plant.state(Lot, f"lot/{lot}").samples.values() if "viability" in one.tests
    )
    plant.do(ReceiveSample(sample=mark.id, laboratory="QC"), "clara")
    plant.sample, plant.lot = mark.id, lot
    yield plant
    plant.installation.close()


@pytest.fixture(scope="module")
def tube():
    data, _, _ = simulate_t_cells(Recipe(events=8_000), numpy.random.default_rng(4))
    return data


def entered(plant, attribute, reported, method, person="clara", **more):
    shown = {"sample": plant.sample, "attribute": attribute, "reported": reported}
    signature = plant.sign(person, "tested", **shown)
    return plant.do(EnterResult(**shown, method=method, signature=signature, **more), person)


def measured(plant, data, method, name="tube.fcs"):
    file = keep_file(plant.installation, name, data)
    asked = measure_request(plant.installation, sample=plant.sample, method=method, file=file)
    outcome = measure(plant.installation, asked, person="clara")
    id = next(one for one in outcome.streams if one.startswith("measurement/"))
    return plant.state(Measurement, id)


def qualify(plant, id, attribute, value, **more):
    """Put a validated version of a starter method in effect under another name."""
    content = dict(starter("method", id).content) | {
        "id": f"{id}-validated",
        "purposes": ["development", "control"],
        "qualified-for": ["control"],
        "validation": {"state": "validated", "report": "VR-7"},
        "measures": [{"attribute": attribute, "value": value, "unit": "%"}],
        **more,
    }
    stream, seal = Stream(f"definition/method:{id}-validated"), digest(content)
    drafted = DefinitionDrafted(
        kind_of="method", id=f"{id}-validated", number=1, title="t", content=content, digest=seal,
        author="author",
    )  # fmt: skip
    approved = DefinitionApproved(number=1, digest=seal, approver="eva", effective=AT)
    by = Actor(person="admin", via="api")
    plant.installation.journal.append(
        [Entry(stream, drafted), Entry(stream, approved)], {}, by=by, at=AT
    )
    return f"{id}-validated"


def accepted(plant, measurement, attribute):
    value = measurement.value_of(attribute)
    shown = {
        "sample": plant.sample,
        "attribute": attribute,
        "reported": value.text if value else "",
    }
    asked = AcceptMeasurement(
        measurement=measurement.id, attribute=attribute,
        signature=plant.sign("clara", "tested", **shown),
    )  # fmt: skip
    return plant.do(asked, "clara")


def test_a_result_carries_the_method_in_force_and_its_version(bench):
    entered(bench, "endotoxin", "<0.5 [EU]/mL", "endotoxin-kinetic")

    said = bench.state(Sample, f"sample/{bench.sample}").results["endotoxin"].fact
    assert (said.method, said.method_version, said.analyst) == ("endotoxin-kinetic", "1", "clara")


def test_a_development_method_gives_no_result_for_release(bench):
    with pytest.raises(Refused) as caught:
        entered(bench, "cd3-purity", "97 %", "t-cell-gating-auto", raw_file="ab" * 32)

    assert caught.value.code == "method-not-qualified"
    assert "not validated" in str(caught.value)


def test_a_method_that_does_not_measure_the_attribute_is_refused(bench):
    with pytest.raises(Refused, match="measures endotoxin") as caught:
        entered(bench, "viability", "92 %", "endotoxin-kinetic")

    assert caught.value.code == "method-not-qualified"


def test_a_method_that_is_not_defined_is_refused(bench):
    with pytest.raises(Refused) as caught:
        entered(bench, "viability", "92 %", "my-own-way")

    assert caught.value.code == "definition-not-effective"


def test_a_tube_becomes_a_measurement_with_gates_and_warnings(bench, tube):
    found = measured(bench, tube, "t-cell-gating-auto")

    assert found.status is MeasurementStatus.WAITING
    assert found.value_of("cd3-purity").text.endswith(" %")
    assert found.fact.figures
    assert bench.installation.blobs.has(found.fact.raw_file)
    assert bench.rows("measurements")[found.id]["status"] == "waiting"


def test_a_measurement_of_a_development_method_is_not_accepted_for_release(bench, tube):
    found = measured(bench, tube, "t-cell-gating-auto")

    with pytest.raises(Refused) as caught:
        accepted(bench, found, "cd3-purity")

    assert caught.value.code == "method-not-qualified"
    assert bench.state(Measurement, f"measurement/{found.id}").status is MeasurementStatus.WAITING


def test_an_analysis_used_beyond_its_purpose_warns_and_its_result_counts(bench, tube):
    method = qualify(bench, "t-cell-gating-auto", "cd3-purity", "T cells")
    found = measured(bench, tube, method)

    accepted(bench, found, "cd3-purity")

    assert any("used for control" in one for one in found.fact.warnings)
    said = bench.state(Sample, f"sample/{bench.sample}").results["cd3-purity"].fact
    assert said.raw_file == found.fact.raw_file
    assert said.reported == found.value_of("cd3-purity").text
    again = bench.state(Measurement, f"measurement/{found.id}")
    assert again.status is MeasurementStatus.ACCEPTED


def test_gates_written_into_a_validated_method_give_the_result(bench, tube):
    found = gate_t_cells(
        read_fcs(tube), panel_of(read_fcs(tube)), rng=numpy.random.default_rng(1)
    ).gated
    names = ("Singlets", "Live", "T cells", "CAR+")
    written = write_gatingml(Strategy(
        gates={name: found.strategy.gates[name] for name in names},
        scales=found.strategy.scales, ratios=found.strategy.ratios,
    ))  # fmt: skip
    method = qualify(
        bench, "cell-events", "car-expression", "CAR+", analysis="gating", gates=written
    )

    taken = measured(bench, tube, method)
    accepted(bench, taken, "car-expression")

    inside = found.membership
    share = 100 * inside["CAR+"].sum() / inside["T cells"].sum()
    assert taken.value_of("car-expression").text == f"{share:.1f} %"
    assert taken.fact.warnings == ()
    assert bench.state(Sample, f"sample/{bench.sample}").results["car-expression"].fact.raw_file


def test_a_method_that_gates_without_gates_is_refused(bench, tube):
    method = qualify(bench, "label-free-activation", "cd3-purity", "T cells", analysis="gating")

    taken = measured(bench, tube, method)

    assert "no gates" in taken.fact.refusal


def test_a_measurement_is_rejected_with_a_signed_reason_and_then_closed(bench, tube):
    found = measured(bench, tube, "cell-events")
    shown = {"measurement": found.id, "reason": "clogged"}
    reject = RejectMeasurement(**shown, signature=bench.sign("clara", "rejected", **shown))
    bench.do(reject, "clara")

    with pytest.raises(Refused) as caught:
        bench.do(reject, "clara")

    assert caught.value.code == "measurement-not-open"


@pytest.mark.parametrize("meaning", ["tested", "rejected"])
def test_a_rejection_under_another_signature_is_refused(bench, tube, meaning):
    found = measured(bench, tube, "cell-events")
    signature = bench.sign("clara", meaning, measurement=found.id, reason="another")

    with pytest.raises(Refused) as caught:
        bench.do(
            RejectMeasurement(measurement=found.id, reason="clogged", signature=signature), "clara"
        )

    assert caught.value.code == "signature-unsound"


def test_a_damaged_file_leaves_a_measurement_that_says_why(bench, tube):
    found = measured(bench, tube[: len(tube) // 2], "t-cell-gating-auto")

    assert found.status is MeasurementStatus.REFUSED
    assert found.fact.refusal
    assert "/tmp" not in found.fact.refusal


def test_a_table_given_to_an_image_method_is_refused_with_both_kinds(bench):
    found = measured(bench, b"Well,Signal\nA1,1.0\n", "nuclei-by-image", "plate.csv")

    assert "table" in found.fact.refusal
    assert "image" in found.fact.refusal


def test_nobody_sends_measured_values_through_the_interface(bench):
    asked = TakeMeasurement(
        sample=bench.sample, method="cell-events", method_digest="0" * 64, raw_file="0" * 64,
        raw_name="f", analysis="flow-quality", analysis_version="1",
    )  # fmt: skip

    with pytest.raises(Refused) as caught:
        bench.do(asked, "clara")

    assert caught.value.code == "measurement-not-computed"


def test_values_of_another_version_of_the_method_are_refused(bench):
    asked = TakeMeasurement(
        sample=bench.sample, method="cell-events", method_digest="0" * 64, raw_file="0" * 64,
        raw_name="f", analysis="flow-quality", analysis_version="1",
    )  # fmt: skip

    with pytest.raises(Refused) as caught:
        bench.installation.engine.do(asked, actor=Actor(person="clara", via="analysis"))

    assert caught.value.code == "definition-not-effective"


def test_a_method_without_analysis_measures_no_file(bench, tube):
    with pytest.raises(Refused) as caught:
        measured(bench, tube, "endotoxin-kinetic")

    assert caught.value.code == "analysis-unknown"


HEAD = "Sample ID;Viability (%);Live (cells/mL)\n"


def test_the_row_of_the_sample_is_taken_out_of_a_table_of_several(bench):
    table = f"{HEAD}OTHER;50,0;1e6\n{bench.sample.lower()};91,5;2e6\n"

    found = measured(bench, table.encode(), "counter-export", "run.csv")

    assert found.value_of("viability").text == "91.5 %"


def test_a_table_of_other_samples_gives_nobodys_value(bench):
    table = f"{HEAD}A;50,0;1e6\nB;91,5;2e6\n"

    found = measured(bench, table.encode(), "counter-export", "run.csv")

    assert found.status is MeasurementStatus.REFUSED
    assert "A, B" in found.fact.refusal


def test_a_table_of_one_sample_is_taken_and_says_what_it_was_called(bench):
    found = measured(bench, f"{HEAD}TUBE-1;91,5;2e6\n".encode(), "counter-export", "run.csv")

    assert found.value_of("viability").text == "91.5 %"
    assert any("TUBE-1" in one for one in found.fact.flags)


def test_a_plate_is_evaluated_by_the_assay_in_force_and_says_which(bench):
    found = measured(bench, simulated_plate(), "potency-by-plate", "plate.csv")

    assert (found.fact.assay, found.fact.assay_version) == ("relative-potency-96", 1)
    assert {one.title for one in found.fact.figures} == {"The plate", "The curves"}
    assert next(one for one in found.fact.values if one.name == "S1").text.endswith(" %")


def test_values_of_another_version_of_the_assay_are_refused(bench):
    content = starter("method", "potency-by-plate").content
    asked = TakeMeasurement(
        sample=bench.sample, method="potency-by-plate", method_digest=digest(dict(content)),
        raw_file="0" * 64, raw_name="f", analysis="plate", analysis_version="1",
        assay_digest="0" * 64,
    )  # fmt: skip

    with pytest.raises(Refused, match="assay relative-potency-96") as caught:
        bench.installation.engine.do(asked, actor=Actor(person="clara", via="analysis"))

    assert caught.value.code == "definition-not-effective"


def test_a_value_that_the_analysis_did_not_give_is_not_accepted(bench, tube):
    found = measured(bench, tube, "cell-events")

    with pytest.raises(Refused) as caught:
        accepted(bench, found, "viability")

    assert caught.value.code == "measurement-without-value"


def test_a_method_that_needs_a_file_takes_no_typed_result(bench):
    method = qualify(bench, "viability-by-image", "viability", "viability")

    with pytest.raises(Refused) as caught:
        entered(bench, "viability", "92 %", method)

    assert caught.value.code == "raw-file-missing"


def approved(plant, attribute, reported, **more):
    shown = {"sample": plant.sample, "attribute": attribute, "reported": reported}
    signature = plant.sign("david", "approved", **shown)
    asked = ApproveResult(sample=plant.sample, attribute=attribute, signature=signature, **more)
    return plant.do(asked, "david")


def test_a_result_entered_by_hand_is_read_again_by_the_second_person(bench):
    reported = "5 bead/10*6.cell"
    entered(bench, "residual-beads", reported, "bead-microscopy")

    with pytest.raises(Refused) as missing:
        approved(bench, "residual-beads", reported)
    with pytest.raises(Refused) as other:
        approved(bench, "residual-beads", reported, reading="50 bead/10*6.cell")
    approved(bench, "residual-beads", reported, reading="5.0 bead/10*6.cell")

    assert missing.value.code == "second-reading-missing"
    assert other.value.code == "readings-differ"
    assert bench.state(Sample, f"sample/{bench.sample}").results["residual-beads"].is_approved


def test_every_measurement_of_a_lots_samples_goes_into_its_export(bench, tube):
    from anlage.app import export
    from anlage.record import unpack

    found = measured(bench, tube[: len(tube) // 2], "cell-events")

    packed = export(bench.installation, f"lot/{bench.lot}")

    assert unpack(packed).ok
    assert f"measurement/{found.id}".encode() in packed or _names(packed, found.id)


def _names(packed, id):
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return any(id.encode() in archive.read(name) for name in archive.namelist())
