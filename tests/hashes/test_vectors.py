"""Known answers of other projects and of NIST, on every kernel.

The project's own are for tests/test_known_answers.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import merklecore as mc
from tests.hashes import files
from tests.oracles import is_slow

BOTAN = {
    "sha256": ("sha2_32.vec", "SHA-256", 200),
    "sha512": ("sha2_64.vec", "SHA-512", 8),
    "sha3_256": ("sha3.vec", "SHA-3(256)", 100),
    "keccak256": ("keccak.vec", "Keccak-1600(256)", 200),
    "sm3": ("sm3.vec", "SM3", 30),
    "blake2b_256": ("blake2b.vec", "BLAKE2b(256)", 200),
}
NIST = {
    "sha256": ("SHA2/SHA256ShortMsg.rsp", "SHA2/SHA256LongMsg.rsp"),
    "sha512": ("SHA2/SHA512ShortMsg.rsp", "SHA2/SHA512LongMsg.rsp"),
    "sha3_256": ("SHA3/SHA3_256ShortMsg.rsp", "SHA3/SHA3_256LongMsg.rsp"),
    "sm3": ("SM3/oscca.txt",),
}


def check(backend: ModuleType, algorithm: str, pairs: files.Pairs) -> None:
    """One by one, piece by piece and all in one batch, on each kernel."""
    messages, digests = [message for message, _ in pairs], [digest for _, digest in pairs]
    for kernel in backend.kernels(algorithm):
        found = backend.hash_many(messages, algorithm, kernel=kernel)
        assert [row.tobytes() for row in found] == digests, kernel
        for message, digest in pairs if not is_slow(backend, algorithm) else pairs[::10]:
            assert backend.digest(message, algorithm, kernel=kernel) == digest, (kernel, len(message))
    for message, digest in pairs if not is_slow(backend, algorithm) else pairs[1::10]:
        hasher = backend.new(algorithm, message[: len(message) // 3])
        hasher.update(message[len(message) // 3 :])
        assert hasher.digest() == digest, len(message)


@pytest.mark.parametrize("algorithm", BOTAN)
def test_botan(backend: ModuleType, vectors: Path, algorithm: str) -> None:
    name, section, least = BOTAN[algorithm]
    pairs = files.botan(vectors / "hashes" / "botan" / name, section)
    assert len(pairs) >= least
    check(backend, algorithm, pairs)


def test_the_blake3_team(backend: ModuleType, vectors: Path) -> None:
    pairs = files.blake3(vectors / "hashes" / "blake3" / "test_vectors.json")
    assert len(pairs) == 35
    if is_slow(backend, "blake3"):
        pairs = [pair for pair in pairs if len(pair[0]) < 10_000]
    check(backend, "blake3", pairs)


@pytest.mark.parametrize("algorithm", NIST)
def test_nist_and_oscca(backend: ModuleType, algorithm: str) -> None:
    pairs = [pair for name in NIST[algorithm] for pair in files.nist(name)]
    assert len(pairs) >= 6
    check(backend, algorithm, pairs)


def test_every_algorithm_is_vouched_for_by_another_project() -> None:
    assert set(mc.algorithms()) == {*BOTAN, *NIST, "blake3", "sha256d"}  # sha256d: tests/vectors/hashes


# ---- Monte Carlo -------------------------------------------------------------------------------------------


def sha2(hash_of: Callable[[bytes], bytes], seed: bytes) -> Iterator[bytes]:
    """The Secure Hash Algorithm Validation System (SHAVS), section 6.4: of the last three digests, joined."""
    for _ in range(100):
        a = b = c = seed
        for _ in range(1000):
            a, b, c = b, c, hash_of(a + b + c)
        seed = c
        yield seed


def sha3(hash_of: Callable[[bytes], bytes], seed: bytes) -> Iterator[bytes]:
    """SHA3VS, section 6.2.3: of the last digest."""
    for _ in range(100):
        for _ in range(1000):
            seed = hash_of(seed)
        yield seed


@pytest.mark.parametrize(
    ("algorithm", "name", "chain"),
    [
        ("sha256", "SHA2/SHA256Monte.rsp", sha2),
        ("sha512", "SHA2/SHA512Monte.rsp", sha2),
        ("sha3_256", "SHA3/SHA3_256Monte.rsp", sha3),
    ],
)
def test_monte_carlo(
    backend: ModuleType, algorithm: str, name: str, chain: Callable[..., Iterator[bytes]]
) -> None:
    seed, checkpoints = files.monte_carlo(name)
    assert len(checkpoints) == 100
    for kernel in backend.kernels(algorithm):

        def hash_of(message: bytes, kernel: str = kernel) -> bytes:
            return backend.digest(message, algorithm, kernel)

        assert list(chain(hash_of, seed)) == checkpoints, kernel
