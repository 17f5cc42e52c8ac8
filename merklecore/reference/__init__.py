"""The reference backend: the primitives in plain Python, over hashlib where it has the algorithm.

It is the readable specification of what the native backend computes, the baseline of the benchmarks, and the
backend where no extension is built. Both keep one contract (n messages, d bytes a digest):

- ``NAME``; ``DIGEST_SIZES``: algorithm to digest size in bytes; ``kernels(algorithm)``, best first;
- ``digest(data, algorithm)``, and a function of each algorithm's name, ``sha256(data)``: one digest as bytes;
- ``new(algorithm, data)``: an incremental hash, hashlib's own where it has the algorithm, else one with its
  interface: ``name``, ``digest_size``, ``block_size``, ``update``, ``digest``, ``hexdigest``, ``copy``;
- ``hash_many(messages, algorithm, prefix, threads, out)``: uint8, shape (n, d);
- ``hash_pairs(nodes, algorithm, prefix, threads, out)``: uint8, shape (n // 2, d);
- ``hash_files(paths, algorithm, threads, done)``: of each file its digest as bytes, or the OSError it met;
  ``done``: a writable buffer of 8 bytes, to whose integer the bytes read are added as they come;
- ``Spec(algorithm, leaf, leaf_prefix, node_prefix, odd, sort_pairs, limit, empty)``: the hashing rules of a
  profile;
- ``root(spec, leaves, hashed, threads)``, ``leaf_hash(spec, leaf)``;
- ``leaf_hashes(spec, leaves, hashed, threads, what)``: level 0, uint8, shape (n, d); messages call the leaves
  ``what``;
- ``Nodes(spec)``: the complete nodes of every level: ``make_room``, ``extend``, ``append``, ``leaf``,
  ``root``, ``equal_pairs``, ``nbytes``;
- ``update(nodes, indices, leaves, hashed, threads)``: leaves replaced, all or none;
  ``truncate(nodes, size)``;
  ``level_rows(nodes, level, start, stop)``: complete nodes as a memoryview, ``same_leaves(one, other)``;
- ``Range(spec, start)``: the fewest nodes over leaves [start, start + size): ``append``, ``extend`` (with
  ``on_nodes``), ``extend_batches``, ``merge``, ``nodes``, ``state``, ``restore``, ``root``;
- ``path(nodes, index, size)``: the siblings from a leaf to the root, as bytes; ``paths(nodes, indices,
  size)``: of several leaves, as the n + 1 int64 where the rows of each begin and end, and the rows, uint8,
  shape (total, d);
- ``set_hashes(nodes, indices, size, leaves)``: the fewest hashes that lead from leaves at ascending indices
  to the root, by level and then by index, as bytes; with ``leaves``, the leaf hashes at the indices before
  them; ``set_flags(spec, indices, size)``: of each pair of siblings on the way, in the order of hashing, a
  byte: 1 where both are known;
- ``consistency(nodes, old_size, size)``: PROOF(old_size, D[size]) of RFC 6962, as bytes;
- ``fold(spec, leaf, path, width, index, size, hashed)``: the root that an inclusion path of hashes of
  ``width`` bytes (0: of none) leads to, or ProofError;
- ``fold_to(spec, root, leaf, path, width, index, size, hashed)``: nothing where ``fold`` leads to ``root``,
  else ProofError; InputError for a root that is no digest;
- ``fold_many(spec, leaves, offsets, hashes, width, indices, size, root, hashed)``: the positions of those
  paths that do not lead to the root, each judged as ``fold`` does, and what is wrong with the first;
- ``fold_set(spec, leaves, hashes, width, indices, size, hashed)``: the root that leaves and the hashes of
  ``set_hashes`` lead to, or ProofError; ``indices`` may be the first of contiguous ones;
- ``fold_consistency(spec, hashes, width, old_size, size, old_root)``: both roots, or ProofError;
- ``Bitcoin(...)``: the checks of Bitcoin's blocks and headers; its contract stands in ``chains.bitcoin``;
- ``cpu_info()``, ``measure(algorithm)``: what the machine offers, and what it takes.

Those that hash also take ``kernel=None`` or the name of one. ``merklecore._backend`` binds one of the two;
they never import each other. ``recursive`` and ``hashes`` are definitions taken straight from the standards,
for tests to compare with; of ``hashes`` the backend uses what hashlib lacks.
"""

from merklecore.reference.chains.bitcoin import Bitcoin
from merklecore.reference.files import hash_files
from merklecore.reference.hashing import (
    DIGEST_SIZES,
    blake2b_256,
    blake3,
    digest,
    hash_many,
    hash_pairs,
    keccak256,
    new,
    sha3_256,
    sha256,
    sha256d,
    sha512,
    sm3,
)
from merklecore.reference.machine import check_environment, cpu_info, kernels, measure
from merklecore.reference.proofs import (
    consistency,
    fold,
    fold_consistency,
    fold_many,
    fold_to,
    path,
    paths,
)
from merklecore.reference.ranges import Range
from merklecore.reference.sets import fold_set, set_flags, set_hashes
from merklecore.reference.trees import Nodes, Spec, leaf_hash, leaf_hashes, root
from merklecore.reference.updates import level_rows, same_leaves, truncate, update

__all__ = [
    "DIGEST_SIZES",
    "NAME",
    "Bitcoin",
    "Nodes",
    "Range",
    "Spec",
    "blake2b_256",
    "blake3",
    "check_environment",
    "consistency",
    "cpu_info",
    "digest",
    "fold",
    "fold_consistency",
    "fold_many",
    "fold_set",
    "fold_to",
    "hash_files",
    "hash_many",
    "hash_pairs",
    "keccak256",
    "kernels",
    "leaf_hash",
    "leaf_hashes",
    "level_rows",
    "measure",
    "new",
    "path",
    "paths",
    "root",
    "same_leaves",
    "set_flags",
    "set_hashes",
    "sha3_256",
    "sha256",
    "sha256d",
    "sha512",
    "sm3",
    "truncate",
    "update",
]

NAME = "reference"
