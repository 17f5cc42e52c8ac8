"""Proofs, a module for each kind. They hold hashes and no I/O; what they prove, the verifier says."""

from merklecore.tree.proofs.consistency import ConsistencyProof
from merklecore.tree.proofs.flagged import FlaggedMultiProof
from merklecore.tree.proofs.inclusion import InclusionProof
from merklecore.tree.proofs.many import InclusionProofs
from merklecore.tree.proofs.multi import MultiProof, RangeProof
from merklecore.tree.proofs.partial import PartialMerkleTree

__all__ = [
    "ConsistencyProof",
    "FlaggedMultiProof",
    "InclusionProof",
    "InclusionProofs",
    "MultiProof",
    "PartialMerkleTree",
    "RangeProof",
]
