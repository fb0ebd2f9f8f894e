"""Another maker's client (npm `epcis2.js`) captures into a running Anlage, queries it, and judges
the same documents as our checker, by the JSON schema of GS1 that it carries.
"""

import copy
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.wire.epcis import check, read_bytes
from tests.epcis_events import EVENTS, a_document
from tests.outside import node, npm_folder

SCRIPT = """
import {createRequire} from 'module';
const {EPCISDocument, ObjectEvent, capture, setup} = createRequire(import.meta.url)('epcis2.js');
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


JUDGE = """
import fs from 'fs';
import {createRequire} from 'module';
const {EPCISDocument} = createRequire(import.meta.url)('epcis2.js');
for(const document of JSON.parse(fs.readFileSync(process.argv[2]))) {
  let verdict = false;
  try { verdict = new EPCISDocument(document).isValid(); } catch(error) { verdict = false; }
  console.log(verdict);
}
"""
WRONG = {
    "action": "CREATE",
    "eventTime": "yesterday",
    "eventTimeZoneOffset": "+1",
    "epcList": ["one"],
    "childEPCs": ["one"],
    "inputEPCList": ["one"],
    "bizStep": "got_it",
    "disposition": "lost",
    "readPoint": {"id": "no address"},
    "sourceList": [{"type": "owning_party"}],
    "sensorElementList": [{}],
    "quantityList": [{"quantity": 3}],
    "bizTransactionList": [{"type": "po"}],
    "errorDeclaration": {"reason": "did_not_occur"},
}


@pytest.fixture(scope="module")
def partner():
    """The folder in which the client is installed."""
    # The package names a dependency `fs` that npm no longer gives; node has its own.
    return npm_folder("partner", ("epcis2.js@2.7.3",), {"fs": "npm:noop@1.0.0"})


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
@pytest.mark.xdist_group("npm")
def test_an_outside_client_captures_and_finds_its_event(partner, served):
    address, token = served
    said = node(partner, SCRIPT, address, token)

    assert said == ["202", "true", "1", "urn:epc:id:sgtin:0614141.107346.9001"]


@pytest.mark.slow
@pytest.mark.xdist_group("npm")
def test_the_outside_client_judges_drawn_documents_as_we_do(partner, tmp_path):
    drawn = []

    @settings(max_examples=120, derandomize=True, deadline=None, database=None)
    @given(EVENTS, st.data())
    def draw(event, data):
        event.pop("persistentDisposition", None)  # the client's schema knows it for objects alone
        broken = copy.deepcopy(event)
        name = data.draw(st.sampled_from(sorted(set(event) & set(WRONG))))
        broken[name] = WRONG[name]
        drawn.extend([a_document(event), a_document(broken)])

    draw()
    file = tmp_path / "drawn.json"
    file.write_text(json.dumps(drawn), "utf-8")

    said = node(partner, JUDGE, file)

    ours = [not check(read_bytes(json.dumps(one).encode(), "drawn.json")) for one in drawn]
    assert said[0::2] == ["true"] * (len(drawn) // 2)
    assert ours[0::2] == [True] * (len(drawn) // 2)
    assert ours[1::2] == [False] * (len(drawn) // 2)
    assert said[1::2].count("false") > 0.8 * len(drawn) / 2  # the schema lets a few through


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
