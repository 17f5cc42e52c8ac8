"""Trees in files: read and written whole, or not at all, whatever fails."""

import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import merklecore as mc
from merklecore.tree import storage
from tests.processes import output
from tests.tree.test_storage import same

pytestmark = pytest.mark.any_kernel

LEAVES = [b"a", b"b", b"c", b"d", b"e"]
SMALL = mc.MerkleTree(LEAVES)


# ---- reading files -----------------------------------------------------------------------------------------


def test_a_number_is_no_path(tmp_path):
    """A file that is open as a number stays open, and is not read from."""
    SMALL.save(tmp_path / "of.tree")
    with open(tmp_path / "of.tree", "rb") as file:
        with pytest.raises(TypeError, match="path: a name is needed, not int"):
            mc.MerkleTree.load(file.fileno())
        assert file.read() == bytes(SMALL)


def test_what_is_no_regular_file_is_not_read(tmp_path):
    """A pipe that nobody writes to is not waited for."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to("pipe")
    code = (
        "import signal, sys, merklecore as mc\n"
        "signal.alarm(10)\n"
        "try:\n    mc.MerkleTree.load(sys.argv[1])\n"
        "except mc.InputError as error:\n    print(error, end='')\n"
    )
    for path in (pipe, tmp_path / "link", "/dev/null", "/dev/zero"):
        assert output(code, path) == f"path: {str(path)!r} is no regular file"


@pytest.fixture
def small_parts(monkeypatch):
    """Files are read as large ones are, in several parts."""
    monkeypatch.setattr(storage, "PIECE", 64)
    monkeypatch.setattr(storage, "PART", 128)


@pytest.mark.parametrize("name", mc.profiles)
def test_several_parts(name, small_parts, tmp_path):
    """They make the same tree, and it takes no more memory."""
    for n in (0, 1, 4, 5, 8, 9, 100):
        tree = mc.MerkleTree([bytes([i]) * 32 for i in range(n)], name)
        room = tree.nbytes
        tree.save(tmp_path / "of.tree")
        data = (tmp_path / "of.tree").read_bytes()
        assert data == bytes(tree)
        for read in (mc.MerkleTree.load(tmp_path / "of.tree"), mc.MerkleTree.from_bytes(data)):
            assert read.nbytes == room
            same(read, tree)


@pytest.mark.parametrize("length", [0, 10, -60, -40, -1, 1, 1000])
def test_a_file_whose_length_changes_while_it_is_read(length, small_parts, tmp_path, monkeypatch):
    """Cut short or longer, before any of its parts: an error, however far reading has come."""
    path, pread = tmp_path / "of.tree", os.pread
    tree = mc.MerkleTree([bytes([i]) for i in range(30)])
    data = bytes(tree)
    kind = "shorter" if length <= 0 or length == 10 else "longer"
    told = []
    to = length if length in (0, 10) else len(data) + length
    for step in range(1000):
        path.write_bytes(data)
        steps = 0

        def changed(*arguments, step=step):
            nonlocal steps
            if steps == step:
                os.truncate(path, to)
            steps += 1
            return pread(*arguments)

        with monkeypatch.context() as patched:
            patched.setattr(os, "pread", changed)
            try:
                read = mc.MerkleTree.load(path)
            except mc.InputError as error:
                told.append(re.sub(r"offset \d+", "offset", str(error)))
            else:
                assert steps <= step
                same(read, tree)
                break
    assert len(told) > 15
    assert set(told) == {f"offset: the file has become {kind} while it was read"}


def test_short_reads(tmp_path, monkeypatch):
    """The system may give less than it is asked for."""
    SMALL.save(tmp_path / "of.tree")
    pread = os.pread
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", lambda file, size, at: pread(file, max(size // 3, 1), at))
        same(mc.MerkleTree.load(tmp_path / "of.tree"), SMALL)


# ---- writing -----------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path):
    """A file that is there already, and must be whole whatever happens."""
    path = tmp_path / "of.tree"
    SMALL.save(path)
    return path


def test_an_old_file_is_replaced_and_keeps_its_permissions(kept):
    os.chmod(kept, 0o640)
    link = kept.with_name("link")
    link.symlink_to("of.tree")
    mc.MerkleTree([b"new"]).save(link)
    assert link.is_symlink()
    assert mc.MerkleTree.load(kept) == mc.MerkleTree([b"new"])
    assert kept.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(kept.parent)) == ["link", "of.tree"]


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "fchmod", "close"])
def test_whatever_fails(call, kept, monkeypatch):
    """The old file stays, and nothing beside it."""
    right = getattr(os, call)

    def fails(*arguments):
        if call == "close":
            right(*arguments)
        raise OSError(28, "No space left on device")

    before = kept.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, call, fails)
        with pytest.raises(OSError, match="No space left"):
            mc.MerkleTree([b"new"] * 1000).save(kept)
    assert kept.read_bytes() == before
    assert os.listdir(kept.parent) == ["of.tree"]


def test_a_folder_that_cannot_be_opened(kept, monkeypatch):
    """It is met before anything is written."""
    right, before = os.open, kept.read_bytes()

    def refused(path, *arguments, **named):
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied")
        return right(path, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refused)
        with pytest.raises(PermissionError):
            mc.MerkleTree([b"new"]).save(kept)
    assert kept.read_bytes() == before
    assert os.listdir(kept.parent) == ["of.tree"]


def test_a_folder_that_cannot_be_forced_to_the_disk(kept, monkeypatch):
    """That comes last: the new file is there, and the error says that it may not stay."""
    right, new = os.fsync, mc.MerkleTree([b"new"])

    def fails(file):
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(5, "Input/output error")
        right(file)

    open_before = len(os.listdir("/dev/fd"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match="Input/output error"):
            new.save(kept)
    assert mc.MerkleTree.load(kept) == new
    assert os.listdir(kept.parent) == ["of.tree"]
    assert len(os.listdir("/dev/fd")) == open_before


def test_an_error_that_is_kept_does_not_keep_the_tree(tmp_path, monkeypatch):
    tree, write = mc.MerkleTree([b"new"] * 1000), os.write

    def fails(file, data):
        if len(data) > 1000:
            raise OSError(28, "No space left on device")
        return write(file, data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", fails)
        with pytest.raises(OSError, match="No space left") as caught:
            tree.save(tmp_path / "of.tree")
    tree.append(b"more")  # while `caught` keeps the frames of save alive, and the views of the tree in them
    assert len(tree) == 1001
    assert caught.value.errno == 28


def test_a_disk_that_is_full(kept):
    """The system itself refuses, in the midst of a large file."""
    code = (
        "import resource, signal, sys, merklecore as mc\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "tree = mc.MerkleTree([b'new'] * 50_000)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    tree.save(sys.argv[1])\n"
        "except OSError as error:\n    print(error.errno, end='')\n"
    )
    assert output(code, kept) == "27"  # EFBIG
    assert mc.MerkleTree.load(kept) == SMALL
    assert os.listdir(kept.parent) == ["of.tree"]


def test_killed_in_the_midst(kept):
    """Nobody is left to clear up; the old file is as it was, and the next one takes its place."""
    code = (
        "import os, sys, time, merklecore as mc\n"
        "tree = mc.MerkleTree([b'new'] * 300_000)\n"
        "fsync = os.fsync\n"
        "def slow(file):\n    print('written', flush=True)\n    time.sleep(60)\n    fsync(file)\n"
        "os.fsync = slow\n"
        "tree.save(sys.argv[1])\n"
    )
    root = Path(mc.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, "-c", code, kept], cwd=root, env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    assert mc.MerkleTree.load(kept) == SMALL
    left = [name for name in os.listdir(kept.parent) if name != "of.tree"]
    assert len(left) == 1
    assert left[0].startswith(".merklecore-")
    mc.MerkleTree([b"new"]).save(kept)
    assert mc.MerkleTree.load(kept) == mc.MerkleTree([b"new"])


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        SMALL.save(tmp_path / "no" / "where")
    assert os.listdir(tmp_path) == []


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    """A device would be lost to whoever may write in its folder. (Tried on a pipe: it is nobody else's.)"""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to("pipe")
    for path in (tmp_path, pipe, link):
        with pytest.raises(mc.InputError, match="is there and is no regular file"):
            SMALL.save(path)
    assert pipe.is_fifo()
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe"]


@pytest.mark.native_only
def test_a_tree_that_is_changed_while_it_is_saved(tmp_path, monkeypatch):
    """The writer is told to wait; what is saved is the tree as it was. Readers go on."""
    tree, write, told = mc.MerkleTree(LEAVES), os.write, []

    def meanwhile(file, data):
        with pytest.raises(BufferError, match="needs it unchanged"):
            tree.append(b"more")
        with pytest.raises(BufferError, match="needs it unchanged"):
            tree.update([0], [b"x"])
        told.append(tree.root)
        return write(file, data[: max(len(data) // 2, 1)])  # and writes may be short

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", meanwhile)
        tree.save(tmp_path / "of.tree")
    assert len(told) > 3
    assert set(told) == {SMALL.root}
    assert mc.MerkleTree.load(tmp_path / "of.tree") == SMALL
    tree.append(b"more")
