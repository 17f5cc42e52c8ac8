"""The encodings of all kinds of proofs: there and back, every bit and length of a header, JSON, values."""

import hashlib
import json
import pickle
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc

pytestmark = pytest.mark.any_kernel

HASHES = [hashlib.sha256(b"%d" % i).digest() for i in range(12)]
TREE = mc.MerkleTree(HASHES[:11])
HEAP = mc.MerkleTree(HASHES[:11], "openzeppelin-simple")
BITCOIN = mc.MerkleTree(HASHES[:11], "bitcoin")
PROOFS = {
    "inclusion": TREE.prove(3),
    "inclusions": TREE.prove_many([3, 10, 0]),
    "inclusions of one leaf": mc.MerkleTree([b""]).prove_many([0, 0]),
    "no inclusions": TREE.prove_many([]),
    "multi": TREE.prove_multi([1, 5, 6]),
    "range": TREE.prove_range(3, 8),
    "consistency": TREE.prove_consistency(7),
    "flagged": HEAP.prove_flagged([0, 4, 10]),
    "flagged of one leaf": mc.MerkleTree(HASHES[:1], "openzeppelin-simple").prove_flagged([0]),
    "partial": BITCOIN.prove_partial([2, 9]),
    "multi of all": TREE.prove_multi(range(11)),
    "range of all": TREE.prove_range(0, 11),
    "consistency of equal sizes": TREE.prove_consistency(11),
}
KINDS = {type(proof) for proof in PROOFS.values()}
each = pytest.mark.parametrize("name", PROOFS)


LONG = 1 << 17
LONG_ONES = {
    "counts of zero": (mc.InclusionProofs, b"\2\1" + bytes(5) + LONG.to_bytes(4, "big") + bytes(LONG)),
    "flags": (mc.FlaggedMultiProof, b"\6\1" + bytes(5) + (8 * LONG).to_bytes(4, "big") + b"\xff" * LONG),
    "flags of no walk": (
        mc.PartialMerkleTree,
        b"\xff" * 4 + b"\1" + bytes(32) + b"\xfe" + LONG.to_bytes(4, "little") + b"\xff" * LONG,
    ),
}


@pytest.mark.parametrize("name", LONG_ONES)
def test_what_decoding_takes(name):
    """No more than what is kept, twice: eight bytes of a proof's end for one, a byte for each flag."""
    kind, data = LONG_ONES[name]
    tracemalloc.start()
    try:
        kind.from_bytes(data)
    except mc.InputError as error:
        assert "where 1 hashes take at most 5" in str(error)  # noqa: PT017  # one of the three is refused
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < (3 if kind is mc.PartialMerkleTree else 20) * len(data)


@each
def test_there_and_back(name):
    proof = PROOFS[name]
    kind, data, text = type(proof), bytes(proof), proof.to_json()
    for same in (
        kind.from_bytes(data),
        kind.from_bytes(bytearray(data)),
        kind.from_json(text),
        kind.from_json(json.dumps(json.loads(text), indent=1, sort_keys=True)),
        pickle.loads(pickle.dumps(proof)),
    ):
        assert same == proof
        assert hash(same) == hash(proof)
        assert bytes(same) == data
        assert same.path == proof.path
        assert repr(same) == repr(proof)
    assert text == json.dumps(json.loads(text), separators=(",", ":"))
    for other_name, other in PROOFS.items():
        if other_name != name:
            assert other != proof
    assert proof != data
    if kind not in (mc.FlaggedMultiProof, mc.PartialMerkleTree):
        assert kind.from_path(proof.path) == proof


@each
def test_frozen(name):
    proof = PROOFS[name]
    for field in ("path", "_hashes", "other"):
        with pytest.raises(AttributeError, match="is frozen"):
            setattr(proof, field, ())
        with pytest.raises(AttributeError, match="is frozen"):
            delattr(proof, field)
    with pytest.raises(TypeError, match="has no constructor"):
        type(proof)()


@each
def test_every_truncation_and_tail(name):
    data = bytes(PROOFS[name])
    for end in range(len(data)):
        with pytest.raises(mc.InputError):
            type(PROOFS[name]).from_bytes(data[:end])
    for tail in (b"\0", bytes(32), data):
        with pytest.raises(mc.InputError, match=f"^offset {len(data)}: goes on after"):
            type(PROOFS[name]).from_bytes(data + tail)


@each
def test_every_bit_changes_the_proof(name):
    """One proof, one encoding: what another string of bytes decodes to is another proof."""
    proof = PROOFS[name]
    data = bytes(proof)
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            other = type(proof).from_bytes(changed)
        except mc.InputError:
            continue
        assert other != proof
        assert bytes(other) == bytes(changed)
        if type(proof) is not mc.PartialMerkleTree:
            assert bit >= 8 * 7  # nothing in the header


@each
def test_no_kind_reads_another(name):
    for kind in KINDS - {type(PROOFS[name])}:
        with pytest.raises(mc.InputError):
            kind.from_bytes(bytes(PROOFS[name]))
        with pytest.raises(mc.InputError, match=r"^JSON: (an object with|type )"):
            kind.from_json(PROOFS[name].to_json())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(st.binary(max_size=100), st.integers(0, 7))
def test_any_bytes_are_refused_or_canonical(kind, data, first):
    for encoded in (data, bytes([first, 1, 32, 0, 0, 0]) + data, bytes([first, 1, 1, 0, 0, 0]) + data):
        try:
            proof = kind.from_bytes(encoded)
        except mc.InputError:
            continue
        assert bytes(proof) == encoded


ANY_JSON = st.recursive(st.none() | st.text(max_size=9) | st.integers(), st.lists, max_leaves=9).map(
    json.dumps
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(st.text(max_size=100) | ANY_JSON)
def test_any_text_is_refused(kind, text):
    with pytest.raises(mc.InputError):
        kind.from_json(text)


HEADERS = {
    "inclusions": {
        "020120ffffffff00000000": "offset 3: 4294967295 hashes, the counts of the proofs sum to 0",
        "02010000000000ffffffff": "offset 11: ends before the counts of 4294967295 proofs",
        "0201000000000000000001" + "01": "offset 3: 0 hashes, the counts of the proofs sum to 1",
        "0201010000004100000001" + "41" + "00" * 65: "offset 11: 65 hashes, a proof has at most 64",
        "02010000000000": "offset 7: ends before the number of proofs",
    },
    "multi": {"030120ffffffff": "offset 7: ends before 4294967295 hashes of 32 bytes"},
    "range": {"04010100000081": "offset 3: 129 hashes, a proof has at most 128"},
    "consistency": {"05010100000042": "offset 3: 66 hashes, a proof has at most 65"},
    "flagged": {
        "06010000000000ffffffff": "offset 11: ends before 4294967295 flags",
        "0601000000000000000001" + "00": "offset 11: flags: 1 are False where there are 0 hashes",
        "0601000000000000000001" + "03": "offset 11: bits after the last one are not zero",
        "0601010000000100000000" + "00": "offset 11: flags: 0 are False where there are 1 hashes",
    },
}


@pytest.mark.parametrize(
    ("name", "encoded", "said"), [(n, e, s) for n, c in HEADERS.items() for e, s in c.items()]
)
def test_what_is_said(name, encoded, said):
    with pytest.raises(mc.InputError, match=f"^{said}$"):
        type(PROOFS[name]).from_bytes(bytes.fromhex(encoded))


@each
def test_nothing_is_allocated_for_what_a_header_claims(name):
    data = bytearray(bytes(PROOFS[name]))
    data[2:] = b"\xff" * (len(data) - 2)
    tracemalloc.start()
    with pytest.raises(mc.InputError):
        type(PROOFS[name]).from_bytes(data)
    assert tracemalloc.get_traced_memory()[1] < 1 << 16
    tracemalloc.stop()


def test_flags_take_a_small_multiple_of_their_bytes():
    """A list of bits took 75."""
    size = 1 << 16
    flagged = b"\6\1\0" + bytes(4) + (8 * size).to_bytes(4, "big") + b"\xff" * size
    partial = (8 * size).to_bytes(4, "little") + b"\0\xfe" + size.to_bytes(4, "little") + bytes(size)
    tracemalloc.start()
    mc.FlaggedMultiProof.from_bytes(flagged)
    with pytest.raises(mc.InputError):
        mc.PartialMerkleTree.from_bytes(partial)
    assert tracemalloc.get_traced_memory()[1] < 30 * size
    tracemalloc.stop()


@pytest.mark.parametrize(
    "changes",
    [{"flags": None}, {"flags": [1]}, {"flags": "true"}, {"hashes": None}, {"hashes": [1]}, {"version": 2}],
    ids=str,
)
def test_bent_json_of_flags(changes):
    for proof in (PROOFS["flagged"], PROOFS["partial"]):
        with pytest.raises(mc.InputError):
            type(proof).from_json(json.dumps(json.loads(proof.to_json()) | changes))


@pytest.mark.parametrize(
    "proofs", [None, {}, [None], [["00"], 1], [[1]], [["00"], ["0000"]], [["00"] * 65]], ids=str
)
def test_bent_json_of_many(proofs):
    with pytest.raises(mc.InputError):
        mc.InclusionProofs.from_json(json.dumps({"type": "inclusions", "version": 1, "proofs": proofs}))


def test_paths_of_wrong_kinds():
    for wrong in (None, "text", [None], [b"bytes"], [[1]]):
        with pytest.raises(TypeError):
            mc.InclusionProofs.from_path(wrong)
    with pytest.raises(mc.InputError, match=r"paths\[1\]: hashes of 31 bytes where the first ones have 32"):
        mc.InclusionProofs.from_path([[bytes(32)], [bytes(31)]])
