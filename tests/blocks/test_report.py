"""Reports: every code has words, faults are told in order and counted, and JSON says the same."""

import inspect
import json
import pickle
import string

import numpy as np
import pytest

import merklecore as mc
from merklecore import blocks
from merklecore.blocks import Code
from merklecore.blocks.codes import message
from merklecore.reference.chains import bitcoin_findings
from tests.blocks.builder import BEFORE, Block, Output, chain, coinbase, spend
from tests.blocks.cases import CODES, UNCHECKED

pytestmark = pytest.mark.any_kernel

RULES = tuple(check.name for check in blocks.checks)


def test_codes_are_those_of_the_backends():
    named = {name: getattr(bitcoin_findings, name) for name in Code.__members__ if name != "BAD_MAGIC"}
    assert {name: int(code) for name, code in Code.__members__.items()} == named | {"BAD_MAGIC": 7} == CODES
    assert len(set(Code)) == len(Code.__members__)
    assert RULES == bitcoin_findings.RULES == tuple(UNCHECKED)


def test_every_rule_but_the_last_has_codes_and_each_code_one_rule():
    of_rules = [code for check in blocks.checks for code in check.codes]
    assert len(of_rules) == len(set(of_rules))
    assert set(of_rules) == {code for code in Code if 20 <= code < 100}
    without = {check.name for check in blocks.checks if not check.codes}
    assert without == {*bitcoin_findings.ALWAYS_UNCHECKED, "signet_script"}
    assert all(check.needs and check.source for check in blocks.checks)


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_every_code_says_what_it_is(code):
    assert code.meaning
    assert code.source
    assert code.meaning[0].islower()
    fields = {field for _, field, _, _ in string.Formatter().parse(code.text) if field}
    assert fields <= {"a", "b"}
    said = message(code, -1, 2**64 - 1, -(2**63))
    assert said
    assert "{" not in said
    assert message(code, 7, 1, 2) == f"transaction 7: {message(code, -1, 1, 2)}"
    assert Code(int(code)) is code
    assert Code[code.name] is code
    assert pickle.loads(pickle.dumps(code)) is code


def hostile():
    """A block with a fault of each kind of place, and a warning."""
    small = spend(3).but(outputs=(Output(5, b"\x51" * 4),))
    assert len(small.raw()) == 64
    txs = (coinbase(0), spend(1), spend(1), small, spend(2).but(outputs=(Output(-1),)))
    return Block(txs, time=1_600_000_000, root=bytes(32)).build()


def test_faults_in_order(engine):
    built = hostile()
    report = engine("bitcoin-regtest").check_block(built.data, context=blocks.Context.genesis())
    assert [(fault.code, fault.offset, fault.tx_index) for fault in report.errors] == [
        (Code.MERKLE_ROOT, 36, None),
        (Code.VALUE_NEGATIVE, built.at(4, "value", 0), 4),
        (Code.DUPLICATE_TXID, built.offsets[2], 2),
        (Code.DOUBLE_SPEND, built.at(2, "prevout", 0), 2),
    ]
    assert [fault.message for fault in report.errors[1:]] == [
        "transaction 4: an output's value -1 is negative",
        "transaction 2: the same as transaction 1",
        "transaction 2: input 0 spends what transaction 1 spends",
    ]
    assert not report.ok
    assert report.error_count == 4
    assert [(fault.code, fault.offset, fault.tx_index) for fault in report.warnings] == [
        (Code.TX_64_BYTES, built.offsets[3], 3)
    ]
    assert report.warning_count == 1
    assert (report.root, report.block_hash, report.tx_count) == (built.root, built.hash, 5)
    assert (report.offset, report.end) == (0, len(built.data))
    assert report.next_context.height == 0
    assert report.next_context.prev_hash == built.hash
    assert repr(report) == "<Report: 4 faults; MERKLE_ROOT first>"


def test_warnings_change_nothing(engine):
    small = spend(3).but(outputs=(Output(5, b"\x51" * 4),))
    report = engine("bitcoin-regtest").check_block(Block((coinbase(0), small)).build().data)
    assert report.ok
    assert report.warning_count == 1
    assert report.raise_for_errors() is None
    assert repr(report) == "<Report: ok, 2 transactions>"


def test_the_first_hundred_are_kept_and_all_are_counted(engine):
    txs = (coinbase(0), *(spend(i).but(outputs=(Output(-i),)) for i in range(1, 251)))
    report = engine("bitcoin-regtest").check_block(Block(txs).build().data)
    assert report.error_count == 250
    assert [fault.tx_index for fault in report.errors] == list(range(1, 101))
    assert {fault.code for fault in report.errors} == {Code.VALUE_NEGATIVE}


def test_json_says_the_same(engine):
    built = hostile()
    report = engine("bitcoin-regtest").check_block(built.data, context=blocks.Context.genesis())
    found = json.loads(report.to_json())
    assert list(found) == [
        *("ok", "offset", "end", "block_hash", "root", "tx_count", "error_count", "errors", "warning_count"),
        *("warnings", "unchecked", "next_context"),
    ]
    assert found["errors"][1] == {
        "code": 73,
        "name": "VALUE_NEGATIVE",
        "message": "transaction 4: an output's value -1 is negative",
        "offset": built.at(4, "value", 0),
        "tx_index": 4,
    }
    assert found["errors"][0]["tx_index"] is None
    assert (found["block_hash"], found["root"]) == (built.hash.hex(), built.root.hex())
    assert tuple(found["unchecked"]) == report.unchecked
    assert blocks.Context.from_json(json.dumps(found["next_context"])) == report.next_context
    assert json.loads(engine("bitcoin").check_block(b"").to_json())["next_context"] is None


def test_raising(engine):
    built = hostile()
    report = engine("bitcoin-regtest").check_block(built.data)
    with pytest.raises(mc.BlockError) as raised:
        report.raise_for_errors()
    assert raised.value.report is report
    assert str(raised.value) == (
        f"block {built.hash.hex()}: 4 faults, at offset 36 MERKLE_ROOT: "
        "the header's Merkle root is not that of the transactions"
    )


def test_reports_and_their_errors_survive_a_process_boundary(engine):
    report = engine("bitcoin-regtest").check_block(hostile().data)
    with pytest.raises(mc.BlockError) as raised:
        report.raise_for_errors()
    for again in (pickle.loads(pickle.dumps(report)), pickle.loads(pickle.dumps(raised.value)).report):
        assert again.to_json() == report.to_json()
        assert again.errors == report.errors


def test_without_a_header(engine):
    report = engine("bitcoin").check_block(bytes(79))
    assert (report.root, report.block_hash, report.next_context, report.tx_count) == (None, None, None, 0)
    assert report.errors == ((Code.TRUNCATED, "a field of 80 bytes, 79 are left", 0, None),)
    assert set(RULES) - set(report.unchecked) == {"timewarp", "signet", "signet_script"}
    signet = engine("bitcoin-signet").check_block(b"").unchecked
    assert set(RULES) - set(signet) == {"timewarp"}
    assert set(RULES) - set(engine("bitcoin-testnet4").check_block(b"").unchecked) == {
        "signet",
        "signet_script",
    }


def test_headers(engine):
    built = chain(20)
    raw = b"".join(one.data[:80] for one in built)
    eng = engine("bitcoin-regtest")
    heads = eng.check_headers(raw, context=blocks.Context.genesis(), now=1_700_000_000)
    assert heads.ok
    assert heads.first_bad is None
    assert heads.codes.dtype == np.uint32
    assert [row.tobytes() for row in heads.hashes] == [one.hash for one in built]
    assert int.from_bytes(heads.chainwork[-1].tobytes(), "big") == heads.next_context.chainwork == 40
    assert heads.next_context.height == 19
    assert repr(heads) == "<Headers: 20, ok>"
    bent = bytearray(raw)
    bent[7 * 80 + 36] ^= 1  # another root, so another hash
    heads = eng.check_headers(bent, context=blocks.Context.genesis())
    assert not heads.ok
    assert heads.first_bad in (7, 8)  # the proof of work may hold by chance
    assert heads.codes[8] == Code.PREV_HASH
    assert not heads.codes[9:].any()
    assert repr(heads) == f"<Headers: 20, row {heads.first_bad} is the first that does not hold>"


def test_no_headers(engine):
    heads = engine("bitcoin").check_headers(b"")
    assert heads.ok
    assert heads.first_bad is None
    assert heads.next_context is None
    assert heads.unchecked == ()
    assert [found.shape for found in (heads.codes, heads.hashes, heads.chainwork)] == [(0,), (0, 32), (0, 32)]
    context = blocks.Context(5, bytes(32), (1, 2), None, None)
    assert engine("bitcoin").check_headers([], context=context).next_context == context


def test_the_builder_and_the_engine_name_the_same_start():
    assert blocks.Context.genesis()._key == tuple(BEFORE)
    assert inspect.signature(blocks.Context.genesis).parameters == {}
