# Places of several leaves, as callers give them: checked and copied.
from libc.stddef cimport size_t
from libc.stdint cimport uint64_t


cdef class Indices:
    cdef uint64_t *at
    cdef size_t n

    cdef int reserve(self, Py_ssize_t n, str what, Py_ssize_t expected) except -1
    cdef int take_range(self, object source, str what, Py_ssize_t expected) except -1
    cdef int take_items(self, tuple items, str what, Py_ssize_t expected) except -1
    cdef int take_buffer(self, object source, str what, Py_ssize_t expected) except -1


# `expected`: how many there must be, or -1; all are below `size`. `ascending`: strictly, and one at least.
cdef Indices indices_of(object source, str what, Py_ssize_t expected, uint64_t size, bint ascending)
