"""docs/blocks.md says what the code has; the example runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.blocks import tables
from tests.blocks.builder import chain, framed
from tests.processes import PATIENCE

pytestmark = pytest.mark.any_kernel

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "blocks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "table", [tables.codes, tables.checks, tables.networks], ids=lambda table: table.__name__
)
def test_tables_are_those_of_the_code(table):
    """python -m tests.blocks.tables prints what must stand there."""
    assert table() in PAGE


def audit(*words: str | Path) -> tuple[int, str, str]:
    command = [sys.executable, str(ROOT / "examples" / "audit_blocks.py"), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


def test_the_example_runs_on_its_own_chain():
    code, out, err = audit()
    assert (code, err) == (0, "")
    assert "100 blocks, 442 transactions" in out
    assert "MERKLE_ROOT" in out
    assert "COINBASE_VALUE" in out
    assert out.count("(exit code 0)") == out.count("(exit code 1)") == 1


def test_the_example_on_a_file(tmp_path):
    made = chain(9)
    path = tmp_path / "blk"
    path.write_bytes(framed(one.data for one in made))
    regtest = ("--chain", "bitcoin-regtest")
    code, out, _ = audit(path, made[8].txids[1][::-1].hex(), *regtest)
    assert code == 0
    assert f"{made[8].txids[1][::-1].hex()}, 1 of {len(made[8].txids)}" in out
    assert audit(path, "00" * 32, *regtest)[0] == 2
    code, _, err = audit(path, "xyz", *regtest)
    assert (code, err) == (2, "audit_blocks: TXID: hexadecimal digits are needed, not xyz\n")
    path.write_bytes(framed(one.data for one in made)[:-1])
    code, _, err = audit(path, *regtest)
    assert code == 1
    assert "1 of 9 blocks do not hold" in err
    assert audit(tmp_path / "none")[0] == 2
