"""Consistency proofs: a tree is the beginning of another one."""

from __future__ import annotations

from merklecore import _backend
from merklecore.errors import ProofError
from merklecore.tree.profiles import resolve
from merklecore.tree.proofs.base import HashProof, checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import SupportsIndex

    from _typeshed import ReadableBuffer

    from merklecore.tree.profiles import Profile

__all__ = ["ConsistencyProof"]


class ConsistencyProof(HashProof):
    """That the first ``old_size`` leaves of a tree are those of an older one (RFC 6962 section 2.1.2).

    The same as in RFC 9162 section 2.1.4. Made by ``MerkleTree.prove_consistency``, ``from_path``,
    ``from_bytes`` and ``from_json``. Frozen, comparable, hashable, picklable. Only profiles that split
    (odd="split") have it: elsewhere the end of a tree is closed by nodes that are not part of the next one.

    path: tuple of bytes, the PROOF(m, D[n]) of the RFC; at most 65.

    >>> from merklecore import MerkleTree
    >>> tree = MerkleTree([b"a", b"b", b"c"])
    >>> old_root = tree.root
    >>> _ = tree.extend([b"d", b"e"])
    >>> proof = tree.prove_consistency(3)
    >>> proof
    ConsistencyProof(4 hashes of 32 bytes)
    >>> proof.verify(old_root, tree.root, old_size=3, new_size=5)
    """

    __slots__ = ()

    _type = 5
    _name = "consistency"
    _a_proof = "a consistency proof"
    _most = 65
    _most_json = 64 << 10

    def verify(
        self,
        old_root: ReadableBuffer,
        new_root: ReadableBuffer,
        *,
        old_size: SupportsIndex,
        new_size: SupportsIndex,
        profile: Profile | str = "rfc6962",
    ) -> None:
        """Return None when the tree of ``new_root`` begins with all of that of ``old_root``; else raise.

        Both roots, d bytes, and both sizes, 0 < old_size <= new_size, come from where the verifier trusts.
        Both roots are computed again from the proof; of equal sizes the proof is empty and the roots equal.

        ProofError for another number of hashes than the sizes demand, hashes that are not d bytes long, or
        another root. BoundsError for sizes that cannot be, InputError for roots of a wrong length and
        profiles that do not split.

        >>> ConsistencyProof.from_path([]).verify(bytes(32), bytes(32), old_size=7, new_size=7)
        >>> ConsistencyProof.from_path([]).verify(bytes(32), bytes(32), old_size=8, new_size=7)
        Traceback (most recent call last):
            ...
        merklecore.errors.BoundsError: old_size 8 is above the new size 7
        """
        spec = resolve(profile).spec
        old, new = checked(old_root, spec, "old_root"), checked(new_root, spec, "new_root")
        found = _backend.fold_consistency(spec, self._hashes, self._d, old_size, new_size, old)
        for name, led, trusted in (("old", found[0], old), ("new", found[1], new)):
            if led != trusted:
                raise ProofError(
                    f"the proof leads to {led.hex()}, not to the given {name} root {trusted.hex()}"
                )
