"""The pages of jobs: one's own, how they stand, cancel, run again; nobody else's."""

import pytest

from anlage.app import Jobs, Runner

NETWORK = "network: n\nclasses:\n  c: {arrivals: {rate: 1 / day}}\nprocess: []\n"


@pytest.fixture
def planner(house, site, enter):
    """Somebody who may run networks."""
    from anlage.library import RoleGranted
    from anlage.record import Actor, Entry, Stream

    stream = Stream("person/hans")
    from anlage.library import Person

    if "network-planner" not in site.engine.state(Person, stream).roles:
        granted = RoleGranted(role="network-planner", role_version=1, requires=(), granted_by="x")
        by = Actor(person="admin", via="api")
        site.journal.append([Entry(stream, granted)], {}, by=by, at=site.clock.now())
    return enter("hans")


@pytest.fixture
def asked(site, planner):
    row = Jobs(site).submit("simulate-network", {"network": NETWORK}, person="hans", title="Trial")
    yield row
    if not Jobs(site).get(row.id, person="hans").state.is_over:
        Jobs(site).cancel(row.id, person="hans")


def test_a_person_sees_own_jobs_and_nobody_elses(planner, enter, asked):
    own = planner.get("/jobs").content.decode()
    others = enter("eva").get("/jobs").content.decode()

    assert "Trial" in own and "Waiting" in own
    assert asked.id not in others
    for path in (f"/jobs/{asked.id}", f"/jobs/{asked.id}/files/result.json"):
        assert enter("eva").get(path).status_code == 409
    assert enter("eva").post(f"/jobs/{asked.id}/cancel").status_code == 409
    assert planner.get(f"/jobs/{asked.id}").status_code == 200


def test_a_waiting_job_is_cancelled_by_its_button(planner, asked):
    answer = planner.post(f"/jobs/{asked.id}/cancel")

    assert answer.status_code == 302
    assert b"cancelled before it began" in planner.get(f"/jobs/{asked.id}").content


def test_a_job_that_was_refused_says_why_and_can_be_run_again(planner, site, asked):
    runner = Runner(site, workers=1)
    runner.start()
    import time

    end = time.monotonic() + 30
    while not (row := Jobs(site).get(asked.id, person="hans")).state.is_over:
        assert time.monotonic() < end
        time.sleep(0.05)
    runner.close()

    page = planner.get(f"/jobs/{asked.id}").content.decode()
    assert row.state == "refused", row
    assert row.problems[0]["remedy"] in page or "Next" in page

    answer = planner.post(f"/jobs/{asked.id}/again")
    again = answer["Location"].rpartition("/")[2]
    assert again != asked.id
    assert Jobs(site).cancel(again, person="hans").state == "cancelled"


def test_a_file_that_a_job_did_not_make_is_refused(planner, asked):
    answer = planner.get(f"/jobs/{asked.id}/files/report.pdf")

    assert answer.status_code == 409 and b"no files" in answer.content
