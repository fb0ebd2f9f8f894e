"""The Merkle tree against RFC 6962's own definitions and test vectors."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anlage.record import Tree, is_consistent, leaf_hash, root_from_subset, root_of

# Roots of the eight-leaf tree of Certificate Transparency's public test data
# (google/certificate-transparency).
VECTOR = [b"", b"\x00", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def naive_root(hashes):
    """RFC 6962 section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(hashes[:k]) + naive_root(hashes[k:])).digest()


def a_tree(size):
    hashes = [leaf_hash(str(number).encode()) for number in range(size)]
    tree = Tree(lambda start, stop: hashes[start:stop])
    tree.extend(hashes)
    return tree, hashes


@pytest.mark.parametrize(("size", "root"), ROOTS.items())
def test_the_root_equals_the_published_vector(size, root):
    assert root_of([leaf_hash(one) for one in VECTOR[:size]]).hex() == root


@given(st.integers(min_value=0, max_value=1100))
def test_every_root_equals_the_definition(size):
    tree, hashes = a_tree(size)

    assert tree.root() == naive_root(hashes) == root_of(hashes)


@given(st.integers(min_value=1, max_value=900), st.data())
def test_a_subset_proves_itself_and_nothing_else(size, data):
    tree, hashes = a_tree(size)
    numbers = data.draw(
        st.sets(st.integers(min_value=0, max_value=size - 1), min_size=1, max_size=20)
    )

    proof = tree.prove(numbers, size)
    leaves = {number: hashes[number] for number in numbers}

    assert root_from_subset(leaves, size, proof) == tree.root()
    forged = dict(leaves)
    forged[min(numbers)] = leaf_hash(b"forged")
    assert root_from_subset(forged, size, proof) != tree.root()
    assert root_from_subset(leaves, size, [*proof, bytes(32)]) is None


@given(st.integers(min_value=1, max_value=700), st.integers(min_value=0, max_value=700))
def test_a_later_tree_proves_that_it_extends_the_earlier(earlier, more):
    tree, hashes = a_tree(earlier + more)
    later = earlier + more

    proof = tree.consistency(earlier, later)

    assert is_consistent(earlier, root_of(hashes[:earlier]), later, tree.root(), proof)
    assert not is_consistent(earlier, leaf_hash(b"other"), later, tree.root(), proof)


def test_a_tree_taken_up_from_its_tiles_is_the_same_tree():
    tree, hashes = a_tree(1000)
    tiles = [root_of(hashes[start : start + 256]) for start in range(0, 768, 256)]

    again = Tree(lambda start, stop: hashes[start:stop], tiles)
    again.extend(hashes[768:])

    assert again.root() == tree.root()
    assert again.prove([5, 700, 999], 1000) == tree.prove([5, 700, 999], 1000)
