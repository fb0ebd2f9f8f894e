"""Jobs in processes of their own: progress, cancelling, kills, restarts, rights, hostile input."""

import contextlib
import os
import signal
import time
from datetime import UTC, datetime

import pytest

from anlage.app import Installation, Jobs, Runner, job_kinds, settings
from anlage.base import FixedClock, Refused
from anlage.library import PersonRegistered, RoleGranted
from anlage.record import Actor, Entry, Stream, World
from tests.app import job_trial
from tests.serving import serve

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
UNTIL_SECONDS = 30.0
ROLES = {"anna": "operator", "ben": "verifier", "ada": "administrator"}
MODULE = "tests.app.job_trial"


@pytest.fixture
def site(tmp_path):
    """An installation with three people and a desk."""
    chosen = settings(tmp_path, durable=False)
    installation = Installation.create(
        chosen, world=World.SIMULATED, site="S1", site_name="Site", clock=FixedClock(AT)
    )
    serve(installation, is_new=True)
    entries = []
    for person, role in ROLES.items():
        stream = Stream(f"person/{person}")
        entries.append(Entry(stream, PersonRegistered(id=person, name=person.title())))
        granted = RoleGranted(role=role, role_version=1, requires=(), granted_by="founding")
        entries.append(Entry(stream, granted))
    installation.journal.append(entries, {}, by=Actor(via="command-line"), at=AT)
    yield installation
    installation.close()


@pytest.fixture
def jobs(site):
    return Jobs(site)


@pytest.fixture
def runner(site):
    """A runner with one worker, stopped at the end."""
    started = Runner(site, workers=1, module=MODULE)
    started.start()
    yield started
    started.close()


def until(jobs, id, *states, person="anna"):
    """Wait until a job stands at one of these states."""
    end = time.monotonic() + UNTIL_SECONDS
    while time.monotonic() < end:
        row = jobs.get(id, person=person)
        if row.state in states:
            return row
        time.sleep(0.02)
    raise AssertionError(f"job stands at {row.state}: {row.words}")


def running(jobs, id, person="anna"):
    """Wait until a job has told of itself."""
    end = time.monotonic() + UNTIL_SECONDS
    while time.monotonic() < end:
        row = jobs.get(id, person=person)
        assert not row.state.is_over, row
        if row.words:
            return row
        time.sleep(0.02)
    raise AssertionError("the job never told of itself")


@contextlib.contextmanager
def refused(code):
    """See that a rule says no, by its code."""
    with pytest.raises(Refused) as caught:
        yield caught
    assert caught.value.code == code


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_job_tells_how_far_it_is_and_leaves_result_and_file(jobs, runner, site):
    heard = []
    runner.listen(lambda person, seen: heard.append((person, seen)))

    asked = jobs.submit("count", {"to": 60}, person="anna", title="Count", subject="lot/L-1")
    row = until(jobs, asked.id, "done")

    result = jobs.result(asked.id, person="anna")
    assert result["counted"] == 60 and result["read_again"] == "60"
    assert result["pid"] != os.getpid()
    assert site.blobs.get(row.files["counted.txt"]) == b"60"
    fractions = [seen["fraction"] for person, seen in heard if person == "anna"]
    assert len(fractions) > 4 and fractions == sorted(fractions)
    assert [one.id for one in jobs.own("anna", subject="lot/L-1")] == [asked.id]
    assert jobs.own("anna", subject="lot/L-2") == [] and jobs.own("ben") == []


def test_a_running_job_is_cancelled_where_it_looks_up(jobs, runner):
    asked = jobs.submit("count", {"to": 100_000}, person="anna")
    running(jobs, asked.id)
    pids = runner.pids

    jobs.cancel(asked.id, person="anna")
    row = until(jobs, asked.id, "cancelled")

    assert row.ended is not None and row.fraction < 1
    assert runner.pids == pids, "the process lives on for the next job"


def test_a_job_that_never_looks_up_loses_its_process(jobs, runner, monkeypatch):
    monkeypatch.setattr("anlage.app.job_runner.STOP_SECONDS", 0.5)
    asked = jobs.submit("deaf", {}, person="anna")
    running(jobs, asked.id)
    [pid] = runner.pids

    jobs.cancel(asked.id, person="anna")
    row = until(jobs, asked.id, "cancelled")

    assert "process was stopped" in row.words
    assert not is_alive(pid)
    following = jobs.submit("count", {"to": 2}, person="anna")
    until(jobs, following.id, "done")


def test_a_job_beyond_its_time_is_stopped(jobs, runner):
    asked = jobs.submit("slow", {}, person="anna")

    row = until(jobs, asked.id, "failed")

    assert "stopped after 0.5 s" in row.words


def test_a_killed_worker_costs_its_job_and_nothing_else(jobs, runner):
    asked = jobs.submit("count", {"to": 100_000}, person="anna")
    running(jobs, asked.id)

    os.kill(runner.pids[0], signal.SIGKILL)
    row = until(jobs, asked.id, "interrupted")

    assert "code -9" in row.words
    again = jobs.again(asked.id, person="anna")
    assert again.arguments == {"to": 100_000} and again.id != asked.id
    running(jobs, again.id)
    jobs.cancel(again.id, person="anna")
    until(jobs, again.id, "cancelled")


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [("crash", "interrupted", "code -9"), ("faulty", "failed", "ZeroDivisionError"),
     ("refuse", "refused", "the note")],
)  # fmt: skip
def test_how_a_job_went_wrong_is_told(jobs, runner, name, state, words):
    asked = jobs.submit(name, {"note": "too much"}, person="anna")

    row = until(jobs, asked.id, state)

    assert words in row.words
    if state == "refused":
        assert row.problems[0]["remedy"] == "write less"
    with refused("job-not-done"):
        jobs.result(asked.id, person="anna")


def test_what_ran_when_the_server_stopped_is_said_to_be_interrupted(site, jobs):
    first = Runner(site, workers=1, module=MODULE)
    first.start()
    asked = jobs.submit("count", {"to": 100_000}, person="anna")
    waiting = jobs.submit("count", {"to": 2}, person="anna")
    running(jobs, asked.id)
    [pid] = first.pids
    # As after a kill of the server: the row says that the job runs, and nobody runs it.
    from anlage.store.desk.models import Job, JobState

    first.close()
    Job.objects.filter(pk=asked.id).update(state=JobState.RUNNING, ended=None)

    second = Runner(site, workers=1, module=MODULE)
    try:
        assert second.start() == 1
        row = until(jobs, asked.id, "interrupted")
        until(jobs, waiting.id, "done")
    finally:
        second.close()

    assert "server stopped" in row.words
    assert not is_alive(pid)


def test_a_worker_goes_when_its_server_is_gone(tmp_path):
    import subprocess
    import sys

    code = (
        "import subprocess, sys, time\n"
        f"w = subprocess.Popen([sys.executable, '-m', '{MODULE}', {str(tmp_path)!r}],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "print(w.stdout.readline().decode(), flush=True)\n"
        'w.stdin.write(b\'{"job": "j", "name": "deaf", "arguments": {}}\\n\')\n'
        "w.stdin.flush()\n"
        "time.sleep(600)\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    import json

    pid = json.loads(server.stdout.readline())["here"]

    server.kill()
    server.wait()

    end = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    server.stdout.close()
    assert not is_alive(pid)


def test_two_workers_work_at_once_and_people_take_turns(site, jobs):
    two = Runner(site, workers=2, module=MODULE)
    first = jobs.submit("count", {"to": 100_000}, person="anna")
    second = jobs.submit("count", {"to": 100_000}, person="anna")
    of_ben = jobs.submit("count", {"to": 100_000}, person="ben")
    two.start()
    try:
        running(jobs, first.id)
        running(jobs, of_ben.id, person="ben")
        assert jobs.get(second.id, person="anna").state == "waiting"
        assert len(set(two.pids)) == 2
    finally:
        two.close()


def test_the_queue_is_bounded_for_one_and_for_all(jobs, monkeypatch):
    for _ in range(10):
        last = jobs.submit("count", {"to": 1}, person="anna")

    with refused("job-queue-full") as refusal:
        jobs.submit("count", {"to": 1}, person="anna")

    assert "10 of yours" in refusal.value.problem.found
    jobs.submit("count", {"to": 1}, person="ben")
    monkeypatch.setattr("anlage.app.jobs.WAITING_MAX", 11)
    with refused("job-queue-full"):
        jobs.submit("count", {"to": 1}, person="ben")
    assert jobs.cancel(last.id, person="anna").state == "cancelled"
    with refused("job-ended"):
        jobs.cancel(last.id, person="anna")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("count", {"to": "many"}),
        ("count", {"to": True}),
        ("count", {"to": 10**30}),
        ("count", {}),
        ("count", {"to": 1, "extra": 1}),
        ("count", []),
        ("count", {"to": 1, 2: 3}),
        ("refuse", {"note": "a\x00b"}),
        ("refuse", {"note": "x" * 200_000}),
        ("weigh-all", {"lot": "L", "grams": [1] * 6000}),
        ("simulate-network", {"network": "x", "terms": {"replications": "9"}}),
    ],
)
def test_arguments_of_another_shape_are_refused_before_they_wait(jobs, name, arguments):
    with refused("request-malformed"):
        jobs.submit(name, arguments, person="anna")

    assert jobs.own("anna") == []


def test_a_job_nobody_knows_is_refused(jobs):
    with refused("job-unknown-kind"):
        jobs.submit("os.system", {"note": "x"}, person="anna")
    with refused("job-unknown"):
        jobs.get("../../etc", person="anna")


def test_a_job_asks_for_a_role_when_it_is_put_in_and_when_it_begins(site, jobs):
    with refused("job-not-allowed") as refusal:
        jobs.submit("weigh-all", {"lot": "L", "grams": [1]}, person="ben")
    assert refusal.value.problem.found == "verifier"
    with refused("job-not-allowed"):
        jobs.submit("count", {"to": 1}, person="nobody")
    asked = jobs.submit("weigh-all", {"lot": "L", "grams": [1]}, person="anna")
    from anlage.library import RoleWithdrawn

    gone = RoleWithdrawn(role="operator", by="ada", reason="left the plant")
    site.journal.append(
        [Entry(Stream("person/anna"), gone, why="left")], {}, by=Actor(person="ada"), at=AT
    )

    late = Runner(site, workers=1, module=MODULE)
    late.start()
    try:
        row = until(jobs, asked.id, "refused")
    finally:
        late.close()

    assert row.problems[0]["code"] == "job-not-allowed"


def test_what_a_job_writes_is_written_in_its_persons_name(site, jobs, runner):
    asked = jobs.submit("weigh-all", {"lot": "L-1", "grams": [10, 20]}, person="anna")

    until(jobs, asked.id, "done")

    facts = site.journal.read_stream(Stream("lot/L-1"))
    assert [one.body["grams"] for one in facts] == [10, 20]
    assert {(one.by.person, one.by.via, one.by.session) for one in facts} == {
        ("anna", "job", asked.id)
    }


def test_a_command_that_refuses_refuses_the_job_and_writes_nothing_more(site, jobs, runner):
    asked = jobs.submit("weigh-all", {"lot": "L-2", "grams": [90, 20, 1]}, person="anna")

    row = until(jobs, asked.id, "refused")

    assert row.problems[0]["code"] == "too-heavy"
    assert len(site.journal.read_stream(Stream("lot/L-2"))) == 1


def test_others_jobs_are_not_there_save_for_the_administrator(jobs):
    asked = jobs.submit("count", {"to": 1}, person="anna")

    with refused("job-unknown"):
        jobs.cancel(asked.id, person="ben")

    assert jobs.cancel(asked.id, person="ada").state == "cancelled"


def test_every_kind_of_job_says_what_it_does():
    assert job_trial
    for name, kind in job_kinds().items():
        assert kind.about.endswith("."), name
