"""Every shape that a kernel serves: what it is called with, and what others say of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import pytest

import merklecore as mc
from merklecore import _native
from tests.oracles import HASHES

KERNELS = [(algorithm, kernel) for algorithm in mc.algorithms() for kernel in _native.kernels(algorithm)]
each_kernel = pytest.mark.parametrize(("algorithm", "kernel"), KERNELS)

LANES = (1, 2, 4, 8, 16)
# At every lane boundary, one less and one more, for a few passes of each width.
COUNTS = sorted({lanes * passes + k for lanes in LANES for passes in range(1, 5) for k in (-1, 0, 1)})
MOST = COUNTS[-1]

# Around the ends of blocks of 64, 128 and 136 bytes and of chunks of 1,024, neighbours unlike; 23 of them, so
# that lanes change places.
MIXED = (0, 130, 55, 64, 1, 300, 56, 129, 63, 1024, 65, 31, 119, 1025, 120, 3, 127, 136, 1023, 135, 128)
MIXED += (2049, 137)


@dataclass(frozen=True)
class Shape:
    how: str  # "pairs": of digests; "rows": of one array; "list": of pieces of memory
    prefix: bytes
    lengths: tuple[int, ...]  # message i is lengths[i % len(lengths)] bytes long

    def length(self, i: int) -> int:
        return self.lengths[i % len(self.lengths)]

    def size(self, n: int) -> int:
        return sum(map(self.length, range(n)))

    def cut(self, memory: memoryview, n: int) -> list[memoryview]:
        """The first n messages, which stand one behind the other."""
        ends = list(accumulate(map(self.length, range(n)), initial=0))
        return [memory[start:end] for start, end in pairwise(ends)]

    def expected(self, algorithm: str, messages: Sequence[Any]) -> list[bytes]:
        hash_of = HASHES[algorithm]
        return [hash_of(self.prefix + bytes(message)) for message in messages]

    def hash(self, backend: Any, algorithm: str, source: memoryview, n: int, **more: Any) -> bytes:
        """What the backend makes of the first n messages in `source`, which holds no more than these."""
        if self.how == "pairs":
            found = backend.hash_pairs(source, algorithm, self.prefix, **more)
        elif self.how == "rows" and self.lengths[0] * n:
            found = backend.hash_many(source.cast("B", (n, self.lengths[0])), algorithm, self.prefix, **more)
        else:
            found = backend.hash_many(self.cut(source, n), algorithm, self.prefix, **more)
        return memoryview(found).tobytes()


def shapes(algorithm: str) -> dict[str, Shape]:
    pair = (2 * _native.DIGEST_SIZES[algorithm],)
    return {
        "node": Shape("pairs", b"", pair),
        "node behind one byte": Shape("pairs", b"\x01", pair),
        "node behind two": Shape("pairs", b"\x01\xfe", pair),
        "node behind a block": Shape("pairs", noise(64), pair),
        "node behind more": Shape("pairs", noise(130), pair),
        "rows of 32": Shape("rows", b"", (32,)),
        "rows of 64": Shape("rows", b"", (64,)),
        "rows of 200": Shape("rows", b"", (200,)),
        "rows of 32 behind one byte": Shape("rows", b"\x00", (32,)),
        "rows of 64 behind one byte": Shape("rows", b"\xff", (64,)),
        "rows of 300 behind a block and more": Shape("rows", noise(70), (300,)),
        "list of one length": Shape("list", b"", (100,)),
        "list of one length behind one byte": Shape("list", b"\x02", (150,)),
        "mixed list": Shape("list", b"", MIXED),
        "mixed list behind one byte": Shape("list", b"\x00", MIXED),
        "mixed list behind a block and more": Shape("list", noise(70), MIXED),
    }


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)
