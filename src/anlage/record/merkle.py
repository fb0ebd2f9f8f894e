"""The RFC 6962 Merkle tree: roots, proofs that a set of leaves is in it, proofs that a later tree
extends an earlier one.

Leaves are hashed with a zero byte in front, inner nodes with a one byte, so that neither can be
taken for the other (RFC 6962 section 2.1).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
_sha256 = hashlib.sha256

HashOf = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """Give the 32-byte hash of a leaf."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the 32-byte hash of an inner node."""
    return _sha256(b"\x01" + left + right).digest()


def split_at(size: int) -> int:
    """Give the largest power of two below `size` (`size` at least 2): where RFC 6962 splits a
    tree.
    """
    return 1 << (size - 1).bit_length() - 1


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Give the root over leaf hashes in order."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        pairs = zip(level[0::2], level[1::2], strict=False)
        level = [_sha256(b"\x01" + left + right).digest() for left, right in pairs] + odd
    return level[0]


class Tree:
    """A growing tree that keeps the roots of full tiles of 256 leaves, and asks for single leaf
    hashes when it needs them.

    Memory: 1/4 byte per leaf. `leaves(start, stop)` gives the leaf hashes of that range in order.
    """

    TILE = 256

    def __init__(
        self, leaves: Callable[[int, int], Sequence[bytes]], tiles: Iterable[bytes] = ()
    ) -> None:
        """Take up a tree whose full tiles are given and whose last, partial tile is read from
        `leaves`.
        """
        self._leaves = leaves
        self._levels: list[list[bytes]] = [[]]
        self._tail: list[bytes] = []
        self.size = 0
        for tile in tiles:
            self._add_tile(tile)
            self.size += self.TILE

    def extend(self, hashes: Iterable[bytes]) -> list[tuple[int, bytes]]:
        """Add leaf hashes; give the (index, root) of each tile that this has filled."""
        filled = []
        for one in hashes:
            self._tail.append(one)
            self.size += 1
            if len(self._tail) == self.TILE:
                tile = root_of(self._tail)
                filled.append((len(self._levels[0]), tile))
                self._add_tile(tile)
                self._tail = []
        return filled

    def tiles_after(self, hashes: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Give the (index, root) of the tiles that these leaves would fill, without adding them."""
        pending = [*self._tail, *hashes]
        first = len(self._levels[0])
        full = len(pending) // self.TILE
        return [
            (first + index, root_of(pending[index * self.TILE : (index + 1) * self.TILE]))
            for index in range(full)
        ]

    def root(self, size: int | None = None) -> bytes:
        """Give the root over the first `size` leaves (all of them when None)."""
        size = self.size if size is None else size
        return self.range_hash(0, size) if size else EMPTY_ROOT

    def range_hash(self, start: int, stop: int) -> bytes:
        """Give the hash of the subtree over the leaves from `start` up to `stop`.

        The range has to be one that RFC 6962 splitting makes: `start` a multiple of the next power
        of two of its length.
        """
        length = stop - start
        if length <= self.TILE and length & (length - 1) == 0 and length < self.TILE:
            return self._read(start, stop)
        if length & (length - 1) == 0 and length >= self.TILE:
            level = (length // self.TILE).bit_length() - 1
            return self._levels[level][start // length]
        if length < self.TILE:
            return self._read(start, stop)
        middle = start + split_at(length)
        return node_hash(self.range_hash(start, middle), self.range_hash(middle, stop))

    def prove(self, numbers: Iterable[int], size: int) -> list[bytes]:
        """Give the hashes that, with the leaves `numbers`, make the root over the first `size`
        leaves.
        """
        return subset_proof(sorted(set(numbers)), size, self.range_hash)

    def consistency(self, earlier: int, later: int) -> list[bytes]:
        """Give the RFC 6962 proof that the tree of size `later` extends the tree of size
        `earlier`.
        """
        if not 0 < earlier <= later <= self.size:
            raise ValueError("sizes out of order")
        return self._consistency(earlier, 0, later, whole=True)

    def _consistency(self, earlier: int, start: int, stop: int, *, whole: bool) -> list[bytes]:
        size = stop - start
        if earlier == size:
            return [] if whole else [self.range_hash(start, stop)]
        k = split_at(size)
        if earlier <= k:
            return [
                *self._consistency(earlier, start, start + k, whole=whole),
                self.range_hash(start + k, stop),
            ]
        return [
            *self._consistency(earlier - k, start + k, stop, whole=False),
            self.range_hash(start, start + k),
        ]

    def _read(self, start: int, stop: int) -> bytes:
        first_of_tail = self.size - len(self._tail)
        if start >= first_of_tail:
            return root_of(self._tail[start - first_of_tail : stop - first_of_tail])
        return root_of(self._leaves(start, stop))

    def _add_tile(self, tile: bytes) -> None:
        level = 0
        while True:
            if level == len(self._levels):
                self._levels.append([])
            self._levels[level].append(tile)
            if len(self._levels[level]) % 2:
                return
            tile = node_hash(self._levels[level][-2], tile)
            level += 1


def subset_proof(numbers: Sequence[int], size: int, hash_of: HashOf) -> list[bytes]:
    """Give, in the order of a walk from left to right, the hash of each largest subtree without
    any of `numbers`.
    """
    proof: list[bytes] = []

    def walk(start: int, stop: int, low: int, high: int) -> None:
        if low == high:
            proof.append(hash_of(start, stop))
        elif stop - start > 1:
            middle = start + split_at(stop - start)
            cut = _first_at_least(numbers, middle, low, high)
            walk(start, middle, low, cut)
            walk(middle, stop, cut, high)

    if size:
        walk(0, size, 0, len(numbers))
    return proof


def root_from_subset(
    leaves: Mapping[int, bytes], size: int, proof: Sequence[bytes]
) -> bytes | None:
    """Give the root that leaves and proof make together; None when the proof does not have just
    the hashes needed.

    Args:
        leaves: Leaf hash by number; every number below `size`.
        size: How many leaves the tree has.
        proof: What `subset_proof` gave.
    """
    numbers = sorted(leaves)
    if not size or (numbers and (numbers[0] < 0 or numbers[-1] >= size)):
        return None
    rest = iter(proof)

    def walk(start: int, stop: int, low: int, high: int) -> bytes:
        if low == high:
            return next(rest)
        if stop - start == 1:
            return leaves[start]
        middle = start + split_at(stop - start)
        cut = _first_at_least(numbers, middle, low, high)
        return node_hash(walk(start, middle, low, cut), walk(middle, stop, cut, high))

    try:
        root = walk(0, size, 0, len(numbers))
    except StopIteration:
        return None
    return root if next(rest, None) is None else None


def is_consistent(
    earlier: int, earlier_root: bytes, later: int, later_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether the proof shows that the later tree extends the earlier one (RFC 6962 section
    2.1.4.2).
    """
    if earlier == later:
        return earlier_root == later_root and not proof
    if not 0 < earlier < later:
        return False
    path = list(proof)
    if earlier & (earlier - 1) == 0:
        path = [earlier_root, *path]
    if not path:
        return False
    node, last = earlier - 1, later - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first = node_hash(sibling, first)
            second = node_hash(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    return first == earlier_root and second == later_root and last == 0


def _first_at_least(numbers: Sequence[int], bound: int, low: int, high: int) -> int:
    while low < high:
        middle = (low + high) // 2
        if numbers[middle] < bound:
            low = middle + 1
        else:
            high = middle
    return low
