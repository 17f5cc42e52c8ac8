"""The native backend: the C core behind thin Cython modules.

The contract is that of ``merklecore.reference``.
"""

from merklecore._native.dispatch import DIGEST_SIZES, cpu_info, kernels, measure
from merklecore._native.hashing import digest, hash_many, hash_pairs, sha256, sha256d
from merklecore._native.merkle import Nodes, Spec, fold, leaf_hash, root

__all__ = [
    "DIGEST_SIZES",
    "NAME",
    "Nodes",
    "Spec",
    "cpu_info",
    "digest",
    "fold",
    "hash_many",
    "hash_pairs",
    "kernels",
    "leaf_hash",
    "measure",
    "root",
    "sha256",
    "sha256d",
]

NAME = "native"
