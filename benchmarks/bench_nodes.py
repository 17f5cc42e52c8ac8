"""Nodes: `hash_pairs` of two digests, plain and behind a one-byte prefix, by every means there is.

For "sha256d" a plain node is Bitcoin's double SHA-256 node. The output is reused, for that is how levels are
reduced and how hashtree is called.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import peers
import pytest
import workloads
from workloads import Means, Timed

import merklecore as mc

NODES = 1 << 16
SHAPES = {"plain": b"", "prefixed": b"\x01"}
# From the start of a page: aligned, as bad as can be, half a node, and a line crossed after one byte.
OFFSETS = (0, 1, 32, 63)


def level(algorithm: str, offset: int | None = None) -> tuple[Any, Any]:
    """Return the children of NODES nodes, and room for the nodes."""
    d = len(mc.digest(b"", algorithm))
    return workloads.rows(NODES * 2, d, offset), workloads.empty(NODES, d)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("algorithm", "way"), workloads.by_algorithm())
def test_node(timed: Timed, algorithm: str, way: Means, shape: str) -> None:
    children, out = level(algorithm)
    prefix, group = SHAPES[shape], f"{algorithm}, {shape} node"
    if way.module is peers:
        call = partial(loop, algorithm, prefix, children.tobytes())
    else:
        call = partial(way.module.hash_pairs, children, algorithm, prefix=prefix, out=out, **way.options)
    timed(call, group=group, means=way.name, unit="node", count=NODES, nbytes=children.nbytes)


def loop(algorithm: str, prefix: bytes, data: bytes) -> list[bytes]:
    width = len(data) // NODES
    many = peers.LOOPS[algorithm].many
    if prefix:
        return many([prefix + data[i : i + width] for i in range(0, len(data), width)])
    return many([data[i : i + width] for i in range(0, len(data), width)])


def test_node_hashtree(timed: Timed) -> None:
    """Plain SHA-256 nodes are all it has. A message to its process and back adds less than a hundredth."""
    children, _ = level("sha256")
    try:
        peer = peers.Hashtree(children.reshape(NODES, 64))
    except peers.Unavailable as reason:
        pytest.skip(str(reason))
    with peer:
        timed(
            peer.seconds,
            group="sha256, plain node",
            means="hashtree",
            unit="node",
            count=NODES,
            nbytes=children.nbytes,
        )


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("algorithm", workloads.ALGORITHMS)
def test_offset(timed: Timed, algorithm: str, shape: str, offset: int) -> None:
    children, out = level(algorithm, offset)
    timed(
        partial(mc.hash_pairs, children, algorithm, prefix=SHAPES[shape], out=out, threads=1),
        group=f"{algorithm}, {shape} node, by offset in the page",
        means=f"offset-{offset}",
        unit="node",
        count=NODES,
        nbytes=children.nbytes,
    )
