"""The hashes that stand in for what hashlib lacks. What all must do: tests/hashes/test_new.py."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore.reference.incremental import Blake3, Keccak256, Sha256d, Sm3
from tests.oracles import HASHES


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_any_pieces_of_sm3(pieces):
    """It serves only where OpenSSL lacks the algorithm, so nothing else asks for it."""
    hasher = Sm3()
    for piece in pieces:
        hasher.update(piece)
    assert hasher.digest() == HASHES["sm3"](b"".join(pieces))
    assert hasher.hexdigest() == hasher.digest().hex()


@pytest.mark.parametrize("start", [Blake3, Keccak256, Sha256d, Sm3], ids=lambda start: start.name)
def test_a_copy_shares_nothing_that_changes(start):
    hasher = start(bytes(5000))
    copy, before = hasher.copy(), hasher.digest()
    copy.update(bytes(5000))
    assert (hasher.digest(), copy.digest()) == (before, HASHES[start.name](bytes(10000)))
    assert (copy.name, copy.digest_size, copy.block_size) == (start.name, 32, start.block_size)


def test_blake3_keeps_one_value_for_each_complete_subtree():
    hasher, chunk = Blake3(), bytes(1024)
    for n in range(1, 70):
        hasher.update(chunk)
        assert len(hasher._state) == (n - 1).bit_count()  # the last chunk still waits
        assert len(hasher._tail) == 1024
        if n % 7 == 0:
            assert hasher.digest() == HASHES["blake3"](bytes(n * 1024))


def test_sm3_where_openssl_lacks_it():
    code = (
        "import hashlib\n"
        "def without(name, *data): raise ValueError(f'unsupported hash type {name}')\n"
        "hashlib.new = without\n"
        "from merklecore import reference as r\n"
        "print(r.sm3(b'abc') == r.new('sm3', b'abc').digest() == r.hash_many([b'abc'], 'sm3').tobytes(),\n"
        "      r.sm3(b'abc').hex(), type(r.new('sm3')).__name__)"
    )
    root = Path(mc.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    digest = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert done.stdout.split() == ["True", digest, "Sm3"]
