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
    from collections.abc import Callable, Iterator
    from typing import SupportsIndex

    from numpy import uint8
    from numpy.typing import NDArray

    from merklecore.reference.inputs import Data, Messages

    OnNodes = Callable[[int, int, NDArray[uint8]], object]

__all__ = ["Range"]

WINDOW_LEVEL = 14  # completed nodes are handed over for so many aligned leaves at a time
LAST = (1 << 64) - 1


class Range:
    """The fewest nodes over leaves [start, start + size), left to right."""

    __slots__ = ("_nodes", "_spec", "_writing", "size", "start")

    def __init__(self, spec: Spec, start: SupportsIndex = 0) -> None:
        if not isinstance(spec, Spec):
            raise TypeError(f"spec: a Spec is needed, not {type(spec).__name__}")
        self._spec = spec
        self.start = natural(start, "start")
        self.size = 0
        self._nodes: list[bytes] = []
        self._writing = allocate_lock()

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
            self._set(self._grown([(0, node)]), self.size + 1)
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
        if on_nodes is not None and not callable(on_nodes):
            raise TypeError(f"on_nodes: a callable is needed, not {type(on_nodes).__name__}")
        self._begin()
        try:
            self._admit(rows.n)
            before, done = (self._nodes, self.size), 0
            first = self.start + self.size
            try:
                while done < rows.n:
                    window = 1 << WINDOW_LEVEL
                    now = min(rows.n - done, window - (first + done) % window)
                    level = self._spec.leaf_hashes(rows.block(done, done + now), hashed)
                    nodes = self._window(level, on_nodes)
                    done += now
                    self._set(nodes, self.size + now)
                    if on_nodes is not None:
                        before = (self._nodes, self.size)
            except BaseException:
                self._nodes, self.size = before
                raise
            return range(first, first + rows.n)
        finally:
            self._writing.release()

    def _set(self, nodes: list[bytes], size: int) -> None:
        self._nodes, self.size = nodes, size

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
        nodes, at = list(self._nodes), self.start + self.size
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
            if other.start != self.start + self.size:
                end = self.start + self.size
                raise InputError(f"a range from {other.start} on does not follow one that ends at {end}")
            self._admit(other.size)
            levels = covering_levels(other.start, other.start + other.size)
            added = list(zip(levels, other._nodes, strict=True))
            self._set(self._grown(added), self.size + other.size)
        finally:
            self._writing.release()

    def nodes(self) -> tuple[bytes, ...]:
        """The hashes, left to right."""
        return tuple(self._nodes)

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
            self._set([nodes[i : i + d] for i in range(0, needed, d)], n)
        finally:
            self._writing.release()

    def root(self) -> bytes:
        """The root over all leaves from 0 on."""
        if self.start:
            raise InputError(f"a range that starts at {self.start} has no root")
        if self.size == 0:
            return self._spec.empty_tree()
        peaks = [b""] * 64
        for k, node in zip(covering_levels(0, self.size), self._nodes, strict=True):
            peaks[k] = node
        return close(self._spec, self.size, peaks)[1]


def covering_levels(start: int, stop: int) -> Iterator[int]:
    """Levels of the largest aligned subtrees over leaves [start, stop), left to right."""
    while start < stop:
        k = (stop - start).bit_length() - 1
        if start:
            k = min(k, (start & -start).bit_length() - 1)
        yield k
        start += 1 << k
