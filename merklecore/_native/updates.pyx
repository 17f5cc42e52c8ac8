"""Kept levels changed in place, cut off, compared, and read as they lie."""

cimport cython
from cpython.buffer cimport Py_buffer, PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

from merklecore._native.arguments cimport Messages, messages_of, natural, thread_count
from merklecore._native.core cimport (
    MC_ODD_HEAP, mc_change, mc_equal_between, mc_leaf_hashes_parallel, mc_sort_changes, mc_status, mc_update,
)
from merklecore._native.dispatch cimport allowed, failed
from merklecore._native.indices cimport Indices, indices_of
from merklecore._native.spec cimport Spec
from merklecore._native.trees cimport Nodes, work

from merklecore.errors import BoundsError, InputError


# ---- changes --------------------------------------------------------------------------------------------------------


cdef bytes _hashes(Spec spec, Messages source, bint ready, unsigned crew, uint32_t isas):
    cdef bytes out
    cdef mc_status status
    if source.c.n > (<size_t>1 << 62) // spec.d:
        raise MemoryError
    out = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>(source.c.n * spec.d))
    cdef uint8_t *at = <uint8_t *>PyBytes_AS_STRING(out)
    with nogil:
        status = mc_leaf_hashes_parallel(&spec.rule, &source.c, ready, at, isas, crew)
    failed(status)
    return out


@cython.final
@cython.internal
cdef class Places:
    """Indices of leaves as they were given, each with its position."""
    cdef mc_change *at
    cdef size_t n

    def __cinit__(self, Indices given):
        cdef size_t i
        self.n = given.n
        self.at = <mc_change *>PyMem_Malloc((self.n if self.n else 1) * sizeof(mc_change))
        if self.at == NULL:
            raise MemoryError
        for i in range(self.n):
            self.at[i].index, self.at[i].source = given.at[i], i

    def __dealloc__(self):
        PyMem_Free(self.at)


cdef int _check_places(Places places, uint64_t size, size_t leaves) except -1:
    """In the order of the tree afterwards; nothing of Python runs here but what raises."""
    cdef size_t i, later = 0, earlier = 0
    for i in range(places.n):
        if places.at[i].index >= size:  # the tree may have been cut while they were read
            raise BoundsError(f"indices[{i}]: index {places.at[i].index} is not below size {size}")
    if places.n != leaves:
        raise InputError(f"leaves: {leaves} where there are {places.n} indices")
    failed(mc_sort_changes(places.at, places.n, size))
    for i in range(1, places.n):
        if places.at[i].index == places.at[i - 1].index and (later == 0 or places.at[i].source < later):
            later, earlier = places.at[i].source, places.at[i - 1].source
    if later:
        raise InputError(f"indices[{later}]: the same index as indices[{earlier}]")
    return 0


def update(Nodes nodes not None, indices, leaves, hashed=False, threads=None, kernel=None):
    """Replaces the leaves at `indices`, in one batch, all of them or none when something is wrong with one."""
    cdef Spec spec = nodes.spec
    cdef bint ready = hashed
    cdef uint32_t isas = allowed(spec.rule.hash, kernel)
    cdef Places places = Places(indices_of(indices, "indices", -1, nodes.size, False))
    cdef Messages source = messages_of(leaves, "leaves", spec.width(ready))
    cdef unsigned crew = <unsigned>thread_count(threads, work(source) + 8 * source.c.n)  # some levels to each leaf
    nodes.still()
    _check_places(places, nodes.size, source.c.n)
    nodes.busy = True  # from here on nobody else gets in, whatever a finalizer does
    try:
        _update(nodes, places, _hashes(spec, source, ready, crew, isas), crew, isas)
    finally:
        nodes.busy = False


cdef int _update(Nodes nodes, Places places, bytes hashes, unsigned crew, uint32_t isas) except -1:
    cdef const uint8_t *fresh = <const uint8_t *>PyBytes_AS_STRING(hashes)
    cdef uint8_t *level[64]
    cdef mc_status status
    cdef int k
    for k in range(64):
        level[k] = nodes.levels[k].at
    nodes.closed = False
    with nogil:
        status = mc_update(&nodes.spec.rule, level, nodes.size, places.at, places.n, fresh, &nodes.pairs, isas, crew)
    return failed(status)


def truncate(Nodes nodes not None, size):
    """Takes leaves off the end until `size` are left; the room stays."""
    cdef uint64_t n = natural(size, "size")
    cdef uint8_t *level[64]
    cdef int k
    nodes.still()
    if n > nodes.size:
        raise BoundsError(f"size {n} is above the tree's size {nodes.size}")
    for k in range(64):
        level[k] = nodes.levels[k].at
    nodes.pairs -= mc_equal_between(&nodes.spec.rule, level, n, nodes.size)
    nodes.size = n
    nodes.closed = False


# ---- looks at what is kept ------------------------------------------------------------------------------------------


@cython.final
cdef class Level:
    """Nodes [start, stop) of one level, where they lie: a buffer. As long as it is held the tree stays as it is."""
    cdef Nodes nodes
    cdef unsigned k
    cdef uint64_t start, stop

    cdef int check(self) except -1:
        cdef uint64_t there
        self.nodes.idle()
        if self.nodes.spec.rule.odd == MC_ODD_HEAP:
            if self.k == 1:
                self.nodes.close_now()
            there = self.nodes.size if self.k == 0 else self.nodes.size - 1 if self.k == 1 and self.nodes.size else 0
        else:
            there = self.nodes.size >> self.k if self.k < 64 else 0
        if self.start > self.stop:
            raise BoundsError(f"start {self.start} is above stop {self.stop}")
        if self.stop > there:
            raise BoundsError(f"stop {self.stop} is above the {there} complete nodes of level {self.k}")
        return 0

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        self.check()
        cdef size_t d = self.nodes.spec.d
        cdef uint8_t *at = self.nodes.levels[self.k].at + self.start * d if self.stop > self.start else <uint8_t *>b""
        PyBuffer_FillInfo(buffer, self, at, <Py_ssize_t>((self.stop - self.start) * d), True, flags)
        self.nodes.exports += 1

    def __releasebuffer__(self, Py_buffer *buffer):
        self.nodes.exports -= 1


def level_rows(Nodes nodes not None, level, start, stop):
    """Nodes [start, stop) of a level, rows of d bytes in one buffer; whoever holds it keeps the tree as it is."""
    cdef Level rows = Level.__new__(Level)
    cdef uint64_t k = natural(level, "level")
    rows.nodes = nodes
    rows.k = 64 if k > 64 else <unsigned>k
    rows.start = natural(start, "start")
    rows.stop = natural(stop, "stop")
    rows.check()
    return memoryview(rows)


def same_leaves(Nodes one not None, Nodes other not None):
    """Whether two trees hold the same leaf hashes."""
    one.idle()
    other.idle()
    return one.size == other.size and one.spec.d == other.spec.d and (
        one.size == 0 or memcmp(one.levels[0].at, other.levels[0].at, <size_t>one.size * one.spec.d) == 0)
