"""Progress, start-up, help and ``info``."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import merklecore as mc
from merklecore.cli.info import misplaced
from merklecore.cli.leaves import parse_size
from merklecore.cli.terminal import shown

pytestmark = pytest.mark.native_only  # what is said is said above the backends

Run = Callable[..., tuple[int, str, str]]
Start = Callable[..., subprocess.Popen[bytes]]
Root = Callable[[list[bytes]], str]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(mc.__file__).parents[1])}


def test_progress_on_a_terminal_only(rfc: Root, start: Start) -> None:
    master, slave = pty.openpty()
    with start("root", "--lines", "-", stderr=slave) as process:
        os.close(slave)
        assert process.stdin is not None
        for _ in range(12):
            process.stdin.write(b"x" * 99_999 + b"\n")
            process.stdin.flush()
            time.sleep(0.1)
        out, _ = process.communicate(timeout=60)
    seen = os.read(master, 1 << 16).decode()
    os.close(master)
    assert out.decode().strip() == rfc([b"x" * 99_999 + b"\n"] * 12)
    shots = seen.split("\r")
    assert shots[1].startswith("reading ")
    assert shots[1].endswith(" MiB")
    assert 2 <= len(shots) < 30
    assert (shots[-2].strip(), shots[-1]) == ("", "")  # erased


def test_progress_in_per_cent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from merklecore.cli import terminal

    clock = iter([0.0, 0.4, 0.6, 0.65, 0.75, 5.0])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    progress = terminal.Progress("reading", 200, "files")
    for done in (10, 20, 30, 199, 500):
        progress.at(done)
    progress.close()
    progress.close()
    assert capsys.readouterr().err == "\rreading  10%\rreading 100%\rreading 100%\r            \r"


@pytest.mark.parametrize("arguments", [
    ["--help"], ["root", "--help"], ["--version"], ["info"], ["root", "files"],
    ["root", "files/a", "files/g"],
    ["root", "--lines", "files/a"], ["prove", "files", "--index", "1"], ["root", "--chunk", "10", "files/g"],
])  # fmt: skip
def test_small_jobs_import_no_numpy(files: Path, arguments: list[str]) -> None:
    script = (
        "import sys; from merklecore.cli import main\n"
        "try: code = main(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "late = {'numpy', 'asyncio', 'unittest', 'subprocess', 'ssl'} & sys.modules.keys()\n"
        "sys.exit(f'{code} {late}' if code or late else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=files.parent,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_help_and_version(run: Run) -> None:
    for arguments in (
        ["--help"],
        ["info", "--help"],
        ["root", "--help"],
        ["prove", "--help"],
        ["verify", "--help"],
    ):
        code, out, err = run(*arguments)
        assert (code, err) == (0, "")
        assert out.startswith("usage: merklecore")
    assert run("--version") == (0, f"merklecore {mc.__version__}\n", "")


def test_info(run: Run) -> None:
    code, out, err = run("info")
    about = mc.cpu_info()
    assert (code, err) == (0, "")
    assert out.startswith(f"merklecore {mc.__version__}, backend {about['backend']}\n")
    for algorithm, shapes in about["chosen"].items():
        for shape, kernel in shapes.items():
            assert any(
                line.split(None, 1)[0] == algorithm and shape in line and kernel in line
                for line in out.splitlines()[1:]
                if line
            )
    code, out, err = run("info", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == json.loads(json.dumps({"version": mc.__version__} | about))


def test_info_measures(run: Run) -> None:
    code, out, _ = run("info", "--measure", "--json")
    answer = json.loads(out)
    assert code == 0
    measured = {(row["algorithm"], row["shape"], row["kernel"]) for row in answer["measured"]}
    assert measured == {
        (a, s, k) for a, shapes in answer["kernels"].items() for s, names in shapes.items() for k in names
    }
    assert all(row["ns"] > 0 for row in answer["measured"])
    assert answer["misplaced"] == misplaced(answer["chosen"], answer["measured"])
    code, out, err = run("info", "--measure")
    assert (code, err) == (0, "")
    assert "order" in out.splitlines()[-1]


def test_a_wrong_order_is_found() -> None:
    chosen = {"sha256": {"node": "avx512", "messages": "avx512"}}
    rows: list[dict[str, Any]] = [
        {"algorithm": "sha256", "shape": shape, "kernel": kernel, "ns": ns}
        for shape, kernel, ns in [
            ("node", "avx512", 40.0), ("node", "shani", 30.0), ("node", "portable", 200.0),
            ("messages", "avx512", 40.0), ("messages", "shani", 37.0),
        ]
    ]  # fmt: skip
    assert misplaced(chosen, rows) == [
        {
            "algorithm": "sha256",
            "shape": "node",
            "chosen": "avx512",
            "chosen_ns": 40.0,
            "faster": "shani",
            "faster_ns": 30.0,
        }
    ]


@pytest.mark.parametrize(("text", "size"), [
    ("1", 1), ("4096", 4096), ("4096B", 4096), ("64kB", 64_000), ("64 KiB", 65_536), ("1MB", 10**6),
    ("1MiB", 1 << 20),
    ("1GB", 10**9), ("1GiB", 1 << 30),
])  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_names_are_shown_on_one_line() -> None:
    assert shown("größe, 木") == "größe, 木"
    assert shown(b"a\r\n\x1b[0m\xff") == "a\\r\\n\\x1b[0m\\udcff"
