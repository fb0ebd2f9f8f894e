"""Signed credentials: W3C Verifiable Credentials 2.0 with the cryptosuite eddsa-jcs-2022.

The signature covers the SHA-256 of the proof's own options and that of the document, each in
canonical JSON (RFC 8785). Values are text and integers only, so that every program reaches the same
bytes. Source: W3C Data Integrity EdDSA Cryptosuites 1.0, clause 3.3.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from anlage.base import Instant, Problem, Refused, canonical

RULE = "W3C Data Integrity EdDSA Cryptosuites 1.0, eddsa-jcs-2022"
CONTEXT = "https://www.w3.org/ns/credentials/v2"
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_ED25519 = b"\xed\x01"
_TEXT_MAX = 512


def sign(document: Mapping[str, Any], key: Ed25519PrivateKey, *, at: Instant) -> dict[str, Any]:
    """Give the document with its proof; the key names itself as a `did:key`.

    Raises:
        Refused: A value is a fraction or something else that canonical JSON here cannot hold.
    """
    name = public_name(key.public_key())
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": f"did:key:{name}#{name}",
        "proofPurpose": "assertionMethod",
        "@context": document["@context"],
    }
    signature = key.sign(_to_sign(options, document))
    return {**document, "proof": {**options, "proofValue": "z" + base58(signature)}}


def proof_problems(secured: Mapping[str, Any]) -> tuple[list[Problem], str | None]:
    """Give what is wrong with the proof of a credential, and the key that it names.

    The key is the one that the credential itself states: whether it is the right one is for the
    caller to compare.
    """
    proof = secured.get("proof")
    if isinstance(proof, list):
        proof = next(
            (p for p in proof if isinstance(p, dict) and p.get("cryptosuite") == "eddsa-jcs-2022"),
            None,
        )
    if not isinstance(proof, dict):
        return [_wrong("proof-missing", "proof", "none", "a proof")], None
    problems: list[Problem] = []
    for name, wanted in (
        ("type", "DataIntegrityProof"),
        ("cryptosuite", "eddsa-jcs-2022"),
        ("proofPurpose", "assertionMethod"),
    ):
        if proof.get(name) != wanted:
            problems.append(
                _wrong("proof-malformed", f"proof.{name}", str(proof.get(name)), wanted)
            )
    method = proof.get("verificationMethod")
    named = method.partition("#")[0] if isinstance(method, str) else ""
    try:
        key = read_public(named)
    except Refused:
        limit = "did:key: of an Ed25519 key"
        return [
            *problems,
            _wrong("proof-malformed", "proof.verificationMethod", str(method)[:100], limit),
        ], None
    document = {name: value for name, value in secured.items() if name != "proof"}
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    if "@context" in options:
        mine, theirs = _as_list(options["@context"]), _as_list(document.get("@context"))
        if theirs[: len(mine)] != mine:
            problems.append(
                _wrong("proof-malformed", "proof.@context", str(mine)[:80], "the document's own")
            )
        document["@context"] = options["@context"]
    value = proof.get("proofValue")
    try:
        signature = _unbase58(value[1:]) if isinstance(value, str) and value[:1] == "z" else b""
        key.verify(signature, _to_sign(options, document))
    except (InvalidSignature, ValueError, Refused):
        problems.append(
            _wrong(
                "signature-wrong",
                "proof.proofValue",
                str(value)[:60],
                "the signature of these very contents",
                "treat it as forged or changed: ask the issuer for it again",
            )
        )
    return problems, public_name(key)


def combined_hash(options: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Give the bytes that are signed, in hexadecimal, for comparison with published vectors."""
    return _to_sign(options, document).hex()


def public_name(key: Ed25519PublicKey) -> str:
    """Give a public key as multibase text, `z6Mk…`."""
    return "z" + base58(_ED25519 + key.public_bytes_raw())


def read_public(text: str) -> Ed25519PublicKey:
    """Read a public key: `z6Mk…`, `did:key:z6Mk…` or 64 hexadecimal digits.

    Raises:
        Refused: The text is no Ed25519 public key.
    """
    plain = text.strip().removeprefix("did:key:").partition("#")[0]
    raw = b""
    if len(plain) <= _TEXT_MAX:
        try:
            if len(plain) == 64:
                raw = bytes.fromhex(plain)
            elif plain[:1] == "z":
                decoded = _unbase58(plain[1:])
                raw = decoded[2:] if decoded[:2] == _ED25519 else b""
        except ValueError:
            raw = b""
    if len(raw) != 32:
        raise Refused(
            "key-unreadable",
            what="public key",
            found=text[:80],
            limit="z6Mk…, did:key:z6Mk… or 64 hexadecimal digits",
            remedy="copy the key that the issuing site publishes",
            rule=RULE,
        )
    return Ed25519PublicKey.from_public_bytes(raw)


def base58(data: bytes) -> str:
    """Give bytes in base58 (Bitcoin alphabet)."""
    number = int.from_bytes(data, "big")
    text = ""
    while number:
        number, rest = divmod(number, 58)
        text = _ALPHABET[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def _unbase58(text: str) -> bytes:
    if len(text) > _TEXT_MAX:
        raise ValueError("too long")
    number = 0
    for character in text:
        if character not in _VALUE:
            raise ValueError(f"{character!r} is not in base58")
        number = number * 58 + _VALUE[character]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _to_sign(options: Mapping[str, Any], document: Mapping[str, Any]) -> bytes:
    return (
        hashlib.sha256(canonical(dict(options))).digest()
        + hashlib.sha256(canonical(dict(document))).digest()
    )


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _wrong(code: str, what: str, found: str, limit: str, remedy: str = "") -> Problem:
    return Problem(
        code=code,
        what=what,
        found=found,
        limit=limit,
        remedy=remedy or "ask the issuer for the credential again",
        rule=RULE,
        path=what,
    )
