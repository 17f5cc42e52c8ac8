"""Files as their bytes: mapped, unmasked where a key stands beside them, and searched piece by piece."""

from __future__ import annotations

import mmap
import os
import stat

from merklecore.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO

__all__ = ["File", "opened"]

LEAST_CHUNK, CHUNK = 64, 1 << 20  # bytes searched at once
KEY_FILE, KEY_SIZE = "xor.dat", 8
SMALL = 1024  # bytes that are unmasked without numpy


def opened(path: str) -> BinaryIO:
    """Open a regular file to read; InputError for anything else, without waiting for a writer."""
    if "\0" in path:
        raise InputError(f"{path!r:.200}: no path has a zero byte")
    file = open(path, "rb", opener=_at_once)
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise InputError(f"{path}: is no regular file")


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class File:
    """The bytes of a file, mapped, and unmasked where a key stands beside it."""

    __slots__ = ("_key", "_map", "_view", "size")

    def __init__(self, path: str) -> None:
        with opened(path) as file:
            self.size = os.fstat(file.fileno()).st_size
            self._map = mmap.mmap(file.fileno(), self.size, access=mmap.ACCESS_READ) if self.size else None
        self._view = memoryview(self._map or b"")
        self._key = _key_beside(path)

    @property
    def masked(self) -> bool:
        """Whether what is read is a copy."""
        return self._key is not None

    def read(self, start: int, stop: int) -> memoryview:
        """Return the bytes [start, stop), as far as there are any: uncopied, unless they are masked."""
        piece = self._view[start:stop]
        return piece if self._key is None else memoryview(_unmasked(piece, self._key, start))

    def pieces(self, start: int, more: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield copies up to the end with their offsets, larger and larger; ``more`` bytes overlap.

        What is looked for is mostly near, and must not cost a large copy each time it is.
        """
        step = LEAST_CHUNK
        while start < self.size:
            yield start, bytes(self.read(start, start + step + more))
            if step == CHUNK:
                self.forget(start, start + step)
            start += step
            step = min(step * 4, CHUNK)

    def find(self, what: bytes, start: int) -> int:
        """Return where ``what`` stands first from ``start`` on, or the file's size."""
        for at, piece in self.pieces(start, len(what) - 1):
            found = piece.find(what)
            if found >= 0:
                return at + found
        return self.size

    def skip_zeros(self, start: int) -> int:
        """Return where the first byte that is not zero stands from ``start`` on, or the file's size."""
        for at, piece in self.pieces(start):
            if piece != bytes(len(piece)):  # compared at once: stripping goes byte by byte
                return at + len(piece) - len(piece.lstrip(b"\x00"))
        return self.size

    def forget(self, start: int, stop: int) -> None:
        """Give back the pages of [start, stop), which are read again where they are needed again."""
        if self._map is not None and hasattr(self._map, "madvise"):
            start -= start % mmap.PAGESIZE
            if stop > start:
                self._map.madvise(mmap.MADV_DONTNEED, start, stop - start)


def _key_beside(path: str) -> bytes | None:
    """Return the key that masks the file (Bitcoin Core 28: xor.dat), or None where there is none."""
    beside = os.path.join(os.path.dirname(path), KEY_FILE)
    try:
        with opened(beside) as file:
            key = file.read(KEY_SIZE + 1)
    except FileNotFoundError:
        return None
    if len(key) != KEY_SIZE:
        raise InputError(f"{beside}: a key has {KEY_SIZE} bytes")
    return key if any(key) else None


def _unmasked(piece: memoryview, key: bytes, start: int) -> Any:
    size, turn = len(piece), start % KEY_SIZE
    turned = key[turn:] + key[:turn]
    if size <= SMALL:  # most are the beginnings of frames
        mask = int.from_bytes((turned * (size // KEY_SIZE + 1))[:size], "little")
        return (int.from_bytes(piece, "little") ^ mask).to_bytes(size, "little")
    import numpy

    out = numpy.empty(-(-size // KEY_SIZE) * KEY_SIZE, numpy.uint8)
    out[:size] = piece
    out.view(numpy.uint64)[:] ^= numpy.frombuffer(turned, numpy.uint64)
    return out[:size]
