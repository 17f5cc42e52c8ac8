"""Bitcoin blocks in plain Python: the twin of the native class of this name, and its readable specification.

The pipeline: ``bitcoin_scan`` reads the bytes; ``bitcoin_rules.merkle`` checks the tree over the transaction
ids; ``bitcoin_headers`` the header; ``bitcoin_rules`` the rest. Nothing hides anything else: all faults are
found, in that order. The contract, as ``merklecore._backend`` binds it:

- ``Bitcoin(pow_limit, magic, bip34_height, bip65_height, bip66_height, csv_height, segwit_height, halving,
  twenty_minutes, no_retarget, bip94, signet_challenge, genesis_hash)``: the rules of one network;
- ``check_block(data, context, now)``: a ``Checked``; context: None or a tuple (height, prev_hash, times,
  period_start, bits, chainwork, period_bits, real_bits), any of them None; now: seconds or None;
- ``check_many(data, spans, contexts, now, threads)``: a list of them, for blocks at [start, stop) of one
  buffer;
- ``check_headers(rows, context, now)``: codes uint32 (n,), hashes uint8 (n, 32), chainwork uint8 (n, 32)
  big-endian, the bits of unchecked rules, and the next context;
- ``tx_table(data)``: what stands where, a structured array; ``txids(data)``: uint8 (n, 32).

``Checked``: ``faults`` and ``warnings``, the first 100 each, as (code, offset, transaction or -1, a, b);
``fault_count``, ``warning_count``; ``unchecked``, a bit for each rule; ``root``, ``block_hash``: bytes or
None; ``size``: bytes of the block; ``tx_count``; ``next_context``: a tuple as above or None.
"""

from __future__ import annotations

from merklecore.errors import InputError
from merklecore.reference.chains import bitcoin_findings as codes
from merklecore.reference.chains import bitcoin_headers as headers
from merklecore.reference.chains import bitcoin_rules as rules
from merklecore.reference.chains.bitcoin_headers import Parent
from merklecore.reference.chains.bitcoin_scan import HEADER_SIZE, NULL_PREVOUT, scan
from merklecore.reference.inputs import Rows, check_threads, contiguous

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, SupportsIndex, TypeAlias

    from merklecore.reference.chains.bitcoin_findings import Fault
    from merklecore.reference.chains.bitcoin_scan import Block, Transaction
    from merklecore.reference.inputs import Data, Messages

    Context: TypeAlias = tuple[Any, ...]

__all__ = ["Bitcoin", "Checked"]

TX_TABLE = [
    *(("offset", "<u8"), ("size", "<u4"), ("stripped", "<u4"), ("inputs", "<u4"), ("outputs", "<u4")),
    *(("version", "<i4"), ("locktime", "<u4"), ("value", "<i8"), ("flags", "u1")),
]
HAS_WITNESS, COINBASE_FORM = 1, 2
MOST_VALUE = (1 << 63) - 1
MOST_BYTES = (1 << 32) - 1


class Checked:
    """What was found out about one block."""

    __slots__ = ("_found", "block_hash", "next_context", "root", "size", "tx_count")

    def __init__(self, found: codes.Findings, block: Block) -> None:
        self._found = found
        self.size: int = block.stop
        self.tx_count: int = len(block.transactions)
        self.root: bytes | None = None
        self.block_hash: bytes | None = None
        self.next_context: Context | None = None

    @property
    def faults(self) -> list[Fault]:
        """The first faults in order."""
        return self._found.faults

    @property
    def fault_count(self) -> int:
        """How many there are."""
        return self._found.fault_count

    @property
    def warnings(self) -> list[Fault]:
        """The first warnings in order."""
        return self._found.warnings

    @property
    def warning_count(self) -> int:
        """How many there are."""
        return self._found.warning_count

    @property
    def unchecked(self) -> int:
        """A bit for each rule that was not checked."""
        return self._found.unchecked


class Bitcoin:
    """The rules of one network."""

    __slots__ = (
        *("bip34_height", "bip65_height", "bip66_height", "bip94", "csv_height", "genesis_hash", "halving"),
        *(
            "limit_bits",
            "magic",
            "no_retarget",
            "pow_limit",
            "segwit_height",
            "signet_challenge",
            "twenty_minutes",
        ),
    )

    def __init__(
        self,
        pow_limit: int,
        magic: bytes,
        bip34_height: int,
        bip65_height: int,
        bip66_height: int,
        csv_height: int,
        segwit_height: int,
        halving: int,
        twenty_minutes: bool,
        no_retarget: bool,
        bip94: bool,
        signet_challenge: bytes | None,
        genesis_hash: bytes | None = None,
    ) -> None:
        self.pow_limit = pow_limit
        self.limit_bits = headers.compact(pow_limit)
        self.magic = magic
        self.bip34_height = bip34_height
        self.bip65_height = bip65_height
        self.bip66_height = bip66_height
        self.csv_height = csv_height
        self.segwit_height = segwit_height
        self.halving = halving
        self.twenty_minutes = twenty_minutes
        self.no_retarget = no_retarget
        self.bip94 = bip94
        self.signet_challenge = signet_challenge
        self.genesis_hash = genesis_hash

    def check_block(self, data: Data, context: Context | None, now: int | None) -> Checked:
        """Check one block, from the first byte on."""
        return self._check(_block(data), context, now)

    def check_many(
        self,
        data: Data,
        spans: Sequence[tuple[int, int]],
        contexts: Sequence[Context | None],
        now: int | None,
        threads: SupportsIndex | None = None,
    ) -> list[Checked]:
        """Check the blocks at [start, stop) of one buffer, each from its own first byte on."""
        check_threads(threads)
        whole = contiguous(data, "data")
        return [
            self._check(_block(whole[start:stop]), context, now)
            for (start, stop), context in zip(spans, contexts, strict=True)
        ]

    def _check(self, data: bytes, context: Context | None, now: int | None) -> Checked:
        found = codes.Findings()
        parent = Parent() if context is None else Parent(*context)
        block = scan(data, found)
        checked = Checked(found, block)
        header = headers.Header(data[:HEADER_SIZE]) if len(data) >= HEADER_SIZE else None
        body = None
        if header and block.whole:
            body = rules.Body(self, block, header, parent, found)
            checked.root = rules.merkle(body)
        if header:
            headers.check(self, header, parent, now, found)
            checked.block_hash = header.hash
            checked.next_context = headers.next_parent(self, header, parent).astuple()
        else:
            found.skip(*(rule for rule in codes.HEADER_RULES if rule != "timewarp" or self.bip94))
        if body:
            rules.check(body)
        else:
            found.skip("merkle")
            found.skip(*(rule for rule in codes.BODY_RULES if rule != "signet" or self._is_signet))
        found.skip(*codes.ALWAYS_UNCHECKED)
        if self._is_signet:
            found.skip("signet_script")
        return checked

    @property
    def _is_signet(self) -> bool:
        return self.signet_challenge is not None

    def check_headers(
        self, rows: Messages, context: Context | None, now: int | None
    ) -> tuple[Any, Any, Any, int, Context | None]:
        """Check headers that follow each other; of each row its first fault, or 0."""
        import numpy

        source = Rows(rows, "headers", HEADER_SIZE)
        row_codes = numpy.zeros(source.n, numpy.uint32)
        hashes, sums, unchecked = [], [], 0
        parent = None if context is None else Parent(*context)
        total = parent.chainwork or 0 if parent else 0
        for i, data in enumerate(source.block(0, source.n)):
            header, found = headers.Header(bytes(data)), codes.Findings()
            headers.check(self, header, parent or Parent(), now, found)
            parent = headers.next_parent(self, header, parent)
            context = parent.astuple()
            total = total + headers.work(header.bits) & headers.WORD
            if found.faults:
                row_codes[i] = found.faults[0][0]
            unchecked |= found.unchecked
            hashes.append(header.hash)
            sums.append(total.to_bytes(32, "big"))
        return row_codes, _digests(hashes), _digests(sums), unchecked, context

    def tx_table(self, data: Data) -> Any:
        """What stands where: one row a transaction."""
        import numpy

        block = _scanned(data)
        return numpy.array([_row(transaction) for transaction in block.transactions], TX_TABLE)

    def txids(self, data: Data) -> Any:
        """The id of every transaction."""
        block = _scanned(data)
        return _digests([rules.txid(block.data, transaction) for transaction in block.transactions])


def _block(data: Data) -> bytes:
    found = contiguous(data, "block")
    if len(found) > MOST_BYTES:
        raise InputError(f"block: {len(found)} bytes are more than {MOST_BYTES}, the most there can be")
    return bytes(found)


def _scanned(data: Data) -> Block:
    found = codes.Findings()
    block = scan(_block(data), found)
    if not block.whole:
        assert found.last is not None
        code, offset, *_ = found.last
        raise InputError(f"block: cannot be read on from offset {offset} (code {code})")
    return block


def _row(transaction: Transaction) -> tuple[int, ...]:
    coinbase = len(transaction.inputs) == 1 and transaction.inputs[0][1] == NULL_PREVOUT
    value = sum(value for _, value, _, _ in transaction.outputs)
    return (
        transaction.start,
        transaction.stop - transaction.start,
        transaction.stripped,
        len(transaction.inputs),
        len(transaction.outputs),
        transaction.version,
        transaction.lock_time,
        max(min(value, MOST_VALUE), -MOST_VALUE - 1),
        HAS_WITNESS * transaction.has_witness | COINBASE_FORM * coinbase,
    )


def _digests(digests: list[bytes]) -> Any:
    import numpy

    return numpy.frombuffer(bytearray(b"".join(digests)), numpy.uint8).reshape(-1, 32)
