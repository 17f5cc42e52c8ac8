"""Files to hash: random, the same every run, in the page cache, gone with the process."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np
from workloads import SEED

BLOCK = 1 << 24


@functools.cache
def files(n: int, size: int) -> tuple[Path, tuple[str, ...]]:
    """Return a directory of n files of ``size`` bytes, and their names in it."""
    top = Path(tempfile.mkdtemp(prefix="corpus-"))
    atexit.register(shutil.rmtree, top, ignore_errors=True)
    random = np.random.default_rng((SEED, n, size))
    names = tuple(f"{i:06}" for i in range(n))
    for name in names:
        with open(top / name, "wb") as file:
            for start in range(0, size, BLOCK):
                file.write(random.bytes(min(BLOCK, size - start)))
    return top, names
