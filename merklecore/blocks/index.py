"""The headers of a file as a tree: which block is whose parent, and so the context that each is checked with.

Blocks stand in a file in the order of their arrival, stale ones among them, children before parents too. A
context is made when the first block asks for it, and dropped when the last child has it: of a file in order
few are kept.
"""

from __future__ import annotations

from merklecore import _backend
from merklecore.blocks.chains import bitcoin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from merklecore._backend import Bitcoin

    Key: TypeAlias = tuple[Any, ...]

__all__ = ["Contexts"]

UNKNOWN, GENESIS, GIVEN = -1, -2, -3  # instead of a parent's row


class Contexts:
    """The context of each block of a file: its parent's, the caller's, a genesis block's, or none."""

    __slots__ = ("_backend", "_given", "_headers", "_known", "_parents", "_pending")

    def __init__(self, backend: Bitcoin, headers: bytearray, given: Key | None, threads: int | None) -> None:
        self._backend = backend
        self._headers = memoryview(headers)
        self._given = given
        self._known: dict[int, Key] = {}  # the contexts after rows whose children are still to come
        self._parents, self._pending = _linked(headers, given, threads)

    def take(self, row: int) -> Key | None:
        """Return the context of a row. To be called once for each, in any order."""
        parent = int(self._parents[row])
        context = self._after(parent)
        if self._pending[row] and row not in self._known:
            self._known[row] = self._step(row, context)
        if parent >= 0:
            self._pending[parent] -= 1
            if not self._pending[parent]:
                del self._known[parent]
        return context

    def _after(self, row: int) -> Key | None:
        """Return the context after a row, made from its nearest known ancestor's."""
        path = []
        while row >= 0 and row not in self._known:
            path.append(row)
            row = int(self._parents[row])
        roots: dict[int, Key | None] = {UNKNOWN: None, GENESIS: bitcoin.BEFORE_GENESIS, GIVEN: self._given}
        context = self._known[row] if row >= 0 else roots[row]
        for row in reversed(path):
            context = self._known[row] = self._step(row, context)
        return context

    def _step(self, row: int, context: Key | None) -> Key:
        at = row * bitcoin.HEADER_SIZE
        header = self._headers[at : at + bitcoin.HEADER_SIZE]
        after = self._backend.check_headers(header, context, None)[4]
        assert after is not None
        return after


def _linked(headers: bytearray, given: Key | None, threads: int | None) -> tuple[Any, Any]:
    """Return the parent of each row, the first of equal ones, and how many children each has."""
    import numpy

    rows = numpy.frombuffer(headers, numpy.uint8).reshape(-1, bitcoin.HEADER_SIZE)
    n = len(rows)
    hashes = _backend.hash_many(rows, bitcoin.HASH, b"", threads).tobytes()
    row_of = {hashes[32 * row : 32 * row + 32]: row for row in range(n - 1, -1, -1)}
    row_of[bytes(32)] = GENESIS
    if given is not None and given[1] is not None:
        row_of[given[1]] = GIVEN
    wanted = rows[:, bitcoin.PREV_HASH].tobytes()
    found = (row_of.get(wanted[32 * row : 32 * row + 32], UNKNOWN) for row in range(n))
    parents = numpy.fromiter(found, numpy.int64, n)
    return parents, numpy.bincount(parents[parents >= 0], minlength=n)
