"""`anlage passport`: the signed passport of a shipment, one per audience."""

import argparse
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anlage.base import Refused, SystemClock
from anlage.cli.shell import Answer, Group

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_BYTES_MAX = 2_000_000


def register(group: Group) -> None:
    """Add the commands of the group."""
    parser = group.command("issue", issue, help="sign a passport for one audience")
    parser.add_argument(
        "subject", metavar="SUBJECT", help="lot/ID, container/ID, shipment/ID, or a JSON record"
    )
    parser.add_argument(
        "--for", dest="audience", required=True, choices=("carrier", "site", "physician")
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--key", type=Path, metavar="FILE", help="Ed25519 key, PEM")
    parser.add_argument("--qr", type=Path, metavar="FILE", help="QR code of it, PNG")
    parser.add_argument("--days", type=int, default=30, help="how long it is valid")
    parser.add_argument("--status-list", metavar="ADDRESS", help="address of the revocation list")
    parser.add_argument("--status-place", type=int, default=0, metavar="N", help="place in it")
    parser = group.command("verify", verify, help="check a passport offline")
    parser.add_argument("file", metavar="FILE", type=Path, help="passport, or image of its QR code")
    parser.add_argument("--trust", metavar="KEY", help="key of the issuer that you know, or a file")
    parser.add_argument("--status", type=Path, metavar="FILE", help="revocation list")
    parser = group.command("page", page, help="a page that checks passports without a network")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--trust", metavar="KEY", help="key to trust; this site's when left out")
    parser.add_argument("--key", type=Path, metavar="FILE", help="Ed25519 key, PEM")
    parser = group.command("revoke", revoke, help="sign a revocation list")
    parser.add_argument("places", metavar="N", nargs="*", type=int, help="places that are revoked")
    parser.add_argument("--status-list", required=True, metavar="ADDRESS")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--key", type=Path, metavar="FILE", help="Ed25519 key, PEM")


def issue(options: argparse.Namespace) -> Answer:
    """Sign the passport of a record for one audience."""
    from anlage.custody import PASSPORT_PARTS, Audience, compact, issue_passport, public_name

    key, where = _key(options)
    record = _record(options)
    # All passports of one record share a salt that only this site can make, so that their digests
    # agree and nobody can guess what one of them leaves out.
    secret = hmac.new(key.private_bytes_raw(), f"passport {record['id']}".encode(), hashlib.sha256)
    salt = secret.hexdigest()[:32]
    status = (options.status_list, options.status_place) if options.status_list else None
    passport = issue_passport(
        record,
        Audience(options.audience),
        key,
        at=SystemClock().now(),
        salt=salt,
        status=status,
        valid_for=timedelta(days=options.days),
    )
    options.output.write_text(json.dumps(passport, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if options.qr:
        from anlage.wire.symbols import qr_png

        options.qr.write_bytes(qr_png(compact(passport)))
    name = public_name(key.public_key())
    data = {
        "file": str(options.output),
        "audience": options.audience,
        "issuer": f"did:key:{name}",
        "key": name,
        "key_file": str(where),
        "record_digest": passport["credentialSubject"]["recordDigest"],
        "valid_until": passport["validUntil"],
        "left_out": sorted(set(record) - {"id", *PASSPORT_PARTS[Audience(options.audience)]}),
    }
    return Answer(data, f"{options.output}: passport for {options.audience}, signed by {name}")


def verify(options: argparse.Namespace) -> Answer:
    """Check a passport; without a key the signer stays unconfirmed."""
    from anlage.custody import verify_passport

    passport = _read_passport(options.file)
    listed = _read_json(options.status) if options.status else None
    problems, says = verify_passport(
        passport,
        at=SystemClock().now(),
        trust=_trusted(options.trust) if options.trust else None,
        status_list=listed,
    )
    verdict = (
        "invalid" if problems else "valid" if says["anchored"] else "consistent, signer unconfirmed"
    )
    data = {
        "ok": not problems,
        "valid": not problems,
        "verdict": verdict,
        **says,
        "problems": [problem.as_dict() for problem in problems],
    }
    lines = [f"{options.file}: {verdict}", *(f"  {problem}" for problem in problems)]
    lines += [line for name, part in says["parts"].items() for line in _lines(name, part)]
    return Answer(data, "\n".join(lines), ok=not problems)


def _lines(name: str, part: object, depth: int = 1) -> list[str]:
    """Give a part of a passport as a person reads it: a line per value, inner ones indented."""
    lead = "  " * depth
    name = name.replace("_", " ")
    if isinstance(part, dict):
        inner = [line for key, one in part.items() for line in _lines(str(key), one, depth + 1)]
        return [f"{lead}{name}:", *inner]
    if isinstance(part, list) and any(isinstance(one, dict | list) for one in part):
        return [line for one in part for line in _lines(name, one, depth)]
    shown = ", ".join(map(str, part)) if isinstance(part, list) else str(part)
    return [f"{lead}{name}: {shown}"]


def revoke(options: argparse.Namespace) -> Answer:
    """Sign the list of revoked places."""
    from anlage.custody import status_list

    key, _ = _key(options)
    listed = status_list(options.status_list, options.places, key, at=SystemClock().now())
    options.output.write_text(json.dumps(listed, indent=2) + "\n", "utf-8")
    data = {"file": str(options.output), "revoked": sorted(set(options.places))}
    return Answer(data, f"{options.output}: {len(set(options.places))} places revoked")


def page(options: argparse.Namespace) -> Answer:
    """Write the page that checks passports with no server and no network, the key in it."""
    from anlage.app import offline_page
    from anlage.custody import public_name

    name = _trusted(options.trust) if options.trust else public_name(_key(options)[0].public_key())
    options.output.write_text(offline_page(name), "utf-8")
    return Answer({"file": str(options.output), "key": name}, f"{options.output}: trusts {name}")


def _record(options: argparse.Namespace) -> dict[str, Any]:
    """Give the record of a file, or what the journal holds of a subject."""
    path = Path(options.subject)
    if path.is_file() or "/" not in options.subject or path.suffix:
        # Fractions become text as they stand: two programs must reach the same bytes.
        record = _read_json(path, fractions=str)
        record.setdefault("id", str(record.get("subject") or path.stem))
        return record
    return _recorded(options)


def _recorded(options: argparse.Namespace) -> dict[str, Any]:
    """Give the parts of a passport that the facts of a subject's containers support."""
    from anlage.app import open_clocked, passport_record, settings

    folder = options.data or Path(os.environ.get("ANLAGE_DATA", "anlage-data"))
    installation = open_clocked(settings(folder), may_be_beside=True)
    try:
        return passport_record(installation, options.subject)
    finally:
        installation.close()


def _key(options: argparse.Namespace) -> "tuple[Ed25519PrivateKey, Path]":
    """Give the key named, that of the installation, or one made for passports here."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    folder = Path(options.data or os.environ.get("ANLAGE_DATA", "anlage-data")) / "keys"
    site = folder / "site.pem"
    path: Path = options.key or (site if site.exists() else folder / "passport.pem")
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write_secret(path, pem)
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise _unreadable(path, str(error)[:80], "an Ed25519 key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unreadable(path, type(key).__name__, "an Ed25519 key in PEM")
    return key, path


def _trusted(word: str) -> str:
    """Give a key from a word, or from a file that holds it as text, PEM or a passport's issuer."""
    path = Path(word)
    if len(word) > 200 or not path.is_file():
        return word
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    from anlage.custody import public_name

    text = path.read_text("utf-8", errors="replace").strip()
    if text.startswith("{"):
        value = _read_json(path)
        return str(value.get("publicKeyMultibase") or value.get("key") or value.get("issuer"))
    if "BEGIN PUBLIC KEY" in text:
        try:
            key = load_pem_public_key(text.encode())
        except ValueError as error:
            raise _unreadable(path, str(error)[:80], "an Ed25519 public key") from error
        if isinstance(key, Ed25519PublicKey):
            return public_name(key)
    return text.split()[0] if text else text


def _read_passport(path: Path) -> dict[str, Any]:
    from anlage.custody import expand
    from anlage.wire.symbols import IMAGE_SUFFIXES, nothing_read, read_file

    if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
        scans = read_file(path)
        if not scans:
            raise Refused.of([nothing_read(path.name)])
        return expand(scans[0].text)
    try:
        head = path.read_bytes()[:4]
    except OSError as error:
        raise _unreadable(path, error.strerror or "unreadable", "a passport") from error
    if head == b"AP1:":
        return expand(path.read_text("ascii", errors="replace").strip())
    return _read_json(path)


def _read_json(path: Path, fractions: Callable[[str], object] = float) -> dict[str, Any]:
    try:
        data = path.read_bytes()
        if len(data) > _BYTES_MAX:
            raise ValueError(f"{len(data)} bytes")
        value = json.loads(data, parse_float=fractions)
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)[:100], "one JSON object") from error
    if not isinstance(value, dict):
        raise _unreadable(path, f"a JSON {type(value).__name__}", "one JSON object")
    return value


def _write_secret(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)


def _unreadable(path: Path, found: str, limit: str) -> Refused:
    return Refused(
        "file-unreadable",
        what=str(path),
        found=found,
        limit=limit,
        remedy="check the name and the contents of the file",
        rule="Anlage passport",
        path=str(path),
    )
