"""Leaves that come one by one: the root of the list, in constant memory, whatever goes wrong on the way."""

import itertools
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore.tree import streams
from merklecore.tree.geometry import ODDS
from tests.processes import output
from tests.test_memory import measured

PROFILES = {odd: mc.Profile(odd, leaf_prefix=b"\0", node_prefix=b"\1", odd=odd, empty="hash") for odd in ODDS}
LEAVES = [b"leaf %d" % i for i in range(3000)]


class OneByOne:
    """An iterable that is no sequence."""

    def __init__(self, leaves):
        self.leaves = leaves

    def __iter__(self):
        return iter(self.leaves)


KINDS = {
    "iterator": iter,
    "generator": lambda leaves: (leaf for leaf in leaves),
    "map": lambda leaves: map(bytes, leaves),
    "iterable": OneByOne,
    "keys": lambda leaves: dict.fromkeys(leaves).keys(),
    "of other buffers": lambda leaves: (memoryview(bytearray(leaf)) for leaf in leaves),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odd", ODDS)
def test_roots_and_trees(kind, odd):
    for n in (0, 1, 2, 63, 64, 65, 128, 129, 3000):
        leaves, profile = LEAVES[:n], PROFILES[odd]
        whole = mc.MerkleTree(leaves, profile)
        assert mc.merkle_root(KINDS[kind](leaves), profile) == whole.root
        assert mc.MerkleTree(KINDS[kind](leaves), profile) == whole
        tree = mc.MerkleTree(leaves[: n // 3], profile)
        assert tree.extend(KINDS[kind](leaves[n // 3 :])) == range(n // 3, n)
        assert tree == whole
        assert tree.mutated == whole.mutated


@pytest.mark.parametrize("odd", ODDS)
def test_updates(odd):
    tree = mc.MerkleTree(LEAVES, PROFILES[odd])
    tree.update(range(2999, 1999, -1), iter(LEAVES[:1000]))
    assert tree == mc.MerkleTree([*LEAVES[:2000], *LEAVES[999::-1]], PROFILES[odd])
    with pytest.raises(OSError, match="the line is cut"):
        tree.update(range(2000), failing(500))
    with pytest.raises(mc.InputError, match="leaves: 1000 where there are 999 indices"):
        tree.update(range(999), iter(LEAVES[:1000]))
    assert tree == mc.MerkleTree([*LEAVES[:2000], *LEAVES[999::-1]], PROFILES[odd])


def test_leaf_hashes_and_leaves_as_they_are():
    ids = [mc.sha256(leaf) for leaf in LEAVES]
    for profile, hashed in (("rfc6962", True), ("bitcoin", False), ("openzeppelin-simple", False)):
        expected = mc.merkle_root(ids, profile, hashed=hashed)
        assert mc.merkle_root(iter(ids), profile, hashed=hashed) == expected
        assert mc.MerkleTree(iter(ids), profile, hashed=hashed).root == expected
        tree = mc.MerkleTree(profile=profile)
        tree.extend(iter(ids), hashed=hashed)
        assert tree.root == expected


def failing(n, error=OSError):
    yield from LEAVES[:n]
    raise error("the line is cut")


@pytest.mark.parametrize("odd", ODDS)
def test_a_stream_that_raises_leaves_the_tree_as_it_was(odd):
    tree = mc.MerkleTree(LEAVES[:10], PROFILES[odd])
    for n in (0, 1, 64, 500, 3000):
        for error in (OSError, KeyboardInterrupt, MemoryError):
            with pytest.raises(error, match="the line is cut"):
                tree.extend(failing(n, error))
            with pytest.raises(error, match="the line is cut"):
                mc.merkle_root(failing(n, error), PROFILES[odd])
    assert tree == mc.MerkleTree(LEAVES[:10], PROFILES[odd])


@pytest.mark.parametrize("odd", ODDS)
def test_a_leaf_that_is_wrong_is_named(odd):
    tree, profile = mc.MerkleTree(LEAVES[:10], PROFILES[odd]), PROFILES[odd]
    for at, text in ((3, r"leaves\[3\]"), (64, r"leaves\[64:\]\[0\]"), (1000, r"leaves\[512:\]\[488\]")):
        for call in (lambda s: mc.merkle_root(s, profile), tree.extend, lambda s: mc.MerkleTree(s, profile)):
            with pytest.raises(TypeError, match=rf"{text}: a bytes-like object is needed, not float"):
                call(iter([*LEAVES[:at], 5.0, *LEAVES]))
    with pytest.raises(mc.InputError, match=r"leaves\[64:\]\[6\]: 6 bytes where 32 are needed"):
        mc.merkle_root(iter([bytes(32)] * 70 + [b"leaf 6"]), profile, hashed=True)
    assert tree == mc.MerkleTree(LEAVES[:10], profile)


def test_a_limit_is_met_on_the_way():
    """Not after the end of a stream that has none."""
    profile = mc.profiles["ssz"].replace(limit=1000)
    with pytest.raises(mc.InputError, match="leaves: 1024 where the limit is 1000"):
        mc.merkle_root(itertools.repeat(bytes(32)), profile)


@pytest.mark.parametrize(
    "wrong", ["text", {b"a"}, frozenset([b"a"]), {b"a": 1}, 5, None, object()], ids=lambda x: type(x).__name__
)
def test_what_is_no_stream(wrong):
    tree = mc.MerkleTree()
    for call in (mc.merkle_root, mc.MerkleTree, tree.extend, mc.CompactRange().extend):
        with pytest.raises(TypeError, match="leaves: "):
            call(wrong)


def test_what_a_backend_takes_is_no_stream():
    for whole in (
        [],
        (),
        b"",
        bytearray(),
        memoryview(b""),
        np.zeros((2, 2), np.uint8),
        np.zeros(2, "M8[s]"),
    ):
        assert not streams.is_stream(whole)
    released = memoryview(b"")
    released.release()
    assert not streams.is_stream(released)


@given(st.lists(st.integers(0, 3000), max_size=400), st.integers(1, 100), st.integers(1, 20_000))
def test_batches(sizes, most, most_bytes):
    """All leaves in their order, in parts of 2^k that stand where 2^k divides, but for the last."""
    leaves = [bytes(size) for size in sizes]
    most = 1 << most.bit_length() - 1
    found = list(streams.batches(iter(leaves), most, most_bytes))
    assert [leaf for batch in found for leaf in batch] == leaves
    at = 0
    for batch in found[:-1]:
        assert len(batch) <= most
        assert len(batch) & len(batch) - 1 == 0
        assert at % len(batch) == 0
        at += len(batch)


def test_a_stream_is_asked_once_and_to_its_end():
    asked = 0

    def stream():
        nonlocal asked
        for leaf in LEAVES[:100]:
            asked += 1
            yield leaf

    source = stream()
    mc.merkle_root(source)
    assert asked == 100
    assert list(source) == []


COUNT = int(os.environ.get("MERKLECORE_STREAM_LEAVES", 10**6))
STREAM = """
import resource, sys
import merklecore as mc
mc.merkle_root(iter([b"warm"] * 70_000))
def leaves(n):
    for i in range(n):
        yield b"%032d" % i
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{call}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@measured
@pytest.mark.parametrize(
    "call", ["mc.merkle_root(leaves({n}))", "mc.CompactRange().extend(leaves({n}))"], ids=["root", "range"]
)
def test_memory_does_not_grow_with_a_stream(call):
    """A million leaves, 64 MB in a tree: in a few hundred kilobytes."""
    assert int(output(STREAM.format(call=call.format(n=COUNT)))) < 4 << 10


@measured
@pytest.mark.long
def test_memory_of_a_hundred_million_leaves():
    assert int(output(STREAM.format(call="mc.merkle_root(leaves(10**8))"))) < 4 << 10


MAPPED = """
import os, sys
import numpy as np
import merklecore as mc
path, size = sys.argv[1], 300 << 20
with open(path, "wb") as file:
    file.truncate(size)
rows = np.memmap(path, np.uint8, "r", 0, (size >> 10, 1 << 10))
def anonymous():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))
mc.merkle_root(rows[:5000])
before = anonymous()
root = mc.merkle_root(rows, {more})
assert root == mc.merkle_root([bytes(1 << 10)] * (size >> 10))
print(anonymous() - before)
"""


@measured
def test_a_file_larger_than_what_may_be_read_of_it(tmp_path):
    """300 MiB of holes, mapped: pages of the file come and go, none of them becomes the process's own."""
    assert int(output(MAPPED.format(more="threads=1"), str(tmp_path / "sparse"))) < 8 << 10
