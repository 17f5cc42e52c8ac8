"""Columns of other libraries, moved out of their capsules, checked, held, and released once.

Apache Arrow, "The Arrow PyCapsule Interface". A producer's functions are called without the GIL: it may have threads
that wait for it.
"""

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_IsValid
from libc.string cimport memset

from merklecore._native.core cimport (
    MC_ARROW_BEYOND, MC_ARROW_BUFFERS, MC_ARROW_COLUMNS, MC_ARROW_DICTIONARY, MC_ARROW_EXTENT, MC_ARROW_FORMAT,
    MC_ARROW_NO_BUFFER, MC_ARROW_NULL, MC_ARROW_NULL_COUNT, MC_ARROW_OFFSETS, MC_ARROW_OK, MC_ARROW_SHORT,
    MC_ARROW_SIZE, MC_ARROW_VIEW, MC_ARROW_VIEWS, mc_arrow_open, mc_arrow_spans, mc_arrow_type_of,
)

from os import strerror

from merklecore._text import exports_objects
from merklecore.errors import InputError

cdef size_t MOST = <size_t>1 << 55  # as of all messages
cdef const uint8_t *NOTHING = b""


@cython.final
cdef class Column:
    def __cinit__(self):
        self.schema.release = NULL
        self.stream.release = NULL
        self.chunks = NULL
        self.held = self.room = self.n = self.width = 0
        self.rows = NULL
        self.spans = NULL

    def __dealloc__(self):
        cdef size_t i
        with nogil:
            for i in range(self.held):
                if self.chunks[i].array.release != NULL:
                    self.chunks[i].array.release(&self.chunks[i].array)
            if self.schema.release != NULL:
                self.schema.release(&self.schema)
            if self.stream.release != NULL:
                self.stream.release(&self.stream)
        PyMem_Free(self.chunks)
        PyMem_Free(self.spans)

    cdef int take_array(self, object capsules, str what) except -1:
        cdef ArrowSchema *schema
        cdef ArrowArray *array
        if not (isinstance(capsules, tuple) and len(capsules) == 2
                and PyCapsule_IsValid(capsules[0], b"arrow_schema")
                and PyCapsule_IsValid(capsules[1], b"arrow_array")):
            raise TypeError(f"{what}: __arrow_c_array__ did not return capsules of an Arrow schema and an array")
        schema = <ArrowSchema *>PyCapsule_GetPointer(capsules[0], b"arrow_schema")
        array = <ArrowArray *>PyCapsule_GetPointer(capsules[1], b"arrow_array")
        # A structure is moved by copying it and marking the source as released; then its capsule has nothing to do.
        self.schema = schema[0]
        schema.release = NULL
        self.know_type(what)
        if array.release == NULL:
            raise InputError(f"{what}: the Arrow array is released already")
        return self.add(array, what)

    cdef int take_stream(self, object capsule, str what) except -1:
        cdef ArrowArrayStream *stream
        cdef ArrowArray array
        cdef int code
        if not PyCapsule_IsValid(capsule, b"arrow_array_stream"):
            raise TypeError(f"{what}: __arrow_c_stream__ did not return a capsule of an Arrow stream")
        stream = <ArrowArrayStream *>PyCapsule_GetPointer(capsule, b"arrow_array_stream")
        self.stream = stream[0]
        stream.release = NULL
        if self.stream.release == NULL:
            raise InputError(f"{what}: the Arrow stream is released already")
        if self.stream.get_schema == NULL or self.stream.get_next == NULL:
            raise InputError(f"{what}: the Arrow stream lacks a function")
        memset(&self.schema, 0, sizeof(self.schema))
        with nogil:
            code = self.stream.get_schema(&self.stream, &self.schema)
        if code:
            self.schema.release = NULL  # what a failed call leaves there is nothing
            self.stream_failed(code, what)
        self.know_type(what)
        while True:
            PyErr_CheckSignals()  # a stream may have no end
            memset(&array, 0, sizeof(array))
            with nogil:
                code = self.stream.get_next(&self.stream, &array)
            if code:
                self.stream_failed(code, what)
            if array.release == NULL:
                break
            self.add(&array, what)
        with nogil:
            self.stream.release(&self.stream)
        self.stream.release = NULL
        return 0

    cdef int stream_failed(self, int code, str what) except -1:
        cdef const char *text = NULL
        if self.stream.get_last_error != NULL:
            with nogil:
                text = self.stream.get_last_error(&self.stream)
        said = (<bytes>text).decode("utf-8", "replace") if text != NULL else strerror(code)
        raise InputError(f"{what}: the Arrow stream failed: {said}")

    cdef int know_type(self, str what) except -1:
        cdef mc_arrow_fault fault
        if self.schema.release == NULL:
            raise InputError(f"{what}: the Arrow schema is released already")
        return self.refuse(mc_arrow_type_of(&self.schema, &self.type, &fault), &fault, 0, what)

    cdef int add(self, ArrowArray *source, str what) except -1:
        """Takes an array over; one without values is done with at once, so that any number of them may come."""
        cdef mc_arrow_fault fault
        cdef mc_arrow_status status
        cdef Chunk *chunk
        cdef void *grown
        if self.held == self.room:
            grown = PyMem_Realloc(self.chunks, (2 * self.room + 1) * sizeof(Chunk))
            if grown == NULL:
                with nogil:
                    source.release(source)
                raise MemoryError
            self.chunks = <Chunk *>grown
            self.room = 2 * self.room + 1
        chunk = &self.chunks[self.held]
        chunk.array = source[0]
        source.release = NULL
        self.held += 1
        with nogil:
            status = mc_arrow_open(&self.type, &chunk.array, &chunk.values, &fault)
        self.refuse(status, &fault, self.n, what)
        self.n += chunk.values.n
        if self.n > MOST:
            raise InputError(f"{what}: {self.n} are more than {MOST}, the most there can be")
        if chunk.values.n == 0:
            self.held -= 1
            with nogil:
                chunk.array.release(&chunk.array)
        return 0

    cdef int finish(self, str what) except -1:
        """Rows where the values of one array lie so, else spans."""
        cdef mc_arrow_fault fault
        cdef mc_arrow_status status = MC_ARROW_OK
        cdef size_t i, done = 0
        if self.held == 0:
            self.rows = NOTHING
            return 0
        if self.held == 1 and self.chunks[0].values.rows != NULL:
            self.rows = self.chunks[0].values.rows
            self.width = self.chunks[0].values.width
            return 0
        self.spans = <mc_span *>PyMem_Malloc(self.n * sizeof(mc_span))
        if self.spans == NULL:
            raise MemoryError
        with nogil:
            for i in range(self.held):
                status = mc_arrow_spans(&self.type, &self.chunks[i].values, self.spans + done, &fault)
                if status != MC_ARROW_OK:
                    break
                done += self.chunks[i].values.n
        return self.refuse(status, &fault, done, what)

    cdef int refuse(self, mc_arrow_status status, mc_arrow_fault *fault, size_t first, str what) except -1:
        """Says what is wrong; `first` is the position of an array's first value."""
        if status == MC_ARROW_OK:
            return 0
        a, b, where = fault.a, fault.b, f"{what}[{first + fault.at}]"
        if status == MC_ARROW_FORMAT:
            form = (<bytes>self.type.format).decode("latin-1") if self.type.format != NULL else ""
            raise InputError(f"{what}: an Arrow column of binary, large_binary, fixed_size_binary or binary_view is "
                             f"needed, not of format {form[:40]!r}")
        if status == MC_ARROW_DICTIONARY:
            raise InputError(f"{what}: the Arrow column is dictionary-encoded")
        if status == MC_ARROW_COLUMNS:
            raise InputError(f"{what}: an Arrow table of {a} columns; give one of them")
        if status == MC_ARROW_EXTENT:
            raise InputError(f"{what}: no Arrow array has length {a} at offset {b}")
        if status == MC_ARROW_SHORT:
            raise InputError(f"{what}: the column of an Arrow struct has {a} values where {b} are needed")
        if status == MC_ARROW_BUFFERS:
            many = f"{b} to {b + 0x7fffffff}" if b == 3 and self.type.kind == MC_ARROW_VIEWS else b
            raise InputError(f"{what}: an Arrow array of {a} buffers where {many} are needed")
        if status == MC_ARROW_NO_BUFFER:
            raise InputError(f"{what}: buffer {a} of an Arrow array is missing")
        if status == MC_ARROW_NULL_COUNT:
            raise InputError(f"{what}: an Arrow array counts {a} nulls and does not show them")
        if status == MC_ARROW_NULL:
            raise InputError(f"{where}: a null is no message")
        if status == MC_ARROW_OFFSETS:
            raise InputError(f"{where}: Arrow offsets from {a} to {b}")
        if status == MC_ARROW_SIZE:
            raise InputError(f"{where}: an Arrow view of {a} bytes")
        if status == MC_ARROW_VIEW:
            raise InputError(f"{where}: an Arrow view into buffer {a} of {b}")
        assert status == MC_ARROW_BEYOND
        raise InputError(f"{where}: an Arrow view of {a} bytes from {b} on, beyond the end of its buffer")

    cdef mc_span *give_spans(self) noexcept:
        cdef mc_span *spans = self.spans
        self.spans = NULL
        return spans


cdef object _exported(object method, str what):
    """What a producer returns, or why it does not."""
    try:
        return method()
    except MemoryError:
        raise
    except TypeError as error:
        raise TypeError(f"{what}: {error}") from error
    except Exception as error:  # it comes from the producer, which may raise anything
        raise InputError(f"{what}: {error}") from error


cdef Column column_of(object source, str what):
    """What `source` exports, an array or a stream of them; None where it is no column."""
    cdef Column column
    method = getattr(source, "__arrow_c_array__", None)
    if method is not None:
        column = Column.__new__(Column)
        column.take_array(_exported(method, what), what)
    else:
        method = getattr(source, "__arrow_c_stream__", None)
        if method is None:
            return None
        if exports_objects(source):
            raise InputError(f"{what}: bytes are needed, not Python objects")
        column = Column.__new__(Column)
        column.take_stream(_exported(method, what), what)
    column.finish(what)
    return column
