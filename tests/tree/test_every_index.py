"""Every index of every size from 1 to 300, against the definitions of the standards."""

import hashlib

import pytest

import merklecore as mc
from merklecore.reference import recursive

SIZES = range(1, 301)
LEAVES = tuple(hashlib.sha256(b"leaf %d" % i).digest() for i in range(300))
LIMIT = 1000

CASES = {
    "rfc6962": ("rfc6962", recursive.rfc6962_root, recursive.rfc6962_path),
    "bitcoin": ("bitcoin", recursive.bitcoin_root, recursive.bitcoin_path),
    "ssz": ("ssz", recursive.ssz_root, recursive.ssz_path),
    "ssz with a limit": (
        mc.profiles["ssz"].replace(limit=LIMIT),
        lambda chunks: recursive.ssz_root(chunks, LIMIT),
        lambda m, chunks: recursive.ssz_path(m, chunks, LIMIT),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_index_of_every_size(case):
    profile, root_of, path_of = CASES[case]
    whole = mc.MerkleTree(LEAVES, profile)
    for size in SIZES:
        leaves = LEAVES[:size]
        root = root_of(leaves)
        assert mc.merkle_root(leaves, profile) == root
        assert whole.root_at(size) == root
        for index, leaf in enumerate(leaves):
            proof = whole.prove(index, size)
            assert proof.path == path_of(index, leaves)
            proof.verify(root, leaf, index=index, size=size, profile=profile)


@pytest.mark.parametrize("case", CASES)
def test_a_tree_that_grows(case):
    profile, root_of, path_of = CASES[case]
    tree = mc.MerkleTree(profile=profile)
    for size in SIZES:
        assert tree.append(LEAVES[size - 1]) == size - 1
        assert tree.root == root_of(LEAVES[:size])
        for index in {0, size // 2, size - 1}:
            assert tree.prove(index).path == path_of(index, LEAVES[:size])


@pytest.mark.parametrize("case", CASES)
def test_a_tree_that_grows_by_batches(case):
    profile, root_of, _ = CASES[case]
    for step in (2, 3, 7, 64, 127):
        tree = mc.MerkleTree(LEAVES[:5], profile)
        while len(tree) < len(LEAVES):
            at = len(tree)
            added = tree.extend(LEAVES[at : at + step])
            assert added == range(at, len(tree))
            assert tree.root == root_of(LEAVES[: len(tree)])


@pytest.mark.parametrize("case", CASES)
def test_no_path_serves_another_place(case):
    """What holds for (index, size) holds for no other place that demands a path of that length."""
    profile, root_of, _ = CASES[case]
    tree = mc.MerkleTree(LEAVES, profile)
    for size in range(1, 20):
        root = root_of(LEAVES[:size])
        for index in range(size):
            proof = tree.prove(index, size)
            for other in range(size):
                if other != index:
                    with pytest.raises(mc.ProofError):
                        proof.verify(root, LEAVES[index], index=other, size=size, profile=profile)
                    with pytest.raises(mc.ProofError):
                        proof.verify(root, LEAVES[other], index=index, size=size, profile=profile)
