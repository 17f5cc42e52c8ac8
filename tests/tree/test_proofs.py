"""What a verifier must survive: each of these passed in some library."""

import hashlib
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import merklecore as mc
from tests.oracles import is_slow_here

IDS = [hashlib.sha256(b"%d" % i).digest() for i in range(16)]
PROFILES = list(mc.profiles)
Proof = mc.InclusionProof


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def proven(name, index=5, size=11):
    """Arguments of verify for one leaf, and a proof that holds for them."""
    tree = mc.MerkleTree(IDS[:size], name)
    proof = tree.prove(index)
    arguments = {"root": tree.root, "leaf": IDS[index], "index": index, "size": size, "profile": name}
    proof.verify(**arguments)
    return proof, arguments


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# ---- a proof as a value ------------------------------------------------------------------------------------


def test_a_proof_is_frozen_comparable_hashable_picklable():
    proof = Proof.from_path(IDS[:3])
    for name in ("path", "root", "index"):
        with pytest.raises(AttributeError):
            setattr(proof, name, ())
    with pytest.raises(AttributeError):
        del proof.path
    same = Proof.from_path(tuple(map(bytearray, IDS[:3])))
    assert proof == same
    assert hash(proof) == hash(same)
    assert pickle.loads(pickle.dumps(proof)) == proof
    assert proof != Proof.from_path(IDS[:2])
    assert proof != IDS[:3]
    assert proof.path == tuple(IDS[:3])
    assert all(type(item) is bytes for item in same.path)
    assert repr(proof) == "InclusionProof(3 hashes of 32 bytes)"
    with pytest.raises(TypeError, match="no constructor"):
        Proof()


def test_from_path():
    assert Proof.from_path([]).path == ()
    assert Proof.from_path(IDS * 4) == Proof.from_path(tuple(IDS * 4))
    assert Proof.from_path([np.zeros(32, np.uint8), memoryview(bytes(32))]).path == (bytes(32), bytes(32))
    with pytest.raises(mc.InputError, match="path: 65 hashes, a proof has at most 64"):
        Proof.from_path([bytes(32)] * 65)
    with pytest.raises(mc.InputError, match=r"path\[0\]: 0 bytes, a hash has 1 to 255"):
        Proof.from_path([b""])
    with pytest.raises(mc.InputError, match=r"path\[1\]: 256 bytes, a hash has 1 to 255"):
        Proof.from_path([bytes(255), bytes(256)])
    for wrong in (None, b"bytes", "text", 5, {}, iter([])):
        with pytest.raises(TypeError, match="path: a list or tuple of hashes is needed"):
            Proof.from_path(wrong)
    for wrong in (None, "text", 5, [1]):
        with pytest.raises(TypeError, match=r"path\[1\]: a bytes-like object is needed"):
            Proof.from_path([bytes(32), wrong])


# ---- domains -----------------------------------------------------------------------------------------------


def test_domains_are_separated_or_the_profile_says_not():
    """A node shown as a leaf of a shallower tree: refused where domains are separated, else by the depth."""
    for name, profile in mc.profiles.items():
        tree = mc.MerkleTree(IDS[:4], name)
        a, b = tree.leaf_hash(0), tree.leaf_hash(1)
        shorter = Proof.from_path(tree.prove(0).path[1:])
        found = (
            None if profile.leaf == "as_is" else shorter.compute_root(a + b, index=0, size=2, profile=name)
        )
        assert profile.separated == (found is not None and found != tree.root)
        with pytest.raises(mc.ProofError, match="the path has 1 hashes, leaf 0 of 4 needs 2"):
            shorter.verify(tree.root, IDS[0], index=0, size=4, profile=name)
    unprefixed = mc.Profile("unprefixed")
    tree = mc.MerkleTree(IDS[:4], unprefixed)
    node_as_leaf = tree.leaf_hash(0) + tree.leaf_hash(1)
    forged = Proof.from_path(tree.prove(0).path[1:])
    assert not unprefixed.separated
    assert forged.compute_root(node_as_leaf, index=0, size=2, profile=unprefixed) == tree.root
    with pytest.raises(mc.ProofError):
        forged.verify(tree.root, node_as_leaf, index=0, size=4, profile=unprefixed)


def test_a_transaction_of_64_bytes_is_no_id():
    """CVE-2017-12842: 64 bytes that are a node to the tree are no leaf to it."""
    tree = mc.MerkleTree(IDS[:4], "bitcoin")
    node = IDS[0] + IDS[1]
    path = tree.prove(0).path
    with pytest.raises(mc.InputError, match="leaf: 64 bytes where 32 are needed"):
        Proof.from_path(path[1:]).verify(tree.root, node, index=0, size=2, profile="bitcoin")
    for size in (3, 4):  # the depth that the verifier demands
        with pytest.raises(mc.ProofError, match="needs 2"):
            Proof.from_path(path[1:]).verify(tree.root, sha(sha(node)), index=0, size=size, profile="bitcoin")
    with pytest.raises(mc.ProofError, match="needs 2"):
        Proof.from_path([IDS[7], *path]).verify(tree.root, IDS[0], index=0, size=4, profile="bitcoin")


# ---- lengths -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROFILES)
def test_hashes_of_31_and_33_bytes_are_not_two_of_32(name, backend):
    proof, arguments = proven(name)
    joined = b"".join(proof.path)
    uneven = (joined[:31], joined[31:64], *proof.path[2:])
    with pytest.raises(mc.InputError, match=r"path\[1\]: 33 bytes where the first hash has 31"):
        Proof.from_path(uneven)
    profile = mc.profiles[name]
    key = (
        profile.algorithm,
        profile.leaf,
        profile.leaf_prefix,
        profile.node_prefix,
        profile.odd,
        profile.sort_pairs,
        None,
        None,
    )
    spec = backend.Spec(*key)
    assert backend.fold(spec, arguments["leaf"], joined, 32, 5, 11) == arguments["root"]
    short = joined[: 31 * len(proof.path)]
    with pytest.raises(mc.ProofError, match="hash 0 of the path has 31 bytes, digests have 32"):
        backend.fold(spec, arguments["leaf"], short, 31, 5, 11)
    with pytest.raises(mc.ProofError, match=f"the path has {2 * len(proof.path)} hashes"):
        backend.fold(spec, arguments["leaf"], joined, 16, 5, 11)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("d", [1, 20, 31, 33, 64, 255])
def test_hashes_of_another_length(name, d):
    proof, arguments = proven(name)
    other = Proof.from_path([(item * 8)[:d] for item in proof.path])
    with pytest.raises(mc.ProofError, match=f"hash 0 of the path has {d} bytes, digests have 32"):
        other.verify(**arguments)


@pytest.mark.parametrize("name", PROFILES)
def test_roots_and_leaf_hashes_of_another_length(name):
    proof, arguments = proven(name)
    for root in (b"", arguments["root"][:31], arguments["root"] + b"\0"):
        with pytest.raises(mc.InputError, match=f"root: {len(root)} bytes, digests have 32"):
            proof.verify(**arguments | {"root": root})
    for leaf in (b"", IDS[5][:31], IDS[5] + b"\0"):
        with pytest.raises(mc.InputError, match=f"leaf: {len(leaf)} bytes where 32 are needed"):
            proof.verify(**arguments | {"leaf": leaf, "hashed": True})


@pytest.mark.parametrize("name", PROFILES)
def test_paths_too_short_and_too_long(name):
    proof, arguments = proven(name)
    n = len(proof.path)
    for path in (
        (),
        proof.path[1:],
        proof.path[:-1],
        (*proof.path, proof.path[-1]),
        (proof.path[0], *proof.path),
        (arguments["root"], *proof.path),
        (*proof.path, arguments["root"]),
        (*proof.path, *[bytes(32)] * (64 - n)),
    ):
        with pytest.raises(mc.ProofError, match=f"the path has {len(path)} hashes, leaf 5 of 11 needs {n}"):
            Proof.from_path(path).verify(**arguments)


# ---- what comes from the caller ----------------------------------------------------------------------------


def test_a_path_does_not_say_where_it_leads():
    """The path for (index 4, size 5) folds to the same root as (1, 2): so both come from the caller."""
    tree = mc.MerkleTree(IDS[:5])
    proof = tree.prove(4)
    assert proof.compute_root(IDS[4], index=1, size=2) == tree.root
    assert not {"root", "leaf", "index", "size", "profile", "algorithm"} & set(dir(proof))
    assert bytes(proof) == b"\1\1\x20" + (1).to_bytes(4, "big") + proof.path[0]
    with pytest.raises(mc.ProofError, match="needs 3"):
        proof.verify(tree.root, IDS[4], index=1, size=5)


@pytest.mark.parametrize("name", PROFILES)
def test_every_argument_counts(name):
    proof, arguments = proven(name)
    other = "ssz" if mc.profiles[name].leaf == "hash" else "rfc6962"
    for change in (
        *({"root": root} for root in (bytes(32), IDS[0], arguments["root"][::-1])),
        *({"leaf": leaf} for leaf in (IDS[4], bytes(32))),
        *({"index": index} for index in (0, 1, 4, 6, 7, 10)),
        *({"size": size} for size in (6, 7, 8, 17, 2**40)),
        {"profile": other},
        {"index": 5 + 16, "size": 32},
    ):
        if mc.profiles[name].sort_pairs and not {"root", "leaf", "profile"} & change.keys():
            continue  # see below
        with pytest.raises(mc.ProofError):
            proof.verify(**arguments | change)


@pytest.mark.parametrize("name", [name for name in PROFILES if mc.profiles[name].sort_pairs])
def test_sorted_pairs_bind_the_depth_alone(name):
    """Every place of that depth, in a tree of any size, and none of another: as the documentation says."""
    proof, arguments = proven(name)
    for size in range(1, 40):
        for index in range(size):
            depth = len(mc.tree.geometry.inclusion_nodes(index, size, "heap"))
            if depth == len(proof.path):
                proof.verify(**arguments | {"index": index, "size": size})
            else:
                with pytest.raises(mc.ProofError, match=f"leaf {index} of {size} needs {depth}"):
                    proof.verify(**arguments | {"index": index, "size": size})


@pytest.mark.parametrize("name", PROFILES)
def test_every_bit_counts(name):
    proof, arguments = proven(name)
    bits = range(0, 256, 7 if is_slow_here(name) else 1)
    for i, item in enumerate(proof.path):
        for bit in bits:
            path = (*proof.path[:i], flipped(item, bit), *proof.path[i + 1 :])
            with pytest.raises(mc.ProofError):
                Proof.from_path(path).verify(**arguments)
    for bit in bits:
        for name_of in ("root", "leaf"):
            with pytest.raises(mc.ProofError, match="the path leads to "):
                proof.verify(**arguments | {name_of: flipped(arguments[name_of], bit)})


def test_what_is_said_of_another_root():
    proof, arguments = proven("rfc6962")
    given_root = bytes(range(32))
    said = f"the path leads to {arguments['root'].hex()}, not to the given root {given_root.hex()}"
    with pytest.raises(mc.ProofError, match=f"^{said}$"):
        proof.verify(**arguments | {"root": given_root})


def test_swapped_hashes():
    proof, arguments = proven("rfc6962")
    for i in range(len(proof.path) - 1):
        path = list(proof.path)
        path[i], path[i + 1] = path[i + 1], path[i]
        with pytest.raises(mc.ProofError):
            Proof.from_path(path).verify(**arguments)


# ---- duplicates and padding --------------------------------------------------------------------------------


def test_a_left_sibling_that_is_repeated():
    """CVE-2012-2459: the leaves 1..6, 5, 6 have the root of 1..6; index 6 of 8 must not be provable."""
    six = mc.MerkleTree(IDS[:6], "bitcoin")
    eight = mc.MerkleTree([*IDS[:6], *IDS[4:6]], "bitcoin")
    assert six.root == eight.root
    for index in (4, 5, 6, 7):
        with pytest.raises(mc.ProofError, match="hash 1 of the path equals the node it is paired with"):
            eight.prove(index).verify(eight.root, IDS[4 + index % 2], index=index, size=8, profile="bitcoin")
    for index in (4, 5):  # in the tree of six the same path is that of a lone node
        assert eight.prove(index) == six.prove(index)
        six.prove(index).verify(six.root, IDS[index], index=index, size=6, profile="bitcoin")
    eight.prove(0).verify(eight.root, IDS[0], index=0, size=8, profile="bitcoin")


def test_a_lone_node_must_meet_itself():
    proof, arguments = proven("bitcoin", 4, 5)
    assert proof.path[0] == IDS[4]
    for i in (0, 1):
        path = [bytes(32) if j == i else item for j, item in enumerate(proof.path)]
        with pytest.raises(
            mc.ProofError, match=f"hash {i} of the path differs from the lone node it must repeat"
        ):
            Proof.from_path(path).verify(**arguments)
    with pytest.raises(mc.ProofError, match="hash 0 of the path equals the node it is paired with"):
        proof.verify(**arguments | {"size": 6})


def test_padding_must_be_zero():
    profile = mc.profiles["ssz"].replace(limit=16)
    hidden = mc.MerkleTree(IDS[:8], profile)  # eight leaves where five are said to be
    for index, level in ((4, 0), (3, 2)):
        with pytest.raises(
            mc.ProofError, match=f"beyond the last leaf and is not the zero subtree of level {level}"
        ):
            hidden.prove(index).verify(hidden.root, IDS[index], index=index, size=index + 1, profile=profile)
    tree = mc.MerkleTree(IDS[:5], profile)
    tree.prove(4).verify(tree.root, IDS[4], index=4, size=5, profile=profile)
    path = (*tree.prove(4).path[:3], IDS[0])
    with pytest.raises(mc.ProofError, match=r"hash 3 of the path .* zero subtree of level 3"):
        Proof.from_path(path).verify(tree.root, IDS[4], index=4, size=5, profile=profile)


# ---- types and bounds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("wrong", [True, False, 5.0, "5", None, b"5"], ids=repr)
def test_indices_and_sizes_of_wrong_types(name, wrong):
    proof, arguments = proven(name)
    for argument in ("index", "size"):
        with pytest.raises(TypeError, match=f"{argument}: an integer is needed, not {type(wrong).__name__}"):
            proof.verify(**arguments | {argument: wrong})


@pytest.mark.parametrize("name", PROFILES)
def test_indices_and_sizes_out_of_bounds(name):
    proof, arguments = proven(name)
    for change in (
        *({"index": index} for index in (-1, -6, 11, 12, 2**64 - 1, 2**64, 2**200, -(2**200))),
        *({"size": size} for size in (-1, 0, 1, 5, 2**64, 2**200)),
    ):
        with pytest.raises(mc.BoundsError):
            proof.verify(**arguments | change)
    numbers = {"index": np.uint16(5), "size": np.int64(11)}
    proof.verify(**arguments | numbers)


def test_the_largest_tree_there_can_be():
    size = 2**64 - 1
    path = [bytes([i]) * 32 for i in range(64)]
    proof = Proof.from_path(path)
    root = proof.compute_root(b"leaf", index=0, size=size)
    node = sha(b"\0leaf")
    for item in path:
        node = sha(b"\1", node, item)
    assert root == node
    proof.verify(root, b"leaf", index=0, size=size)
    with pytest.raises(mc.ProofError, match="needs 63"):
        proof.verify(root, b"leaf", index=size - 1, size=size)
    with pytest.raises(mc.InputError, match="where the limit is 16"):
        proof.verify(root, IDS[0], index=0, size=17, profile=mc.profiles["ssz"].replace(limit=16))


@pytest.mark.parametrize("name", PROFILES)
def test_roots_and_leaves_of_wrong_types(name):
    proof, arguments = proven(name)
    for argument in ("root", "leaf"):
        for wrong in (None, "text", 32, [1], arguments["root"].hex()):
            with pytest.raises(TypeError, match=f"{argument}: a bytes-like object is needed"):
                proof.verify(**arguments | {argument: wrong})
    buffers = {"root": bytearray(arguments["root"]), "leaf": memoryview(arguments["leaf"])}
    proof.verify(**arguments | buffers)
    with pytest.raises(TypeError):
        proof.verify(arguments["root"], arguments["leaf"], 5, 11)


def test_verify_returns_nothing():
    proof, arguments = proven("rfc6962")
    assert proof.verify(**arguments) is None


anything = st.one_of(
    *(st.none(), st.booleans(), st.floats(), st.text(max_size=5), st.binary(max_size=40)),
    *(st.integers(), st.integers(0, 20), st.sampled_from(IDS), st.lists(st.binary(max_size=3), max_size=2)),
)


@given(
    st.lists(st.sampled_from(IDS), max_size=8),
    anything,
    anything,
    anything,
    anything,
    st.sampled_from(PROFILES),
)
def test_typed_errors_only(path, root, leaf, index, size, name):
    proof = Proof.from_path(path)
    try:
        proof.verify(root, leaf, index=index, size=size, profile=name)
    except (mc.InputError, mc.ProofError, TypeError):
        return
    assert proof.compute_root(leaf, index=index, size=size, profile=name) == root
