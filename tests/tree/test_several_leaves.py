"""Multiproofs and range proofs: which hashes, in which order, and what a verifier of several leaves must survive."""

import hashlib
import itertools
import random

import numpy as np
import pytest

import merklecore as mc
from merklecore.reference import recursive
from merklecore.reference.recursive_proofs import fewest_nodes

LEAVES = tuple(hashlib.sha256(b"leaf %d" % i).digest() for i in range(64))
SIZES = range(1, 41)


def bitcoin_node(k, i, leaves):
    for _ in range(k):
        leaves = recursive._bitcoin_above(leaves)
    return leaves[i]


NODES = {  # node i of level k
    "rfc6962": lambda k, i, leaves: recursive.rfc6962_root(leaves[i << k : (i + 1) << k]),
    "bitcoin": bitcoin_node,
    "ssz": lambda k, i, leaves: recursive._ssz_subtree(leaves[i << k : (i + 1) << k], k),
}


@pytest.mark.parametrize("name", NODES)
def test_every_range(name):
    for size in SIZES:
        leaves = LEAVES[:size]
        tree = mc.MerkleTree(leaves, name)
        for start, stop in itertools.combinations(range(size + 1), 2):
            proof = tree.prove_range(start, stop)
            ids = fewest_nodes(range(start, stop), size)
            assert proof.path == tuple(NODES[name](k, i, leaves) for k, i in ids)
            proof.verify(tree.root, leaves[start:stop], start=start, size=size, profile=name)
            assert len(proof.path) <= 2 * size.bit_length()


@pytest.mark.parametrize("name", NODES)
def test_random_sets_of_leaves(name):
    dice = random.Random(1)
    for size in SIZES:
        tree = mc.MerkleTree(LEAVES, name)
        root = tree.root_at(size)
        for _ in range(40):
            indices = sorted(dice.sample(range(size), dice.randint(1, size)))
            proof = tree.prove_multi(indices, size)
            ids = fewest_nodes(indices, size)
            assert proof.path == tuple(NODES[name](k, i, LEAVES[:size]) for k, i in ids)
            chosen = [LEAVES[i] for i in indices]
            proof.verify(root, chosen, indices=indices, size=size, profile=name)
            if len(indices) == 1 and name == "rfc6962":
                assert proof.path == tree.prove(indices[0], size).path
