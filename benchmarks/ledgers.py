"""Blocks, headers and block files to check: real where the conformance data is, otherwise of the same shape.

The hostile ones are the largest that a network would pass on, each heavy on one thing that a checker does.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
from pathlib import Path
from struct import pack

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # a script has no tests beside it otherwise

from tests.blocks.builder import (  # noqa: E402 - found there
    COIN,
    EASY,
    MAINNET,
    REGTEST,
    Block,
    Input,
    Output,
    Tx,
    coinbase,
    expand,
    framed,
    sha256d,
    size,
    somewhere,
)

VECTORS = Path(os.environ.get("MERKLECORE_VECTORS") or ROOT.parent / "shared" / "vectors")
TIME = 1_600_000_000


@functools.cache
def large() -> tuple[str, str, bytes]:
    """Return network, name and bytes of a block of about a megabyte and 1,557 transactions."""
    path = VECTORS / "blocks/bitcoin/block413567/block413567.raw"
    if path.is_file():
        return "bitcoin", "block 413567", path.read_bytes()
    txs = [coinbase(0, value=50 * COIN)]
    for i in range(1556):
        inputs = tuple(
            Input(somewhere(i * 3 + k), b"\x48" + bytes(72) + b"\x21" + bytes(33)) for k in range(3)
        )
        txs.append(Tx(inputs, (Output(1000, b"\x76\xa9\x14" + bytes(20) + b"\x88\xac"),) * 4))
    return "bitcoin-regtest", "a block like 413567", Block(tuple(txs), time=TIME).build().data


@functools.cache
def headers(n: int) -> bytes:
    """Return n linked headers, each mined at regtest's limit."""
    limit = expand(EASY)
    made, prev, nonce = bytearray(), bytes(32), 0
    for i in range(n):
        while True:
            nonce += 1
            row = pack("<I", 4) + prev + bytes(32) + pack("<III", TIME + 600 * i, EASY, nonce)
            found = sha256d(row)
            if int.from_bytes(found, "little") <= limit:
                break
        made += row
        prev = found
    return bytes(made)


@functools.cache
def block_file(blocks: int) -> Path:
    """Return a block file of so many copies of the large block, gone with the process."""
    top = Path(tempfile.mkdtemp(prefix="blocks-"))
    atexit.register(shutil.rmtree, top, ignore_errors=True)
    network, _, data = large()
    frame = framed([data], (MAINNET if network == "bitcoin" else REGTEST).magic)
    with open(top / "blk00000.dat", "wb") as file:
        for _ in range(blocks):
            file.write(frame)
    return top / "blk00000.dat"


# ---- hostile -----------------------------------------------------------------------------------------------


def put(*txs: bytes) -> bytes:
    """Return a block of a coinbase and these transactions; its root is wrong, which saves nobody any work."""
    header = Block((coinbase(0),), time=TIME).build().data[:80]
    return b"".join([header, size(len(txs) + 1), coinbase(0).raw(), *txs])


def put_committed(*txs: bytes) -> bytes:
    """Return a block whose coinbase commits to witnesses: a second tree is made of the same transactions."""
    plain = coinbase(0).raw()
    header, at = put()[:80], 4 + 1 + 36 + 1 + plain[41] + 4
    commitment = pack("<q", 0) + b"\x26" + bytes.fromhex("6a24aa21a9ed") + bytes(32)
    first = plain[:4] + b"\0\1" + plain[4:at] + b"\1" + commitment + b"\1\x20" + bytes(32) + bytes(4)
    return b"".join([header, size(len(txs) + 1), first, *txs])


def least(i: int, width: int | None = None) -> bytes:
    """Return a transaction of ten bytes, or of more where the number of its inputs is written in so many."""
    return pack("<I", i) + size(0, width) + b"\0" + pack("<I", 7 * i)


def with_inputs(prevouts: list[bytes]) -> bytes:
    ends = b"\0" + b"\xff" * 4
    inputs = b"".join(prevout + ends for prevout in prevouts)
    return pack("<i", 2) + size(len(prevouts)) + inputs + b"\1" + pack("<q", 1) + b"\0" + bytes(4)


def with_script(script: bytes) -> bytes:
    return Tx((Input(somewhere(1)),), (Output(1, script),)).raw()


def with_witness(items: bytes, count: int) -> bytes:
    plain = Tx((Input(somewhere(1)),), (Output(1),)).raw()
    return plain[:4] + b"\0\1" + plain[4:-4] + size(count) + items + plain[-4:]


def prevouts(n: int, kind: str) -> list[bytes]:
    """Return n previous outputs: of different transactions, or as alike as they can be."""
    if kind == "random":
        return [somewhere(i)[0] + bytes(4) for i in range(n)]
    if kind == "one transaction":
        return [bytes(32) + pack("<I", i) for i in range(n)]
    if kind == "equal starts":
        return [b"\xab" * 28 + pack(">I", i) + bytes(4) for i in range(n)]
    if kind == "equal ends":
        return [pack(">I", i) + b"\xab" * 28 + bytes(4) for i in range(n)]
    return [b"\xab" * 32 + bytes(4)] * n  # all the same


@functools.cache
def hostile() -> dict[str, bytes]:
    """Return the worst blocks that we know of."""
    inputs, small = 24_300, 90_000
    found = {
        f"{inputs:,} inputs, {kind}": put(with_inputs(prevouts(inputs, kind)))
        for kind in ("random", "one transaction", "equal starts", "equal ends", "the same")
    }
    found |= {
        f"{small:,} transactions of 10 bytes": put(*[bytes(10)] * small),
        f"{small:,} different transactions of 10 bytes": put(*map(least, range(small))),
        f"{small:,} transactions of 10 bytes, and witnesses": put_committed(*map(least, range(small))),
        f"{small:,} equal transactions of 10 bytes, and witnesses": put_committed(*[least(0)] * small),
        "transactions of 10 bytes, a witness in every 64": put_committed(
            *(least(i) if i % 64 else with_witness(b"\0", 1) for i in range(80_000))
        ),
        "transactions of 10 bytes, a witness in every 8": put_committed(
            *(least(i) if i % 8 else with_witness(b"\0", 1) for i in range(50_000))
        ),
        "transactions of 10 and 12 bytes, and witnesses": put_committed(
            *(least(i, 1 + 2 * (i % 2)) for i in range(80_000))
        ),
        "transactions of 10 bytes, one of 60 among 64": put_committed(
            *(least(i) if i % 64 else with_inputs([somewhere(i)[0] + bytes(4)]) for i in range(80_000))
        ),
        "80,000 superfluous markers": put_committed(
            *(pack("<I", i) + b"\0\1\0\0" + pack("<I", i) for i in range(80_000))
        ),
        "16,000 transactions of 60 bytes": put(
            *(with_inputs([somewhere(i)[0] + bytes(4)]) for i in range(16_000))
        ),
        "16,000 transactions, one previous output": put(
            *(with_inputs([bytes(36)])[:-4] + pack("<I", i) for i in range(16_000))
        ),
        "a chain of 16,000 transactions": put(*spending_each_other(16_000)),
        "16,000 outputs that nothing can spend, all spent": put(*burnt(16_000, 16_000)),
        "96,000 outputs that nothing can spend, one spent": put(*burnt(96_000, 1)),
        "110,000 outputs": put(with_outputs(110_000)),
        "110,000 negative outputs": put(with_outputs(110_000, -1)),
        "3,900,000 empty witness items": put(with_witness(bytes(3_900_000), 3_900_000)),
        "1,900,000 witness items of a byte": put(with_witness(b"\1x" * 1_900_000, 1_900_000)),
        "signature operations": put(with_script(b"\xac" * 990_000)),
        "empty pushes": put(with_script(b"\x4c\0" * 495_000)),
        "pushes of a byte": put(with_script(b"\1\xac" * 495_000)),
        "90,000 scripts that end in a push": put(with_outputs(90_000, 1, b"\x4c")),
    }
    return found


def with_outputs(n: int, value: int = 1, script: bytes = b"") -> bytes:
    plain = Tx((Input(somewhere(1)),), ()).raw()
    return plain[:-5] + size(n) + (pack("<q", value) + size(len(script)) + script) * n + plain[-4:]


def spending_each_other(n: int) -> list[bytes]:
    made = [with_inputs([somewhere(0)[0] + bytes(4)])]
    for _ in range(n - 1):
        made.append(with_inputs([sha256d(made[-1]) + bytes(4)]))
    return made


def burnt(n: int, spent: int) -> list[bytes]:
    """Return a transaction of n outputs of OP_RETURN, and one that spends the first of them, backwards."""
    first = with_outputs(n, 0, b"\x6a")
    return [first, with_inputs([sha256d(first) + pack("<I", i) for i in reversed(range(spent))])]
