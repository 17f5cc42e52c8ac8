import hashlib
import pickle

import pytest

import merklecore as mc
from merklecore.tree.profiles import resolve


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def test_the_rows():
    assert set(mc.profiles) == {"rfc6962", "bitcoin", "ssz"}
    assert all(profile.name == name for name, profile in mc.profiles.items())
    rfc, bitcoin, ssz = (mc.profiles[name] for name in ("rfc6962", "bitcoin", "ssz"))
    assert (rfc.algorithm, rfc.leaf, rfc.leaf_prefix, rfc.node_prefix) == ("sha256", "hash", b"\0", b"\1")
    assert (rfc.odd, rfc.empty, rfc.limit, rfc.sort_pairs) == ("split", "hash", None, False)
    assert (bitcoin.algorithm, bitcoin.leaf, bitcoin.odd) == ("sha256d", "as_is", "duplicate")
    assert bitcoin.empty == bytes(32)
    assert (ssz.algorithm, ssz.leaf, ssz.odd, ssz.limit) == ("sha256", "as_is", "pad", None)


def test_the_mapping_is_read_only():
    with pytest.raises(TypeError):
        mc.profiles["mine"] = mc.profiles["ssz"]
    with pytest.raises(TypeError):
        del mc.profiles["ssz"]


def test_a_profile_is_frozen_comparable_hashable_picklable():
    profile = mc.Profile(
        "mine", leaf_prefix=bytearray(b"leaf"), node_prefix=memoryview(b"node"), odd="duplicate"
    )
    for name in ("odd", "name", "anything"):
        with pytest.raises(AttributeError, match="frozen"):
            setattr(profile, name, "split")
    with pytest.raises(AttributeError, match="frozen"):
        del profile.odd
    same = mc.Profile("mine", leaf_prefix=b"leaf", node_prefix=b"node", odd="duplicate")
    assert profile == same
    assert hash(profile) == hash(same)
    assert pickle.loads(pickle.dumps(profile)) == profile
    assert profile != profile.replace(odd="split")
    assert profile != "mine"
    assert eval(repr(profile), {"Profile": mc.Profile}) == profile
    assert mc.merkle_root([b"a", b"b"], pickle.loads(pickle.dumps(profile))) == mc.merkle_root(
        [b"a", b"b"], profile
    )


def test_replace_checks_again():
    assert mc.profiles["ssz"].replace(limit=4).limit == 4
    assert mc.profiles["ssz"].limit is None
    with pytest.raises(mc.InputError, match="only a padded tree"):
        mc.profiles["ssz"].replace(limit=4, odd="split")
    with pytest.raises(TypeError, match="'depth' is no field"):
        mc.profiles["ssz"].replace(depth=4)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"algorithm": "md5"}, "algorithm 'md5' is none of sha256"),
        ({"leaf": "raw"}, "leaf: 'raw' is none of hash, hash_twice, hash_digest, as_is"),
        ({"odd": "promote"}, "odd: 'promote' is none of split, duplicate, pad"),
        ({"odd": "rehash"}, "not in this version"),
        ({"odd": "heap"}, "not in this version"),
        ({"sort_pairs": True}, "not in this version"),
        ({"leaf": "as_is", "leaf_prefix": b"\0"}, "leaf_prefix: leaves that are taken as they are have none"),
        ({"limit": 4}, "only a padded tree"),
        ({"odd": "pad", "limit": 0}, "limit: 0 is not between 1 and"),
        ({"odd": "pad", "limit": -1}, "limit: -1 is not between 1 and"),
        ({"odd": "pad", "limit": 2**64 + 1}, "is not between 1 and 2"),
        ({"empty": "zero"}, "empty: 'zero' is not"),
        ({"empty": bytes(31)}, "empty: a root of 31 bytes, digests have 32"),
    ],
)
def test_wrong_values(fields, said):
    with pytest.raises(mc.InputError, match=said):
        mc.Profile("mine", **fields)


@pytest.mark.parametrize(
    "fields",
    [
        *({"name": None}, {"algorithm": b"sha256"}, {"leaf": None}, {"odd": 1}, {"sort_pairs": 1}),
        *({"leaf_prefix": "x"}, {"leaf_prefix": 5}, {"node_prefix": None}, {"empty": 5}),
        *({"odd": "pad", "limit": True}, {"odd": "pad", "limit": 4.0}, {"odd": "pad", "limit": "4"}),
    ],
    ids=str,
)
def test_wrong_types(fields):
    with pytest.raises(TypeError):
        mc.Profile(**{"name": "mine", **fields})


def test_resolving():
    assert resolve("rfc6962") is mc.profiles["rfc6962"]
    profile = mc.Profile("mine")
    assert resolve(profile) is profile
    with pytest.raises(mc.InputError, match="profile 'rfc' is none of rfc6962, bitcoin, ssz"):
        mc.merkle_root([], "rfc")
    for wrong in (None, b"ssz", 5, mc.Profile):
        with pytest.raises(TypeError, match="profile: a name or a Profile is needed"):
            mc.merkle_root([], wrong)


def test_the_rules_for_leaves():
    pair = [b"x", b"y"]
    for leaf, hashed in {
        "hash": lambda x: sha(b"L", x),
        "hash_twice": lambda x: sha(sha(b"L", x)),
        "hash_digest": lambda x: sha(b"L", sha(x)),
    }.items():
        profile = mc.Profile("mine", leaf=leaf, leaf_prefix=b"L", node_prefix=b"N")
        assert mc.merkle_root(pair, profile) == sha(b"N", *map(hashed, pair))
        assert mc.MerkleTree(pair, profile).leaf_hash(1) == hashed(b"y")
        assert mc.merkle_root(list(map(hashed, pair)), profile, hashed=True) == mc.merkle_root(pair, profile)
    chunks = [bytes(32), b"y" * 32]
    profile = mc.Profile("mine", leaf="as_is")
    assert mc.merkle_root(chunks, profile) == mc.merkle_root(chunks, profile, hashed=True) == sha(*chunks)


def test_the_rules_for_no_leaves():
    assert mc.merkle_root([], mc.Profile("mine", empty="hash")) == sha()
    assert mc.merkle_root([], mc.Profile("mine", "sha256d", empty="hash")) == sha(sha())
    assert mc.merkle_root([], mc.Profile("mine", empty=b"e" * 32)) == b"e" * 32
    assert mc.merkle_root([], mc.Profile("mine", empty=b"")) == b""
    assert mc.merkle_root([], mc.Profile("mine", odd="pad")) == bytes(32)
    assert mc.merkle_root([], mc.Profile("mine", odd="pad", limit=3)) == sha(sha(bytes(64)), sha(bytes(64)))
    assert mc.merkle_root([], mc.Profile("mine", odd="pad", limit=3, empty="hash")) == sha()
    for call in (lambda p: mc.merkle_root([], p), lambda p: mc.MerkleTree([], p).root):
        with pytest.raises(mc.InputError, match="an empty tree has no root under this profile"):
            call(mc.Profile("mine"))


def test_what_is_separated():
    def separated(leaf, leaf_prefix, node_prefix):
        return mc.Profile("mine", leaf=leaf, leaf_prefix=leaf_prefix, node_prefix=node_prefix).separated

    assert mc.profiles["rfc6962"].separated
    assert not mc.profiles["bitcoin"].separated
    assert not mc.profiles["ssz"].separated
    assert separated("hash", b"leaf", b"node")
    assert not separated("hash", b"", b"\1")
    assert not separated("hash", b"\0", b"")
    assert not separated("hash", b"ab", b"abc")
    assert separated("hash_twice", b"", b"")
    assert separated("hash_digest", b"\0", b"\1")
    assert separated("hash_digest", b"", b"")
    assert not separated("hash_digest", b"x" * 33, b"x")
