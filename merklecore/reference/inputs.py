"""Arguments: what is accepted, and what is said of the rest. The native backend says the same."""

from __future__ import annotations

import sys
from operator import index as _index

from merklecore._text import holds_objects, shown
from merklecore.errors import BoundsError, InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol, SupportsIndex, TypeAlias

    from _typeshed import ReadableBuffer
    from numpy.typing import NDArray

    from merklecore.reference.arrow import Column

    class ArrowArray(Protocol):
        """A column in one piece, by the Arrow PyCapsule interface."""

        def __arrow_c_array__(self, requested_schema: Any = None, /) -> Any: ...

    class ArrowStream(Protocol):
        """A column in any number of pieces, by the same."""

        def __arrow_c_stream__(self, requested_schema: Any = None, /) -> Any: ...

    Bytes: TypeAlias = bytes | memoryview  # contiguous, one dimension
    Data: TypeAlias = ReadableBuffer | NDArray[Any]
    Messages: TypeAlias = Sequence[Data] | Data | ArrowArray | ArrowStream

__all__ = ["MAX_THREADS", "Rows", "check_threads", "contiguous", "fill", "natural", "naturals", "output"]

MAX_THREADS = 1024
MOST = 1 << 55  # messages: sizes in bytes of more would overflow
SWAPPED = ">!" if sys.byteorder == "little" else "<"
BYTE_FORMATS = ("B", "b", "c")


def _kind(value: object) -> str:
    return type(value).__name__


def natural(value: SupportsIndex, what: str) -> int:
    """Return an index or a size as an int: any integer type, no bool, no float."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{what}: an integer is needed, not {_kind(value)}")
    number = _index(value)
    if not 0 <= number < 1 << 64:
        raise BoundsError(f"{what} {shown(number)} is not between 0 and 2**64 - 1")
    return number


def naturals(source: Any, what: str, expected: int, size: int, ascending: bool) -> Sequence[int]:
    """Return the indices of several leaves: integers in a list, tuple, range or array, all below ``size``.

    ``expected``: how many there must be, or -1. ``ascending``: strictly, and one at least.
    """
    found: Sequence[int]
    if isinstance(source, (list, tuple)):
        items = tuple(source)
        _expect(len(items), what, expected)
        found = [natural(item, f"{what}[{i}]") for i, item in enumerate(items)]
    elif isinstance(source, range):
        found = _of_range(source, what, expected, size)
    elif not isinstance(source, (bytes, bytearray, str)):
        found = _of_array(source, what, expected)
    else:
        raise TypeError(f"{what}: a list, tuple, range or array of integers is needed, not {_kind(source)}")
    if ascending and not found:
        raise InputError(f"{what}: none, and a proof of no leaves would prove nothing")
    for i, index in enumerate(found):
        if index >= size:
            raise BoundsError(f"{what}[{i}]: index {index} is not below size {size}")
    if ascending:
        for i in range(1, len(found)):
            if found[i] <= found[i - 1]:
                raise InputError(f"{what}[{i}]: {found[i]} is not above the one before it, {found[i - 1]}")
    return found


def _expect(n: int, what: str, expected: int) -> None:
    if expected >= 0 and n != expected:
        raise InputError(f"{what}: {n} where there are {expected} leaves")
    if n > MOST:
        raise InputError(f"{what}: {n} are more than {MOST}, the most there can be")


def _of_range(source: range, what: str, expected: int, size: int) -> range:
    """Both ends are looked at, and no more: there may be any number between them."""
    if source:
        first, last, step = natural(source[0], f"{what}[0]"), source[-1], source.step
        if max(first, last) >= size:
            i = 0 if first >= size else -((first - size) // step)
            index = natural(source[i], f"{what}[{i}]")
            raise BoundsError(f"{what}[{i}]: index {index} is not below size {size}")
        if last < 0:
            i = first // -step + 1
            natural(source[i], f"{what}[{i}]")
    try:
        _expect(len(source), what, expected)
    except OverflowError:
        raise InputError(f"{what}: range of more than {MOST}, the most there can be") from None
    return source


def _of_array(source: Any, what: str, expected: int) -> list[int]:
    try:
        view = memoryview(source)
    except TypeError:
        raise TypeError(
            f"{what}: a list, tuple, range or array of integers is needed, not {_kind(source)}"
        ) from None
    except (BufferError, ValueError) as error:
        raise InputError(f"{what}: {error}") from None
    kind = view.format.lstrip("@=<>!")
    if len(kind) != 1 or kind not in "bBhHiIlLqQnN":
        raise TypeError(f"{what}: integers are needed, not items of format {view.format!r}")
    if view.itemsize > 1 and view.format[0] in SWAPPED:
        raise InputError(f"{what}: the array is not in the byte order of this machine")
    if view.ndim != 1:
        raise InputError(f"{what}: one dimension is needed, not {view.ndim}")
    _expect(len(view), what, expected)
    import numpy

    found: list[int] = numpy.asarray(source).tolist()
    for i, index in enumerate(found):
        if index < 0:
            natural(index, f"{what}[{i}]")
    return found


def check_threads(threads: SupportsIndex | None) -> None:
    """Check ``threads``, of which pure Python makes no use."""
    if threads is None:
        return
    if isinstance(threads, bool) or not hasattr(threads, "__index__"):
        raise TypeError(f"threads: an integer is needed, not {_kind(threads)}")
    if not 1 <= _index(threads) <= MAX_THREADS:
        raise InputError(f"threads: {shown(_index(threads))} is not between 1 and {MAX_THREADS}")


def contiguous(source: Data, what: str) -> Bytes:
    """Return the bytes of one contiguous bytes-like object, uncopied where they are plain bytes already."""
    if type(source) is bytes:
        return source
    view = _view(source, what, "a bytes-like object")
    if not view.c_contiguous:
        raise InputError(f"{what}: not one contiguous piece of memory")
    if holds_objects(view.format):
        raise InputError(f"{what}: bytes are needed, not Python objects")
    return view if view.ndim == 1 and view.format == "B" else view.tobytes()


def _view(source: Any, what: str, wanted: str) -> memoryview:
    try:
        if isinstance(source, str):  # NumPy's text has a buffer, of UTF-32
            raise TypeError
        return memoryview(source)
    except TypeError:
        raise TypeError(f"{what}: {wanted} is needed, not {_kind(source)}") from None
    except (BufferError, ValueError) as error:
        raise InputError(f"{what}: not one contiguous piece of memory ({error})") from None


def _column(source: Any, what: str) -> Column | None:
    """What ``source`` exports by the Arrow PyCapsule interface; None where it has a buffer, or neither."""
    if not (hasattr(source, "__arrow_c_array__") or hasattr(source, "__arrow_c_stream__")):
        return None
    try:
        memoryview(source)
    except TypeError:
        from merklecore.reference.arrow import column_of  # ctypes is slow to import

        return column_of(source, what)
    except (BufferError, ValueError):
        pass
    return None


class Rows:
    """The messages, leaves or nodes of one call: ``n`` of them, read block by block.

    ``width`` is the bytes of each where they are known, else -1: a flat buffer is cut by it.
    """

    __slots__ = ("_column", "_items", "_view", "n", "width")

    def __init__(self, source: Messages, what: str, width: int = -1) -> None:
        self.width = width
        self.n: int
        if isinstance(source, (list, tuple)):
            self._take_items(tuple(source), what)
        elif (column := _column(source, what)) is not None:
            self._take_column(column, what)
        else:
            self._take_buffer(source, what)
        if self.n > MOST:
            raise InputError(f"{what}: {self.n} are more than {MOST}, the most there can be")

    def _take_items(self, items: tuple[Any, ...], what: str) -> None:
        if not set(map(type, items)) <= {bytes}:
            items = tuple([contiguous(item, f"{what}[{i}]") for i, item in enumerate(items)])
        if self.width >= 0 and not set(map(len, items)) <= {self.width}:
            i, size = next((i, len(item)) for i, item in enumerate(items) if len(item) != self.width)
            raise InputError(f"{what}[{i}]: {size} bytes where {self.width} are needed")
        self.n = len(items)
        self._items: tuple[Bytes, ...] | None = items
        self._view = memoryview(b"")

    def _take_buffer(self, source: Any, what: str) -> None:
        view = _view(source, what, "a list or tuple of bytes-like objects or an array of bytes")
        form, shape = view.format.lstrip("@=<>!"), view.shape or ()
        if not view.c_contiguous:
            raise InputError(f"{what}: the array is not C-contiguous")
        if view.ndim == 2 and form in BYTE_FORMATS:
            self.n, found = shape
        elif view.ndim == 1 and form[-1] in "sx" and (form[:-1].isdigit() or len(form) == 1):
            self.n, found = shape[0], view.itemsize  # NumPy's S32 and V32: raw items, trailing NULs kept
        elif view.ndim == 1 and form in BYTE_FORMATS:
            if self.width < 0:
                raise InputError(
                    f"{what}: one flat buffer does not say where a message ends; "
                    "give a list of bytes or an array of shape (n, width)"
                )
            if view.nbytes % self.width:
                raise InputError(
                    f"{what}: {view.nbytes} bytes are not a whole number of rows of {self.width} bytes"
                )
            self.n, found = view.nbytes // self.width, self.width
        else:
            raise InputError(
                f"{what}: bytes in one or two dimensions are needed, not {view.ndim} "
                f"dimension(s) of items of format {form!r}"
            )
        if self.n and self.width not in (-1, found):
            raise InputError(f"{what}: rows of {found} bytes where {self.width} are needed")
        self.width = found
        self._items = None
        self._view = view.cast("B") if form in BYTE_FORMATS and view.nbytes else view

    def _take_column(self, column: Column, what: str) -> None:
        self._column = column  # it holds the memory
        if column.rows is None:
            self._take_items(column.items, what)
            return
        if column.n and self.width not in (-1, column.width):
            raise InputError(f"{what}[0]: {column.width} bytes where {self.width} are needed")
        self.n, self.width = column.n, column.width
        self._items, self._view = None, column.rows

    def block(self, start: int, stop: int) -> Sequence[Bytes]:
        """Return messages [start, stop)."""
        if self._items is not None:
            return self._items[start:stop]
        w = self.width
        if w == 0:
            return [b""] * (min(stop, self.n) - start)
        if self._view.itemsize > 1:
            data = self._view[start:stop].tobytes()
        else:
            data = self._view[start * w : stop * w].tobytes()
        return [data[i : i + w] for i in range(0, len(data), w)]

    def pieces(self) -> Sequence[Bytes]:
        """Return the memory read, for a look at what it overlaps."""
        return (self._view,) if self._items is None else self._items


def output(out: Any, n: int, d: int, sources: Sequence[Bytes]) -> Any:
    """Return an array for n digests of d bytes: a new one, or ``out`` when it can be that."""
    import numpy

    if out is None:
        return numpy.empty((n, d), numpy.uint8)
    view = _view(out, "out", "a writable buffer")
    if view.readonly:
        raise InputError("out: the buffer is not writable")
    if not view.c_contiguous:
        raise InputError("out: the array is not C-contiguous")
    if view.format.lstrip("@=<>!") not in BYTE_FORMATS:
        raise InputError(f"out: items of one byte are needed, not of format {view.format!r}")
    if view.shape not in ((n * d,), (n, d)):
        raise InputError(f"out: shape {view.shape} where ({n}, {d}) or ({n * d},) is needed")
    if view.nbytes:
        target = numpy.frombuffer(view, numpy.uint8)
        for source in sources:
            # Both are contiguous, so comparing bounds is exact.
            if len(source) and numpy.may_share_memory(target, numpy.frombuffer(source, numpy.uint8)):
                raise InputError("out: shares memory with the input")
    return out


def fill(out: Any, digests: Sequence[bytes]) -> Any:
    """Write the digests into what ``output`` returned, and return it."""
    if digests:
        memoryview(out).cast("B")[:] = b"".join(digests)
    return out
