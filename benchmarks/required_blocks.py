"""What blocks must reach: beside one pass of OpenSSL's SHA-256, python-bitcoinlib and our reference."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import Any

import ledgers
import peers
import workloads
from race import Line, Run, each, in_kernel_time, race

import merklecore as mc
from merklecore import blocks, reference

HEADERS = 20_000
FILE = 64  # blocks of a megabyte
OPENSSL = 0.7 / 0.49  # ms for the block, for its bytes
DEAREST = 15  # times the large block's time per byte


def backend_of(network: str) -> Any:
    """Return the reference's rules of a network."""
    params = blocks.networks[network]
    return reference.Bitcoin(
        *(getattr(params, name) for name in params.__dataclass_fields__ if name != "name")
    )


def one() -> list[Line]:
    """One large block."""
    network, name, data = ledgers.large()
    engine, slow = blocks.Engine(network), backend_of(network)
    runs: dict[str, Run] = {
        "block": each(partial(engine.check_block, data)),
        "openssl": each(lambda: sha256(data).digest()),
        "reference": each(partial(slow.check_block, data, None, None)),
    }
    if peers.bitcoinlib is not None:
        runs["bitcoinlib"] = each(partial(peers.bitcoinlib.check_block, data))
    best = race(runs, seconds=4)
    ns, what = best["block"], f"check_block, {name}"
    peer = "python-bitcoinlib" if peers.bitcoinlib is not None else "not installed: python-bitcoinlib"
    return [
        Line(
            what,
            ns,
            "block",
            "OpenSSL over the bytes",
            best["openssl"],
            OPENSSL,
            note="0.7 ms where that takes 0.49",
        ),
        Line(what, ns, "block", peer, best.get("bitcoinlib"), 100, True),
        Line(what, ns, "block", "reference", best["reference"], 7, True),
    ]


def headers() -> list[Line]:
    """Headers in bulk: hash, linkage, proof of work."""
    data = ledgers.headers(HEADERS)
    engine, slow = blocks.Engine("bitcoin-regtest"), backend_of("bitcoin-regtest")
    nodes, out = workloads.rows(1 << 12, 32), workloads.empty(1 << 11, 32)
    runs: dict[str, Run] = {
        "headers": each(partial(engine.check_headers, data), HEADERS),
        "reference": each(partial(slow.check_headers, data, None, None), HEADERS),
        "kernel": each(partial(mc.hash_pairs, nodes, threads=1, out=out), 1 << 11, 20),
    }
    best = race(runs, seconds=3)
    return [
        in_kernel_time("check_headers", best["headers"], "header", best["kernel"], 60),
        Line("check_headers", best["headers"], "header", "reference", best["reference"], 15, True),
    ]


def files() -> list[Line]:
    """A block file on two threads, and on one."""
    what = f"check_file, {FILE} blocks, two threads"
    if workloads.CPUS < 2:
        return [Line(what, None, "block", "one CPU only", None, 1.8, True)]
    network = ledgers.large()[0]
    path = ledgers.block_file(FILE)

    def check(threads: int) -> None:
        for _ in blocks.Engine(network, threads=threads).check_file(path):
            pass

    best = race({name: each(partial(check, n), FILE) for name, n in (("one", 1), ("two", 2))}, seconds=4)
    return [Line(what, best["two"], "block", "one thread", best["one"], 1.8, True)]


def hostile() -> list[Line]:
    """The worst blocks there are: the dearest of them by the byte."""
    network, name, data = ledgers.large()
    engine = blocks.Engine(network)
    inputs = ledgers.hostile()
    runs: dict[str, Run] = {
        what: each(partial(engine.check_block, found), len(found)) for what, found in inputs.items()
    }
    runs["large"] = each(partial(engine.check_block, data), len(data))
    best = race(runs, seconds=4)
    dearest = max(inputs, key=lambda what: best[what])
    return [Line(f"dearest: {dearest}", best[dearest], "byte", name, best["large"], DEAREST)]
