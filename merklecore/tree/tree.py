"""Trees that are kept."""

from __future__ import annotations

from merklecore import _backend
from merklecore.tree import storage, streams
from merklecore.tree.arguments import as_bytes, flat, natural
from merklecore.tree.profiles import resolve, same_rules
from merklecore.tree.proofs import ConsistencyProof, MultiProof, RangeProof
from merklecore.tree.proofs.flagged import made_flagged
from merklecore.tree.proofs.inclusion import made
from merklecore.tree.proofs.many import made_many
from merklecore.tree.proofs.partial import made_partial
from merklecore.tree.streams import is_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Self, SupportsIndex, TypeAlias

    from _typeshed import ReadableBuffer, StrPath
    from numpy import uint8
    from numpy.typing import NDArray

    from merklecore.hashing import Data, Messages
    from merklecore.tree.profiles import Profile
    from merklecore.tree.proofs import FlaggedMultiProof, InclusionProof, InclusionProofs, PartialMerkleTree

    Indices: TypeAlias = Sequence[SupportsIndex] | NDArray[Any]

__all__ = ["MerkleTree"]


class MerkleTree:
    """A tree that grows at its right edge and proves what it holds (RFC 6962 section 2.1, and others).

    A heap (OpenZeppelin) is hashed as a whole when a root or a proof is asked for after a change, and answers
    for its present size alone.

    It keeps the hashes of complete nodes, less than 2 d bytes a leaf, and no leaves. Arguments are those of
    ``merkle_root``. One writer or many readers: a change while another call is under way raises BufferError.
    Trees compare by rules and leaf hashes, are copied and pickled, and kept in files by ``save``.

    >>> tree = MerkleTree([b"a", b"b"])
    >>> tree.append(b"c")
    2
    >>> tree == MerkleTree([b"a", b"b", b"c"])
    True
    """

    __slots__ = ("__weakref__", "_nodes", "_profile")

    def __init__(
        self,
        leaves: Messages | Iterable[Data] = (),
        profile: Profile | str = "rfc6962",
        *,
        hashed: bool = False,
        threads: SupportsIndex | None = None,
    ) -> None:
        self._profile = resolve(profile)
        self._nodes = _backend.Nodes(self._profile.spec)
        self._extend(leaves, hashed, threads)

    @property
    def profile(self) -> Profile:
        """The hashing rules.

        >>> MerkleTree(profile="ssz").profile.name
        'ssz'
        """
        return self._profile

    @property
    def root(self) -> bytes:
        """The root, d bytes. InputError for an empty tree where the profile has no root for that.

        >>> MerkleTree().root.hex()[:16]
        'e3b0c44298fc1c14'
        """
        return self._nodes.root()

    @property
    def mutated(self) -> bool:
        """Whether two equal siblings met where odd levels are duplicated: other leaves have this root too.

        A lone node paired with itself does not count (CVE-2012-2459; Bitcoin Core, consensus/merkle.cpp). So
        it is under ``bitcoin`` and the three of ChainMaker; False under profiles that duplicate nothing.

        >>> ids = [b"a" * 32, b"b" * 32, b"c" * 32]
        >>> MerkleTree(ids, "bitcoin").root == MerkleTree([*ids, ids[2]], "bitcoin").root
        True
        >>> MerkleTree(ids, "bitcoin").mutated, MerkleTree([*ids, ids[2]], "bitcoin").mutated
        (False, True)
        """
        return self._nodes.equal_pairs() > 0

    @property
    def nbytes(self) -> int:
        """Bytes that the kept hashes take, slack for growth included.

        >>> MerkleTree([b"leaf"]).nbytes >= 32
        True
        """
        return self._nodes.nbytes

    def __len__(self) -> int:
        return len(self._nodes)

    def __bytes__(self) -> bytes:
        """Return what ``save`` writes.

        >>> tree = MerkleTree([b"a", b"b"])
        >>> MerkleTree.from_bytes(bytes(tree)) == tree
        True
        """
        return storage.dumped(self._nodes, self._profile)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_bytes, (bytes(self),)

    def __eq__(self, other: object) -> bool:
        """Whether two trees have the same rules, whatever these are called, and the same leaf hashes."""
        if not isinstance(other, MerkleTree):
            return NotImplemented
        return same_rules(self._profile, other._profile) and _backend.same_leaves(self._nodes, other._nodes)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"MerkleTree({len(self._nodes)} leaves, {self._profile.name!r})"

    def append(self, leaf: Data, *, hashed: bool = False) -> int:
        """Append one leaf and return its index.

        leaf: bytes-like; with ``hashed``, or where leaves are taken as they are, d bytes. InputError for
        another length, or above the profile's limit; BufferError while another call changes the tree.

        >>> MerkleTree([b"a"]).append(b"b")
        1
        """
        return self._nodes.append(leaf, hashed)

    def extend(self, leaves: Messages | Iterable[Data], *, hashed: bool = False) -> range:
        """Append leaves and return their indices; where one of them is wrong, none is appended.

        Arguments and errors are those of ``merkle_root``; BufferError while another call changes the tree. An
        iterator is read to its end first; the tree stays as it was if it raises.

        >>> MerkleTree([b"a"]).extend([b"b", b"c"])
        range(1, 3)
        """
        return self._extend(leaves, hashed, None)

    def _extend(
        self, leaves: Messages | Iterable[Data], hashed: bool, threads: SupportsIndex | None
    ) -> range:
        if is_stream(leaves):
            leaves, hashed = streams.gathered(self._profile, leaves, hashed, threads), True
        return self._nodes.extend(leaves, hashed, threads)  # type: ignore[arg-type]  # no stream

    def update(self, indices: Indices, leaves: Messages | Iterable[Data], *, hashed: bool = False) -> None:
        """Replace the leaves at ``indices`` by ``leaves``, in one batch that hashes each touched node once.

        indices: k integers in any order, none of them twice: a list, tuple or range, or a NumPy array of
        integers in one dimension. leaves: k leaves in the same order, as ``merkle_root`` takes them.

        BoundsError names the position of an index that is not below the size, InputError that of one given
        twice; InputError for another number of leaves or a wrong leaf, TypeError for a wrong type,
        BufferError while another call uses the tree. Whatever is raised, nothing has changed.

        >>> tree = MerkleTree([b"a", b"b", b"c"])
        >>> tree.update([2, 0], [b"z", b"x"])
        >>> tree == MerkleTree([b"x", b"b", b"z"])
        True
        """
        if is_stream(leaves):
            leaves, hashed = streams.gathered(self._profile, leaves, hashed, None), True
        _backend.update(self._nodes, indices, leaves, hashed)  # type: ignore[arg-type]  # no stream

    def truncate(self, size: SupportsIndex) -> None:
        """Keep the first ``size`` leaves and drop the rest. The room stays, for the tree to grow again.

        BoundsError for a size above the tree's; BufferError while another call uses the tree.

        >>> tree = MerkleTree([b"a", b"b", b"c"])
        >>> tree.truncate(2)
        >>> tree == MerkleTree([b"a", b"b"])
        True
        """
        _backend.truncate(self._nodes, size)

    def nodes(self, level: SupportsIndex, start: SupportsIndex, stop: SupportsIndex) -> NDArray[uint8]:
        """Return nodes [start, stop) of a level: uint8, shape (stop - start, d), a copy.

        Level 0 holds the leaf hashes. Of a tree of n leaves level k has n >> k complete nodes, those over 2^k
        leaves each; others change as the tree grows and are not kept. With odd="heap" there are two levels:
        level 1 holds the n - 1 inner nodes, from the one above the leaves of rank 0 and 1 to the root.
        BoundsError unless start <= stop <= the number of these nodes.

        >>> tree = MerkleTree([b"a", b"b", b"c"])
        >>> tree.nodes(1, 0, 1).tobytes() == tree.root_at(2)
        True
        """
        import numpy

        with _backend.level_rows(self._nodes, level, start, stop) as rows:
            d = self._profile.digest_size
            return numpy.frombuffer(rows, numpy.uint8).reshape(-1, d).copy()

    def save(self, path: StrPath) -> None:
        """Write the tree to a file (docs/formats.md), d bytes a leaf, in the place of one that is there.

        It is written beside its place, forced to the disk and moved there: whatever happens, ``path`` is the
        whole old file or the whole new one. OSError says what failed; then all is as it was,
        unless it was the last step, which forces the folder to the disk: then the new file is there, and a
        crash of the system may bring back the old one. InputError where something stands that is no regular
        file, such as a device or a folder.
        BufferError while another call changes the tree; a change while it is saved raises BufferError there.

        >>> import os, tempfile
        >>> tree = MerkleTree([b"a", b"b", b"c"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "log.tree")
        ...     tree.save(path)
        ...     MerkleTree.load(path, root=tree.root) == tree
        True
        """
        storage.save(self._nodes, self._profile, path)

    @classmethod
    def load(
        cls, path: StrPath, *, root: ReadableBuffer | None = None, profile: Profile | str | None = None
    ) -> Self:
        """Return the tree in a file that ``save`` wrote.

        root: the root that it must have; profile: the rules. The file's checksum shows damage, but who can
        write the file can write another checksum: only a ``root`` and a ``profile`` from where you trust show
        that these are the leaves. All inner nodes are hashed anew. InputError says what is wrong and at which
        offset, of a file that is no regular one, and of one whose length changes while it is read.

        >>> MerkleTree.load("/dev/null")
        Traceback (most recent call last):
            ...
        merklecore.errors.InputError: path: '/dev/null' is no regular file
        """
        return cls._made(*storage.load(path, _root(root), profile))

    @classmethod
    def from_bytes(
        cls,
        data: ReadableBuffer,
        *,
        root: ReadableBuffer | None = None,
        profile: Profile | str | None = None,
    ) -> Self:
        """Return the tree that ``bytes(tree)`` gave, checked as ``load`` does.

        >>> len(MerkleTree.from_bytes(bytes(MerkleTree([b"a"]))))
        1
        """
        return cls._made(*storage.loaded(flat(data, "data"), _root(root), profile))

    @classmethod
    def _made(cls, profile: Profile, nodes: _backend.Nodes) -> Self:
        tree = cls.__new__(cls)
        tree._profile, tree._nodes = profile, nodes
        return tree

    def leaf_hash(self, index: SupportsIndex) -> bytes:
        """Return the leaf hash at ``index``, d bytes. BoundsError for an index that is not below the size.

        >>> MerkleTree([b"a"]).leaf_hash(0).hex()[:16]
        '022a6979e6dab7aa'
        """
        return self._nodes.leaf(index)

    def root_at(self, size: SupportsIndex) -> bytes:
        """Return the root of the tree of the first ``size`` leaves. BoundsError for a size above the tree's.

        InputError for another size than the tree's where it is a heap.

        >>> MerkleTree([b"a", b"b", b"c"]).root_at(2) == MerkleTree([b"a", b"b"]).root
        True
        """
        if size is None:
            raise TypeError("size: an integer is needed, not NoneType")
        return self._nodes.root(size)

    def prove(self, index: SupportsIndex, size: SupportsIndex | None = None) -> InclusionProof:
        """Return the proof that the leaf at ``index`` is in the tree, or among the first ``size`` leaves.

        BoundsError unless index < size <= the tree's size. RFC 6962 section 2.1.1.

        >>> tree = MerkleTree([b"a", b"b", b"c"])
        >>> tree.prove(0).verify(tree.root, b"a", index=0, size=3)
        >>> tree.prove(0, size=2).path == (tree.leaf_hash(1),)
        True
        """
        return made(self._profile.digest_size, _backend.path(self._nodes, index, size))

    def prove_many(self, indices: Any, size: SupportsIndex | None = None) -> InclusionProofs:
        """Return the inclusion proofs of several leaves, each by itself, in one array.

        indices: a list, tuple, range or one-dimensional array of integers, in any order. BoundsError names
        the position of an index that is not below the size; bool and float are a TypeError.

        >>> tree = MerkleTree([b"a", b"b", b"c"])
        >>> proofs = tree.prove_many([2, 0])
        >>> proofs.verify(tree.root, [b"c", b"a"], indices=[2, 0], size=3)
        """
        return made_many(self._profile.digest_size, *_backend.paths(self._nodes, indices, size))

    def prove_multi(self, indices: Any, size: SupportsIndex | None = None) -> MultiProof:
        """Return one proof of several leaves, with the fewest hashes.

        indices: as for ``prove_many``, strictly ascending, one at least; else InputError.

        >>> tree = MerkleTree([b"a", b"b", b"c", b"d"])
        >>> proof = tree.prove_multi([0, 1])
        >>> proof.verify(tree.root, [b"a", b"b"], indices=[0, 1], size=4)
        >>> len(proof.path)
        1
        """
        return MultiProof._of(self._profile.digest_size, _backend.set_hashes(self._nodes, indices, size))

    def prove_range(
        self, start: SupportsIndex, stop: SupportsIndex, size: SupportsIndex | None = None
    ) -> RangeProof:
        """Return one proof of the leaves [start, stop): at most two hashes a level.

        BoundsError for a stop above the size, InputError for an empty range.

        >>> tree = MerkleTree([b"a", b"b", b"c", b"d"])
        >>> tree.prove_range(1, 3).verify(tree.root, [b"b", b"c"], start=1, size=4)
        """
        places = range(natural(start, "start"), natural(stop, "stop"))
        return RangeProof._of(self._profile.digest_size, _backend.set_hashes(self._nodes, places, size))

    def prove_consistency(
        self, old_size: SupportsIndex, new_size: SupportsIndex | None = None
    ) -> ConsistencyProof:
        """Return the proof that the tree of the first ``old_size`` leaves is the beginning of this one.

        BoundsError unless 0 < old_size <= new_size <= the tree's size; InputError under a profile that does
        not split. RFC 6962 section 2.1.2.

        >>> tree = MerkleTree([b"a", b"b", b"c"])
        >>> tree.prove_consistency(2).verify(tree.root_at(2), tree.root, old_size=2, new_size=3)
        """
        hashes = _backend.consistency(self._nodes, old_size, new_size)
        return ConsistencyProof._of(self._profile.digest_size, hashes)

    def prove_flagged(self, indices: Any) -> FlaggedMultiProof:
        """Return OpenZeppelin's multiproof of several leaves, with its flags; only where the tree is a heap.

        indices: as for ``prove_multi``. InputError under another profile.

        >>> tree = MerkleTree([b"a", b"b", b"c"], "openzeppelin")
        >>> proof = tree.prove_flagged([0, 2])
        >>> proof.verify(tree.root, [b"a", b"c"], indices=[0, 2], size=3)
        """
        return made_flagged(self._profile, self._nodes, indices, len(self))

    def prove_partial(self, indices: Any, size: SupportsIndex | None = None) -> PartialMerkleTree:
        """Return Bitcoin's partial Merkle tree that shows several leaves (BIP 37).

        indices: as for ``prove_multi``. InputError under a profile that does not duplicate.

        >>> tree = MerkleTree([bytes([i]) * 32 for i in range(3)], "bitcoin")
        >>> tree.prove_partial([1]).verify(tree.root, [b"\\1" * 32], indices=[1], size=3)
        """
        return made_partial(self._profile, self._nodes, indices, len(self) if size is None else size)


def _root(root: ReadableBuffer | None) -> bytes | None:
    return None if root is None else as_bytes(root, "root")
