"""Rows of the table: sizes, coinbases, transactions, signature operations."""

from __future__ import annotations

from collections.abc import Iterator

from tests.blocks.builder import (
    MOST,
    NULL,
    REGTEST,
    Block,
    Input,
    Output,
    Tx,
    coinbase,
    committed,
    height_push,
    size,
    somewhere,
    spend,
)
from tests.blocks.cases import (
    HEIGHT,
    PARENT,
    REWARD,
    TIME,
    Case,
    Maker,
    at,
    block,
    case,
    fault,
)

CHECKSIG, MULTISIG = b"\xac", b"\xae"


def padded(number: int, length: int, *, witness: tuple[bytes, ...] = ()) -> Tx:
    """Return a transaction of so many stripped bytes."""
    for guess in (1, 3, 5):
        script = b"\x6a" * (length - 4 - 1 - 41 - 1 - 8 - guess - 4)
        if len(size(len(script))) == guess:
            return spend(number, witness=witness).but(outputs=(Output(1, script),))
    raise AssertionError(length)


# ---- counts and sizes --------------------------------------------------------------------------------------


def transactions() -> Iterator[Case]:
    none = Block((), PARENT.prev_hash, TIME)
    yield case("no transactions", none, fault("NO_TRANSACTIONS", 80))
    for place in (0, 31):  # CheckMerkleRoot comes first: the root of none is zero
        wrong = none.but(root=bytes(place) + b"\1" + bytes(31 - place))
        yield case("nor their root", wrong, fault("MERKLE_ROOT", 36), fault("NO_TRANSACTIONS", 80))
    yield case("one", block())


def sizes() -> Iterator[Case]:
    """1,000,000 bytes without witnesses, 4,000,000 of weight with three times those."""
    room = 1_000_000 - 81 - len(coinbase(HEIGHT).raw())
    for more in (0, 1):
        made = block(padded(1, room + more)).build()
        assert len(made.data) == 1_000_000 + more
        said = (fault("BLOCK_SIZE", 0, -1, 1_000_000 + more, 1_000_000),) if more else ()
        yield case(f"{len(made.data)} bytes", made, *said)
    for length, large in ((1_000_000, False), (1_000_001, True)):
        made = block(padded(1, length)).build()
        stripped = 81 + len(coinbase(HEIGHT).raw()) + length
        said = [fault("BLOCK_SIZE", 0, -1, stripped, 1_000_000)]
        if large:
            said.append(fault("TX_SIZE", made.offsets[1], 1, length, 1_000_000))
        yield case(f"transaction of {length} bytes", made, *said)
    for weight in (3_999_999, 4_000_000, 4_000_001):
        made = block_of_weight(weight)
        said = (fault("BLOCK_WEIGHT", 0, -1, weight, 4_000_000),) if weight > 4_000_000 else ()
        yield case(f"weight {weight}", made, *said)


def block_of_weight(weight: int) -> Block:
    """Return a valid block of this weight, most of it one witness item."""
    item = weight - 10_000
    for _ in range(3):
        txs = committed((coinbase(HEIGHT, value=REWARD), spend(1, witness=(bytes(item),))))
        stripped = 81 + sum(len(tx.raw(witness=False)) for tx in txs)
        total = 81 + sum(len(tx.raw()) for tx in txs)
        item += weight - 3 * stripped - total
    return block(*txs[1:], first=txs[0])


# ---- coinbase ----------------------------------------------------------------------------------------------


def coinbases() -> Iterator[Case]:
    yield case("first, and only", block(spend(1)))
    made = block(first=spend(1)).build()
    yield case("none", made, fault("COINBASE_MISSING", made.offsets[0], 0))
    made = block(coinbase(HEIGHT), first=spend(1)).build()
    yield case(
        "second place", made, fault("COINBASE_MISSING", 81, 0), fault("COINBASE_EXTRA", made.offsets[1], 1)
    )  # fmt: skip
    made = block(spend(1), coinbase(1, value=5), coinbase(2)).build()
    yield case(
        "three",
        made,
        fault("COINBASE_EXTRA", made.offsets[2], 2),
        fault("COINBASE_EXTRA", made.offsets[3], 3),
    )
    for prevout in (
        (bytes(32), 0xFFFFFFFE),
        (bytes(31) + b"\1", 0xFFFFFFFF),
        (b"\1" + bytes(31), 0xFFFFFFFF),
    ):
        near = Tx((Input(prevout, height_push(HEIGHT) + b"test"),), (Output(0),))
        yield case("almost", block(first=near), fault("COINBASE_MISSING", 81, 0))
    two = coinbase(HEIGHT).but(inputs=(Input(NULL, b"ab"), Input(somewhere(1))))
    made = block(first=two).build()
    yield case(
        "with a second input", made, fault("COINBASE_MISSING", 81, 0),
        fault("NULL_PREVOUT", made.at(0, "prevout", 0), 0, 0),
    )  # fmt: skip


def coinbase_scripts() -> Iterator[Case]:
    """From 2 to 100 bytes."""
    for length in (1, 2, 99, 100, 101):
        made = block(
            first=coinbase(7, script=b"\x57" * length, value=REWARD), context=at(7, times=SEVEN)
        ).build()
        said = () if 2 <= length <= 100 else (fault("COINBASE_SCRIPT", made.at(0, "script", 0), 0, length),)
        yield case(f"{length} bytes", made, *said, context=at(7, times=SEVEN))
    made = block(first=coinbase(HEIGHT, script=b"", value=REWARD)).build()
    place = made.at(0, "script", 0)
    yield case(
        "empty", made, fault("COINBASE_SCRIPT", place, 0, 0), fault("COINBASE_HEIGHT", place, 0, HEIGHT)
    )
    made = block(spend(1), coinbase(1, script=b"x")).build()
    yield case(
        "of a second coinbase", made, fault("COINBASE_EXTRA", made.offsets[2], 2),
        fault("COINBASE_SCRIPT", made.at(2, "script", 0), 2, 1),
    )  # fmt: skip


SEVEN = tuple(TIME - 600 * k for k in range(7, 0, -1))


def coinbase_heights() -> Iterator[Case]:
    """BIP 34: a prefix match on the shortest push of the height."""
    network = REGTEST._replace(bip34_height=0, twenty_minutes=False)
    for height in (
        1,
        2,
        16,
        17,
        18,
        127,
        128,
        129,
        255,
        256,
        257,
        32767,
        32768,
        65535,
        65536,
        8388607,
        8388608,
        2**31 - 2,
    ):
        push = height_push(height)
        number = push[1:] if height > 16 else bytes([height])
        others = {
            "the height before": height_push(height - 1),
            "a longer number": bytes([len(number) + 1]) + number + b"\0",
            "PUSHDATA1": b"\x4c" + bytes([len(number)]) + number,
            "cut": push[:-1] + b"\x7f" if len(push) > 1 else b"\1" + number,
            "later": b"\x51" + push if push != b"\x51" else b"\x52" + push,
        }
        context = at(height, times=SEVEN[:height] if height < 7 else PARENT.times)
        if 7 <= height < 11:
            context = context._replace(times=PARENT.times[-height:])
        for name, start in {"the push": push + bytes(7), "more after it": push + b"anything"}.items():
            made = block(first=coinbase(height, script=start), context=context)
            yield case(f"height {height}: {name}", made, context=context, network=network)
        for name, start in others.items():
            if (start + bytes(7)).startswith(push):
                continue
            made = block(first=coinbase(height, script=start + bytes(7)), context=context).build()
            said = fault("COINBASE_HEIGHT", made.at(0, "script", 0), 0, height)
            yield case(f"height {height}: {name}", made, said, context=context, network=network)
    wrong = coinbase(HEIGHT, script=b"nothing", value=REWARD)
    for first, fails in ((HEIGHT, True), (HEIGHT + 1, False)):
        made = block(first=wrong).build()
        said = (fault("COINBASE_HEIGHT", made.at(0, "script", 0), 0, HEIGHT),) if fails else ()
        yield case(f"from height {first} on", made, *said, network=REGTEST._replace(bip34_height=first))


# ---- transactions ------------------------------------------------------------------------------------------


def sanity() -> Iterator[Case]:
    empty = Tx((), ())
    made = block(spend(1), empty).build()
    yield case(
        "no inputs, no outputs", made, fault("TX_NO_INPUTS", made.offsets[2], 2),
        fault("TX_NO_OUTPUTS", made.offsets[2], 2),
    )  # fmt: skip
    made = block(spend(1).but(outputs=())).build()
    yield case("no outputs", made, fault("TX_NO_OUTPUTS", made.offsets[1], 1))
    made = block(first=coinbase(HEIGHT, ())).build()
    yield case("coinbase without outputs", made, fault("TX_NO_OUTPUTS", 81, 0))
    for version in (-(1 << 31), -1, 0, 1, 3, (1 << 31) - 1):
        yield case(f"version {version}", block(spend(1, version=version)))


def values() -> Iterator[Case]:
    """Each from 0 to 21 million coins, and their sum."""
    for value, name in (
        (0, None), (MOST, None), (MOST + 1, "VALUE_TOO_LARGE"), ((1 << 63) - 1, "VALUE_TOO_LARGE"),
        (-1, "VALUE_NEGATIVE"), (-(1 << 63), "VALUE_NEGATIVE"),
    ):  # fmt: skip
        made = block(spend(1).but(outputs=(Output(0), Output(value)))).build()
        limit = MOST if name == "VALUE_TOO_LARGE" else 0
        said = (fault(name, made.at(1, "value", 1), 1, value, limit),) if name else ()
        yield case(f"value {value}", made, *said)
    for many, place, total in (
        ((MOST, 0), None, 0),
        ((MOST, 1), 1, MOST + 1),
        ((MOST - 1, 1), None, 0),
        ((1, MOST, MOST, MOST), 1, MOST + 1),  # told once
        ((MOST,) * 3, 1, 2 * MOST),
    ):
        made = block(spend(1).but(outputs=tuple(map(Output, many)))).build()
        said = () if place is None else (fault("VALUE_SUM", made.at(1, "value", place), 1, total, MOST),)
        yield case(f"values {many}", made, *said)
    made = block(spend(1).but(outputs=tuple(map(Output, (MOST, -5, MOST + 1, 1, -1))))).build()
    yield case(
        "what is out of range is not summed", made, fault("VALUE_NEGATIVE", made.at(1, "value", 1), 1, -5),
        fault("VALUE_TOO_LARGE", made.at(1, "value", 2), 1, MOST + 1, MOST),
        fault("VALUE_SUM", made.at(1, "value", 3), 1, MOST + 1, MOST),
        fault("VALUE_NEGATIVE", made.at(1, "value", 4), 1, -1),
    )  # fmt: skip
    made = block(spend(1).but(outputs=(Output(MOST), Output(1))), spend(2).but(outputs=(Output(-1),))).build()
    yield case(
        "in two transactions", made, fault("VALUE_SUM", made.at(1, "value", 1), 1, MOST + 1, MOST),
        fault("VALUE_NEGATIVE", made.at(2, "value", 0), 2, -1),
    )  # fmt: skip


def duplicate_inputs() -> Iterator[Case]:
    """CVE-2018-17144: an output spent twice by one transaction."""

    def of(*numbers: int) -> Tx:
        return spend(0).but(inputs=tuple(Input(somewhere(n)) for n in numbers))

    yield case("different ones", block(of(1, 2, 3)))
    same = somewhere(1)[0]
    yield case(
        "different indexes", block(of().but(inputs=(Input((same, 0)), Input((same, 1)), Input((same, 256)))))
    )
    for numbers, said in (
        ((1, 1), ((1, 0),)),
        ((1, 2, 1), ((2, 0),)),
        ((1, 2, 2, 1, 2), ((2, 1), (3, 0), (4, 1))),
        ((*range(300), 299, 0), ((300, 299), (301, 0))),
    ):
        made = block(spend(1000), of(*numbers)).build()
        yield case(
            f"{numbers[:5]}", made,
            *(fault("DUPLICATE_INPUT", made.at(2, "prevout", i), 2, i, first) for i, first in said),
        )  # fmt: skip
    made = block(of().but(inputs=(Input(NULL), Input(somewhere(1)), Input(NULL)))).build()
    yield case(
        "null ones",
        made,
        fault("DUPLICATE_INPUT", made.at(1, "prevout", 2), 1, 2, 0),
        fault("NULL_PREVOUT", made.at(1, "prevout", 0), 1, 0),
        fault("NULL_PREVOUT", made.at(1, "prevout", 2), 1, 2),
    )


def null_prevouts() -> Iterator[Case]:
    made = block(spend(1).but(inputs=(Input(somewhere(1)), Input(NULL, b"ab")))).build()
    yield case("beside another", made, fault("NULL_PREVOUT", made.at(1, "prevout", 1), 1, 1))
    for near in ((bytes(32), 0), (bytes(31) + b"\1", 0xFFFFFFFF)):
        yield case("almost null", block(spend(1).but(inputs=(Input(somewhere(1)), Input(near)))))


# ---- signature operations ----------------------------------------------------------------------------------


def sigops() -> Iterator[Case]:
    """At most 20,000 in all scripts, multisig counting 20, what is pushed none."""

    def of(*scripts: bytes, inputs: tuple[bytes, ...] = (b"",)) -> Block:
        spent = tuple(Input(somewhere(i), script) for i, script in enumerate(inputs))
        return block(Tx(spent, tuple(Output(1, script) for script in scripts)))

    for name, made, count in (
        ("CHECKSIG", of(CHECKSIG * 20_000), 20_000),
        ("CHECKSIG", of(CHECKSIG * 20_001), 20_001),
        ("CHECKSIGVERIFY", of(b"\xad" * 20_001), 20_001),
        ("CHECKMULTISIG", of(MULTISIG * 1000), 20_000),
        ("CHECKMULTISIG and one", of(MULTISIG * 1000 + CHECKSIG), 20_001),
        ("CHECKMULTISIGVERIFY", of(b"\xaf" * 1001), 20_020),
        ("numbers before multisig do not count", of(b"\x51\xae" * 1001), 20_020),
        ("many scripts", of(*[CHECKSIG * 200] * 100), 20_000),
        ("many scripts and one", of(*[CHECKSIG * 200] * 100, CHECKSIG), 20_001),
        ("input scripts", of(TWENTY, inputs=(CHECKSIG,)), 20_001),
        ("input scripts", of(TWENTY[1:], inputs=(CHECKSIG,)), 20_000),
        ("pushed", of(TWENTY, b"\x4b" + CHECKSIG * 75, b"\x4c\xff" + CHECKSIG * 255), 20_000),
        ("pushed by PUSHDATA2, 4", of(TWENTY, b"\x4d\x00\x02" + CHECKSIG * 512, b"\x4e\1\0\0\0\xac"), 20_000),
        ("after a push", of(TWENTY, b"\x01\xac\xac"), 20_001),
        ("after an empty push", of(TWENTY, b"\x4c\0\xac"), 20_001),
        ("after PUSHDATA2", of(TWENTY, b"\x4d\1\0\0\xac"), 20_001),
        ("after PUSHDATA4", of(TWENTY, b"\x4e\1\0\0\0\0\xac"), 20_001),
        ("before a push beyond the end", of(TWENTY, b"\xac\x4b\xac\xac"), 20_001),
        (
            "after a push beyond the end",
            of(TWENTY, b"\x03\xac\xac", b"\x4c", b"\x4d\xac", b"\x4e\xac\xac\xac"),
            20_000,
        ),
        ("PUSHDATA4 of 2^32 - 1", of(TWENTY, b"\x4e\xff\xff\xff\xff\xac\xac"), 20_000),
        ("PUSHDATA without its length", of(TWENTY, b"\xac\x4c", b"\x4d\1", b"\x4e\1\0\0"), 20_001),
    ):
        said = (fault("SIGOPS", 0, -1, count, 20_000),) if count > 20_000 else ()
        yield case(f"{name}: {count}", made, *said)
    first = coinbase(HEIGHT, value=REWARD)
    for more in (b"", CHECKSIG):
        script = first.inputs[0].script + more
        made = block(Tx((Input(somewhere(1)),), (Output(1, TWENTY),)), first=coinbase(HEIGHT, script=script))
        yield case("the coinbase's too", made, *([fault("SIGOPS", 0, -1, 20_001, 20_000)] if more else []))
    many = coinbase(HEIGHT, [Output(0, b"\x51" + CHECKSIG * 20_001)])
    yield case("coinbase outputs", block(first=many), fault("SIGOPS", 0, -1, 20_001, 20_000))
    txs = committed((coinbase(HEIGHT), spend(1, witness=(CHECKSIG * 20_001,))))
    yield case("not in witnesses", block(*txs[1:], first=txs[0]))


TWENTY = CHECKSIG * 20_000


TRANSACTIONS: tuple[Maker, ...] = (
    transactions, sizes, coinbases, coinbase_scripts, coinbase_heights, sanity, values, duplicate_inputs,
    null_prevouts, sigops,
)  # fmt: skip
