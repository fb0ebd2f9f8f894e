"""An installation: a folder (or a PostgreSQL schema) with its journal, views, files, vault and
keys.
"""

import hashlib
import logging
import os
import secrets
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from anlage import __version__
from anlage.base import Clock, Refused, SystemClock, stamp
from anlage.record import (
    Checkpoint,
    JournalOpened,
    Recorded,
    Rows,
    World,
    leaf_hash,
    public_hex,
    root_of,
    sign_checkpoint,
    stream_leaf,
)
from anlage.store import (
    FolderBlobs,
    GuestJournal,
    Line,
    LineClock,
    Postgres,
    Sqlite,
    SqlJournal,
    SqlViews,
    Switchboard,
    Vault,
    call,
)

from .assemble import all_views, bind_commands
from .engine import Engine
from .erasure import erase_missed, erase_told
from .settings import Settings

if TYPE_CHECKING:
    from .job_runner import Runner

log = logging.getLogger(__name__)


class Installation:
    """Everything that one site's Anlage holds open. Use `create` or `open`, and `close` when
    done.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        machine: Clock | None = None,
        line: Line | None = None,
    ) -> None:
        """Open the engines in the folder.

        Args:
            settings: Where and how.
            clock: Gives the time of commands; that of the machine when None.
            machine: Gives the time of recording; the machine's own clock outside tests.
            line: The line to the process that writes, for one beside it.
        """
        bind_commands()
        self.settings = settings
        self.folder = settings.data
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = _site_key(self.folder / "keys")
        self.vault = Vault(self.folder / "vault.db", _master_key(self.folder / "keys"))
        self.blobs = FolderBlobs(self.folder / "blobs")
        self.clock: Clock = LineClock(line) if line else clock or machine or SystemClock()
        self._switchboard: Switchboard | None = None
        self._listeners: list[Callable[[Sequence[Recorded]], None]] = []
        self._checkpoint_lock = threading.Lock()
        views = _dialect(settings, "views", durable=False)
        self.views = SqlViews(views, all_views(), is_guest=line is not None)
        dialect, told = journal_dialect(settings), machine or SystemClock()
        try:
            self.journal = (
                SqlJournal(dialect, clock=told, on_commit=self._follow)
                if line is None
                else GuestJournal(dialect, line, clock=told)
            )
        except BaseException:
            self.views.close()
            raise
        self.engine = Engine(self.journal, self.clock)
        self.runner: Runner | None = None

    @classmethod
    def create(
        cls,
        settings: Settings,
        *,
        world: World,
        site: str,
        site_name: str,
        clock: Clock | None = None,
        machine: Clock | None = None,
    ) -> "Installation":
        """Make a new installation in an empty folder.

        Raises:
            Refused: The folder holds an installation.
        """
        installation = cls(settings, clock=clock, machine=machine)
        try:
            installation.journal.open(
                JournalOpened(
                    world=world,
                    site=site,
                    site_name=site_name,
                    key=public_hex(installation.key),
                    software=__version__,
                )
            )
            installation.views.catch_up(installation.journal)
        except BaseException:
            installation.close()
            raise
        return installation

    @classmethod
    def open(
        cls, settings: Settings, *, clock: Clock | None = None, may_be_beside: bool = False
    ) -> "Installation":
        """Open an installation that has been made; views catch up with the journal.

        Args:
            settings: Where and how.
            clock: Gives the time of commands; that of the machine when None.
            may_be_beside: Where a server holds the journal, read beside it and have it write.

        Raises:
            Refused: There is none in the folder, or another process holds it.
        """
        if settings.database_url is None and not (settings.data / "journal.db").exists():
            raise Refused(
                "installation-missing",
                what=f"installation in {settings.data}",
                found="no journal",
                remedy="run `anlage init`, or name the folder with --data",
            )
        try:
            installation = cls(settings, clock=clock)
        except Refused as refusal:
            line = None
            if may_be_beside and refusal.code == "journal-leased":
                line = call(settings.data, _line_secret(settings.data), build=__version__)
            if line is None:
                raise
            return cls(settings, line=line)
        try:
            installation.views.catch_up(installation.journal)
            erase_missed(installation.vault, installation.rows("personal-data"))
        except BaseException:
            installation.close()
            raise
        return installation

    def rows(self, view: str) -> Rows:
        """Give the rows of a view, to read."""
        return self.views.rows(view)

    def listen(self, listener: Callable[[Sequence[Recorded]], None]) -> None:
        """Call a function, in the writer, with the facts of every commit; it must be quick."""
        self._listeners.append(listener)

    def answer_beside(self) -> None:
        """Write for processes beside this one too, such as the command line of a served plant."""
        if self._switchboard is None:
            self._switchboard = Switchboard(
                self.journal,
                self.folder,
                _line_secret(self.folder),
                now=self.clock.now,
                build=__version__,
            )

    def checkpoint(self) -> Checkpoint:
        """Sign what the journal is now, keep it, and copy it to the places out of reach."""
        with self._checkpoint_lock:
            size, heads = self.journal.snapshot()
            leaves = sorted(stream_leaf(stream, head) for stream, head in heads.items())
            checkpoint = sign_checkpoint(
                self.key,
                origin=f"anlage/{self.journal.site}/{self.journal.world}",
                size=size,
                root=self.journal.root(size),
                map_size=len(leaves),
                map_root=root_of([leaf_hash(leaf) for leaf in leaves]),
                time=stamp(SystemClock().now()),
            )
            self.journal.keep_checkpoint(checkpoint)
            for folder in (self.folder / "checkpoints", *self.settings.checkpoint_copies):
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{size:012d}.txt").write_text(checkpoint.as_note(), "utf-8")
            return checkpoint

    def close(self) -> None:
        """Finish what is queued and let go of everything."""
        if self._switchboard is not None:
            self._switchboard.close()
        self.journal.close()
        self.views.close()
        self.vault.close()

    def _follow(self, facts: Sequence[Recorded]) -> None:
        self.views.follow(facts)
        erase_told(self.vault, facts)
        for listener in self._listeners:
            try:
                listener(facts)
            except Exception:
                log.exception("a listener failed; the facts are on disk")


def journal_dialect(settings: Settings) -> Sqlite | Postgres:
    """Give the database of the journal."""
    return _dialect(settings, "journal", durable=settings.durable)


def _dialect(settings: Settings, part: str, *, durable: bool) -> Sqlite | Postgres:
    if settings.database_url is None:
        return Sqlite(settings.data / f"{part}.db", durable=durable)
    name = f"{settings.database_url}#{part}"
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")
    return Postgres(settings.database_url, schema=f"anlage_{part}", lock=number, durable=durable)


def _site_key(folder: Path) -> Ed25519PrivateKey:
    path = folder / "site.pem"
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write_secret(path, pem)
        (folder / "site.pub").write_text(public_hex(key) + "\n", "ascii")
    loaded = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(loaded, Ed25519PrivateKey):
        raise Refused(
            "key-unusable", what=str(path), limit="an Ed25519 key", remedy="restore the key"
        )
    return loaded


def _master_key(folder: Path) -> bytes:
    path = folder / "vault.key"
    if not path.exists():
        _write_secret(path, secrets.token_bytes(32))
    return path.read_bytes()


def _line_secret(folder: Path) -> bytes:
    """Give what a process must know to be written for: who can read the vault's key knows it."""
    return hashlib.sha256(b"anlage line" + _master_key(folder / "keys")).digest()


def _write_secret(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
