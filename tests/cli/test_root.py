"""Roots of directories, files, chunks and lines, against the definition."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., tuple[int, str, str]]
Root = Callable[[list[bytes]], str]
ID = bytes(range(32))


def test_root_of_a_directory(run: Run, rfc: Root, files: Path) -> None:
    listing = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum --"
    leaves = subprocess.run(
        listing, shell=True, cwd=files, capture_output=True, check=True
    ).stdout.splitlines(True)
    assert len(leaves) == 5
    assert run("root", files) == (0, rfc(leaves) + "\n", "left out (link): link\n")
    assert run("root", ".", cwd=files)[1] == rfc(leaves) + "\n"


def test_root_as_json(run: Run, files: Path) -> None:
    code, out, err = run("root", "--json", files)
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer == {
        "profile": "rfc6962", "root": run("root", files)[1].strip(), "size": 5,
        "source": {"kind": "directory", "input": [str(files)]},
        "skipped": [{"path": "link", "reason": "link"}],
    }  # fmt: skip


def test_many_left_out_are_counted(run: Run, rfc: Root, tmp_path: Path) -> None:
    for i in range(25):
        (tmp_path / f"l{i:02}").symlink_to("x")
    code, out, err = run("root", tmp_path)
    assert (code, out) == (0, rfc([]) + "\n")
    assert len(err.splitlines()) == 11
    assert err.endswith("left out: 15 more; --json lists all\n")
    assert len(json.loads(run("root", "--json", tmp_path)[1])["skipped"]) == 25


def test_root_of_files_is_of_their_contents(run: Run, rfc: Root, files: Path) -> None:
    names = ["h i", "a", "d/e/f", "a"]
    assert run("root", *names, cwd=files)[1] == rfc([(files / name).read_bytes() for name in names]) + "\n"
    assert run("root", "g", cwd=files)[1] == rfc([(files / "g").read_bytes()]) + "\n"
    assert (
        run("root", "g", "-", stdin=b"xyz", cwd=files)[1] == rfc([(files / "g").read_bytes(), b"xyz"]) + "\n"
    )
    assert run("root", "-", stdin=b"")[1] == rfc([b""]) + "\n"


def test_files_around_the_streaming_length(run: Run, rfc: Root, tmp_path: Path) -> None:
    lengths = [16 << 20, (16 << 20) + 1, 3, (33 << 20) + 7, 0]
    contents = [bytes([i]) * length for i, length in enumerate(lengths)]
    for i, content in enumerate(contents):
        (tmp_path / str(i)).write_bytes(content)
    names = [tmp_path / str(i) for i in range(len(lengths))]
    assert run("root", *names)[1] == rfc(contents) + "\n"
    code, _, err = run("prove", "--index", "1", *names)
    assert code == 0
    assert "leaf-hex" not in err
    assert hashlib.sha256(b"\0" + contents[1]).hexdigest() in err


@pytest.mark.parametrize(
    ("size", "chunk"), [(0, 10), (10, 10), (11, 10), (95, 10), (9, 10), (300_000, 1), (70_000, 4096)]
)
def test_root_of_chunks(run: Run, rfc: Root, tmp_path: Path, size: int, chunk: int) -> None:
    data = os.urandom(size)
    (tmp_path / "file").write_bytes(data)
    want = rfc([data[i : i + chunk] for i in range(0, size, chunk)])
    assert run("root", tmp_path / "file", "--chunk", str(chunk)) == (0, want + "\n", "")
    assert run("root", "-", "--chunk", str(chunk), stdin=data) == (0, want + "\n", "")


def test_a_big_file_in_chunks(run: Run, rfc: Root, tmp_path: Path) -> None:
    data = os.urandom(1 << 20) * 130 + b"tail"
    (tmp_path / "big").write_bytes(data)
    want = rfc([data[i : i + (1 << 20)] for i in range(0, len(data), 1 << 20)])
    code, out, _ = run("root", "--json", "--chunk", "1MiB", tmp_path / "big")
    assert code == 0
    answer = json.loads(out)
    assert (answer["root"], answer["size"], answer["source"]["chunk"]) == (want, 131, 1 << 20)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"a",
        b"a\n",
        b"a\nb",
        b"a\r\n\rb\x0b\x0c\x85\n\n\nc\0d\n",
        b"x" * 5_000_000 + b"\ny\n",
        b"0123456\n" * 600_000,
    ],
    ids=["none", "empty line", "no newline", "one", "two", "other separators", "long", "many"],
)
def test_root_of_lines(run: Run, rfc: Root, tmp_path: Path, data: bytes) -> None:
    leaves = [line + b"\n" for line in data.split(b"\n")]
    leaves[-1] = leaves[-1][:-1]
    want = rfc(leaves if leaves[-1] else leaves[:-1])
    (tmp_path / "file").write_bytes(data)
    assert run("root", "--lines", tmp_path / "file") == (0, want + "\n", "")
    assert run("root", "--lines", "-", stdin=data) == (0, want + "\n", "")


def test_hexadecimal_lines_for_profiles_without_a_leaf_hash(run: Run, rfc: Root) -> None:
    other = ID[::-1]
    pair = hashlib.sha256(ID + other).digest()
    stdin = f"{ID.hex()}\n  {other.hex().upper()}\r\n"
    assert run("root", "--profile", "ssz", "--hex", "-", stdin=stdin) == (0, pair.hex() + "\n", "")
    double = hashlib.sha256(pair).hexdigest()
    assert run("root", "--profile", "bitcoin", "--hex", "-", stdin=stdin) == (0, double + "\n", "")
    assert run("root", "--profile", "ssz", "--chunk", "32", "-", stdin=ID + other)[1] == pair.hex() + "\n"
    assert run("root", "--hex", "-", stdin="00ff\n61\n")[1] == rfc([b"\0\xff", b"a"]) + "\n"


def test_mutated_is_said(run: Run) -> None:
    stdin = f"{ID.hex()}\n{ID.hex()}\n"
    code, _, err = run("root", "--profile", "bitcoin", "--hex", "-", stdin=stdin)
    assert code == 0
    assert err.startswith("mutated: ")
    assert (
        json.loads(run("root", "--json", "--profile", "bitcoin", "--hex", "-", stdin=stdin)[1])["mutated"]
        is True
    )
    assert (
        json.loads(run("root", "--json", "--profile", "bitcoin", "--hex", "-", stdin=ID.hex())[1])["mutated"]
        is False
    )
