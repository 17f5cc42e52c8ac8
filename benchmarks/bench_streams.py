"""Compact ranges, roots over iterators, trees written to files and read."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import workloads
from workloads import Means, Timed

import merklecore as mc

LEAVES = 1 << 17
APPENDED = 1 << 12
MERGED = 64
RFC6962 = mc.profiles["rfc6962"]
WAYS = [way for way in workloads.by_profile(loops=False, threads=False) if way.values[0] is RFC6962]


def empty_range(way: Means, start: int = 0) -> Any:
    """Return a range of a backend; its public class has the same methods."""
    if way.module is mc:
        return mc.CompactRange(start=start)
    return way.module.Range(workloads.spec_of(way.module, RFC6962), start)


def root_of(made: Any) -> bytes:
    root: bytes = made.root if isinstance(made, mc.CompactRange) else made.root()
    return root


def extend(way: Means, leaves: Any, keep: bool) -> bytes:
    made, options = empty_range(way), {} if way.module is mc else way.options
    made.extend(leaves, on_nodes=(lambda level, first, hashes: None) if keep else None, **options)
    return root_of(made)


@pytest.mark.parametrize("keep", [False, True], ids=["", "on_nodes"])
@pytest.mark.parametrize(("profile", "way"), WAYS)
def test_extend(timed: Timed, profile: mc.Profile, way: Means, keep: bool) -> None:
    timed(
        partial(extend, way, workloads.rows(LEAVES, 32), keep),
        group="CompactRange.extend" + (", nodes handed over" if keep else ""),
        means=way.name,
        unit="leaf",
        count=LEAVES,
    )


def append(way: Means, leaves: list[bytes]) -> bytes:
    made, root = empty_range(way), b""
    for leaf in leaves:
        made.append(leaf)
        root = root_of(made)
    return root


@pytest.mark.parametrize(("profile", "way"), [way for way in WAYS if way.values[1].kernel is None])
def test_append_and_root(timed: Timed, profile: mc.Profile, way: Means) -> None:
    timed(
        partial(append, way, workloads.items(workloads.rows(APPENDED, 32))),
        group="CompactRange: append, and the root",
        means=way.name,
        unit="leaf",
        count=APPENDED,
    )


def merge(way: Means, parts: list[Any]) -> bytes:
    made = empty_range(way)
    for part in parts:
        made.merge(part)
    return root_of(made)


@pytest.mark.parametrize(("profile", "way"), [way for way in WAYS if way.values[1].kernel is None])
def test_merge(timed: Timed, profile: mc.Profile, way: Means) -> None:
    leaves, step = workloads.rows(LEAVES, 32), 999
    parts = [empty_range(way, i * step) for i in range(MERGED)]
    for i, part in enumerate(parts):
        part.extend(leaves[i * step : (i + 1) * step])
    timed(
        partial(merge, way, parts),
        group="CompactRange.merge, 999 leaves each",
        means=way.name,
        unit="merge",
        count=MERGED,
    )


@pytest.mark.parametrize("kind", ["list", "iterator"])
def test_root_of_a_stream(timed: Timed, kind: str) -> None:
    leaves = workloads.items(workloads.rows(LEAVES, 32))
    timed(
        lambda: mc.merkle_root(leaves if kind == "list" else iter(leaves)),
        group="merkle_root of bytes objects",
        means=kind,
        unit="leaf",
        count=LEAVES,
    )


@pytest.mark.parametrize("how", ["build of leaf hashes", "bytes", "from_bytes", "save", "load"])
def test_storage(timed: Timed, how: str, tmp_path: Path) -> None:
    hashes = workloads.rows(LEAVES, 32)
    tree = mc.MerkleTree(hashes, hashed=True)
    data, path = bytes(tree), tmp_path / "of.tree"
    tree.save(path)
    calls = {
        "build of leaf hashes": lambda: mc.MerkleTree(hashes, hashed=True).root,
        "bytes": lambda: bytes(tree) and tree.root,
        "from_bytes": lambda: mc.MerkleTree.from_bytes(data).root,
        "save": lambda: tree.save(path) or tree.root,
        "load": lambda: mc.MerkleTree.load(path).root,
    }
    timed(calls[how], group="trees kept", means=how, unit="leaf", count=LEAVES)
