"""Files by name on both backends: lengths around small and large, what cannot be read, pipes, threads."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import merklecore as mc
from tests.oracles import HASHES, is_slow

Writing = Callable[[dict[str, bytes]], list[Path]]

PATTERN = bytes(i * 131 + (i >> 8) * 7 & 0xFF for i in range(1 << 16)) * 50
SMALL, PIECES = 1 << 16, 1 << 20  # csrc/files.c: where large begins, and what is read of large files at once
FEW = [0, 1, 136, 1025, SMALL + 1]
MANY = [
    *range(0, 400, 7), 1023, 1024, 1025, 16384,
    *(edge + k for edge in (SMALL, 2 * SMALL, PIECES // 4, PIECES // 2, PIECES) for k in (-1, 0, 1)),
    *(SMALL * i + 129 * i for i in range(1, 20)), 3 * PIECES + 7, 0, 5,
]  # fmt: skip


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of every length, called by it."""
    top = tmp_path_factory.mktemp("files")
    for length in {*FEW, *MANY}:
        (top / str(length)).write_bytes(content(length))
    return top


def content(length: int) -> bytes:
    return PATTERN[length % 64 : length % 64 + length]


def sha256(length: int) -> bytes:
    return hashlib.sha256(content(length)).digest()


@pytest.mark.parametrize("algorithm", mc.algorithms())
def test_every_length_kernel_and_number_of_threads(backend: ModuleType, top: Path, algorithm: str) -> None:
    lengths = FEW if is_slow(backend, algorithm) else MANY
    paths = [top / str(length) for length in lengths]
    want = [HASHES[algorithm](content(length)) for length in lengths]
    assert backend.hash_files(paths, algorithm) == want
    for kernel in backend.kernels(algorithm):
        for threads in (1, 2, 7):
            assert backend.hash_files(paths, algorithm, threads, kernel) == want, (kernel, threads)


def test_lanes_are_filled_by_any_mixture(backend: ModuleType, top: Path) -> None:
    """Large files behind many small ones and before them, more than there are lanes, one many times."""
    for lengths in (
        [7] * 3000 + [SMALL + 129] * 40 + [14] * 100,
        [3 * PIECES + 7, *[21] * 2000],
        [PIECES, 0] * 30,
        [3 * PIECES + 7] * 3,
    ):
        want = [sha256(length) for length in lengths]
        for threads in (None, 1, 3):
            assert backend.hash_files([f"{top}/{length}" for length in lengths], "sha256", threads) == want


def test_no_files_and_one(backend: ModuleType, top: Path) -> None:
    assert backend.hash_files([], "sm3") == []
    assert backend.hash_files((top / "7",), "sha256", 1000) == [sha256(7)]


def test_names_of_every_kind(backend: ModuleType, tmp_path: Path) -> None:
    names = [b"plain", b" ", b"-", b"a\nb\r\\c", b"\xff\xfe", "größe 木".encode(), b"*", b"x" * 255]
    for i, name in enumerate(names):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(bytes([i]))
    paths = [os.path.join(os.fsencode(tmp_path), name) for name in names]
    want = [hashlib.sha256(bytes([i])).digest() for i in range(len(names))]
    assert backend.hash_files(paths, "sha256") == want
    assert backend.hash_files([os.fsdecode(path) for path in paths], "sha256") == want
    assert backend.hash_files([Path(os.fsdecode(path)) for path in paths], "sha256") == want


def test_errors_stand_in_the_place_of_digests(backend: ModuleType, top: Path, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("gone")
    wrong = [
        (str(tmp_path / "gone"), FileNotFoundError, errno.ENOENT),
        (os.fsencode(tmp_path / "dangling"), FileNotFoundError, errno.ENOENT),
        ("", FileNotFoundError, errno.ENOENT),
        (tmp_path, IsADirectoryError, errno.EISDIR),
        (top / "7" / "x", NotADirectoryError, errno.ENOTDIR),
        (tmp_path / "loop", OSError, errno.ELOOP),
        ("x" * 300, OSError, errno.ENAMETOOLONG),
    ]
    good = [7, SMALL + 1, 0, PIECES, 21, SMALL, 1, 14]
    for threads in (1, 2, 7):
        paths: list[object] = [top / str(good[0])]
        for (path, _, _), length in zip(wrong, good[1:], strict=True):
            paths += [path, top / str(length)]
        found = backend.hash_files(paths, "sha256", threads)
        assert found[::2] == [sha256(length) for length in good]
        for error, (path, kind, number) in zip(found[1::2], wrong, strict=True):
            assert type(error) is kind
            assert (error.errno, error.strerror, error.filename) == (number, os.strerror(number), path)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_what_must_not_be_read(backend: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0)
    (error,) = backend.hash_files([tmp_path / "secret"], "sha256")
    assert type(error) is PermissionError


def test_refusals(backend: ModuleType, top: Path) -> None:
    path = str(top / "7")
    for paths, kind, text in (
        (path, TypeError, "paths: a list or tuple of names is needed, not str"),
        (b"x", TypeError, "paths: a list or tuple of names is needed, not bytes"),
        ({path}, TypeError, "not set"),
        ([path, 3], TypeError, r"paths\[1\]: a name is needed, not int"),
        ([None], TypeError, r"paths\[0\]: a name is needed, not NoneType"),
        ([bytearray(b"x")], TypeError, r"paths\[0\]: a name is needed, not bytearray"),
        ([path, "a\0b"], mc.InputError, r"paths\[1\]: a NUL byte"),
        ([b"\0"], mc.InputError, r"paths\[0\]: a NUL byte"),
        (["\ud800"], mc.InputError, r"paths\[0\]: no name of a file"),
    ):
        with pytest.raises(kind, match=text):
            backend.hash_files(paths, "sha256")
    for arguments, kind, text in (
        (("md5",), mc.InputError, "algorithm 'md5' is none of"),
        ((None,), TypeError, "algorithm"),
        (("sha256", 0), mc.InputError, "threads: 0 is not between 1 and 1024"),
        (("sha256", True), TypeError, "threads: an integer is needed, not bool"),
        (("sha256", None, "quantum"), mc.BackendError, "kernel 'quantum'"),
        (("sha256", None, None, b"12345678"), mc.InputError, "done: "),
        (("sha256", None, None, bytearray(7)), mc.InputError, "done: 8 bytes are needed"),
        (("sha256", None, None, 3), TypeError, "done: a writable buffer is needed, not int"),
    ):
        with pytest.raises(kind, match=text):
            backend.hash_files([path], *arguments)


def test_bytes_are_counted(backend: ModuleType, top: Path) -> None:
    lengths = [7, SMALL, PIECES + 1, 3 * PIECES + 7, 0]
    paths = [str(top / str(length)) for length in lengths]
    done = memoryview(bytearray(8)).cast("Q")
    done[0] = 5
    for threads in (1, 3):
        backend.hash_files([*paths, "nowhere"], "sha256", threads, done=done)
    assert done[0] == 5 + 2 * sum(lengths)


# ---- pipes and files that change ---------------------------------------------------------------------------


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[Writing]:
    """Make pipes and write to them in this order, each to its end before the next is opened."""
    threads = []

    def begin(pipes: dict[str, bytes]) -> list[Path]:
        paths = [tmp_path / name for name in pipes]
        for path in paths:
            os.mkfifo(path)

        def write() -> None:
            for path, data in zip(paths, pipes.values(), strict=True):
                path.write_bytes(data)

        threads.append(threading.Thread(target=write, daemon=True))
        threads[-1].start()
        return paths

    yield begin
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_pipes_are_read_to_their_end_one_after_the_other(
    backend: ModuleType, top: Path, writing: Writing, threads: int
) -> None:
    """Their writer opens the second when the first has been read. Lanes for more large files are free."""
    data = {"a": PATTERN[: 5 * SMALL], "b": b"", "c": PATTERN[: SMALL + 1], "d": b"short", "e": PATTERN}
    sm3 = HASHES["sm3"]
    paths: list[Path] = []
    want = []
    for pipe, sent in zip(writing(data), data.values(), strict=True):
        paths += [top / str(SMALL + 1), pipe, top / "7"]
        want += [sm3(content(SMALL + 1)), sm3(sent), sm3(content(7))]
    assert backend.hash_files(paths, "sm3", threads) == want


def test_signals_interrupt_nothing(backend: ModuleType, writing: Writing) -> None:
    """Reads and opens that a signal breaks off are made again."""
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(time.monotonic()))
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    try:
        data = {str(i): PATTERN[: 20 * SMALL] for i in range(4)}
        found = backend.hash_files(writing(data), "sha256", 1)
        time.sleep(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen
    assert found == [hashlib.sha256(PATTERN[: 20 * SMALL]).digest()] * 4


def test_what_does_not_tell_its_size(backend: ModuleType) -> None:
    """Files of /proc are of no size by what stat says; reads give a page at most."""
    paths = [Path(name) for name in ("/proc/version", "/proc/filesystems", "/proc/kallsyms", "/dev/null")]
    paths = [path for path in paths if path.exists()]
    want = [hashlib.sha256(path.read_bytes()).digest() for path in paths]
    assert backend.hash_files(paths, "sha256") == want


def test_a_file_that_changes_is_what_was_read(backend: ModuleType, tmp_path: Path) -> None:
    """It is all zeros, so that what was read has a length alone; growing and shrinking end no process."""
    path = tmp_path / "file"
    path.touch()
    over = threading.Event()

    def change() -> None:
        while not over.is_set():
            for length in (0, 5 * PIECES, 3, SMALL, 2 * PIECES + 1):
                os.truncate(path, length)

    changer = threading.Thread(target=change)
    changer.start()
    try:
        for _ in range(30):
            found = backend.hash_files([path] * 20, "sha256", 2)
            assert {len(digest) for digest in found} == {32}
    finally:
        over.set()
        changer.join()
    assert backend.hash_files([path], "sha256") == [hashlib.sha256(path.read_bytes()).digest()]


# ---- descriptors -------------------------------------------------------------------------------------------


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_no_descriptor_is_left_open(backend: ModuleType, top: Path, tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    backend.hash_files([top / "7", tmp_path, top / str(PIECES), tmp_path / "gone", top / "0"] * 20, "sm3", 3)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("threads", [1, 16])
def test_few_descriptors_do_not_show(backend: ModuleType, top: Path, threads: int) -> None:
    """Where only three files can be open, the others wait; where none can, that is the error."""
    code = f"""
import hashlib, os, resource
import {backend.__name__} as backend
paths = ["{top}/{SMALL + 129}", "{top}/{PIECES}"] * 40
want = [hashlib.sha256(open(path, "rb").read()).digest() for path in paths]
taken = [os.open("/dev/null", os.O_RDONLY)]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 4, hard))
assert backend.hash_files(paths, "sha256", {threads}) == want
resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 1, hard))
print({{error.errno for error in backend.hash_files(paths, "sha256", {threads})}})
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(Path(mc.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"{{{errno.EMFILE}}}\n", done.stderr


@pytest.mark.long
@pytest.mark.native_only
def test_above_4_gib(backend: ModuleType, tmp_path: Path) -> None:
    """A sparse file, beside small ones and alone."""
    size = (4 << 30) + 12345
    path = tmp_path / "sparse"
    path.touch()
    os.truncate(path, size)
    running = hashlib.sha256()
    for start in range(0, size, 1 << 26):
        running.update(bytes(min(1 << 26, size - start)))
    assert backend.hash_files([path], "sha256") == [running.digest()]
    assert backend.hash_files(["/dev/null", path, path], "sha256", 1)[1:] == [running.digest()] * 2
