"""The custody commands, as a person or another program calls them."""

import json

import pytest

from anlage.cli import shell


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("ANLAGE_DATA", str(tmp_path / "data"))

    def call(*words):
        code = shell.main([*map(str, words), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


def test_scan_decode_keeps_its_contract(run):
    code, said = run("scan", "decode", "=G12341765432170")
    assert code == 0
    assert {"symbology", "kind", "fields", "valid", "problems"} <= set(said)
    assert said["valid"] and said["raw"] == "=G12341765432170"

    code, said = run("scan", "decode", "=G12341765432171")
    assert (code, said["valid"]) == (2, False)
    assert said["problems"][0]["limit"] == "70"


def test_a_label_is_scanned_back_from_its_image(run, tmp_path):
    image = tmp_path / "tube.png"
    fields = ["gtin=09506000134352", "serial=S1", "lot=L-42", "name=CAR-T"]
    words = [word for field in fields for word in ("--field", field)]

    assert run("label", "render", "tube", "-o", image, *words)[0] == 0
    code, said = run("scan", "decode", image)

    assert (code, said["fields"]["serial"], said["symbology"]) == (0, "S1", "Data Matrix")


def test_one_bad_document_does_not_stop_the_others(run, tmp_path):
    good, bad = tmp_path / "good.xml", tmp_path / "bad.json"
    good.write_text(
        '<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0"'
        ' creationDate="2026-03-01T12:00:00Z"><EPCISBody><EventList><ObjectEvent>'
        "<eventTime>2026-03-01T12:00:00Z</eventTime>"
        "<eventTimeZoneOffset>+00:00</eventTimeZoneOffset>"
        "<epcList><epc>urn:epc:id:sgtin:0614141.107346.2017</epc></epcList><action>ADD</action>"
        "</ObjectEvent></EventList></EPCISBody></e:EPCISDocument>"
    )
    bad.write_text("{")

    code, said = run("epcis", "check", bad, good, tmp_path / "missing.json")
    assert code == 2
    assert [entry["valid"] for entry in said["files"]] == [False, True, False]

    code, said = run("epcis", "hash", bad, good)
    assert code == 2
    assert said["files"][1]["hashes"][0].startswith("ni:///sha-256;")


def test_logger_check_keeps_its_contract(run, tmp_path):
    record = tmp_path / "log.csv"
    record.write_text(
        "time (UTC),temp (C)\n2026-03-01 10:00,5\n2026-03-01 10:15,9\n2026-03-01 10:30,6"
    )

    code, said = run("logger", "check", record, "--product", "apheresis-2-8")

    assert code == 0
    assert {"readings", "start", "end", "excursions", "verdict", "rule", "problems"} <= set(said)
    assert said["excursions"][0]["worst"] == 9
    assert said["start"] == "2026-03-01T10:00:00Z"


def test_a_passport_is_issued_verified_and_trusted(run, tmp_path):
    record, passport, code_image = tmp_path / "r.json", tmp_path / "p.json", tmp_path / "p.png"
    record.write_text(json.dumps({"id": "shipment/S-1", "product": {"name": "CAR-T"}}))

    code, said = run(
        "passport", "issue", record, "--for", "carrier", "-o", passport, "--qr", code_image
    )
    assert code == 0

    assert run("passport", "verify", passport)[1]["verdict"] == "consistent, signer unconfirmed"
    assert run("passport", "verify", code_image, "--trust", said["key"])[1]["anchored"] is True
    changed = json.loads(passport.read_text())
    changed["credentialSubject"]["product"]["name"] = "other"
    passport.write_text(json.dumps(changed))
    code, said = run("passport", "verify", passport)
    assert (code, said["valid"], said["problems"][0]["code"]) == (2, False, "signature-wrong")


def test_both_passports_of_a_record_are_linked(run, tmp_path):
    record = tmp_path / "r.json"
    record.write_text(json.dumps({"id": "shipment/S-1", "product": {"name": "CAR-T"}}))

    digests = {
        run("passport", "issue", record, "--for", who, "-o", tmp_path / who)[1]["record_digest"]
        for who in ("carrier", "site", "physician")
    }

    assert len(digests) == 1


def test_a_missing_file_is_refused(run, tmp_path):
    for words in (
        ("scan", "decode", tmp_path / "no.png"),
        ("logger", "check", tmp_path / "no.csv", "--product", "car-t"),
        ("passport", "verify", tmp_path / "no.json"),
        ("label", "render", "no-such-layout", "-o", tmp_path / "x.pdf"),
    ):
        code, said = run(*words)
        assert code == 2
        assert said["refused"]["remedy"]
