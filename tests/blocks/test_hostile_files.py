"""Files of any bytes at all: reports cover them in order, nothing is raised, and work stays in proportion."""

import random
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merklecore import blocks
from merklecore.blocks import files, mapped
from tests.blocks.builder import REGTEST, chain, framed

pytestmark = pytest.mark.any_kernel

MADE = chain(6)
MAGIC = REGTEST.magic
PIECES = st.one_of(
    st.sampled_from([made.data for made in MADE]).map(lambda data: framed([data])),
    st.sampled_from([made.data for made in MADE]),
    st.sampled_from(
        [MAGIC, MAGIC[:2], MAGIC + b"\xff" * 4, MAGIC + bytes(4), MAGIC + b"\x51\0\0\0", bytes(70)]
    ),
    st.integers(0, 200).map(bytes),
    st.binary(max_size=120),
)


def check(path, data, eng, **more):
    path.write_bytes(data)
    return list(eng.check_file(path, **more))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=8), key=st.none() | st.binary(min_size=8, max_size=8))
def test_any_file(engine, tmp_path, pieces, key):
    data, path = b"".join(pieces), tmp_path / "blk00000.dat"
    (tmp_path / "xor.dat").write_bytes(key or bytes(8))
    if key:
        data = bytes(byte ^ key[i % 8] for i, byte in enumerate(data))
    eng = engine("bitcoin-regtest", threads=1)
    reports = check(path, data, eng)
    ends = [0]
    for report in reports:
        # What the end cut off ends where it begins, to be read again.
        assert ends[-1] <= report.offset <= report.end <= len(data)
        assert report.offset < report.end or report is reports[-1]
        assert report.errors or report.ok
        assert report.to_json()
        ends.append(report.end)
    for k in (0, len(ends) // 2, len(ends) - 1):
        again = check(path, data, eng, offset=ends[k])
        left = [report for report in reports if report.offset >= ends[k]]
        assert [report.to_json() for report in again] == [report.to_json() for report in left]


def test_garbage_that_looks_like_an_empty_block(engine, tmp_path):
    """Bytes before the first magic are a gap, though a block without transactions could be read from them."""
    frames = framed(made.data for made in MADE)
    eng = engine("bitcoin-regtest")
    for garbage in (b"\x01" * 80 + bytes(1), b"\x01" * 80 + bytes(1) + b"more", b"\x01" * 90, b"\x01" * 500):
        reports = check(tmp_path / "blk00000.dat", garbage + frames, eng)
        assert [report.errors[0].code.name for report in reports if not report.ok] == ["BAD_MAGIC"]
        assert (
            reports[0].errors[0].message
            == "the magic is 0x01010101 as a little-endian number, not this network's"
        )
        assert (reports[0].offset, reports[0].end) == (0, len(garbage))
        assert [report.block_hash for report in reports[1:]] == [made.hash for made in MADE]


def test_the_rest_after_raw_blocks(engine, tmp_path):
    """Less than a block is a truncated one; more, if it is no block, goes as one to its fault."""
    raw = b"".join(made.data for made in MADE)
    eng = engine("bitcoin-regtest")
    for rest in (b"x", b"x" * 80):
        last = check(tmp_path / "raw", raw + rest, eng)[-1]
        assert last.errors[0].message == f"a field of 81 bytes, {len(rest)} are left"
        assert (last.offset, last.end) == (len(raw), len(raw))
    last = check(tmp_path / "raw", raw + b"\xff" * 200, eng)[-1]
    assert last.error_count > 1
    assert (last.offset, last.end) == (len(raw), len(raw))
    assert last.block_hash is not None
    for zeros in (1, 80, 81, 5000):
        assert len(check(tmp_path / "raw", raw + bytes(zeros), eng)) == len(MADE)  # padding


def naive(piece, magic, room):
    """Where the first frame begins that ends within the room, looked at place by place."""
    for at in range(len(piece) - 7):
        length = int.from_bytes(piece[at + 4 : at + 8], "little")
        if piece[at : at + 4] == magic and 81 <= length <= 4_000_000 and at + 8 + length <= room:
            return at
    return -1


@pytest.mark.parametrize(
    "magic", [MAGIC, b"\0\0\1\0", b"QQQQ", b".*\n\\"], ids=["", "zeros", "alike", "signs"]
)
@pytest.mark.parametrize("small", [files.SMALL, 0], ids=["one by one", "at once"])
def test_the_first_frame_of_a_piece(monkeypatch, magic, small):
    """By a pattern and by arrays, against a look at each place: sizes at every border, all alignments."""
    monkeypatch.setattr(files, "SMALL", small)
    chance = random.Random(8)
    borders = (0, 1, 80, 81, 82, 255, 256, 0xFFFF, 0x10000, 0x3CFFFF, 0x3D0000, 3_999_999, 4_000_000)
    sizes = [*borders, 4_000_001, 0x3D0A00, 0x3DFFFF, 0x3E0000, 1 << 24, (1 << 24) + 81, (1 << 32) - 1]
    for length in sizes:
        for room in (8 + length, 7 + length, 1 << 40):
            piece = magic + length.to_bytes(4, "little")
            assert files._first_of(piece, magic, room) == naive(piece, magic, room), (length, room)
    parts = [magic, magic[:1], magic[:3], b"\0", *(magic + size.to_bytes(4, "little") for size in sizes)]
    for _ in range(200):
        piece = b"".join(chance.choices(parts, k=chance.randrange(12)))
        for room in (len(piece), len(piece) + 300, 1 << 40):
            assert files._first_of(piece, magic, room) == naive(piece, magic, room), (piece, room)


def test_what_stands_across_the_border_of_two_pieces(engine, tmp_path):
    """A file is searched in pieces: a magic, and a frame behind noise, at each place around their ends."""
    path = tmp_path / "blk00000.dat"
    eng = engine("bitcoin-regtest", threads=1)
    frame = framed([MADE[0].data])
    ends = (64, 64 + 256, 64 + 256 + 1024)
    for place in (end + shift for end in ends for shift in range(-9, 2)):
        path.write_bytes(b"x" * place + MAGIC)
        assert mapped.File(str(path)).find(MAGIC, 0) == place
        first, second, third = check(path, frame + b"x" * place + frame, eng)
        assert (first.ok, second.offset, second.end, third.ok) == (True, len(frame), len(frame) + place, True)


def test_the_least_and_the_largest_size(engine, tmp_path):
    """81 bytes are a block, if one without transactions, 80 are none; so are 4,000,000, and one more."""
    eng = engine("bitcoin-regtest", threads=1)

    def first(size):
        data = MADE[0].data[:80] + bytes(size - 80)
        report = check(tmp_path / "blk", framed([data]) + framed([MADE[0].data]), eng)[0]
        return report.errors[0].code.name, report.end - report.offset, report.tx_count

    assert first(80) == ("TRUNCATED", 88, 0)
    assert first(81)[1] == 81
    assert first(81)[0] != "TRUNCATED"
    assert first(4_000_000)[1] == 4_000_000
    assert first(4_000_001)[:2] == ("TRUNCATED", 4_000_009)


NOISE = {
    "magics": lambda size: MAGIC * (size // 4),
    "sizes of 0": lambda size: (MAGIC + bytes(4)) * (size // 8),
    "sizes beyond": lambda size: (MAGIC + b"\xff" * 4) * (size // 8),
    "sizes beyond the end": lambda size: (MAGIC + (3_999_999).to_bytes(4, "little")) * (size // 8),
    "gaps": lambda size: (b"\x01" * 60 + MAGIC) * (size // 64),
    "bytes and magics": lambda size: (b"a" + MAGIC) * (size // 5),
    "zeros and magics": lambda size: (b"\0" + MAGIC) * (size // 5),
    "random": lambda size: random.Random(1).randbytes(size),
}
SMALL_BLOCKS = {
    "padding": lambda size: (bytes(65) + b"\x01") * (size // 66),
    "empty blocks": lambda size: framed([bytes(80) + b"\0"]) * (size // 89),
    "blocks and magics": lambda size: (framed([bytes(80) + b"\0"]) + MAGIC * 200) * (size // 889),
    "raw blocks": lambda size: (bytes(72) + b"\x01" * 8 + b"\0") * (size // 81),
    "raw zeros": lambda size: bytes(size) + b"\x01" * 90,
}


@pytest.mark.native_only
@pytest.mark.parametrize("name", NOISE)
def test_noise_costs_no_step_each(tmp_path, name):
    """Sixteen times the noise, as many calls and a few more, and one report of all of it."""
    path = tmp_path / "blk00000.dat"
    eng = blocks.Engine("bitcoin-regtest", threads=1)
    frame = framed([MADE[0].data])

    def calls(size):
        path.write_bytes(frame + NOISE[name](size) + frame + NOISE[name](size))
        count = 0

        def called(_, event, __):
            nonlocal count
            count += event != "return"

        sys.setprofile(called)
        reports = list(eng.check_file(path))
        sys.setprofile(None)
        # The first frame whose size goes beyond the end may be one that is still being written.
        assert [report.ok for report in reports][:3] == [True, False, True]
        assert 4 <= len(reports) <= 5
        return count

    calls(1000)
    small, large = calls(20_000), calls(320_000)
    assert large < small + 2000, (small, large)


@pytest.mark.slow
@pytest.mark.native_only
@pytest.mark.parametrize("name", NOISE | SMALL_BLOCKS)
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
def test_work_is_in_proportion(tmp_path, monkeypatch, name, masked):
    """Whatever the bytes, no search begins again and again: neither time nor what is copied shows it."""
    path = tmp_path / "blk00000.dat"
    if masked:
        (tmp_path / "xor.dat").write_bytes(b"\xff" * 8)
    eng = blocks.Engine("bitcoin-regtest", threads=1)
    copied, pieces = 0, mapped.File.pieces

    def counted(*args):
        nonlocal copied
        for at, piece in pieces(*args):
            copied += len(piece)
            yield at, piece

    monkeypatch.setattr(mapped.File, "pieces", counted)

    def taken(size):
        nonlocal copied
        data = (NOISE | SMALL_BLOCKS)[name](size)
        path.write_bytes(bytes(byte ^ 0xFF for byte in data) if masked else data)
        copied, begin = 0, time.process_time()
        count = sum(1 for _ in eng.check_file(path))
        seconds = time.process_time() - begin
        assert copied < 12 * size + 200 * count, (copied, count)
        return seconds

    taken(1000)
    small, large = min(taken(40_000) for _ in range(3)), min(taken(320_000) for _ in range(2))
    assert large < 20 * small + 0.002, (small, large)  # eight times the bytes; what is quadratic takes 64
    assert large < 320_000 * (0.2e-6 if name in NOISE else 4e-6), large  # seconds a byte, of a busy machine
