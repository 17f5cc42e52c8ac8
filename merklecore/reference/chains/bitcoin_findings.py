"""What a check of a Bitcoin block finds: faults by code, warnings, and the rules that could not be checked.

The numbers are part of the contract between the backends; ``merklecore.blocks`` gives them names, words and
sources.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Fault: TypeAlias = tuple[int, int, int, int, int]

__all__ = ["ALWAYS_UNCHECKED", "BODY_RULES", "HEADER_RULES", "KEPT", "RULES", "Findings"]

KEPT = 100  # faults kept, and warnings; of the others only the number is

# The encoding.
TRUNCATED = 1
TRAILING_BYTES = 2
NON_CANONICAL_SIZE = 3
SIZE_TOO_LARGE = 4
LENGTH_BEYOND_END = 5
COUNT_BEYOND_END = 6
SUPERFLUOUS_WITNESS = 8
UNKNOWN_WITNESS_FLAG = 9
# The Merkle tree.
MERKLE_ROOT = 20
MERKLE_MUTATED = 21
# The header.
VERSION = 40
PREV_HASH = 41
TARGET_NEGATIVE = 42
TARGET_OVERFLOW = 43
TARGET_ZERO = 44
TARGET_ABOVE_LIMIT = 45
HASH_ABOVE_TARGET = 46
BITS = 47
TIME_TOO_OLD = 48
TIMEWARP = 49
TIME_TOO_NEW = 50
GENESIS = 51
# The block and its coinbase.
NO_TRANSACTIONS = 60
TOO_MANY_TRANSACTIONS = 61
BLOCK_SIZE = 62
BLOCK_WEIGHT = 63
COINBASE_MISSING = 64
COINBASE_EXTRA = 65
COINBASE_HEIGHT = 66
SIGOPS = 67
# Transactions.
TX_NO_INPUTS = 70
TX_NO_OUTPUTS = 71
TX_SIZE = 72
VALUE_NEGATIVE = 73
VALUE_TOO_LARGE = 74
VALUE_SUM = 75
DUPLICATE_INPUT = 76
COINBASE_SCRIPT = 77
NULL_PREVOUT = 78
NOT_FINAL = 79
# Commitments, and how transactions hang together.
WITNESS_UNEXPECTED = 80
WITNESS_RESERVED = 81
WITNESS_COMMITMENT = 82
SIGNET_SOLUTION = 83
DUPLICATE_TXID = 84
FORWARD_REFERENCE = 85
SPENDS_COINBASE = 86
MISSING_OUTPUT = 87
DOUBLE_SPEND = 88
COINBASE_VALUE = 89
# Warnings.
TX_64_BYTES = 100

HEADER_RULES = (
    *("version", "linkage", "target", "proof_of_work", "difficulty", "median_time", "timewarp"),
    "future_time",
)
BODY_RULES = (
    *("transactions", "size", "weight", "coinbase", "transaction", "coinbase_height", "sigops", "finality"),
    *("witness", "signet", "duplicate_txids", "links", "subsidy"),
)
ALWAYS_UNCHECKED = (
    *("previous_outputs", "bip30", "bip68", "maturity", "fees", "p2sh_witness_sigops", "scripts"),
)
RULES = (*HEADER_RULES, "merkle", *BODY_RULES, *ALWAYS_UNCHECKED, "signet_script")  # bit i is rule i
BITS_OF = {rule: 1 << i for i, rule in enumerate(RULES)}


class Findings:
    """Faults and warnings as (code, offset, transaction or -1, a, b), the first of them kept, all counted."""

    __slots__ = ("fault_count", "faults", "last", "unchecked", "warning_count", "warnings")

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.fault_count = 0
        self.last: Fault | None = None
        self.warnings: list[Fault] = []
        self.warning_count = 0
        self.unchecked = 0

    def fault(self, code: int, offset: int, tx: int = -1, a: int = 0, b: int = 0) -> None:
        """Take down a fault. What a and b say depends on the code."""
        self.last = (code, offset, tx, a, b)
        if self.fault_count < KEPT:
            self.faults.append(self.last)
        self.fault_count += 1

    def warn(self, code: int, offset: int, tx: int) -> None:
        """Take down a warning."""
        if self.warning_count < KEPT:
            self.warnings.append((code, offset, tx, 0, 0))
        self.warning_count += 1

    def skip(self, *rules: str) -> None:
        """Take down that rules were not checked."""
        for rule in rules:
            self.unchecked |= BITS_OF[rule]
