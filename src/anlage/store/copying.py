"""A journal copied fact by fact while it is in use, from either engine to either, and checked."""

from dataclasses import dataclass

from anlage.base import Broken
from anlage.record import NOTHING_BEFORE, Recorded, Tree, leaf_hash

from .dialect import Dialect, transaction
from .journal import FORMAT, TABLES

_PAGE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a copy holds.

    Attributes:
        size: How many facts.
        root: RFC 6962 root over them.
    """

    size: int
    root: bytes


def copy_journal(source: Dialect, target: Dialect) -> Copied:
    """Copy every fact that the source holds at this moment into an empty target; each is hashed
    again on the way.

    Raises:
        Broken: A fact's hash or its link to the one before it does not hold.
    """
    (size,) = source.read("SELECT coalesce(max(number) + 1, 0) FROM fact")[0]
    connection = target.writer()
    target.create(connection, TABLES)
    ends: dict[str, tuple[int, bytes]] = {}
    hashes: list[bytes] = []
    tree = Tree(lambda start, stop: hashes[start:stop])
    start = 0
    while start < size:
        rows = source.read(
            "SELECT number, stream, version, command, hash, header, content FROM fact"
            " WHERE number >= ? AND number < ? ORDER BY number",
            (start, min(size, start + _PAGE)),
        )
        checked = [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows]
        new = [_check(row, ends) for row in checked]
        hashes += new
        tiles = tree.extend(new)
        with transaction(target, connection):
            target.write(connection, "INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?)", checked)
            if tiles:
                target.write(connection, "INSERT INTO tile VALUES (?, ?)", tiles)
        start += len(rows)
        if not rows:
            raise Broken(f"{size} facts without a gap", seen=start)
    notes = source.read("SELECT size, text, signer FROM note WHERE size <= ?", (size,))
    with transaction(target, connection):
        heads = [(stream, version, hash_) for stream, (version, hash_) in ends.items()]
        if heads:
            target.write(connection, "INSERT INTO head VALUES (?, ?, ?)", heads)
        if notes:
            target.write(connection, "INSERT INTO note VALUES (?, ?, ?)", notes)
        target.write(connection, "INSERT INTO format VALUES (?)", [(FORMAT,)])
    return Copied(size=size, root=tree.root())


def _check(row: tuple[object, ...], ends: dict[str, tuple[int, bytes]]) -> bytes:
    number, stream, version, _, kept, header, content = row
    one = Recorded.read(number, header, content)  # type: ignore[arg-type]
    past, previous = ends.get(one.stream, (0, NOTHING_BEFORE))
    hash_ = leaf_hash(header)  # type: ignore[arg-type]
    is_linked = one.version == version == past + 1 and one.previous == previous
    if hash_ != kept or not one.is_sound() or not is_linked or one.stream != stream:
        raise Broken(f"fact {number} as it was recorded", seen="changed bytes or a broken link")
    ends[one.stream] = (one.version, hash_)
    return hash_
