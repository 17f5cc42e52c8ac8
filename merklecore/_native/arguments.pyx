"""Arguments from Python: what is accepted, and what is said of the rest."""

cimport cython
from cpython.buffer cimport (
    PyBUF_FORMAT, PyBUF_FULL_RO, PyBUF_ND, PyBUF_SIMPLE, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_IsContiguous,
    PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer,
)
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.long cimport PyLong_CheckExact
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.list cimport PyList_CheckExact, PyList_GET_SIZE
from cpython.ref cimport Py_INCREF, PyObject
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from libc.string cimport strchr

from merklecore._native.arrow cimport Column, column_of
from merklecore._native.core cimport MC_MAX_THREADS, MC_MIXED

import os
from operator import index as _index

from merklecore._text import holds_objects, shown
from merklecore.errors import BoundsError, InputError

cdef extern from *:
    unsigned long long PyLong_AsUnsignedLongLong(object value) except? 0xffffffffffffffff
    bint PyBool_Check(object value)
    bint PyUnicode_Check(object value)
    PyObject **PySequence_Fast_ITEMS(object source)
    void prefetch "__builtin_prefetch"(const void *)

cdef const uint8_t *NOTHING = b""  # where an empty message stands
cdef Py_ssize_t LOOK_AHEAD = 16  # items
cdef size_t MOST = <size_t>1 << 55  # messages: sizes in bytes of more would overflow
cdef size_t WORK_PER_THREAD = 1 << 15
cdef object _affinity = getattr(os, "sched_getaffinity", None)


cdef str _kind(object value):
    return type(value).__name__


cdef str _place(str what, Py_ssize_t item):
    return what if item < 0 else f"{what}[{item}]"


@cython.final
cdef class View:
    def __cinit__(self):
        self.held = False

    def __dealloc__(self):
        if self.held:
            PyBuffer_Release(&self.buffer)


cdef int acquire(object source, Py_buffer *buffer, str what, Py_ssize_t item) except -1:
    """One contiguous piece of memory. Its format is asked for, because arrays of Python objects have one too."""
    if not PyObject_CheckBuffer(source) or PyUnicode_Check(source):  # NumPy's text has a buffer, of UTF-32
        raise TypeError(f"{_place(what, item)}: a bytes-like object is needed, not {_kind(source)}")
    try:
        PyObject_GetBuffer(source, buffer, PyBUF_ND | PyBUF_FORMAT)
    except (BufferError, ValueError) as error:
        raise InputError(f"{_place(what, item)}: not one contiguous piece of memory ({error})") from None
    if buffer.format == NULL or strchr(buffer.format, b'O') == NULL:
        return 0
    if holds_objects((<bytes>buffer.format).decode("latin-1")):
        PyBuffer_Release(buffer)
        raise InputError(f"{_place(what, item)}: bytes are needed, not Python objects")
    return 0


cdef View view_of(object source, str what):
    cdef View view = View.__new__(View)
    acquire(source, &view.buffer, what, -1)
    view.held = True
    view.size = <size_t>view.buffer.len
    view.data = <const uint8_t *>view.buffer.buf if view.size else NOTHING
    return view


@cython.final
cdef class Messages:
    def __cinit__(self):
        self.buffers = NULL
        self.held = 0
        self.spans = NULL
        self.total = 0

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.held):
            PyBuffer_Release(&self.buffers[i])
        PyMem_Free(self.buffers)
        PyMem_Free(self.spans)

    cdef int take_items(self, object source, str what, Py_ssize_t width) except -1:
        cdef Py_ssize_t i, n, others = 0
        cdef PyObject **given
        cdef PyObject *item
        cdef mc_span *span
        cdef tuple items
        # A snapshot: a list may change while the GIL is away. One look at each object does for it and for the sizes,
        # because with a million of them every look is a cache miss.
        if PyList_CheckExact(source):
            n = -1
            while n != PyList_GET_SIZE(source):  # to make a tuple may run a finalizer, which may do anything
                n = PyList_GET_SIZE(source)
                items = PyTuple_New(n)
        else:
            items = tuple(source)
            source = items
            n = PyTuple_GET_SIZE(items)
        self.spans = span = <mc_span *>PyMem_Malloc(max(n, 1) * sizeof(mc_span))
        if span == NULL:
            raise MemoryError
        given = PySequence_Fast_ITEMS(source)
        for i in range(n):
            if i + LOOK_AHEAD < n:
                prefetch(given[i + LOOK_AHEAD])
            item = given[i]
            if source is not items:
                Py_INCREF(<object>item)
                PyTuple_SET_ITEM(items, i, <object>item)
            if PyBytes_CheckExact(<object>item):
                span.data = <const uint8_t *>PyBytes_AS_STRING(<object>item)
                span.size = <size_t>PyBytes_GET_SIZE(<object>item)
            else:
                span.data = NULL
                others += 1
            span += 1
        self.items = items
        if others:
            self.take_others(what, others)
        self._sum_up(n)
        return self._demand(what, width)

    cdef int _demand(self, str what, Py_ssize_t width) except -1:
        """That each has `width` bytes, where that is known."""
        cdef size_t i, size
        if width < 0 or self.c.width == <size_t>width:
            return 0
        for i in range(self.c.n):
            size = self.c.width if self.spans == NULL else self.spans[i].size
            if size != <size_t>width:
                raise InputError(f"{what}[{i}]: {size} bytes where {width} are needed")
        return 0

    cdef int take_others(self, str what, Py_ssize_t others) except -1:
        """Buffers of the items that are not bytes."""
        cdef Py_ssize_t i
        cdef object item
        cdef Py_buffer *view
        self.buffers = <Py_buffer *>_grown(NULL, others * sizeof(Py_buffer))
        for i in range(PyTuple_GET_SIZE(self.items)):
            if self.spans[i].data != NULL:
                continue
            item = <object>PyTuple_GET_ITEM(self.items, i)
            view = &self.buffers[self.held]
            acquire(item, view, what, i)
            self.held += 1
            self.spans[i].size = <size_t>view.len
            self.spans[i].data = <const uint8_t *>view.buf if view.len else NOTHING
        return 0

    cdef void _sum_up(self, Py_ssize_t n) noexcept:
        cdef Py_ssize_t i
        cdef size_t total = 0, common = self.spans[0].size if n else 0
        cdef bint mixed = False
        for i in range(n):
            total += self.spans[i].size
            mixed |= self.spans[i].size != common
        self.c.spans = self.spans
        self.c.rows = NULL
        self.c.width = MC_MIXED if mixed else common
        self.c.n = <size_t>n
        self.total = total

    cdef int take_buffer(self, object source, str what, Py_ssize_t width) except -1:
        cdef Py_buffer *view
        cdef bytes form
        self.buffers = view = <Py_buffer *>_grown(NULL, sizeof(Py_buffer))
        try:
            PyObject_GetBuffer(source, view, PyBUF_FULL_RO)
        except (BufferError, ValueError) as error:  # released memory, or items that no buffer describes
            raise InputError(f"{what}: {error}") from None
        self.held = 1
        if not PyBuffer_IsContiguous(view, b'C'):
            raise InputError(f"{what}: the array is not C-contiguous")
        form = (<bytes>view.format).lstrip(b"@=<>!") if view.format != NULL else b"B"
        self.c.spans = NULL
        if view.ndim == 2 and view.itemsize == 1 and form in (b"B", b"b", b"c"):
            self.c.n = <size_t>view.shape[0]
            self.c.width = <size_t>view.shape[1]
        elif view.ndim == 1 and form[-1:] in (b"s", b"x") and (form[:-1].isdigit() or len(form) == 1):
            self.c.n = <size_t>view.shape[0]  # NumPy's S32 and V32: the raw items, trailing NULs kept
            self.c.width = <size_t>view.itemsize
        elif view.ndim == 1 and view.itemsize == 1 and form in (b"B", b"b", b"c"):
            if width < 0:
                raise InputError(f"{what}: one flat buffer does not say where a message ends; "
                                 "give a list of bytes or an array of shape (n, width)")
            if view.len % width:
                raise InputError(f"{what}: {view.len} bytes are not a whole number of rows of {width} bytes")
            self.c.n = <size_t>(view.len // width)
            self.c.width = <size_t>width
        else:
            raise InputError(f"{what}: bytes in one or two dimensions are needed, not {view.ndim} "
                             f"dimension(s) of items of format {form.decode('latin-1')!r}")
        if width >= 0 and self.c.width != <size_t>width and self.c.n:
            raise InputError(f"{what}: rows of {self.c.width} bytes where {width} are needed")
        self.c.rows = <const uint8_t *>view.buf if view.len else NOTHING
        self.total = <size_t>view.len
        return 0

    cdef int take_column(self, Column column, str what, Py_ssize_t width) except -1:
        self.items = (column,)
        if column.rows == NULL:
            self.spans = column.give_spans()
            self._sum_up(<Py_ssize_t>column.n)
        else:
            self.c.spans = NULL
            self.c.rows = column.rows
            self.c.width = column.width
            self.c.n = column.n
            self.total = column.n * column.width
        return self._demand(what, width)

    cdef bint overlaps(self, const uint8_t *data, size_t size) noexcept:
        cdef size_t i
        if self.c.spans == NULL:
            return _meet(self.c.rows, self.total, data, size)
        for i in range(self.c.n):
            if _meet(self.spans[i].data, self.spans[i].size, data, size):
                return True
        return False


cdef inline bint _meet(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) noexcept:
    """Whether two pieces of memory share a byte."""
    return a_size > 0 and b_size > 0 and a < b + b_size and b < a + a_size


cdef void *_grown(void *block, size_t size) except NULL:
    block = PyMem_Realloc(block, size)
    if block == NULL:
        raise MemoryError
    return block


cdef Messages messages_of(object source, str what, Py_ssize_t width):
    """`width`: of every message where it is known, else -1. So many that sizes in bytes overflow are refused here."""
    cdef Messages messages = Messages.__new__(Messages)
    cdef Column column
    if isinstance(source, (list, tuple)):
        messages.take_items(source, what, width)
    elif PyObject_CheckBuffer(source) and not PyUnicode_Check(source):
        messages.take_buffer(source, what, width)
    else:
        column = column_of(source, what)
        if column is None:
            raise TypeError(f"{what}: a list or tuple of bytes-like objects or an array of bytes is needed, "
                            f"not {_kind(source)}")
        messages.take_column(column, what, width)
    if messages.c.n > MOST:
        raise InputError(f"{what}: {messages.c.n} are more than {MOST}, the most there can be")
    return messages


cdef Messages one_message(object source, str what, Py_ssize_t width):
    cdef Messages messages = Messages.__new__(Messages)
    cdef View view
    if PyBytes_CheckExact(source):
        messages.items = (source,)
        messages.c.rows = <const uint8_t *>PyBytes_AS_STRING(source)
        messages.c.width = <size_t>PyBytes_GET_SIZE(source)
    else:
        view = view_of(source, what)
        messages.items = (view,)
        messages.c.rows = view.data
        messages.c.width = view.size
    if width >= 0 and messages.c.width != <size_t>width:
        raise InputError(f"{what}: {messages.c.width} bytes where {width} are needed")
    messages.c.spans = NULL
    messages.c.n = 1
    messages.total = messages.c.width
    return messages


cdef object output(object out, size_t n, size_t d, Messages source, View prefix, Py_buffer *buffer):
    """An array of n digests, or `out` when it can be one; `buffer` holds it and is the caller's to release."""
    if out is None:
        import numpy

        out = numpy.empty((n, d), numpy.uint8)
        PyObject_GetBuffer(out, buffer, PyBUF_SIMPLE | PyBUF_WRITABLE)
        return out
    if not PyObject_CheckBuffer(out):
        raise TypeError(f"out: a writable buffer is needed, not {_kind(out)}")
    try:
        PyObject_GetBuffer(out, buffer, PyBUF_STRIDES | PyBUF_FORMAT | PyBUF_WRITABLE)
    except (BufferError, ValueError) as error:
        raise InputError(f"out: {error}") from None
    try:
        if not PyBuffer_IsContiguous(buffer, b'C'):
            raise InputError("out: the array is not C-contiguous")
        form = (<bytes>buffer.format).lstrip(b"@=<>!") if buffer.format != NULL else b"B"
        if form not in (b"B", b"b", b"c"):
            raise InputError(f"out: items of one byte are needed, not of format {form.decode('latin-1')!r}")
        if not (buffer.ndim == 1 and <size_t>buffer.shape[0] == n * d) and not (
                buffer.ndim == 2 and <size_t>buffer.shape[0] == n and <size_t>buffer.shape[1] == d):
            shape = tuple(buffer.shape[i] for i in range(buffer.ndim))
            raise InputError(f"out: shape {shape} where ({n}, {d}) or ({n * d},) is needed")
        if source.overlaps(<const uint8_t *>buffer.buf, <size_t>buffer.len):
            raise InputError("out: shares memory with the input")
        if _meet(prefix.data, prefix.size, <const uint8_t *>buffer.buf, <size_t>buffer.len):
            raise InputError("out: shares memory with the prefix")
    except BaseException:
        PyBuffer_Release(buffer)
        raise
    return out


cdef uint64_t natural(object value, str what) except? 0xffffffffffffffff:
    """An index or a size: any integer type, no bool, no float."""
    if not PyLong_CheckExact(value):
        if PyBool_Check(value) or not hasattr(value, "__index__"):
            raise TypeError(f"{what}: an integer is needed, not {_kind(value)}")
        value = _index(value)
    try:
        return PyLong_AsUnsignedLongLong(value)
    except OverflowError:
        raise BoundsError(f"{what} {shown(value)} is not between 0 and 2**64 - 1") from None


cdef Py_ssize_t thread_count(object threads, size_t work) except -1:
    """How many threads: as many as asked for, or those that `work` (in leaves, nodes or blocks) keeps busy."""
    cdef size_t cpus
    if threads is None:
        if work < 2 * WORK_PER_THREAD:
            return 1
        cpus = <size_t>(len(_affinity(0)) if _affinity is not None else os.cpu_count() or 1)
        return <Py_ssize_t>min(cpus, work // WORK_PER_THREAD, <size_t>MC_MAX_THREADS)
    if PyBool_Check(threads) or not hasattr(threads, "__index__"):
        raise TypeError(f"threads: an integer is needed, not {_kind(threads)}")
    threads = _index(threads)
    if not 1 <= threads <= MC_MAX_THREADS:
        raise InputError(f"threads: {shown(threads)} is not between 1 and {MC_MAX_THREADS}")
    return threads
