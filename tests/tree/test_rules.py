"""Roots under every rule: each size from 1 to 300, lane and thread boundaries, profiles nobody has named."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore import _native
from merklecore.reference import recursive
from tests.meanwhile import every_switch, meanwhile
from tests.oracles import HASHES, is_slow
from tests.processes import in_a_fork
from tests.shapes import COUNTS, noise
from tests.tree.definitions import DEFINITIONS

LEAVES = tuple(noise(32, i) for i in range(300))


def spec_of(backend, profile):
    return backend.Spec(
        *(profile.algorithm, profile.leaf, profile.leaf_prefix, profile.node_prefix),
        *(profile.odd, profile.sort_pairs, profile.limit, profile.empty),
    )


@pytest.mark.parametrize("name", mc.profiles)
def test_every_size(name, backend):
    """Built at once, and grown leaf by leaf."""
    most = 40 if is_slow(backend, mc.profiles[name].algorithm) else 300
    spec, root_of = spec_of(backend, mc.profiles[name]), DEFINITIONS[name].root
    grown = backend.Nodes(spec)
    for size in range(1, most + 1):
        root = root_of(LEAVES[:size])
        assert backend.root(spec, LEAVES[:size]) == root
        assert grown.append(LEAVES[size - 1]) == size - 1
        if size % 3:  # a heap is hashed after one leaf or two
            assert grown.root() == root


# ---- profiles nobody has named -----------------------------------------------------------------------------


def climbed(level, odd, node, lone, zero):
    """The root over leaf hashes, level after level."""
    while len(level) > 1:
        last = level[-1:] if len(level) % 2 else []
        level = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if last and odd == "split":
            level += last
        elif last and odd == "rehash":
            level.append(lone(last[0]))
        elif last:
            level.append(node(last[0], zero if odd == "pad" else last[0]))
        zero = node(zero, zero)
    return level[0]


def stacked(leaves, node):
    """The root of a heap, by its definition in an array."""
    n = len(leaves)
    tree = [b""] * (n - 1) + list(reversed(leaves))
    for i in reversed(range(n - 1)):
        tree[i] = node(tree[2 * i + 1], tree[2 * i + 2])
    return tree[0]


@given(st.data())
def test_declared_profiles(data):
    algorithm = data.draw(st.sampled_from(mc.algorithms()))
    leaf = data.draw(st.sampled_from(["hash", "hash_twice", "hash_digest", "as_is"]))
    odd = data.draw(st.sampled_from(["split", "duplicate", "pad", "rehash", "heap"]))
    sort = data.draw(st.booleans())
    prefixes = [data.draw(st.binary(max_size=70)) for _ in range(2)]
    n = data.draw(st.integers(1, 40))
    h = HASHES[algorithm]
    if leaf == "as_is":
        prefixes[0] = b""
    profile = mc.Profile(
        *("mine", algorithm),
        leaf=leaf,
        leaf_prefix=prefixes[0],
        node_prefix=prefixes[1],
        odd=odd,
        sort_pairs=sort,
    )
    leaves = [noise(profile.digest_size, i) for i in range(n)]
    level = {
        "hash": [h(prefixes[0] + x) for x in leaves],
        "hash_twice": [h(h(prefixes[0] + x)) for x in leaves],
        "hash_digest": [h(prefixes[0] + h(x)) for x in leaves],
        "as_is": leaves,
    }[leaf]

    def node(left, right):
        return h(prefixes[1] + b"".join(sorted((left, right)) if sort else (left, right)))

    if odd == "heap":
        root = stacked(level, node)
    else:
        root = climbed(level, odd, node, lambda x: h(prefixes[1] + x), bytes(len(level[0])))
    tree = mc.MerkleTree(leaves[: n // 2], profile)
    tree.extend(leaves[n // 2 :])
    assert mc.merkle_root(leaves, profile) == tree.root == root
    assert mc.merkle_root(b"".join(level), profile, hashed=True) == root


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
@pytest.mark.parametrize("same", [0, 1, 7, 8, 9, 16, 31])
def test_the_smaller_first(backend, algorithm, same):
    """Bytes decide from the first to the last, as numbers without a sign; equal ones need no order."""
    h, d = HASHES[algorithm], backend.DIGEST_SIZES[algorithm]
    spec = backend.Spec(algorithm, "as_is", b"", b"", "split", True, None, None)
    for i in range(100):
        pair = [noise(same) + noise(d - same, 2 * i + side) for side in (0, 1)]
        assert backend.root(spec, pair) == backend.root(spec, pair[::-1]) == h(min(pair) + max(pair))
    assert backend.root(spec, [pair[0]] * 2) == h(pair[0] * 2)
    for low, high in ((0x7F, 0x80), (0, 0xFF)):
        pair = [bytes([high]) * d, bytes([low]) * d]
        assert backend.root(spec, pair) == h(pair[1] + pair[0])


# ---- rehash ------------------------------------------------------------------------------------------------


def test_a_lone_node_is_hashed_alone():
    a, b, c = (bytes([i]) * 32 for i in range(3))
    h = HASHES["sm3"]
    assert mc.merkle_root([a], "fisco-bcos-sm3") == a  # a single leaf is the root
    assert mc.merkle_root([a, b, c], "fisco-bcos-sm3") == h(h(a + b) + h(c))
    lone = h(h(h(c)))  # leaf 16 climbs four levels alone
    tree = mc.MerkleTree([a] * 16, "fisco-bcos-sm3")
    before = tree.root
    tree.append(c)
    assert tree.root == h(before + h(lone))
    assert tree.root_at(16) == before


# ---- heap --------------------------------------------------------------------------------------------------

HEAPS = {sort: mc.Profile("mine", leaf="as_is", odd="heap", sort_pairs=sort) for sort in (False, True)}


@pytest.mark.native_only
@pytest.mark.parametrize("sort", HEAPS)
@pytest.mark.parametrize("kernel", _native.kernels("sha256"))
def test_heaps_around_lanes(sort, kernel):
    """Its batches have every length, and the first node meets the last leaf where the size is odd."""
    spec, h = spec_of(_native, HEAPS[sort]), HASHES["sha256"]
    for n in filter(None, COUNTS):
        leaves = tuple(noise(32, i) for i in range(n))
        root = recursive.heap_root(leaves, h, sort)
        nodes = _native.Nodes(spec)
        nodes.extend(leaves, kernel=kernel)
        assert nodes.root() == _native.root(spec, leaves, kernel=kernel) == root
        assert _native.root(spec, b"".join(leaves), kernel=kernel) == root


@pytest.mark.native_only
@pytest.mark.parametrize("sort", HEAPS)
def test_heaps_on_threads(sort):
    """A batch is cut every 4,096 nodes."""
    rows = np.frombuffer(noise(32 * 33_000), np.uint8).reshape(-1, 32)
    for n in (8192, 8193, 16_386, 33_000):

        def node(left, right):
            pair = sorted((left, right)) if sort else (left, right)
            return HASHES["sha256"](b"".join(pair))

        root = stacked([bytes(row) for row in rows[:n]], node)
        for threads in (1, 2, 3):
            assert mc.merkle_root(rows[:n], HEAPS[sort], threads=threads) == root
            assert mc.MerkleTree(rows[:n], HEAPS[sort], threads=threads).root == root


def test_a_heap_differs_from_levels():
    """At 5, 7 and 9 leaves, not at powers of two and not everywhere."""
    levels = {sort: profile.replace(odd="split") for sort, profile in HEAPS.items()}
    differ = {
        n
        for n in range(1, 10)
        if mc.merkle_root(LEAVES[:n], HEAPS[True]) != mc.merkle_root(LEAVES[:n], levels[True])
    }
    assert {5, 7, 9} <= differ
    assert not {1, 2, 4, 8} & differ


def test_a_heap_has_one_size(backend):
    nodes = backend.Nodes(spec_of(backend, HEAPS[True]))
    nodes.extend(LEAVES[:9])
    assert nodes.root(9) == nodes.root()
    for size in (0, 1, 8):
        with pytest.raises(
            mc.InputError, match=f"^size {size}: a heap of 9 leaves holds no smaller one"
        ) as caught:
            nodes.root(size)
        assert type(caught.value) is mc.InputError
    with pytest.raises(mc.BoundsError, match="size 10 is above the tree's size 9"):
        nodes.root(10)


@pytest.mark.native_only
def test_a_heap_takes_two_digests_a_leaf():
    for n in (1, 2, 1000, 1 << 16):
        tree = mc.MerkleTree(np.zeros((n, 32), np.uint8), HEAPS[True])
        tree.root
        assert tree.nbytes <= 64 * n + 2 * 4096


def test_a_heap_has_no_equal_siblings_to_tell_of():
    tree = mc.MerkleTree([bytes(32)] * 8, HEAPS[True])
    assert not tree.mutated


MANY = np.frombuffer(noise(32 * 200_000), np.uint8).reshape(-1, 32)


@pytest.mark.native_only
def test_many_readers_of_a_heap_that_is_not_hashed_yet():
    """One of them hashes it, without the GIL; the others wait, and nobody is refused."""
    expected = mc.merkle_root(MANY, HEAPS[True])
    for _ in range(3):
        tree = mc.MerkleTree(MANY, HEAPS[True], threads=1)
        start = threading.Barrier(5)

        def read(tree=tree, start=start):
            start.wait()
            return tree.root

        with every_switch(), ThreadPoolExecutor(5) as pool:
            assert {done.result() for done in [pool.submit(read) for _ in range(5)]} == {expected}


@pytest.mark.native_only
def test_a_writer_waits_for_a_heap_that_is_being_hashed():
    tree = mc.MerkleTree(MANY, HEAPS[True], threads=1)
    leaves = [*map(bytes, MANY), *[bytes(32)] * 3]
    roots = {mc.merkle_root(leaves[: len(MANY) + k], HEAPS[True]) for k in range(4)}
    start = threading.Barrier(2)

    def write():
        start.wait()
        return [tree.append(bytes(32)) for _ in range(3)]

    with every_switch(), ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        start.wait()
        for _ in range(4):
            assert tree.root in roots
        assert writing.result() == [len(MANY) + k for k in range(3)]
    assert tree.root == mc.merkle_root(leaves, HEAPS[True])


@pytest.mark.native_only
def test_a_fork_amid_the_hashing_of_a_heap():
    """The child hashes it itself: who did so is not there."""
    tree = mc.MerkleTree(MANY, HEAPS[True], threads=1)

    def hashed():
        tree.append(bytes(32))
        return tree.root

    def look():
        count = len(tree) - len(MANY)
        assert tree.root == mc.merkle_root([*map(bytes, MANY), *[bytes(32)] * count], HEAPS[True])
        assert tree.append(b"\1" * 32) == len(MANY) + count

    meanwhile(hashed, lambda: in_a_fork(look))


class Size:
    """An index that changes the tree when it is read."""

    def __init__(self, value, tree):
        self.value, self.tree = value, tree

    def __index__(self):
        self.tree.append(bytes(32))
        return self.value


def test_a_heap_that_changes_while_a_size_is_read():
    tree = mc.MerkleTree(LEAVES[:5], HEAPS[True])
    with pytest.raises(mc.InputError, match="size 5: a heap of 6 leaves"):
        tree.root_at(Size(5, tree))
    assert tree.root_at(Size(7, tree)) == tree.root
    assert len(tree) == 7
