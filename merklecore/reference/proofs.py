"""Proofs: made from kept levels, and folded to the root that they lead to."""

from __future__ import annotations

from struct import pack, unpack

from merklecore.errors import BoundsError, InputError, ProofError
from merklecore.reference.hashing import check_kernel
from merklecore.reference.inputs import Rows, contiguous, natural, naturals
from merklecore.reference.trees import one_leaf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, SupportsIndex

    from numpy import uint8
    from numpy.typing import NDArray

    from merklecore.reference.inputs import Bytes, Data, Messages
    from merklecore.reference.trees import Nodes, Spec

__all__ = [
    "consistency",
    "fetch",
    "fold",
    "fold_consistency",
    "fold_many",
    "fold_to",
    "path",
    "paths",
    "sized",
    "split",
]

LARGEST_HEAP = 1 << 63


# ---- one leaf ----------------------------------------------------------------------------------------------


def siblings(spec: Spec, index: int, size: int) -> list[tuple[int, int, str]]:
    """List what a leaf meets on its way to the root: level and index of the sibling, and what it is.

    "left" and "right" are nodes of the tree; a lone node has none where it rises (RFC 6962), meets a "copy"
    of itself (Bitcoin) or a "zero" subtree (SSZ), or is hashed "alone" (FISCO BCOS), which takes no hash.
    """
    if spec.odd == "heap":
        return _heap_siblings(index, size)
    found = []
    for k in range(max((size - 1).bit_length(), spec.depth)):
        at = index >> k
        if at & 1:
            found.append((k, at - 1, "left"))
        elif at < size - 1 >> k:
            found.append((k, at + 1, "right"))
        elif spec.odd == "duplicate":
            found.append((k, at, "copy"))
        elif spec.odd != "split":
            found.append((k, at + 1, "zero" if spec.odd == "pad" else "alone"))
    return found


def _heap_siblings(index: int, size: int) -> list[tuple[int, int, str]]:
    """The same of a heap, whose nodes are hashed as a queue.

    Leaves are nodes 0 to n - 1, node n + m has the children 2 m + 1 (left) and 2 m, and 2 n - 2 is the root.
    Level 0 are the leaves, level 1 all others.
    """
    found = []
    while index < 2 * size - 2:
        sibling = index ^ 1
        level, at = (0, sibling) if sibling < size else (1, sibling - size)
        found.append((level, at, "left" if sibling & 1 else "right"))
        index = size + index // 2
    return found


def fetch(nodes: Nodes, size: int) -> Any:
    """Return a function from level and index to the node, or to the zero subtree, of a tree of that size."""
    levels, spec = nodes._levels, nodes._spec
    edge = nodes._close(size)[0]
    if levels is not nodes._levels:  # another thread meanwhile
        raise BufferError("the tree was changed by another call")

    def fetched(k: int, at: int, side: str = "") -> bytes:
        if side == "zero":
            return spec._zeros[k]
        return levels[k][at] if spec.odd == "heap" or at < size >> k else edge[k]

    return fetched


def path(nodes: Nodes, index: SupportsIndex, size: SupportsIndex | None = None) -> bytes:
    """The siblings from a leaf to the root, one behind the other."""
    i, n = natural(index, "index"), nodes._size(size)
    if i >= n:
        raise BoundsError(f"index {i} is not below size {n}")
    fetched = fetch(nodes, n)
    return b"".join([fetched(*step) for step in siblings(nodes._spec, i, n) if step[2] != "alone"])


def paths(nodes: Nodes, indices: Any, size: SupportsIndex | None = None) -> tuple[bytes, NDArray[uint8]]:
    """The same for several leaves: where the rows of each begin and end, n + 1 int64, and the rows."""
    import numpy

    n = nodes._size(size)
    places = naturals(indices, "indices", -1, n, False)
    found: list[bytes] = []
    offsets = [0]
    fetched: Any = fetch(nodes, n) if places else None
    for i in places:
        found += [fetched(*step) for step in siblings(nodes._spec, i, n) if step[2] != "alone"]
        offsets.append(len(found))
    rows = numpy.frombuffer(b"".join(found), numpy.uint8).reshape(-1, nodes._spec.digest_size)
    return pack(f"={len(offsets)}q", *offsets), rows


def sized(spec: Spec, size: SupportsIndex) -> int:
    n = natural(size, "size")
    spec.admit(n)
    if spec.odd == "heap" and n > LARGEST_HEAP:
        raise BoundsError(f"size {n}: a heap has at most 2**63 leaves")
    return n


def split(spec: Spec, hashes: bytes, width: int, wanted: int, what: str, need: str) -> list[bytes]:
    """The hashes of a proof; another number than ``wanted``, or others than digests, are refused."""
    count = len(hashes) // width if width else 0
    if count != wanted:
        raise ProofError(f"the {what} has {count} hashes, {need} {wanted}")
    if count and width != spec.digest_size:
        raise ProofError(f"hash 0 of the {what} has {width} bytes, digests have {spec.digest_size}")
    return [hashes[i : i + width] for i in range(0, len(hashes), width or 1)]


def fold(
    spec: Spec,
    leaf: Data,
    path: bytes,
    width: int,
    index: SupportsIndex,
    size: SupportsIndex,
    hashed: bool = False,
    kernel: str | None = None,
) -> bytes:
    """The root that ``leaf`` and an inclusion path of hashes of ``width`` bytes lead to, at a given place."""
    check_kernel(kernel)
    at, n = natural(index, "index"), natural(size, "size")
    if at >= n:
        raise BoundsError(f"index {at} is not below size {n}")
    sized(spec, n)
    return _folded(spec, one_leaf(spec, leaf, hashed), path, width, at, n)


def fold_to(
    spec: Spec,
    root: Data,
    leaf: Data,
    path: bytes,
    width: int,
    index: SupportsIndex,
    size: SupportsIndex,
    hashed: bool = False,
    kernel: str | None = None,
) -> None:
    """Raises unless ``fold`` leads to ``root``."""
    check_kernel(kernel)
    wanted = bytes(contiguous(root, "root"))
    if len(wanted) != spec.digest_size:
        raise InputError(f"root: {len(wanted)} bytes, digests have {spec.digest_size}")
    found = fold(spec, leaf, path, width, index, size, hashed)
    if found != wanted:
        raise ProofError(f"the path leads to {found.hex()}, not to the given root {wanted.hex()}")


def _folded(spec: Spec, node: bytes, path: bytes, width: int, at: int, n: int) -> bytes:
    steps = siblings(spec, at, n)
    wanted = sum(side != "alone" for _, _, side in steps)
    hashes = iter(enumerate(split(spec, path, width, wanted, "path", f"leaf {at} of {n} needs")))
    for k, _, side in steps:
        if side == "alone":
            node = spec.lone(node)
            continue
        i, sibling = next(hashes)
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


def fold_many(
    spec: Spec,
    leaves: Messages,
    offsets: bytes,
    hashes: Data,
    width: int,
    indices: Any,
    size: SupportsIndex,
    root: Data,
    hashed: bool = False,
    kernel: str | None = None,
) -> tuple[tuple[int, ...], str]:
    """The positions of the proofs that do not lead from their leaf to ``root``, and why the first does not.

    Each is judged as ``fold`` does.
    """
    check_kernel(kernel)
    n = sized(spec, size)
    rows, wanted = Rows(leaves, "leaves", spec.width(hashed)), bytes(contiguous(root, "root"))
    if len(wanted) != spec.digest_size:
        raise InputError(f"root: {len(wanted)} bytes where {spec.digest_size} are needed")
    hashes = bytes(contiguous(hashes, "hashes"))
    bounds = unpack(f"={len(offsets) // 8}q", offsets)
    if not bounds or bounds[0] != 0 or bounds[-1] * width != len(hashes) or (width == 0 and bounds[-1]):
        raise InputError("offsets: they do not cover the hashes")
    for i in range(1, len(bounds)):
        if bounds[i] < bounds[i - 1]:
            raise InputError(f"offsets[{i}]: below the one before it")
    proofs = len(bounds) - 1
    if rows.n != proofs:
        raise InputError(f"leaves: {rows.n} where there are {proofs} proofs")
    places = naturals(indices, "indices", proofs, n, False)
    if not places:
        raise InputError("indices: none, and a proof of no leaves would prove nothing")
    level = spec.leaf_hashes(rows.block(0, rows.n), hashed)
    failed, reason = [], ""
    for i, at in enumerate(places):
        own = hashes[bounds[i] * width : bounds[i + 1] * width]
        try:
            found = _folded(spec, level[i], own, width, at, n)
            if found == wanted:
                continue
            why = f"the path leads to {found.hex()}, not to the given root {wanted.hex()}"
        except ProofError as error:
            why = str(error)
        reason = reason or why
        failed.append(i)
    return tuple(failed), reason


# ---- consistency -------------------------------------------------------------------------------------------


def _consistency_steps(old: int, size: int) -> tuple[tuple[int, int], list[tuple[int, int, str]]]:
    """The last perfect subtree of the old tree, and what it meets on its way to the new root."""
    level = (old & -old).bit_length() - 1
    first = (old >> level) - 1
    steps = []
    if old < size:
        for k in range(level, (size - 1).bit_length()):
            at = first >> k - level
            if at & 1:
                steps.append((k, at - 1, "left"))
            elif at < size - 1 >> k:
                steps.append((k, at + 1, "right"))
    return (level, first), steps


def _must_split(spec: Spec) -> None:
    if spec.odd != "split":
        raise InputError("consistency: only a profile that splits (odd='split') has proofs of it")


def _old_size(old_size: SupportsIndex, size: int) -> int:
    old = natural(old_size, "old_size")
    if old == 0:
        raise BoundsError("old_size 0: every tree is consistent with an empty one, and nothing proves it")
    if old > size:
        raise BoundsError(f"old_size {old} is above the new size {size}")
    return old


def consistency(nodes: Nodes, old_size: SupportsIndex, size: SupportsIndex | None = None) -> bytes:
    """PROOF(old_size, D[size]) of RFC 6962 section 2.1.2."""
    _must_split(nodes._spec)
    n = nodes._size(size)
    old = _old_size(old_size, n)
    first, steps = _consistency_steps(old, n)
    fetched = fetch(nodes, n)
    found = [fetched(*first)] if first[1] and steps else []
    return b"".join([*found, *(fetched(*step) for step in steps)])


def fold_consistency(
    spec: Spec, hashes: bytes, width: int, old_size: SupportsIndex, size: SupportsIndex, old_root: Data
) -> tuple[bytes, bytes]:
    """The roots of the old and the new tree that a consistency proof leads to."""
    _must_split(spec)
    n = sized(spec, size)
    old = _old_size(old_size, n)
    known: Bytes = contiguous(old_root, "old_root")
    if len(known) != spec.digest_size:
        raise InputError(f"old_root: {len(known)} bytes where {spec.digest_size} are needed")
    first, steps = _consistency_steps(old, n)
    given = first[1] > 0 and bool(steps)
    rest = iter(split(spec, hashes, width, len(steps) + given, "proof", f"{old} leaves and {n} need"))
    before = after = next(rest) if given else bytes(known)
    for _, _, side in steps:
        sibling = next(rest)
        if side == "left":
            before, after = spec.parents((sibling, before, sibling, after))
        else:
            after = spec.parents((after, sibling))[0]
    return before, after
