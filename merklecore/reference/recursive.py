"""Roots and inclusion paths as the standards define them, by recursion over the leaves.

Oracles of the tests: nothing here is fast, and nothing is shared with the trees and proofs of the library.
Leaves are tuples of bytes. What was computed for a tuple is remembered, for otherwise comparing every path of
every size would take hours.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Hash = Callable[[bytes], bytes]

__all__ = [
    "bitcoin_mutated",
    "bitcoin_path",
    "bitcoin_root",
    "chainmaker_path",
    "chainmaker_root",
    "fisco_path",
    "fisco_root",
    "heap_path",
    "heap_root",
    "rfc6962_path",
    "rfc6962_root",
    "ssz_path",
    "ssz_root",
]


def _sha256(data: bytes) -> bytes:
    return sha256(data).digest()


def _sha256d(data: bytes) -> bytes:
    return _sha256(_sha256(data))


def _hash(*parts: bytes) -> bytes:
    return _sha256(b"".join(parts))


# ---- RFC 6962 section 2.1, RFC 9162 section 2.1 ------------------------------------------------------------


def _split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


@lru_cache(maxsize=1 << 17)
def rfc6962_root(D: tuple[bytes, ...], hash_of: Hash = _sha256) -> bytes:
    """MTH(D[n]), section 2.1.

    >>> rfc6962_root(()).hex()[:16]
    'e3b0c44298fc1c14'
    """
    n = len(D)
    if n == 0:
        return hash_of(b"")
    if n == 1:
        return hash_of(b"\x00" + D[0])
    k = _split(n)
    return hash_of(b"\x01" + rfc6962_root(D[:k], hash_of) + rfc6962_root(D[k:], hash_of))


def rfc6962_path(m: int, D: tuple[bytes, ...], hash_of: Hash = _sha256) -> tuple[bytes, ...]:
    """PATH(m, D[n]), RFC 6962 section 2.1.1, RFC 9162 section 2.1.3.1.

    >>> len(rfc6962_path(6, (b"",) * 7))
    2
    """
    n = len(D)
    if n == 1:
        return ()
    k = _split(n)
    if m < k:
        return (*rfc6962_path(m, D[:k], hash_of), rfc6962_root(D[k:], hash_of))
    return (*rfc6962_path(m - k, D[k:], hash_of), rfc6962_root(D[:k], hash_of))


# ---- Bitcoin: a level of odd length repeats its last node --------------------------------------------------


@lru_cache(maxsize=1 << 17)
def _bitcoin_above(level: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if len(level) % 2:
        level += level[-1:]
    return tuple(_sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2))


def bitcoin_root(level: tuple[bytes, ...]) -> bytes:
    """The Merkle root over the transaction ids of a block.

    >>> bitcoin_root((b"id" * 16,)) == b"id" * 16
    True
    """
    if not level:
        return bytes(32)
    return level[0] if len(level) == 1 else bitcoin_root(_bitcoin_above(level))


def bitcoin_path(m: int, level: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The siblings of id m, a lone node being its own.

    >>> bitcoin_path(2, (b"a" * 32, b"b" * 32, b"c" * 32))[0] == b"c" * 32
    True
    """
    if len(level) == 1:
        return ()
    sibling = level[min(m ^ 1, len(level) - 1)]
    return (sibling, *bitcoin_path(m // 2, _bitcoin_above(level)))


def bitcoin_mutated(level: tuple[bytes, ...]) -> bool:
    """Whether two equal siblings meet before any duplication (CVE-2012-2459).

    >>> bitcoin_mutated((b"a" * 32, b"a" * 32)), bitcoin_mutated((b"a" * 32,))
    (True, False)
    """
    if len(level) <= 1:
        return False
    met = any(level[i] == level[i + 1] for i in range(0, len(level) - 1, 2))
    return met or bitcoin_mutated(_bitcoin_above(level))


# ---- SSZ, simple-serialize.md of the Ethereum consensus specifications: merkleize(chunks, limit) -----------


def _depth(count: int) -> int:
    """The height of a tree over next_pow_of_two(count) chunks."""
    depth = 0
    while 1 << depth < count:
        depth += 1
    return depth


@lru_cache(maxsize=1 << 17)
def _ssz_subtree(chunks: tuple[bytes, ...], depth: int) -> bytes:
    """The root over 2^depth chunks, of which those after the given ones are zero."""
    if depth == 0:
        return chunks[0] if chunks else bytes(32)
    half = 1 << (depth - 1)
    return _hash(_ssz_subtree(chunks[:half], depth - 1), _ssz_subtree(chunks[half:], depth - 1))


def ssz_root(chunks: tuple[bytes, ...], limit: int | None = None) -> bytes:
    """merkleize(chunks, limit).

    >>> ssz_root(()) == bytes(32)
    True
    """
    return _ssz_subtree(chunks, _depth(max(len(chunks), 1) if limit is None else limit))


def ssz_path(m: int, chunks: tuple[bytes, ...], limit: int | None = None) -> tuple[bytes, ...]:
    """The siblings of chunk m.

    >>> ssz_path(0, (b"a" * 32,), limit=2) == (bytes(32),)
    True
    """
    return _ssz_siblings(m, chunks, _depth(len(chunks) if limit is None else limit))


def _ssz_siblings(m: int, chunks: tuple[bytes, ...], depth: int) -> tuple[bytes, ...]:
    if depth == 0:
        return ()
    half = 1 << (depth - 1)
    left, right = chunks[:half], chunks[half:]
    if m < half:
        return (*_ssz_siblings(m, left, depth - 1), _ssz_subtree(right, depth - 1))
    return (*_ssz_siblings(m - half, right, depth - 1), _ssz_subtree(left, depth - 1))


# ---- FISCO BCOS 3: each level from the hashes of two neighbours, the last of which may be one --------------


@lru_cache(maxsize=1 << 17)
def _fisco_above(level: tuple[bytes, ...], hash_of: Hash, sort_pairs: bool) -> tuple[bytes, ...]:
    groups = [level[i : i + 2] for i in range(0, len(level), 2)]
    return tuple(hash_of(b"".join(sorted(group) if sort_pairs else group)) for group in groups)


def fisco_root(level: tuple[bytes, ...], hash_of: Hash, sort_pairs: bool = False) -> bytes:
    """The root over transaction hashes, Merkle.h: generateMerkle with the width 2.

    >>> fisco_root((b"a", b"b", b"c"), lambda data: b"<" + data + b">")
    b'<<ab><c>>'
    """
    if not level:
        return bytes(32)
    if len(level) == 1:
        return level[0]
    return fisco_root(_fisco_above(level, hash_of, sort_pairs), hash_of, sort_pairs)


def fisco_path(
    m: int, level: tuple[bytes, ...], hash_of: Hash, sort_pairs: bool = False
) -> tuple[bytes, ...]:
    """The siblings of hash m where it has one: what Merkle.h's groups of one or two hold besides the way up.

    >>> fisco_path(2, (b"a", b"b", b"c"), lambda data: b"<" + data + b">")
    (b'<ab>',)
    """
    if len(level) == 1:
        return ()
    sibling = level[m ^ 1 : (m ^ 1) + 1]
    return (*sibling, *fisco_path(m // 2, _fisco_above(level, hash_of, sort_pairs), hash_of, sort_pairs))


# ---- ChainMaker, merkle.go: a perfect tree whose places beyond the leaves hold nothing ---------------------


@lru_cache(maxsize=1 << 17)
def _chainmaker_node(hashes: tuple[bytes, ...], height: int, hash_of: Hash) -> bytes | None:
    if height == 0:
        return hashes[0] if hashes else None
    half = 1 << (height - 1)
    left = _chainmaker_node(hashes[:half], height - 1, hash_of)
    right = _chainmaker_node(hashes[half:], height - 1, hash_of)
    if left is None:
        return None
    return hash_of(left + (left if right is None else right))


def chainmaker_root(hashes: tuple[bytes, ...], hash_of: Hash) -> bytes:
    """GetMerkleRoot: nothing over nothing, and a left node without a right one is taken twice.

    >>> chainmaker_root((b"a", b"b", b"c"), lambda data: b"<" + data + b">")
    b'<<ab><cc>>'
    """
    return _chainmaker_node(hashes, _depth(len(hashes)), hash_of) or b""


def chainmaker_path(m: int, hashes: tuple[bytes, ...], hash_of: Hash) -> tuple[bytes, ...]:
    """GetMerklePath: the siblings of hash m, or the node itself where it has none.

    >>> chainmaker_path(2, (b"a", b"b", b"c"), lambda data: b"<" + data + b">")
    (b'c', b'<ab>')
    """
    path = []
    for height in range(_depth(len(hashes))):
        at = m >> height
        spans = (hashes[i << height : (i + 1) << height] for i in (at ^ 1, at))
        sibling, own = (_chainmaker_node(span, height, hash_of) for span in spans)
        path.append(sibling or own or b"")
    return tuple(path)


# ---- OpenZeppelin: the node at i of the array stands over those at 2 i + 1 and 2 i + 2 ---------------------


@lru_cache(maxsize=1 << 17)
def _heap_node(i: int, leaves: tuple[bytes, ...], hash_of: Hash, sort_pairs: bool) -> bytes:
    last = 2 * len(leaves) - 2
    if 2 * i + 1 > last:  # a leaf: they fill the array from its end
        return leaves[last - i]
    pair = [_heap_node(child, leaves, hash_of, sort_pairs) for child in (2 * i + 1, 2 * i + 2)]
    return hash_of(b"".join(sorted(pair) if sort_pairs else pair))


def heap_root(leaves: tuple[bytes, ...], hash_of: Hash, sort_pairs: bool = True) -> bytes:
    """The root over leaf hashes, core.ts: makeMerkleTree.

    >>> heap_root((b"a", b"b", b"c"), lambda data: b"<" + data + b">", sort_pairs=False)
    b'<<ba>c>'
    """
    return _heap_node(0, leaves, hash_of, sort_pairs)


def heap_path(m: int, leaves: tuple[bytes, ...], hash_of: Hash, sort_pairs: bool = True) -> tuple[bytes, ...]:
    """The siblings of leaf m, core.ts: getProof.

    >>> heap_path(0, (b"a", b"b", b"c"), lambda data: b"<" + data + b">", sort_pairs=False)
    (b'b', b'c')
    """
    return _heap_siblings(2 * len(leaves) - 2 - m, leaves, hash_of, sort_pairs)


def _heap_siblings(i: int, leaves: tuple[bytes, ...], hash_of: Hash, sort_pairs: bool) -> tuple[bytes, ...]:
    if i == 0:
        return ()
    sibling = i + 1 if i % 2 else i - 1
    above = _heap_siblings((i - 1) // 2, leaves, hash_of, sort_pairs)
    return (_heap_node(sibling, leaves, hash_of, sort_pairs), *above)
