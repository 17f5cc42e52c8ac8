"""A message above 4 GiB for every algorithm: counters of bytes and bits, of blocks and chunks, hold.

It takes minutes, no disk and hardly any memory, for pages that nobody wrote to are all the same one.
`make test-long` runs it; other runs leave it out.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import pytest

import merklecore as mc
from merklecore import _native
from tests.oracles import HASHES, INCREMENTAL

pytestmark = [pytest.mark.long, pytest.mark.native_only]

SIZE = (4 << 30) + (1 << 20) + 77
PIECE = 1 << 26
MARKS = (0, (4 << 30) - 1, 4 << 30, SIZE - 1)  # where a byte is not zero


@pytest.fixture(scope="module")
def message() -> Iterator[memoryview]:
    memory = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for mark in MARKS:
        memory[mark] = 0xA5
    view = memoryview(memory)
    yield view
    view.release()
    memory.close()


def expected(algorithm: str, message: memoryview) -> bytes:
    """What the oracle says of it, piece by piece."""
    hasher = INCREMENTAL["sha256" if algorithm == "sha256d" else algorithm]()
    for start in range(0, SIZE, PIECE):
        hasher.update(message[start : start + PIECE])
    return HASHES["sha256"](hasher.digest()) if algorithm == "sha256d" else hasher.digest()


@pytest.mark.parametrize("algorithm", mc.algorithms())
def test_above_4_gib(message: memoryview, algorithm: str) -> None:
    digest = expected(algorithm, message)
    assert _native.digest(message, algorithm) == digest
    beside = [b"short", message, b""]  # lanes that end while another one goes on
    assert [row.tobytes() for row in _native.hash_many(beside, algorithm)] == [
        *(HASHES[algorithm](b"short"), digest, HASHES[algorithm](b"")),
    ]
    hasher = _native.new(algorithm, message[: SIZE // 3])
    hasher.update(message[SIZE // 3 :])
    assert hasher.digest() == digest
