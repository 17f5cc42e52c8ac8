"""The scanner of Bitcoin blocks: bytes to offsets, and every fault of the encoding.

Block: header (80 bytes), count of transactions, transactions. Transaction (Bitcoin Core,
primitives/transaction.h; BIP 144): version, inputs, outputs, lock time; or version, marker 0, flag 1, inputs,
outputs, a witness stack for each input, lock time. Integers are little-endian. Counts and lengths are compact
sizes (serialize.h): one byte below 253; or 253, 254, 255 and 2, 4, 8 bytes, for values that do not fit a
shorter form.

No count is believed before the bytes that are left could hold that many, so nothing is allocated for a
promise.
"""

from __future__ import annotations

from merklecore.reference.chains import bitcoin_findings as codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn, TypeAlias

    Input: TypeAlias = tuple[int, bytes, int, int, int]
    Output: TypeAlias = tuple[int, int, int, int]
    Span: TypeAlias = tuple[int, int]

__all__ = ["HEADER_SIZE", "NULL_PREVOUT", "Block", "FatalError", "Transaction", "scan"]

HEADER_SIZE = 80
MAX_SIZE = 0x02000000  # serialize.h: the largest compact size
NULL_PREVOUT = bytes(32) + b"\xff" * 4
LEAST_TRANSACTION, LEAST_INPUT, LEAST_OUTPUT, LEAST_ITEM = 10, 41, 9, 1  # bytes


class FatalError(Exception):
    """The rest of the bytes cannot be read; the fault is in the findings."""


class Transaction:
    """Where the parts of a transaction stand.

    inputs: (offset, prevout, script's start, script's stop, sequence) each, the prevout being 36 bytes;
    outputs: (offset, value, script's start, script's stop) each; witness: of each input its items as [start,
    stop), or none at all; pieces: what is left of it without marker, flag and witness, ``stripped`` bytes.
    """

    __slots__ = (
        "inputs",
        "lock_time",
        "outputs",
        "pieces",
        "start",
        "stop",
        "stripped",
        "version",
        "witness",
    )

    def __init__(self, start: int, version: int) -> None:
        self.start = start
        self.stop = start
        self.version = version
        self.inputs: Sequence[Input] = ()
        self.outputs: Sequence[Output] = ()
        self.witness: Sequence[Sequence[Span]] = ()
        self.lock_time = 0
        self.pieces: tuple[Span, ...] = ()
        self.stripped = 0

    @property
    def has_witness(self) -> bool:
        """Whether any input has a witness."""
        return any(self.witness)


class Block:
    """A block that was read: ``whole`` when no fault ended the scan; ``stop`` is where it ends."""

    __slots__ = ("data", "stop", "transactions", "transactions_start", "whole")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.stop = len(data)
        self.transactions: list[Transaction] = []
        self.transactions_start = 0  # past their count
        self.whole = False


class Cursor:
    """Walks over the bytes; the only place where bounds are checked."""

    __slots__ = ("at", "data", "end", "findings", "tx")

    def __init__(self, data: bytes, findings: codes.Findings) -> None:
        self.data = data
        self.end = len(data)
        self.at = 0
        self.tx = -1  # the transaction under way
        self.findings = findings

    def skip(self, size: int) -> int:
        """Pass over a field; return where it begins."""
        at = self.at
        self.at = after = at + size
        if after > self.end:
            self.fatal(codes.TRUNCATED, at, size, self.end - at)
        return at

    def integer(self, size: int, signed: bool = False) -> int:
        """Read a little-endian integer."""
        at = self.skip(size)
        return int.from_bytes(self.data[at : at + size], "little", signed=signed)

    def compact_size(self) -> int:
        """Read a compact size."""
        data, at = self.data, self.skip(1)
        first = data[at]
        if first < 253:
            return first
        self.at = at
        width = 1 << (first - 252)
        self.skip(1 + width)
        value = int.from_bytes(data[at + 1 : at + 1 + width], "little")
        if value < (253 if width == 2 else 1 << (4 * width)):
            self.findings.fault(codes.NON_CANONICAL_SIZE, at, self.tx, value)
        if value > MAX_SIZE:
            self.fatal(codes.SIZE_TOO_LARGE, at, value)
        return value

    def string(self) -> int:
        """Pass over a length and as many bytes; return where those begin."""
        at = self.at
        length = self.compact_size()
        start, left = self.at, self.end - self.at
        if length > left:
            self.fatal(codes.LENGTH_BEYOND_END, at, length, left)
        self.at = start + length
        return start

    def count(self, least: int) -> int:
        """Read how many things follow, of at least so many bytes each."""
        at = self.at
        count = self.compact_size()
        left = self.end - self.at
        if count > left // least:
            self.fatal(codes.COUNT_BEYOND_END, at, count, left)
        return count

    def fatal(self, code: int, at: int, a: int, b: int = 0) -> NoReturn:
        """Take down the fault that ends the scan."""
        self.findings.fault(code, at, self.tx, a, b)
        raise FatalError


def scan(data: bytes, findings: codes.Findings) -> Block:
    """Read a block; the block returned is whole unless a fault ended the scan."""
    block, cursor = Block(data), Cursor(data, findings)
    try:
        cursor.skip(HEADER_SIZE)
        count = cursor.count(LEAST_TRANSACTION)
        block.transactions_start = cursor.at
        for cursor.tx in range(count):
            block.transactions.append(_transaction(cursor))
    except FatalError:
        return block
    block.whole = True
    block.stop = cursor.at
    if cursor.at < len(data):
        findings.fault(codes.TRAILING_BYTES, cursor.at, -1, len(data) - cursor.at)
    return block


def _transaction(cursor: Cursor) -> Transaction:
    start = cursor.at
    transaction = Transaction(start, cursor.integer(4, signed=True))
    marker = cursor.at
    count = cursor.count(LEAST_INPUT)
    if count:
        _inputs_and_outputs(cursor, transaction, count)
    else:
        flag = cursor.integer(1)
        if flag > 1:
            cursor.fatal(codes.UNKNOWN_WITNESS_FLAG, cursor.at - 1, flag)
        if flag:
            body = cursor.at
            _inputs_and_outputs(cursor, transaction, cursor.count(LEAST_INPUT))
            transaction.pieces = ((start, marker), (body, cursor.at))
            transaction.witness = [_witness_stack(cursor) for _ in transaction.inputs]
            if not transaction.has_witness:
                cursor.findings.fault(codes.SUPERFLUOUS_WITNESS, marker, cursor.tx)
        # else no inputs, and the flag was the count of no outputs
    end = cursor.at
    transaction.lock_time = cursor.integer(4)
    transaction.stop = cursor.at
    transaction.pieces += ((end if transaction.pieces else start, cursor.at),)
    transaction.stripped = sum(stop - start for start, stop in transaction.pieces)
    return transaction


def _inputs_and_outputs(cursor: Cursor, transaction: Transaction, count: int) -> None:
    data = cursor.data
    transaction.inputs = inputs = []
    for _ in range(count):
        at = cursor.skip(36)
        script = cursor.string()
        end = cursor.at
        inputs.append((at, data[at : at + 36], script, end, cursor.integer(4)))
    transaction.outputs = outputs = []
    for _ in range(cursor.count(LEAST_OUTPUT)):
        at = cursor.at
        value = cursor.integer(8, signed=True)
        script = cursor.string()
        outputs.append((at, value, script, cursor.at))


def _witness_stack(cursor: Cursor) -> Sequence[Span]:
    return [(cursor.string(), cursor.at) for _ in range(cursor.count(LEAST_ITEM))]
