"""BLAKE2b from the RFC's text, held against the RFC and against hashlib."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from merklecore.reference.hashes.blake2b import IV, SIGMA, blake2b, blake2b_256, compress
from tests.known_answers import known_answers


def test_the_worked_example():
    # RFC 7693 appendix A: BLAKE2b-512 of "abc", the first word before and after its one block, the digest.
    h = (0x6A09E667F2BDC948, *IV[1:])
    assert compress(h, b"abc" + bytes(125), 3, True)[0] == 0x0D4D1C983FA580BA
    assert blake2b(b"abc", 64).hex() == (
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
    )


def test_every_round_takes_each_word_once():
    assert all(sorted(order) == list(range(16)) for order in SIGMA)


def sequence(size):
    """The Fibonacci bytes of the self-test."""
    a, b, found = 0xDEAD4BAD * size & 0xFFFFFFFF, 1, bytearray()
    for _ in range(size):
        a, b = b, (a + b) & 0xFFFFFFFF
        found.append(b >> 24)
    return bytes(found)


def test_the_self_test_of_the_rfc():
    # RFC 7693 appendix E: four lengths of digest, six of input, with a key and without.
    found = b""
    for size in (20, 32, 48, 64):
        for n in (0, 3, 128, 129, 255, 1024):
            found += blake2b(sequence(n), size) + blake2b(sequence(n), size, sequence(size))
    assert blake2b_256(found).hex() == "c23a7800d98123bd10f506c61e29da5603d763b8bbad2e737f5e765a7bccd475"


def test_known_answers():
    for answer in known_answers("blake2b_256"):
        assert blake2b_256(answer.message()) == answer.digest, answer.source


def test_every_length_around_the_blocks():
    for n in range(260):
        message = bytes(i & 0xFF for i in range(n))
        assert blake2b_256(message) == hashlib.blake2b(message, digest_size=32).digest()


@given(st.binary(max_size=300), st.integers(1, 64), st.binary(max_size=64))
def test_any_message(message, size, key):
    assert blake2b(message, size, key) == hashlib.blake2b(message, digest_size=size, key=key).digest()
