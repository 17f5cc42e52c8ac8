"""Ranges of the backends: however leaves come together, nodes and root are those of the tree."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore import _native, reference
from tests.shapes import noise
from tests.tree.ranges import LEAVES, TREE, WINDOW, Store, expected, node

OTHERS = ["duplicate", "pad", "rehash"]


def spec_of(backend, odd="split", **changes):
    fields = {"algorithm": "sha256", "leaf": "hash", "leaf_prefix": b"\0", "node_prefix": b"\1", "odd": odd}
    fields |= {"sort_pairs": False, "limit": None, "empty": "hash"} | changes
    return backend.Spec(*fields.values())


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


@pytest.mark.slow
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
