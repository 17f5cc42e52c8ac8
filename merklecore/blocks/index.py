"""The headers of a file as a tree: which block is whose parent, and so the context that each is checked with,
and which chain has the most work.

Blocks stand in a file in the order of their arrival, stale ones among them, children before parents too. A
context is made when the first block asks for it, and dropped when the last child has it: of a file in order
few are kept. Where children come before their parents, one in 64 is kept of the path between, and the rest is
made again when it is asked for, once.
"""

from __future__ import annotations

from array import array
from typing import NamedTuple

from merklecore import _backend
from merklecore.blocks.chains import bitcoin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from numpy import uint8
    from numpy.typing import NDArray

    from merklecore._backend import Bitcoin

    Key: TypeAlias = tuple[Any, ...]

__all__ = ["Contexts", "Survey", "survey"]

UNKNOWN, GENESIS, GIVEN = -1, -2, -3  # instead of a parent's row
HEIGHT, CHAINWORK = 0, 5  # in a context
STRIDE = 64  # of the contexts of a long path, one in so many is kept; those between are made again once


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
                self._known.pop(parent, None)
        return context

    def _after(self, row: int) -> Key | None:
        """Return the context after a row, made from its nearest known ancestor's."""
        path = array("q")
        while row >= 0 and row not in self._known:
            path.append(row)
            row = int(self._parents[row])
        roots: dict[int, Key | None] = {UNKNOWN: None, GENESIS: bitcoin.BEFORE_GENESIS, GIVEN: self._given}
        context = self._known[row] if row >= 0 else roots[row]
        for left in range(len(path) - 1, -1, -1):
            context = self._step(path[left], context)
            if left < STRIDE or not left % STRIDE:
                self._known[path[left]] = context
        return context

    def _step(self, row: int, context: Key | None) -> Key:
        at = row * bitcoin.HEADER_SIZE
        header = self._headers[at : at + bitcoin.HEADER_SIZE]
        after = self._backend.check_headers(header, context, None)[4]
        assert after is not None  # a run has a row at least, and behind a row there is a context
        return after


def _linked(headers: bytearray | NDArray[uint8], given: Key | None, threads: int | None) -> tuple[Any, Any]:
    """Return the parent of each row, the first of equal ones, and how many children each has."""
    import numpy

    rows = numpy.frombuffer(headers, numpy.uint8).reshape(-1, bitcoin.HEADER_SIZE)
    n = len(rows)
    hashes = _backend.hash_many(rows, bitcoin.HASH, b"", threads).reshape(-1).view("S32")
    order = hashes.argsort(kind="stable")  # of equal ones the first stands first
    known = hashes[order]
    del hashes
    wanted = (
        rows[:, bitcoin.PREV_HASH].reshape(-1).view("S32")
    )  # a copy; padded with zeros, so all bytes count
    at = numpy.minimum(known.searchsorted(wanted), max(n - 1, 0))
    parents = numpy.where(known[at] == wanted, order[at], UNKNOWN) if n else numpy.zeros(0, numpy.int64)
    parents[wanted == bytes(32)] = GENESIS
    if given is not None and given[1] is not None:
        parents[wanted == given[1]] = GIVEN
    return parents, numpy.bincount(parents[parents >= 0], minlength=n)


class Survey(NamedTuple):
    """What the headers of a file come to."""

    codes: Any  # uint32 (n,): a row's first fault, checked upon its own parent, or 0
    unchecked: int  # the rules that were not checked on every row, as bits
    best: list[int]  # the rows of the chain of most work, its first one first; none but rows that hold
    stale: int  # rows that hold beside it, in the same tree
    apart: int  # rows that hold in other trees: nothing in the file leads from one to another
    repeated: int  # rows that are there already
    tip: bytes | None  # the hash of the best chain's last row
    height: int | None  # its height, where the chain begins with a first block
    chainwork: int  # hashes expected through it, from the first row of its chain on


def survey(backend: Bitcoin, rows: NDArray[uint8], now: int | None, threads: int | None) -> Survey:
    """Check each header of a file upon its own parent, and find the chain of most work.

    A run of rows that have one child each goes to the backend at once. Trees from a first block come before
    those whose first parent is not in the file; of equal work, the chain whose tip stands first.
    """
    import numpy

    n = len(rows)
    parents, children = _linked(rows, None, threads)
    order = parents.argsort(kind="stable")  # the children of a row are neighbours there
    place = numpy.searchsorted(parents[order], numpy.arange(n))
    codes, roots = numpy.zeros(n, numpy.uint32), numpy.zeros(n, numpy.int64)
    hashes = numpy.zeros((n, 32), numpy.uint8)
    unchecked = 0
    best: tuple[bool, int, int] = (False, -1, 0)  # whether its height is known, its work, its row (negated)
    height: int | None = None
    runs: list[tuple[int, Key | None, int, bool]] = [
        (int(row), bitcoin.BEFORE_GENESIS if parents[row] == GENESIS else None, 0, True)
        for row in (parents < 0).nonzero()[0][::-1]
    ]  # a first row, its context, its parent's work, whether the parent holds
    while runs:
        row, context, base, held = runs.pop()
        root = roots[parents[row]] if parents[row] >= 0 else row
        run = [row]
        while children[row] == 1:
            row = int(order[place[row]])
            run.append(row)
        if context is not None and context[CHAINWORK] is not None:
            base = 0  # it is in the context
        codes[run], hashes[run], work, missing, after = backend.check_headers(rows[run], context, now)
        assert after is not None  # a run has a row at least, and behind a row there is a context
        roots[run] = root
        unchecked |= missing
        bad = codes[run].nonzero()[0]
        good = 0 if not held else int(bad[0]) if len(bad) else len(run)
        if good:
            total = base + int.from_bytes(bytes(work[good - 1]), "big")
            found = (after[HEIGHT] is not None, total, -run[good - 1])
            if found > best:
                best = found
                height = after[HEIGHT] - (len(run) - good) if found[0] else None
        base += int.from_bytes(bytes(work[-1]), "big")
        for child in order[place[row] : place[row] + children[row]][::-1]:
            runs.append((int(child), after, base, good == len(run)))
    chain = []
    at = -best[2] if best[1] >= 0 else UNKNOWN
    while at >= 0:
        chain.append(at)
        at = int(parents[at])
    firsts = numpy.zeros(n, bool)
    firsts[numpy.unique(hashes.reshape(-1).view("V32"), return_index=True)[1]] = True
    holds = firsts & (codes == 0)
    near = int((holds & (roots == roots[chain[-1]])).sum()) if chain else 0
    return Survey(
        codes,
        unchecked,
        chain[::-1],
        near - len(chain),
        int(holds.sum()) - near,
        n - int(firsts.sum()),
        bytes(hashes[chain[0]]) if chain else None,
        height,
        max(best[1], 0),
    )
