"""What `merklecore sum` must reach: beside one call of `openssl dgst -sha256` over the same names."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import corpora
import workloads
from race import Line, Run, each, race

import merklecore as mc

ROOT = str(Path(mc.__file__).parents[1])
SUM = [
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {ROOT!r}); from merklecore.cli import main; main()",
]
SUM += ["sum", "-a", "sha256"]
OPENSSL = ["openssl", "dgst", "-sha256"]


def command(words: Sequence[str], n: int, size: int) -> Run:
    """Return a run of a command over n files, each of ``size`` bytes."""
    top, names = corpora.files(n, size)
    return each(partial(subprocess.run, [*words, *names], cwd=top, check=True, stdout=subprocess.DEVNULL), n)


def sums() -> list[Line]:
    """20,000 files of 16 KiB on two cores, and one of 1 GiB."""
    lines = []
    for what, n, size, limit in (
        ("sum, 20,000 files of 16 KiB", 20_000, 16 << 10, 0.5),
        ("sum, one file of 1 GiB", 1, 1 << 30, 1.1),
    ):
        if shutil.which(OPENSSL[0]) is None:
            lines.append(Line(what, None, "file", "not installed: openssl", None, limit))
        elif n > 1 and workloads.CPUS < 2:
            lines.append(Line(what, None, "file", "one CPU only", None, limit))
        else:
            best = race({"sum": command(SUM, n, size), "openssl": command(OPENSSL, n, size)}, seconds=8)
            lines.append(Line(what, best["sum"], "file", "openssl dgst", best["openssl"], limit))
    return lines
