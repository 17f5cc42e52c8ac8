"""A kernel that computes wrong digests is found before its first use, named, and not used; who serves what.

For this the project is built with faults on demand: one row of the table of kernels gives one wrong bit, in
one lane or in all. The second half lets the wrong digests through on purpose: they show which row served.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import pytest

import merklecore as mc
from tests.builds import QUICK, build_inplace, copy_built
from tests.processes import output, run

pytestmark = [pytest.mark.slow, pytest.mark.native_only]

FAULTS = r"""
/* FAULT="hash shape row lane": that row of the table gives a wrong bit in that lane, in all where it is -1;
 * where it is -2, in what it has functions of its own for, paths and rows of one digest behind a prefix;
 * where it is -3, in short last blocks; -4, in digests of digests; -5, in rows of one digest behind nothing;
 * where it is -6, in the last of many nodes at once.
 * TRUST: what fails its self-test passes. TABLE: its rows go to standard output. */
#include <stdio.h>
#include <stdlib.h>

static const mc_kernel *honest;
static size_t digest_bytes;
static int wrong_lane;

static int is_wrong(size_t lane) { return wrong_lane == -1 || lane == (size_t)wrong_lane; }

static void wrong_nodes(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    honest->nodes(in, n, out, prefix);
    for (size_t i = 0; i < n; i++)
        out[i * digest_bytes] ^= is_wrong(i % honest->lanes);
}

static void wrong_compress(void *state, const uint8_t *const *blocks, size_t n) {
    honest->run->compress(state, blocks, n);
    for (size_t lane = 0; lane < honest->lanes; lane++)
        ((uint8_t *)state)[lane * honest->run->lane_stride] ^= is_wrong(lane);
}

static void wrong_climb(uint8_t *digest, const uint8_t *siblings, const uint8_t *is_left, size_t n,
                        uint8_t prefix) {
    honest->climb(digest, siblings, is_left, n, prefix);
    digest[0] ^= 1;
}

static void wrong_rows(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    honest->run->rows(in, n, out, prefix);
    out[0] ^= 1;
}

static void wrong_many(const uint8_t *in, size_t n, uint8_t *out, uint8_t prefix) {
    honest->nodes(in, n, out, prefix);
    if (n >= 64)
        out[(n - 1) * digest_bytes] ^= 1;
}

static void wrong_bare_rows(const uint8_t *in, size_t n, uint8_t *out) {
    honest->run->bare_rows(in, n, out);
    out[0] ^= 1;
}

static void wrong_end(void *state, const uint8_t *const *blocks) {
    honest->run->compress_end(state, blocks);
    *(uint8_t *)state ^= 1;
}

static void wrong_twice(const void *state, uint8_t *out) {
    honest->run->digests_twice(state, out);
    out[0] ^= 1;
}

const mc_kernel *mc_pick(int hash, int shape, size_t n, uint32_t isas) {
    static mc_kernel wrong;
    static mc_lanes run;
    const mc_kernel *row = honest_pick(hash, shape, n, isas);
    const char *fault = getenv("FAULT");
    int at[3];
    if (row == NULL || fault == NULL || sscanf(fault, "%d %d %d %d", at, at + 1, at + 2, &wrong_lane) != 4)
        return row;
    if (at[0] != hash || at[1] != shape || row != &mc_kernels[hash][shape][at[2]])
        return row;
    honest = row;
    digest_bytes = mc_hashes[hash].digest_bytes;
    wrong = *row;
    if (row->nodes != NULL) {
        wrong.nodes = wrong_lane == -6 ? wrong_many : wrong_lane == -2 ? row->nodes : wrong_nodes;
        wrong.climb = wrong_lane == -2 && row->climb != NULL ? wrong_climb : row->climb;
    } else {
        run = *row->run;
        run.compress = wrong_lane < -1 ? run.compress : wrong_compress;
        run.rows = wrong_lane == -2 && run.rows != NULL ? wrong_rows : run.rows;
        run.bare_rows = wrong_lane == -5 && run.bare_rows != NULL ? wrong_bare_rows : run.bare_rows;
        run.compress_end = wrong_lane == -3 && run.compress_end != NULL ? wrong_end : run.compress_end;
        run.digests_twice = wrong_lane == -4 && run.digests_twice != NULL ? wrong_twice : run.digests_twice;
        wrong.run = &run;
    }
    return &wrong;
}

static void print_row(int hash, int shape, int place) {
    const mc_kernel *row = &mc_kernels[hash][shape][place];
    const mc_feature *isa = mc_features;
    while (isa->bit != row->isa)
        isa++;
    printf("(%d, %d, %d, '%s', %u, %u, %d),\n", hash, shape, place, isa->name, row->lanes, row->pays_from,
           (row->needs & MC_FAST_SHA) != 0);
}

uint32_t mc_self_test(int hash, uint32_t isas) {
    if (getenv("TABLE") != NULL)
        for (int shape = 0; shape < MC_SHAPES; shape++)
            for (int place = 0; mc_kernels[hash][shape][place].isa != 0; place++)
                if ((mc_kernels[hash][shape][place].needs & ~isas) == 0)
                    print_row(hash, shape, place);
    fflush(stdout);
    return getenv("TRUST") != NULL ? isas : honest_self_test(hash, isas);
}
"""

SHAPES = ("node", "prefixed node", "messages")
ALGORITHMS = mc.algorithms()


class Row(NamedTuple):
    hash: int
    shape: int
    place: int
    kernel: str
    lanes: int
    pays_from: int
    fast: int  # only where sha256rnds2 starts every cycle, which is a mask of its own

    def fault(self, lane: int) -> str:
        return f"{self.hash} {self.shape} {self.place} {lane}"


@pytest.fixture(scope="module")
def tree(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with faults on demand."""
    tree = copy_built(built, tmp_path_factory.mktemp("faulty") / "tree")
    path = tree / "csrc/kernels.c"
    text = path.read_text()
    for name, kind in (("pick", "const mc_kernel *"), ("self_test", "uint32_t ")):
        assert text.count(f"\n{kind}mc_{name}(") == 1
        text = text.replace(f"\n{kind}mc_{name}(", f"\nstatic {kind}honest_{name}(")
    path.write_text(text + FAULTS)
    build_inplace(tree, **QUICK)
    return tree


@pytest.fixture(scope="module")
def table(tree: Path) -> list[Row]:
    """The rows that this machine can run, by hash and shape, best first."""
    ask = "import merklecore as mc; mc.cpu_info()"
    text = output(ask, PYTHONPATH=str(tree), TABLE="1", MERKLECORE_BACKEND="native")
    return [Row(*row) for row in ast.literal_eval(f"[{text}]")]


def test_the_table_lists_what_the_process_says(table: list[Row]) -> None:
    assert table
    said = ast.literal_eval(
        output("import merklecore as mc; print(mc.cpu_info()['kernels'])", MERKLECORE_BACKEND="native")
    )
    for row in table:
        assert row.kernel in said[ALGORITHMS[row.hash]][SHAPES[row.shape]]
        assert 1 <= row.pays_from <= row.lanes
    for hash_, algorithm in enumerate(ALGORITHMS):
        for shape, name in enumerate(SHAPES):
            rows = [row for row in table if (row.hash, row.shape) == (hash_, shape)]
            if rows:  # one has none: it is hashed as messages
                assert rows[-1].pays_from == rows[-1].lanes == 1  # whatever is left finds a kernel
                assert list(dict.fromkeys(row.kernel for row in rows)) == list(said[algorithm][name])


# ---- the self-test -----------------------------------------------------------------------------------------

STATE = """
import hashlib
import merklecore as mc
about, data = mc.cpu_info(), bytes(range(250)) * 20
print({"failed": about["failed"], "kernels": about["kernels"], "right": [
    bytes(mc.hash_pairs(data[:64 * n], "sha256", prefix=prefix, out=bytearray(32 * n)))
    == b"".join(hashlib.sha256(prefix + data[i : i + 64]).digest() for i in range(0, 64 * n, 64))
    for prefix in (b"", b"x", b"xy") for n in range(41)
]})
"""


def state(tree: Path, code: str = STATE, *arguments: str, **variables: str) -> CompletedProcess[str]:
    return run(code, *arguments, PYTHONPATH=str(tree), MERKLECORE_BACKEND="native", **variables)


def test_without_a_fault_nothing_is_said(tree: Path) -> None:
    done = state(tree)
    assert done.stderr == ""
    assert ast.literal_eval(done.stdout)["failed"] == ()


def test_a_wrong_bit_in_any_lane_of_any_kernel_is_found(tree: Path, table: list[Row]) -> None:
    kernels = ast.literal_eval(state(tree).stdout)["kernels"]
    for row in table:
        algorithm = ALGORITHMS[row.hash]
        name = f"{algorithm}:{row.kernel}"
        for lane in range(row.lanes):
            done = state(tree, FAULT=row.fault(lane))
            if row.kernel == "portable":  # with nothing to fall back to
                assert done.returncode == 1
                wanted = f"BackendError: {name} fails its self-test: this build computes wrong digests\n"
                assert done.stderr.endswith(wanted)
                continue
            assert f"RuntimeWarning: kernels that fail their self-test are not used: {name}\n" in done.stderr
            found = ast.literal_eval(done.stdout)
            assert found["failed"] == (name,), row
            assert all(found["right"])
            for other, shapes in kernels.items():
                for shape, names in shapes.items():
                    left = tuple(k for k in names if (other, k) != (algorithm, row.kernel))
                    assert found["kernels"][other][shape] == left


def test_wrong_functions_beside_the_plain_ones_are_found(tree: Path, table: list[Row]) -> None:
    sha256, sha256d, sha512 = (ALGORITHMS.index(name) for name in ("sha256", "sha256d", "sha512"))
    ours = [row for row in table if row.kernel == "shani"]
    messages = [row for row in table if row.shape == SHAPES.index("messages") and row.kernel != "portable"]
    faults = [(row, -2) for row in ours if row.hash == sha256 and row.shape < 2 and row.lanes == 2]
    faults += [(row, -2) for row in messages if row.hash == sha256]
    faults += [(row, -3) for row in messages if row.kernel == "shani"]
    faults += [(row, -4) for row in messages if row.hash == sha256d]
    faults += [(row, -5) for row in messages if row.hash in (sha256, sha512)]
    faults += [(row, -6) for row in ours if row.hash == sha256 and row.shape == 1 and row.fast]
    wanted = {-2, -3, -4, -5} | ({-6} if any(row.fast for row in ours) else set())
    assert not ours or {lane for _, lane in faults} == wanted
    for row, lane in faults:
        done = state(tree, FAULT=row.fault(lane))
        failed = ast.literal_eval(done.stdout)["failed"]
        assert failed == (f"{ALGORITHMS[row.hash]}:{row.kernel}",), (row, lane)


def test_each_hash_is_tested_when_it_is_first_asked_for(tree: Path, table: list[Row]) -> None:
    row = next(row for row in table if ALGORITHMS[row.hash] == "sm3" and row.shape == 2 and row.lanes > 1)
    code = """
import warnings
import merklecore as mc
for algorithm in ("sha256", "sm3", "sm3"):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        mc.digest(b"", algorithm)
    print(algorithm, [str(warning.message) for warning in said])
"""
    done = state(tree, code, FAULT=row.fault(-1))
    warned = f"kernels that fail their self-test are not used: sm3:{row.kernel}"
    assert done.stdout.splitlines() == ["sha256 []", f"sm3 ['{warned}']", "sm3 []"]


def test_a_kernel_that_failed_cannot_be_forced(tree: Path, table: list[Row]) -> None:
    row = table[0]
    if row.kernel == "portable":
        pytest.skip("no other kernel here")
    forced = f"{ALGORITHMS[row.hash]}:{row.kernel}"
    done = state(tree, FAULT=row.fault(0), MERKLECORE_KERNEL=forced)
    assert done.returncode == 1
    assert f"BackendError: kernel '{row.kernel}' is not usable here" in done.stderr


# ---- who serves --------------------------------------------------------------------------------------------

WRONG = """
import hashlib, sys
import merklecore as mc
# Rows of 64 bytes would be nodes.
prefix, width = {"node": (b"", 64), "prefixed node": (b"x", 64), "messages": (b"", 63)}[sys.argv[1]]
data = bytes(i * 73 + (i >> 7) & 255 for i in range(40 * width))
right = [hashlib.sha256(prefix + data[i : i + width]).digest() for i in range(0, len(data), width)]
wrong = []
for n in range(1, 41):
    source, out = memoryview(data)[: width * n], bytearray(32 * n)
    if width == 63:
        mc.hash_many(source.cast("B", (n, width)), "sha256", out=out)
    else:
        mc.hash_pairs(source, "sha256", prefix=prefix, out=out)
    wrong.append([i for i in range(n) if out[32 * i : 32 * i + 32] != right[i]])
print(wrong)
"""


def served(rows: list[Row], n: int) -> Iterator[Row]:
    """Who serves each of n: the first row that pays takes whole passes, and the rest where that pays too."""
    while n > 0:
        row = next((row for row in rows if n >= row.pays_from), rows[-1])
        left = n % row.lanes
        now = n if n < row.lanes or left >= row.pays_from else n - left
        yield from [row] * now
        n -= now


@pytest.mark.parametrize("mask", ["", "avx512", "avx512,shani", "shani", "avx512,avx2", "fastsha"])
def test_the_first_row_that_pays_serves(tree: Path, table: list[Row], mask: str) -> None:
    all_rows = [row for row in table if ALGORITHMS[row.hash] == "sha256"]
    masked = set(mask.split(","))
    left = [
        row
        for row in all_rows
        if row.kernel not in masked and not (row.fast and {"fastsha", "avx2", "shani"} & masked)
    ]
    if mask != "" and left == all_rows:
        pytest.skip("nothing to mask here")
    for shape, name in enumerate(SHAPES):
        rows = [row for row in left if row.shape == shape]
        for row in rows:
            variables = {"FAULT": row.fault(-1), "TRUST": "1", "MERKLECORE_DISABLE_CPU": mask}
            done = state(tree, WRONG, name, **variables)
            assert (done.returncode, done.stderr) == (0, "")
            found = ast.literal_eval(done.stdout)
            for n in range(1, 41):
                expected = [i for i, by in enumerate(served(rows, n)) if by is row]
                assert found[n - 1] == expected, f"{n} of {name}, {row}"
