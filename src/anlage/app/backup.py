"""Backup while the plant runs, and restore; both check every fact.

A backup is a folder: `journal.db` (always SQLite, whatever the plant uses), copies of vault and
desk, the files, the keys and `backup.json` with the size and root of the journal and the digest of
everything else. Keep the keys of a backup apart from it where the site's rules ask for that.
"""

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from anlage.base import Refused, SystemClock, stamp
from anlage.record import is_consistent, read_checkpoint
from anlage.store import Copied, Postgres, Sqlite, SqlJournal, copy_journal

from .installation import Installation, journal_dialect
from .settings import Settings

MANIFEST = "backup.json"
_FOLDERS = ("blobs", "keys", "checkpoints")
_DATABASES = ("vault.db", "desk.db")
_FILES = ("anlage.toml", "clock.json", "demo_logins.txt")


def backup(settings: Settings, target: Path) -> dict[str, Any]:
    """Copy an installation, running or not, into an empty folder, and check the copy.

    Raises:
        Refused: The target is not empty, or there is no installation.
        Broken: A fact on disk is not as it was recorded.
    """
    _must_be_empty(target)
    source = journal_dialect(settings)
    if settings.database_url is None and not (settings.data / "journal.db").exists():
        raise Refused("installation-missing", what=str(settings.data), remedy="name the folder")
    target.mkdir(parents=True, exist_ok=True)
    # Files first named in facts are on disk before those facts: copying facts first would lose
    # none, but files that come in between; so the journal is copied first and the files after it.
    copied = _copy_journal(source, target)
    source.close()
    for name in _DATABASES:
        if (settings.data / name).exists():
            _copy_database(settings.data / name, target / name)
    for name in _FOLDERS:
        if (settings.data / name).exists():
            shutil.copytree(settings.data / name, target / name)
    for name in _FILES:
        if (settings.data / name).exists():
            shutil.copy2(settings.data / name, target / name)
    manifest = {
        "time": stamp(SystemClock().now()),
        "facts": copied.size,
        "root": copied.root.hex(),
        "members": _digests(target),
    }
    (target / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    return {"backup": str(target), "facts": copied.size, "root": copied.root.hex(), "ok": True}


def restore(source: Path, settings: Settings, *, checkpoint: Path | None = None) -> dict[str, Any]:
    """Take an installation up from a backup, in an empty folder.

    Args:
        source: The backup.
        settings: Where it goes; PostgreSQL when they name a database.
        checkpoint: The newest checkpoint kept outside: a backup from before it is refused, so that
        a loss is not unseen.

    Raises:
        Refused: The backup is incomplete or changed, or older than the checkpoint.
    """
    manifest = _read_manifest(source)
    found = _digests(source)
    for name in sorted(manifest["members"].keys() | found.keys()):
        if manifest["members"].get(name) != found.get(name):
            raise Refused(
                "backup-changed",
                what=f"{name} of the backup",
                found="missing" if name not in found else "other bytes, or not in its list",
                remedy="use another backup",
                rule="Annex 11 clause 7.2",
            )
    _must_be_empty(settings.data)
    settings.data.mkdir(parents=True, exist_ok=True)
    for name in found:
        if name != "journal.db":
            (settings.data / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, settings.data / name)
    origin = Sqlite(source / "journal.db", durable=True)
    target = journal_dialect(settings)
    copied = copy_journal(origin, target)
    origin.close()
    target.close()
    if copied.size != manifest["facts"] or copied.root.hex() != manifest["root"]:
        raise Refused("backup-changed", what="journal of the backup", found="another root")
    if checkpoint is not None:
        _compare(settings, copied, checkpoint)
    Installation.open(settings).close()
    return {"data": str(settings.data), "facts": copied.size, "root": copied.root.hex(), "ok": True}


def _compare(settings: Settings, copied: Copied, path: Path) -> None:
    key = (settings.data / "keys" / "site.pub").read_text("ascii").strip()
    kept = read_checkpoint(path.read_text("utf-8"), key)
    if kept.size > copied.size:
        raise Refused(
            "backup-older-than-checkpoint",
            what="journal of the backup",
            found=f"{copied.size} facts",
            limit=f"at least the {kept.size} facts of the checkpoint of {kept.time}",
            remedy=f"look for a newer backup; the last {kept.size - copied.size} facts are missing",
            rule="21 CFR 11.10(c)",
        )
    journal = SqlJournal(journal_dialect(settings))
    try:
        proof = journal.consistency(kept.size, copied.size)
    finally:
        journal.close()
    if not is_consistent(kept.size, kept.root, copied.size, copied.root, proof):
        raise Refused(
            "backup-disagrees-with-checkpoint",
            what="journal of the backup",
            found="another history",
            limit=f"the history of the checkpoint of {kept.time}",
            remedy="do not use this backup; keep it as evidence",
            rule="21 CFR 11.10(c)",
        )


def _copy_journal(source: Sqlite | Postgres, target: Path) -> Copied:
    copy = Sqlite(target / "journal.db", durable=True)
    try:
        return copy_journal(source, copy)
    finally:
        copy.close()
        with sqlite3.connect(target / "journal.db") as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
        connection.close()
        (target / "journal.lease").unlink(missing_ok=True)


def _copy_database(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as origin, sqlite3.connect(target) as copy:
        origin.backup(copy)
    origin.close()
    copy.close()


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def _read_manifest(source: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((source / MANIFEST).read_text("utf-8"))
        if not isinstance(manifest["members"], dict):
            raise ValueError("shape")
    except (OSError, ValueError, KeyError) as error:
        raise Refused(
            "backup-unreadable",
            what=f"backup {source}",
            found=str(error)[:100],
            limit="a folder that `anlage backup` made",
            remedy="name the folder of the backup",
        ) from error
    return dict(manifest)


def _must_be_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise Refused(
            "folder-not-empty",
            what=f"folder {folder}",
            found="files in it",
            limit="an empty or new folder",
            remedy="name another folder",
        )
