"""One address, one installation: a second server at it is refused before anything is touched."""

import socket

import pytest

from anlage.app import must_be_free, settings
from anlage.base import Refused


@pytest.fixture
def taken():
    """A port at which somebody serves who would share it."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_second_server_at_the_same_address_is_refused(tmp_path, taken):
    with pytest.raises(Refused) as refusal:
        must_be_free(settings(tmp_path, port=taken))

    assert refusal.value.code == "address-taken"
    assert str(taken) in str(refusal.value)


def test_a_free_address_may_be_served_at(tmp_path):
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = asked.getsockname()[1]

    must_be_free(settings(tmp_path, port=port))


def test_a_demo_begun_anew_beside_another_leaves_its_data(tmp_path, taken, capsys):
    from anlage.cli import main

    (tmp_path / "demo_logins.txt").write_text("those of the demo that runs")

    code = main(["demo", "--fresh", "--port", str(taken), "--data", str(tmp_path), "--json"])

    assert code == 2
    assert "address-taken" in capsys.readouterr().out
    assert (tmp_path / "demo_logins.txt").exists()
