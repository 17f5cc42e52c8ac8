"""No byte before the input or behind it is touched, nor beside the output: there lie pages without access.

A kernel for prefixed nodes reads from one byte before each node but the first, so both sides matter. Each
test runs in a fork, which the first forbidden access ends.
"""

import faulthandler
import hashlib
import os

import pytest

import merklecore as mc
from merklecore import _native
from merklecore.reference import recursive
from tests.guarded import PAGE, Guarded
from tests.oracles import HASHES
from tests.processes import in_a_fork
from tests.shapes import MIXED, Shape, each_kernel, noise, shapes

pytestmark = [
    pytest.mark.native_only,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="guard pages are tried in a fork"),
]

COUNTS = (*range(1, 20), 31, 32, 33, 47, 64, 65)
PLACES = Guarded.PLACES


@pytest.mark.parametrize("place", [0, PAGE - 1, PAGE * 2, PAGE * 3 - 1])
def test_the_guards_bite(place):
    """Else nothing below says anything."""
    memory = Guarded(PAGE)

    def touch():
        faulthandler.disable()  # it would tell of a crash that is wanted, as a sanitizer does
        os.close(2)
        return memory.pages[place]

    assert [len(at(memory, b"abc")) for at in PLACES] == [3, 3]
    with pytest.raises(AssertionError, match=r"died of SIG(SEGV|BUS)|ended with 1\n$"):
        in_a_fork(touch)


@each_kernel
def test_nodes_and_rows(algorithm, kernel):
    cases = {name: shape for name, shape in shapes(algorithm).items() if shape.how != "list"}
    d = _native.DIGEST_SIZES[algorithm]
    source, prefixes, target = Guarded(65 * 300), Guarded(130), Guarded(65 * d)

    def hash_all():
        for name, shape in cases.items():
            for n in COUNTS:
                data = noise(shape.size(n), seed=n)
                expected = b"".join(shape.expected(algorithm, shape.cut(memoryview(data), n)))
                for at, to in (PLACES, PLACES[::-1]):
                    guarded = Shape(shape.how, at(prefixes, shape.prefix), shape.lengths)
                    out = to(target, bytes(n * d))
                    found = guarded.hash(_native, algorithm, at(source, data), n, out=out, kernel=kernel)
                    assert found == expected, f"{n} of {name}"

    in_a_fork(hash_all)


@each_kernel
def test_lists(algorithm, kernel):
    """Every message of the list lies at the border, all of them on the same bytes."""
    d = _native.DIGEST_SIZES[algorithm]
    source, target = Guarded(1000), Guarded(65 * d)
    data, hash_of = noise(1000), HASHES[algorithm]

    def hash_all():
        for prefix in (b"", b"\x00", noise(70)):
            for lengths in ((1,), (55,), (64,), (65,), (100,), (128,), (1000,), MIXED):
                for at, to in (PLACES, PLACES[::-1]):
                    whole = at(source, data)
                    cuts = {k: whole[:k] if at is Guarded.first else whole[1000 - k :] for k in lengths}
                    digests = {k: hash_of(prefix + bytes(cut)) for k, cut in cuts.items()}
                    for n in COUNTS:
                        each = [lengths[i % len(lengths)] for i in range(n)]
                        out = to(target, bytes(n * d))
                        messages = [cuts[k] for k in each]
                        _native.hash_many(messages, algorithm, prefix, None, out, kernel)
                        expected = b"".join([digests[k] for k in each])
                        assert bytes(out) == expected, f"{n} of {lengths} behind {len(prefix)}"

    in_a_fork(hash_all)


@each_kernel
def test_single_messages(algorithm, kernel):
    source, hash_of = Guarded(300), HASHES[algorithm]

    def hash_all():
        for length in range(301):
            data = noise(length)
            for at in PLACES:
                assert _native.digest(at(source, data), algorithm, kernel) == hash_of(data)

    in_a_fork(hash_all)


@each_kernel
@pytest.mark.parametrize("threads", [1, 2])
def test_long_batches_in_chunks(algorithm, kernel, threads):
    """Chunks begin where another one ends: only the first may not look back."""
    n, d = 5000, _native.DIGEST_SIZES[algorithm]
    source, target = Guarded(n * 2 * d), Guarded(n * d)
    shape = shapes(algorithm)["node behind one byte"]
    data = noise(n * 2 * d)
    expected = b"".join(shape.expected(algorithm, shape.cut(memoryview(data), n)))

    def hash_all():
        for at, to in (PLACES, PLACES[::-1]):
            out = to(target, bytes(n * d))
            found = shape.hash(
                _native, algorithm, at(source, data), n, out=out, threads=threads, kernel=kernel
            )
            assert found == expected

    in_a_fork(hash_all)


# ---- trees -------------------------------------------------------------------------------------------------

LEAVES = tuple(hashlib.sha256(b"leaf %d" % i).digest() for i in range(4097))
SIZES = (*range(1, 20), 31, 32, 33, 64, 65, 127, 128, 129, 130, 1000, 4095, 4096, 4097)
PREFIXED = mc.Profile("leaves as they are under prefixed nodes", leaf="as_is", node_prefix=b"\x01")


def prefixed_root(leaves):
    """`recursive.rfc6962_root` over leaf hashes: the first level is read where the leaves stand."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    halves = prefixed_root(leaves[:k]) + prefixed_root(leaves[k:])
    return hashlib.sha256(b"\x01" + halves).digest()


@pytest.mark.parametrize(
    ("profile", "root_of"),
    [
        (mc.profiles["rfc6962"], recursive.rfc6962_root),
        (mc.profiles["bitcoin"], recursive.bitcoin_root),
        (mc.profiles["ssz"], recursive.ssz_root),
        (PREFIXED, prefixed_root),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_trees(profile, root_of):
    spec = _native.Spec(
        *(profile.algorithm, profile.leaf, profile.leaf_prefix, profile.node_prefix, profile.odd),
        *(profile.sort_pairs, profile.limit, profile.empty),
    )
    source = Guarded(4097 * 32)
    roots = {n: root_of(LEAVES[:n]) for n in SIZES}

    def hash_all():
        for kernel in _native.kernels(profile.algorithm):
            for n, root in roots.items():
                for at in PLACES:
                    leaves = at(source, b"".join(LEAVES[:n])).cast("B", (n, 32))
                    for threads in (1, 2):
                        assert _native.root(spec, leaves, False, threads, kernel) == root
                    nodes = _native.Nodes(spec)
                    nodes.extend(leaves, False, 2, kernel)
                    assert nodes.root() == root
        for at in PLACES:
            nodes = _native.Nodes(spec)
            for leaf in LEAVES[:130]:
                nodes.append(at(source, leaf))
            assert nodes.root() == roots[130]
            leaf = at(source, LEAVES[5])
            assert _native.leaf_hash(spec, leaf) == nodes.leaf(5)
            assert _native.fold(spec, leaf, _native.path(nodes, 5), 32, 5, 130) == roots[130]

    in_a_fork(hash_all)
