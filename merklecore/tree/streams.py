"""Leaves that come one after the other, taken in batches of bounded size."""

from __future__ import annotations

import sys
from itertools import islice

from merklecore import _backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TypeGuard

    from merklecore.hashing import Data
    from merklecore.tree.profiles import Profile

__all__ = ["batches", "gathered", "is_stream", "named", "place", "root"]

MOST_LEAVES = 1 << 14  # of a batch
MOST_BYTES = 1 << 23  # of a batch, as near as the one before it tells
FIRST = 64  # leaves, before anything is known of their length
KEPT = (list, tuple, bytes, bytearray, memoryview)
UNORDERED = (str, set, frozenset, dict)  # that have an order of their own, or items that are no leaves


def is_stream(leaves: Any) -> TypeGuard[Iterable[Data]]:
    """Tell whether leaves have to be taken one by one: an iterable that no backend takes as a whole.

    >>> is_stream(iter([b"a"])), is_stream([b"a"]), is_stream("text")
    (True, False, False)
    """
    kind = type(leaves)
    # what most leaves stand in, told at once: all the rest takes longer than the root of a small tree should
    if kind in KEPT or kind is getattr(sys.modules.get("numpy"), "ndarray", None):
        return False
    if isinstance(leaves, (*KEPT, *UNORDERED)) or not hasattr(leaves, "__iter__"):
        return False
    if hasattr(leaves, "__arrow_c_array__") or hasattr(leaves, "__arrow_c_stream__"):
        return False
    try:
        memoryview(leaves)
    except TypeError:
        return True
    except (BufferError, ValueError):
        pass
    return False


def batches(
    leaves: Iterable[Data], most: int = MOST_LEAVES, most_bytes: int = MOST_BYTES
) -> Iterator[list[Data]]:
    """Cut a stream into lists of 2^k leaves, aligned, but for the last; they grow with what was read.

    >>> [len(batch) for batch in batches(bytes(32) for _ in range(1000))]
    [64, 64, 128, 256, 488]
    """
    source, count, done = iter(leaves), min(FIRST, most), 0
    while batch := list(islice(source, count)):
        try:
            mean = sum(map(len, batch)) // len(batch) + 1  # type: ignore[arg-type]  # not every buffer has one
        except TypeError:  # no bytes: whoever takes the batch says so
            mean = 1
        yield batch
        done += len(batch)
        count = min(most, max(1, most_bytes // mean), done & -done)
        count = 1 << count.bit_length() - 1


def place(done: int) -> str:
    """Name what a message calls the leaves of a batch: ``leaves[64:][3]`` is the leaf 67 of the stream.

    >>> place(0), place(64)
    ('leaves', 'leaves[64:]')
    """
    return f"leaves[{done}:]" if done else "leaves"


def named(found: Iterable[list[Data]]) -> Iterator[tuple[list[Data], str]]:
    """Return batches with what messages call their leaves.

    >>> [what for _, what in named([[b"a", b"b"], [b"c"]])]
    ['leaves', 'leaves[2:]']
    """
    done = 0
    for batch in found:
        yield batch, place(done)
        done += len(batch)


def gathered(profile: Profile, leaves: Iterable[Data], hashed: bool, threads: Any) -> bytes:
    """Return the leaf hashes of a stream, d bytes each."""
    found, done = bytearray(), 0
    for batch in batches(leaves):
        found += _backend.leaf_hashes(profile.spec, batch, hashed, threads, what=place(done)).tobytes()
        done += len(batch)
    return bytes(found)


def root(profile: Profile, leaves: Iterable[Data], hashed: bool, threads: Any) -> bytes:
    """Return the root over a stream, in memory that does not grow with it, unless the leaves make a heap."""
    if profile.odd == "heap":
        return _backend.root(profile.spec, gathered(profile, leaves, hashed, threads), True, threads)
    found = _backend.Range(profile.spec)
    for batch in batches(leaves):
        found.extend(batch, hashed, threads, what=place(found.size))
    return found.root()
