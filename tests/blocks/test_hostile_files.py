"""Files of any bytes at all: reports cover them in order, nothing is raised, and work stays in proportion."""

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merklecore import blocks
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


@pytest.mark.slow
@pytest.mark.native_only
@pytest.mark.parametrize(
    "make",
    [
        lambda size: MAGIC * (size // 4),
        lambda size: (MAGIC + bytes(4)) * (size // 8),
        lambda size: (MAGIC + b"\xff" * 4) * (size // 8),
        lambda size: (b"\x01" * 60 + MAGIC) * (size // 64),
        lambda size: (bytes(65) + b"\x01") * (size // 66),
        lambda size: framed([bytes(80) + b"\0"]) * (size // 89),
        lambda size: (bytes(72) + b"\x01" * 8 + b"\0") * (size // 81),
        lambda size: bytes(size) + b"\x01" * 90,
        lambda size: random.Random(1).randbytes(size),
    ],
    ids=[
        "magics",
        "sizes of 0",
        "sizes beyond",
        "gaps",
        "padding",
        "empty blocks",
        "raw blocks",
        "raw zeros",
        "random",
    ],
)
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
def test_work_is_in_proportion(tmp_path, make, masked):
    """Twice the bytes take about twice the time: whatever they are, no search begins again and again."""
    path = tmp_path / "blk00000.dat"
    if masked:
        (tmp_path / "xor.dat").write_bytes(b"\xff" * 8)
    eng = blocks.Engine("bitcoin-regtest", threads=1)

    def taken(size):
        data = make(size)
        path.write_bytes(bytes(byte ^ 0xFF for byte in data) if masked else data)
        begin = time.process_time()
        count = sum(1 for _ in eng.check_file(path))
        return time.process_time() - begin, count

    taken(1000)
    small, large = min(taken(30_000) for _ in range(3)), min(taken(120_000) for _ in range(3))
    assert large[0] < 12 * small[0] + 0.05, (small, large)
