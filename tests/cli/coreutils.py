"""What the tests of ``sum`` share: names that need care, and the tools that it is compared with."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

RunSum = Callable[..., tuple[int, bytes, str]]  # the fixture of that name

NASTY = [
    b"plain", b" ", b"  two", b"*star", b"a b", b"-x", b"#hash", b"back\\slash", b"\\n", b"new\nline", b"\n",
    b"carriage\rreturn", b"end\r", b"\\", b"all\\\n\r", b"\xff\xfe", "größe 木".encode(), b") = 0", b"(",
    b"\t", b"\x1b[2J", b"x" * 250, b"SHA256 (a) = 00", b"'", b'"', b"$HOME", b"a:b",
]  # fmt: skip
TAGS = {
    "sha256": "SHA256", "sha256d": "SHA256D", "sha512": "SHA512", "sha3_256": "SHA3-256",
    "keccak256": "KECCAK256", "sm3": "SM3", "blake3": "BLAKE3", "blake2b_256": "BLAKE2b-256",
}  # fmt: skip


def write_nasty(top: Path) -> None:
    """Make a file of each name, its content its own."""
    for i, name in enumerate(NASTY):
        with open(os.path.join(os.fsencode(top), name), "wb") as file:
            file.write(bytes([i]) * i * 40)


def coreutils(tool: str, *arguments: str | bytes, cwd: Path, stdin: bytes = b"") -> tuple[int, bytes, str]:
    """What a tool of coreutils says, in the name of ours."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not there to compare with")
    done = subprocess.run([tool, *arguments], cwd=cwd, input=stdin, capture_output=True, check=False)
    said = done.stderr.decode("utf-8", "surrogateescape").replace(f"{tool}: ", "merklecore: ")
    return done.returncode, done.stdout, said.replace("'standard input'", "standard input")
