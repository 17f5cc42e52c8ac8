"""Compact ranges: the fewest nodes over neighbouring leaves."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from merklecore._native.arguments cimport Messages, messages_of, natural, one_message, thread_count
from merklecore._native.core cimport (
    MC_WINDOW_LEVEL, mc_leaf_hashes_parallel, mc_range, mc_range_add, mc_range_count, mc_range_extend, mc_range_merge,
    mc_range_root, mc_range_window, mc_status,
)
from merklecore._native.dispatch cimport allowed, failed
from merklecore._native.spec cimport Spec, digest_at
from merklecore._native.trees cimport work

from merklecore.errors import BoundsError, InputError

cdef uint64_t WINDOW = <uint64_t>1 << MC_WINDOW_LEVEL
cdef uint64_t LAST = <uint64_t>-1


@cython.final
cdef class Range:
    """The fewest nodes over leaves [start, start + size), left to right."""
    cdef Spec spec
    cdef mc_range c
    cdef bint busy

    def __cinit__(self, Spec spec not None, start=0):
        self.spec = spec
        self.c.start = natural(start, "start")
        self.c.size = self.c.count = 0
        self.busy = False

    @property
    def start(self):
        return self.c.start

    @property
    def size(self):
        return self.c.size

    cdef int idle(self) except -1:
        if self.busy:
            raise BufferError("the range is being changed by another call")
        return 0

    cdef int admit(self, uint64_t n) except -1:
        cdef uint64_t end = self.c.start + self.c.size
        if n > LAST - end:
            raise BoundsError(f"{n} leaves from {end} on: a range ends at 2**64 - 1 or before")
        self.spec.admit(end + n)
        return 0

    def append(self, leaf, hashed=False):
        """Adds one leaf and returns its index."""
        cdef Spec spec = self.spec
        cdef bint ready = hashed
        cdef uint32_t isas = allowed(spec.rule.hash, None)
        cdef Messages source = one_message(leaf, "leaf", spec.width(ready))
        cdef uint8_t node[64]
        self.idle()
        self.admit(1)
        cdef uint64_t index = self.c.start + self.c.size
        cdef mc_status status
        if source.total < 2048:
            status = mc_leaf_hashes_parallel(&spec.rule, &source.c, ready, node, isas, 1)
        else:
            self.busy = True
            with nogil:
                status = mc_leaf_hashes_parallel(&spec.rule, &source.c, ready, node, isas, 1)
            self.busy = False
        failed(status)
        failed(mc_range_add(&spec.rule, &self.c, 0, node, NULL, isas))
        return index

    def extend(self, leaves, hashed=False, threads=None, kernel=None, on_nodes=None, str what="leaves"):
        """Adds leaves, all of them, or none when something is wrong with one; returns their indices.

        `on_nodes` receives the completed nodes window by window; windows that it has received whole stay.
        """
        cdef bint ready = hashed
        cdef uint32_t isas = allowed(self.spec.rule.hash, kernel)
        cdef Messages source = messages_of(leaves, what, self.spec.width(ready))
        cdef unsigned crew = <unsigned>thread_count(threads, work(source))
        _callable(on_nodes)
        self.idle()
        self.busy = True
        try:
            return self.put(source, ready, crew, isas, on_nodes)
        finally:
            self.busy = False

    def extend_batches(self, batches, hashed=False, threads=None, kernel=None, on_nodes=None):
        """Adds leaves in batches, pairs of them and of what messages call them; returns their indices.

        To others it is one change, as long as the batches come. Without `on_nodes` it is made at their end.
        """
        cdef bint ready = hashed
        cdef uint32_t isas = allowed(self.spec.rule.hash, kernel)
        cdef Messages source
        cdef Range target = self
        thread_count(threads, 0)
        _callable(on_nodes)
        self.idle()
        cdef uint64_t first = self.c.start + self.c.size
        self.busy = True
        try:
            if on_nodes is None:
                target = Range(self.spec, self.c.start)
                target.c = self.c
            for leaves, what in batches:
                source = messages_of(leaves, what, self.spec.width(ready))
                target.put(source, ready, <unsigned>thread_count(threads, work(source)), isas, on_nodes)
            self.c = target.c
        finally:
            self.busy = False
        return range(first, self.c.start + self.c.size)

    cdef object put(self, Messages source, bint ready, unsigned crew, uint32_t isas, object on_nodes):
        cdef uint64_t first = self.c.start + self.c.size
        self.admit(source.c.n)
        if on_nodes is None:
            self.add(source, ready, crew, isas)
        else:
            self.add_windows(source, ready, crew, isas, on_nodes)
        return range(first, first + source.c.n)

    cdef int add(self, Messages source, bint ready, unsigned crew, uint32_t isas) except -1:
        cdef mc_range grown = self.c
        cdef mc_status status
        with nogil:
            status = mc_range_extend(&self.spec.rule, &grown, &source.c, ready, isas, crew)
        failed(status)
        self.c = grown
        return 0

    cdef int add_windows(self, Messages source, bint ready, unsigned crew, uint32_t isas, object on_nodes) except -1:
        cdef size_t d = self.spec.d, done = 0, now
        cdef uint8_t *level[MC_WINDOW_LEVEL + 1]
        cdef uint8_t made[64 * 64]
        cdef mc_range grown
        cdef mc_status status
        cdef uint64_t end
        cdef int k
        level[0] = <uint8_t *>PyMem_Calloc(2 * WINDOW, d)
        if level[0] == NULL:
            raise MemoryError
        for k in range(MC_WINDOW_LEVEL):
            level[k + 1] = level[k] + (WINDOW >> k) * d
        try:
            while done < source.c.n:
                end = self.c.start + self.c.size
                now = source.c.n - done
                if now > WINDOW - end % WINDOW:
                    now = WINDOW - end % WINDOW
                grown = self.c
                with nogil:
                    status = mc_range_window(&self.spec.rule, &grown, level, &source.c, done, now, ready, made, isas,
                                             crew)
                failed(status)
                self.report(level, made, end, end + now, on_nodes)
                self.c = grown
                done += now
        finally:
            PyMem_Free(level[0])
        return 0

    cdef int report(self, uint8_t **level, uint8_t *made, uint64_t end, uint64_t stop, object on_nodes) except -1:
        """The nodes that leaves [end, stop) of one window have completed, level by level."""
        cdef uint64_t start = self.c.start, base = end - end % WINDOW, first, index
        cdef size_t d = self.spec.d
        cdef unsigned k
        for k in range(MC_WINDOW_LEVEL + 1):
            first = (start >> k) + (start & ((<uint64_t>1 << k) - 1) != 0)
            if first < end >> k:
                first = end >> k
            if first < stop >> k:
                on_nodes(k, first, _rows(level[k] + (first - (base >> k)) * d, (stop >> k) - first, d))
        if stop % WINDOW or base < start:
            return 0
        k, index = MC_WINDOW_LEVEL, base >> MC_WINDOW_LEVEL
        while index & 1 and (index - 1) << k >= start:
            k, index = k + 1, index >> 1
            on_nodes(k, index, _rows(made, 1, d))
            made += d
        return 0

    def merge(self, Range other not None):
        """Puts a range behind this one, which ends where it starts."""
        cdef mc_range grown = self.c
        self.idle()
        if other.c.start != self.c.start + self.c.size:
            raise InputError(f"a range from {other.c.start} on does not follow one that ends at "
                             f"{self.c.start + self.c.size}")
        self.admit(other.c.size)
        failed(mc_range_merge(&self.spec.rule, &grown, &other.c, allowed(self.spec.rule.hash, None)))
        self.c = grown

    def nodes(self):
        """The hashes, left to right."""
        return self.state()[2]

    def state(self):
        """Start, size and nodes, of one moment."""
        cdef mc_range now = self.c  # to make objects may run anything
        cdef size_t d = self.spec.d
        cdef unsigned i
        return now.start, now.size, tuple([digest_at(now.node + i * d, d) for i in range(now.count)])

    def restore(self, size, bytes nodes not None):
        """Makes an empty range one of `size` leaves under these nodes."""
        cdef uint64_t n = natural(size, "size")
        self.idle()
        if self.c.size:
            raise InputError("the range is not empty")
        self.admit(n)
        cdef unsigned count = mc_range_count(self.c.start, n)
        if <size_t>len(nodes) != count * self.spec.d:
            raise InputError(f"nodes: {len(nodes)} bytes where {count * self.spec.d} are needed")
        memcpy(self.c.node, PyBytes_AS_STRING(nodes), count * self.spec.d)
        self.c.size, self.c.count = n, count

    def root(self):
        """The root over all leaves from 0 on."""
        cdef uint8_t root[64]
        if self.c.start:
            raise InputError(f"a range that starts at {self.c.start} has no root")
        if self.c.size == 0:
            return self.spec.empty_tree()
        failed(mc_range_root(&self.spec.rule, &self.c, root, allowed(self.spec.rule.hash, None)))
        return digest_at(root, self.spec.d)


cdef int _callable(object on_nodes) except -1:
    if on_nodes is not None and not callable(on_nodes):
        raise TypeError(f"on_nodes: a callable is needed, not {type(on_nodes).__name__}")
    return 0


cdef object _rows(const uint8_t *at, uint64_t n, size_t d):
    import numpy

    cdef bytes copy = PyBytes_FromStringAndSize(<const char *>at, <Py_ssize_t>(n * d))
    return numpy.frombuffer(copy, numpy.uint8).reshape(-1, d)
