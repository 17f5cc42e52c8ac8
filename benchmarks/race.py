"""Races: what is compared takes turns in one process, and the least time of each counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from timeit import Timer
from typing import Any, NamedTuple

from workloads import duration

KERNEL_NS = 23  # a plain node on AVX-512, where the requirements in ns come from

Run = Callable[[], float]  # does its work once and returns ns for one unit of it


class Line(NamedTuple):
    """One requirement. Times in ns for one ``unit``; where one was not measured ``base`` says why."""

    what: str
    ns: float | None
    unit: str
    base: str
    base_ns: float | None
    limit: float
    at_least: bool = False  # so many times faster than the baseline; else at most so many times its time
    note: str = ""  # what the requirement says, where that is not the limit itself
    measure: str = "ns"  # or "B": then both are bytes

    @property
    def ratio(self) -> float | None:
        if self.ns is None or self.base_ns is None:
            return None
        return self.base_ns / self.ns if self.at_least else self.ns / self.base_ns

    @property
    def holds(self) -> bool | None:
        if self.ratio is None:
            return None
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit


def race(runs: Mapping[str, Run], seconds: float) -> dict[str, float]:
    """Let all take turns for so long, three rounds at least; return the least time of each, in ns."""
    best = dict.fromkeys(runs, float("inf"))
    until, rounds = time.monotonic() + seconds, 0
    while rounds < 3 or time.monotonic() < until:
        for name, run in runs.items():
            best[name] = min(best[name], run())
        rounds += 1
    return best


def each(work: str | Callable[[], Any], units: int = 1, calls: int = 1, **names: Any) -> Run:
    """Return a run of ``calls`` calls or statements, each doing ``units`` units of work."""
    timer = Timer(work, globals=names)
    return lambda: timer.timeit(calls) * 1e9 / (calls * units)


def in_kernel_time(what: str, ns: float, unit: str, kernel: float, required: float) -> Line:
    """A time that is required where the kernel takes 23 ns a node."""
    note = f"{duration(required)} at {KERNEL_NS} ns a node"
    return Line(what, ns, unit, "kernel, a node", kernel, required / KERNEL_NS, note=note)
