"""The passport of a shipment: what each reader may know, signed, and linked by one digest.

There is one passport per audience: carrier and customs (no patient data), receiving site, and
physician. Each shows only the parts named here for its audience; anything else in the record stays
out, known or not. All passports of one record carry the same salted digest of the whole record, so
that they can be told to belong together without showing what they leave out.
"""

import base64
import binascii
import gzip
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anlage.base import Instant, Problem, Refused, canonical, instant

from .credential import CONTEXT, proof_problems, public_name, read_public, sign

RULE = "W3C Verifiable Credentials Data Model 2.0"
TYPE = "CellTherapyPassport"
STATUS_TYPE = "BitstringStatusListCredential"
QR_MARK = "AP1:"
# Terms of our own stand under the address that W3C keeps for them: a verifier compares contexts as
# text, and an object of our own in their place fails with some.
_OWN_TERMS = "https://www.w3.org/ns/credentials/undefined-terms/v2"
_STATUS_BITS = 131_072
_VALID_FOR = timedelta(days=30)
_COMPACT_MAX = 20_000
_INFLATED_MAX = 200_000
_BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


class Audience(Enum):
    """Who reads a passport."""

    CARRIER = "carrier"
    SITE = "site"
    PHYSICIAN = "physician"


_SHARED = ("shipment", "product", "containers", "origin", "handling", "conditions", "rules")
_TREATMENT = ("chain_of_identity", "lot", "tests", "donor", "consent", "custody")
PARTS: dict[Audience, tuple[str, ...]] = {
    Audience.CARRIER: (*_SHARED, "declaration"),
    Audience.SITE: (*_SHARED, *_TREATMENT),
    Audience.PHYSICIAN: (*_SHARED, *_TREATMENT, "patient", "dose"),
}
"""The parts of a record that each audience sees."""
_EVERY = tuple(dict.fromkeys(name for parts in PARTS.values() for name in parts))

_NAMES_A_PATIENT = frozenset(
    (
        "patient", "patient_id", "patient_name", "name_of_patient", "mrn", "medical_record",
        "date_of_birth", "birth_date", "birthdate", "dob", "social_security_number",
        "insurance_number", "chain_of_identity", "coi",
    )
)  # fmt: skip


def issue(
    record: Mapping[str, Any],
    audience: Audience,
    key: Ed25519PrivateKey,
    *,
    at: Instant,
    salt: str,
    status: tuple[str, int] | None = None,
    valid_for: timedelta = _VALID_FOR,
) -> dict[str, Any]:
    """Give the signed passport of a record for one audience.

    Args:
        record: Parts by name (`product`, `origin`, `tests` …) with `id`; text and integers only.
        audience: Who will read it.
        key: The site's key.
        at: When it is issued.
        salt: Chance, the same for all passports of one record (16 bytes or more, hexadecimal).
        status: Address of the revocation list and the place in it.
        valid_for: How long it is valid.

    Raises:
        Refused: The record has no `id` or no part for the audience, holds a fraction, or names a
            patient in a part that the carrier sees.
    """
    _must_be_a_record(record, audience)
    shown = {name: record[name] for name in PARTS[audience] if name in record}
    subject = str(record["id"])
    if audience is Audience.CARRIER:
        # Numbers of containers may be built from the chain of identity, which is the patient's.
        named = _texts(record.get("chain_of_identity"))
        shown, subject = _masked(shown, named), _masked(subject, named)
    digest = record_digest(record, salt)
    issuer = f"did:key:{public_name(key.public_key())}"
    document: dict[str, Any] = {
        "@context": [CONTEXT, _OWN_TERMS],
        "id": f"urn:anlage:passport:{digest[:32]}:{audience.value}",
        "type": ["VerifiableCredential", TYPE],
        "issuer": issuer,
        "validFrom": _second(at),
        "validUntil": _second(at + valid_for),
        "credentialSubject": {
            "id": f"urn:anlage:record:{digest}",
            "audience": audience.value,
            "subject": subject,
            "recordDigest": f"sha-256:{digest}",
            **shown,
        },
    }
    if audience is Audience.PHYSICIAN:
        document["credentialSubject"]["recordSalt"] = salt
    if status is not None:
        address, place = status
        document["credentialStatus"] = {
            "id": f"{address}#{place}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(place),
            "statusListCredential": address,
        }
    return sign(document, key, at=at)


def record_digest(record: Mapping[str, Any], salt: str) -> str:
    """Give the salted digest of a whole record, in hexadecimal."""
    return hashlib.sha256(canonical({"record": dict(record), "salt": salt})).hexdigest()


def verify(
    passport: Mapping[str, Any],
    *,
    at: Instant,
    trust: str | None = None,
    status_list: Mapping[str, Any] | None = None,
) -> tuple[list[Problem], dict[str, Any]]:
    """Judge a passport: its signature, its dates, its signer and whether it was revoked.

    Gives the problems, and what it says: `issuer`, `anchored` (True when the signer is the key that
    the reader trusts), `audience`, `record_digest`, `revoked` (None when no list was given),
    `parts` (what it shows of the record, by name).
    """
    problems, signer = proof_problems(passport)
    problems += _shape_problems(passport)
    issuer = passport.get("issuer")
    issuer = issuer.get("id") if isinstance(issuer, dict) else issuer
    is_own = isinstance(issuer, str) and issuer.startswith("did:key:")
    if signer and is_own and issuer != f"did:key:{signer}":
        problems.append(_wrong("issuer-is-not-signer", "issuer", str(issuer), f"did:key:{signer}"))
    anchored = False
    if trust is not None:
        trusted = public_name(read_public(trust))
        anchored = signer == trusted and not problems
        if signer != trusted:
            problems.append(
                _wrong(
                    "signer-not-trusted",
                    "signer",
                    str(signer),
                    trusted,
                    "do not act on it: ask the issuing site by a way you know",
                )
            )
    problems += _date_problems(passport, at)
    revoked = None
    if status_list is not None:
        revoked, more = is_revoked(passport, status_list, signer)
        problems += more
        if revoked:
            problems.append(
                _wrong(
                    "passport-revoked",
                    "credentialStatus",
                    "revoked by its issuer",
                    "not on the revocation list",
                    "do not act on it: ask the issuer for the one that took its place",
                )
            )
    subject = passport.get("credentialSubject")
    subject = subject if isinstance(subject, dict) else {}
    return problems, {
        "issuer": issuer,
        "signer": signer,
        "anchored": anchored,
        "audience": subject.get("audience"),
        "subject": subject.get("subject"),
        "record_digest": subject.get("recordDigest"),
        "valid_from": passport.get("validFrom"),
        "valid_until": passport.get("validUntil"),
        "revoked": revoked,
        "parts": {name: subject[name] for name in _EVERY if name in subject},
    }


def status_list(
    address: str, revoked: Iterable[int], key: Ed25519PrivateKey, *, at: Instant
) -> dict[str, Any]:
    """Give the signed revocation list (W3C Bitstring Status List 1.0), 131,072 places."""
    bits = bytearray(_STATUS_BITS // 8)
    for place in revoked:
        if not 0 <= place < _STATUS_BITS:
            raise Refused(
                "status-place-malformed",
                what="place in the revocation list",
                found=place,
                limit=f"0 to {_STATUS_BITS - 1}",
                remedy="begin another list",
                rule="W3C Bitstring Status List 1.0",
            )
        bits[place // 8] |= 0x80 >> place % 8
    packed = gzip.compress(bytes(bits), mtime=0)
    document = {
        "@context": [CONTEXT],
        "id": address,
        "type": ["VerifiableCredential", STATUS_TYPE],
        "issuer": f"did:key:{public_name(key.public_key())}",
        "validFrom": _second(at),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode(),
        },
    }
    return sign(document, key, at=at)


def is_revoked(
    passport: Mapping[str, Any], listed: Mapping[str, Any], signer: str | None
) -> tuple[bool | None, list[Problem]]:
    """Tell whether a list revokes a passport; None, with problems, where it cannot say."""
    problems, list_signer = proof_problems(listed)
    if signer is not None and list_signer is not None and list_signer != signer:
        problems.append(_wrong("status-list-foreign", "status list", str(list_signer), str(signer)))
    entry = passport.get("credentialStatus")
    if not isinstance(entry, dict):
        return (None, problems) if problems else (False, [])
    if entry.get("statusListCredential") != listed.get("id"):
        problems.append(
            _wrong(
                "status-list-foreign",
                "status list",
                str(listed.get("id")),
                str(entry.get("statusListCredential")),
            )
        )
    if problems:
        return None, problems
    try:
        bits = _bits(listed)
        place = int(entry["statusListIndex"])
        return bool(bits[place // 8] & 0x80 >> place % 8), []
    except (KeyError, TypeError, ValueError, IndexError, OSError, EOFError, zlib.error) as error:
        return None, [
            _wrong("status-list-malformed", "status list", repr(error)[:60], "a bit list")
        ]


def compact(passport: Mapping[str, Any]) -> str:
    """Give a passport as text for a QR code: compressed, in the letters that QR packs best."""
    packed = zlib.compress(canonical(dict(passport)), 9)
    return QR_MARK + _base45(packed)


def expand(text: str) -> dict[str, Any]:
    """Give the passport that a QR code holds.

    Raises:
        Refused: The text is no passport.
    """
    from json import loads

    refusal = Refused(
        "passport-unreadable",
        what="passport code",
        found=text[:40],
        limit=f"text that begins with {QR_MARK}",
        remedy="scan the code again, or ask for the file",
        rule=RULE,
    )
    if not text.startswith(QR_MARK) or len(text) > _COMPACT_MAX:
        raise refusal
    try:
        inflater = zlib.decompressobj()
        data = inflater.decompress(_unbase45(text[len(QR_MARK) :]), _INFLATED_MAX)
        value = loads(data)
    except (ValueError, zlib.error, RecursionError) as error:
        raise refusal from error
    if inflater.unconsumed_tail or not isinstance(value, dict):
        raise refusal
    return value


def _must_be_a_record(record: Mapping[str, Any], audience: Audience) -> None:
    if not str(record.get("id", "")).strip():
        raise Refused(
            "passport-record-malformed",
            what="record for a passport",
            found="no id",
            limit="id, such as shipment/S-1",
            remedy="name the thing that the passport is for",
            rule="Anlage passport",
            path="id",
        )
    if not any(name in record for name in PARTS[audience]):
        raise Refused(
            "passport-record-malformed",
            what=f"record for a {audience.value}'s passport",
            found="no part for this audience",
            limit=", ".join(PARTS[audience]),
            remedy="add the parts that the reader needs",
            rule="Anlage passport",
        )
    if audience is Audience.CARRIER:
        for name in PARTS[audience]:
            if place := _patient_at(record.get(name), name):
                raise Refused(
                    "passport-names-a-patient",
                    what="carrier's passport",
                    found=f"patient data at {place}",
                    limit="no patient data for carrier and customs",
                    remedy="move it to the part patient or chain_of_identity",
                    rule="GDPR Art. 5(1)(c)",
                    path=place,
                )


def _texts(value: Any) -> list[str]:
    held = value if isinstance(value, list | tuple) else [value]
    return [one for one in held if isinstance(one, str) and one]


def _masked(value: Any, named: list[str]) -> Any:
    """Give a value with each of these texts left out of every text in it."""
    if isinstance(value, str):
        for one in named:
            value = value.replace(one, "…")
        return value
    if isinstance(value, Mapping):
        return {key: _masked(inner, named) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner, named) for inner in value]
    return value


def _patient_at(value: Any, path: str) -> str | None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if str(key).lower().replace("-", "_").replace(" ", "_") in _NAMES_A_PATIENT:
                return f"{path}.{key}"
            if found := _patient_at(inner, f"{path}.{key}"):
                return found
    if isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            if found := _patient_at(inner, f"{path}[{place}]"):
                return found
    return None


def _shape_problems(passport: Mapping[str, Any]) -> list[Problem]:
    problems = []
    context = passport.get("@context")
    if not (isinstance(context, list) and context[:1] == [CONTEXT]):
        problems.append(_wrong("passport-malformed", "@context", str(context)[:60], CONTEXT))
    kinds = passport.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "VerifiableCredential" not in kinds or TYPE not in kinds:
        problems.append(
            _wrong("passport-malformed", "type", str(kinds)[:60], f"VerifiableCredential, {TYPE}")
        )
    if not isinstance(passport.get("credentialSubject"), dict):
        problems.append(_wrong("passport-malformed", "credentialSubject", "none", "an object"))
    return problems


def _date_problems(passport: Mapping[str, Any], at: Instant) -> list[Problem]:
    problems = []
    for name, is_early in (("validFrom", True), ("validUntil", False)):
        text = passport.get(name)
        if text is None:
            continue
        try:
            bound = instant(str(text))
        except Refused:
            problems.append(_wrong("passport-malformed", name, str(text), "a date and time"))
            continue
        if at < bound if is_early else at > bound:
            problems.append(
                _wrong(
                    "passport-not-yet-valid" if is_early else "passport-expired",
                    name,
                    str(text),
                    f"{'at or before' if is_early else 'at or after'} {_second(at)}",
                    "ask the issuer for a passport that is valid today",
                )
            )
    return problems


def _bits(listed: Mapping[str, Any]) -> bytes:
    text = listed["credentialSubject"]["encodedList"]
    if not isinstance(text, str) or text[:1] != "u":
        raise ValueError("no multibase text")
    try:
        packed = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
    except binascii.Error as error:
        raise ValueError("no base64url") from error
    bits = zlib.decompressobj(31).decompress(packed, _STATUS_BITS * 8)
    if len(bits) * 8 < _STATUS_BITS:
        raise ValueError("fewer than 131,072 places")
    return bits


def _second(at: Instant) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _base45(data: bytes) -> str:
    """Give bytes in base45 (RFC 9285)."""
    text = ""
    for place in range(0, len(data), 2):
        pair = data[place : place + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(3 if len(pair) == 2 else 2):
            number, rest = divmod(number, 45)
            text += _BASE45[rest]
    return text


def _unbase45(text: str) -> bytes:
    data = b""
    for place in range(0, len(text), 3):
        part = text[place : place + 3]
        number = sum(_BASE45.index(c) * 45**power for power, c in enumerate(part))
        if len(part) == 1:
            raise ValueError("a lone character")
        data += number.to_bytes(len(part) - 1, "big") if number < 256 ** (len(part) - 1) else _bad()
    return data


def _bad() -> bytes:
    raise ValueError("a number too large")


def _wrong(code: str, what: str, found: str, limit: str, remedy: str = "") -> Problem:
    return Problem(
        code=code,
        what=what,
        found=found,
        limit=limit,
        remedy=remedy or "ask the issuer for the passport again",
        rule=RULE,
        path=what,
    )
