"""Hostile values in every field of every command: one problem shape, nothing stored, no breakage."""

import dataclasses
import enum
import json
import types
import typing
from datetime import datetime
from decimal import Decimal

import pytest

from anlage.app import command_classes
from anlage.app.assemble import bind_commands
from anlage.base import Quantity
from anlage.record import Signature
from tests.app.test_making import begin, order

bind_commands()
PROBLEM = {"code", "path", "line", "what", "found", "limit", "remedy", "rule"}
deep: object = "x"
for _ in range(200):
    deep = [deep]
# Values that nothing may keep, whatever the field.
ILLEGIBLE = {
    "nul": "a\x00b", "escape": "\x1b[2J", "turned": "\u202egnp.exe", "surrogate": "\ud800",
    "long": "x" * 100_001, "deep": deep, "huge": 10**400, "float": 1e308,
    "object": {"$gt": ""}, "list": [[], {}],
}  # fmt: skip
# Text that is only text: it may be kept where text is, and breaks nothing.
TEXTS = {
    "sql": "x'); DROP TABLE fact; --", "html": "<script>alert(1)</script>",
    "path": "../../../../etc/passwd", "format": "%s%n{0.__class__}${7*7}", "empty": "",
    "negative": "-1", "not-a-number": "NaN", "exponent": "1e999999999", "slash": "a/b",
}  # fmt: skip
COMMANDS = sorted(one for one in command_classes() if one != "weigh")


def plain(hint):
    """Give a value of the type that a hint names."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return plain(next(one for one in arguments if one is not type(None)))
    if origin in (tuple, list, frozenset):
        return [plain(arguments[0])]
    if origin is not None:
        return {"a": plain(arguments[1])}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint)).value
    known = {str: "x", int: 1, bool: True, Decimal: "1", datetime: "2026-03-01T00:00:00Z",
             Quantity: {"value": "1", "unit": "mL"}, object: "x"}  # fmt: skip
    if hint in known:
        return known[hint]
    return filled(hint)


def filled(cls):
    hints = typing.get_type_hints(cls)
    return {
        one.name: plain(hints[one.name])
        for one in dataclasses.fields(cls)
        if Signature not in (hints[one.name], *typing.get_args(hints[one.name]))
    }


@pytest.fixture(scope="module")
def victim(door):
    """Things that exist, by the field that names them, so that decisions are reached."""
    coi = order(door.plant)
    lot = begin(door.plant, coi)
    return {
        "lot": lot, "coi": coi, "step": "receipt-identity", "material": "M-wash-buffer", "pack": "1",
        "equipment": "E-cell-counter", "supplier": "ACME", "person": "otto", "container": "C-1",
        "material_class": "wash-buffer", "product": "cd19-car-t", "witness": "ben", "second": "ben",
        "kind": "recipe", "id": "cd19-car-t", "equipment_class": "cell-counter",
    }  # fmt: skip


def send(client, name, body):
    answer = client.post(f"/api/commands/{name}", body, content_type="application/json")
    return answer.status_code, json.loads(answer.content)


def must_be_a_problem(status, answer, about):
    assert 400 <= status < 500, (about, status, answer)
    assert set(answer) == {"refused", "problems"}, about
    assert set(answer["refused"]) == PROBLEM, about
    json.dumps(answer, ensure_ascii=False).encode()


@pytest.mark.parametrize("value", sorted(ILLEGIBLE))
def test_what_is_not_legible_or_of_another_type_is_refused_in_every_field_of_every_command(
    door, value
):
    client = door.browser("omar")
    with door.nothing_stored():
        for name in COMMANDS:
            cls = command_classes()[name]
            base = filled(cls)
            for field in base:
                hint = typing.get_type_hints(cls)[field]
                if value in {"object", "list"} and typing.get_origin(hint) is not None:
                    continue
                if value == "huge" and hint is object:
                    continue
                body = json.dumps({"values": base | {field: ILLEGIBLE[value]}})
                status, answer = send(client, name, body)
                must_be_a_problem(status, answer, (name, field, value))
                assert answer["refused"]["code"] == "request-malformed", (name, field, answer)


@pytest.mark.parametrize("value", sorted(TEXTS))
@pytest.mark.parametrize("known", [False, True], ids=["unknown", "known"])
def test_text_that_looks_like_code_breaks_no_command(door, victim, value, known):
    client = door.browser("omar")
    for name in COMMANDS:
        base = filled(command_classes()[name])
        base |= {
            one: text for one, text in victim.items() if known and isinstance(base.get(one), str)
        }
        for field, old in base.items():
            if not isinstance(old, str):
                continue
            before = door.journal.size
            body = json.dumps({"values": base | {field: TEXTS[value]}})
            status, answer = send(client, name, body)
            if status != 200:
                must_be_a_problem(status, answer, (name, field, value))
                assert door.journal.size == before


def test_hostile_names_and_values_inside_lists_and_mappings_are_refused(door):
    client = door.browser("omar")
    with door.nothing_stored():
        for name in COMMANDS:
            for field, old in filled(command_classes()[name]).items():
                if not isinstance(old, dict | list):
                    continue
                for bad in (
                    {"\x00": "x"},
                    {"x" * 300: "x"},
                    {"a": "\ud800"},
                    ["\x1b"],
                    [None] * 6000,
                    "x",
                ):
                    body = json.dumps({"values": filled(command_classes()[name]) | {field: bad}})
                    must_be_a_problem(*send(client, name, body), (name, field, bad))


@pytest.mark.parametrize("body", [
    b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 20_000, b'{"values": 3}',
    b'{"values": {}, "key": "\\u0000"}', b'{"values": {}, "key": 7}', b'{"sign": {}}',
    b'{"sign": [{"login": "\\ud800", "password": "x"}]}', b'{"values": {"lot": 1e999}}',
    b'{"values": {"lot": NaN}}', b"\x00" * 1000, b'"' + b"x" * 1_000_000 + b'"',
])  # fmt: skip
def test_a_body_that_is_no_request_gets_the_one_problem_shape(door, body):
    client = door.browser("omar")
    with door.nothing_stored():
        for name in ("add-note", "complete-step"):
            must_be_a_problem(*send(client, name, body), body[:40])


def test_a_key_that_is_no_key_is_refused(door):
    for key in ("\x00", "x" * 1000, "\ud800"):
        values = {"lot": door.lot, "text": "seen"}

        assert door.refused("anna", "add-note", values, key=key) == "request-malformed"


@pytest.mark.parametrize("login", ["\x00", "\ud800", "x" * 10_000, "' OR 1=1 --", "anna\n"])
def test_a_hostile_login_is_only_a_wrong_login(door, login):
    values = {"lot": door.lot, "step": "receipt-identity", "scan": door.state().identity,
              "witness": "ben"}  # fmt: skip
    if "receipt-identity" not in door.state().steps:
        door.post("anna", "start-step", {"lot": door.lot, "step": "receipt-identity"})

    assert door.refused("anna", "complete-step", values, sign=[login]) in {
        "login-failed", "request-malformed",
    }  # fmt: skip


@pytest.mark.parametrize("address", [
    "/api/streams/lot/%00", "/api/streams/lot/..%2f..", "/api/streams/LOT/x", "/api/streams/lot/%ff",
    "/api/facts?start=99999999999999999999999", "/api/facts?start=-1&limit=-1", "/api/facts?limit=x",
    "/api/streams/journal/1?after=99999999999999999999999", "/record/lot/%00", "/act/no-such",
    "/record?find=%00", "/sign/%00", "/record/lot/" + "x" * 5000,
])  # fmt: skip
def test_no_address_breaks_the_server(door, address):
    answer = door.browser("omar").get(address)

    assert answer.status_code < 500
