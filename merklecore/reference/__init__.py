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
- ``leaf_hashes(spec, leaves, hashed, threads)``: level 0, uint8, shape (n, d);
- ``Nodes(spec)``: the complete nodes of every level: ``extend``, ``append``, ``leaf``, ``root``,
  ``equal_pairs``, ``nbytes``;
- ``path(nodes, index, size)``: the siblings from a leaf to the root, as a tuple of bytes;
- ``fold(spec, leaf, path, index, size, hashed)``: the root that an inclusion path leads to, or ProofError;
- ``cpu_info()``, ``measure(algorithm)``: what the machine offers, and what it takes.

Those that hash also take ``kernel=None`` or the name of one. ``merklecore._backend`` binds one of the two;
they never import each other. ``recursive`` and ``hashes`` are definitions taken straight from the standards,
for tests to compare with; of ``hashes`` the backend uses what hashlib lacks.
"""

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
from merklecore.reference.proofs import fold, path
from merklecore.reference.trees import Nodes, Spec, leaf_hash, leaf_hashes, root

__all__ = [
    "DIGEST_SIZES",
    "NAME",
    "Nodes",
    "Spec",
    "blake2b_256",
    "blake3",
    "check_environment",
    "cpu_info",
    "digest",
    "fold",
    "hash_files",
    "hash_many",
    "hash_pairs",
    "keccak256",
    "kernels",
    "leaf_hash",
    "leaf_hashes",
    "measure",
    "new",
    "path",
    "root",
    "sha3_256",
    "sha256",
    "sha256d",
    "sha512",
    "sm3",
]

NAME = "reference"
