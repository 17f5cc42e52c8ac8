"""Proofs: made and checked, one at a time and many, at random places of a tree of 2^20 leaves."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import Any

import peers
import pytest
import workloads
from workloads import Means, Timed

import merklecore as mc
from merklecore import reference

SIZE = 1 << 20
PROOFS = 1000
INDICES = workloads.indices(PROOFS, SIZE)


@functools.cache
def tree_of(profile: mc.Profile) -> mc.MerkleTree:
    return mc.MerkleTree(workloads.rows(SIZE, 32), profile)


@functools.lru_cache(maxsize=1)  # in Python objects a tree takes 200 MB: one at a time
def reference_nodes(profile: mc.Profile) -> Any:
    nodes = reference.Nodes(workloads.spec_of(reference, profile))
    nodes.extend(workloads.rows(SIZE, 32))
    return nodes


def prove(tree: mc.MerkleTree) -> list[bytes]:
    return [node for index in INDICES for node in tree.prove(index).path]


def path(nodes: Any) -> list[bytes]:
    return [reference.path(nodes, index) for index in INDICES]


@pytest.mark.parametrize("profile", workloads.PROFILES, ids=lambda profile: profile.name)
@pytest.mark.parametrize("means", ["chosen", "reference"])
def test_prove(timed: Timed, profile: mc.Profile, means: str) -> None:
    """No kernel is forced: nothing is hashed but the right edge, once."""
    if means == "chosen":
        call = partial(prove, tree_of(profile))
    elif not peers.is_in_hashlib(profile.algorithm):
        pytest.skip("a tree of 2^20 leaves takes minutes in plain Python")
    else:
        call = partial(path, reference_nodes(profile))
    timed(call, group=f"prove, {profile.name}", means=means, unit="proof", count=PROOFS)


def verify(
    profile: mc.Profile, root: bytes, leaves: Sequence[bytes], proofs: list[mc.InclusionProof]
) -> None:
    for index, leaf, proof in zip(INDICES, leaves, proofs, strict=True):
        proof.verify(root, leaf, index=index, size=SIZE, profile=profile)


def fold(
    module: ModuleType, spec: Any, leaves: Sequence[bytes], paths: list[Any], forced: Any
) -> list[bytes]:
    run = module.fold
    return [
        run(spec, leaf, path, spec.digest_size, index, SIZE, **forced)
        for index, leaf, path in zip(INDICES, leaves, paths, strict=True)
    ]


def loop(profile: mc.Profile, leaves: Sequence[bytes], paths: list[Any]) -> list[bytes]:
    return [
        peers.fold(profile, leaf, path, index)
        for index, leaf, path in zip(INDICES, leaves, paths, strict=True)
    ]


@pytest.mark.parametrize(("profile", "way"), workloads.by_profile(threads=False))
def test_verify(timed: Timed, profile: mc.Profile, way: Means) -> None:
    tree = tree_of(profile)
    leaves = [workloads.rows(SIZE, 32)[index].tobytes() for index in INDICES]
    proofs = [tree.prove(index) for index in INDICES]
    paths = [proof.path for proof in proofs]
    if way.module is mc:
        call: Any = partial(verify, profile, tree.root, leaves, proofs)
    elif way.module is peers:
        call = partial(loop, profile, leaves, paths)
    else:
        spec = workloads.spec_of(way.module, profile)
        call = partial(fold, way.module, spec, leaves, list(map(b"".join, paths)), way.forced)
    timed(call, group=f"verify, {profile.name}", means=way.name, unit="proof", count=PROOFS)


# ---- many leaves -------------------------------------------------------------------------------------------

MANY = workloads.indices(10**5, SIZE)
SEVERAL = sorted(set(workloads.indices(10**4, SIZE)))
FIRST, COUNT = 1000, 10**5


def many(tree: mc.MerkleTree, leaves: Any, profile: mc.Profile) -> dict[str, tuple[Any, Any, int]]:
    """Of each kind how it is made and verified, and of how many leaves it is."""
    root, size = tree.root, len(tree)
    rest: dict[str, Any] = {"size": size, "profile": profile}
    proofs, multi = tree.prove_many(MANY), tree.prove_multi(SEVERAL)
    part = tree.prove_range(FIRST, FIRST + COUNT)
    return {
        "prove_many": (
            partial(tree.prove_many, MANY),
            partial(proofs.verify, root, leaves[MANY], indices=MANY, **rest),
            len(MANY),
        ),
        "prove_multi": (
            partial(tree.prove_multi, SEVERAL),
            partial(multi.verify, root, leaves[SEVERAL], indices=SEVERAL, **rest),
            len(SEVERAL),
        ),
        "prove_range": (
            partial(tree.prove_range, FIRST, FIRST + COUNT),
            partial(part.verify, root, leaves[FIRST : FIRST + COUNT], start=FIRST, **rest),
            COUNT,
        ),
    }


@pytest.mark.parametrize("profile", workloads.PROFILES, ids=lambda profile: profile.name)
@pytest.mark.parametrize("kind", ["prove_many", "prove_multi", "prove_range"])
@pytest.mark.parametrize("step", ["prove", "verify"])
def test_many_leaves(timed: Timed, profile: mc.Profile, kind: str, step: str) -> None:
    """The backend in use alone: the loops of the reference would take minutes."""
    prove, verify, count = many(tree_of(profile), workloads.rows(SIZE, 32), profile)[kind]
    call = prove if step == "prove" else verify
    timed(call, group=f"{kind}, {step}, {profile.name}", means="chosen", unit="leaf", count=count)
