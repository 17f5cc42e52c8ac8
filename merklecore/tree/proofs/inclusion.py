"""Inclusion proofs of one leaf. They hold hashes and nothing else: what they prove, the verifier says."""

from __future__ import annotations

from merklecore import _backend
from merklecore.errors import InputError
from merklecore.tree.profiles import profiles, resolve
from merklecore.tree.proofs.base import HashProof
from merklecore.tree.proofs.encoding import unprefixed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex

    from _typeshed import ReadableBuffer

    from merklecore.tree.profiles import Profile

__all__ = ["InclusionProof"]

MAX_HASHES = 64

_SPECS = {name: profile.spec for name, profile in profiles.items()}


class InclusionProof(HashProof):
    """The hashes from one leaf to the root of its tree (RFC 6962 section 2.1.1, RFC 9162 section 2.1.3).

    Made by ``MerkleTree.prove``, ``from_path``, ``from_bytes``, ``from_json`` and ``from_hex``. Frozen,
    comparable, hashable, picklable. Root, leaf, index, size and profile are not part of it: the verifier has
    them from elsewhere, for the path of (index 4, size 5) is one of (index 1, size 2) too.

    path: tuple of bytes, leaf to root, all of one length, at most 64.

    >>> from merklecore import MerkleTree
    >>> tree = MerkleTree([b"a", b"b", b"c"])
    >>> proof = tree.prove(2)
    >>> proof
    InclusionProof(1 hash of 32 bytes)
    >>> proof.verify(tree.root, b"c", index=2, size=3)
    >>> InclusionProof.from_path([bytes(32), bytes(32)])
    InclusionProof(2 hashes of 32 bytes)
    >>> bytes(InclusionProof.from_path([])).hex()
    '01010000000000'
    >>> InclusionProof.from_path([bytes(2)]).to_json()
    '{"type":"inclusion","version":1,"hashes":["0000"]}'
    """

    __slots__ = ()

    _type = 1
    _name = "inclusion"
    _a_proof = "an inclusion proof"
    _most = MAX_HASHES
    _most_json = 64 << 10  # the longest proof takes 32,875

    def compute_root(
        self,
        leaf: ReadableBuffer,
        *,
        index: SupportsIndex,
        size: SupportsIndex,
        profile: Profile | str = "rfc6962",
        hashed: bool = False,
    ) -> bytes:
        """Return the root that leaf and path lead to, d bytes; nothing is proven until it is compared.

        Arguments and errors are those of ``verify``.

        >>> proof = InclusionProof.from_path([])
        >>> proof.compute_root(b"", index=0, size=1).hex()[:16]
        '6e340b9cffb37a98'
        """
        return _backend.fold(resolve(profile).spec, leaf, self._hashes, self._d, index, size, hashed)

    def verify(
        self,
        root: ReadableBuffer,
        leaf: ReadableBuffer,
        *,
        index: SupportsIndex,
        size: SupportsIndex,
        profile: Profile | str = "rfc6962",
        hashed: bool = False,
    ) -> None:
        """Return None when ``leaf`` is at ``index`` of the ``size`` leaves under ``root``; else raise.

        root: d bytes. leaf: the leaf's bytes; with ``hashed`` its leaf hash, d bytes. All five say what is
        to be proven and must come from where the verifier trusts, never from whoever gave the proof.

        ProofError says what does not hold: a path whose length is not the one that index and size demand, a
        hash that is not d bytes long, a sibling that the profile does not allow (a left sibling equal to its
        right one where odd levels are duplicated, CVE-2012-2459; a padding that is not zero), or another
        root. BoundsError for an index not below size, InputError for a root or leaf hash of a wrong length.
        Under a profile with ``sort_pairs`` a proof binds the depth of the leaf, not its index: the places of
        two leaves that hash the same siblings can be swapped.

        >>> proof = InclusionProof.from_path([])
        >>> proof.verify(bytes(32), b"", index=0, size=1)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        merklecore.errors.ProofError: the path leads to 6e34..., not to the given root 0000...
        """
        if type(profile) is str and profile in _SPECS:  # without another call, which takes a twentieth of all
            spec = _SPECS[profile]
        else:
            spec = resolve(profile).spec
        _backend.fold_to(spec, root, leaf, self._hashes, self._d, index, size, hashed)

    def to_hex(self) -> list[str]:
        """Return the path as merkletreejs and OpenZeppelin write it: 0x and lower-case hexadecimal.

        >>> InclusionProof.from_path([bytes(2)]).to_hex()
        ['0x0000']
        """
        return ["0x" + item.hex() for item in self.path]

    @classmethod
    def from_hex(cls, path: Sequence[str]) -> InclusionProof:
        """Return the proof of such a path, its letters in either case.

        InputError for other text, lengths that differ, or more than 64 hashes.

        >>> InclusionProof.from_hex(["0x0A", "0x0b"]).path
        (b'\\n', b'\\x0b')
        """
        if not isinstance(path, (list, tuple)):
            raise TypeError(f"path: a list or tuple of str is needed, not {type(path).__name__}")
        if len(path) > MAX_HASHES:
            raise InputError(f"path: {len(path)} hashes, a proof has at most {MAX_HASHES}")
        return cls.from_path([unprefixed(item, f"path[{i}]") for i, item in enumerate(path)])


_new = object.__new__
_set_d = HashProof.__dict__["_d"].__set__  # past __setattr__, which refuses
_set_hashes = HashProof.__dict__["_hashes"].__set__


def made(d: int, hashes: bytes) -> InclusionProof:
    """Return a proof of hashes known to be right: those of a tree, or checked already."""
    proof = _new(InclusionProof)
    _set_d(proof, d if hashes else 0)
    _set_hashes(proof, hashes)
    return proof
