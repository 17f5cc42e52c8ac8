"""What columns of Apache Arrow must reach: beside the same bytes in an array."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import workloads
from race import Line, each, race

import merklecore as mc

VALUES = 10**6
KINDS = ("fixed_size_binary", "binary")
LIMIT = 1.1


def columns() -> list[Line]:
    """10^6 values of 32 bytes."""
    calls = ("hash_many", "merkle_root")
    try:
        import columns
    except ImportError:
        missing = "not installed: pyarrow"
        return [
            Line(f"{call}, {kind}", None, "value", missing, None, LIMIT) for call in calls for kind in KINDS
        ]
    rows = workloads.rows(VALUES, 32)
    sources: Mapping[str, Any] = {"array": rows, **columns.of(rows)}
    runs = {}
    for kind in ("array", *KINDS):
        hash_many = partial(mc.hash_many, sources[kind], out=workloads.empty(VALUES, 32), threads=1)
        root = partial(mc.merkle_root, sources[kind], threads=1)
        runs |= {f"hash_many, {kind}": each(hash_many, VALUES), f"merkle_root, {kind}": each(root, VALUES)}
    best = race(runs, seconds=5)
    return [
        Line(
            f"{call}, {kind}, 10^6 values",
            best[f"{call}, {kind}"],
            "value",
            "array",
            best[f"{call}, array"],
            LIMIT,
        )
        for call in calls
        for kind in KINDS
    ]
