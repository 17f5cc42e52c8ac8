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

from __future__ import annotations

from merklecore import errors
from merklecore.errors import (
    BackendError,
    BlockError,
    BoundsError,
    InputError,
    MerkleCoreError,
    ProofError,
)
from merklecore.hashing import (
    algorithms,
    blake2b_256,
    blake3,
    cpu_info,
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
from merklecore.tree import (
    CompactRange,
    ConsistencyProof,
    FlaggedMultiProof,
    InclusionProof,
    InclusionProofs,
    MerkleTree,
    MultiProof,
    PartialMerkleTree,
    Profile,
    RangeProof,
    merkle_root,
    openzeppelin_order,
    profiles,
)

TYPE_CHECKING = False

__all__ = [
    "BackendError",
    "BlockError",
    "BoundsError",
    "CompactRange",
    "ConsistencyProof",
    "FlaggedMultiProof",
    "InclusionProof",
    "InclusionProofs",
    "InputError",
    "MerkleCoreError",
    "MerkleTree",
    "MultiProof",
    "PartialMerkleTree",
    "Profile",
    "ProofError",
    "RangeProof",
    "__version__",
    "algorithms",
    "blake2b_256",
    "blake3",
    "blocks",
    "cpu_info",
    "digest",
    "errors",
    "hash_many",
    "hash_pairs",
    "keccak256",
    "merkle_root",
    "new",
    "openzeppelin_order",
    "profiles",
    "sha3_256",
    "sha256",
    "sha256d",
    "sha512",
    "sm3",
]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from types import ModuleType

    from merklecore import blocks


def __getattr__(name: str) -> ModuleType:
    """Import ``blocks`` when it is first asked for: hashing and trees start faster without it."""
    if name == "blocks":
        from importlib import import_module

        return import_module("merklecore.blocks")
    raise AttributeError(f"module 'merklecore' has no attribute {name!r}")
