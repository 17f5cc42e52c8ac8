"""Transactions, blocks and chains from hashlib and struct alone, sharing nothing with merklecore.

Valid unless told otherwise: `over` of a transaction replaces the bytes of a field by others, and each field's
place is known (`Built.at`), so a hostile block is a valid one with one thing changed, and the place where the
fault must be reported. Bitcoin's protocol documentation, BIPs 34, 141, 144; Bitcoin Core's arith_uint256.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from struct import pack
from typing import NamedTuple

NULL = (bytes(32), 0xFFFFFFFF)
FINAL = 0xFFFFFFFF
COIN = 100_000_000
MOST = 21_000_000 * COIN
TRUE = b"\x51"  # a script that anyone can spend
EASY = 0x207FFFFF  # the compact target of regtest: every other hash is below it
COMMITMENT = bytes.fromhex("6a24aa21a9ed")
PERIOD = 2016


def sha256d(data: bytes) -> bytes:
    return sha256(sha256(data).digest()).digest()


def size(value: int, width: int | None = None) -> bytes:
    """Return a compact size; ``width`` (1, 3, 5, 9) takes another form than the shortest."""
    if width is None:
        width = 1 if value < 0xFD else 3 if value < 1 << 16 else 5 if value < 1 << 32 else 9
    if width == 1:
        return bytes([value])
    return bytes([{3: 0xFD, 5: 0xFE, 9: 0xFF}[width]]) + value.to_bytes(width - 1, "little")


def height_push(height: int) -> bytes:
    """Return what a coinbase script starts with (BIP 34): the shortest push of the number."""
    if height == 0:
        return b"\x00"
    if height <= 16:
        return bytes([0x50 + height])
    number = height.to_bytes(height.bit_length() // 8 + 1, "little")  # one bit is the sign's
    return bytes([len(number)]) + number


# ---- targets -----------------------------------------------------------------------------------------------


def expand(bits: int) -> int:
    """Return the target of a compact form that is neither negative nor too large."""
    exponent, word = bits >> 24, bits & 0x7FFFFF
    return word >> 8 * (3 - exponent) if exponent <= 3 else word << 8 * (exponent - 3)


def compact(target: int) -> int:
    """Return the compact form of a target."""
    exponent = (target.bit_length() + 7) // 8
    word = target << 8 * (3 - exponent) if exponent <= 3 else target >> 8 * (exponent - 3)
    if word & 0x800000:  # the sign's bit
        word, exponent = word >> 8, exponent + 1
    return exponent << 24 | word


def work(bits: int) -> int:
    target = expand(bits)
    return (1 << 256) // (target + 1) if target else 0


def retarget(bits: int, seconds: int, limit: int) -> int:
    """Return the compact target after a period of so many seconds; products wrap at 256 bits."""
    seconds = min(max(seconds, 1_209_600 // 4), 1_209_600 * 4)
    return compact(min((expand(bits) * seconds & (1 << 256) - 1) // 1_209_600, limit))


# ---- transactions ------------------------------------------------------------------------------------------


class Input(NamedTuple):
    prevout: tuple[bytes, int]
    script: bytes = b""
    sequence: int = FINAL
    witness: tuple[bytes, ...] = ()


class Output(NamedTuple):
    value: int
    script: bytes = TRUE


class Field(NamedTuple):
    """A part of an encoding: its name, its bytes."""

    name: tuple[object, ...]
    data: bytes


@dataclass(frozen=True)
class Tx:
    """A transaction. Fields by name, for `over` and `at`: see `fields`."""

    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    version: int = 2
    locktime: int = 0
    segwit: bool | None = None  # None: where a witness is not empty
    over: Mapping[tuple[object, ...], bytes] = field(default_factory=dict)

    def fields(self, witness: bool = True) -> Iterable[Field]:
        wanted = any(item.witness for item in self.inputs) if self.segwit is None else self.segwit
        witness = witness and wanted
        for part in self._fields(witness):
            yield Field(part.name, self.over.get(part.name, part.data))

    def _fields(self, witness: bool) -> Iterable[Field]:
        yield Field(("version",), pack("<i", self.version))
        if witness:
            yield Field(("marker",), b"\0")
            yield Field(("flag",), b"\1")
        yield Field(("inputs",), size(len(self.inputs)))
        for i, one in enumerate(self.inputs):
            yield Field(("prevout", i), one.prevout[0] + pack("<I", one.prevout[1]))
            yield Field(("script size", i), size(len(one.script)))
            yield Field(("script", i), one.script)
            yield Field(("sequence", i), pack("<I", one.sequence))
        # Without inputs what follows is read as a flag; 0 stands for no outputs either.
        yield Field(("outputs",), size(len(self.outputs)))
        for i, out in enumerate(self.outputs):
            yield Field(("value", i), pack("<q", out.value))
            yield Field(("output script size", i), size(len(out.script)))
            yield Field(("output script", i), out.script)
        if witness:
            for i, one in enumerate(self.inputs):
                yield Field(("items", i), size(len(one.witness)))
                for k, item in enumerate(one.witness):
                    yield Field(("item size", i, k), size(len(item)))
                    yield Field(("item", i, k), item)
        yield Field(("locktime",), pack("<I", self.locktime))

    def raw(self, witness: bool = True) -> bytes:
        return b"".join(part.data for part in self.fields(witness))

    @property
    def txid(self) -> bytes:
        return sha256d(self.raw(witness=False))

    @property
    def wtxid(self) -> bytes:
        return sha256d(self.raw())

    def but(self, **changes: object) -> Tx:
        return replace(self, **changes)  # type: ignore[arg-type]  # fields by name


def coinbase(
    height: int, outputs: Sequence[Output] | None = None, *, script: bytes | None = None, value: int = 0,
    witness: tuple[bytes, ...] = (), **more: object,
) -> Tx:  # fmt: skip
    """Return a coinbase that BIP 34 accepts at this height."""
    script = height_push(height) + b"test" if script is None else script
    outs = (Output(value),) if outputs is None else tuple(outputs)
    return Tx((Input(NULL, script, FINAL, witness),), outs, **more)  # type: ignore[arg-type]  # fields by name


def somewhere(number: int) -> tuple[bytes, int]:
    """Return the n-th previous output, of a transaction that is in no block."""
    return sha256(b"elsewhere %d" % number).digest(), 0


def spend(number: int, *, witness: tuple[bytes, ...] = (), **more: object) -> Tx:
    """Return a transaction that spends the n-th output from elsewhere."""
    return Tx((Input(somewhere(number), b"", FINAL, witness),), (Output(1000),), **more)  # type: ignore[arg-type]  # fields by name


# ---- blocks ------------------------------------------------------------------------------------------------


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return all levels of the tree; the last node of an odd one is hashed with itself."""
    found = [list(leaves)]
    while len(found[-1]) > 1:
        level = found[-1] + found[-1][-1:] * (len(found[-1]) & 1)
        found.append([sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2)])
    return found


def root(leaves: Sequence[bytes]) -> bytes:
    return levels(leaves)[-1][0] if leaves else bytes(32)


class Built(NamedTuple):
    """A block's bytes and where its parts begin."""

    data: bytes
    hash: bytes
    root: bytes
    txids: list[bytes]
    offsets: list[int]  # of the transactions, and where they end
    txs: tuple[Tx, ...]

    def at(self, tx: int, *name: object) -> int:
        """Return the offset of a field of a transaction."""
        place = self.offsets[tx]
        for part in self.txs[tx].fields():
            if part.name == name:
                return place
            place += len(part.data)
        raise KeyError(name)


@dataclass(frozen=True)
class Block:
    """A block; `build` finds a nonce where `mined`."""

    txs: tuple[Tx, ...]
    prev: bytes = bytes(32)
    time: int = 0
    bits: int = EASY
    version: int = 4
    root: bytes | None = None  # None: the right one
    mined: bool = True  # False: the first nonce whose hash is above the target
    count: bytes | None = None  # the compact size before the transactions
    tail: bytes = b""

    def but(self, **changes: object) -> Block:
        return replace(self, **changes)  # type: ignore[arg-type]  # fields by name

    def build(self) -> Built:
        txids = [tx.txid for tx in self.txs]
        top = root(txids)
        head = pack("<i", self.version) + self.prev + (top if self.root is None else self.root)
        head += pack("<II", self.time, self.bits)
        target = expand(self.bits) if self.bits >> 24 < 0x40 else 0
        # No search where no hash is below the target, or none above, or where it would take too long.
        searched = target >> 238 and not self.bits & 0x800000 and self.bits >> 24 <= 0x20
        for nonce in range(1 << 20 if searched else 1):
            header = head + pack("<I", nonce)
            found = sha256d(header)
            if (int.from_bytes(found, "little") <= target) == self.mined:
                break
        data = bytearray(header)
        data += size(len(self.txs)) if self.count is None else self.count
        offsets = []
        for tx in self.txs:
            offsets.append(len(data))
            data += tx.raw()
        offsets.append(len(data))
        return Built(bytes(data + self.tail), found, top, txids, offsets, self.txs)


def committed(txs: Sequence[Tx], reserved: bytes = bytes(32), extra: bytes = b"") -> tuple[Tx, ...]:
    """Return the transactions, the coinbase with a commitment to all witnesses (BIP 141)."""
    first = txs[0]
    top = root([bytes(32), *(tx.wtxid for tx in txs[1:])])
    script = COMMITMENT + sha256d(top + reserved) + extra
    inputs = (first.inputs[0]._replace(witness=(reserved,)), *first.inputs[1:])
    return first.but(inputs=inputs, outputs=(*first.outputs, Output(0, script))), *txs[1:]


# ---- chains ------------------------------------------------------------------------------------------------


class Network(NamedTuple):
    """The arguments of a backend's Bitcoin class, in order."""

    pow_limit: int
    magic: bytes
    bip34_height: int
    bip65_height: int
    bip66_height: int
    csv_height: int
    segwit_height: int
    halving: int
    twenty_minutes: bool = False
    no_retarget: bool = False
    bip94: bool = False
    signet_challenge: bytes | None = None
    genesis_hash: bytes | None = None


MAIN_LIMIT = (1 << 224) - 1
MAINNET = Network(
    MAIN_LIMIT, bytes.fromhex("f9beb4d9"), 227931, 388381, 363725, 419328, 481824, 210000
)  # fmt: skip
TESTNET3 = Network(
    MAIN_LIMIT, bytes.fromhex("0b110907"), 21111, 581885, 330776, 770112, 834624, 210000, twenty_minutes=True
)  # fmt: skip
TESTNET4 = Network(
    MAIN_LIMIT, bytes.fromhex("1c163f28"), 1, 1, 1, 1, 1, 210000, twenty_minutes=True, bip94=True
)  # fmt: skip
REGTEST = Network(
    (1 << 255) - 1, bytes.fromhex("fabfb5da"), 1, 1, 1, 1, 0, 150, twenty_minutes=True, no_retarget=True
)  # fmt: skip
SIGNET_CHALLENGE = bytes.fromhex(
    "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430"
    "210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae"
)
SIGNET = Network(
    expand(0x1E0377AE), sha256d(size(len(SIGNET_CHALLENGE)) + SIGNET_CHALLENGE)[:4],
    1, 1, 1, 1, 1, 210000, signet_challenge=SIGNET_CHALLENGE,
)  # fmt: skip


class Context(NamedTuple):
    """The chain after a block, as the backends take it and give it."""

    height: int | None
    prev_hash: bytes | None
    times: tuple[int, ...] | None
    period_start: int | None
    bits: int | None
    chainwork: int | None
    period_bits: int | None
    real_bits: int | None


def follow(context: Context | None, header: bytes, network: Network) -> Context:
    """Return the context after one more block."""
    header = header[:80]  # of a block, too
    time, bits = int.from_bytes(header[68:72], "little"), int.from_bytes(header[72:76], "little")
    if context is None:
        return Context(None, sha256d(header), (time,), None, bits, None, None, None)
    height = context.height + 1
    boundary = height % PERIOD == 0
    usual = boundary or bits != compact(network.pow_limit)
    return Context(
        height,
        sha256d(header),
        ((*context.times, time))[-11:],
        time if boundary else context.period_start,
        bits,
        context.chainwork + work(bits),
        bits if boundary else context.period_bits,
        bits if usual else context.real_bits,
    )


GENESIS_TIME = 1_600_000_000
BEFORE = Context(-1, bytes(32), (), None, None, 0, None, None)  # what the first block follows


def chain(length: int, network: Network = REGTEST, spacing: int = 600) -> list[Built]:
    """Return a valid chain from its first block on; every third block holds payments, some with witnesses."""
    blocks: list[Built] = []
    for height in range(length):
        txs: list[Tx] = [coinbase(height, value=50 * COIN >> height // network.halving)]
        if height % 3 == 2:
            txs += [spend(height * 10 + i) for i in range(height % 7 + 1)]
        if height % 6 == 5 and height >= network.segwit_height:
            txs.append(spend(height * 10 + 9, witness=(b"signature", b"", b"key")))
            txs = list(committed(txs))
        prev = blocks[-1].hash if blocks else bytes(32)
        blocks.append(Block(tuple(txs), prev, GENESIS_TIME + height * spacing).build())
    return blocks


def framed(blocks: Iterable[bytes], magic: bytes = REGTEST.magic) -> bytes:
    """Return blocks as a block file has them."""
    return b"".join(magic + pack("<I", len(data)) + data for data in blocks)
