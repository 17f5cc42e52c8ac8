"""Lengths around the ends of blocks and chunks, of messages and prefixes; digests of another length."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import merklecore as mc
from tests.oracles import HASHES, is_slow

PATTERN = bytes(i * 131 + (i >> 8) * 7 & 0xFF for i in range(140 * 1024))
CHUNK = 1024  # bytes, BLAKE3's; the other hashes take these lengths as any

FEW = [1023, 1024, 1025, 2047, 2048, 2049, 3072, 5121]
AROUND = {chunks * CHUNK + k for chunks in range(1, 36) for k in (-1, 0, 1)}
WIDE = {
    chunks * CHUNK + k for chunks in (47, 48, 63, 64, 65, 127, 128, 129) for k in (-65, -64, -1, 0, 1, 64)
}
MANY = sorted({*range(300, 1300), *AROUND, *WIDE})


@pytest.mark.parametrize("algorithm", mc.algorithms())
def test_lengths_around_chunks(backend: ModuleType, algorithm: str) -> None:
    lengths = FEW if is_slow(backend, algorithm) else MANY
    messages = [PATTERN[i % 64 : i % 64 + n] for i, n in enumerate(lengths)]
    expected = [HASHES[algorithm](message) for message in messages]
    for kernel in backend.kernels(algorithm):
        found = backend.hash_many(messages, algorithm, kernel=kernel)
        assert [row.tobytes() for row in found] == expected, kernel
        for message, digest in zip(messages[::7], expected[::7], strict=True):
            assert backend.digest(message, algorithm, kernel=kernel) == digest, (kernel, len(message))


@pytest.mark.parametrize("algorithm", mc.algorithms())
@pytest.mark.parametrize("prefix", [1, 63, 64, 127, 136, 1023, 1024, 1500])
def test_prefixes_around_chunks(backend: ModuleType, algorithm: str, prefix: int) -> None:
    """The prefix takes the message's bytes over the end of a block or chunk."""
    lengths = [0, 1, 135, 1024]
    if not is_slow(backend, algorithm):
        lengths += [2, 64, 127, 128, 136, 4096, 17]
    messages = [PATTERN[i : i + n] for i, n in enumerate(lengths)]
    head = PATTERN[5000 : 5000 + prefix]
    expected = [HASHES[algorithm](head + message) for message in messages]
    for kernel in backend.kernels(algorithm):
        found = backend.hash_many(messages, algorithm, head, kernel=kernel)
        assert [row.tobytes() for row in found] == expected, kernel


def test_digests_of_64_bytes(backend: ModuleType) -> None:
    nodes = np.arange(4 * 64, dtype=np.uint8).reshape(4, 64)
    expected = [HASHES["sha512"](nodes[i : i + 2].tobytes()) for i in (0, 2)]
    for kind in (nodes, nodes.tobytes(), [row.tobytes() for row in nodes]):
        assert [row.tobytes() for row in backend.hash_pairs(kind, "sha512")] == expected
    for out in (np.zeros((2, 64), np.uint8), bytearray(128)):
        assert backend.hash_pairs(nodes, "sha512", b"", None, out) is out
        assert bytes(out) == b"".join(expected)
    for wrong in (np.zeros((2, 32), np.uint8), bytearray(64)):
        with pytest.raises(mc.InputError, match=r"^out: "):
            backend.hash_pairs(nodes, "sha512", b"", None, wrong)
    with pytest.raises(mc.InputError, match=r"^nodes: rows of 32 bytes where 64 are needed"):
        backend.hash_pairs(np.zeros((2, 32), np.uint8), "sha512")
    assert backend.hash_many([], "sha512").shape == (0, 64)
