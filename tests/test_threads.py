"""Threads, in the core and in Python: the same results on any number, the GIL let go, the input held fast."""

import hashlib
import mmap
from array import array
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import merklecore as mc
from merklecore import _native
from tests.meanwhile import meanwhile
from tests.oracles import HASHES
from tests.shapes import MIXED, noise
from tests.tree.definitions import DEFINITIONS

pytestmark = pytest.mark.native_only

THREADS = (None, 1, 2, 3, 7, 64, 1024)
BLOCK = 4096  # leaves that one thread takes at a time
CHUNK = 1 << 14  # messages, at most
SIZES = (
    1,
    2,
    63,
    64,
    65,
    BLOCK - 1,
    BLOCK,
    BLOCK + 1,
    2 * BLOCK - 1,
    2 * BLOCK,
    2 * BLOCK + 1,
    3 * BLOCK + 17,
)
ROWS = np.frombuffer(noise(SIZES[-1] * 64), np.uint8).reshape(-1, 64)


def each(items, *more):
    hash_of = HASHES["sha256"]
    return b"".join(hash_of(b"".join((*more, item))) for item in items)


# ---- the same results on any number of threads -------------------------------------------------------------


@pytest.mark.parametrize("n", SIZES)
def test_rows_and_pairs(n):
    expected = each(map(bytes, ROWS[:n]), b"\x01")
    for threads in THREADS:
        assert mc.hash_many(ROWS[:n], prefix=b"\x01", threads=threads).tobytes() == expected
        assert mc.hash_pairs(ROWS[:n].reshape(-1, 32), prefix=b"\x01", threads=threads).tobytes() == expected


@pytest.mark.parametrize("n", SIZES)
def test_lists(n):
    data = noise(1000)
    messages = [data[i % 7 : i % 7 + MIXED[i % 17]] for i in range(n)]
    expected = each(messages)
    for threads in THREADS:
        assert mc.hash_many(messages, threads=threads).tobytes() == expected


def test_chunks_of_the_largest_size():
    most = 2 * 8 * CHUNK + 17  # two threads, eight chunks each
    rows = np.frombuffer(noise(most * 8), np.uint8).reshape(most, 8)
    expected = each(map(bytes, rows))
    for n in (most - 18, most - 17, most):
        for threads in (None, 1, 2, 3):
            assert mc.hash_many(rows[:n], threads=threads).tobytes() == expected[: n * 32]


@pytest.mark.slow
@pytest.mark.parametrize("name", mc.profiles)
def test_roots_and_trees(name):
    """Also from a number held already: blocks begin where the tree's do, not where the batch does."""
    rows = ROWS[:, :32]
    leaves = tuple(map(bytes, rows))
    root_of = DEFINITIONS[name].root
    roots = {n: root_of(leaves[:n]) for n in SIZES}
    rows = np.ascontiguousarray(rows)
    for threads in THREADS:
        for n, root in roots.items():
            assert mc.merkle_root(rows[:n], name, threads=threads) == root
            assert mc.MerkleTree(rows[:n], name, threads=threads).root == root
        for start in (1, BLOCK - 1, BLOCK, BLOCK + 1):
            nodes = _native.Nodes(mc.profiles[name].spec)
            nodes.extend(rows[:start], False, 1)
            nodes.extend(rows[start:], False, threads)
            assert nodes.root() == roots[SIZES[-1]]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_more_blocks_than_a_wave(threads):
    """A root is made of waves of 64 blocks a thread."""
    n = threads * 64 * BLOCK + BLOCK + 5
    rows = np.frombuffer(noise(1 << 15), np.uint8).reshape(-1, 32)
    rows = np.tile(rows, (n // len(rows) + 1, 1))[:n]
    rows[:, :4] = np.arange(n, dtype=np.uint32).view(np.uint8).reshape(n, 4)
    level = mc.hash_many(rows, prefix=b"\x00", threads=1)
    peaks = []
    while len(level):
        peaks += [level[-1].tobytes()] if len(level) & 1 else []
        level = mc.hash_pairs(level[: len(level) & ~1], prefix=b"\x01", threads=1)
    root = peaks[0]
    for peak in peaks[1:]:
        root = hashlib.sha256(b"\x01" + peak + root).digest()
    assert mc.merkle_root(rows, threads=threads) == root


def test_equal_siblings_are_counted_by_all_threads():
    ids = ROWS[: 3 * BLOCK, :32].copy()
    ids[1::2] = ids[::2]
    for threads in THREADS:
        nodes = _native.Nodes(mc.profiles["bitcoin"].spec)
        nodes.extend(ids, False, threads)
        assert nodes.equal_pairs() == 3 * BLOCK // 2
        nodes.extend(ids[:BLOCK], False, threads)
        assert nodes.equal_pairs() == 4 * BLOCK // 2


# ---- the GIL and the input ---------------------------------------------------------------------------------

LONG = noise(1 << 22)
LONG_ROWS = np.frombuffer(LONG, np.uint8).reshape(-1, 64)
CALLS = {
    "digest": lambda: mc.digest(LONG),
    "sha256": lambda: mc.sha256(LONG),
    "hash_many": lambda: mc.hash_many(LONG_ROWS, threads=1),
    "hash_many on threads": lambda: mc.hash_many(LONG_ROWS, threads=2),
    "hash_pairs": lambda: mc.hash_pairs(LONG, threads=1),
    "merkle_root": lambda: mc.merkle_root(LONG_ROWS, threads=1),
    "extend": lambda: mc.MerkleTree().extend(LONG_ROWS),
    "append": lambda: mc.MerkleTree().append(LONG),
}


@pytest.mark.parametrize("call", CALLS)
def test_other_threads_run_meanwhile(call):
    meanwhile(CALLS[call], lambda: None)


@pytest.mark.parametrize("change", ["clear", "reverse", "sort", "append"])
@pytest.mark.parametrize("call", ["hash_many", "hash_pairs", "merkle_root", "extend"])
def test_a_list_that_changes_meanwhile(call, change):
    """The items of the beginning count, and live on where nobody else holds them."""
    made = [LONG[i : i + 32] for i in range(20_000)]
    functions = {
        "hash_many": lambda: mc.hash_many(messages, threads=2).tobytes(),
        "hash_pairs": lambda: mc.hash_pairs(messages, threads=2).tobytes(),
        "merkle_root": lambda: mc.merkle_root(messages, threads=2),
        "extend": lambda: extended(messages),
    }

    def extended(leaves):
        nodes = _native.Nodes(mc.profiles["rfc6962"].spec)
        nodes.extend(leaves, False, 2)
        return nodes.root()

    def changed():
        getattr(messages, change)(*[b"new"] * (change == "append"))
        garbage[:] = [bytes(32) for _ in range(40_000)]  # where the items stood, if they were let go

    messages, garbage = list(made), []
    expected = functions[call]()
    messages = [bytes(bytearray(item)) for item in made]
    assert meanwhile(functions[call], changed) == expected
    assert messages != made


def mapped(data):
    memory = mmap.mmap(-1, len(data))
    memory[:] = data
    return memory


RESIZES = {
    "bytearray": (lambda: bytearray(LONG), lambda source: source.append(1)),
    "bytearray emptied": (lambda: bytearray(LONG), lambda source: source.clear()),
    "array.array": (lambda: array("B", LONG), lambda source: source.append(1)),
    "mmap": (lambda: mapped(LONG), lambda source: source.resize(1 << 20)),
    "memoryview": (lambda: memoryview(bytearray(LONG)), lambda source: source.release()),
}


@pytest.mark.parametrize("kind", RESIZES)
@pytest.mark.parametrize("use", ["digest", "messages", "nodes", "leaves", "prefix", "out"])
def test_memory_in_use_cannot_be_resized(use, kind):
    made, resize = RESIZES[kind]
    source, nodes = made(), np.zeros((len(LONG) // 32, 32), np.uint8)
    result = {
        "digest": lambda: mc.digest(source),
        "messages": lambda: mc.hash_many([b"a", source], threads=1),
        "nodes": lambda: mc.hash_pairs(source, threads=1),
        "leaves": lambda: mc.merkle_root(source, "ssz", threads=1),
        "prefix": lambda: mc.hash_many([b"a"], prefix=source, threads=1),
        "out": lambda: mc.hash_many(nodes, out=source, threads=1),
    }[use]
    refused = []

    def try_it():
        with pytest.raises(BufferError):
            resize(source)
        refused.append(True)

    meanwhile(result, try_it)
    assert refused
    resize(source)  # afterwards it may


def test_arrays_in_use_cannot_be_resized():
    rows = np.frombuffer(LONG, np.uint8).reshape(-1, 64).copy()

    def try_it():
        with pytest.raises(ValueError, match="cannot resize an array that references or is referenced"):
            rows.resize((1, 64))

    meanwhile(lambda: mc.hash_many(rows, threads=2), try_it)


@pytest.mark.parametrize("threads", [1, 2])
def test_many_threads_that_hash_at_the_same_time(threads):
    expected = mc.hash_many(LONG_ROWS, threads=1).tobytes()
    root = mc.merkle_root(LONG_ROWS, threads=1)
    with ThreadPoolExecutor(8) as pool:
        digests = [pool.submit(mc.hash_many, LONG_ROWS, threads=threads) for _ in range(8)]
        roots = [pool.submit(mc.merkle_root, LONG_ROWS, threads=threads) for _ in range(8)]
        assert all(found.result().tobytes() == expected for found in digests)
        assert all(found.result() == root for found in roots)
