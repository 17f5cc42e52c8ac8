# How a tree hashes, for the modules that build and prove.
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

from merklecore._native.core cimport mc_rule


cdef class Spec:
    """How a tree hashes: a profile in the core's terms. Profile has checked the values."""
    cdef mc_rule rule
    cdef uint8_t zeros[(64 + 1) * 64]
    cdef bytes leaf_prefix, node_prefix
    cdef object limit, empty
    cdef size_t d

    cdef bytes _zero(self, size_t level)
    cdef Py_ssize_t width(self, bint hashed) noexcept  # bytes of a leaf where they are known: it is a digest already
    cdef int admit(self, object size) except -1
    cdef bytes empty_tree(self)


cdef inline bytes digest_at(const uint8_t *at, size_t d):
    return PyBytes_FromStringAndSize(<const char *>at, <Py_ssize_t>d)
