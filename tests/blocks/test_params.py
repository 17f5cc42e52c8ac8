"""Parameters of networks: values, checked, and passed on to the backend."""

import pickle
import struct

import numpy as np
import pytest

import merklecore as mc
from merklecore import blocks
from tests.blocks.builder import SIGNET
from tests.blocks.real import GENESIS

pytestmark = pytest.mark.any_kernel

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
        ("genesis_hash", "00", TypeError),
        ("genesis_hash", bytes(31), mc.InputError),
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


def test_a_signet_of_ones_own():
    """The magic comes from the challenge (Core, SigNetParams), unless one is named beside it."""
    mine = PARAMS.replace(name="mine", signet_challenge=bytearray(b"\x51"))
    assert mine.magic == blocks.signet_magic(b"\x51") == mc.sha256d(b"\x01\x51")[:4]
    assert mine.genesis_hash == PARAMS.genesis_hash
    assert mine.replace(signet_challenge=PARAMS.signet_challenge).magic == PARAMS.magic
    assert PARAMS.replace(magic=b"mine").magic == b"mine"
    assert PARAMS.replace(magic=b"mine", signet_challenge=b"\x51").magic == b"mine"
    assert mine.replace(signet_challenge=None).magic == mine.magic
    regtest = blocks.networks["bitcoin-regtest"]
    assert regtest.replace(signet_challenge=b"\x51").magic == mine.magic
    assert regtest.replace(signet_challenge=None) == regtest


@pytest.mark.parametrize(
    ("name", "time", "bits", "nonce", "root"),
    [
        ("bitcoin", 1231006505, 0x1D00FFFF, 2083236893, None),
        ("bitcoin-testnet3", 1296688602, 0x1D00FFFF, 414098458, None),
        (
            *("bitcoin-testnet4", 1714777860, 0x1D00FFFF, 393743547),
            "7aa0a7ae1e223414cb807e40cd57e667b718e42aaf9306db9102fe28912b7b4e",
        ),
        ("bitcoin-signet", 1598918400, 0x1E0377AE, 52613770, None),
    ],
)
def test_first_blocks(engine, name, time, bits, nonce, root):
    """As in kernel/chainparams.cpp of Bitcoin Core; another one is a fault, on regtest alone it is none."""
    merkle = bytes.fromhex(root)[::-1] if root else GENESIS[36:68]
    header = struct.pack("<i32s32sIII", 1, bytes(32), merkle, time, bits, nonce)
    assert blocks.networks[name].genesis_hash == mc.sha256d(header)
    assert engine(name).check_headers(header).ok
    other = header[:-4] + bytes(4)
    assert engine(name).check_headers(other).codes.tolist() == [blocks.Code.GENESIS]
    assert engine(name).check_block(other).errors[1].code is blocks.Code.GENESIS
    assert blocks.Code.GENESIS not in engine("bitcoin-regtest").check_headers(other).codes


def test_an_engine_by_name_and_by_params(engine):
    params = blocks.networks["bitcoin"]
    assert engine("bitcoin").params is engine(params).params is params
    assert repr(engine("bitcoin")) == "Engine('bitcoin')"
    mine = params.replace(name="mine", bip34_height=0)
    context = blocks.Context.genesis()
    assert engine("bitcoin").check_block(GENESIS, context=context).ok
    codes = [fault.code.name for fault in engine(mine).check_block(GENESIS, context=context).errors]
    assert codes == ["VERSION", "COINBASE_HEIGHT"]
