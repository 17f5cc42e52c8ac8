"""Measures what merklecore must reach, each figure beside its baseline, and says what holds on this CPU.

    python benchmarks/report.py [--json]

Everything that is compared takes turns in one process, round after round, and the least time of each counts:
what else the machine does then falls on both sides, and a ratio of minima is the steadiest figure to be had.
hashtree runs in a process of its own, which sleeps while the others run. One thread unless said; `taskset` in
front is fine, and one CPU leaves out what needs two.

Some requirements are times on a CPU whose kernel takes 23 ns a plain node, which is what AVX-512 gives. They
are held to the kernel of this CPU: 45 ns a leaf is 45 / 23 = 1.96 times a node, whatever a node takes here.
The time is printed beside that ratio. `kernel` is `hash_pairs` of plain nodes into an array that is reused.

The exit code is 0 whatever holds, for this is a report, and 2 for bad usage.
"""

from __future__ import annotations

import argparse
import json
import platform
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import required
import required_arrow
import required_blocks
import required_files
import required_hashes
import required_proofs
import required_trees
from race import Line
from workloads import duration

import merklecore as mc
from merklecore import _backend
from merklecore.cli import info

PARTS: tuple[Callable[[], list[Line]], ...] = (
    required.large,
    required.small,
    required.messages,
    required_arrow.columns,
    required_proofs.proofs,
    required.start,
    required_hashes.nodes,
    required_hashes.messages,
    required_hashes.lanes,
    required_trees.changes,
    required_trees.streams,
    required_files.sums,
    required_blocks.one,
    required_blocks.headers,
    required_blocks.files,
    required_blocks.hostile,
)


def machine() -> dict[str, Any]:
    return mc.cpu_info() | {
        "version": mc.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "openssl": ssl.OPENSSL_VERSION,
    }


def header(about: Mapping[str, Any], kernels: Sequence[Mapping[str, Any]]) -> list[str]:
    versions = f"Python {about['python']}, numpy {about['numpy']}, hashlib over {about['openssl']}"
    return [*info.describe(about), "", *info.measured(kernels), "", versions, ""]


def cells(line: Line) -> tuple[str, ...]:
    """Return the texts of a line, one for each column of the table."""
    shown = duration if line.measure == "ns" else lambda value: f"{value:.4g} {line.measure}"
    base = line.base if line.base_ns is None else f"{line.base} {shown(line.base_ns)}"
    required = f"{'>=' if line.at_least else '<='} {line.limit:.3g}"
    verdict = {True: "holds", False: "misses", None: "not measured"}[line.holds]
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    measured = "" if line.ns is None else f"{shown(line.ns)} a {line.unit}"
    return line.what, measured, base, ratio, required, verdict, line.note


def table(lines: Sequence[Line]) -> list[str]:
    head = ("what", "measured", "beside", "ratio", "required", "", "")
    rows = [head, *map(cells, lines)]
    widths = [max(len(texts[column]) for texts in rows) for column in range(len(head))]
    return ["  ".join(map(str.ljust, texts, widths)).rstrip() for texts in rows]


def as_json(about: Mapping[str, Any], kernels: Sequence[Mapping[str, Any]], lines: Sequence[Line]) -> str:
    required = [line._asdict() | {"ratio": line.ratio, "holds": line.holds} for line in lines]
    return json.dumps({"machine": about, "kernels": kernels, "required": required}, indent=1)


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Measure what merklecore must reach, each beside its baseline."
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, times in ns")
    args = parser.parse_args()
    began = time.monotonic()
    about, kernels = machine(), _backend.measure()
    if not args.json:
        print("\n".join(header(about, kernels)), flush=True)
    lines = [line for part in PARTS for line in part()]
    if args.json:
        print(as_json(about, kernels, lines))
    else:
        print("\n".join(table(lines)))
        print(
            f"\nleast times of runs that took turns, one thread unless said; {time.monotonic() - began:.0f} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
