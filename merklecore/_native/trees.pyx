"""Trees: roots, and kept levels."""

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from merklecore._native.arguments cimport Messages, messages_of, natural, one_message, thread_count
from merklecore._native.core cimport (
    MC_OK, mc_close, mc_edge, mc_extend, mc_peaks, mc_reduce, mc_release, mc_reserve, mc_status,
)
from merklecore._native.dispatch cimport allowed, failed
from merklecore._native.spec cimport Spec, digest_at

from merklecore.errors import BoundsError

cdef size_t GROWN_LARGE = 1 << 20  # bytes


cdef size_t work(Messages source) noexcept:
    return source.c.n + source.total // 64


def root(Spec spec, leaves, hashed=False, threads=None, kernel=None):
    """The root over all leaves, in memory that does not grow with their number."""
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
        status = mc_reduce(&spec.rule, &source.c, ready, &peaks, isas, crew)
        if status == MC_OK:
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
        self.closed = self.busy = False
        self.exports = 0

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
        cdef size_t d = self.spec.d
        cdef uint64_t rows
        cdef int k = 0
        while k < 64 and size >> k > 0:
            rows = size >> k
            if rows * d > self.levels[k].bytes:
                if self.levels[k].at != NULL:
                    rows += rows >> (3 if rows * d >= GROWN_LARGE else 1)
                failed(mc_reserve(&self.levels[k], <size_t>(self.size >> k) * d, <size_t>rows * d))
            k += 1
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
        return n

    cdef int close(self, uint64_t size, mc_edge *edge) except -1:
        cdef const uint8_t *peak[64]
        cdef int k
        for k in range(64):
            peak[k] = self.levels[k].at + ((size >> k) - 1) * self.spec.d if size >> k & 1 else NULL
        failed(mc_close(&self.spec.rule, size, peak, edge, allowed(self.spec.rule.hash, None)))
        return 0

    cdef int close_now(self) except -1:
        if not self.closed and self.size:
            self.close(self.size, &self.edge)
            self.closed = True
        return 0

    def root(self, size=None):
        cdef mc_edge earlier
        self.idle()
        cdef uint64_t n = self.size_of(size)
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
        self.close_now()
        return self.pairs + (self.edge.equal_pairs if self.size else 0)
