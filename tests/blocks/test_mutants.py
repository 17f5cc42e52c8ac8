"""Genuine blocks, a field of the body changed: each with the code expected, and no other.

Where a transaction changes, the commitment to witnesses and the Merkle root are made anew, so that the one
thing that is wrong is told for itself; the nonce is the genuine one, whose work is lost (HASH_ABOVE_TARGET).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from tests.blocks.builder import (
    BEFORE,
    COIN,
    COMMITMENT,
    MAINNET,
    MOST,
    NULL,
    Input,
    Output,
    Tx,
    root,
    sha256d,
    size,
    somewhere,
)
from tests.blocks.cases import CODES, NAMES, STATE
from tests.blocks.real import early, read, unframed
from tests.blocks.told import names_of

SEGWIT = "rust-bitcoin/mainnet_block_000000000000000000000c835b2adcaedc20fdf6ee440009c249452c726dafae.raw"
MANY = 200  # transactions of the large ones that are kept


class Reader:
    """A block's bytes, known to be good."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def take(self, n: int) -> bytes:
        self.at += n
        return self.data[self.at - n : self.at]

    def number(self, n: int) -> int:
        return int.from_bytes(self.take(n), "little")

    def size(self) -> int:
        first = self.number(1)
        return first if first < 0xFD else self.number(1 << first - 0xFC)

    def tx(self) -> Tx:
        version = int.from_bytes(self.take(4), "little", signed=True)
        segwit = self.data[self.at] == 0
        self.at += 2 * segwit
        inputs = [
            Input((self.take(32), self.number(4)), self.take(self.size()), self.number(4))
            for _ in range(self.size())
        ]
        outputs = tuple(Output(self.number(8), self.take(self.size())) for _ in range(self.size()))
        if segwit:
            for i, one in enumerate(inputs):
                inputs[i] = one._replace(witness=tuple(self.take(self.size()) for _ in range(self.size())))
        return Tx(tuple(inputs), outputs, version, self.number(4), segwit)


class Genuine(NamedTuple):
    """A block of mainnet: its header, its height, its transactions with their encodings."""

    header: bytes
    height: int
    txs: tuple[Tx, ...]
    raws: tuple[bytes, ...]
    ids: tuple[bytes, ...]
    wtxids: tuple[bytes, ...]


def parsed(data: bytes, height: int | None = None) -> Genuine:
    reader = Reader(data, 80)
    txs = tuple(reader.tx() for _ in range(reader.size()))
    raws = tuple(tx.raw() for tx in txs)
    assert data == data[:80] + size(len(txs)) + b"".join(raws)
    ids = tuple(tx.txid for tx in txs)
    assert root(ids) == data[36:68]
    if height is None:  # BIP 34
        script = txs[0].inputs[0].script
        height = int.from_bytes(script[1 : 1 + script[0]], "little")
    return Genuine(data[:80], height, txs, raws, ids, (bytes(32), *(sha256d(raw) for raw in raws[1:])))


@cache
def genuine(name: str, vectors: object = None) -> Genuine:
    if name == "170":
        return parsed(early()[170][1], 170)
    if name == "277647":
        (data,) = unframed(read(vectors, "btcd/277647.dat.bz2"))
        return parsed(data)
    return parsed(read(vectors, SEGWIT))


def commits(tx: Tx) -> int | None:
    """Return the output of a coinbase that commits to witnesses."""
    found = [k for k, out in enumerate(tx.outputs) if out.script.startswith(COMMITMENT)]
    return found[-1] if found else None


def made(block: Genuine, changed: dict[int, Tx], more: tuple[Tx, ...] = (), commit: bool = True) -> bytes:
    """Return the front of a block with other transactions in places and more behind."""
    n = min(len(block.txs), MANY)
    txs, raws, ids = list(block.txs[:n]), list(block.raws[:n]), list(block.ids[:n])
    wtxids = list(block.wtxids[:n])

    def put(i: int, tx: Tx) -> None:
        txs[i : i + 1], raws[i : i + 1] = [tx], [tx.raw()]
        ids[i : i + 1] = [tx.txid]
        seen = any(one.witness for one in tx.inputs)
        wtxids[i : i + 1] = [bytes(32) if i == 0 else tx.wtxid if seen else tx.txid]

    for i, tx in (changed | dict(enumerate(more, n))).items():
        put(i, tx)
    place = commits(txs[0]) if commit and txs[0].inputs else None
    if place is not None:
        first, reserved = txs[0], txs[0].inputs[0].witness[:1]
        script = first.outputs[place].script
        script = COMMITMENT + sha256d(root(wtxids) + b"".join(reserved)) + script[38:]
        outputs = list(first.outputs)
        outputs[place] = outputs[place]._replace(script=script)
        put(0, first.but(outputs=tuple(outputs)))
    head = block.header
    return head[:36] + root(ids) + head[68:] + size(len(txs)) + b"".join(raws)


def context(block: Genuine) -> tuple[object, ...]:
    """Return the context of the block's parent, with times before its own."""
    time, bits = (int.from_bytes(block.header[k : k + 4], "little") for k in (68, 72))
    times = tuple(time - 600 * k for k in range(11, 0, -1))
    return tuple(
        BEFORE._replace(
            height=block.height - 1, prev_hash=block.header[4:36], times=times, period_start=0, bits=bits
        )
    )


def mutants(block: Genuine) -> dict[str, tuple[bytes, set[str]]]:
    """Return blocks by what was done to them, with the codes that must be told beside the lost work."""
    n = min(len(block.txs), MANY) - 1
    first, pay = block.txs[0], next(tx for tx in reversed(block.txs[: n + 1]) if len(tx.inputs) < 40)
    where = block.txs.index(pay)
    one = pay.inputs[0]
    segwit = commits(first) is not None

    def paying(**changes: object) -> bytes:
        return made(block, {where: pay.but(**changes)})

    def spending(*prevouts: tuple[bytes, int], tag: int = 0) -> Tx:
        return Tx(tuple(Input(prevout) for prevout in prevouts), (Output(5 + tag),))

    def over(field: tuple[object, ...], data: bytes) -> bytes:
        """Another encoding of a field of one more transaction."""
        return made(block, {}, (spending(somewhere(1)).but(over={field: data}),))

    def scripted(script: bytes) -> bytes:
        return made(block, {0: first.but(inputs=(first.inputs[0]._replace(script=script),))})

    rich = first.but(outputs=(Output(51 * COIN), *first.outputs[1:]))
    seen = pay.but(version=9, segwit=None, inputs=(one._replace(witness=(b"?",)), *pay.inputs[1:]))
    burn = pay.but(outputs=(Output(0, b"\x6a\x04gone"), *pay.outputs))
    open_ = pay.but(inputs=(one._replace(sequence=0), *pay.inputs[1:]))
    bip34 = {"COINBASE_HEIGHT"} if block.height >= MAINNET.bip34_height else set()
    left = size(100, 1)
    found: dict[str, tuple[bytes, set[str]]] = {
        # What no rule without the previous outputs asks about.
        "version": (paying(version=-7), set()),
        "previous transaction": (paying(inputs=(one._replace(prevout=somewhere(1)), *pay.inputs[1:])), set()),
        "input script": (paying(inputs=(one._replace(script=b"\x51"), *pay.inputs[1:])), set()),
        "sequence": (paying(inputs=(one._replace(sequence=5), *pay.inputs[1:])), set()),
        "lock time that has come": (made(block, {where: open_.but(locktime=block.height - 1)}), set()),
        "value": (paying(outputs=(Output(MOST, pay.outputs[0].script),)), set()),
        "coinbase value": (made(block, {0: rich}), set()),
        # Transactions.
        "no outputs": (paying(outputs=()), {"TX_NO_OUTPUTS"}),
        "neither inputs nor outputs": (made(block, {where: Tx((), ())}), {"TX_NO_INPUTS", "TX_NO_OUTPUTS"}),
        "negative value": (paying(outputs=(Output(-1), *pay.outputs[1:])), {"VALUE_NEGATIVE"}),
        "value too large": (paying(outputs=(Output(MOST + 1), *pay.outputs[1:])), {"VALUE_TOO_LARGE"}),
        "sum of values": (paying(outputs=(Output(MOST), *pay.outputs, Output(1))), {"VALUE_SUM"}),
        "input twice": (paying(inputs=(*pay.inputs, one)), {"DUPLICATE_INPUT"}),
        "null input": (paying(inputs=(*pay.inputs, Input(NULL))), {"NULL_PREVOUT"}),
        "lock time to come": (made(block, {where: open_.but(locktime=block.height)}), {"NOT_FINAL"}),
        "signature operations": (paying(outputs=(Output(0, b"\xac" * 20_001),)), {"SIGOPS"}),
        "a megabyte more": (paying(outputs=(Output(0, bytes(1_000_000)),)), {"BLOCK_SIZE", "TX_SIZE"}),
        # The coinbase.
        "two coinbases": (paying(inputs=(Input(NULL, b"ab"),), segwit=None), {"COINBASE_EXTRA"}),
        "no coinbase": (
            made(block, {0: spending(somewhere(2))}),
            {"COINBASE_MISSING"} | ({"WITNESS_UNEXPECTED"} if segwit else set()),
        ),
        "short coinbase script": (scripted(b"a"), {"COINBASE_SCRIPT"} | bip34),
        "long coinbase script": (scripted(bytes(101)), {"COINBASE_SCRIPT"} | bip34),
        "another height": (scripted(b"\x03" + (block.height + 1).to_bytes(3, "little")), bip34),
        # What spends what.
        "spends the coinbase": (made(block, {0: first}, (spending((block.ids[0], 0)),), False),
                                {"SPENDS_COINBASE"} | ({"WITNESS_COMMITMENT"} if segwit else set())),
        "spends no output": (made(block, {}, (spending((pay.txid, len(pay.outputs))),)), {"MISSING_OUTPUT"}),
        "spends what cannot be": (
            made(block, {where: burn}, (spending((burn.txid, 0)),)), {"MISSING_OUTPUT"}
        ),
        "spends what can": (made(block, {where: burn}, (spending((burn.txid, 1)),)), set()),
        "spends twice": (made(block, {}, (spending(one.prevout),)), {"DOUBLE_SPEND"}),
        "spends a later one": (
            made(block, {}, (spending((spending(somewhere(3)).txid, 0)), spending(somewhere(3)))),
            {"FORWARD_REFERENCE"},
        ),
        "twice the same": (made(block, {}, (pay,)), {"DUPLICATE_TXID", "DOUBLE_SPEND"}),
        # The encoding.
        "no shortest size": (over(("outputs",), size(1, 3)), {"NON_CANONICAL_SIZE"}),
        "too many inputs": (over(("inputs",), b"\xfc"), {"COUNT_BEYOND_END"}),
        "too many outputs": (over(("outputs",), left), {"COUNT_BEYOND_END"}),
        "script too long": (over(("output script size", 0), left), {"LENGTH_BEYOND_END"}),
        "size too large": (over(("script size", 0), size(0x02000001)), {"SIZE_TOO_LARGE"}),
        "short of its end": (made(block, {}, (spending(somewhere(1)),))[:-1], {"TRUNCATED"}),
        "more behind": (paying(version=9) + b"\0", {"TRAILING_BYTES"}),
        "marker without witness": (
            made(block, {}, (spending(somewhere(1)).but(segwit=True),)), {"SUPERFLUOUS_WITNESS"}
        ),
        "another flag": (
            made(block, {}, (spending(somewhere(1)).but(segwit=True, over={("flag",): b"\2"}),)),
            {"UNKNOWN_WITNESS_FLAG"},
        ),
        "a witness": (made(block, {where: seen}), set() if segwit else {"WITNESS_UNEXPECTED"}),
    }  # fmt: skip
    if segwit:
        bare = first.but(inputs=(first.inputs[0]._replace(witness=()),), segwit=False)
        other = first.inputs[0]._replace(witness=(b"\1" * 32,))
        kept = tuple(out for out in first.outputs if not out.script.startswith(COMMITMENT))
        short = first.inputs[0]._replace(witness=(bytes(31),))
        found |= {
            "other witnesses": (made(block, {where: open_}, commit=False), {"WITNESS_COMMITMENT"}),
            "another reserved value": (made(block, {0: first.but(inputs=(other,))}), set()),
            "not the reserved value": (
                made(block, {0: first.but(inputs=(other,))}, commit=False), {"WITNESS_COMMITMENT"}
            ),
            "no reserved value": (made(block, {0: bare}), {"WITNESS_RESERVED"}),
            "short reserved value": (made(block, {0: first.but(inputs=(short,))}), {"WITNESS_RESERVED"}),
            "no commitment": (made(block, {0: first.but(outputs=kept)}), {"WITNESS_UNEXPECTED"}),
        }  # fmt: skip
    return found


def check(rules, block):
    for name, (data, wanted) in mutants(block).items():
        checked = rules.check_block(data, context(block), None)
        said = {NAMES[found[0]] for found in checked.faults}
        assert said == wanted | {"HASH_ABOVE_TARGET"}, name
        if checked.root is not None:
            assert checked.root == data[36:68], name
            assert names_of(checked.unchecked) == STATE | {"future_time"}, name


def test_the_first_payment_changed(backend):
    """Block 170, whose second transaction pays Hal Finney."""
    block = genuine("170")
    rules = backend.Bitcoin(*MAINNET)
    whole = rules.check_block(made(block, {}), context(block), None)
    assert whole.faults == []
    check(rules, block)
    alone, (script,) = block._replace(txs=block.txs[:1]), (out.script for out in block.txs[0].outputs)
    head, zero = block.header, bytes(32)
    for data, codes in (
        (made(alone, {0: block.txs[0].but(outputs=(Output(50 * COIN, script),))}), ["HASH_ABOVE_TARGET"]),
        (
            made(alone, {0: block.txs[0].but(outputs=(Output(50 * COIN + 1, script),))}),
            ["HASH_ABOVE_TARGET", "COINBASE_VALUE"],
        ),
        (head + b"\0", ["MERKLE_ROOT", "NO_TRANSACTIONS"]),
        (head[:36] + zero + head[68:] + b"\0", ["HASH_ABOVE_TARGET", "NO_TRANSACTIONS"]),
    ):
        checked = rules.check_block(data, context(block), None)
        assert [NAMES[found[0]] for found in checked.faults] == codes


def flipped(data: bytes, start: int, stop: int) -> Iterator[bytes]:
    """Yield the bytes with the lowest or the highest bit of one in [start, stop) flipped."""
    for place in range(start, stop):
        for bit in (1, 0x80):
            changed = bytearray(data)
            changed[place] ^= bit
            yield bytes(changed)


def test_every_byte_of_the_first_payment(backend):
    """The root finds every other body; what else is told depends on the field."""
    block, rules = genuine("170"), backend.Bitcoin(*MAINNET)
    data, at = early()[170][1], 81
    for i, tx in enumerate(block.txs):
        for name, part in tx.fields():
            for changed in flipped(data, at, at + len(part)):
                checked = rules.check_block(changed, context(block), None)
                said = [NAMES[found[0]] for found in checked.faults]
                wanted = ["MERKLE_ROOT"]
                if name[0] in ("inputs", "outputs", "script size", "output script size"):
                    broken = "merkle" in names_of(checked.unchecked)
                    assert len(said) == 1 if broken else said[:2] == ["TRAILING_BYTES", *wanted], (i, name)
                    assert not broken or CODES[said[0]] < 20, (i, name)
                    continue
                if name[0] == "value":
                    value = int.from_bytes(changed[at : at + 8], "little", signed=True)
                    wanted += ["VALUE_NEGATIVE"] * (value < 0) + ["VALUE_TOO_LARGE"] * (value > MOST)
                if (i, name[0]) == (0, "prevout"):
                    wanted.append("COINBASE_MISSING")
                assert said == wanted, (i, name)
            at += len(part)
    assert at == len(data)
    for changed in flipped(data, 80, 81):  # three, or more than there can be
        (found,) = rules.check_block(changed, context(block), None).faults
        assert NAMES[found[0]] in {"TRUNCATED", "COUNT_BEYOND_END"}


@pytest.mark.parametrize("name", ["277647", "segwit"])
def test_later_blocks_changed(vectors, backend, name):
    """The front of one with heights in coinbases, and of one with witnesses."""
    block = genuine(name, vectors)
    assert block.height > MAINNET.bip34_height
    assert (commits(block.txs[0]) is not None) == (block.height > MAINNET.segwit_height) == (name == "segwit")
    check(backend.Bitcoin(*MAINNET), block)


HEADER_FIELDS = {  # of block 170, under its context: the codes that are told
    "version": (0, 4, {"HASH_ABOVE_TARGET"}),
    "parent": (4, 36, {"PREV_HASH", "HASH_ABOVE_TARGET"}),
    "root": (36, 68, {"MERKLE_ROOT", "HASH_ABOVE_TARGET"}),
    "time": (68, 72, {"HASH_ABOVE_TARGET"}),
    "nonce": (76, 80, {"HASH_ABOVE_TARGET"}),
}


@pytest.mark.parametrize("field", HEADER_FIELDS)
def test_fields_of_a_later_header(backend, field):
    """Before BIP 34 any version holds; a time is told of where it is not above the median."""
    start, stop, wanted = HEADER_FIELDS[field]
    block, data = genuine("170"), early()[170][1]
    median = sorted(context(block)[2])[5]
    for place in range(start, stop):
        changed = bytearray(data)
        changed[place] ^= 0x40
        checked = backend.Bitcoin(*MAINNET).check_block(bytes(changed), context(block), None)
        said = {NAMES[found[0]] for found in checked.faults}
        old = field == "time" and int.from_bytes(changed[68:72], "little") <= median
        assert said == wanted | ({"TIME_TOO_OLD"} if old else set()), place
