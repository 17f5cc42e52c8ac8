"""The demo says what it does, holds on real input, and fails when anything it shows does not hold."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

import merklecore as mc

pytestmark = pytest.mark.any_kernel

DEMO = Path(__file__).parents[1] / "examples" / "demo.py"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(mc.__file__).parents[1])}


def run(*arguments: str | Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, DEMO, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo", DEMO)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def files(tmp_path: Path) -> Path:
    top = tmp_path / "some files"
    (top / "site-packages").mkdir(parents=True)
    for name in ("a", "b\\c", "site-packages/kept"):
        (top / name).write_text(name)
    (top / "link").symlink_to("a")
    return top


def printed_pipeline(out: str) -> bytes:
    """Run the shell lines that the demo shows."""
    shell = re.search(r"(?m)^  cd .* &&\n  find .*$", out)
    assert shell
    return subprocess.run(["sh", "-c", shell[0]], capture_output=True, check=True).stdout


def test_a_directory(files: Path) -> None:
    code, out, err = run(files)
    assert (code, err) == (0, "")
    leaves = printed_pipeline(out).splitlines(keepends=True)
    assert len(leaves) == 3  # of another directory, everything
    assert f"root      {mc.merkle_root(leaves).hex()}  (RFC 6962)" in out
    assert "left out: 1 links, not followed, the first is link" in out
    assert out.count("(exit code 0)") == 1
    assert out.count("does not hold") == out.count("(exit code 1)") == 2
    assert out.count("roots equal\n") == 2
    assert [line[:3] for line in out.splitlines() if line.startswith("(") and line[2] == ")"] == [
        "(a)",
        "(b)",
        "(c)",
        "(d)",
        "(e)",
    ]
    for algorithm, shapes in mc.cpu_info()["kernels"].items():
        for names in shapes.values():
            assert all(re.search(rf"(?m)^{algorithm} .*\b{name} \d+\.\d", out) for name in names)


def test_a_single_file_has_an_empty_proof(tmp_path: Path) -> None:
    (tmp_path / "only").touch()
    code, out, err = run(tmp_path)
    assert (code, err) == (0, "")
    assert "proof     0 hashes" in out
    assert out.count("(exit code 1)") == 1


@pytest.mark.slow
def test_the_standard_library() -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert f"every file of {sysconfig.get_path('stdlib')}" in out
    assert "left out: directories named site-packages and __pycache__" in out
    leaves = printed_pipeline(out).splitlines(keepends=True)
    assert len(leaves) > 500
    assert not any(b"__pycache__/" in leaf or b"site-packages/" in leaf for leaf in leaves)
    assert f"root      {mc.merkle_root(leaves).hex()}  (RFC 6962)" in out


def test_nothing_to_read(tmp_path: Path) -> None:
    assert run(tmp_path) == (2, run(tmp_path)[1], f"demo: {tmp_path}: holds no regular file\n")
    assert run(tmp_path / "nowhere")[0] == 2
    assert run(tmp_path, tmp_path)[0] == 2


def test_a_proof_that_is_refused_fails(
    demo: ModuleType, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "verify", lambda *_: (1, "does not hold"))
    assert demo.main([str(files)]) == 1
    assert "FAILED: the proof was not accepted" in capsys.readouterr().err


def test_a_forgery_that_is_accepted_fails(
    demo: ModuleType, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "verify", lambda *_: (0, "holds"))
    assert demo.main([str(files)]) == 1
    assert "FAILED: a byte flipped in the leaf was not refused" in capsys.readouterr().err


def test_another_root_by_the_reference_fails(
    demo: ModuleType, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "refuse", lambda *_: None)
    monkeypatch.setattr(demo, "prove", lambda *_: "")
    monkeypatch.setattr(demo.reference, "root", lambda *_, **__: bytes(32))
    assert demo.main([str(files)]) == 1
    assert "FAILED: roots differ" in capsys.readouterr().err
