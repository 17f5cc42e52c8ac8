"""Columns of other libraries, moved out of their capsules, checked, held, and released once.

The structures are those of "The Arrow C data interface" and "The Arrow C stream interface", the capsules
those of "The Arrow PyCapsule Interface". Behind the validity bitmap stand, in the order of the columnar
format: offsets and data of binary and large_binary; values of fixed_size_binary; views of binary_view, its
data buffers, and the sizes of these. A column is bare, or the one column of a struct. The native backend
accepts and refuses the same.

The interface tells of no buffer how long it is, but for the data buffers of views. Numbers are bounded where
they can be; that a buffer is as long as the length promises, and that offsets stay within the data, has to be
believed.
"""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, PYFUNCTYPE, c_char_p, c_int, c_int64, c_void_p, py_object
from itertools import pairwise
from os import strerror

from merklecore._text import exports_objects
from merklecore.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

__all__ = ["Column", "column_of"]

MOST = 1 << 55  # values: as of all messages
MOST_BYTES = (1 << 63) - 1
INT32_MAX = (1 << 31) - 1
INLINE_BYTES = 12
VIEW_BYTES = 16
WIDTHS = {"z": 4, "Z": 8, "vz": VIEW_BYTES}  # bytes of an offset or a view

_is_capsule = PYFUNCTYPE(c_int, py_object, c_char_p)(("PyCapsule_IsValid", ctypes.pythonapi))
_pointer = PYFUNCTYPE(c_void_p, py_object, c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))
_release = CFUNCTYPE(None, c_void_p)
_get = CFUNCTYPE(c_int, c_void_p, c_void_p)
_text = CFUNCTYPE(c_char_p, c_void_p)


class Schema(ctypes.Structure):
    """ArrowSchema."""


class Array(ctypes.Structure):
    """ArrowArray."""


class Stream(ctypes.Structure):
    """ArrowArrayStream."""

    _fields_ = (
        ("get_schema", c_void_p),
        ("get_next", c_void_p),
        ("get_last_error", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


Schema._fields_ = (
    ("format", c_char_p),
    ("name", c_void_p),
    ("metadata", c_void_p),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", POINTER(POINTER(Schema))),
    ("dictionary", c_void_p),
    ("release", c_void_p),
    ("private_data", c_void_p),
)
Array._fields_ = (
    ("length", c_int64),
    ("null_count", c_int64),
    ("offset", c_int64),
    ("n_buffers", c_int64),
    ("n_children", c_int64),
    ("buffers", POINTER(c_void_p)),
    ("children", POINTER(POINTER(Array))),
    ("dictionary", c_void_p),
    ("release", c_void_p),
    ("private_data", c_void_p),
)


def _release_once(structure: Schema | Array | Stream) -> None:
    if structure.release:
        _release(structure.release)(ctypes.addressof(structure))
        structure.release = None  # as the producer should have done


def _moved(kind: Any, source: Any) -> Any:
    """Take a structure over: copy it, and mark the source as released."""
    copy = kind.from_buffer_copy(source)
    source.release = None
    return copy


def _memory(address: int, size: int) -> memoryview:
    """Look at memory that somebody else holds."""
    return memoryview((ctypes.c_char * size).from_address(address)).cast("B") if size else memoryview(b"")


def _numbers(address: int, n: int, width: int) -> memoryview:
    """Look at n integers of ``width`` bytes, copied where they are not aligned."""
    memory = _memory(address, n * width)
    if address % width:
        memory = memoryview(memory.tobytes())
    return memory.cast("i") if width == 4 else memory.cast("q")


class Values:
    """One array whose memory may be looked at: ``n`` values from ``start`` on, no null among them."""

    def __init__(self, form: str, array: Array, start: int, n: int, first: int, what: str) -> None:
        self.form, self.n, self._first, self._what = form, n, first, what
        self.width = WIDTHS.get(form) or int(form[2:] if form[:2] == "w:" else "0")
        self.rows: memoryview | None = None  # n rows of `width` bytes, where they lie so
        self._array = array
        buffers = array.buffers
        if not n:
            self.rows, self.width = memoryview(b""), 0
            return
        if not buffers[1] and self.width:
            raise InputError(f"{what}: buffer 1 of an Arrow array is missing")
        self._items = (buffers[1] or 0) + start * self.width
        if form[:2] == "w:":
            self.rows = _memory(self._items, n * self.width)
        elif form == "vz":
            last = array.n_buffers - 1
            if last > 2 and not buffers[last]:
                raise InputError(f"{what}: buffer {last} of an Arrow array is missing")
        else:
            self._read_offsets(buffers[2])

    def _read_offsets(self, data: int | None) -> None:
        """Offsets never decrease. Where they grow by the same each time, the values are rows."""
        offsets = _numbers(self._items, self.n + 1, self.width)
        for i, (start, end) in enumerate(pairwise(offsets)):
            if start < 0 or end < start:
                raise InputError(f"{self._what}[{self._first + i}]: Arrow offsets from {start} to {end}")
        size = offsets[self.n] - offsets[0]
        if not data and size:
            raise InputError(f"{self._what}: buffer 2 of an Arrow array is missing")
        self._offsets = offsets
        self._data = _memory((data or 0) + offsets[0], size)
        self.width = offsets[1] - offsets[0]
        if all(end - start == self.width for start, end in pairwise(offsets)):
            self.rows = self._data

    def __iter__(self) -> Iterator[memoryview]:
        if self.rows is not None:
            return (self.rows[i * self.width : (i + 1) * self.width] for i in range(self.n))
        if self.form == "vz":
            return map(self._viewed, range(self.n))
        origin = self._offsets[0]
        return (self._data[start - origin : end - origin] for start, end in pairwise(self._offsets))

    def _viewed(self, i: int) -> memoryview:
        """Value i of binary_view: in its view, or where that leads. Its copied first bytes are not read."""
        at, where = self._items + i * VIEW_BYTES, f"{self._what}[{self._first + i}]"
        size, _, buffer, start = _numbers(at, 4, 4)
        if size < 0:
            raise InputError(f"{where}: an Arrow view of {size} bytes")
        if size <= INLINE_BYTES:
            return _memory(at + 4, size)
        variadic = self._array.n_buffers - 3
        if not 0 <= buffer < variadic:
            raise InputError(f"{where}: an Arrow view into buffer {buffer} of {variadic}")
        data, sizes = self._array.buffers[2 + buffer], self._array.buffers[2 + variadic]
        if start < 0 or start + size > _numbers(sizes + 8 * buffer, 1, 8)[0]:
            raise InputError(
                f"{where}: an Arrow view of {size} bytes from {start} on, beyond the end of its buffer"
            )
        if not data:
            raise InputError(f"{self._what}: buffer {2 + buffer} of an Arrow array is missing")
        return _memory(data + start, size)


def _check_extent(array: Array, unit: int, what: str) -> None:
    """Length and offset that memory can hold, ``unit`` bytes each and one of them more."""
    most = MOST_BYTES // (unit or 1) - 1
    if array.length < 0 or array.offset < 0 or array.length + array.offset > most:
        raise InputError(f"{what}: no Arrow array has length {array.length} at offset {array.offset}")


def _check_buffers(array: Array, wanted: int, more: int, start: int, n: int, first: int, what: str) -> None:
    """The buffers that the layout has, and no null among n values from ``start`` on.

    The bitmap is the truth: the count of nulls may be unknown (-1), or that of a longer array from which this
    one is cut.
    """
    if not wanted <= array.n_buffers <= wanted + more:
        many = f"{wanted} to {wanted + more}" if more else wanted
        raise InputError(f"{what}: an Arrow array of {array.n_buffers} buffers where {many} are needed")
    if not array.buffers:
        raise InputError(f"{what}: buffer 0 of an Arrow array is missing")
    bitmap = array.buffers[0]
    if not bitmap:
        if array.null_count not in (0, -1):
            raise InputError(f"{what}: an Arrow array counts {array.null_count} nulls and does not show them")
        return
    if n:
        bits = _memory(bitmap + start // 8, (start % 8 + n + 7) // 8)
        for i in range(n):
            if not bits[(start % 8 + i) // 8] >> (start + i) % 8 & 1:
                raise InputError(f"{what}[{first + i}]: a null is no message")


class Column:
    """The values of an array or of a stream of arrays: ``rows`` of ``width`` bytes, or ``items``."""

    def __init__(self, what: str) -> None:
        self.n = 0
        self.width = 0
        self.rows: memoryview | None = memoryview(b"")
        self.items: tuple[memoryview, ...] = ()
        self._what = what
        self._form = ""
        self._in_struct = False
        self._held: list[Any] = []  # structures to release
        self._chunks: list[Values] = []

    def __del__(self) -> None:
        for structure in self._held:
            _release_once(structure)

    def take_array(self, capsules: Any) -> None:
        """Take what ``__arrow_c_array__`` returned."""
        what = self._what
        if not (
            isinstance(capsules, tuple)
            and len(capsules) == 2
            and _is_capsule(capsules[0], b"arrow_schema")
            and _is_capsule(capsules[1], b"arrow_array")
        ):
            raise TypeError(
                f"{what}: __arrow_c_array__ did not return capsules of an Arrow schema and an array"
            )
        schema = Schema.from_address(_pointer(capsules[0], b"arrow_schema"))
        array = Array.from_address(_pointer(capsules[1], b"arrow_array"))
        self._know_type(_moved(Schema, schema))
        if not array.release:
            raise InputError(f"{what}: the Arrow array is released already")
        self._add(_moved(Array, array))

    def take_stream(self, capsule: Any) -> None:
        """Take what ``__arrow_c_stream__`` returned."""
        what = self._what
        if not _is_capsule(capsule, b"arrow_array_stream"):
            raise TypeError(f"{what}: __arrow_c_stream__ did not return a capsule of an Arrow stream")
        stream = _moved(Stream, Stream.from_address(_pointer(capsule, b"arrow_array_stream")))
        self._held.append(stream)
        if not stream.release:
            raise InputError(f"{what}: the Arrow stream is released already")
        if not (stream.get_schema and stream.get_next):
            raise InputError(f"{what}: the Arrow stream lacks a function")
        schema = Schema()
        self._call(stream, stream.get_schema, schema)
        self._know_type(schema)
        while True:
            array = Array()
            self._call(stream, stream.get_next, array)
            if not array.release:
                break
            self._add(array)
        _release_once(stream)

    def _call(self, stream: Stream, function: int, result: Schema | Array) -> None:
        code = _get(function)(ctypes.addressof(stream), ctypes.addressof(result))
        if code:
            address = stream.get_last_error
            said = _text(address)(ctypes.addressof(stream)) if address else None
            text = strerror(code) if said is None else said.decode("utf-8", "replace")
            raise InputError(f"{self._what}: the Arrow stream failed: {text}")

    def _know_type(self, schema: Schema) -> None:
        """An extension type is its storage for whoever does not know it: its name is not asked."""
        what = self._what
        if not schema.release:
            raise InputError(f"{what}: the Arrow schema is released already")
        self._held.append(schema)
        column: Any = schema
        if schema.format == b"+s":
            self._in_struct = True
            if schema.n_children != 1:
                raise InputError(f"{what}: an Arrow table of {schema.n_children} columns; give one of them")
            column = _only_child(schema) or Schema()
        if column.dictionary:
            raise InputError(f"{what}: the Arrow column is dictionary-encoded")
        form = (column.format or b"").decode("latin-1")
        if form not in WIDTHS and not _is_fixed(form):
            raise InputError(
                f"{what}: an Arrow column of binary, large_binary, fixed_size_binary or binary_view is "
                f"needed, not of format {form[:40]!r}"
            )
        self._form = form

    def _add(self, array: Array) -> None:
        """Take an array over; one without values is done with at once."""
        self._held.append(array)
        values = self._opened(array)
        self.n += values.n
        if self.n > MOST:
            raise InputError(f"{self._what}: {self.n} are more than {MOST}, the most there can be")
        if values.n:
            self._chunks.append(values)
        else:
            _release_once(self._held.pop())

    def _opened(self, array: Array) -> Values:
        what, form = self._what, self._form
        _check_extent(array, 1, what)
        n, start = array.length, array.offset
        if self._in_struct:  # offset and length of the struct cut its column
            _check_buffers(array, 1, 0, start, n, self.n, what)
            if array.n_children != 1:
                raise InputError(f"{what}: an Arrow table of {array.n_children} columns; give one of them")
            column = _only_child(array) or Array()
            _check_extent(column, self._unit(), what)
            if not column.release or column.length < start + n:
                raise InputError(
                    f"{what}: the column of an Arrow struct has {column.length} values "
                    f"where {start + n} are needed"
                )
            array, start = column, start + column.offset
        else:
            _check_extent(array, self._unit(), what)
        fixed, views = form[:2] == "w:", form == "vz"
        _check_buffers(array, 2 if fixed else 3, INT32_MAX if views else 0, start, n, self.n, what)
        return Values(form, array, start, n, self.n, what)

    def _unit(self) -> int:
        return WIDTHS.get(self._form) or int(self._form[2:])

    def finish(self) -> None:
        """Leave rows where the values of one array lie so, else items."""
        if len(self._chunks) == 1 and self._chunks[0].rows is not None:
            self.rows, self.width = self._chunks[0].rows, self._chunks[0].width
        elif self._chunks:
            self.rows, self.items = None, tuple(value for chunk in self._chunks for value in chunk)


def _only_child(structure: Any) -> Any:
    """The child of a struct, or None where it is missing or released."""
    if not structure.children or not structure.children[0] or not structure.children[0][0].release:
        return None
    return structure.children[0][0]


def _is_fixed(form: str) -> bool:
    """Whether a format is "w:N": digits only, no zeros before them, at most what Arrow's own int32 holds."""
    digits = form[2:]
    if form[:2] != "w:" or not (digits.isascii() and digits.isdigit()) or len(digits) > 10:
        return False
    return str(int(digits)) == digits and int(digits) <= INT32_MAX


def _exported(method: Callable[[], Any], what: str) -> Any:
    """What a producer returns, or why it does not."""
    try:
        return method()
    except MemoryError:
        raise
    except TypeError as error:
        raise TypeError(f"{what}: {error}") from error
    except Exception as error:  # it comes from the producer, which may raise anything
        raise InputError(f"{what}: {error}") from error


def column_of(source: Any, what: str) -> Column | None:
    """What ``source`` exports, an array or a stream of them; None where it is no column."""
    column = Column(what)
    if (method := getattr(source, "__arrow_c_array__", None)) is not None:
        column.take_array(_exported(method, what))
    elif (method := getattr(source, "__arrow_c_stream__", None)) is not None:
        if exports_objects(source):
            raise InputError(f"{what}: bytes are needed, not Python objects")
        column.take_stream(_exported(method, what))
    else:
        return None
    column.finish()
    return column
