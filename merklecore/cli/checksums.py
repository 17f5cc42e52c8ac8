r"""Lines of checksums, written and read as GNU coreutils 9 does.

::

    <hex>  <name>              as sha256sum writes it; a * for the second space, for binary, says nothing
    SHA256 (<name>) = <hex>    with --tag, as BSD writes it; OpenSSL does so with fewer spaces
    <hex> <name>               as some tools of BSD write it

In the name of a line that starts with a backslash stand ``\\`` for a backslash, ``\n`` for a newline and
``\r`` for a carriage return. Whether the first form is read or the third, the first line in one of them
decides: if both were, a name could be given a space at its start, or lose one.
"""

from __future__ import annotations

import os
from binascii import unhexlify

import merklecore as mc
from merklecore import _backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    Entry = tuple[str, bytes, str]  # algorithm, digest, name

__all__ = ["TAGS", "Reader", "escaped", "lines", "lines_of"]

TAGS = {name: name.upper().replace("_", "-") for name in mc.algorithms()} | {"blake2b_256": "BLAKE2b-256"}
LONGEST = 1 << 16  # bytes of a line; no name that can be opened makes a longer one
BLANK = b" \t"


def escaped(name: str) -> str:
    r"""Return a name without the three characters that a line cannot hold.

    >>> escaped("a\nb")
    'a\\nb'
    """
    return name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def lines(
    names: Sequence[str], digests: Sequence[bytes], algorithm: str, tag: bool = False, zero: bool = False
) -> str:
    r"""Return a line for each name; with ``zero`` names stay as they are, for a NUL ends each.

    >>> lines(["a\\b"], [bytes(2)], "sm3", tag=True)
    '\\SM3 (a\\\\b) = 0000\n'
    """
    end = "\0" if zero else "\n"
    plain = names
    everything = "".join(names)  # there is seldom anything to escape
    if not zero and any(character in everything for character in "\\\n\r"):
        names = [escaped(name) for name in plain]
    rows = zip(names, digests, strict=True)
    if tag:
        title = TAGS[algorithm]
        made = [f"{title} ({name}) = {digest.hex()}{end}" for name, digest in rows]
    else:
        made = [f"{digest.hex()}  {name}{end}" for name, digest in rows]
    if names is not plain:
        escapes = [name != before for name, before in zip(names, plain, strict=True)]
        made = [f"\\{line}" if marked else line for line, marked in zip(made, escapes, strict=True)]
    return "".join(made)


def lines_of(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield number and text of the lines but empty ones and comments; of one too long, its beginning."""
    number = 0
    while line := file.readline(LONGEST):
        number += 1
        whole = line
        while len(whole) == LONGEST and not whole.endswith(b"\n"):
            whole = file.readline(LONGEST)
        if not line.startswith(b"#"):
            text = line.removesuffix(b"\n").removesuffix(b"\r")
            if text:
                yield number, text


class Reader:
    """Reads lines; ``algorithm`` is the only one that is taken, where it is given.

    >>> Reader(None).parse(b"SM3 (a b) = " + b"00" * 32) == ("sm3", bytes(32), "a b")
    True
    """

    def __init__(self, algorithm: str | None) -> None:
        self._plain = algorithm or "sha256"
        self._tagged = {TAGS[name].encode(): name for name in TAGS if algorithm in (None, name)}
        self._reversed: bool | None = None

    def parse(self, line: bytes) -> Entry | None:
        """Return what a line says; None where it is not formatted as one of checksums is."""
        if len(line) >= LONGEST or b"\0" in line:
            return None
        text = line.lstrip(BLANK)
        mark = text[:1] == b"\\"
        text = text[mark:]
        tag, bracket, rest = text.partition(b"(")
        algorithm = self._tagged.get(tag.removesuffix(b" ")) if bracket else None
        if algorithm is not None:
            found = _split_tagged(rest, _backend.DIGEST_SIZES[algorithm])
        else:
            algorithm = self._plain
            found = self._split_plain(text, _backend.DIGEST_SIZES[algorithm])
        if found is None:
            return None
        digest, name = found
        if mark:
            if (unescaped := _unescaped(name)) is None:
                return None
            name = unescaped
        return algorithm, digest, os.fsdecode(name)

    def _split_plain(self, text: bytes, size: int) -> tuple[bytes, bytes] | None:
        digest = _digest(text[: 2 * size], size)
        blank, name = text[2 * size : 2 * size + 1], text[2 * size + 1 :]
        if digest is None or blank not in (b" ", b"\t") or not name:
            return None
        if len(name) == 1 or name[:1] not in (b" ", b"*"):
            if self._reversed is False:
                return None
            self._reversed = True
        elif not self._reversed:
            self._reversed = False
            name = name[1:]
        return digest, name


def _split_tagged(text: bytes, size: int) -> tuple[bytes, bytes] | None:
    name, bracket, value = text.rpartition(b")")
    equals, value = value.lstrip(BLANK)[:1], value.lstrip(BLANK)[1:]
    digest = _digest(value.lstrip(BLANK), size)
    return (digest, name) if bracket and equals == b"=" and digest is not None else None


def _digest(digits: bytes, size: int) -> bytes | None:
    if len(digits) != 2 * size:
        return None
    try:
        return unhexlify(digits)
    except ValueError:
        return None


def _unescaped(name: bytes) -> bytes | None:
    parts = [part.replace(b"\\n", b"\n").replace(b"\\r", b"\r") for part in name.split(b"\\\\")]
    return None if any(b"\\" in part for part in parts) else b"\\".join(parts)
