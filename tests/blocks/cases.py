"""The table of blocks: for every code hostile ones, each beside a valid one at the border.

A case holds the block, what it is checked with, and all that must be said of it: code, offset, transaction
and the two figures of the message, in order, and what must be left in `unchecked`. The numbers are written
here once more, from the documentation: a code never changes its number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.blocks.builder import (
    COIN,
    EASY,
    GENESIS_TIME,
    REGTEST,
    Block,
    Built,
    Context,
    Network,
    Tx,
    coinbase,
    committed,
    size,
    spend,
)

CODES = {
    "TRUNCATED": 1,
    "TRAILING_BYTES": 2,
    "NON_CANONICAL_SIZE": 3,
    "SIZE_TOO_LARGE": 4,
    "LENGTH_BEYOND_END": 5,
    "COUNT_BEYOND_END": 6,
    "BAD_MAGIC": 7,
    "SUPERFLUOUS_WITNESS": 8,
    "UNKNOWN_WITNESS_FLAG": 9,
    "MERKLE_ROOT": 20,
    "MERKLE_MUTATED": 21,
    "VERSION": 40,
    "PREV_HASH": 41,
    "TARGET_NEGATIVE": 42,
    "TARGET_OVERFLOW": 43,
    "TARGET_ZERO": 44,
    "TARGET_ABOVE_LIMIT": 45,
    "HASH_ABOVE_TARGET": 46,
    "BITS": 47,
    "TIME_TOO_OLD": 48,
    "TIMEWARP": 49,
    "TIME_TOO_NEW": 50,
    "GENESIS": 51,
    "NO_TRANSACTIONS": 60,
    "TOO_MANY_TRANSACTIONS": 61,
    "BLOCK_SIZE": 62,
    "BLOCK_WEIGHT": 63,
    "COINBASE_MISSING": 64,
    "COINBASE_EXTRA": 65,
    "COINBASE_HEIGHT": 66,
    "SIGOPS": 67,
    "TX_NO_INPUTS": 70,
    "TX_NO_OUTPUTS": 71,
    "TX_SIZE": 72,
    "VALUE_NEGATIVE": 73,
    "VALUE_TOO_LARGE": 74,
    "VALUE_SUM": 75,
    "DUPLICATE_INPUT": 76,
    "COINBASE_SCRIPT": 77,
    "NULL_PREVOUT": 78,
    "NOT_FINAL": 79,
    "WITNESS_UNEXPECTED": 80,
    "WITNESS_RESERVED": 81,
    "WITNESS_COMMITMENT": 82,
    "SIGNET_SOLUTION": 83,
    "DUPLICATE_TXID": 84,
    "FORWARD_REFERENCE": 85,
    "SPENDS_COINBASE": 86,
    "MISSING_OUTPUT": 87,
    "DOUBLE_SPEND": 88,
    "COINBASE_VALUE": 89,
    "TX_64_BYTES": 100,
}
NAMES = {number: name for name, number in CODES.items()}

UNCHECKED = (
    "version linkage target proof_of_work difficulty median_time timewarp future_time merkle transactions "
    "size weight coinbase transaction coinbase_height sigops finality witness signet duplicate_txids links "
    "subsidy "
    "previous_outputs bip30 bip68 maturity fees p2sh_witness_sigops scripts signet_script"
).split()  # in the order of the bits
STATE = frozenset("previous_outputs bip30 bip68 maturity fees p2sh_witness_sigops scripts".split())
BODY = frozenset(
    "merkle transactions size weight coinbase transaction coinbase_height sigops finality witness "
    "duplicate_txids links subsidy".split()
)
HEADER = frozenset("version linkage target proof_of_work difficulty median_time future_time".split())
FOR_WANT_OF_CONTEXT = frozenset("version linkage difficulty median_time".split())

Fault = tuple[int, int, int, int, int]  # code, offset, transaction, two figures


class Case(NamedTuple):
    """A block and all that must be said of it."""

    name: str
    data: bytes
    faults: tuple[Fault, ...]
    unchecked: frozenset[str]
    warnings: tuple[Fault, ...]
    network: Network
    context: Context | None
    now: int | None
    count: int | None = None  # of faults, where not all are listed

    @property
    def args(self) -> tuple[bytes, tuple[object, ...] | None, int | None]:
        return self.data, self.context and tuple(self.context), self.now


HEIGHT = 101  # of the blocks in the table: their parent's context is PARENT
TIME = GENESIS_TIME + HEIGHT * 600
NOW = TIME + 60
PARENT = Context(
    HEIGHT - 1,
    bytes(range(32)),
    tuple(TIME - 600 * k for k in range(11, 0, -1)),
    GENESIS_TIME,
    EASY,
    2 * HEIGHT,
    EASY,
    EASY,
)
REWARD = 50 * COIN


def at(height: int, **changes: object) -> Context:
    """Return the context of a parent, for a block of this height."""
    return PARENT._replace(height=height - 1, **changes)  # type: ignore[arg-type]  # fields by name


def block(*txs: Tx, first: Tx | None = None, context: Context = PARENT, **more: object) -> Block:
    """Return a block of these transactions, after a coinbase, that follows the context."""
    assert context.height is not None
    assert context.prev_hash is not None
    first = coinbase(context.height + 1, value=REWARD) if first is None else first
    more = {"time": TIME} | more
    return Block((first, *txs), context.prev_hash, **more)  # type: ignore[arg-type]  # fields by name


def fault(name: str, offset: int, tx: int = -1, a: int = 0, b: int = 0) -> Fault:
    return CODES[name], offset, tx, a, b


def case(
    name: str, data: bytes | Block | Built, *faults: Fault, unchecked: frozenset[str] = frozenset(),
    warnings: tuple[Fault, ...] = (), network: Network = REGTEST, context: Context | None = PARENT,
    now: int | None = NOW, count: int | None = None,
) -> Case:  # fmt: skip
    """Return a case; what needs state is unchecked always, ``unchecked`` is the rest."""
    if isinstance(data, Block):
        data = data.build()
    if isinstance(data, Built):
        data = data.data
    if network.signet_challenge is not None:
        unchecked |= {"signet_script"}
    return Case(name, data, faults, STATE | unchecked, warnings, network, context, now, count)


Maker = Callable[[], Iterator[Case]]


# ---- encoding ----------------------------------------------------------------------------------------------


def truncated() -> Iterator[Case]:
    good = block(spend(1), spend(2)).build()
    data = good.data
    for length in (0, 1, 79):
        yield case(
            f"a header of {length} bytes",
            data[:length],
            fault("TRUNCATED", 0, -1, 80, length),
            unchecked=HEADER | BODY,
        )
    for name, cut, offset, tx, needed in (
        ("no count of transactions", 80, 80, -1, 1),
        ("no version", good.offsets[2] + 3, good.offsets[2], 2, 4),
        ("no count of inputs", good.offsets[2] + 4, good.offsets[2] + 4, 2, 1),
        ("no count of outputs", good.at(2, "outputs"), good.at(2, "outputs"), 2, 1),
        ("no lock time", len(data) - 1, len(data) - 4, 2, 4),
    ):
        shown = data[:cut]
        promised = data[
            80
        ]  # the count must not promise more than is there: one transaction has 10 bytes at least
        assert promised == 3
        yield case(name, shown, fault("TRUNCATED", offset, tx, needed, cut - offset), unchecked=BODY)
    yield case("whole", data)


def counts() -> Iterator[Case]:
    """Compact sizes that promise more than there is, or more than anyone may."""
    good = block(spend(1)).build()
    end = len(good.data)
    for field, least, tx in ((("count",), 10, -1), (("inputs",), 41, 1), (("outputs",), 9, 1)):
        place = 80 if tx < 0 else good.at(tx, *field)
        most = (end - place - 1) // least
        assert most + 1 < 0xFD
        for count, name in ((most + 1, "one more than fits"), (0xFC, "a small number")):
            data = good.data[:place] + bytes([count]) + good.data[place + 1 :]
            yield case(
                f"{field[0]}: {name}",
                data,
                fault("COUNT_BEYOND_END", place, tx, count, end - place - 1),
                unchecked=BODY,
            )
        for count in (0x02000000, 0x02000001, 0xFFFFFFFF, 1 << 32, (1 << 64) - 1):
            wide = size(count)
            data = good.data[:place] + wide + good.data[place + 1 :]
            left = len(data) - place - len(wide)
            large = count > 0x02000000
            said = (
                fault("SIZE_TOO_LARGE", place, tx, count)
                if large
                else fault("COUNT_BEYOND_END", place, tx, count, left)
            )
            yield case(f"{field[0]}: {count:#x}", data, said, unchecked=BODY)
    witness = block(*committed_pair()).build()
    place = witness.at(1, "items", 0)
    data = witness.data[:place] + b"\xfc" + witness.data[place + 1 :]
    left = len(data) - place - 1
    assert left < 0xFC
    yield case("witness items", data, fault("COUNT_BEYOND_END", place, 1, 0xFC, left), unchecked=BODY)


def committed_pair() -> tuple[Tx, ...]:
    return (spend(1, witness=(b"ab", b"c")),)


def lengths() -> Iterator[Case]:
    """Scripts and witness items longer than what is left."""
    good = block(*committed_pair()).build()
    for field in (("script size", 0), ("output script size", 0), ("item size", 0, 0), ("item size", 0, 1)):
        place = good.at(1, *field)
        left = len(good.data) - place - 1
        for length in (left + 1, 0xFC):
            data = good.data[:place] + bytes([length]) + good.data[place + 1 :]
            yield case(
                f"{field} of {length}",
                data,
                fault("LENGTH_BEYOND_END", place, 1, length, left),
                unchecked=BODY,
            )
        wide = size(0x02000001)
        data = good.data[:place] + wide + good.data[place + 1 :]
        yield case(f"{field} too large", data, fault("SIZE_TOO_LARGE", place, 1, 0x02000001), unchecked=BODY)


def trailing() -> Iterator[Case]:
    for tail in (b"", b"\0", b"more bytes"):
        made = block(spend(1), tail=tail).build()
        said = (fault("TRAILING_BYTES", made.offsets[-1], -1, len(tail)),) if tail else ()
        yield case(f"trailing {tail!r}", made, *said)


def non_canonical() -> Iterator[Case]:
    """A value in a longer form than it needs; the value is used all the same."""
    for width, value in ((3, 1), (5, 1), (9, 1)):
        made = block(count=size(value, width)).build()
        yield case(f"transactions in {width} bytes", made, fault("NON_CANONICAL_SIZE", 80, -1, value))
        for field in (("inputs",), ("outputs",), ("output script size", 0)):
            tx = spend(1, over={field: size(value, width)})
            made = block(tx).build()
            yield case(
                f"{field[0]} in {width} bytes",
                made,
                fault("NON_CANONICAL_SIZE", made.at(1, *field), 1, value),
            )
    tx = spend(1, over={("script size", 0): size(0, 3)})
    made = block(tx).build()
    yield case("script in 3 bytes", made, fault("NON_CANONICAL_SIZE", made.at(1, "script size", 0), 1, 0))
    # The largest values of the shorter forms, and the smallest that need the longer ones.
    for length, width in ((0xFC, 3), (0xFD, 3), (0xFFFF, 5), (0x10000, 5)):
        script = b"\x6a" + bytes(length - 1)
        base = spend(1)
        tx = base.but(
            outputs=(base.outputs[0]._replace(script=script),),
            over={("output script size", 0): size(length, width)},
        )
        made = block(tx).build()
        place = made.at(1, "output script size", 0)
        said = (fault("NON_CANONICAL_SIZE", place, 1, length),) if len(size(length)) < width else ()
        yield case(f"{length:#x} in {width} bytes", made, *said)


def witness_markers() -> Iterator[Case]:
    made = block(spend(1, segwit=True)).build()
    yield case("marker without a witness", made, fault("SUPERFLUOUS_WITNESS", made.at(1, "marker"), 1))
    for flag in (2, 3, 0x80, 0xFF):
        made = block(spend(1, segwit=True, over={("flag",): bytes([flag])})).build()
        yield case(
            f"flag {flag}", made, fault("UNKNOWN_WITNESS_FLAG", made.at(1, "flag"), 1, flag), unchecked=BODY
        )
    txs = committed((coinbase(HEIGHT, value=REWARD), spend(1, witness=(b"",))))
    yield case("an empty item is a witness", block(*txs[1:], first=txs[0]))
    # Without inputs a marker can be nothing but superfluous.
    no_inputs = Tx((), spend(1).outputs, segwit=True)
    made = block(no_inputs).build()
    yield case(
        "outputs without inputs", made, fault("SUPERFLUOUS_WITNESS", made.at(1, "marker"), 1),
        fault("TX_NO_INPUTS", made.offsets[1], 1),
    )  # fmt: skip


ENCODING: tuple[Maker, ...] = (truncated, counts, lengths, trailing, non_canonical, witness_markers)
