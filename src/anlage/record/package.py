"""The record that proves itself: an export of a closure of streams, and the check that needs
nothing but its bytes.

An export is a ZIP file, stored without compression and in one fixed form, with these members:

- `manifest.json`: subject, streams with their versions and global numbers, the checkpoint, the
  digest of every other member;
- `manifest.sig`: the site's Ed25519 signature over the manifest, in hexadecimal;
- `facts/NNNN.txt`: per stream, two lines a fact: header and body (`-` where the body is withheld);
- `tree.bin`, `map.bin`: the hashes that lead from these facts, and from these streams, to the
  checkpoint's two roots;
- `blobs/SHA256`, `documents/NAME`: files and rendered documents.

Because the form is fixed, writing the members again must give the same file, byte for byte.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anlage.base import Broken, Problem, Refused, canonical, parse_canonical

from .checkpoint import Checkpoint, is_signature, public_hex, read_checkpoint
from .collection import no_collection
from .fact import NOTHING_BEFORE, Recorded, rebuild
from .journal import Head, stream_key, stream_leaf
from .merkle import is_consistent, leaf_hash, root_from_subset
from .signature import Signature

FORMAT = 1
BYTES_MAX = 2 * 1024**3
MEMBERS_MAX = 100_000
_HASH = 32
ERASED = "personal-data-erased"
_ARCHIVE_ERRORS = (zipfile.BadZipFile, OSError, RuntimeError, ValueError, NotImplementedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What goes into an export.

    Attributes:
        subject: What it is about ("lot/L-0412").
        facts: Per stream, its facts from version 1 to the head that the checkpoint commits to.
        map_places: Per stream, its place in the sorted map of streams.
        tree_proof: Subset proof of all these facts at the checkpoint's size.
        map_proof: Subset proof of all these streams in the map.
        checkpoint: The signed checkpoint.
        links: Earlier kept checkpoints: size, root and consistency proof to this checkpoint.
        files: Blobs by digest.
        documents: Rendered documents by file name.
    """

    subject: str
    facts: Mapping[str, Sequence[Recorded]]
    map_places: Mapping[str, int]
    tree_proof: Sequence[bytes]
    map_proof: Sequence[bytes]
    checkpoint: Checkpoint
    links: Sequence[tuple[int, bytes, Sequence[bytes]]] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)
    world: str = ""
    site: str = ""
    software: str = ""
    erased: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the check of an export found.

    Attributes:
        ok: Nothing is wrong.
        anchored: An outside key or checkpoint vouches for the signer.
        signer: The key that signed, in hexadecimal, or None when unreadable.
        subject: What the export is about.
        facts: Every fact in global order (bodies of other patients withheld).
        problems: What is wrong, each with the member it was found in.
        numbers: Counts for people: facts, withheld bodies, streams, size of the journal.
        erased: Whose personal data were erased, and the number of the fact that says so.
    """

    ok: bool
    anchored: bool
    signer: str | None
    subject: str | None
    facts: Sequence[Recorded]
    problems: Sequence[Problem]
    numbers: Mapping[str, int]
    world: str | None = None
    erased: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give the verdict as the JSON object of `anlage verify`."""
        return {
            "ok": self.ok,
            "anchored": self.anchored,
            "signer": self.signer,
            "verdict": self.sentence(),
            "subject": self.subject,
            "world": self.world,
            **self.numbers,
            "erased": [{"subject": name, "fact": n} for name, n in sorted(self.erased.items())],
            "problems": [one.as_dict() for one in self.problems],
        }

    def sentence(self) -> str:
        """Give the verdict in one phrase."""
        if not self.ok:
            return "not proven"
        said = "proven, signer confirmed" if self.anchored else "consistent, signer unconfirmed"
        for name, number in sorted(self.erased.items()):
            said += f"; personal data of {name} erased by fact {number}"
        return said


def pack(packed: Packed, key: Ed25519PrivateKey, *, time: str) -> bytes:
    """Give the bytes of an export, signed by the site's key."""
    members: dict[str, bytes] = {}
    streams = []
    for index, (stream, facts) in enumerate(sorted(packed.facts.items())):
        name = f"facts/{index:04d}.txt"
        lines = [part for one in facts for part in (one.header, one.content or b"-")]
        members[name] = b"\n".join(lines) + b"\n"
        streams.append(
            {
                "stream": str(stream),
                "version": len(facts),
                "numbers": [one.number for one in facts],
                "place": packed.map_places[stream],
                "member": name,
            }
        )
    members["tree.bin"] = b"".join(packed.tree_proof)
    members["map.bin"] = b"".join(packed.map_proof)
    members.update({f"blobs/{digest}": data for digest, data in packed.files.items()})
    members.update({f"documents/{name}": data for name, data in packed.documents.items()})
    manifest = canonical(
        {
            "format": FORMAT,
            "subject": str(packed.subject),
            "world": str(packed.world),
            "site": packed.site,
            "software": packed.software,
            "time": time,
            "key": public_hex(key),
            "checkpoint": packed.checkpoint.as_note(),
            "links": [
                {"size": size, "root": root.hex(), "proof": [one.hex() for one in proof]}
                for size, root, proof in packed.links
            ],
            "streams": streams,
            "erased": list(packed.erased),
            "members": {name: hashlib.sha256(data).hexdigest() for name, data in members.items()},
        }
    )
    members["manifest.json"] = manifest
    members["manifest.sig"] = key.sign(manifest).hex().encode()
    return _zip(members)


def unpack(
    data: bytes,
    *,
    trust: str | None = None,
    checkpoint: str | None = None,
    checks: Iterable[Callable[[Sequence[Recorded]], Iterable[Problem]]] = (),
) -> Verdict:
    """Check an export from its bytes alone.

    Args:
        data: The file.
        trust: Public key in hexadecimal that must have signed it.
        checkpoint: Text of a checkpoint kept elsewhere that the journal must agree with.
        checks: Each package's own judgement of the facts.
    """
    with no_collection():
        return _judged(data, trust, checkpoint, checks)


def _judged(
    data: bytes,
    trust: str | None,
    checkpoint: str | None,
    checks: Iterable[Callable[[Sequence[Recorded]], Iterable[Problem]]],
) -> Verdict:
    found = _Finding()
    members = found.open(data)
    manifest = found.manifest(members)
    if manifest is None:
        return found.verdict(None)
    found.members(members, manifest)
    facts = found.facts(members, manifest)
    signed = found.roots(members, manifest, facts)
    found.closure(manifest, facts)
    found.anchors(manifest, signed, trust, checkpoint)
    if not found.problems:
        ordered = sorted(facts, key=lambda one: one.number)
        found.signatures(ordered)
        found.blobs(members, ordered, manifest)
        for check in checks:
            found.problems.extend(check(ordered))
    return found.verdict(manifest, facts)


class _Finding:
    """The check under way: what has been found so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.anchored = False
        self.size = 0

    def say(self, code: str, what: str, *, path: str | None = None, **more: Any) -> None:
        self.problems.append(
            Problem(code=code, what=what, path=path, rule="21 CFR 11.10(a), (c)", **more)
        )

    def open(self, data: bytes) -> dict[str, bytes]:
        if len(data) > BYTES_MAX:
            self.say("export-too-large", "export", found=f"{len(data)} bytes", limit=f"{BYTES_MAX}")
            return {}
        members: dict[str, bytes] = {}
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                infos = archive.infolist()
                if len(infos) > MEMBERS_MAX or sum(one.file_size for one in infos) > BYTES_MAX:
                    self.say("export-too-large", "export", found=f"{len(infos)} members")
                    return {}
                for info in infos:
                    if info.filename in members:
                        self.say("member-twice", "member", path=info.filename, found="two")
                    if info.compress_type != zipfile.ZIP_STORED:
                        self.say("member-compressed", "member", path=info.filename)
                        return members
                    members[info.filename] = archive.read(info)
        except _ARCHIVE_ERRORS as error:
            self.say(
                "export-unreadable",
                "export file",
                path=_named_in(str(error)),
                found=str(error)[:200],
                limit="an export as `anlage export` writes it",
                remedy="take the file again from where it came",
            )
            return members
        if not self.problems and _zip(members) != data:
            self.say(
                "export-form",
                "export file",
                found="bytes outside the members differ from the one fixed form",
                remedy="take the file again from where it came",
            )
        return members

    def manifest(self, members: Mapping[str, bytes]) -> dict[str, Any] | None:
        data = members.get("manifest.json")
        if data is None:
            self.say("member-missing", "manifest", path="manifest.json")
            return None
        try:
            manifest = parse_canonical(data)
            signature = bytes.fromhex(members.get("manifest.sig", b"").decode("ascii"))
            if members["manifest.sig"] != signature.hex().encode():
                raise ValueError("form")
        except (Refused, ValueError, KeyError):
            name = "manifest.sig" if _is_canonical(data) else "manifest.json"
            self.say("manifest-unreadable", "manifest or its signature", path=name)
            return None
        if not _fits(manifest):
            self.say("manifest-unreadable", "manifest", path="manifest.json", found="another shape")
            return None
        if not is_signature(manifest["key"], data, signature):
            self.say(
                "manifest-signature",
                "signature over the manifest",
                path="manifest.json",
                found="not made by the key it names over these bytes",
                remedy="do not rely on this file",
            )
        return dict(manifest)

    def members(self, members: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
        expected = {**manifest["members"], "manifest.json": None, "manifest.sig": None}
        for name in members.keys() - expected.keys():
            self.say("member-added", "member that the manifest does not name", path=name)
        for name, digest in sorted(expected.items()):
            if name not in members:
                self.say("member-missing", "member that the manifest names", path=name)
            elif digest is not None and hashlib.sha256(members[name]).hexdigest() != digest:
                self.say("member-changed", "member", path=name, found="other bytes", limit=digest)

    def facts(self, members: Mapping[str, bytes], manifest: Mapping[str, Any]) -> list[Recorded]:
        every: list[Recorded] = []
        for entry in manifest["streams"]:
            name = entry["member"]
            lines = members.get(name, b"").split(b"\n")
            numbers = entry["numbers"]
            if len(lines) != 2 * len(numbers) + 1 or lines[-1] or len(numbers) != entry["version"]:
                self.say("stream-incomplete", f"facts of {entry['stream']}", path=name)
                continue
            previous = NOTHING_BEFORE
            for index, number in enumerate(numbers):
                header, content = lines[2 * index], lines[2 * index + 1]
                try:
                    one = Recorded.read(number, header, None if content == b"-" else content)
                except Broken as error:
                    self.say("fact-unreadable", f"fact {number}", path=name, found=error.seen)
                    break
                where = {"path": name, "line": 2 * index + 1}
                if one.stream != entry["stream"] or one.version != index + 1:
                    self.say("fact-misplaced", f"fact {number} of {entry['stream']}", **where)
                if one.parts.get("previous") != previous.hex():
                    self.say("chain-broken", f"fact {number} of {entry['stream']}", **where)
                if not one.is_sound():
                    self.say("fact-changed", f"body of fact {number}", **where)
                previous = one.hash
                every.append(one)
        return every

    def roots(
        self, members: Mapping[str, bytes], manifest: Mapping[str, Any], facts: Sequence[Recorded]
    ) -> Checkpoint | None:
        try:
            signed = read_checkpoint(manifest["checkpoint"], manifest["key"])
        except Refused:
            self.say("checkpoint-unreadable", "checkpoint in the manifest", path="manifest.json")
            return None
        self.size = signed.size
        if not signed.is_signed_by(manifest["key"]):
            self.say("checkpoint-signature", "signature of the checkpoint", path="manifest.json")
        leaves = {one.number: one.hash for one in facts}
        if len(leaves) != len(facts):
            self.say("number-twice", "global number", path="manifest.json")
        root = root_from_subset(leaves, signed.size, _hashes(members.get("tree.bin", b"")))
        if root != signed.root:
            self.say("tree-differs", "facts and the checkpoint's root", path="tree.bin")
        ends: dict[str, Head] = {}
        for one in sorted(facts, key=lambda one: one.version):
            ends[one.stream] = Head(version=one.version, hash=one.hash)
        places = {}
        for entry in manifest["streams"]:
            head = ends.get(entry["stream"])
            if head is not None:
                places[entry["place"]] = leaf_hash(stream_leaf(entry["stream"], head))
        found = root_from_subset(places, signed.map_size, _hashes(members.get("map.bin", b"")))
        if found != signed.map_root or len(places) != len(manifest["streams"]):
            self.say("map-differs", "streams and the checkpoint's map of heads", path="map.bin")
        keys = [stream_key(entry["stream"]) for entry in sorted(manifest["streams"], key=_place)]
        if keys != sorted(keys):
            self.say("map-differs", "order of the streams in the map", path="manifest.json")
        return signed

    def closure(self, manifest: Mapping[str, Any], facts: Sequence[Recorded]) -> None:
        present = {entry["stream"]: entry["version"] for entry in manifest["streams"]}
        if manifest["subject"] not in present:
            self.say("subject-missing", f"subject {manifest['subject']}", path="manifest.json")
        missing = {
            (stream, one.number)
            for one in facts
            for stream, version in one.relied.items()
            if version and present.get(stream, -1) < version
        }
        for stream, number in sorted(missing)[:20]:
            self.say(
                "stream-left-out",
                f"stream {stream}, on which fact {number} relies",
                path="manifest.json",
                remedy="ask for the whole export",
            )

    def anchors(
        self,
        manifest: Mapping[str, Any],
        signed: Checkpoint | None,
        trust: str | None,
        checkpoint: str | None,
    ) -> None:
        if trust is not None:
            if trust.strip().lower() == manifest["key"]:
                self.anchored = True
            else:
                self.say(
                    "signer-untrusted",
                    "key that signed the export",
                    path="manifest.json",
                    found=manifest["key"],
                    limit=trust.strip()[:80],
                    remedy="ask the site which key is its own",
                )
        if checkpoint is not None and signed is not None:
            self._against(manifest, signed, checkpoint)

    def _against(self, manifest: Mapping[str, Any], signed: Checkpoint, note: str) -> None:
        try:
            kept = read_checkpoint(note, manifest["key"])
        except Refused:
            self.say("checkpoint-untrusted", "kept checkpoint", found="made under another key")
            return
        if not kept.is_signed_by(manifest["key"]) or kept.origin != signed.origin:
            self.say("checkpoint-untrusted", "kept checkpoint", found="another signer or journal")
            return
        if kept.size == signed.size and kept.root == signed.root:
            self.anchored = True
            return
        for link in manifest["links"]:
            proof = [bytes.fromhex(one) for one in link["proof"]]
            if link["size"] == kept.size and is_consistent(
                kept.size, kept.root, signed.size, signed.root, proof
            ):
                self.anchored = True
                return
        self.say(
            "checkpoint-disagrees",
            f"kept checkpoint of {kept.size} facts",
            found=f"the export's journal of {signed.size} facts does not show that it extends it",
            remedy="ask for an export with a proof from that checkpoint; if none can be made, the"
            " journal was rewritten or restored from before it",
        )

    def signatures(self, facts: Sequence[Recorded]) -> None:
        for one in facts:
            for body in _signatures_in(one.body):
                try:
                    is_sound = _read_signature(body).is_sound()
                except (Broken, KeyError, TypeError):
                    is_sound = False
                if not is_sound:
                    self.say("signature-unsound", f"signature in fact {one.number} ({one.kind})")

    def blobs(
        self, members: Mapping[str, bytes], facts: Sequence[Recorded], manifest: Mapping[str, Any]
    ) -> None:
        named = {digest for one in facts for digest in _blobs_in(one.body)}
        said = {digest for one in facts for digest in _digests_in(one.body)}
        present = {name.removeprefix("blobs/") for name in members if name.startswith("blobs/")}
        for digest in sorted(present):
            if hashlib.sha256(members[f"blobs/{digest}"]).hexdigest() != digest:
                self.say("blob-changed", "file", path=f"blobs/{digest}")
            if digest not in said:
                self.say("blob-unnamed", "file that no fact names", path=f"blobs/{digest}")
        told = {
            digest for one in facts if one.kind == ERASED for digest in one.body.get("blobs", ())
        }
        for digest in sorted(named - present):
            if digest in manifest["erased"] and digest in told:
                continue
            found = "called erased, but no fact of an erasure names it"
            self.say(
                "blob-missing",
                f"file {digest[:12]}, which a fact names",
                found=found if digest in manifest["erased"] else None,
            )

    def verdict(
        self, manifest: Mapping[str, Any] | None, facts: Sequence[Recorded] = ()
    ) -> Verdict:
        return Verdict(
            ok=not self.problems,
            anchored=self.anchored and not self.problems,
            signer=None if manifest is None else manifest["key"],
            subject=None if manifest is None else manifest["subject"],
            facts=sorted(facts, key=lambda one: one.number),
            problems=tuple(self.problems),
            numbers={
                "facts": len(facts),
                "withheld": sum(one.is_withheld for one in facts),
                "streams": len({one.stream for one in facts}),
                "journal_size": self.size,
            },
            world=None if manifest is None else manifest["world"],
            erased={one.stream.id: one.number for one in facts if one.kind == ERASED},
        )


def blobs_named(body: Any) -> set[str]:
    """Give the digests of the files that a fact's body names, and that have to be there or erased:
    fields called `blob`, ending in `_blob`, or `raw_file`.
    """
    return set(_blobs_in(body))


def digests_in(body: Any) -> set[str]:
    """Give every SHA-256 that stands in a fact's body: those of files are among them."""
    return set(_digests_in(body))


def _digests_in(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        if len(value) == 64 and _DIGEST.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _digests_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _digests_in(inner)


_DIGEST = re.compile("[0-9a-f]{64}")
_FILE_FIELDS = frozenset({"blob", "raw_file"})


def _blobs_in(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if (key in _FILE_FIELDS or key.endswith("_blob")) and isinstance(inner, str):
                yield inner
            else:
                yield from _blobs_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _blobs_in(inner)


def _signatures_in(value: Any) -> Iterable[dict[str, Any]]:
    if isinstance(value, dict):
        if {"shown", "digest", "meaning", "template"} <= value.keys():
            yield value
        else:
            for inner in value.values():
                yield from _signatures_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _signatures_in(inner)


def _read_signature(body: Mapping[str, Any]) -> Signature:
    return rebuild(Signature, body)


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, members[name])
    return buffer.getvalue()


def _hashes(data: bytes) -> list[bytes]:
    return [data[start : start + _HASH] for start in range(0, len(data), _HASH)]


def _place(entry: Mapping[str, Any]) -> int:
    return int(entry["place"])


def _is_canonical(data: bytes) -> bool:
    try:
        parse_canonical(data)
    except Refused:
        return False
    return True


_SHAPE = {
    "format": int,
    "subject": str,
    "world": str,
    "site": str,
    "software": str,
    "time": str,
    "key": str,
    "checkpoint": str,
    "links": list,
    "streams": list,
    "erased": list,
    "members": dict,
}


def _fits(manifest: Any) -> bool:
    if not isinstance(manifest, dict) or manifest.keys() != _SHAPE.keys():
        return False
    if not all(type(manifest[key]) is kind for key, kind in _SHAPE.items()):
        return False
    if manifest["format"] != FORMAT:
        return False
    for entry in manifest["streams"]:
        if not isinstance(entry, dict) or entry.keys() != _ENTRY.keys():
            return False
        if not all(type(entry[key]) is kind for key, kind in _ENTRY.items()):
            return False
        if not all(type(number) is int for number in entry["numbers"]):
            return False
    try:
        for link in manifest["links"]:
            if type(link["size"]) is not int:
                return False
            for one in link["proof"]:
                bytes.fromhex(one)
    except (TypeError, KeyError, ValueError):
        return False
    return True


_ENTRY = {"stream": str, "version": int, "numbers": list, "place": int, "member": str}


def _named_in(message: str) -> str | None:
    """Name the member in which the archive's own check failed, where the message tells."""
    _, quote, tail = message.partition("'")
    return tail.partition("'")[0] or None if quote else None
