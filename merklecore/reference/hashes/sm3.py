"""SM3 from GB/T 32905-2016, in the names of the standard (draft-sca-cfrg-sm3-02 is the same in English).

The message is padded as in SHA-256 (section 5.2). A block expands to 68 words W and 64 words W' (section
5.3.2), and 64 rounds mix both into the registers A to H (section 5.3.3):

    W_j  = P_1(W_j-16 ^ W_j-9 ^ (W_j-3 <<< 15)) ^ (W_j-13 <<< 7) ^ W_j-6
    W'_j = W_j ^ W_j+4
    SS1  = ((A <<< 12) + E + (T_j <<< j)) <<< 7        TT1 = FF_j(A, B, C) + D + SS2 + W'_j
    SS2  = SS1 ^ (A <<< 12)                            TT2 = GG_j(E, F, G) + H + SS1 + W_j

The next V is the registers XOR the last one, where SHA-256 adds.
"""

from __future__ import annotations

__all__ = ["compress", "pad", "sm3"]

MASK = 0xFFFFFFFF
IV: tuple[int, ...] = (  # section 4.1
    *(0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600),
    *(0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E),
)


def _rotl(x: int, n: int) -> int:
    return (x << n | x >> (32 - n)) & MASK


T = tuple(0x79CC4519 if j < 16 else 0x7A879D8A for j in range(64))  # section 4.2
T_ROTATED = tuple(_rotl(T[j], j % 32) for j in range(64))


def compress(V: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """Return the chaining value after one block of 64 bytes: CF(V, B)."""
    W = [int.from_bytes(block[4 * j : 4 * j + 4], "big") for j in range(16)]
    for j in range(16, 68):
        x = W[j - 16] ^ W[j - 9] ^ _rotl(W[j - 3], 15)
        P1 = x ^ _rotl(x, 15) ^ _rotl(x, 23)
        W.append(P1 ^ _rotl(W[j - 13], 7) ^ W[j - 6])
    A, B, C, D, E, F, G, H = V
    for j in range(64):
        A12 = _rotl(A, 12)
        SS1 = _rotl((A12 + E + T_ROTATED[j]) & MASK, 7)
        SS2 = SS1 ^ A12
        if j < 16:  # section 4.3
            FF, GG = A ^ B ^ C, E ^ F ^ G
        else:
            FF, GG = (A & B) | (A & C) | (B & C), (E & F) | (~E & G)
        TT1 = (FF + D + SS2 + (W[j] ^ W[j + 4])) & MASK
        TT2 = (GG + H + SS1 + W[j]) & MASK
        P0 = TT2 ^ _rotl(TT2, 9) ^ _rotl(TT2, 17)  # section 4.4
        A, B, C, D, E, F, G, H = TT1, A, _rotl(B, 9), C, P0, E, _rotl(F, 19), G
    return tuple(x ^ y for x, y in zip(V, (A, B, C, D, E, F, G, H), strict=True))


def pad(tail: bytes, length: int) -> bytes:
    """Return the end of a message of ``length`` bytes, padded to whole blocks."""
    return tail + b"\x80" + bytes((55 - len(tail)) % 64) + (8 * length).to_bytes(8, "big")


def sm3(message: bytes) -> bytes:
    """Return the digest, 32 bytes.

    >>> sm3(b"abc").hex()
    '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0'
    """
    padded = pad(message, len(message))
    V = IV
    for i in range(0, len(padded), 64):
        V = compress(V, padded[i : i + 64])
    return b"".join(x.to_bytes(4, "big") for x in V)
