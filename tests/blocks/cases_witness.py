"""Rows of the table: finality, witnesses, signet."""

from __future__ import annotations

from collections.abc import Iterator

from tests.blocks.builder import (
    COMMITMENT,
    REGTEST,
    SIGNET,
    Block,
    Input,
    Output,
    Tx,
    coinbase,
    committed,
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

# ---- finality ----------------------------------------------------------------------------------------------


def finality() -> Iterator[Case]:
    """Lock times: below 500,000,000 a height, else a time; before BIP 113 the block's, then the median."""
    old = REGTEST._replace(csv_height=HEIGHT + 1)
    median = sorted(PARENT.times)[5]
    cases = [
        (HEIGHT - 1, False, REGTEST),
        (HEIGHT, True, REGTEST),
        (499_999_999, True, REGTEST),
        (HEIGHT - 1, False, old),
        (HEIGHT, True, old),
        (500_000_000, False, REGTEST),
        (median - 1, False, REGTEST),
        (median, True, REGTEST),
        (TIME - 1, True, REGTEST),
        (TIME - 1, False, old),
        (TIME, True, old),
        (0xFFFFFFFF, True, old),
        (median - 1, False, REGTEST._replace(csv_height=HEIGHT)),
        (median, True, REGTEST._replace(csv_height=HEIGHT)),
    ]
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
        "a height is enough", block(late.but(locktime=HEIGHT - 1)), context=there, unchecked=lacking
    )  # fmt: skip
    others = [late.but(locktime=median, inputs=(Input(somewhere(k), sequence=0),)) for k in (2, 3)]
    made = block(others[0], late, others[1]).build()
    yield case(
        "times missing for others", made, fault("NOT_FINAL", made.offsets[2], 2, HEIGHT + 5), context=there,
        unchecked=lacking | unknown,
    )  # fmt: skip
    yield case(
        "times not needed before BIP 113", block(late.but(locktime=TIME - 1)), context=there, network=old,
        unchecked=lacking,
    )  # fmt: skip


# ---- witnesses ---------------------------------------------------------------------------------------------


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
    yield case("no context: committed", good, context=None, unchecked=lacking | {"witness"})
    yield case("no context: no commitment", block(pay), unexpected, **none)
    yield case("no context: other witnesses", block(spend(1, witness=(b"s",)), first=txs[0]), wrong, **none)
    yield case("no context: reserved", block(pay, first=txs[0].but(inputs=first.inputs)),
               fault("WITNESS_RESERVED", 81, 0), **none)  # fmt: skip
    yield case("no context: commitment alone", block(spend(1), first=bare), context=None,
               unchecked=lacking | {"witness"})  # fmt: skip


def reserved(tx: Tx, *items: bytes) -> Tx:
    return tx.but(inputs=(tx.inputs[0]._replace(witness=items),))


# ---- signet ------------------------------------------------------------------------------------------------


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
    alone = b"\4" + header  # a push counts that has the header and some data (FetchAndClearCommitmentSection)
    good, malformed = (b"%c" % len(data) + data for data in (header + b"\0\0", header + b"\0"))
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
        ("after a header alone", solved(b"\0\0", before=alone), True),
        ("before a header alone", solved(b"\0\0", tail=alone), True),
        ("malformed, after a header alone", solved(b"\0", before=alone), False),
        ("the first of two counts", solved(b"\0\0", tail=malformed), True),
        ("the first of two counts", solved(b"\0", tail=good), False),
        ("in a push that runs over the end", solved(b"", before=b"\x4c" + b"%c" % 8), False),
        ("behind a push that runs over the end", solved(b"\0\0", before=b"\x4d\xff\xff"), False),
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
    for name, made, holds in (
        ("a header alone", solved(b""), True),
        ("two headers alone", solved(b"", before=alone), True),
        ("malformed, after a header alone", solved(b"\0", before=alone), False),
        ("well-formed", solved(b"\0\0"), True),
    ):
        yield case(
            f"where anyone may sign, {name}", made, hard, *(() if holds else (bad,)),
            network=SIGNET._replace(signet_challenge=b"\x51"), context=context,
        )  # fmt: skip
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
        "the first block needs none",
        Block((first,), bytes(32), TIME, bits),
        hard,
        network=SIGNET,
        context=None,
        unchecked=FOR_WANT_OF_CONTEXT | {"coinbase_height", "subsidy"},
    )
    yield case("other networks have none", block())


WITNESSES: tuple[Maker, ...] = (finality, witnesses, signet)
