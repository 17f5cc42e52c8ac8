"""BLAKE3 from its specification, held against that and against the package blake3."""

import blake3 as package
from hypothesis import given
from hypothesis import strategies as st

from merklecore.reference.hashes.blake3 import (
    CHUNK_END,
    CHUNK_START,
    IV,
    ROOT,
    blake3,
    chunk,
    compress,
    parent,
)
from tests.known_answers import known_answers

PATTERN = bytes(i % 251 for i in range(20 * 1024))


def by_package(message):
    return package.blake3(message).digest()


def test_the_worked_example():
    # draft-aumasson-blake3-00 appendix B.1: the one block of "IETF".
    flags = CHUNK_START | CHUNK_END | ROOT
    assert flags == 0x0B
    assert [f"{x:08x}" for x in compress(IV, b"IETF", 0, flags)] == [
        *("1edea283", "abe6f4e6", "24896868", "cfc04e8f", "9470c54c", "ff82a646", "d6b4cbd1", "e2815116")
    ]


def test_the_tree_of_five_chunks():
    """Four to the left, as RFC 6962 splits; only the last compression is the root's."""
    pieces = [PATTERN[i * 1024 : i * 1024 + 1024] for i in range(4)] + [PATTERN[4096:4097]]
    a, b, c, d, e = (chunk(piece, t) for t, piece in enumerate(pieces))
    root = parent(parent(parent(a, b), parent(c, d)), e, ROOT)
    digest = b"".join(x.to_bytes(4, "little") for x in root)
    assert digest == blake3(PATTERN[:4097]) == by_package(PATTERN[:4097])


def test_known_answers():
    for answer in known_answers("blake3"):
        assert blake3(answer.message()) == answer.digest, answer.source


def test_every_length_of_one_chunk():
    for n in range(1026):
        assert blake3(PATTERN[:n]) == by_package(PATTERN[:n])


def test_lengths_around_chunks():
    for chunks in range(2, 12):
        for n in (chunks * 1024 - 1, chunks * 1024, chunks * 1024 + 1):
            assert blake3(PATTERN[:n]) == by_package(PATTERN[:n])


@given(st.binary(max_size=3000))
def test_any_message(message):
    assert blake3(message) == by_package(message)


@given(st.binary(max_size=64), st.integers(0, (1 << 58) - 1))
def test_a_counter_of_two_words(message, t):
    """The root of further output counts its blocks as chunks are counted: no message need be 4 TiB long."""
    words = compress(IV, message, t, CHUNK_START | CHUNK_END | ROOT)
    expected = package.blake3(message).digest(length=32, seek=64 * t)
    assert b"".join(x.to_bytes(4, "little") for x in words) == expected
