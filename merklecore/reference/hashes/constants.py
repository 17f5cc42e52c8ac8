"""Numbers that nobody chose: first bits of roots of the first primes (FIPS 180-4 sections 4.2 and 5.3)."""

from __future__ import annotations

__all__ = ["primes", "root_fraction"]


def primes(count: int) -> list[int]:
    """Return the first primes.

    >>> primes(5)
    [2, 3, 5, 7, 11]
    """
    found: list[int] = []
    n = 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def root_fraction(n: int, degree: int, bits: int) -> int:
    """Return the first bits of the fractional part of the root of n.

    >>> hex(root_fraction(2, degree=2, bits=32))
    '0x6a09e667'
    """
    target, low, high = n << bits * degree, 0, n << bits
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= target else (low, middle)
    return low & ((1 << bits) - 1)
