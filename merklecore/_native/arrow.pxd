# Columns of other libraries, by the Arrow PyCapsule interface.
from libc.stdint cimport uint8_t

from merklecore._native.core cimport (
    ArrowArray, ArrowArrayStream, ArrowSchema, mc_arrow_fault, mc_arrow_status, mc_arrow_type, mc_arrow_values,
    mc_span,
)


cdef struct Chunk:
    ArrowArray array
    mc_arrow_values values


cdef class Column:
    """n values, as rows or as spans; the memory they lie in is released with this."""
    cdef ArrowSchema schema
    cdef ArrowArrayStream stream
    cdef mc_arrow_type type
    cdef Chunk *chunks
    cdef size_t held, room, n, width
    cdef const uint8_t *rows  # n rows of `width` bytes; NULL where there are spans
    cdef mc_span *spans

    cdef int take_array(self, object capsules, str what) except -1
    cdef int take_stream(self, object capsule, str what) except -1
    cdef int stream_failed(self, int code, str what) except -1
    cdef int know_type(self, str what) except -1
    cdef int add(self, ArrowArray *source, str what) except -1
    cdef int finish(self, str what) except -1
    cdef int refuse(self, mc_arrow_status status, mc_arrow_fault *fault, size_t first, str what) except -1
    cdef mc_span *give_spans(self) noexcept


cdef Column column_of(object source, str what)
