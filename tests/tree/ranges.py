"""What tests of ranges compare with: the nodes of a tree, and a store of nodes handed over."""

import numpy as np

import merklecore as mc
from merklecore.tree.geometry import covering_nodes

WINDOW = 1 << 14
LEAVES = [b"leaf %d" % i for i in range(80)]
TREE = mc.MerkleTree(LEAVES)


def node(level, index):
    return TREE.nodes(level, index, index + 1).tobytes()


def expected(start, stop):
    return tuple(node(*place) for place in covering_nodes(start, stop))


class Store:
    """Keeps what it is given, and sees that it comes once and in order."""

    def __init__(self, start):
        self.start, self.nodes, self.calls = start, {}, []

    def __call__(self, level, first, hashes):
        assert type(level) is int
        assert type(first) is int
        assert hashes.dtype == np.uint8
        assert 1 <= len(hashes) <= WINDOW
        self.calls.append((level, first, len(hashes)))
        for i, row in enumerate(hashes):
            place = (level, first + i)
            assert place not in self.nodes
            for child in ((level - 1, 2 * (first + i)), (level - 1, 2 * (first + i) + 1)) if level else ():
                assert child in self.nodes
            self.nodes[place] = bytes(row)
