"""Trees as bytes and as files: leaf hashes, and what is needed to see that nothing happened to them.

Inner nodes are not kept: hashed anew, nobody has to trust them. The format is that of docs/formats.md. This
is the one module of its floor that writes files.
"""

from __future__ import annotations

import errno
import os
import stat

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
PART = 1 << 23  # bytes that are read or written at a time: many pieces, and leaf hashes of any size


def _head(profile: Profile, size: int) -> bytes:
    record = profile_record(profile)
    return b"".join(
        (MAGIC, bytes((VERSION,)), len(record).to_bytes(4, "big"), record, size.to_bytes(8, "big"))
    )


class _Checksum:
    """RFC 6962 root of the head and the pieces of the leaf hashes: it is computed in lanes and threads."""

    def __init__(self, head: bytes) -> None:
        self._spec = profiles["rfc6962"].spec
        self._hashes = bytearray(_backend.leaf_hash(self._spec, head))

    def add(self, rows: memoryview) -> None:
        """Take leaf hashes, whole pieces of them unless they are the last."""
        pieces = [rows[i : i + PIECE] for i in range(0, len(rows), PIECE)]
        try:
            self._hashes += _backend.leaf_hashes(self._spec, pieces).tobytes()
        finally:
            for piece in pieces:
                piece.release()

    def value(self) -> bytes:
        return _backend.root(self._spec, self._hashes, True)


def _parts(size: int) -> Iterator[tuple[int, int]]:
    """Where parts of so many bytes begin and end: as much as is held, or written, at a time."""
    return ((at, min(at + PART, size)) for at in range(0, size, PART))


def dumped(nodes: _backend.Nodes, profile: Profile) -> bytes:
    """Return a tree as bytes."""
    size = len(nodes)
    with _backend.level_rows(nodes, 0, 0, size) as rows:
        head = _head(profile, size)
        checksum = _Checksum(head)
        checksum.add(rows)
        return b"".join((head, rows, checksum.value()))


def loaded(
    data: ReadableBuffer, root: bytes | None, wanted: Profile | str | None
) -> tuple[Profile, _backend.Nodes]:
    """Return profile and nodes of a tree that ``dumped`` or ``save`` wrote."""
    return _read(Cursor(data), root, wanted)


def _read(cursor: Cursor, root: bytes | None, wanted: Profile | str | None) -> tuple[Profile, _backend.Nodes]:
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
    rows_at = cursor.at
    cursor.skip(size * profile.digest_size, "the leaf hashes")
    stands_at = cursor.at
    demanded = cursor.take(32, "the checksum")
    cursor.finish("the checksum")  # every length has been found right: now what takes time
    nodes = _backend.Nodes(profile.spec)
    try:
        nodes.make_room(size)
    except InputError as error:  # more than the profile's limit
        raise InputError(f"offset {at}: {error}") from None
    checksum = _Checksum(_head(profile, size))
    for begin, stop in _parts(size * profile.digest_size):
        cursor.at = rows_at + begin
        rows = cursor.take(stop - begin, "the leaf hashes")
        checksum.add(rows)
        nodes.extend(rows, True)
    if demanded != checksum.value():
        raise InputError(f"offset {stands_at}: the checksum is another one: something is damaged")
    if wanted is not None and not same_rules(profile, resolve(wanted)):
        raise InputError(
            f"offset {len(MAGIC) + 5}: the profile {profile.name!r} has other rules than the one demanded"
        )
    if root is not None and (
        (size == 0 and profile.empty is None and profile.odd != "pad") or nodes.root() != root
    ):
        raise InputError("the root of the tree is not the one demanded")
    return profile, nodes


class _FileCursor(Cursor):
    """Reads a file part by part. (Mapped into memory, one that is cut short would end the process.)"""

    __slots__ = ("_file",)

    def __init__(self, file: int) -> None:
        self._file, self.at, self.end = file, 0, os.fstat(file).st_size

    def take(self, size: int, what: str) -> memoryview:
        at = self.at
        self.skip(size, what)
        found = os.pread(self._file, size, at)
        while len(found) < size:  # the system gives 2 GiB at most
            if not (more := os.pread(self._file, size - len(found), at + len(found))):
                raise InputError(f"offset {at + len(found)}: the file has become shorter while it was read")
            found += more
        return memoryview(found)

    def unchanged(self) -> None:
        """Refuse a file that has become another length."""
        if (size := os.fstat(self._file).st_size) != self.end:
            kind = "shorter" if size < self.end else "longer"
            raise InputError(f"offset {min(size, self.end)}: the file has become {kind} while it was read")


def load(path: StrPath, root: bytes | None, wanted: Profile | str | None) -> tuple[Profile, _backend.Nodes]:
    """Return what ``loaded`` makes of a file."""
    name = _named(path)
    file = os.open(name, os.O_RDONLY | os.O_NONBLOCK)  # a pipe is refused, not waited for
    try:
        mode = os.fstat(file).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        if not stat.S_ISREG(mode):
            raise InputError(f"path: {name!r} is no regular file")
        cursor = _FileCursor(file)
        found = _read(cursor, root, wanted)
        cursor.unchanged()
        return found
    finally:
        os.close(file)


def save(nodes: _backend.Nodes, profile: Profile, path: StrPath) -> None:
    """Write a tree to a file, which is there whole or as it was before."""
    size = len(nodes)
    with _backend.level_rows(nodes, 0, 0, size) as rows:
        head = _head(profile, size)
        _replace(path, lambda: _pieces(head, rows))


def _pieces(head: bytes, rows: memoryview) -> Iterator[bytes | memoryview]:
    yield head
    checksum = _Checksum(head)
    for begin, stop in _parts(len(rows)):
        with rows[begin:stop] as part:
            checksum.add(part)
            yield part
    yield checksum.value()


def _named(path: StrPath) -> str:
    """A path as text. A number is none: of an open file, whoever closes it would be surprised."""
    try:
        name = os.fsencode(path)
    except TypeError:
        raise TypeError(f"path: a name is needed, not {type(path).__name__}") from None
    except UnicodeEncodeError:
        raise InputError("path: no name of a file can be made of it") from None
    if b"\0" in name:
        raise InputError("path: a NUL byte, which no name of a file has")
    return os.fsdecode(name)


def _mode(target: str) -> int | None:
    """The permissions of the file that is there. What is no regular file, a device say, is not replaced."""
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
    removed and the old one is as it was; killed on the way, a file ``.merklecore-*.tmp`` may be left. Only
    when the folder cannot be forced to the disk, which comes last, is the new file in its place already.
    """
    target = os.path.realpath(_named(path))
    mode = _mode(target)
    folder = os.open(os.path.dirname(target), os.O_RDONLY)  # one that cannot be opened is met before writing
    try:
        _write_beside(target, mode, pieces)
        os.fsync(folder)  # the file's entry is data of the folder
    finally:
        os.close(folder)


def _write_beside(target: str, mode: int | None, pieces: Callable[[], Iterator[bytes | memoryview]]) -> None:
    beside = os.path.join(os.path.dirname(target), f".merklecore-{os.urandom(8).hex()}.tmp")
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
    except BaseException:  # an interrupt too: nothing is left behind
        os.unlink(beside)
        raise
