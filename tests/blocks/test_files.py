"""Block files: frames, padding, gaps, truncated ends, arrival order, forks, masks, raw blocks, resuming."""

from __future__ import annotations

import os
import tracemalloc

import pytest

import merklecore as mc
from merklecore import blocks
from merklecore.blocks.files import leading_zeros
from tests.blocks.builder import (
    GENESIS_TIME,
    REGTEST,
    Block,
    Built,
    Output,
    chain,
    coinbase,
    framed,
    spend,
)
from tests.blocks.cases import FOR_WANT_OF_CONTEXT, NOW, STATE
from tests.blocks.real import early, read

MAGIC = REGTEST.magic
CHAIN = chain(30)
DATA = [made.data for made in CHAIN]


@pytest.fixture(params=[1, 2])
def engine(request):
    return blocks.Engine("bitcoin-regtest", threads=request.param)


@pytest.fixture
def check(engine, tmp_path):
    """Write bytes to a file and return the reports of it."""

    def check(data, **more):
        (tmp_path / "blk00000.dat").write_bytes(data)
        return list(engine.check_file(tmp_path / "blk00000.dat", **({"now": NOW} | more)))

    return check


def codes(report):
    return [error.code.name for error in report.errors]


def whole(reports):
    """Assert that these are reports of valid blocks with all their context, and return their hashes."""
    for report in reports:
        assert report.ok, report.errors
        first = report.next_context.height == 0  # without a parent whose difficulty goes on
        assert set(report.unchecked) == STATE | ({"difficulty"} if first else set())
    return [report.block_hash for report in reports]


def test_blocks_in_order(check):
    reports = check(framed(DATA))
    assert whole(reports) == [made.hash for made in CHAIN]
    at = 0
    for report, data in zip(reports, DATA, strict=True):
        assert (report.offset, report.end) == (at + 8, at + 8 + len(data))
        at = report.end
    assert [report.next_context.height for report in reports] == list(range(30))


def test_nothing(check):
    assert check(b"") == []
    assert check(bytes(5000)) == []
    assert check(framed(DATA[:1]), offset=10**6) == []


def test_padding_is_no_fault(check):
    for zeros in (1, 3, 7, 100, 5000):
        reports = check(bytes(zeros).join(framed([data]) for data in DATA) + bytes(zeros))
        assert whole(reports) == [made.hash for made in CHAIN]


def test_arrival_order_with_stale_blocks(check):
    """Children before parents, and blocks that lost the race: each is checked upon its own parent."""
    stale = [
        Block((coinbase(height, value=value),), CHAIN[height - 1].hash,
              int.from_bytes(CHAIN[height].data[68:72], "little")).build()
        for height, value in ((5, 7), (5, 8), (20, 7))
    ]  # fmt: skip
    order = [*CHAIN[:4], CHAIN[5], stale[0], CHAIN[4], stale[1], *reversed(CHAIN[6:]), stale[2]]
    reports = check(framed(made.data for made in order))
    assert whole(reports) == [made.hash for made in order]
    heights = [report.next_context.height for report in reports]
    assert heights[:8] == [0, 1, 2, 3, 5, 5, 4, 5]
    assert heights[-1] == 20


def test_unknown_parents_are_no_fault(check):
    reports = check(framed(DATA[10:]))
    assert all(report.ok for report in reports)
    assert set(reports[0].unchecked) - STATE >= FOR_WANT_OF_CONTEXT
    assert "linkage" not in reports[1].unchecked
    assert "version" in reports[-1].unchecked


def test_the_context_of_a_caller(check, engine):
    context = None
    for data in DATA[:10]:
        context = engine.check_block(data, context=context or blocks.Context.genesis(), now=NOW).next_context
    reports = check(framed(DATA[10:]), context=context)
    assert whole(reports) == [made.hash for made in CHAIN[10:]]
    assert reports[-1].next_context.height == 29


def test_resuming(check):
    reports = check(framed(DATA))
    for place in (0, 7, 28, 29):
        again = check(framed(DATA), offset=reports[place].end)
        assert whole(again) == [made.hash for made in CHAIN[place + 1 :]]
        assert [report.offset for report in again] == [report.offset for report in reports[place + 1 :]]


@pytest.mark.parametrize(
    "gap", [b"x", b"\0x", b"\0\0\0\0garbage\0\0", MAGIC[:3], MAGIC[:1] + b"\0", b"z" * 3000]
)
def test_gaps_are_told_of_once_and_passed(check, gap):
    data = framed(DATA[:3]) + gap + framed(DATA[3:])
    reports = check(data)
    assert whole([report for report in reports if report.block_hash]) == [made.hash for made in CHAIN]
    odd = [report for report in reports if not report.block_hash]
    assert [codes(report) for report in odd] == [["BAD_MAGIC"]]
    assert reports.index(odd[0]) == 3
    start = len(framed(DATA[:3])) + len(gap) - len(gap.lstrip(b"\0"))
    assert (odd[0].offset, odd[0].end) == (start, len(framed(DATA[:3])) + len(gap))
    assert odd[0].errors[0].offset == 0
    assert not odd[0].ok


def test_a_truncated_tail_is_told_and_not_fatal(check):
    """Cut anywhere in the last frame."""
    before = framed(DATA[:4])
    last = framed(DATA[4:5])
    for length in range(1, len(last)):
        reports = check(before + last[:length])
        assert whole(reports[:4]) == [made.hash for made in CHAIN[:4]]
        assert len(reports) == 5
        assert codes(reports[4]) == ["TRUNCATED"]
        assert (reports[4].offset, reports[4].end) == (len(before), len(before))
        assert reports[4].next_context is None


@pytest.mark.parametrize("gap", [b"", b"gap", MAGIC + bytes(5)], ids=["", "a gap", "no size"])
def test_what_the_end_cut_off_is_found_later(check, gap):
    """The last report's end is where to go on once the rest is there, wherever the file was cut."""
    before, last = framed(DATA[:4]) + gap, framed(DATA[4:6])
    for length in range(len(framed(DATA[4:5]))):
        if gap and length > 12:
            break
        end = check(before + last[:length])[-1].end
        assert whole(check(before + last, offset=end))[-2:] == [made.hash for made in CHAIN[4:6]]


def full_of(script):
    """Return two blocks with these bytes in an output's script."""
    made: list[Built] = []
    for height in range(2):
        prev = made[-1].hash if made else bytes(32)
        made.append(Block((coinbase(height, (Output(0, script),)),), prev, GENESIS_TIME + height).build())
    return made


@pytest.mark.any_kernel
@pytest.mark.parametrize("magic", [MAGIC, b"\0\7\0\7"], ids=["regtest's", "zeros in it"])
def test_a_file_cut_at_every_byte(tmp_path, magic):
    """Blocks full of what a frame begins with: the cut is told once, all is found when the rest is there."""
    script = b"".join(magic[:k] for k in (1, 1, 2, 3, 4)) + magic + b"\xff\0\0\0" + magic[:1]
    made = full_of(script)
    eng = blocks.Engine(blocks.networks["bitcoin-regtest"].replace(magic=magic), threads=1)
    path = tmp_path / "blk00000.dat"
    data = framed((one.data for one in made), magic) + b"\1gap" + framed([made[0].data], magic)
    place = len(framed((one.data for one in made), magic))
    starts = [0, place // 2, place + 4]
    expected = [one.hash for one in made] + [made[0].hash]
    for size in range(len(data) + 1):
        path.write_bytes(data[:size])
        reports = list(eng.check_file(path))
        whole_ones = [report for report in reports if report.ok]
        path.write_bytes(data)
        end = reports[-1].end if reports else 0
        later = [report for report in eng.check_file(path, offset=end) if report.ok]
        assert [report.block_hash for report in whole_ones + later] == expected, size
        cut = [report for report in reports if report.errors and report.errors[0].code.name == "TRUNCATED"]
        inside = [start for start in starts if start < size < start + len(made[0].data) + 8]
        if size - max(starts, key=lambda start: start if start < size else -1) > leading_zeros(magic):
            assert [(report.offset, report.end) for report in cut] == [(start, start) for start in inside], (
                size
            )
        assert len(cut) <= 1


def test_a_cut_behind_a_frame_inside_a_block(check):
    """A whole frame in the bytes of a block that is cut off: told of, and the outer one is not lost."""
    outer = full_of(framed([DATA[7]]))
    data = framed(made.data for made in outer)
    for size in range(len(data) // 2 + 80, len(data), 2):
        reports = check(data[:size])
        end = reports[-1].end if reports else 0
        later = check(data, offset=end)
        hashes = [report.block_hash for report in reports + later if report.ok]
        assert [found for found in hashes if found != CHAIN[7].hash] == [made.hash for made in outer], size


def test_a_gap_that_grows_is_told_of_again(check):
    """What an earlier run ended in has new bytes: they are told of too."""
    data = framed(DATA[:2])
    end = check(data + b"xy")[-1].end
    assert end == len(data) + 2
    again = check(data + b"xyz" + framed(DATA[2:3]), offset=end)
    assert [(report.offset, report.end, codes(report)) for report in again] == [
        (len(data), len(data) + 3, ["BAD_MAGIC"]),
        (len(data) + 11, len(data) + 11 + len(DATA[2]), []),
    ]
    assert check(data + b"xy" + framed(DATA[2:3]), offset=end)[0].ok


def test_what_the_end_cut_off_of_raw_blocks(check):
    raw, last = b"".join(DATA[:4]), b"".join(DATA[4:6])
    for length in range(1, len(DATA[4]), 3):
        reports = check(raw + last[:length])
        assert whole(reports[:4]) == [made.hash for made in CHAIN[:4]]
        assert whole(check(raw + last, offset=reports[-1].end)) == [made.hash for made in CHAIN[4:6]]
    for length in range(1, len(DATA[0])):
        assert check(DATA[0][:length])[-1].end == 0


def test_a_block_has_at_most_4_million_bytes(check):
    """A size above that hides nothing; without sizes, as many bytes are taken for a block."""
    long = MAGIC + (4_000_001).to_bytes(4, "little") + DATA[2]
    reports = check(framed(DATA[:2]) + long + framed(DATA[2:]) + bytes(4_000_000))
    assert [report.errors[0].message for report in reports if not report.ok] == [
        "a field of 4000001 bytes, 4000000 are left"
    ]
    assert whole([report for report in reports if report.ok]) == [made.hash for made in CHAIN]
    largest = MAGIC + (4_000_000).to_bytes(4, "little") + DATA[0].ljust(4_000_000, b"\1")
    reports = check(largest + framed(DATA[1:2]))
    assert [codes(report) for report in reports] == [["TRAILING_BYTES"], []]
    large = Block((coinbase(0), spend(1).but(outputs=(Output(1, b"\1" * 4_000_000),)))).build().data
    reports = check(DATA[0] + large)
    assert [(report.offset, report.end) for report in reports[:2]] == [
        (0, len(DATA[0])),
        (len(DATA[0]), len(DATA[0]) + 4_000_000),
    ]
    assert codes(reports[1])[0] == "LENGTH_BEYOND_END"


def test_broken_pieces_in_a_row_are_one(check):
    odd = (MAGIC + bytes(4)) * 500 + b"gap" + MAGIC * 7
    reports = check(framed(DATA[:1]) + odd + framed(DATA[1:2]) + odd)
    assert [codes(report) for report in reports] == [[], ["TRUNCATED"], [], ["TRUNCATED"], ["TRUNCATED"]]
    assert reports[1].end - reports[1].offset == len(odd)
    assert reports[4].offset == reports[4].end == reports[3].end == len(framed(DATA[:2]) + odd + odd) - 4


def test_sizes_that_are_none(check):
    """Too small for a block, or beyond the end: told, and the next magic is looked for."""
    for size in (0, 80, 10**6, (1 << 32) - 1):
        bad = MAGIC + size.to_bytes(4, "little") + b"\1" * 200
        reports = check(framed(DATA[:2]) + bad + framed(DATA[2:4]))
        assert [codes(report) for report in reports] == [[], [], ["TRUNCATED"], [], []]
        assert whole([reports[3], reports[4]]) == [made.hash for made in CHAIN[2:4]]


def test_a_frame_larger_or_smaller_than_its_block(check):
    long = MAGIC + (len(DATA[0]) + 3).to_bytes(4, "little") + DATA[0] + b"abc"
    short = MAGIC + (len(DATA[1]) - 3).to_bytes(4, "little") + DATA[1][:-3]
    reports = check(long + short + framed(DATA[2:3]))
    assert codes(reports[0]) == ["TRAILING_BYTES"]
    assert codes(reports[1])[0] == "TRUNCATED"
    assert reports[2].ok


def test_every_block_is_checked(check):
    spoilt = [bytearray(data) for data in DATA]
    for place in (3, 9, 29):
        spoilt[place][-1] ^= 1
    reports = check(framed(spoilt))
    assert {i: codes(report)[0] for i, report in enumerate(reports) if not report.ok} == dict.fromkeys(
        (3, 9, 29), "MERKLE_ROOT"
    )


@pytest.mark.parametrize("key", [bytes(range(1, 9)), bytes(7) + b"\1", b"\xff" * 8, bytes(8)])
def test_masked_files(check, tmp_path, key):
    """Bitcoin Core from version 28 on masks its files."""
    plain = framed(DATA) + bytes(11) + framed(DATA[:1]) + b"gap" + framed(DATA[:2])[:-5]
    expected = [(report.offset, report.end, codes(report)) for report in check(plain)]
    (tmp_path / "xor.dat").write_bytes(key)
    masked = bytes(byte ^ key[i % 8] for i, byte in enumerate(plain))
    reports = check(masked)
    assert [(report.offset, report.end, codes(report)) for report in reports] == expected
    again = check(masked, offset=reports[10].end)
    assert [report.offset for report in again] == [report.offset for report in reports[11:]]


def test_a_key_that_is_none(check, tmp_path):
    (tmp_path / "xor.dat").write_bytes(b"short")
    with pytest.raises(mc.InputError, match=r"xor\.dat"):
        check(framed(DATA))


def test_the_key_must_be_a_file_that_can_be_read(check, tmp_path):
    (tmp_path / "xor.dat").mkdir()
    with pytest.raises(OSError, match=r"xor\.dat"):
        check(framed(DATA))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_what_is_no_regular_file(engine, check, tmp_path):
    """A pipe that nobody writes to, and a device that never ends, are refused at once."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", os.devnull, "/dev/zero"):
        for refused in (engine.check_file, engine.file_headers):
            with pytest.raises(mc.InputError, match=f"^{path}: is no regular file$"):
                list(refused(path))
    (tmp_path / "pipe").rename(tmp_path / "xor.dat")
    with pytest.raises(mc.InputError, match=r"xor\.dat: is no regular file"):
        check(framed(DATA))
    with pytest.raises(mc.InputError, match="zero byte"):
        list(engine.check_file("a\0b"))


def test_headers_of_a_file(engine, check, tmp_path):
    """In the order of the file; what is no block is passed over."""
    path = tmp_path / "blk00000.dat"
    for data in (framed(DATA[:3]) + b"gap" + framed(DATA[:2]), DATA[0] + DATA[1]):
        reports = check(data)
        rows, offsets = engine.file_headers(path)
        kept = [report for report in reports if report.block_hash is not None]
        assert offsets.tolist() == [report.offset for report in kept]
        assert rows.tobytes() == b"".join(data[at : at + 80] for at in offsets.tolist())
        assert [bytes(row) for row in engine.check_headers(rows).hashes] == [one.block_hash for one in kept]
    path.write_bytes(b"")
    assert [found.shape for found in engine.file_headers(path)] == [(0, 80), (0,)]


def test_raw_blocks(check):
    reports = check(b"".join(DATA))
    assert whole(reports) == [made.hash for made in CHAIN]
    assert [report.end for report in reports][-1] == sum(map(len, DATA))
    one = check(DATA[0])
    assert whole(one) == [CHAIN[0].hash]
    cut = check(b"".join(DATA)[:-1])
    assert whole(cut[:-1]) == [made.hash for made in CHAIN[:-1]]
    assert codes(cut[-1])[0] == "TRUNCATED"


@pytest.mark.parametrize("before", [b"", bytes(20)], ids=["", "padded"])
def test_another_networks_file(check, before):
    """One fault that names the network, up to the first frame of this one's."""
    mainnet = blocks.networks["bitcoin"].magic
    data = before + framed(DATA, mainnet)
    (report,) = check(data)
    assert (report.offset, report.end) == (len(before), len(data))
    assert report.block_hash is None
    assert [(error.code.name, error.message) for error in report.errors] == [
        (
            "BAD_MAGIC",
            "the magic is 0xd9b4bef9 as a little-endian number, not this network's, but that of bitcoin",
        )
    ]
    found, *rest = check(data + framed(DATA))
    assert (found.offset, found.end, codes(found)) == (len(before), len(data), ["BAD_MAGIC"])
    assert whole(rest) == [made.hash for made in CHAIN]
    assert codes(check(data[: len(before) + 300])[0]) == ["BAD_MAGIC"]  # be it cut off


def test_every_other_network_is_named(tmp_path):
    path = tmp_path / "blk00000.dat"
    for name, params in blocks.networks.items():
        path.write_bytes(framed(DATA[:1], params.magic))
        for asked in blocks.networks:
            (report,) = blocks.Engine(asked).check_file(path)
            if asked != name:
                assert report.errors[0].message.endswith(f"not this network's, but that of {name}")
                assert blocks.Engine(asked).file_headers(path)[0].shape == (0, 80)
            else:
                assert report.block_hash == CHAIN[0].hash


def test_a_raw_block_that_begins_like_a_frame_of_another_network(check):
    """A version and a parent that look like magic and size: the Merkle root tells."""
    version = int.from_bytes(blocks.networks["bitcoin-testnet4"].magic, "little")
    made = Block((coinbase(0),), prev=b"\0\1\0\0" + bytes(28), version=version).build()
    (report,) = check(made.data)
    assert report.ok
    assert report.block_hash == made.hash


def test_arguments(engine, tmp_path):
    with pytest.raises(FileNotFoundError):
        list(engine.check_file(tmp_path / "none"))
    with pytest.raises(mc.InputError):
        list(engine.check_file(tmp_path / "none", offset=-1))
    for wrong in (True, 1.5, "1"):
        with pytest.raises(TypeError):
            list(engine.check_file(tmp_path / "none", offset=wrong))


@pytest.mark.slow
@pytest.mark.native_only
def test_memory_is_flat(engine, tmp_path):
    """Ten times the file, no more memory of Python's; what is mapped is the system's."""
    path = tmp_path / "blk"
    made = Block(tuple([coinbase(0)] + [spend(i) for i in range(200)])).build()

    def peak(count):
        path.write_bytes(framed([made.data] * count))
        tracemalloc.start()
        for report in engine.check_file(path):
            assert report.block_hash == made.hash
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    small, large = peak(100), peak(1000)
    assert large < small + 900 * 1500


def test_mainnet_files_of_others(vectors, tmp_path):
    """The first 600 blocks in two files; a stray byte, one of them once more, and zeros at the end."""
    mainnet = blocks.Engine("bitcoin")
    first = list(mainnet.check_file(vectors / "blocks/bitcoin/nbitcoin/blk00000.dat", now=NOW))
    assert len(first) == 300
    assert whole(first)
    assert first[0].block_hash[::-1] == early()[0][0]
    second = list(
        mainnet.check_file(
            vectors / "blocks/bitcoin/nbitcoin/incompleteblk.dat", context=first[-1].next_context, now=NOW
        )
    )
    assert len(whole(second)) == 301
    assert max(report.next_context.height for report in second) == 599
    data = read(vectors, "btcd/blocks1-256.bz2")
    (tmp_path / "blk").write_bytes(data)
    context = first[0].next_context
    assert len(whole(list(mainnet.check_file(tmp_path / "blk", context=context, now=NOW)))) == 255
