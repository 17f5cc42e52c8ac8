"""SHA3-256 from FIPS 202, and Keccak-256 as it was submitted: the same sponge with another padding.

The state A has 25 lanes A[x, y] of 64 bits, here a list: lane (x, y) at x + 5 y. A round of Keccak-f[1600]
is five steps (section 3.2), of which the first three are linear and iota breaks the symmetry of rounds:

    theta   A[x, y] ^= C[x - 1] ^ (C[x + 1] <<< 1),  C[x] the XOR of column x
    rho     A[x, y] <<<= offset of the lane
    pi      A[x, y] = A[x + 3 y, x]
    chi     A[x, y] ^= ~A[x + 1, y] & A[x + 2, y]
    iota    A[0, 0] ^= RC of the round

The sponge (section 4) XORs blocks of 136 bytes into the state, 24 rounds after each, and gives the first 32
bytes. SHA-3 appends the bits 01 to a message before the padding 10*1 (sections 5.1 and 6.1); Keccak-256,
which Ethereum took before that was decided, does not.
"""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["absorb", "keccak256", "keccak_f", "pad", "sha3_256", "squeeze"]

MASK = 0xFFFFFFFFFFFFFFFF
RATE = 136  # bytes: 200 less twice the digest's 32
LANES = Struct("<17Q")
KECCAK, SHA3 = 0x01, 0x06  # the byte after the message: 1, or 01 and 1, first bit lowest


def _round_constants() -> list[int]:
    """Bit 2^j - 1 of constant i is bit j + 7 i of a shift register (Algorithm 5, rc)."""
    R, bits = 1, []
    for _ in range(7 * 24):
        bits.append(R & 1)
        R <<= 1
        R ^= 0x171 * (R >> 8)  # x^8 = x^6 + x^5 + x^4 + 1
    return [sum(bits[j + 7 * i] << (2**j - 1) for j in range(7)) for i in range(24)]


def _offsets() -> dict[tuple[int, int], int]:
    """The triangular numbers, on a walk over the lanes (Algorithm 2, rho)."""
    offsets = {(0, 0): 0}
    x, y = 1, 0
    for t in range(24):
        offsets[x, y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return offsets


def _sources() -> list[tuple[int, int, int, int]]:
    """For every lane after pi: which it was, its column, its rotation to the left, the same to the right."""
    offset = _offsets()
    before = [((x + 3 * y) % 5, x) for y in range(5) for x in range(5)]
    return [(x + 5 * y, x, offset[x, y], 64 - offset[x, y]) for x, y in before]


RC = _round_constants()
SOURCES = _sources()


def keccak_f(lanes: Sequence[int]) -> list[int]:
    """Return the lanes after the 24 rounds of Keccak-f[1600] (section 3.3)."""
    A = [*lanes]
    for constant in RC:
        C = [A[x] ^ A[x + 5] ^ A[x + 10] ^ A[x + 15] ^ A[x + 20] for x in range(5)]
        D = [C[x - 1] ^ (C[x - 4] << 1 & MASK | C[x - 4] >> 63) for x in range(5)]  # x - 4: x + 1 modulo 5
        B = [((z := A[i] ^ D[x]) << left | z >> right) & MASK for i, x, left, right in SOURCES]
        A = []
        for y in (0, 5, 10, 15, 20):
            a, b, c, d, e = B[y : y + 5]
            A += (a ^ ~b & c, b ^ ~c & d, c ^ ~d & e, d ^ ~e & a, e ^ ~a & b)
        A[0] ^= constant
    return A


def absorb(A: Sequence[int], block: bytes) -> list[int]:
    """Return the lanes after one block of 136 bytes."""
    words = (*LANES.unpack(block), *(0,) * 8)  # the last eight lanes are the capacity
    return keccak_f([lane ^ word for lane, word in zip(A, words, strict=True)])


def pad(tail: bytes, suffix: int) -> bytes:
    """Return the end of a message, padded to whole blocks."""
    room = RATE - len(tail) % RATE
    padding = bytearray(room)
    padding[0] ^= suffix
    padding[-1] ^= 0x80
    return tail + padding


def squeeze(A: Sequence[int]) -> bytes:
    """Return the digest: the first four lanes."""
    return b"".join(lane.to_bytes(8, "little") for lane in A[:4])


def _sponge(message: bytes, suffix: int) -> bytes:
    padded = pad(message, suffix)
    A: Sequence[int] = (0,) * 25
    for i in range(0, len(padded), RATE):
        A = absorb(A, padded[i : i + RATE])
    return squeeze(A)


def sha3_256(message: bytes) -> bytes:
    """Return the digest of SHA3-256, 32 bytes.

    >>> sha3_256(b"abc").hex()
    '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532'
    """
    return _sponge(message, SHA3)


def keccak256(message: bytes) -> bytes:
    """Return the digest of Keccak-256 with the original padding, 32 bytes: Ethereum's hash.

    >>> keccak256(b"abc").hex()
    '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'
    """
    return _sponge(message, KECCAK)
