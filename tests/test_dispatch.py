"""Which kernel serves: the order of the table, what the environment takes away or forces; equal digests."""

import json
import os
from itertools import combinations
from pathlib import Path

import pytest

import merklecore as mc
from merklecore import _native
from tests.processes import output
from tests.shapes import KERNELS

pytestmark = [pytest.mark.native_only, pytest.mark.any_kernel]

CPUINFO = Path("/proc/cpuinfo")
FEATURES = [name for name in _native.cpu_info()["features"] if name != "portable"]
MASKS = [",".join(mask) for k in range(len(FEATURES) + 1) for mask in combinations(FEATURES, k)]

# Counts around each width in every shape, and roots: all digests in one, and what the process says of itself.
WORK = """
import hashlib, json
import merklecore as mc

data = bytes(i * 73 + (i >> 7) & 255 for i in range(70 * 128))
total = hashlib.sha256()
for algorithm in mc.algorithms():
    d = len(mc.digest(b"", algorithm))
    for prefix in (b"", bytes([1]), b"abc"):
        for n in (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 33, 70):
            pairs, lists = data[: 2 * d * n], [data[i : i * i] for i in range(n)]
            equal = [data[:300]] * n
            for function, source in (mc.hash_pairs, pairs), (mc.hash_many, lists), (mc.hash_many, equal):
                total.update(function(source, algorithm, prefix=prefix, out=bytearray(d * n)))
leaves = [data[i : i + 32] for i in range(5000)]
for profile in mc.profiles.values():
    few = 300 if profile.algorithm == "keccak256" else None  # the reference has it in plain Python
    total.update(mc.merkle_root(leaves[:few], profile))
print(json.dumps([total.hexdigest(), mc.cpu_info()]))
"""


@pytest.fixture(scope="module")
def expected():
    """The digest that the reference gets."""
    return json.loads(output(WORK, MERKLECORE_BACKEND="reference"))[0]


@pytest.fixture(scope="module")
def kernels():
    """Of each algorithm and shape, where nothing is masked."""
    return json.loads(output(WORK, MERKLECORE_BACKEND="native"))[1]["kernels"]


def order(masked=""):
    """Kernels best first, as the table has them."""
    left = {name for name in FEATURES if name not in masked.split(",")}
    if "avx2" not in left:
        left -= {"avx512"}  # it stands on AVX2
    return [name for name in ("avx512", "shani", "avx2") if name in left] + ["portable"]


@pytest.mark.skipif(not CPUINFO.exists(), reason="this system does not tell of its CPU in /proc")
@pytest.mark.skipif("MERKLECORE_PORTABLE" in os.environ, reason="a portable build looks for nothing")
def test_the_features_are_those_that_the_system_lists():
    """It leaves out what it does not save the registers of, as the core must."""
    lines = [line.partition(":") for line in CPUINFO.read_text().split("\n\n")[0].splitlines()]
    about = {key.strip(): value.strip() for key, _, value in lines}
    flags = set(about.get("flags", "").split())
    has = {
        "avx512": {"avx2", "avx512f", "avx512bw", "avx512vl"} <= flags,
        "shani": {"sha_ni", "ssse3", "sse4_1"} <= flags,
        "avx2": {"avx", "avx2"} <= flags,
    }
    amd = about.get("vendor_id") == "AuthenticAMD" and int(about["cpu family"]) >= 0x19
    has["fastsha"] = amd and has["avx2"] and has["shani"]
    assert [name for name in has if has[name]] == FEATURES


@pytest.mark.parametrize("algorithm", ["sha256", "sha256d"])
def test_the_order_of_the_table(kernels, algorithm):
    assert set(kernels) == set(mc.algorithms())
    assert kernels[algorithm] == dict.fromkeys(("node", "prefixed node", "messages"), order())


@pytest.mark.slow
@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: mask or "nothing")
def test_masked_features(mask, expected, kernels):
    digest, about = json.loads(output(WORK, MERKLECORE_BACKEND="native", MERKLECORE_DISABLE_CPU=mask))
    assert digest == expected
    assert about["features"] == list(_native.cpu_info()["features"])
    assert set(mask.split(",")) - {""} <= set(about["disabled"])
    for algorithm, shapes in kernels.items():
        for shape, names in shapes.items():
            left = [name for name in order(mask) if name in names]
            assert about["kernels"][algorithm][shape] == left
            assert about["chosen"][algorithm][shape] == left[0]


@pytest.mark.parametrize(("algorithm", "kernel"), KERNELS)
def test_a_forced_kernel(algorithm, kernel, expected, kernels):
    """It serves every shape and count of its algorithm, and no other one; the rest can still be named."""
    digest, about = json.loads(
        output(WORK, MERKLECORE_BACKEND="native", MERKLECORE_KERNEL=f"{algorithm}:{kernel}")
    )
    assert digest == expected
    assert about["kernels"] == kernels
    for name, shapes in kernels.items():
        for shape, names in shapes.items():
            assert about["chosen"][name][shape] == (kernel if name == algorithm else names[0])


def test_masks_and_forced_kernels_together(expected):
    """Spaces and empty names do no harm."""
    mask = " , ".join(["", *FEATURES, ""])
    forced = ",".join(f" {name}:portable " for name in mc.algorithms())
    digest, about = json.loads(
        output(WORK, MERKLECORE_BACKEND="native", MERKLECORE_DISABLE_CPU=mask, MERKLECORE_KERNEL=forced)
    )
    assert digest == expected
    assert set(about["disabled"]) == set(FEATURES)
    for named in (about["chosen"], about["kernels"]):
        assert json.dumps(named).count("portable") == 3 * len(mc.algorithms())
        assert not [name for name in FEATURES if name in json.dumps(named)]
