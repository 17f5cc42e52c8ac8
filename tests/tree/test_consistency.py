"""Consistency proofs: every pair of sizes against RFC 6962's text; bent ones; other projects' vectors."""

import base64
import hashlib
import json

import numpy as np
import pytest

import merklecore as mc
from merklecore.reference.recursive import rfc6962_root
from merklecore.reference.recursive_proofs import rfc6962_consistency

LEAVES = tuple(hashlib.sha256(b"leaf %d" % i).digest() for i in range(64))
Proof = mc.ConsistencyProof


def test_every_pair_of_sizes():
    tree = mc.MerkleTree(LEAVES)
    roots = [rfc6962_root(LEAVES[:n]) for n in range(65)]
    for new in range(1, 65):
        for old in range(1, new + 1):
            proof = tree.prove_consistency(old, new)
            assert proof.path == rfc6962_consistency(old, LEAVES[:new])
            proof.verify(roots[old], roots[new], old_size=old, new_size=new)


def test_no_proof_serves_sizes_that_take_another_number_of_hashes():
    tree = mc.MerkleTree(LEAVES)
    pairs = [(old, new) for new in range(1, 20) for old in range(1, new + 1)]
    proofs = {pair: tree.prove_consistency(*pair) for pair in pairs}
    for proof in proofs.values():
        for old, new in pairs:
            if len(proofs[old, new].path) != len(proof.path):
                with pytest.raises(mc.ProofError, match=f"{old} leaves and {new} need"):
                    proof.verify(tree.root_at(old), tree.root_at(new), old_size=old, new_size=new)


def test_every_bit():
    tree = mc.MerkleTree(LEAVES)
    for old, new in ((3, 7), (4, 7), (6, 8), (32, 64), (33, 61), (5, 5)):
        proof = tree.prove_consistency(old, new)
        roots, sizes = [tree.root_at(old), tree.root_at(new)], {"old_size": old, "new_size": new}
        data = bytes(proof)
        for bit in range(8 * len(data)):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            with pytest.raises((mc.InputError, mc.ProofError)):
                Proof.from_bytes(changed).verify(*roots, **sizes)
        for i in (0, 1):
            for bit in range(256):
                changed = bytearray(roots[i])
                changed[bit // 8] ^= 1 << bit % 8
                with pytest.raises(mc.ProofError, match=r"not to the given (old|new) root"):
                    proof.verify(*(changed if i == j else roots[j] for j in (0, 1)), **sizes)
        for path in (proof.path[1:], proof.path[:-1], (*proof.path, bytes(32)), (bytes(32), *proof.path)):
            if path != proof.path:
                with pytest.raises(mc.ProofError, match=f"the proof has {len(path)} hashes, {old} leaves"):
                    Proof.from_path(path).verify(*roots, **sizes)


def test_sizes_that_cannot_be():
    """transparency-dev/merkle#182: nothing is consistent with an empty tree, nor with a larger one."""
    tree = mc.MerkleTree(LEAVES[:8])
    proof = tree.prove_consistency(8)
    assert proof.path == ()
    proof.verify(tree.root, tree.root, old_size=8, new_size=8)
    with pytest.raises(mc.ProofError):
        proof.verify(tree.root, bytes(32), old_size=8, new_size=8)
    for old, new in ((0, 8), (9, 8), (0, 0), (8, 0), (-1, 8), (2**64, 2**64)):
        with pytest.raises(mc.BoundsError):
            proof.verify(tree.root, tree.root, old_size=old, new_size=new)
        with pytest.raises(mc.BoundsError):
            tree.prove_consistency(old, new)
    with pytest.raises(mc.BoundsError):
        tree.prove_consistency(3, 9)
    for wrong in (True, 8.0, "8", None):
        with pytest.raises(TypeError):
            proof.verify(tree.root, tree.root, old_size=wrong, new_size=8)
        with pytest.raises(TypeError):
            tree.prove_consistency(wrong)
    proof.verify(tree.root, tree.root, old_size=np.uint8(8), new_size=np.int64(8))


def test_only_where_trees_split():
    for name, profile in mc.profiles.items():
        tree = mc.MerkleTree([bytes(32)] * 3, name, hashed=True)
        if profile.odd == "split":
            tree.prove_consistency(2).verify(tree.root_at(2), tree.root, old_size=2, new_size=3, profile=name)
            continue
        with pytest.raises(mc.InputError, match="only a profile that splits"):
            tree.prove_consistency(2)
        with pytest.raises(mc.InputError, match="only a profile that splits"):
            Proof.from_path([]).verify(bytes(32), bytes(32), old_size=2, new_size=2, profile=name)


def test_roots_of_another_length():
    for roots in ((bytes(31), bytes(32)), (bytes(32), bytes(33))):
        with pytest.raises(mc.InputError, match=r"_root: 3. bytes, digests have 32"):
            Proof.from_path([]).verify(*roots, old_size=1, new_size=1)


def test_vectors_of_transparency_dev(vectors):
    held = refused = beyond = 0
    for file in sorted((vectors / "trees/transparency-dev-merkle/consistency").rglob("*.json")):
        case = json.loads(file.read_text())
        old_root, new_root = (base64.b64decode(case[key] or "") for key in ("root1", "root2"))
        path = [base64.b64decode(item or "") for item in case["proof"] or ()]
        sizes = {"old_size": case["size1"], "new_size": case["size2"]}
        if case["wantErr"]:
            with pytest.raises((mc.ProofError, mc.InputError)):
                Proof.from_path(path).verify(old_root, new_root, **sizes)
            refused += 1
        elif case["size1"] == 0 or len(old_root) != 32:  # roots that they do not look at: refused here
            with pytest.raises(mc.InputError, match=r"old_size 0|digests have 32"):
                Proof.from_path(path).verify(old_root, new_root, **sizes)
            beyond += 1
        else:
            Proof.from_path(path).verify(old_root, new_root, **sizes)
            held += 1
    assert (held, refused, beyond) == (5, 92, 1)  # all 98 files
