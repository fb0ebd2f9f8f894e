"""The vault: what names a person, under a key of its own per patient. Destroying the key is
erasure.

The journal holds only the pseudonymous chain-of-identity id and digests salted with the patient's
secret, which is kept here.
"""

import hashlib
import hmac
import os
import secrets
import sqlite3
import threading
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from anlage.base import Broken, Refused

_TABLES = (
    "CREATE TABLE IF NOT EXISTS secret (owner TEXT PRIMARY KEY, wrapped BLOB)",
    """CREATE TABLE IF NOT EXISTS item (
        owner TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (owner,
        name))""",
)


class Vault:
    """One SQLite file of sealed items, and the master key beside it in `keys/`."""

    def __init__(self, path: Path, master: bytes) -> None:
        """Open the vault with its 32-byte master key."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA secure_delete=ON")
        for statement in _TABLES:
            self._connection.execute(statement)
        self._master = AESGCM(master)
        self._lock = threading.Lock()

    def put(self, owner: str, name: str, value: Any) -> str:
        """Seal a JSON value or bytes of one owner (a chain-of-identity id); gives its salted
        digest.
        """
        plain = value if isinstance(value, bytes) else orjson.dumps(value)
        key = self._key(owner, make=True)
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(key).encrypt(nonce, plain, f"{owner}/{name}".encode())
        with self._lock:
            self._connection.execute(
                "INSERT INTO item (owner, name, sealed) VALUES (?, ?, ?)"
                " ON CONFLICT (owner, name) DO UPDATE SET sealed = excluded.sealed",
                (owner, name, sealed),
            )
        return self.digest(owner, plain)

    def get(self, owner: str, name: str) -> bytes:
        """Give the plain bytes of an item.

        Raises:
            Refused: There is none, or the owner has been erased.
        """
        with self._lock:
            row = self._connection.execute(
                "SELECT sealed FROM item WHERE owner = ? AND name = ?", (owner, name)
            ).fetchone()
        if row is None:
            if self.is_erased(owner):
                self._key(owner)
            raise Refused(
                "vault-item-missing", what=f"{name} of {owner}", remedy="ask the coordinator"
            )
        sealed = bytes(row[0])
        try:
            return AESGCM(self._key(owner)).decrypt(
                sealed[:12], sealed[12:], f"{owner}/{name}".encode()
            )
        except InvalidTag as error:
            raise Broken(
                f"a readable {name} of {owner}", seen="another key or changed bytes"
            ) from error

    def get_json(self, owner: str, name: str) -> Any:
        """Give an item as the JSON value that was put."""
        return orjson.loads(self.get(owner, name))

    def digest(self, owner: str, data: bytes) -> str:
        """Give the digest of data, salted with the owner's secret, so that it cannot be guessed
        from outside.
        """
        return hmac.new(self._key(owner, make=True), data, hashlib.sha256).hexdigest()

    def is_erased(self, owner: str) -> bool:
        """Tell whether the owner's key has been destroyed."""
        with self._lock:
            row = self._connection.execute(
                "SELECT wrapped FROM secret WHERE owner = ?", (owner,)
            ).fetchone()
        return row is not None and row[0] is None

    def erase(self, owner: str) -> None:
        """Destroy the owner's key and salt and every sealed item; it cannot be undone."""
        with self._lock:
            self._connection.execute("DELETE FROM item WHERE owner = ?", (owner,))
            self._connection.execute(
                "INSERT INTO secret (owner, wrapped) VALUES (?, NULL)"
                " ON CONFLICT (owner) DO UPDATE SET wrapped = NULL",
                (owner,),
            )
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _key(self, owner: str, *, make: bool = False) -> bytes:
        with self._lock:
            row = self._connection.execute(
                "SELECT wrapped FROM secret WHERE owner = ?", (owner,)
            ).fetchone()
            if row is None and make:
                key, nonce = secrets.token_bytes(32), os.urandom(12)
                wrapped = nonce + self._master.encrypt(nonce, key, owner.encode())
                self._connection.execute(
                    "INSERT INTO secret (owner, wrapped) VALUES (?, ?)", (owner, wrapped)
                )
                return key
        if row is None or row[0] is None:
            raise Refused(
                "vault-erased" if row else "vault-owner-unknown",
                what=f"personal data of {owner}",
                found="erased" if row else "none kept",
                remedy="ask the coordinator",
                rule="GDPR Art. 17" if row else None,
            )
        wrapped = bytes(row[0])
        try:
            return self._master.decrypt(wrapped[:12], wrapped[12:], owner.encode())
        except InvalidTag as error:
            raise Broken(f"a readable key of {owner}", seen="another master key") from error
