"""Audit a block file, and prove one of its transactions to somebody who has only the header.

    python examples/audit_blocks.py [FILE [TXID]] [--chain bitcoin]

Without FILE it makes one: a short chain of Bitcoin's regression-test network.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path
from struct import pack

import merklecore as mc
from merklecore import blocks
from merklecore.blocks.mapped import File
from merklecore.cli.terminal import shown

OWN_CHAIN = "bitcoin-regtest"
EASY = 0x207FFFFF  # every other hash is below this target
BEGAN = 1_600_000_000


class Failed(Exception):
    """Something does not hold."""


def main(argv: list[str] | None = None) -> int:
    """Run the three parts; 1 when anything does not hold, 2 when there is nothing to read."""
    parser = argparse.ArgumentParser(description="Audit a block file and prove one transaction.")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE")
    parser.add_argument(
        "txid", nargs="?", metavar="TXID", help="as explorers show it; the last one without it"
    )
    parser.add_argument("--chain", default=None, metavar="NAME")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        own = args.file is None
        path = Path(folder) / "blk00000.dat" if own else args.file
        try:
            if own:
                path.write_bytes(framed(chain(100)))
            engine = blocks.Engine(args.chain or (OWN_CHAIN if own else "bitcoin"))
            audit(engine, path)
            if own:
                tamper(engine, path.read_bytes(), Path(folder) / "tampered.dat")
            prove(engine, path, args.txid)
        except Failed as error:
            print(f"\nFAILED: {error}", file=sys.stderr)
            return 1
        except (OSError, mc.MerkleCoreError) as error:
            print(f"audit_blocks: {shown(str(error))}", file=sys.stderr)
            return 2
    return 0


# ---- the three parts ---------------------------------------------------------------------------------------


def audit(engine: blocks.Engine, path: Path) -> None:
    """(a) Check every block; Failed when one does not hold."""
    print(f"(a) every block of {shown(path.name)}, {path.stat().st_size:,} bytes\n")
    began, now = time.perf_counter(), int(time.time())
    unchecked: Counter[str] = Counter()
    count = transactions = bad = 0
    for report in engine.check_file(path, now=now):
        count += 1
        transactions += report.tx_count
        unchecked.update(report.unchecked)
        bad += not report.ok
        for error in report.errors[: 10 if bad < 10 else 0]:
            print(f"offset {report.offset + error.offset}: {error.code.name}: {error.message}")
    seconds = time.perf_counter() - began
    print(f"{count:,} blocks, {transactions:,} transactions in {seconds:.3f} s; {bad:,} do not hold")
    print("not checked, for it needs more than the file, on so many blocks:")
    for rule, blocks_without in unchecked.items():
        print(f"  {rule:20} {blocks_without:,}")
    if bad:
        raise Failed(f"{bad:,} of {count:,} blocks do not hold")


def tamper(engine: blocks.Engine, data: bytes, path: Path) -> None:
    """(b) One satoshi more for somebody: found, and named."""
    print("\n(b) one byte changed\n")
    table = engine.tx_table(data[8:])
    place = 8 + int(table["offset"][0] + table["size"][0]) - 4 - 2 - 8  # the first output's value
    path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    found = [(report, error) for report in engine.check_file(path) for error in report.errors]
    for report, error in found:
        print(f"offset {report.offset + error.offset}: {error.code.name}: {error.message}")
    if not found:
        raise Failed("the change was not found")


def prove(engine: blocks.Engine, path: Path, txid: str | None) -> None:
    """(c) The proof of a transaction, checked by another process that has the header alone."""
    print("\n(c) one transaction, proven to somebody who has only the header\n")
    header, ids, index, proof, first = proof_of(engine, path, txid_of(txid) if txid else None)
    print(f"block        {mc.sha256d(header)[::-1].hex()}")
    print(f"transaction  {ids[index][::-1].hex()}, {index} of {len(ids)}")
    print(f"proof        {len(proof.path)} hashes, {len(bytes(proof))} bytes")
    # The outsider takes the root from a header, whose work anyone can check.
    work = engine.check_headers(header)
    print(f"header       work and form hold: {work.ok}")
    # A header does not say how many transactions there are, nor which hashes are nodes. The coinbase, whose
    # form no node can have, has a proof as long as the tree is deep: ours must be as long.
    first.verify(header[36:68], ids[0], index=0, size=len(ids), profile="bitcoin")
    if len(first.path) != len(proof.path):
        raise Failed("the proofs of two transactions of one block differ in length")
    for leaf, wanted in ((ids[index], 0), (mc.sha256d(b"another transaction"), 1)):
        words = ["--root", header[36:68].hex(), "--size", str(len(ids)), "--index", str(index)]
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "merklecore",
                "verify",
                "-",
                *words,
                "--profile",
                "bitcoin",
                "--leaf-hex",
                leaf.hex(),
            ],
            input=proof.to_json(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(f"outsider     {done.stdout.strip()}  (exit code {done.returncode})")
        if done.returncode != wanted:
            raise Failed("the outsider was told something else")


def txid_of(text: str) -> bytes:
    """Return an id as hashed."""
    try:
        return bytes.fromhex(text)[::-1]
    except ValueError:
        raise mc.InputError(f"TXID: hexadecimal digits are needed, not {text[:80]}") from None


def proof_of(
    engine: blocks.Engine, path: Path, txid: bytes | None
) -> tuple[bytes, list[bytes], int, mc.InclusionProof, mc.InclusionProof]:
    """Return header, ids, index and proof of a transaction (without an id the last), and the coinbase's."""
    file, last = File(str(path)), None
    for report in engine.check_file(path):
        if report.block_hash is None:
            continue
        data = bytes(file.read(report.offset, report.end))
        ids = [bytes(row) for row in engine.txids(data)]
        last = data, ids, len(ids) - 1
        if txid in ids:
            last = data, ids, ids.index(txid)
            break
    else:
        if txid is not None or last is None:
            raise mc.InputError(f"{path}: no such transaction")
    data, ids, index = last
    return data[:80], ids, index, engine.prove(data, index), engine.prove(data, 0)


# ---- a chain of one's own ----------------------------------------------------------------------------------


def chain(length: int) -> list[bytes]:
    """Return blocks of regtest, each with a coinbase and a few payments."""
    made, parent = [], bytes(32)
    for height in range(length):
        start = bytes([0x50 + height]) if 0 < height <= 16 else pack("<BB", 1, height) if height else b"\0"
        txs = [transaction(bytes(32), 0xFFFFFFFF, start + b"coinbase", 50 * 10**8 >> height // 150)]
        txs += [transaction(sha256(b"%d %d" % (height, i)).digest(), 0, b"", 1000) for i in range(height % 8)]
        level = [mc.sha256d(tx) for tx in txs]
        rest = pack("<II", BEGAN + 600 * height, EASY)
        nonce = 0
        while True:
            header = pack("<i", 4) + parent + mc.merkle_root(level, "bitcoin") + rest + pack("<I", nonce)
            found = mc.sha256d(header)
            if found[31] < 0x7F:
                break
            nonce += 1
        parent = found
        made.append(header + bytes([len(txs)]) + b"".join(txs))
    return made


def transaction(prevout: bytes, index: int, script: bytes, value: int) -> bytes:
    """Return a transaction of one input and one output that anyone can spend."""
    spent = prevout + pack("<IB", index, len(script)) + script + b"\xff" * 4
    return pack("<iB", 2, 1) + spent + pack("<Bq", 1, value) + b"\1\x51" + bytes(4)


def framed(made: list[bytes]) -> bytes:
    """Return a block file."""
    magic = blocks.networks[OWN_CHAIN].magic
    return b"".join(magic + pack("<I", len(data)) + data for data in made)


if __name__ == "__main__":
    sys.exit(main())
