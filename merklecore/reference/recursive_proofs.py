"""Which nodes proofs need, as definitions say it: oracles of the tests, beside ``recursive``.

Nothing here is fast, and nothing is shared with the trees and proofs of the library.
"""

from __future__ import annotations

from merklecore.reference.recursive import rfc6962_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["fewest_heap_nodes", "fewest_nodes", "rfc6962_consistency"]


def _split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def rfc6962_consistency(m: int, D: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """PROOF(m, D[n]), RFC 6962 section 2.1.2, RFC 9162 section 2.1.4.1, for 0 < m <= n.

    >>> len(rfc6962_consistency(3, (b"",) * 7)), rfc6962_consistency(7, (b"",) * 7)
    (4, ())
    """
    return _subproof(m, D, True)


def _subproof(m: int, D: tuple[bytes, ...], b: bool) -> tuple[bytes, ...]:
    n = len(D)
    if m == n:
        return () if b else (rfc6962_root(D),)
    k = _split(n)
    if m <= k:
        return (*_subproof(m, D[:k], b), rfc6962_root(D[k:]))
    return (*_subproof(m - k, D[k:], False), rfc6962_root(D[:k]))


def fewest_nodes(indices: Collection[int], size: int) -> list[tuple[int, int]]:
    """The nodes (level, index) that the root needs besides some leaves, by level and then by index.

    Those over none of the leaves whose sibling is over one, where level k has ceil(size / 2^k) nodes.

    >>> fewest_nodes([0, 1, 3], 5)
    [(0, 2), (2, 1)]
    """
    found, k, known = [], 0, set(indices)
    while (width := -(-size // 2**k)) > 1:
        found += [(k, i) for i in range(width) if i not in known and i ^ 1 in known]
        known = {i // 2 for i in known}
        k += 1
    return found


def fewest_heap_nodes(indices: Collection[int], size: int) -> list[int]:
    """The same of a heap: positions in its array of 2 size - 1 nodes, the last one first.

    Leaf i is at 2 size - 2 - i, and node p has the children 2 p + 1 and 2 p + 2.

    >>> fewest_heap_nodes([0, 1, 3], 5)
    [6, 4]
    """
    known = {2 * size - 2 - i for i in indices}
    for p in range(2 * size - 2, 0, -1):
        if p in known:
            known.add((p - 1) // 2)
    siblings = {p + 1 if p % 2 else p - 1 for p in known if p > 0}
    return sorted(siblings - known, reverse=True)
