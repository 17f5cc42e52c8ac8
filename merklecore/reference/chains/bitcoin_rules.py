"""The body rules of Bitcoin: those that need no state beside the block and the context of its parent.

Each rule is a function of the block under check. Sources: Bitcoin Core, validation.cpp (CheckBlock,
ContextualCheckBlock, GetBlockSubsidy), consensus/tx_check.cpp, consensus/tx_verify.cpp, consensus/merkle.cpp,
signet.cpp; BIP 30, 34, 113, 141, 325.
"""

from __future__ import annotations

import hashlib

from merklecore.reference.chains import bitcoin_findings as codes
from merklecore.reference.chains.bitcoin_headers import median_time_past
from merklecore.reference.chains.bitcoin_scan import NULL_PREVOUT
from merklecore.reference.chains.bitcoin_scripts import (
    count_signature_operations,
    is_signet_solution,
    is_unspendable,
    push_of_height,
    pushes,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from merklecore.reference.chains.bitcoin import Bitcoin
    from merklecore.reference.chains.bitcoin_headers import Header, Parent
    from merklecore.reference.chains.bitcoin_scan import Block, Transaction

__all__ = ["Body", "check", "merkle_root", "txid"]

MAX_WEIGHT = 4_000_000
MAX_SIZE = MAX_WEIGHT // 4  # bytes without witness; of a block, of a transaction
MAX_SIGNATURE_OPERATIONS = 80_000 // 4  # legacy ones, which count four times
MAX_MONEY = 21_000_000 * 100_000_000  # satoshi
SUBSIDY = 50 * 100_000_000
TIME_LOCK = 500_000_000  # lock times from here on are seconds, below it heights
FINAL = 0xFFFFFFFF
COMMITMENT = bytes.fromhex("6a24aa21a9ed")
COMMITMENT_SIZE = 38
SIGNET_HEADER = bytes.fromhex("ecc7daa2")
OP_TRUE = b"\x51"
MOST = (1 << 63) - 1


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def txid(data: bytes, transaction: Transaction) -> bytes:
    """Return the hash of a transaction without marker, flag and witness."""
    return sha256d(b"".join([data[start:stop] for start, stop in transaction.pieces]))


def merkle_root(leaves: Sequence[bytes]) -> tuple[bytes, bool]:
    """Return the root over n > 0 leaves, and whether two equal siblings met before a last one was doubled."""
    level, mutated = list(leaves), False
    while len(level) > 1:
        pairs = len(level) // 2
        mutated = mutated or any(level[2 * i] == level[2 * i + 1] for i in range(pairs))
        if len(level) % 2:
            level.append(level[-1])
        level = [sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    return level[0], mutated


class Body:
    """A whole block under check, with what several rules ask of it."""

    __slots__ = ("block", "chain", "coinbases", "commitment", "data", "found", "header", "parent", "txids")

    def __init__(
        self, chain: Bitcoin, block: Block, header: Header, parent: Parent, found: codes.Findings
    ) -> None:
        self.chain = chain
        self.block = block
        self.data = block.data
        self.header = header
        self.parent = parent
        self.found = found
        self.txids = [txid(block.data, transaction) for transaction in block.transactions]
        self.coinbases = [_is_coinbase(transaction) for transaction in block.transactions]
        self.commitment = _commitment(self) if block.transactions else None

    @property
    def transactions(self) -> list[Transaction]:
        """The transactions in order."""
        return self.block.transactions

    @property
    def height(self) -> int | None:
        """The block's own height, where it is known."""
        return None if self.parent.height is None else self.parent.height + 1


def _is_coinbase(transaction: Transaction) -> bool:
    return len(transaction.inputs) == 1 and transaction.inputs[0][1] == NULL_PREVOUT


def _commitment(body: Body) -> int | None:
    """Return where the script of the last output of transaction 0 that commits to witnesses begins."""
    for _, _, start, stop in reversed(body.transactions[0].outputs):
        if stop - start >= COMMITMENT_SIZE and body.data.startswith(COMMITMENT, start):
            return start
    return None


def merkle(body: Body) -> bytes | None:
    """The header holds the root over the txids, and no part of the tree is there twice (CVE-2012-2459)."""
    if not body.txids:  # the root of none is zero, though no block may have that
        if body.header.root != bytes(32):
            body.found.fault(codes.MERKLE_ROOT, 36)
        return None
    root, mutated = merkle_root(body.txids)
    if root != body.header.root:
        body.found.fault(codes.MERKLE_ROOT, 36)
    if mutated:
        body.found.fault(codes.MERKLE_MUTATED, 36)
    return root


def check(body: Body) -> None:
    """Check all body rules in their order."""
    transactions(body)
    size_and_weight(body)
    if body.transactions:
        coinbase(body)
        for i, transaction in enumerate(body.transactions):
            _transaction(body, i, transaction)
        coinbase_height(body)
        sigops(body)
        finality(body)
        witness(body)
        if body.chain.signet_challenge is not None:
            signet(body, body.chain.signet_challenge)
        duplicate_txids(body)
        links(body)
        subsidy(body)
    elif body.height is None:
        body.found.skip("coinbase_height")
    for i, transaction in enumerate(body.transactions):
        if transaction.stripped == 64:  # may pass for two nodes of the tree: CVE-2017-12842
            body.found.warn(codes.TX_64_BYTES, transaction.start, i)


def transactions(body: Body) -> None:
    """There are transactions, and not more than a block's weight could hold."""
    count = len(body.transactions)
    if count == 0:
        body.found.fault(codes.NO_TRANSACTIONS, 80)
    if count > MAX_SIZE:
        body.found.fault(codes.TOO_MANY_TRANSACTIONS, 80, -1, count, MAX_SIZE)


def size_and_weight(body: Body) -> None:
    """The block without witnesses has at most 1,000,000 bytes; its weight is at most 4,000,000 (BIP 141)."""
    stripped = body.block.transactions_start + sum(t.stripped for t in body.transactions)
    weight = 3 * stripped + body.block.stop
    if stripped > MAX_SIZE:
        body.found.fault(codes.BLOCK_SIZE, 0, -1, stripped, MAX_SIZE)
    elif weight > MAX_WEIGHT:
        body.found.fault(codes.BLOCK_WEIGHT, 0, -1, weight, MAX_WEIGHT)


def coinbase(body: Body) -> None:
    """The first transaction is a coinbase, and no other one is."""
    for i, transaction in enumerate(body.transactions):
        if body.coinbases[i] != (i == 0):
            code = codes.COINBASE_EXTRA if i else codes.COINBASE_MISSING
            body.found.fault(code, transaction.start, i)


def _transaction(body: Body, i: int, transaction: Transaction) -> None:
    """CheckTransaction: a transaction is sound by itself."""
    fault = body.found.fault
    if not transaction.inputs:
        fault(codes.TX_NO_INPUTS, transaction.start, i)
    if not transaction.outputs:
        fault(codes.TX_NO_OUTPUTS, transaction.start, i)
    if transaction.stripped > MAX_SIZE:
        fault(codes.TX_SIZE, transaction.start, i, transaction.stripped, MAX_SIZE)
    total = 0
    for at, value, _, _ in transaction.outputs:
        if value < 0:
            fault(codes.VALUE_NEGATIVE, at, i, value)
        elif value > MAX_MONEY:
            fault(codes.VALUE_TOO_LARGE, at, i, value, MAX_MONEY)
        elif total <= MAX_MONEY:
            total += value
            if total > MAX_MONEY:  # told once
                fault(codes.VALUE_SUM, at, i, total, MAX_MONEY)
    seen: dict[bytes, int] = {}
    for k, (at, prevout, _, _, _) in enumerate(transaction.inputs):
        first = seen.setdefault(prevout, k)
        if first != k:  # CVE-2018-17144
            fault(codes.DUPLICATE_INPUT, at, i, k, first)
    if body.coinbases[i]:
        _, _, start, stop, _ = transaction.inputs[0]
        if not 2 <= stop - start <= 100:
            fault(codes.COINBASE_SCRIPT, start, i, stop - start)
        return
    if NULL_PREVOUT in seen:
        for k, (at, prevout, _, _, _) in enumerate(transaction.inputs):
            if prevout == NULL_PREVOUT:
                fault(codes.NULL_PREVOUT, at, i, k)


def coinbase_height(body: Body) -> None:
    """BIP 34: the coinbase's script begins with the height, which is known from the parent alone."""
    if body.height is None:
        return body.found.skip("coinbase_height")
    if body.height < body.chain.bip34_height or not body.coinbases[0]:
        return None
    _, _, start, stop, _ = body.transactions[0].inputs[0]
    if not body.data[start:stop].startswith(push_of_height(body.height)):
        body.found.fault(codes.COINBASE_HEIGHT, start, 0, body.height)


def sigops(body: Body) -> None:
    """Signature operations of all scripts, counted without running any (GetLegacySigOpCount)."""
    count = 0
    for transaction in body.transactions:
        for _, _, start, stop, _ in transaction.inputs:
            count += count_signature_operations(body.data[start:stop])
        for _, _, start, stop in transaction.outputs:
            count += count_signature_operations(body.data[start:stop])
    if count > MAX_SIGNATURE_OPERATIONS:
        body.found.fault(codes.SIGOPS, 0, -1, count, MAX_SIGNATURE_OPERATIONS)


def finality(body: Body) -> None:
    """No transaction is locked beyond this block (IsFinalTx); from BIP 113 on the clock is median time."""
    height, time = body.height, None
    if height is not None:
        time = body.header.time if height < body.chain.csv_height else median_time_past(body.parent)
    for i, transaction in enumerate(body.transactions):
        if not transaction.lock_time or all(sequence == FINAL for *_, sequence in transaction.inputs):
            continue
        limit = height if transaction.lock_time < TIME_LOCK else time
        if limit is None:
            body.found.skip("finality")  # of this one; what is certain of others is told
        elif transaction.lock_time >= limit:
            body.found.fault(codes.NOT_FINAL, transaction.start, i, transaction.lock_time)


def witness(body: Body) -> None:
    """BIP 141: witnesses are committed to by the coinbase, and there are none without a commitment.

    A witness without a commitment, or with another one, is wrong at any height. Whether a commitment alone is
    wrong, and one that holds is right, the height alone can say.
    """
    height, first = body.height, next((i for i, t in enumerate(body.transactions) if t.has_witness), None)
    active = True if height is None else height >= body.chain.segwit_height
    if not active or body.commitment is None:
        if first is not None:
            body.found.fault(codes.WITNESS_UNEXPECTED, body.transactions[first].start, first)
        return None
    if height is None and first is None:
        return body.found.skip("witness")
    transaction = body.transactions[0]
    stack = transaction.witness[0] if transaction.witness else []
    if len(stack) != 1 or stack[0][1] - stack[0][0] != 32:
        return body.found.fault(codes.WITNESS_RESERVED, transaction.start, 0)
    reserved = body.data[stack[0][0] : stack[0][1]]
    wtxids = [bytes(32)]
    for i, t in enumerate(body.transactions[1:], 1):
        wtxids.append(sha256d(body.data[t.start : t.stop]) if t.has_witness else body.txids[i])
    at = body.commitment + len(COMMITMENT)
    if sha256d(merkle_root(wtxids)[0] + reserved) != body.data[at : at + 32]:
        return body.found.fault(codes.WITNESS_COMMITMENT, body.commitment, 0)
    if height is None:
        body.found.skip("witness")
    return None


def signet(body: Body, challenge: bytes) -> None:
    """BIP 325: the committing output carries a well-formed solution. What it solves, scripts say."""
    if body.header.prev_hash == bytes(32):  # the genesis block has none
        return
    if body.commitment is not None:
        script = next(
            body.data[start:stop]
            for _, _, start, stop in body.transactions[0].outputs
            if start == body.commitment
        )
        solutions = (p[4:] for p in pushes(script) if len(p) > 4 and p.startswith(SIGNET_HEADER))
        solution = next(solutions, None)
        if challenge == OP_TRUE if solution is None else is_signet_solution(solution):
            return
    body.found.fault(codes.SIGNET_SOLUTION, body.transactions[0].start, 0)


def duplicate_txids(body: Body) -> None:
    """No two transactions are the same."""
    first: dict[bytes, int] = {}
    for i, identity in enumerate(body.txids):
        if first.setdefault(identity, i) != i:
            body.found.fault(codes.DUPLICATE_TXID, body.transactions[i].start, i, first[identity])


def links(body: Body) -> None:
    """What is spent inside the block comes before, exists as a coin, is no coinbase, and is spent once."""
    position: dict[bytes, int] = {}
    for i, identity in enumerate(body.txids):
        position.setdefault(identity, i)
    spender: dict[bytes, int] = {}
    for i, transaction in enumerate(body.transactions):
        if body.coinbases[i]:
            continue
        for k, (at, prevout, _, _, _) in enumerate(transaction.inputs):
            j = position.get(prevout[:32])
            spent_by = spender.setdefault(prevout, i)
            if j is not None and j > i:
                body.found.fault(codes.FORWARD_REFERENCE, at, i, k, j)
            elif j == 0:
                body.found.fault(codes.SPENDS_COINBASE, at, i, k)
            elif j is not None and not _makes_coin(body, j, int.from_bytes(prevout[32:], "little")):
                body.found.fault(codes.MISSING_OUTPUT, at, i, k, j)
            elif spent_by != i and prevout != NULL_PREVOUT:
                body.found.fault(codes.DOUBLE_SPEND, at, i, k, spent_by)


def _makes_coin(body: Body, i: int, output: int) -> bool:
    """Tell whether a transaction has an output, and one that may be spent: AddCoin leaves out the others."""
    outputs = body.transactions[i].outputs
    if output >= len(outputs):
        return False
    _, _, start, stop = outputs[output]
    return not is_unspendable(body.data[start:stop])


def subsidy(body: Body) -> None:
    """A coinbase alone in its block has no fees to collect: at most the subsidy (GetBlockSubsidy)."""
    if len(body.transactions) != 1 or not body.coinbases[0]:
        return None
    if body.height is None:
        return body.found.skip("subsidy")
    halvings = body.height // body.chain.halving
    most = SUBSIDY >> halvings if halvings < 64 else 0
    value = sum(value for _, value, _, _ in body.transactions[0].outputs if 0 <= value <= MAX_MONEY)
    if value > most:
        body.found.fault(codes.COINBASE_VALUE, body.transactions[0].start, 0, min(value, MOST), most)
