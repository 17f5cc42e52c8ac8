"""Files by name, one after the other."""

from __future__ import annotations

import os
import stat
from errno import EISDIR

from merklecore.errors import InputError
from merklecore.reference.hashing import check_kernel, new
from merklecore.reference.inputs import check_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex, TypeAlias

    from _typeshed import WriteableBuffer

    Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]

__all__ = ["hash_files"]

BLOCK = 1 << 18


def hash_files(
    paths: Sequence[Path],
    algorithm: str,
    threads: SupportsIndex | None = None,
    kernel: str | None = None,
    done: WriteableBuffer | None = None,
) -> list[bytes | OSError]:
    """[H(content of the file), or the OSError that it met, for each path]."""
    new(algorithm)
    check_kernel(kernel)
    if not isinstance(paths, (list, tuple)):
        raise TypeError(f"paths: a list or tuple of names is needed, not {type(paths).__name__}")
    names = [_name(path, i) for i, path in enumerate(paths)]
    check_threads(threads)
    counter = None if done is None else _counter(done)
    found: list[bytes | OSError] = []
    for path, name in zip(paths, names, strict=True):
        try:
            found.append(_digest(name, algorithm, counter))
        except OSError as error:
            found.append(OSError(error.errno, error.strerror, path))
    return found


def _digest(name: bytes, algorithm: str, counter: memoryview | None) -> bytes:
    descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
        running = new(algorithm)
        while block := os.read(descriptor, BLOCK):
            running.update(block)
            if counter is not None:
                counter[0] += len(block)
        return running.digest()
    finally:
        os.close(descriptor)


def _name(path: Path, i: int) -> bytes:
    try:
        name = os.fsencode(path)
    except TypeError:
        raise TypeError(f"paths[{i}]: a name is needed, not {type(path).__name__}") from None
    except UnicodeEncodeError:
        raise InputError(f"paths[{i}]: no name of a file can be made of it") from None
    if b"\0" in name:
        raise InputError(f"paths[{i}]: a NUL byte, which no name of a file has")
    return name


def _counter(done: WriteableBuffer) -> memoryview:
    """The integer of 64 bits in ``done``."""
    try:
        view = memoryview(done)
    except TypeError:
        raise TypeError(f"done: a writable buffer is needed, not {type(done).__name__}") from None
    except (BufferError, ValueError) as error:
        raise InputError(f"done: {error}") from None
    if view.readonly or not view.c_contiguous:
        raise InputError("done: the buffer is not writable")
    if view.nbytes != 8:
        raise InputError("done: 8 bytes are needed, aligned as an integer is")
    return view.cast("B").cast("Q")
