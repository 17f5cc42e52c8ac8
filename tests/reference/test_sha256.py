"""SHA-256 from the standard's text: the oracle itself, held against the standard and against hashlib."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from merklecore.reference.hashes.sha256 import H0, K, compress, sha256


def test_constants():
    # FIPS 180-4 sections 4.2.2 and 5.3.3: the first and the last of each.
    assert (K[0], K[63], len(K)) == (0x428A2F98, 0xC67178F2, 64)
    assert (H0[0], H0[7], len(H0)) == (0x6A09E667, 0x5BE0CD19, 8)


def test_the_worked_example():
    # FIPS 180-2 appendix B.1: "abc" as one padded block.
    block = b"abc\x80" + bytes(52) + (24).to_bytes(8, "big")
    assert [f"{x:08x}" for x in compress(H0, block)] == [
        *("ba7816bf", "8f01cfea", "414140de", "5dae2223", "b00361a3", "96177a9c", "b410ff61", "f20015ad")
    ]


def test_every_length_around_the_padding():
    for n in range(130):
        assert sha256(bytes(range(n))) == hashlib.sha256(bytes(range(n))).digest()


@given(st.binary(max_size=300))
def test_any_message(message):
    assert sha256(message) == hashlib.sha256(message).digest()
