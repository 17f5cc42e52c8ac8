"""Bitcoin's partial Merkle trees: BIP 37's own reading of them, real blocks, and every way to bend one."""

import hashlib
import itertools
import random

import pytest

import merklecore as mc
from tests.tree.test_vectors import Cursor, read

IDS = [hashlib.sha256(b"%d" % i).digest() for i in range(40)]
Proof = mc.PartialMerkleTree


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


class Reading:
    """What BIP 37 tells a client to do with total, hashes and flag bits; its root and matches."""

    def __init__(self, data):
        cursor = Cursor(data)
        self.total = cursor.number(4)
        self.hashes = [cursor.take(32) for _ in range(cursor.compact_size())]
        flags = cursor.take(cursor.compact_size())
        assert cursor.at == len(data)
        self.bits = [byte >> i & 1 for byte in flags for i in range(8)]
        self.used_bits = self.used_hashes = 0
        self.matches = []
        height = 0
        while self.width(height) > 1:
            height += 1
        self.root = self.node(height, 0)
        assert (self.used_bits + 7) // 8 == len(flags)
        assert self.used_hashes == len(self.hashes)

    def width(self, height):
        return (self.total + (1 << height) - 1) >> height

    def next_hash(self):
        self.used_hashes += 1
        return self.hashes[self.used_hashes - 1]

    def node(self, height, pos):
        parent_of_match = self.bits[self.used_bits]
        self.used_bits += 1
        if height == 0 or not parent_of_match:
            found = self.next_hash()
            if height == 0 and parent_of_match:
                self.matches.append((pos, found))
            return found
        left = self.node(height - 1, 2 * pos)
        right = self.node(height - 1, 2 * pos + 1) if 2 * pos + 1 < self.width(height - 1) else left
        return sha256d(left + right)


def check(tree, ids, indices):
    proof, chosen = tree.prove_partial(indices), [ids[i] for i in indices]
    data = bytes(proof)
    reading = Reading(data)
    assert reading.root == tree.root
    assert reading.matches == list(zip(indices, chosen, strict=True))
    assert Proof.from_bytes(data) == proof
    proof.verify(tree.root, chosen, indices=indices, size=len(ids))
    assert proof.extract(tree.root, size=len(ids)) == tuple(reading.matches)


def test_every_small_set():
    for size in range(1, 8):
        tree = mc.MerkleTree(IDS[:size], "bitcoin")
        for k in range(1, size + 1):
            for indices in itertools.combinations(range(size), k):
                check(tree, IDS[:size], list(indices))


def test_random_sets():
    dice = random.Random(3)
    for size in range(8, 41):
        tree = mc.MerkleTree(IDS[:size], "bitcoin")
        for _ in range(10):
            check(tree, IDS[:size], sorted(dice.sample(range(size), dice.randint(1, size))))


def test_a_real_block(vectors):
    data = read(vectors, "block413567/block413567.raw")
    root, ids = Cursor(data).block()
    tree = mc.MerkleTree(ids, "bitcoin")
    check(tree, ids, [0, 5, 777, 1556])
    message = tree.prove_partial([777]).to_merkleblock(data[:80])
    header, proof = Proof.from_merkleblock(message)
    assert header[36:68] == root
    assert proof.extract(header[36:68], size=1557) == ((777, ids[777]),)
    assert proof.to_merkleblock(header) == message


def test_at_an_earlier_size_and_without_matches():
    tree = mc.MerkleTree(IDS, "bitcoin")
    proof = tree.prove_partial([3, 10], 11)
    assert proof == mc.MerkleTree(IDS[:11], "bitcoin").prove_partial([3, 10])
    none = Proof.from_path([tree.root], [False], 40)
    assert Reading(bytes(none)).root == tree.root
    assert none.extract(tree.root, size=40) == ()
    with pytest.raises(mc.ProofError):
        none.extract(bytes(32), size=40)
    with pytest.raises(mc.InputError):
        tree.prove_partial([])
    with pytest.raises(mc.InputError):
        none.verify(tree.root, [], indices=[], size=40)


def test_leaves_and_hashes_in_one_call(backend):
    spec = backend.Spec("sha256d", "as_is", b"", b"", "duplicate", False, None, None)
    nodes = backend.Nodes(spec)
    nodes.extend(IDS[:8])
    rows = backend.set_hashes(nodes, [0, 5], leaves=True)
    assert rows == IDS[0] + IDS[5] + backend.set_hashes(nodes, [0, 5])
    assert backend.set_hashes(nodes, range(2, 7), leaves=True)[: 5 * 32] == b"".join(IDS[2:7])


class Changes:
    """An index that changes the tree each time it is asked for but the first."""

    def __init__(self, tree):
        self.tree, self.asked = tree, 0

    def __index__(self):
        self.asked += 1
        if self.asked > 1:
            self.tree.update([0, 5], [IDS[20 + self.asked], IDS[30 + self.asked]])
        return 0


def test_a_tree_that_changes_meanwhile():
    tree = mc.MerkleTree(IDS[:8], "bitcoin")
    before = tree.root
    proof = tree.prove_partial([Changes(tree)])
    assert tree.root != before
    assert proof.extract(before, size=8) == ((0, IDS[0]),)


def test_every_bit():
    for size, indices in ((1, [0]), (7, [2, 6]), (11, [10]), (13, [0, 1, 7, 12])):
        tree = mc.MerkleTree(IDS[:size], "bitcoin")
        chosen, data = [IDS[i] for i in indices], bytes(tree.prove_partial(indices))
        for bit in range(8 * len(data)):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            with pytest.raises((mc.InputError, mc.ProofError)):
                Proof.from_bytes(changed).verify(tree.root, chosen, indices=indices, size=size)
        for end in range(len(data)):
            with pytest.raises(mc.InputError):
                Proof.from_bytes(data[:end])
        for tail in (b"\0", bytes(32)):
            with pytest.raises(mc.InputError, match=f"offset {len(data)}: goes on after"):
                Proof.from_bytes(data + tail)


def test_extracted_matches_are_never_others_than_the_tree_holds():
    """Whatever bits are bent: what extract returns stands in the tree, at that index."""
    tree = mc.MerkleTree(IDS[:13], "bitcoin")
    data = bytes(tree.prove_partial([0, 1, 7, 12]))
    dice = random.Random(5)
    for _ in range(3000):
        changed = bytearray(data)
        for _ in range(dice.randint(1, 3)):
            bit = dice.randrange(8 * len(data))
            changed[bit // 8] ^= 1 << bit % 8
        try:
            found = Proof.from_bytes(changed).extract(tree.root, size=13)
        except (mc.InputError, mc.ProofError):
            continue
        assert all(IDS[i] == item for i, item in found)


def test_the_total_is_never_trusted():
    tree = mc.MerkleTree(IDS[:7], "bitcoin")
    proof = tree.prove_partial([6])
    for size in (6, 8, 13, 2**32):
        with pytest.raises((mc.ProofError, mc.BoundsError)):
            proof.verify(tree.root, [IDS[6]], indices=[6], size=size)
        with pytest.raises(mc.ProofError, match=f"the proof is of 7 leaves, not of {size}"):
            proof.extract(tree.root, size=size)


def test_equal_siblings_are_refused():
    """CVE-2012-2459, as CPartialMerkleTree refuses it: a right node that is its left sibling again."""
    ids = [*IDS[:3], IDS[2]]
    tree = mc.MerkleTree(ids, "bitcoin")
    for indices in ([3], [2, 3], [0]):
        proof, chosen = tree.prove_partial(indices), [ids[i] for i in indices]
        if indices == [0]:
            proof.verify(tree.root, chosen, indices=indices, size=4)  # nothing of that pair is in it
            continue
        with pytest.raises(mc.ProofError, match="siblings and equal"):
            proof.verify(tree.root, chosen, indices=indices, size=4)
        with pytest.raises(mc.ProofError, match="siblings and equal"):
            proof.extract(tree.root, size=4)


def test_a_node_of_64_bytes_is_no_transaction():
    """CVE-2017-12842: a shallower tree over a node shown as a leaf has the root, but not the size."""
    tree = mc.MerkleTree(IDS[:4], "bitcoin")
    node = sha256d(IDS[0] + IDS[1])
    shallow = mc.MerkleTree([node, sha256d(IDS[2] + IDS[3])], "bitcoin")
    assert shallow.root == tree.root
    with pytest.raises(mc.ProofError, match="the proof is of 2 leaves, not of 4"):
        shallow.prove_partial([0]).extract(tree.root, size=4)


@pytest.mark.parametrize(
    ("encoded", "said"),
    {
        "nothing": ("", "offset 0: ends before the number of leaves"),
        "no leaves": ("00000000" + "00" + "0100", "offset 0: no leaves"),
        "no hashes": ("01000000" + "00" + "0101", "path: 0 hashes where the flags lead to 1"),
        "a long CompactSize": ("01000000" + "fd0100" + "00" * 32 + "0101", "offset 4: 1 as a CompactSize is"),
        "a longer one": ("01000000" + "fe01000000" + "00" * 32 + "0101", "offset 4: 1 as a CompactSize is"),
        "the longest": (
            "01000000" + "ff" + "01" + "00" * 7 + "00" * 32 + "0101",
            "offset 4: 1 as a CompactS",
        ),
        "flags so": ("01000000" + "01" + "00" * 32 + "fd010001", "offset 37: 1 as a CompactSize is shorter"),
        "counts beyond": ("01000000" + "fe" + "ff" * 4, "ends before 4294967295 hashes of 32 bytes"),
        "2^64 hashes": ("01000000" + "ff" * 9, "ends before 18446744073709551615 hashes of 32 bytes"),
        "no flags": ("01000000" + "01" + "00" * 32 + "00", "flags: 0, which end before the walk"),
        "padding": (
            "01000000" + "01" + "00" * 32 + "0103",
            "offset 38: bits after the last one are not zero",
        ),
        "two bytes": ("01000000" + "01" + "00" * 32 + "020100", "offset 38: 2 bytes of flags where the walk"),
        "more than any walk takes": (
            "02000000" + "01" + "00" * 32 + "06" + "01" + "00" * 5,
            "offset 38: 6 bytes of flags where 1 hashes take at most 5",
        ),
        "deep": ("ffffffff" + "00" + "01ff", "flags: 8, which end before the walk through 4294967295 leaves"),
        "a hash too many": (
            "01000000" + "02" + "00" * 64 + "0101",
            "path: 2 hashes where the flags lead to 1",
        ),
    }.values(),
)
def test_bent_encodings(encoded, said):
    with pytest.raises(mc.InputError, match=said):
        Proof.from_bytes(bytes.fromhex(encoded))
    with pytest.raises(mc.InputError):
        Proof.from_merkleblock(bytes(80) + bytes.fromhex(encoded))


def test_of_wrong_kinds():
    for total in (0, 2**32):
        with pytest.raises(mc.InputError, match="is not between 1 and"):
            Proof.from_path([bytes(32)], [True], total)
    with pytest.raises(mc.InputError, match=r"path\[0\]: 31 bytes where 32 are needed"):
        Proof.from_path([bytes(31)], [True], 1)
    with pytest.raises(TypeError, match=r"flags\[0\]: a bool is needed, not int"):
        Proof.from_path([bytes(32)], [1], 1)
    for name in ("rfc6962", "ssz", "openzeppelin-simple"):
        with pytest.raises(mc.InputError, match="partial Merkle trees need odd='duplicate'"):
            mc.MerkleTree(IDS[:4], name).prove_partial([0])
        with pytest.raises(mc.InputError, match="partial Merkle trees need odd='duplicate'"):
            Proof.from_path([bytes(32)], [True], 1).verify(
                bytes(32), [IDS[0]], indices=[0], size=1, profile=name
            )
    with pytest.raises(mc.InputError, match="offset 79: ends within the block header"):
        Proof.from_merkleblock(bytes(79))
    with pytest.raises(mc.InputError, match="header: 81 bytes"):
        Proof.from_path([bytes(32)], [True], 1).to_merkleblock(bytes(81))
