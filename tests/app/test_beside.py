"""The command line beside a server: it reads for itself, and what it does is written by the server."""

import os
import subprocess
import sys

import pytest

from anlage.app import Installation, first_administrator, settings
from anlage.base import FixedClock, Refused
from anlage.library import RegisterPerson
from anlage.record import Actor, World

from .test_making import AT


@pytest.fixture
def served(tmp_path):
    """An installation that answers those beside it, with an administrator."""
    installation = Installation.create(
        settings(tmp_path / "site"), world=World.SIMULATED, site="S", site_name="Site",
        clock=FixedClock(AT),
    )  # fmt: skip
    first_administrator(installation, name="Ada Lovelace")
    installation.answer_beside()
    yield installation
    installation.close()


def beside(served):
    return Installation.open(served.settings, may_be_beside=True)


def test_what_is_done_beside_is_in_the_servers_record_and_views(served):
    heard = []
    served.listen(heard.extend)
    guest = beside(served)
    asked = RegisterPerson(id="P-9", name="Grace Hopper", post="operator")

    outcome = guest.engine.do(asked, actor=Actor(person="P-0001", via="command-line"))

    assert guest.clock.now() == AT
    assert [one.hash for one in heard] == [one.hash for one in outcome.facts]
    assert served.rows("people").get("P-9") == guest.rows("people").get("P-9")
    assert guest.rows("people").get("P-9")["name"] == "Grace Hopper"
    guest.close()
    assert served.journal.size == outcome.facts[-1].number + 1


def test_a_refusal_beside_stores_nothing(served):
    guest, before = beside(served), served.journal.size
    asked = RegisterPerson(id="P-9", name="Grace Hopper", post="operator")

    with pytest.raises(Refused):
        guest.engine.do(asked, actor=Actor(person="P-none", via="command-line"))

    assert served.journal.size == before
    guest.close()


def test_what_needs_the_journal_alone_is_refused_beside_a_server(served):
    with pytest.raises(Refused) as caught:
        Installation.open(served.settings)

    assert caught.value.code == "journal-leased"


def test_without_an_answer_the_lease_is_what_is_told(served):
    (served.folder / "journal.line").write_text("1\n")

    with pytest.raises(Refused) as caught:
        beside(served)

    assert caught.value.code == "journal-leased"


def test_another_process_exports_and_proves_beside_the_server(served, tmp_path):
    target = tmp_path / "p.zip"
    where = os.environ | {"ANLAGE_DATA": str(served.folder)}
    export = ["export", "person/P-0001", "-o", str(target)]

    done = subprocess.run(
        [sys.executable, "-m", "anlage", *export],
        env=where,
        capture_output=True,
        text=True,
        check=False,
    )
    key = (served.folder / "keys" / "site.pub").read_text().strip()
    proof = subprocess.run(
        [sys.executable, "-m", "anlage", "verify", str(target), "--trust", key],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "proven, signer confirmed" in proof.stdout
    assert served.journal.checkpoints()[-1].size == served.journal.size
