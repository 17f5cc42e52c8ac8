"""Memory: nothing leaks, nothing stays held, a tree takes what it promises, and a root next to nothing."""

import mmap
import os
import sys
from itertools import cycle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import merklecore as mc
from merklecore import _native
from tests.processes import output

PAGE, HUGE_PAGE = mmap.PAGESIZE, 2 << 20
STATM = Path("/proc/self/statm")
sanitized = os.environ.get("MERKLECORE_SANITIZE", "0") not in ("", "0")


def measured(test):
    """Marks what looks at resident memory."""
    for mark in (
        pytest.mark.native_only,
        pytest.mark.slow,
        pytest.mark.skipif(
            not STATM.exists(), reason="this system does not tell of resident memory in /proc"
        ),
        pytest.mark.skipif(sanitized, reason="a sanitizer keeps what is freed: resident memory says nothing"),
    ):
        test = mark(test)
    return test


def resident():
    """Bytes of this process in memory."""
    return int(STATM.read_text().split()[1]) * PAGE


def refused(call, *wanted):
    def refuse():
        try:
            call()
        except wanted:
            return
        raise AssertionError("this must be refused")

    return refuse


# ---- what each call is given, and what it must leave as it was ---------------------------------------------


class Things:
    """Arguments of all kinds, each made here so that nobody else holds them."""

    def __init__(self):
        self.data = bytes(bytearray(range(200)))
        self.prefix = bytearray(b"prefix")
        self.buffer = bytearray(range(128))
        self.plain = [bytes(bytearray([i] * i)) for i in range(2, 22)]  # shorter ones the interpreter shares
        self.buffers = [bytearray([i] * 32) for i in range(20)]
        self.spoilt = [*[bytearray(32) for _ in range(5)], object()]
        self.uneven = [bytearray(32), bytearray(31)]
        self.rows = np.zeros((20, 32), np.uint8)
        self.many = np.zeros((200, 32), np.uint8)  # more than a root keeps on the stack
        self.pieces = np.zeros((20, 64), np.uint8)[:, ::2]
        self.words = np.zeros((4, 4), np.uint32)
        self.column = pa.array([b"%d" % i * i for i in range(20)])
        self.chunks = pa.chunked_array([self.column[:7], self.column[7:7], self.column[7:]])
        self.views = pa.array([bytes(i) for i in range(20)], pa.binary_view())
        self.nulls = pa.chunked_array([self.column, pa.array([b"a", None])])
        self.texts = pa.array(["a", "b"])
        self.table = pa.table({"a": self.column})
        self.out = bytearray(20 * 32)
        self.short = bytearray(7)
        self.view = memoryview(bytes(64))[::2]
        self.tree = mc.MerkleTree(self.plain)
        self.root = self.tree.root
        self.places = np.array([5, 3])
        self.range = mc.CompactRange()
        self.range.extend(self.plain)
        self.nothing = lambda level, first, hashes: None
        self.proof = self.tree.prove(5)
        self.path = [bytearray(item) for item in self.proof.path]
        self.encoded = bytearray(bytes(self.proof))
        self.garbage = bytearray(self.encoded[:-1])
        self.text = self.proof.to_json()
        self.rarely = cycle([True, *[False] * 99])  # a thread takes as long as a hundred calls
        self.profile = mc.Profile("mine", leaf_prefix=self.prefix, odd="pad", limit=20)

    def resizable(self):
        """The bytearrays: as long as somebody holds one's memory, it cannot grow."""
        for value in vars(self).values():
            yield from (
                item
                for item in (value, *(value if isinstance(value, list) else ()))
                if type(item) is bytearray
            )

    def counts(self):
        """References to each thing and to each item of a list."""
        things = [value for value in vars(self).values() if not isinstance(value, (int, str))]
        items = [item for value in things if isinstance(value, list) for item in value]
        return [sys.getrefcount(thing) for thing in (*things, *items)]


def calls(x):
    """Each thing that the library does, once well and in every way that it refuses."""
    verify = {"index": 5, "size": 20}
    wrong, bounds, proof, types = mc.InputError, mc.BoundsError, mc.ProofError, TypeError
    return {
        "digest": lambda: mc.digest(x.data),
        "digest of a bytearray": lambda: mc.sha256d(x.buffer),
        "digest of an object": refused(lambda: mc.sha256(x), types),
        "digest of pieces": refused(lambda: mc.sha256(x.view), wrong),
        "digest by nobody": refused(lambda: mc.digest(x.data, "md5"), wrong),
        "digest by no kernel": refused(lambda: _native.digest(x.data, "sha256", "quantum"), mc.BackendError),
        "hash_many of bytes": lambda: mc.hash_many(x.plain, prefix=x.prefix, out=x.out),
        "hash_many of bytearrays": lambda: mc.hash_many(x.buffers, out=x.out),
        "hash_many of rows": lambda: mc.hash_many(x.rows, "sha256d"),
        "hash_many of a column": lambda: mc.hash_many(x.column, out=x.out),
        "hash_many of a column in chunks": lambda: mc.hash_many(x.chunks, out=x.out),
        "hash_many of views": lambda: mc.hash_many(x.views, out=x.out),
        "hash_many of a table": lambda: mc.hash_many(x.table, out=x.out),
        "hash_many of a column with nulls": refused(lambda: mc.hash_many(x.nulls), wrong),
        "hash_many of a column of texts": refused(lambda: mc.hash_many(x.texts), wrong),
        "hash_many of an object among others": refused(lambda: mc.hash_many(x.spoilt), types),
        "hash_many of a flat buffer": refused(lambda: mc.hash_many(x.buffer), wrong),
        "hash_many of pieces": refused(lambda: mc.hash_many(x.pieces), wrong),
        "hash_many of words": refused(lambda: mc.hash_many(x.words), wrong),
        "hash_many behind an object": refused(lambda: mc.hash_many(x.plain, prefix=x), types),
        "hash_many into too little": refused(lambda: mc.hash_many(x.plain, out=x.short), wrong),
        "hash_many into bytes": refused(lambda: mc.hash_many(x.plain, out=x.data), wrong),
        "hash_many into words": refused(lambda: mc.hash_many(x.plain, out=x.words), wrong),
        "hash_many into its prefix": refused(lambda: mc.hash_many(x.plain, prefix=x.out, out=x.out), wrong),
        "hash_many on no threads": refused(lambda: mc.hash_many(x.plain, threads=0), wrong),
        "hash_many on two threads": lambda: mc.hash_many(x.plain, threads=2) if next(x.rarely) else None,
        "hash_pairs": lambda: mc.hash_pairs(x.buffer, prefix=b"\x01"),
        "hash_pairs of a list": lambda: mc.hash_pairs(x.buffers),
        "hash_pairs of uneven ones": refused(lambda: mc.hash_pairs(x.uneven), wrong),
        "hash_pairs of an odd one": refused(lambda: mc.hash_pairs(x.buffers[:3]), wrong),
        "merkle_root": lambda: mc.merkle_root(x.buffers),
        "merkle_root of rows": lambda: mc.merkle_root(x.rows, "ssz"),
        "merkle_root of a column": lambda: mc.merkle_root(x.column),
        "merkle_root of uneven columns": refused(lambda: mc.merkle_root(x.chunks, "ssz"), wrong),
        "merkle_root of many rows": lambda: mc.merkle_root(x.many),
        "merkle_root of an object": refused(lambda: mc.merkle_root(x.spoilt), types),
        "merkle_root of uneven ones": refused(lambda: mc.merkle_root(x.uneven, "bitcoin"), wrong),
        "MerkleTree": lambda: mc.MerkleTree(x.plain).root,
        "MerkleTree that grows": lambda: [tree.extend(x.buffers) for tree in [mc.MerkleTree(x.plain)]],
        "MerkleTree above its limit": refused(
            lambda: mc.MerkleTree(x.plain, x.profile).extend(x.buffers), wrong
        ),
        "extend by an object": refused(lambda: x.tree.extend(x.spoilt), types),
        "append an object": refused(lambda: x.tree.append(x), types),
        "append half a hash": refused(lambda: x.tree.append(x.short, hashed=True), wrong),
        "update": lambda: x.tree.update([5, 3], [x.plain[5], x.plain[3]]),
        "update at an array": lambda: x.tree.update(x.places, [x.plain[5], x.plain[3]]),
        "update twice": refused(lambda: x.tree.update([5, 5], x.buffers[:2]), wrong),
        "update beyond": refused(lambda: x.tree.update([5, 20], x.buffers[:2]), bounds),
        "update at an object": refused(lambda: x.tree.update([5, x], x.buffers[:2]), types),
        "update by an object": refused(lambda: x.tree.update(range(6), x.spoilt), types),
        "truncate": lambda: x.tree.truncate(20),
        "truncate to more": refused(lambda: x.tree.truncate(21), bounds),
        "nodes": lambda: x.tree.nodes(1, 2, 9),
        "nodes beyond": refused(lambda: x.tree.nodes(1, 2, 11), bounds),
        "bytes of a tree": lambda: mc.MerkleTree.from_bytes(bytes(x.tree)) == x.tree,
        "from_bytes of no tree": refused(lambda: mc.MerkleTree.from_bytes(x.encoded), wrong),
        "merkle_root of a stream": lambda: mc.merkle_root(iter(x.plain)),
        "extend by a stream of objects": refused(lambda: x.tree.extend(iter(x.spoilt)), types),
        "CompactRange": lambda: mc.CompactRange.from_bytes(bytes(x.range)).root,
        "CompactRange that grows": lambda: mc.CompactRange().extend(x.buffers),
        "CompactRange with nodes": lambda: mc.CompactRange().extend(x.rows, on_nodes=x.nothing),
        "CompactRange whose store fails": refused(
            lambda: mc.CompactRange().extend(x.plain, on_nodes=len), types
        ),
        "CompactRange of an object": refused(lambda: x.range.extend(x.spoilt), types),
        "merge what does not follow": refused(lambda: x.range.merge(mc.CompactRange()), wrong),
        "prove": lambda: x.tree.prove(7, 11),
        "prove nothing": refused(lambda: x.tree.prove(20), bounds),
        "prove an object": refused(lambda: x.tree.prove(x), types),
        "verify": lambda: x.proof.verify(x.root, x.plain[5], **verify),
        "verify a bytearray": refused(lambda: x.proof.verify(x.root, x.buffers[5], **verify), proof),
        "verify elsewhere": refused(lambda: x.proof.verify(x.root, x.plain[5], index=6, size=20), proof),
        "verify too short a path": refused(
            lambda: x.proof.verify(x.root, x.plain[5], index=5, size=200), proof
        ),
        "verify nowhere": refused(lambda: x.proof.verify(x.root, x.plain[5], index=20, size=20), bounds),
        "verify an object": refused(lambda: x.proof.verify(x.root, x, **verify), types),
        "from_path": lambda: mc.InclusionProof.from_path(x.path),
        "from_path of an object": refused(lambda: mc.InclusionProof.from_path(x.spoilt), types),
        "from_bytes": lambda: mc.InclusionProof.from_bytes(x.encoded),
        "from_bytes of garbage": refused(lambda: mc.InclusionProof.from_bytes(x.garbage), wrong),
        "from_json": lambda: mc.InclusionProof.from_json(x.text),
        "from_json of garbage": refused(lambda: mc.InclusionProof.from_json(x.text[:-1]), wrong),
        "Profile": lambda: mc.Profile("mine", leaf_prefix=x.prefix, odd="pad", limit=20),
        "Profile of nothing": refused(lambda: mc.Profile("mine", leaf_prefix=x), types),
    }


CALLS = list(calls(Things()))


@pytest.mark.native_only
@pytest.mark.parametrize("call", CALLS)
def test_no_reference_and_no_buffer_is_kept(call):
    """A reference too many or too few, and memory that stays held, show after a few calls."""
    x = Things()
    function = calls(x)[call]
    before = x.counts()
    for _ in range(20):
        function()
    assert x.counts() == before
    for buffer in x.resizable():
        buffer.append(0)


TIMES = 1_050_000 // len(CALLS)  # together more than a million


@measured
@pytest.mark.parametrize("call", CALLS)
def test_no_call_leaks(call):
    function = calls(Things())[call]
    grown = []
    for _ in range(3):  # the first round warms up; whatever leaks does so in each of the others
        before = resident()
        for _ in range(TIMES // 3 + 1):
            function()
        grown.append(resident() - before)
    assert min(grown[1:]) < 9 * TIMES // 3, grown  # nine bytes a call


@measured
def test_no_large_tree_leaks():
    rows = np.zeros((1 << 18, 32), np.uint8)
    grown = []
    for _ in range(20):
        before = resident()
        tree = mc.MerkleTree(rows, "ssz")
        tree.append(bytes(32))
        del tree
        grown.append(resident() - before)
    assert sum(grown[1:]) < 1 << 20, grown


# ---- what a tree takes -------------------------------------------------------------------------------------


def at_most(n, a_leaf, page=PAGE):
    """Bytes for n leaves, `a_leaf` for each, in levels of whole cache lines, large ones of whole pages."""
    large = max(0, n.bit_length() - 14)
    return a_leaf * n + 64 * n.bit_length() + page * large


@pytest.mark.native_only
@pytest.mark.parametrize("n", [1, 2, 3, 100, 1000, 4096, 4097, 1 << 15, (1 << 16) - 1])
def test_a_tree_that_is_built_takes_two_digests_a_leaf(n):
    tree = mc.MerkleTree(np.zeros((n, 32), np.uint8), "ssz")
    assert tree.nbytes <= at_most(n, 64)


@pytest.mark.native_only
@pytest.mark.parametrize("rows", [(1 << 15) - 2, (1 << 15) - 1, 1 << 15, (1 << 15) + 1])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_level_at_the_border_of_what_is_large_grows(rows, level):
    """A MiB: what is less, rounded up to it, is large already."""
    n = rows << level
    tree = mc.MerkleTree(np.zeros((n, 32), np.uint8), "ssz")
    for _ in range(3):
        tree.extend([bytes(32)] * (n // 2))
    assert tree.root == mc.merkle_root(np.zeros((len(tree), 32), np.uint8), "ssz")


@pytest.mark.native_only
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_tree_that_grows_has_at_most_half_to_spare(step):
    """A large one less, as test_what_a_tree_says_it_takes_is_what_it_takes knows, but whole huge pages."""
    tree, leaves = mc.MerkleTree(), [b"leaf"] * step
    for n in range(step, 60_000, step):
        if step == 1:
            tree.append(b"leaf")
        else:
            tree.extend(leaves)
        if n % 100 < step:
            assert len(tree) == n
            assert 32 * n < tree.nbytes <= at_most(n, 64 + 32, HUGE_PAGE)


@measured
def test_what_a_tree_says_it_takes_is_what_it_takes():
    """Grown to 80 MiB, an eighth and the ends of huge pages are to spare."""
    code = """
import merklecore as mc
from pathlib import Path

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

mc.MerkleTree([bytes(32)] * 10_000, threads=2).root
before = resident()
tree = mc.MerkleTree(memoryview(bytes(1 << 20)).cast("B", (1 << 15, 32)))
for _ in range(40):
    tree.extend(memoryview(bytes(1 << 20)).cast("B", (1 << 15, 32)))
tree.append(b"")
print((resident() - before), tree.nbytes, len(tree))
"""
    grown, said, n = map(int, output(code, MERKLECORE_BACKEND="native").split())
    assert n == 41 * (1 << 15) + 1
    assert said <= at_most(n, 64 + 8, HUGE_PAGE)
    assert grown * PAGE < said + (4 << 20)


@measured
def test_a_root_takes_no_memory_that_grows_with_its_leaves(tmp_path):
    """Of the same 64 MiB: many leaves or few, hashed or as they are, on one thread or two."""
    code = """
import mmap, sys
from pathlib import Path
import merklecore as mc

path, n, profile, threads = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
with open(path, "rb") as file:
    data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
mc.merkle_root(memoryview(data).cast("B", (n, len(data) // n)), profile, threads=threads)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]))
"""
    path = tmp_path / "leaves"
    with open(path, "wb") as file:
        file.truncate(64 << 20)

    def peak(n, profile="rfc6962", threads=1):
        text = output(code, path, n, profile, threads, MERKLECORE_BACKEND="native")
        return int(text) << 10

    few = peak(1 << 18)
    assert few > 64 << 20  # the file itself counts
    for many in (peak(1 << 21), peak(1 << 21, threads=2), peak(1 << 21, "ssz"), peak(1 << 21, "ssz", 2)):
        assert abs(many - few) < 4 << 20  # a byte a leaf would be half of it, a digest a leaf 64 MiB
