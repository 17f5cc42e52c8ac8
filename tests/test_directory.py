"""The leaves of a directory against the tools that they promise to equal."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from merklecore import directory
from merklecore.errors import InputError

pytestmark = pytest.mark.any_kernel

PIPELINE = "cd -- \"$0\" && find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 -r sha256sum --"
NAMES = [
    b"plain", b"empty", b"two  spaces", b" leading", b"trailing ", b"--check", b"-", b"*star", b"tab\tname",
    b"quote'\"$`",
    b"back\\slash", b"new\nline", b"both\\\n", b"\\", b"\n",
    b"inv\xff\xfealid", "größe".encode(), b"a", b"A", b"Z", b"\x01",
]  # fmt: skip


def coreutils() -> int:
    text = subprocess.run(["sha256sum", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.\d+", text)
    assert found
    return int(found[1])


def pipeline(top: Path) -> bytes:
    return subprocess.run(["sh", "-c", PIPELINE, top], capture_output=True, check=True).stdout


def write(path: bytes, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Every awkward name at the top (but for ``-``) and below, links and a pipe between them."""
    top = tmp_path / "odd"
    deep = top / "d" / "-" / "e\\f" / "g\nh"
    deep.mkdir(parents=True)
    (top / "a-b").mkdir()
    (top / "a.b").mkdir()
    (top / "none").mkdir()
    names = NAMES + ([b"carriage\rreturn", b"\r"] if coreutils() >= 9 else [])
    for place in (top, deep, top / "a-b", top / "a.b"):
        for i, name in enumerate(names):
            if (place, name) != (top, b"-"):
                write(os.path.join(os.fsencode(place), name), name * i if name != b"empty" else b"")
    (top / "to-file").symlink_to("plain")
    (top / "to-directory").symlink_to("d")
    (top / "to-nothing").symlink_to("nowhere")
    (top / "to-itself").symlink_to(".")
    os.mkfifo(top / "pipe")
    return top


def test_lines_equal_the_pipeline(odd: Path) -> None:
    paths, _ = directory.files(odd)
    assert b"".join(directory.lines(odd, paths)) == pipeline(odd)


def test_order_is_that_of_the_whole_path(tmp_path: Path) -> None:
    """``a-b`` and ``a.b`` sort before ``a/b``, which a walk one directory at a time would get wrong."""
    (tmp_path / "a").mkdir()
    for name in ("a/b", "a-b", "a.b", "a0"):
        (tmp_path / name).touch()
    assert directory.files(tmp_path)[0] == [b"a-b", b"a.b", b"a/b", b"a0"]


def test_links_and_special_files_are_reported(odd: Path) -> None:
    assert directory.files(odd)[1] == [
        (b"pipe", "special file"), (b"to-directory", "link"), (b"to-file", "link"), (b"to-itself", "link"),
        (b"to-nothing", "link"),
    ]  # fmt: skip


def test_carriage_return_is_escaped() -> None:
    assert directory.line(b"\xab", b"a\rb\\\n") == b"\\ab  a\\rb\\\\\\n\n"


def test_names_left_out(tmp_path: Path) -> None:
    for name in ("keep", "skip", "keep/skip"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / "keep" / "keep").mkdir()
    (tmp_path / "keep" / "keep" / "skip").touch()  # a file of that name is no directory of that name
    paths, skipped = directory.files(tmp_path, [b"skip"])
    assert paths == [b"keep/file", b"keep/keep/skip"]
    assert skipped == [(b"keep/skip", "left out"), (b"skip", "left out")]


def test_a_file_named_dash_at_the_top_is_refused(tmp_path: Path) -> None:
    (tmp_path / "-").touch()
    with pytest.raises(InputError, match="/-: a file named '-' at the top"):
        directory.files(tmp_path)


def test_a_directory_or_link_named_dash_is_none(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "-").symlink_to("y")
    assert directory.files(tmp_path / "x") == ([], [(b"-", "link")])
    (tmp_path / "y" / "-").mkdir(parents=True)
    (tmp_path / "y" / "-" / "z").touch()
    assert directory.files(tmp_path / "y") == ([b"-/z"], [])


def test_bytes_str_and_path_name_the_same_directory(odd: Path) -> None:
    assert directory.files(odd) == directory.files(str(odd)) == directory.files(os.fsencode(odd))
    assert directory.files(f"{odd}/") == directory.files(odd)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000])
def test_batches_change_nothing(odd: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    paths, _ = directory.files(odd)
    one_by_one = list(directory.lines(odd, paths))
    monkeypatch.setattr(directory, "FEW_FILES", 0)
    monkeypatch.setattr(directory, "BATCH_FILES", count)
    assert list(directory.lines(odd, paths)) == one_by_one
    monkeypatch.setattr(directory, "BATCH_BYTES", 50)
    assert list(directory.lines(odd, paths)) == one_by_one
    monkeypatch.setattr(directory, "BIG_FILE", 20)
    monkeypatch.setattr(directory, "BLOCK", 3)
    assert list(directory.lines(odd, paths)) == one_by_one
    assert list(directory.lines(odd, [])) == []


def test_a_big_file_is_streamed(tmp_path: Path) -> None:
    data = bytes(range(256)) * (directory.BIG_FILE // 256) + b"and more"
    (tmp_path / "big").write_bytes(data)
    assert list(directory.lines(tmp_path, [b"big"])) == [
        hashlib.sha256(data).hexdigest().encode() + b"  big\n"
    ]


def test_a_file_without_a_size_is_read_to_its_end() -> None:
    """Files of /proc say they hold nothing."""
    data = Path("/proc/self/cmdline").read_bytes()
    assert os.stat("/proc/self/cmdline").st_size == 0 < len(data)
    assert list(directory.lines("/proc/self", [b"cmdline"])) == [
        directory.line(hashlib.sha256(data).digest(), b"cmdline")
    ]


def test_faults_name_the_file(tmp_path: Path) -> None:
    for name in ("gone", "link", "pipe", "directory"):
        (tmp_path / name).touch()
    paths, _ = directory.files(tmp_path)
    for path in paths:
        os.unlink(os.path.join(os.fsencode(tmp_path), path))
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    for name in ("gone", "link"):
        with pytest.raises(OSError) as caught:
            list(directory.lines(tmp_path, [name.encode()]))
        assert caught.value.filename == os.fsencode(tmp_path / name)
    for name in ("pipe", "directory"):  # and a pipe without a writer is not waited for
        with pytest.raises(InputError, match=f"{tmp_path / name}: was a regular file"):
            list(directory.lines(tmp_path, [name.encode()]))
    with pytest.raises(OSError) as caught:  # opens, and fails when it is read
        list(directory.lines("/proc/self", [b"mem"]))
    assert caught.value.filename == b"/proc/self/mem"
    with pytest.raises(FileNotFoundError):
        directory.files(tmp_path / "gone")
    with pytest.raises(NotADirectoryError):
        directory.files("/etc/passwd")


def test_no_descriptor_is_left_open(odd: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    paths, _ = directory.files(odd)
    list(directory.lines(odd, paths))
    with pytest.raises(OSError):
        list(directory.lines(odd, [b"nowhere"]))
    assert len(os.listdir("/proc/self/fd")) == before
