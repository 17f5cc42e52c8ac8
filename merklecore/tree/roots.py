"""Roots of leaves that nobody keeps: at once, from a stream, or over an executor."""

from __future__ import annotations

from merklecore import _backend
from merklecore.tree import streams
from merklecore.tree.profiles import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Executor
    from typing import SupportsIndex

    from merklecore.hashing import Data, Messages
    from merklecore.tree.profiles import Profile

__all__ = ["merkle_root"]


def merkle_root(
    leaves: Messages | Iterable[Data],
    profile: Profile | str = "rfc6962",
    *,
    hashed: bool = False,
    threads: SupportsIndex | None = None,
    executor: Executor | None = None,
) -> bytes:
    """Return the root over n leaves, d bytes, without keeping the tree: O(log n) memory beyond the input.

    Where the profile's tree is a heap (OpenZeppelin) no node has its place before the number of leaves is
    known, so there it takes up to 2 n d bytes.

    leaves: what ``hash_many`` takes, n of any lengths; with ``hashed``, or where the profile takes leaves as
    they are, n digests of d bytes, which may also stand in one flat buffer. Or any other iterable of leaves,
    which is taken in batches, so that its end need not be known or fit into memory. (With odd="heap" all leaf
    hashes are held.) A set or a dict, which is in no order of yours, is refused.
    profile: a name in ``profiles`` or a Profile.
    hashed: the leaves are leaf hashes already.
    threads: None (as many as the CPUs when the work is large), or 1 to 1024. The root is the same.
    executor: an object with ``submit``, as ``concurrent.futures.Executor`` has, or Dask's
    ``client.get_executor()``: aligned parts of the leaves are hashed by its workers, each in as many
    ``threads``. A numpy.memmap travels as path and offsets, and workers open the file, which must stay as it
    is meanwhile (InputError); all else travels as slices. What a worker raises is raised here. Not for Arrow
    data (InputError).

    InputError for input that is wrong, more leaves than the profile's limit, or no leaves where the profile
    has no root for that; TypeError for a wrong type. Of a stream a message calls leaf 70 ``leaves[64:][6]``.

    >>> merkle_root([b"a", b"b", b"c"]).hex()[:16]
    '36642e73c2540ab1'
    """
    if executor is not None:
        from merklecore.tree import parts

        return parts.root(executor, profile, leaves, hashed, threads)
    if streams.is_stream(leaves):
        return streams.root(resolve(profile), leaves, hashed, threads)
    return _backend.root(resolve(profile).spec, leaves, hashed, threads)  # type: ignore[arg-type]  # no stream
