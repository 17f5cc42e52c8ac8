"""What both sides of ``sum`` work with: batches of names, their digests, and what is printed."""

from __future__ import annotations

import errno
import os
import sys
import time
from itertools import islice

import merklecore as mc
from merklecore import _backend
from merklecore.cli.terminal import Progress, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeVar

    T = TypeVar("T")

__all__ = ["Desk", "in_batches"]

FEWEST, MOST = 64, 8192  # names of a batch
QUICK = 0.1  # seconds: a batch that takes less is followed by a larger one
BLOCK = 1 << 20
LOOK_EVERY = 0.1  # seconds


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Cut into lists that take some tenths of a second each: output flows, and lanes and threads work."""
    rest = iter(items)
    size = FEWEST
    while batch := list(islice(rest, size)):
        began = time.monotonic()
        yield batch
        quick = time.monotonic() - began < QUICK
        size = min(4 * size, MOST) if quick else max(size // 4, FEWEST)


class Desk:
    """Hashes files by name, ``-`` being standard input, and prints; one progress line, where that is wanted.

    ``total`` is asked for the bytes to read, where a terminal looks on; it may not know.
    """

    def __init__(self, threads: int | None, progress: bool, total: Callable[[], int | None]) -> None:
        _backend.hash_files([], "sha256", threads)  # a wrong number is refused before anything is printed
        self._threads = threads
        self._lines: list[str] = []
        self._read = memoryview(bytearray(8)).cast("Q")  # bytes, counted by the backend
        watched = progress and sys.stderr.isatty()
        self._progress = Progress("hashing", total()) if watched else None

    def digests(self, names: Sequence[str], algorithm: str) -> tuple[list[bytes], dict[int, OSError]]:
        """Return the digest of each file; and, by their places, the errors of those that have none."""
        over = self._watch()
        try:
            found = self._found(names, algorithm)
        finally:
            over()
        errors: dict[int, OSError] = {}
        if set(map(type, found)) != {bytes}:
            errors = {i: one for i, one in enumerate(found) if isinstance(one, OSError)}
            found = [one if isinstance(one, bytes) else b"" for one in found]
        return found, errors  # type: ignore[return-value]  # all of them are bytes by now

    def _found(self, names: Sequence[str], algorithm: str) -> list[bytes | OSError]:
        if "-" not in names:
            return _backend.hash_files(names, algorithm, self._threads, None, self._read)
        files = iter(self._found([name for name in names if name != "-"], algorithm))
        return [self._standard_input(algorithm) if name == "-" else next(files) for name in names]

    def _standard_input(self, algorithm: str) -> bytes | OSError:
        from merklecore.cli.leaves import reading

        running = mc.new(algorithm)
        try:
            with reading("-") as file:
                while data := file.read1(BLOCK):  # type: ignore[attr-defined]  # it is a BufferedReader
                    running.update(data)
                    self._read[0] += len(data)
        except OSError as error:
            return error
        except mc.InputError:
            return OSError(errno.EBADF, os.strerror(errno.EBADF), "-")
        return running.digest()

    def _watch(self) -> Callable[[], object]:
        """Show what has been read, until the end is called: the backend does not come back before all is."""
        progress = self._progress
        if progress is None:
            return lambda: None
        from threading import Event, Thread

        over = Event()

        def look() -> None:
            while not over.wait(LOOK_EVERY):
                progress.at(self._read[0])

        watcher = Thread(target=look)
        watcher.start()

        def end() -> None:
            over.set()
            watcher.join()

        return end

    def write(self, text: str) -> None:
        """Print to standard output: not before the next ``flush``, or what is said on standard error."""
        self._lines.append(text)

    def flush(self) -> None:
        """Print now what was written."""
        text = "".join(self._lines)
        if not text:
            return
        self._lines.clear()
        self.close()
        sys.stdout.buffer.write(os.fsencode(text))
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Print one line to standard error."""
        self.flush()
        self.close()
        print(f"merklecore: {text}", file=sys.stderr)

    def complain(self, error: OSError) -> None:
        """Say which file an error has met, and what it is."""
        self.say(f"{shown(error.filename)}: {error.strerror}")

    def close(self) -> None:
        """Erase the progress line."""
        if self._progress is not None:
            self._progress.close()
