# What comes from Python, checked and held: buffers, lists of buffers, integers.
from cpython.buffer cimport Py_buffer
from libc.stdint cimport uint8_t, uint64_t

from merklecore._native.arrow cimport Column
from merklecore._native.core cimport mc_messages, mc_span


cdef class View:
    """One contiguous bytes-like object, held while this lives."""
    cdef Py_buffer buffer
    cdef bint held
    cdef const uint8_t *data
    cdef size_t size


cdef class Messages:
    """n messages in the form the core takes, with everything that keeps their memory in place."""
    cdef mc_messages c
    cdef tuple items
    cdef Py_buffer *buffers
    cdef Py_ssize_t held
    cdef mc_span *spans
    cdef mc_span single
    cdef size_t total  # bytes of all messages

    cdef int take_items(self, object source, str what, Py_ssize_t width) except -1
    cdef int take_others(self, str what, Py_ssize_t others) except -1
    cdef void _sum_up(self, Py_ssize_t n) noexcept
    cdef int _demand(self, str what, Py_ssize_t width) except -1
    cdef int take_column(self, Column column, str what, Py_ssize_t width) except -1
    cdef int take_buffer(self, object source, str what, Py_ssize_t width) except -1
    cdef bint overlaps(self, const uint8_t *data, size_t size) noexcept


cdef int acquire(object source, Py_buffer *buffer, str what, Py_ssize_t item) except -1
cdef View view_of(object source, str what)
cdef Messages messages_of(object source, str what, Py_ssize_t width)
cdef Messages one_message(object source, str what, Py_ssize_t width)
cdef object output(object out, size_t n, size_t d, Messages source, View prefix, Py_buffer *buffer)
cdef uint64_t natural(object value, str what) except? 0xffffffffffffffff
cdef Py_ssize_t thread_count(object threads, size_t work) except -1
