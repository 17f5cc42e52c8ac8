"""Trees: roots of many leaves and of few, and trees that are kept and grow. Leaves of 32 bytes in an array.

Sizes are powers of two, so that the plain loops need no rule for odd levels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import peers
import pytest
import workloads
from workloads import Means, Timed

import merklecore as mc

LEAVES = 1 << 17
APPENDED = 1 << 13
BATCH = 1000


def root_of(way: Means, profile: mc.Profile, leaves: Any) -> Callable[[], bytes]:
    """Return the call that computes a root without keeping the tree."""
    if way.module is peers:
        return partial(peers.root, profile, workloads.items(leaves))
    if way.module is mc:
        return partial(mc.merkle_root, leaves, profile, threads=way.threads)
    return partial(way.module.root, workloads.spec_of(way.module, profile), leaves, **way.options)


@pytest.mark.parametrize(("profile", "way"), workloads.by_profile())
def test_root(timed: Timed, profile: mc.Profile, way: Means) -> None:
    leaves = workloads.rows(LEAVES, 32)
    timed(
        root_of(way, profile, leaves),
        group=f"merkle_root, {profile.name}",
        means=way.name,
        unit="leaf",
        count=LEAVES,
        nbytes=leaves.nbytes,
    )


@pytest.mark.parametrize("size", [16, 64])
@pytest.mark.parametrize(("profile", "way"), workloads.by_profile(threads=False))
def test_small_root(timed: Timed, profile: mc.Profile, way: Means, size: int) -> None:
    timed(
        root_of(way, profile, workloads.rows(size, 32)),
        group=f"merkle_root of {size} leaves, {profile.name}",
        means=way.name,
        unit="root",
    )


def build(way: Means, profile: mc.Profile, leaves: Any) -> bytes:
    """Build a kept tree; with the root, so that it is comparable with `merkle_root`."""
    if way.module is peers:
        return peers.levels(profile, leaves)[-1][0]
    if way.module is mc:
        return mc.MerkleTree(leaves, profile, threads=way.threads).root
    nodes = way.module.Nodes(workloads.spec_of(way.module, profile))
    nodes.extend(leaves, **way.options)
    root: bytes = nodes.root()
    return root


@pytest.mark.parametrize(("profile", "way"), workloads.by_profile())
def test_build(timed: Timed, profile: mc.Profile, way: Means) -> None:
    leaves = workloads.rows(LEAVES, 32)
    timed(
        partial(build, way, profile, workloads.items(leaves) if way.module is peers else leaves),
        group=f"MerkleTree, {profile.name}",
        means=way.name,
        unit="leaf",
        count=LEAVES,
        nbytes=leaves.nbytes,
    )


def extend(way: Means, profile: mc.Profile, batches: list[Any]) -> bytes:
    if way.module is mc:
        tree = mc.MerkleTree((), profile)
        for batch in batches:
            tree.extend(batch)
        return tree.root
    nodes = way.module.Nodes(workloads.spec_of(way.module, profile))
    for batch in batches:
        nodes.extend(batch, **way.options)
    root: bytes = nodes.root()
    return root


@pytest.mark.parametrize(("profile", "way"), workloads.by_profile(threads=False, loops=False))
def test_extend(timed: Timed, profile: mc.Profile, way: Means) -> None:
    leaves = workloads.rows(LEAVES, 32)
    batches = [leaves[i : i + BATCH] for i in range(0, LEAVES, BATCH)]
    timed(
        partial(extend, way, profile, batches),
        group=f"extend in batches of {BATCH:,}, {profile.name}",
        means=way.name,
        unit="leaf",
        count=LEAVES,
        nbytes=leaves.nbytes,
    )


def append(way: Means, profile: mc.Profile, leaves: list[bytes]) -> bytes:
    """One leaf a call. `append` takes no kernel; where one is forced a batch of one stands for it."""
    if way.module is mc:
        tree = mc.MerkleTree((), profile)
        for leaf in leaves:
            tree.append(leaf)
        return tree.root
    nodes = way.module.Nodes(workloads.spec_of(way.module, profile))
    if way.kernel is None:
        for leaf in leaves:
            nodes.append(leaf)
    else:
        for leaf in leaves:
            nodes.extend((leaf,), kernel=way.kernel)
    root: bytes = nodes.root()
    return root


@pytest.mark.parametrize(("profile", "way"), workloads.by_profile(threads=False, loops=False))
def test_append(timed: Timed, profile: mc.Profile, way: Means) -> None:
    timed(
        partial(append, way, profile, workloads.items(workloads.rows(APPENDED, 32))),
        group=f"append, {profile.name}",
        means=way.name,
        unit="leaf",
        count=APPENDED,
    )
