"""Another maker's client (npm `epcis2.js`) captures into a running Anlage and queries it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

SCRIPT = """
const {EPCISDocument, ObjectEvent, capture, setup} = require('epcis2.js');
const [address, token] = process.argv.slice(2);
const headers = {'content-type': 'application/json', authorization: `Bearer ${token}`};
setup({apiUrl: `${address}/epcis/`, headers, eventTimeZoneOffset: '+01:00'});
const thing = 'urn:epc:id:sgtin:0614141.107346.9001';
const event = new ObjectEvent().setEventTime('2026-02-01T10:00:00.000+01:00')
  .setEventTimeZoneOffset('+01:00').addEPC(thing).setAction('OBSERVE')
  .setBizStep('receiving').setDisposition('in_progress');
(async () => {
  const taken = await capture(new EPCISDocument().setCreationDate('2026-02-01T11:00:00.000Z')
    .addEvent(event));
  const job = await fetch(address + taken.headers.get('location'), {headers});
  const asked = new URLSearchParams({MATCH_anyEPC: thing});
  const answer = await (await fetch(`${address}/epcis/events?${asked}`, {headers})).json();
  const held = new EPCISDocument(answer);
  const found = answer.epcisBody.queryResults.resultsBody.eventList;
  console.log(taken.status, (await job.json()).success, found.length, found[0].epcList[0]);
})();
"""


@pytest.fixture(scope="module")
def partner(tmp_path_factory):
    """A folder with the client installed, or a skip where npm or the package is absent."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is absent")
    folder = tmp_path_factory.mktemp("partner")
    # The package names a dependency `fs` that npm no longer gives; node has its own.
    (folder / "package.json").write_text(
        '{"private": true, "overrides": {"fs": "npm:noop@1.0.0"}}', "utf-8"
    )
    try:
        installed = subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "epcis2.js@2.7.3"],
            cwd=folder,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the package cannot be had")
    if installed.returncode:
        pytest.skip("the package cannot be had")
    (folder / "trade.js").write_text(SCRIPT, "utf-8")
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A new installation, served in a process of its own: its address and a token."""
    data = str(tmp_path_factory.mktemp("served") / "site")
    names = ["--site", "HAM", "--name", "Trial", "--administrator", "Ada", "--login", "ada"]
    _anlage("init", "--data", data, *names)
    token = _anlage("token", "create", "--data", data, "--name", "t", "--person", "P-0001")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "anlage", "serve", "--data", data, "--port", str(port)],
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"{address}/health")
        yield address, token.strip()
    finally:
        server.terminate()
        server.wait(20)


@pytest.mark.slow
def test_an_outside_client_captures_and_finds_its_event(partner, served):
    address, token = served
    ran = subprocess.run(
        ["node", "trade.js", address, token],
        cwd=partner,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.split() == ["202", "true", "1", "urn:epc:id:sgtin:0614141.107346.9001"], ran


def _anlage(*arguments):
    ran = subprocess.run(
        [sys.executable, "-m", "anlage", *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    return ran.stdout


def _wait_for(address):
    for _ in range(300):
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server did not come up")
