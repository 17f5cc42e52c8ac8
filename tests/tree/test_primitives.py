"""What proves and folds, native against reference, over every rule; many proofs against each by itself."""

import hashlib
from struct import unpack

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore import _native, reference
from merklecore.tree.geometry import ODDS
from tests.tree.test_backends_agree import answer

BACKENDS = (_native, reference)
# Of each hash size and kind of prefix one; the rules are what differs here.
HOW = [("sha256", b"\1"), ("sha256", b""), ("sha512", b"ab")]


def digests(d, kinds):
    """Digests among which there are equal ones, of siblings too."""
    return [hashlib.shake_128(bytes([i])).digest(d) for i in range(kinds)]


@st.composite
def trees(draw, most=40):
    """Fields of a Spec, leaf hashes, and the size of a tree of some of them."""
    algorithm, prefix = draw(st.sampled_from(HOW))
    odd, sort_pairs = draw(st.sampled_from(ODDS)), draw(st.booleans())
    limit = draw(st.none() | st.integers(most, 2**64)) if odd == "pad" else None
    fields = (algorithm, "hash", b"\0", prefix, odd, sort_pairs, limit, None)
    d = reference.DIGEST_SIZES[algorithm]
    kinds = draw(st.sampled_from([2, 250]))
    leaves = draw(st.lists(st.sampled_from(digests(d, kinds)), min_size=1, max_size=most))
    size = len(leaves) if odd == "heap" else draw(st.integers(1, len(leaves)))
    return fields, leaves, size


def grown(backend, fields, leaves):
    spec = backend.Spec(*fields)
    nodes = backend.Nodes(spec)
    nodes.extend(leaves, True)
    return spec, nodes


@given(trees(), st.data())
def test_paths_are_those_of_each_leaf(tree, data):
    fields, leaves, size = tree
    indices = data.draw(st.lists(st.integers(0, size - 1), max_size=30))
    made = []
    for backend in BACKENDS:
        spec, nodes = grown(backend, fields, leaves)
        offsets, hashes = backend.paths(nodes, indices, size)
        bounds = unpack(f"={len(indices) + 1}q", offsets)
        for i, index in enumerate(indices):
            assert hashes[bounds[i] : bounds[i + 1]].tobytes() == backend.path(nodes, index, size)
        assert hashes.shape == (bounds[-1], spec.digest_size)
        assert not hashes.flags.writeable
        made.append((offsets, hashes.tobytes()))
    assert made[0] == made[1]


def flipped(draw, data):
    if not data:
        return data
    bit = draw(st.integers(0, 8 * len(data) - 1))
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(trees(), st.data())
def test_many_proofs_fail_where_each_by_itself_does(tree, data):
    """Any of them bent, repeated or of another length: exactly those positions are named, by both."""
    fields, leaves, size = tree
    draw = data.draw
    indices = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=30))
    spec, nodes = grown(reference, fields, leaves)
    root, d = nodes.root(size), spec.digest_size
    paths = [reference.path(nodes, index, size) for index in indices]
    given_leaves = [leaves[index] for index in indices]
    for _ in range(draw(st.integers(0, 5))):
        i = draw(st.integers(0, len(indices) - 1))
        bend = draw(st.sampled_from(["path", "leaf", "index", "drop", "add", "repeat", "other"]))
        if bend == "path":
            paths[i] = flipped(draw, paths[i])
        elif bend == "leaf":
            given_leaves[i] = flipped(draw, given_leaves[i])
        elif bend == "index":
            indices[i] = draw(st.integers(0, size - 1))
        elif bend == "drop":
            paths[i] = paths[i][d:]
        elif bend == "add":
            paths[i] += bytes(d)
        elif bend == "repeat":  # a sibling equal to its node
            paths[i] = given_leaves[i] + paths[i][d:]
        else:
            paths[i] = paths[draw(st.integers(0, len(indices) - 1))]
    width = d if any(paths) else 0
    offsets = np.cumsum([0, *(len(path) // d for path in paths)]).astype(np.int64).tobytes()
    arguments = (given_leaves, offsets, b"".join(paths), width, indices, size, root, True)
    told = [answer(lambda b=b: b.fold_many(b.Spec(*fields), *arguments)) for b in BACKENDS]
    assert told[0] == told[1]
    for backend in BACKENDS:
        own = backend.Spec(*fields)
        alone = []
        for i, (leaf, path, index) in enumerate(zip(given_leaves, paths, indices, strict=True)):
            try:
                if backend.fold(own, leaf, path, width, index, size, True) != root:
                    alone.append(i)
            except mc.ProofError:
                alone.append(i)
        assert told[0][0] == tuple(alone)


@given(trees(), st.data())
def test_sets_of_leaves(tree, data):
    """Hashes, flags, roots and refusals are the same, and the root is the tree's where nothing is bent."""
    fields, leaves, size = tree
    draw = data.draw
    indices = sorted(draw(st.sets(st.integers(0, size - 1), min_size=1)))
    made = {backend: grown(backend, fields, leaves) for backend in BACKENDS}
    hashes = [backend.set_hashes(nodes, indices, size) for backend, (_, nodes) in made.items()]
    flags = [backend.set_flags(spec, indices, size) for backend, (spec, _) in made.items()]
    assert hashes[0] == hashes[1]
    assert flags[0] == flags[1]
    chosen, proof, d = [leaves[i] for i in indices], hashes[0], len(leaves[0])
    root = made[reference][1].root(size)
    bend = draw(
        st.sampled_from(["nothing", "hash", "leaf", "drop", "add", "repeat", "index", "size", "width"])
    )
    width = d if proof else 0
    if bend == "hash":
        proof = flipped(draw, proof)
    elif bend == "leaf":
        i = draw(st.integers(0, len(chosen) - 1))
        chosen[i] = flipped(draw, chosen[i])
    elif bend == "drop":
        proof = proof[d:]
    elif bend == "add":
        proof, width = proof + bytes(d), d
    elif bend == "repeat" and proof:
        proof = chosen[0] + proof[d:]
    elif bend == "index":
        indices[draw(st.integers(0, len(indices) - 1))] = draw(st.integers(-1, size))
    elif bend == "size":
        size = draw(st.integers(0, 2 * size))
    elif bend == "width":
        width //= 2
    told = [
        answer(lambda b=b: b.fold_set(made[b][0], chosen, proof, width, indices, size, True))
        for b in BACKENDS
    ]
    assert told[0] == told[1]
    equal = fields[4] == "duplicate" and isinstance(told[0], tuple) and "CVE-2012-2459" in told[0][1]
    if bend == "nothing" and not equal:
        assert told[0] == root


@given(trees(), st.data())
def test_consistency(tree, data):
    fields, leaves, size = tree
    fields = (*fields[:4], "split", fields[5], None, None)
    draw = data.draw
    old = draw(st.integers(0, size + 1))
    made = {backend: grown(backend, fields, leaves) for backend in BACKENDS}
    proofs = [answer(lambda b=b: b.consistency(made[b][1], old, size)) for b in BACKENDS]
    assert proofs[0] == proofs[1]
    if not isinstance(proofs[0], bytes):
        assert not 0 < old <= size
        return
    roots = made[reference][1].root(old), made[reference][1].root(size)
    proof, d = proofs[0], len(leaves[0])
    width, given_root = d if proof else 0, roots[0]
    bend = draw(st.sampled_from(["nothing", "hash", "drop", "add", "old", "size", "root"]))
    if bend == "hash":
        proof = flipped(draw, proof)
    elif bend == "drop":
        proof = proof[d:]
    elif bend == "add":
        proof, width = proof + bytes(d), d
    elif bend == "old":
        old = draw(st.integers(0, size + 1))
    elif bend == "size":
        size = draw(st.integers(0, 2 * size))
    elif bend == "root":
        given_root = flipped(draw, given_root)
    told = [
        answer(lambda b=b: b.fold_consistency(made[b][0], proof, width, old, size, given_root))
        for b in BACKENDS
    ]
    assert told[0] == told[1]
    if bend == "nothing":
        assert told[0] == roots


@pytest.mark.parametrize("odd", ODDS)
def test_more_proofs_than_a_batch(odd):
    """Batches of 512 over a tree of some thousand leaves: each failing position, whatever the order."""
    fields = ("sha256", "hash", b"\0", b"\1", odd, False, None, None)
    n = 5000
    leaves = np.random.default_rng(7).integers(0, 256, (n, 32), dtype=np.uint8)
    spec, nodes = grown(_native, fields, leaves)
    for indices in (np.arange(n), np.random.default_rng(8).integers(0, n, 3001), np.arange(n)[::-1]):
        offsets, hashes = _native.paths(nodes, indices)
        rest = (offsets, hashes, 32, indices, n, nodes.root(), True)
        assert _native.fold_many(spec, leaves[indices], *rest) == ((), "")
        wrong, bounds = hashes.copy(), np.frombuffer(offsets, np.int64)
        bad = sorted({0, 511, 512, 513, 1700, len(indices) - 1})
        for i in bad:
            wrong[bounds[i] + i % (bounds[i + 1] - bounds[i]), 31] ^= 1
        failed, reason = _native.fold_many(spec, leaves[indices], offsets, wrong, *rest[2:])
        assert failed == tuple(bad)
        assert reason
        chosen = leaves[indices].copy()
        chosen[1700] ^= 255
        assert _native.fold_many(spec, chosen, *rest)[0] == (1700,)


def test_offsets_that_do_not_cover_the_hashes(backend):
    spec = backend.Spec("sha256", "hash", b"", b"\1", "split", False, None, None)
    for width, hashes, bounds in (
        (0, b"", [0, 1]),
        (0, b"", [0, 2**60]),
        (0, b"x", [0, 0]),
        (32, bytes(32), [0, 2]),
        (32, bytes(33), [0, 1]),
        (32, b"", [0, 2**59]),
        (32, b"", [0, -1]),
    ):
        offsets = np.array(bounds, np.int64).tobytes()
        with pytest.raises(mc.InputError, match="offsets"):
            backend.fold_many(spec, [b""], offsets, hashes, width, [0], 2, bytes(32))


# ---- indices -----------------------------------------------------------------------------------------------


def unaligned(array):
    moved = np.frombuffer(b"x" + array.tobytes(), array.dtype, offset=1)
    assert not moved.flags.aligned
    return moved


KINDS = {
    "list": list,
    "tuple": tuple,
    **{np.dtype(code).name: (lambda x, code=code: np.array(x, code)) for code in "bBhHiIlLqQ"},
    "every second": lambda x: np.repeat(np.array(x, np.int64), 2)[::2],
    "backwards": lambda x: np.array(x[::-1], np.int32)[::-1],
    "memoryview": lambda x: memoryview(np.array(x, np.uint16)),
    "not aligned": lambda x: unaligned(np.array(x, np.uint64)),
    "of Python's own size": lambda x: memoryview(np.array(x, np.int64)).cast("B").cast("n"),
    "of Python's own size, unsigned": lambda x: memoryview(np.array(x, np.int64)).cast("B").cast("N"),
    "of NumPy's integers": lambda x: list(np.array(x, np.int8)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_indices_of_every_kind(backend, kind):
    _, nodes = grown(backend, ("sha256", "hash", b"", b"\1", "split", False, None, None), digests(32, 20))
    indices = [0, 3, 4, 5, 19]
    assert backend.set_hashes(nodes, KINDS[kind](indices)) == backend.set_hashes(nodes, indices)
    assert backend.paths(nodes, KINDS[kind](indices))[0] == backend.paths(nodes, indices)[0]
    for places in (range(3, 9), range(0, 20, 3), range(19, 20)):
        assert backend.set_hashes(nodes, places) == backend.set_hashes(nodes, list(places))
    down = range(19, -1, -2)
    assert backend.paths(nodes, down)[1].tobytes() == backend.paths(nodes, list(down))[1].tobytes()


HUGE = 10**5000
REFUSED = {
    "a bool": ([0, True], TypeError, r"indices\[1\]: an integer is needed, not bool"),
    "a float": ([0, 1.0], TypeError, r"indices\[1\]: an integer is needed, not float"),
    "a str": (["0"], TypeError, r"indices\[0\]: an integer is needed, not str"),
    "None": (None, TypeError, "indices: a list, tuple, range or array of integers is needed, not NoneType"),
    "a set": ({1}, TypeError, "indices: a list, tuple, range or array of integers is needed, not set"),
    "bytes": (b"\0\1", TypeError, "indices: a list, tuple, range or array of integers is needed, not bytes"),
    "text": ("01", TypeError, "indices: a list, tuple, range or array of integers is needed, not str"),
    "an iterator": (iter([0]), TypeError, "not list_iterator"),
    "bools": (np.array([True]), TypeError, "indices: integers are needed, not items of format '?'"),
    "floats": (np.array([1.0]), TypeError, "indices: integers are needed, not items of format 'd'"),
    "objects": (np.array([1], object), TypeError, "indices: integers are needed, not items of format 'O'"),
    "big-endian": (
        np.array([1], ">i8"),
        mc.InputError,
        "indices: the array is not in the byte order of this machine",
    ),
    "big-endian, unsigned": (np.array([1], ">u8"), mc.InputError, "indices: the array is not in the byte"),
    "two dimensions": (np.zeros((2, 2), int), mc.InputError, "indices: one dimension is needed, not 2"),
    "negative": ([0, 1, -1], mc.BoundsError, r"indices\[2\] -1 is not between 0 and"),
    "negative in an array": (np.array([0, 1, -1]), mc.BoundsError, r"indices\[2\] -1 is not between 0 and"),
    "negative in a range": (range(-1, 2), mc.BoundsError, r"indices\[0\] -1 is not between 0 and"),
    "negative at a range's end": (range(2, -2, -1), mc.BoundsError, r"indices\[3\] -1 is not between 0"),
    "of 5,000 digits": ([0, HUGE], mc.BoundsError, r"indices\[1\] \(of 16610 bits\) is not between"),
    "of 5,000 digits, in a range": (range(HUGE, HUGE + 2), mc.BoundsError, r"indices\[0\] \(of 16610 bits\)"),
    "a range that long": (range(HUGE), mc.BoundsError, r"indices\[20\]: index 20 is not below size 20"),
    "a range beyond all memory": (range(1, 2**45), mc.BoundsError, r"indices\[19\]: index 20 is not below"),
    "with steps": (range(1, 2**62, 6), mc.BoundsError, r"indices\[4\]: index 25 is not below size 20"),
    "with a huge step": (range(0, 2 * HUGE, HUGE), mc.BoundsError, r"indices\[1\] \(of 16610 bits\) is not"),
    "down from above": (
        range(2**62, 0, -1),
        mc.BoundsError,
        r"indices\[0\]: index 4611686018427387904 is not",
    ),
    "down without end": (range(9, -HUGE, -4), mc.BoundsError, r"indices\[3\] -3 is not between"),
    "not below the size": ([0, 20], mc.BoundsError, r"indices\[1\]: index 20 is not below size 20"),
    "far above": ([2**64 - 1], mc.BoundsError, r"indices\[0\]: index 18446744073709551615 is not below"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_indices_that_are_refused(backend, case):
    _, nodes = grown(backend, ("sha256", "hash", b"", b"\1", "split", False, None, None), digests(32, 20))
    indices, kind, said = REFUSED[case]
    for call in (backend.paths, backend.set_hashes):
        with pytest.raises(kind, match=said):
            call(nodes, indices)


def test_sets_ascend_and_are_not_empty(backend):
    spec, nodes = grown(backend, ("sha256", "hash", b"", b"\1", "split", False, None, None), digests(32, 20))
    for indices in ([3, 3], [0, 4, 3], np.array([1, 0]), range(5, 3, -1)):
        with pytest.raises(mc.InputError, match=r"indices\[.\]: . is not above the one before it, ."):
            backend.set_hashes(nodes, indices)
    for indices in ([], (), range(0), np.zeros(0, int)):
        with pytest.raises(mc.InputError, match="a proof of no leaves would prove nothing"):
            backend.set_hashes(nodes, indices)
        assert backend.paths(nodes, indices)[1].shape == (0, 32)
    for indices in ([0], [0, 1, 2]):
        with pytest.raises(mc.InputError, match=f"indices: {len(indices)} where there are 2 leaves"):
            backend.fold_set(spec, digests(32, 2), b"", 0, indices, 20, True)
    for n, said in ((2**63, "range of more than 36028797018963968"), (2**62, "4611686018427387904 are more")):
        with pytest.raises(mc.InputError, match=f"indices: {said}"):
            backend.set_flags(spec, range(n), 2**64 - 1)


def test_the_largest_trees_there_can_be(backend):
    """Nothing overflows: sizes up to 2^64 - 1, and of a heap up to 2^63."""
    for odd in ("split", "duplicate", "pad", "rehash"):
        spec = backend.Spec("sha256", "hash", b"\0", b"\1", odd, False, None, None)
        size = 2**64 - 1
        for index in (0, size // 2, size - 1):
            for count in range(66):
                try:
                    backend.fold(spec, b"", bytes(range(1, 33)) * count, 32 if count else 0, index, size)
                    break
                except mc.ProofError as error:
                    if "zero subtree" in str(error) or "differs from the lone node" in str(error):
                        break
            assert count == (64 if index < size - 1 or odd in ("duplicate", "pad") else 63)
    heap = backend.Spec("sha256", "hash", b"\0", b"\1", "heap", False, None, None)
    backend.fold(heap, b"", bytes(63 * 32), 32, 0, 2**63)
    with pytest.raises(mc.BoundsError, match="a heap has at most"):
        backend.fold(heap, b"", bytes(64 * 32), 32, 0, 2**63 + 1)
    split = backend.Spec("sha256", "hash", b"\0", b"\1", "split", False, None, None)
    for start in (0, 2**64 - 3):
        with pytest.raises(mc.ProofError, match="these 2 leaves of 18446744073709551615 need"):
            backend.fold_set(split, [b"", b""], b"", 0, start, 2**64 - 1)
    with pytest.raises(mc.ProofError, match="leaves and 18446744073709551615 need 64"):
        backend.fold_consistency(split, b"", 0, 2**64 - 2, 2**64 - 1, bytes(32))
