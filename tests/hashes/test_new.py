"""Hashes that take their message piece by piece: as hashlib's, for every algorithm."""

import hashlib
import mmap
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore import _native, reference
from tests.oracles import HASHES, is_slow

BLOCKS = dict.fromkeys(("sha256", "sha256d", "sm3", "blake3"), 64)
BLOCKS |= {"sha512": 128, "sha3_256": 136, "keccak256": 136, "blake2b_256": 128}
MESSAGE = bytes(i * 7 + (i >> 8) & 0xFF for i in range(20_000))
each_algorithm = pytest.mark.parametrize("algorithm", mc.algorithms())


def test_every_algorithm_stands_in_the_table():
    assert set(BLOCKS) == set(mc.algorithms())


@each_algorithm
def test_what_it_says_of_itself(backend, algorithm):
    hasher = backend.new(algorithm)
    assert hasher.name == {"blake2b_256": "blake2b"}.get(algorithm, algorithm)
    assert hasher.digest_size == backend.DIGEST_SIZES[algorithm] == len(hasher.digest())
    assert hasher.block_size == BLOCKS[algorithm]
    assert hasher.digest() == HASHES[algorithm](b"")
    for name in ("name", "digest_size", "block_size"):
        with pytest.raises(AttributeError):
            setattr(hasher, name, "other")


@each_algorithm
def test_it_is_hashlibs_own_where_there_is_one(backend, algorithm):
    if algorithm in hashlib.algorithms_available:
        assert type(backend.new(algorithm)) is type(hashlib.new(algorithm))
    if algorithm == "blake2b_256":
        assert type(backend.new(algorithm)) is hashlib.blake2b


@each_algorithm
def test_lengths_around_blocks_and_chunks(backend, algorithm):
    """All but the last byte first, so that a block is complete and nothing follows, or something does."""
    lengths = {0, 1, *(n + k for n in (BLOCKS[algorithm], 1024, 2048, 4096) for k in (-1, 0, 1, 2))}
    for n in sorted(lengths if is_slow(backend, algorithm) else lengths | set(range(300))):
        expected = HASHES[algorithm](MESSAGE[:n])
        hasher = backend.new(algorithm, MESSAGE[: max(n - 1, 0)])
        hasher.update(MESSAGE[max(n - 1, 0) : n])
        assert hasher.digest() == expected, n
        assert hasher.digest() == expected, n  # which changes nothing
        assert hasher.hexdigest() == expected.hex(), n


@each_algorithm
def test_byte_by_byte(backend, algorithm):
    hasher = backend.new(algorithm)
    for i in range(1100):
        hasher.update(MESSAGE[i : i + 1])
    assert hasher.digest() == HASHES[algorithm](MESSAGE[:1100])


@each_algorithm
def test_large_pieces(backend, algorithm):
    ends = [0, 5000, 5001, 9000, 20_000]
    hasher = backend.new(algorithm)
    for start, end in pairwise(ends):
        hasher.update(MESSAGE[start:end])
        assert hasher.digest() == HASHES[algorithm](MESSAGE[:end])


@given(st.sampled_from(mc.algorithms()), st.lists(st.binary(max_size=400), max_size=6))
def test_any_pieces(algorithm, pieces):
    expected = HASHES[algorithm](b"".join(pieces))
    for backend in (_native, reference):
        hasher = backend.new(algorithm, *pieces[:1])
        for piece in pieces[1:]:
            hasher.update(piece)
        assert hasher.digest() == expected
        assert hasher.hexdigest() == expected.hex()


@given(st.sampled_from(mc.algorithms()), st.integers(0, 2100), st.integers(0, 1100), st.integers(0, 1100))
def test_a_copy_goes_its_own_way(algorithm, start, here, there):
    for backend in (_native, reference):
        hasher = backend.new(algorithm, MESSAGE[:start])
        copy = hasher.copy()
        hasher.update(MESSAGE[:here])
        copy.update(MESSAGE[:there])
        assert hasher.digest() == HASHES[algorithm](MESSAGE[:start] + MESSAGE[:here])
        assert copy.digest() == HASHES[algorithm](MESSAGE[:start] + MESSAGE[:there])
        assert (copy.name, copy.digest_size, copy.block_size) == (
            *(hasher.name, hasher.digest_size, hasher.block_size),
        )


# ---- what is accepted and refused --------------------------------------------------------------------------


def kinds():
    memory = mmap.mmap(-1, 64)
    memory[:] = MESSAGE[:64]
    return {
        "bytearray": bytearray(MESSAGE[:64]),
        "memoryview": memoryview(MESSAGE)[:64],
        "mmap": memory,
        "array": np.frombuffer(MESSAGE[:64], np.uint8),
        "words": np.frombuffer(MESSAGE[:64], np.uint32),
        "rows": np.frombuffer(MESSAGE[:64], np.uint8).reshape(4, 16),
    }


@each_algorithm
@pytest.mark.parametrize("kind", kinds())
def test_pieces_of_every_kind(backend, algorithm, kind):
    hasher = backend.new(algorithm, kinds()[kind])
    hasher.update(kinds()[kind])
    assert hasher.digest() == HASHES[algorithm](2 * MESSAGE[:64])


@each_algorithm
@pytest.mark.parametrize("wrong", ["text", 64, None, [b"a"], 1.5], ids=lambda wrong: type(wrong).__name__)
def test_wrong_types(backend, algorithm, wrong):
    with pytest.raises(TypeError, match=r"^data: a bytes-like object is needed, not " + type(wrong).__name__):
        backend.new(algorithm, wrong)
    hasher = backend.new(algorithm, b"abc")
    with pytest.raises(TypeError):
        hasher.update(wrong)
    assert hasher.digest() == HASHES[algorithm](b"abc")


@each_algorithm
def test_pieces_of_memory_are_refused(backend, algorithm):
    pieces = memoryview(bytes(64))[::2]
    with pytest.raises(mc.InputError, match=r"^data: not one contiguous piece of memory"):
        backend.new(algorithm, pieces)
    hasher = backend.new(algorithm, b"abc")
    with pytest.raises((ValueError, BufferError)):  # hashlib has its own words for it
        hasher.update(pieces)
    assert hasher.digest() == HASHES[algorithm](b"abc")


def test_unknown_names(backend):
    for name in ("md5", "", "SHA256", "blake2b", "sha3-256"):
        with pytest.raises(
            mc.InputError, match=f"^algorithm '{name}' is none of sha256, sha256d, sha512, sha3_256, "
        ):
            backend.new(name)
    for wrong in (None, 256, b"sha256", hashlib.sha256):
        with pytest.raises(TypeError, match=r"^algorithm: a name is needed, not "):
            backend.new(wrong)


def test_the_public_function():
    assert mc.new("sha256").hexdigest() == hashlib.sha256().hexdigest()
    assert mc.new("blake3", data=b"abc").digest() == mc.new(algorithm="blake3", data=b"abc").digest()
    for algorithm in mc.algorithms():
        assert mc.new(algorithm, b"abc").digest() == getattr(mc, algorithm)(b"abc")
