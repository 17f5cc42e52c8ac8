"""Proofs of several leaves at once, with the fewest hashes: any leaves, or contiguous ones."""

from __future__ import annotations

from merklecore import _backend
from merklecore.tree.arguments import natural
from merklecore.tree.profiles import resolve
from merklecore.tree.proofs.base import HashProof, checked, holds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, SupportsIndex

    from _typeshed import ReadableBuffer

    from merklecore.hashing import Messages
    from merklecore.tree.profiles import Profile

__all__ = ["MultiProof", "RangeProof"]


class MultiProof(HashProof):
    """The fewest hashes that lead from several leaves to the root of their tree.

    Made by ``MerkleTree.prove_multi``, ``from_path``, ``from_bytes`` and ``from_json``. Frozen, comparable,
    hashable, picklable. A node that can be computed from the leaves is not in it, nor are the copies, zero
    subtrees and lone nodes that the profile puts at the end of an odd level; which nodes are follows from the
    leaves' indices and the size, which the verifier says.

    path: tuple of bytes, level by level from the leaves, in each by index: there is no other order. Under a
    profile of OpenZeppelin it is the order of its multiproof.

    >>> from merklecore import MerkleTree
    >>> tree = MerkleTree([b"a", b"b", b"c", b"d", b"e"])
    >>> proof = tree.prove_multi([0, 1, 3])
    >>> proof
    MultiProof(2 hashes of 32 bytes)
    >>> proof.path == (tree.leaf_hash(2), tree.leaf_hash(4))
    True
    >>> proof.verify(tree.root, [b"a", b"b", b"d"], indices=[0, 1, 3], size=5)
    """

    __slots__ = ()

    _type = 3
    _name = "multi"
    _a_proof = "a multiproof"

    def compute_root(
        self,
        leaves: Messages,
        *,
        indices: Any,
        size: SupportsIndex,
        profile: Profile | str = "rfc6962",
        hashed: bool = False,
    ) -> bytes:
        """Return the root that leaves and hashes lead to, d bytes; nothing is proven until it is compared.

        Arguments and errors are those of ``verify``.

        >>> proof = MultiProof.from_path([])
        >>> proof.compute_root([b""], indices=[0], size=1).hex()[:16]
        '6e340b9cffb37a98'
        """
        spec = resolve(profile).spec
        return _backend.fold_set(spec, leaves, self._hashes, self._d, _several(indices), size, hashed)

    def verify(
        self,
        root: ReadableBuffer,
        leaves: Messages,
        *,
        indices: Any,
        size: SupportsIndex,
        profile: Profile | str = "rfc6962",
        hashed: bool = False,
    ) -> None:
        """Return None when each leaf is at its index of the ``size`` leaves under ``root``; else raise.

        leaves: n >= 1 of them, as ``merkle_root`` takes them; with ``hashed`` their leaf hashes. indices: a
        list, tuple, range or array of n integers, strictly ascending. All must come from where the verifier
        trusts, never from whoever gave the proof.

        ProofError for another number of hashes than these leaves need, hashes that are not d bytes long,
        two equal siblings where odd levels are duplicated (CVE-2012-2459), or another root. InputError for no
        leaves, indices that do not ascend, another number of them than of leaves, and wrong lengths;
        BoundsError for an index not below size. Under ``sort_pairs`` the depths of the leaves are bound, not
        their indices.

        >>> MultiProof.from_path([]).verify(bytes(32), [], indices=[], size=1)
        Traceback (most recent call last):
            ...
        merklecore.errors.InputError: indices: none, and a proof of no leaves would prove nothing
        """
        trusted = checked(root, resolve(profile).spec)
        found = self.compute_root(leaves, indices=indices, size=size, profile=profile, hashed=hashed)
        holds(found, trusted, "proof")


class RangeProof(HashProof):
    """The hashes to the left and right of contiguous leaves: at most two a level, however many leaves.

    Made by ``MerkleTree.prove_range``, ``from_path``, ``from_bytes`` and ``from_json``. Frozen, comparable,
    hashable, picklable. It is the ``MultiProof`` of these leaves, in the same order, as a type of its own.

    path: tuple of bytes, level by level from the leaves, the left one first; at most 128.

    >>> from merklecore import MerkleTree
    >>> tree = MerkleTree([b"a", b"b", b"c", b"d", b"e"])
    >>> proof = tree.prove_range(1, 4)
    >>> proof.path == (tree.leaf_hash(0), tree.leaf_hash(4))
    True
    >>> proof.verify(tree.root, [b"b", b"c", b"d"], start=1, size=5)
    """

    __slots__ = ()

    _type = 4
    _name = "range"
    _a_proof = "a range proof"
    _most = 128
    _most_json = 96 << 10

    def compute_root(
        self,
        leaves: Messages,
        *,
        start: SupportsIndex,
        size: SupportsIndex,
        profile: Profile | str = "rfc6962",
        hashed: bool = False,
    ) -> bytes:
        """Return the root that leaves and hashes lead to, d bytes; nothing is proven until it is compared.

        Arguments and errors are those of ``verify``.

        >>> RangeProof.from_path([]).compute_root([b""], start=0, size=1).hex()[:16]
        '6e340b9cffb37a98'
        """
        spec = resolve(profile).spec
        first = natural(start, "start")
        return _backend.fold_set(spec, leaves, self._hashes, self._d, first, size, hashed)

    def verify(
        self,
        root: ReadableBuffer,
        leaves: Messages,
        *,
        start: SupportsIndex,
        size: SupportsIndex,
        profile: Profile | str = "rfc6962",
        hashed: bool = False,
    ) -> None:
        """Return None when n leaves are those at [start, start + n) of ``size`` under ``root``; else raise.

        Arguments and errors are those of ``MultiProof.verify``, with BoundsError for leaves beyond the size.
        The verifier must know from elsewhere how many leaves there should be: n is what it passes.

        >>> RangeProof.from_path([]).verify(bytes(32), [b""], start=1, size=1)
        Traceback (most recent call last):
            ...
        merklecore.errors.BoundsError: start 1: 1 leaves from there go beyond size 1
        """
        trusted = checked(root, resolve(profile).spec)
        found = self.compute_root(leaves, start=start, size=size, profile=profile, hashed=hashed)
        holds(found, trusted, "proof")


def _several(indices: Any) -> Any:
    if isinstance(indices, int):  # the backend would take it for the first of contiguous leaves
        raise TypeError(
            f"indices: a list, tuple, range or array of integers is needed, not {type(indices).__name__}"
        )
    return indices
