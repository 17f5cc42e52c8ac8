"""Odd arguments, of every function that takes their like: refused with a typed error, never another one."""

import ctypes

import numpy as np
import pytest

import merklecore as mc
from merklecore.tree import geometry

pytestmark = pytest.mark.any_kernel

TREE = mc.MerkleTree([b"a", b"b", b"c"])
PROOF = TREE.prove(1)


class Integer:
    """What has an index and nothing else of an integer."""

    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


# ---- integers ----------------------------------------------------------------------------------------------

NUMBERS = {
    "verify index": lambda n: PROOF.verify(TREE.root, b"b", index=n, size=3),
    "verify size": lambda n: PROOF.verify(TREE.root, b"b", index=1, size=n),
    "prove": lambda n: TREE.prove(n),
    "prove at a size": lambda n: TREE.prove(1, n),
    "leaf_hash": lambda n: TREE.leaf_hash(n),
    "root_at": lambda n: TREE.root_at(n),
    "inclusion_nodes index": lambda n: geometry.inclusion_nodes(n, 3),
    "inclusion_nodes size": lambda n: geometry.inclusion_nodes(1, n),
    "prove_many": lambda n: TREE.prove_many([0, n]),
    "prove_multi": lambda n: TREE.prove_multi([0, n]),
    "prove_range start": lambda n: TREE.prove_range(n, 3),
    "prove_range stop": lambda n: TREE.prove_range(0, n),
    "prove_consistency": lambda n: TREE.prove_consistency(n),
    "prove_consistency to a size": lambda n: TREE.prove_consistency(1, n),
    "consistency_nodes": lambda n: geometry.consistency_nodes(n, 3),
    "multi_nodes": lambda n: geometry.multi_nodes([0, n], 3),
    "range_nodes": lambda n: geometry.range_nodes(n, 3, 3),
    "verify many": lambda n: TREE.prove_many([1]).verify(TREE.root, [b"b"], indices=[n], size=3),
    "verify several": lambda n: TREE.prove_multi([1]).verify(TREE.root, [b"b"], indices=[n], size=3),
    "verify a range": lambda n: TREE.prove_range(1, 2).verify(TREE.root, [b"b"], start=n, size=3),
    "covering_nodes": lambda n: geometry.covering_nodes(n, 3),
    "depth": lambda n: geometry.depth(n),
    "threads": lambda n: mc.hash_many([b"a"], threads=n),
    "threads of a tree": lambda n: mc.merkle_root([b"a"], threads=n),
    "limit": lambda n: mc.Profile("mine", odd="pad", limit=n),
}


OTHER_BOUNDS = ("threads", "threads of a tree", "limit")
WRONG_NUMBERS = {
    "negative": -1,
    "a bit too large": 2**64 + 1,
    "4,000 digits": 10**4000,
    "5,000 digits": 10**5000,
    "minus 5,000 digits": -(10**5000),
}


@pytest.mark.parametrize("call", NUMBERS)
@pytest.mark.parametrize("number", WRONG_NUMBERS)
def test_integers_of_any_length(call, number):
    """Python itself does not print more than 4,300 digits: to say why a number is refused must not fail."""
    for wrong in (WRONG_NUMBERS[number], Integer(WRONG_NUMBERS[number])):
        with pytest.raises(mc.InputError if call in OTHER_BOUNDS else mc.BoundsError):
            NUMBERS[call](wrong)


@pytest.mark.parametrize("call", NUMBERS)
def test_integers_of_any_type(call):
    """A bool or a float is none; what has an index is one."""
    for right in (2, Integer(2), np.uint8(2), np.int64(2)):
        try:
            NUMBERS[call](right)
        except mc.ProofError:  # it is another place
            assert call.startswith("verify")
    for wrong in (True, np.True_, 2.0, np.float64(2), "2", b"2", [2], 2 + 0j):
        with pytest.raises(TypeError, match="an integer is needed"):
            NUMBERS[call](wrong)


def test_a_size_under_a_limit_is_any_integer():
    profile = mc.profiles["ssz"].replace(limit=8)
    tree = mc.MerkleTree([bytes(32)] * 5, profile)
    for size in (5, Integer(5), np.uint8(5)):
        tree.prove(1).verify(tree.root, bytes(32), index=Integer(1), size=size, profile=profile)
    for size in (9, Integer(9), np.uint8(9)):
        with pytest.raises(mc.InputError, match="where the limit is 8"):
            tree.prove(1).verify(tree.root, bytes(32), index=1, size=size, profile=profile)


# ---- memory ------------------------------------------------------------------------------------------------


def released():
    view = memoryview(bytearray(32))
    view.release()
    return view


# What no buffer describes, or only as addresses of Python objects.
MEMORY = {
    "released": released,
    "datetimes": lambda: np.zeros(4, "M8[s]"),
    "objects": lambda: np.array([b"a", b"b", b"c", b"d"], object),
}
TEXT = ["abc", np.str_("abc")]  # the second one has a buffer, of UTF-32
PRIMITIVES = {
    "digest": lambda backend, _, x: backend.digest(x, "sha256"),
    "sha256d": lambda backend, _, x: backend.sha256d(x),
    "messages": lambda backend, _, x: backend.hash_many(x, "sha256"),
    "message": lambda backend, _, x: backend.hash_many([b"", x], "sha256"),
    "prefix": lambda backend, _, x: backend.hash_many([b""], "sha256", x),
    "out": lambda backend, _, x: backend.hash_many([b""], "sha256", b"", None, x),
    "nodes": lambda backend, _, x: backend.hash_pairs(x, "sha256"),
    "node": lambda backend, _, x: backend.hash_pairs([x, bytes(32)], "sha256"),
    "leaves": lambda backend, spec, x: backend.root(spec, x),
    "leaf": lambda backend, spec, x: backend.root(spec, [b"", x]),
    "leaf_hash": lambda backend, spec, x: backend.leaf_hash(spec, x),
    "fold": lambda backend, spec, x: backend.fold(spec, x, b"", 0, 0, 1),
    "extend": lambda backend, spec, x: backend.Nodes(spec).extend(x),
    "append": lambda backend, spec, x: backend.Nodes(spec).append(x),
}
ABOVE = {
    "root": lambda x: PROOF.verify(x, b"b", index=1, size=3),
    "from_bytes": lambda x: mc.InclusionProof.from_bytes(x),
    "from_path": lambda x: mc.InclusionProof.from_path([x]),
    "leaf_prefix": lambda x: mc.Profile("mine", leaf_prefix=x),
    "node_prefix": lambda x: mc.Profile("mine", node_prefix=x),
    "empty": lambda x: mc.Profile("mine", empty=x),
}


@pytest.mark.parametrize("kind", MEMORY)
@pytest.mark.parametrize("call", PRIMITIVES)
def test_memory_without_bytes(backend, call, kind):
    spec = backend.Spec("sha256", "hash", b"", b"", "split", False, None, None)
    with pytest.raises(mc.InputError):
        PRIMITIVES[call](backend, spec, MEMORY[kind]())


@pytest.mark.parametrize("kind", MEMORY)
@pytest.mark.parametrize("call", ABOVE)
def test_memory_without_bytes_above_the_backends(call, kind):
    with pytest.raises(mc.InputError):
        ABOVE[call](MEMORY[kind]())


def test_the_root_of_no_leaves_is_any_bytes():
    for kind in (bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)):
        assert mc.Profile("mine", empty=kind(b"e" * 32)).empty == b"e" * 32


@pytest.mark.parametrize("text", TEXT, ids=["str", "str_"])
@pytest.mark.parametrize("call", [name for name in PRIMITIVES if name != "out"])
def test_text_is_no_bytes(backend, call, text):
    spec = backend.Spec("sha256", "hash", b"", b"", "split", False, None, None)
    with pytest.raises(TypeError, match="is needed, not str"):
        PRIMITIVES[call](backend, spec, text)


@pytest.mark.parametrize("text", TEXT, ids=["str", "str_"])
@pytest.mark.parametrize("call", [name for name in ABOVE if name != "empty"])
def test_text_is_no_bytes_above_the_backends(call, text):
    with pytest.raises(TypeError, match="is needed, not str"):
        ABOVE[call](text)


@pytest.mark.parametrize("n", [2**57, 2**59 + 1])
def test_so_many_messages_that_sizes_overflow(n):
    """Rows of no bytes take no memory, however many they are; their digests would."""
    rows = np.zeros((n, 0), np.uint8)
    for out in (None, bytearray(32)):
        with pytest.raises(mc.InputError, match="the most there can be"):
            mc.hash_many(rows, out=out, threads=1)
    with pytest.raises(mc.InputError, match="the most there can be"):
        mc.MerkleTree(rows)


def test_memory_of_other_libraries(backend):
    """Their formats say the byte order even of single bytes."""
    rows = ((ctypes.c_ubyte * 32) * 4)(*[(ctypes.c_ubyte * 32)(*range(i, i + 32)) for i in range(4)])
    out = (ctypes.c_ubyte * 128)()
    expected = backend.hash_many([bytes(row) for row in rows], "sha256").tobytes()
    assert backend.hash_many(rows, "sha256", b"", None, out) is out
    assert bytes(out) == expected


def test_geometry_of_limits():
    assert geometry.depth(5, np.int64(1024)) == geometry.depth(5, Integer(1024)) == 10
    for wrong in (1.5, "8", np.zeros(2)):
        with pytest.raises(TypeError, match="integer"):
            geometry.depth(5, wrong)
    with pytest.raises(mc.InputError, match="only a padded tree"):
        geometry.inclusion_nodes(0, 1, "duplicate", 8)
    with pytest.raises(TypeError, match="a str is needed"):
        geometry.inclusion_nodes(0, 1, 3)
    for ids in ((-1, 0, 3), (0, -5, 3), (0, 0, -1), (65, 0, 3)):
        with pytest.raises(mc.BoundsError):
            geometry.is_complete(*ids)


def test_what_is_frozen_stays_so():
    with pytest.raises(AttributeError):
        mc.profiles["rfc6962"].__init__("rfc6962", node_prefix=b"\0")
