"""Block files: where blocks stand in them, and how they are checked batch by batch.

A file of Bitcoin Core is a row of frames: the network's magic, the block's size (u32 little-endian), the
block. What stands between two frames is padding where it is zeros, else a gap that is told of. Without a
magic at its start, a file is taken for raw blocks, one after another, whose sizes a scan finds out.

First the frames are listed and their headers read; then blocks are checked in the order of the file, many at
a time.
"""

from __future__ import annotations

import re
from array import array

from merklecore.blocks.chains import bitcoin
from merklecore.blocks.codes import Code
from merklecore.blocks.index import Contexts
from merklecore.blocks.mapped import File
from merklecore.blocks.report import Kept, Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy import int64, uint8
    from numpy.typing import NDArray

    from merklecore._backend import Bitcoin
    from merklecore.blocks.chains.bitcoin import Params

__all__ = ["check_file", "holds_blocks", "others", "read_headers"]

BATCH_BYTES = 64 << 20  # checked in one call: all threads wait for its last block, which must not show
BATCH_BLOCKS = 4096
LEAST_WINDOW = 1 << 10  # bytes unmasked for a block of unknown size
FORGET = 64 << 20  # bytes walked over before their pages are given back
FRAME = 8  # bytes: magic and size
LEAST, MOST = bitcoin.LEAST_BLOCK, bitcoin.MAX_BLOCK  # bytes of the block in a frame
# The same as a pattern, of u32 little-endian.
SIZE = rb"(?s:[\x51-\xff]\0\0\0|.[\x01-\xff]\0\0|..[\x01-\x3c]\0|.[\0-\x08]\x3d\0|\0\x09\x3d\0)"
MAX_ROOM = 1 << 62
LOOKS, SMALL = 4, 5000  # sizes looked at one by one, and in how many bytes at most: else numpy is faster
# A frame, no frame, a frame that is none; and what the file ends in: of a frame, of a raw block.
BLOCK, GAP, BROKEN, TAIL, REST = range(5)


class Frames:
    """Where the blocks of a file stand, and what else is there; headers are kept, 80 bytes a block."""

    __slots__ = ("ends", "headers", "odd_ends", "odd_kinds", "odd_starts", "starts", "unfinished")

    def __init__(self) -> None:
        self.starts = array("q")  # of blocks
        self.ends = array("q")
        self.headers = bytearray()
        self.odd_starts = array("q")  # of gaps and broken frames
        self.odd_ends = array("q")
        self.odd_kinds = array("b")
        self.unfinished = False  # whether the file ends in the last block

    def add(self, kind: int, start: int, end: int, header: memoryview | bytes = b"") -> None:
        """Append a block's frame, or what is none."""
        if kind == BLOCK:
            self.starts.append(start)
            self.ends.append(end)
            self.headers += header
        else:
            self.odd_starts.append(start)
            self.odd_ends.append(end)
            self.odd_kinds.append(kind)


def _walk_frames(file: File, magic: bytes, frames: Frames) -> None:
    """List the frames of a file."""
    size, read, add = file.size, file.read, frames.add
    zeros = leading_zeros(magic)
    at = forgotten = 0
    while at < size:
        if at - forgotten > FORGET:
            file.forget(forgotten, at)
            forgotten = at
        head = bytes(read(at, at + FRAME + bitcoin.HEADER_SIZE))
        kind = BROKEN if head[:4] == magic and len(head) >= FRAME else GAP
        if kind == BROKEN:
            length = int.from_bytes(head[4:FRAME], "little")
            end = at + FRAME + length
            if LEAST <= length <= MOST and end <= size:
                add(BLOCK, at + FRAME, end, head[FRAME:])
                at = end
                continue
        if head[0] == 0:
            past = file.skip_zeros(at)
            if past == size:
                break
            before = max(at, past - zeros)
            if before > at:
                at = before
                continue
        end = _next_frame(file, magic, at + 1)
        tail = end if end < size else _tail(file, magic, at)
        if tail > at:
            add(kind, at, tail)
        if end == size and tail < size:
            add(TAIL, tail, tail)
        at = end
    file.forget(forgotten, size)


def _next_frame(file: File, magic: bytes, start: int, cut: bool = False) -> int:
    """Return where the first whole frame stands from ``start`` on, or the file's size.

    cut: the first one with a possible size, be it cut off by the end of the file.
    """
    for at, piece in file.pieces(start, FRAME - 1):
        found = _first_of(piece, magic, MAX_ROOM if cut else file.size - at)
        if found >= 0:
            return at + found
    return file.size


def _first_of(piece: bytes, magic: bytes, room: int) -> int:
    """Return where the first frame begins in a piece that ends within ``room``, or -1.

    Bytes that are made to look like frames do not cost a step of Python each.
    """
    at = piece.find(magic)  # much faster than the pattern
    if at < 0:
        return -1
    possible = re.compile(re.escape(magic) + SIZE).search
    for _ in range(LOOKS if len(piece) <= SMALL else 0):
        hit = possible(piece, at)
        if hit is None:
            return -1
        at = hit.start()
        if hit.end() + int.from_bytes(piece[at + 4 : at + FRAME], "little") <= room:
            return at
        at += 1
    return _first_of_many(piece, at, magic, room)


def _first_of_many(piece: bytes, start: int, magic: bytes, room: int) -> int:
    """Return where the first frame from ``start`` on begins, as ``_first_of``."""
    import numpy

    found = []
    for at in range(start, min(start + 4, len(piece) - FRAME + 1)):  # words of 4 bytes, at each alignment
        words = numpy.frombuffer(piece, "<u4", (len(piece) - at) // 4, at)
        places = (words[:-1] == int.from_bytes(magic, "little")).nonzero()[0]
        lengths = words[1:][places]
        ends = at + 4 * places + FRAME + lengths
        places = places[(lengths >= LEAST) & (lengths <= MOST) & (ends <= room)]
        if len(places):
            found.append(at + 4 * int(places[0]))
    return min(found, default=-1)


def _tail(file: File, magic: bytes, start: int) -> int:
    """Return where the frame begins that the file ends in, not before ``start``, or the file's size.

    Its size may be missing, its magic be cut off too: that much may stand at the end of a block's bytes by
    chance, so a frame that begins earlier comes first.
    """
    found = _next_frame(file, magic, max(start, file.size - FRAME - MOST), cut=True)
    if found < file.size:
        return found
    first = max(start, file.size - FRAME + 1)
    rest = bytes(file.read(first, file.size))
    for i in range(len(rest) - leading_zeros(magic)):
        if magic.startswith(rest[i : i + len(magic)]):
            return first + i
    return file.size


def _walk_raw(file: File, backend: Bitcoin, frames: Frames) -> None:
    """List raw blocks; one that cannot be read to its end takes as much of the file as a block may have."""
    at = past = 0
    while True:
        if past <= at:  # else zeros go on: they are not counted anew for each block that is made of them
            past = file.skip_zeros(at)
        if past == file.size:
            return
        if file.size - at < bitcoin.LEAST_BLOCK:
            frames.add(REST, at, at)
            return
        header = bytes(file.read(at, at + bitcoin.HEADER_SIZE))
        end = _raw_end(file, backend, at)
        if not end and file.size - at < bitcoin.MAX_BLOCK:  # the last, of which more may come
            frames.add(BLOCK, at, file.size, header)
            frames.unfinished = True
            return
        end = end or at + bitcoin.MAX_BLOCK
        frames.add(BLOCK, at, end, header)
        at = end


def _raw_end(file: File, backend: Bitcoin, at: int) -> int:
    """Return where the block at ``at`` ends, or 0 where that is not within the bytes a block may have."""
    window = LEAST_WINDOW if file.masked else bitcoin.MAX_BLOCK
    while True:
        size = bitcoin.scanned_size(backend, file.read(at, at + window))
        if size or at + window >= file.size or window == bitcoin.MAX_BLOCK:
            return at + size if size else 0
        window = min(window * 8, bitcoin.MAX_BLOCK)


def _listed(file: File, params: Params, backend: Bitcoin) -> Frames:
    """List what is in the file, from its start on: what is not checked again may be ancestors."""
    frames = Frames()
    if _is_framed(file, params.magic) or not (
        _holds_root(file, backend)
        or (others(file, params) is None and file.find(params.magic, 0) == file.size)
    ):
        _walk_frames(file, params.magic, frames)
    else:
        _walk_raw(file, backend, frames)
    return frames


def holds_blocks(params: Params, backend: Bitcoin, file: File) -> bool:
    """Tell whether a file is one of blocks, by its frames or by the Merkle root of a raw block."""
    if _is_framed(file, params.magic):
        return file.skip_zeros(0) < file.size
    return (
        _holds_root(file, backend)
        or others(file, params) is not None
        or _next_frame(file, params.magic, 0) < file.size
    )


def _holds_root(file: File, backend: Bitcoin) -> bool:
    """Tell whether a file begins with a raw block that holds its own Merkle root: no garbage does."""
    first = backend.check_block(file.read(0, _raw_end(file, backend, 0)), None, None)
    return first.root == bytes(file.read(bitcoin.ROOT.start, bitcoin.ROOT.stop))


def _is_framed(file: File, magic: bytes) -> bool:
    """Tell whether a file begins with a magic, padding aside, or is nothing but padding."""
    past = file.skip_zeros(0)
    start = max(0, past - leading_zeros(magic))
    return past == file.size or file.read(start, start + len(magic)) == magic


def others(file: File, params: Params) -> str | None:
    """Return the other network whose frame a file begins with, padding aside, or None."""
    start = file.skip_zeros(0)
    head = bytes(file.read(start, start + FRAME))
    possible = LEAST <= int.from_bytes(head[4:], "little") <= MOST and head[:4] != params.magic
    return bitcoin.network_of(head[:4]) if possible else None


def leading_zeros(magic: bytes) -> int:
    """Return how many bytes a magic shares with padding."""
    return len(magic) - len(magic.lstrip(b"\x00"))


def check_file(
    params: Params,
    backend: Bitcoin,
    rules: tuple[str, ...],
    threads: int | None,
    path: str,
    offset: int,
    context: tuple[Any, ...] | None,
    now: int | None,
) -> Iterator[Report]:
    """Yield a report for each block, and each thing that is none, from ``offset`` on."""
    file = File(path)
    if offset >= file.size:
        return
    frames = _listed(file, params, backend)
    nothing = backend.check_block(b"", None, None).unchecked
    contexts = Contexts(backend, frames.headers, context, threads)
    row, odd = 0, 0
    # What goes on behind the offset was not whole when an earlier run ended there.
    while row < len(frames.starts) and frames.starts[row] < offset and frames.ends[row] <= offset:
        contexts.take(row)
        row += 1
    while odd < len(frames.odd_starts) and frames.odd_starts[odd] < offset and frames.odd_ends[odd] <= offset:
        odd += 1
    while row < len(frames.starts):
        stop = _batch(frames, row)
        base, end = frames.starts[row], frames.ends[stop - 1]
        spans = [(frames.starts[i] - base, frames.ends[i] - base) for i in range(row, stop)]
        checked = backend.check_many(
            file.read(base, end), spans, [contexts.take(i) for i in range(row, stop)], now, threads
        )
        for i, found in enumerate(checked, row):
            while odd < len(frames.odd_starts) and frames.odd_starts[odd] < frames.starts[i]:
                yield _odd_report(file, rules, nothing, frames, odd)
                odd += 1
            cut = frames.unfinished and i == len(frames.starts) - 1
            yield Report(found, rules, frames.starts[i], frames.starts[i] if cut else frames.ends[i])
        file.forget(base, end)
        row = stop
    for i in range(odd, len(frames.odd_starts)):
        yield _odd_report(file, rules, nothing, frames, i)


def _batch(frames: Frames, row: int) -> int:
    """Return the end of the batch that begins with a block: as many as fit, one at least."""
    most = min(row + BATCH_BLOCKS, len(frames.starts))
    limit = frames.starts[row] + BATCH_BYTES
    stop = row + 1
    while stop < most and frames.ends[stop] <= limit:
        stop += 1
    return stop


def _odd_report(file: File, rules: tuple[str, ...], unchecked: int, frames: Frames, i: int) -> Report:
    """Report bytes that are no block: one fault, and no rule checked."""
    start, end = frames.odd_starts[i], frames.odd_ends[i]
    head = bytes(file.read(start, start + FRAME))
    if frames.odd_kinds[i] == GAP:
        code, a, b = Code.BAD_MAGIC, int.from_bytes(head[:4], "little"), 0
    elif frames.odd_kinds[i] == REST:
        code, a, b = Code.TRUNCATED, bitcoin.LEAST_BLOCK, file.size - start
    else:
        code, a, b = Code.TRUNCATED, *_broken(head, file.size - start)
    found = Kept(faults=[(int(code), 0, -1, a, b)], fault_count=1, unchecked=unchecked, size=end - start)
    return Report(found, rules, start, end)


def _broken(head: bytes, left: int) -> tuple[int, int]:
    """Return the bytes that a broken frame needs, and those it may have."""
    if len(head) < FRAME:
        return FRAME, len(head)
    length = int.from_bytes(head[4:], "little")
    if length < bitcoin.LEAST_BLOCK:
        return bitcoin.LEAST_BLOCK, length
    return length, min(left - FRAME, bitcoin.MAX_BLOCK)


def read_headers(params: Params, backend: Bitcoin, path: str) -> tuple[NDArray[uint8], NDArray[int64]]:
    """Return the headers of a file's blocks in its order, and where the blocks begin."""
    import numpy

    frames = _listed(File(path), params, backend)
    rows = numpy.frombuffer(frames.headers, numpy.uint8).reshape(-1, bitcoin.HEADER_SIZE)
    return rows, numpy.array(frames.starts, numpy.int64)
