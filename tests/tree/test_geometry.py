import random
from itertools import pairwise

import numpy as np
import pytest

import merklecore as mc
from merklecore.reference.recursive import rfc6962_path, rfc6962_root
from merklecore.reference.recursive_proofs import fewest_heap_nodes, fewest_nodes, rfc6962_consistency
from merklecore.tree import geometry

pytestmark = pytest.mark.any_kernel

LEAVES = tuple(b"leaf %d" % i for i in range(70))


def test_planning_fetching_and_making_the_proof_elsewhere():
    """Node ids name the leaves their hashes are over: fetched so, they are the path of RFC 6962."""
    for size in range(1, 71):
        for index in range(size):
            ids = geometry.inclusion_nodes(index, size)
            path = [rfc6962_root(LEAVES[i << k : min(i + 1 << k, size)]) for k, i in ids]
            assert tuple(path) == rfc6962_path(index, LEAVES[:size])
            proof = mc.InclusionProof.from_path(path)
            root = rfc6962_root(LEAVES[:size])
            proof.verify(root, LEAVES[index], index=index, size=size)


@pytest.mark.parametrize(
    ("profile", "limit"), [("rfc6962", None), ("bitcoin", None), ("ssz", None), ("ssz", 100)]
)
def test_ids_count_as_the_paths_do(profile, limit):
    profile = mc.profiles[profile] if limit is None else mc.profiles[profile].replace(limit=limit)
    tree = mc.MerkleTree(
        np.arange(70 * 32, dtype=np.uint16).astype(np.uint8).reshape(70, 32), profile, hashed=True
    )
    for size in range(1, 71):
        for index in range(size):
            ids = geometry.inclusion_nodes(index, size, profile.odd, profile.limit)
            assert len(ids) == len(tree.prove(index, size).path)
            levels = [level for level, _ in ids]
            assert levels == sorted(set(levels))
            if profile.odd != "split":
                assert levels == list(range(geometry.depth(size, limit)))


def test_ids_where_a_lone_node_meets_something_else():
    assert geometry.inclusion_nodes(4, 5) == [(2, 0)]
    assert geometry.inclusion_nodes(4, 5, "duplicate") == [(0, 4), (1, 2), (2, 0)]
    assert geometry.inclusion_nodes(4, 5, "pad") == [(0, 5), (1, 3), (2, 0)]
    assert geometry.inclusion_nodes(4, 5, "pad", 16) == [(0, 5), (1, 3), (2, 0), (3, 1)]
    assert geometry.inclusion_nodes(0, 1, "pad", 1) == []


def test_covering_nodes():
    for start in range(40):
        for stop in range(start, 41):
            nodes = geometry.covering_nodes(start, stop)
            spans = [(i << k, i + 1 << k) for k, i in nodes]
            assert [x for span in spans for x in range(*span)] == list(range(start, stop))
            for (k, i), (k2, i2) in pairwise(nodes):
                assert not (k == k2 and i ^ 1 == i2)  # none could be merged
            assert all(geometry.is_complete(k, i, stop) for k, i in nodes)


def test_peaks_fold_to_the_root():
    import hashlib

    for size in range(1, 71):
        peaks = [rfc6962_root(LEAVES[i << k : i + 1 << k]) for k, i in geometry.covering_nodes(0, size)]
        root = peaks.pop()
        while peaks:
            root = hashlib.sha256(b"\1" + peaks.pop() + root).digest()
        assert root == rfc6962_root(LEAVES[:size])


def test_depth():
    assert [geometry.depth(n) for n in (1, 2, 3, 4, 5, 8, 9)] == [0, 1, 2, 2, 3, 3, 4]
    assert geometry.depth(2**64 - 1) == 64
    assert geometry.depth(1, 2**40) == 40


@pytest.mark.parametrize("wrong", [True, 1.0, "1", None])
def test_wrong_types(wrong):
    for call in (
        lambda: geometry.inclusion_nodes(wrong, 2),
        lambda: geometry.inclusion_nodes(0, wrong),
        lambda: geometry.covering_nodes(wrong, 2),
        lambda: geometry.covering_nodes(0, wrong),
        lambda: geometry.depth(wrong),
    ):
        with pytest.raises(TypeError, match="an integer is needed"):
            call()


def test_wrong_bounds():
    for call in (
        lambda: geometry.inclusion_nodes(2, 2),
        lambda: geometry.inclusion_nodes(0, 0),
        lambda: geometry.inclusion_nodes(-1, 2),
        lambda: geometry.inclusion_nodes(0, 2**64),
        lambda: geometry.covering_nodes(3, 2),
        lambda: geometry.covering_nodes(-1, 2),
        lambda: geometry.depth(0),
    ):
        with pytest.raises(mc.BoundsError):
            call()
    with pytest.raises(mc.InputError, match="size: 5 where the limit is 4"):
        geometry.inclusion_nodes(0, 5, "pad", 4)
    with pytest.raises(mc.InputError, match="odd: 'tree' is none of"):
        geometry.inclusion_nodes(0, 5, "tree")
    assert geometry.inclusion_nodes(np.uint8(1), np.int64(2)) == [(0, 0)]


def test_ids_of_a_heap():
    """The siblings' places in OpenZeppelin's array, t[i] over t[2 i + 1] and t[2 i + 2], as in core.ts."""
    for size in range(1, 71):
        last = 2 * size - 2
        for index in range(size):
            at, places = last - index, []
            while at:
                places.append(at + 1 if at % 2 else at - 1)
                at = (at - 1) // 2
            ids = geometry.inclusion_nodes(index, size, "heap")
            assert [last - (i if level == 0 else size + i) for level, i in ids] == places
            assert geometry.depth(size) - len(ids) in (0, 1)


def test_ids_where_a_lone_node_is_hashed_alone():
    """No hash stands for it in a path, as if it rose."""
    for size in range(1, 71):
        for index in range(size):
            assert geometry.inclusion_nodes(index, size, "rehash") == geometry.inclusion_nodes(index, size)


# ---- several leaves, consistency ---------------------------------------------------------------------------


@pytest.mark.slow
def test_plans_of_several_leaves():
    """Against the definition, with which the proofs of both backends are compared too."""
    dice = random.Random(2)
    for size in range(1, 41):
        sets = [sorted(dice.sample(range(size), dice.randint(1, size))) for _ in range(20)]
        sets += [range(start, stop) for start in range(size) for stop in range(start + 1, size + 1)]
        for indices in sets:
            for odd in ("split", "duplicate", "pad", "rehash"):
                assert geometry.multi_nodes(indices, size, odd) == fewest_nodes(indices, size)
            heap = [(0, p) if p < size else (1, p - size) for p in fewest_in_queue(indices, size)]
            assert geometry.multi_nodes(indices, size, "heap") == heap
            if isinstance(indices, range):
                for odd in geometry.ODDS:
                    expected = geometry.multi_nodes(indices, size, odd)
                    assert geometry.range_nodes(indices.start, indices.stop, size, odd) == expected


def fewest_in_queue(indices, size):
    return [2 * size - 2 - p for p in fewest_heap_nodes(indices, size)]


def test_plans_of_consistency():
    for new in range(1, 71):
        for old in range(1, new + 1):
            ids = geometry.consistency_nodes(old, new)
            hashes = tuple(rfc6962_root(LEAVES[i << k : min(i + 1 << k, new)]) for k, i in ids)
            assert hashes == rfc6962_consistency(old, LEAVES[:new])
    assert len(geometry.consistency_nodes(2**63 + 1, 2**64 - 1)) == 65


def test_plans_that_cannot_be():
    for indices, size, kind in (
        ([], 5, mc.InputError),
        ([1, 1], 5, mc.InputError),
        ([2, 1], 5, mc.InputError),
        ([5], 5, mc.BoundsError),
        ([-1], 5, mc.BoundsError),
        ([0], 0, mc.BoundsError),
        ([True], 5, TypeError),
        ([1.0], 5, TypeError),
    ):
        with pytest.raises(kind):
            geometry.multi_nodes(indices, size)
    for odd, kind in (("sideways", mc.InputError), (None, TypeError)):
        for call in (lambda o: geometry.multi_nodes([0], 5, o), lambda o: geometry.range_nodes(0, 1, 5, o)):
            with pytest.raises(kind):
                call(odd)
    for start, stop, size, kind in (
        (2, 2, 5, mc.InputError),
        (3, 2, 5, mc.InputError),
        (3, 6, 5, mc.BoundsError),
    ):
        with pytest.raises(kind):
            geometry.range_nodes(start, stop, size)
    for old, new in ((0, 5), (6, 5), (0, 0)):
        with pytest.raises(mc.BoundsError):
            geometry.consistency_nodes(old, new)


def test_ranges_of_the_largest_trees():
    """In steps of the depth: no list of their leaves could be made."""
    for odd in geometry.ODDS:
        assert geometry.range_nodes(0, 2**62, 2**62, odd) == []
        assert len(geometry.range_nodes(1, 2**62, 2**63, odd)) == 2
        assert 2 < len(geometry.range_nodes(2**40 + 1, 2**62 - 12345, 2**62 + 77, odd)) <= 128
    with pytest.raises(mc.InputError, match="odd: 'none' is none of"):
        geometry.range_nodes(0, 2**40, 2**41, "none")
