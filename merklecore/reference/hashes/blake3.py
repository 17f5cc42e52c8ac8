"""BLAKE3 from its specification (draft-aumasson-blake3-00 and the paper, section 2), in its names.

A message is cut into chunks of 1,024 bytes, a chunk into blocks of 64. The chunks are the leaves of a binary
tree whose left subtrees are the largest complete ones that leave something to the right, as in RFC 6962; what
each node is stands in the flags of its compression, so that none passes for another:

    chunk    the chaining value after its blocks, CHUNK_START on the first, CHUNK_END on the last, t its index
    parent   compress(IV, left || right), PARENT, t = 0
    root     ROOT as well, on the last compression of all

A compression is seven rounds of BLAKE2s' G on a state v of sixteen words, with one permutation of the message
words between rounds (section 3 of the draft).
"""

from __future__ import annotations

from struct import Struct

from merklecore.reference.hashes.sha256 import H0

__all__ = ["blake3", "chunk", "compress", "parent"]

MASK = 0xFFFFFFFF
IV = H0  # section 2.2
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)  # section 2.3
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8  # section 2.4
BLOCK, CHUNK = 64, 1024  # bytes
WORDS, VALUE = Struct("<16I"), Struct("<8I")


def _schedule() -> list[list[int]]:
    """The words of the message in the order of each round."""
    orders = [list(range(16))]
    for _ in range(6):
        orders.append([orders[-1][i] for i in PERMUTATION])
    return orders


LINES = (  # the four columns, then the four diagonals
    *((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)),
    *((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)),
)
# The calls of G, round by round: four words of the state, two of the message.
CALLS = [(*line, s[2 * k], s[2 * k + 1]) for s in _schedule() for k, line in enumerate(LINES)]


def compress(h: tuple[int, ...], block: bytes, t: int, flags: int) -> tuple[int, ...]:
    """Return the chaining value, eight words, after a block of up to 64 bytes with the counter t."""
    m = WORDS.unpack(block.ljust(BLOCK, b"\0"))
    v = [*h, *IV[:4], t & MASK, t >> 32, len(block), flags]
    for ia, ib, ic, id_, x, y in CALLS:  # G, section 3.2, its rotations to the right written out
        a, b, c, d = v[ia], v[ib], v[ic], v[id_]
        a = (a + b + m[x]) & MASK
        d ^= a
        d = d >> 16 | d << 16 & MASK
        c = (c + d) & MASK
        b ^= c
        b = b >> 12 | b << 20 & MASK
        a = (a + b + m[y]) & MASK
        d ^= a
        d = d >> 8 | d << 24 & MASK
        c = (c + d) & MASK
        b ^= c
        b = b >> 7 | b << 25 & MASK
        v[ia], v[ib], v[ic], v[id_] = a, b, c, d
    return tuple(v[i] ^ v[i + 8] for i in range(8))


def chunk(data: bytes, t: int, root: int = 0) -> tuple[int, ...]:  # section 4.2
    """Return the chaining value of chunk number t, of up to 1,024 bytes; root is ROOT where it is alone."""
    h, start = IV, CHUNK_START
    last = max(len(data) - 1, 0) // BLOCK * BLOCK
    for i in range(0, last, BLOCK):
        h, start = compress(h, data[i : i + BLOCK], t, start), 0
    return compress(h, data[last:], t, start | CHUNK_END | root)


def parent(left: tuple[int, ...], right: tuple[int, ...], root: int = 0) -> tuple[int, ...]:  # section 4.3
    """Return the chaining value over two nodes; root is ROOT where nothing stands above it."""
    return compress(IV, WORDS.pack(*left, *right), 0, PARENT | root)


def _subtree(data: bytes, t: int, root: int) -> tuple[int, ...]:
    """The node over data whose first chunk is number t."""
    if len(data) <= CHUNK:
        return chunk(data, t, root)
    whole = (len(data) - 1) // CHUNK  # chunks that have another one to their right
    left = 1 << (whole.bit_length() - 1)
    return parent(
        _subtree(data[: left * CHUNK], t, 0),
        _subtree(data[left * CHUNK :], t + left, 0),
        root,
    )


def blake3(message: bytes) -> bytes:
    """Return the digest, 32 bytes.

    >>> blake3(b"IETF").hex()
    '83a2de1ee6f4e6ab686889248f4ec0cf4cc5709446a682ffd1cbb4d6165181e2'
    """
    return VALUE.pack(*_subtree(message, 0, ROOT))
