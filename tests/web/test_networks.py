"""The pages of networks: write, check by line, save versions, run as jobs, compare, report."""

import html
import re
import time
from pathlib import Path

import pytest

from anlage.app import Jobs, Runner
from anlage.library import Definition
from anlage.record import Stream
from tests.serving import serve

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "networks"
MM2 = (EXAMPLES / "mm2.yaml").read_text()
FIELDS = {"title": "A queue", "basis": "illustrative"}


@pytest.fixture
def nele(enter):
    """A network planner."""
    return enter("nele")


@pytest.fixture(scope="session")
def saved(enter, site):
    """A network of the planner's, with the next version after it."""
    serve(site)  # a test of another folder may have served its own before
    browser = enter("nele")
    for name, example in (("queue", "mm2"), ("queue-two", "mm2")):
        text = (EXAMPLES / f"{example}.yaml").read_text()
        answer = browser.post("/networks/new", {"id": name, "file": text, **FIELDS})
        assert answer.status_code == 302, answer.content
    return "queue"


def typed(answer):
    """Give what stands in the editor of a page."""
    found = re.search(r'<textarea id="file"[^>]*>(.*?)</textarea>', answer.content.decode(), re.S)
    return html.unescape(found[1])


def done(site, id):
    """Let a runner do what waits and give the job."""
    runner = Runner(site, workers=1)
    runner.start()
    end = time.monotonic() + 120
    try:
        while not (row := Jobs(site).get(id, person="nele")).state.is_over:
            assert time.monotonic() < end, row
            time.sleep(0.05)
    finally:
        runner.close()
    return row


def test_everybody_sees_the_networks_and_planners_are_offered_the_examples(nele, enter, saved):
    for browser in (nele, enter("anna")):
        assert b"/networks/queue" in browser.get("/networks").content

    assert b"/networks/new?from=central" in nele.get("/networks").content
    assert b"/networks/new?from=central" not in enter("anna").get("/networks").content


@pytest.mark.parametrize("name", ["mm2", "central", "regional", "point-of-care", "reference"])
def test_an_example_is_in_the_editor_and_sound_within_a_second(nele, name):
    page = nele.get(f"/networks/new?from={name}")
    text = (EXAMPLES / f"{name}.yaml").read_text()

    answer = nele.post("/networks/check", {"file": text}).json()

    assert typed(page) == text
    assert answer["ok"] and answer["problems"] == []
    assert answer["seconds"] < 1


def test_every_problem_is_told_with_line_and_remedy(nele):
    text = MM2.replace("capacity: 2", "capacity: -2").replace("1 hour}", "1 fortnight}")

    answer = nele.post("/networks/check", {"file": text}).json()

    assert not answer["ok"]
    lines = text.splitlines()
    by_line = {one["line"]: one for one in answer["problems"]}
    for line, word in ((1 + lines.index(next(one for one in lines if "-2" in one)), "-2"),):
        assert word in by_line[line]["found"] and by_line[line]["remedy"]
    assert any("fortnight" in lines[number - 1] for number in by_line)


def test_an_unsound_network_is_not_saved_and_nothing_typed_is_lost(nele, site):
    text = MM2.replace("capacity: 2", "capacity: -2")

    answer = nele.post("/networks/new", {"id": "unsound", "file": text, **FIELDS})

    assert answer.status_code == 409
    assert typed(answer) == text
    assert re.search(r"<li><b>Line \d+</b> .*-2", answer.content.decode())
    assert site.engine.load(Definition, Stream("definition/network:unsound"))[0] == 0


@pytest.mark.parametrize(
    ("id", "code"), [("queue", b"network-name-taken"), ("No Name", b"network-name-malformed")]
)
def test_a_name_that_cannot_be_given_is_refused(nele, saved, id, code):
    answer = nele.post("/networks/new", {"id": id, "file": MM2, **FIELDS})

    assert answer.status_code == 409 and code in answer.content


def test_a_version_is_rewritten_while_a_draft_and_the_text_is_kept_to_the_letter(nele, saved, site):
    text = MM2.replace("capacity: 2", "capacity: 3") + "# one more\n"

    answer = nele.post(f"/networks/{saved}/edit", {"file": text, **FIELDS})

    assert answer.status_code == 302
    found = site.engine.state(Definition, Stream("definition/network:queue"))
    assert [one.content["file"] for one in found.versions] == [text]
    assert found.versions[0].author == "nele"
    nele.post(f"/networks/{saved}/edit", {"file": MM2, **FIELDS})


def test_who_may_not_write_is_refused_and_writes_nothing(enter, saved, site):
    before = site.engine.load(Definition, Stream("definition/network:queue"))[0]

    answer = enter("anna").post(f"/networks/{saved}/edit", {"file": MM2 + "\n# x", **FIELDS})

    assert answer.status_code == 409 and b"operator-unqualified" in answer.content
    assert site.engine.load(Definition, Stream("definition/network:queue"))[0] == before


def test_who_may_not_run_is_told_the_role(enter, saved):
    anna = enter("anna")

    for address, values in (
        ("/networks/queue/run", {"what": "simulate-network"}),
        ("/networks/compare", {"network": ["queue", "queue-two"]}),
    ):
        answer = anna.post(address, values)
        assert answer.status_code == 409 and b"network-planner" in answer.content
    assert anna.post("/networks/try", {"file": MM2}).json()["problems"][0]["code"] == (
        "job-not-allowed"
    )


def test_a_run_shows_its_figures_and_prints_its_report(nele, saved, site):
    terms = {"years": "0.2", "warmup": "0.02", "replications": "6", "seed": "4"}
    answer = nele.post("/networks/queue/run", {"what": "simulate-network", **terms})
    id = answer["Location"].rpartition("/")[2]
    waiting = nele.get(f"/networks/runs/{id}").content.decode()
    assert f'data-job-then="/networks/runs/{id}"' in waiting and "Cancel" in waiting

    assert done(site, id).state == "done"

    page = nele.get(f"/networks/runs/{id}").content.decode()
    result = Jobs(site).result(id, person="nele")
    assert result["replications"] == 6 and result["seed"] == 4 and result["years"] == 0.2
    names = set(re.findall(r"<figcaption>(.*?)</figcaption>", page))
    assert {"Vein to vein", "Waits by stage", "Use of resources"} <= names
    brief = nele.get(f"/networks/runs/{id}/brief").json()
    assert brief["state"] == "done"
    treated = f"{result['infused_per_year']:,.0f}".replace(",", "\u00a0")
    assert brief["rows"][0] == ["patients treated a year", treated, ""]
    report = nele.get(f"/networks/runs/{id}/report.pdf")
    assert report["Content-Type"] == "application/pdf" and report.content[:5] == b"%PDF-"


def test_two_networks_are_compared_under_their_own_names(nele, saved, site):
    terms = {"years": "0.2", "replications": "4"}
    answer = nele.post("/networks/compare", {"network": ["queue", "queue-two"], **terms})
    id = answer["Location"].rpartition("/")[2]

    assert done(site, id).state == "done"

    page = nele.get(f"/networks/runs/{id}")
    heads = re.findall(r"<th[^>]*>(.*?)</th>", page.content.decode())
    assert heads[-2:] == ["queue", "queue-two"]
    # The same file twice, under the same chance: no difference at all.
    [measures] = Jobs(site).result(id, person="nele")["differences"].values()
    assert measures["vein_to_vein_days"]["difference"] == 0
    assert nele.get(f"/networks/runs/{id}/report.pdf").content[:5] == b"%PDF-"


def test_a_comparison_needs_two(nele, saved):
    answer = nele.post("/networks/compare", {"network": ["queue"]})

    assert answer.status_code == 409 and b"network-run-impossible" in answer.content


@pytest.mark.parametrize(
    "values",
    [{"what": "simulate-network", "seed": "-1"}, {"what": "simulate-network", "replications": "x"},
     {"what": "os-system"}, {"what": "compare-networks"}],
)  # fmt: skip
def test_a_run_of_another_shape_is_refused(nele, saved, values):
    answer = nele.post("/networks/queue/run", values)

    assert answer.status_code == 409 and b"request-malformed" in answer.content


def test_a_run_beyond_what_can_be_run_is_refused_with_its_limit(nele, saved, site):
    answer = nele.post("/networks/queue/run", {"what": "simulate-network", "years": "5000"})
    id = answer["Location"].rpartition("/")[2]

    row = done(site, id)

    assert row.state == "refused"
    page = nele.get(f"/networks/runs/{id}").content.decode()
    assert row.problems[0]["limit"] in page


def test_an_over_long_text_is_refused_and_not_checked(nele):
    answer = nele.post("/networks/check", {"file": "# " + "x" * 100_000}).json()

    assert answer["problems"][0]["limit"] == "100,000 characters"


def test_what_a_later_version_changed_is_shown_line_by_line(nele, enter, site):
    nele.post("/networks/new", {"id": "revised", "file": MM2, **FIELDS})
    from anlage.library import DefinitionApproved
    from anlage.record import Actor, Entry

    stream = Stream("definition/network:revised")
    drafted = site.engine.state(Definition, stream).versions[0]
    at = site.clock.now()
    approved = DefinitionApproved(number=1, digest=drafted.digest, approver="eva", effective=at)
    site.journal.append([Entry(stream, approved)], {}, by=Actor(person="eva"), at=at)
    text = MM2.replace("capacity: 2", "capacity: 3")

    bare = nele.post("/networks/revised/edit", {"file": text, **FIELDS})
    note = {"reason": "more work", "impact": "none on lots"}
    answer = nele.post("/networks/revised/edit", {"file": text, **FIELDS, **note})

    assert bare.status_code == 409
    assert answer.status_code == 302
    page = nele.get("/networks/revised")
    changed = re.findall(r"<(del|ins)>[-+] (.*?)</", html.unescape(page.content.decode()))
    assert changed == [("del", "  desk: {capacity: 2}"), ("ins", "  desk: {capacity: 3}")]


def test_names_in_a_network_cannot_become_markup(nele):
    text = MM2.replace("desk", "'<img src=x onerror=alert(1)>'").replace(
        "network: mm2", "network: '</script><script>alert(1)</script>'"
    )

    told = nele.post("/networks/check", {"file": text}).json()
    page = nele.post("/networks/new", {"id": "marked-up", "file": text, **FIELDS})

    if told["ok"]:
        page = nele.get("/networks/marked-up")
    assert "<script>alert" not in page.content.decode()
    assert "<img src=x" not in page.content.decode()
