"""Trees as bytes and as files: leaf hashes, and what is needed to see that nothing happened to them.

Inner nodes are not kept: hashed anew, nobody has to trust them. The format is that of docs/formats.md. This
is the one module of its floor that writes files.
"""

from __future__ import annotations

import os

from merklecore import _backend
from merklecore.errors import InputError
from merklecore.tree.profiles import profiles, resolve, same_rules
from merklecore.tree.records import Cursor, profile_record, read_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import ReadableBuffer, StrPath

    from merklecore.tree.profiles import Profile

__all__ = ["dumped", "load", "loaded", "save"]

MAGIC = b"\x89MCTREE\n"  # no text, and damaged by what changes the ends of lines
VERSION = 1
PIECE = 1 << 16  # bytes of a leaf of the checksum
WRITTEN = 1 << 23  # bytes at a time


def _head(profile: Profile, size: int) -> bytes:
    record = profile_record(profile)
    return b"".join(
        (MAGIC, bytes((VERSION,)), len(record).to_bytes(4, "big"), record, size.to_bytes(8, "big"))
    )


def _checksum(head: ReadableBuffer, rows: memoryview) -> bytes:
    """RFC 6962 root of the head and the pieces of the leaf hashes: it is computed in lanes and threads."""
    pieces = [rows[i : i + PIECE] for i in range(0, len(rows), PIECE)]
    try:
        return _backend.root(profiles["rfc6962"].spec, [head, *pieces])
    finally:
        for piece in pieces:
            piece.release()


def dumped(nodes: _backend.Nodes, profile: Profile) -> bytes:
    """Return a tree as bytes."""
    size = len(nodes)
    with _backend.level_rows(nodes, 0, 0, size) as rows:
        head = _head(profile, size)
        return b"".join((head, rows, _checksum(head, rows)))


def loaded(
    data: ReadableBuffer, root: bytes | None = None, wanted: Profile | str | None = None
) -> tuple[Profile, _backend.Nodes]:
    """Return profile and nodes of a tree that ``dumped`` or ``save`` wrote."""
    cursor = Cursor(data)
    if (magic := cursor.take(min(len(MAGIC), cursor.end), "the file's mark")) != MAGIC:
        raise InputError(
            f"offset 0: {bytes(magic).hex() or 'nothing'} is not the mark of a tree, {MAGIC.hex()}"
        )
    if (version := cursor.number(1, "the version")) != VERSION:
        raise InputError(f"offset {len(MAGIC)}: version {version}, this is version {VERSION}")
    at = cursor.at
    end = cursor.number(4, "the length of the profile") + cursor.at
    profile = read_profile(cursor)
    if cursor.at != end:
        raise InputError(f"offset {at}: a profile of {end - at - 4} bytes, it has {cursor.at - at - 4}")
    at = cursor.at
    size = cursor.number(8, "the number of leaves")
    head = cursor.view[: cursor.at]
    rows = cursor.take(size * profile.digest_size, "the leaf hashes")
    checksum, stands_at = cursor.take(32, "the checksum"), cursor.at - 32
    cursor.finish("the checksum")
    if checksum != _checksum(head, rows):
        raise InputError(f"offset {stands_at}: the checksum is another one: something is damaged")
    if wanted is not None and not same_rules(profile, resolve(wanted)):
        raise InputError(
            f"offset {len(MAGIC) + 5}: the profile {profile.name!r} has other rules than the one demanded"
        )
    nodes = _backend.Nodes(profile.spec)
    try:
        nodes.extend(rows, True)
    except InputError as error:  # more than the profile's limit
        raise InputError(f"offset {at}: {error}") from None
    if root is not None and (
        (size == 0 and profile.empty is None and profile.odd != "pad") or nodes.root() != root
    ):
        raise InputError("the root of the tree is not the one demanded")
    return profile, nodes


def load(path: StrPath, root: bytes | None, wanted: Profile | str | None) -> tuple[Profile, _backend.Nodes]:
    """Return what ``loaded`` makes of a file."""
    import mmap

    with open(path, "rb") as file:
        data: ReadableBuffer = b""
        if os.fstat(file.fileno()).st_size:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return loaded(data, root, wanted)


def save(nodes: _backend.Nodes, profile: Profile, path: StrPath) -> None:
    """Write a tree to a file, which is there whole or as it was before."""
    size = len(nodes)
    with _backend.level_rows(nodes, 0, 0, size) as rows:
        head = _head(profile, size)
        _replace(path, lambda: _pieces(head, rows))


def _pieces(head: bytes, rows: memoryview) -> Iterator[bytes | memoryview]:
    yield head
    for at in range(0, len(rows), WRITTEN):
        with rows[at : at + WRITTEN] as piece:
            yield piece
    yield _checksum(head, rows)


def _mode(target: str) -> int | None:
    """The permissions of the file that is there. What is no regular file, a device say, is not replaced."""
    import stat

    try:
        found = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found):
        raise InputError(f"path: {target!r} is there and is no regular file")
    return stat.S_IMODE(found)


def _replace(path: StrPath, pieces: Callable[[], Iterator[bytes | memoryview]]) -> None:
    """Write a file beside ``path`` and put it in its place once it is on the disk.

    A link stays, and what it leads to is replaced; permissions stay. Where anything fails, the new file is
    removed and the old one is as it was; killed on the way, a file ``.merklecore-*.tmp`` may be left.
    """
    target = os.path.realpath(os.fsdecode(path))
    mode = _mode(target)
    folder = os.path.dirname(target)
    beside = os.path.join(folder, f".merklecore-{os.urandom(8).hex()}.tmp")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        try:
            if mode is not None:
                os.fchmod(file, mode)
            for piece in pieces():
                at, size = 0, len(piece)
                while at < size:  # what is held is given back here: an error that is kept would keep it too
                    with memoryview(piece) as whole, whole[at:] as rest:
                        at += os.write(file, rest)
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(beside, target)
    except BaseException:
        os.unlink(beside)
        raise
    file = os.open(folder, os.O_RDONLY)  # its entry is data of the folder
    try:
        os.fsync(file)
    finally:
        os.close(file)
