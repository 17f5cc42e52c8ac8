"""A fork finds everything in order: after use, and in the middle of it."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import merklecore as mc
from tests.meanwhile import meanwhile
from tests.processes import PATIENCE, forking, in_a_fork
from tests.shapes import noise

pytestmark = [
    pytest.mark.native_only,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
]

ROWS = np.frombuffer(noise(1 << 21), np.uint8).reshape(-1, 64)
LEAVES = [b"leaf %d" % i for i in range(10_000)]


def work():
    """What a process of two threads makes of rows and leaves."""
    digests = mc.hash_many(ROWS, threads=2).tobytes()
    tree = mc.MerkleTree(LEAVES[:5000], threads=2)
    tree.extend(LEAVES[5000:])
    tree.append(b"last")
    tree.prove(7).verify(tree.root, LEAVES[7], index=7, size=len(tree))
    return digests, mc.hash_pairs(ROWS.reshape(-1, 32), prefix=b"\x01", threads=2).tobytes(), tree.root


def work_as_expected(expected):
    assert work() == expected


def roots_of(part):
    return mc.merkle_root(ROWS[part], threads=2)


def test_a_child_works_after_its_parent_has():
    expected = work()
    for _ in range(3):
        in_a_fork(lambda: work_as_expected(expected))
    in_a_fork(lambda: in_a_fork(lambda: work_as_expected(expected)))
    assert work() == expected


FIRST = """
import hashlib, os, threading
import numpy  # before any fork: who is in the middle of an import then leaves its lock behind
import merklecore as mc

nodes = bytes(range(256)) * 80  # more than a kernel's table pays for
wanted = b"".join(hashlib.sha256(b"\\1" + nodes[i : i + 64]).digest() for i in range(0, len(nodes), 64))
start, found = threading.Barrier(4), []

def hash_them():
    start.wait()
    found.append(mc.hash_pairs(nodes, prefix=b"\\1").tobytes() == wanted)

threads = [threading.Thread(target=hash_them) for _ in range(4)]
for thread in threads:
    thread.start()
child = os.fork()
if child == 0:  # before, amid or after what is done once
    os._exit(mc.hash_pairs(nodes, prefix=b"\\1").tobytes() != wanted)
for thread in threads:
    thread.join()
assert found == [True] * 4 and os.waitpid(child, 0)[1] == 0
"""


def test_a_fork_amid_the_first_use_by_several_threads():
    for _ in range(5):
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", FIRST], timeout=PATIENCE, check=False)
        assert done.returncode == 0


def test_a_tree_goes_on_in_the_child():
    tree = mc.MerkleTree(LEAVES, threads=2)
    root = tree.root

    def grow():
        assert tree.root == root
        tree.extend([b"of the child"] * 5000)
        assert tree.root == mc.merkle_root([*LEAVES, *[b"of the child"] * 5000])

    in_a_fork(grow)
    assert tree.root == root


@pytest.mark.parametrize("threads", [1, 2])
def test_a_child_of_a_process_in_the_middle_of_a_hash(threads):
    expected = work()
    digests = meanwhile(
        lambda: mc.hash_many(ROWS, threads=threads).tobytes(),
        lambda: in_a_fork(lambda: work_as_expected(expected)),
    )
    assert digests == expected[0]


def test_a_child_of_a_process_in_the_middle_of_a_change():
    """The tree is nobody's in the child, for its writer is not there; all others are as they were."""
    tree, other = mc.MerkleTree(LEAVES), mc.MerkleTree(LEAVES)
    root, size = tree.root, len(tree)

    def look():
        assert len(tree) >= size
        for use in (lambda: tree.root, lambda: tree.append(b"leaf"), lambda: tree.prove(0)):
            with pytest.raises(BufferError):
                use()
        assert other.root == root
        assert other.append(b"leaf") == size

    meanwhile(lambda: tree.extend(ROWS), lambda: in_a_fork(look))
    leaves = [*LEAVES, *map(bytes, ROWS)]
    while len(leaves) < len(tree):
        leaves += map(bytes, ROWS)
    assert tree.root == mc.merkle_root(leaves)


def test_multiprocessing():
    expected = work()
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=work_as_expected, args=(expected,)) for _ in range(3)]
    with forking():
        for child in children:
            child.start()
    for child in children:
        child.join(PATIENCE)
        if child.exitcode is None:
            child.kill()
        assert child.exitcode == 0
    assert work() == expected


def test_a_pool_of_processes():
    parts = [slice(i * 4096, (i + 1) * 4096) for i in range(8)]
    expected = [roots_of(part) for part in parts]
    context = multiprocessing.get_context("fork")
    with forking(), ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(roots_of, parts, timeout=PATIENCE)) == expected
