"""Multiproofs and range proofs: which hashes, in which order; what their verifiers must survive."""

import hashlib
import itertools
import random

import pytest

import merklecore as mc
from merklecore.reference import recursive
from merklecore.reference.recursive_proofs import fewest_heap_nodes, fewest_nodes
from tests.oracles import HASHES, is_slow_here

LEAVES = tuple(hashlib.sha256(b"leaf %d" % i).digest() for i in range(64))
SIZES = range(1, 41)
FEW = range(1, 14)
KECCAK = HASHES["keccak256"]


def by_level(above):
    """Node i of level k, where a function makes the level above."""

    def node(k, i, leaves):
        for _ in range(k):
            leaves = above(leaves)
        return leaves[i]

    return node


NODES = {  # node i of level k
    "rfc6962": lambda k, i, leaves: recursive.rfc6962_root(leaves[i << k : (i + 1) << k]),
    "bitcoin": by_level(recursive._bitcoin_above),
    "ssz": lambda k, i, leaves: recursive._ssz_subtree(leaves[i << k : (i + 1) << k], k),
    "fisco-bcos": by_level(lambda level: recursive._fisco_above(level, KECCAK, False)),
}


def expected(name, indices, leaves):
    if name == "openzeppelin-simple":
        nodes = fewest_heap_nodes(indices, len(leaves))
        return tuple(recursive._heap_node(p, leaves, KECCAK, True) for p in nodes)
    return tuple(NODES[name](k, i, leaves) for k, i in fewest_nodes(indices, len(leaves)))


PROFILES = [*NODES, "openzeppelin-simple"]


def sizes(name):
    return FEW if is_slow_here(name) else SIZES


def tree_of(name, size):
    return mc.MerkleTree(LEAVES[:size], name)


@pytest.mark.parametrize("name", PROFILES)
def test_every_range(name):
    for size in sizes(name):
        leaves, tree = LEAVES[:size], tree_of(name, size)
        for start, stop in itertools.combinations(range(size + 1), 2):
            proof = tree.prove_range(start, stop)
            assert proof.path == expected(name, range(start, stop), leaves)
            assert proof.path == tree.prove_multi(range(start, stop)).path
            proof.verify(tree.root, leaves[start:stop], start=start, size=size, profile=name)
            assert len(proof.path) <= 2 * size.bit_length()


@pytest.mark.parametrize("name", PROFILES)
def test_random_sets_of_leaves(name):
    dice = random.Random(1)
    for size in sizes(name):
        tree = tree_of(name, size)
        for _ in range(40):
            indices = sorted(dice.sample(range(size), dice.randint(1, size)))
            proof = tree.prove_multi(indices)
            assert proof.path == expected(name, indices, LEAVES[:size])
            chosen = [LEAVES[i] for i in indices]
            proof.verify(tree.root, chosen, indices=indices, size=size, profile=name)


@pytest.mark.parametrize("name", PROFILES)
def test_many_are_each_of_them(name):
    for size in sizes(name):
        tree = tree_of(name, size)
        proofs = tree.prove_many(range(size))
        assert list(proofs) == [tree.prove(i) for i in range(size)]
        proofs.verify(tree.root, LEAVES[:size], indices=range(size), size=size, profile=name)
        for i in range(size):
            proofs[i].verify(tree.root, LEAVES[i], index=i, size=size, profile=name)


def test_earlier_sizes():
    whole = mc.MerkleTree(LEAVES)
    for size in SIZES:
        then = tree_of("rfc6962", size)
        assert whole.prove_many(range(size), size) == then.prove_many(range(size))
        assert whole.prove_multi([0, size - 1] if size > 1 else [0], size) == then.prove_multi(
            [0, size - 1] if size > 1 else [0]
        )
        assert whole.prove_range(size // 2, size, size) == then.prove_range(size // 2, size)
    with pytest.raises(mc.InputError, match="holds no smaller one"):
        mc.MerkleTree(LEAVES, "openzeppelin-simple").prove_many([0], 5)


def test_of_all_leaves_no_hash_is_left():
    for name in PROFILES:
        for size in sizes(name):
            tree = tree_of(name, size)
            assert tree.prove_range(0, size).path == ()
            assert bytes(tree.prove_multi(range(size))).hex() == "03010000000000"


# ---- attacks -----------------------------------------------------------------------------------------------


def flips(data, step=1):
    for bit in range(0, 8 * len(data), step):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


@pytest.mark.parametrize("name", PROFILES)
def test_every_bit_and_field_of_a_multiproof(name):
    tree, indices = tree_of(name, 11), [2, 3, 7, 10]
    chosen = [LEAVES[i] for i in indices]
    proof, rest = tree.prove_multi(indices), {"indices": indices, "size": 11, "profile": name}
    step = 7 if is_slow_here(name) else 1
    proof.verify(tree.root, chosen, **rest)
    for changed in flips(bytes(proof), step):
        with pytest.raises((mc.InputError, mc.ProofError)):
            mc.MultiProof.from_bytes(changed).verify(tree.root, chosen, **rest)
    for i in range(4):
        for other in flips(chosen[i], step):
            with pytest.raises(mc.ProofError):
                proof.verify(tree.root, [*chosen[:i], other, *chosen[i + 1 :]], **rest)
    for other in flips(tree.root, step):
        with pytest.raises(mc.ProofError, match="the proof leads to"):
            proof.verify(other, chosen, **rest)
    path = proof.path
    for i in range(len(path)):
        for bent in (path[:i] + path[i + 1 :], (*path[:i], path[i], *path[i:])):
            with pytest.raises(mc.ProofError, match=f"the proof has {len(bent)} hashes, these 4 leaves"):
                mc.MultiProof.from_path(bent).verify(tree.root, chosen, **rest)
    for wrong in itertools.permutations(path):
        if wrong != path:
            with pytest.raises(mc.ProofError):
                mc.MultiProof.from_path(wrong).verify(tree.root, chosen, **rest)


@pytest.mark.parametrize("name", PROFILES)
def test_leaves_at_other_places(name):
    """Whoever could say that leaves stand elsewhere could prove anything; sorted pairs bind depths alone."""
    tree, indices = tree_of(name, 13), [2, 3, 7, 12]
    chosen = [LEAVES[i] for i in indices]
    proof = tree.prove_multi(indices)
    sorted_pairs = mc.profiles[name].sort_pairs
    for other in itertools.combinations(range(13), 4):
        if list(other) == indices:
            continue
        try:
            proof.verify(tree.root, chosen, indices=other, size=13, profile=name)
            assert sorted_pairs
        except mc.ProofError:
            pass
    for wrong in itertools.permutations(chosen):
        if list(wrong) != chosen and not sorted_pairs:
            with pytest.raises(mc.ProofError):
                proof.verify(tree.root, wrong, indices=indices, size=13, profile=name)


def test_the_empty_set_proves_nothing():
    """GHSA-wprv-93r4-jj2p: a multiproof of no leaves held for any root that it held itself."""
    tree = tree_of("rfc6962", 8)
    for call in (
        lambda: mc.MultiProof.from_path([tree.root]).verify(tree.root, [], indices=[], size=8),
        lambda: mc.MultiProof.from_path([]).verify(tree.root, [], indices=[], size=8),
        lambda: mc.RangeProof.from_path([tree.root]).verify(tree.root, [], start=0, size=8),
        lambda: mc.RangeProof.from_path([]).verify(tree.root, [], start=8, size=8),
        lambda: mc.InclusionProofs.from_path([]).verify(tree.root, [], indices=[], size=8),
        lambda: tree.prove_multi([]),
        lambda: tree.prove_range(3, 3),
        lambda: tree.prove_range(4, 3),
    ):
        with pytest.raises(mc.InputError, match="a proof of no leaves would prove nothing"):
            call()


def test_equal_siblings_are_refused():
    """CVE-2012-2459: of three ids the root is that of four, the last one twice; no proof shows the fourth."""
    ids = [*LEAVES[:3], LEAVES[2]]
    tree = mc.MerkleTree(ids, "bitcoin")
    assert tree.root == mc.MerkleTree(ids[:3], "bitcoin").root
    for indices in ([3], [0, 3], [2, 3], [0, 1, 2, 3]):
        chosen = [ids[i] for i in indices]
        with pytest.raises(mc.ProofError, match="nodes 2 and 3 of level 0 are siblings and equal"):
            tree.prove_multi(indices).verify(tree.root, chosen, indices=indices, size=4, profile="bitcoin")
    mc.MerkleTree(ids[:3], "bitcoin").prove_multi([2]).verify(
        tree.root, [ids[2]], indices=[2], size=3, profile="bitcoin"
    )


def test_ranges_beyond_the_end():
    tree = tree_of("rfc6962", 8)
    proof = tree.prove_range(6, 8)
    for start, count in ((7, 2), (8, 1), (6, 3), (2**64 - 1, 1)):
        with pytest.raises(mc.BoundsError, match=f"start {start}: {count} leaves from there go beyond"):
            proof.verify(tree.root, LEAVES[:count], start=start, size=8)
    for start in (2**64, -1):
        with pytest.raises(mc.BoundsError):
            proof.verify(tree.root, LEAVES[6:8], start=start, size=8)
    for wrong in (True, 6.0, None, "6", [6, 7], range(6, 8)):
        with pytest.raises(TypeError, match="start: an integer is needed"):
            proof.verify(tree.root, LEAVES[6:8], start=wrong, size=8)
    with pytest.raises(mc.BoundsError):
        tree.prove_range(6, 9)
    with pytest.raises(TypeError, match="indices: a list, tuple, range or array"):
        tree.prove_multi([6, 7]).verify(tree.root, LEAVES[6:8], indices=6, size=8)


@pytest.mark.parametrize("name", PROFILES)
def test_ranges_that_no_memory_holds(name):
    tree = tree_of(name, 7)
    for start, stop in ((0, 2**25), (0, 2**45), (6, 2**63), (0, 2**64 - 1), (7, 2**60)):
        with pytest.raises(mc.BoundsError, match="is not below size 7"):
            tree.prove_range(start, stop)
        for prove in (tree.prove_many, tree.prove_multi):
            with pytest.raises(mc.BoundsError, match="is not below size 7"):
                prove(range(start, stop))


def test_hashes_of_another_length():
    """31 and 33 bytes are not twice 32, and twice as many of 16 are not either."""
    tree = tree_of("rfc6962", 8)
    proof = tree.prove_multi([0, 5])
    data = b"".join(proof.path)
    for d in (16, 31, 33, 64):
        whole = data[: len(data) // d * d]
        other = mc.MultiProof.from_path([whole[i : i + d] for i in range(0, len(whole), d)])
        with pytest.raises(mc.ProofError):
            other.verify(tree.root, [LEAVES[0], LEAVES[5]], indices=[0, 5], size=8)
    short = mc.MultiProof.from_path([item[:31] for item in proof.path])
    with pytest.raises(mc.ProofError, match="hash 0 of the proof has 31 bytes, digests have 32"):
        short.verify(tree.root, [LEAVES[0], LEAVES[5]], indices=[0, 5], size=8)


def test_many_name_those_that_fail():
    tree = tree_of("rfc6962", 40)
    proofs = tree.prove_many(range(40))
    leaves = list(LEAVES[:40])
    leaves[7], leaves[8], leaves[31] = leaves[8], leaves[7], b"other"
    with pytest.raises(mc.ProofError) as caught:
        proofs.verify(tree.root, leaves, indices=range(40), size=40)
    assert caught.value.failed == (7, 8, 31)
    assert str(caught.value).startswith(
        "3 of 40 proofs do not hold, the first at position 7: the path leads to"
    )
    paths = [list(proof.path) for proof in proofs]
    paths[3].pop()
    paths[20].append(bytes(32))
    with pytest.raises(mc.ProofError, match="the path has 5 hashes, leaf 3 of 40 needs 6") as caught:
        mc.InclusionProofs.from_path(paths).verify(tree.root, LEAVES[:40], indices=range(40), size=40)
    assert caught.value.failed == (3, 20)
    assert mc.ProofError().failed == ()
    single = mc.InclusionProofs.from_path([[bytes(31)], [bytes(31)]])
    with pytest.raises(mc.ProofError, match="hash 0 of the path has 31 bytes") as caught:
        single.verify(bytes(32), LEAVES[:2], indices=[0, 1], size=2)
    assert caught.value.failed == (0, 1)
    with pytest.raises(mc.InputError, match="leaves: 1 where there are 2 proofs"):
        single.verify(bytes(32), LEAVES[:1], indices=[0, 1], size=2)
    with pytest.raises(mc.InputError, match="root: 31 bytes, digests have 32"):
        single.verify(bytes(31), LEAVES[:2], indices=[0, 1], size=2)


def test_more_paths_than_an_encoding_counts():
    class Long(list):
        def __len__(self):
            return 2**32

    with pytest.raises(mc.InputError, match="paths: 4294967296 paths, a set has at most 4294967295"):
        mc.InclusionProofs.from_path(Long())


def test_slices_of_many():
    proofs = tree_of("rfc6962", 21).prove_many(range(21))
    assert list(proofs[3:7]) == list(proofs)[3:7]
    assert list(proofs[::-4]) == list(proofs)[::-4]
    assert len(proofs[5:5]) == 0
    assert proofs[-1] == proofs[20]
    for wrong in (21, -22, 2**70):
        with pytest.raises(mc.BoundsError):
            proofs[wrong]
    with pytest.raises(TypeError):
        proofs["0"]
    assert proofs.hashes.shape == (sum(len(proof.path) for proof in proofs), 32)
    with pytest.raises(ValueError, match="read-only"):
        proofs.hashes[0, 0] = 1
    for many in (proofs, proofs[1:4], proofs[:0], mc.InclusionProofs.from_bytes(bytes(proofs))):
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            many.hashes.flags.writeable = True
