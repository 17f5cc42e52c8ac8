"""The native backend: the C core behind thin Cython modules.

The contract is that of ``merklecore.reference``.
"""

from merklecore._native.blocks import Bitcoin
from merklecore._native.dispatch import DIGEST_SIZES, cpu_info, kernels, measure
from merklecore._native.files import hash_files
from merklecore._native.hashing import (
    blake2b_256,
    blake3,
    digest,
    hash_many,
    hash_pairs,
    keccak256,
    sha3_256,
    sha256,
    sha256d,
    sha512,
    sm3,
)
from merklecore._native.incremental import new
from merklecore._native.proofs import (
    consistency,
    fold,
    fold_consistency,
    fold_many,
    fold_set,
    fold_to,
    path,
    paths,
    set_flags,
    set_hashes,
)
from merklecore._native.ranges import Range
from merklecore._native.spec import Spec, leaf_hash
from merklecore._native.trees import Nodes, leaf_hashes, root
from merklecore._native.updates import level_rows, same_leaves, truncate, update

__all__ = [
    "DIGEST_SIZES",
    "NAME",
    "Bitcoin",
    "Nodes",
    "Range",
    "Spec",
    "blake2b_256",
    "blake3",
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

NAME = "native"
