"""Leaves replaced and cut off: what is left is the tree that is built of what it holds now."""

import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore import _native, reference
from merklecore.tree.geometry import ODDS
from tests.shapes import noise
from tests.test_refusals import Integer

RULES = list(ODDS)
FEW = [b"%d" % i for i in range(3)]  # leaves of which neighbours are equal, often


def spec_of(backend, odd, **changes):
    fields = {"algorithm": "sha256", "leaf": "hash", "leaf_prefix": b"\0", "node_prefix": b"\1", "odd": odd}
    fields |= {"sort_pairs": False, "limit": None, "empty": "hash"} | changes
    return backend.Spec(*fields.values())


def built(backend, spec, leaves):
    nodes = backend.Nodes(spec)
    nodes.extend(leaves)
    return nodes


def all_of(backend, nodes, odd):
    """Everything a tree can be asked for."""
    n = len(nodes)
    sizes = [n, max(n - 1, 0)] if odd == "heap" else [n >> k for k in range(n.bit_length())]
    levels = [bytes(backend.level_rows(nodes, k, 0, size)) for k, size in enumerate(sizes)]
    return n, nodes.root(), nodes.equal_pairs(), levels


@pytest.mark.parametrize("odd", RULES)
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_size(backend, odd, threads):
    spec = spec_of(backend, odd)
    for n in (*range(1, 34), 63, 64, 65, 300):
        leaves = [FEW[i % 3 % 2] for i in range(n)]
        nodes = built(backend, spec, leaves)
        for step in {1, 2, 3, max(n // 2, 1), n}:
            places = list(range(n - 1, -1, -step))
            fresh = [FEW[(i + step) % 3] for i in places]
            backend.update(nodes, places, fresh, threads=threads)
            for i, leaf in zip(places, fresh, strict=True):
                leaves[i] = leaf
            assert all_of(backend, nodes, odd) == all_of(backend, built(backend, spec, leaves), odd)


@given(st.data())
def test_any_changes_in_any_order(data):
    """Updates, cuts and growth in turn, native beside the reference, with sorted pairs too."""
    odd = data.draw(st.sampled_from(RULES))
    algorithm = data.draw(st.sampled_from(["sha256", "sha512", "blake3"]))
    sort_pairs = data.draw(st.booleans())
    pairs = [(b, spec_of(b, odd, algorithm=algorithm, sort_pairs=sort_pairs)) for b in (_native, reference)]
    leaves = data.draw(
        st.lists(st.sampled_from(FEW), min_size=1, max_size=60 if algorithm != "blake3" else 15)
    )
    trees = [built(b, spec, leaves) for b, spec in pairs]
    for _ in range(data.draw(st.integers(1, 4))):
        what = data.draw(st.sampled_from(["update", "truncate", "extend"]))
        if what == "update":
            places = data.draw(st.lists(st.integers(0, len(leaves) - 1), unique=True)) if leaves else []
            fresh = [data.draw(st.sampled_from(FEW)) for _ in places]
            for i, leaf in zip(places, fresh, strict=True):
                leaves[i] = leaf
        elif what == "truncate":
            places = data.draw(st.integers(0, len(leaves)))
            del leaves[places:]
        else:
            fresh = data.draw(st.lists(st.sampled_from(FEW), max_size=9))
            leaves += fresh
        for (backend, spec), nodes in zip(pairs, trees, strict=True):
            if what == "update":
                backend.update(nodes, places, fresh)
            elif what == "truncate":
                backend.truncate(nodes, places)
            else:
                nodes.extend(fresh)
            assert all_of(backend, nodes, odd) == all_of(backend, built(backend, spec, leaves), odd)
    assert all_of(_native, trees[0], odd) == all_of(reference, trees[1], odd)


@pytest.mark.parametrize("odd", RULES)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_many_leaves_of_many(odd, threads):
    """More than one pass of pairs, subtrees on several threads, an uneven right edge."""
    spec, n = spec_of(_native, odd), 3 * 4096 + 77
    rows = np.frombuffer(noise(32 * n), np.uint8).reshape(n, 32).copy()
    nodes = built(_native, spec, rows)
    for k, seed in ((n, 1), (n // 3, 2), (700, 3), (49, 4), (48, 5), (2, 6)):
        places = np.random.default_rng(seed).permutation(n)[:k]
        fresh = np.frombuffer(noise(32 * k, seed), np.uint8).reshape(k, 32)
        rows[places] = fresh
        _native.update(nodes, places, fresh, threads=threads)
        assert all_of(_native, nodes, odd) == all_of(_native, built(_native, spec, rows), odd)


def test_equal_siblings_are_counted(backend):
    """`mutated` comes and goes with the leaves that make it."""
    ids = [bytes([i]) * 32 for i in range(6)]
    for profile in ("bitcoin",):
        tree = mc.MerkleTree(ids, profile)
        assert not tree.mutated
        tree.update([3], [ids[2]])
        assert tree.mutated
        tree.update([3, 2], [ids[3], ids[3]])
        assert tree.mutated
        tree.update([2], [ids[2]])
        assert not tree.mutated
    spec = spec_of(backend, "duplicate", algorithm="sha256d", leaf="as_is", leaf_prefix=b"", node_prefix=b"")
    nodes = built(backend, spec, ids)
    backend.update(nodes, [5, 4], [ids[1], ids[1]])
    assert nodes.equal_pairs() == 1
    backend.truncate(nodes, 5)
    assert nodes.equal_pairs() == 0


def test_leaf_hashes(backend):
    spec = spec_of(backend, "split")
    nodes = built(backend, spec, [b"a", b"b", b"c"])
    fresh = b"".join(backend.leaf_hash(spec, leaf) for leaf in (b"x", b"y"))
    backend.update(nodes, (2, 0), fresh, hashed=True)
    assert nodes.root() == built(backend, spec, [b"y", b"b", b"x"]).root()


KINDS = {
    "list": list,
    "tuple": tuple,
    "of NumPy integers": lambda places: [np.uint8(i) for i in places],
    "of integers of others": lambda places: [Integer(i) for i in places],
    **{
        f"array of {kind}": lambda places, kind=kind: np.array(places, kind)
        for kind in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "intp", "longlong")
    },
    "array.array": lambda places: array.array("I", places),
    "memoryview": lambda places: memoryview(np.array(places, int)),
    "every second of an array": lambda places: np.repeat(np.array(places, int), 2)[::2],
    "backwards": lambda places: np.array(places[::-1], int)[::-1],
}


@pytest.mark.parametrize("kind", KINDS)
def test_indices_of_every_kind(backend, kind):
    spec = spec_of(backend, "split")
    nodes = built(backend, spec, FEW * 3)
    backend.update(nodes, KINDS[kind]([7, 0, 3]), [b"x", b"y", b"z"])
    assert nodes.root() == built(backend, spec, [b"y", b"1", b"2", b"z", b"1", b"2", b"0", b"x", b"2"]).root()
    backend.update(nodes, range(8, -1, -1), (FEW * 3)[::-1])
    assert nodes.root() == built(backend, spec, FEW * 3).root()
    before = nodes.root()
    backend.update(nodes, KINDS[kind]([]), [])
    assert nodes.root() == before


WRONG = {
    "above": ([0, 9, 10], mc.BoundsError, r"indices\[1\]: index 9 is not below size 9"),
    "above in an array": (np.array([0, 1, 9]), mc.BoundsError, r"indices\[2\]: index 9 is not below size 9"),
    "negative": ([0, -1], mc.BoundsError, r"indices\[1\] -1 is not between"),
    "negative in an array": (np.array([-5]), mc.BoundsError, r"indices\[0\] -5 is not between"),
    "large": ([2**64], mc.BoundsError, r"indices\[0\] 18446744073709551616 is not between"),
    "of 5,000 digits": ([10**5000], mc.BoundsError, r"indices\[0\] \(of 16610 bits\) is not"),
    "large in an array": (
        np.array([2**64 - 1], "u8"),
        mc.BoundsError,
        r"indices\[0\]: index 18446744073709551615 ",
    ),
    "twice": ([3, 1, 3, 1], mc.InputError, r"indices\[2\]: the same index as indices\[0\]"),
    "thrice": ([4, 4, 4], mc.InputError, r"indices\[1\]: the same index as indices\[0\]"),
    "fewer": ([3, 1], mc.InputError, "leaves: 3 where there are 2 indices"),
    "none": ([], mc.InputError, "leaves: 3 where there are 0 indices"),
    "a range that goes on": (range(7, 10), mc.BoundsError, r"indices\[2\]: index 9 is not below size 9"),
    "a range without end": (range(2**70), mc.BoundsError, r"indices\[9\]: index 9 is not below size 9"),
    "a range below 0": (range(2, -2, -1), mc.BoundsError, r"indices\[3\] -1 is not"),
    "two dimensions": (np.zeros((2, 2), int), mc.InputError, "one dimension is needed, not 2"),
    "the other byte order": (np.array([1, 2], np.dtype("i8").newbyteorder("S")), mc.InputError, "byte order"),
    "dates": (np.zeros(2, "M8[s]"), mc.InputError, "indices: "),
    "bools": ([True, False], TypeError, r"indices\[0\]: an integer is needed, not bool"),
    "floats": ([0, 1.0], TypeError, r"indices\[1\]: an integer is needed, not float"),
    "None": ([0, None], TypeError, r"indices\[1\]: an integer is needed, not NoneType"),
    "an array of bools": (np.array([True, False]), TypeError, "not items of format '?'"),
    "an array of floats": (np.zeros(2), TypeError, "not items of format 'd'"),
    "an array of objects": (np.array([1, 2], object), TypeError, "not items of format 'O'"),
    "bytes": (b"\1\2", TypeError, "not bytes"),
    "a bytearray": (bytearray(2), TypeError, "not bytearray"),
    "text": ("12", TypeError, "not str"),
    "a set": ({1, 2}, TypeError, "not set"),
    "one number": (1, TypeError, "not int"),
    "nothing": (None, TypeError, "not NoneType"),
}
FRESH = [b"x", b"y", b"z"]
WRONG_LEAVES = {
    "one is none": ([b"x", None, b"z"], TypeError, r"leaves\[1\]"),
    "text": ([b"x", b"y", "z"], TypeError, r"leaves\[2\]"),
    "none": ([], mc.InputError, "leaves: 0 where there are 3 indices"),
    "more": ([*FRESH, b""], mc.InputError, "leaves: 4 where there are 3 indices"),
    "a number": (5, TypeError, "leaves"),
}


@pytest.mark.parametrize("odd", RULES)
@pytest.mark.parametrize("wrong", [*WRONG, *WRONG_LEAVES])
def test_all_or_nothing(backend, wrong, odd):
    spec = spec_of(backend, odd)
    nodes = built(backend, spec, FEW * 3)
    before = all_of(backend, nodes, odd)
    if wrong in WRONG:
        places, error, text = WRONG[wrong]
        leaves = [b"x"] * (len(places) if wrong in ("twice", "thrice") else 3)
    else:
        leaves, error, text = WRONG_LEAVES[wrong]
        places = [5, 0, 7]
    with pytest.raises(error, match=text):
        backend.update(nodes, places, leaves)
    assert all_of(backend, nodes, odd) == before
    backend.update(nodes, [0], [b"free again"])


def test_a_leaf_of_another_length(backend):
    odd = "pad"
    spec = spec_of(backend, odd, leaf="as_is", leaf_prefix=b"")
    nodes = built(backend, spec, [bytes(32)] * 5)
    before = all_of(backend, nodes, odd)
    with pytest.raises(mc.InputError, match=r"leaves\[1\]: 31 bytes where 32 are needed"):
        backend.update(nodes, [0, 1], [b"x" * 32, b"x" * 31])
    assert all_of(backend, nodes, odd) == before


def test_the_first_of_several_that_are_twice(backend):
    """Named are the positions at which it is first seen, whatever order the indices are sorted to."""
    nodes = built(backend, spec_of(backend, "split"), [b""] * 200)
    places = [*range(199, 99, -1), 150, *range(100), 7]
    with pytest.raises(mc.InputError, match=r"indices\[100\]: the same index as indices\[49\]"):
        backend.update(nodes, places, [b""] * len(places))


def test_an_index_that_cuts_the_tree_while_it_is_read(backend):
    """Bounds are those of the tree as it is when it is changed."""
    nodes = built(backend, spec_of(backend, "split"), FEW * 3)

    class Cuts:
        def __index__(self):
            backend.truncate(nodes, 4)
            return 8

    with pytest.raises(mc.BoundsError, match="index 8 is not below size 4"):
        backend.update(nodes, [Cuts()], [b"x"])
    assert nodes.root() == built(backend, spec_of(backend, "split"), FEW + FEW[:1]).root()


@pytest.mark.parametrize("odd", RULES)
def test_truncation(backend, odd):
    spec = spec_of(backend, odd)
    leaves = [FEW[i * i % 3] for i in range(70)]
    for n in (0, 1, 2, 31, 32, 33, 64, 69, 70):
        nodes = built(backend, spec, leaves)
        nodes.root()
        backend.truncate(nodes, n)
        assert all_of(backend, nodes, odd) == all_of(backend, built(backend, spec, leaves[:n]), odd)
        nodes.extend(leaves[n:])
        assert all_of(backend, nodes, odd) == all_of(backend, built(backend, spec, leaves), odd)
    with pytest.raises(mc.BoundsError, match="size 71 is above the tree's size 70"):
        backend.truncate(nodes, 71)
    for wrong in (True, 1.0, None, "1"):
        with pytest.raises(TypeError, match="an integer is needed"):
            backend.truncate(nodes, wrong)
    with pytest.raises(mc.BoundsError):
        backend.truncate(nodes, -1)
    assert len(nodes) == 70


def test_nodes_of_a_level():
    leaves = [b"%d" % i for i in range(13)]
    tree = mc.MerkleTree(leaves)
    level = [mc.sha256(b"\0" + leaf) for leaf in leaves]
    for k in range(4):
        assert [bytes(row) for row in tree.nodes(k, 0, 13 >> k)] == level
        assert tree.nodes(k, 1, 1).shape == (0, 32)
        with pytest.raises(
            mc.BoundsError, match=f"stop {(13 >> k) + 1} is above the {13 >> k} complete nodes"
        ):
            tree.nodes(k, 0, (13 >> k) + 1)
        level = [
            mc.sha256(b"\1" + left + right) for left, right in zip(level[::2], level[1::2], strict=False)
        ]
    assert tree.nodes(4, 0, 0).shape == tree.nodes(2**64 - 1, 0, 0).shape == (0, 32)
    with pytest.raises(mc.BoundsError, match="start 3 is above stop 2"):
        tree.nodes(0, 3, 2)
    for wrong in (-1, 2**64):
        for arguments in ((wrong, 0, 0), (0, wrong, 0), (0, 0, wrong)):
            with pytest.raises(mc.BoundsError):
                tree.nodes(*arguments)
    copy = tree.nodes(0, 0, 13)
    copy[:] = 0
    tree.extend(leaves)  # nobody holds it
    assert tree.root == mc.merkle_root(leaves * 2)


def test_a_tree_that_is_looked_at_stays():
    """The pieces of memory that saving reads: whoever changes the tree meanwhile is told so."""
    nodes = built(_native, spec_of(_native, "split"), FEW * 3)
    before = nodes.root()
    with _native.level_rows(nodes, 0, 2, 5) as rows, _native.level_rows(nodes, 1, 0, 4):
        assert rows.readonly
        assert rows.nbytes == 3 * 32
        for change in (
            lambda: nodes.append(b""),
            lambda: nodes.extend([b""]),
            lambda: _native.update(nodes, [0], [b""]),
            lambda: _native.truncate(nodes, 3),
        ):
            with pytest.raises(BufferError, match="needs it unchanged"):
                change()
        assert nodes.root() == before
        assert bytes(rows[:32]) == nodes.leaf(2)
    nodes.append(b"")


def test_equality():
    tree = mc.MerkleTree(FEW)
    assert tree == mc.MerkleTree(FEW)
    assert tree == mc.MerkleTree(FEW, mc.profiles["rfc6962"].replace(name="mine"))
    assert mc.MerkleTree() == mc.MerkleTree()
    assert tree != mc.MerkleTree(FEW[:2])
    assert tree != mc.MerkleTree(FEW[::-1])
    assert tree != mc.MerkleTree([b"a" * 32] * 3, "ssz")
    assert mc.MerkleTree(profile="ssz") != mc.MerkleTree(profile="bitcoin")
    assert tree != FEW
    with pytest.raises(TypeError, match="unhashable"):
        hash(tree)
