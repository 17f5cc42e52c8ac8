"""SHA3-256 and Keccak-256 from FIPS 202, held against hashlib and two implementations of the original."""

import hashlib

import pytest
import sha3
from Crypto.Hash import keccak as pycryptodome
from hypothesis import given
from hypothesis import strategies as st

from merklecore.reference.hashes.keccak import RATE, RC, SOURCES, keccak256, keccak_f, sha3_256
from tests.known_answers import known_answers

BOUNDARIES = [n for blocks in (1, 2, 3) for n in range(blocks * RATE - 2, blocks * RATE + 3)]


def test_round_constants():
    # The table of the Keccak reference, section 1.2: the first two and the last.
    assert (RC[0], RC[1], RC[23], len(RC)) == (0x0000000000000001, 0x0000000000008082, 0x8000000080008008, 24)


def test_offsets():
    # FIPS 202 table 2, modulo 64: the lanes of row 0, then those of column 0.
    turned = {source: left for source, _, left, _ in SOURCES}
    assert [turned[x] for x in range(5)] == [0, 1, 62, 28, 27]
    assert [turned[5 * y] for y in range(5)] == [0, 36, 3, 41, 18]
    assert sorted(source for source, *_ in SOURCES) == list(range(25))


def test_the_permutation_of_zeros():
    # Keccak team, KeccakF-1600-IntermediateValues.txt: the first lanes after one and after two permutations.
    once = keccak_f([0] * 25)
    assert once[:2] == [0xF1258F7940E1DDE7, 0x84D5CCF933C0478A]
    assert keccak_f(once)[:2] == [0x2D5C954DF96ECB3C, 0x6A332CD07057B56D]


@pytest.mark.parametrize("hash_of", [sha3_256, keccak256], ids=lambda hash_of: hash_of.__name__)
def test_known_answers(hash_of):
    for answer in known_answers(hash_of.__name__):
        assert hash_of(answer.message()) == answer.digest, answer.source


def test_every_length_to_a_block():
    for n in [*range(RATE + 2), *BOUNDARIES]:
        message = bytes(i & 0xFF for i in range(n))
        assert sha3_256(message) == hashlib.sha3_256(message).digest()
        expected = sha3.keccak_256(message).digest()
        assert keccak256(message) == expected
        assert pycryptodome.new(digest_bits=256, data=message).digest() == expected


@given(st.binary(max_size=300))
def test_any_message(message):
    assert sha3_256(message) == hashlib.sha3_256(message).digest()
    assert keccak256(message) == sha3.keccak_256(message).digest()
