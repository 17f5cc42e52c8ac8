"""SM3 from the standard's text, held against the standard and against OpenSSL where that has it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merklecore.reference.hashes.sm3 import IV, T_ROTATED, compress, sm3
from merklecore.reference.hashing import HAS_SM3
from tests.known_answers import known_answers

needs_openssl = pytest.mark.skipif(not HAS_SM3, reason="this OpenSSL was built without SM3")


def by_openssl(message):
    return hashlib.new("sm3", message).digest()


def test_the_worked_example():
    # GB/T 32905-2016 appendix A.1: "abc" as one padded block.
    block = b"abc\x80" + bytes(52) + (24).to_bytes(8, "big")
    assert [f"{x:08x}" for x in compress(IV, block)] == [
        *("66c7f0f4", "62eeedd9", "d1f2d46b", "dc10e4e2", "4167c487", "5cf2f7a2", "297da02b", "8f4ba8e0")
    ]


def test_constants_turn_with_the_round():
    assert (T_ROTATED[0], T_ROTATED[1], T_ROTATED[15]) == (0x79CC4519, 0xF3988A32, 0x228CBCE6)
    assert T_ROTATED[16:32] == T_ROTATED[48:]  # by j mod 32


def test_known_answers():
    for answer in known_answers("sm3"):
        assert sm3(answer.message()) == answer.digest, answer.source


@needs_openssl
def test_every_length_around_the_padding():
    for n in range(132):
        assert sm3(bytes(range(n))) == by_openssl(bytes(range(n)))


@needs_openssl
@given(st.binary(max_size=300))
def test_any_message(message):
    assert sm3(message) == by_openssl(message)
