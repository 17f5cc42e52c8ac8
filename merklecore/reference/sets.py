"""Proofs of several leaves at once: made from kept levels, and folded to the root that they lead to."""

from __future__ import annotations

from merklecore.errors import BoundsError, InputError, ProofError
from merklecore.reference.hashing import check_kernel
from merklecore.reference.inputs import Rows, natural, naturals
from merklecore.reference.proofs import fetch, sized, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, SupportsIndex

    from merklecore.reference.inputs import Messages
    from merklecore.reference.trees import Nodes, Spec

__all__ = ["fold_set", "rounds", "set_flags", "set_hashes"]


def rounds(spec: Spec, places: Sequence[int], size: int) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """List, level by level, what the nodes over several leaves meet: each node's index, and its sibling.

    To the words of ``siblings`` come "known", where the node to the right is one of them too and they are one
    pair, and "rises". In a heap, which is a queue, each round has one pair and nodes are those of the queue.
    """
    if spec.odd == "heap":
        yield from _heap_rounds(list(places), size)
        return
    front = list(places)
    for k in range(max((size - 1).bit_length(), spec.depth)):
        met, i = [], 0
        while i < len(front):
            at = front[i]
            if not at & 1 and front[i + 1 : i + 2] == [at + 1]:
                met.append((at, "known"))
                i += 1
            elif at & 1:
                met.append((at, "left"))
            elif at < size - 1 >> k:
                met.append((at, "right"))
            else:
                lone = {"split": "rises", "duplicate": "copy", "pad": "zero", "rehash": "alone"}
                met.append((at, lone[spec.odd]))
            i += 1
        front = [at >> 1 for at, _ in met]
        yield k, met


def _heap_rounds(queue: list[int], size: int) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    head = 0
    while queue[head] < 2 * size - 2:
        at = queue[head]
        head += 1
        if not at & 1 and queue[head : head + 1] == [at + 1]:
            head += 1
            side = "known"
        else:
            side = "right" if at & 1 else "left"
        queue.append(size + at // 2)
        yield 0, [(at, side)]


def set_hashes(nodes: Nodes, indices: Any, size: SupportsIndex | None = None, leaves: bool = False) -> bytes:
    """The fewest hashes that lead from several leaves, ascending, to the root: by level, then by index.

    With ``leaves``, those at the indices come first.
    """
    n, spec = nodes._size(size), nodes._spec
    places = naturals(indices, "indices", -1, n, True)
    fetched: Any = fetch(nodes, n)
    found = [fetched(0, i) for i in places] if leaves else []
    for k, met in rounds(spec, places, n):
        for at, side in met:
            if side in ("left", "right"):
                inner = spec.odd == "heap" and at ^ 1 >= n
                found.append(fetched(1, (at ^ 1) - n) if inner else fetched(k, at ^ 1))
    return b"".join(found)


def set_flags(spec: Spec, indices: Any, size: SupportsIndex) -> bytes:
    """Of each pair of siblings on the way from several leaves, in order: 1 where both are known."""
    n = sized(spec, size)
    places = naturals(indices, "indices", -1, n, True)
    return bytes([side == "known" for _, met in rounds(spec, places, n) for _, side in met])


def _contiguous(start: int, count: int, size: int) -> range:
    if count == 0:
        raise InputError("leaves: none, and a proof of no leaves would prove nothing")
    natural(start, "start")
    if start + count > size:
        raise BoundsError(f"start {start}: {count} leaves from there go beyond size {size}")
    return range(start, start + count)


def fold_set(
    spec: Spec,
    leaves: Messages,
    hashes: bytes,
    width: int,
    indices: Any,
    size: SupportsIndex,
    hashed: bool = False,
    kernel: str | None = None,
) -> bytes:
    """The root that several leaves and the hashes of ``set_hashes`` lead to; ``indices`` may be the first."""
    check_kernel(kernel)
    n, rows = sized(spec, size), Rows(leaves, "leaves", spec.width(hashed))
    if isinstance(indices, int):
        indices = _contiguous(indices, rows.n, n)
    places = naturals(indices, "indices", rows.n, n, True)
    plan = list(rounds(spec, places, n))
    wanted = sum(side in ("left", "right") for _, met in plan for _, side in met)
    need = f"these {len(places)} leaves of {n} need"
    rest = iter(split(spec, hashes, width, wanted, "proof", need))
    front = iter(spec.leaf_hashes(rows.block(0, rows.n), hashed))
    if spec.odd == "heap":
        return _fold_heap(spec, [met[0][1] for _, met in plan], list(front), rest)
    for k, met in plan:
        above = []
        for at, side in met:
            node = next(front)
            if side == "rises":
                above.append(node)
            elif side == "alone":
                above.append(spec.lone(node))
            else:
                above.append(_parent(spec, k, at, side, node, front, rest))
        front = iter(above)
    return next(front)


def _parent(
    spec: Spec, k: int, at: int, side: str, node: bytes, front: Iterator[bytes], rest: Iterator[bytes]
) -> bytes:
    if side == "copy":
        sibling = node
    elif side == "zero":
        sibling = spec._zeros[k]
    else:
        sibling = next(front if side == "known" else rest)
        if spec.odd == "duplicate" and sibling == node:
            raise ProofError(
                f"nodes {at & -2} and {at | 1} of level {k} are siblings and equal (CVE-2012-2459)"
            )
    return spec.parents((sibling, node) if side == "left" else (node, sibling))[0]


def _fold_heap(spec: Spec, sides: list[str], queue: list[bytes], rest: Iterator[bytes]) -> bytes:
    head = 0
    for side in sides:
        node = queue[head]
        head += 1
        if side == "known":
            sibling = queue[head]
            head += 1
        else:
            sibling = next(rest)
        queue += spec.parents((node, sibling) if side == "right" else (sibling, node))
    return queue[head]
