"""What people see: names made safe to print, words, and a progress line while a terminal looks on."""

from __future__ import annotations

import os
import sys
import time

__all__ = ["Progress", "counted", "display", "print_json", "print_line", "shown"]

FIRST_AFTER = 0.5  # seconds; shorter work shows nothing
EVERY = 0.1


def shown(name: str | bytes) -> str:
    r"""Return a file name or other foreign text for one line of a terminal, escaped where not printable.

    >>> shown(b"a\nb\xff\x1b[2J")
    'a\\nb\\udcff\\x1b[2J'
    """
    text = os.fsdecode(name)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Progress:
    """One line on standard error, where that is a terminal: at most ten times a second, erased at the end.

    ``total`` and what ``at`` is given count bytes, or files where ``unit`` says so; without a total the line
    counts.
    """

    def __init__(self, label: str, total: int | None, unit: str = "bytes") -> None:
        self._label = label
        self._total = total
        self._unit = unit
        self._width = 0
        self._on = sys.stderr is not None and sys.stderr.isatty()
        self._next = time.monotonic() + FIRST_AFTER

    def at(self, done: int) -> None:
        """Say how far the work has come."""
        if not self._on or (now := time.monotonic()) < self._next:
            return
        self._next = now + EVERY
        if self._total:
            text = f"{self._label} {min(done / self._total, 1):4.0%}"
        elif self._unit == "bytes":
            text = f"{self._label} {done / (1 << 20):,.1f} MiB"
        else:
            text = f"{self._label} {done:,} {self._unit}"
        self._write("\r" + text.ljust(self._width))
        self._width = len(text)

    def close(self) -> None:
        """Erase the line."""
        if self._width:
            self._write("\r" + " " * self._width + "\r")
            self._width = 0

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def display(hash_: bytes) -> str:
    """Return a hash as explorers show it."""
    return hash_[::-1].hex()


def counted(count: int, what: str) -> str:
    """Return a number of things."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def print_line(progress: Progress | None, text: str) -> None:
    """Print a line where the progress was."""
    if progress is not None:
        progress.close()
    print(text)


def print_json(progress: Progress | None, answer: dict[str, object]) -> None:
    """Print one JSON object."""
    import json

    print_line(progress, json.dumps(answer))
