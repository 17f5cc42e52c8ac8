"""The order in which OpenZeppelin's library builds a tree."""

import numpy as np
import pytest

import merklecore as mc
from tests.oracles import HASHES
from tests.shapes import noise


def hashed(leaf):
    return HASHES["keccak256"](HASHES["keccak256"](leaf))


def test_ascending_by_leaf_hash():
    for n in (0, 1, 2, 3, 100, 3000):
        leaves = [noise(i % 90, i) for i in range(n)]
        order = mc.openzeppelin_order(leaves)
        assert (order.dtype, order.shape) == (np.dtype(np.int64), (n,))
        assert order.tolist() == sorted(range(n), key=lambda i: hashed(leaves[i]))


def test_equal_leaves_stay_in_order():
    leaves = [b"leaf %d" % (i % 7) for i in range(200)]
    order = mc.openzeppelin_order(leaves).tolist()
    assert order == sorted(range(200), key=lambda i: hashed(leaves[i]))  # sorted is stable
    assert mc.openzeppelin_order([b"same"] * 50).tolist() == list(range(50))


@pytest.mark.parametrize("same", range(0, 32, 3))
def test_hashes_that_begin_alike(same):
    """Leaves as they are: bytes decide from the first to the last, as numbers without a sign."""
    leaves = [noise(32)[:same] + noise(32 - same, i) for i in range(300)]
    order = mc.openzeppelin_order(leaves, "openzeppelin-simple")
    assert order.tolist() == sorted(range(300), key=lambda i: leaves[i])
    array = np.frombuffer(b"".join(leaves), np.uint8).reshape(-1, 32)
    assert (mc.openzeppelin_order(array, "openzeppelin-simple") == order).all()
    assert (mc.openzeppelin_order(b"".join(leaves), "openzeppelin-simple") == order).all()


def test_any_profile_and_any_digest():
    leaves = [noise(20, i) for i in range(50)]
    profile = mc.Profile("mine", "sha512", leaf_prefix=b"leaf")
    order = mc.openzeppelin_order(leaves, profile)
    assert order.tolist() == sorted(range(50), key=lambda i: HASHES["sha512"](b"leaf" + leaves[i]))


def test_refusals():
    with pytest.raises(mc.InputError, match=r"^leaves\[1\]: 31 bytes where 32 are needed"):
        mc.openzeppelin_order([bytes(32), bytes(31)], "openzeppelin-simple")
    with pytest.raises(TypeError):
        mc.openzeppelin_order(5)
    with pytest.raises(TypeError):
        mc.openzeppelin_order([b"a", "b"])
    with pytest.raises(mc.InputError, match="profile 'oz' is none of"):
        mc.openzeppelin_order([b"a"], "oz")
