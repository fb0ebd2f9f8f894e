"""A signed checkpoint: the size and root of the journal and of its map of streams, in the C2SP
note format.

Lines: origin, size, root (base64), then `time ...` and `map SIZE ROOT`; a blank line; the
signature line. A copy kept where the database's owner cannot reach turns any later rewriting into
a proof that fails.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from anlage.base import Refused

_ED25519 = b"\x01"  # signature type of the note format


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What the site's key has signed about its journal.

    Attributes:
        origin: The journal's own name ("anlage/SITE/WORLD").
        size: How many facts.
        root: RFC 6962 root over them.
        map_size: How many streams.
        map_root: RFC 6962 root over the streams' leaves, sorted by key.
        time: When, ISO 8601 UTC.
        key: Public key in hexadecimal.
        signature: Ed25519 signature over the text (64 bytes).
    """

    origin: str
    size: int
    root: bytes
    map_size: int
    map_root: bytes
    time: str
    key: str
    signature: bytes

    @property
    def text(self) -> str:
        """The signed text, ending in a line break."""
        return (
            f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"
            f"time {self.time}\nmap {self.map_size} {_b64(self.map_root)}\n"
        )

    def as_note(self) -> str:
        """Give the whole note as it is copied, mailed or printed."""
        signed = base64.b64encode(_key_hash(self.origin, self.key) + self.signature).decode()
        return f"{self.text}\n— {self.origin} {signed}\n"

    def is_signed_by(self, key: str) -> bool:
        """Tell whether the key (hexadecimal) made the signature."""
        return is_signature(key, self.text.encode(), self.signature)


def sign_checkpoint(
    private: Ed25519PrivateKey,
    *,
    origin: str,
    size: int,
    root: bytes,
    map_size: int,
    map_root: bytes,
    time: str,
) -> Checkpoint:
    """Sign what the journal is at this moment."""
    unsigned = Checkpoint(
        origin=origin,
        size=size,
        root=root,
        map_size=map_size,
        map_root=map_root,
        time=time,
        key=public_hex(private),
        signature=b"",
    )
    values = {name: getattr(unsigned, name) for name in Checkpoint.__slots__}
    return Checkpoint(**{**values, "signature": private.sign(unsigned.text.encode())})


def read_checkpoint(note: str, key: str) -> Checkpoint:
    """Read a note; `key` is the public key in hexadecimal that it names.

    Raises:
        Refused: The note is not in the form that Anlage writes.
    """
    try:
        text, _, tail = note.partition("\n\n")
        origin, size, root, time, streams = text.split("\n")
        map_size, map_root = streams.removeprefix("map ").split(" ")
        line = tail.removesuffix("\n")
        signed = base64.b64decode(line.removeprefix(f"— {origin} "), validate=True)
        checkpoint = Checkpoint(
            origin=origin,
            size=int(size),
            root=base64.b64decode(root, validate=True),
            map_size=int(map_size),
            map_root=base64.b64decode(map_root, validate=True),
            time=time.removeprefix("time "),
            key=key,
            signature=signed[4:],
        )
        if checkpoint.as_note() != note:
            raise ValueError("another form")
    except (ValueError, binascii.Error) as error:
        raise Refused(
            "checkpoint-unreadable",
            what="checkpoint",
            found=repr(note[:60]),
            limit="a note as Anlage writes it, under the key it names",
            remedy="take the checkpoint from the place where it was kept",
            rule="C2SP tlog-checkpoint",
        ) from error
    return checkpoint


def public_hex(private: Ed25519PrivateKey) -> str:
    """Give the public key of a private key, in hexadecimal."""
    return private.public_key().public_bytes_raw().hex()


def is_signature(key: str, message: bytes, signature: bytes) -> bool:
    """Tell whether the Ed25519 key (hexadecimal) made the signature over the message."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _key_hash(origin: str, key: str) -> bytes:
    return hashlib.sha256(f"{origin}\n".encode() + _ED25519 + bytes.fromhex(key)).digest()[:4]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
