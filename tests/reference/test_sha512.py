"""SHA-512 from the standard's text, held against the standard and against hashlib."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from merklecore.reference.hashes.sha512 import H0, K, compress, sha512
from tests.known_answers import known_answers


def test_constants():
    # FIPS 180-4 sections 4.2.3 and 5.3.5: the first and the last of each.
    assert (K[0], K[79], len(K)) == (0x428A2F98D728AE22, 0x6C44198C4A475817, 80)
    assert (H0[0], H0[7], len(H0)) == (0x6A09E667F3BCC908, 0x5BE0CD19137E2179, 8)


def test_the_worked_example():
    # FIPS 180-2 appendix C.1: "abc" as one padded block.
    block = b"abc\x80" + bytes(108) + (24).to_bytes(16, "big")
    assert [f"{x:016x}" for x in compress(H0, block)] == [
        *("ddaf35a193617aba", "cc417349ae204131", "12e6fa4e89a97ea2", "0a9eeee64b55d39a"),
        *("2192992a274fc1a8", "36ba3c23a3feebbd", "454d4423643ce80e", "2a9ac94fa54ca49f"),
    ]


def test_known_answers():
    for answer in known_answers("sha512"):
        if answer.size < 10_000:
            assert sha512(answer.message()) == answer.digest, answer.source


def test_every_length_around_the_padding():
    for n in range(260):
        message = bytes(i & 0xFF for i in range(n))
        assert sha512(message) == hashlib.sha512(message).digest()


@given(st.binary(max_size=300))
def test_any_message(message):
    assert sha512(message) == hashlib.sha512(message).digest()
