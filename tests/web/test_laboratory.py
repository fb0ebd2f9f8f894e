"""The laboratory's pages: who may do what, what is offered, what an upload may be."""

import numpy
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from anlage.app import keep_file, measure, measure_request
from anlage.lab import Measurement
from anlage.lab.flow import Recipe, Writing, simulate_t_cells, write_fcs
from anlage.plant import Lot

COUNTER = b"""Sample ID;Viability (%);Total cells/mL;Viable cells/mL
S-1;92.4;1.2e6;1.1e6
S-2;;1.3e6;1.2e6
"""


@pytest.fixture(scope="session")
def sample(house):
    """The release sample of the made lot: in the laboratory, its results approved."""
    lot = house.state(Lot, f"lot/{house.named['made']}")
    return next(one.id for one in lot.samples.values() if "viability" in one.tests)


@pytest.fixture(scope="session")
def tube():
    return simulate_t_cells(Recipe(events=8_000), numpy.random.default_rng(5))[0]


@pytest.fixture(scope="session")
def measured(house, sample, tube):
    file = keep_file(house.installation, "tube.fcs", tube)
    asked = measure_request(
        house.installation, sample=sample, method="t-cell-gating-auto", file=file
    )
    outcome = measure(house.installation, asked, person="clara")
    return next(one for one in outcome.streams if one.startswith("measurement/")).partition("/")[2]


def upload(client, sample, method, name, data):
    given = {"method": method, "file": SimpleUploadedFile(name, data)}
    return client.post(f"/samples/{sample}", given)


def measurements(house):
    return len(house.rows("measurements"))


def test_a_sample_shows_its_tests_and_what_gave_each(enter, sample):
    answer = enter("clara").get(f"/samples/{sample}")

    assert answer.status_code == 200
    page = answer.content.decode()
    assert "Count and viability with two dyes" in page
    assert "92.1 %" in page


@pytest.mark.parametrize("login", ["anna", "eva"])
def test_who_is_no_analyst_takes_in_no_file(enter, house, sample, tube, login):
    before = measurements(house)

    answer = upload(enter(login), sample, "cell-events", "tube.fcs", tube)

    assert answer.status_code == 409
    assert "qc-analyst" in answer.content.decode()
    assert "Take in files" not in enter(login).get(f"/samples/{sample}").content.decode()
    assert measurements(house) == before


def test_an_upload_becomes_a_job_of_its_sample(enter, house, sample, tube):
    from anlage.app import Jobs

    answer = upload(enter("clara"), sample, "cell-events", "tube.fcs", tube)

    assert answer.status_code == 302
    newest = Jobs(house.installation).own("clara", subject=f"sample/{sample}")[0]
    assert (newest.name, newest.title) == ("measure-file", "tube.fcs by cell-events")
    assert newest.arguments["raw_name"] == "tube.fcs"


def a_named_tube():
    return write_fcs(
        Writing(names=("FSC-A", "SSC-A"), keywords={"PATIENT ID": "Jane Doe"}), numpy.ones((9, 2))
    )


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("tube.fcs", a_named_tube(), "patient-named"),
        ("field.png", b"<svg onload=alert(1)>", "file-of-another-kind"),
        ("plate.xlsx", b"PK\x03\x04nonsense", "file-of-another-kind"),
        ("run.exe", b"MZ\x90\0\x03\0\0\0", "file-of-another-kind"),
    ],
)
def test_a_hostile_upload_is_refused_and_nothing_is_kept(enter, house, sample, name, data, code):
    before = house.installation.journal.size

    answer = upload(enter("clara"), sample, "cell-events", name, data)

    assert answer.status_code == 409
    assert code in answer.content.decode()
    assert "Jane" not in answer.content.decode()
    assert house.installation.journal.size == before


def test_a_method_that_is_not_in_force_is_refused(enter, sample, tube):
    answer = upload(enter("clara"), sample, "nobodys-method", "tube.fcs", tube)

    assert answer.status_code == 409
    assert "definition-not-effective" in answer.content.decode()


def test_a_table_is_shown_row_by_row_before_anything_is_recorded(enter, house, sample):
    before = house.installation.journal.size

    answer = upload(enter("clara"), sample, "counter-export", "counter.csv", COUNTER)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "1 of 2 rows accepted" in page
    assert "viability blank" in page
    assert house.installation.journal.size == before


def test_a_table_that_nobody_can_read_is_refused_with_the_reason(enter, sample):
    answer = upload(enter("clara"), sample, "counter-export", "notes.csv", b"a,b\n1,2\n")

    assert "dialect" in answer.content.decode() or "plate grid" in answer.content.decode()
    assert "Analyse the accepted rows" not in answer.content.decode()


def test_a_measurement_shows_its_gates_and_offers_no_unqualified_result(enter, measured):
    page = enter("clara").get(f"/measurements/{measured}").content.decode()

    assert "not qualified for" in page
    assert "/act/accept-measurement" not in page
    assert "data-figure" in page
    assert "Reject it" in page


def test_figures_and_files_of_a_measurement_are_served_as_what_they_are(enter, measured, tube):
    client = enter("clara")

    figure = client.get(f"/measurements/{measured}/figure/1")
    raw = client.get(f"/measurements/{measured}/file/raw")

    assert figure["Content-Type"] == "application/vnd.plotly.v1+json"
    assert raw.content == tube
    assert raw["Content-Type"] == "application/octet-stream"
    assert "attachment" in raw["Content-Disposition"]
    assert client.get(f"/measurements/{measured}/figure/99").status_code == 409


def test_a_measurement_is_rejected_under_a_signature(enter, house, sample, tube):
    file = keep_file(house.installation, "tube.fcs", tube)
    asked = measure_request(house.installation, sample=sample, method="cell-events", file=file)
    streams = measure(house.installation, asked, person="clara").streams
    name = next(one for one in streams if one.startswith("measurement/")).partition("/")[2]
    client = enter("clara")
    form = client.post(
        "/act/reject-measurement", {"measurement": name, "reason": "clogged", "back": "/"}
    )
    signed = client.post(form["Location"], {"login": "clara", "password": "correct horse battery"})

    assert signed.status_code == 302, signed.content.decode()[:3000]
    assert house.state(Measurement, f"measurement/{name}").reason == "clogged"


def test_every_method_has_a_page_that_says_what_it_may_be_used_for(enter):
    client = enter("clara")
    page = client.get("/methods").content.decode()

    assert "T-cell activation from label-free crops" in page
    one = client.get("/methods/label-free-activation").content.decode()
    assert "not qualified for release" in one
    assert client.get("/methods/two-dye-exclusion").status_code == 200
    assert client.get("/methods/nothing-of-the-kind").status_code == 409


def test_a_methods_results_are_drawn_over_time(enter):
    answer = enter("clara").get("/methods/two-dye-exclusion/trend/viability")

    assert answer.status_code == 200
    assert answer.json()["data"][0]["y"]


def test_the_script_that_draws_comes_from_here(enter):
    answer = enter("clara").get("/plotly.js")

    assert answer["Content-Type"].startswith("text/javascript")
    assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_the_laboratory_shows_what_waits(enter, measured):
    page = enter("clara").get("/laboratory").content.decode()

    assert f"/measurements/{measured}" in page


def test_reference_materials_have_a_page(enter):
    page = enter("clara").get("/references").content.decode()

    assert "Register a reference material" in page
    assert "Register a reference material" not in enter("anna").get("/references").content.decode()
