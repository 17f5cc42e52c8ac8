"""Proofs: made from kept levels, and folded to the root that they lead to."""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, Py_buffer, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from merklecore._native.arguments cimport Messages, View, messages_of, natural, one_message, view_of
from merklecore._native.core cimport (
    MC_BAD_SIBLING, MC_BAD_ZERO, MC_LEAF_AS_IS, MC_ODD_HEAP, MC_ODD_SPLIT, MC_OK, MC_SIBLING_COPY, mc_consistency,
    mc_consistency_count, mc_edge, mc_fold, mc_fold_consistency, mc_kept, mc_leaf_hashes, mc_messages, mc_path,
    mc_path_count, mc_paths, mc_proofs, mc_range_plan, mc_set_fold, mc_set_plan, mc_status, mc_step, mc_verify_many,
)
from merklecore._native.dispatch cimport allowed, failed
from merklecore._native.indices cimport Indices, indices_of
from merklecore._native.spec cimport Spec, digest_at
from merklecore._native.trees cimport Nodes

from merklecore.errors import BoundsError, InputError, ProofError

cdef uint64_t LARGEST_HEAP = <uint64_t>1 << 63


# ---- kept nodes ----------------------------------------------------------------------------------------------------

cdef int _keep(Nodes nodes, uint64_t n, mc_kept *kept, mc_edge *earlier) except -1:
    """All nodes of the tree as it was with n > 0 leaves. Valid until anything else runs."""
    cdef int k
    nodes.idle()
    kept.edge = &nodes.edge
    if n == nodes.size:
        nodes.close_now()
    elif n > nodes.size or nodes.spec.rule.odd == MC_ODD_HEAP:  # a finalizer, or another thread meanwhile
        raise BufferError("the tree was changed by another call")
    else:
        nodes.close(n, earlier)
        kept.edge = earlier
    for k in range(64):
        kept.level[k] = nodes.levels[k].at
    kept.size = n
    return 0


cdef bytes _room(size_t rows, size_t d):
    return PyBytes_FromStringAndSize(NULL, <Py_ssize_t>(rows * d))


cdef inline uint8_t *_data(bytes made) noexcept:
    return <uint8_t *>PyBytes_AS_STRING(made)


def path(Nodes nodes not None, index, size=None):
    """The siblings from a leaf to the root, one behind the other."""
    cdef mc_edge earlier
    cdef mc_kept kept
    cdef uint64_t at = natural(index, "index")
    nodes.idle()
    cdef uint64_t n = nodes.size_of(size)
    if at >= n:
        raise BoundsError(f"index {at} is not below size {n}")
    cdef bytes made = _room(mc_path_count(&nodes.spec.rule, at, n), nodes.spec.d)
    _keep(nodes, n, &kept, &earlier)
    mc_path(&nodes.spec.rule, &kept, at, _data(made))
    return made


def paths(Nodes nodes not None, indices, size=None):
    """The same for several leaves: where the rows of each begin and end, n + 1 int64, and the rows, an array."""
    cdef mc_edge earlier
    cdef mc_kept kept
    cdef Py_buffer buffer
    cdef size_t i
    cdef int64_t total = 0
    nodes.idle()
    cdef uint64_t n = nodes.size_of(size)
    cdef Indices places = indices_of(indices, "indices", -1, n, False)
    cdef bytes offsets = _room(places.n + 1, sizeof(int64_t))
    cdef int64_t *offset = <int64_t *>_data(offsets)
    for i in range(places.n):
        offset[i] = total
        total += <int64_t>mc_path_count(&nodes.spec.rule, places.at[i], n)
    offset[places.n] = total
    import numpy

    made = numpy.empty((total, nodes.spec.d), numpy.uint8)  # on huge pages where it is large, as no bytes object is
    PyObject_GetBuffer(made, &buffer, PyBUF_SIMPLE | PyBUF_WRITABLE)
    try:
        if places.n:
            _keep(nodes, n, &kept, &earlier)
            mc_paths(&nodes.spec.rule, &kept, places.at, places.n, offset, <uint8_t *>buffer.buf)
    finally:
        PyBuffer_Release(&buffer)
    return offsets, numpy.asarray(memoryview(made).toreadonly())  # which nobody can make writable again


cdef int _plan(Spec spec, uint64_t n, Indices places, size_t *hashes, size_t *pairs) except -1:
    """How many hashes these leaves need and, where they are written down, how many pairs they meet."""
    if places.at == NULL:
        hashes[0] = mc_range_plan(&spec.rule, n, places.first, places.first + places.n - 1, NULL, NULL)
        return 0
    cdef uint64_t *again = <uint64_t *>PyMem_Malloc(places.n * sizeof(uint64_t))  # planning overwrites them
    if again == NULL:
        raise MemoryError
    memcpy(again, places.at, places.n * sizeof(uint64_t))
    cdef mc_status status = mc_set_plan(&spec.rule, n, again, places.n, NULL, NULL, hashes, NULL, pairs)
    PyMem_Free(again)
    return failed(status)


def set_hashes(Nodes nodes not None, indices, size=None, leaves=False):
    """The fewest hashes that lead from several leaves, ascending, to the root: by level, then by index.

    With `leaves`, those at the indices come first."""
    cdef mc_edge earlier
    cdef mc_kept kept
    cdef size_t wanted, pairs, i, own = 0, d = nodes.spec.d
    nodes.idle()
    cdef uint64_t n = nodes.size_of(size)
    cdef Indices places = indices_of(indices, "indices", -1, n, True)
    _plan(nodes.spec, n, places, &wanted, &pairs)
    if leaves:
        places.fill()
        own = places.n
    cdef bytes made = _room(own + wanted, d)
    cdef uint8_t *at = _data(made)
    _keep(nodes, n, &kept, &earlier)
    for i in range(own):
        memcpy(at + i * d, kept.level[0] + places.at[i] * d, d)
    at += own * d
    if places.at == NULL:
        mc_range_plan(&nodes.spec.rule, n, places.first, places.first + places.n - 1, &kept, at)
    else:
        failed(mc_set_plan(&nodes.spec.rule, n, places.at, places.n, &kept, at, &wanted, NULL, &pairs))
    return made


def set_flags(Spec spec not None, indices, size):
    """Of each pair of siblings that several leaves lead to, in the order of hashing: 1 where both are known."""
    cdef uint64_t n = _size(spec, size)
    cdef Indices places = indices_of(indices, "indices", -1, n, True)
    cdef size_t wanted, pairs
    places.fill()
    _plan(spec, n, places, &wanted, &pairs)
    cdef bytes flags = _room(pairs, 1)
    failed(mc_set_plan(&spec.rule, n, places.at, places.n, NULL, NULL, &wanted, _data(flags), &pairs))
    return flags


def consistency(Nodes nodes not None, old_size, size=None):
    """PROOF(old_size, D[size]) of RFC 6962 section 2.1.2."""
    cdef mc_edge earlier
    cdef mc_kept kept
    _must_split(nodes.spec)
    nodes.idle()
    cdef uint64_t n = nodes.size_of(size), old = _old_size(old_size, n)
    cdef bytes made = _room(mc_consistency_count(old, n), nodes.spec.d)
    _keep(nodes, n, &kept, &earlier)
    mc_consistency(&nodes.spec.rule, &kept, old, _data(made))
    return made


# ---- folding -------------------------------------------------------------------------------------------------------

cdef uint64_t _size(Spec spec, object size) except? 0xffffffffffffffff:
    cdef uint64_t n = natural(size, "size")
    spec.admit(n)
    if spec.rule.odd == MC_ODD_HEAP and n > LARGEST_HEAP:
        raise BoundsError(f"size {n}: a heap has at most 2**63 leaves")
    return n


cdef int _must_split(Spec spec) except -1:
    if spec.rule.odd != MC_ODD_SPLIT:
        raise InputError("consistency: only a profile that splits (odd='split') has proofs of it")
    return 0


cdef uint64_t _old_size(object old_size, uint64_t size) except? 0xffffffffffffffff:
    cdef uint64_t old = natural(old_size, "old_size")
    if old == 0:
        raise BoundsError("old_size 0: every tree is consistent with an empty one, and nothing proves it")
    if old > size:
        raise BoundsError(f"old_size {old} is above the new size {size}")
    return old


cdef int _count(Spec spec, bytes hashes, size_t width, size_t wanted, str what, str need) except -1:
    """Refuses another number of hashes than `wanted`, or hashes that are no digests."""
    cdef size_t size = <size_t>PyBytes_GET_SIZE(hashes)
    cdef size_t count = size // width if width else 0
    if count != wanted:
        raise ProofError(f"the {what} has {count} hashes, {need} {wanted}")
    if count and width != spec.d:
        raise ProofError(f"hash 0 of the {what} has {width} bytes, digests have {spec.d}")
    return 0


cdef int _refused(mc_status status, size_t fault, mc_step *step) except -1:
    """Why the core took a hash of a path for none that could stand there."""
    if status == MC_BAD_SIBLING:
        raise ProofError(f"hash {fault} of the path differs from the lone node it must repeat"
                         if step.side == MC_SIBLING_COPY else
                         f"hash {fault} of the path equals the node it is paired with (CVE-2012-2459)")
    if status == MC_BAD_ZERO:
        raise ProofError(f"hash {fault} of the path lies beyond the last leaf and is not the zero subtree "
                         f"of level {step.level}")
    return failed(status)


cdef int _fold(Spec spec, object leaf, bytes path, size_t width, object index, object size, bint hashed, uint32_t isas,
               uint8_t *root) except -1:
    cdef uint64_t at = natural(index, "index"), leaves = natural(size, "size")
    cdef size_t fault = 0, bytes_of_path = <size_t>PyBytes_GET_SIZE(path)
    cdef mc_step step
    if at >= leaves:
        raise BoundsError(f"index {at} is not below size {leaves}")
    if spec.limit is not None or spec.rule.odd == MC_ODD_HEAP:
        _size(spec, leaves)
    cdef bint ready = hashed or spec.rule.leaf == MC_LEAF_AS_IS
    cdef Messages held
    cdef mc_messages source
    if PyBytes_CheckExact(leaf) and (not ready or <size_t>PyBytes_GET_SIZE(leaf) == spec.d):
        source.spans = NULL  # as one_message does, without an object of its own
        source.rows = <const uint8_t *>PyBytes_AS_STRING(leaf)
        source.width = <size_t>PyBytes_GET_SIZE(leaf)
        source.n = 1
    else:
        held = one_message(leaf, "leaf", spec.width(hashed))
        source = held.c
    cdef size_t wanted = mc_path_count(&spec.rule, at, leaves)
    if bytes_of_path != wanted * spec.d or (wanted and width != spec.d):
        _count(spec, path, width, wanted, "path", f"leaf {at} of {leaves} needs")
    cdef const uint8_t *given = source.rows
    if not ready:
        failed(mc_leaf_hashes(&spec.rule, &source, 0, 1, root, isas))
        given = root
    cdef mc_status status = mc_fold(&spec.rule, given, _data(path), at, leaves, root, &fault, &step, isas)
    return _refused(status, fault, &step)


def fold(Spec spec, leaf, bytes path not None, size_t width, index, size, bint hashed=False, kernel=None):
    """The root that `leaf` and an inclusion path of hashes of `width` bytes lead to, at the place the caller names."""
    cdef uint8_t root[64]
    _fold(spec, leaf, path, width, index, size, hashed, allowed(spec.rule.hash, kernel), root)
    return digest_at(root, spec.d)


def fold_to(Spec spec, root, leaf, bytes path not None, size_t width, index, size, bint hashed=False, kernel=None):
    """Raises unless `fold` leads to `root`."""
    cdef uint8_t found[64]
    cdef uint32_t isas = allowed(spec.rule.hash, kernel)
    cdef Messages held
    cdef const uint8_t *wanted
    if PyBytes_CheckExact(root) and <size_t>PyBytes_GET_SIZE(root) == spec.d:
        wanted = <const uint8_t *>PyBytes_AS_STRING(root)
    else:
        held = one_message(root, "root", -1)
        wanted = held.c.rows
        if held.c.width != spec.d:
            raise InputError(f"root: {held.c.width} bytes, digests have {spec.d}")
    _fold(spec, leaf, path, width, index, size, hashed, isas, found)
    if memcmp(found, wanted, spec.d) != 0:
        raise ProofError(f"the path leads to {digest_at(found, spec.d).hex()}, "
                         f"not to the given root {digest_at(wanted, spec.d).hex()}")


@cython.final
@cython.internal
cdef class _LeafHashes:
    """Level 0 of given leaves: where they stand, or hashed into memory of its own, which may be overwritten."""
    cdef Messages source
    cdef uint8_t *made
    cdef const uint8_t *at

    def __cinit__(self, Messages source):
        self.source = source
        self.made = NULL

    def __dealloc__(self):
        PyMem_Free(self.made)

    cdef int hash(self, Spec spec, bint hashed, bint own, uint32_t isas) except -1:
        cdef mc_status status = MC_OK
        cdef size_t n = self.source.c.n
        cdef bint ready = hashed or spec.rule.leaf == MC_LEAF_AS_IS
        if ready and not own and self.source.c.spans == NULL:
            self.at = self.source.c.rows
            return 0
        self.made = <uint8_t *>PyMem_Malloc((n if n else 1) * spec.d)
        if self.made == NULL:
            raise MemoryError
        self.at = self.made
        cdef size_t i
        if ready:
            if self.source.c.spans == NULL:
                memcpy(self.made, self.source.c.rows, n * spec.d)
            else:
                for i in range(n):
                    memcpy(self.made + i * spec.d, self.source.c.spans[i].data, spec.d)
        else:
            with nogil:
                status = mc_leaf_hashes(&spec.rule, &self.source.c, 0, n, self.made, isas)
            failed(status)
        return 0


cdef str _reason(Spec spec, Messages source, size_t i, bytes path, width, uint64_t at, uint64_t size, bytes root,
                 bint hashed):
    """Why proof i does not hold."""
    cdef bytes leaf
    if source.c.spans == NULL:
        leaf = digest_at(source.c.rows + i * source.c.width, source.c.width)
    else:
        leaf = digest_at(source.c.spans[i].data, source.c.spans[i].size)
    try:
        found = fold(spec, leaf, path, width, at, size, hashed)
    except ProofError as error:
        return str(error)
    return f"the path leads to {found.hex()}, not to the given root {root.hex()}"


cdef inline bint _covers(uint64_t count, size_t wide, size_t size) noexcept:
    """Whether so many rows are all these bytes; of rows without width there are none."""
    return count == size // wide and size % wide == 0 if wide else count == 0 and size == 0


def fold_many(Spec spec, leaves, bytes offsets not None, hashes, width, indices, size, root,
              hashed=False, kernel=None):
    """The positions of the proofs that do not lead from their leaf to `root`, each as `fold` takes it, and why the
    first of them does not."""
    cdef uint32_t isas = allowed(spec.rule.hash, kernel)
    cdef uint64_t n = _size(spec, size)
    cdef size_t wide = width, proofs = <size_t>PyBytes_GET_SIZE(offsets) // sizeof(int64_t), i
    cdef bint ready = hashed
    cdef Messages source = messages_of(leaves, "leaves", spec.width(ready))
    cdef Messages wanted = one_message(root, "root", <Py_ssize_t>spec.d)
    cdef View rows = view_of(hashes, "hashes")
    cdef const int64_t *offset = <const int64_t *>_data(offsets)
    cdef mc_proofs all
    cdef mc_status status
    if proofs == 0 or offset[0] != 0 or not _covers(<uint64_t>offset[proofs - 1], wide, rows.size):
        raise InputError("offsets: they do not cover the hashes")
    proofs -= 1
    for i in range(proofs):
        if offset[i] > offset[i + 1]:
            raise InputError(f"offsets[{i + 1}]: below the one before it")
    if source.c.n != proofs:
        raise InputError(f"leaves: {source.c.n} where there are {proofs} proofs")
    cdef Indices places = indices_of(indices, "indices", <Py_ssize_t>proofs, n, False)
    if proofs == 0:
        raise InputError("indices: none, and a proof of no leaves would prove nothing")
    cdef bytes fails = _room(proofs, 1), none
    cdef _LeafHashes level = _LeafHashes(source)
    level.hash(spec, ready, False, isas)
    if wide != spec.d and wide:  # hashes that are no digests: only proofs without any can hold
        none = _room(proofs + 1, sizeof(int64_t))
        memset(_data(none), 0, (proofs + 1) * sizeof(int64_t))
        all.offset = <const int64_t *>_data(none)
    else:
        all.offset = offset
    all.size = n
    all.n = proofs
    all.index = places.at
    all.leaf = level.at
    all.hashes = rows.data
    all.root = wanted.c.rows
    cdef uint8_t *fail = _data(fails)
    with nogil:
        status = mc_verify_many(&spec.rule, &all, fail, isas)
    failed(status)
    if wide != spec.d:
        for i in range(proofs):
            fail[i] |= offset[i] != offset[i + 1]
    if 1 not in fails:
        return (), ""
    cdef tuple found = tuple([i for i in range(proofs) if fail[i]])
    i = found[0]
    own = digest_at(rows.data + offset[i] * wide, <size_t>(offset[i + 1] - offset[i]) * wide)
    return found, _reason(spec, source, i, own, width, places.at[i], n, digest_at(wanted.c.rows, spec.d), ready)


def _contiguous(start, count, size):
    if count == 0:
        raise InputError("leaves: none, and a proof of no leaves would prove nothing")
    natural(start, "start")
    if start + count > size:
        raise BoundsError(f"start {start}: {count} leaves from there go beyond size {size}")
    return range(start, start + count)


def fold_set(Spec spec, leaves, bytes hashes not None, width, indices, size, hashed=False, kernel=None):
    """The root that several leaves and the hashes of `set_hashes` lead to; `indices` may be the first of them."""
    cdef uint32_t isas = allowed(spec.rule.hash, kernel)
    cdef uint64_t n = _size(spec, size)
    cdef bint ready = hashed
    cdef size_t wanted, pairs
    cdef mc_step step
    cdef mc_status status
    cdef Messages source = messages_of(leaves, "leaves", spec.width(ready))
    if isinstance(indices, int):
        indices = _contiguous(indices, source.c.n, n)
    cdef Indices places = indices_of(indices, "indices", <Py_ssize_t>source.c.n, n, True)
    _plan(spec, n, places, &wanted, &pairs)
    _count(spec, hashes, width, wanted, "proof", f"these {places.n} leaves of {n} need")
    cdef _LeafHashes level = _LeafHashes(source)
    level.hash(spec, ready, True, isas)
    places.fill()
    cdef const uint8_t *given = _data(hashes)
    with nogil:
        status = mc_set_fold(&spec.rule, n, places.at, level.made, places.n, given, &step, isas)
    if status == MC_BAD_SIBLING:
        raise ProofError(f"nodes {step.place - 1} and {step.place} of level {step.level} are siblings and equal "
                         "(CVE-2012-2459)")
    failed(status)
    return digest_at(level.made, spec.d)


def fold_consistency(Spec spec, bytes hashes not None, width, old_size, size, old_root):
    """The roots of the old and the new tree that a consistency proof leads to."""
    cdef uint8_t old_found[64]
    cdef uint8_t new_found[64]
    _must_split(spec)
    cdef uint64_t n = _size(spec, size), old = _old_size(old_size, n)
    cdef Messages known = one_message(old_root, "old_root", <Py_ssize_t>spec.d)
    _count(spec, hashes, width, mc_consistency_count(old, n), "proof", f"{old} leaves and {n} need")
    failed(mc_fold_consistency(&spec.rule, _data(hashes), old, n, known.c.rows, old_found, new_found,
                               allowed(spec.rule.hash, None)))
    return digest_at(old_found, spec.d), digest_at(new_found, spec.d)
