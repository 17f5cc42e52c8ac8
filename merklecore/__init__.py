"""Hashes very many messages at once, builds Merkle trees, and makes and checks inclusion proofs.

>>> import merklecore as mc
>>> tree = mc.MerkleTree([b"alpha", b"beta", b"gamma"])
>>> proof = tree.prove(1)
>>> proof.verify(tree.root, b"beta", index=1, size=3)
>>> proof.verify(tree.root, b"delta", index=1, size=3)  # doctest: +ELLIPSIS
Traceback (most recent call last):
    ...
merklecore.errors.ProofError: the path leads to ...

Shapes throughout: n messages or leaves, w their width in bytes, d the digest size in bytes. Indices and sizes
are integers from 0; bool and float are a TypeError. What is raised stands in ``merklecore.errors``.
"""

from merklecore import errors
from merklecore.errors import (
    BackendError,
    BlockError,
    BoundsError,
    InputError,
    MerkleCoreError,
    ProofError,
)
from merklecore.hashing import algorithms, cpu_info, digest, hash_many, hash_pairs, sha256, sha256d
from merklecore.tree import InclusionProof, MerkleTree, Profile, merkle_root, profiles

__all__ = [
    "BackendError",
    "BlockError",
    "BoundsError",
    "InclusionProof",
    "InputError",
    "MerkleCoreError",
    "MerkleTree",
    "Profile",
    "ProofError",
    "__version__",
    "algorithms",
    "cpu_info",
    "digest",
    "errors",
    "hash_many",
    "hash_pairs",
    "merkle_root",
    "profiles",
    "sha256",
    "sha256d",
]

__version__ = "0.1.0"
