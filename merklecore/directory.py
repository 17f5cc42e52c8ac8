"""The leaves of a directory: the lines that ``sha256sum`` prints for its regular files.

Leaf i is ``<hex>  <path>\\n`` for the i-th file, with paths relative to the directory and in byte order of
the whole path, exactly as every system's own tools list them::

    cd DIR && find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 -r sha256sum --

so whoever doubts a leaf remakes it without this library. A name that holds a backslash, a newline or a
carriage return is escaped as GNU coreutils 9 does: the line then starts with a backslash (coreutils 8 left
carriage returns as they are). Links are not followed, special files are not opened; both are reported. This
module lists and reads; it knows nothing of trees.
"""

from __future__ import annotations

import os
import stat

from merklecore.errors import InputError
from merklecore.hashing import digest, hash_many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

__all__ = ["files", "line", "lines"]

# Few files are hashed one by one: hash_many returns an array, and importing numpy for it takes 60 to 100 ms.
# On two cores and sources of some 20 kB it saves 7 us a file with SHA-NI, 47 us where AVX2 is the best:
# it pays from 10,000 files on with the first and from 1,700 with the second.
FEW_FILES = 4_000
BATCH_FILES = 1_024
BATCH_BYTES = 64 << 20
BIG_FILE = 16 << 20  # from here a file is streamed, so that memory stays bounded by one batch
BLOCK = 1 << 20
# The name was listed as a regular file. Should it have become a link or a pipe since, neither is followed nor
# waited for.
OPEN_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)


def files(
    directory: str | bytes | os.PathLike[str], leave_out: Collection[bytes] = ()
) -> tuple[list[bytes], list[tuple[bytes, str]]]:
    """List the regular files below ``directory``: relative paths in byte order; and what was skipped, why.

    Directories whose own name is in ``leave_out`` are skipped wherever they are. Reasons are ``"link"``,
    ``"special file"`` and ``"left out"``. OSError names a directory that cannot be read; InputError is raised
    for a file named ``-`` at the top, which ``sha256sum`` would take for standard input.
    """
    top = os.fsencode(directory)
    found: list[bytes] = []
    skipped: list[tuple[bytes, str]] = []
    waiting = [b""]
    while waiting:
        below = waiting.pop()
        with os.scandir(os.path.join(top, below)) as entries:
            for entry in entries:
                path = below + entry.name
                if entry.is_symlink():
                    skipped.append((path, "link"))
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name in leave_out:
                        skipped.append((path, "left out"))
                    else:
                        waiting.append(path + b"/")
                elif not entry.is_file(follow_symlinks=False):
                    skipped.append((path, "special file"))
                elif path == b"-":
                    raise InputError(
                        f"{os.path.join(os.fsdecode(top), '-')}: a file named '-' at the top has no leaf, "
                        "for sha256sum would read standard input instead"
                    )
                else:
                    found.append(path)
    found.sort()
    skipped.sort()
    return found, skipped


def line(digest: bytes, path: bytes) -> bytes:
    r"""Return the line of ``sha256sum`` for a file with this SHA-256 digest, its newline included.

    >>> line(bytes(2), b"a b")
    b'0000  a b\n'
    >>> line(bytes(2), b"a\\b")
    b'\\0000  a\\\\b\n'
    """
    if b"\\" in path or b"\n" in path or b"\r" in path:
        path = path.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
        return b"\\%b  %b\n" % (digest.hex().encode(), path)
    return b"%b  %b\n" % (digest.hex().encode(), path)


def lines(directory: str | bytes | os.PathLike[str], paths: Sequence[bytes]) -> Iterator[bytes]:
    """Read the files ``paths`` (as ``files`` lists them) and yield their lines in that order.

    Memory stays within one batch: 64 MiB and the largest file under 16 MiB. A file that changes meanwhile is
    what was read of it. OSError names the file that cannot be read.
    """
    top = os.fsencode(directory)
    if len(paths) < FEW_FILES:
        for path in paths:
            data, hashed = _read(os.path.join(top, path))
            yield line(data if hashed else digest(data, "sha256"), path)
        return
    start = 0
    while start < len(paths):
        digests: list[bytes] = []
        places: list[int] = []
        contents: list[bytes] = []
        held = 0
        for path in paths[start : start + BATCH_FILES]:
            data, hashed = _read(os.path.join(top, path))
            digests.append(data)
            if not hashed:
                places.append(len(digests) - 1)
                contents.append(data)
                held += len(data)
                if held >= BATCH_BYTES:
                    break
        for place, row in zip(places, hash_many(contents, "sha256"), strict=True):
            digests[place] = row.tobytes()
        contents.clear()
        for path, value in zip(paths[start : start + len(digests)], digests, strict=True):
            yield line(value, path)
        start += len(digests)


def _read(path: bytes) -> tuple[bytes, bool]:
    """Return (content, False) of a regular file, or (SHA-256 digest, True) when it is big."""
    descriptor = os.open(path, OPEN_FLAGS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{os.fsdecode(path)}: was a regular file when it was listed and is none now")
        if status.st_size <= BIG_FILE:
            # One byte more than the size tells the end of the file without a second buffer.
            data = os.read(descriptor, status.st_size + 1)
            if len(data) <= status.st_size and not os.read(descriptor, 1):
                return data, False
            os.lseek(descriptor, 0, os.SEEK_SET)
        import hashlib

        running = hashlib.sha256()
        while block := os.read(descriptor, BLOCK):
            running.update(block)
        return running.digest(), True
    except OSError as error:
        error.filename = error.filename or path
        raise
    finally:
        os.close(descriptor)
