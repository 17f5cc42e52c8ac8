"""Bytes that say what they are: a cursor that checks every length, and the record of a profile.

The format is that of docs/formats.md. One profile has one record, and what is read back is checked anew.
"""

from __future__ import annotations

from merklecore.errors import InputError, MerkleCoreError
from merklecore.tree.profiles import LEAVES, Profile, profiles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["Cursor", "profile_record", "read_profile"]

ODDS = ("split", "duplicate", "pad", "rehash", "heap")  # their numbers; new ones at the end


class Cursor:
    """Reads a buffer from its beginning; InputError names the offset of what is wrong."""

    __slots__ = ("at", "end", "view")

    def __init__(self, data: ReadableBuffer) -> None:
        self.view = memoryview(data).cast("B")
        self.at, self.end = 0, self.view.nbytes

    def skip(self, size: int, what: str) -> None:
        """Pass over the next ``size`` bytes, which must be there."""
        if size > self.end - self.at:
            raise InputError(f"offset {self.at}: ends within {what}, which has {size} bytes")
        self.at += size

    def take(self, size: int, what: str) -> memoryview:
        """Return the next ``size`` bytes, where they lie."""
        self.skip(size, what)
        return self.view[self.at - size : self.at]

    def number(self, size: int, what: str) -> int:
        """Return an unsigned integer, the first byte the highest."""
        return int.from_bytes(self.take(size, what), "big")

    def code(self, values: int, what: str) -> int:
        """Return a byte that is below ``values``."""
        found = self.number(1, what)
        if found >= values:
            raise InputError(f"offset {self.at - 1}: {what} {found} is not between 0 and {values - 1}")
        return found

    def sized(self, size: int, what: str) -> bytes:
        """Return bytes behind their length, itself a number of ``size`` bytes."""
        return bytes(self.take(self.number(size, f"the length of {what}"), what))

    def finish(self, what: str) -> None:
        """Refuse bytes that are left."""
        if self.at != self.end:
            raise InputError(f"offset {self.at}: goes on after {what}")


def _sized(data: bytes, size: int) -> bytes:
    return len(data).to_bytes(size, "big") + data


def profile_record(profile: Profile) -> bytes:
    """Return the record of a profile.

    >>> profile_record(profiles["rfc6962"]).hex()
    '000000077266633639363206736861323536000000000100000000010100000001'
    """
    limit = b"\0" if profile.limit is None else b"\1" + (profile.limit - 1).to_bytes(8, "big")
    if profile.empty is None:
        empty = b"\0"
    elif isinstance(profile.empty, str):
        empty = b"\1"
    else:
        empty = b"\2" + _sized(profile.empty, 1)
    return b"".join(
        (
            _sized(profile.name.encode("utf-8", "surrogatepass"), 4),
            _sized(profile.algorithm.encode(), 1),
            bytes((LEAVES.index(profile.leaf),)),
            _sized(profile.leaf_prefix, 4),
            _sized(profile.node_prefix, 4),
            bytes((ODDS.index(profile.odd), profile.sort_pairs)),
            limit,
            empty,
        )
    )


def read_profile(cursor: Cursor) -> Profile:
    """Return the profile whose record stands at the cursor: the named one, if it is that.

    >>> read_profile(Cursor(profile_record(profiles["ssz"]))) is profiles["ssz"]
    True
    """
    begin = cursor.at
    try:
        name = cursor.sized(4, "the profile's name").decode("utf-8", "surrogatepass")
        algorithm = cursor.sized(1, "the algorithm's name").decode("ascii")
    except UnicodeDecodeError as error:
        raise InputError(f"offset {begin}: the profile: {error}") from None
    leaf = LEAVES[cursor.code(len(LEAVES), "the leaf rule")]
    leaf_prefix = cursor.sized(4, "the leaf prefix")
    node_prefix = cursor.sized(4, "the node prefix")
    odd = ODDS[cursor.code(len(ODDS), "the rule of odd levels")]
    sort_pairs = bool(cursor.code(2, "the order of pairs"))
    limit = cursor.number(8, "the limit") + 1 if cursor.code(2, "whether there is a limit") else None
    kind = cursor.code(3, "the root of no leaves")
    empty = (None, "hash")[kind] if kind < 2 else cursor.sized(1, "the root of no leaves")
    try:
        profile = Profile(
            name,
            algorithm,
            leaf=leaf,
            leaf_prefix=leaf_prefix,
            node_prefix=node_prefix,
            odd=odd,
            sort_pairs=sort_pairs,
            limit=limit,
            empty=empty,
        )
    except MerkleCoreError as error:
        raise InputError(f"offset {begin}: the profile: {error}") from None
    named = profiles.get(name)
    return named if named == profile and named is not None else profile
