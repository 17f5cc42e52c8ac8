"""Memory between two pages that nobody may touch: reading one byte too many ends the process."""

from __future__ import annotations

import ctypes
import mmap
import os

PAGE = mmap.PAGESIZE
PROT_NONE = 0  # <sys/mman.h>


class Guarded:
    """At least `size` bytes, in whole pages, with a forbidden page on each side."""

    def __init__(self, size: int) -> None:
        pages = -(-size // PAGE)
        self._memory = mmap.mmap(-1, (pages + 2) * PAGE)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        libc = ctypes.CDLL(None, use_errno=True)
        for page in (0, pages + 1):
            if libc.mprotect(ctypes.c_void_p(base + page * PAGE), ctypes.c_size_t(PAGE), PROT_NONE):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self.pages = memoryview(self._memory)
        self._inside = self.pages[PAGE:-PAGE]

    def first(self, data: bytes) -> memoryview:
        """`data`, with the forbidden page right before it."""
        view = self._inside[: len(data)]
        view[:] = data
        return view

    def last(self, data: bytes) -> memoryview:
        """`data`, with the forbidden page right behind it."""
        view = self._inside[len(self._inside) - len(data) :]
        view[:] = data
        return view

    PLACES = (first, last)
