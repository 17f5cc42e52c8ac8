"""Proofs, a module for each kind. They hold hashes and no I/O; what they prove, the verifier says."""

from merklecore.tree.proofs.consistency import ConsistencyProof
from merklecore.tree.proofs.inclusion import InclusionProof
from merklecore.tree.proofs.many import InclusionProofs
from merklecore.tree.proofs.multi import MultiProof, RangeProof

__all__ = ["ConsistencyProof", "InclusionProof", "InclusionProofs", "MultiProof", "RangeProof"]
