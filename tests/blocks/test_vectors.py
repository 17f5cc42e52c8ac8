"""Real blocks, and hostile ones of another project: every genuine one holds, every other is named."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from struct import pack

import numpy as np
import pytest

import merklecore as mc
from tests.blocks.builder import (
    BEFORE,
    EASY,
    MAINNET,
    REGTEST,
    TESTNET3,
    follow,
    sha256d,
    work,
)
from tests.blocks.cases import NAMES, STATE
from tests.blocks.real import GENESIS, after_genesis, early, read, unframed
from tests.blocks.told import names_of

ERA = 1_800_000_000  # a clock after all of them


def codes_of(checked):
    assert checked.fault_count == len(checked.faults)
    return [NAMES[found[0]] for found in checked.faults]


# ---- kept beside the tests ---------------------------------------------------------------------------------


def test_early_mainnet_blocks(backend):
    """The first two, and the first payment: ids and roots as every explorer shows them."""
    rules = backend.Bitcoin(*MAINNET)
    for height, (name, data) in early().items():
        context = after_genesis() if height == 1 else None
        checked = rules.check_block(data, context and tuple(context), ERA)
        assert codes_of(checked) == []
        assert checked.block_hash[::-1] == name == sha256d(data[:80])[::-1]
        assert checked.root == data[36:68]
        assert (names_of(checked.unchecked) == STATE) == (height == 1)
    ids = rules.txids(early()[170][1])
    assert [bytes(row)[::-1].hex() for row in ids] == [
        "b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082",
        "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16",
    ]
    table = rules.tx_table(early()[170][1])
    assert table["offset"].tolist() == [81, 215]
    assert table["size"].tolist() == table["stripped"].tolist() == [134, 275]
    assert table["value"].tolist() == [50 * 10**8, 50 * 10**8]
    assert table["outputs"].tolist() == [1, 2]
    assert table["flags"].tolist() == [2, 0]


HEADER_FIELDS = {  # of a mainnet block: bytes that are changed, and the codes that are certain
    "version": (0, 4, {"HASH_ABOVE_TARGET"}),
    "parent": (4, 36, {"HASH_ABOVE_TARGET", "PREV_HASH"}),
    "root": (36, 68, {"HASH_ABOVE_TARGET", "MERKLE_ROOT"}),
    "time": (68, 72, {"HASH_ABOVE_TARGET"}),
    "bits": (72, 76, {"BITS"}),
    "nonce": (76, 80, {"HASH_ABOVE_TARGET"}),
}


@pytest.mark.parametrize("field", HEADER_FIELDS)
def test_each_byte_of_a_header_counts(backend, field):
    start, stop, wanted = HEADER_FIELDS[field]
    rules = backend.Bitcoin(*MAINNET)
    data = early()[1][1]
    for place in range(start, stop):
        for bit in (1, 0x40, 0x80):
            changed = bytearray(data)
            changed[place] ^= bit
            codes = codes_of(rules.check_block(bytes(changed), tuple(after_genesis()), None))
            said = set(codes)
            more = {"TIME_TOO_OLD"} if field == "time" else set()
            if field == "bits":
                more = {
                    "TARGET_ZERO",
                    "TARGET_NEGATIVE",
                    "TARGET_OVERFLOW",
                    "TARGET_ABOVE_LIMIT",
                    "HASH_ABOVE_TARGET",
                }
                assert len(said & more) == 1
            assert wanted <= said <= wanted | more, (place, bit)


# ---- genuine blocks ----------------------------------------------------------------------------------------


def test_the_first_256_blocks(vectors, backend):
    rules = backend.Bitcoin(*MAINNET)
    context = after_genesis()
    blocks = list(unframed(read(vectors, "btcd/blocks1-256.bz2")))
    for data in blocks:
        checked = rules.check_block(data, tuple(context), ERA)
        assert codes_of(checked) == []
        assert names_of(checked.unchecked) == STATE
        context = follow(context, data, MAINNET)
        assert checked.next_context == tuple(context)
    assert (len(blocks), context.height) == (255, 255)


RUST = "rust-bitcoin/{}_block_{}.raw"
GENUINE = {  # network, transactions, height
    "block413567/block413567.raw": (MAINNET, 1557, 413567),
    RUST.format("mainnet", "000000000000000000000c835b2adcaedc20fdf6ee440009c249452c726dafae"): (
        MAINNET,
        2500,
        None,
    ),
    RUST.format("testnet", "000000000000045e0b1660b6445b5e5c5ab63c9a4f956be7e1e69be04fa4497b"): (
        TESTNET3,
        15,
        None,
    ),
    "btcd/277647.dat.bz2": (MAINNET, 213, 277647),
}


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_blocks(vectors, backend, name):
    network, count, height = GENUINE[name]
    data = read(vectors, name)
    if name.endswith("bz2"):
        (data,) = unframed(data)
    rules = backend.Bitcoin(*network)
    context = BEFORE._replace(height=height and height - 1, prev_hash=data[4:36], times=None, chainwork=None)
    for given in (None, tuple(context)):
        checked = rules.check_block(data, given, ERA)
        assert codes_of(checked) == []
        assert checked.tx_count == count
        assert checked.size == len(data)
        assert checked.root == data[36:68]
    if height:
        assert names_of(checked.unchecked) - STATE <= {"difficulty", "median_time", "finality"}
    ids = rules.txids(data)
    assert mc.merkle_root(ids, "bitcoin") == data[36:68]
    table = rules.tx_table(data)
    assert table["offset"][0] == len(data) - table["size"].sum()
    assert (np.diff(table["offset"].astype(np.int64)) == table["size"][:-1]).all()
    assert table["flags"][0] & 2
    assert (table["flags"][1:] & 2 == 0).all()
    plain = table["flags"] & 1 == 0
    assert (table["size"][plain] == table["stripped"][plain]).all()
    assert (table["size"][~plain] > table["stripped"][~plain]).all()
    for i in (0, count // 2, count - 1):
        if plain[i]:
            start = int(table["offset"][i])
            assert sha256d(data[start : start + int(table["size"][i])]) == bytes(ids[i])


def test_a_witness_is_committed_to(vectors, backend):
    """One byte of any witness changes no id, and the commitment finds it; without any context."""
    data = bytearray(read(vectors, list(GENUINE)[1]))
    rules = backend.Bitcoin(*MAINNET)
    table = rules.tx_table(bytes(data))
    with_witness = [i for i in np.flatnonzero(table["flags"] & 1).tolist() if i]
    assert with_witness
    ids = rules.txids(bytes(data)).tobytes()
    for i in (with_witness[0], with_witness[len(with_witness) // 2], with_witness[-1]):
        place = int(table["offset"][i] + table["size"][i]) - 4 - 5  # in the last item, before the lock time
        data[place] ^= 1
        assert rules.txids(bytes(data)).tobytes() == ids
        checked = rules.check_block(bytes(data), None, ERA)
        assert [(NAMES[found[0]], found[2]) for found in checked.faults] == [("WITNESS_COMMITMENT", 0)]
        data[place] ^= 1


def printed(text: str) -> bytes:
    """Return the block files of reorgtest.hex: below headings, frames in hexadecimal words."""
    return bytes.fromhex("".join(x for x in text.splitlines() if not x.startswith(("File path:", "Block "))))


@pytest.mark.parametrize("form", ["files", "text"])
def test_made_up_forks_with_real_work(vectors, backend, form):
    """btcd's, for its reorganisations: two trees upon mainnet's first block, all mined."""
    rules = backend.Bitcoin(*MAINNET)
    if form == "text":
        data = printed(read(vectors, "btcd/reorgtest.hex").decode())
    else:
        data = b"".join(read(vectors, f"btcd/blk_{name}.dat.bz2") for name in ("0_to_4", "3A", "4A", "5A"))
    genesis, *blocks = unframed(data)
    assert genesis == GENESIS
    known = {sha256d(genesis[:80]): after_genesis()}
    for block in blocks:
        context = known[block[4:36]]
        checked = rules.check_block(block, tuple(context), ERA)
        assert codes_of(checked) == []
        assert names_of(checked.unchecked) == STATE
        known[checked.block_hash] = follow(context, block, MAINNET)
        assert checked.next_context == tuple(known[checked.block_hash])
    assert [context.height for context in known.values()] == [0, 1, 2, 3, 4, 3, 4, 5]
    assert blocks[4][4:36] == blocks[2][4:36]
    tip = max(known.values(), key=lambda context: context.chainwork)
    assert tip.prev_hash == sha256d(blocks[-1][:80])


# ---- headers -----------------------------------------------------------------------------------------------


def test_the_first_period_of_headers(vectors, backend):
    data = read(vectors, "bitcoinx/mainnet-headers-2016.raw")
    assert len(data) == 2017 * 80
    rules = backend.Bitcoin(*MAINNET)
    genesis = after_genesis()
    codes, hashes, chainwork, unchecked, after = rules.check_headers(
        np.frombuffer(data, np.uint8).reshape(-1, 80)[1:], tuple(genesis), ERA
    )
    assert not codes.any()
    assert names_of(unchecked) == frozenset()
    context, sums = genesis, []
    for at in range(80, len(data), 80):
        context = follow(context, data[at : at + 80], MAINNET)
        sums.append(context.chainwork)
    assert tuple(context) == after
    assert [int.from_bytes(row, "big") for row in chainwork] == sums
    assert [bytes(row) for row in hashes] == [sha256d(data[at : at + 80]) for at in range(80, len(data), 80)]


def test_headers_that_go_back_in_time(vectors, backend):
    """1,500 mainnet headers: what goes back does so behind the median."""
    header_rows, times = [], []
    for row in csv.DictReader(read(vectors, "dfinity/headers.csv").decode().splitlines()):
        words = [int(row[name], 16) for name in ("version", "timestamp", "bits", "nonce")]
        prev, root = (bytes.fromhex(row[name])[::-1] for name in ("prev_block", "merkle_root"))
        version, time, bits, nonce = (int.from_bytes(pack(">I", word), "big") for word in words)
        header_rows.append(pack("<I", version) + prev + root + pack("<III", time, bits, nonce))
        times.append(time)
    if sha256d(header_rows[0]) != header_rows[1][4:36]:  # the last three are printed byte by byte
        header_rows = [row[:68] + b"".join(row[k : k + 4][::-1] for k in (68, 72, 76)) for row in header_rows]
        times = [int.from_bytes(row[68:72], "little") for row in header_rows]
    assert len(header_rows) == 1500
    assert sum(b < a for a, b in pairwise(times)) == 5
    bits = int.from_bytes(header_rows[0][72:76], "little")
    context = BEFORE._replace(height=586_656, prev_hash=header_rows[0][4:36], bits=bits)
    rules = backend.Bitcoin(*MAINNET)
    codes, hashes, _, unchecked, after = rules.check_headers(header_rows, tuple(context), ERA)
    assert not codes.any()
    assert names_of(unchecked) == {"median_time"}  # of the first eleven
    assert after[0] == 588_156
    # One that goes back too far is the only one refused, and its child after it.
    spoilt = list(header_rows)
    spoilt[700] = spoilt[700][:68] + pack("<I", sorted(times[689:700])[5]) + spoilt[700][72:]
    codes = rules.check_headers(spoilt, tuple(context), ERA)[0]
    assert {i: NAMES[code] for i, code in enumerate(codes.tolist()) if code} == {
        700: "HASH_ABOVE_TARGET",
        701: "PREV_HASH",
    }
    assert bytes(hashes[-1]) == sha256d(header_rows[-1])


# ---- btcd's full-block tests -------------------------------------------------------------------------------

# btcd's reject code -> ours, by name where one of theirs stands for several of ours
MATCHING = {
    "ErrBlockTooBig": "BLOCK_SIZE",
    "ErrBadCoinbaseScriptLen": "COINBASE_SCRIPT",
    "ErrTooManySigOps": "SIGOPS",
    "ErrFirstTxNotCoinbase": "COINBASE_MISSING",
    "ErrMultipleCoinbases": "COINBASE_EXTRA",
    "ErrNoTransactions": "NO_TRANSACTIONS",
    "ErrHighHash": "HASH_ABOVE_TARGET",
    "ErrTimeTooNew": "TIME_TOO_NEW",
    "ErrTimeTooOld": "TIME_TOO_OLD",
    "ErrBadMerkleRoot": "MERKLE_ROOT",
    "ErrUnexpectedDifficulty": "BITS",
    "ErrDuplicateTx": "DUPLICATE_TXID",
    "ErrUnfinalizedTx": "NOT_FINAL",
    "b37": "DOUBLE_SPEND",
    "b64a": "NON_CANONICAL_SIZE",
    "b66": "FORWARD_REFERENCE",
    "b67": "DOUBLE_SPEND",
}
# They spend what another block made, or pay more than the fees of what they spend.
NEED_PREVIOUS_OUTPUTS = set("b8 b9 b11 b17 b19 b20 b22 b38 b40 b52 b58 b59 b61 b68 b80".split())
VALID_BY_THEMSELVES = {"b12", "b25", "b27", "b29"}  # refused for their parent, or a descendant's sake
NOW = 1795486261
OFF = 1 << 30
FULL = REGTEST._replace(
    bip34_height=OFF, bip65_height=OFF, bip66_height=OFF, csv_height=OFF, segwit_height=OFF
)


def test_full_blocks_of_btcd(vectors, backend):
    stored = read(vectors, "btcd-fullblocktests/blocks.bin.bz2")
    rows = [json.loads(line) for line in read(vectors, "btcd-fullblocktests/blocks.jsonl").splitlines()]
    rules = backend.Bitcoin(*FULL)
    genesis = bytes.fromhex("06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f")
    context = BEFORE._replace(
        height=0,
        prev_hash=genesis,
        times=(1296688602,),
        period_start=1296688602,
        bits=EASY,
        chainwork=work(EASY),
        period_bits=EASY,
        real_bits=EASY,
    )
    known = {genesis: context}
    held, refused, unchecked = set(), {}, set()
    rows = [row for row in rows if row["kind"] != "expected_tip"]
    for row in sorted(rows, key=lambda row: row["height"]):  # a child may come before its parent there
        name, data = row["name"], stored[row["off"] : row["off"] + row["len"]]
        context = known[data[4:36]]
        assert context.height + 1 == row["height"]
        checked = rules.check_block(data, tuple(context), NOW)
        codes = codes_of(checked)
        assert checked.block_hash[::-1].hex() == row["hash"] or name == "b64a"
        known[checked.block_hash] = follow(context, data, FULL)
        assert names_of(checked.unchecked) == STATE
        if row["kind"] == "accepted" or name in VALID_BY_THEMSELVES:
            assert codes == [], name
            held.add(name)
        elif name in NEED_PREVIOUS_OUTPUTS:
            assert codes == [], name
            unchecked.add(name)
        else:
            wanted = MATCHING.get(name) or MATCHING[row["reject_code"]]
            assert wanted in codes, (name, codes)
            refused[name] = codes
    assert unchecked == NEED_PREVIOUS_OUTPUTS
    assert (len(held), len(unchecked), len(refused)) == (138 + 3 + 1, 15, 27)
    assert {name: codes for name, codes in refused.items() if len(codes) > 1} == ALSO_SAID


ALSO_SAID = {  # none hides another
    "b49a": ["TARGET_NEGATIVE", "BITS"],
    "b51": ["DUPLICATE_TXID", "DOUBLE_SPEND"],
    "b56": ["MERKLE_MUTATED", "DUPLICATE_TXID", "DOUBLE_SPEND"],
    "b56p2": ["DUPLICATE_TXID"] * 2 + ["DOUBLE_SPEND"] * 2,
    "b64a": ["NON_CANONICAL_SIZE", "BLOCK_SIZE"],
}
