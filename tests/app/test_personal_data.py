"""What names a patient: sealed, shown on record, and erased when no duty stands against it."""

import re
from datetime import timedelta

import pytest

from anlage.app import (
    Installation,
    backup,
    export,
    keep_personal,
    must_name_nobody,
    read_personal,
    restore,
    settings,
)
from anlage.app.erasure import erase_missed
from anlage.base import Refused
from anlage.plant import (
    CancelJourney,
    ErasePersonalData,
    KeepPersonalData,
    LiftLegalHold,
    OrderProduct,
    PersonalData,
    PlaceLegalHold,
    ReadPersonalData,
    access_stream,
)
from anlage.record import Actor, Entry, Stream, public_hex, unpack
from tests.app.test_making import AT, founded, order
from tests.app_trial import TrialWeighed

NAME = "Erika Mustermann-Vogel"
YEARS = timedelta(days=366)


def by(person):
    return Actor(person=person, via="page")


@pytest.fixture
def plant(tmp_path):
    plant = founded(tmp_path / "site")
    yield plant
    plant.installation.close()


@pytest.fixture
def ordered(plant):
    """A patient of whom nothing was collected yet."""
    asked = OrderProduct(
        product="cd19-car-t", subject="s", indication="lymphoma", treatment_site="ward",
        weight="70 kg",
        signature=plant.sign("greta", "prescribed", product="cd19-car-t", subject="s"),
    )  # fmt: skip
    streams = plant.do(asked, "greta").streams
    coi = next(one for one in streams if one.startswith("journey/")).partition("/")[2]
    keep_personal(plant.installation, coi, {"name": NAME, "born": "1961-02-03"}, actor=by("greta"))
    return coi


def ended(plant, coi):
    plant.do(CancelJourney(coi=coi, reason="the patient chose otherwise"), "hans")


def erase(plant, coi, person="eva"):
    asked = "letter of 2026-04-01"
    signature = plant.sign(person, "erased", coi=coi, asked=asked)
    return plant.do(ErasePersonalData(coi=coi, asked=asked, signature=signature), person)


def refused(plant, coi, **more):
    size = plant.installation.journal.size
    with pytest.raises(Refused) as refusal:
        erase(plant, coi, **more)
    assert plant.installation.journal.size == size
    return refusal.value


@pytest.mark.req("SC16")
def test_each_reading_is_on_record_with_who_as_what_and_why_before_it_is_shown(plant, ordered):
    found = read_personal(plant.installation, ordered, "call about the slot", actor=by("hans"))

    (read,) = plant.installation.journal.read_stream(access_stream(ordered))
    assert found == {"name": NAME, "born": "1961-02-03"}
    assert (read.body["by"], read.body["role"]) == ("hans", "coordinator")
    assert read.body["purpose"] == "call about the slot"
    row = plant.installation.rows("personal-data").get(ordered)
    assert (row["reads"], row["last_by"]) == (1, "hans")


@pytest.mark.req("SC16")
@pytest.mark.parametrize("person", ["anna", "clara", "fritz", "kurt"])
def test_who_makes_tests_or_stores_the_cells_is_shown_no_name(plant, ordered, person):
    with pytest.raises(Refused) as refusal:
        read_personal(plant.installation, ordered, "curious", actor=by(person))

    assert refusal.value.code == "operator-unqualified"
    assert plant.installation.journal.head(access_stream(ordered)).version == 0


def test_no_purpose_no_reading(plant, ordered):
    with pytest.raises(Refused):
        read_personal(plant.installation, ordered, "  ", actor=by("hans"))

    assert plant.installation.journal.head(access_stream(ordered)).version == 0


@pytest.mark.req("SC16")
def test_no_file_of_the_plant_holds_a_name_in_clear(plant, ordered):
    read_personal(plant.installation, ordered, "call", actor=by("hans"))
    plant.installation.checkpoint()

    for path in plant.installation.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert NAME.encode() not in data and b"1961-02-03" not in data, path


def test_a_digest_that_the_vault_cannot_have_given_is_not_recorded(plant, ordered):
    for items in ({}, {"name": "Erika"}, {"name": "z" * 64}):
        with pytest.raises(Refused) as refusal:
            plant.do(KeepPersonalData(coi=ordered, items=items), "greta")
        assert refusal.value.code == "personal-data-unusable"


@pytest.mark.req("SC16")
def test_erasing_destroys_key_and_salt_and_verification_says_by_which_fact(plant, ordered):
    ended(plant, ordered)

    number = erase(plant, ordered).facts[-1].number

    site = plant.installation
    assert site.vault.is_erased(ordered)
    for act in (
        lambda: site.vault.get(ordered, "name"),
        lambda: site.vault.digest(ordered, b"Erika"),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == "vault-erased"
    with pytest.raises(Refused) as refusal:
        read_personal(site, ordered, "again", actor=by("hans"))
    assert refusal.value.code == "personal-data-none"
    assert refusal.value.problem.found == f"erased by fact {number}"
    verdict = unpack(export(site, f"journey/{ordered}"), trust=public_hex(site.key))
    assert verdict.ok, verdict.problems
    assert verdict.erased == {ordered: number}
    assert f"erased by fact {number}" in verdict.sentence()


def test_a_second_erasure_has_nothing_to_erase(plant, ordered):
    ended(plant, ordered)
    erase(plant, ordered)

    assert refused(plant, ordered).code == "personal-data-none"


def test_a_patient_in_treatment_is_not_erased(plant, ordered):
    refusal = refused(plant, ordered)

    assert refusal.code == "erasure-in-treatment"
    assert "GDPR Art. 17" in refusal.problem.rule


def test_a_legal_hold_stands_against_erasing_until_it_is_lifted(plant, ordered):
    ended(plant, ordered)
    plant.do(PlaceLegalHold(coi=ordered, hold="AZ 7/26", reason="claim of the insurer"), "eva")

    refusal = refused(plant, ordered)
    assert refusal.code == "erasure-on-hold"
    assert "AZ 7/26" in refusal.problem.found
    with pytest.raises(Refused) as twice:
        plant.do(PlaceLegalHold(coi=ordered, hold="AZ 7/26", reason="again"), "eva")
    assert twice.value.code == "hold-known"
    plant.do(LiftLegalHold(coi=ordered, hold="AZ 7/26", reason="settled"), "eva")
    with pytest.raises(Refused) as gone:
        plant.do(LiftLegalHold(coi=ordered, hold="AZ 7/26", reason="again"), "eva")
    assert gone.value.code == "hold-unknown"
    assert erase(plant, ordered).facts


def test_cells_that_were_collected_stay_traceable_for_thirty_years(plant):
    coi = order(plant)
    keep_personal(plant.installation, coi, {"name": NAME}, actor=by("greta"))
    ended(plant, coi)
    plant.clock.advance(29 * YEARS)

    refusal = refused(plant, coi)
    assert refusal.code == "erasure-in-traceability"
    assert "2004/23/EC" in refusal.problem.rule and "1271.270" in refusal.problem.rule
    plant.clock.advance(2 * YEARS)
    assert "traceability ended" in erase(plant, coi).facts[-1].body["basis"]


def test_a_follow_up_to_come_stands_against_erasing_and_names_the_next_visit():
    data = PersonalData(
        coi="C", is_known=True, items={"name": "0" * 64}, holds={}, is_ended=True,
        due=frozenset({"2027-01-01", "2026-06-01"}),
    )  # fmt: skip

    with pytest.raises(Refused) as refusal:
        data.must_be_erasable(AT)

    assert refusal.value.code == "erasure-in-follow-up"
    assert "2026-06-01" in refusal.value.problem.found


@pytest.mark.parametrize("person", ["greta", "hans", "anna"])
def test_only_quality_erases(plant, ordered, person):
    ended(plant, ordered)

    assert refused(plant, ordered, person=person).code == "operator-unqualified"
    assert not plant.installation.vault.is_erased(ordered)


def test_an_erasure_wants_a_signature_under_the_request(plant, ordered):
    ended(plant, ordered)
    with pytest.raises(Refused) as refusal:
        plant.do(ErasePersonalData(coi=ordered, asked="letter"), "eva")
    assert refusal.value.code == "signature-missing"

    other = plant.sign("eva", "erased", coi="CHA999926000099", asked="letter")
    with pytest.raises(Refused) as moved:
        plant.do(ErasePersonalData(coi=ordered, asked="letter", signature=other), "eva")
    assert moved.value.code == "signature-unsound"


def test_a_process_stopped_before_the_vault_erased_erases_when_it_starts(
    plant, ordered, monkeypatch
):
    ended(plant, ordered)
    monkeypatch.setattr("anlage.app.installation.erase_told", lambda vault, facts: None)
    erase(plant, ordered)
    assert not plant.installation.vault.is_erased(ordered)

    plant.installation.close()
    plant.installation = Installation.open(plant.installation.settings, clock=plant.clock)

    assert plant.installation.vault.is_erased(ordered)
    site = plant.installation
    assert erase_missed(site.vault, site.rows("personal-data")) == 0


def test_a_backup_from_before_the_erasure_that_has_the_journal_of_after_it_is_erased_again(
    plant, ordered, tmp_path
):
    """The keys of an older backup laid under the present journal do not bring the names back."""
    old_vault = (plant.installation.folder / "vault.db").read_bytes()
    ended(plant, ordered)
    erase(plant, ordered)
    plant.installation.close()
    backup(plant.installation.settings, tmp_path / "copy")
    restore(tmp_path / "copy", settings(tmp_path / "again"))
    for path in (tmp_path / "again").glob("vault.db*"):
        path.unlink()
    (tmp_path / "again" / "vault.db").write_bytes(old_vault)

    again = Installation.open(settings(tmp_path / "again"), clock=plant.clock)
    try:
        assert again.vault.is_erased(ordered)
    finally:
        again.close()


def test_nothing_is_kept_read_or_held_of_a_journey_that_nobody_knows(plant):
    for request, person in (
        (KeepPersonalData(coi="CHA9", items={"name": "0" * 64}), "greta"),
        (ReadPersonalData(coi="CHA9", purpose="x"), "hans"),
        (PlaceLegalHold(coi="CHA9", hold="h", reason="x"), "eva"),
    ):
        with pytest.raises(Refused) as refusal:
            plant.do(request, person)
        assert refusal.value.code == "subject-unknown"


def dicom(**fields):
    tags = {"name": (0x10, 0x10, b"PN"), "study": (0x8, 0x1030, b"LO")}
    body = b""
    for one, value in fields.items():
        group, element, kind = tags[one]
        body += group.to_bytes(2, "little") + element.to_bytes(2, "little") + kind
        body += len(value).to_bytes(2, "little") + value.encode()
    return bytes(128) + b"DICM" + body


@pytest.mark.req("SC16")
def test_a_picture_of_a_scanner_that_names_the_patient_is_not_attached():
    with pytest.raises(Refused) as refusal:
        must_name_nobody("scan.dcm", dicom(study="thorax", name="Mustermann^Erika"))

    assert refusal.value.code == "patient-named"
    assert "PatientName" in refusal.value.problem.found
    assert "Mustermann" not in str(refusal.value)
    must_name_nobody("scan.dcm", dicom(study="thorax", name="  "))
    must_name_nobody("scan.dcm", dicom(study="thorax"))
    must_name_nobody("notes.pdf", b"%PDF-1.7 Patient: x")


def test_a_cytometry_file_that_names_the_patient_is_not_attached():
    pytest.importorskip("tifffile")
    text = b"/$TOT/0/PATIENT NAME/Erika Mustermann/"
    head = b"FCS3.1    " + f"{58:>8}{58 + len(text) - 1:>8}{0:>8}{0:>8}{0:>8}{0:>8}".encode()

    with pytest.raises(Refused) as refusal:
        must_name_nobody("run.fcs", head + text)

    assert refusal.value.code == "patient-named"
    assert not re.search("Erika|Mustermann", str(refusal.value))


def test_an_exporter_cannot_call_a_missing_file_erased_when_no_erasure_names_it(plant, ordered):
    site = plant.installation
    stream = Stream(f"journey/{ordered}")
    digest = site.blobs.put(b"a certificate")
    site.journal.append(
        [Entry(stream, TrialWeighed(grams=1, number="1", blob=digest))], {}, by=by("eva"),
        at=plant.clock.now(),
    )  # fmt: skip
    (site.folder / "blobs" / digest[:2] / digest).unlink()

    verdict = unpack(export(site, str(stream)), trust=public_hex(site.key))

    assert [one.code for one in verdict.problems] == ["blob-missing"]
    assert "no fact of an erasure" in verdict.problems[0].found
