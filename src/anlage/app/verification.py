"""Offline verification: the proof of the bytes, then each package's own judgement of the facts. No
server, no account.
"""

import importlib
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from anlage.base import Problem, Refused
from anlage.custody import CustodyProof, containers_of, histories_of, prove
from anlage.record import Recorded, Stream, Verdict, unpack

Check = Callable[[Sequence[Recorded]], Iterable[Problem]]


def checks() -> list[Check]:
    """Give the `check(facts)` of every package that has one."""
    found = []
    for name in ("library", "custody", "plant", "lab"):
        check = getattr(importlib.import_module(f"anlage.{name}"), "check", None)
        if check is not None:
            found.append(check)
    return found


def verify(path: Path, *, trust: str | None = None, checkpoint: Path | None = None) -> Verdict:
    """Check an export file.

    Args:
        path: The export.
        trust: A public key in hexadecimal, or the path of a file that holds it.
        checkpoint: A file with a checkpoint that was kept elsewhere.

    Raises:
        Refused: A file cannot be read.
    """
    return verify_bytes(
        _read(path, "export"),
        trust=None if trust is None else read_key(_key_text(trust)),
        checkpoint=None if checkpoint is None else _text(_read(checkpoint, "checkpoint")),
    )


def verify_bytes(
    data: bytes, *, trust: str | None = None, checkpoint: str | None = None
) -> Verdict:
    """Check the bytes of an export.

    Args:
        data: The export.
        trust: A public key, 64 hexadecimal digits.
        checkpoint: The text of a checkpoint that was kept elsewhere.
    """
    return unpack(data, trust=trust, checkpoint=checkpoint, checks=checks())


def custody_shown(verdict: Verdict) -> CustodyProof | None:
    """Give the custody proof of an export's subject, from nothing but the export's own facts.

    Containers that live on are judged until the last fact. None for a subject without containers.
    """
    if not verdict.ok or verdict.subject is None:
        return None
    histories = histories_of(verdict.facts)
    chosen = containers_of(histories, Stream(verdict.subject))
    if not chosen:
        return None
    return prove(histories, now=max(one.happened for one in verdict.facts), subjects=chosen)


def is_export(path: Path) -> bool:
    """Tell whether a file looks like an export."""
    return path.is_file() and zipfile.is_zipfile(path)


def read_key(text: str) -> str:
    """Give a public key that somebody typed, checked.

    Raises:
        Refused: `key-unreadable`: it is no key.
    """
    text = text.strip().lower()
    if len(text) != 64 or not all(character in "0123456789abcdef" for character in text):
        raise Refused(
            "key-unreadable",
            what="trusted key",
            found=repr(text[:70]),
            limit="64 hexadecimal digits, or a file that holds them",
            remedy="take the file keys/site.pub of the site",
        )
    return text


def _key_text(trust: str) -> str:
    path = Path(trust)
    return path.read_text("ascii", "replace") if len(trust) < 256 and path.is_file() else trust


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(
            "file-unreadable",
            what=f"{what} {path}",
            found=error.strerror,
            remedy="name another",
        ) from error
