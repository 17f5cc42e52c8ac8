"""The C core of the block engine, by itself: real blocks, every truncation, memory, cost, arguments."""

import bz2
import csv
import hashlib
import struct
import time

import numpy as np
import pytest

from merklecore._native import Bitcoin
from merklecore.errors import BoundsError, InputError
from merklecore.reference import recursive
from tests.guarded import PAGE, Guarded
from tests.processes import in_a_fork

pytestmark = pytest.mark.native_only

LIMIT = (1 << 224) - 1
MAINNET = (LIMIT, bytes.fromhex("f9beb4d9"), 227931, 388381, 363725, 419328, 481824, 210000)
GENESIS = (-1, bytes(32), (), None, None, 0, None, None)
FOREVER = 1 << 40  # seconds
TRUNCATED, LENGTH, COUNT = 1, 5, 6
DUPLICATE_INPUT, DOUBLE_SPEND = 76, 88
FATAL = {TRUNCATED, 4, LENGTH, COUNT, 9}


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def network(twenty_minutes=False, no_retarget=False, bip94=False, challenge=None, limit=LIMIT):
    return Bitcoin(limit, *MAINNET[1:], twenty_minutes, no_retarget, bip94, challenge)


@pytest.fixture(scope="module")
def chain():
    return network()


@pytest.fixture(scope="module")
def folder(vectors):
    return vectors / "blocks" / "bitcoin"


def frames(data):
    at, found = 0, []
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return found


@pytest.fixture(scope="module")
def early(folder):
    """Blocks 0 to 299 of the main chain."""
    return frames((folder / "nbitcoin" / "blk00000.dat").read_bytes())


@pytest.fixture(scope="module")
def witnessed(folder):
    """A small block of 15 transactions, some with witnesses."""
    return next((folder / "rust-bitcoin").glob("testnet_block_*.raw")).read_bytes()


def compact_size(n):
    return (
        bytes([n])
        if n < 253
        else b"\xfd" + struct.pack("<H", n)
        if n < 1 << 16
        else b"\xfe" + struct.pack("<I", n)
    )


def transaction(prevouts, outputs=((1, b""),), script=b""):
    return b"".join([
        struct.pack("<i", 1),
        compact_size(len(prevouts)),
        *[prevout + compact_size(len(script)) + script + b"\xff" * 4 for prevout in prevouts],
        compact_size(len(outputs)),
        *[struct.pack("<q", value) + compact_size(len(to)) + to for value, to in outputs],
        bytes(4),
    ])  # fmt: skip


def block_of(transactions):
    root = recursive.bitcoin_root(tuple(map(sha256d, transactions)))
    header = struct.pack("<i32s32sIII", 4, bytes(32), root, 1231006505, 0x1D00FFFF, 0)
    return header + compact_size(len(transactions)) + b"".join(transactions)


COINBASE = transaction([bytes(32) + b"\xff" * 4], script=b"\x01\x02")


# ---- what is genuine ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("block413567/block413567.raw", 1557),
        (
            "rust-bitcoin/mainnet_block_000000000000000000000c835b2adcaedc20fdf6ee440009c249452c726dafae.raw",
            2500,
        ),
        (
            "rust-bitcoin/testnet_block_000000000000045e0b1660b6445b5e5c5ab63c9a4f956be7e1e69be04fa4497b.raw",
            15,
        ),
        ("btcd/277647.dat.bz2", 213),
    ],
)
def test_real_blocks_hold(chain, folder, name, count):
    data = next(folder.glob(name)).read_bytes()
    data = bz2.decompress(data)[8:] if name.endswith(".bz2") else data
    checked = chain.check_block(data)
    assert (checked.faults, checked.fault_count, checked.warnings) == ([], 0, [])
    assert (checked.tx_count, checked.size) == (count, len(data))
    assert checked.block_hash == sha256d(data[:80])
    assert checked.root == data[36:68] == recursive.bitcoin_root(tuple(map(bytes, chain.txids(data))))
    table = chain.tx_table(data)
    assert table["offset"][0] == 80 + len(compact_size(count))
    assert (table["offset"][1:] == table["offset"][:-1] + table["size"][:-1]).all()
    assert table["offset"][-1] + table["size"][-1] == len(data)
    plain = np.flatnonzero(table["size"] == table["stripped"])
    at = int(plain[0])
    start = int(table["offset"][at])
    assert bytes(chain.txids(data)[at]) == sha256d(data[start : start + int(table["size"][at])])


def test_a_chain_of_blocks_on_threads(chain, early):
    data = b"".join(early)
    ends = np.cumsum([len(block) for block in early]).tolist()
    spans = list(zip([0, *ends], ends, strict=False))
    contexts = [GENESIS]
    for block in early:
        contexts.append(chain.check_block(block, contexts[-1], FOREVER).next_context)
    assert [context[0] for context in contexts] == list(range(-1, 300))
    for threads in (None, 1, 2, 5):
        found = chain.check_many(data, spans, contexts[:-1], FOREVER, threads)
        assert [(each.fault_count, each.size) for each in found] == [(0, len(block)) for block in early]
        assert [each.next_context for each in found] == contexts[1:]
        assert {each.unchecked & 0xFF for each in found[1:]} == {0}


def test_headers_in_bulk(chain, folder, early):
    data = (folder / "bitcoinx" / "mainnet-headers-2016.raw").read_bytes()
    codes, hashes, work, unchecked, after = chain.check_headers(data, GENESIS, FOREVER)
    assert len(codes) == 2017
    assert not codes.any()
    assert unchecked == 1 << 4  # difficulty: before the first block there are no bits
    assert [bytes(row) for row in hashes] == [sha256d(data[at : at + 80]) for at in range(0, len(data), 80)]
    assert int.from_bytes(work[-1], "big") == 2017 * 0x100010001 == after[5]
    context = GENESIS
    for block in early:
        context = chain.check_block(block, context, FOREVER).next_context
    assert chain.check_headers(data[: 300 * 80], GENESIS, FOREVER)[4] == context
    one, other = (
        chain.check_headers(data[:80000], GENESIS),
        chain.check_headers(data[80000:], context, FOREVER),
    )
    assert not one[0].any()
    assert (other[0][0], other[0][1:].any()) == (41, False)  # 1000 does not follow on 299


def test_later_headers(chain, folder):
    with (folder / "dfinity" / "headers.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    headers = [
        b"".join(
            bytes.fromhex(row[name])[::-1]
            for name in ("version", "prev_block", "merkle_root", "timestamp", "bits", "nonce")
        )
        for row in rows
    ]
    before = (586656, headers[0][4:36], None, None, 0x171F3A08, None, None, None)
    codes, _, work, unchecked, after = chain.check_headers(headers, before, FOREVER)
    assert len(headers) == 1500
    assert not codes.any()
    assert unchecked == 1 << 5  # of the first ones the median of the times before
    assert (after[0], after[4], after[5]) == (586656 + 1500, 0x171F3A08, None)
    assert int.from_bytes(work[-1], "big") == 1500 * ((1 << 256) // ((0x1F3A08 << 160) + 1))


def test_work_of_any_target(chain):
    rng = np.random.default_rng(5)
    bits = [
        0x1D00FFFF,
        0x03000001,
        0x04000100,
        0x2100FFFF,
        0x20FFFFFF,
        0x207FFFFF,
        0x01010000,
        0x22000001,
        0x2200FFFF,
    ]
    bits += [int(size) << 24 | int(word) for size in range(36) for word in rng.integers(0, 1 << 24, 20)]
    headers = b"".join(struct.pack("<i64xIII", 1, 0, each, 0) for each in bits)
    sums = [int.from_bytes(row, "big") for row in chain.check_headers(headers)[2]]
    for each, before, after in zip(bits, [0, *sums], sums, strict=False):
        size, word = each >> 24, each & 0x7FFFFF
        target = word >> 8 * (3 - size) if size <= 3 else word << 8 * (size - 3)
        negative = (word >> 8 * max(3 - size, 0)) > 0 and each & 0x800000
        expected = 0 if negative or not 0 < target < 1 << 256 else (1 << 256) // (target + 1)
        assert (after - before) % (1 << 256) == expected, hex(each)


# ---- what is not -------------------------------------------------------------------------------------------


@pytest.mark.any_kernel
def test_truncated_anywhere(chain, witnessed, early):
    """Each ends in one fault that nothing is read behind, and in no other place."""
    source = Guarded(2 * PAGE)

    def check_all():
        for data in (witnessed, early[170]):
            for size in range(len(data)):
                for at in Guarded.PLACES:
                    checked = chain.check_block(at(source, data[:size]))
                    (code, offset, _, needed, left), *behind = checked.faults
                    assert code in FATAL
                    assert needed > (left // 41 if code == COUNT else left)
                    assert all(fault[0] >= 40 for fault in behind)  # of the header
                    assert offset <= size == checked.size
                    assert (checked.block_hash is None) == (size < 80)
                    assert checked.root is None
                    assert checked.unchecked >> 8 & 0x3BFF == 0x3BFF
                    with pytest.raises(InputError, match=rf"^block: cannot be read on from offset {offset} "):
                        chain.txids(at(source, data[:size]))
            assert chain.check_block(source.last(data)).faults == []

    in_a_fork(check_all)


@pytest.mark.any_kernel
def test_bent_anywhere(witnessed, early):
    """Nothing beside the bytes is touched, and there is always an answer."""
    source = Guarded(2 * PAGE)
    chains = (network(), network(True, True, True, b"\x51\x51", (1 << 256) - 1))

    def check_all():
        for data in (witnessed, early[170]):
            for at in range(len(data)):
                for value in (0, 1, 0x4C, 0xFD, 0xFE, 0xFF, data[at] ^ 0x80):
                    bent = data[:at] + bytes([value]) + data[at + 1 :]
                    for chain in chains:
                        checked = chain.check_block(source.last(bent), GENESIS, 5)
                        assert checked.fault_count >= len(checked.faults)
                        assert bent == data or checked.fault_count > 0

    in_a_fork(check_all)


def test_promises_cost_nothing(chain):
    """A count is not believed that the bytes cannot hold, nor does it make room."""
    for count in (b"\xfd\xff\xff", b"\xfe\x00\x00\x00\x02", b"\xfe\x01\x00\x00\x02", b"\xff" * 9):
        for body in (count, b"\x01" + bytes(4) + count, b"\x01" + bytes(4) + b"\x00\x01" + count):
            checked = chain.check_block(bytes(80) + body + bytes(20))
            code, _, _, value, left = next(fault for fault in checked.faults if fault[0] < 40)
            assert code in (4, COUNT)
            assert left < value == int.from_bytes(count[1:], "little")


def test_the_first_hundred_of_many(chain):
    bad = [
        transaction([bytes(31) + bytes([i & 255]) + struct.pack("<I", i)], outputs=()) for i in range(5000)
    ]
    checked = chain.check_block(block_of([COINBASE, *bad]))
    faults = [fault for fault in checked.faults if fault[0] == 71]
    assert (len(checked.faults), checked.fault_count) == (100, 1 + 5000)  # and the proof of work
    assert [fault[2] for fault in faults] == list(range(1, 100))


# ---- cost --------------------------------------------------------------------------------------------------


def hostile():
    """Blocks of a megabyte that are all look-ups, by name."""
    shared = [bytes(24) + struct.pack("<QI", i, 0) for i in range(24000)]
    few = [bytes(28) + struct.pack(">II", i, 0) for i in range(16000)]
    yield "inputs of one transaction that share a prefix", block_of([COINBASE, transaction(shared)])
    yield "one prevout again and again", block_of([COINBASE, transaction([bytes(36)] * 24000)])
    yield "small transactions", block_of([COINBASE, *[transaction([prevout]) for prevout in few]])
    yield "one transaction again and again", block_of([COINBASE, *[transaction([bytes(36)])] * 16000])
    yield "operations", block_of([transaction([bytes(36)], [(1, b"\xae" * 990_000)])])
    yield "pushes of nothing", block_of([transaction([bytes(36)], [(1, b"\x4c\x00" * 495_000)])])


@pytest.mark.slow
def test_no_block_takes_long(chain, folder):
    """Nothing is quadratic. The margin is wide, for busy machines; the figure itself is a benchmark's."""

    def cost(data):
        times = []
        for _ in range(5):
            began = time.perf_counter()
            chain.check_block(data)
            times.append(time.perf_counter() - began)
        return min(times) / len(data)

    usual = cost((folder / "block413567" / "block413567.raw").read_bytes())
    for name, data in hostile():
        assert cost(data) < 60 * usual, name


def test_what_is_spent_twice(chain):
    """The table of prevouts against a dictionary, where all share a prefix."""
    rng = np.random.default_rng(3)
    spent = [
        [bytes(24) + struct.pack("<QI", *pair) for pair in rng.integers(0, 8, (n, 2)).tolist()]
        for n in (1, 9, 30)
    ]
    transactions = [COINBASE, *[transaction(prevouts) for prevouts in spent]]
    first, twice, double = {}, [], []
    for t, prevouts in enumerate(spent, 1):
        own = {}
        for i, prevout in enumerate(prevouts):
            if prevout in own:
                twice.append((t, i, own[prevout]))
            own.setdefault(prevout, i)
            if first.setdefault(prevout, t) < t:
                double.append((t, i, first[prevout]))
    found = chain.check_block(block_of(transactions)).faults
    assert [(tx, a, b) for code, _, tx, a, b in found if code == DUPLICATE_INPUT] == twice
    assert [(tx, a, b) for code, _, tx, a, b in found if code == DOUBLE_SPEND] == double
    assert twice
    assert double


# ---- arguments ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context", "error", "message"),
    [
        ([], TypeError, "context: a tuple or None is needed, not list"),
        ((1,), InputError, "context: 1 fields where 8 are needed"),
        ((True, *GENESIS[1:]), TypeError, "height: an integer is needed, not bool"),
        ((-2, *GENESIS[1:]), BoundsError, "height -2 is not between -1 and 2**31 - 1"),
        ((1, b"", *GENESIS[2:]), InputError, "prev_hash: 0 bytes where 32 are needed"),
        ((1, bytes(32), (0,) * 12, *GENESIS[3:]), InputError, "times: 12 where at most 11 count"),
        (
            (1, bytes(32), (1 << 32,), *GENESIS[3:]),
            BoundsError,
            "times[0] 4294967296 is not between 0 and 2**32 - 1",
        ),
        ((1, bytes(32), (), 1.5, *GENESIS[4:]), TypeError, "period_start: an integer is needed, not float"),
        ((1, bytes(32), (), 1, -1, *GENESIS[5:]), BoundsError, "bits -1 is not between 0 and 2**32 - 1"),
        (
            (1, None, (), 1, 1, 1 << 256, 1, 1),
            BoundsError,
            "chainwork (of 257 bits) is not between 0 and 2**256 - 1",
        ),
    ],
)
def test_odd_contexts(chain, context, error, message):
    for check in (chain.check_block, chain.check_headers):
        with pytest.raises(error) as caught:
            check(bytes(160), context)
        assert str(caught.value) == message


def test_odd_arguments(chain):
    with pytest.raises(TypeError, match="block: a bytes-like object is needed, not str"):
        chain.check_block("00")
    with pytest.raises(TypeError, match="now: an integer is needed, not float"):
        chain.check_block(b"", None, 1.5)
    with pytest.raises(InputError, match="headers: 81 bytes are not a whole number of rows of 80 bytes"):
        chain.check_headers(bytes(81))
    with pytest.raises(BoundsError, match=r"spans\[1\]: \[5, 11\) does not lie in 10 bytes"):
        chain.check_many(bytes(10), [(0, 5), (5, 11)], [None, None])
    with pytest.raises(BoundsError, match=r"spans\[0\]: \[5, 4\) does not lie in 10 bytes"):
        chain.check_many(bytes(10), [(5, 4)], [None])
    with pytest.raises(InputError, match="contexts: 1 where 2 are needed"):
        chain.check_many(bytes(10), [(0, 5), (5, 10)], [None])
    assert chain.check_many(b"", [], []) == []
    assert [each.faults for each in chain.check_many(b"", [(0, 0)], [None])] == [[(1, 0, -1, 80, 0)]]
    with pytest.raises(BoundsError, match="halving 0"):
        Bitcoin(*MAINNET[:-1], 0, False, False, False, None)
    with pytest.raises(InputError, match="magic: 3 bytes where 4 are needed"):
        Bitcoin(LIMIT, b"abc", *MAINNET[2:], False, False, False, None)
    assert len(chain.check_headers([])[0]) == 0
    assert chain.check_headers([], GENESIS)[3:] == (0, GENESIS)


@pytest.mark.long
def test_too_large(chain):
    with pytest.raises(InputError, match="block: 4294967296 bytes are more than 4294967295"):
        chain.check_block(np.zeros(1 << 32, np.uint8))
