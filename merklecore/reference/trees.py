"""Trees: roots, and kept levels.

The terms are those of RFC 6962 section 2.1 and of the profiles: level 0 holds the leaf hashes, the node i of
level k + 1 is H(node_prefix || node 2 i || node 2 i + 1 of level k). A node over 2^k leaves is complete and
the same under every rule; what a rule says is how the right edge of the tree is closed, in `close` alone. A
heap (OpenZeppelin) has no such levels: `heap` makes its inner nodes, all of them anew when it has changed.
"""

from __future__ import annotations

from _thread import allocate_lock

from merklecore.errors import BoundsError, InputError
from merklecore.reference.hashing import DIGEST_SIZES, check_kernel, many
from merklecore.reference.inputs import Rows, check_threads, contiguous, fill, natural, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, SupportsIndex

    from merklecore.reference.inputs import Bytes, Data, Messages

__all__ = ["Nodes", "Spec", "leaf_hash", "leaf_hashes", "one_leaf", "root"]

MAX_DEPTH = 64
BLOCK_LEVEL = 12  # a root is computed over blocks of 2^12 leaves, so that its memory does not grow with them


class Spec:
    """How a tree hashes: a profile in the backend's terms. Profile has checked the values."""

    __slots__ = (
        "_hash_all",
        "_zeros",
        "depth",
        "digest_size",
        "empty",
        "leaf",
        "leaf_prefix",
        "limit",
        "node_prefix",
        "odd",
        "sort_pairs",
    )

    def __init__(
        self,
        algorithm: str,
        leaf: str,
        leaf_prefix: bytes,
        node_prefix: bytes,
        odd: str,
        sort_pairs: bool,
        limit: int | None,
        empty: bytes | str | None,
    ) -> None:
        self._hash_all = many(algorithm)
        self.digest_size = DIGEST_SIZES[algorithm]
        self.leaf, self.leaf_prefix, self.node_prefix = leaf, leaf_prefix, node_prefix
        self.odd, self.sort_pairs, self.limit, self.empty = odd, sort_pairs, limit, empty
        # At least so many levels stand above the leaves.
        self.depth = 0 if limit is None else (limit - 1).bit_length()
        self._zeros = [bytes(self.digest_size)]
        if odd == "pad":
            for _ in range(MAX_DEPTH):
                self._zeros += self.parents([self._zeros[-1]] * 2)

    def width(self, hashed: bool) -> int:
        """Bytes of a leaf where they are known (it is a digest already), else -1."""
        return self.digest_size if hashed or self.leaf == "as_is" else -1

    def leaf_hashes(self, leaves: Sequence[Bytes], hashed: bool) -> list[bytes]:
        """Level 0."""
        if hashed or self.leaf == "as_is":
            return [bytes(leaf) for leaf in leaves]
        prefix, hash_all = self.leaf_prefix, self._hash_all
        if self.leaf == "hash_digest":
            leaves = hash_all(leaves)
        digests = hash_all([prefix + leaf for leaf in leaves] if prefix else leaves)
        return hash_all(digests) if self.leaf == "hash_twice" else digests

    def parents(self, nodes: Iterable[bytes]) -> list[bytes]:
        """One level up, of an even number of nodes."""
        prefix, each = self.node_prefix, iter(nodes)
        pairs = zip(each, each, strict=True)
        if self.sort_pairs:
            return self._hash_all([prefix + min(pair) + max(pair) for pair in pairs])
        if prefix:
            return self._hash_all([prefix + left + right for left, right in pairs])
        return self._hash_all([left + right for left, right in pairs])

    def lone(self, node: bytes) -> bytes:
        """The parent of a node that is hashed alone."""
        return self._hash_all([self.node_prefix + node])[0]

    def equal_siblings(self, nodes: Sequence[bytes]) -> int:
        """Pairs of equal siblings; they matter only where odd levels are duplicated (CVE-2012-2459)."""
        if self.odd != "duplicate":
            return 0
        return sum(map(bytes.__eq__, nodes[::2], nodes[1::2]))

    def zero(self, level: SupportsIndex) -> bytes:
        """The root of 2^level zero leaves, where odd levels are padded."""
        k = natural(level, "level")
        if self.odd != "pad" or k > MAX_DEPTH:
            raise BoundsError(f"level {k}: zero subtrees exist for levels 0 to {MAX_DEPTH} of a padded tree")
        return self._zeros[k]

    def empty_tree(self) -> bytes:
        """The root of no leaves."""
        if isinstance(self.empty, str):  # "hash"
            return self._hash_all([b""])[0]
        if isinstance(self.empty, bytes):
            return self.empty
        if self.odd == "pad":
            return self._zeros[self.depth]
        raise InputError("an empty tree has no root under this profile")

    def admit(self, size: int) -> None:
        """Refuse more leaves than the limit."""
        if self.limit is not None and size > self.limit:
            raise InputError(f"leaves: {size} where the limit is {self.limit}")


def close(spec: Spec, size: int, peaks: Sequence[bytes]) -> tuple[list[bytes], bytes, int]:
    """Close the right edge of a tree of ``size`` > 0 leaves.

    peaks[k] is the last complete node of level k, read where bit k of ``size`` is set. Returned are the
    incomplete node of every level (b"" where a level has none), the root, and the pairs of equal siblings
    among these nodes.
    """
    edge, equal = [b""], 0
    height = (size - 1).bit_length()
    for k in range(height):
        left, right = (peaks[k], edge[k]) if size >> k & 1 else (edge[k], b"")
        if not left:  # level k has an even number of nodes, all complete
            edge.append(b"")
            continue
        if right:
            equal += spec.equal_siblings((left, right))
        elif spec.odd in ("split", "rehash"):
            edge.append(left if spec.odd == "split" else spec.lone(left))  # it rises, or is hashed alone
            continue
        else:
            right = left if spec.odd == "duplicate" else spec._zeros[k]
        edge += spec.parents((left, right))
    top = edge[height] or peaks[height]
    for k in range(height, spec.depth):
        top = spec.parents((top, spec._zeros[k]))[0]
    return edge, top, equal


def leaf_hashes(
    spec: Spec,
    leaves: Messages,
    hashed: bool = False,
    threads: SupportsIndex | None = None,
    kernel: str | None = None,
    what: str = "leaves",
) -> Any:
    """All of level 0: uint8, shape (n, d); ``what`` the leaves are called in messages."""
    check_kernel(kernel)
    rows = Rows(leaves, what, spec.width(hashed))
    check_threads(threads)
    result = output(None, rows.n, spec.digest_size, ())
    return fill(result, spec.leaf_hashes(rows.block(0, rows.n), hashed))


def heap(spec: Spec, leaves: Sequence[bytes]) -> list[bytes]:
    """Make the inner nodes over n leaf hashes as OpenZeppelin places them; the last one is the root.

    They have an array t of 2 n - 1 nodes, t[i] over t[2 i + 1] and t[2 i + 2], the leaf of rank r at
    t[2 n - 2 - r]. Read from its end it is a queue: the leaves, and behind them one node for each two from
    its front, of which the second is the left one.
    """
    queue, taken = list(leaves), 0
    while len(queue) - taken > 1:
        end = len(queue) & ~1
        pairs = queue[taken:end]
        pairs[::2], pairs[1::2] = pairs[1::2], pairs[::2]
        queue += spec.parents(pairs)
        taken = end
    return queue[len(leaves) :]


def root(
    spec: Spec,
    leaves: Messages,
    hashed: bool = False,
    threads: SupportsIndex | None = None,
    kernel: str | None = None,
) -> bytes:
    """The root over all leaves; beyond the input it takes the memory of one block and one node a level.

    A heap takes that of all nodes.
    """
    check_kernel(kernel)
    rows = Rows(leaves, "leaves", spec.width(hashed))
    check_threads(threads)
    if rows.n == 0:
        return spec.empty_tree()
    spec.admit(rows.n)
    if spec.odd == "heap":
        nodes = spec.leaf_hashes(rows.block(0, rows.n), hashed)
        return [*nodes, *heap(spec, nodes)][-1]
    peaks = [b""] * 64
    for start in range(0, rows.n, 1 << BLOCK_LEVEL):
        level = spec.leaf_hashes(rows.block(start, start + (1 << BLOCK_LEVEL)), hashed)
        k = 0
        while len(level) > 1:
            if len(level) & 1:
                peaks[k] = level.pop()
            level = spec.parents(level)
            k += 1
        carry = level[0]
        while start >> k & 1:
            carry = spec.parents((peaks[k], carry))[0]
            k += 1
        peaks[k] = carry
    return close(spec, rows.n, peaks)[1]


def leaf_hash(spec: Spec, leaf: Data, kernel: str | None = None) -> bytes:
    """What stands at level 0 for a leaf."""
    check_kernel(kernel)
    return one_leaf(spec, leaf, False)


def one_leaf(spec: Spec, leaf: Data, hashed: bool) -> bytes:
    data, width = contiguous(leaf, "leaf"), spec.width(hashed)
    if width not in (-1, len(data)):
        raise InputError(f"leaf: {len(data)} bytes where {width} are needed")
    return spec.leaf_hashes((data,), hashed)[0]


class Nodes:
    """The complete nodes of every level, one list a level; of a heap the leaf hashes and all inner nodes.

    ``_count`` says how much of the lists counts: it changes last, so that a reader beside a writer, or after
    one that was interrupted, has the tree as it was.
    """

    __slots__ = ("_count", "_equal", "_levels", "_spec", "_writing")

    def __init__(self, spec: Spec) -> None:
        if not isinstance(spec, Spec):
            raise TypeError(f"spec: a Spec is needed, not {type(spec).__name__}")
        self._spec = spec
        self._levels: list[list[bytes]] = [[]]
        self._equal = 0  # among the nodes that have a parent here
        self._count = 0
        self._writing = allocate_lock()

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """Bytes of all digests; what Python takes to hold them is more."""
        return sum(map(len, self._levels)) * self._spec.digest_size

    def make_room(self, size: SupportsIndex) -> None:
        """Be told of ``size`` leaves that will be added one part after the other: lists need no room."""
        self._begin()
        try:
            self._spec.admit(natural(size, "size"))
        finally:
            self._writing.release()

    def extend(
        self,
        leaves: Messages,
        hashed: bool = False,
        threads: SupportsIndex | None = None,
        kernel: str | None = None,
    ) -> range:
        """Append leaves, all of them, or none when something is wrong with one; return their indices."""
        check_kernel(kernel)
        rows = Rows(leaves, "leaves", self._spec.width(hashed))
        check_threads(threads)
        return self._add(lambda: self._spec.leaf_hashes(rows.block(0, rows.n), hashed), rows.n)

    def append(self, leaf: Data, hashed: bool = False) -> int:
        """Append one leaf and return its index."""
        node = one_leaf(self._spec, leaf, hashed)
        return self._add(lambda: [node], 1).start

    def _begin(self) -> None:
        """Begin to write; who does it releases ``_writing`` at the end."""
        if not self._writing.acquire(blocking=False):
            raise BufferError("the tree is being changed by another call")

    def _add(self, hashes: Callable[[], list[bytes]], n: int) -> range:
        self._begin()
        try:
            size = self._count
            self._spec.admit(size + n)
            added, equal = [hashes()], 0
            if self._spec.odd == "heap":
                added.append([])  # its inner nodes are made when they are asked for
            while added[-1]:
                k = len(added) - 1
                lone = self._levels[k][(size >> k) - 1 : size >> k] if size >> k & 1 else []
                paired = lone + added[-1]
                del paired[len(paired) & ~1 :]
                equal += self._spec.equal_siblings(paired)
                added.append(self._spec.parents(paired))
            for k, nodes in enumerate(added[:-1]):
                if k == len(self._levels):
                    self._levels.append([])
                self._levels[k][size >> k :] = nodes
            self._equal += equal
            self._count = size + n
            return range(size, size + n)
        finally:
            self._writing.release()

    def leaf(self, index: SupportsIndex) -> bytes:
        """The leaf hash at an index."""
        i = natural(index, "index")
        n = self._count
        if i >= n:
            raise BoundsError(f"index {i} is not below size {n}")
        return self._levels[0][i]

    def _size(self, size: SupportsIndex | None) -> int:
        if size is None:
            return len(self)
        n = natural(size, "size")
        if n > len(self):
            raise BoundsError(f"size {n} is above the tree's size {len(self)}")
        if n != len(self) and self._spec.odd == "heap":
            raise InputError(
                f"size {n}: a heap of {len(self)} leaves holds no smaller one, "
                "for adding a leaf moves the others"
            )
        return n

    def _close(self, n: int) -> tuple[list[bytes], bytes, int]:
        """What `close` returns; of a heap all inner nodes in place of the edge."""
        if self._spec.odd == "heap":
            inner = self._levels[1] if len(self._levels) > 1 else []
            if len(inner) != n - 1:
                inner = heap(self._spec, self._levels[0][:n])
                self._levels[1:] = [inner]
            return inner, inner[-1] if inner else self._levels[0][0], 0
        peaks = [self._levels[k][(n >> k) - 1] if n >> k & 1 else b"" for k in range(n.bit_length())]
        return close(self._spec, n, peaks)

    def root(self, size: SupportsIndex | None = None) -> bytes:
        """The root of the tree, or of its first ``size`` leaves."""
        n = self._size(size)
        return self._close(n)[1] if n else self._spec.empty_tree()

    def equal_pairs(self) -> int:
        """Pairs of equal siblings in the tree, a lone node's own copy not counted."""
        if self._spec.odd != "duplicate" or not len(self):
            return 0
        return self._equal + self._close(len(self))[2]
