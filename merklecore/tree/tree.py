"""Roots, and trees that are kept."""

from __future__ import annotations

from merklecore import _backend
from merklecore.errors import InputError
from merklecore.tree.profiles import resolve
from merklecore.tree.proofs import made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, SupportsIndex

    from merklecore.hashing import Data, Messages
    from merklecore.tree.profiles import Profile
    from merklecore.tree.proofs import InclusionProof

__all__ = ["MerkleTree", "merkle_root"]


def merkle_root(
    leaves: Messages,
    profile: Profile | str = "rfc6962",
    *,
    hashed: bool = False,
    threads: SupportsIndex | None = None,
    executor: None = None,
) -> bytes:
    """Return the root over n leaves, d bytes, without keeping the tree: O(log n) memory beyond the input.

    Where the profile's tree is a heap (OpenZeppelin) no node has its place before the number of leaves is
    known, so there it takes up to 2 n d bytes.

    leaves: what ``hash_many`` takes, n of any lengths; with ``hashed``, or where the profile takes leaves as
    they are, n digests of d bytes, which may also stand in one flat buffer.
    profile: a name in ``profiles`` or a Profile.
    hashed: the leaves are leaf hashes already.
    threads: None (as many as the CPUs when the work is large), or 1 to 1024. The root is the same.
    executor: None; others come with a later version.

    InputError for input that is wrong, more leaves than the profile's limit, or no leaves where the profile
    has no root for that; TypeError for a wrong type.

    >>> merkle_root([b"a", b"b", b"c"]).hex()[:16]
    '36642e73c2540ab1'
    """
    if executor is not None:
        raise InputError("executor: executors come with a later version")
    return _backend.root(resolve(profile).spec, leaves, hashed, threads)


class MerkleTree:
    """A tree that grows at its right edge and proves what it holds (RFC 6962 section 2.1, and others).

    A heap (OpenZeppelin) is hashed as a whole when a root or a proof is asked for after a change, and answers
    for its present size alone.

    It keeps the hashes of complete nodes, less than 2 d bytes a leaf, and no leaves. Arguments are those of
    ``merkle_root``. One writer or many readers: a change while another call is under way raises BufferError.

    >>> tree = MerkleTree([b"a", b"b"])
    >>> tree.append(b"c")
    2
    >>> tree.root == merkle_root([b"a", b"b", b"c"])
    True
    """

    __slots__ = ("__weakref__", "_nodes", "_profile")

    def __init__(
        self,
        leaves: Messages = (),
        profile: Profile | str = "rfc6962",
        *,
        hashed: bool = False,
        threads: SupportsIndex | None = None,
    ) -> None:
        self._profile = resolve(profile)
        self._nodes = _backend.Nodes(self._profile.spec)
        self._nodes.extend(leaves, hashed, threads)

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

    def __copy__(self) -> NoReturn:
        raise TypeError("a MerkleTree is not copied: two would share their nodes")

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

    def extend(self, leaves: Messages, *, hashed: bool = False) -> range:
        """Append leaves and return their indices; where one of them is wrong, none is appended.

        Arguments and errors are those of ``merkle_root``; BufferError while another call changes the tree.

        >>> MerkleTree([b"a"]).extend([b"b", b"c"])
        range(1, 3)
        """
        return self._nodes.extend(leaves, hashed)

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
        return made(_backend.path(self._nodes, index, size))
