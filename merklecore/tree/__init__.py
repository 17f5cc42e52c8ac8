"""Merkle trees and their proofs. No I/O: leaves come in, roots and proofs go out."""

from merklecore.tree import geometry
from merklecore.tree.order import openzeppelin_order
from merklecore.tree.profiles import Profile, profiles
from merklecore.tree.proofs import InclusionProof
from merklecore.tree.tree import MerkleTree, merkle_root

__all__ = [
    "InclusionProof",
    "MerkleTree",
    "Profile",
    "geometry",
    "merkle_root",
    "openzeppelin_order",
    "profiles",
]
