"""What is measured and by which means. The benchmarks loop over these tables, so a new algorithm, kernel or
profile is measured without a line here; only what hashlib calls it is a row of ``peers.LOOPS``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple, Protocol

import numpy as np
import peers
import pytest
from numpy.typing import NDArray

import merklecore as mc
from merklecore import reference

native: ModuleType | None
try:
    from merklecore import _native as native
except ImportError:  # not built: what is left is worth measuring too
    native = None

SEED = 413567
PAGE = 4096
CPUS: int = mc.cpu_info()["threads"]
ALGORITHMS = mc.algorithms()
FROM_SCRATCH = ("keccak256", "blake3")  # by the reference, without hashlib: no ratio to that means anything
PROFILES = tuple(mc.profiles.values())


class Means(NamedTuple):
    """One way to do a piece of work.

    ``module`` has the primitives: `merklecore` itself (the public face over the chosen kernel), a backend
    that is told what to use, or `peers`.
    """

    name: str
    module: ModuleType
    threads: int = 1
    kernel: str | None = None

    @property
    def forced(self) -> dict[str, Any]:
        """The kernel, for primitives that take one and have no use for threads."""
        return {} if self.kernel is None else {"kernel": self.kernel}

    @property
    def options(self) -> dict[str, Any]:
        """Threads and kernel, for the primitives of batches."""
        return {"threads": self.threads} | self.forced


class Timed(Protocol):
    """The fixture ``timed``: time a call that does ``count`` units of work over ``nbytes`` of input."""

    def __call__(
        self, call: Callable[[], Any], *, group: str, means: str, unit: str, count: int = 1, nbytes: int = 0
    ) -> None: ...


def means(algorithm: str, *, threads: bool = True) -> list[Means]:
    """List the means to hash with an algorithm: every one that this machine has, the public face first."""
    found = [Means("chosen", mc)]
    if threads and CPUS > 1:
        found.append(Means("threads-2", mc, threads=2))
    if native is not None:
        found += [Means(f"kernel-{name}", native, kernel=name) for name in native.kernels(algorithm)]
    if algorithm not in FROM_SCRATCH:
        found.append(Means("reference", reference))
    if algorithm in peers.LOOPS:
        found.append(Means(peers.LOOPS[algorithm].library, peers))
    return found


def by_algorithm(*, threads: bool = True) -> list[Any]:
    """Return pytest parameters (algorithm, way)."""
    return [
        pytest.param(algorithm, way, id=f"{algorithm}-{way.name}")
        for algorithm in ALGORITHMS
        for way in means(algorithm, threads=threads)
    ]


def by_profile(*, threads: bool = True, loops: bool = True) -> list[Any]:
    """Return pytest parameters (profile, way); ``loops``: the plain hashlib loops among them."""
    return [
        pytest.param(profile, way, id=f"{profile.name}-{way.name}")
        for profile in PROFILES
        for way in means(profile.algorithm, threads=threads)
        if way.module is not peers or (loops and peers.has_loop(profile))
    ]


def spec_of(module: ModuleType, profile: mc.Profile) -> Any:
    """Return a profile in the terms of a backend, whichever of the two is in use."""
    return module.Spec(
        profile.algorithm,
        profile.leaf,
        profile.leaf_prefix,
        profile.node_prefix,
        profile.odd,
        profile.sort_pairs,
        profile.limit,
        profile.empty,
    )


# ---- data: random, the same every run ----------------------------------------------------------------------


def empty(n: int, width: int, offset: int = 0) -> NDArray[np.uint8]:
    """Return uint8, shape (n, width), ``offset`` bytes behind the start of a page, every page touched."""
    memory = np.zeros(n * width + offset + PAGE, np.uint8)
    memory.fill(1)
    start = -memory.ctypes.data % PAGE + offset
    return memory[start : start + n * width].reshape(n, width)


@functools.cache
def rows(n: int, width: int, offset: int | None = None) -> NDArray[np.uint8]:
    """Return random uint8, shape (n, width); where in a page they start is drawn too, unless it is given."""
    random = np.random.default_rng((SEED, n, width))
    drawn = int(random.integers(PAGE))
    array = empty(n, width, drawn if offset is None else offset)
    array[:] = random.integers(0, 256, (n, width), np.uint8)
    return array


def items(array: NDArray[np.uint8]) -> list[bytes]:
    """Return the rows of an array as bytes objects."""
    data, width = array.tobytes(), array.shape[1]
    return [data[i : i + width] for i in range(0, len(data), width)]


@functools.cache
def mixed(n: int) -> Sequence[bytes]:
    """Return n messages of log-normal length, median 200 bytes, sigma 1."""
    random = np.random.default_rng((SEED, n))
    lengths = random.lognormal(np.log(200), 1, n).astype(int)
    data, ends = random.bytes(int(lengths.sum())), lengths.cumsum().tolist()
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def indices(n: int, size: int) -> list[int]:
    """Return n random indices below ``size``."""
    drawn: list[int] = np.random.default_rng((SEED, n, size)).integers(size, size=n).tolist()
    return drawn


def duration(ns: float) -> str:
    """Return a time to three digits, in the unit that suits it."""
    for unit in ("ns", "us", "ms"):
        if ns < 999.5:
            return f"{ns:.3g} {unit}"
        ns /= 1000
    return f"{ns:.3g} s"
