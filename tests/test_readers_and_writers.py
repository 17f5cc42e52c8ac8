"""One writer or many readers: who comes in between is told so, and what is read has been there."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import merklecore as mc
from tests.meanwhile import at_step, every_switch, meanwhile
from tests.shapes import noise

pytestmark = pytest.mark.native_only

LONG = noise(1 << 22)
LONG_ROWS = np.frombuffer(LONG, np.uint8).reshape(-1, 64)
SOME = [b"leaf %d" % i for i in range(1000)]
USES = {
    "root": lambda tree: tree.root,
    "root_at": lambda tree: tree.root_at(10),
    "prove": lambda tree: tree.prove(3),
    "prove at a size": lambda tree: tree.prove(3, 10),
    "leaf_hash": lambda tree: tree.leaf_hash(3),
    "mutated": lambda tree: tree.mutated,
    "append": lambda tree: tree.append(b"leaf"),
    "append a long one": lambda tree: tree.append(LONG),
    "extend": lambda tree: tree.extend([b"leaf"]),
    "extend by many": lambda tree: tree.extend(SOME),
    "extend by a stream": lambda tree: tree.extend(iter(SOME)),
    "update": lambda tree: tree.update([3, 1], [b"x", b"y"]),
    "truncate": lambda tree: tree.truncate(len(tree)),
    "nodes": lambda tree: tree.nodes(0, 0, 10),
    "==": lambda tree: tree == mc.MerkleTree(),
    "bytes": bytes,
}


@pytest.mark.any_kernel
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("writer", ["extend", "append", "update"])
def test_a_tree_in_use_by_a_writer(use, writer):
    """It says so, whatever is asked of it, and nothing of it has changed when the writer is done."""
    tree, long_leaf = mc.MerkleTree(SOME), LONG * 4
    leaves = list(SOME)
    sizes = {len(SOME)}  # that the writer leaves it with: it may come again meanwhile

    def write():
        if writer == "extend":
            leaves.extend(map(bytes, LONG_ROWS))
            sizes.add(len(leaves))
            return tree.extend(LONG_ROWS)
        if writer == "update":
            if len(leaves) == len(SOME):
                leaves[:] = [long_leaf] + [b"new"] * (len(SOME) - 1)
            return tree.update(range(len(SOME)), leaves)
        leaves.append(long_leaf)
        sizes.add(len(leaves))
        return tree.append(long_leaf)

    def try_it():
        with pytest.raises(BufferError, match="the tree is being changed by another call"):
            USES[use](tree)
        assert len(tree) in sizes

    meanwhile(write, try_it)
    assert len(tree) == len(leaves)
    assert tree.root == mc.merkle_root(leaves)
    USES[use](tree)  # it is free again


def test_a_failed_writer_leaves_the_tree_free():
    tree = mc.MerkleTree(SOME)
    for wrong in ([*SOME, None], 5, np.zeros(4)):
        with pytest.raises((TypeError, mc.InputError)):
            tree.extend(wrong)
    assert tree.root == mc.merkle_root(SOME)


def test_many_readers():
    tree = mc.MerkleTree(SOME)
    root = mc.merkle_root(SOME)
    half = mc.merkle_root(SOME[:500])

    def read(start):
        for i in range(start, len(SOME), 7):
            assert tree.root == root
            assert tree.root_at(500) == half
            assert tree.leaf_hash(i) == hashlib.sha256(b"\x00" + SOME[i]).digest()
            tree.prove(i).verify(root, SOME[i], index=i, size=len(SOME))

    with every_switch(), ThreadPoolExecutor(7) as pool:
        for done in [pool.submit(read, start) for start in range(7)]:
            done.result()


def test_a_writer_among_readers():
    """What readers get is a tree that has been there between two batches, or BufferError."""
    batches = [list(map(bytes, LONG_ROWS[i * 500 : (i + 1) * 500])) for i in range(20)]
    leaves, roots = [], {0: mc.MerkleTree().root}
    for batch in batches:
        leaves += batch
        roots[len(leaves)] = mc.merkle_root(leaves)
    tree, done, reads = mc.MerkleTree(), threading.Event(), [0] * 4

    def write():
        try:
            for batch in batches:
                tree.extend(batch)  # readers do not hold it up
        finally:
            done.set()

    def read(number):
        while not done.is_set() or not reads[number]:
            size = len(tree)
            try:
                found, at_size = tree.root, tree.root_at(size)
                proof = tree.prove(0, size) if size else None
            except BufferError:
                continue
            reads[number] += 1
            assert found in roots.values()
            assert at_size == roots[size]
            if proof is not None:
                proof.verify(at_size, leaves[0], index=0, size=size)

    with every_switch(), ThreadPoolExecutor(5) as pool:
        running = [pool.submit(read, number) for number in range(4)]
        pool.submit(write).result()
        for reader in running:
            reader.result()
    assert all(reads)
    assert tree.root == roots[len(leaves)]


def test_updates_and_cuts_among_readers():
    """Every root is one that the tree has had: no reader sees half a batch."""
    batches = [list(map(bytes, LONG_ROWS[i * 3000 : (i + 1) * 3000])) for i in range(8)]
    places = np.random.default_rng(1).permutation(4000)[:3000]
    leaves = list(map(bytes, LONG_ROWS[-4000:]))
    tree, done, reads = mc.MerkleTree(leaves), threading.Event(), [0] * 3
    roots = {tree.root, tree.root_at(3993)}
    for batch in batches:
        for place, leaf in zip(places, batch, strict=True):
            leaves[place] = leaf
        roots |= {mc.merkle_root(leaves), mc.merkle_root(leaves[:-7])}

    def write():
        try:
            for batch in batches:
                tree.update(places, batch)
                last = [tree.leaf_hash(i) for i in range(len(tree) - 7, len(tree))]
                tree.truncate(len(tree) - 7)
                tree.extend(last, hashed=True)
        finally:
            done.set()

    def read(number):
        while not done.is_set() or not reads[number]:
            try:
                found = {tree.root, tree.root_at(3993)}
            except BufferError:
                continue
            reads[number] += 1
            assert found <= roots

    with every_switch(), ThreadPoolExecutor(4) as pool:
        running = [pool.submit(read, number) for number in range(3)]
        pool.submit(write).result()
        for reader in running:
            reader.result()
    assert all(reads)
    assert tree.root == mc.merkle_root(leaves)


@pytest.mark.parametrize("method", ["append", "extend"])
def test_a_writer_between_two_steps_of_another(method):
    """Wherever the interpreter goes over from one to the other, each is told where its own leaves stand."""
    reached, step = True, 0
    while reached:
        tree = mc.MerkleTree([b"first"])
        with at_step(step, "merklecore/tree/", lambda tree=tree: tree.append(b"other")) as passed:
            told = tree.append(b"mine") if method == "append" else tree.extend([b"mine", b"too"])
        reached, step = passed.is_set(), step + 1
        mine = [told] if method == "append" else list(told)
        leaves = [b"mine"] if method == "append" else [b"mine", b"too"]
        assert [tree.leaf_hash(i) for i in mine] == [
            hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves
        ]
    assert step > 3
