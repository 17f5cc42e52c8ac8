"""Engine and Params: arguments, and what stands between the caller and a backend."""

import mmap
import pickle

import numpy as np
import pytest

import merklecore as mc
from merklecore import blocks
from merklecore.tree import MerkleTree
from tests.blocks.builder import MAINNET, REGTEST, SIGNET, TESTNET3, TESTNET4, chain
from tests.blocks.real import GENESIS

NETWORKS = {
    "bitcoin": MAINNET,
    "bitcoin-testnet3": TESTNET3,
    "bitcoin-testnet4": TESTNET4,
    "bitcoin-signet": SIGNET,
    "bitcoin-regtest": REGTEST,
}
CHAIN = chain(12)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_networks_are_the_known_ones(name):
    assert tuple(blocks.networks) == tuple(NETWORKS)
    params = blocks.networks[name]
    assert params.name == name
    for field, value in NETWORKS[name]._asdict().items():
        assert getattr(params, field) == value, field
    with pytest.raises(TypeError):
        blocks.networks["mine"] = params


def test_the_context_of_a_chain_goes_from_report_to_report(engine):
    eng, context = engine("bitcoin-regtest"), blocks.Context.genesis()
    for height, built in enumerate(CHAIN):
        report = eng.check_block(built.data, context=context, now=2_000_000_000)
        assert report.ok, report.errors
        context = report.next_context
        assert context.height == height
        assert context == blocks.Context.from_json(context.to_json())
    heads = eng.check_headers([one.data[:80] for one in CHAIN], context=blocks.Context.genesis())
    assert heads.next_context == context


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)])
def test_bytes_of_every_kind(engine, kind):
    data = CHAIN[5].data
    eng = engine("bitcoin-regtest")
    assert eng.check_block(kind(data)).to_json() == eng.check_block(data).to_json()
    assert (eng.tx_table(kind(data)) == eng.tx_table(data)).all()
    assert [row.tobytes() for row in eng.txids(kind(data))] == CHAIN[5].txids
    assert eng.prove(kind(data), 1) == eng.prove(data, 1)


def test_a_map_of_a_file(engine, tmp_path):
    path = tmp_path / "headers"
    path.write_bytes(b"".join(one.data[:80] for one in CHAIN))
    eng = engine("bitcoin-regtest")
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        heads = eng.check_headers(mapped, context=blocks.Context.genesis())
        assert heads.ok
        assert len(heads.codes) == 12
    rows = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 80)
    assert (eng.check_headers(rows).hashes == heads.hashes).all()


def test_what_is_no_block(engine):
    eng = engine("bitcoin")
    for call in (eng.check_block, eng.tx_table, eng.txids, lambda data: eng.prove(data, 0)):
        with pytest.raises(TypeError, match="block: a bytes-like object is needed, not str"):
            call("00" * 81)
        with pytest.raises(TypeError):
            call(None)
        with pytest.raises(mc.InputError, match="contiguous"):
            call(np.zeros((200, 2), np.uint8)[:, 0])
    for call in (eng.tx_table, eng.txids, lambda data: eng.prove(data, 0)):
        with pytest.raises(mc.InputError, match=r"block: cannot be read on from offset 80 \(code 6\)"):
            call(bytes(80) + b"\x05")


@pytest.mark.parametrize("bad", [bytes(81), [bytes(79)], np.zeros((2, 79), np.uint8), [b""]])
def test_headers_of_another_width(engine, bad):
    with pytest.raises(mc.InputError, match="80"):
        engine("bitcoin").check_headers(bad)


def test_arguments(engine):
    eng = engine("bitcoin")
    for method in (eng.check_block, eng.check_headers):
        for context in (1, (0, bytes(32), (), None, None, 0, None, None), "genesis"):
            with pytest.raises(TypeError, match="context: a Context is needed"):
                method(bytes(80), context=context)
        for now in (True, 1.0, "1"):
            with pytest.raises(TypeError, match="now: an integer is needed"):
                method(bytes(80), now=now)
        for now in (-1, 1 << 63, 1 << 5000):
            with pytest.raises(mc.InputError, match="now: "):
                method(bytes(80), now=now)
        method(bytes(80), now=np.int64(5))
    with pytest.raises(mc.InputError, match="chain 'dogecoin' is none of bitcoin, bitcoin-testnet3"):
        engine("dogecoin")
    with pytest.raises(TypeError, match="chain: a name or Params are needed, not int"):
        engine(5)
    for threads in (0, 1025, -1):
        with pytest.raises(mc.InputError, match="threads"):
            engine("bitcoin", threads=threads)
    for threads in (True, 1.0, "2"):
        with pytest.raises(TypeError, match="threads: an integer is needed"):
            engine("bitcoin", threads=threads)


def test_an_engine_by_name_and_by_params(engine):
    params = blocks.networks["bitcoin"]
    assert engine("bitcoin").params is engine(params).params is params
    assert repr(engine("bitcoin")) == "Engine('bitcoin')"
    mine = params.replace(name="mine", bip34_height=0)
    context = blocks.Context.genesis()
    assert engine("bitcoin").check_block(GENESIS, context=context).ok
    codes = [fault.code.name for fault in engine(mine).check_block(GENESIS, context=context).errors]
    assert codes == ["VERSION", "COINBASE_HEIGHT"]


PARAMS = blocks.networks["bitcoin-signet"]


def test_params_are_values():
    assert PARAMS == PARAMS.replace() == pickle.loads(pickle.dumps(PARAMS))
    assert len({PARAMS, PARAMS.replace(), PARAMS.replace(halving=1)}) == 2
    with pytest.raises(AttributeError):
        PARAMS.halving = 1
    kept = PARAMS.replace(magic=bytearray(b"abcd"), csv_height=np.int16(3), signet_challenge=memoryview(b"x"))
    assert (kept.magic, kept.csv_height, kept.signet_challenge) == (b"abcd", 3, b"x")
    assert hash(kept) == hash(pickle.loads(pickle.dumps(kept)))


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("name", 5, TypeError),
        ("pow_limit", 0, mc.InputError),
        ("pow_limit", 1 << 256, mc.InputError),
        ("pow_limit", 1.0, TypeError),
        ("magic", b"abc", mc.InputError),
        ("magic", bytes(4), mc.InputError),
        ("magic", "abcd", TypeError),
        ("bip34_height", -1, mc.InputError),
        ("segwit_height", 1 << 31, mc.InputError),
        ("csv_height", True, TypeError),
        ("halving", 0, mc.InputError),
        ("twenty_minutes", 1, TypeError),
        ("no_retarget", None, TypeError),
        ("bip94", "yes", TypeError),
        ("signet_challenge", "51", TypeError),
        ("signet_challenge", bytes(10_001), mc.InputError),
        ("subsidy", 5, TypeError),
    ],
)
def test_params_that_cannot_be(field, value, error):
    with pytest.raises(error, match=field):
        PARAMS.replace(**{field: value})


def test_the_magic_of_a_signet():
    assert blocks.signet_magic(SIGNET.signet_challenge) == SIGNET.magic == bytes.fromhex("0a03cf40")
    assert blocks.signet_magic(bytes(300)) == mc.sha256d(b"\xfd\x2c\x01" + bytes(300))[:4]


def test_proofs_hold_for_the_header(engine):
    eng = engine("bitcoin-regtest")
    for built in CHAIN:
        for i, txid in enumerate(built.txids):
            proof = eng.prove(built.data, i)
            proof.verify(built.data[36:68], txid, index=i, size=len(built.txids), profile="bitcoin")
            assert proof == MerkleTree(built.txids, "bitcoin").prove(i)
        with pytest.raises(mc.BoundsError):
            eng.prove(built.data, len(built.txids))
        with pytest.raises(TypeError):
            eng.prove(built.data, True)
    bent = bytearray(CHAIN[5].data)
    bent[36] ^= 1
    with pytest.raises(mc.InputError, match="the transactions have the root"):
        eng.prove(bent, 0)
