"""What the other hashes must reach: beside the SHA-256 node of this CPU, and beside other libraries."""

from __future__ import annotations

from functools import partial

import peers
import workloads
from race import Line, Run, each, race

import merklecore as mc
from merklecore import _backend

SIZE = 1 << 16
LOOP = 1 << 12  # a loop over more says nothing else
MEBIBYTES = 64
NODES = {  # at most so many times the SHA-256 node, at least so many times faster than the loop
    "keccak256": (1.75, 12),
    "sha3_256": (1.75, 12),
    "sm3": (1.1, 30),
    "blake3": (0.4, 25),
}
MESSAGES = {"sha512": 11, "blake2b_256": 10}  # of 64 bytes: at least so many times faster than the loop
LANES = {"sha256": 3.4, "sm3": 4.0, "keccak256": 2.0}  # AVX2 at least so many times faster than portable C


def loop(algorithm: str) -> tuple[str, Run | None]:
    """Return the peer's name, and a loop of it over messages of 64 bytes."""
    name = "keccak256" if algorithm == "sha3_256" else algorithm  # what is required is its ratio to Keccak's
    if name not in peers.LOOPS:
        return f"no peer of {name} here", None
    data = workloads.rows(LOOP, 64).tobytes()
    many = peers.LOOPS[name].many
    library = f"loop of {peers.LOOPS[name].library}"
    return library, each(lambda: many([data[i : i + 64] for i in range(0, len(data), 64)]), LOOP)


def nodes() -> list[Line]:
    """Plain nodes of two digests."""
    children, out = workloads.rows(2 * SIZE, 32), workloads.empty(SIZE, 32)
    runs = {"kernel": each(partial(mc.hash_pairs, children, threads=1, out=out), SIZE)}
    named = {}
    for algorithm in NODES:
        runs[algorithm] = each(partial(mc.hash_pairs, children, algorithm, threads=1, out=out), SIZE)
        named[algorithm], run = loop(algorithm)
        if run is not None:
            runs[f"loop, {algorithm}"] = run
    best = race(runs, seconds=8)
    lines = []
    for algorithm, (most, least) in NODES.items():
        ns, what = best[algorithm], f"{algorithm} nodes"
        lines.append(Line(what, ns, "node", "SHA-256 node", best["kernel"], most))
        lines.append(Line(what, ns, "node", named[algorithm], best.get(f"loop, {algorithm}"), least, True))
    return lines


def messages() -> list[Line]:
    """Messages of 64 bytes; one of 64 MiB."""
    rows = workloads.rows(SIZE, 64)
    runs, named = {}, {}
    for algorithm in MESSAGES:
        out = workloads.empty(SIZE, len(mc.digest(b"", algorithm)))
        runs[algorithm] = each(partial(mc.hash_many, rows, algorithm, threads=1, out=out), SIZE)
        named[algorithm], run = loop(algorithm)
        if run is not None:
            runs[f"loop, {algorithm}"] = run
    large = workloads.rows(1, MEBIBYTES << 20).tobytes()
    runs["large"] = each(partial(mc.blake3, large), MEBIBYTES)
    if "blake3" in peers.LOOPS:
        runs["blake3"] = each(partial(peers.LOOPS["blake3"].one, large), MEBIBYTES)
    best = race(runs, seconds=5)
    lines = [
        Line(f"{algorithm}, 64 bytes", best[algorithm], "message", named[algorithm],
             best.get(f"loop, {algorithm}"), least, True)
        for algorithm, least in MESSAGES.items()
    ]  # fmt: skip
    peer = "blake3" if "blake3" in best else "not installed: blake3"
    lines.append(Line("blake3, one of 64 MiB", best["large"], "MiB", peer, best.get("blake3"), 0.8, True))
    return lines


def lanes() -> list[Line]:
    """AVX2, which most CPUs without AVX-512 have, beside portable C."""
    children, out = workloads.rows(2 * LOOP, 32), workloads.empty(LOOP, 32)
    lines = []
    for algorithm, least in LANES.items():
        kernels = set(_backend.kernels(algorithm)) & {"avx2", "portable"}
        runs = {
            kernel: each(
                partial(_backend.hash_pairs, children, algorithm, threads=1, out=out, kernel=kernel), LOOP
            )
            for kernel in kernels
        }
        best = race(runs, seconds=1) if runs else {}
        what, portable = f"{algorithm} nodes, AVX2", best.get("portable")
        base = "portable" if "avx2" in best else "no AVX2 here"
        lines.append(Line(what, best.get("avx2"), "node", base, portable, least, True))
    return lines
