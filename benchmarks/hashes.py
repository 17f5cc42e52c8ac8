"""One line for each algorithm, in Markdown: here, and in a loop over the library that has it.

The table of docs/hashes.md:

    python benchmarks/hashes.py

All of a line takes turns in one process; the least time of each counts. One thread.
"""

from __future__ import annotations

from functools import partial

import peers
import workloads
from race import Run, each, race
from workloads import duration

import merklecore as mc

SIZE = 1 << 14
LOOP = 1 << 11
MEBIBYTE = 1 << 20
HEAD = ("algorithm", "node", "64 bytes", "library, 64 bytes", "times", "one MiB", "library, one MiB")


def line(algorithm: str) -> tuple[str, ...]:
    """Return the texts of one line."""
    d = len(mc.digest(b"", algorithm))
    children, rows = workloads.rows(2 * SIZE, d), workloads.items(workloads.rows(SIZE, 64))
    large, out = workloads.rows(1, MEBIBYTE).tobytes(), workloads.empty(SIZE, d)
    runs: dict[str, Run] = {
        "node": each(partial(mc.hash_pairs, children, algorithm, threads=1, out=out), SIZE),
        "64": each(partial(mc.hash_many, rows, algorithm, threads=1, out=out), SIZE),
        "large": each(partial(mc.digest, large, algorithm)),
    }
    peer = peers.LOOPS.get(algorithm)
    if peer is not None:
        runs["peer, 64"] = each(partial(peer.many, rows[:LOOP]), LOOP)
        runs["peer, large"] = each(partial(peer.one, large))
    best = race(runs, seconds=3)
    ours = (f"`{algorithm}`", duration(best["node"]), duration(best["64"]))
    if peer is None:
        return (*ours, "none here", "", speed(best["large"]), "")
    loop = f"{peer.library}: {duration(best['peer, 64'])}"
    times = f"{best['peer, 64'] / best['64']:.1f}"
    return (*ours, loop, times, speed(best["large"]), speed(best["peer, large"]))


def speed(ns: float) -> str:
    return f"{MEBIBYTE / ns:.2f} GB/s"


def main() -> None:
    print(f"{mc.cpu_info()['cpu']}: {', '.join(mc.cpu_info()['features'])}\n")
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}")
    for algorithm in mc.algorithms():
        print(f"| {' | '.join(line(algorithm))} |", flush=True)


if __name__ == "__main__":
    main()
