"""Leaves replaced in kept trees, one profile for each way in which changes go on upwards."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import workloads
from workloads import Means, Timed

import merklecore as mc

LEAVES = 1 << 17
CHANGED = 1000
PROFILES = ("rfc6962", "bitcoin", "openzeppelin-simple")
WAYS = [way for way in workloads.by_profile(loops=False) if way.values[0].name in PROFILES]


def update(way: Means, nodes: Any, indices: Any, leaves: Any) -> bytes:
    if way.module is mc:
        nodes.update(indices, leaves)
        root: bytes = nodes.root
        return root
    way.module.update(nodes, indices, leaves, **way.options)
    root = nodes.root()
    return root


@pytest.mark.parametrize(("profile", "way"), WAYS)
def test_update(timed: Timed, profile: mc.Profile, way: Means) -> None:
    if way.module is mc and way.threads > 1:
        pytest.skip("update takes no threads: it has those that the work keeps busy")
    leaves = workloads.rows(LEAVES, 32)
    indices = sorted(set(workloads.indices(CHANGED, LEAVES)), reverse=True)
    if way.module is mc:
        nodes: Any = mc.MerkleTree(leaves, profile)
    else:
        nodes = way.module.Nodes(workloads.spec_of(way.module, profile))
        nodes.extend(leaves)
    timed(
        partial(update, way, nodes, indices, workloads.rows(CHANGED, 32)[: len(indices)]),
        group=f"update of {CHANGED:,} leaves of {LEAVES:,}, {profile.name}",
        means=way.name,
        unit="leaf",
        count=len(indices),
    )
