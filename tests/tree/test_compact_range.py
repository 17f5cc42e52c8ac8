"""Compact ranges: however leaves come together, nodes and root are those of the tree."""

import copy
import pickle
import random
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore import _native, reference
from merklecore.tree.geometry import covering_nodes
from tests.meanwhile import at_step, meanwhile
from tests.shapes import noise

WINDOW = 1 << 14
LEAVES = [b"leaf %d" % i for i in range(80)]
TREE = mc.MerkleTree(LEAVES)
OTHERS = ["duplicate", "pad", "rehash"]


def spec_of(backend, odd="split", **changes):
    fields = {"algorithm": "sha256", "leaf": "hash", "leaf_prefix": b"\0", "node_prefix": b"\1", "odd": odd}
    fields |= {"sort_pairs": False, "limit": None, "empty": "hash"} | changes
    return backend.Spec(*fields.values())


def node(level, index):
    return TREE.nodes(level, index, index + 1).tobytes()


def expected(start, stop):
    return tuple(node(*place) for place in covering_nodes(start, stop))


def test_the_fewest_nodes_of_every_range(backend):
    """From every start to every end, leaf by leaf and at once."""
    spec = spec_of(backend)
    for start in range(40):
        one_by_one = backend.Range(spec, start)
        for stop in range(start, 72):
            at_once = backend.Range(spec, start)
            assert at_once.extend(LEAVES[start:stop]) == range(start, stop)
            assert at_once.nodes() == one_by_one.nodes() == expected(start, stop)
            assert (at_once.start, at_once.size) == (start, stop - start)
            if start == 0:
                assert at_once.root() == TREE.root_at(stop)
            else:
                with pytest.raises(mc.InputError, match=f"a range that starts at {start} has no root"):
                    at_once.root()
            assert one_by_one.append(LEAVES[stop]) == stop


def test_every_merge(backend):
    spec = spec_of(backend)

    def ranged(start, stop):
        made = backend.Range(spec, start)
        made.extend(LEAVES[start:stop])
        return made

    for start in (0, 1, 3, 12):
        for stop in range(start, 71 if backend is _native else 35):
            for cut in range(start, stop + 1):
                left, right = ranged(start, cut), ranged(cut, stop)
                left.merge(right)
                assert left.nodes() == expected(start, stop)
                assert left.size == stop - start
                assert right.nodes() == expected(cut, stop)


@given(st.integers(0, 70), st.lists(st.integers(0, 20), max_size=8), st.randoms(use_true_random=False))
def test_random_cuts_merged_in_any_order(start, sizes, rng):
    for backend in (_native, reference):
        spec, at, parts = spec_of(backend), start, []
        for size in sizes:
            size = min(size, len(LEAVES) - at)
            made = backend.Range(spec, at)
            made.extend(LEAVES[at : at + size])
            parts.append(made)
            at += size
        while len(parts) > 1:
            i = rng.randrange(len(parts) - 1)
            parts[i].merge(parts.pop(i + 1))
        if parts:
            assert parts[0].nodes() == expected(start, at)


ROWS = np.frombuffer(noise(32 * 40_000), np.uint8).reshape(-1, 32)


@cache
def leaf_by_leaf(start):
    made = reference.Range(spec_of(reference), start)
    made.extend(ROWS)
    return made.nodes()


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("start", [0, 1, 4096, 5000, 2**63, 2**64 - 70_000])
def test_large_batches(start, threads):
    """Across blocks and windows, from any start; the range's own merging checks what blocks make."""
    rows, spec = ROWS, spec_of(_native)
    for cuts in ([40_000], [4095, 2, 30_000, 5903], [20_000, 20_000]):
        made, at = _native.Range(spec, start), 0
        for cut in cuts:
            made.extend(rows[at : at + cut], False, threads)
            at += cut
        assert made.nodes() == leaf_by_leaf(start)
        if start == 0:
            assert made.root() == _native.root(spec, rows)


@pytest.mark.parametrize("odd", OTHERS)
def test_roots_under_rules_that_have_no_public_ranges(backend, odd):
    """What merkle_root makes of streams and parts: peaks are the same under every rule of odd levels."""
    for limit in (None, 1000) if odd == "pad" else (None,):
        spec = spec_of(backend, odd, limit=limit, sort_pairs=odd == "pad")
        for n in range(72):
            made, rest = backend.Range(spec), backend.Range(spec, n // 3)
            made.extend(LEAVES[: n // 3])
            rest.extend(LEAVES[n // 3 : n])
            made.merge(rest)
            assert made.root() == backend.root(spec, LEAVES[:n])
    limited = backend.Range(spec_of(backend, "pad", limit=3))
    limited.extend(LEAVES[:3])
    with pytest.raises(mc.InputError, match="leaves: 4 where the limit is 3"):
        limited.append(b"")


# ---- completed nodes ---------------------------------------------------------------------------------------


class Store:
    """Keeps what it is given, and sees that it comes once and in order."""

    def __init__(self, start):
        self.start, self.nodes, self.calls = start, {}, []

    def __call__(self, level, first, hashes):
        assert type(level) is int
        assert type(first) is int
        assert hashes.dtype == np.uint8
        assert 1 <= len(hashes) <= WINDOW
        self.calls.append((level, first, len(hashes)))
        for i, row in enumerate(hashes):
            place = (level, first + i)
            assert place not in self.nodes
            for child in ((level - 1, 2 * (first + i)), (level - 1, 2 * (first + i) + 1)) if level else ():
                assert child in self.nodes
            self.nodes[place] = bytes(row)


@pytest.mark.parametrize("start", [0, 1, 3, 4, 11])
def test_every_completed_node_once(backend, start):
    for step in (1, 2, 3, 7, 16, 60):
        made, store, at = backend.Range(spec_of(backend), start), Store(start), start
        while at < len(LEAVES):
            made.extend(LEAVES[at : at + step], on_nodes=store)
            at = min(at + step, len(LEAVES))
        complete = {
            (k, i)
            for k in range(7)
            for i in range(80 >> k)
            if i << k >= start and (i + 1) << k <= len(LEAVES)
        }
        assert store.nodes == {place: node(*place) for place in complete}
        assert made.nodes() == expected(start, len(LEAVES))


@pytest.mark.parametrize("start", [0, 5, WINDOW - 3, 3 * WINDOW])
def test_windows(start):
    """Both backends hand over the same nodes in the same calls, and what stands above whole windows too."""
    n = 2 * WINDOW + 100
    hashes = np.frombuffer(noise(32 * n), np.uint8).reshape(n, 32)
    told = []
    for backend in (_native, reference):
        made, store = backend.Range(spec_of(backend), start), Store(start)
        made.extend(hashes[:1000], True, 1, None, store)
        made.extend(hashes[1000:], True, 2, None, store)
        plain = backend.Range(spec_of(backend), start)
        plain.extend(hashes, True)
        assert made.nodes() == plain.nodes()
        told.append((store.calls, store.nodes, made.nodes()))
    assert told[0] == told[1]
    if start == 0:
        assert (15, 0) in told[0][1]


def test_a_store_that_fails(backend):
    """The range stays where the last batch ended that was handed over whole."""
    leaves = np.zeros((WINDOW + 50, 32), np.uint8)
    for failing in (1, 2, 14, 15, 16, 17, 30):
        made, calls, kept = backend.Range(spec_of(backend)), [], {}

        def on_nodes(level, first, hashes, failing=failing, calls=calls, kept=kept):
            calls.append(level)
            if len(calls) == failing:
                raise OSError("the disk is full")
            kept[level, first] = len(hashes)

        try:
            made.extend(leaves, True, None, None, on_nodes)
        except OSError:
            assert made.size == (0 if failing <= 15 else WINDOW)
        else:
            assert failing > len(calls)
            break
        whole = backend.Range(spec_of(backend))
        whole.extend(leaves[: made.size], True)
        assert made.nodes() == whole.nodes()
        made.extend(leaves[made.size :], True)  # it is free again
        assert made.size == len(leaves)


def test_a_store_that_changes_the_range(backend):
    made, told = backend.Range(spec_of(backend)), []

    def on_nodes(level, first, hashes):
        for change in (
            lambda: made.append(b""),
            lambda: made.extend([b""]),
            lambda: made.merge(backend.Range(spec_of(backend))),
        ):
            with pytest.raises(BufferError, match="the range is being changed by another call"):
                change()
        told.append((made.size, made.nodes()))

    made.extend(LEAVES, on_nodes=on_nodes)
    assert set(told) == {(0, ())}  # as it was before the batch
    assert made.root() == TREE.root


@pytest.mark.parametrize("wrong", [5, "on_nodes", []])
def test_a_store_that_is_none(backend, wrong):
    with pytest.raises(TypeError, match="on_nodes: a callable is needed"):
        backend.Range(spec_of(backend)).extend(LEAVES, on_nodes=wrong)
    with pytest.raises(TypeError, match="on_nodes: a callable is needed"):
        backend.Range(spec_of(backend)).extend_batches([], on_nodes=wrong)


@pytest.mark.parametrize("stored", [False, True])
def test_batches_that_change_the_range(backend, stored):
    """To others all batches are one change: none comes in between, and readers see whole batches, or none."""
    made, seen = backend.Range(spec_of(backend), 3), []
    made.extend(LEAVES[3:7])

    def batches():
        for i in (7, 27, 47):
            for change in (
                lambda: made.append(b""),
                lambda: made.extend([b""]),
                lambda: made.extend_batches([]),
                lambda: made.merge(backend.Range(spec_of(backend), 3 + made.size)),
            ):
                with pytest.raises(BufferError, match="the range is being changed by another call"):
                    change()
            seen.append(made.state())
            yield LEAVES[i : i + 20], "leaves"

    told = []
    on_nodes = (lambda *node: told.append(node)) if stored else None
    assert made.extend_batches(batches(), on_nodes=on_nodes) == range(7, 67)
    assert made.state() == (3, 64, expected(3, 67))
    assert seen == [(3, i - 3, expected(3, i)) for i in ((7, 27, 47) if stored else (7, 7, 7))]
    assert bool(told) is stored
    assert made.append(LEAVES[67]) == 67  # it is free again


@pytest.mark.parametrize("stored", [False, True])
def test_batches_that_fail(backend, stored):
    """What is raised leaves what was handed over whole, and frees the range."""
    made = backend.Range(spec_of(backend))
    made.append(LEAVES[0])

    def cut():
        yield LEAVES[1:5], "leaves"
        raise OSError("the line is cut")

    for batches, error, text in (
        (cut(), OSError, "the line is cut"),
        ([(LEAVES[:3], "leaves"), ([b"", 5], "leaves[3:]")], TypeError, r"leaves\[3:\]\[1\]: a bytes-like"),
    ):
        before = made.size
        with pytest.raises(error, match=text):
            made.extend_batches(batches, on_nodes=(lambda *node: None) if stored else None)
        assert (made.size > before) is stored
    for wrong, error in ((0, mc.InputError), (True, TypeError), ("2", TypeError)):
        with pytest.raises(error, match="threads: "):
            made.extend_batches([], threads=wrong)
    end = made.start + made.size
    assert made.append(b"") == end


@given(st.integers(0, 2), st.lists(st.integers(0, 3), max_size=6))
def test_states_are_of_one_moment(start, sizes):
    for backend in (_native, reference):
        made = backend.Range(spec_of(backend), start)
        for size in sizes:
            made.extend(LEAVES[:size])
            assert made.state() == (made.start, made.size, made.nodes())


# ---- refusals ----------------------------------------------------------------------------------------------


def test_all_or_nothing(backend):
    made = backend.Range(spec_of(backend), 3)
    made.extend(LEAVES[3:10])
    for wrong, error in (([b"", None], TypeError), ([b"", "a"], TypeError), (5, TypeError)):
        with pytest.raises(error):
            made.extend(wrong)
    with pytest.raises(mc.InputError, match=r"leaves\[1\]: 2 bytes where 32"):
        made.extend([bytes(32), b"ab"], hashed=True)
    with pytest.raises(mc.InputError, match="leaf: 2 bytes where 32"):
        made.append(b"ab", hashed=True)
    with pytest.raises(mc.InputError, match="a range from 9 on does not follow one that ends at 10"):
        made.merge(backend.Range(spec_of(backend), 9))
    with pytest.raises(TypeError):
        made.merge(None)
    assert made.nodes() == expected(3, 10)


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


def test_the_last_index(backend):
    """Ranges end at 2^64 - 1."""
    made = backend.Range(spec_of(backend), 2**64 - 4)
    assert made.extend(LEAVES[:2]) == range(2**64 - 4, 2**64 - 2)
    assert made.append(b"") == 2**64 - 2
    nodes = made.nodes()
    assert len(nodes) == 2
    for change in (lambda: made.append(b""), lambda: made.extend([b""])):
        with pytest.raises(mc.BoundsError, match=r"1 leaves from 18446744073709551615 on"):
            change()
    assert made.nodes() == nodes
    for wrong in (-1, 2**64):
        with pytest.raises(mc.BoundsError):
            backend.Range(spec_of(backend), wrong)
    for wrong in (True, 1.0, None):
        with pytest.raises(TypeError):
            backend.Range(spec_of(backend), wrong)
    for wrong in (None, "rfc6962"):
        with pytest.raises(TypeError):
            backend.Range(wrong)


# ---- the public class --------------------------------------------------------------------------------------


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
