"""SHA-512 from FIPS 180-4, in the names of the standard.

SHA-256 on words of 64 bits: blocks of sixteen words, a schedule W of 80 words, 80 rounds, other rotations
(sections 4.1.3 and 6.4.2):

    W_t = sigma1(W_t-2) + W_t-7 + sigma0(W_t-15) + W_t-16
    T_1 = h + Sigma1(e) + Ch(e, f, g) + K_t + W_t
    T_2 = Sigma0(a) + Maj(a, b, c)
"""

from __future__ import annotations

from merklecore.reference.hashes.constants import primes, root_fraction

__all__ = ["compress", "sha512"]

MASK = 0xFFFFFFFFFFFFFFFF
K = tuple(root_fraction(p, 3, 64) for p in primes(80))  # section 4.2.3
H0 = tuple(root_fraction(p, 2, 64) for p in primes(8))  # section 5.3.5


def _rotr(x: int, n: int) -> int:
    return (x >> n | x << (64 - n)) & MASK


def compress(H: tuple[int, ...], block: bytes) -> tuple[int, ...]:  # section 6.4.2
    """Return the hash value after one block of 128 bytes."""
    W = [int.from_bytes(block[8 * t : 8 * t + 8], "big") for t in range(16)]
    for t in range(16, 80):
        sigma0 = _rotr(W[t - 15], 1) ^ _rotr(W[t - 15], 8) ^ W[t - 15] >> 7
        sigma1 = _rotr(W[t - 2], 19) ^ _rotr(W[t - 2], 61) ^ W[t - 2] >> 6
        W.append((sigma1 + W[t - 7] + sigma0 + W[t - 16]) & MASK)
    a, b, c, d, e, f, g, h = H
    for t in range(80):
        Sigma1 = _rotr(e, 14) ^ _rotr(e, 18) ^ _rotr(e, 41)
        Ch = (e & f) ^ (~e & g)
        T1 = h + Sigma1 + Ch + K[t] + W[t]
        Sigma0 = _rotr(a, 28) ^ _rotr(a, 34) ^ _rotr(a, 39)
        Maj = (a & b) ^ (a & c) ^ (b & c)
        T2 = Sigma0 + Maj
        a, b, c, d, e, f, g, h = (T1 + T2) & MASK, a, b, c, (d + T1) & MASK, e, f, g
    return tuple((x + y) & MASK for x, y in zip(H, (a, b, c, d, e, f, g, h), strict=True))


def sha512(message: bytes) -> bytes:
    """Return the digest, 64 bytes.

    >>> sha512(b"abc").hex()[:64]
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a'
    """
    zeros = (111 - len(message)) % 128
    padded = message + b"\x80" + bytes(zeros) + (8 * len(message)).to_bytes(16, "big")
    H = H0
    for i in range(0, len(padded), 128):
        H = compress(H, padded[i : i + 128])
    return b"".join(x.to_bytes(8, "big") for x in H)
