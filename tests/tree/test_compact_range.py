"""CompactRange: its face, iterators, and encodings."""

import copy
import pickle
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from tests.meanwhile import at_step, meanwhile
from tests.shapes import noise
from tests.tree.ranges import LEAVES, TREE, Store, expected


def ranged(start, stop, profile="rfc6962"):
    made = mc.CompactRange(profile, start)
    made.extend(LEAVES[start:stop])
    return made


def test_public_face():
    made = ranged(3, 10)
    assert (made.start, made.size, made.nodes) == (3, 7, expected(3, 10))
    assert made.profile is mc.profiles["rfc6962"]
    assert repr(made) == "CompactRange(7 leaves from 3 on, 'rfc6962')"
    assert made.append(TREE.leaf_hash(10), hashed=True) == 10
    assert made == ranged(3, 11)
    assert made == ranged(3, 11, mc.profiles["rfc6962"].replace(name="mine"))
    assert made != ranged(4, 11)
    assert made != ranged(3, 12)
    assert made != ranged(3, 11, mc.profiles["rfc6962"].replace(node_prefix=b"\2"))
    assert made != 5
    assert mc.CompactRange() != mc.CompactRange(start=1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(made)
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other == made
        other.append(b"")
        assert other != made
    assert mc.CompactRange().root == mc.MerkleTree().root
    with pytest.raises(mc.InputError, match="an empty tree has no root"):
        mc.CompactRange(mc.Profile("mine")).root


@pytest.mark.parametrize("profile", ["bitcoin", "ssz", "fisco-bcos", "openzeppelin"])
def test_profiles_that_do_not_split(profile):
    with pytest.raises(mc.InputError, match="a compact range needs odd='split'"):
        mc.CompactRange(profile)


def test_merging_what_does_not_belong_together():
    made = ranged(0, 5)
    with pytest.raises(mc.InputError, match="other: its profile 'mine' has other rules"):
        made.merge(ranged(5, 7, mc.profiles["rfc6962"].replace(name="mine", node_prefix=b"\2")))
    with pytest.raises(mc.InputError, match="a range from 6 on does not follow one that ends at 5"):
        made.merge(ranged(6, 7))
    for wrong in (None, b"", mc.MerkleTree()):
        with pytest.raises(TypeError, match="other: a CompactRange is needed"):
            made.merge(wrong)
    assert made == ranged(0, 5)


def test_iterators():
    many = [b"%d" % i for i in range(40_000)]
    root = mc.merkle_root(many)
    for source in (iter(many), (leaf for leaf in many), map(bytes, many), dict.fromkeys(many).keys()):
        made = mc.CompactRange()
        assert made.extend(source) == range(40_000)
        assert made.root == root
    store, made = Store(0), mc.CompactRange()
    assert made.extend(iter(many[:20_000]), on_nodes=store) == range(20_000)
    assert made.extend(iter(many[20_000:]), on_nodes=store) == range(20_000, 40_000)
    assert made.root == root
    assert len(store.nodes) == sum(40_000 >> k for k in range(16))
    for wrong in ("text", {b"a", b"b"}, {b"a": 1}, 5, None):
        with pytest.raises(TypeError, match="leaves: "):
            made.extend(wrong)


@pytest.mark.parametrize("stored", [False, True])
def test_an_iterator_that_changes_the_range(stored):
    """It is told so, and goes on; what it gives has the indices that are returned."""
    made, store = mc.CompactRange(), Store(0)

    def leaves():
        for i in range(200):
            if i == 100:
                with pytest.raises(BufferError, match="the range is being changed by another call"):
                    made.append(b"of another")
            yield b"%d" % i

    assert made.extend(leaves(), on_nodes=store if stored else None) == range(200)
    assert made.size == 200
    assert made.root == mc.merkle_root([b"%d" % i for i in range(200)])


def test_encodings_beside_a_writer():
    """Between any two instructions of it the range may grow: what comes out is one of its states."""
    states = {bytes(ranged(0, 3)), bytes(ranged(0, 4))}
    met, reached, step = set(), True, 0
    while reached:
        made = ranged(0, 3)
        with at_step(step, "ranges.py", lambda made=made: made.append(LEAVES[3])) as passed:
            met.add(bytes(made))
        reached, step = passed.is_set(), step + 1
    assert met == states
    assert step > 10


def failing(n):
    for i in range(n):
        yield b"%d" % i
    raise OSError("the line is cut")


def test_iterators_that_raise():
    """Nothing is added; with on_nodes what was handed over is."""
    made, before = ranged(0, 5), ranged(0, 5)
    with pytest.raises(OSError, match="the line is cut"):
        made.extend(failing(5000))
    with pytest.raises(TypeError, match=r"leaves\[1024:\]\[376\]: a bytes-like"):
        made.extend(iter([b""] * 1400 + [None] + [b""] * 9000))
    assert made == before
    kept = mc.CompactRange()
    store = Store(0)
    with pytest.raises(OSError, match="the line is cut"):
        kept.extend(failing(5000), on_nodes=store)
    assert 0 < kept.size <= 5000
    assert kept.size == max(place for level, place in store.nodes if level == 0) + 1
    again = mc.CompactRange()
    again.extend([b"%d" % i for i in range(kept.size)])
    assert kept == again


def test_batches_of_large_leaves_are_small():
    """What is held at a time is bounded in bytes, not in leaves alone."""
    held = most = 0

    class Leaf(bytes):
        def __new__(cls):
            nonlocal held, most
            held += 1
            most = max(most, held)
            return super().__new__(cls, 1 << 20)

        def __del__(self):
            nonlocal held
            held -= 1

    made = mc.CompactRange()
    made.extend(Leaf() for _ in range(150))
    assert made.size == 150
    assert most <= 64 + 8 + 1
    assert held == 0


@pytest.mark.native_only
@pytest.mark.parametrize("call", ["append", "extend"])
def test_a_range_in_use_by_a_writer(call):
    """Readers have it as it was, writers are told to wait."""
    made, large = ranged(0, 5), noise(1 << 22) * 4
    before = ranged(0, 5)
    size = 5

    def write():
        nonlocal size
        size += 1 if call == "append" else 2
        return made.append(large) if call == "append" else made.extend([large, b""], threads=1)

    def try_it():
        for change in (lambda: made.append(b""), lambda: made.extend([b""]), lambda: made.merge(before)):
            with pytest.raises(BufferError, match="the range is being changed by another call"):
                change()
        assert made.size < size

    meanwhile(write, try_it)
    assert made.size == size


# ---- encoding ----------------------------------------------------------------------------------------------

PROFILES = [
    mc.profiles["rfc6962"],
    mc.Profile("", "sha512", empty=b""),
    mc.Profile(
        "ä \ud800", "sm3", leaf="hash_twice", leaf_prefix=b"x" * 300, node_prefix=b"y", empty=b"z" * 32
    ),
    mc.Profile("as is", "keccak256", leaf="as_is"),
]


def test_encodings():
    for profile in PROFILES:
        for start, size in ((0, 0), (0, 1), (0, 7), (5, 0), (5, 9), (2**64 - 8, 7)):
            made = mc.CompactRange(profile, start)
            d = profile.digest_size
            made.extend([bytes([i]) * d for i in range(size)])
            data = bytes(made)
            read = mc.CompactRange.from_bytes(data)
            assert read == made
            assert read.profile == profile
            assert bytes(read) == data
            assert read.append(bytes(d)) == start + size if start + size < 2**64 - 1 else True
    assert mc.CompactRange.from_bytes(bytearray(bytes(ranged(0, 5)))).profile is mc.profiles["rfc6962"]


def test_every_truncation_and_more():
    data = bytes(ranged(3, 10))
    for end in range(len(data)):
        with pytest.raises(mc.InputError, match=r"offset \d+: "):
            mc.CompactRange.from_bytes(data[:end])
    for more in (b"\0", bytes(32), data):
        with pytest.raises(mc.InputError, match=r"offset \d+: nodes"):
            mc.CompactRange.from_bytes(data + more)


def test_every_byte_changed():
    """What is still an encoding is one of something else, and the only one of it."""
    data, original = bytes(ranged(3, 10)), ranged(3, 10)
    for at in range(len(data)):
        for value in {0, 1, 255, data[at] ^ 1, data[at] ^ 128} - {data[at]}:
            bent = data[:at] + bytes([value]) + data[at + 1 :]
            read = refused = None
            try:
                read = mc.CompactRange.from_bytes(bent)
            except mc.InputError as error:
                refused = str(error)
            if refused:
                assert refused.startswith(("offset ", "profile: a compact range needs"))
            else:
                assert bytes(read) == bent
                assert read != original or read.profile.name != "rfc6962"


@given(st.binary(max_size=200))
def test_any_bytes(data):
    for prefix in (b"", bytes(ranged(0, 3))[:60]):
        try:
            read = mc.CompactRange.from_bytes(prefix + data)
        except mc.InputError:
            continue
        assert bytes(read) == prefix + data


def test_lengths_that_lie():
    """Nothing is allocated for what is claimed."""
    data = bytes(ranged(0, 3))
    for at, size in ((2, 4), (6, 4), (len(data) - 2 * 32 - 8, 8)):
        with pytest.raises(mc.InputError, match=r"offset \d+: "):
            mc.CompactRange.from_bytes(data[:at] + b"\xff" * size + data[at + size :])
    for wrong in ("text", 5, None):
        with pytest.raises(TypeError):
            mc.CompactRange.from_bytes(wrong)


def test_going_on_elsewhere():
    """A crash after any batch: what was kept is enough to go on."""
    rng, made, at = random.Random(1), mc.CompactRange(), 0
    while at < len(LEAVES):
        step = rng.randrange(1, 9)
        made = mc.CompactRange.from_bytes(bytes(made))
        made.extend(LEAVES[at : at + step])
        at += step
    assert made.root == TREE.root
