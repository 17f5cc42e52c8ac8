"""Where the nodes of a proof stand. Integers only: plan here, fetch anywhere, then ``from_path``.

A node id is (level, index): level 0 holds the leaf hashes, and node i of level k stands over leaves
[i << k, (i + 1) << k). Of a tree of ``size`` leaves level k has ceil(size / 2^k) nodes. The last of them may
stand over fewer leaves than 2^k: it is incomplete, changes as the tree grows, and is not stored; it is
computed from the complete nodes that ``covering_nodes`` lists.

How a level with an odd count is closed is the profile's ``odd``: the lone node rises ("split", RFC 6962), is
paired with itself ("duplicate", Bitcoin) or with a zero subtree ("pad", SSZ), or is hashed alone ("rehash",
FISCO BCOS 3).

A heap (OpenZeppelin) has no levels but a queue Q of 2 size - 1 nodes: Q[0] to Q[size - 1] are the leaves in
their order, Q[size + m] stands over Q[2 m + 1], its left child, and Q[2 m], and the last one is the root; in
the library's own array it is at 2 size - 2 - q. There (0, i) is the leaf hash of leaf i and (1, m) the inner
node Q[size + m]. All of them depend on the size: none is complete in the sense above.
"""

from __future__ import annotations

from merklecore._text import shown
from merklecore.errors import BoundsError, InputError
from merklecore.tree.arguments import integer, natural
from merklecore.tree.plans import ODDS, consistency_nodes, multi_nodes, range_nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import SupportsIndex

__all__ = [
    "consistency_nodes",
    "covering_nodes",
    "depth",
    "inclusion_nodes",
    "is_complete",
    "multi_nodes",
    "range_nodes",
]


def depth(size: SupportsIndex, limit: SupportsIndex | None = None) -> int:
    """Return the levels above the leaves of a tree of ``size`` leaves, or those that ``limit`` asks for.

    Of a heap it is the most that stand above a leaf; some have one less.
    BoundsError for a size below 1, InputError for a size above the limit.

    >>> depth(1), depth(5), depth(5, limit=1024)
    (0, 3, 10)
    """
    n = natural(size, "size")
    if n == 0:
        raise BoundsError("size 0: an empty tree has no levels")
    if limit is None:
        return (n - 1).bit_length()
    most = integer(limit, "limit")
    if n > most:
        raise InputError(f"size: {n} where the limit is {shown(most)}")
    return (most - 1).bit_length()


def inclusion_nodes(
    index: SupportsIndex, size: SupportsIndex, odd: str = "split", limit: SupportsIndex | None = None
) -> list[tuple[int, int]]:
    """Return the ids of the nodes on an inclusion path, leaf to root: (level, index) of each hash.

    With odd="split" they are the siblings of RFC 6962 section 2.1.1; where a lone node rises there is none,
    nor where it is hashed alone ("rehash"). With "heap" ids are (0, leaf) and (1, inner node), see above.
    With "duplicate" a lone node's id is its own; with "pad" ids beyond the last node are zero subtrees, and
    with ``limit`` the path goes on to the depth of the limit. BoundsError unless index < size; InputError for
    another ``odd``, or a ``limit`` without "pad".

    >>> inclusion_nodes(4, 7)
    [(0, 5), (1, 3), (2, 0)]
    >>> inclusion_nodes(6, 7)
    [(1, 2), (2, 0)]
    >>> inclusion_nodes(6, 7, "duplicate")
    [(0, 6), (1, 2), (2, 0)]
    >>> inclusion_nodes(4, 7, "heap"), inclusion_nodes(0, 7, "heap")
    ([(0, 5), (1, 1), (1, 3)], [(0, 1), (0, 6), (1, 4)])
    """
    i, n = natural(index, "index"), natural(size, "size")
    if i >= n:
        raise BoundsError(f"index {i} is not below size {n}")
    if not isinstance(odd, str):
        raise TypeError(f"odd: a str is needed, not {type(odd).__name__}")
    if odd not in ODDS:
        raise InputError(f"odd: {odd!r} is none of {', '.join(ODDS)}")
    if limit is not None and odd != "pad":
        raise InputError("limit: only a padded tree (odd='pad') has one")
    nodes = []
    if odd == "heap":
        while i < 2 * n - 2:  # the root of the queue
            nodes.append((0, i ^ 1) if i ^ 1 < n else (1, (i ^ 1) - n))
            i = n + i // 2
        return nodes
    for level in range(depth(n, limit)):
        at, last = i >> level, (n - 1) >> level
        if at ^ 1 <= last or odd == "pad":
            nodes.append((level, at ^ 1))
        elif odd == "duplicate":
            nodes.append((level, at))
    return nodes


def is_complete(level: SupportsIndex, index: SupportsIndex, size: SupportsIndex) -> bool:
    """Tell whether a node stands over 2^level leaves of a tree of ``size``, and so never changes.

    BoundsError for a negative number, or a level above 64.

    >>> is_complete(1, 2, 7), is_complete(1, 3, 7)
    (True, False)
    """
    k, i, n = natural(level, "level"), natural(index, "index"), natural(size, "size")
    if k > 64:
        raise BoundsError(f"level {k} is not between 0 and 64")
    return (i + 1) << k <= n


def covering_nodes(start: SupportsIndex, stop: SupportsIndex) -> list[tuple[int, int]]:
    """Return the fewest complete nodes that stand over leaves [start, stop), left to right.

    For [0, size) they are the peaks of the tree, and under RFC 6962 the root is their fold from the right:
    H(peak, H(peak, ... H(peak, peak))). The same gives an incomplete node of level k from [index << k, size).
    BoundsError unless start <= stop.

    >>> covering_nodes(0, 7)
    [(2, 0), (1, 2), (0, 6)]
    >>> covering_nodes(3, 8)
    [(0, 3), (2, 1)]
    """
    at, end = natural(start, "start"), natural(stop, "stop")
    if at > end:
        raise BoundsError(f"start {at} is above stop {end}")
    nodes = []
    while at < end:
        level = (end - at).bit_length() - 1
        if at:
            level = min(level, (at & -at).bit_length() - 1)
        nodes.append((level, at >> level))
        at += 1 << level
    return nodes
