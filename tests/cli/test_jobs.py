"""`anlage jobs`: put in, do without a server, look, read the result, cancel."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.serving import serve

from anlage.app import Installation, settings
from anlage.cli import main
from anlage.library import PersonRegistered, RoleGranted
from anlage.record import Actor, Entry, Stream, World

MM2 = """network: mm2
classes:
  customer: {arrivals: {rate: 1.6 / hour}}
resources:
  desk: {capacity: 2}
process:
  - use: {resource: desk, time: {exponential: {mean: 1 hour}}}
"""


@pytest.fixture
def folder(tmp_path):
    installation = Installation.create(
        settings(tmp_path / "data", durable=False),
        world=World.SIMULATED, site="S1", site_name="Site",
    )  # fmt: skip
    serve(installation, is_new=True)
    stream = Stream("person/nele")
    granted = RoleGranted(role="network-planner", role_version=1, requires=(), granted_by="x")
    registered = PersonRegistered(id="nele", name="Nele")
    entries = [Entry(stream, registered), Entry(stream, granted)]
    entries.append(Entry(Stream("person/otto"), PersonRegistered(id="otto", name="Otto")))
    by, at = Actor(via="command-line"), installation.clock.now()
    installation.journal.append(entries, {}, by=by, at=at)
    installation.close()
    terms = {"years": "0.1", "warmup": "0.01", "replications": 4, "seed": 7}
    (tmp_path / "run.json").write_text(json.dumps({"network": MM2, "terms": terms}))
    return tmp_path


def jobs(capsys, folder, *words, person="nele"):
    asked = [] if words[0] in {"work", "kinds"} else ["--as", person]
    code = main(["jobs", *map(str, words), *asked, "--json", "--data", str(folder / "data")])
    return code, json.loads(capsys.readouterr().out)


def test_a_job_is_put_in_done_and_read(capsys, folder):
    code, answer = jobs(capsys, folder, "submit", "simulate-network", folder / "run.json")
    id = answer["job"]["id"]
    assert code == 0 and answer["job"]["state"] == "waiting"

    assert jobs(capsys, folder, "work") == (0, {"jobs": {id: "done"}})

    code, found = jobs(capsys, folder, "result", id)
    assert code == 0
    assert found["replications"] == 4 and found["seed"] == 7
    assert 0.5 < found["resources"]["desk"]["utilisation"] < 1
    assert jobs(capsys, folder, "list")[1]["jobs"][0]["state"] == "done"


def test_who_may_not_is_told_which_role_it_takes(capsys, folder):
    words = ("submit", "simulate-network", folder / "run.json")

    code, answer = jobs(capsys, folder, *words, person="otto")

    assert code == 2
    assert answer["refused"]["code"] == "job-not-allowed"
    assert answer["refused"]["limit"] == "the role network-planner"


def test_a_waiting_job_is_cancelled_and_shown(capsys, folder):
    id = jobs(capsys, folder, "submit", "simulate-network", folder / "run.json")[1]["job"]["id"]

    assert jobs(capsys, folder, "cancel", id)[1]["job"]["state"] == "cancelled"
    assert jobs(capsys, folder, "show", id)[1]["job"]["words"] == "cancelled before it began"
    assert jobs(capsys, folder, "show", id, person="otto")[0] == 2


def test_arguments_that_are_no_json_are_refused(capsys, folder):
    (folder / "bad.json").write_text("{")

    code, answer = jobs(capsys, folder, "submit", "simulate-network", folder / "bad.json")

    assert code == 2 and answer["refused"]["code"] == "request-malformed"


def test_the_kinds_are_listed_with_their_arguments(capsys, folder):
    kinds = jobs(capsys, folder, "kinds")[1]["kinds"]

    assert kinds["compare-networks"]["arguments"] == ["networks", "terms", "names"]


@pytest.mark.parametrize(("login", "code"), [("nele", None), ("otto", "job-not-allowed")])
def test_beside_a_server_a_person_logs_in_and_is_judged_as_ever(
    capsys, folder, monkeypatch, login, code
):
    import io

    from anlage.app import make_account

    held = Installation.open(settings(folder / "data"))
    serve(held)
    held.answer_beside()
    make_account(login=login, person=login, password="correct horse battery")
    words = ["jobs", "submit", "simulate-network", str(folder / "run.json"), "--login", login]
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    try:
        done = main([*words, "--json", "--data", str(folder / "data")])
        told = json.loads(capsys.readouterr().out)
    finally:
        held.close()

    assert done == (2 if code else 0)
    if code:
        assert told["refused"]["code"] == code
    else:
        assert jobs(capsys, folder, "work")[1]["jobs"] == {told["job"]["id"]: "done"}


def test_a_killed_server_leaves_no_worker_and_its_job_is_said_to_be_interrupted(capsys, folder):
    arguments = json.loads((folder / "run.json").read_text())
    arguments["terms"] |= {"replications": 1_000_000, "years": "3"}
    (folder / "long.json").write_text(json.dumps(arguments))
    id = jobs(capsys, folder, "submit", "simulate-network", folder / "long.json")[1]["job"]["id"]
    words = ["-m", "anlage", "jobs", "work", "--data", str(folder / "data")]
    path = os.pathsep.join(one for one in sys.path if one)
    server = subprocess.Popen(
        [sys.executable, *words],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    worker = _worker_of(server)

    server.kill()
    server.wait()

    _until(lambda: not _is_alive(worker))
    assert jobs(capsys, folder, "work") == (0, {"jobs": {}})
    row = jobs(capsys, folder, "show", id)[1]["job"]
    assert row["state"] == "interrupted" and "server stopped" in row["words"]


def _worker_of(server):
    """Wait until the runner has started a worker, and the worker has begun."""
    found = []

    def look():
        assert server.poll() is None
        for task in Path(f"/proc/{server.pid}/task").iterdir():
            children = (task / "children").read_text().split()
            found[:] = children or found
        return bool(found) and b"job_worker" in Path(f"/proc/{found[0]}/cmdline").read_bytes()

    _until(look)
    return int(found[0])


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _until(what):
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)
