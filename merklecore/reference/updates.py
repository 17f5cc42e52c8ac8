"""Kept levels changed in place, cut off, compared, and read as they lie."""

from __future__ import annotations

from merklecore.errors import BoundsError, InputError
from merklecore.reference.hashing import check_kernel
from merklecore.reference.inputs import Rows, check_threads, natural, naturals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, SupportsIndex, TypeAlias

    from numpy.typing import NDArray

    from merklecore.reference.inputs import Messages
    from merklecore.reference.trees import Nodes

    Indices: TypeAlias = Sequence[SupportsIndex] | NDArray[Any]

__all__ = ["level_rows", "same_leaves", "truncate", "update"]


def _check_places(places: Sequence[int], size: int, leaves: int) -> None:
    for i, index in enumerate(places):
        if index >= size:  # the tree may have been cut while they were read
            raise BoundsError(f"indices[{i}]: index {index} is not below size {size}")
    if len(places) != leaves:
        raise InputError(f"leaves: {leaves} where there are {len(places)} indices")
    first: dict[int, int] = {}
    for i, index in enumerate(places):
        if first.setdefault(index, i) != i:
            raise InputError(f"indices[{i}]: the same index as indices[{first[index]}]")


def update(
    nodes: Nodes,
    indices: Indices,
    leaves: Messages,
    hashed: bool = False,
    threads: SupportsIndex | None = None,
    kernel: str | None = None,
) -> None:
    """Replace the leaves at ``indices``, all of them, or none when something is wrong with one."""
    check_kernel(kernel)
    spec = nodes._spec
    places = naturals(indices, "indices", -1, len(nodes), False)
    rows = Rows(leaves, "leaves", spec.width(hashed))
    check_threads(threads)
    nodes._begin()
    try:
        size = len(nodes)
        _check_places(places, size, rows.n)
        hashes = spec.leaf_hashes(rows.block(0, rows.n), hashed)
        levels, equal = list(nodes._levels), nodes._equal
        changed = dict(zip(places, hashes, strict=True))
        for k in range(max(size.bit_length(), 1)):
            below = levels[k]
            levels[k] = above = below.copy()
            for index, node in changed.items():
                above[index] = node
            if spec.odd == "heap":
                del levels[1:]  # its inner nodes stand elsewhere, and are made when they are asked for
                break
            parents = sorted({index >> 1 for index in changed if index >> 1 < size >> (k + 1)})
            equal -= spec.equal_siblings([below[2 * p + side] for p in parents for side in (0, 1)])
            pairs = [above[2 * p + side] for p in parents for side in (0, 1)]
            equal += spec.equal_siblings(pairs)
            changed = dict(zip(parents, spec.parents(pairs), strict=True))
        nodes._levels, nodes._equal = levels, equal
    finally:
        nodes._writing.release()


def truncate(nodes: Nodes, size: SupportsIndex) -> None:
    """Take leaves off the end until ``size`` are left."""
    n = natural(size, "size")
    nodes._begin()
    try:
        if n > len(nodes):
            raise BoundsError(f"size {n} is above the tree's size {len(nodes)}")
        if nodes._spec.odd == "heap":
            levels = [nodes._levels[0][:n]]
        else:
            levels = [level[: n >> k] for k, level in enumerate(nodes._levels)]
        nodes._equal = sum(nodes._spec.equal_siblings(level[: len(level) & ~1]) for level in levels)
        nodes._count, nodes._levels = n, levels
    finally:
        nodes._writing.release()


def level_rows(nodes: Nodes, level: SupportsIndex, start: SupportsIndex, stop: SupportsIndex) -> memoryview:
    """Nodes [start, stop) of a level, rows of d bytes in one buffer."""
    k, at, end, n = natural(level, "level"), natural(start, "start"), natural(stop, "stop"), len(nodes)
    if nodes._spec.odd != "heap":
        there = n >> k if k < 64 else 0
    else:
        there = n if k == 0 else max(n - 1, 0) if k == 1 else 0
        if k == 1 and n:
            nodes._close(n)
    if at > end:
        raise BoundsError(f"start {at} is above stop {end}")
    if end > there:
        raise BoundsError(f"stop {end} is above the {there} complete nodes of level {min(k, 64)}")
    return memoryview(b"".join(nodes._levels[k][at:end] if at < end else ()))


def same_leaves(one: Nodes, other: Nodes) -> bool:
    """Whether two trees hold the same leaf hashes."""
    n = len(one)
    return n == len(other) and one._levels[0][:n] == other._levels[0][:n]
