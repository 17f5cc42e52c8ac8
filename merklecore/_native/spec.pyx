"""How a tree hashes: a profile in the core's terms."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from merklecore._native.arguments cimport Messages, natural, one_message
from merklecore._native.core cimport (
    MC_LEAF_AS_IS, MC_LEAF_HASH, MC_LEAF_HASH_DIGEST, MC_LEAF_HASH_TWICE, MC_MAX_DEPTH, MC_ODD_DUPLICATE, MC_ODD_HEAP,
    MC_ODD_PAD, MC_ODD_REHASH, MC_ODD_SPLIT, mc_hash_one, mc_hash_siblings, mc_hashes, mc_leaf_hashes,
)
from merklecore._native.dispatch cimport allowed, failed, hash_id

from merklecore.errors import BoundsError, InputError

cdef dict LEAVES = {
    "hash": MC_LEAF_HASH, "hash_twice": MC_LEAF_HASH_TWICE, "hash_digest": MC_LEAF_HASH_DIGEST, "as_is": MC_LEAF_AS_IS,
}
cdef dict ODDS = {
    "split": MC_ODD_SPLIT, "duplicate": MC_ODD_DUPLICATE, "pad": MC_ODD_PAD, "rehash": MC_ODD_REHASH,
    "heap": MC_ODD_HEAP,
}


@cython.final
cdef class Spec:
    def __cinit__(self, algorithm, leaf, leaf_prefix, node_prefix, odd, sort_pairs, limit, empty):
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
        self.rule.sort_pairs = sort_pairs
        self.rule.depth = -1 if limit is None else (limit - 1).bit_length()
        self.rule.leaf_prefix = <const uint8_t *>PyBytes_AS_STRING(self.leaf_prefix)
        self.rule.leaf_prefix_bytes = len(self.leaf_prefix)
        self.rule.node_prefix = <const uint8_t *>PyBytes_AS_STRING(self.node_prefix)
        self.rule.node_prefix_bytes = len(self.node_prefix)
        self.rule.zeros = self.zeros
        cdef uint8_t pair[2 * 64]
        cdef uint32_t isas
        memset(self.zeros, 0, self.d)
        if self.rule.odd == MC_ODD_PAD:
            isas = allowed(hash, None)
            for k in range(<size_t>MC_MAX_DEPTH):
                memcpy(pair, &self.zeros[k * self.d], self.d)
                memcpy(pair + self.d, &self.zeros[k * self.d], self.d)
                failed(mc_hash_siblings(&self.rule, pair, 1, &self.zeros[(k + 1) * self.d], isas))

    cdef bytes _zero(self, size_t level):
        return self.zeros[level * self.d:(level + 1) * self.d]

    cdef Py_ssize_t width(self, bint hashed) noexcept:
        """Bytes of a leaf where they are known: it is a digest already."""
        return <Py_ssize_t>self.d if hashed or self.rule.leaf == MC_LEAF_AS_IS else -1

    cdef int admit(self, object size) except -1:
        if self.limit is not None and size > self.limit:
            raise InputError(f"leaves: {size} where the limit is {self.limit}")
        return 0

    cdef bytes empty_tree(self):
        cdef bytes root
        if isinstance(self.empty, str):  # "hash"
            root = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>self.d)
            failed(mc_hash_one(self.rule.hash, NULL, 0, <uint8_t *>PyBytes_AS_STRING(root),
                               allowed(self.rule.hash, None)))
            return root
        if self.empty is not None:
            return self.empty
        if self.rule.odd == MC_ODD_PAD:
            return self._zero(max(self.rule.depth, 0))
        raise InputError("an empty tree has no root under this profile")

    @property
    def digest_size(self):
        return self.d

    def zero(self, level):
        """The root of 2^level zero leaves, where odd levels are padded."""
        cdef uint64_t k = natural(level, "level")
        if self.rule.odd != MC_ODD_PAD or k > MC_MAX_DEPTH:
            raise BoundsError(f"level {level}: zero subtrees exist for levels 0 to {MC_MAX_DEPTH} of a padded tree")
        return self._zero(k)


def leaf_hash(Spec spec, leaf, kernel=None):
    """What stands at level 0 for a leaf."""
    cdef Messages source = one_message(leaf, "leaf", spec.width(False))
    cdef uint8_t node[64]
    failed(mc_leaf_hashes(&spec.rule, &source.c, 0, 1, node, allowed(spec.rule.hash, kernel)))
    return digest_at(node, spec.d)
