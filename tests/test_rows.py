"""No row of a table stands alone: algorithms, kernels and profiles have answers, a twin and benchmarks."""

import hashlib
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import merklecore as mc
from merklecore import _native, reference
from merklecore.reference import machine
from merklecore.tree.profiles import FIELDS
from tests.known_answers import known_answers
from tests.processes import PATIENCE
from tests.shapes import KERNELS
from tests.tree.definitions import DEFINITIONS

pytestmark = [pytest.mark.native_only, pytest.mark.any_kernel]

ROOT = Path(__file__).parents[1]
TWICE = {"sha256d": "sha256"}  # an algorithm that is another one, taken twice
# Modules that serve more than one hash, or any digest size.
STEMS = {"sha3_256": "keccak", "keccak256": "keccak", "blake2b_256": "blake2b"}
# What hashlib lacks is measured beside another library: a ratio to our own Python means nothing.
PEERS = {"keccak256": "safe-pysha3", "blake3": "blake3"}

# A hook that benchmarks/conftest.py answers to. To list benchmarks, pytest-benchmark need not be there.
HOOKS = """
class Hooks:
    @staticmethod
    def pytest_benchmark_update_machine_info(config, machine_info):
        pass

def pytest_addhooks(pluginmanager):
    pluginmanager.add_hookspecs(Hooks)
"""


@pytest.mark.parametrize("algorithm", mc.algorithms())
def test_an_algorithm_has_known_answers_and_a_twin_in_the_reference(algorithm):
    """And one written from the standard, which calls no library: it gives the known answers too."""
    short = [answer for answer in known_answers(algorithm) if answer.size <= 1000]
    assert len(short) >= 5
    assert reference.DIGEST_SIZES[algorithm] == _native.DIGEST_SIZES[algorithm] == len(short[0].digest)
    name = TWICE.get(algorithm, algorithm)
    written = getattr(importlib.import_module(f"merklecore.reference.hashes.{STEMS.get(name, name)}"), name)
    for answer in short:
        digest = written(answer.message())
        assert (written(digest) if algorithm in TWICE else digest) == answer.digest
        assert reference.digest(answer.message(), algorithm) == answer.digest


def test_the_hashes_of_the_reference_are_written_without_a_library():
    for path in (ROOT / "merklecore/reference/hashes").glob("*.py"):
        assert "import hashlib" not in path.read_text()
        assert "from hashlib" not in path.read_text()
    assert set(TWICE) <= set(mc.algorithms())
    assert mc.sha256d(b"abc") == hashlib.sha256(hashlib.sha256(b"abc").digest()).digest()


@pytest.fixture(scope="module")
def benchmarks(tmp_path_factory):
    """The ids of all benchmarks."""
    hooks = tmp_path_factory.mktemp("hooks")
    (hooks / "benchmark_hooks.py").write_text(HOOKS)
    code = f"import sys; sys.path.append({str(hooks)!r}); import pytest; sys.exit(pytest.main())"
    plugins = ["no:benchmark", "benchmark_hooks", "no:cacheprovider"]
    options = ["--collect-only", "-q", *(f"-p{plugin}" for plugin in plugins)]
    done = subprocess.run(
        [sys.executable, "-c", code, "benchmarks", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("algorithm", mc.algorithms())
@pytest.mark.parametrize("file", ["bench_calls", "bench_messages", "bench_nodes"])
def test_an_algorithm_has_benchmarks(benchmarks, algorithm, file):
    """As users call it, against the reference."""
    for means in ("chosen", PEERS.get(algorithm, "reference")):
        assert f"[{algorithm}-{means}-" in ids_of(benchmarks, file), f"{algorithm} is missing in {file}.py"


@pytest.mark.parametrize(("algorithm", "kernel"), KERNELS)
@pytest.mark.parametrize("file", ["bench_messages", "bench_nodes"])
def test_a_kernel_has_benchmarks(benchmarks, algorithm, kernel, file):
    wanted = f"[{algorithm}-kernel-{kernel}-"
    assert wanted in ids_of(benchmarks, file), f"{algorithm} on {kernel} is missing in {file}.py"


@pytest.mark.parametrize("name", mc.profiles)
def test_a_profile_has_a_twin_a_definition_and_a_place_in_the_docs(name):
    """The reference, the recursion from its system's text, and a line in the page on choosing one."""
    leaves = tuple(bytes([i]) * 32 for i in range(5))
    profile = mc.profiles[name]
    fields = [getattr(profile, field) for field in FIELDS[1:]]
    assert reference.root(reference.Spec(*fields), leaves) == DEFINITIONS[name].root(leaves)
    assert mc.merkle_root(leaves, name) == DEFINITIONS[name].root(leaves)
    assert f"| `{name}`" in (ROOT / "docs/profiles.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("profile", mc.profiles)
def test_a_profile_has_benchmarks(benchmarks, profile):
    for means in ("chosen", PEERS.get(mc.profiles[profile].algorithm, "reference")):
        assert f"::test_root[{profile}-{means}]" in benchmarks, f"{profile} is missing in bench_trees.py"


def ids_of(benchmarks, file):
    return "\n".join(line for line in benchmarks.splitlines() if f"/{file}.py::" in line)


def test_every_instruction_set_is_taken_away_in_some_run():
    """Of the masks in the Makefile; the last of them leaves portable C alone."""
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("MASKS :="))
    masks = [set(mask.split(",")) for mask in line.partition(":=")[2].split()]
    table = {feature for feature in machine.FEATURES if feature != "fastsha"}  # an order, not a kernel
    missing = table - set().union(*masks)
    assert not missing, f"no run without {', '.join(missing)}"
    assert masks[-1] == table
    for algorithm, kernel in KERNELS:
        assert kernel in table | {"portable"}, f"{algorithm} on {kernel} is in no masked run"
