"""Rows of the table: the rules of a block's body."""

from __future__ import annotations

from collections.abc import Iterator

from tests.blocks.builder import (
    COIN,
    COMMITMENT,
    MOST,
    NULL,
    REGTEST,
    SIGNET,
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
    FOR_WANT_OF_CONTEXT,
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


# ---- counts and sizes ------------------------------------------------------------------------------------------


def transactions() -> Iterator[Case]:
    none = Block((), PARENT.prev_hash, TIME)
    yield case("no transactions", none, fault("NO_TRANSACTIONS", 80))
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


# ---- coinbase --------------------------------------------------------------------------------------------------


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
        "three", made, fault("COINBASE_EXTRA", made.offsets[2], 2), fault("COINBASE_EXTRA", made.offsets[3], 3)
    )  # fmt: skip
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
        1, 2, 16, 17, 18, 127, 128, 129, 255, 256, 257, 32767, 32768, 65535, 65536, 8388607, 8388608, 2**31 - 2
    ):  # fmt: skip
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


# ---- transactions ----------------------------------------------------------------------------------------------


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
        "null ones", made, fault("DUPLICATE_INPUT", made.at(1, "prevout", 2), 1, 2, 0),
        fault("NULL_PREVOUT", made.at(1, "prevout", 0), 1, 0), fault("NULL_PREVOUT", made.at(1, "prevout", 2), 1, 2),
    )  # fmt: skip


def null_prevouts() -> Iterator[Case]:
    made = block(spend(1).but(inputs=(Input(somewhere(1)), Input(NULL, b"ab")))).build()
    yield case("beside another", made, fault("NULL_PREVOUT", made.at(1, "prevout", 1), 1, 1))
    for near in ((bytes(32), 0), (bytes(31) + b"\1", 0xFFFFFFFF)):
        yield case("almost null", block(spend(1).but(inputs=(Input(somewhere(1)), Input(near)))))


# ---- signature operations --------------------------------------------------------------------------------------


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


# ---- finality --------------------------------------------------------------------------------------------------


def finality() -> Iterator[Case]:
    """Lock times: below 500,000,000 a height, from there a time; before BIP 113 the block's, then the median."""
    old = REGTEST._replace(csv_height=HEIGHT + 1)
    median = sorted(PARENT.times)[5]
    cases = [
        (HEIGHT - 1, False, REGTEST), (HEIGHT, True, REGTEST), (499_999_999, True, REGTEST),
        (HEIGHT - 1, False, old), (HEIGHT, True, old),
        (500_000_000, False, REGTEST), (median - 1, False, REGTEST), (median, True, REGTEST),
        (TIME - 1, True, REGTEST), (TIME - 1, False, old), (TIME, True, old), (0xFFFFFFFF, True, old),
        (median - 1, False, REGTEST._replace(csv_height=HEIGHT)), (median, True, REGTEST._replace(csv_height=HEIGHT)),
    ]  # fmt: skip
    for locktime, late, network in cases:
        name = f"lock time {locktime}, CSV from {network.csv_height}"
        for sequence in (0, 0xFFFFFFFE):
            tx = spend(1, locktime=locktime)
            tx = tx.but(inputs=(Input(somewhere(7)), Input(somewhere(1), sequence=sequence)))
            made = block(tx).build()
            said = (fault("NOT_FINAL", made.offsets[1], 1, locktime),) if late else ()
            yield case(f"{name}, sequence {sequence:x}", made, *said, network=network)
        yield case(f"{name}, final sequences", block(spend(1, locktime=locktime)), network=network)
    never = coinbase(HEIGHT, value=REWARD, locktime=HEIGHT)
    never = never.but(inputs=(never.inputs[0]._replace(sequence=0),))
    yield case("the coinbase's too", block(first=never), fault("NOT_FINAL", 81, 0, HEIGHT))
    late = spend(1, locktime=HEIGHT + 5)
    late = late.but(inputs=(late.inputs[0]._replace(sequence=1),))
    made = block(late, spend(2), late.but(locktime=TIME, inputs=spend(3).inputs),
                 late.but(inputs=(Input(somewhere(4), sequence=0),))).build()  # fmt: skip
    yield case(
        "each", made, fault("NOT_FINAL", made.offsets[1], 1, HEIGHT + 5),
        fault("NOT_FINAL", made.offsets[4], 4, HEIGHT + 5),
    )  # fmt: skip
    # What is not known leaves the rule unchecked where a transaction needs it.
    unknown = frozenset({"finality"})
    no_height = FOR_WANT_OF_CONTEXT | {"coinbase_height"}
    for locktime in (1, TIME):
        tx = late.but(locktime=locktime)
        yield case("no context", block(tx), context=None, unchecked=no_height | unknown)
        yield case("not needed", block(spend(1, locktime=locktime)), context=None, unchecked=no_height)
    there = PARENT._replace(times=PARENT.times[1:])
    lacking = frozenset({"median_time"})
    yield case("times missing", block(late.but(locktime=median)), context=there, unchecked=lacking | unknown)
    yield case(
        "times not needed before BIP 113", block(late.but(locktime=TIME - 1)), context=there, network=old,
        unchecked=lacking,
    )  # fmt: skip


# ---- witnesses -------------------------------------------------------------------------------------------------


def witnesses() -> Iterator[Case]:
    """BIP 141."""
    first = coinbase(HEIGHT, value=REWARD)
    pay = spend(1, witness=(b"sig", b"key"))
    off = REGTEST._replace(segwit_height=HEIGHT + 1)
    on = REGTEST._replace(segwit_height=HEIGHT)
    made = block(pay, first=first).build()
    unexpected = fault("WITNESS_UNEXPECTED", made.offsets[1], 1)
    yield case("no commitment", made, unexpected)
    yield case("no commitment, before segwit", made, unexpected, network=off)
    made = block(spend(2), spend(3), pay, spend(4, witness=(b"x",))).build()
    yield case("the first of them", made, fault("WITNESS_UNEXPECTED", made.offsets[3], 3))
    txs = committed((first, pay))
    good = block(*txs[1:], first=txs[0]).build()
    yield case("committed", good, network=on)
    yield case("before segwit", good, fault("WITNESS_UNEXPECTED", 81, 0), network=off)
    bare = txs[0].but(inputs=first.inputs)
    yield case("commitment without witnesses, before segwit", block(spend(1), first=bare), network=off)
    place = good.at(0, "output script", 1)
    wrong = fault("WITNESS_COMMITMENT", place, 0)
    yield case("other witnesses", block(spend(1, witness=(b"sig", b"kez")), first=txs[0]), wrong)
    yield case("other reserved value", block(pay, first=reserved(txs[0], b"\1" * 32)), wrong)
    right = committed((first, pay), b"\1" * 32)
    yield case("any reserved value", block(pay, first=right[0]))
    for items in ((), (bytes(31),), (bytes(33),), (bytes(32), b""), (bytes(32), bytes(32)), (b"",)):
        made = block(pay, first=reserved(txs[0], *items)).build()
        yield case(f"reserved {[len(item) for item in items]}", made, fault("WITNESS_RESERVED", 81, 0))
    plain = committed((first, spend(1)))
    yield case("nothing to commit to", block(spend(1), first=plain[0]))
    made = block(spend(1), first=plain[0].but(inputs=first.inputs)).build()
    yield case("committed, no reserved value", made, fault("WITNESS_RESERVED", 81, 0))
    # Which output it is: the last one that begins so and is long enough.
    longer = committed((first, pay), extra=b"more")
    yield case("a longer script", block(pay, first=longer[0]))
    script = txs[0].outputs[1].script
    other = COMMITMENT + bytes(32)

    def ending(*scripts: bytes) -> Tx:
        return txs[0].but(outputs=(first.outputs[0], *(Output(0, one) for one in scripts)))

    yield case("the last counts", block(pay, first=ending(other, script)))
    made = block(pay, first=ending(script, other)).build()
    yield case("the last counts", made, fault("WITNESS_COMMITMENT", made.at(0, "output script", 2), 0))
    for near in (other[:37], b"\x6a\x24\xaa\x21\xa9\xee" + bytes(32), b"\x6a\x25" + other[2:], b""):
        yield case(f"{len(near)} bytes are none", block(pay, first=ending(script, near)))
        made = block(pay, first=ending(near)).build()
        yield case(f"{len(near)} bytes alone are none", made, fault("WITNESS_UNEXPECTED", 81, 0))
    made = block(pay.but(outputs=(Output(0, script),)), first=first).build()
    yield case("of another transaction", made, fault("WITNESS_UNEXPECTED", made.offsets[1], 1))
    yield case("coinbase witness, no commitment", block(first=reserved(first, bytes(32))),
               fault("WITNESS_UNEXPECTED", 81, 0))  # fmt: skip
    # Without a height: what is a fault at any height.
    lacking = FOR_WANT_OF_CONTEXT | {"coinbase_height"}
    none = {"context": None, "unchecked": lacking}
    yield case("no context: neither", block(spend(1)), **none)
    yield case("no context: committed", good, **none)
    yield case("no context: no commitment", block(pay), unexpected, **none)
    yield case("no context: other witnesses", block(spend(1, witness=(b"s",)), first=txs[0]), wrong, **none)
    yield case("no context: reserved", block(pay, first=txs[0].but(inputs=first.inputs)),
               fault("WITNESS_RESERVED", 81, 0), **none)  # fmt: skip
    yield case("no context: commitment alone", block(spend(1), first=bare), context=None,
               unchecked=lacking | {"witness"})  # fmt: skip


def reserved(tx: Tx, *items: bytes) -> Tx:
    return tx.but(inputs=(tx.inputs[0]._replace(witness=items),))


# ---- signet ----------------------------------------------------------------------------------------------------


def signet() -> Iterator[Case]:
    """BIP 325: the form of the solution, in the commitment's script."""
    bits = 0x1E0377AE
    context = at(HEIGHT, bits=bits, real_bits=bits)
    hard = fault("HASH_ABOVE_TARGET", 0, -1, bits)
    bad = fault("SIGNET_SOLUTION", 81, 0)
    header = bytes.fromhex("ecc7daa2")

    def solved(solution: bytes, network: object = SIGNET, before: bytes = b"", tail: bytes = b"") -> Block:
        data = header + solution
        push = bytes([len(data)]) + data if len(data) < 76 else b"\x4c" + bytes([len(data)]) + data
        txs = committed((coinbase(HEIGHT, value=REWARD),), extra=before + push + tail)
        return block(first=txs[0], bits=bits)

    none = block(first=committed((coinbase(HEIGHT, value=REWARD),))[0], bits=bits)
    script, item = size(3) + b"abc", size(2) + b"ok"
    for name, made, holds in (
        ("script and witness", solved(script + b"\1" + item), True),
        ("two items", solved(script + b"\2" + item + item), True),
        ("script alone", solved(script + b"\0"), True),
        ("witness alone", solved(b"\0\1" + item), True),
        ("both empty", solved(b"\0\0"), True),
        ("a long one", solved(size(200) + bytes(200) + b"\0"), True),
        ("after another push", solved(b"\0\0", before=b"\2hi"), True),
        ("after an opcode", solved(b"\0\0", before=b"\x51"), True),
        ("with more script after it", solved(b"\0\0", tail=b"\x51"), True),
        ("nothing after its four bytes", solved(b""), False),
        ("no count of items", solved(script), False),
        ("an item missing", solved(script + b"\2" + item), False),
        ("more after it", solved(script + b"\1" + item + b"\0"), False),
        ("script beyond the end", solved(size(200) + b"abc"), False),
        ("item beyond the end", solved(b"\0\1" + size(3) + b"ab"), False),
        ("a size that is not canonical", solved(b"\xfd\0\0\0"), False),
        ("count of 2^64 - 1", solved(b"\0" + b"\xff" * 9), False),
        ("no solution", none, False),
        ("no commitment", block(bits=bits), False),
        ("header of another kind", solved(b"\0\0", before=b"\4\xec\xc7\xda\xa3"), True),
    ):
        yield case(name, made, hard, *(() if holds else (bad,)), network=SIGNET, context=context)
    yield case(
        "where anyone may sign",
        none,
        hard,
        network=SIGNET._replace(signet_challenge=b"\x51"),
        context=context,
    )
    yield case(
        "where anyone may sign, no commitment", block(bits=bits), hard, bad,
        network=SIGNET._replace(signet_challenge=b"\x51"), context=context,
    )  # fmt: skip
    yield case(
        "where anyone may sign, malformed", solved(script), hard, bad,
        network=SIGNET._replace(signet_challenge=b"\x51"), context=context,
    )  # fmt: skip
    first = coinbase(0, script=b"genesis", value=REWARD)
    yield case(
        "the first block needs none", Block((first,), bytes(32), TIME, bits), hard, network=SIGNET, context=None,
        unchecked=FOR_WANT_OF_CONTEXT | {"coinbase_height", "subsidy"},
    )  # fmt: skip
    yield case("other networks have none", block())


# ---- inside the block ------------------------------------------------------------------------------------------


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


def duplicate_txids() -> Iterator[Case]:
    a, b = spend(1), spend(2)
    yield case("alike but for the lock time", block(a, spend(2, locktime=1)))
    made = block(a, b, spend(3), a, spend(4), b).build()
    yield case(
        "two pairs", made, fault("DUPLICATE_TXID", made.offsets[4], 4, 1), fault("DUPLICATE_TXID", made.offsets[6], 6, 2),
        fault("DOUBLE_SPEND", made.at(4, "prevout", 0), 4, 0, 1), fault("DOUBLE_SPEND", made.at(6, "prevout", 0), 6, 0, 2),
    )  # fmt: skip
    first = coinbase(HEIGHT, value=REWARD)
    made = block(spend(1), first, first=first).build()
    yield case(
        "the coinbase again", made, fault("COINBASE_EXTRA", made.offsets[2], 2),
        fault("DUPLICATE_TXID", made.offsets[2], 2, 0),
    )  # fmt: skip
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
            f"{many} faults", made, *(fault("VALUE_NEGATIVE", made.at(1, "value", i), 1, -1) for i in range(listed)),
            count=many,
        )  # fmt: skip
    txs = [padded(i, 64) for i in range(120)]
    made = block(*txs).build()
    yield case(
        "120 warnings", made, warnings=tuple(fault("TX_64_BYTES", made.offsets[i], i) for i in range(1, 101))
    )  # fmt: skip


BODY: tuple[Maker, ...] = (
    transactions, sizes, coinbases, coinbase_scripts, coinbase_heights, sanity, values, duplicate_inputs,
    null_prevouts, sigops, finality, witnesses, signet, duplicate_txids, links, subsidy, warnings, all_at_once,
)  # fmt: skip
