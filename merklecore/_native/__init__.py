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
from merklecore._native.proofs import fold, path
from merklecore._native.spec import Spec, leaf_hash
from merklecore._native.trees import Nodes, leaf_hashes, root

__all__ = [
    "DIGEST_SIZES",
    "NAME",
    "Bitcoin",
    "Nodes",
    "Spec",
    "blake2b_256",
    "blake3",
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

NAME = "native"
