"""Every index of every size from 1 to 300, against the definitions of the standards."""

import hashlib

import pytest
from hypothesis import settings

import merklecore as mc
from merklecore.reference import recursive
from merklecore.tree import geometry
from tests.oracles import HASHES, is_slow_here
from tests.tree.definitions import DEFINITIONS

SIZES = range(1, 301)
SOME = range(1, 101)
FEW = range(1, 33)
WHOLE = [mc.profiles[name] for name in ("rfc6962", "bitcoin", "ssz")]
LEAVES = tuple(hashlib.sha256(b"leaf %d" % i).digest() for i in range(300))
LIMIT = 1000

CASES = {name: (mc.profiles[name], *DEFINITIONS[name]) for name in mc.profiles} | {
    "ssz with a limit": (
        mc.profiles["ssz"].replace(limit=LIMIT),
        lambda chunks: recursive.ssz_root(chunks, LIMIT),
        lambda m, chunks: recursive.ssz_path(m, chunks, LIMIT),
    ),
    "a heap of sides": (
        mc.profiles["chainmaker"].replace(name="mine", odd="heap"),
        lambda leaves: recursive.heap_root(leaves, HASHES["sha256"], False),
        lambda m, leaves: recursive.heap_path(m, leaves, HASHES["sha256"], False),
    ),
    "sorted pairs, rehashed": (
        mc.profiles["fisco-bcos"].replace(name="mine", algorithm="sha256", sort_pairs=True),
        lambda leaves: recursive.fisco_root(leaves, HASHES["sha256"], True),
        lambda m, leaves: recursive.fisco_path(m, leaves, HASHES["sha256"], True),
    ),
}


def sizes(profile):
    """All; where the same is run again, whose time grows with their square, for a few profiles alone."""
    if is_slow_here(profile):
        return FEW
    if settings.get_current_profile_name() == "few" and profile not in WHOLE:
        return SOME
    return SIZES


@pytest.mark.parametrize("case", CASES)
def test_every_index_of_every_size(case):
    profile, root_of, path_of = CASES[case]
    whole = mc.MerkleTree(LEAVES, profile)
    for size in sizes(profile):
        leaves = LEAVES[:size]
        root = root_of(leaves)
        assert mc.merkle_root(leaves, profile) == root
        tree = mc.MerkleTree(leaves, profile) if profile.odd == "heap" else whole  # it has no earlier sizes
        assert tree.root_at(size) == root
        for index, leaf in enumerate(leaves):
            proof = tree.prove(index, size)
            assert proof.path == path_of(index, leaves)
            proof.verify(root, leaf, index=index, size=size, profile=profile)


@pytest.mark.parametrize("case", CASES)
def test_a_tree_that_grows(case):
    profile, root_of, path_of = CASES[case]
    tree = mc.MerkleTree(profile=profile)
    for size in sizes(profile):
        assert tree.append(LEAVES[size - 1]) == size - 1
        assert tree.root == root_of(LEAVES[:size])
        for index in {0, size // 2, size - 1}:
            assert tree.prove(index).path == path_of(index, LEAVES[:size])


@pytest.mark.parametrize("case", CASES)
def test_a_tree_that_grows_by_batches(case):
    profile, root_of, _ = CASES[case]
    most = sizes(profile)[-1]
    for step in (2, 3, 7, 64, 127):
        tree = mc.MerkleTree(LEAVES[:5], profile)
        while len(tree) < most:
            at = len(tree)
            added = tree.extend(LEAVES[at : at + step])
            assert added == range(at, len(tree))
            assert tree.root == root_of(LEAVES[: len(tree)])


@pytest.mark.parametrize("case", CASES)
def test_no_path_serves_another_place(case):
    """What holds for (index, size) holds for no other place that demands a path of that length.

    But for sorted pairs: there it holds for each.
    """
    profile, root_of, _ = CASES[case]
    for size in range(1, 9 if is_slow_here(profile) else 20):
        root, tree = root_of(LEAVES[:size]), mc.MerkleTree(LEAVES[:size], profile)
        proofs = [tree.prove(index) for index in range(size)]
        for index, proof in enumerate(proofs):
            for other in range(size):
                if other == index:
                    continue
                with pytest.raises(mc.ProofError):
                    proof.verify(root, LEAVES[other], index=index, size=size, profile=profile)
                if profile.sort_pairs and steps(other, size, profile) == steps(index, size, profile):
                    proof.verify(root, LEAVES[index], index=other, size=size, profile=profile)
                    continue
                with pytest.raises(mc.ProofError):
                    proof.verify(root, LEAVES[index], index=other, size=size, profile=profile)


def steps(index, size, profile):
    """What stands on the way to the root, without sides: hashes to meet, and lone nodes hashed alone."""
    ids = geometry.inclusion_nodes(index, size, profile.odd)
    return len(ids) if profile.odd == "heap" else [level for level, _ in ids]
