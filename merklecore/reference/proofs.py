"""Proofs: made from kept levels, and folded to the root that they lead to."""

from __future__ import annotations

from merklecore.errors import BoundsError, ProofError
from merklecore.reference.hashing import check_kernel
from merklecore.reference.inputs import natural
from merklecore.reference.trees import one_leaf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import SupportsIndex

    from merklecore.reference.inputs import Data
    from merklecore.reference.trees import Nodes, Spec

__all__ = ["fold", "path"]


def siblings(spec: Spec, index: int, size: int) -> list[tuple[int, str]]:
    """List the siblings on the way from a leaf to the root: their level, and what they are.

    "left" and "right" are nodes of the tree; a lone node has none where it rises (RFC 6962), meets a "copy"
    of itself (Bitcoin) or a "zero" subtree (SSZ).
    """
    found = []
    for k in range(max((size - 1).bit_length(), spec.depth)):
        if index >> k & 1:
            found.append((k, "left"))
        elif index >> k < size - 1 >> k:
            found.append((k, "right"))
        elif spec.odd != "split":
            found.append((k, "copy" if spec.odd == "duplicate" else "zero"))
    return found


def path(nodes: Nodes, index: SupportsIndex, size: SupportsIndex | None = None) -> tuple[bytes, ...]:
    """The siblings from a leaf to the root."""
    i, n = natural(index, "index"), nodes._size(size)
    if i >= n:
        raise BoundsError(f"index {i} is not below size {n}")
    edge = nodes._close(n)[0]
    found = []
    for k, side in siblings(nodes._spec, i, n):
        place = i >> k if side == "copy" else i >> k ^ 1
        if side == "zero":
            found.append(nodes._spec._zeros[k])
        else:
            found.append(nodes._levels[k][place] if place < n >> k else edge[k])
    return tuple(found)


def fold(
    spec: Spec,
    leaf: Data,
    path: tuple[bytes, ...],
    index: SupportsIndex,
    size: SupportsIndex,
    hashed: bool = False,
    kernel: str | None = None,
) -> bytes:
    """The root that ``leaf`` and an inclusion path lead to, at the place the caller names."""
    check_kernel(kernel)
    at, leaves, d = natural(index, "index"), natural(size, "size"), spec.digest_size
    if at >= leaves:
        raise BoundsError(f"index {at} is not below size {leaves}")
    spec.admit(leaves)
    node = one_leaf(spec, leaf, hashed)
    steps = siblings(spec, at, leaves)
    if len(path) != len(steps):
        raise ProofError(f"the path has {len(path)} hashes, leaf {at} of {leaves} needs {len(steps)}")
    for i, sibling in enumerate(path):
        if type(sibling) is not bytes:
            raise TypeError(f"path[{i}]: bytes are needed, not {type(sibling).__name__}")
        if len(sibling) != d:
            raise ProofError(f"hash {i} of the path has {len(sibling)} bytes, digests have {d}")
    for i, (sibling, (k, side)) in enumerate(zip(path, steps, strict=True)):
        if side == "copy" and sibling != node:
            raise ProofError(f"hash {i} of the path differs from the lone node it must repeat")
        if spec.odd == "duplicate" and side != "copy" and sibling == node:
            raise ProofError(f"hash {i} of the path equals the node it is paired with (CVE-2012-2459)")
        if side == "zero" and sibling != spec._zeros[k]:
            raise ProofError(
                f"hash {i} of the path lies beyond the last leaf and is not the zero subtree of level {k}"
            )
        node = spec.parents((sibling, node) if side == "left" else (node, sibling))[0]
    return node
