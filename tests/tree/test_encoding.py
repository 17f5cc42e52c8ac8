"""One encoding for one proof: bytes and JSON, and every way to bend them."""

import hashlib
import json
import mmap
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc

pytestmark = pytest.mark.any_kernel

Proof = mc.InclusionProof
HASHES = [hashlib.sha256(b"%d" % i).digest() for i in range(64)]
PROOFS = {n: Proof.from_path(HASHES[:n]) for n in (0, 1, 2, 3, 20, 64)}
HEADER = 7


@pytest.mark.parametrize("n", PROOFS)
def test_there_and_back(n):
    proof = PROOFS[n]
    encoded = bytes(proof)
    d = 32 if n else 0
    assert encoded == bytes([1, 1, d]) + n.to_bytes(4, "big") + b"".join(HASHES[:n])
    for kind in (bytes, bytearray, memoryview, lambda b: np.frombuffer(b, np.uint8)):
        assert Proof.from_bytes(kind(encoded)) == proof
    text = proof.to_json()
    assert text == json.dumps(
        {"type": "inclusion", "version": 1, "hashes": [item.hex() for item in HASHES[:n]]},
        separators=(",", ":"),
    )
    assert Proof.from_json(text) == proof
    assert Proof.from_json(json.dumps(json.loads(text), indent=4, sort_keys=True)) == proof


@given(st.integers(1, 255).flatmap(lambda d: st.lists(st.binary(min_size=d, max_size=d), max_size=64)))
def test_any_path_there_and_back(path):
    proof = Proof.from_path(path)
    assert Proof.from_bytes(bytes(proof)) == Proof.from_json(proof.to_json()) == proof
    assert proof.path == tuple(path)


@given(st.binary(max_size=100) | st.binary(max_size=40).map(lambda tail: b"\1\1\x01\0\0\0" + tail))
def test_any_bytes_are_refused_or_canonical(data):
    try:
        proof = Proof.from_bytes(data)
    except mc.InputError:
        return
    assert bytes(proof) == data


# ---- bytes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", PROOFS)
def test_every_truncation(n):
    encoded = bytes(PROOFS[n])
    for end in range(len(encoded)):
        with pytest.raises(mc.InputError, match=f"^offset {end}: ends "):
            Proof.from_bytes(encoded[:end])


@pytest.mark.parametrize("n", PROOFS)
def test_every_bit_of_the_header(n):
    encoded = bytes(PROOFS[n])
    for bit in range(8 * HEADER):
        changed = bytearray(encoded)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(mc.InputError, match=r"^offset [0-9]+: "):
            Proof.from_bytes(changed)


@pytest.mark.parametrize("n", PROOFS)
def test_trailing_bytes(n):
    encoded = bytes(PROOFS[n])
    for tail in (b"\0", bytes(32), encoded, HASHES[0]):
        wanted = (
            f"^offset {len(encoded)}: goes on after {n} hashes of "
            if n < 64
            else "goes on after|more than any"
        )
        with pytest.raises(mc.InputError, match=wanted):
            Proof.from_bytes(encoded + tail)


@pytest.mark.parametrize(
    ("encoded", "said"),
    [
        ("", "offset 0: ends within the header of 7 bytes"),
        ("02010000000000", "offset 0: type 2, an inclusion proof has 1"),
        ("01020000000000", "offset 1: version 2, this is version 1"),
        ("01012000000000", "offset 2: 0 hashes of 32 bytes"),
        ("01010000000001", "offset 2: 1 hashes of 0 bytes"),
        ("010100ffffffff", "offset 3: 4294967295 hashes, a proof has at most 64"),
        ("01010100000041" + "00" * 65, "offset 3: 65 hashes, a proof has at most 64"),
        ("01011001000000", "offset 3: 16777216 hashes, a proof has at most 64"),
        ("01010100000002" + "00", "offset 8: ends before 2 hashes of 1 bytes"),
    ],
)
def test_what_is_said(encoded, said):
    with pytest.raises(mc.InputError, match=f"^{said}$"):
        Proof.from_bytes(bytes.fromhex(encoded))


def test_long_input_is_refused_unread():
    tracemalloc.start()
    data = mmap.mmap(-1, 1 << 30)  # pages that nobody touches
    with pytest.raises(mc.InputError, match=r"^data: 1073741824 bytes are more than"):
        Proof.from_bytes(data)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_bytes_of_wrong_types():
    for wrong in (None, "text", 7, [1, 1, 0, 0, 0, 0, 0], PROOFS[1].to_json()):
        with pytest.raises(TypeError):
            Proof.from_bytes(wrong)
    with pytest.raises(mc.InputError, match="not one contiguous piece"):
        Proof.from_bytes(memoryview(bytes(PROOFS[1]) * 2)[::2])


# ---- JSON --------------------------------------------------------------------------------------------------

ONE = HASHES[0].hex()
GOOD = {"type": "inclusion", "version": 1, "hashes": [ONE]}


def bent(**changes):
    return json.dumps({key: value for key, value in (GOOD | changes).items() if value != "absent"})


@pytest.mark.parametrize(
    ("text", "said"),
    {
        "no type": (bent(type="absent"), "an object with type, version and hashes is needed"),
        "no version": (bent(version="absent"), "an object with type, version and hashes is needed"),
        "no hashes": (bent(hashes="absent"), "an object with type, version and hashes is needed"),
        "another key": (bent(index=1), "and nothing else"),
        "another type": (bent(type="range"), "type 'range'"),
        "type 1": (bent(type=1), "type 1, an inclusion proof has 'inclusion'"),
        "type null": (bent(type=None), "type None"),
        "version 2": (bent(version=2), "version 2, this is version 1"),
        "version true": (bent(version=True), "version True"),
        "version 1.0": (bent(version=1.0), "version 1.0"),
        "version '1'": (bent(version="1"), "version '1'"),
        "version [1]": (bent(version=[1]), "version"),
        "hashes null": (bent(hashes=None), "hashes: a list is needed"),
        "hashes string": (bent(hashes=ONE), "hashes: a list is needed"),
        "hashes object": (bent(hashes={"0": ONE}), "hashes: a list is needed"),
        "number": (bent(hashes=[1]), r"hashes\[0\]: a string is needed"),
        "null": (bent(hashes=[ONE, None]), r"hashes\[1\]: a string is needed"),
        "nested": (bent(hashes=[[ONE]]), r"hashes\[0\]: a string is needed"),
        "empty hash": (bent(hashes=[""]), r"hashes\[0\]: is not lower-case hexadecimal"),
        "upper case": (bent(hashes=[ONE.upper()]), r"hashes\[0\]: is not lower-case hexadecimal"),
        "spaces": (bent(hashes=[ONE[:2] + " " + ONE[2:]]), r"hashes\[0\]: is not lower-case hexadecimal"),
        "newline": (bent(hashes=[ONE + "\n"]), r"hashes\[0\]: is not lower-case hexadecimal"),
        "odd digits": (bent(hashes=[ONE[1:]]), r"hashes\[0\]: is not lower-case hexadecimal"),
        "0x": (bent(hashes=["0x" + ONE]), r"hashes\[0\]: is not lower-case hexadecimal"),
        "other digits": (bent(hashes=["\u0661\u0662"]), r"hashes\[0\]: is not lower-case hexadecimal"),
        "lone surrogate": (bent(hashes=["\ud800"]), r"hashes\[0\]: is not lower-case hexadecimal"),
        "uneven": (bent(hashes=[ONE, ONE[2:]]), r"path\[1\]: 31 bytes where the first hash has 32"),
        "too long a hash": (bent(hashes=["00" * 256]), r"path\[0\]: 256 bytes, a hash has 1 to 255"),
        "65 hashes": (bent(hashes=[ONE] * 65), "65 hashes, a proof has at most 64"),
        "key twice": (bent()[:-1] + ',"version":1}', "key 'version' is given twice"),
        "key twice below": (
            bent(version={})[:-1].replace("{}", '{"a":1,"a":1}') + "}",
            "key 'a' is given twice",
        ),
        "a list": (json.dumps([GOOD]), "an object with type, version and hashes is needed"),
        "a string": ('"inclusion"', "an object with type, version and hashes is needed"),
        "null alone": ("null", "an object with type, version and hashes is needed"),
        "NaN": (bent().replace(": 1", ": NaN"), "version nan"),
        "no number at all": (bent().replace(": 1", ": 01"), "JSON: "),
        "many digits": (bent().replace(": 1", ": " + "1" * 6000), "JSON: "),
        "empty": ("", "JSON: Expecting value"),
        "blank": (" \n", "JSON: Expecting value"),
        "cut off": (bent()[:-1], "JSON: "),
        "going on": (bent() + "x", "JSON: Extra data"),
        "two": (bent() + bent(), "JSON: Extra data"),
        "byte order mark": ("\ufeff" + bent(), "JSON: "),
        "single quotes": (bent().replace('"', "'"), "JSON: "),
        "trailing comma": (bent()[:-1] + ",}", "JSON: "),
        "deep lists": ("[" * 60000, "JSON: "),
        "deep and closed": ("[" * 30000 + "]" * 30000, "JSON: "),
        "deep objects": ('{"a":' * 10000 + "1" + "}" * 10000, "JSON: "),
        "too long": (bent() + " " * (64 << 10), "characters are more than any inclusion proof has"),
        "far too long": ("[" * 10_000_000, "10000000 characters are more than"),
    }.values(),
)
def test_bent_json(text, said):
    with pytest.raises(mc.InputError, match=said) as caught:
        Proof.from_json(text)
    assert len(str(caught.value)) < 400


def test_json_at_the_limits():
    longest = Proof.from_path([bytes(255)] * 64)
    assert Proof.from_json(longest.to_json()) == longest
    text = PROOFS[1].to_json()
    assert Proof.from_json(text.ljust(64 << 10)) == PROOFS[1]
    for end in range(len(text)):
        with pytest.raises(mc.InputError, match=r"^JSON: "):
            Proof.from_json(text[:end])


def test_json_of_wrong_types():
    for wrong in (None, PROOFS[1].to_json().encode(), GOOD, 1):
        with pytest.raises(TypeError, match="text: a str is needed"):
            Proof.from_json(wrong)
