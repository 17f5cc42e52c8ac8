"""BLAKE2b from RFC 7693, in the names of the standard.

A block of 128 bytes is sixteen words m of 64 bits. Twelve rounds mix them into a local state v of sixteen
words: G down the four columns, then along the four diagonals, each time with two words of the message in an
order that SIGMA gives (section 3.2). The digest's length and the key's stand in the first parameter word, so
that BLAKE2b-256 is no shorter BLAKE2b-512 (section 2.5).
"""

from __future__ import annotations

from merklecore.reference.hashes.sha512 import H0

__all__ = ["blake2b", "blake2b_256", "compress"]

MASK = 0xFFFFFFFFFFFFFFFF
IV = H0  # section 2.6
SIGMA = (  # section 2.7
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
LINES = (  # the four columns, then the four diagonals
    *((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)),
    *((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)),
)


def _rotr(x: int, n: int) -> int:
    return (x >> n | x << (64 - n)) & MASK


def _G(v: list[int], a: int, b: int, c: int, d: int, x: int, y: int) -> None:  # section 3.1
    v[a] = (v[a] + v[b] + x) & MASK
    v[d] = _rotr(v[d] ^ v[a], 32)
    v[c] = (v[c] + v[d]) & MASK
    v[b] = _rotr(v[b] ^ v[c], 24)
    v[a] = (v[a] + v[b] + y) & MASK
    v[d] = _rotr(v[d] ^ v[a], 16)
    v[c] = (v[c] + v[d]) & MASK
    v[b] = _rotr(v[b] ^ v[c], 63)


def compress(h: tuple[int, ...], block: bytes, t: int, f: bool) -> tuple[int, ...]:  # section 3.2
    """Return the state after one block of 128 bytes: F(h, block, t, f), t bytes so far, f for the last."""
    m = [int.from_bytes(block[8 * i : 8 * i + 8], "little") for i in range(16)]
    v = [*h, *IV]
    v[12] ^= t & MASK
    v[13] ^= t >> 64
    if f:
        v[14] ^= MASK
    for i in range(12):
        s = SIGMA[i % 10]
        for k, line in enumerate(LINES):
            _G(v, *line, m[s[2 * k]], m[s[2 * k + 1]])
    return tuple(h[i] ^ v[i] ^ v[i + 8] for i in range(8))


def blake2b(message: bytes, digest_size: int = 32, key: bytes = b"") -> bytes:  # section 3.3
    """Return the digest, 1 to 64 bytes. The key, at most 64 bytes, is a first block of its own.

    >>> blake2b(b"abc", digest_size=64).hex()[:64]
    'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1'
    """
    h = (IV[0] ^ 0x01010000 ^ len(key) << 8 ^ digest_size, *IV[1:])
    data = (key.ljust(128, b"\0") if key else b"") + message
    for i in range(0, len(data) - 128, 128):
        h = compress(h, data[i : i + 128], i + 128, False)
    last = data[max(len(data) - 1, 0) // 128 * 128 :]
    h = compress(h, last.ljust(128, b"\0"), len(data), True)
    return b"".join(x.to_bytes(8, "little") for x in h)[:digest_size]


def blake2b_256(message: bytes) -> bytes:
    """Return the digest of BLAKE2b-256, 32 bytes.

    >>> blake2b_256(b"abc").hex()
    'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319'
    """
    return blake2b(message, 32)
