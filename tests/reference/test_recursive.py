"""The recursive definitions, held against the figures of the standards and facts from the systems."""

import hashlib

from merklecore.reference.recursive import (
    bitcoin_mutated,
    bitcoin_path,
    bitcoin_root,
    chainmaker_path,
    chainmaker_root,
    fisco_path,
    fisco_root,
    heap_path,
    heap_root,
    rfc6962_path,
    rfc6962_root,
    ssz_path,
    ssz_root,
)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def test_the_shapes_of_rfc_6962():
    # Section 2.1.3: the tree over seven leaves, in its letters.
    d = tuple(b"d%d" % i for i in range(7))
    a, b, c, d_, e, f, j = (sha(b"\0", x) for x in d)
    g, h, i = sha(b"\1", a, b), sha(b"\1", c, d_), sha(b"\1", e, f)
    k, l = sha(b"\1", g, h), sha(b"\1", i, j)  # noqa: E741 - the letter of the standard
    assert rfc6962_root(d) == sha(b"\1", k, l)
    assert rfc6962_path(0, d) == (b, h, l)
    assert rfc6962_path(3, d) == (c, g, l)
    assert rfc6962_path(4, d) == (f, j, k)
    assert rfc6962_path(6, d) == (i, k)
    # The same tree while it grows: hash0, hash1 and hash2 over three, four and six leaves.
    assert rfc6962_root(d[:3]) == sha(b"\1", g, c)
    assert rfc6962_root(d[:4]) == k
    assert rfc6962_root(d[:6]) == sha(b"\1", k, i)


def test_roots_of_the_certificate_transparency_test_tree():
    # Google's certificate-transparency, merkletree tests: eight inputs and the roots of their prefixes.
    inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    roots = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    leaves = tuple(map(bytes.fromhex, inputs))
    assert {n: rfc6962_root(leaves[:n]).hex() for n in range(9)} == roots


# Bitcoin's mainnet block 100000: the ids of its four transactions and its Merkle root, as displayed.
BLOCK_100000 = [
    "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
    "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
    "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
    "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
]
ROOT_100000 = "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766"


def test_a_block_of_four_transactions():
    ids = tuple(bytes.fromhex(shown)[::-1] for shown in BLOCK_100000)
    assert bitcoin_root(ids)[::-1].hex() == ROOT_100000
    assert bitcoin_path(2, ids) == (ids[3], sha(sha(ids[0], ids[1])))


def test_a_lone_id_is_repeated():
    ids = tuple(bytes([i]) * 32 for i in range(3))
    pair, lone = sha(sha(ids[0], ids[1])), sha(sha(ids[2], ids[2]))
    assert bitcoin_root(ids) == sha(sha(pair, lone)) == bitcoin_root((*ids, ids[2]))
    assert bitcoin_path(2, ids) == (ids[2], pair)
    assert not bitcoin_mutated(ids)
    assert bitcoin_mutated((*ids, ids[2]))


def test_ssz_pads_with_zero_subtrees():
    a, b, c, z = (bytes([i]) * 32 for i in (1, 2, 3, 0))
    zz = sha(z, z)
    assert zz.hex() == "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"
    assert ssz_root((a, b, c)) == sha(sha(a, b), sha(c, z))
    assert ssz_root((a, b, c), 8) == sha(ssz_root((a, b, c)), sha(zz, zz))
    assert ssz_root((a,), 1) == ssz_root((a,)) == a
    assert ssz_root((), 4) == sha(zz, zz)
    assert ssz_path(2, (a, b, c), 5) == (z, sha(a, b), sha(zz, zz))


def shown(data):
    """In place of a hash: what was hashed can be read."""
    return b"(" + data + b")"


LETTERS = tuple(bytes([letter]) for letter in b"abcdefg")


def test_a_lone_node_of_fisco_bcos_is_hashed_alone():
    # Merkle.h: a group at the end of a level may have fewer than `width` members.
    assert fisco_root(LETTERS[:1], shown) == b"a"
    assert fisco_root(LETTERS[:5], shown) == b"(((ab)(cd))((e)))"
    assert fisco_root(LETTERS[:6], shown) == b"(((ab)(cd))((ef)))"
    assert fisco_root((b"b", b"a", b"c"), shown, sort_pairs=True) == b"((ab)(c))"
    assert fisco_path(4, LETTERS[:5], shown) == (b"((ab)(cd))",)
    assert fisco_path(5, LETTERS[:6], shown) == (b"e", b"((ab)(cd))")
    assert fisco_root((), shown) == bytes(32)


def test_chainmaker_takes_a_lone_node_twice():
    # merkle.go: hash(left, left) if right is nil; nil over nil.
    assert chainmaker_root((), shown) == b""
    assert chainmaker_root(LETTERS[:1], shown) == b"a"
    assert chainmaker_root(LETTERS[:5], shown) == b"(((ab)(cd))((ee)(ee)))"
    assert chainmaker_path(4, LETTERS[:5], shown) == (b"e", b"(ee)", b"((ab)(cd))")
    assert chainmaker_path(1, LETTERS[:5], shown) == (b"a", b"(cd)", b"((ee)(ee))")
    ids = tuple(bytes([i]) * 32 for i in range(7))
    for n in range(1, 8):
        assert chainmaker_root(ids[:n], lambda x: sha(sha(x))) == bitcoin_root(ids[:n])


def test_a_heap_fills_an_array_from_its_end():
    # core.ts: tree[tree.length - 1 - i] = leaf, tree[i] = hash(tree[2 i + 1], tree[2 i + 2]).
    assert heap_root(LETTERS[:1], shown) == b"a"
    assert heap_root(LETTERS[:2], shown, False) == b"(ba)"
    assert heap_root(LETTERS[:5], shown, False) == b"(((ba)e)(dc))"
    assert heap_root(LETTERS[:5], shown) == b"(((ab)e)(cd))"
    assert heap_path(0, LETTERS[:5], shown) == (b"b", b"e", b"(cd)")
    assert heap_path(3, LETTERS[:5], shown) == (b"c", b"((ab)e)")


def test_another_hash_in_place_of_sha256():
    def other(data):
        return hashlib.blake2s(data).digest()

    a, b, c = b"a", b"b", b"c"
    left = other(b"\1" + other(b"\0a") + other(b"\0b"))
    assert rfc6962_root((a, b, c), other) == other(b"\1" + left + other(b"\0c"))
    assert rfc6962_path(0, (a, b, c), other) == (other(b"\0b"), other(b"\0c"))
    assert rfc6962_root((), other) == other(b"")
