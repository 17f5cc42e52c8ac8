"""Native against reference, in everything a block is told of: attributes, tables, ids, headers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore import _native, reference
from tests.blocks.builder import (
    MAINNET,
    REGTEST,
    SIGNET,
    TESTNET3,
    TESTNET4,
    Context,
    chain,
    expand,
    follow,
)
from tests.blocks.cases import EASY, HEIGHT, NOW, PARENT, Case, block
from tests.blocks.real import GENESIS, after_genesis, early, read, unframed
from tests.blocks.table import TABLE
from tests.blocks.told import headers_told, table_told, told

pytestmark = pytest.mark.native_only

NETWORKS = {
    "mainnet": MAINNET, "testnet3": TESTNET3, "testnet4": TESTNET4, "signet": SIGNET, "regtest": REGTEST,
}  # fmt: skip
RULES = {name: (_native.Bitcoin(*network), reference.Bitcoin(*network)) for name, network in NETWORKS.items()}


def agree(pair, data, context, now):
    """Assert that both say the same of a block, and return it."""
    answers = [told(rules.check_block(data, context, now)) for rules in pair]
    assert answers[0] == answers[1]
    assert table_told(pair[0], data) == table_told(pair[1], data)
    return answers[0]


@pytest.mark.parametrize("name", TABLE)
def test_the_table(name):
    one: Case
    for one in TABLE[name]():
        pair = _native.Bitcoin(*one.network), reference.Bitcoin(*one.network)
        agree(pair, *one.args)


def test_every_truncation():
    """Of blocks with all there can be: several transactions, witnesses, a commitment, scripts."""
    for data in (chain(6)[5].data, early()[170][1]):
        for length in range(len(data)):
            agree(RULES["regtest"], data[:length], tuple(PARENT), NOW)


def test_every_byte_taken_out_and_doubled():
    data = chain(6)[5].data
    for place in range(80, len(data)):
        for changed in (
            data[:place] + data[place + 1 :],
            data[:place] + data[place : place + 1] + data[place:],
        ):
            agree(RULES["regtest"], changed, None, None)


@pytest.mark.any_kernel
def test_every_byte_set_to_what_sizes_begin_with():
    data = chain(6)[5].data
    for place in range(len(data)):
        for byte in (0, 1, 0xFC, 0xFD, 0xFE, 0xFF):
            agree(RULES["regtest"], data[:place] + bytes([byte]) + data[place + 1 :], None, None)


# ---- drawn -------------------------------------------------------------------------------------------------

U32 = st.integers(0, (1 << 32) - 1)
BITS = U32 | st.sampled_from([EASY, 0x1D00FFFF, 0x1C00FFFF, 0x207FFFFE, 0x03000001, 0x1E0377AE])
HEIGHTS = (
    st.integers(-1, 30)
    | st.integers(2010, 2020)
    | st.sampled_from([4031, 149, 21110, 227930, 330775, 419327, 481823])
    | st.integers(0, 10**6)
)


@st.composite
def contexts(draw):
    """Whatever may be known of a parent, or not."""

    def maybe(strategy):
        return draw(st.none() | strategy | strategy)

    return (
        maybe(HEIGHTS),
        maybe(
            st.sampled_from([bytes(32), PARENT.prev_hash, GENESIS[4:36]])
            | st.binary(min_size=32, max_size=32)
        ),
        maybe(st.lists(st.integers(NOW - 10**4, NOW + 10**4), max_size=11).map(tuple)),
        maybe(U32 | st.integers(NOW - 3 * 10**6, NOW)),
        maybe(BITS),
        maybe(st.integers(0, 1 << 100)),
        maybe(BITS),
        maybe(BITS),
    )


NETWORK = st.sampled_from(sorted(RULES))
CLOCK = st.none() | st.integers(0, 1 << 33)


@given(st.binary(max_size=300), contexts(), NETWORK, CLOCK)
def test_random_bytes(data, context, network, now):
    agree(RULES[network], data, context, now)


HEADS = st.tuples(st.integers(0, (1 << 32) - 1), st.integers(NOW - 10**4, NOW + 10**4) | U32, BITS)


@given(HEADS, contexts(), NETWORK, CLOCK)
def test_random_headers_in_any_context(fields, context, network, now):
    version, time, bits = fields
    made = block(mined=False).build().data
    words = [value.to_bytes(4, "little") for value in (version, time, bits)]
    agree(RULES[network], words[0] + made[4:68] + words[1] + words[2] + made[76:], context, now)


SEEDS = [made.data for make in TABLE.values() for made in make() if 81 < len(made.data) < 1500][::11]
SEEDS += [made.data for made in chain(12)] + [early()[170][1]]


@st.composite
def mutations(draw):
    """A block of the table with some bytes changed, taken out, put in or copied from elsewhere."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        how = draw(st.sampled_from(["set", "size", "cut", "insert", "copy"]))
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.integers(1, 50))
        if how == "set" and data:
            data[place] = draw(st.integers(0, 255))
        elif how == "size":
            data[place : place + 1] = draw(
                st.sampled_from([b"\xfd\xff\xff", b"\xfe\0\0\0\2", b"\xff" * 9, b"\0\1"])
            )
        elif how == "cut":
            del data[place : place + length]
        elif how == "insert":
            data[place:place] = draw(st.binary(max_size=50))
        else:
            source = draw(st.integers(0, len(data)))
            data[place:place] = data[source : source + length]
    return bytes(data)


@given(mutations(), contexts(), NETWORK, CLOCK)
def test_mutated_blocks(data, context, network, now):
    agree(RULES[network], data, context, now)


# ---- headers in bulk ---------------------------------------------------------------------------------------


@st.composite
def header_chains(draw):
    """Linked headers, most of them mined at an easy target, some broken."""
    rows = [made.data[:80] for made in chain(draw(st.integers(0, 30)))]
    for _ in range(draw(st.integers(0, 3))):
        if rows:
            place = draw(st.integers(0, len(rows) - 1))
            row = bytearray(rows[place])
            row[draw(st.integers(0, 79))] ^= draw(st.integers(1, 255))
            rows[place] = bytes(row)
    return rows


@given(header_chains(), contexts() | st.none(), NETWORK, CLOCK)
def test_headers(rows, context, network, now):
    native, expected = (headers_told(rules, rows, context, now) for rules in RULES[network])
    assert native == expected


def test_headers_of_every_form():
    """Lists, arrays, flat bytes, nothing at all."""
    data = b"".join(made.data[:80] for made in chain(23))
    for rows in (
        data, bytearray(data), np.frombuffer(data, np.uint8).reshape(-1, 80), memoryview(data),
        [data[k : k + 80] for k in range(0, len(data), 80)], [], b"", np.empty((0, 80), np.uint8),
    ):  # fmt: skip
        told_by = [
            answered(lambda rules=rules, rows=rows: headers_told(rules, rows, None, NOW))
            for rules in RULES["regtest"]
        ]
        assert told_by[0] == told_by[1]
    for rows in (
        [bytes(79)],
        [bytes(80), bytes(81)],
        np.zeros((2, 79), np.uint8),
        np.zeros((2, 80), np.uint16),
    ):
        told_by = [
            answered(lambda rules=rules, rows=rows: headers_told(rules, rows, None, NOW))
            for rules in RULES["regtest"]
        ]
        assert told_by[0] == told_by[1]
        assert told_by[0][0] in (mc.InputError, TypeError)


def answered(call):
    """What a call returns, or type and words of its refusal."""
    try:
        return call()
    except (mc.MerkleCoreError, TypeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("network", ["mainnet", "testnet3", "testnet4", "regtest"])
def test_headers_over_several_periods(network):
    """Not mined, so most codes are of the work; contexts go on all the same."""
    random = np.random.default_rng(1)
    limit = NETWORKS[network].pow_limit
    context = PARENT._replace(height=2000, period_start=NOW - 2000 * 600, bits=0x1D00FFFF, times=None)
    rows, there = [], context
    time = NOW
    for height in range(2001, 6100):
        time += int(random.integers(-300, 1500))
        bits = 0x1C00FFFF if random.random() < 0.3 else 0x1D00FFFF
        row = b"\0\0\0\x20" + there.prev_hash + bytes(32)
        row += b"".join(value.to_bytes(4, "little") for value in (time, bits, height))
        rows.append(row)
        there = follow(there._replace(times=there.times or ()), row, NETWORKS[network])
        assert expand(bits) <= limit
    flat = b"".join(rows)
    native, expected = (headers_told(rules, flat, tuple(context), None) for rules in RULES[network])
    assert native == expected
    assert native[-1][0] == 6099


# ---- many blocks of one buffer -----------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_many(threads):
    made = (
        [made.data for made in chain(30)]
        + [one.data for one in list(TABLE["coinbase_scripts"]())[:5]]
        + [b"", bytes(100)]
    )
    data = b"gap".join(made)
    spans, at = [], 0
    for one in made:
        spans.append((at, at + len(one)))
        at += len(one) + 3
    context: Context | None = after_genesis()
    given_contexts = [None, tuple(PARENT), tuple(context)] * len(made)
    given_contexts = given_contexts[: len(made)]
    expected = [
        told(RULES["regtest"][1].check_block(one, there, NOW))
        for one, there in zip(made, given_contexts, strict=True)
    ]
    for rules in RULES["regtest"]:
        found = rules.check_many(data, spans, given_contexts, NOW, threads)
        assert [told(one) for one in found] == expected
        assert rules.check_many(data, [], [], NOW, threads) == []


# ---- real --------------------------------------------------------------------------------------------------


def test_real_blocks(vectors):
    blocks = list(unframed(read(vectors, "nbitcoin/blk00000.dat")))[::10]
    blocks.append(read(vectors, "block413567/block413567.raw"))
    blocks += [path.read_bytes() for path in sorted((vectors / "blocks/bitcoin/rust-bitcoin").glob("*.raw"))]
    blocks += unframed(read(vectors, "btcd/277647.dat.bz2"))
    for data in blocks:
        agree(RULES["mainnet"], data, None, NOW)
        agree(RULES["testnet3"], data, tuple(PARENT._replace(height=HEIGHT)), NOW)


def test_hostile_blocks_of_btcd(vectors):
    import json

    stored = read(vectors, "btcd-fullblocktests/blocks.bin.bz2")
    for line in read(vectors, "btcd-fullblocktests/blocks.jsonl").splitlines():
        row = json.loads(line)
        if row["len"]:
            agree(RULES["regtest"], stored[row["off"] : row["off"] + row["len"]], tuple(PARENT), NOW)
