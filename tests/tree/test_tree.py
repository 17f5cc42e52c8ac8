import hashlib

import numpy as np
import pytest

import merklecore as mc
from merklecore.reference.recursive import bitcoin_mutated, bitcoin_root, rfc6962_path, rfc6962_root
from tests.oracles import is_slow_here

LEAVES = [b"", b"a", b"bc", b"d" * 55, b"e" * 64, b"f" * 1000, b"g"]
IDS = [hashlib.sha256(b"%d" % i).digest() for i in range(40)]
UNEVEN = [b"x" * (i * 37 % 400) for i in range(9000)]


def test_a_tree_of_leaves_of_any_length():
    tree = mc.MerkleTree(LEAVES)
    assert len(tree) == 7
    assert tree.root == rfc6962_root(tuple(LEAVES)) == mc.merkle_root(LEAVES)
    assert [tree.leaf_hash(i) for i in range(7)] == [hashlib.sha256(b"\0" + leaf).digest() for leaf in LEAVES]
    assert tree.profile is mc.profiles["rfc6962"]
    assert repr(tree) == "MerkleTree(7 leaves, 'rfc6962')"
    assert not tree.mutated


def test_more_leaves_than_a_block_holds():
    """Roots are computed block by block, in whatever number of threads."""
    expected = rfc6962_root(tuple(UNEVEN))
    for threads in (None, 1, 2, 5):
        assert mc.merkle_root(UNEVEN, threads=threads) == expected
        assert mc.MerkleTree(UNEVEN, threads=threads).root == expected
    for n in (4095, 4096, 4097, 8191, 8192, 8193):
        assert mc.merkle_root(UNEVEN[:n], threads=2) == rfc6962_root(tuple(UNEVEN[:n]))
    tree = mc.MerkleTree(UNEVEN[:4090])
    tree.extend(UNEVEN[4090:])
    assert tree.root == expected
    for index in (0, 4095, 4096, 8191, 8192, 8999):
        assert tree.prove(index).path == rfc6962_path(index, tuple(UNEVEN))


def test_leaf_hashes_in_place_of_leaves():
    hashes = [hashlib.sha256(b"\0" + leaf).digest() for leaf in LEAVES]
    tree = mc.MerkleTree(hashes[:3], hashed=True)
    assert tree.append(hashes[3], hashed=True) == 3
    assert tree.append(LEAVES[4]) == 4
    assert tree.extend(b"".join(hashes[5:]), hashed=True) == range(5, 7)
    assert tree.root == mc.merkle_root(LEAVES) == mc.merkle_root(hashes, hashed=True)
    proof = tree.prove(4)
    proof.verify(tree.root, hashes[4], index=4, size=7, hashed=True)
    assert proof.compute_root(LEAVES[4], index=4, size=7) == tree.root


def test_roots_and_proofs_of_earlier_sizes():
    tree = mc.MerkleTree(LEAVES)
    assert [tree.root_at(n) for n in range(8)] == [rfc6962_root(tuple(LEAVES[:n])) for n in range(8)]
    assert tree.prove(2, 3).path == rfc6962_path(2, tuple(LEAVES[:3]))
    assert tree.prove(np.int64(2), np.uint8(3)) == tree.prove(2, 3)
    assert tree.root_at(np.int64(7)) == tree.root


def test_an_empty_tree():
    assert mc.MerkleTree().root == hashlib.sha256().digest()
    assert mc.MerkleTree(profile="bitcoin").root == bytes(32)
    assert mc.MerkleTree(profile="ssz").root == bytes(32)
    tree = mc.MerkleTree([])
    assert (len(tree), tree.mutated, tree.extend([])) == (0, False, range(0))
    with pytest.raises(mc.BoundsError):
        tree.prove(0)
    with pytest.raises(mc.BoundsError):
        tree.leaf_hash(0)


@pytest.mark.parametrize("name", mc.profiles)
def test_memory(name):
    """Two digests a leaf; room to grow is at most half of that again."""
    batches = 5 if is_slow_here(name) else 100
    size = 40 * batches
    assert mc.MerkleTree(IDS * batches, name).nbytes <= 64 * size
    tree = mc.MerkleTree(profile=name)
    for start in range(0, size, 40):
        tree.extend(IDS)
        assert len(tree) == start + 40
    assert tree.root == mc.merkle_root(IDS * batches, name)  # a heap has no inner nodes before
    assert 63 * size <= tree.nbytes <= 96 * size


# ---- mutated -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", range(1, 33))
def test_mutated_is_said_of_repeated_ends(n):
    """CVE-2012-2459: the leaves of an odd end, repeated, leave the root as it is."""
    tree = mc.MerkleTree(IDS[:n], "bitcoin")
    assert not tree.mutated
    span = 1
    while n // span % 2 == 0:
        span *= 2
    ids = IDS[:n] + IDS[n - span : n]
    if n != span:  # not a power of two: some level is odd
        assert mc.merkle_root(ids, "bitcoin") == tree.root
    assert mc.MerkleTree(ids, "bitcoin").mutated
    grown = mc.MerkleTree(IDS[:n], "bitcoin")
    grown.extend(ids[n:])
    assert grown.mutated
    assert bitcoin_mutated(tuple(ids))


def test_mutated_forgets_nothing_and_recounts_the_edge():
    """The edge is recomputed as the tree grows: equal siblings there count while they stand there."""
    ids = []
    tree = mc.MerkleTree(profile="bitcoin")
    for i in (0, 1, 2, 2, 3, 4, 3, 4, 5, 5, 6, 7, 8, 9, 8, 9, 10):
        ids.append(IDS[i])
        tree.append(IDS[i])
        assert tree.mutated == bitcoin_mutated(tuple(ids))
        assert tree.root == bitcoin_root(tuple(ids))


def test_equal_siblings_mean_nothing_elsewhere():
    assert not mc.MerkleTree([b"a", b"a"]).mutated
    assert not mc.MerkleTree([bytes(32)] * 4, "ssz").mutated


# ---- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [True, False, 1.0, "1", None, b"1"], ids=repr)
def test_indices_of_wrong_types(wrong):
    tree = mc.MerkleTree(LEAVES)
    calls = [lambda: tree.prove(wrong), lambda: tree.leaf_hash(wrong), lambda: tree.root_at(wrong)]
    if wrong is not None:  # no size is the whole tree
        calls.append(lambda: tree.prove(0, wrong))
    for call in calls:
        with pytest.raises(TypeError, match="an integer is needed"):
            call()


@pytest.mark.parametrize("index", [-1, -7, 7, 8, 2**63, 2**64 - 1, 2**64, 2**100, -(2**100)])
def test_indices_out_of_bounds(index):
    tree = mc.MerkleTree(LEAVES)
    for call in (lambda: tree.prove(index), lambda: tree.leaf_hash(index), lambda: tree.prove(index, 7)):
        with pytest.raises(mc.BoundsError, match="index"):
            call()


@pytest.mark.parametrize("size", [-1, 8, 2**63, 2**64, 2**100])
def test_sizes_out_of_bounds(size):
    tree = mc.MerkleTree(LEAVES)
    for call in (lambda: tree.prove(0, size), lambda: tree.root_at(size)):
        with pytest.raises(mc.BoundsError, match="size"):
            call()
    with pytest.raises(mc.BoundsError):
        tree.prove(0, 0)
    with pytest.raises(mc.BoundsError):
        tree.prove(5, 5)


def test_a_wrong_leaf_leaves_the_tree_as_it_was():
    for name, good, bad, error in (
        ("rfc6962", [b"a", b"b"], [b"c", "d"], TypeError),
        ("bitcoin", IDS[:3], [IDS[3], IDS[4][:31]], mc.InputError),
        ("ssz", IDS[:3], bytes(63), mc.InputError),
        ("ssz", IDS[:3], 5, TypeError),
    ):
        tree = mc.MerkleTree(good, name)
        root = tree.root
        with pytest.raises(error):
            tree.extend(bad)
        with pytest.raises(error):
            tree.append(bad if isinstance(bad, (int, bytes)) else bad[-1])
        assert (len(tree), tree.root) == (len(good), root)
    with pytest.raises(mc.InputError, match=r"^leaves\[1\]: 31 bytes where 32 are needed"):
        mc.merkle_root([IDS[0], IDS[1][:31]], "bitcoin")
    with pytest.raises(mc.InputError, match=r"^leaf: 31 bytes where 32 are needed"):
        mc.MerkleTree().append(bytes(31), hashed=True)
    with pytest.raises(mc.InputError, match=r"^leaves: one flat buffer does not say"):
        mc.merkle_root(b"leaf")


def test_more_leaves_than_the_limit():
    profile = mc.profiles["ssz"].replace(limit=3)
    tree = mc.MerkleTree(IDS[:2], profile)
    with pytest.raises(mc.InputError, match="leaves: 4 where the limit is 3"):
        tree.extend(IDS[2:4])
    assert tree.append(IDS[2]) == 2
    with pytest.raises(mc.InputError, match="leaves: 4 where the limit is 3"):
        tree.append(IDS[3])
    with pytest.raises(mc.InputError, match="leaves: 4 where the limit is 3"):
        mc.merkle_root(IDS[:4], profile)
    assert len(tree) == 3


def test_a_limit_of_the_beacon_chain():
    profile = mc.profiles["ssz"].replace(limit=2**40)
    tree = mc.MerkleTree(IDS[:3], profile)
    proof = tree.prove(2)
    assert len(proof.path) == 40
    proof.verify(tree.root, IDS[2], index=2, size=3, profile=profile)
    deepest = mc.profiles["ssz"].replace(limit=2**64)
    assert len(mc.MerkleTree(IDS[:3], deepest).prove(0).path) == 64


def test_arguments_that_are_wrong():
    for wrong in (0, 1025):
        with pytest.raises(mc.InputError, match="threads"):
            mc.merkle_root([b""], threads=wrong)
    with pytest.raises(TypeError, match="threads"):
        mc.MerkleTree([b""], threads=True)
