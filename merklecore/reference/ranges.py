"""Compact ranges: the fewest nodes over neighbouring leaves.

A node over leaves [i << k, (i + 1) << k) stands alone until the node beside it is there too. What is put at
the end of a range is joined with its left neighbour for as long as its index is odd and the neighbour begins
in the range: then the two are siblings.
"""

from __future__ import annotations

from _thread import allocate_lock

from merklecore.errors import BoundsError, InputError
from merklecore.reference.hashing import check_kernel
from merklecore.reference.inputs import Rows, check_threads, natural
from merklecore.reference.trees import Spec, close, one_leaf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import SupportsIndex

    from numpy import uint8
    from numpy.typing import NDArray

    from merklecore.reference.inputs import Data, Messages

    OnNodes = Callable[[int, int, NDArray[uint8]], object]

__all__ = ["Range"]

WINDOW_LEVEL = 14  # completed nodes are handed over for so many aligned leaves at a time
LAST = (1 << 64) - 1


class Range:
    """The fewest nodes over leaves [start, start + size), left to right.

    ``_held`` is size and nodes, changed as one: a reader beside a writer has them of one moment.
    """

    __slots__ = ("_held", "_spec", "_writing", "start")

    def __init__(self, spec: Spec, start: SupportsIndex = 0) -> None:
        if not isinstance(spec, Spec):
            raise TypeError(f"spec: a Spec is needed, not {type(spec).__name__}")
        self._spec = spec
        self.start = natural(start, "start")
        self._held: tuple[int, list[bytes]] = (0, [])
        self._writing = allocate_lock()

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._held[0]

    def _begin(self) -> None:
        if not self._writing.acquire(blocking=False):
            raise BufferError("the range is being changed by another call")

    def _admit(self, n: int) -> None:
        end = self.start + self.size
        if n > LAST - end:
            raise BoundsError(f"{n} leaves from {end} on: a range ends at 2**64 - 1 or before")
        self._spec.admit(end + n)

    def append(self, leaf: Data, hashed: bool = False) -> int:
        """Add one leaf and return its index."""
        node = one_leaf(self._spec, leaf, hashed)
        self._begin()
        try:
            self._admit(1)
            self._held = (self.size + 1, self._grown([(0, node)]))
            return self.start + self.size - 1
        finally:
            self._writing.release()

    def extend(
        self,
        leaves: Messages,
        hashed: bool = False,
        threads: SupportsIndex | None = None,
        kernel: str | None = None,
        on_nodes: OnNodes | None = None,
        what: str = "leaves",
    ) -> range:
        """Add leaves, all of them, or none when something is wrong with one; return their indices.

        ``on_nodes`` receives the completed nodes window by window; windows that it has received whole stay.
        """
        check_kernel(kernel)
        rows = Rows(leaves, what, self._spec.width(hashed))
        check_threads(threads)
        check_callable(on_nodes)
        self._begin()
        try:
            return self._put(rows, hashed, on_nodes)
        finally:
            self._writing.release()

    def extend_batches(
        self,
        batches: Iterable[tuple[Messages, str]],
        hashed: bool = False,
        threads: SupportsIndex | None = None,
        kernel: str | None = None,
        on_nodes: OnNodes | None = None,
    ) -> range:
        """Add leaves in batches, pairs of them and of what messages call them; return their indices.

        To others it is one change, as long as the batches come. Without ``on_nodes`` it is made at their end.
        """
        check_kernel(kernel)
        check_threads(threads)
        check_callable(on_nodes)
        self._begin()
        try:
            first, target = self.start + self.size, self
            if on_nodes is None:
                target = Range(self._spec, self.start)
                target._held = self._held
            for leaves, what in batches:
                target._put(Rows(leaves, what, self._spec.width(hashed)), hashed, on_nodes)
            self._held = target._held
            return range(first, self.start + self.size)
        finally:
            self._writing.release()

    def _put(self, rows: Rows, hashed: bool, on_nodes: OnNodes | None) -> range:
        self._admit(rows.n)
        before, done = self._held, 0
        first = self.start + self.size
        try:
            while done < rows.n:
                window = 1 << WINDOW_LEVEL
                now = min(rows.n - done, window - (first + done) % window)
                level = self._spec.leaf_hashes(rows.block(done, done + now), hashed)
                self._held = (self.size + now, self._window(level, on_nodes))
                done += now
                if on_nodes is not None:
                    before = self._held
        except BaseException:  # an interrupt too: the range is as it was
            self._held = before
            raise
        return range(first, first + rows.n)

    def _window(self, level: list[bytes], on_nodes: OnNodes | None) -> list[bytes]:
        """The nodes of the range after leaf hashes that end in the window in which they begin."""
        made: dict[int, list[tuple[int, bytes]]] = {}  # of each level: indices and nodes
        nodes = self._grown([(0, node) for node in level], made)
        if on_nodes is not None:
            import numpy

            for k, found in sorted(made.items()):
                hashes = numpy.frombuffer(b"".join([node for _, node in found]), numpy.uint8)
                on_nodes(k, found[0][0], hashes.reshape(-1, self._spec.digest_size))
        return nodes

    def _grown(
        self, added: list[tuple[int, bytes]], made: dict[int, list[tuple[int, bytes]]] | None = None
    ) -> list[bytes]:
        """The nodes of the range after (level, node) have been put behind it, siblings joined."""
        nodes, at = list(self._held[1]), self.start + self.size
        for level, node in added:
            k, index = level, at >> level
            at += 1 << level
            nodes.append(node)
            if made is not None:
                made.setdefault(k, []).append((index, node))
            while index & 1 and (index - 1) << k >= self.start:
                right, left = nodes.pop(), nodes.pop()
                nodes += self._spec.parents((left, right))
                k, index = k + 1, index >> 1
                if made is not None:
                    made.setdefault(k, []).append((index, nodes[-1]))
        return nodes

    def merge(self, other: Range) -> None:
        """Put a range behind this one, which ends where it starts."""
        if not isinstance(other, Range):
            raise TypeError(f"other: a Range is needed, not {type(other).__name__}")
        self._begin()
        try:
            start, size, nodes = other.state()
            if start != self.start + self.size:
                end = self.start + self.size
                raise InputError(f"a range from {start} on does not follow one that ends at {end}")
            self._admit(size)
            added = list(zip(covering_levels(start, start + size), nodes, strict=True))
            self._held = (self.size + size, self._grown(added))
        finally:
            self._writing.release()

    def nodes(self) -> tuple[bytes, ...]:
        """The hashes, left to right."""
        return tuple(self._held[1])

    def state(self) -> tuple[int, int, tuple[bytes, ...]]:
        """Start, size and nodes, of one moment."""
        size, nodes = self._held
        return self.start, size, tuple(nodes)

    def restore(self, size: SupportsIndex, nodes: bytes) -> None:
        """Make an empty range one of ``size`` leaves under these nodes."""
        n, d = natural(size, "size"), self._spec.digest_size
        self._begin()
        try:
            if self.size:
                raise InputError("the range is not empty")
            self._admit(n)
            needed = len(list(covering_levels(self.start, self.start + n))) * d
            if len(nodes) != needed:
                raise InputError(f"nodes: {len(nodes)} bytes where {needed} are needed")
            self._held = (n, [nodes[i : i + d] for i in range(0, needed, d)])
        finally:
            self._writing.release()

    def root(self) -> bytes:
        """The root over all leaves from 0 on."""
        if self.start:
            raise InputError(f"a range that starts at {self.start} has no root")
        size, nodes = self._held
        if size == 0:
            return self._spec.empty_tree()
        peaks = [b""] * 64
        for k, node in zip(covering_levels(0, size), nodes, strict=True):
            peaks[k] = node
        return close(self._spec, size, peaks)[1]


def check_callable(on_nodes: OnNodes | None) -> None:
    """Check what completed nodes are handed to."""
    if on_nodes is not None and not callable(on_nodes):
        raise TypeError(f"on_nodes: a callable is needed, not {type(on_nodes).__name__}")


def covering_levels(start: int, stop: int) -> Iterator[int]:
    """Levels of the largest aligned subtrees over leaves [start, stop), left to right."""
    while start < stop:
        k = (stop - start).bit_length() - 1
        if start:
            k = min(k, (start & -start).bit_length() - 1)
        yield k
        start += 1 << k
