"""The same leaves in other libraries: pymerkle (RFC 6962), remerkleable (SSZ), OpenZeppelin's (with node)."""

import json
import shutil
import subprocess
from pathlib import Path

import pymerkle
import pytest
from remerkleable.byte_arrays import Bytes32
from remerkleable.complex import List, Vector

import merklecore as mc
from tests.processes import PATIENCE
from tests.shapes import noise

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "build" / "peers"  # `make bench-peers` puts them there


def test_rfc6962_as_pymerkle():
    peer, tree = pymerkle.InmemoryTree(algorithm="sha256"), mc.MerkleTree()
    for size in range(1, 131):
        leaf = noise(size % 50, size)
        peer.append_entry(leaf)
        tree.append(leaf)
        assert tree.root == peer.get_root()
    for size in range(1, 131):
        assert tree.root_at(size) == peer.get_root(size)


def test_inclusion_proofs_as_pymerkle():
    """Theirs hold the leaf too, and have another order: the same hashes otherwise."""
    peer, tree = pymerkle.InmemoryTree(algorithm="sha256"), mc.MerkleTree()
    for i in range(33):
        peer.append_entry(noise(20, i))
        tree.append(noise(20, i))
    for size in range(1, 34):
        for index in range(size):
            theirs = sorted(peer.prove_inclusion(index + 1, size).path)
            assert theirs == sorted([*tree.prove(index, size).path, tree.leaf_hash(index)])


def test_ssz_as_remerkleable():
    chunks = [noise(32, i) for i in range(70)]
    for n in range(1, 71):
        some = [Bytes32(chunk) for chunk in chunks[:n]]
        assert mc.merkle_root(chunks[:n], "ssz") == Vector[Bytes32, n](some).hash_tree_root()
    for limit in (1, 2, 3, 64, 100, 2**40):
        profile = mc.profiles["ssz"].replace(limit=limit)
        for n in range(min(limit, 70) + 1):
            some = [Bytes32(chunk) for chunk in chunks[:n]]
            mixed = mc.sha256(mc.merkle_root(chunks[:n], profile) + n.to_bytes(32, "little"))
            assert mixed == List[Bytes32, limit](some).hash_tree_root()


def abi_bytes(data):
    """The ABI encoding of a tuple of one value of the type bytes."""
    return (32).to_bytes(32, "big") + len(data).to_bytes(32, "big") + data + bytes(-len(data) % 32)


def hexes(items):
    return ["0x" + item.hex() for item in items]


def openzeppelin(cases):
    node = shutil.which("node")
    if node is None or not (PACKAGES / "node_modules" / "@openzeppelin" / "merkle-tree").is_dir():
        pytest.skip("OpenZeppelin's package is not there; `make bench-peers` installs it")
    done = subprocess.run(
        [node, ROOT / "tests" / "openzeppelin.js", PACKAGES],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("kind", ["simple", "standard"])
def test_openzeppelin_as_its_own_library(kind, sort):
    """Every size from 1 to 40, and leaves of which some are equal."""
    profile = {"simple": "openzeppelin-simple", "standard": "openzeppelin"}[kind]
    lists = [[noise(32 if kind == "simple" else i, 99 * n + i) for i in range(n)] for n in range(1, 41)]
    lists.append([noise(32, i % 5) for i in range(13)])
    cases = [{"kind": kind, "leaves": hexes(leaves), "sort": sort} for leaves in lists]
    for leaves, theirs in zip(lists, openzeppelin(cases), strict=True):
        encoded = leaves if kind == "simple" else list(map(abi_bytes, leaves))
        order = mc.openzeppelin_order(encoded, profile).tolist() if sort else list(range(len(leaves)))
        assert [order.index(i) for i in range(len(leaves))] == theirs["indices"]
        tree = mc.MerkleTree([encoded[i] for i in order], profile)
        assert hexes([tree.root]) == [theirs["root"]]
        for i, proof in enumerate(theirs["proofs"]):
            ours = tree.prove(theirs["indices"][i])
            assert hexes(ours.path) == proof
            ours.verify(tree.root, encoded[i], index=theirs["indices"][i], size=len(leaves), profile=profile)
