"""Known answers of the hashes, in tests/vectors/hashes/<algorithm>.vec.

    # where the answers below come from, in one line or more
    In = hexadecimal            or    Repeat = COUNT hexadecimal    for these bytes COUNT times over
    Out = hexadecimal

An empty line ends what a source vouches for: each answer has one.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).parent / "vectors" / "hashes"
LONG = 1 << 24  # bytes: from here on an answer takes seconds


@dataclass(frozen=True)
class Answer:
    source: str
    piece: bytes
    count: int
    digest: bytes

    @property
    def size(self) -> int:
        return len(self.piece) * self.count

    def message(self) -> bytes | mmap.mmap:
        """The input. A gigabyte of zeros takes no memory: it is one page, read over and over."""
        if self.size >= LONG and not any(self.piece):
            return mmap.mmap(-1, self.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        return self.piece * self.count


def known_answers(algorithm: str) -> list[Answer]:
    """The answers of an algorithm; AssertionError names the file where there are none."""
    path = FILES / f"{algorithm}.vec"
    assert path.is_file(), f"{algorithm} has no known answers: tests/vectors/hashes/{path.name} is missing"
    answers = parse(path.read_text(encoding="ascii"))
    assert answers, f"{algorithm} has no known answers: tests/vectors/hashes/{path.name} holds none"
    return answers


def parse(text: str) -> list[Answer]:
    answers: list[Answer] = []
    source, asked = "", None
    for number, line in enumerate(text.splitlines(), 1):
        key, _, value = (part.strip() for part in line.partition("="))
        where = f"line {number}: {line!r}"
        if not line.strip() or line.startswith("#"):
            assert asked is None, f"{where}: an input without its digest stands before"
            source = f"{source} {line[1:].strip()}".strip() if line.strip() else ""
        elif key in ("In", "Repeat"):
            assert asked is None, f"{where}: an input without its digest stands before"
            count, _, piece = value.rpartition(" ") if key == "Repeat" else ("1", "", value)
            asked = bytes.fromhex(piece), int(count)
        else:
            assert key == "Out", f"{where}: In, Repeat or Out is needed"
            assert asked is not None, f"{where}: a digest of nothing"
            assert source, f"{where}: where does it come from?"
            answers.append(Answer(source, *asked, bytes.fromhex(value)))
            asked = None
    assert asked is None, "the last input has no digest"
    return answers
