"""The command line's contract: exit codes and one JSON object."""

import json

import pytest

from anlage.base import Refused
from anlage.cli import shell


def test_a_wrong_word_is_a_usage_error(capsys):
    assert shell.main(["no-such-group"]) == 64
    assert "usage" in capsys.readouterr().err


def test_no_words_are_a_usage_error():
    assert shell.main([]) == 64


@pytest.fixture
def trial_group(monkeypatch):
    """A group whose commands do what the test wants, registered as any other."""
    import sys
    import types

    def register(group):
        group.command("done", lambda _: shell.Answer({"value": float("nan")}), help="finish")
        group.command(
            "invalid", lambda _: shell.Answer({"ok": False}, ok=False), help="find something"
        )
        group.command("refuse", _refuse, help="refuse")
        group.command("break", lambda _: 1 / 0, help="break")

    module = types.ModuleType("anlage.cli.trial")
    module.register = register
    monkeypatch.setitem(sys.modules, "anlage.cli.trial", module)
    monkeypatch.setitem(shell.GROUPS, "trial", "a trial")


def _refuse(_):
    raise Refused("lot-expired", what="lot L-1", found="2026-03-01", remedy="scan another lot")


@pytest.mark.parametrize(
    ("command", "code"), [("done", 0), ("invalid", 2), ("refuse", 2), ("break", 70)]
)
def test_each_outcome_has_its_exit_code_and_prints_one_object(trial_group, capsys, command, code):
    assert shell.main(["trial", command, "--json"]) == code

    printed = json.loads(capsys.readouterr().out)
    assert isinstance(printed, dict)
    if command == "done":
        assert printed["value"] is None
    if command == "refuse":
        assert set(printed["refused"]) == {
            "code", "path", "line", "what", "found", "limit", "remedy", "rule",
        }  # fmt: skip
