"""Compact ranges: what is needed of neighbouring leaves to go on from them, or to join them with others."""

from __future__ import annotations

from merklecore import _backend
from merklecore.errors import InputError
from merklecore.tree.arguments import as_bytes
from merklecore.tree.profiles import resolve, same_rules
from merklecore.tree.records import Cursor, profile_record, read_profile
from merklecore.tree.streams import batches, is_stream, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import SupportsIndex, TypeAlias

    from _typeshed import ReadableBuffer
    from numpy import uint8
    from numpy.typing import NDArray

    from merklecore.hashing import Data, Messages
    from merklecore.tree.profiles import Profile

    OnNodes: TypeAlias = Callable[[int, int, NDArray[uint8]], object]

__all__ = ["CompactRange"]

TYPE, VERSION = 32, 1
MOST_BYTES = 1 << 23  # of an encoding: prefixes of a megabyte each fit


class CompactRange:
    """The fewest nodes over leaves [start, start + size): O(log n) memory, whatever their number.

    A range takes leaves at its end and joins with the one that starts there, so that a root can be computed
    from a stream, go on after a crash or on another machine, or come from parts hashed side by side. What it
    does not do is prove: give ``on_nodes`` to ``extend`` to keep the nodes that proofs need.

    profile: a name in ``profiles`` or a Profile, with odd="split" (RFC 6962 section 2.1), which alone makes a
    tree of any number of leaves from perfect subtrees; InputError for another.
    start: index of the first leaf. BoundsError for one that is negative or above 2^64 - 1, which is where
    every range ends at the latest.

    One writer or many readers: a change while another call changes the range raises BufferError. An
    ``extend`` that takes an iterator changes it until that has ended.

    >>> left, right = CompactRange(), CompactRange(start=2)
    >>> left.extend([b"a", b"b"]), right.append(b"c")
    (range(0, 2), 2)
    >>> left.merge(right)
    >>> left.size, left.root.hex()[:16]
    (3, '36642e73c2540ab1')
    """

    __slots__ = ("__weakref__", "_profile", "_range")

    def __init__(self, profile: Profile | str = "rfc6962", start: SupportsIndex = 0) -> None:
        self._profile = resolve(profile)
        if self._profile.odd != "split":
            name, odd = self._profile.name, self._profile.odd
            raise InputError(f"profile: a compact range needs odd='split', {name!r} has {odd!r}")
        self._range = _backend.Range(self._profile.spec, start)

    @property
    def profile(self) -> Profile:
        """The hashing rules.

        >>> CompactRange().profile.name
        'rfc6962'
        """
        return self._profile

    @property
    def start(self) -> int:
        """Index of the first leaf.

        >>> CompactRange(start=7).start
        7
        """
        return self._range.start

    @property
    def size(self) -> int:
        """Number of leaves in the range.

        >>> CompactRange(start=7).size
        0
        """
        return self._range.size

    @property
    def nodes(self) -> tuple[bytes, ...]:
        """The hashes of the fewest complete nodes over the leaves, left to right, d bytes each.

        ``geometry.covering_nodes(start, start + size)`` says which they are.

        >>> leaves = CompactRange()
        >>> _ = leaves.extend([b"a", b"b", b"c"])
        >>> [node.hex()[:8] for node in leaves.nodes]
        ['b137985f', '597fcb31']
        """
        return self._range.nodes()

    @property
    def root(self) -> bytes:
        """The root of the tree of these leaves, d bytes. InputError for a range that does not start at 0.

        Of no leaves it is the profile's; InputError where it has none.

        >>> CompactRange().root.hex()[:16]
        'e3b0c44298fc1c14'
        """
        return self._range.root()

    def append(self, leaf: Data, *, hashed: bool = False) -> int:
        """Add one leaf at the end and return its index, counted from 0 and not from ``start``.

        leaf: bytes-like; with ``hashed``, or where leaves are taken as they are, d bytes. InputError for
        another length, BoundsError at the end of all indices.

        >>> CompactRange(start=7).append(b"leaf")
        7
        """
        return self._range.append(leaf, hashed)

    def extend(
        self,
        leaves: Messages | Iterable[Data],
        *,
        hashed: bool = False,
        on_nodes: OnNodes | None = None,
        threads: SupportsIndex | None = None,
    ) -> range:
        """Add leaves at the end and return their indices.

        leaves, hashed, threads: as ``merkle_root`` takes them, iterators too.
        on_nodes: called as on_nodes(level, first, hashes) with complete nodes [first, first + k) of a level,
        uint8, shape (k, d), read-only: all that these leaves complete, each once, those below before those
        above. It is called for at most 2^14 leaves at a time, level 0 first. Nodes that ``append`` and
        ``merge`` complete are not handed to anyone.

        Without ``on_nodes`` all leaves are added, or, whatever is raised, none. With it, what is raised (by
        itself, or by an iterator) leaves the range where the last batch ended that was handed over whole, so
        that range and store agree; nodes of the batch that failed may come again.

        >>> kept = {}
        >>> leaves = CompactRange()
        >>> leaves.extend([b"a", b"b", b"c"], on_nodes=lambda level, first, hashes: kept.update(
        ...     {(level, first + i): bytes(row) for i, row in enumerate(hashes)}))
        range(0, 3)
        >>> list(kept)
        [(0, 0), (0, 1), (0, 2), (1, 0)]
        """
        if not is_stream(leaves):
            return self._range.extend(leaves, hashed, threads, None, on_nodes)  # type: ignore[arg-type]  # no stream
        return self._range.extend_batches(named(batches(leaves)), hashed, threads, None, on_nodes)

    def merge(self, other: CompactRange) -> None:
        """Put the leaves of another range behind those of this one, which then has both; ``other`` stays.

        InputError unless it starts where this one ends and its profile has the same rules.

        >>> left, right = CompactRange(), CompactRange(start=1)
        >>> left.merge(right)
        Traceback (most recent call last):
            ...
        merklecore.errors.InputError: a range from 1 on does not follow one that ends at 0
        """
        if not isinstance(other, CompactRange):
            raise TypeError(f"other: a CompactRange is needed, not {type(other).__name__}")
        if not same_rules(self._profile, other._profile):
            raise InputError(f"other: its profile {other._profile.name!r} has other rules")
        self._range.merge(other._range)

    def __bytes__(self) -> bytes:
        """Return the encoding: type 32, version 1, the profile, start, size, nodes (docs/formats.md).

        >>> bytes(CompactRange()).hex()[:4]
        '2001'
        """
        return encoded(self._profile, self._range)

    @classmethod
    def from_bytes(cls, data: ReadableBuffer) -> CompactRange:
        """Return the range that ``data`` encodes. InputError says at which offset it is none.

        An encoding says what was hashed as whoever made it claims: take it from where you trust.

        >>> CompactRange.from_bytes(bytes(CompactRange(start=5))).start
        5
        """
        profile, found = decoded(as_bytes(data, "data", MOST_BYTES))
        made = cls(profile, found.start)
        made._range = found
        return made

    def __eq__(self, other: object) -> bool:
        """Whether two ranges stand over the same places with the same nodes, under the same rules."""
        if not isinstance(other, CompactRange):
            return NotImplemented
        same = self._range.state() == other._range.state()
        return same and same_rules(self._profile, other._profile)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __reduce__(self) -> tuple[object, ...]:
        return type(self).from_bytes, (bytes(self),)

    def __repr__(self) -> str:
        name = self._profile.name
        return f"CompactRange({self.size} leaves from {self.start} on, {name!r})"


def encoded(profile: Profile, found: _backend.Range) -> bytes:
    """Return the encoding of what the backend has of a range, under any profile."""
    record = profile_record(profile)
    head = bytes((TYPE, VERSION)) + len(record).to_bytes(4, "big") + record
    start, size, nodes = found.state()
    return head + b"".join((start.to_bytes(8, "big"), size.to_bytes(8, "big"), *nodes))


def decoded(data: bytes) -> tuple[Profile, _backend.Range]:
    """Return profile and range of an encoding, under any profile."""
    cursor = Cursor(data)
    if (found := cursor.number(1, "the type")) != TYPE:
        raise InputError(f"offset 0: type {found}, a compact range has {TYPE}")
    if (found := cursor.number(1, "the version")) != VERSION:
        raise InputError(f"offset 1: version {found}, this is version {VERSION}")
    end = cursor.number(4, "the length of the profile") + cursor.at
    profile = read_profile(cursor)
    if cursor.at != end:
        raise InputError(f"offset 2: a profile of {end - 6} bytes, it has {cursor.at - 6}")
    start, at = cursor.number(8, "start"), cursor.at
    size = cursor.number(8, "size")
    try:
        made = _backend.Range(profile.spec, start)
        made.restore(size, bytes(cursor.view[cursor.at :]))
    except InputError as error:
        raise InputError(f"offset {at}: {error}") from None
    return profile, made
