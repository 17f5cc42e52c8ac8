"""Which backend serves, and what the environment may ask for. Each case in a process of its own."""

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import merklecore as mc
from merklecore import _backend, _native, reference

pytestmark = pytest.mark.any_kernel

ROOT = Path(mc.__file__).parents[1]


def chosen(root=ROOT, **variables):
    """The backend's name, or the last line of what is raised."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MERKLECORE_")}
    kept["PYTHONPATH"] = str(root)  # the package there, whichever one this process has
    code = "from merklecore import _backend; print(_backend.NAME, end='')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=kept | {f"MERKLECORE_{name}": value for name, value in variables.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout or done.stderr.strip().splitlines()[-1]


def without_extension(tmp_path):
    ignored = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    shutil.copytree(ROOT / "merklecore", tmp_path / "merklecore", ignore=ignored)
    return tmp_path


def test_native_serves_where_it_is_built():
    assert chosen() == "native"
    assert chosen(BACKEND="native") == "native"
    assert chosen(BACKEND="reference") == "reference"


def test_reference_serves_where_it_is_not(tmp_path):
    root = without_extension(tmp_path)
    assert chosen(root) == "reference"
    assert chosen(root, BACKEND="reference") == "reference"
    assert "BackendError: MERKLECORE_BACKEND: the native backend is not built" in chosen(
        root, BACKEND="native"
    )


def test_a_broken_build_is_not_hidden(tmp_path):
    root = without_extension(tmp_path)
    (root / "merklecore/_native" / f"blocks{EXTENSION_SUFFIXES[0]}").write_bytes(b"no library")
    assert chosen(root).startswith("ImportError")


def test_half_a_build_is_not_hidden(tmp_path):
    root = without_extension(tmp_path)
    (root / "merklecore/_native" / f"merkle{EXTENSION_SUFFIXES[0]}").write_bytes(b"no library")
    assert chosen(root).startswith("ModuleNotFoundError")


def test_an_unknown_backend_is_fatal():
    assert chosen(BACKEND="fast").endswith(
        "BackendError: MERKLECORE_BACKEND: 'fast' is none of native, reference"
    )


@pytest.mark.parametrize("name", ["native", "reference"])
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DISABLE_CPU", "avx512,mmx", "MERKLECORE_DISABLE_CPU: 'mmx' is none of avx512, shani, avx2"),
        ("DISABLE_CPU", "portable", "'portable' is none of"),
        ("KERNEL", "sha256:quantum", "kernel 'quantum' is n"),
        ("KERNEL", "sha256", "'sha256' is not ALGORITHM:KERNEL with one of sha256, sha256d"),
        ("KERNEL", "md5:portable", "'md5:portable' is not ALGORITHM:KERNEL with one of sha256, sha256d"),
    ],
)
def test_what_is_unknown_is_fatal(name, variable, value, said):
    last = chosen(BACKEND=name, **{variable: value})
    assert last.startswith("merklecore.errors.BackendError: ")
    assert said in last


@pytest.mark.parametrize("name", ["native", "reference"])
def test_what_is_known_is_not(name):
    kernel = {"native": "sha256:portable, sha256d:portable", "reference": "sha256:python"}[name]
    assert chosen(BACKEND=name, KERNEL=kernel, DISABLE_CPU="avx512, shani,avx2,fastsha,") == name


def test_a_masked_kernel_cannot_be_forced():
    assert "not usable here" in chosen(BACKEND="native", DISABLE_CPU="avx2", KERNEL="sha256:avx2")
    assert "not usable here" in chosen(BACKEND="reference", KERNEL="sha256:avx2")


def test_both_backends_keep_one_contract():
    assert set(_native.__all__) == set(reference.__all__) - {"check_environment"}
    assert set(_backend.__all__) == set(_native.__all__)
    assert _native.DIGEST_SIZES == reference.DIGEST_SIZES
    assert list(_native.DIGEST_SIZES) == list(reference.DIGEST_SIZES) == list(mc.algorithms())


def test_the_algorithms_and_their_order():
    assert mc.algorithms() == (
        *("sha256", "sha256d", "sha512", "sha3_256", "keccak256", "sm3", "blake3", "blake2b_256"),
    )
    assert dict.fromkeys(mc.algorithms(), 32) | {"sha512": 64} == reference.DIGEST_SIZES


def test_each_says_what_it_runs_on(backend):
    about = backend.cpu_info()
    assert about["backend"] == backend.NAME
    assert set(about) == {
        *("backend", "cpu", "features", "disabled", "kernels", "chosen", "failed", "threads"),
    }
    assert about["failed"] == ()
    assert about["threads"] >= 1
    for algorithm in backend.DIGEST_SIZES:
        usable = backend.kernels(algorithm)
        assert usable
        assert set(about["kernels"][algorithm]) == {"node", "prefixed node", "messages"}
        for shape, kernel in about["chosen"][algorithm].items():
            assert kernel in about["kernels"][algorithm][shape]
            assert set(about["kernels"][algorithm][shape]) <= set(usable)


def test_each_measures_every_kernel_of_every_shape(backend):
    kernels = backend.cpu_info()["kernels"]["sha256d"]
    rows = backend.measure("sha256d")
    assert [(row["shape"], row["kernel"]) for row in rows] == [(s, k) for s in kernels for k in kernels[s]]
    assert all(row["algorithm"] == "sha256d" and 0 < row["ns"] < 1e7 for row in rows)
    assert {row["algorithm"] for row in backend.measure()} == set(backend.DIGEST_SIZES)
    with pytest.raises(mc.InputError, match="algorithm 'md5' is none of"):
        backend.measure("md5")
    with pytest.raises(mc.InputError, match="algorithm 'md5' is none of"):
        backend.kernels("md5")
