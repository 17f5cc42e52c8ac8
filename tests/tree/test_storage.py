"""Trees as bytes and files: what comes back is the tree, or an error that says where it is not."""

import copy
import os
import pickle
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore.tree import storage
from merklecore.tree.geometry import ODDS
from tests.processes import output

LEAVES = [b"a", b"b", b"c", b"d", b"e"]
SMALL = mc.MerkleTree(LEAVES)


def trees():
    for name, profile in mc.profiles.items():
        for n in (0, 1, 2, 7, 300):
            yield mc.MerkleTree([bytes([i % 256]) * 32 for i in range(n)], profile), f"{name} {n}"
    d = mc.Profile("limited", "sha512", leaf="as_is", odd="pad", limit=9, empty=b"e" * 64)
    yield mc.MerkleTree([bytes([i]) * 64 for i in range(9)], d), "limited"
    yield mc.MerkleTree(LEAVES, mc.Profile("", leaf_prefix=b"x" * 70_000, node_prefix=b"y" * 300)), "prefixes"
    for odd in ODDS:
        yield mc.MerkleTree(LEAVES, mc.Profile(odd, "blake3", odd=odd, sort_pairs=True)), odd


def same(one, other):
    assert one == other
    assert one.profile == other.profile
    assert len(one) == len(other)
    assert one.mutated == other.mutated
    if len(one) or one.profile.empty is not None or one.profile.odd == "pad":
        assert one.root == other.root


@pytest.mark.parametrize(("tree", "name"), list(trees()), ids=lambda x: x if isinstance(x, str) else "")
def test_there_and_back(tree, name, tmp_path):
    path = tmp_path / "of.tree"
    tree.save(path)
    data = path.read_bytes()
    assert data == bytes(tree)
    for read in (mc.MerkleTree.load(path), mc.MerkleTree.from_bytes(data), pickle.loads(pickle.dumps(tree))):
        same(read, tree)
        assert bytes(read) == data
        if name in mc.profiles:
            assert read.profile is mc.profiles[name]
    assert os.listdir(tmp_path) == ["of.tree"]


def test_what_comes_back_grows_and_proves(tmp_path):
    leaves = [b"%d" % i for i in range(5000)]
    tree = mc.MerkleTree(leaves)
    tree.save(str(tmp_path / "a"))
    tree.save(os.fsencode(tmp_path / "b"))
    for read in (mc.MerkleTree.load(tmp_path / "a"), mc.MerkleTree.load(os.fsencode(tmp_path / "b"))):
        assert read.append(b"more") == 5000
        read.update([17], [b"other"])
        leaves_now = [*leaves[:17], b"other", *leaves[18:], b"more"]
        assert read.root == mc.merkle_root(leaves_now)
        read.prove(17).verify(read.root, b"other", index=17, size=5001)
    assert tree.root == mc.merkle_root(leaves)


def test_copies_are_trees_of_their_own():
    for made in (copy.copy(SMALL), copy.deepcopy(SMALL)):
        assert made == SMALL
        made.append(b"f")
        assert made != SMALL
    assert len(SMALL) == 5


def test_what_is_demanded(tmp_path):
    path = tmp_path / "of.tree"
    SMALL.save(path)
    same(mc.MerkleTree.load(path, root=SMALL.root, profile="rfc6962"), SMALL)
    same(
        mc.MerkleTree.load(path, root=bytearray(SMALL.root), profile=SMALL.profile.replace(name="mine")),
        SMALL,
    )
    for root in (bytes(32), b"", SMALL.root[:31], SMALL.root + b"\0"):
        with pytest.raises(mc.InputError, match="the root of the tree is not the one demanded"):
            mc.MerkleTree.load(path, root=root)
    with pytest.raises(
        mc.InputError, match="offset 13: the profile 'rfc6962' has other rules than the one dem"
    ):
        mc.MerkleTree.load(path, profile="rfc6962-sm3")
    with pytest.raises(mc.InputError, match="is none of"):
        mc.MerkleTree.load(path, profile="unknown")
    for wrong in ("text", 5):
        with pytest.raises(TypeError, match="root: a bytes-like object"):
            mc.MerkleTree.load(path, root=wrong)
    nothing = bytes(mc.MerkleTree(profile="openzeppelin"))
    with pytest.raises(mc.InputError, match="the root of the tree is not the one demanded"):
        mc.MerkleTree.from_bytes(nothing, root=bytes(32))


def test_a_checksum_proves_nothing_about_who_made_it():
    """Other leaves under a checksum of their own are a tree; a demanded root tells them apart."""
    forged = bytes(mc.MerkleTree([b"x", *LEAVES[1:]]))
    assert mc.MerkleTree.from_bytes(forged) != SMALL
    with pytest.raises(mc.InputError, match="not the one demanded"):
        mc.MerkleTree.from_bytes(forged, root=SMALL.root)


# ---- damage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["rfc6962", "bitcoin", "openzeppelin", "ssz"])
def test_every_byte_flipped(profile, tmp_path):
    """Any bit of any byte; sorted pairs too, whose root does not say which sibling stands left."""
    data = bytes(mc.MerkleTree([leaf * 32 for leaf in LEAVES], profile))
    path = tmp_path / "of.tree"
    for at in range(len(data)):
        for flip in (1, 128, 255):
            bent = data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]
            with pytest.raises(mc.InputError, match=r"offset \d+: "):
                mc.MerkleTree.from_bytes(bent)
        path.write_bytes(bent)
        with pytest.raises(mc.InputError, match=r"offset \d+: "):
            mc.MerkleTree.load(path)


def test_every_truncation(tmp_path):
    data, path = bytes(SMALL), tmp_path / "of.tree"
    for end in range(len(data)):
        path.write_bytes(data[:end])
        with pytest.raises(mc.InputError, match=r"offset (\d+): ") as caught:
            mc.MerkleTree.load(path)
        assert int(str(caught.value).split(":")[0].split()[1]) <= end
        with pytest.raises(mc.InputError):
            mc.MerkleTree.from_bytes(data[:end])
    for more in (b"\0", bytes(32), data):
        path.write_bytes(data + more)
        with pytest.raises(mc.InputError, match=f"offset {len(data)}: goes on after the checksum"):
            mc.MerkleTree.load(path)


def test_leaves_that_change_places():
    """Under sorted pairs the root is the same: the checksum is not."""
    ids = [bytes([i]) * 32 for i in range(4)]
    tree = mc.MerkleTree(ids, "openzeppelin-simple")
    swapped = mc.MerkleTree([ids[1], ids[0], *ids[2:]], "openzeppelin-simple")
    assert tree.root == swapped.root
    data = bytes(tree).replace(ids[0] + ids[1], ids[1] + ids[0])
    with pytest.raises(mc.InputError, match="the checksum is another one"):
        mc.MerkleTree.from_bytes(data)


def sealed(head, rows=b""):
    pieces = [rows[i : i + 65_536] for i in range(0, len(rows), 65_536)]
    return head + rows + mc.merkle_root([head, *pieces])


def test_what_a_right_checksum_does_not_excuse():
    """Whoever can write a checksum meets every other check."""
    data = bytes(SMALL)
    head, rows = data[: -32 - 160], data[-32 - 160 : -32]
    assert sealed(head, rows) == data
    record = head[13:-8]
    for bent, text in (
        (head[:8] + b"\2" + head[9:], "offset 8: version 2, this is version 1"),
        (b"\x89MCTREE\r" + head[8:], "offset 0: "),
        (head.replace(b"sha256", b"sha257"), "offset 13: the profile: algorithm 'sha257' is none of"),
        (head.replace(b"sha256", b"sha\xff56"), "offset 13: the profile: 'ascii' codec"),
        (head.replace(b"rfc6962", b"rfc696\xff"), "offset 13: the profile: 'utf-8' codec"),
        (head[:9] + (len(record) + 1).to_bytes(4, "big") + head[13:], "offset 9: a profile of"),
        (head[:-8] + (2**64 - 1).to_bytes(8, "big"), "ends within the leaf hashes, which has"),
        (head[:-8] + (6).to_bytes(8, "big"), "ends within the checksum"),
        (head[:-8] + (4).to_bytes(8, "big"), "goes on after the checksum"),
        (head[:13] + b"\xff\xff\xff\xff" + head[17:], "ends within the profile's name, which has 4294967295"),
    ):
        with pytest.raises(mc.InputError, match=text):
            mc.MerkleTree.from_bytes(sealed(bent, rows))
    limited = bytes(mc.MerkleTree([bytes(32)] * 3, mc.Profile("three", leaf="as_is", odd="pad", limit=3)))
    head, rows = limited[: -32 - 96], limited[-32 - 96 : -32]
    with pytest.raises(mc.InputError, match="leaves: 4 where the limit is 3"):
        mc.MerkleTree.from_bytes(sealed(head[:-8] + (4).to_bytes(8, "big"), rows + bytes(32)))


@given(st.binary(max_size=300), st.integers(0, 100))
def test_any_bytes(data, kept):
    for given_bytes in (data, bytes(SMALL)[:kept] + data, sealed(bytes(SMALL)[:kept] + data)):
        try:
            read = mc.MerkleTree.from_bytes(given_bytes)
        except mc.InputError:
            continue
        assert bytes(read) == given_bytes


def test_what_is_no_file_of_a_tree(tmp_path):
    with pytest.raises(FileNotFoundError):
        mc.MerkleTree.load(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        mc.MerkleTree.load(tmp_path)
    for wrong in (None, 5.0, ["a"], 3, True):
        with pytest.raises(TypeError, match=f"path: a name is needed, not {type(wrong).__name__}"):
            mc.MerkleTree.load(wrong)
        with pytest.raises(TypeError, match=f"path: a name is needed, not {type(wrong).__name__}"):
            SMALL.save(wrong)
    for wrong in ("a\0b", b"a\0b", "\ud800"):
        with pytest.raises(mc.InputError, match=r"path: .* name of a file"):
            mc.MerkleTree.load(wrong)
        with pytest.raises(mc.InputError, match=r"path: .* name of a file"):
            SMALL.save(wrong)
    for wrong in ("text", 5, None, [b"a"]):
        with pytest.raises(TypeError, match="data: a bytes-like object"):
            mc.MerkleTree.from_bytes(wrong)
    with pytest.raises(mc.InputError, match="not one contiguous"):
        mc.MerkleTree.from_bytes(np.zeros(64, np.uint8)[::2])
    (tmp_path / "pickle").write_bytes(pickle.dumps(SMALL))
    with pytest.raises(mc.InputError, match="is not the mark of a tree"):
        mc.MerkleTree.load(tmp_path / "pickle")


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
    tree.append(b"more")
    assert caught.value.__traceback__ is not None
    assert len(tree) == 1001


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
