"""Parameters of networks: values, checked, and passed on to the backend."""

import pickle

import numpy as np
import pytest

import merklecore as mc
from merklecore import blocks
from tests.blocks.builder import SIGNET
from tests.blocks.real import GENESIS

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


def test_an_engine_by_name_and_by_params(engine):
    params = blocks.networks["bitcoin"]
    assert engine("bitcoin").params is engine(params).params is params
    assert repr(engine("bitcoin")) == "Engine('bitcoin')"
    mine = params.replace(name="mine", bip34_height=0)
    context = blocks.Context.genesis()
    assert engine("bitcoin").check_block(GENESIS, context=context).ok
    codes = [fault.code.name for fault in engine(mine).check_block(GENESIS, context=context).errors]
    assert codes == ["VERSION", "COINBASE_HEIGHT"]
