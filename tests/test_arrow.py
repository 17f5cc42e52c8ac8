"""Columns of pyarrow, polars and pandas: each type, in any number of pieces, whole or sliced."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore import _native, reference
from tests.arrow import digests, expected
from tests.processes import output

VALUES = [b"a", b"", b"twelve bytes", b"thirteen byte", b"b" * 100, b"\x00", b"c" * 4096, b""]
WIDE = [bytes([i]) * 32 for i in range(20)]
TYPES = {"binary": pa.binary(), "large_binary": pa.large_binary(), "binary_view": pa.binary_view()}
FIXED = {**TYPES, "fixed_size_binary": pa.binary(32)}

each_type = pytest.mark.parametrize("kind", TYPES)
each_fixed = pytest.mark.parametrize("kind", FIXED)


def root(backend, column, **options):
    rfc6962 = backend.Spec("sha256", "hash", b"\x00", b"\x01", "split", False, None, "hash")
    return backend.root(rfc6962, column, **options)


# ---- types -------------------------------------------------------------------------------------------------


@each_type
def test_values_of_any_length(backend, kind):
    assert digests(backend, pa.array(VALUES, TYPES[kind])) == expected(VALUES)


@each_fixed
def test_values_of_one_length(backend, kind):
    column = pa.array(WIDE, FIXED[kind])
    assert digests(backend, column) == expected(WIDE)
    assert root(backend, column) == root(backend, WIDE)
    assert bytes(backend.hash_pairs(column, "sha256")) == bytes(backend.hash_pairs(WIDE, "sha256"))


@pytest.mark.parametrize("width", [0, 1, 12, 13, 31, 64, 65])
def test_every_width(backend, width):
    values = [bytes([i]) * width for i in range(9)]
    for kind in (pa.binary(width), *TYPES.values()):
        column = pa.array(values, kind)
        assert digests(backend, column) == expected(values)
        assert digests(backend, pa.chunked_array([column, column])) == expected(values) * 2


@each_fixed
def test_slices(backend, kind):
    column = pa.array(WIDE, FIXED[kind])
    for start in range(21):
        for stop in (start, start + 1, 20):
            assert digests(backend, column[start:stop]) == expected(WIDE[start:stop])


@each_fixed
def test_nothing(backend, kind):
    empty = pa.array([], FIXED[kind])
    for nothing in (empty, pa.chunked_array([], FIXED[kind]), pa.chunked_array([empty] * 3)):
        assert digests(backend, nothing) == []
        assert root(backend, nothing) == root(backend, [])
        assert backend.hash_pairs(nothing, "sha256").shape == (0, 32)


@each_type
def test_values_of_no_bytes(backend, kind):
    for n in (1, 2, 9):
        assert digests(backend, pa.array([b""] * n, TYPES[kind])) == expected([b""] * n)


@each_type
def test_chunks(backend, kind):
    pieces = [VALUES[:3], [], VALUES[3:4], [], VALUES[4:], WIDE]
    column = pa.chunked_array([pa.array(piece, TYPES[kind]) for piece in pieces])
    assert column.num_chunks == 6
    assert digests(backend, column) == expected(VALUES + WIDE)
    assert digests(backend, column[2:]) == expected(VALUES[2:] + WIDE)


def test_rows_in_chunks(backend):
    column = pa.chunked_array([pa.array(WIDE[:7], pa.binary(32)), pa.array(WIDE, pa.binary(32))[7:]])
    assert digests(backend, column) == expected(WIDE)
    assert root(backend, column, hashed=True) == root(backend, WIDE, hashed=True)


def test_views_into_several_buffers(backend):
    column = pa.concat_arrays([pa.array([bytes([i]) * 40, b"short"], pa.binary_view()) for i in range(5)])
    assert len(column.buffers()) > 3
    values = [value for i in range(5) for value in (bytes([i]) * 40, b"short")]
    assert digests(backend, column) == expected(values)
    assert digests(backend, column[3:8]) == expected(values[3:8])


pieces = st.lists(st.lists(st.binary(max_size=40), max_size=12), max_size=5)


@given(pieces, st.sampled_from(list(TYPES.values())), st.integers(0, 10), st.integers(0, 60))
def test_any_pieces(parts, kind, start, length):
    column = pa.chunked_array([pa.array(part, kind) for part in parts], kind)[start:][:length]
    values = [value for part in parts for value in part][start:][:length]
    for backend in (_native, reference):
        assert digests(backend, column) == expected(values)


# ---- libraries ---------------------------------------------------------------------------------------------

COLUMNS = {
    "pyarrow array": lambda: pa.array(VALUES),
    "pyarrow chunked array": lambda: pa.chunked_array([VALUES[:2], VALUES[2:]]),
    "pyarrow table": lambda: pa.table({"a": VALUES}),
    "pyarrow table in slices": lambda: pa.concat_tables(
        [pa.table({"a": VALUES})[i : i + 3] for i in (0, 3, 6)]
    ),
    "pyarrow batch": lambda: pa.record_batch({"a": VALUES}),
    "pyarrow reader": lambda: pa.table({"a": VALUES}).to_reader(max_chunksize=3),
    "pyarrow struct": lambda: pa.StructArray.from_arrays([pa.array([b"?", *VALUES, None])], ["a"])[1:-1],
    "pyarrow extension": lambda: pa.ExtensionArray.from_storage(
        pa.opaque(pa.binary(), "t", "v"), pa.array(VALUES)
    ),
    "polars series": lambda: pl.Series(VALUES),
    "polars series in pieces": lambda: pl.concat(
        [pl.Series(VALUES[:5]), pl.Series(VALUES[5:])], rechunk=False
    ),
    "polars frame": lambda: pl.DataFrame({"a": VALUES}),
    "pandas series of bytes": lambda: pd.Series(VALUES),
    "pandas series over Arrow": lambda: pd.Series(VALUES, dtype=pd.ArrowDtype(pa.binary())),
    "pandas frame": lambda: pd.DataFrame({"a": VALUES}),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_columns_of_libraries(backend, column):
    assert digests(backend, COLUMNS[column]()) == expected(VALUES)


OTHERS = {
    "text": (pa.array(["a"]), "format 'u'$"),
    "large text": (pa.array(["a"], pa.large_string()), "format 'U'$"),
    "views of text": (pa.array(["a"], pa.string_view()), "format 'vu'$"),
    "integers": (pa.array([1]), "format 'l'$"),
    "lists of bytes": (pa.array([[b"a"]]), r"format '\+l'$"),
    "lists of one integer": (pa.array([[1]], pa.list_(pa.uint8(), 1)), r"format '\+w:1'$"),
    "nulls alone": (pa.array([None]), "format 'n'$"),
    "a dictionary": (pa.array([b"a", b"a"]).dictionary_encode(), "dictionary-encoded$"),
    "a table of two columns": (pa.table({"a": [b"a"], "b": [b"b"]}), "an Arrow table of 2 columns"),
    "a table of no columns": (pa.table({}), "an Arrow table of 0 columns"),
    "a table of text": (pa.table({"a": ["a"]}), "format 'u'$"),
    "a struct of a struct": (pa.array([{"a": {"b": b""}}]), r"format '\+s'$"),
    "a polars frame": (pl.DataFrame({"a": [b"a"], "b": [b"b"]}), "an Arrow table of 2 columns"),
    "a polars series of text": (pl.Series(["a"]), "format 'vu'$"),
    "a polars categorical": (pl.Series(["a"], dtype=pl.Categorical), "dictionary-encoded$"),
    "a pandas frame with an index": (
        pd.DataFrame({"a": [b"a"]}, index=[b"b"]),
        "an Arrow table of 2 columns",
    ),
    "a pandas series of numbers": (pd.Series([1.5]), "format 'g'$"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_types(backend, kind):
    column, why = OTHERS[kind]
    with pytest.raises(mc.InputError, match=r"^messages: .*" + why):
        backend.hash_many(column, "sha256")
    with pytest.raises(mc.InputError, match=r"^leaves: .*" + why):
        root(backend, column)


def test_pandas_says_what_is_no_bytes(backend):
    with pytest.raises(TypeError, match=r"^messages: "):
        backend.hash_many(pd.Series([b"a", 1]), "sha256")


def test_polars_columns_of_objects(backend):
    """polars exports the addresses of the objects, in a column of fixed_size_binary."""
    objects = pl.Series("a", [object()], dtype=pl.Object)
    for column in (objects, pl.DataFrame(objects), objects.head(0)):
        with pytest.raises(mc.InputError, match=r"^messages: bytes are needed, not Python objects$"):
            backend.hash_many(column, "sha256")


def test_what_has_a_buffer_is_read_through_it(backend):
    class Both(np.ndarray):
        def __arrow_c_array__(self, requested_schema=None):
            raise AssertionError("not asked")

    rows = np.arange(64, dtype=np.uint8).reshape(2, 32)
    assert digests(backend, rows.view(Both)) == expected([rows[0].tobytes(), rows[1].tobytes()])

    class List(list):
        __arrow_c_stream__ = Both.__arrow_c_array__

    assert digests(backend, List(VALUES)) == expected(VALUES)


def test_pyarrow_is_not_imported():
    code = """
import sys
import polars as pl
import merklecore as mc

assert mc.hash_many(pl.Series([b"a", b"b"])).tobytes() == mc.hash_many([b"a", b"b"]).tobytes()
print("pyarrow" in sys.modules)
"""
    for name in ("native", "reference"):
        assert output(code, MERKLECORE_BACKEND=name).strip() == "False"


# ---- trees -------------------------------------------------------------------------------------------------


def test_trees():
    for column in (pl.Series(VALUES), pa.array(VALUES), pa.chunked_array([VALUES])):
        tree = mc.MerkleTree(column)
        assert tree.root == mc.merkle_root(column) == mc.merkle_root(VALUES)
        assert tree.extend(column) == range(8, 16)
        assert tree.root == mc.merkle_root(VALUES * 2)
        tree.prove(9).verify(tree.root, VALUES[1], index=9, size=16)


def test_trees_of_leaf_hashes():
    for kind in FIXED.values():
        column = pa.array(WIDE, kind)
        assert mc.merkle_root(column, "bitcoin") == mc.merkle_root(WIDE, "bitcoin")
        assert mc.MerkleTree(column, hashed=True).root == mc.merkle_root(WIDE, hashed=True)


@pytest.mark.parametrize("kind", FIXED)
def test_leaves_of_a_wrong_width(backend, kind):
    narrow = [bytes(31)] * 3
    column = pa.array(narrow, pa.binary(31) if kind == "fixed_size_binary" else FIXED[kind])
    for columns in (column, pa.chunked_array([column, column])):
        with pytest.raises(mc.InputError, match=r"^leaves\[0\]: 31 bytes where 32 are needed$"):
            root(backend, columns, hashed=True)
        with pytest.raises(mc.InputError, match=r"^nodes\[0\]: 31 bytes where 32 are needed$"):
            backend.hash_pairs(columns, "sha256")
    assert root(backend, column[:0], hashed=True) == root(backend, [])


@each_type
def test_one_leaf_of_a_wrong_width(backend, kind):
    with pytest.raises(mc.InputError, match=r"^leaves\[19\]: 33 bytes where 32 are needed$"):
        root(backend, pa.array([*WIDE[:19], bytes(33)], TYPES[kind]), hashed=True)


def test_a_tree_that_refuses_a_column_is_as_it_was():
    tree = mc.MerkleTree(VALUES)
    with pytest.raises(mc.InputError, match=r"^leaves\[1\]: a null"):
        tree.extend(pa.array([b"a", None]))
    assert len(tree) == len(VALUES)
    assert tree.root == mc.merkle_root(VALUES)


# ---- nulls -------------------------------------------------------------------------------------------------


@each_fixed
@pytest.mark.parametrize("place", [0, 1, 6, 7, 8, 9, 63, 64, 65, 127, 128, 199])
def test_a_null_anywhere(backend, kind, place):
    column = pa.array([None if i == place else bytes(32) for i in range(200)], FIXED[kind])
    for start in sorted({0, min(1, place), place // 2, max(place - 1, 0), place}):
        with pytest.raises(mc.InputError, match=rf"^messages\[{place - start}\]: a null is no message$"):
            backend.hash_many(column[start:], "sha256")
    for beside in (column[:place], column[place + 1 :]):
        assert digests(backend, beside) == expected([bytes(32)] * len(beside))


def test_the_first_of_many_nulls(backend):
    column = pa.chunked_array([VALUES, [b"a", None, b"b", None]])
    with pytest.raises(mc.InputError, match=r"^messages\[9\]: a null is no message$"):
        backend.hash_many(column, "sha256")
    for series in (pl.Series([b"a", None]), pd.Series([b"a", None]), pl.DataFrame({"a": [b"a", None]})):
        with pytest.raises(mc.InputError, match=r"^messages\[1\]: a null is no message$"):
            backend.hash_many(series, "sha256")


def test_a_null_of_the_struct(backend):
    column = pa.array([{"a": b"a"}, None, {"a": b"b"}], pa.struct({"a": pa.binary()}))
    with pytest.raises(mc.InputError, match=r"^messages\[1\]: a null is no message$"):
        backend.hash_many(column, "sha256")
    assert digests(backend, column[2:]) == expected([b"b"])


# ---- memory ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda column: column, lambda column: pa.chunked_array([column, column])])
@each_fixed
def test_memory_is_held_no_longer_than_the_call(backend, kind, wrap):
    before = pa.total_allocated_bytes()
    column = wrap(pa.array(WIDE, FIXED[kind]))
    assert pa.total_allocated_bytes() > before
    backend.hash_many(column, "sha256")
    with pytest.raises(mc.InputError, match=r"^out: "):
        backend.hash_many(column, "sha256", b"", None, bytearray(1))
    del column
    assert pa.total_allocated_bytes() == before


def test_values_are_not_copied(backend):
    """So output into the same memory is refused, as of other inputs."""
    memory = np.zeros((8, 32), np.uint8)
    buffer = pa.py_buffer(memory)
    offsets = pa.py_buffer(np.arange(0, 9 * 32, 32, dtype=np.int32))
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), 8, [None, buffer])
    rows = pa.Array.from_buffers(pa.binary(), 8, [None, offsets, buffer])
    for column in (
        fixed,
        rows,
        pa.chunked_array([fixed[:4], fixed[4:]]),
        pa.chunked_array([rows[:4], rows[4:]]),
    ):
        with pytest.raises(mc.InputError, match=r"^out: shares memory with the input$"):
            backend.hash_many(column[3:4], "sha256", b"", None, memory[3:4])
        with pytest.raises(mc.InputError, match=r"^out: shares memory with the input$"):
            backend.hash_many(column[2:6], "sha256", b"", None, memory[3:7])
        backend.hash_many(column[:3], "sha256", b"", None, memory[5:])
        assert bytes(memory[5]) == mc.sha256(bytes(memory[0]))
        memory[:] = 0


# ---- streams -----------------------------------------------------------------------------------------------


def test_a_stream_that_fails_says_why(backend):
    def batches():
        yield pa.record_batch({"a": VALUES})
        raise ValueError("no more of this")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"a": pa.binary()}), batches())
    with pytest.raises(mc.InputError, match=r"^messages: the Arrow stream failed: .*no more of this"):
        backend.hash_many(reader, "sha256")


def test_a_stream_whose_threads_need_the_interpreter(backend):
    """It hangs where its functions are called with the GIL."""
    code = """
import io, time
import merklecore as mc
import pyarrow as pa
from pyarrow import csv

class Slow(io.BytesIO):
    def read(self, *size):
        time.sleep(0.002)
        return super().read(*size)

values = [b"%d" % i for i in range(5000)]
reader = csv.open_csv(
    Slow(b"\\n".join([b"a", *values, b""])),
    read_options=csv.ReadOptions(block_size=1024),
    convert_options=csv.ConvertOptions(column_types={"a": pa.binary()}),
)
print(mc.merkle_root(reader) == mc.merkle_root(values))
"""
    assert output(code, MERKLECORE_BACKEND=backend.NAME).strip() == "True"
