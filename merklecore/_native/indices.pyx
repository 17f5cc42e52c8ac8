"""Places of several leaves: lists, ranges and arrays of integers, checked and copied."""

cimport cython
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_STRIDES, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer
from cpython.long cimport PyLong_CheckExact
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stddef cimport size_t
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from merklecore._native.arguments cimport natural

import sys

from merklecore.errors import BoundsError, InputError

cdef extern from *:
    unsigned long long PyLong_AsUnsignedLongLong(object value) except? 0xffffffffffffffff

cdef size_t MOST = <size_t>1 << 55
cdef str SWAPPED = ">!" if sys.byteorder == "little" else "<"

ctypedef fused number:
    int8_t
    int16_t
    int32_t
    int64_t
    uint8_t
    uint16_t
    uint32_t
    uint64_t


cdef Py_ssize_t _widen(number first, const char *data, Py_ssize_t step, Py_ssize_t n, uint64_t *out) noexcept nogil:
    """The position of the first number that is negative, or -1."""
    cdef Py_ssize_t i, negative = -1
    cdef number value
    for i in range(n):
        memcpy(&value, data + i * step, sizeof(number))  # it may stand anywhere
        if value < 0 and negative < 0:
            negative = i
        out[i] = <uint64_t>value
    return negative


cdef int _check_ends(object source, object first, object step, str what, object size) except -1:
    """Refuses a range for the first of its integers that is none below `size`, whatever their number is."""
    if max(first, source[-1]) >= size:
        i = 0 if first >= size else -((first - size) // step)
        raise BoundsError(f"{what}[{i}]: index {natural(source[i], f'{what}[{i}]')} is not below size {size}")
    if source[-1] < 0:
        i = first // -step + 1
        natural(source[i], f"{what}[{i}]")
    return 0


@cython.final
cdef class Indices:
    def __cinit__(self):
        self.at = NULL
        self.n = 0
        self.first = self.step = 0

    def __dealloc__(self):
        PyMem_Free(self.at)

    cdef int expect(self, Py_ssize_t n, str what, Py_ssize_t expected) except -1:
        if expected >= 0 and n != expected:
            raise InputError(f"{what}: {n} where there are {expected} leaves")
        if <size_t>n > MOST:
            raise InputError(f"{what}: {n} are more than {MOST}, the most there can be")
        self.n = <size_t>n
        return 0

    cdef int room(self) except -1:
        self.at = <uint64_t *>PyMem_Malloc(max(self.n, 1) * sizeof(uint64_t))
        if self.at == NULL:
            raise MemoryError
        return 0

    cdef int take_range(self, object source, str what, Py_ssize_t expected, uint64_t size) except -1:
        cdef object n, step = source.step
        if source:
            self.first = natural(source[0], f"{what}[0]")
            _check_ends(source, <object>self.first, step, what, <object>size)
        try:
            n = len(source)
        except OverflowError:
            raise InputError(f"{what}: range of more than {MOST}, the most there can be") from None
        self.expect(n, what, expected)
        self.step = <uint64_t>(step % (1 << 64))
        return 0

    cdef int fill(self) except -1:
        cdef size_t i
        if self.at != NULL:
            return 0
        self.room()
        for i in range(self.n):
            self.at[i] = self.first + i * self.step
        return 0

    cdef int take_items(self, tuple items, str what, Py_ssize_t expected) except -1:
        cdef Py_ssize_t i = 0
        cdef object item
        self.expect(PyTuple_GET_SIZE(items), what, expected)
        self.room()
        try:
            for i in range(PyTuple_GET_SIZE(items)):
                item = <object>PyTuple_GET_ITEM(items, i)
                if PyLong_CheckExact(item):
                    self.at[i] = PyLong_AsUnsignedLongLong(item)
                else:
                    self.at[i] = natural(item, f"{what}[{i}]")
        except OverflowError:
            natural(items[i], f"{what}[{i}]")
            raise
        return 0

    cdef int take_buffer(self, object source, str what, Py_ssize_t expected) except -1:
        cdef Py_buffer view
        cdef Py_ssize_t negative = -1, n, step
        cdef const char *data
        cdef uint64_t *out
        try:
            PyObject_GetBuffer(source, &view, PyBUF_STRIDES | PyBUF_FORMAT)
        except (BufferError, ValueError) as error:
            raise InputError(f"{what}: {error}") from None
        try:
            form = (<bytes>view.format).decode("latin-1") if view.format != NULL else "B"
            kind = form.lstrip("@=<>!")
            if len(kind) != 1 or kind not in "bBhHiIlLqQnN":
                raise TypeError(f"{what}: integers are needed, not items of format {form!r}")
            if view.itemsize > 1 and form[0] in SWAPPED:
                raise InputError(f"{what}: the array is not in the byte order of this machine")
            if view.ndim != 1:
                raise InputError(f"{what}: one dimension is needed, not {view.ndim}")
            n = view.shape[0]
            self.expect(n, what, expected)
            self.room()
            data, step, out = <const char *>view.buf, view.strides[0], self.at
            if kind.islower():
                if view.itemsize == 1:
                    negative = _widen(<int8_t>0, data, step, n, out)
                elif view.itemsize == 2:
                    negative = _widen(<int16_t>0, data, step, n, out)
                elif view.itemsize == 4:
                    negative = _widen(<int32_t>0, data, step, n, out)
                else:
                    negative = _widen(<int64_t>0, data, step, n, out)
            elif view.itemsize == 1:
                _widen(<uint8_t>0, data, step, n, out)
            elif view.itemsize == 2:
                _widen(<uint16_t>0, data, step, n, out)
            elif view.itemsize == 4:
                _widen(<uint32_t>0, data, step, n, out)
            else:
                _widen(<uint64_t>0, data, step, n, out)
            if negative >= 0:
                natural(<int64_t>out[negative], f"{what}[{negative}]")
        finally:
            PyBuffer_Release(&view)
        return 0


cdef Indices indices_of(object source, str what, Py_ssize_t expected, uint64_t size, bint ascending):
    cdef Indices indices = Indices.__new__(Indices)
    cdef size_t i
    if isinstance(source, (list, tuple)):
        indices.take_items(tuple(source), what, expected)
    elif isinstance(source, range):
        indices.take_range(source, what, expected, size)
    elif PyObject_CheckBuffer(source) and not isinstance(source, (bytes, bytearray, str)):
        indices.take_buffer(source, what, expected)
    else:
        raise TypeError(f"{what}: a list, tuple, range or array of integers is needed, not {type(source).__name__}")
    if ascending and indices.n == 0:
        raise InputError(f"{what}: none, and a proof of no leaves would prove nothing")
    if ascending and indices.at == NULL and indices.step == 1:
        return indices
    indices.fill()
    for i in range(indices.n):
        if indices.at[i] >= size:
            raise BoundsError(f"{what}[{i}]: index {indices.at[i]} is not below size {size}")
    if ascending:
        for i in range(1, indices.n):
            if indices.at[i] <= indices.at[i - 1]:
                raise InputError(f"{what}[{i}]: {indices.at[i]} is not above the one before it, {indices.at[i - 1]}")
    return indices
