"""A root over parts of the leaves that an executor hashes: threads, processes, or other machines.

Parts are aligned and of a power of two leaves, but for the last. Each worker makes a compact range of its
part and sends its bytes; they are merged in the order of the leaves. What is in flight is bounded, so that
memory does not grow with the leaves.
"""

from __future__ import annotations

import os

from merklecore import _backend
from merklecore.errors import InputError
from merklecore.tree.profiles import resolve, same_rules
from merklecore.tree.ranges import decoded, encoded
from merklecore.tree.streams import batches, is_stream, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from typing import Any, SupportsIndex

    from merklecore.hashing import Messages
    from merklecore.tree.profiles import Profile

__all__ = ["root"]

PART_BYTES = 1 << 23
PART_LEAVES = 1 << 18
PARTS = 16  # at least so many, where that leaves each of them LEAST leaves
LEAST = 1 << 10


def root(
    executor: Any,
    profile: Profile | str,
    leaves: Any,
    hashed: bool,
    threads: SupportsIndex | None,
) -> bytes:
    """Return the root over all leaves; what a worker raises is raised here as it is."""
    if not callable(getattr(executor, "submit", None)):
        kind = type(executor).__name__
        raise TypeError(f"executor: an object with submit(function, ...) is needed, not {kind}")
    profile = resolve(profile)
    parts = _cut(profile, leaves, hashed)
    if parts is None:  # nothing to cut, or what is refused
        return _backend.root(profile.spec, leaves, hashed, threads)
    merged, first, in_flight = _Merged(profile), 0, 2 * (os.cpu_count() or 1) + 2
    waiting: list[Future[bytes]] = []
    try:
        for n, function, *arguments in parts:
            if len(waiting) == in_flight:
                merged.add(waiting.pop(0).result())
            waiting.append(executor.submit(function, profile, first, *arguments, hashed, threads))
            first += n
        while waiting:
            merged.add(waiting.pop(0).result())
    except BaseException:  # an interrupt too: nothing goes on that nobody waits for
        for future in waiting:
            future.cancel()
        raise
    if not first:
        return _backend.root(profile.spec, (), hashed, threads)  # what was asked for is looked at there
    return merged.root(first, threads)


class _Merged:
    """What workers have sent: a range, or of a heap, which has no parts, the leaf hashes."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._range = _backend.Range(profile.spec)
        self._hashes = bytearray() if profile.odd == "heap" else None

    def add(self, data: bytes) -> None:
        if self._hashes is not None:
            self._hashes += data
            return
        profile, found = decoded(data)
        if not same_rules(profile, self._profile):
            raise InputError(f"executor: a worker has sent a range of profile {profile.name!r}")
        self._range.merge(found)

    def root(self, size: int, threads: SupportsIndex | None) -> bytes:
        if self._hashes is not None:
            return _backend.root(self._profile.spec, bytes(self._hashes), True, threads)
        if self._range.size != size:
            raise InputError(f"executor: workers have sent {self._range.size} leaves of {size}")
        return self._range.root()


# ---- in the worker -----------------------------------------------------------------------------------------


def reduce_part(
    profile: Profile, first: int, leaves: Messages, hashed: bool, threads: SupportsIndex | None
) -> bytes:
    """Hash the leaves from ``first`` on: an encoded range, or of a heap the leaf hashes."""
    if profile.odd == "heap":
        hashes = _backend.leaf_hashes(profile.spec, leaves, hashed, threads, what=place(first))
        return bytes(hashes)
    found = _backend.Range(profile.spec, first)
    found.extend(leaves, hashed, threads, what=place(first))
    return encoded(profile, found)


def reduce_file(
    profile: Profile,
    first: int,
    path: str,
    offset: int,
    n: int,
    width: int,
    state: tuple[int, int],
    hashed: bool,
    threads: SupportsIndex | None,
) -> bytes:
    """Hash n leaves of ``width`` bytes each that stand in a file, which is in this state before and after.

    They are read, not mapped: a file that is cut short under a mapping ends the process.
    """
    import numpy

    end = offset + n * width
    with open(path, "rb") as file:
        size, _ = before = _state(os.fstat(file.fileno()))
        if size < end:
            raise InputError(f"{path}: has {size} bytes, the leaves in it end at {end}")
        rows = numpy.fromfile(file, numpy.uint8, n * width, offset=offset)
        if before != state or _state(os.fstat(file.fileno())) != state or rows.size != n * width:
            raise InputError(f"{path}: has been changed or replaced since its leaves were given")
    return reduce_part(profile, first, rows.reshape(n, width), hashed, threads)


def _state(found: os.stat_result) -> tuple[int, int]:
    """Size and time of the last change: what a file has on every machine that it is seen from."""
    return found.st_size, found.st_mtime_ns


# ---- cutting -----------------------------------------------------------------------------------------------


def _cut(profile: Profile, leaves: Any, hashed: bool) -> Iterator[tuple[Any, ...]] | None:
    """Parts: how many leaves, the worker's function, and its arguments between ``first`` and ``hashed``."""
    if is_stream(leaves):
        stream = batches(leaves, PART_LEAVES, PART_BYTES)
        return ((len(batch), reduce_part, batch) for batch in stream)
    if isinstance(leaves, (list, tuple)):
        return _cut_items(tuple(leaves))
    if hasattr(leaves, "__arrow_c_array__") or hasattr(leaves, "__arrow_c_stream__"):
        raise InputError(
            "leaves: Arrow data is not cut into parts; without an executor it is read as it lies"
        )
    return _cut_rows(leaves, profile.digest_size if hashed or profile.leaf == "as_is" else 0)


def _part_leaves(n: int, width: int) -> int:
    """Leaves of a part: a power of two."""
    most = min(PART_LEAVES, max(1, PART_BYTES // max(width, 1)), max(n // PARTS, LEAST))
    return 1 << most.bit_length() - 1


def _cut_items(items: tuple[Any, ...]) -> Iterator[tuple[Any, ...]] | None:
    n = len(items)
    try:
        looked_at = items[:: max(n // 64, 1)]
        width = sum(map(len, looked_at)) // max(len(looked_at), 1)
    except TypeError:
        return None  # no bytes
    step = _part_leaves(n, width)
    return ((min(step, n - i), reduce_part, items[i : i + step]) for i in range(0, n, step))


def _cut_rows(leaves: Any, width: int) -> Iterator[tuple[Any, ...]] | None:
    """Rows of an array or a flat buffer; None for what the backend has to look at."""
    import numpy

    try:
        view = memoryview(leaves)
    except (TypeError, ValueError, BufferError):
        return None
    form = view.format.lstrip("@=<>!")
    if not view.c_contiguous or not view.nbytes or isinstance(leaves, str):
        return None
    shape = view.shape or ()
    if view.itemsize == 1 and form in "Bbc" and view.ndim == 2:
        n, width = shape
    elif view.ndim == 1 and form[-1] in "sx" and (form[:-1].isdigit() or len(form) == 1):
        n, width = shape[0], view.itemsize
    elif view.itemsize == 1 and form in "Bbc" and view.ndim == 1 and width and view.nbytes % width == 0:
        n = view.nbytes // width
    else:
        return None
    step, file = _part_leaves(n, width), _file_of(leaves)
    if file is not None:
        path, begin, state = file
        sizes = [(i, min(step, n - i)) for i in range(0, n, step)]
        return ((m, reduce_file, path, begin + i * width, m, width, state) for i, m in sizes)
    if isinstance(leaves, numpy.ndarray):
        rows = numpy.ndarray.view(leaves, numpy.ndarray).view(numpy.uint8).reshape(n, width)
    else:
        rows = numpy.frombuffer(leaves, numpy.uint8).reshape(n, width)
    return ((min(step, n - i), reduce_part, rows[i : i + step]) for i in range(0, n, step))


def _file_of(leaves: Any) -> tuple[str, int, tuple[int, int]] | None:
    """Path, offset and state of the file that an array is; None where its path leads to that no longer."""
    import mmap

    import numpy

    if not isinstance(leaves, numpy.memmap):
        return None
    whole: Any = leaves
    while isinstance(whole.base, numpy.ndarray):
        whole = whole.base
    if not isinstance(whole, numpy.memmap) or not isinstance(whole.base, mmap.mmap):
        return None
    if whole.mode == "c" or whole.filename is None:  # changes of its own, or no name
        return None
    address, begin = leaves.__array_interface__["data"][0], whole.__array_interface__["data"][0]
    path = os.path.abspath(whole.filename)
    try:
        found = os.stat(path)
    except OSError:
        return None
    if _mapped_inode(address) not in (found.st_ino, None):
        return None
    return path, whole.offset + address - begin, _state(found)


def _mapped_inode(address: int) -> int | None:
    """The inode of the file that is mapped at an address; None where the system does not tell."""
    try:
        with open("/proc/self/maps", "rb") as maps:
            for line in maps:
                span, _, _, _, inode, *_ = line.split(maxsplit=5)
                begin, _, end = span.partition(b"-")
                if int(begin, 16) <= address < int(end, 16):
                    return int(inode)
    except OSError:
        pass
    return None
