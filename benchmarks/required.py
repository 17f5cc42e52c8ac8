"""What the first kernels and trees must reach: SHA-256 throughout."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import peers
import workloads
from race import Line, Run, each, in_kernel_time, race

import merklecore as mc

SIZE = 1 << 20
BATCH = 1000
MESSAGES = 10**6


def large() -> list[Line]:
    """2^20 nodes, 2^20 leaves: one race of all."""
    children = workloads.rows(2 * SIZE, 32)
    runs = level_runs(children) | tree_runs(children[:SIZE])
    try:
        with peers.Hashtree(children.reshape(SIZE, 64)) as peer:
            hashtree = f"hashtree {peer.version}"
            best = race({**runs, hashtree: lambda: peer.seconds() * 1e9 / SIZE}, seconds=22)
    except peers.Unavailable as reason:
        hashtree = str(reason)
        best = race(runs, seconds=20)
    return level_lines(best, hashtree) + tree_lines(best)


def level_runs(children: Any) -> dict[str, Run]:
    out = workloads.empty(SIZE, 32)
    pairs = partial(mc.hash_pairs, children, threads=1)
    return {
        "hash_pairs": each(pairs, SIZE),
        "kernel": each(partial(pairs, out=out), SIZE),
        "prefixed": each(partial(pairs, prefix=b"\x01", out=out), SIZE),
        "double": each(partial(pairs, algorithm="sha256d", out=out), SIZE),
        "hashlib": each(
            "[sha256(b[i:i+64]).digest() for i in range(0, len(b), 64)]",
            SIZE,
            b=children.tobytes(),
            sha256=hashlib.sha256,
        ),
    }


def level_lines(best: Mapping[str, float], hashtree: str) -> list[Line]:
    kernel, peer = best["kernel"], best.get(hashtree)
    return [
        Line("hash_pairs, 2^20 nodes", best["hash_pairs"], "node", "hashlib loop", best["hashlib"], 15, True),
        Line("hash_pairs, 2^20 nodes, out=", kernel, "node", hashtree, peer, 1.9, True),
        Line("prefixed nodes", best["prefixed"], "node", "plain nodes", kernel, 1.2),
        Line("double SHA-256 nodes", best["double"], "node", "plain nodes", kernel, 1.6),
    ]


def tree_runs(leaves: Any) -> dict[str, Run]:
    batches = [leaves[i : i + BATCH] for i in range(0, SIZE, BATCH)]

    def extend() -> bytes:
        tree = mc.MerkleTree()
        for batch in batches:
            tree.extend(batch)
        return tree.root

    runs = {
        "MerkleTree": each(lambda: mc.MerkleTree(leaves, threads=1).root, SIZE),
        "extend": each(extend, SIZE),
    }
    for profile in ("rfc6962", "ssz"):
        for threads in (1, 2) if workloads.CPUS > 1 else (1,):
            root = partial(mc.merkle_root, leaves, profile, threads=threads)
            runs[f"{profile}, {threads}"] = each(root, SIZE)
    return runs


def tree_lines(best: Mapping[str, float]) -> list[Line]:
    kernel, rfc6962, ssz = best["kernel"], best["rfc6962, 1"], best["ssz, 1"]
    lines = [
        in_kernel_time("merkle_root, rfc6962, 2^20 leaves", rfc6962, "leaf", kernel, 45),
        Line(
            "merkle_root, ssz, 2^20 leaves",
            ssz,
            "leaf",
            "kernel, as many nodes",
            kernel * (SIZE - 1) / SIZE,
            1.1,
        ),
    ]
    for profile, one in (("rfc6962", rfc6962), ("ssz", ssz)):
        two = best.get(f"{profile}, 2")
        what = f"merkle_root, {profile}, two threads"
        if two is None:
            lines.append(Line(what, None, "leaf", "one CPU only", None, 1.8, True))
        else:
            lines.append(Line(what, two, "leaf", "one thread", one, 1.8, True))
    lines += [
        Line("MerkleTree(leaves), 2^20 leaves", best["MerkleTree"], "leaf", "merkle_root", rfc6962, 1.15),
        Line("extend, batches of 1,000", best["extend"], "leaf", "merkle_root", rfc6962, 1.3),
    ]
    return lines


def small() -> list[Line]:
    """Calls that take microseconds: statements in a compiled loop, so that only the call is in the figure."""
    children, out = workloads.rows(8192, 32), workloads.empty(4096, 32)
    names: dict[str, Any] = {"root": mc.merkle_root, "b": workloads.rows(1, 64).tobytes()}
    runs = {"kernel": each(partial(mc.hash_pairs, children, threads=1, out=out), len(out))}
    for n in (16, 64):
        runs[f"{n}"] = each("root(leaves, 'ssz')", calls=500, leaves=workloads.rows(n, 32), **names)
    runs["sha256"] = each("sha256(b)", calls=5000, sha256=mc.sha256, **names)
    runs["hashlib"] = each("sha256(b).digest()", calls=5000, sha256=hashlib.sha256, **names)
    best = race(runs, seconds=4)
    return [
        in_kernel_time("merkle_root, ssz, 16 leaves", best["16"], "root", best["kernel"], 1800),
        in_kernel_time("merkle_root, ssz, 64 leaves", best["64"], "root", best["kernel"], 3200),
        Line("sha256(b), 64 bytes", best["sha256"], "call", "hashlib", best["hashlib"], 0.4),
    ]


def messages() -> list[Line]:
    """A list of 10^6 bytes objects of log-normal length."""
    mixed = workloads.mixed(MESSAGES)
    best = race(
        {
            "hash_many": each(partial(mc.hash_many, mixed, threads=1), MESSAGES),
            "hashlib": each(
                "[sha256(m).digest() for m in messages]", MESSAGES, messages=mixed, sha256=hashlib.sha256
            ),
        },
        seconds=10,
    )
    return [
        Line(
            "hash_many, 10^6 mixed lengths",
            best["hash_many"],
            "message",
            "hashlib loop",
            best["hashlib"],
            4,
            True,
        )
    ]


def start() -> list[Line]:
    """The import alone, in processes of their own; numpy comes later, with the first array."""
    code = "from time import perf_counter_ns as now; began = now(); import merklecore; print(now() - began)"
    command = [sys.executable, "-c", code]
    best = race({"import": lambda: float(subprocess.check_output(command))}, seconds=2)
    return [Line("import merklecore", best["import"], "import", "required time", 20e6, 1)]
