"""Trees over every algorithm, digests of 32 and of 64 bytes: roots by recursion over its oracle, proofs."""

import numpy as np
import pytest

import merklecore as mc
from tests.oracles import HASHES

D = {algorithm: len(HASHES[algorithm](b"")) for algorithm in mc.algorithms()}
each_algorithm = pytest.mark.parametrize("algorithm", mc.algorithms())


def rfc6962(algorithm, **changes):
    return mc.profiles["rfc6962"].replace(name="mine", algorithm=algorithm, **changes)


def root_of(hash_of, nodes):
    """Over leaf hashes, split at the largest power of two (RFC 6962 section 2.1)."""
    if len(nodes) == 1:
        return nodes[0]
    k = 1 << (len(nodes) - 1).bit_length() - 1
    return hash_of(b"\x01" + root_of(hash_of, nodes[:k]) + root_of(hash_of, nodes[k:]))


@each_algorithm
def test_roots_and_proofs(algorithm):
    hash_of, profile = HASHES[algorithm], rfc6962(algorithm)
    leaves = [b"leaf %d" % i * (i % 3) for i in range(9)]
    hashes = [hash_of(b"\x00" + leaf) for leaf in leaves]
    assert profile.digest_size == D[algorithm]
    assert mc.merkle_root([], profile) == hash_of(b"")
    tree = mc.MerkleTree(leaves, profile)
    for size in range(1, 10):
        root = root_of(hash_of, hashes[:size])
        assert mc.merkle_root(leaves[:size], profile) == tree.root_at(size) == root
        for index in range(size):
            proof = tree.prove(index, size)
            proof.verify(root, leaves[index], index=index, size=size, profile=profile)
            proof.verify(root, hashes[index], index=index, size=size, profile=profile, hashed=True)
    for made in (mc.InclusionProof.from_bytes(bytes(proof)), mc.InclusionProof.from_json(proof.to_json())):
        assert made == proof
        made.verify(tree.root, leaves[8], index=8, size=9, profile=profile)
        with pytest.raises(mc.ProofError, match="the path leads to"):
            made.verify(tree.root, leaves[7], index=8, size=9, profile=profile)


@each_algorithm
def test_leaves_as_they_are(algorithm):
    hash_of, d = HASHES[algorithm], D[algorithm]
    profile = mc.Profile("mine", algorithm, leaf="as_is", odd="duplicate")
    leaves = [bytes([i]) * d for i in range(3)]
    expected = hash_of(hash_of(leaves[0] + leaves[1]) + hash_of(2 * leaves[2]))
    assert mc.merkle_root(leaves, profile) == mc.merkle_root(b"".join(leaves), profile) == expected
    assert mc.MerkleTree(np.frombuffer(b"".join(leaves), np.uint8).reshape(3, d), profile).root == expected
    with pytest.raises(mc.InputError, match=rf"^leaves\[1\]: {d - 1} bytes where {d} are needed"):
        mc.merkle_root([leaves[0], leaves[1][1:]], profile)


@each_algorithm
def test_padding_and_the_empty_tree(algorithm):
    hash_of, d = HASHES[algorithm], D[algorithm]
    profile = mc.Profile("mine", algorithm, leaf="as_is", odd="pad")
    leaf, zero = b"x" * d, bytes(d)
    assert mc.merkle_root([], profile) == zero
    assert mc.merkle_root([], profile.replace(limit=4)) == hash_of(2 * hash_of(2 * zero))
    assert mc.merkle_root([leaf], profile.replace(limit=4)) == hash_of(
        hash_of(leaf + zero) + hash_of(2 * zero)
    )
    assert mc.merkle_root([], profile.replace(empty=b"e" * d)) == b"e" * d
    with pytest.raises(mc.InputError, match=f"^empty: a root of {d - 1} bytes, digests have {d}"):
        profile.replace(empty=b"e" * (d - 1))


@each_algorithm
def test_the_rules_for_leaves(algorithm):
    hash_of = HASHES[algorithm]
    for rule, expected in {
        "hash": hash_of(b"\x00x"),
        "hash_twice": hash_of(hash_of(b"\x00x")),
        "hash_digest": hash_of(b"\x00" + hash_of(b"x")),
    }.items():
        assert mc.merkle_root([b"x"], rfc6962(algorithm, leaf=rule)) == expected


def test_what_a_digest_of_another_size_breaks():
    profile = rfc6962("sha512")
    tree = mc.MerkleTree([b"a", b"b"], profile)
    with pytest.raises(mc.ProofError, match="hash 0 of the path has 64 bytes, digests have 32"):
        tree.prove(0).compute_root(b"a", index=0, size=2, profile="rfc6962")
    with pytest.raises(mc.InputError, match=r"^root: 32 bytes, digests have 64"):
        tree.prove(0).verify(bytes(32), b"a", index=0, size=2, profile=profile)
    with pytest.raises(mc.InputError, match=r"^empty: a root of 32 bytes, digests have 64"):
        mc.profiles["bitcoin"].replace(algorithm="sha512")
    assert not mc.Profile(
        "mine", "sha512", leaf="hash_digest", leaf_prefix=b"x" * 65, node_prefix=b"x"
    ).separated
    assert mc.Profile("mine", "sha512", leaf="hash_digest", leaf_prefix=b"x" * 33, node_prefix=b"x").separated
