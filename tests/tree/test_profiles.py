import hashlib
import pickle

import pytest

import merklecore as mc
from merklecore.tree.profiles import resolve


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


ROWS = {
    "rfc6962": ("sha256", "hash", b"\0", b"\1", "split", False, "hash"),
    "rfc6962-sm3": ("sm3", "hash", b"\0", b"\1", "split", False, "hash"),
    "bitcoin": ("sha256d", "as_is", b"", b"", "duplicate", False, bytes(32)),
    "ssz": ("sha256", "as_is", b"", b"", "pad", False, None),
    "openzeppelin": ("keccak256", "hash_twice", b"", b"", "heap", True, None),
    "openzeppelin-simple": ("keccak256", "as_is", b"", b"", "heap", True, None),
    "cometbft-txs": ("sha256", "hash_digest", b"\0", b"\1", "split", False, "hash"),
    "fisco-bcos": ("keccak256", "as_is", b"", b"", "rehash", False, bytes(32)),
    "fisco-bcos-sm3": ("sm3", "as_is", b"", b"", "rehash", False, bytes(32)),
    "chainmaker": ("sha256", "as_is", b"", b"", "duplicate", False, b""),
    "chainmaker-sm3": ("sm3", "as_is", b"", b"", "duplicate", False, b""),
    "chainmaker-sha3": ("sha3_256", "as_is", b"", b"", "duplicate", False, b""),
}


def test_the_rows():
    assert list(mc.profiles) == list(ROWS)
    for name, row in ROWS.items():
        p = mc.profiles[name]
        assert (p.name, p.limit) == (name, None)
        assert row == (
            *(p.algorithm, p.leaf, p.leaf_prefix, p.node_prefix),
            *(p.odd, p.sort_pairs, p.empty),
        )


def test_empty_trees_of_the_rows():
    empty = {"bitcoin": bytes(32), "ssz": bytes(32), "fisco-bcos": bytes(32), "fisco-bcos-sm3": bytes(32)}
    empty |= dict.fromkeys(("chainmaker", "chainmaker-sm3", "chainmaker-sha3"), b"")
    empty |= {"rfc6962": sha(), "cometbft-txs": sha(), "rfc6962-sm3": mc.sm3(b"")}
    for name in mc.profiles:
        if name in empty:
            assert mc.merkle_root([], name) == mc.MerkleTree([], name).root == empty[name]
        else:
            assert name.startswith("openzeppelin")
            with pytest.raises(mc.InputError, match="an empty tree has no root under this profile"):
                mc.merkle_root([], name)


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
        ({"odd": "promote"}, "odd: 'promote' is none of split, duplicate, pad, rehash, heap"),
        ({"leaf": "as_is", "leaf_prefix": b"\0"}, "leaf_prefix: leaves that are taken as they are have none"),
        ({"limit": 4}, "only a padded tree"),
        ({"odd": "heap", "limit": 4}, "only a padded tree"),
        ({"odd": "rehash", "limit": 4}, "only a padded tree"),
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
        *({"sort_pairs": None}, {"sort_pairs": "yes"}),
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
    with pytest.raises(
        mc.InputError, match="profile 'rfc' is none of rfc6962, rfc6962-sm3, bitcoin, ssz, open"
    ):
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
    def separated(leaf, leaf_prefix, node_prefix, odd="split"):
        values = {
            mc.Profile(
                "mine", leaf=leaf, leaf_prefix=leaf_prefix, node_prefix=node_prefix, odd=odd, sort_pairs=sort
            ).separated
            for sort in (False, True)  # where a pair's halves go is no matter
        }
        assert len(values) == 1
        return values.pop()

    assert {name for name, profile in mc.profiles.items() if profile.separated} == {
        *("rfc6962", "rfc6962-sm3", "cometbft-txs", "openzeppelin"),
    }
    assert separated("hash", b"leaf", b"node")
    assert not separated("hash", b"", b"\1")
    assert not separated("hash", b"\0", b"")
    assert not separated("hash", b"ab", b"abc")
    assert separated("hash_twice", b"", b"")
    assert separated("hash_digest", b"\0", b"\1")
    assert separated("hash_digest", b"", b"")
    assert not separated("hash_digest", b"x" * 33, b"x")
    assert separated("hash", b"\0", b"\1", "rehash")
    assert not separated("hash_twice", b"", b"", "rehash")
    assert not separated("hash_twice", b"leaf", b"", "rehash")  # the prefix is in the inner hash
    assert separated("hash_twice", b"", b"\1", "rehash")
    assert not separated("hash_digest", b"", b"", "rehash")
    assert separated("hash_digest", b"\0", b"", "rehash")
    assert separated("hash_digest", b"\0", b"\1", "rehash")


@pytest.mark.parametrize("leaf", ["hash_twice", "hash_digest"])
def test_why_rehashing_mixes_what_other_rules_keep_apart(leaf):
    """A lone node is hashed as the digest of a leaf is: what made the node is a leaf one level up."""
    profile = mc.Profile("mine", leaf=leaf, odd="rehash")
    tree = mc.MerkleTree([b"a", b"b", b"c"], profile)
    lone = tree.leaf_hash(2)
    preimage = sha(b"c")  # it is hashed to `lone`, and the lone node's parent is the hash of that
    assert sha(preimage) == lone
    left = mc.MerkleTree([b"a", b"b"], profile).root
    forged = mc.merkle_root([left, mc.MerkleTree([preimage], profile).root], profile, hashed=True)
    assert forged == tree.root
