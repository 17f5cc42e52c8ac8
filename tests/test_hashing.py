"""Batches of messages and nodes on both backends: every length, kinds of input, ways to be wrong."""

import hashlib
import mmap
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore import _native, reference
from tests.oracles import HASHES, is_slow

ROWS = np.arange(6 * 32, dtype=np.uint8).reshape(6, 32)
LIST = [row.tobytes() for row in ROWS]


def of(array):
    """The rows of a result, as bytes."""
    assert array.dtype == np.uint8
    assert array.flags.c_contiguous
    assert array.flags.writeable
    return [row.tobytes() for row in array]


def mapped(data):
    memory = mmap.mmap(-1, len(data))
    memory[:] = data
    return memory


# ---- every length and count --------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", mc.algorithms())
def test_every_length_to_300(backend, algorithm):
    data = bytes(i * 7 & 0xFF for i in range(600))
    messages = [data[n : 2 * n] for n in range(300)]
    expected = [HASHES[algorithm](message) for message in messages]
    assert of(backend.hash_many(messages, algorithm)) == expected
    assert [backend.digest(message, algorithm) for message in messages] == expected
    with_prefix = [HASHES[algorithm](b"\x00" + message) for message in messages]
    assert of(backend.hash_many(messages, algorithm, b"\x00")) == with_prefix


@pytest.mark.parametrize("algorithm", mc.algorithms())
@pytest.mark.parametrize("prefix", [b"", b"\x01", b"two", bytes(55), bytes(64), bytes(200)], ids=len)
def test_every_count_of_pairs_to_70(backend, algorithm, prefix):
    pair = 2 * backend.DIGEST_SIZES[algorithm]
    nodes = bytes(i * 11 + (i >> 8) & 0xFF for i in range(70 * pair))
    expected = [HASHES[algorithm](prefix + nodes[i : i + pair]) for i in range(0, len(nodes), pair)]
    for n in (0, 1, 2, 70) if is_slow(backend, algorithm) else range(71):
        assert of(backend.hash_pairs(nodes[: n * pair], algorithm, prefix)) == expected[:n]


@pytest.mark.parametrize("algorithm", mc.algorithms())
@pytest.mark.parametrize("width", [0, 1, 31, 32, 55, 56, 63, 64, 65, 119, 120, 128, 1000])
def test_every_count_of_rows_to_40(backend, algorithm, width):
    rows = np.arange(40 * width, dtype=np.uint32).astype(np.uint8).reshape(40, width)
    expected = [HASHES[algorithm](row.tobytes()) for row in rows]
    for n in (0, 1, 40) if is_slow(backend, algorithm) else range(41):
        assert of(backend.hash_many(rows[:n], algorithm)) == expected[:n]


lists = st.lists(st.binary(max_size=300), max_size=60)


@given(lists, st.binary(max_size=70), st.sampled_from(mc.algorithms()), st.sampled_from([None, 1, 2, 3]))
def test_any_list(messages, prefix, algorithm, threads):
    expected = [HASHES[algorithm](prefix + message) for message in messages]
    for backend in (_native, reference):
        assert of(backend.hash_many(messages, algorithm, prefix, threads)) == expected


@given(st.binary(max_size=64 * 40), st.binary(max_size=70), st.sampled_from(mc.algorithms()))
def test_any_pairs(nodes, prefix, algorithm):
    pair = 2 * reference.DIGEST_SIZES[algorithm]
    nodes = nodes[: len(nodes) // pair * pair]
    expected = [HASHES[algorithm](prefix + nodes[i : i + pair]) for i in range(0, len(nodes), pair)]
    for backend in (_native, reference):
        assert of(backend.hash_pairs(nodes, algorithm, prefix)) == expected


@given(st.binary(max_size=200), st.integers(0, 70))
def test_unaligned_memory(data, start):
    view = memoryview(data)[start:]
    for backend in (_native, reference):
        assert backend.sha256(view) == hashlib.sha256(view).digest()
        assert of(backend.hash_many([view, b""], "sha256"))[0] == hashlib.sha256(view).digest()


# ---- what is accepted --------------------------------------------------------------------------------------

KINDS = {
    "list": LIST,
    "tuple": tuple(LIST),
    "bytearrays": [bytearray(row) for row in LIST],
    "memoryviews": [memoryview(row) for row in LIST],
    "arrays": list(ROWS),
    "mixed": [
        LIST[0],
        bytearray(LIST[1]),
        memoryview(LIST[2]),
        ROWS[3],
        array("B", LIST[4]),
        mapped(LIST[5]),
    ],
    "wide items": [np.frombuffer(row, np.uint32) for row in LIST],
    "square items": [ROWS[i].reshape(4, 8) for i in range(6)],
    "array": ROWS,
    "signed array": ROWS.view(np.int8),
    "read-only array": np.frombuffer(ROWS.tobytes(), np.uint8).reshape(6, 32),
    "2-D memoryview": memoryview(ROWS),
    "S32": ROWS.reshape(-1).view("S32"),
    "V32": ROWS.reshape(-1).view("V32"),
    "a slice of rows": np.vstack([ROWS, ROWS])[6:],
}
FLAT = {
    "bytes": ROWS.tobytes(),
    "bytearray": bytearray(ROWS.tobytes()),
    "memoryview": memoryview(ROWS.tobytes()),
    "chars": memoryview(ROWS.tobytes()).cast("c"),
    "mmap": mapped(ROWS.tobytes()),
    "flat array": ROWS.reshape(-1),
    "array.array": array("B", ROWS.tobytes()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_messages_of_every_kind(backend, kind):
    expected = [hashlib.sha256(b"p" + row).digest() for row in LIST]
    assert of(backend.hash_many(KINDS[kind], "sha256", b"p")) == expected
    assert of(backend.hash_many(KINDS[kind], "sha256", bytearray(b"p"), 2)) == expected


@pytest.mark.parametrize("kind", [*KINDS, *FLAT])
def test_nodes_of_every_kind(backend, kind):
    expected = [hashlib.sha256(b"p" + LIST[i] + LIST[i + 1]).digest() for i in (0, 2, 4)]
    assert of(backend.hash_pairs((KINDS | FLAT)[kind], "sha256", memoryview(b"p"))) == expected


@pytest.mark.parametrize("kind", [*KINDS, *FLAT])
def test_leaves_of_every_kind(backend, kind):
    spec = backend.Spec("sha256", "hash", b"\x00", b"\x01", "split", False, None, "hash")
    tree = backend.Nodes(spec)
    tree.extend((KINDS | FLAT)[kind], True)
    assert [tree.leaf(i) for i in range(6)] == LIST
    assert backend.root(spec, (KINDS | FLAT)[kind], True) == tree.root()


@pytest.mark.parametrize("kind", FLAT)
def test_one_message_of_every_kind(backend, kind):
    expected = hashlib.sha256(ROWS).digest()
    assert backend.digest(FLAT[kind], "sha256") == expected
    assert backend.sha256(FLAT[kind]) == expected
    assert backend.sha256d(FLAT[kind]) == hashlib.sha256(expected).digest()


def test_trailing_nuls_of_s_items_are_kept(backend):
    rows = np.array([b"ab", b"c"], dtype="S4")
    assert of(backend.hash_many(rows, "sha256")) == [
        hashlib.sha256(data).digest() for data in (b"ab\0\0", b"c\0\0\0")
    ]


def test_nothing_to_hash(backend):
    for nothing in ([], (), np.empty((0, 32), np.uint8), np.empty(0, "S32")):
        assert backend.hash_many(nothing, "sha256").shape == (0, 32)
        assert backend.hash_pairs(nothing, "sha256").shape == (0, 32)
    assert backend.hash_pairs(b"", "sha256").shape == (0, 32)
    assert of(backend.hash_many(np.empty((3, 0), np.uint8), "sha256")) == [hashlib.sha256().digest()] * 3


# ---- what is refused ---------------------------------------------------------------------------------------

WRONG_TYPES = {
    "str": "text",
    "int": 32,
    "None": None,
    "dict": {b"a": b"b"},
    "set": {b"a"},
    "generator": (row for row in LIST),
    "range": range(3),
}
WRONG_INPUT = {
    "uint32 array": np.zeros((4, 8), np.uint32),
    "float array": np.zeros((4, 8)),
    "bool array": np.zeros((4, 8), bool),
    "object array": np.array([b"a", b"b"], dtype=object),
    "U array": np.array(["a", "b"]),
    "datetime array": np.array(["2000-01-01"], "M8[s]"),
    "record array": np.zeros(4, [("a", "u1"), ("b", "u1")]),
    "3-D array": np.zeros((2, 2, 32), np.uint8),
    "0-D array": np.zeros((), np.uint8),
    "every other column": np.zeros((4, 64), np.uint8)[:, ::2],
    "every other row": np.zeros((8, 32), np.uint8)[::2],
    "Fortran order": np.zeros((4, 32), np.uint8, order="F"),
    "reversed": np.zeros((4, 32), np.uint8)[::-1],
}


@pytest.mark.parametrize("kind", WRONG_TYPES)
def test_wrong_types(backend, kind):
    wrong = WRONG_TYPES[kind]
    with pytest.raises(
        TypeError, match=r"^messages: a list or tuple of bytes-like objects or an array of bytes"
    ):
        backend.hash_many(wrong, "sha256")
    with pytest.raises(TypeError, match=r"^nodes: .* is needed, not " + type(wrong).__name__):
        backend.hash_pairs(wrong, "sha256")
    with pytest.raises(
        TypeError, match=r"^messages\[2\]: a bytes-like object is needed, not " + type(wrong).__name__
    ):
        backend.hash_many([b"", b"", wrong], "sha256")
    for one in (backend.sha256, backend.sha256d, lambda data: backend.digest(data, "sha256")):
        with pytest.raises(
            TypeError, match=r"^data: a bytes-like object is needed, not " + type(wrong).__name__
        ):
            one(wrong)
    with pytest.raises(TypeError, match=r"^prefix: a bytes-like object is needed, not "):
        backend.hash_many([], "sha256", wrong)


@pytest.mark.parametrize("kind", WRONG_INPUT)
def test_wrong_arrays(backend, kind):
    with pytest.raises(mc.InputError, match=r"^messages: "):
        backend.hash_many(WRONG_INPUT[kind], "sha256")
    with pytest.raises(mc.InputError, match=r"^nodes: "):
        backend.hash_pairs(WRONG_INPUT[kind], "sha256")


@pytest.mark.parametrize("kind", FLAT)
def test_a_flat_buffer_of_messages_is_refused(backend, kind):
    with pytest.raises(mc.InputError, match="give a list of bytes or an array of shape"):
        backend.hash_many(FLAT[kind], "sha256")


def test_pieces_of_memory_are_refused(backend):
    pieces = memoryview(bytes(64))[::2]
    for call in (
        lambda: backend.sha256(pieces),
        lambda: backend.digest(np.zeros(8, np.uint8)[::2], "sha256"),
        lambda: backend.hash_many([b"", pieces], "sha256"),
        lambda: backend.hash_many([b""], "sha256", pieces),
    ):
        with pytest.raises(mc.InputError, match="not one contiguous piece of memory"):
            call()
    released = memoryview(b"abc")
    released.release()
    for call in (
        lambda: backend.sha256(released),
        lambda: backend.hash_many([released], "sha256"),
        lambda: backend.hash_many(released, "sha256"),
    ):
        with pytest.raises(mc.InputError, match="released"):
            call()


def test_nodes_must_make_pairs(backend):
    with pytest.raises(mc.InputError, match=r"^nodes: 5 nodes do not make pairs"):
        backend.hash_pairs(LIST[:5], "sha256")
    with pytest.raises(mc.InputError, match=r"^nodes: 1 nodes do not make pairs"):
        backend.hash_pairs(bytes(32), "sha256")
    with pytest.raises(mc.InputError, match=r"^nodes: 63 bytes are not a whole number of rows of 32"):
        backend.hash_pairs(bytes(63), "sha256")
    with pytest.raises(mc.InputError, match=r"^nodes\[1\]: 33 bytes where 32 are needed"):
        backend.hash_pairs([bytes(32), bytes(33), bytes(31), bytes(32)], "sha256")
    with pytest.raises(mc.InputError, match=r"^nodes: rows of 64 bytes where 32 are needed"):
        backend.hash_pairs(np.zeros((2, 64), np.uint8), "sha256")


def test_unknown_names(backend):
    for call in (
        lambda name: backend.digest(b"", name),
        lambda name: backend.hash_many([], name),
        lambda name: backend.hash_pairs([], name),
    ):
        with pytest.raises(mc.InputError, match=r"^algorithm 'md5' is none of sha256, sha256d"):
            call("md5")
        for wrong in (None, 256, b"sha256"):
            with pytest.raises(TypeError, match=r"^algorithm: a name is needed, not "):
                call(wrong)


@pytest.mark.parametrize("call", ["digest", "hash_many", "hash_pairs"])
def test_kernels_by_name(backend, call):
    argument = {"digest": b"ab", "hash_many": [b"ab"], "hash_pairs": bytes(64)}[call]
    function = getattr(backend, call)
    expected = bytes(function(argument, "sha256"))
    for kernel in backend.kernels("sha256"):
        assert bytes(function(argument, "sha256", kernel=kernel)) == expected
    with pytest.raises(mc.BackendError, match=r"^kernel 'quantum' is n"):
        function(argument, "sha256", kernel="quantum")
    with pytest.raises(TypeError, match=r"^kernel: a name is needed"):
        function(argument, "sha256", kernel=1)


@pytest.mark.parametrize("call", ["hash_many", "hash_pairs"])
def test_threads(backend, call):
    function = getattr(backend, call)
    expected = of(function(LIST, "sha256"))
    for threads in (None, 1, 2, 7, 1024, np.int64(2)):
        assert of(function(LIST, "sha256", b"", threads)) == expected
    for wrong in (True, False, 1.5, 2.0, "2", np.True_):
        with pytest.raises(TypeError):
            function(LIST, "sha256", b"", wrong)
    for wrong in (0, -1, 1025, 5000, 2**70):
        with pytest.raises(mc.InputError, match=r"^threads: -?[0-9]+ is not between 1 and 1024"):
            function(LIST, "sha256", b"", wrong)


# ---- out ---------------------------------------------------------------------------------------------------

OUTS = {
    "array": lambda: np.zeros((3, 32), np.uint8),
    "signed array": lambda: np.zeros((3, 32), np.int8),
    "flat array": lambda: np.zeros(96, np.uint8),
    "rows of an array": lambda: np.zeros((5, 32), np.uint8)[1:4],
    "bytearray": lambda: bytearray(96),
    "memoryview": lambda: memoryview(bytearray(96)),
    "mmap": lambda: mmap.mmap(-1, 96),
    "array.array": lambda: array("B", bytes(96)),
}
BAD_OUTS = {
    "bytes": lambda: bytes(96),
    "read-only array": lambda: np.frombuffer(bytes(96), np.uint8),
    "too few rows": lambda: np.zeros((2, 32), np.uint8),
    "too many rows": lambda: np.zeros((4, 32), np.uint8),
    "rows too short": lambda: np.zeros((3, 31), np.uint8),
    "transposed": lambda: np.zeros((32, 3), np.uint8),
    "another shape": lambda: np.zeros((6, 16), np.uint8),
    "3-D": lambda: np.zeros((1, 3, 32), np.uint8),
    "too short": lambda: bytearray(95),
    "too long": lambda: bytearray(97),
    "words": lambda: np.zeros((3, 8), np.uint32),
    "floats": lambda: np.zeros(12),
    "S32": lambda: np.zeros(3, "S32"),
    "every other row": lambda: np.zeros((6, 32), np.uint8)[::2],
    "Fortran order": lambda: np.zeros((3, 32), np.uint8, order="F"),
}


@pytest.mark.parametrize("kind", OUTS)
@pytest.mark.parametrize("call", ["hash_many", "hash_pairs"])
def test_out_is_filled_and_returned(backend, call, kind):
    source = LIST[:3] if call == "hash_many" else LIST
    out = OUTS[kind]()
    assert getattr(backend, call)(source, "sha256", b"", None, out) is out
    assert memoryview(out).tobytes() == getattr(backend, call)(source, "sha256").tobytes()


@pytest.mark.parametrize("kind", BAD_OUTS)
@pytest.mark.parametrize("call", ["hash_many", "hash_pairs"])
def test_out_that_does_not_fit(backend, call, kind):
    source = LIST[:3] if call == "hash_many" else LIST
    out = BAD_OUTS[kind]()
    before = out.tobytes() if isinstance(out, np.ndarray) else bytes(out)
    with pytest.raises(mc.InputError, match=r"^out: "):
        getattr(backend, call)(source, "sha256", b"", None, out)
    assert before == (out.tobytes() if isinstance(out, np.ndarray) else bytes(out))


@pytest.mark.parametrize("out", [[], "text", 96, object()], ids=lambda out: type(out).__name__)
def test_out_of_a_wrong_type(backend, out):
    with pytest.raises(TypeError, match=r"^out: a writable buffer is needed"):
        backend.hash_many(LIST[:3], "sha256", b"", None, out)


def test_out_for_nothing(backend):
    for out in (bytearray(), np.empty((0, 32), np.uint8)):
        assert backend.hash_many([], "sha256", b"", None, out) is out
        assert backend.hash_pairs(b"", "sha256", b"", None, out) is out
    with pytest.raises(mc.InputError, match=r"^out: "):
        backend.hash_many([], "sha256", b"", None, bytearray(1))


def test_out_that_overlaps_the_input_is_refused(backend):
    memory = np.zeros((8, 32), np.uint8)
    for source, out in (
        (memory[:6], memory[:3]),
        (memory[:6], memory[5:8]),
        (memory[2:], memory[:3]),
        ([bytes(32)] * 5 + [memory[4]], memory[2:5]),
        ([memory[0].data] + [bytes(32)] * 5, memory[:3]),
    ):
        with pytest.raises(mc.InputError, match=r"^out: shares memory"):
            backend.hash_pairs(source, "sha256", b"", None, out)
    with pytest.raises(mc.InputError, match=r"^out: shares memory"):
        backend.hash_many([b"a"], "sha256", memory[0], None, memory[:1])
    assert not memory.any()


def test_out_beside_the_input_is_not(backend):
    memory = np.zeros((9, 32), np.uint8)
    expected = of(backend.hash_pairs(bytes(6 * 32), "sha256"))
    assert of(backend.hash_pairs(memory[:6], "sha256", b"", None, memory[6:])) == expected
    memory[:] = 0
    assert of(backend.hash_pairs(memory[3:], "sha256", b"", None, memory[:3])) == expected


# ---- the public functions ----------------------------------------------------------------------------------


def test_public_functions():
    assert mc.digest(b"abc") == mc.sha256(b"abc") == HASHES["sha256"](b"abc")
    assert mc.digest(b"abc", "sha256d") == mc.sha256d(b"abc") == HASHES["sha256d"](b"abc")
    assert of(mc.hash_many([b"abc"], "sha256d", prefix=b"p", threads=1)) == [HASHES["sha256d"](b"pabc")]
    assert of(mc.hash_pairs(bytes(64), prefix=b"p")) == [HASHES["sha256"](b"p" + bytes(64))]
    out = bytearray(32)
    assert mc.hash_many([b"abc"], out=out) is out
    assert mc.hash_pairs(bytes(64), out=out) is out
    assert out == HASHES["sha256"](bytes(64))
    assert mc.cpu_info()["backend"] in ("native", "reference")


@pytest.mark.parametrize("name", mc.algorithms())
def test_each_algorithm_has_a_function_of_its_name(name):
    assert getattr(mc, name)(b"abc") == mc.digest(b"abc", name)
    with pytest.raises(TypeError):
        getattr(mc, name)(data=b"abc")
