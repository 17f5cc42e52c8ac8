"""Trees: roots, kept levels, inclusion paths."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from merklecore._native.arguments cimport Messages, messages_of, natural, one_message, thread_count
from merklecore._native.core cimport (
    MC_BAD_INDEX, MC_BAD_SIBLING, MC_BAD_ZERO, MC_LEAF_AS_IS, MC_LEAF_HASH, MC_LEAF_HASH_DIGEST, MC_LEAF_HASH_TWICE,
    MC_MAX_DEPTH, MC_ODD_DUPLICATE, MC_ODD_PAD, MC_ODD_SPLIT, MC_OK, MC_SIBLING_COPY, MC_SIBLING_ZERO, mc_block,
    mc_close, mc_edge, mc_extend, mc_fold, mc_hash_nodes_parallel, mc_hash_one, mc_hashes, mc_leaf_hashes, mc_messages,
    mc_peaks, mc_plan, mc_reduce, mc_release, mc_reserve, mc_rule, mc_status, mc_step,
)
from merklecore._native.dispatch cimport allowed, failed, hash_id

from merklecore.errors import BoundsError, InputError, ProofError

cdef dict LEAVES = {
    "hash": MC_LEAF_HASH, "hash_twice": MC_LEAF_HASH_TWICE, "hash_digest": MC_LEAF_HASH_DIGEST, "as_is": MC_LEAF_AS_IS,
}
cdef dict ODDS = {"split": MC_ODD_SPLIT, "duplicate": MC_ODD_DUPLICATE, "pad": MC_ODD_PAD}


cdef extern from *:
    void prefetch "__builtin_prefetch"(const void *)

cdef size_t GROWN_LARGE = 1 << 20  # bytes


@cython.final
cdef class Spec:
    """How a tree hashes: a profile in the core's terms. Profile has checked the values."""
    cdef mc_rule rule
    cdef uint8_t zeros[(64 + 1) * 64]
    cdef bytes leaf_prefix, node_prefix, empty_root
    cdef object limit, empty
    cdef size_t d

    def __cinit__(self, algorithm, leaf, leaf_prefix, node_prefix, odd, limit, empty):
        cdef int hash = hash_id(algorithm)
        cdef size_t k
        self.d = mc_hashes[hash].digest_bytes
        self.leaf_prefix = bytes(leaf_prefix)
        self.node_prefix = bytes(node_prefix)
        self.limit = limit
        self.empty = empty
        self.rule.hash = hash
        self.rule.leaf = LEAVES[leaf]
        self.rule.odd = ODDS[odd]
        self.rule.depth = -1 if limit is None else (limit - 1).bit_length()
        self.rule.leaf_prefix = <const uint8_t *>PyBytes_AS_STRING(self.leaf_prefix)
        self.rule.leaf_prefix_bytes = len(self.leaf_prefix)
        self.rule.node_prefix = <const uint8_t *>PyBytes_AS_STRING(self.node_prefix)
        self.rule.node_prefix_bytes = len(self.node_prefix)
        self.rule.zeros = self.zeros
        cdef uint8_t pair[2 * 64]
        cdef uint32_t isas = allowed(hash, None)
        memset(self.zeros, 0, self.d)
        if self.rule.odd == MC_ODD_PAD:
            for k in range(<size_t>MC_MAX_DEPTH):
                memcpy(pair, &self.zeros[k * self.d], self.d)
                memcpy(pair + self.d, &self.zeros[k * self.d], self.d)
                failed(mc_hash_nodes_parallel(hash, self.rule.node_prefix, self.rule.node_prefix_bytes, pair, 1,
                                              &self.zeros[(k + 1) * self.d], isas, 1))
        self.empty_root = self._root_of_nothing(isas)

    cdef bytes _root_of_nothing(self, uint32_t isas):
        cdef bytes root
        if isinstance(self.empty, str):  # "hash"
            root = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>self.d)
            failed(mc_hash_one(self.rule.hash, NULL, 0, <uint8_t *>PyBytes_AS_STRING(root), isas))
            return root
        if self.empty is not None:
            return self.empty
        return self._zero(max(self.rule.depth, 0)) if self.rule.odd == MC_ODD_PAD else None

    cdef bytes _zero(self, size_t level):
        return self.zeros[level * self.d:(level + 1) * self.d]

    cdef inline Py_ssize_t width(self, bint hashed) noexcept:
        """Bytes of a leaf where they are known: it is a digest already."""
        return <Py_ssize_t>self.d if hashed or self.rule.leaf == MC_LEAF_AS_IS else -1

    cdef int admit(self, object size) except -1:
        if self.limit is not None and size > self.limit:
            raise InputError(f"leaves: {size} where the limit is {self.limit}")
        return 0

    cdef bytes empty_tree(self):
        if self.empty_root is None:
            raise InputError("an empty tree has no root under this profile")
        return self.empty_root

    @property
    def digest_size(self):
        return self.d

    def zero(self, level):
        """The root of 2^level zero leaves, where odd levels are padded."""
        cdef uint64_t k = natural(level, "level")
        if self.rule.odd != MC_ODD_PAD or k > MC_MAX_DEPTH:
            raise BoundsError(f"level {level}: zero subtrees exist for levels 0 to {MC_MAX_DEPTH} of a padded tree")
        return self._zero(k)


cdef inline bytes _digest_at(const uint8_t *at, size_t d):
    return PyBytes_FromStringAndSize(<const char *>at, <Py_ssize_t>d)


cdef inline size_t _work(const mc_messages *c, size_t total) noexcept:
    return c.n + total // 64


def root(Spec spec, leaves, hashed=False, threads=None, kernel=None):
    """The root over all leaves, in memory that does not grow with their number."""
    cdef uint32_t isas = allowed(spec.rule.hash, kernel)
    cdef bint ready = hashed
    cdef Messages source = messages_of(leaves, "leaves", spec.width(ready))
    cdef unsigned crew = <unsigned>thread_count(threads, _work(&source.c, source.total))
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
    return _digest_at(edge.root, spec.d)


def leaf_hash(Spec spec, leaf, kernel=None):
    """What stands at level 0 for a leaf."""
    cdef Messages source = one_message(leaf, "leaf", spec.width(False))
    cdef uint8_t node[64]
    failed(mc_leaf_hashes(&spec.rule, &source.c, 0, 1, node, allowed(spec.rule.hash, kernel)))
    return _digest_at(node, spec.d)


def fold(Spec spec, leaf, tuple path not None, index, size, hashed=False, kernel=None):
    """The root that `leaf` and an inclusion path lead to, at the place the caller names."""
    cdef uint32_t isas = allowed(spec.rule.hash, kernel)
    cdef uint64_t at = natural(index, "index"), leaves = natural(size, "size")
    cdef mc_step steps[64]
    cdef const uint8_t *siblings[64]
    cdef uint8_t node[64]
    cdef size_t count = 0, i, fault = 0
    cdef object sibling
    cdef mc_status status
    if at >= leaves:
        raise BoundsError(f"index {at} is not below size {leaves}")
    spec.admit(leaves)
    cdef bint ready = hashed
    cdef Messages source = one_message(leaf, "leaf", spec.width(ready))
    mc_plan(&spec.rule, at, leaves, steps, &count)
    if <size_t>PyTuple_GET_SIZE(path) != count:
        raise ProofError(f"the path has {len(path)} hashes, leaf {at} of {leaves} needs {count}")
    for i in range(count):
        sibling = <object>PyTuple_GET_ITEM(path, i)
        if not PyBytes_CheckExact(sibling):
            raise TypeError(f"path[{i}]: bytes are needed, not {type(sibling).__name__}")
        if <size_t>PyBytes_GET_SIZE(sibling) != spec.d:
            raise ProofError(f"hash {i} of the path has {len(sibling)} bytes, digests have {spec.d}")
        siblings[i] = <const uint8_t *>PyBytes_AS_STRING(sibling)
    if ready or spec.rule.leaf == MC_LEAF_AS_IS:
        memcpy(node, source.c.rows, spec.d)
    else:
        failed(mc_leaf_hashes(&spec.rule, &source.c, 0, 1, node, isas))
    status = mc_fold(&spec.rule, node, siblings, steps, count, node, &fault, isas)
    if status == MC_BAD_SIBLING:
        raise ProofError(f"hash {fault} of the path differs from the lone node it must repeat"
                         if steps[fault].side == MC_SIBLING_COPY else
                         f"hash {fault} of the path equals the node it is paired with (CVE-2012-2459)")
    if status == MC_BAD_ZERO:
        raise ProofError(f"hash {fault} of the path lies beyond the last leaf and is not the zero subtree "
                         f"of level {steps[fault].level}")
    failed(status)
    return _digest_at(node, spec.d)


@cython.final
cdef class Nodes:
    """The complete nodes of every level in flat arrays, and the edge that closes them, recomputed when asked for."""
    cdef Spec spec
    cdef mc_block levels[64]
    cdef uint64_t size, pairs
    cdef mc_edge edge
    cdef bint closed, busy

    def __cinit__(self, Spec spec not None):
        self.spec = spec
        memset(self.levels, 0, sizeof(self.levels))
        self.size = self.pairs = 0
        self.closed = self.busy = False

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
            raise BufferError("the tree is being extended by another call")
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
        cdef unsigned crew = <unsigned>thread_count(threads, _work(&source.c, source.total))
        self.idle()
        cdef uint64_t first = self.size
        self.add(source, ready, crew, isas)
        return range(first, first + source.c.n)

    def append(self, leaf, hashed=False):
        """Appends one leaf and returns its index."""
        cdef bint ready = hashed
        cdef Messages source = one_message(leaf, "leaf", self.spec.width(ready))
        self.idle()
        cdef uint64_t index = self.size
        self.add(source, ready, 1, allowed(self.spec.rule.hash, None))
        return index

    def leaf(self, index):
        """The leaf hash at an index."""
        cdef uint64_t i = natural(index, "index")
        self.idle()
        if i >= self.size:
            raise BoundsError(f"index {i} is not below size {self.size}")
        return _digest_at(self.levels[0].at + i * self.spec.d, self.spec.d)

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
            return _digest_at(self.edge.root, self.spec.d)
        self.close(n, &earlier)
        return _digest_at(earlier.root, self.spec.d)

    def path(self, index, size=None):
        """The siblings from a leaf to the root, as a tuple of bytes."""
        cdef mc_edge earlier
        cdef mc_edge *edge = &self.edge
        cdef mc_step steps[64]
        cdef size_t count = 0, i, d = self.spec.d
        cdef uint64_t at = natural(index, "index"), place
        cdef const uint8_t *nodes[64]
        cdef bytes node
        cdef tuple path
        cdef unsigned k
        self.idle()
        cdef uint64_t n = self.size_of(size)
        if at >= n:
            raise BoundsError(f"index {at} is not below size {n}")
        if mc_plan(&self.spec.rule, at, n, steps, &count) == MC_BAD_INDEX:
            raise BoundsError(f"index {at} is not below size {n}")
        path = PyTuple_New(<Py_ssize_t>count)
        # From here on nothing runs that could change the tree: to make the tuple may run a finalizer.
        self.idle()
        if n == self.size:
            self.close_now()
        else:
            self.close(n, &earlier)
            edge = &earlier
        for i in range(count):
            k = steps[i].level
            if steps[i].side == MC_SIBLING_ZERO:
                nodes[i] = self.spec.rule.zeros + k * d
            else:
                place = at >> k
                if steps[i].side != MC_SIBLING_COPY:
                    place ^= 1
                nodes[i] = self.levels[k].at + place * d if place < n >> k else edge.node[k]
            prefetch(nodes[i])  # each level lies elsewhere: the misses overlap
        for i in range(count):
            node = _digest_at(nodes[i], d)
            Py_INCREF(node)
            PyTuple_SET_ITEM(path, <Py_ssize_t>i, node)
        return path

    def equal_pairs(self):
        """Pairs of equal siblings in the tree, a lone node's own copy not counted."""
        self.idle()
        self.close_now()
        return self.pairs + (self.edge.equal_pairs if self.size else 0)
