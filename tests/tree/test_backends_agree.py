"""Native against reference, over profiles nobody has named and trees grown in any steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from merklecore import _native, reference
from merklecore.tree.geometry import ODDS
from tests.oracles import SLOW


def duplicates(d):
    """Digests of which some are equal siblings, often."""
    return st.sampled_from([bytes([i]) * d for i in range(3)])


@st.composite
def specs(draw):
    algorithm = draw(st.sampled_from(mc.algorithms()))
    d = reference.DIGEST_SIZES[algorithm]
    odd = draw(st.sampled_from(ODDS))
    leaf = draw(st.sampled_from(["hash", "hash_twice", "hash_digest", "as_is"]))
    return (
        algorithm,
        leaf,
        b"" if leaf == "as_is" else draw(st.binary(max_size=70)),
        draw(st.sampled_from([b"", b"\1", b"\0"]) | st.binary(max_size=130)),
        odd,
        draw(st.booleans()),
        draw(st.none() | st.integers(100, 2**64)) if odd == "pad" else None,
        draw(st.none() | st.just("hash") | st.binary(min_size=d, max_size=d)),
    )


def most(fields):
    """Leaves that a tree may have: fewer where the reference takes a third of a millisecond a node."""
    return 15 if fields[0] in SLOW else 60


def answer(call):
    """What a call returns, or the type and text of what it raises: both backends must say the same."""
    try:
        return call()
    except (mc.MerkleCoreError, TypeError) as error:
        return type(error), str(error)


@given(specs(), st.data())
def test_trees(fields, data):
    leaf = duplicates(reference.DIGEST_SIZES[fields[0]]) if fields[1] == "as_is" else st.binary(max_size=130)
    leaves = data.draw(st.lists(leaf, max_size=most(fields)))
    steps = data.draw(st.lists(st.integers(1, 30), max_size=5))
    size = data.draw(st.integers(0, len(leaves)))
    index = data.draw(st.integers(0, len(leaves)))

    def told(backend):
        spec = backend.Spec(*fields)
        nodes = backend.Nodes(spec)
        at = 0
        for step in steps:
            nodes.extend(leaves[at : at + step])
            at = min(at + step, len(leaves))
        for leaf in leaves[at:]:
            nodes.append(leaf)
        roots = answer(lambda: backend.root(spec, leaves)), answer(nodes.root)
        assert roots[0] == roots[1]
        return (
            roots,
            answer(lambda: nodes.root(size)),
            answer(lambda: backend.path(nodes, index)),
            answer(lambda: backend.path(nodes, index, size)),
            answer(lambda: nodes.leaf(index)),
            [backend.leaf_hash(spec, leaf) for leaf in leaves],
            backend.leaf_hashes(spec, leaves).tolist(),
            nodes.equal_pairs(),
            len(nodes),
            spec.digest_size,
            answer(lambda: spec.zero(size)),
        )

    assert told(_native) == told(reference)


@given(specs(), st.data())
def test_folding(fields, data):
    """Right paths lead to the root; bent ones are judged alike, word for word."""
    size = data.draw(st.integers(1, most(fields)))
    index = data.draw(st.integers(0, size - 1))
    d = reference.DIGEST_SIZES[fields[0]]
    leaves = [bytes([i % 5]) * d for i in range(size)]
    made = {backend: backend.Spec(*fields) for backend in (_native, reference)}
    nodes = reference.Nodes(made[reference])
    nodes.extend(leaves)
    joined = reference.path(nodes, index)
    path = [joined[i : i + d] for i in range(0, len(joined), d)]
    width = d if path else 0
    bend = data.draw(st.sampled_from(["nothing", "hash", "length", "swap", "drop", "add", "index", "size"]))
    place = data.draw(st.integers(0, max(len(path) - 1, 0)))
    if bend == "hash" and path:
        path[place] = data.draw(duplicates(d))
    elif bend == "length" and path:
        width = data.draw(st.integers(1, d - 1))
        path = [item[:width] for item in path]
    elif bend == "swap" and path:
        path[place], path[0] = path[0], path[place]
    elif bend == "drop" and path:
        del path[place]
    elif bend == "add":
        path.insert(place, bytes(d))
        width = d
    elif bend == "index":
        index = data.draw(st.integers(-2, size + 1))
    elif bend == "size":
        size = data.draw(st.integers(-1, 2 * size))
    leaf = leaves[index % len(leaves)]

    def folded(backend):
        return answer(lambda: backend.fold(made[backend], leaf, b"".join(path), width, index, size))

    told = [folded(_native), folded(reference)]
    assert told[0] == told[1]
    if bend == "nothing" and not (fields[4] == "duplicate" and nodes.equal_pairs()):
        assert told[0] == nodes.root()


SHAPES = {
    "rows": lambda n: np.arange(n * 32, dtype=np.uint64).astype(np.uint8).reshape(n, 32),
    "rows of 5": lambda n: np.arange(n * 5, dtype=np.uint64).astype(np.uint8).reshape(n, 5),
    "rows of 70": lambda n: np.arange(n * 70, dtype=np.uint64).astype(np.uint8).reshape(n, 70),
    "one length": lambda n: [i.to_bytes(32, "big") for i in range(n)],
    "mixed lengths": lambda n: [bytes(i * 31 % 200) for i in range(n)],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("odd", ODDS)
@pytest.mark.parametrize(
    "threads", [pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow), 3]
)
def test_sizes_around_blocks(shape, odd, threads):
    """Blocks of 4,096 leaves, one more and one less, each size reached in two steps."""
    fields = ("sha256", "hash", b"\0", b"\1", odd, threads == 2, None, None)
    specs = [backend.Spec(*fields) for backend in (_native, reference)]
    for n in (63, 64, 65, 127, 128, 129, 4095, 4096, 4097, 8193):
        leaves = SHAPES[shape](n)
        native, expected = (
            b.root(s, leaves, False, threads) for b, s in zip((_native, reference), specs, strict=True)
        )
        assert native == expected
        nodes = _native.Nodes(specs[0])
        nodes.extend(leaves[: n // 3], False, threads)
        nodes.extend(leaves[n // 3 :], False, threads)
        assert nodes.root() == expected


def test_equal_siblings_are_counted_at_the_edge_too(backend):
    """Among equal leaves all siblings are equal, complete nodes or not; a lone node's copy is none."""
    spec = backend.Spec("sha256d", "as_is", b"", b"", "duplicate", False, None, None)
    for n in range(1, 70):
        nodes = backend.Nodes(spec)
        nodes.extend(bytes(32) * n)
        widths = [(n - 1 >> k) + 1 for k in range((n - 1).bit_length())]
        assert nodes.equal_pairs() == sum(width // 2 for width in widths)


def test_zero_subtrees(backend):
    spec = backend.Spec("sha256", "as_is", b"", b"", "pad", False, None, None)
    level = bytes(32)
    for k in range(65):
        assert spec.zero(k) == level
        level = backend.digest(level + level, "sha256")
    for wrong in (-1, 65, 2**64):
        with pytest.raises(mc.BoundsError):
            spec.zero(wrong)
    with pytest.raises(mc.BoundsError):
        backend.Spec("sha256", "as_is", b"", b"", "split", False, None, None).zero(0)


@pytest.mark.parametrize("call", ["root", "leaf_hash", "fold", "extend"])
def test_kernels_by_name(backend, call):
    spec = backend.Spec("sha256d", "hash", b"\0", b"\1", "split", False, None, None)

    def made(kernel):
        if call == "root":
            return backend.root(spec, [b"a"] * 40, kernel=kernel)
        if call == "leaf_hash":
            return backend.leaf_hash(spec, b"a", kernel=kernel)
        if call == "fold":
            return backend.fold(spec, b"a", bytes(32), 32, 0, 2, kernel=kernel)
        nodes = backend.Nodes(spec)
        nodes.extend([b"a"] * 40, kernel=kernel)
        return nodes.root()

    for kernel in backend.kernels("sha256d"):
        assert made(kernel) == made(None)
    with pytest.raises(mc.BackendError, match="kernel 'quantum' is n"):
        made("quantum")
    with pytest.raises(TypeError, match="kernel: a name is needed"):
        made(b"portable")


def test_specs_of_wrong_types(backend):
    for wrong in (None, "rfc6962", mc.profiles["rfc6962"]):
        with pytest.raises(TypeError):
            backend.Nodes(wrong)
