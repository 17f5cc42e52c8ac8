"""Where the nodes of multiproofs, ranges and consistency proofs stand: integers only, part of geometry."""

from __future__ import annotations

from merklecore.errors import BoundsError, InputError
from merklecore.tree.arguments import natural

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import SupportsIndex

__all__ = ["consistency_nodes", "multi_nodes", "range_nodes"]

ODDS = ("split", "duplicate", "pad", "rehash", "heap")


def multi_nodes(
    indices: Iterable[SupportsIndex],
    size: SupportsIndex,
    odd: str = "split",
) -> list[tuple[int, int]]:
    """Return the ids of the hashes of a multiproof, in its order: by level, and in each by index.

    They are the nodes over none of the leaves whose siblings are over one. What a verifier computes himself
    where a level is odd is not among them, so that the rules but "heap" have the same; there ids are
    (0, leaf) and (1, inner node), in the order in which the heap is hashed. InputError for no indices, ones
    that do not ascend strictly, or another ``odd``; BoundsError for one that is not below the size.

    >>> multi_nodes([0, 1, 3], 5)
    [(0, 2), (2, 1)]
    >>> multi_nodes([0, 1, 3], 5, "heap")
    [(0, 2), (0, 4)]
    """
    n = natural(size, "size")
    places = [natural(index, f"indices[{i}]") for i, index in enumerate(indices)]
    if not places:
        raise InputError("indices: none, and a proof of no leaves would prove nothing")
    for i, index in enumerate(places):
        if index >= n:
            raise BoundsError(f"indices[{i}]: index {index} is not below size {n}")
        if i and index <= places[i - 1]:
            raise InputError(f"indices[{i}]: {index} is not above the one before it, {places[i - 1]}")
    if not isinstance(odd, str):
        raise TypeError(f"odd: a str is needed, not {type(odd).__name__}")
    if odd not in ODDS:
        raise InputError(f"odd: {odd!r} is none of {', '.join(ODDS)}")
    return _in_heap(places, n) if odd == "heap" else _by_level(places, n)


def _by_level(places: Sequence[int], size: int) -> list[tuple[int, int]]:
    nodes, level = [], 0
    while (last := size - 1 >> level) > 0:
        known = set(places)
        nodes += [(level, at ^ 1) for at in places if at ^ 1 not in known and at ^ 1 <= last]
        places = sorted({at >> 1 for at in places})
        level += 1
    return nodes


def _in_heap(places: list[int], size: int) -> list[tuple[int, int]]:
    nodes, head = [], 0
    while places[head] < 2 * size - 2:  # a queue, whose last node is the root
        at = places[head]
        head += 1
        if at % 2 == 0 and places[head : head + 1] == [at + 1]:
            head += 1
        else:
            nodes.append((0, at ^ 1) if at ^ 1 < size else (1, (at ^ 1) - size))
        places.append(size + at // 2)
    return nodes


def range_nodes(
    start: SupportsIndex, stop: SupportsIndex, size: SupportsIndex, odd: str = "split"
) -> list[tuple[int, int]]:
    """Return the ids of the hashes of a range proof of the leaves [start, stop), in its order.

    Those of ``multi_nodes``, at most two a level. BoundsError for a stop above the size, InputError for an
    empty range or another ``odd``.

    >>> range_nodes(1, 4, 5)
    [(0, 0), (2, 1)]
    """
    first, end, n = natural(start, "start"), natural(stop, "stop"), natural(size, "size")
    if end > n:
        raise BoundsError(f"stop {end} is above size {n}")
    if odd not in ODDS or first >= end:
        return multi_nodes(range(first, end)[:1], n, odd)  # it says what is wrong
    if odd == "heap":
        return _range_in_heap(first, end - 1, n)
    nodes, last = [], end - 1
    for level in range((n - 1).bit_length()):
        if first & 1:
            nodes.append((level, first - 1))
        if not last & 1 and last < n - 1 >> level:
            nodes.append((level, last + 1))
        first, last = first >> 1, last >> 1
    return nodes


def _range_in_heap(first: int, last: int, size: int) -> list[tuple[int, int]]:
    """Parents of neighbours in the queue are neighbours, and may follow their children at once."""
    places, met = [], 0  # where the nodes known before these end
    while True:
        if first & 1 and first != met:
            places.append(first - 1)
        if last == 2 * size - 2:  # the root
            return [(0, at) if at < size else (1, at - size) for at in places]
        met, first = last + 1, max(size + first // 2, last + 1)
        if not last & 1 and first != met:
            places.append(last + 1)
        last = size + last // 2


def consistency_nodes(old_size: SupportsIndex, new_size: SupportsIndex) -> list[tuple[int, int]]:
    """Return the ids of the hashes of a consistency proof (RFC 6962 section 2.1.2), in its order.

    BoundsError unless 0 < old_size <= new_size.

    >>> consistency_nodes(3, 7)
    [(0, 2), (0, 3), (1, 0), (2, 1)]
    >>> consistency_nodes(4, 7), consistency_nodes(7, 7)
    ([(2, 1)], [])
    """
    old, new = natural(old_size, "old_size"), natural(new_size, "new_size")
    if old == 0:
        raise BoundsError("old_size 0: every tree is consistent with an empty one, and nothing proves it")
    if old > new:
        raise BoundsError(f"old_size {old} is above the new size {new}")
    if old == new:
        return []
    level = (old & -old).bit_length() - 1  # of the perfect subtree that the old tree ends with
    at = (old >> level) - 1
    nodes = [(level, at)] if at else []  # alone it is the old tree, whose root is known
    while (last := new - 1 >> level) > 0:
        if at & 1:
            nodes.append((level, at - 1))
        elif at < last:
            nodes.append((level, at + 1))
        at, level = at >> 1, level + 1
    return nodes
