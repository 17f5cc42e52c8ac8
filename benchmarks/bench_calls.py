"""Single calls: one message to one digest, and what it takes to start.

The timer's own loop is in every figure; hashlib stands in a Python function here, for it takes two calls.
`report.py` measures both without.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import peers
import pytest
import workloads
from workloads import Means, Timed

import merklecore as mc

SIZES = (64, 1024, 1 << 14)
PROCESSES = {
    "python": ["-c", "pass"],
    "import-merklecore": ["-c", "import merklecore"],
    "import-numpy": ["-c", "import numpy"],
    "command-help": ["-m", "merklecore", "--help"],
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("algorithm", "way"), workloads.by_algorithm(threads=False))
def test_digest(timed: Timed, algorithm: str, way: Means, size: int) -> None:
    data = workloads.rows(1, size).tobytes()
    if way.module is peers:
        call = partial(peers.LOOPS[algorithm].one, data)
    elif way.module is mc:
        call = partial(getattr(mc, algorithm), data)
    else:
        call = partial(way.module.digest, data, algorithm, **way.forced)
    timed(call, group=f"{algorithm}, one message of {size:,} bytes", means=way.name, unit="call", nbytes=size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("algorithm", workloads.ALGORITHMS)
@pytest.mark.parametrize("means", ["digest", "hash_many"])
def test_digest_by_name(timed: Timed, algorithm: str, means: str, size: int) -> None:
    """The same by the function that takes the name, and as a batch of one."""
    data = workloads.rows(1, size).tobytes()
    call = (
        partial(mc.digest, data, algorithm) if means == "digest" else partial(mc.hash_many, [data], algorithm)
    )
    timed(call, group=f"{algorithm}, one message of {size:,} bytes", means=means, unit="call", nbytes=size)


@pytest.mark.parametrize("means", PROCESSES)
def test_start(timed: Timed, means: str) -> None:
    command = [sys.executable, *PROCESSES[means]]

    def run() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    timed(run, group="start, a whole process", means=means, unit="process")
