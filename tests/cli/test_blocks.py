"""Blocks checked, proven and listed by the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from merklecore.cli.blocks import COLUMNS
from tests.blocks.builder import GENESIS_TIME, Block, Output, chain, coinbase, framed, spend
from tests.blocks.cases_body import padded
from tests.blocks.real import early

Run = Callable[..., tuple[int, str, str]]
CHAIN = chain(12)
REGTEST = ("--chain", "bitcoin-regtest")
NEVER = "previous_outputs, bip30, bip68, maturity, fees, p2sh_witness_sigops, scripts"


@pytest.fixture
def blk(tmp_path: Path) -> Path:
    """A block file of twelve valid blocks."""
    path = tmp_path / "blk00000.dat"
    path.write_bytes(framed(made.data for made in CHAIN))
    return path


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """One with a wrong root, a value and a witness that do not hold, a gap and a truncated end."""
    data = [bytearray(made.data) for made in CHAIN]
    data[3][40] ^= 1
    made = CHAIN[5]
    data[5][made.at(len(made.txs) - 1, "item", 0, 0)] ^= 1
    path = tmp_path / "spoilt.dat"
    path.write_bytes(framed(data[:6]) + b"gap" + framed(data[6:])[:-5])
    return path


# ---- check -------------------------------------------------------------------------------------------------


def test_blocks_that_hold(run: Run, blk: Path) -> None:
    count = sum(len(made.txs) for made in CHAIN)
    assert run("blocks", "check", *REGTEST, "--now", "1700000000", blk) == (
        0,
        f"12 blocks, {count} transactions: 0 faults, 0 warnings\nnot checked: {NEVER}\n"
        "not checked on 1 block: difficulty\n",
        "",
    )
    code, out, _ = run("blocks", "check", *REGTEST, blk)
    assert code == 0
    assert f"not checked: future_time, {NEVER}\n" in out


def test_several_files_go_on_where_the_one_before_ended(run: Run, tmp_path: Path) -> None:
    names = [tmp_path / "1.dat", tmp_path / "2.dat"]
    for name, part in zip(names, (CHAIN[:5], CHAIN[5:]), strict=True):
        name.write_bytes(framed(made.data for made in part))
    code, out, _ = run("blocks", "check", *REGTEST, "--now", "1700000000", *names)
    assert code == 0
    assert "not checked on 1 block: difficulty\n" in out
    assert "median_time" not in out
    assert "median_time" in run("blocks", "check", *REGTEST, *reversed(names))[1]


def test_a_file_that_cannot_be_read_among_others(run: Run, blk: Path, tmp_path: Path) -> None:
    code, out, err = run("blocks", "check", *REGTEST, tmp_path / "none", blk, tmp_path, "/dev/null")
    assert code == 2
    assert out.startswith("12 blocks, ")
    assert err.splitlines() == [
        f"merklecore: {tmp_path / 'none'}: No such file or directory",
        f"merklecore: {tmp_path}: Is a directory",
        "merklecore: /dev/null: is no regular file",
    ]


def test_one_line_for_each_fault(run: Run, spoilt: Path) -> None:
    code, out, err = run("blocks", "check", *REGTEST, "--now", "1700000000", spoilt)
    assert (code, err) == (1, "")
    lines = out.splitlines()
    starts = [8]
    for made in CHAIN:
        starts.append(starts[-1] + len(made.data) + 8)
    third, fifth = starts[3], starts[5]
    gap = starts[6] - 8
    script = CHAIN[5].at(0, "output script", 1)
    tail = starts[11] - 8 + 3
    # One bit of the header is another hash, above the target every other time.
    said = [line for line in lines if "HASH_ABOVE_TARGET" not in line and "PREV_HASH" not in line]
    assert said[0].startswith(f"{spoilt}:{third + 36}: MERKLE_ROOT: the header's Merkle root is not")
    assert said[1] == (
        f"{spoilt}:{fifth + script}: WITNESS_COMMITMENT: transaction 0: the coinbase commits to other "
        f"witnesses [block {CHAIN[5].hash[::-1].hex()}]"
    )
    assert said[2].startswith(f"{spoilt}:{gap}: BAD_MAGIC: ")
    assert said[3].startswith(f"{spoilt}:{tail}: TRUNCATED: ")
    assert said[4].startswith("11 blocks, ")
    assert said[5] == "not read as blocks: 2 places told of above"


def test_json(run: Run, spoilt: Path) -> None:
    code, out, err = run("blocks", "check", *REGTEST, "--json", spoilt)
    assert (code, err) == (1, "")
    *reports, summary = [json.loads(line) for line in out.splitlines()]
    assert len(reports) == 13
    assert summary["summary"]["blocks"] == 11
    assert summary["summary"]["gaps"] == 2
    assert summary["summary"]["faults"] == sum(report["error_count"] for report in reports)
    assert summary["summary"]["unchecked"]["scripts"] == 11
    assert {report["file"] for report in reports} == {str(spoilt)}
    assert reports[0]["block_hash"] == CHAIN[0].hash[::-1].hex()
    assert reports[0]["root"] == CHAIN[0].root[::-1].hex()
    witness = reports[5]["errors"][0]
    assert (witness["code"], witness["name"], witness["tx_index"]) == (82, "WITNESS_COMMITMENT", 0)
    assert witness["offset"] == reports[5]["offset"] + CHAIN[5].at(0, "output script", 1)


def test_more_faults_than_are_listed(run: Run, tmp_path: Path) -> None:
    from tests.blocks.cases import block

    path = tmp_path / "raw"
    path.write_bytes(block(spend(1).but(outputs=(Output(-1),) * 150)).build().data)
    code, out, _ = run("blocks", "check", *REGTEST, path)
    assert code == 1
    assert out.count("VALUE_NEGATIVE") == 100
    assert f"{path}:0: and 50 faults more [block " in out
    assert "1 block, 2 transactions: 150 faults" in out


def test_warnings_fail_nothing(run: Run, tmp_path: Path) -> None:
    from tests.blocks.cases import block

    path = tmp_path / "raw"
    made = block(padded(1, 64)).build()
    path.write_bytes(made.data)
    code, out, _ = run("blocks", "check", *REGTEST, path)
    assert code == 0
    assert out.startswith(f"{path}:{made.offsets[1]}: warning: TX_64_BYTES: transaction 1: ")
    assert "0 faults, 1 warning\n" in out


def test_the_clock(run: Run, blk: Path) -> None:
    assert run("blocks", "check", *REGTEST, "--now", "1500000000", blk)[1].count("TIME_TOO_NEW") == 12


def test_nothing_in_a_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(bytes(1000))
    for data in (bytes(1000), b""):
        path.write_bytes(data)
        assert run("blocks", "check", path) == (0, "0 blocks, 0 transactions: 0 faults, 0 warnings\n", "")


# ---- headers -----------------------------------------------------------------------------------------------


def test_headers(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "headers"
    rows = [made.data[:80] for made in CHAIN]
    path.write_bytes(b"".join(rows))
    code, out, err = run("blocks", "headers", *REGTEST, "--now", "1700000000", path)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "12 headers, 0 that do not hold",
        f"tip        {CHAIN[-1].hash[::-1].hex()}",
        "height     11",
        f"chainwork  {24:064x}",
        "not checked on every header: difficulty",
    ]
    path.write_bytes(b"".join([*rows[:5], *rows[6:]]))
    code, out, _ = run("blocks", "headers", *REGTEST, path)
    assert code == 1
    assert out.startswith(f"{path}:400: PREV_HASH: header 5: ")
    assert "11 headers, 1 that do not hold\n" in out
    code, out, _ = run("blocks", "headers", *REGTEST, "--json", path)
    row, summary = map(json.loads, out.splitlines())
    assert (code, row) == (1, {"row": 5, "offset": 400, "code": 41, "name": "PREV_HASH"})
    assert (summary["summary"]["headers"], summary["summary"]["bad"]) == (11, 1)
    path.write_bytes(b"")
    assert run("blocks", "headers", path) == (0, "0 headers, 0 that do not hold\n", "")
    path.write_bytes(bytes(81))
    code, out, err = run("blocks", "headers", path)
    assert (code, out) == (2, "")
    assert "81 bytes" in err


def headers(run: Run, path: Path, data: bytes, *more: str) -> tuple[int, list[str]]:
    path.write_bytes(data)
    code, out, err = run("blocks", "headers", *REGTEST, "--now", "1700000000", *more, path)
    assert not err
    return code, out.splitlines()


def test_headers_of_a_block_file(run: Run, tmp_path: Path) -> None:
    """Whatever stands before the first frame, and in any order: the same as of headers in a row."""
    path = tmp_path / "headers"
    expected = headers(run, path, b"".join(made.data[:80] for made in CHAIN))
    assert expected[0] == 0
    data = [made.data for made in CHAIN]
    for blk in (
        framed(data),
        framed(reversed(data)),
        framed(data[3:7] + data[:3] + data[7:]),
        bytes(16) + framed(data),
        b"noise" + framed(data),
        b"\1" * (80 - len(framed(data)) % 80) + framed(data),
        b"".join(data),
    ):
        assert headers(run, path, blk) == expected
    assert run("blocks", "headers", "/dev/null")[0] == 2


def test_headers_of_a_block_file_with_stale_blocks(run: Run, tmp_path: Path) -> None:
    """The chain of most work is the one that is told of, wherever a stale block stands."""
    made = CHAIN[:5]
    stale = Block((coinbase(2, value=1),), made[1].hash, GENESIS_TIME + 5000).build()
    alone = Block((coinbase(2, value=2),), b"\7" * 32, GENESIS_TIME).build()
    order = [made[0], made[1], stale, alone, made[2], made[1], made[3], made[4]]
    path = tmp_path / "blk"
    assert headers(run, path, framed(one.data for one in order)) == (
        0,
        [
            "8 headers, 0 that do not hold",
            "stale      1 beside the chain of most work",
            "apart      1 that nothing in the file leads to from there",
            "repeated   1 there already",
            f"tip        {made[4].hash[::-1].hex()}",
            "height     4",
            f"chainwork  {10:064x}",
            "not checked on every header: version, linkage, difficulty, median_time",
        ],
    )
    code, (text,) = headers(run, path, framed(one.data for one in order), "--json")
    summary = json.loads(text)["summary"]
    assert (code, summary["bad"], summary["stale"], summary["apart"], summary["repeated"]) == (0, 0, 1, 1, 1)
    assert (summary["height"], summary["chainwork"]) == (4, f"{10:064x}")


def test_a_header_that_does_not_hold_is_no_tip(run: Run, tmp_path: Path) -> None:
    """Work that is claimed and not done counts for nothing, nor does what is built on it."""
    made = CHAIN[:4]
    false = Block((coinbase(2),), made[1].hash, GENESIS_TIME + 5000, bits=0x1D00FFFF).build()
    upon = Block((coinbase(3),), false.hash, GENESIS_TIME + 6000).build()
    data = framed(one.data for one in (*made[:2], false, upon, *made[2:]))
    code, lines = headers(run, tmp_path / "blk", data)
    place = len(framed(one.data for one in made[:2])) + 8
    assert code == 1
    assert lines[0].startswith(f"{tmp_path / 'blk'}:{place}: HASH_ABOVE_TARGET: header 2: ")
    assert "6 headers, 2 that do not hold" in lines  # the bits of the one upon it are not its parent's
    assert f"tip        {made[3].hash[::-1].hex()}" in lines
    assert "height     3" in lines
    spoilt = Block((coinbase(0),), mined=False).build()
    code, lines = headers(run, tmp_path / "blk", framed([spoilt.data]))
    assert (code, lines[1]) == (1, "1 header, 1 that do not hold")
    assert not any(line.startswith("tip") for line in lines)


def test_headers_of_another_networks_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "blk"
    path.write_bytes(framed((made.data for made in CHAIN), b"\xf9\xbe\xb4\xd9"))
    code, out, err = run("blocks", "headers", *REGTEST, path)
    assert (code, out) == (2, "")
    assert err == f"merklecore: {path}: a block file of bitcoin, not of bitcoin-regtest\n"
    code, out, _ = run("blocks", "check", *REGTEST, path)
    assert code == 1
    assert out.startswith(f"{path}:0: BAD_MAGIC: ")
    assert "not this network's, but that of bitcoin\n" in out
    path.write_bytes(framed([CHAIN[0].data])[:-1])
    assert "without a whole block" in run("blocks", "headers", *REGTEST, path)[2]


# ---- prove, table ------------------------------------------------------------------------------------------


def test_a_proof_that_verify_takes(run: Run, blk: Path, tmp_path: Path) -> None:
    made = CHAIN[11]
    for index in range(len(made.txs)):
        code, out, err = run("blocks", "prove", *REGTEST, blk, made.txids[index][::-1].hex())
        assert code == 0
        about = {line[:9].strip(): line[11:] for line in err.splitlines()}
        assert about["block"] == made.hash[::-1].hex()
        assert bytes.fromhex(about["header"]) == made.data[:80]
        assert bytes.fromhex(about["root"]) == made.data[36:68]
        trusted = ["--root", about["root"], "--size", about["size"], "--index", about["index"]]
        leaf = ["--leaf-hex", about["leaf-hex"], "--profile", "bitcoin"]
        assert run("verify", "-", *trusted, *leaf, stdin=out)[0] == 0
        other = ["--leaf-hex", made.txids[index - 1].hex(), "--profile", "bitcoin"]
        assert run("verify", "-", *trusted, *other, stdin=out)[0] == 1
    code, text, err = run("blocks", "prove", *REGTEST, "--json", blk, made.txids[index][::-1].hex())
    assert (code, err) == (0, "")
    answer = json.loads(text)
    assert answer["proof"] == json.loads(out)
    assert answer["txid"] == made.txids[index][::-1].hex()


def test_the_first_payment(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "170"
    path.write_bytes(early()[170][1])
    txid = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
    code, out, err = run("blocks", "prove", path, txid)
    assert code == 0
    assert json.loads(out)["hashes"] == ["82501c1178fa0b222c1f3d474ec726b832013f0a532b44bb620cce8624a5feb1"]
    assert "block      00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee\n" in err


def test_no_proof(run: Run, blk: Path) -> None:
    code, out, err = run("blocks", "prove", *REGTEST, blk, "00" * 32)
    assert (code, out) == (2, "")
    assert err == f"merklecore: {blk}: no transaction {'00' * 32}\n"
    for wrong in ("00" * 31, "xyz", "é" * 64):
        code, _, err = run("blocks", "prove", *REGTEST, blk, wrong)
        assert code == 2
        assert "64 hexadecimal digits" in err


def test_a_proof_from_a_block_that_does_not_hold(run: Run, spoilt: Path) -> None:
    made = CHAIN[5]
    code, out, err = run("blocks", "prove", *REGTEST, spoilt, made.txids[1][::-1].hex())
    assert code == 1
    assert json.loads(out)["hashes"]
    assert "the block does not hold: WITNESS_COMMITMENT" in err


def test_a_table(run: Run, blk: Path, spoilt: Path) -> None:
    code, out, err = run("blocks", "table", *REGTEST, blk)
    assert (code, err) == (0, "")
    head, *rows = [line.split("\t") for line in out.splitlines()]
    assert head == ["block", "index", *COLUMNS, "txid"]
    assert [row[-1] for row in rows] == [txid[::-1].hex() for made in CHAIN for txid in made.txids]
    data = blk.read_bytes()
    for row, tx in zip(rows, [tx for made in CHAIN for tx in made.txs], strict=True):
        offset, size = int(row[2]), int(row[3])
        assert data[offset : offset + size] == tx.raw()
    code, text, _ = run("blocks", "table", *REGTEST, "--json", blk)
    assert code == 0
    assert [list(map(str, json.loads(line).values())) for line in text.splitlines()] == rows
    code, out, err = run("blocks", "table", *REGTEST, spoilt)
    assert code == 1
    assert "BAD_MAGIC" in err
    assert "TRUNCATED" in err


def test_a_table_of_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert run("blocks", "table", tmp_path / "empty") == (
        0,
        "\t".join(("block", "index", *COLUMNS, "txid\n")),
        "",
    )


def test_masked_files(run: Run, blk: Path, tmp_path: Path) -> None:
    """What is read a second time is unmasked too."""
    plain = run("blocks", "table", *REGTEST, blk)
    (tmp_path / "xor.dat").write_bytes(bytes(range(1, 9)))
    blk.write_bytes(bytes(byte ^ (i % 8 + 1) for i, byte in enumerate(blk.read_bytes())))
    assert run("blocks", "table", *REGTEST, blk) == plain
    assert run("blocks", "prove", *REGTEST, blk, CHAIN[11].txids[2][::-1].hex())[0] == 0


# ---- bad usage ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["blocks"], "ACTION"),
        (["blocks", "check"], "FILE"),
        (["blocks", "check", "--chain", "dogecoin", "/dev/null"], "'dogecoin' is none of bitcoin,"),
        (["blocks", "check", "--now", "today", "/dev/null"], "--now"),
        (["blocks", "check", "--now", "-1", "/dev/null"], "now: -1"),
        (["blocks", "check", "/no/such/file"], "/no/such/file: No such file"),
        (["blocks", "headers", "/no/such/file"], "/no/such/file: No such file"),
        (["blocks", "table", "/no/such/file"], "/no/such/file: No such file"),
        (["blocks", "table", "/dev/null"], "/dev/null: is no regular file"),
        (["blocks", "prove", "/dev/null"], "TXID"),
        (["blocks", "check", "/"], "/: Is a directory"),
    ],
    ids=lambda value: "-".join(value).replace("/", "_") if isinstance(value, list) else "",
)
def test_bad_usage(run: Run, words: list[str], said: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
