"""What trees that change and streams of leaves must reach: RFC 6962, 2^20 leaves of 32 bytes, one thread."""

from __future__ import annotations

from functools import partial

import workloads
from race import Line, each, race

import merklecore as mc
from merklecore import _backend

SIZE = 1 << 20
CHANGED = 10_000
APPENDED = 1 << 14


def touched(indices: list[int]) -> int:
    """Nodes above the leaves that some changed leaf stands under, the root among them."""
    found, level = 0, set(indices)
    for _ in range(SIZE.bit_length() - 1):
        level = {index >> 1 for index in level}
        found += len(level)
    return found


def changes() -> list[Line]:
    """Random leaves replaced: beside the tree built anew, and beside the hashing alone, in lanes."""
    leaves, fresh = workloads.rows(SIZE, 32), workloads.rows(CHANGED, 32)
    indices = list(dict.fromkeys(workloads.indices(CHANGED + 200, SIZE)))[:CHANGED]
    tree, out = mc.MerkleTree(leaves, threads=1), workloads.empty(CHANGED, 32)
    above = workloads.rows(2 * touched(indices), 32)
    parents = workloads.empty(len(above) // 2, 32)

    def hashing() -> None:
        mc.hash_many(fresh, prefix=b"\x00", threads=1, out=out)
        mc.hash_pairs(above, prefix=b"\x01", threads=1, out=parents)

    best = race(
        {
            "update": each(partial(_backend.update, tree._nodes, indices, fresh, threads=1)),
            "hashing": each(hashing),
            "rebuild": each(lambda: mc.MerkleTree(leaves, threads=1)),
        },
        seconds=3,
    )
    what = "update, 10^4 of 2^20 leaves"
    return [
        Line(what, best["update"], "batch", "MerkleTree(leaves)", best["rebuild"], 10, True),
        Line(what, best["update"], "batch", "its hashing", best["hashing"], 1.5),
        Line("memory of 2^20 leaves", tree.nbytes / SIZE, "leaf", "required", 66, 1, measure="B"),
    ]


def streams() -> list[Line]:
    """One leaf more and the root, again and again, from an empty tree and onto a large one."""
    leaves = workloads.items(workloads.rows(APPENDED, 32))

    def grow(made: mc.MerkleTree | mc.CompactRange) -> None:
        append = made.append
        for leaf in leaves:
            append(leaf)
            made.root  # noqa: B018 - it is computed here

    large = mc.MerkleTree(workloads.rows(SIZE, 32))
    best = race(
        {
            "tree": each(lambda: grow(mc.MerkleTree()), APPENDED),
            "large tree": each(lambda: grow(large), APPENDED),
            "range": each(lambda: grow(mc.CompactRange()), APPENDED),
        },
        seconds=2,
    )
    return [
        Line("append and root, MerkleTree", best["tree"], "leaf", "required time", 3000, 1),
        Line("append and root, 2^20 leaves", best["large tree"], "leaf", "required time", 3000, 1),
        Line("append and root, CompactRange", best["range"], "leaf", "required time", 3000, 1),
    ]
