"""What the benchmarks share: the machine is told before any number, and each number gets its unit."""

from __future__ import annotations

import platform
import ssl
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import merklecore as mc
from merklecore.cli.info import describe

sys.path.insert(0, str(Path(__file__).parent))  # a script such as report.py finds its neighbours without

from workloads import Timed, duration


class Figure(NamedTuple):
    """One line's worth of a group."""

    means: str
    ns: float
    unit: str
    gb_per_s: float | None


GROUPS = pytest.StashKey[dict[str, list[Figure]]]()
ANSWERS = pytest.StashKey[dict[str, bytes]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[GROUPS] = {}
    config.stash[ANSWERS] = {}


def pytest_report_header() -> list[str]:
    versions = (
        f"Python {platform.python_version()}, numpy {np.__version__}, hashlib over {ssl.OPENSSL_VERSION}"
    )
    return [*describe(mc.cpu_info()), "", versions]


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    machine_info["merklecore"] = mc.cpu_info() | {"version": mc.__version__}


@pytest.fixture
def timed(benchmark: Any, request: pytest.FixtureRequest) -> Timed:
    """Time a call: ``count`` times the work of one ``unit``, over ``nbytes`` of input.

    ``group`` names the work and ``means`` how it is done; all calls of a group must return the same.
    """

    def run(
        call: Callable[[], Any], *, group: str, means: str, unit: str, count: int = 1, nbytes: int = 0
    ) -> None:
        benchmark.group = group
        benchmark.extra_info.update(means=means, count=count, unit=unit)
        answer = fingerprint(benchmark(call))
        if answer is not None:
            assert request.config.stash[ANSWERS].setdefault(group, answer) == answer, (
                "it is not the same work"
            )
        if benchmark.stats is None:  # --benchmark-disable: run once, for correctness only
            return
        seconds = benchmark.stats.stats.min
        ns, gb_per_s = seconds * 1e9 / count, nbytes / seconds / 1e9 if nbytes else None
        benchmark.extra_info[f"ns_per_{unit}"] = ns
        if gb_per_s is not None:
            benchmark.extra_info["gb_per_s"] = gb_per_s
        request.config.stash[GROUPS].setdefault(group, []).append(Figure(means, ns, unit, gb_per_s))

    return run


def fingerprint(answer: Any) -> bytes | None:
    """Return bytes that stand for what a call has computed; None where it says nothing of it."""
    if answer is None or isinstance(answer, float):
        return None
    if hasattr(answer, "__bytes__"):  # a proof
        answer = bytes(answer)
    return sha256(b"".join(answer) if isinstance(answer, (list, tuple)) else answer).digest()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    groups = config.stash[GROUPS]
    if groups:
        terminalreporter.section("minima, each for one unit of work")
    for group, figures in groups.items():
        rates = [figure.gb_per_s for figure in figures if figure.gb_per_s is not None]
        rate = f", up to {max(rates):.2f} GB/s" if rates else ""
        terminalreporter.write_line(f"{group} (a {figures[0].unit}{rate})")
        terminalreporter.write_line(
            "    " + "   ".join(f"{figure.means} {duration(figure.ns)}" for figure in figures)
        )
