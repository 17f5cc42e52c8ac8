"""What the reference tells of itself: one kernel, `python`, which is one hash after the other in a loop."""

from __future__ import annotations

import os

from merklecore.errors import BackendError
from merklecore.reference.hashing import DIGEST_SIZES, many

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["check_environment", "cpu_info", "kernels", "measure"]

SHAPES = {"node": (b"", 64), "prefixed node": (b"\x01", 64), "messages": (b"", 64)}
# What the native backend may be told to do without; here it is only checked, so that a typing error never
# passes.
FEATURES = ("avx512", "shani", "avx2", "fastsha")
MOST, BUDGET, ROUNDS = 256, 2_000_000, 20  # messages of a run, about its ns, runs: what hashlib lacks is slow


def check_environment() -> None:
    """Refuse what MERKLECORE_DISABLE_CPU and MERKLECORE_KERNEL ask for when it cannot be had."""
    for name in os.environ.get("MERKLECORE_DISABLE_CPU", "").split(","):
        if name.strip() and name.strip() not in FEATURES:
            raise BackendError(f"MERKLECORE_DISABLE_CPU: {name.strip()!r} is none of {', '.join(FEATURES)}")
    for choice in os.environ.get("MERKLECORE_KERNEL", "").split(","):
        if not choice.strip():
            continue
        algorithm, colon, name = choice.strip().partition(":")
        if not colon or algorithm not in DIGEST_SIZES:
            raise BackendError(
                f"MERKLECORE_KERNEL: {choice.strip()!r} is not ALGORITHM:KERNEL "
                f"with one of {', '.join(DIGEST_SIZES)}"
            )
        if name != "python":
            raise BackendError(f"kernel {name!r} is not usable here (usable: python)")


def kernels(algorithm: str) -> tuple[str, ...]:
    """Names of the kernels usable for an algorithm, best first."""
    many(algorithm)
    return ("python",)


def cpu_info() -> dict[str, Any]:
    """The CPU, and what serves which shape."""
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "backend": "reference",
        "cpu": _cpu_name(),
        "features": (),
        "disabled": (),
        "kernels": {name: dict.fromkeys(SHAPES, ("python",)) for name in DIGEST_SIZES},
        "chosen": {name: dict.fromkeys(SHAPES, "python") for name in DIGEST_SIZES},
        "failed": (),
        "threads": len(affinity(0)) if affinity is not None else os.cpu_count() or 1,
    }


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine()


def measure(algorithm: str | None = None) -> list[dict[str, Any]]:
    """Time every shape: ns for one node or 64-byte message. Minima of many short runs."""
    rows = []
    for name in DIGEST_SIZES if algorithm is None else (algorithm,):
        hash_all = many(name)
        for shape, (prefix, width) in SHAPES.items():
            messages = [prefix + bytes(i * j & 0xFF for j in range(width)) for i in range(MOST)]
            once = min(_time(hash_all, messages[:1]) for _ in range(3))
            some = messages[: max(1, BUDGET // max(once, 1))]
            best = min(_time(hash_all, some) for _ in range(ROUNDS)) / len(some)
            rows.append({"algorithm": name, "shape": shape, "kernel": "python", "ns": best})
    return rows


def _time(hash_all: Callable[[Iterable[bytes]], list[bytes]], messages: list[bytes]) -> int:
    """The ns of one run."""
    from time import perf_counter_ns

    began = perf_counter_ns()
    hash_all(messages)
    return perf_counter_ns() - began
