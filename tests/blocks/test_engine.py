"""The public face: Engine, Report, Headers, Context, Params, and the table of codes and checks."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

import merklecore as mc
from merklecore import blocks
from tests.blocks import builder
from tests.blocks.builder import EASY, REGTEST, chain, follow, spend
from tests.blocks.cases import CODES, NOW, PARENT, STATE, UNCHECKED, block
from tests.blocks.real import GENESIS, early

pytestmark = pytest.mark.any_kernel

NETWORKS = {
    "bitcoin": builder.MAINNET,
    "bitcoin-testnet3": builder.TESTNET3,
    "bitcoin-testnet4": builder.TESTNET4,
    "bitcoin-signet": builder.SIGNET,
    "bitcoin-regtest": builder.REGTEST,
}
SIGNATURES = {
    blocks.Engine.__init__: "(self, chain, *, threads=None)",
    blocks.Engine.check_block: "(self, buf, *, context=None, now=None)",
    blocks.Engine.check_headers: "(self, headers, *, context=None, now=None)",
    blocks.Engine.check_file: "(self, path, *, offset=0, context=None, now=None)",
    blocks.Engine.file_headers: "(self, path)",
    blocks.Engine.tx_table: "(self, buf)",
    blocks.Engine.txids: "(self, buf)",
    blocks.Engine.prove: "(self, buf, index)",
    blocks.Context.__init__: "(self, height, prev_hash, times, period_start, bits, chainwork=0, *, "
    "period_bits=None, real_bits=None)",
}


@pytest.fixture
def engine():
    return blocks.Engine("bitcoin-regtest")


def as_context(context):
    return blocks.Context(*context[:6], period_bits=context.period_bits, real_bits=context.real_bits)


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__qualname__)
def test_signatures_are_the_contract(function):
    signature = inspect.signature(function)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    assert str(signature.replace(parameters=bare, return_annotation=signature.empty)) == SIGNATURES[function]


def test_codes_keep_their_numbers():
    assert {code.name: int(code) for code in blocks.Code} == CODES
    for code in blocks.Code:
        assert code.meaning
        assert code.source


def test_every_code_belongs_to_one_check():
    assert [check.name for check in blocks.checks] == UNCHECKED
    listed = [code for check in blocks.checks for code in check.codes]
    assert len(listed) == len(set(listed))
    assert set(blocks.Code) - set(listed) == {code for code in blocks.Code if code < 20 or code >= 100}
    assert {check.name for check in blocks.checks if not check.codes} == STATE | {"signet_script"}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_those_of_bitcoin_core(name):
    params = blocks.networks[name]
    for field in set(builder.Network._fields) - {"genesis_hash"}:
        assert getattr(params, field) == getattr(NETWORKS[name], field), field
    assert blocks.Engine(name).params == blocks.Engine(params).params == params
    assert set(blocks.networks) == set(NETWORKS)


def test_importing_merklecore_does_not_import_blocks():
    code = (
        "import sys, merklecore; print('merklecore.blocks' in sys.modules, merklecore.blocks.Engine.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False Engine\n"


# ---- reports -----------------------------------------------------------------------------------------------


def test_a_report_of_a_block_that_holds(engine):
    made = block(spend(1)).build()
    report = engine.check_block(made.data, context=as_context(PARENT), now=NOW)
    assert report.ok
    assert report.errors == report.warnings == ()
    assert (report.error_count, report.warning_count, report.tx_count) == (0, 0, 2)
    assert set(report.unchecked) == STATE
    assert (report.root, report.block_hash) == (made.root, made.hash)
    assert (report.offset, report.end) == (0, len(made.data))
    assert report.next_context == as_context(follow(PARENT, made.data, REGTEST))
    assert report.raise_for_errors() is None
    assert "ok" in repr(report)
    after = json.loads(report.to_json())
    assert after["ok"] is True
    assert after["block_hash"] == made.hash.hex()
    assert blocks.Context.from_json(json.dumps(after["next_context"])) == report.next_context


def test_a_report_of_one_that_does_not(engine):
    made = block(spend(1).but(outputs=(builder.Output(-1),) * 150), root=bytes(32)).build()
    report = engine.check_block(made.data, context=as_context(PARENT), now=NOW)
    assert not report.ok
    assert report.error_count == 151
    assert len(report.errors) == 100
    first, second = report.errors[:2]
    assert (first.code, first.offset, first.tx_index) == (blocks.Code.MERKLE_ROOT, 36, None)
    assert (second.code, second.offset, second.tx_index) == (
        blocks.Code.VALUE_NEGATIVE,
        made.at(1, "value", 0),
        1,
    )
    assert second.message == "transaction 1: an output's value -1 is negative"
    assert all(error.message for error in report.errors)
    with pytest.raises(mc.BlockError, match="151 faults") as raised:
        report.raise_for_errors()
    assert raised.value.report is report
    told = json.loads(report.to_json())
    assert (told["ok"], told["error_count"], len(told["errors"])) == (False, 151, 100)
    assert told["errors"][0]["name"] == "MERKLE_ROOT"
    assert told["errors"][0]["tx_index"] is None


def test_messages_have_no_blanks_to_fill():
    from merklecore.blocks.codes import message

    for code in blocks.Code:
        text = message(code, -1, 11, 22)
        assert "{" not in text
        assert message(code, 3, 11, 22) == f"transaction 3: {text}"


def test_warnings_never_change_ok(engine):
    from tests.blocks.cases_body import padded

    report = engine.check_block(block(padded(1, 64)).build().data, context=as_context(PARENT), now=NOW)
    assert report.ok
    assert report.warning_count == 1
    assert report.warnings[0].code is blocks.Code.TX_64_BYTES
    assert report.raise_for_errors() is None


@pytest.mark.parametrize(
    "form",
    [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)],
    ids=lambda form: form.__name__,
)
def test_every_kind_of_bytes(engine, form):
    made = block(spend(1)).build()
    assert engine.check_block(form(made.data), context=as_context(PARENT), now=NOW).ok
    assert engine.txids(form(made.data)).tobytes() == b"".join(made.txids)
    assert engine.prove(form(made.data), 1) == engine.prove(made.data, 1)


@pytest.mark.parametrize("wrong", ["text", None, 80, [b"a"]])
def test_wrong_types(engine, wrong):
    for call in (engine.check_block, engine.tx_table, engine.txids, lambda data: engine.prove(data, 0)):
        with pytest.raises(TypeError):
            call(wrong)


def test_arguments(engine):
    for wrong in (True, 1.5, "1"):
        with pytest.raises(TypeError):
            engine.check_block(b"", now=wrong)
        with pytest.raises(TypeError):
            engine.check_headers(b"", now=wrong)
        with pytest.raises(TypeError):
            blocks.Engine("bitcoin", threads=wrong)
    for wrong in (-1, 1 << 63):
        with pytest.raises(mc.InputError):
            engine.check_block(b"", now=wrong)
    for wrong in (0, -1, 1025):
        with pytest.raises(mc.InputError):
            blocks.Engine("bitcoin", threads=wrong)
    with pytest.raises(mc.InputError, match="bitcoin-testnet4"):
        blocks.Engine("dogecoin")
    with pytest.raises(TypeError):
        blocks.Engine(5)
    with pytest.raises(TypeError):
        engine.check_block(b"", context=tuple(PARENT))
    with pytest.raises(mc.InputError):
        engine.check_block(memoryview(bytes(200))[::2])
    for wrong in (bytes(79), bytes(81), [bytes(79)], np.zeros((3, 81), np.uint8)):
        with pytest.raises(mc.InputError):
            engine.check_headers(wrong)


# ---- transactions of a block -------------------------------------------------------------------------------


def test_tables(engine):
    made = chain(6)[5]
    table = engine.tx_table(made.data)
    assert table.dtype.names == (
        "offset", "size", "stripped", "inputs", "outputs", "version", "locktime", "value", "flags",
    )  # fmt: skip
    for i, tx in enumerate(made.txs):
        row = table[i]
        assert row["offset"] == made.offsets[i]
        assert row["size"] == len(tx.raw())
        assert row["stripped"] == len(tx.raw(witness=False))
        assert (row["inputs"], row["outputs"]) == (len(tx.inputs), len(tx.outputs))
        assert (row["version"], row["locktime"]) == (tx.version, tx.locktime)
        assert row["value"] == sum(out.value for out in tx.outputs)
        assert row["flags"] == (tx.raw() != tx.raw(witness=False)) + 2 * (i == 0)
    assert engine.txids(made.data).tobytes() == b"".join(made.txids)


def test_values_saturate(backend):
    rules = backend.Bitcoin(*REGTEST)
    most = (1 << 63) - 1
    for values, wanted in (
        ((most, most), most),
        ((most, most, -most), most),
        ((-most - 1, -1), -most - 1),
        ((most, -1), most - 1),
        ((-5, 3), -2),
    ):
        made = block(spend(1).but(outputs=tuple(map(builder.Output, values)))).build()
        assert rules.tx_table(made.data)["value"][1] == wanted


def test_tables_of_what_cannot_be_read(engine):
    made = block(spend(1)).build()
    for data in (b"", made.data[:79], made.data[:90], made.data[:-1]):
        for call in (engine.tx_table, engine.txids, lambda data: engine.prove(data, 0)):
            with pytest.raises(mc.InputError, match=r"offset \d+"):
                call(data)
    # What breaks rules alone is read all the same.
    assert len(engine.tx_table(made.data + b"tail")) == 2


def test_proofs(engine):
    """Whoever has the header can check them; those of a block whose header has another root are not made."""
    made = block(*(spend(i) for i in range(1, 12))).build()
    for index in range(12):
        proof = engine.prove(made.data, index)
        proof.verify(made.data[36:68], made.txids[index], index=index, size=12, profile="bitcoin")
        with pytest.raises(mc.ProofError):
            proof.verify(made.data[36:68], made.txids[index ^ 1], index=index, size=12, profile="bitcoin")
    for wrong in (12, -1, 1 << 70):
        with pytest.raises(mc.BoundsError):
            engine.prove(made.data, wrong)
    for wrong in (True, 1.0, None):
        with pytest.raises(TypeError):
            engine.prove(made.data, wrong)
    with pytest.raises(mc.InputError, match="root"):
        engine.prove(block(spend(1), root=bytes(32)).build().data, 0)


def test_no_proof_where_the_tree_is_ambiguous(engine):
    """CVE-2012-2459: the last transactions once more, under the same root."""
    made = block(spend(1), spend(2)).build()
    again = block(spend(1), spend(2), spend(2)).build()
    assert made.root == again.root
    assert engine.prove(made.data, 2)
    with pytest.raises(mc.InputError, match="CVE-2012-2459"):
        engine.prove(again.data, 3)


def test_copies(engine):
    mine = blocks.Engine(engine.params.replace(name="mine", halving=7), threads=3)
    made = block(spend(1)).build()
    for copied in (pickle.loads(pickle.dumps(mine)), copy.copy(mine), copy.deepcopy(mine)):
        assert copied.params == mine.params
        assert copied._threads == 3
        assert copied.check_block(made.data).to_json() == mine.check_block(made.data).to_json()


# ---- headers -----------------------------------------------------------------------------------------------


def test_headers(engine):
    made = chain(30)
    flat = b"".join(one.data[:80] for one in made)
    heads = engine.check_headers(flat, context=blocks.Context.genesis(), now=NOW)
    assert heads.ok
    assert heads.first_bad is None
    assert heads.codes.dtype == np.uint32
    assert heads.hashes.tobytes() == b"".join(one.hash for one in made)
    assert [int.from_bytes(row, "big") for row in heads.chainwork] == [2 * (i + 1) for i in range(30)]
    assert heads.unchecked == ("difficulty",)  # of the first, which has no parent
    assert heads.next_context.height == 29
    first = engine.check_headers(flat[: 11 * 80], context=blocks.Context.genesis(), now=NOW)
    again = engine.check_headers(flat[11 * 80 :], context=first.next_context, now=NOW)
    assert again.ok
    assert again.next_context == heads.next_context
    assert again.chainwork.tobytes() == heads.chainwork[11:].tobytes()
    broken = flat[: 7 * 80] + bytes(4) + flat[7 * 80 + 4 :]
    heads = engine.check_headers(broken, context=blocks.Context.genesis(), now=NOW)
    assert heads.first_bad == 7
    assert blocks.Code(int(heads.codes[7])) is blocks.Code.VERSION
    assert blocks.Code(int(heads.codes[8])) is blocks.Code.PREV_HASH
    none = engine.check_headers(b"", context=blocks.Context.genesis())
    assert none.ok
    assert none.hashes.shape == none.chainwork.shape == (0, 32)
    assert none.next_context == blocks.Context.genesis()


# ---- contexts ----------------------------------------------------------------------------------------------


def test_contexts_keep_what_they_are_given():
    context = as_context(PARENT)
    for field in PARENT._fields:
        assert getattr(context, field) == getattr(PARENT, field)
    assert blocks.Context.from_json(context.to_json()) == context
    assert pickle.loads(pickle.dumps(context)) == context
    assert hash(context) == hash(as_context(PARENT))
    assert context != as_context(PARENT._replace(height=5, times=()))
    with pytest.raises(AttributeError):
        context.height = 5
    nothing = blocks.Context(None, None, None, None, None, None)
    assert blocks.Context.from_json(nothing.to_json()) == nothing


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("height", -2, mc.InputError),
        ("height", 1.0, TypeError),
        ("height", True, TypeError),
        ("prev_hash", bytes(31), mc.InputError),
        ("prev_hash", "00" * 32, TypeError),
        ("times", (1,) * 12, mc.InputError),
        ("times", (-1,), mc.InputError),
        ("times", (1 << 32,), mc.InputError),
        ("times", (1.5,), TypeError),
        ("times", 5, TypeError),
        ("bits", 1 << 32, mc.InputError),
        ("bits", False, TypeError),
        ("chainwork", -1, mc.InputError),
        ("chainwork", 1 << 256, mc.InputError),
        ("period_start", 1 << 32, mc.InputError),
        ("period_bits", -1, mc.InputError),
        ("real_bits", "1d00ffff", TypeError),
    ],
)
def test_contexts_that_cannot_be(field, value, error):
    with pytest.raises(error, match=field):
        as_context(PARENT._replace(**{field: value}))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "1" * 5000, '{"type": "context"}', "[" * 4000, b"{}"],
)
def test_texts_that_are_no_context(text):
    with pytest.raises((mc.InputError, TypeError)):
        blocks.Context.from_json(text)


def test_a_chain_of_ones_own():
    """Parameters are a network's; what they change is what is checked."""
    mine = blocks.networks["bitcoin-regtest"].replace(name="mine", halving=10, magic=b"mine")
    made = block().build()
    report = blocks.Engine(mine).check_block(made.data, context=as_context(PARENT), now=NOW)
    assert [error.code.name for error in report.errors] == ["COINBASE_VALUE"]
    for wrong in ({"magic": b"abc"}, {"halving": 0}, {"pow_limit": 1 << 256}, {"bip34_height": -1}):
        with pytest.raises(mc.InputError):
            mine.replace(**wrong)
    with pytest.raises(TypeError):
        mine.replace(unknown=1)


def test_well_known_blocks():
    mainnet = blocks.Engine("bitcoin")
    after = mainnet.check_block(GENESIS, context=blocks.Context.genesis(), now=1231006505).next_context
    assert (after.height, after.bits, after.chainwork) == (0, 0x1D00FFFF, (1 << 32) + (1 << 16) + 1)
    report = mainnet.check_block(early()[1][1], context=after, now=1231469665)
    assert report.ok
    assert set(report.unchecked) == STATE
    assert mainnet.check_block(early()[1][1], context=after, now=1231469665 - 7201).errors[0].code.name == (
        "TIME_TOO_NEW"
    )
    assert EASY == 0x207FFFFF
