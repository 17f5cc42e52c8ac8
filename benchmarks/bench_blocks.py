"""Blocks: one large block, headers in bulk, a block file, and the worst blocks there are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import ledgers
import peers
import pytest
import workloads
from required_blocks import backend_of
from workloads import Timed

from merklecore import blocks

HEADERS = 20_000
FILE = 32


def block_ways() -> dict[str, Callable[[str, bytes], Callable[[], bytes | None]]]:
    """Return who checks a block, each giving its root."""
    ways: dict[str, Callable[[str, bytes], Callable[[], bytes | None]]] = {
        "chosen": lambda network, data: lambda: blocks.Engine(network).check_block(data).root,
        "reference": lambda network, data: lambda: backend_of(network).check_block(data, None, None).root,
    }
    if peers.bitcoinlib is not None:
        ways["python-bitcoinlib"] = lambda _, data: partial(peers.bitcoinlib.check_block, data)
    return ways


@pytest.mark.parametrize("way", block_ways())
def test_check_block(timed: Timed, way: str) -> None:
    network, name, data = ledgers.large()
    timed(
        block_ways()[way](network, data),
        group=f"check_block, {name}",
        means=way,
        unit="block",
        nbytes=len(data),
    )


@pytest.mark.parametrize("way", ["chosen", "reference"])
def test_check_headers(timed: Timed, way: str) -> None:
    data = ledgers.headers(HEADERS)
    if way == "chosen":
        engine = blocks.Engine("bitcoin-regtest")

        def call() -> bytes:
            return engine.check_headers(data).hashes.tobytes()

    else:
        rules = backend_of("bitcoin-regtest")

        def call() -> bytes:
            hashes: bytes = rules.check_headers(data, None, None)[1].tobytes()
            return hashes

    timed(call, group="check_headers", means=way, unit="header", count=HEADERS, nbytes=len(data))


@pytest.mark.parametrize("threads", [1, 2])
def test_check_file(timed: Timed, threads: int) -> None:
    if threads > workloads.CPUS:
        pytest.skip("one CPU only")
    path = ledgers.block_file(FILE)
    engine = blocks.Engine(ledgers.large()[0], threads=threads)

    def call() -> bytes:
        return b"".join(report.block_hash or b"" for report in engine.check_file(path))

    timed(
        call, group=f"check_file, {FILE} blocks", means=f"threads-{threads}", unit="block", count=FILE,
        nbytes=path.stat().st_size,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["txids", "tx_table"])
@pytest.mark.parametrize("way", ["chosen", "reference"])
def test_tables(timed: Timed, way: str, name: str) -> None:
    network, _, data = ledgers.large()
    rules = blocks.Engine(network) if way == "chosen" else backend_of(network)
    table = getattr(rules, name)
    timed(lambda: table(data).tobytes(), group=name, means=way, unit="block", nbytes=len(data))


@pytest.mark.parametrize("name", ledgers.hostile())
def test_hostile_blocks(timed: Timed, name: str) -> None:
    """By the byte, beside the large block's time per byte."""
    data = ledgers.hostile()[name]
    engine = blocks.Engine("bitcoin-regtest")

    def call() -> None:
        engine.check_block(data)

    timed(call, group=f"hostile: {name}", means="chosen", unit="byte", count=len(data), nbytes=len(data))
