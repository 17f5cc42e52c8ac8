"""Rows of the table: what spends what inside a block, subsidy, warnings, everything at once."""

from __future__ import annotations

from collections.abc import Iterator

from tests.blocks.builder import (
    COIN,
    MOST,
    NULL,
    REGTEST,
    Input,
    Output,
    Tx,
    coinbase,
    committed,
    somewhere,
    spend,
)
from tests.blocks.cases import (
    HEIGHT,
    PARENT,
    REWARD,
    Case,
    Maker,
    at,
    block,
    case,
    fault,
)
from tests.blocks.cases_body import padded

# ---- inside the block --------------------------------------------------------------------------------------


def links() -> Iterator[Case]:
    """Outputs of the block itself: made before they are spent, there, and spent once."""
    first = coinbase(HEIGHT, value=REWARD)
    a = spend(1).but(outputs=(Output(10), Output(20)))

    def of(tx: Tx, index: int, *more: tuple[bytes, int], tag: int = 0) -> Tx:
        return Tx((Input((tx.txid, index)), *map(Input, more)), (Output(5 + tag),))

    b = of(a, 0)
    yield case("in order", block(a, b, of(a, 1), of(b, 0)))
    made = block(b, a).build()
    yield case("forward", made, fault("FORWARD_REFERENCE", made.at(1, "prevout", 0), 1, 0, 2))
    late = Tx((Input(somewhere(9)), Input((a.txid, 7))), (Output(1),))
    made = block(late, spend(2), a).build()
    yield case("forward, and missing", made, fault("FORWARD_REFERENCE", made.at(1, "prevout", 1), 1, 1, 3))
    made = block(of(first, 0), first=first).build()
    yield case("the coinbase", made, fault("SPENDS_COINBASE", made.at(1, "prevout", 0), 1, 0))
    made = block(of(first, 1), first=first).build()
    yield case(
        "the coinbase's missing output", made, fault("SPENDS_COINBASE", made.at(1, "prevout", 0), 1, 0)
    )
    made = block(a, of(a, 2)).build()
    yield case("one too many", made, fault("MISSING_OUTPUT", made.at(2, "prevout", 0), 2, 0, 1))
    made = block(a, of(a, 0xFFFFFFFF)).build()
    yield case("the last number", made, fault("MISSING_OUTPUT", made.at(2, "prevout", 0), 2, 0, 1))
    made = block(a, b, of(a, 0, tag=1)).build()
    yield case("twice", made, fault("DOUBLE_SPEND", made.at(3, "prevout", 0), 3, 0, 2))
    made = block(spend(1), spend(2), Tx((Input(somewhere(3)), Input(somewhere(1))), (Output(3),))).build()
    yield case("twice from elsewhere", made, fault("DOUBLE_SPEND", made.at(3, "prevout", 1), 3, 1, 1))
    made = block(a, b, of(a, 0, tag=1), of(a, 0, tag=2)).build()
    yield case(
        "three times", made, fault("DOUBLE_SPEND", made.at(3, "prevout", 0), 3, 0, 2),
        fault("DOUBLE_SPEND", made.at(4, "prevout", 0), 4, 0, 2),
    )  # fmt: skip
    twice = Tx((Input(somewhere(5)), Input(somewhere(5))), (Output(3),))
    made = block(twice).build()
    yield case("by one transaction", made, fault("DUPLICATE_INPUT", made.at(1, "prevout", 1), 1, 1, 0))
    made = block(twice, spend(5)).build()
    yield case(
        "by one transaction, then another", made, fault("DUPLICATE_INPUT", made.at(1, "prevout", 1), 1, 1, 0),
        fault("DOUBLE_SPEND", made.at(2, "prevout", 0), 2, 0, 1),
    )  # fmt: skip
    null = tuple(Tx((Input(somewhere(k)), Input(NULL)), (Output(1),)) for k in (1, 2))
    made = block(*null).build()
    yield case(
        "null ones are left out", made, fault("NULL_PREVOUT", made.at(1, "prevout", 1), 1, 1),
        fault("NULL_PREVOUT", made.at(2, "prevout", 1), 2, 1),
    )  # fmt: skip
    made = block(a, spend(2), a, of(a, 1), of(spend(2), 0)).build()
    yield case(
        "the first of two with one id", made, fault("DUPLICATE_TXID", made.offsets[3], 3, 1),
        fault("DOUBLE_SPEND", made.at(3, "prevout", 0), 3, 0, 1),
    )  # fmt: skip
    made = block(b, a, of(a, 0, tag=1)).build()
    yield case(
        "forward, then again", made, fault("FORWARD_REFERENCE", made.at(1, "prevout", 0), 1, 0, 2),
        fault("DOUBLE_SPEND", made.at(3, "prevout", 0), 3, 0, 1),
    )  # fmt: skip


def unspendable() -> Iterator[Case]:
    """Of an output that no script can spend there is no coin (CScript::IsUnspendable, AddCoin)."""
    most = 10_000
    scripts = {
        "empty": (b"", False),
        "OP_RETURN": (b"\x6a", True),
        "OP_RETURN and a push": (b"\x6a\x01a", True),
        "OP_RETURN later": (b"\x51\x6a", False),
        "OP_RETURN pushed": (b"\x01\x6a", False),
        "OP_FALSE OP_RETURN": (b"\x00\x6a", False),
        "10,000 bytes": (b"\x51" * most, False),
        "10,001 bytes": (b"\x51" * (most + 1), True),
        "10,001 bytes from OP_RETURN on": (b"\x6a" + bytes(most), True),
        "a push beyond the end": (b"\x02a", False),  # what running it says
    }
    for name, (script, gone) in scripts.items():
        tx = spend(1).but(outputs=(Output(1), Output(0, script), Output(2)))
        spends = [Tx((Input((tx.txid, k)),), (Output(k),)) for k in range(3)]
        made = block(tx, *spends).build()
        said = (fault("MISSING_OUTPUT", made.at(3, "prevout", 0), 3, 0, 1),) if gone else ()
        yield case(name, made, *said)

    burn, other = (spend(k).but(outputs=(Output(0, b"\x6a"), Output(1), Output(0, b"\x6aa"))) for k in (1, 2))
    both = [Tx((Input((burn.txid, 2)),), (Output(k),)) for k in range(2)]
    made = block(burn, *both).build()
    yield case(
        "spent twice is missing twice", made, fault("MISSING_OUTPUT", made.at(2, "prevout", 0), 2, 0, 1),
        fault("MISSING_OUTPUT", made.at(3, "prevout", 0), 3, 0, 1),
    )  # fmt: skip
    made = block(burn, Tx((Input((burn.txid, 0)),) * 2, (Output(1),))).build()
    yield case(
        "twice in one transaction", made, fault("DUPLICATE_INPUT", made.at(2, "prevout", 1), 2, 1, 0),
        fault("MISSING_OUTPUT", made.at(2, "prevout", 0), 2, 0, 1),
        fault("MISSING_OUTPUT", made.at(2, "prevout", 1), 2, 1, 1),
    )  # fmt: skip
    made = block(both[0], burn).build()
    yield case("forward", made, fault("FORWARD_REFERENCE", made.at(1, "prevout", 0), 1, 0, 2))
    first = coinbase(HEIGHT, (Output(REWARD), Output(0, b"\x6a")))
    made = block(Tx((Input((first.txid, 1)),), (Output(1),)), first=first).build()
    yield case("the coinbase's", made, fault("SPENDS_COINBASE", made.at(1, "prevout", 0), 1, 0))
    # Each output of several transactions, in another order than theirs.
    txs = (burn, spend(3), other)
    places = [(i, k) for i in (2, 0) for k in (2, 1, 0, 3)]
    last = Tx(tuple(Input((txs[i].txid, k)) for i, k in places), (Output(1),))
    made = block(*txs, last).build()
    yield case(
        "several transactions",
        made,
        *(
            fault("MISSING_OUTPUT", made.at(4, "prevout", n), 4, n, i + 1)
            for n, (i, k) in enumerate(places)
            if k != 1
        ),
    )


def duplicate_txids() -> Iterator[Case]:
    a, b = spend(1), spend(2)
    yield case("alike but for the lock time", block(a, spend(2, locktime=1)))
    made = block(a, b, spend(3), a, spend(4), b).build()
    yield case(
        "two pairs",
        made,
        fault("DUPLICATE_TXID", made.offsets[4], 4, 1),
        fault("DUPLICATE_TXID", made.offsets[6], 6, 2),
        fault("DOUBLE_SPEND", made.at(4, "prevout", 0), 4, 0, 1),
        fault("DOUBLE_SPEND", made.at(6, "prevout", 0), 6, 0, 2),
    )
    first = coinbase(HEIGHT, value=REWARD)
    made = block(spend(1), first, first=first).build()
    yield case(
        "the coinbase again",
        made,
        fault("COINBASE_EXTRA", made.offsets[2], 2),
        fault("DUPLICATE_TXID", made.offsets[2], 2, 0),
    )
    txs = committed((first, spend(1, witness=(b"a",)), spend(2), spend(1, witness=(b"b",))))
    made = block(*txs[1:], first=txs[0]).build()
    yield case(
        "one id, two witnesses", made, fault("DUPLICATE_TXID", made.offsets[3], 3, 1),
        fault("DOUBLE_SPEND", made.at(3, "prevout", 0), 3, 0, 1),
    )  # fmt: skip


def subsidy() -> Iterator[Case]:
    """What a coinbase may have where no fees are paid: 50 coins, halved every so many blocks."""
    network = REGTEST._replace(twenty_minutes=False)
    for halvings in (0, 1, 2, 32, 33, 63, 64, 65, 1000):
        most = 50 * COIN >> halvings if halvings < 64 else 0
        for height in (halvings * 150, halvings * 150 + 149):
            if height < 11:
                continue
            context = at(height)
            for value in {most, most + 1, 0}:
                made = block(first=coinbase(height, value=value), context=context)
                said = (fault("COINBASE_VALUE", 81, 0, value, most),) if value > most else ()
                yield case(f"{value} at {height}", made, *said, context=context, network=network)
    two = (Output(REWARD), Output(1))
    yield case(
        "all outputs", block(first=coinbase(HEIGHT, two)), fault("COINBASE_VALUE", 81, 0, REWARD + 1, REWARD)
    )
    made = block(first=coinbase(HEIGHT, (Output(-1), Output(REWARD), Output(MOST + 1)))).build()
    yield case(
        "those in range", made, fault("VALUE_NEGATIVE", made.at(0, "value", 0), 0, -1),
        fault("VALUE_TOO_LARGE", made.at(0, "value", 2), 0, MOST + 1, MOST),
    )  # fmt: skip
    yield case("fees may pay for more", block(spend(1), first=coinbase(HEIGHT, value=REWARD + 1)))


def warnings() -> Iterator[Case]:
    """CVE-2017-12842: 64 bytes may be read as a node of the tree."""
    for length in (61, 63, 64, 65, 66):
        made = block(padded(1, length)).build()
        said = (fault("TX_64_BYTES", made.offsets[1], 1),) if length == 64 else ()
        yield case(f"{length} bytes", made, warnings=said)
    pay = padded(1, 64, witness=(b"sig",))
    txs = committed((coinbase(HEIGHT), padded(2, 64), pay))
    made = block(*txs[1:], first=txs[0]).build()
    yield case(
        "without the witness", made,
        warnings=(fault("TX_64_BYTES", made.offsets[1], 1), fault("TX_64_BYTES", made.offsets[2], 2)),
    )  # fmt: skip


def all_at_once() -> Iterator[Case]:
    """None hides another; rule by rule in their order; the first hundred are listed, all are counted."""
    bad = Tx((Input(NULL), Input(NULL)), (Output(-1), Output(MOST), Output(1)), locktime=HEIGHT)
    bad = bad.but(inputs=tuple(item._replace(sequence=0) for item in bad.inputs))
    made = block(
        bad, first=spend(1, witness=(b"w",)), root=bytes(32), version=1, mined=False, time=8000, tail=b"tail"
    ).but(prev=bytes(32)).build()  # fmt: skip
    median = sorted(PARENT.times)[5]
    yield case(
        "many rules", made,
        fault("TRAILING_BYTES", made.offsets[-1], -1, 4),
        fault("MERKLE_ROOT", 36),
        fault("VERSION", 0, -1, 1, 4),
        fault("PREV_HASH", 4),
        fault("HASH_ABOVE_TARGET", 0, -1, 0x207FFFFF),
        fault("TIME_TOO_OLD", 68, -1, 8000, median),
        fault("TIME_TOO_NEW", 68, -1, 8000, 7300),
        fault("COINBASE_MISSING", 81, 0),
        fault("VALUE_NEGATIVE", made.at(1, "value", 0), 1, -1),
        fault("VALUE_SUM", made.at(1, "value", 2), 1, MOST + 1, MOST),
        fault("DUPLICATE_INPUT", made.at(1, "prevout", 1), 1, 1, 0),
        fault("NULL_PREVOUT", made.at(1, "prevout", 0), 1, 0),
        fault("NULL_PREVOUT", made.at(1, "prevout", 1), 1, 1),
        fault("NOT_FINAL", made.offsets[1], 1, HEIGHT),
        fault("WITNESS_UNEXPECTED", 81, 0),
        now=100,
    )  # fmt: skip
    for many in (99, 100, 101, 1000):
        wrong = spend(1).but(outputs=(Output(-1),) * many)
        made = block(wrong).build()
        listed = min(many, 100)
        yield case(
            f"{many} faults",
            made,
            *(fault("VALUE_NEGATIVE", made.at(1, "value", i), 1, -1) for i in range(listed)),
            count=many,
        )
    txs = [padded(i, 64) for i in range(120)]
    made = block(*txs).build()
    yield case(
        "120 warnings", made, warnings=tuple(fault("TX_64_BYTES", made.offsets[i], i) for i in range(1, 101))
    )  # fmt: skip


LINKS: tuple[Maker, ...] = (duplicate_txids, links, unspendable, subsidy, warnings, all_at_once)
