"""The command as people and scripts meet it: in a process of its own."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import merklecore as mc

ROOT = str(Path(mc.__file__).parents[1])
COMMAND = [sys.executable, "-m", "merklecore"]


def interruptible() -> None:
    """In the child: Ctrl-C ends it, though the tests may run in the background, where shells ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[bytes]]:
    """Start the command with these arguments; keywords are those of Popen."""

    def start(*arguments: str | Path, **more: Any) -> subprocess.Popen[bytes]:
        more = {"preexec_fn": interruptible} | more
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        environment = os.environ | {"PYTHONPATH": ROOT}
        return subprocess.Popen([*COMMAND, *map(str, arguments)], env=environment, **(pipes | more))

    return start


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[bytes]]) -> Callable[..., tuple[int, str, str]]:
    """Run the command to its end: exit code, standard output, standard error."""

    def run(*arguments: str | Path, stdin: str | bytes = "", cwd: Path | None = None) -> tuple[int, str, str]:
        with start(*arguments, cwd=cwd) as process:
            out, err = process.communicate(stdin.encode() if isinstance(stdin, str) else stdin)
        return process.returncode, out.decode(), err.decode()

    return run


@pytest.fixture
def run_sum(start: Callable[..., subprocess.Popen[bytes]]) -> Callable[..., tuple[int, bytes, str]]:
    """Run ``merklecore sum`` with these arguments, any bytes: exit code, standard output, standard error."""

    def run(
        *arguments: str | bytes | Path, stdin: bytes = b"", cwd: Path | None = None
    ) -> tuple[int, bytes, str]:
        with start("sum", *map(os.fsdecode, arguments), cwd=cwd) as process:
            out, err = process.communicate(stdin, timeout=600)
        return process.returncode, out, err.decode("utf-8", "surrogateescape")

    return run


@pytest.fixture
def rfc() -> Callable[[list[bytes]], str]:
    """The root by RFC 6962, section 2.1, word for word."""

    def head(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return hashlib.sha256(b"\0" + part[0]).digest()
        k = 1 << (len(part) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + head(part[:k]) + head(part[k:])).digest()

    return lambda leaves: head(leaves).hex() if leaves else hashlib.sha256().hexdigest()


@pytest.fixture
def told() -> Callable[[str], dict[str, str]]:
    """What ``prove`` says beside the proof."""
    return lambda err: {
        line[:9].strip(): line[11:] for line in err.splitlines() if not line.startswith("left out")
    }


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A directory of five files, one of them deep, with a link."""
    top = tmp_path / "files"
    (top / "d" / "e").mkdir(parents=True)
    for i, name in enumerate(("a", "b\nc", "d/e/f", "g", "h i")):
        (top / name).write_bytes(bytes([i]) * i * 100)
    (top / "link").symlink_to("a")
    return top
