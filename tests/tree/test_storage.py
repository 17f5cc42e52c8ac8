"""Trees as bytes and files: what comes back is the tree, or an error that says where it is not."""

import copy
import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore.tree.geometry import ODDS

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
