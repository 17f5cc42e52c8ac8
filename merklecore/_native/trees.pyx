"""Trees: roots, and kept levels."""

cimport cython
from cpython.buffer cimport Py_buffer, PyBuffer_Release
from cpython.exc cimport PyErr_CheckSignals
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from posix.unistd cimport getpid, usleep

from merklecore._native.arguments cimport (
    Messages, messages_of, natural, one_message, output, thread_count, view_of,
)
from merklecore._native.core cimport (
    MC_ODD_DUPLICATE, MC_ODD_HEAP, MC_OK, mc_close, mc_edge, mc_extend, mc_heap, mc_heap_root,
    mc_leaf_hashes_parallel, mc_peaks, mc_reduce, mc_release, mc_reserve, mc_status,
)
from merklecore._native.dispatch cimport allowed, failed
from merklecore._native.spec cimport Spec, digest_at

from merklecore.errors import BoundsError, InputError

cdef size_t GROWN_LARGE = 1 << 20  # bytes
cdef size_t SMALL_HEAP = 1 << 12  # leaves: hashed before another thread could have taken the GIL


cdef size_t work(Messages source) noexcept:
    return source.c.n + source.total // 64


def leaf_hashes(Spec spec, leaves, hashed=False, threads=None, kernel=None, str what="leaves"):
    """All of level 0: uint8, shape (n, d); `what` the leaves are called in messages."""
    cdef uint32_t isas = allowed(spec.rule.hash, kernel)
    cdef bint ready = hashed
    cdef Messages source = messages_of(leaves, what, spec.width(ready))
    cdef unsigned crew = <unsigned>thread_count(threads, work(source))
    cdef Py_buffer buffer
    cdef mc_status status
    result = output(None, source.c.n, spec.d, source, view_of(b"", "prefix"), &buffer)
    with nogil:
        status = mc_leaf_hashes_parallel(&spec.rule, &source.c, ready, <uint8_t *>buffer.buf, isas, crew)
    PyBuffer_Release(&buffer)
    failed(status)
    return result


def root(Spec spec, leaves, hashed=False, threads=None, kernel=None):
    """The root over all leaves, in memory that does not grow with their number, unless they make a heap."""
    cdef uint32_t isas = allowed(spec.rule.hash, kernel)
    cdef bint ready = hashed
    cdef Messages source = messages_of(leaves, "leaves", spec.width(ready))
    cdef unsigned crew = <unsigned>thread_count(threads, work(source))
    cdef mc_peaks peaks
    cdef mc_edge edge
    cdef const uint8_t *peak[64]
    cdef mc_status status
    cdef int k
    if source.c.n == 0:
        return spec.empty_tree()
    spec.admit(source.c.n)
    with nogil:
        if spec.rule.odd == MC_ODD_HEAP:
            status = mc_heap_root(&spec.rule, &source.c, ready, edge.root, isas, crew)
        else:
            status = mc_reduce(&spec.rule, &source.c, ready, &peaks, isas, crew)
        if status == MC_OK and spec.rule.odd != MC_ODD_HEAP:
            for k in range(64):
                peak[k] = peaks.node[k]
            status = mc_close(&spec.rule, peaks.size, peak, &edge, isas)
    failed(status)
    return digest_at(edge.root, spec.d)


@cython.final
cdef class Nodes:
    def __cinit__(self, Spec spec not None):
        self.spec = spec
        memset(self.levels, 0, sizeof(self.levels))
        self.size = self.pairs = 0
        self.closing = 0
        self.closed = self.busy = False
        self.exports = 0
        self.isas = allowed(spec.rule.hash, None)

    def __dealloc__(self):
        cdef int k
        for k in range(64):
            mc_release(&self.levels[k])

    def __len__(self):
        return self.size

    @property
    def nbytes(self):
        """Bytes that the arrays take, slack for growth included."""
        cdef size_t total = 0
        cdef int k
        for k in range(64):
            total += self.levels[k].bytes
        return total

    cdef int idle(self) except -1:
        """Nobody changes the tree, and nobody will before the caller gives the GIL away."""
        while self.closing:
            if self.closing != getpid():
                self.closing = 0  # left behind by a fork in the midst of it
                continue
            with nogil:
                usleep(100)
            PyErr_CheckSignals()
        if self.busy:
            raise BufferError("the tree is being changed by another call")
        return 0

    cdef int still(self) except -1:
        """Idle, and nobody looks at its memory: it may change."""
        self.idle()
        if self.exports:
            raise BufferError("the tree is being read by a call that needs it unchanged")
        return 0

    cdef int reserve(self, uint64_t size) except -1:
        """Room for `size` leaves: no more at first; when it grows, half as much again, or an eighth of much."""
        cdef int k = 0
        cdef int levels = 1 if self.spec.rule.odd == MC_ODD_HEAP else 64
        while k < levels and size >> k > 0:
            self.grow(k, self.size >> k, size >> k)
            k += 1
        return 0

    def make_room(self, size):
        """Takes room for `size` leaves at once, for those who add them one part after the other."""
        cdef uint64_t n = natural(size, "size")
        self.still()
        self.spec.admit(n)
        self.reserve(n)

    cdef int grow(self, int k, uint64_t kept, uint64_t rows) except -1:
        cdef size_t d = self.spec.d
        if rows * d > self.levels[k].bytes:
            if self.levels[k].at != NULL:
                rows += rows >> (3 if rows * d >= GROWN_LARGE else 1)
            failed(mc_reserve(&self.levels[k], <size_t>kept * d, <size_t>rows * d))
        return 0

    cdef int add(self, Messages source, bint hashed, unsigned crew, uint32_t isas) except -1:
        cdef uint8_t *level[64]
        cdef uint64_t equal = 0
        cdef mc_status status
        cdef int k
        self.spec.admit(self.size + source.c.n)
        if source.c.n == 0:
            return 0
        self.reserve(self.size + source.c.n)
        for k in range(64):
            level[k] = self.levels[k].at
        if source.c.n == 1 and source.total < 2048:
            status = mc_extend(&self.spec.rule, level, self.size, &source.c, hashed, &equal, isas, 1)
        else:
            self.busy = True
            with nogil:
                status = mc_extend(&self.spec.rule, level, self.size, &source.c, hashed, &equal, isas, crew)
            self.busy = False
        failed(status)
        self.size += source.c.n
        self.pairs += equal
        self.closed = False
        return 0

    def extend(self, leaves, hashed=False, threads=None, kernel=None):
        """Appends leaves, all of them, or none when something is wrong with one; returns their indices."""
        cdef bint ready = hashed
        cdef uint32_t isas = allowed(self.spec.rule.hash, kernel)
        cdef Messages source = messages_of(leaves, "leaves", self.spec.width(ready))
        cdef unsigned crew = <unsigned>thread_count(threads, work(source))
        self.still()
        cdef uint64_t first = self.size
        self.add(source, ready, crew, isas)
        self.threads, self.isas = threads, isas
        return range(first, first + source.c.n)

    def append(self, leaf, hashed=False):
        """Appends one leaf and returns its index."""
        cdef bint ready = hashed
        cdef Messages source = one_message(leaf, "leaf", self.spec.width(ready))
        self.still()
        cdef uint64_t index = self.size
        self.add(source, ready, 1, allowed(self.spec.rule.hash, None))
        return index

    def leaf(self, index):
        """The leaf hash at an index."""
        cdef uint64_t i = natural(index, "index")
        self.idle()
        if i >= self.size:
            raise BoundsError(f"index {i} is not below size {self.size}")
        return digest_at(self.levels[0].at + i * self.spec.d, self.spec.d)

    cdef uint64_t size_of(self, object size) except? 0xffffffffffffffff:
        """The size a caller asks about: this tree, or one it has grown out of."""
        if size is None:
            return self.size
        cdef uint64_t n = natural(size, "size")
        if n > self.size:
            raise BoundsError(f"size {n} is above the tree's size {self.size}")
        self.present(n)
        return n

    cdef int present(self, uint64_t size) except -1:
        if size != self.size and self.spec.rule.odd == MC_ODD_HEAP:
            raise InputError(f"size {size}: a heap of {self.size} leaves holds no smaller one, for adding a leaf "
                             "moves the others")
        return 0

    cdef int close(self, uint64_t size, mc_edge *edge) except -1:
        cdef const uint8_t *peak[64]
        cdef int k
        self.present(size)
        for k in range(64):
            peak[k] = self.levels[k].at + ((size >> k) - 1) * self.spec.d if size >> k & 1 else NULL
        failed(mc_close(&self.spec.rule, size, peak, edge, allowed(self.spec.rule.hash, None)))
        return 0

    cdef int close_now(self) except -1:
        if not self.closed and self.size:
            if self.spec.rule.odd == MC_ODD_HEAP:
                self.close_heap()
            else:
                self.close(self.size, &self.edge)
            self.closed = True
        return 0

    cdef int close_heap(self) except -1:
        """Without the GIL, but for others it is as if it were held: `idle` waits, for readers are many."""
        cdef mc_status status
        cdef size_t d = self.spec.d, n = <size_t>self.size
        cdef unsigned crew = <unsigned>thread_count(self.threads, n)
        self.grow(1, 0, n - 1)
        if n <= SMALL_HEAP:
            status = mc_heap(&self.spec.rule, self.levels[0].at, n, self.levels[1].at, self.isas, 1)
        else:
            self.closing = getpid()
            with nogil:
                status = mc_heap(&self.spec.rule, self.levels[0].at, n, self.levels[1].at, self.isas, crew)
            self.closing = 0
        failed(status)
        self.edge.present = self.edge.equal_pairs = 0
        memcpy(self.edge.root, self.levels[1].at + (n - 2) * d if n > 1 else self.levels[0].at, d)
        return 0

    def root(self, size=None):
        cdef mc_edge earlier
        self.idle()
        cdef uint64_t n = self.size_of(size)
        if size is not None:
            self.idle()  # to read a size may have run anything
        if n == 0:
            return self.spec.empty_tree()
        if n == self.size:
            self.close_now()
            return digest_at(self.edge.root, self.spec.d)
        self.close(n, &earlier)
        return digest_at(earlier.root, self.spec.d)

    def equal_pairs(self):
        """Pairs of equal siblings in the tree, a lone node's own copy not counted."""
        self.idle()
        if self.spec.rule.odd != MC_ODD_DUPLICATE:
            return 0
        self.close_now()
        return self.pairs + (self.edge.equal_pairs if self.size else 0)
