# Kept levels, for the modules that prove from them and change them.
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from merklecore._native.arguments cimport Messages
from merklecore._native.core cimport mc_block, mc_edge
from merklecore._native.spec cimport Spec


cdef class Nodes:
    """The complete nodes of every level in flat arrays, and the edge that closes them, recomputed when asked for.

    Of a heap level 0 holds the leaf hashes and level 1 all inner nodes, made anew when asked for.
    """
    cdef Spec spec
    cdef mc_block levels[64]
    cdef uint64_t size, pairs
    cdef mc_edge edge
    cdef bint closed, busy
    cdef Py_ssize_t exports  # pieces of levels that others look at
    cdef object threads  # as the last batch was given them: a heap is hashed when it is asked for
    cdef uint32_t isas
    cdef int closing  # the process in which a thread hashes a heap just now, or 0

    cdef int idle(self) except -1
    cdef int still(self) except -1
    cdef int reserve(self, uint64_t size) except -1
    cdef int grow(self, int k, uint64_t kept, uint64_t rows) except -1
    cdef int add(self, Messages source, bint hashed, unsigned crew, uint32_t isas) except -1
    cdef uint64_t size_of(self, object size) except? 0xffffffffffffffff
    cdef int present(self, uint64_t size) except -1
    cdef int close(self, uint64_t size, mc_edge *edge) except -1
    cdef int close_now(self) except -1
    cdef int close_heap(self) except -1


cdef size_t work(Messages source) noexcept  # in units of thread_count
