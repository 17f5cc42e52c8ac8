"""OpenZeppelin's multiproof, against what its contract does."""

import itertools
import random
from types import MappingProxyType

import pytest

import merklecore as mc
from tests.oracles import HASHES

KECCAK = HASHES["keccak256"]
IDS = [KECCAK(b"%d" % i) for i in range(24)]
NAME = "openzeppelin-simple"
Proof = mc.FlaggedMultiProof


def process_multi_proof(proof, flags, leaves):
    """MerkleProof.sol, processMultiProof (5.x): a queue; flags say where the second of a pair comes from."""
    proof, flags, queue = list(proof), list(flags), list(leaves)
    if len(leaves) + len(proof) != len(flags) + 1:
        raise ValueError("MerkleProofInvalidMultiproof")
    if not flags:
        return queue[0] if leaves else proof[0]
    for flag in flags:
        a = queue.pop(0)
        b = queue.pop(0) if flag else proof.pop(0)
        queue.append(KECCAK(min(a, b) + max(a, b)))
    if proof:
        raise ValueError("MerkleProofInvalidMultiproof")
    return queue.pop()


def sets(size):
    dice = random.Random(size)
    if size <= 7:
        return [list(c) for k in range(1, size + 1) for c in itertools.combinations(range(size), k)]
    return [sorted(dice.sample(range(size), dice.randint(1, size))) for _ in range(30)]


def test_the_contract_computes_the_root():
    for size in range(1, 25):
        tree = mc.MerkleTree(IDS[:size], NAME)
        for indices in sets(size):
            proof, chosen = tree.prove_flagged(indices), [IDS[i] for i in indices]
            assert process_multi_proof(proof.path, proof.flags, chosen) == tree.root
            assert proof.path == tree.prove_multi(indices).path
            proof.verify(tree.root, chosen, indices=indices, size=size, profile=NAME)
            assert Proof.from_openzeppelin(proof.to_openzeppelin()) == proof


def test_the_profile_that_hashes_leaves():
    leaves = [b"leaf %d" % i for i in range(9)]
    tree = mc.MerkleTree(leaves, "openzeppelin")
    proof = tree.prove_flagged([1, 4, 8])
    proof.verify(tree.root, [leaves[1], leaves[4], leaves[8]], indices=[1, 4, 8], size=9)
    hashes = [tree.leaf_hash(i) for i in (1, 4, 8)]
    assert process_multi_proof(proof.path, proof.flags, hashes) == tree.root


def test_the_empty_set_is_refused():
    """GHSA-wprv-93r4-jj2p: no leaves, no flags, the root as the only hash: the contract took it."""
    tree = mc.MerkleTree(IDS[:8], NAME)
    forged = {"proof": ["0x" + tree.root.hex()], "proofFlags": []}
    assert process_multi_proof([tree.root], [], []) == tree.root
    with pytest.raises(mc.InputError, match="flags: 0 are False where there are 1 hashes"):
        Proof.from_openzeppelin(forged)
    for proof in (Proof.from_path([], []), Proof.from_path([tree.root], [False])):
        with pytest.raises(mc.InputError, match="a proof of no leaves would prove nothing"):
            proof.verify(tree.root, [], indices=[], size=8, profile=NAME)
        with pytest.raises(mc.ProofError):
            proof.verify(tree.root, [IDS[0]], indices=[0], size=8, profile=NAME)
    with pytest.raises(mc.InputError):
        tree.prove_flagged([])


def test_flags_are_the_ones_that_the_places_demand():
    tree, indices = mc.MerkleTree(IDS[:11], NAME), [0, 1, 5, 9]
    proof, chosen = tree.prove_flagged(indices), [IDS[i] for i in indices]
    flags = list(proof.flags)
    rest = {"indices": indices, "size": 11, "profile": NAME}
    for wrong in set(itertools.permutations(flags)):
        if list(wrong) != flags:
            with pytest.raises(mc.ProofError, match=r"flag . of the proof is (True|False)"):
                Proof.from_path(proof.path, wrong).verify(tree.root, chosen, **rest)
    for wrong in (flags[:-1] if flags[-1] else [*flags, True], [*flags, True], [True, *flags]):
        with pytest.raises(mc.ProofError, match=f"the proof has {len(wrong)} flags, these leaves of 11 need"):
            Proof.from_path(proof.path, wrong).verify(tree.root, chosen, **rest)
    with pytest.raises(mc.ProofError):
        Proof.from_path(proof.path[::-1], flags).verify(tree.root, chosen, **rest)
    for other in (tree.prove_flagged([0, 1, 5]), tree.prove_flagged([2, 3, 5, 9])):
        with pytest.raises(mc.ProofError):
            other.verify(tree.root, chosen, **rest)


def test_every_bit():
    tree, indices = mc.MerkleTree(IDS[:11], NAME), [0, 1, 5, 9]
    proof, chosen = tree.prove_flagged(indices), [IDS[i] for i in indices]
    data = bytes(proof)
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((mc.InputError, mc.ProofError)):
            Proof.from_bytes(changed).verify(tree.root, chosen, indices=indices, size=11, profile=NAME)


def test_only_heaps_have_flags():
    for name in ("rfc6962", "bitcoin", "ssz"):
        with pytest.raises(mc.InputError, match="flagged multiproofs are those of a heap"):
            mc.MerkleTree(IDS[:4], name).prove_flagged([0])
        with pytest.raises(mc.InputError, match="flagged multiproofs are those of a heap"):
            Proof.from_path([], []).verify(bytes(32), [IDS[0]], indices=[0], size=1, profile=name)


def test_from_odd_objects():
    for wrong in (None, [], "text", 5):
        with pytest.raises(TypeError, match="multiproof: a mapping is needed"):
            Proof.from_openzeppelin(wrong)
    good = {"proof": ["0x00"], "proofFlags": [False]}
    for key, wrong in (("proof", None), ("proof", "0x00"), ("proofFlags", 5), ("proofFlags", {})):
        with pytest.raises(mc.InputError, match=f"multiproof: {key}: a list is needed"):
            Proof.from_openzeppelin(good | {key: wrong})
    with pytest.raises(mc.InputError, match="does not begin with 0x"):
        Proof.from_openzeppelin(good | {"proof": ["00"]})
    for wrong in ("0x", "0x0", "0xzz", "0x 0"):
        with pytest.raises(mc.InputError, match="is not lower-case hexadecimal"):
            Proof.from_openzeppelin(good | {"proof": [wrong]})
    for wrong in (0, None, "false"):
        with pytest.raises(TypeError, match="a bool is needed"):
            Proof.from_openzeppelin(good | {"proofFlags": [wrong]})
    assert Proof.from_openzeppelin(good | {"proof": ["0xAb"]}).path == (b"\xab",)
    assert Proof.from_openzeppelin(MappingProxyType(good)) == Proof.from_openzeppelin(good)


def test_hexadecimal_of_other_tools():
    proof = mc.MerkleTree(IDS[:5], NAME).prove(3)
    assert mc.InclusionProof.from_hex(proof.to_hex()) == proof
    assert mc.InclusionProof.from_hex([item.upper().replace("0X", "0x") for item in proof.to_hex()]) == proof
    for wrong, kind in (
        (None, TypeError),
        ("0x00", TypeError),
        ([b"0x00"], TypeError),
        (["00"], mc.InputError),
    ):
        with pytest.raises(kind):
            mc.InclusionProof.from_hex(wrong)
    with pytest.raises(mc.InputError, match="65 hashes"):
        mc.InclusionProof.from_hex(["0x00"] * 65)
