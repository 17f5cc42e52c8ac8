# Places of several leaves, as callers give them: checked and copied.
from libc.stddef cimport size_t
from libc.stdint cimport uint64_t


cdef class Indices:
    cdef uint64_t *at  # NULL for a range until `fill` writes it down
    cdef uint64_t first, step  # of a range
    cdef size_t n

    cdef int expect(self, Py_ssize_t n, str what, Py_ssize_t expected) except -1
    cdef int room(self) except -1
    cdef int take_range(self, object source, str what, Py_ssize_t expected, uint64_t size) except -1
    cdef int fill(self) except -1
    cdef int take_items(self, tuple items, str what, Py_ssize_t expected) except -1
    cdef int take_buffer(self, object source, str what, Py_ssize_t expected) except -1


# `expected`: how many there must be, or -1; all are below `size`. `ascending`: strictly, and one at least; then
# `at` is NULL where they are contiguous, for whose proof the first and the last are enough.
cdef Indices indices_of(object source, str what, Py_ssize_t expected, uint64_t size, bint ascending)
