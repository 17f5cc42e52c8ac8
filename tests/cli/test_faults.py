"""Faults of the user: one line that names the file, exit code 2, and never a traceback."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import merklecore as mc

pytestmark = pytest.mark.native_only  # what is said is said above the backends

Run = Callable[..., tuple[int, str, str]]
Start = Callable[..., subprocess.Popen[bytes]]
ID = bytes(range(32))
ROOT_OF_THE_PACKAGE = str(Path(mc.__file__).parents[1])


PROOF = '{"type": "inclusion", "version": 1, "hashes": []}'
ROOT = hashlib.sha256(b"\0").hexdigest()
VERIFY = ["verify", "-", "--root", ROOT, "--size", "1", "--index", "0", "--leaf", ""]
FAULTS: list[tuple[list[str], str, str]] = [
    ([], "", "required"),
    (["nothing"], "", "invalid choice"),
    (["root"], "", "required"),
    (["root", "nowhere"], "", "merklecore: nowhere: No such file or directory\n"),
    (["root", "no\nwhere\x1b"], "", "merklecore: no\\nwhere\\x1b: No such file or directory\n"),
    (["root", "a", "nowhere"], "", "merklecore: nowhere: No such file or directory\n"),
    (["root", "a", "."], "", "merklecore: .: Is a directory\n"),
    (["root", ".", "a"], "", "merklecore: .: Is a directory\n"),
    (["root", "-", "-"], "", "merklecore: -: standard input can be one leaf only\n"),
    (["root", "dash"], "", "merklecore: dash/-: a file named '-' at the top"),
    (["root", "--lines", "."], "", "merklecore: .: Is a directory\n"),
    (["root", "--chunk", "1", "."], "", "merklecore: .: Is a directory\n"),
    (["root", "--lines", "a", "b"], "", "merklecore: b: --lines takes one file\n"),
    (["root", "--chunk", "4", "a", "b"], "", "merklecore: b: --chunk takes one file\n"),
    (["root", "--lines", "--hex", "a"], "", "not allowed with"),
    *((["root", "--chunk", text, "a"], "", text)
      for text in ("0", "-1", "1.5MiB", "1XB", "2GiB", "9" * 30, "MiB", "1e3")),
    (["root", "--chunk", "", "a"], "", "is no size"),
    (["root", "--chu", "1", "a"], "", "unrecognized"),
    (["root", "--profile", "md5", "a"], "", "md5"),
    (["root", "--profile", "ssz", "--chunk", "33", "a"], "", "--chunk 32 is the only one"),
    (["root", "--profile", "bitcoin", "a"], "", "merklecore: a: leaf 0 has 1 bytes, profile bitcoin takes"),
    (["root", "--profile", "ssz", "--lines", "-"], "a\n", "merklecore: -: leaf 0 has 2 bytes"),
    (["root", "--profile", "ssz", "--chunk", "32", "-"], "x" * 40, "merklecore: -: leaf 1 has 8 bytes"),
    (["root", "--profile", "ssz", "--hex", "-"], ID.hex() + "\n00\n", "merklecore: -: leaf 1 has 1 bytes"),
    (["root", "--hex", "-"], "00\nzz\n", "merklecore: -: line 2 is not hexadecimal\n"),
    (["root", "--hex", "-"], "00\n0\n", "merklecore: -: line 2 is not hexadecimal\n"),
    (["root", "--hex", "-"], "00 00\n", "merklecore: -: line 1 is not hexadecimal\n"),
    (["root", "--hex", "-"], "00\n\n00\n", "merklecore: -: line 2 is empty\n"),
    (["prove", "a"], "", "--index"),
    (["prove", "a", "--index", "0", "--path", "a"], "", "not allowed with"),
    (["prove", "a", "--index", "1"], "", "merklecore: a: "),
    (["prove", "a", "--index", "-1"], "", "merklecore: a: "),
    (["prove", "a", "--index", "1.0"], "", "invalid int value"),
    (["prove", "a", "--index", "9" * 5000], "", "merklecore: "),
    (["prove", "a", "--path", "a"], "", "merklecore: --path: it names a file of a directory"),
    (["prove", "some", "--path", "b"], "", "merklecore: b: no such file in some\n"),
    (["prove", "some", "--path", "link"], "", "merklecore: link: no leaf: link\n"),
    (["prove", "a", "--index", "0", "-o", "no/where"], "", "merklecore: no/where: No such file or directory"),
    (["verify"], "", "required"),
    (["verify", "-", "--root", ROOT], PROOF, "required"),
    ([*VERIFY, "--root", "zz"], PROOF, "merklecore: --root: not hexadecimal: zz\n"),
    ([*VERIFY, "--root", "é"], PROOF, "merklecore: --root: not hexadecimal"),
    ([*VERIFY, "--root", "00"], PROOF, "merklecore: "),
    ([*VERIFY, "--size", "0"], PROOF, "merklecore: "),
    ([*VERIFY, "--index", "1"], PROOF, "merklecore: "),
    ([*VERIFY, "--index", "-1"], PROOF, "merklecore: "),
    ([*VERIFY, "--size", str(2**64)], PROOF, "merklecore: "),
    ([*VERIFY, "--leaf-hex", ""], PROOF, "not allowed with"),
    ([*VERIFY[:-2], "--leaf-hex", "0"], PROOF, "merklecore: --leaf-hex: not hexadecimal: 0\n"),
    ([*VERIFY[:-2], "--leaf-file", "nowhere"], PROOF, "merklecore: nowhere: No such file or directory\n"),
    (["verify", "nowhere", *VERIFY[2:]], "", "merklecore: nowhere: No such file or directory\n"),
    (["verify", "a", *VERIFY[2:]], "", "merklecore: a: "),
    *((VERIFY, text, "merklecore: -: ") for text in (
        "", "{", "[]", "null", "1", '"x"', PROOF[:-1], PROOF + "x",
        PROOF.replace("1", "2"), PROOF.replace("1", "true"),
        PROOF.replace("inclusion", "multi"), PROOF.replace("[]", '["0"]'),
        PROOF.replace("[]", f'["{ROOT.upper()}"]'),
        PROOF.replace("[]", '["zz"]'), PROOF.replace("[]", "[1]"), PROOF.replace("[]", "{}"),
        PROOF.replace("}", ', "x": 1}'),
        PROOF.replace("}", ', "version": 1}'), "[" * 60_000, "9" * 60_000,
        PROOF.replace("[]", json.dumps([ROOT] * 65)),
        " " * 70_000 + PROOF, "\udcff",
    )),
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("faults")
    (top / "a").write_bytes(b"a")
    (top / "b").write_bytes(b"b")
    (top / "some").mkdir()
    (top / "some" / "file").touch()
    (top / "some" / "link").symlink_to("file")
    (top / "dash").mkdir()
    (top / "dash" / "-").touch()
    return top


@pytest.mark.parametrize(("arguments", "stdin", "want"), FAULTS, ids=[str(i) for i in range(len(FAULTS))])
def test_faults_are_one_line_and_exit_2(
    run: Run, place: Path, arguments: list[str], stdin: str, want: str
) -> None:
    code, out, err = run(*arguments, stdin=stdin.encode("utf-8", "surrogateescape"), cwd=place)
    assert (code, out) == (2, ""), err
    assert err.startswith("merklecore: ")
    assert want in err
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert len(err) < 8000


def test_no_room_for_the_output(start: Start) -> None:
    with open("/dev/full", "wb") as full, start("root", "-", stdout=full) as process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (2, b"merklecore: standard output: No space left on device\n")


def test_a_reader_that_went_away_is_met_quietly(start: Start) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with start("info", stdout=writer) as process:
        os.close(writer)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, b"")


def test_interrupted(start: Start) -> None:
    with start("root", "--lines", "-") as process:
        assert process.stdin is not None
        for _ in range(40):  # more than a pipe holds: once it is written the command is reading
            process.stdin.write(b"line\n" * 4000)
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize(
    ("variable", "value", "want"),
    [
        ("MERKLECORE_BACKEND", "fast", "'fast' is none of native, reference"),
        ("MERKLECORE_KERNEL", "md5:portable", "'md5:portable' is not ALGORITHM:KERNEL"),
        ("MERKLECORE_DISABLE_CPU", "mmx", "'mmx' is none of"),
    ],
)
def test_a_wrong_environment_is_one_line_and_exit_2(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, want: str
) -> None:
    """Before the command's own code is there, and never 1: that would say that a proof does not hold."""
    monkeypatch.setenv(variable, value)
    code, out, err = run("info")
    assert (code, out) == (2, "")
    assert err.startswith(f"merklecore: {variable}: ")
    assert want in err
    assert err.count("\n") == 1


def test_standard_input_that_does_not_wait(start: Start) -> None:
    """A pipe that some other program has set so: what comes late is not the end."""
    data = b"".join(b"%d\n" % i for i in range(1000))
    for how in (["--lines"], ["--chunk", "7"], []):
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        with start("root", "-", *how, stdin=reader) as process:
            os.close(reader)
            for i in range(0, len(data), 1000):
                time.sleep(0.05)
                os.write(writer, data[i : i + 1000])
            os.close(writer)
            late, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, b"")
        with start("root", "-", *how) as process:
            assert process.communicate(data, timeout=60)[0] == late


@pytest.mark.parametrize(("closed", "code"), [(">&-", 2), ("2>&-", 0), ("<&-", 0)])
def test_closed_streams(closed: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a")
    command = f'"$0" -m merklecore prove a --index 0 {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": ROOT_OF_THE_PACKAGE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    if code == 0:
        assert json.loads(done.stdout)["type"] == "inclusion"
    assert "Traceback" not in done.stderr
