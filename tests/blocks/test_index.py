"""Which context each block of a file is checked with, whatever the order they stand in."""

import random
import time
import tracemalloc
from struct import pack

import numpy
import pytest

from merklecore import blocks
from merklecore.blocks import files, index
from tests.blocks.builder import (
    BEFORE,
    MAINNET,
    REGTEST,
    Block,
    Context,
    chain,
    coinbase,
    follow,
    framed,
    sha256d,
)
from tests.blocks.cases import NOW
from tests.blocks.real import read

pytestmark = pytest.mark.any_kernel

TIME = 1_600_000_000


def tree(seed, size):
    """Blocks of one tree, its root first, and the context that stands after each."""
    chance = random.Random(seed)
    grown = [(Block((coinbase(0),), time=TIME).build(), BEFORE)]
    grown[0] = grown[0][0], follow(BEFORE, grown[0][0].data, REGTEST)
    while len(grown) < size:
        parent, context = grown[chance.choice((-1, -1, -1, chance.randrange(len(grown))))]
        height = context.height + 1
        made = Block((coinbase(height, value=len(grown)),), parent.hash, TIME + height * 600).build()
        grown.append((made, follow(context, made.data, REGTEST)))
    return grown


def told(report):
    return report.to_json()


def contexts_of(reports):
    return {report.block_hash: report.next_context for report in reports}


def key(context):
    return blocks.Context(*context[:6], period_bits=context.period_bits, real_bits=context.real_bits)


@pytest.mark.parametrize("seed", range(5))
def test_any_tree_in_any_order(engine, tmp_path, seed):
    grown = tree(seed, 60)
    path = tmp_path / "blk00000.dat"
    eng = engine("bitcoin-regtest")
    for order in (grown, grown[::-1], random.Random(seed).sample(grown, 60)):
        path.write_bytes(framed(made.data for made, _ in order))
        reports = list(eng.check_file(path, now=NOW))
        assert all(report.ok for report in reports)
        assert contexts_of(reports) == {made.hash: key(context) for made, context in grown}
        for k in (0, 13, 58):
            assert list(map(told, eng.check_file(path, offset=reports[k].end, now=NOW))) == list(
                map(told, reports[k + 1 :])
            )


def test_contexts_are_dropped_when_the_last_child_has_them(backend):
    grown = tree(9, 200)
    headers = bytearray(b"".join(made.data[:80] for made, _ in grown))
    held = index.Contexts(backend.Bitcoin(*REGTEST), headers, None, None)
    for row in range(len(grown)):
        held.take(row)
    assert not held._known
    straight = bytearray(b"".join(made.data[:80] for made in chain(300)))
    held = index.Contexts(backend.Bitcoin(*REGTEST), straight, None, None)
    for row in range(300):
        held.take(row)
        assert len(held._known) <= 1


@pytest.mark.parametrize("seed", range(6))
def test_the_chain_of_most_work(backend, seed):
    """Of any tree in any order, some of its rows false; against a walk of each row's ancestors."""
    chance = random.Random(seed)
    grown = tree(seed, 40)
    heads = [made.data[:80] for made, _ in grown]
    heads += chance.sample(heads, 3)
    chance.shuffle(heads)
    if seed > 2:
        heads.remove(grown[seed][0].data[:80])  # its descendants lead nowhere
    rows = numpy.frombuffer(b"".join(heads), numpy.uint8).reshape(-1, 80)
    found = index.survey(backend.Bitcoin(*REGTEST), rows, 1, None)
    assert set(found.codes.tolist()) == {blocks.Code.TIME_TOO_NEW}  # all of them are later than this clock
    assert (found.best, found.tip, found.height) == ([], None, None)
    now = chance.choice((NOW, int(numpy.median([context.times[-1] for _, context in grown])) - 7200))
    found = index.survey(backend.Bitcoin(*REGTEST), rows, now, None)

    row_of = {sha256d(head): row for row, head in reversed(list(enumerate(heads)))}

    def line_of(row):
        rows_ = [row]
        while (parent := row_of.get(heads[rows_[-1]][4:36])) is not None:
            rows_.append(parent)
        return rows_[::-1]

    lines = [line_of(row) for row in range(len(heads))]
    late = [int.from_bytes(head[68:72], "little") > now + 7200 for head in heads]
    assert found.codes.tolist() == [blocks.Code.TIME_TOO_NEW * is_late for is_late in late]
    rooted = [not any(heads[line[0]][4:36]) for line in lines]
    held = [line for line in lines if not any(late[row] for row in line)]
    best = max(held, key=lambda line: (rooted[line[-1]], len(line), -line[-1]))
    assert found.best == best
    assert found.tip == sha256d(heads[best[-1]])
    assert found.height == (len(best) - 1 if rooted[best[0]] else None)
    assert found.chainwork == 2 * len(best)
    once = [row for row in range(len(heads)) if row_of[sha256d(heads[row])] == row]
    assert found.repeated == len(heads) - len(once)
    beside = [row for row in once if not late[row] and row not in best]
    assert found.stale == sum(lines[row][0] == best[0] for row in beside)
    assert found.apart == len(beside) - found.stale


@pytest.mark.parametrize("stride", [1, 2, 7])
def test_contexts_that_are_made_again(backend, monkeypatch, stride):
    """Of a long path some are kept: whatever is asked for later is the same, and nothing stays."""
    monkeypatch.setattr(index, "STRIDE", stride)
    grown = tree(4, 50)
    before = {made.data[:80]: follow_to(grown, made) for made, _ in grown}
    for order in (grown[::-1], random.Random(stride).sample(grown, 50)):
        heads = [made.data[:80] for made, _ in order]
        held = index.Contexts(backend.Bitcoin(*REGTEST), bytearray(b"".join(heads)), None, None)
        assert [held.take(row) for row in range(50)] == [before[head] for head in heads]
        assert not held._known


def follow_to(grown, made):
    """The context that a block is checked with."""
    after = {one.hash: context for one, context in grown}
    return tuple(after.get(made.data[4:36], BEFORE))


@pytest.mark.native_only
@pytest.mark.parametrize("name", ["in order", "children first", "mixed"])
def test_memory_for_each_block(tmp_path, monkeypatch, name):
    """Chains of tiny blocks, so that nothing but what is kept for each counts: as `check_file` says."""
    monkeypatch.setattr(files, "BATCH_BLOCKS", 16)
    eng = blocks.Engine("bitcoin-regtest", threads=1)
    path = tmp_path / "blk00000.dat"
    made, prev = [], bytes(32)
    for i in range(4000):
        head = pack("<i", 4) + prev + bytes(32) + pack("<III", i, 0x207FFFFF, i)
        prev = sha256d(head)
        made.append(head + b"\0")

    def peak(size):
        part = made[:size]
        part = {"in order": part, "children first": part[::-1], "mixed": random.Random(1).sample(part, size)}
        path.write_bytes(framed(part[name]))
        tracemalloc.start()
        try:
            assert sum(1 for _ in eng.check_file(path)) == size
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    each = (peak(4000) - peak(1000)) / 3000
    assert each < (1300 if name == "mixed" else 250), each


def test_the_callers_context_comes_first(engine, tmp_path):
    """A file from the middle of a chain, with a stale block and one of another chain."""
    made = chain(20)
    eng = engine("bitcoin-regtest")
    contexts = []
    context = blocks.Context.genesis()
    for one in made:
        contexts.append(context)
        context = eng.check_block(one.data, context=context).next_context
    stale = Block((coinbase(10, value=3),), made[9].hash, TIME + 6001).build()
    alien = Block((coinbase(10),), b"\x77" * 32, TIME).build()
    path = tmp_path / "blk00001.dat"
    path.write_bytes(framed([made[11].data, stale.data, alien.data, made[10].data, made[12].data]))
    reports = list(eng.check_file(path, context=contexts[10], now=NOW))
    assert [report.ok for report in reports] == [True] * 5
    assert [report.next_context.height for report in reports] == [11, 10, None, 10, 12]
    assert "linkage" in reports[2].unchecked
    assert "linkage" not in reports[0].unchecked
    wrong = blocks.Context(5, made[9].hash, (TIME,) * 6, None, None)  # what the caller says counts
    assert next(eng.check_file(path, context=wrong)).next_context.height == 7


def test_the_same_block_again_and_again(engine, tmp_path):
    made = chain(3)
    path = tmp_path / "blk00000.dat"
    path.write_bytes(framed([made[1].data] * 50 + [made[0].data] * 50 + [made[2].data] * 50))
    reports = list(engine("bitcoin-regtest").check_file(path, now=NOW))
    assert [report.next_context.height for report in reports] == [1] * 50 + [0] * 50 + [2] * 50


def test_resuming_wherever_a_report_ends(engine, tmp_path):
    """Among padding, gaps, frames that are none, stale blocks and a truncated end."""
    made = chain(12)
    magic = REGTEST.magic
    data = framed(one.data for one in made[:3]) + bytes(9) + b"gap" + framed([made[5].data, made[4].data])
    data += magic + bytes(4) + framed([made[3].data]) + b"\xff" * 30 + magic + b"\xff" * 4
    data += bytes(5000) + framed(one.data for one in made[6:]) + framed([made[0].data])[:-9]
    path = tmp_path / "blk00000.dat"
    for key_bytes in (None, b"\x00\x01\x02\x03\xfa\xbf\xb5\xda"):
        if key_bytes:
            (tmp_path / "xor.dat").write_bytes(key_bytes)
            path.write_bytes(bytes(byte ^ key_bytes[i % 8] for i, byte in enumerate(data)))
        else:
            path.write_bytes(data)
        eng = engine("bitcoin-regtest", threads=2)
        reports = list(map(told, eng.check_file(path, now=NOW)))
        ends = [report.end for report in eng.check_file(path, now=NOW)]
        assert len(ends) == 16
        assert ends == sorted(ends)
        for k, end in enumerate(ends):
            rest = reports[min(k + 1, 15) :]  # the truncated end again and again
            assert list(map(told, eng.check_file(path, offset=end, now=NOW))) == rest


def test_small_batches_are_the_same(engine, tmp_path, monkeypatch):
    path = tmp_path / "blk00000.dat"
    path.write_bytes(framed(made.data for made, _ in tree(3, 40)) + b"tail")
    eng = engine("bitcoin-regtest")
    reports = list(map(told, eng.check_file(path)))
    for size in (1, 200, 1000):
        monkeypatch.setattr(files, "BATCH_BYTES", size)
        assert list(map(told, eng.check_file(path))) == reports
    monkeypatch.setattr(files, "BATCH_BLOCKS", 1)
    assert list(map(told, eng.check_file(path))) == reports


def test_a_magic_that_begins_with_zeros(engine, tmp_path):
    magic = b"\x00\x00\x07\x08"
    eng = engine(blocks.networks["bitcoin-regtest"].replace(magic=magic))
    made = chain(4)
    path = tmp_path / "blk00000.dat"
    for zeros in (0, 1, 2, 3, 4, 64, 65, 5000):
        path.write_bytes(bytes(zeros).join(framed([one.data], magic) for one in made) + bytes(zeros))
        reports = list(eng.check_file(path, now=NOW))
        assert [report.block_hash for report in reports] == [one.hash for one in made]
        assert all(report.ok for report in reports)


def test_a_period_of_mainnet(vectors, engine, tmp_path):
    """Headers without transactions, backwards: contexts go through a change of the target."""
    raw = read(vectors, "bitcoinx/mainnet-headers-2016.raw")
    rows = [raw[i : i + 80] + b"\0" for i in range(0, len(raw), 80)]
    path = tmp_path / "blk00000.dat"
    path.write_bytes(framed(reversed(rows), MAINNET.magic))
    reports = list(engine("bitcoin").check_file(path, now=NOW))
    codes = {"MERKLE_ROOT", "NO_TRANSACTIONS"}  # their roots are of what was left out
    assert {fault.code.name for report in reports for fault in report.errors} == codes
    assert [report.next_context.height for report in reports] == list(range(2016, -1, -1))
    assert all("difficulty" not in report.unchecked for report in reports[:-1])
    context: Context = BEFORE
    for row, report in zip(rows, reversed(reports), strict=True):
        context = follow(context, row, MAINNET)
        assert report.next_context == key(context)


def test_forged_parents_cost_no_more(monkeypatch):
    """Parents that begin as many hashes of the file do, and are none of them: each is looked up once."""
    hashes = numpy.zeros((200_000, 32), numpy.uint8)
    hashes[:, 8:16] = numpy.arange(200_000, dtype=numpy.uint64)[:, None].view(numpy.uint8)
    hashes[:, 0] = 1
    monkeypatch.setattr(index._backend, "hash_many", lambda *_: hashes)
    rows = numpy.zeros((200_000, 80), numpy.uint8)
    rows[:, 4:36] = hashes[0]
    rows[:, 35] = 7
    rows[7, 4:36] = hashes[100_000]
    begin = time.process_time()
    parents, children = index._linked(bytearray(rows.tobytes()), None, None)
    assert time.process_time() - begin < 10
    assert parents[7] == 100_000
    assert (parents >= 0).sum() == children[100_000] == 1
