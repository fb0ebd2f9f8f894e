"""A simulated RFID gate sends to a really served installation, and the page shows what it read."""

import http.cookiejar
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from anlage.app import Installation, code_name, settings
from anlage.cli import shell
from anlage.custody import CodeGiven, ContainerCreated, Evidence, ShipmentPrepared, code_stream
from anlage.record import Actor, Entry, Stream

ROOT = Path(__file__).resolve().parents[2]
PACKED = ("urn:epc:id:grai:4012345.00011.1", "urn:epc:id:grai:4012345.00011.2",
          "urn:epc:id:sgtin:0614141.812345.A-3", "urn:epc:id:giai:0614141.77")  # fmt: skip


class Served:
    """A served installation with one packed shipment, its token and its first login."""

    def __init__(self, folder, world):
        self.folder, self.address = folder, ""
        init = self._anlage(
            "init", "--world", world, "--site", "S1", "--name", "Trial", "--administrator", "Ada",
            "--login", "ada",
        )  # fmt: skip
        self.password = init["password"]
        person = ("--name", "gate", "--person", "P-0001")
        self.token = self._anlage("token", "create", *person)["token"]
        site = Installation.open(settings(folder))
        at = datetime.now(UTC)
        packed = tuple(f"T-{number}" for number in range(len(PACKED) + 1))
        entries = [Entry(Stream("shipment/S-1"), _prepared(packed, at))]
        for name in packed:
            entries.append(Entry(Stream(f"container/{name}"), _created()))
        for name, urn in zip(packed, PACKED, strict=False):
            code = code_name(urn, at.date())
            given = CodeGiven(code=code, subject=f"container/{name}")
            entries.append(Entry(code_stream(code), given))
        site.journal.append(entries, {}, by=Actor(person="P-0001", via="test"), at=at)
        site.close()

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "anlage", "serve", "--data", self.folder, "--port", port]
        self._server = subprocess.Popen(
            [str(word) for word in command], cwd=ROOT, env=_environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.address}/health", timeout=2).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
            else:
                return self
        raise AssertionError("the server did not come up")

    def __exit__(self, *error):
        self._server.terminate()
        self._server.wait(20)

    def page(self, path):
        """Give a page as the administrator sees it, who changes the first password on the way."""
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self._post(browser, "/login", {"login": "ada", "password": self.password})
        new = {
            "old": self.password,
            "new": "correct horse battery",
            "again": "correct horse battery",
        }
        self._post(browser, "/password", new)
        return browser.open(self.address + path, timeout=20).read().decode()

    def _post(self, browser, path, values):
        shown = browser.open(self.address + path, timeout=20).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown)
        data = values | ({"csrfmiddlewaretoken": token[1]} if token else {})
        request = urllib.request.Request(
            self.address + path, urllib.parse.urlencode(data).encode(),
            headers={"Referer": self.address, "Origin": self.address},
        )  # fmt: skip
        return browser.open(request, timeout=20).read().decode()

    def _anlage(self, *words):
        command = [sys.executable, "-m", "anlage", *words, "--data", str(self.folder), "--json"]
        ran = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=ROOT, env=_environment()
        )
        return json.loads(ran.stdout)


def _environment():
    return os.environ | {"PYTHONPATH": str(ROOT / "src")}


def _created():
    return ContainerCreated(
        vessel="tube", place="store", holder="P-0001", evidence=Evidence.SCANNED
    )


def _prepared(packed, at):
    return ShipmentPrepared(
        shipper="BOX", containers=packed, seal="1", sender="P-0001", receiver="hospital", due=at,
        evidence=Evidence.SCANNED,
    )  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Served(tmp_path_factory.mktemp("rfid"), "training") as running:
        yield running


@pytest.fixture
def simulate(served, capsys):
    def call(what="shipment/S-1", *words, token=None):
        code = shell.main([
            "rfid", "simulate", str(what), "--url", served.address,
            "--token", served.token if token is None else token, "--json", *words,
        ])  # fmt: skip
        return code, json.loads(capsys.readouterr().out)

    return call


def test_a_simulated_gate_shows_what_is_missing_and_foreign_on_the_page(served, simulate):
    code, said = simulate("shipment/S-1", "--missing", "1", "--foreign", "2", "--seed", "7")

    assert code == 0, said
    assert said["simulated"] is True
    assert said["untagged"] == ["T-4"]
    assert len(said["read"]) == 3 and len(said["missed"]) == 1 and len(said["strays"]) == 2
    assert said["reads"] > len(said["read"]) + len(said["strays"])
    verdict = said["verdict"]
    assert len(verdict["present"]) == 3
    assert len(verdict["missing"]) == 1
    assert len(verdict["foreign"]) == 2
    assert verdict["is_complete"] is False
    page = served.page("/scan/shipment/S-1")
    there = page[page.index("<h2>There</h2>") : page.index("<h2>Reads</h2>")]
    assert all(one in there for one in verdict["present"])
    missing = page[page.index(">Missing<") : page.index(">Foreign<")]
    assert verdict["missing"][0] in missing
    foreign = page[page.index(">Foreign<") : page.index("On the list without a tag")]
    assert all(one in foreign for one in verdict["foreign"])
    assert "dBm" in foreign
    assert ">simulated<" in page[page.index("<h2>Reads</h2>") :]


def test_reads_of_a_file_go_in_as_many_requests_as_asked_and_once(simulate, tmp_path):
    file = tmp_path / "tags.txt"
    file.write_text("3374257BF7194E4000001A85  # ours\n3074257BF7194E4000001A85\n")
    words = ("--bulk", "5", "--repeats", "6", "--reader", "simulated-2")

    code, said = simulate(file, *words)

    assert code == 0, said
    assert sum(said["requests"]) == said["reads"]
    assert all(number == 5 for number in said["requests"][:-1])
    assert "verdict" not in said


def test_a_shipment_that_nobody_packed_and_a_wrong_token_are_refused(simulate):
    code, said = simulate("shipment/NOBODY")
    assert (code, said["refused"]["code"]) == (2, "subject-unknown")

    code, said = simulate(token="wrong")
    assert code == 2
    assert said["refused"]["code"] in {"login-missing", "installation-refused"}


def test_a_simulated_gate_is_refused_in_the_real_world(tmp_path, capsys):
    with Served(tmp_path / "real", "real") as real:
        code = shell.main(
            ["rfid", "simulate", "S-1", "--url", real.address, "--token", real.token, "--json"]
        )
        said = json.loads(capsys.readouterr().out)

    assert (code, said["refused"]["code"]) == (2, "reader-simulated")


def test_where_nobody_serves_the_gate_says_so(capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--url", f"http://127.0.0.1:{port}", "--token", "x", "--json"]

    code = shell.main(["rfid", "simulate", "S-1", *words])

    said = json.loads(capsys.readouterr().out)
    assert (code, said["refused"]["code"]) == (2, "installation-silent")
