"""Where the leaves of ``root`` and ``prove`` come from: a directory, files, chunks, or lines.

A ``Source`` is chosen from the arguments; ``grow`` reads it batch by batch into a tree. Nothing here keeps
more than one batch (64 MiB, or one leaf when it is longer) besides the tree's own nodes.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

import merklecore as mc
from merklecore.cli.terminal import Progress, shown
from merklecore.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from merklecore.tree.profiles import Profile

    # leaves, whether they are leaf hashes already, and how far the input has been read
    Batch = tuple[list[bytes] | list[memoryview], bool, int]

__all__ = ["LARGEST_CHUNK", "Source", "grow", "parse_size", "reading"]

UNITS = {
    "": 1, "B": 1,
    "kB": 10**3, "MB": 10**6, "GB": 10**9,
    "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
}  # fmt: skip
LARGEST_CHUNK = 1 << 30
BATCH_BYTES = 64 << 20
BATCH_LEAVES = 1 << 16
BIG_FILE = 16 << 20
BLOCK = 4 << 20


def parse_size(text: str) -> int:
    """Return the bytes that ``text`` stands for, 1 to 1 GiB; ValueError says what is allowed.

    >>> parse_size("1MiB"), parse_size("4096"), parse_size("64 kB")
    (1048576, 4096, 64000)
    """
    digits = text.rstrip("BkKMGi ")
    unit = text[len(digits) :].strip()
    if not (digits.isascii() and digits.isdigit() and unit in UNITS and len(digits) <= 20):
        raise ValueError(f"{text!r} is no size: write bytes, or a number with kB, MB, GB, KiB, MiB or GiB")
    size = int(digits) * UNITS[unit]
    if not 1 <= size <= LARGEST_CHUNK:
        raise ValueError(f"{text!r} is out of bounds: 1 byte to 1 GiB")
    return size


class Source:
    """The leaves that the arguments name; ``skipped``: (path, reason) of what a directory leaves out."""

    def __init__(self, args: Namespace, profile: Profile) -> None:
        self.names: list[str] = args.input
        self.profile = profile
        self.chunk: int | None = args.chunk
        self.paths: list[bytes] = []
        self.skipped: list[tuple[bytes, str]] = []
        first = self.names[0]
        if args.chunk is not None or args.lines or args.hex:
            self.kind = "chunks" if args.chunk is not None else "lines" if args.lines else "hex"
            if len(self.names) > 1:
                raise InputError(
                    f"{shown(self.names[1])}: --{'chunk' if args.chunk else self.kind} takes one file"
                )
        elif len(self.names) == 1 and first != "-" and os.path.isdir(first):
            from merklecore import directory

            self.kind = "directory"
            self.paths, self.skipped = directory.files(first)
        else:
            self.kind = "files"
            if self.names.count("-") > 1:
                raise InputError("-: standard input can be one leaf only")
        if self.kind == "chunks" and profile.leaf == "as_is" and self.chunk != profile.digest_size:
            raise InputError(
                f"--chunk: profile {profile.name} takes leaves of {profile.digest_size} bytes as they are, "
                f"so --chunk {profile.digest_size} is the only one"
            )

    def index_of(self, path: str) -> int:
        """Return the index of the leaf of ``path``, relative to the directory."""
        from bisect import bisect_left

        if self.kind != "directory":
            raise InputError("--path: it names a file of a directory; give --index here")
        wanted = os.fsencode(path).removeprefix(b"./")
        index = bisect_left(self.paths, wanted)
        if self.paths[index : index + 1] != [wanted]:
            why = dict(self.skipped).get(wanted)
            raise InputError(
                f"{shown(path)}: " + (f"no leaf: {why}" if why else f"no such file in {shown(self.names[0])}")
            )
        return index

    def describe(self) -> dict[str, object]:
        """Return kind and names for JSON."""
        about: dict[str, object] = {"kind": self.kind, "input": self.names}
        if self.kind == "chunks":
            about["chunk"] = self.chunk
        return about

    def batches(self) -> Iterator[Batch]:
        """Yield the leaves in order, in batches."""
        if self.kind == "directory":
            return self._of_directory()
        if self.kind == "files":
            return self._of_files()
        if self.kind == "chunks":
            return self._of_chunks()
        return self._of_lines()

    def total(self) -> int | None:
        """Return how much there is to read, in files of a directory or in bytes; None when unknown."""
        if self.kind == "directory":
            return len(self.paths)
        total = 0
        for name in self.names:
            if name == "-" or not os.path.isfile(name):
                return None
            total += os.path.getsize(name)
        return total

    def _of_directory(self) -> Iterator[Batch]:
        from merklecore import directory

        batch: list[bytes] = []
        for done, line in enumerate(directory.lines(self.names[0], self.paths), start=1):
            batch.append(line)
            if len(batch) == 256:
                yield batch, False, done
                batch = []
        yield batch, False, len(self.paths)

    def _of_files(self) -> Iterator[Batch]:
        batch: list[bytes] = []
        held = done = 0
        for name in self.names:
            with reading(name) as file:
                data = file.read(BIG_FILE + 1)
                if len(data) > BIG_FILE:
                    if self.profile.leaf == "as_is":
                        raise InputError(f"{shown(name)}: {self.width_wanted()}")
                    yield batch, False, done
                    batch, held = [], 0
                    yield from self._of_big_file(data, file, done)
                    done += file.tell() if file.seekable() else 0
                    continue
            batch.append(data)
            done += len(data)
            held += len(data)
            if held >= BATCH_BYTES or len(batch) >= BATCH_LEAVES:
                yield batch, False, done
                batch, held = [], 0
        yield batch, False, done

    def _of_big_file(self, data: bytes, file: BinaryIO, done: int) -> Iterator[Batch]:
        if (self.profile.leaf, self.profile.algorithm) != ("hash", "sha256"):
            yield [data + file.read()], False, done
            return
        import hashlib

        running = hashlib.sha256(self.profile.leaf_prefix)
        while data:
            running.update(data)
            done += len(data)
            no_leaves: list[bytes] = []
            yield no_leaves, False, done
            data = file.read(BLOCK)
        yield [running.digest()], True, done

    def _of_chunks(self) -> Iterator[Batch]:
        assert self.chunk is not None
        width = self.chunk
        step = width * max(1, min(BATCH_LEAVES, BATCH_BYTES // width))
        done = 0
        with reading(self.names[0]) as file:
            while data := file.read(step):
                done += len(data)
                view = memoryview(data)
                yield [view[i : i + width] for i in range(0, len(data), width)], False, done

    def _of_lines(self) -> Iterator[Batch]:
        from binascii import unhexlify

        number = 0
        for lines, done in _lines(self.names[0]):
            if self.kind == "hex":
                for i, line in enumerate(lines):
                    text = line.strip()
                    try:
                        lines[i] = unhexlify(text)
                    except ValueError:
                        raise InputError(
                            f"{shown(self.names[0])}: line {number + i + 1} is not hexadecimal"
                        ) from None
                    if not text:
                        raise InputError(f"{shown(self.names[0])}: line {number + i + 1} is empty")
            number += len(lines)
            yield lines, False, done

    def width_wanted(self) -> str:
        """Say which width a profile without a leaf hash takes."""
        width = self.profile.digest_size
        return f"profile {self.profile.name} takes leaves of exactly {width} bytes as they are"


def grow(source: Source, wanted: int | None = None) -> tuple[mc.MerkleTree, bytes | None]:
    """Return the tree of ``source`` and the bytes of the leaf ``wanted``, None where it was streamed."""
    tree = mc.MerkleTree(profile=source.profile)
    kept: bytes | None = None
    progress = Progress("reading", source.total(), "files" if source.kind == "directory" else "bytes")
    try:
        for leaves, hashed, done in source.batches():
            progress.at(done)
            if source.profile.leaf == "as_is":
                _check_widths(source, leaves, len(tree))
            if wanted is not None and not hashed and 0 <= wanted - len(tree) < len(leaves):
                kept = bytes(leaves[wanted - len(tree)])
            if leaves:
                tree.extend(leaves, hashed=hashed)
    finally:
        progress.close()
    return tree, kept


def _check_widths(source: Source, leaves: Sequence[bytes | memoryview], start: int) -> None:
    for i, leaf in enumerate(leaves, start=start):
        if len(leaf) != source.profile.digest_size:
            name = source.names[i] if source.kind == "files" else source.names[0]
            hint = "" if source.kind in ("hex", "chunks") else "; --hex reads hexadecimal lines"
            raise InputError(f"{shown(name)}: leaf {i} has {len(leaf)} bytes, {source.width_wanted()}{hint}")


@contextmanager
def reading(name: str) -> Iterator[BinaryIO]:
    """Open ``name``, or standard input for ``-``; an OSError met while reading names it."""
    try:
        if name == "-":
            if sys.stdin is None:
                raise InputError("-: standard input is closed")
            yield _blocking(sys.stdin.buffer)
        else:
            with open(name, "rb") as file:
                yield _blocking(file)
    except OSError as error:
        error.filename = error.filename or ("standard input" if name == "-" else name)
        raise


def _blocking(file: BinaryIO) -> BinaryIO:
    """Make reads wait: otherwise one that finds nothing yet is taken for the end, or for a shorter chunk."""
    try:
        os.set_blocking(file.fileno(), True)
    except (OSError, ValueError):  # no descriptor: a test's own standard input
        pass
    return file


def _lines(name: str) -> Iterator[tuple[list[bytes], int]]:
    """Yield lists of lines, terminators included, and the bytes read so far. Only a newline ends a line."""
    from io import BytesIO

    done = 0
    parts: list[bytes] = []  # of a line whose end is not read yet
    length = 0
    with reading(name) as file:
        while block := file.read1(BLOCK):  # type: ignore[attr-defined]  # both are BufferedReader
            done += len(block)
            end = block.rfind(b"\n") + 1
            if end:
                yield BytesIO(b"".join((*parts, block[:end]))).readlines(), done
                parts, length = [], 0
            if end < len(block):
                parts.append(block[end:])
                length += len(block) - end
                if length > LARGEST_CHUNK:
                    raise InputError(f"{shown(name)}: a line is longer than 1 GiB; --chunk cuts by length")
    if parts:
        yield [b"".join(parts)], done
