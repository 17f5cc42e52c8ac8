"""Code that runs in the middle of a call: finalizers, and buffers that change their mind."""

import gc
import sys

import pytest

import merklecore as mc
from tests.processes import output

pytestmark = [pytest.mark.native_only, pytest.mark.any_kernel]

# A list that empties itself, and a tree that grows, whenever the collector happens to run: in a process of
# its own, for what went wrong here ended it.
COLLECTED = """
import gc
import merklecore as mc

class Trap:
    def __init__(self, action):
        self.action, self.me = action, self
    def __del__(self):
        self.action()

def sprung(action, call):
    gc.collect()
    for threshold in range(1, 40):  # the collector runs at another allocation each time
        Trap(action)
        gc.set_threshold(threshold)
        try:
            call()
        except BufferError:
            pass
        gc.set_threshold(700)
        gc.collect()

victims = []
def refill_and_hash():
    victims[:] = [b"%d" % i for i in range(1000)]
    mc.hash_many(victims)
sprung(victims.clear, refill_and_hash)

tree = mc.MerkleTree([b"%d" % i for i in range(5000)])
def grow():
    tree.extend([b"more"] * 3000)
def prove():
    size, root = len(tree), tree.root
    proof = tree.prove(4999, size)
    proof.verify(root, b"4999", index=4999, size=size)
sprung(grow, prove)

kept = [b"%d" % i for i in range(3000)]
shrinking = mc.MerkleTree(kept)
def shrink():
    try:
        shrinking.truncate(len(shrinking) // 2)
    except BufferError:
        pass
def update():
    shrinking.truncate(0)
    shrinking.extend(kept)
    try:
        shrinking.update([2999, 5, *range(100, 200)], kept[:102])
    except mc.BoundsError:
        pass
    if len(shrinking) == 3000:
        assert shrinking.leaf_hash(2999) == mc.sha256(bytes(1) + kept[0])
    try:
        bytes(shrinking)
    except mc.BoundsError:
        pass
sprung(shrink, update)
print("held")
"""


def test_finalizers_that_change_what_is_in_use():
    assert output(COLLECTED, MERKLECORE_BACKEND="native").strip() == "held"
    assert gc.get_threshold()[0] > 0  # of this process


@pytest.mark.skipif(sys.version_info < (3, 12), reason="classes export buffers from Python 3.12 on")
def test_nodes_that_are_shorter_when_asked_again():
    class Once:
        def __init__(self):
            self.asked = 0

        def __buffer__(self, flags):
            self.asked += 1
            return memoryview(bytes(32) if self.asked == 1 else b"")

    found = mc.hash_pairs([Once() for _ in range(64)])
    assert {row.tobytes() for row in found} == {mc.sha256(bytes(64))}
