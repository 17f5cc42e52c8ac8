"""Merkle trees and their proofs. No I/O: leaves come in, roots and proofs go out."""

from merklecore.tree import geometry
from merklecore.tree.order import openzeppelin_order
from merklecore.tree.profiles import Profile, profiles
from merklecore.tree.proofs import (
    ConsistencyProof,
    FlaggedMultiProof,
    InclusionProof,
    InclusionProofs,
    MultiProof,
    PartialMerkleTree,
    RangeProof,
)
from merklecore.tree.ranges import CompactRange
from merklecore.tree.roots import merkle_root
from merklecore.tree.tree import MerkleTree

__all__ = [
    "CompactRange",
    "ConsistencyProof",
    "FlaggedMultiProof",
    "InclusionProof",
    "InclusionProofs",
    "MerkleTree",
    "MultiProof",
    "PartialMerkleTree",
    "Profile",
    "RangeProof",
    "geometry",
    "merkle_root",
    "openzeppelin_order",
    "profiles",
]
