"""Blocks of real chains: some beside this file, many where `vectors` finds them."""

from __future__ import annotations

import bz2
from collections.abc import Iterator
from pathlib import Path

from tests.blocks.builder import MAINNET, Context, follow, work

MAINNET_TXT = Path(__file__).parents[1] / "vectors" / "blocks" / "mainnet.txt"


def early() -> dict[int, tuple[bytes, bytes]]:
    """Return the blocks kept beside the tests: height -> (hash in display order, block)."""
    found, fields = {}, {}
    for line in MAINNET_TXT.read_text().splitlines():
        if " = " in line:
            name, _, value = line.partition(" = ")
            fields[name] = value
            if name == "block":
                found[int(fields["height"])] = bytes.fromhex(fields["hash"]), bytes.fromhex(value)
    return found


GENESIS = early()[0][1]


def read(vectors: Path, name: str) -> bytes:
    data = (vectors / "blocks/bitcoin" / name).read_bytes()
    return bz2.decompress(data) if name.endswith("bz2") else data


def unframed(data: bytes, magic: bytes = MAINNET.magic) -> Iterator[bytes]:
    """Yield the blocks of a block file that is whole."""
    at = 0
    while at < len(data):
        assert data[at : at + 4] == magic
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at + 8 : end]
        at = end


def after_genesis() -> Context:
    """Return the context of mainnet's block 1."""
    time, bits = (int.from_bytes(GENESIS[k : k + 4], "little") for k in (68, 72))
    genesis = follow(Context(-1, None, (), None, None, 0, None, None), GENESIS, MAINNET)
    assert genesis == Context(0, genesis.prev_hash, (time,), time, bits, work(bits), bits, bits)
    return genesis
