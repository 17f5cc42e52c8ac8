"""The codes of faults and warnings: what each says, and where the rule comes from. One row each."""

from __future__ import annotations

from enum import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

__all__ = ["Code", "message"]


class Code(IntEnum):
    """What is wrong with a block: a stable number and name, ``meaning`` in a line, and ``source``.

    Codes below 20 are faults of the encoding, from 20 of the Merkle tree, from 40 of the header, from 60 of
    the block's body; from 100 on they are warnings. A source is the reject reason of Bitcoin Core where it
    has one, else the function or the BIP.

    >>> Code.MERKLE_ROOT, Code(20).meaning
    (<Code.MERKLE_ROOT: 20>, "the header's Merkle root is not that of the transactions")
    """

    meaning: str
    source: str
    text: str  # of the message, {a} and {b} being what the check found

    def __new__(cls, number: int, meaning: str = "", source: str = "", text: str = "") -> Self:
        code = int.__new__(cls, number)
        code._value_ = number
        code.meaning = meaning
        code.source = source
        code.text = text
        return code

    TRUNCATED = (
        *(1, "the bytes end inside a field", "serialize.h, 'end of data'"),
        "a field of {a} bytes, {b} are left",
    )
    TRAILING_BYTES = (
        *(2, "bytes follow the last transaction", "serialize.h"),
        "{a} bytes follow the last transaction",
    )
    NON_CANONICAL_SIZE = (
        *(3, "a compact size is longer than its value needs", "ReadCompactSize, 'non-canonical'"),
        "the compact size of {a} is longer than needed",
    )
    SIZE_TOO_LARGE = (
        *(4, "a compact size is above 0x02000000", "ReadCompactSize, 'size too large'"),
        "the compact size {a} is above 33554432, the most there can be",
    )
    LENGTH_BEYOND_END = (
        *(5, "a length promises more bytes than are left", "serialize.h, 'end of data'"),
        "a length of {a} bytes, {b} are left",
    )
    COUNT_BEYOND_END = (
        *(6, "a count promises more than the bytes left can hold", "serialize.h, 'end of data'"),
        "a count of {a}, more than the {b} bytes left can hold",
    )
    BAD_MAGIC = (
        *(7, "a block file goes on with something else than the network's magic", "LoadExternalBlockFile"),
        "the magic is 0x{a:08x} as a little-endian number, not this network's",
    )
    SUPERFLUOUS_WITNESS = (
        *(8, "a transaction has the witness marker, but no witness", "'Superfluous witness record'"),
        "the witness marker stands before a transaction without a witness",
    )
    UNKNOWN_WITNESS_FLAG = (
        *(9, "the flag after the witness marker is not 1", "'Unknown transaction optional data'"),
        "the flag after the witness marker is {a}",
    )
    MERKLE_ROOT = (
        *(20, "the header's Merkle root is not that of the transactions", "bad-txnmrklroot"),
        "the header's Merkle root is not that of the transactions",
    )
    MERKLE_MUTATED = (
        *(21, "two equal siblings meet in the Merkle tree (CVE-2012-2459)", "bad-txns-duplicate"),
        "two equal siblings meet in the Merkle tree",
    )
    VERSION = (
        *(40, "the version is below what the height demands (BIP 34, 66, 65)", "bad-version"),
        "version {a} where at least {b} is needed",
    )
    PREV_HASH = (
        *(41, "the header does not name the parent", "prev-blk-not-found"),
        "the header names another parent",
    )
    TARGET_NEGATIVE = (
        *(42, "the compact target is negative", "high-hash; arith_uint256::SetCompact"),
        "the target of bits 0x{a:08x} is negative",
    )
    TARGET_OVERFLOW = (
        *(43, "the compact target has more than 256 bits", "high-hash; arith_uint256::SetCompact"),
        "the target of bits 0x{a:08x} has more than 256 bits",
    )
    TARGET_ZERO = (
        *(44, "the compact target is zero", "high-hash; CheckProofOfWork"),
        "the target of bits 0x{a:08x} is zero",
    )
    TARGET_ABOVE_LIMIT = (
        *(45, "the target is above the network's limit", "high-hash; CheckProofOfWork"),
        "the target of bits 0x{a:08x} is above the network's limit",
    )
    HASH_ABOVE_TARGET = (
        *(46, "the block's hash is above its target", "high-hash"),
        "the block's hash is above the target of bits 0x{a:08x}",
    )
    BITS = (
        *(47, "the bits are not those that the chain demands", "bad-diffbits"),
        "bits 0x{a:08x} where 0x{b:08x} is needed",
    )
    TIME_TOO_OLD = (
        *(48, "the time is not above the median of the last 11", "time-too-old"),
        "time {a} is not above {b}, the median of the last ones",
    )
    TIMEWARP = (
        *(
            49,
            "the first block of a period is dated too long before its parent (BIP 94)",
            "time-timewarp-attack",
        ),
        "time {a} of the first block of a period is below {b}",
    )
    TIME_TOO_NEW = (
        *(50, "the time is more than two hours after the caller's now", "time-too-new"),
        "time {a} is above {b}, two hours from now",
    )
    GENESIS = (
        *(51, "a header without a parent is not the network's first", "hashGenesisBlock; prev-blk-not-found"),
        "a header without a parent is not the network's first",
    )
    NO_TRANSACTIONS = (
        *(60, "the block has no transactions", "bad-blk-length"),
        "the block has no transactions",
    )
    TOO_MANY_TRANSACTIONS = (
        *(61, "the block has more transactions than its weight could hold", "bad-blk-length"),
        "{a} transactions, a block has at most {b}",
    )
    BLOCK_SIZE = (
        *(62, "the block without witnesses is too large", "bad-blk-length"),
        "{a} bytes without witnesses, a block has at most {b}",
    )
    BLOCK_WEIGHT = (
        *(63, "the block is too heavy (BIP 141)", "bad-blk-weight"),
        "weight {a}, a block has at most {b}",
    )
    COINBASE_MISSING = (
        *(64, "the first transaction is no coinbase", "bad-cb-missing"),
        "the first transaction is no coinbase",
    )
    COINBASE_EXTRA = (
        *(65, "a later transaction is a coinbase", "bad-cb-multiple"),
        "a coinbase that is not the first transaction",
    )
    COINBASE_HEIGHT = (
        *(66, "the coinbase's script does not begin with the height (BIP 34)", "bad-cb-height"),
        "the coinbase's script does not begin with the height {a}",
    )
    SIGOPS = (
        *(67, "the scripts have too many signature operations", "bad-blk-sigops"),
        "{a} legacy signature operations, a block has at most {b}",
    )
    TX_NO_INPUTS = 70, "a transaction has no inputs", "bad-txns-vin-empty", "no inputs"
    TX_NO_OUTPUTS = 71, "a transaction has no outputs", "bad-txns-vout-empty", "no outputs"
    TX_SIZE = (
        *(72, "a transaction without its witness is too large", "bad-txns-oversize"),
        "{a} bytes without the witness, a transaction has at most {b}",
    )
    VALUE_NEGATIVE = (
        *(73, "an output's value is negative", "bad-txns-vout-negative"),
        "an output's value {a} is negative",
    )
    VALUE_TOO_LARGE = (
        *(74, "an output's value is above 21 million bitcoin", "bad-txns-vout-toolarge"),
        "an output's value {a} is above {b}",
    )
    VALUE_SUM = (
        *(75, "the values of outputs sum to more than 21 million bitcoin", "bad-txns-txouttotal-toolarge"),
        "the values of outputs sum to {a}, above {b}",
    )
    DUPLICATE_INPUT = (
        *(76, "an output is spent twice in one transaction (CVE-2018-17144)", "bad-txns-inputs-duplicate"),
        "input {a} spends what input {b} spends",
    )
    COINBASE_SCRIPT = (
        *(77, "the coinbase's script does not have 2 to 100 bytes", "bad-cb-length"),
        "the coinbase's script has {a} bytes, not 2 to 100",
    )
    NULL_PREVOUT = (
        *(78, "an input of no coinbase spends nothing", "bad-txns-prevout-null"),
        "input {a} spends nothing, as only a coinbase may",
    )
    NOT_FINAL = (
        *(79, "a transaction is locked beyond the block (BIP 113)", "bad-txns-nonfinal"),
        "locked until {a}",
    )
    WITNESS_UNEXPECTED = (
        *(80, "a transaction has a witness where none may be (BIP 141)", "unexpected-witness"),
        "a witness that no commitment covers",
    )
    WITNESS_RESERVED = (
        *(81, "the coinbase's witness is not one item of 32 bytes (BIP 141)", "bad-witness-nonce-size"),
        "the coinbase's witness is not one item of 32 bytes",
    )
    WITNESS_COMMITMENT = (
        *(82, "the coinbase commits to other witnesses (BIP 141)", "bad-witness-merkle-match"),
        "the coinbase commits to other witnesses",
    )
    SIGNET_SOLUTION = (
        *(83, "the signet solution is missing or malformed (BIP 325)", "bad-signet-blksig"),
        "the signet solution is missing or malformed",
    )
    DUPLICATE_TXID = (
        *(84, "a transaction is there twice", "BIP 30; bad-txns-BIP30, bad-txns-inputs-missingorspent"),
        "the same as transaction {a}",
    )
    FORWARD_REFERENCE = (
        *(85, "a transaction spends an output of a later one", "bad-txns-inputs-missingorspent"),
        "input {a} spends an output of transaction {b}, which comes later",
    )
    SPENDS_COINBASE = (
        *(86, "a transaction spends the block's own coinbase", "bad-txns-premature-spend-of-coinbase"),
        "input {a} spends the block's own coinbase",
    )
    MISSING_OUTPUT = (
        *(
            87,
            "a transaction spends an output that another one does not have, or that nothing can spend",
            "bad-txns-inputs-missingorspent",
        ),
        "input {a} spends an output that transaction {b} does not have, or that nothing can spend",
    )
    DOUBLE_SPEND = (
        *(88, "two transactions spend one output", "bad-txns-inputs-missingorspent"),
        "input {a} spends what transaction {b} spends",
    )
    COINBASE_VALUE = (
        *(89, "a coinbase alone in its block takes more than the subsidy", "bad-cb-amount"),
        "the coinbase takes {a}, the subsidy is {b} and there are no fees",
    )
    TX_64_BYTES = (
        *(100, "a transaction of 64 bytes may pass for a node (CVE-2017-12842)", "BIP 54"),
        "64 bytes, as many as a node of the Merkle tree",
    )


def message(code: Code, tx_index: int, a: int, b: int) -> str:
    """Return what a fault says, of which transaction, if of one (-1: of none).

    >>> message(Code.DUPLICATE_INPUT, 3, 2, 0)
    'transaction 3: input 2 spends what input 0 spends'
    """
    text = code.text.format(a=a, b=b)
    return text if tx_index < 0 else f"transaction {tx_index}: {text}"
