"""Passports: the published vector, who sees what, forgery, revocation."""

import copy
import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from anlage.base import Refused, canonical
from anlage.custody import (
    PASSPORT_PARTS,
    Audience,
    base58,
    combined_hash,
    compact,
    expand,
    issue_passport,
    proof_problems,
    public_name,
    status_list,
    verify_passport,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SALT = "00" * 16
RECORD = {
    "id": "shipment/S-1",
    "shipment": {"number": "S-1"},
    "product": {"name": "CAR-T", "containers": 2},
    "origin": {"site": "Site A", "country": "DE"},
    "handling": {"store": "below -150 degC", "x_ray": "no"},
    "conditions": {"worst": "-181.2 degC"},
    "rules": ["ISO 21973"],
    "declaration": {"statement": "FOR AUTOLOGOUS USE ONLY"},
    "chain_of_identity": "CHA999923000001",
    "tests": [{"name": "viability", "result": "92 %"}],
    "patient": {"name": "Erika Mustermann"},
    "dose": {"cells": "2e8"},
}
# W3C vc-di-eddsa, TestVectors/eddsa-jcs-2022 (W3C Software and Document Licence).
W3C = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/ns/credentials/examples/v2",
    ],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
    "proof": {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2023-02-24T23:36:38Z",
        "verificationMethod": "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
        "#z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
        "proofPurpose": "assertionMethod",
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/examples/v2",
        ],
        "proofValue": "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJ"
        "dcnTMuVor51aX",
    },
}


def a_passport(audience=Audience.SITE, **options):
    return issue_passport(RECORD, audience, KEY, at=AT, salt=SALT, **options)


def codes(passport, **options):
    problems, _ = verify_passport(passport, at=AT, **options)
    return [problem.code for problem in problems]


def test_the_published_vector_verifies_and_has_the_published_hash():
    document = {name: value for name, value in W3C.items() if name != "proof"}
    options = {name: value for name, value in W3C["proof"].items() if name != "proofValue"}

    assert proof_problems(W3C) == ([], "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2")
    assert combined_hash(options, document) == (
        "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db"
        "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
    )


def test_the_canonical_form_agrees_with_another_implementation():
    passport = a_passport()

    assert canonical(passport) == rfc8785.dumps(passport)


@pytest.mark.parametrize("audience", list(Audience))
def test_an_audience_sees_its_parts_and_no_others(audience):
    text = json.dumps(a_passport(audience))

    subject = a_passport(audience)["credentialSubject"]
    assert {name for name in RECORD if name != "id" and name in subject} == {
        name for name in PASSPORT_PARTS[audience] if name in RECORD
    }
    assert ("Mustermann" in text) == (audience is Audience.PHYSICIAN)
    assert ("CHA999923000001" in text) == (audience is not Audience.CARRIER)


def test_the_passports_of_one_record_carry_one_digest():
    digests = {a_passport(a)["credentialSubject"]["recordDigest"] for a in Audience}

    assert len(digests) == 1


def test_a_carrier_never_gets_a_patient():
    record = RECORD | {"shipment": {"items": [{"patient_name": "E. M."}]}}

    with pytest.raises(Refused) as refusal:
        issue_passport(record, Audience.CARRIER, KEY, at=AT, salt=SALT)
    assert refusal.value.code == "passport-names-a-patient"


def test_a_containers_number_tells_a_carrier_no_chain_of_identity():
    coi = RECORD["chain_of_identity"]
    record = RECORD | {
        "id": f"container/{coi}-APH", "chain_of_identity": [coi],
        "containers": [{"id": f"{coi}-APH", "vessel": "bag"}],
    }  # fmt: skip

    said = {
        who: json.dumps(issue_passport(record, who, KEY, at=AT, salt=SALT), ensure_ascii=False)
        for who in Audience
    }

    assert coi not in said[Audience.CARRIER]
    assert '"…-APH"' in said[Audience.CARRIER]
    assert f'"{coi}-APH"' in said[Audience.SITE]


@pytest.mark.parametrize(
    "record",
    [
        {"product": {}},
        {"id": "x", "hobby": "y"},
        {"id": "x"},
        {"id": "x", "product": {"dose": 1.5}},
    ],
)
def test_a_record_that_is_none_is_refused(record):
    with pytest.raises(Refused):
        issue_passport(record, Audience.SITE, KEY, at=AT, salt=SALT)


def test_a_part_that_nobody_was_named_for_stays_out():
    signed = issue_passport(RECORD | {"gossip": "x"}, Audience.PHYSICIAN, KEY, at=AT, salt=SALT)

    assert "gossip" not in json.dumps(signed)


def test_trust_decides_whether_the_signer_is_confirmed():
    own, other = (
        public_name(KEY.public_key()),
        public_name(Ed25519PrivateKey.generate().public_key()),
    )

    assert verify_passport(a_passport(), at=AT)[1]["anchored"] is False
    assert verify_passport(a_passport(), at=AT, trust=own)[1]["anchored"] is True
    assert codes(a_passport(), trust=other) == ["signer-not-trusted"]
    assert codes(a_passport(), trust=KEY.public_key().public_bytes_raw().hex()) == []


@settings(deadline=None)
@given(st.data())
def test_any_change_of_a_signed_value_is_found(data):
    passport = copy.deepcopy(a_passport())
    path = data.draw(
        st.sampled_from(["id", "issuer", "validFrom", "validUntil", "tests", "origin", "created"])
    )
    match path:
        case "tests":
            passport["credentialSubject"]["tests"][0]["result"] = "93 %"
        case "origin":
            passport["credentialSubject"]["origin"]["extra"] = "x"
        case "created":
            passport["proof"]["created"] = "2026-03-01T12:00:01Z"
        case _:
            passport[path] += "x"

    assert "signature-wrong" in codes(passport)


def test_a_signature_by_a_key_that_is_not_the_issuer_is_found():
    forged = {k: v for k, v in a_passport().items() if k != "proof"}
    from anlage.custody import sign_credential

    signed = sign_credential(forged, Ed25519PrivateKey.generate(), at=AT)

    assert codes(signed) == ["issuer-is-not-signer"]


def test_dates_are_kept():
    assert "passport-expired" in [
        p.code for p in verify_passport(a_passport(), at=AT + timedelta(days=31))[0]
    ]
    assert "passport-not-yet-valid" in [
        p.code for p in verify_passport(a_passport(), at=AT - timedelta(days=1))[0]
    ]


def test_a_revoked_passport_is_refused_and_its_neighbour_is_not():
    address = "https://site.example/status/1"
    listed = status_list(address, [7, 9], KEY, at=AT)

    assert codes(a_passport(status=(address, 7)), status_list=listed) == ["passport-revoked"]
    assert codes(a_passport(status=(address, 8)), status_list=listed) == []


def test_a_revocation_list_of_somebody_else_counts_for_nothing():
    address = "https://site.example/status/1"
    listed = status_list(address, [7], Ed25519PrivateKey.generate(), at=AT)

    assert "status-list-foreign" in codes(a_passport(status=(address, 8)), status_list=listed)


@pytest.mark.parametrize("audience", list(Audience))
def test_a_passport_goes_through_its_code(audience):
    text = compact(a_passport(audience))

    assert expand(text) == a_passport(audience)
    assert len(text) < 2900


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_code_is_a_surprise(text):
    with pytest.raises(Refused):
        expand("AP1:" + text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.sampled_from([*a_passport(), "credentialStatus"]), JSON)
def test_no_credential_is_a_surprise(name, value):
    passport = a_passport() | {name: value}

    problems, says = verify_passport(
        passport, at=AT, status_list=status_list("x:1", [], KEY, at=AT)
    )

    assert problems or passport == a_passport() | {name: value}
    assert says["anchored"] is False


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_base58_agrees_with_another_reading(data):
    number = 0
    for character in base58(data):
        number = number * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(
            character
        )

    assert number == int.from_bytes(data, "big")
    assert secrets.compare_digest(base58(b"\0" + data), "1" + base58(data))
