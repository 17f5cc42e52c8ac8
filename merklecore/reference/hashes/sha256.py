"""SHA-256 from FIPS 180-4, in the names of the standard.

The message is padded (section 5.1.1) and parsed into blocks of sixteen 32-bit words. Each block expands to a
schedule W of 64 words, and 64 rounds over eight working variables mix it into the hash value H (section
6.2.2):

    W_t = sigma1(W_t-2) + W_t-7 + sigma0(W_t-15) + W_t-16
    T_1 = h + Sigma1(e) + Ch(e, f, g) + K_t + W_t
    T_2 = Sigma0(a) + Maj(a, b, c)
"""

from __future__ import annotations

from merklecore.reference.hashes.constants import primes, root_fraction

__all__ = ["compress", "sha256"]

MASK = 0xFFFFFFFF
K = tuple(root_fraction(p, 3, 32) for p in primes(64))  # section 4.2.2
H0 = tuple(root_fraction(p, 2, 32) for p in primes(8))  # section 5.3.3


def _rotr(x: int, n: int) -> int:
    return (x >> n | x << (32 - n)) & MASK


def compress(H: tuple[int, ...], block: bytes) -> tuple[int, ...]:  # section 6.2.2
    """Return the hash value after one block of 64 bytes."""
    W = [int.from_bytes(block[4 * t : 4 * t + 4], "big") for t in range(16)]
    for t in range(16, 64):
        sigma0 = _rotr(W[t - 15], 7) ^ _rotr(W[t - 15], 18) ^ W[t - 15] >> 3
        sigma1 = _rotr(W[t - 2], 17) ^ _rotr(W[t - 2], 19) ^ W[t - 2] >> 10
        W.append((sigma1 + W[t - 7] + sigma0 + W[t - 16]) & MASK)
    a, b, c, d, e, f, g, h = H
    for t in range(64):
        Sigma1 = _rotr(e, 6) ^ _rotr(e, 11) ^ _rotr(e, 25)
        Ch = (e & f) ^ (~e & g)
        T1 = h + Sigma1 + Ch + K[t] + W[t]
        Sigma0 = _rotr(a, 2) ^ _rotr(a, 13) ^ _rotr(a, 22)
        Maj = (a & b) ^ (a & c) ^ (b & c)
        T2 = Sigma0 + Maj
        a, b, c, d, e, f, g, h = (T1 + T2) & MASK, a, b, c, (d + T1) & MASK, e, f, g
    return tuple((x + y) & MASK for x, y in zip(H, (a, b, c, d, e, f, g, h), strict=True))


def sha256(message: bytes) -> bytes:
    """Return the digest, 32 bytes.

    >>> sha256(b"abc").hex()
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    """
    zeros = (55 - len(message)) % 64
    padded = message + b"\x80" + bytes(zeros) + (8 * len(message)).to_bytes(8, "big")
    H = H0
    for i in range(0, len(padded), 64):
        H = compress(H, padded[i : i + 64])
    return b"".join(x.to_bytes(4, "big") for x in H)
