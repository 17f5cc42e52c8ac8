"""What proofs must reach, at random places of a tree of 2^20 leaves, RFC 6962: times of issue 4."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import numpy as np
import workloads
from race import Line, each, race

import merklecore as mc

SIZE = 1 << 20
SINGLE = 1000
MANY = 10**5
SEVERAL = 10**4


def verify_loop(root: bytes, leaves: list[bytes], paths: list[list[bytes]], indices: list[int]) -> None:
    """What a verifier in Python does, one proof after the other: every step known, nothing checked twice."""
    sha256 = hashlib.sha256
    for leaf, path, index in zip(leaves, paths, indices, strict=True):
        node = sha256(b"\0" + leaf).digest()
        for sibling in path:
            node = sha256(b"\1" + (sibling + node if index & 1 else node + sibling)).digest()
            index >>= 1
        if node != root:
            raise mc.ProofError


def proofs() -> list[Line]:
    """Made and verified: one, 10^5, 10^4 at once, consistency."""
    leaves = workloads.rows(2 * SIZE, 32)[:SIZE]
    tree = mc.MerkleTree(leaves)
    root = tree.root
    places = np.array(workloads.indices(MANY, SIZE), np.int64)
    several = np.unique(places)[:: MANY // SEVERAL // 2 or 1][:SEVERAL]
    single = workloads.indices(SINGLE, SIZE)
    known = [(tree.prove(index).verify, leaves[index].tobytes(), index) for index in single]
    olds = [index + 1 for index in single]
    many, chosen = tree.prove_many(places), leaves[places]
    multi, those = tree.prove_multi(several), leaves[several]
    few = places[:SINGLE].tolist()
    loop_paths = [list(many[i].path) for i in range(SINGLE)]
    loop_leaves = workloads.items(chosen[:SINGLE])
    names: dict[str, Any] = {"tree": tree, "known": known, "root": root, "n": SIZE}
    best = race(
        {
            "prove": each("for i in single: tree.prove(i)", SINGLE, single=single, **names),
            "verify": each(
                "for verify, leaf, i in known: verify(root, leaf, index=i, size=n)", SINGLE, **names
            ),
            "many": each(partial(tree.prove_many, places), MANY),
            "verify many": each(partial(many.verify, root, chosen, indices=places, size=SIZE), MANY),
            "multi": each(partial(tree.prove_multi, several), len(several)),
            "verify multi": each(
                partial(multi.verify, root, those, indices=several, size=SIZE), len(several)
            ),
            "consistency": each("for o in olds: tree.prove_consistency(o)", SINGLE, olds=olds, **names),
            "loop": each(partial(verify_loop, root, loop_leaves, loop_paths, few), SINGLE),
        },
        seconds=8,
    )
    time = "required time"
    return [
        Line("prove, 2^20 leaves", best["prove"], "proof", time, 1500, 1),
        Line("prove_many, 10^5 of 2^20", best["many"], "proof", time, 300, 1),
        Line("prove_multi, 10^4 of 2^20", best["multi"], "leaf", time, 1000, 1),
        Line("prove_consistency, 2^20 leaves", best["consistency"], "proof", time, 3000, 1),
        Line("verify, 2^20 leaves", best["verify"], "proof", time, 2500, 1),
        Line("verify 10^5 together", best["verify many"], "proof", time, 700, 1),
        Line("verify 10^5 together", best["verify many"], "proof", "hashlib loop", best["loop"], 8, True),
        Line("verify 10^4 in one proof", best["verify multi"], "leaf", "hashlib loop", best["loop"], 8, True),
    ]
