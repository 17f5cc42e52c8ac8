"""Files: the primitive on every kernel, and `merklecore sum` beside the tools that systems have.

What is read lies in the page cache. `open and read` is what a plain loop pays before it has hashed anything.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import corpora
import peers
import pytest
import workloads
from workloads import Means, Timed

import merklecore as mc
from merklecore import _backend

CORPORA = {"4,096 files of 4 KiB": (4096, 4 << 10), "64 files of 1 MiB": (64, 1 << 20)}
COMMANDS = {"2,048 files of 16 KiB": (2048, 16 << 10), "one file of 256 MiB": (1, 256 << 20)}
TOOLS = {
    "sum": [sys.executable, "-m", "merklecore", "sum"],
    "openssl": ["openssl", "dgst", "-sha256"],
    "sha256sum": ["sha256sum"],
}


def loop(paths: list[Path], many: Callable[[list[bytes]], list[bytes]]) -> list[bytes]:
    return [digest for path in paths for digest in many([path.read_bytes()])]


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize(("algorithm", "way"), workloads.by_algorithm())
def test_files(timed: Timed, algorithm: str, way: Means, corpus: str) -> None:
    n, size = CORPORA[corpus]
    top, names = corpora.files(n, size)
    paths = [top / name for name in names]
    if way.module is peers:
        call = partial(loop, paths, peers.LOOPS[algorithm].many)
    else:
        module = _backend if way.module is mc else way.module  # it has no public face
        call = partial(module.hash_files, list(map(str, paths)), algorithm, **way.options)
    timed(call, group=f"{algorithm}, {corpus}", means=way.name, unit="file", count=n, nbytes=n * size)


@pytest.mark.parametrize("corpus", CORPORA)
def test_reading_alone(timed: Timed, corpus: str) -> None:
    n, size = CORPORA[corpus]
    top, names = corpora.files(n, size)

    def call() -> None:
        for name in names:
            (top / name).read_bytes()

    timed(call, group=f"read, {corpus}", means="open and read", unit="file", count=n, nbytes=n * size)


@pytest.mark.parametrize("corpus", COMMANDS)
@pytest.mark.parametrize("tool", TOOLS)
def test_commands(timed: Timed, tool: str, corpus: str) -> None:
    if shutil.which(TOOLS[tool][0]) is None:
        pytest.skip(f"not installed: {tool}")
    n, size = COMMANDS[corpus]
    top, names = corpora.files(n, size)

    def call() -> None:
        subprocess.run([*TOOLS[tool], *names], cwd=top, check=True, stdout=subprocess.DEVNULL)

    timed(call, group=f"command, {corpus}", means=tool, unit="file", count=n, nbytes=n * size)
