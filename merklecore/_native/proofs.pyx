"""Proofs: made from kept levels, and folded to the root that they lead to."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from merklecore._native.arguments cimport Messages, natural, one_message
from merklecore._native.core cimport (
    MC_BAD_INDEX, MC_BAD_SIBLING, MC_BAD_ZERO, MC_LEAF_AS_IS, MC_SIBLING_COPY, MC_SIBLING_ZERO, mc_edge, mc_fold,
    mc_leaf_hashes, mc_plan, mc_status, mc_step,
)
from merklecore._native.dispatch cimport allowed, failed
from merklecore._native.spec cimport Spec, digest_at
from merklecore._native.trees cimport Nodes

from merklecore.errors import BoundsError, ProofError

cdef extern from *:
    void prefetch "__builtin_prefetch"(const void *)


def path(Nodes nodes not None, index, size=None):
    """The siblings from a leaf to the root, as a tuple of bytes."""
    cdef mc_edge earlier
    cdef mc_edge *edge = &nodes.edge
    cdef mc_step steps[64]
    cdef size_t count = 0, i, d = nodes.spec.d
    cdef uint64_t at = natural(index, "index"), place
    cdef const uint8_t *found[64]
    cdef bytes node
    cdef tuple path
    cdef unsigned k
    nodes.idle()
    cdef uint64_t n = nodes.size_of(size)
    if at >= n:
        raise BoundsError(f"index {at} is not below size {n}")
    if mc_plan(&nodes.spec.rule, at, n, steps, &count) == MC_BAD_INDEX:
        raise BoundsError(f"index {at} is not below size {n}")
    path = PyTuple_New(<Py_ssize_t>count)
    # From here on nothing runs that could change the tree: to make the tuple may run a finalizer.
    nodes.idle()
    if n == nodes.size:
        nodes.close_now()
    else:
        nodes.close(n, &earlier)
        edge = &earlier
    for i in range(count):
        k = steps[i].level
        if steps[i].side == MC_SIBLING_ZERO:
            found[i] = nodes.spec.rule.zeros + k * d
        else:
            place = at >> k
            if steps[i].side != MC_SIBLING_COPY:
                place ^= 1
            found[i] = nodes.levels[k].at + place * d if place < n >> k else edge.node[k]
        prefetch(found[i])  # each level lies elsewhere: the misses overlap
    for i in range(count):
        node = digest_at(found[i], d)
        Py_INCREF(node)
        PyTuple_SET_ITEM(path, <Py_ssize_t>i, node)
    return path


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
    return digest_at(node, spec.d)
