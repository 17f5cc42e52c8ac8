"""The order in which OpenZeppelin's library puts leaves before it builds a tree over them."""

from __future__ import annotations

from merklecore import _backend
from merklecore.tree.profiles import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from merklecore.hashing import Messages
    from merklecore.tree.profiles import Profile

__all__ = ["openzeppelin_order"]


def openzeppelin_order(leaves: Messages, profile: Profile | str = "openzeppelin") -> NDArray[np.int64]:
    """Return the indices of n leaves by ascending leaf hash: int64, shape (n,).

    OpenZeppelin's merkle-tree sorts leaf hashes as numbers unless it is told ``sortLeaves: false``
    (merkletree.ts, ``prepare``), so the tree to build is that over the leaves in this order: leaf order[i]
    gets index i. Equal hashes keep the order in which they come.

    leaves: what ``merkle_root`` takes; its errors. profile: whose leaf hashes are meant.

    >>> import merklecore as mc
    >>> leaves = [b"a", b"b", b"c"]
    >>> order = openzeppelin_order(leaves)
    >>> order
    array([2, 1, 0])
    >>> mc.merkle_root([leaves[i] for i in order], "openzeppelin").hex()[:16]
    '03b6341f8c55727f'
    """
    import numpy as np

    spec = resolve(profile).spec
    digests = _backend.leaf_hashes(spec, leaves)
    words = digests.view(">u8").astype(np.uint64)  # columns, the first of which weighs most
    order: NDArray[np.int64] = np.argsort(words[:, 0], kind="stable").astype(np.int64, copy=False)
    first = words[order, 0]
    if bool(
        (first[1:] == first[:-1]).any()
    ):  # the first 8 bytes do not decide: duplicates, as good as always
        order = np.lexsort(words.T[::-1]).astype(np.int64, copy=False)
    return order
