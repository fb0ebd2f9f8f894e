"""Files by the SHA-256 of their bytes: read-only, checked again when read, on disk before they are
named in a fact.
"""

import errno
import hashlib
import os
import tempfile
from pathlib import Path

from anlage.base import Broken, Refused

BYTES_MAX = 512 * 1024 * 1024


class FolderBlobs:
    """A folder whose files are named by their digest."""

    def __init__(self, folder: Path) -> None:
        """Use this folder; it is made when missing."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes) -> str:
        """Keep bytes and give their digest in hexadecimal; keeping them twice costs nothing.

        Raises:
            Refused: The file is larger than 512 MiB, or there is no room for it; nothing is left.
        """
        if len(data) > BYTES_MAX:
            raise Refused(
                "file-too-large",
                what="attached file",
                found=f"{len(data)} bytes",
                limit=f"{BYTES_MAX} bytes",
                remedy="attach a smaller file",
            )
        name = hashlib.sha256(data).hexdigest()
        path = self._path(name)
        if path.exists():
            return name
        try:
            path.parent.mkdir(exist_ok=True)
            _write(path, data)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise Refused(
                "disk-full",
                what="attached file",
                found="no room on the disk; nothing of it was kept",
                remedy="free room on the disk, then attach it again",
                rule="acknowledged means on disk",
            ) from error
        return name

    def get(self, name: str) -> bytes:
        """Give the bytes of a digest.

        Raises:
            Refused: Nothing is kept under it.
            Broken: What is kept has another digest.
        """
        path = self._path(name)
        if not path.exists():
            raise Refused(
                "file-missing", what=f"file {name[:12]}", remedy="restore it from the backup"
            )
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != name:
            raise Broken(f"file {name[:12]} unchanged", seen="another digest")
        return data

    def has(self, name: str) -> bool:
        """Tell whether something is kept under a digest."""
        return self._path(name).exists()

    def _path(self, name: str) -> Path:
        if len(name) != 64 or not all(character in "0123456789abcdef" for character in name):
            raise Refused(
                "digest-malformed", what="file digest", found=repr(name[:80]), limit="SHA-256"
            )
        return self._folder / name[:2] / name


def _write(path: Path, data: bytes) -> None:
    """Write a file under another name, to disk, then give it its own; leaves nothing when it
    fails.
    """
    handle = tempfile.NamedTemporaryFile(dir=path.parent, delete=False)  # noqa: SIM115
    temporary = Path(handle.name)
    try:
        with handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.chmod(0o444)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _fsync_folder(path.parent)


def _fsync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
