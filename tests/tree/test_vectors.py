"""Proofs and blocks of other projects."""

import base64
import bz2
import json
from hashlib import sha256

import pytest

import merklecore as mc
from merklecore.reference.recursive import bitcoin_path

# ---- transparency-dev/merkle: proofs of RFC 6962, good and bent --------------------------------------------


def inclusion_cases(vectors):
    for file in sorted((vectors / "trees/transparency-dev-merkle/inclusion").rglob("*.json")):
        case = json.loads(file.read_text())
        root, leaf = (base64.b64decode(case[key] or "") for key in ("root", "leafHash"))
        path = [base64.b64decode(item or "") for item in case["proof"] or ()]
        yield file.name, case["leafIdx"], case["treeSize"], root, leaf, path, case["wantErr"]


def test_inclusion_proofs_of_transparency_dev(vectors):
    held = refused = 0
    for _, index, size, root, leaf, path, wants_error in inclusion_cases(vectors):
        if wants_error:
            with pytest.raises((mc.ProofError, mc.InputError)):
                mc.InclusionProof.from_path(path).verify(root, leaf, index=index, size=size, hashed=True)
            refused += 1
        else:
            mc.InclusionProof.from_path(path).verify(root, leaf, index=index, size=size, hashed=True)
            held += 1
    assert (held, refused) == (6, 92)  # all 98 files


def test_the_primitive_refuses_them_too(vectors, backend):
    """Of what from_path refuses beforehand the fold relies on hashes of one length alone."""
    spec = backend.Spec("sha256", "hash", b"\0", b"\1", "split", False, None, "hash")
    for name, index, size, root, leaf, path, wants_error in inclusion_cases(vectors):
        try:
            width = len(path[0]) if path else 0
            even = all(len(item) == width > 0 for item in path)
            holds = even and backend.fold(spec, leaf, b"".join(path), width, index, size, True) == root
        except (mc.ProofError, mc.InputError):
            holds = False
        assert holds != wants_error, name


# ---- OpenZeppelin: dumps of its own library ----------------------------------------------------------------


def abi_string(text):
    """The ABI encoding of a tuple of one string."""
    data = text.encode()
    return (32).to_bytes(32, "big") + len(data).to_bytes(32, "big") + data + bytes(-len(data) % 32)


@pytest.mark.parametrize("kind", ["simple-v1.sorted", "standard-v1.unsorted"])
def test_dumps_of_openzeppelin(vectors, kind):
    dump = json.loads((vectors / f"trees/openzeppelin/{kind}.1_0_6.json").read_text())
    stored = [bytes.fromhex(node[2:]) for node in dump["tree"]]
    values, n = dump["values"], len(dump["values"])
    if kind.startswith("simple"):
        profile = "openzeppelin-simple"
        leaves = [bytes.fromhex(value["value"][2:]) for value in values]
        order = mc.openzeppelin_order(leaves, profile).tolist()
    else:
        profile = "openzeppelin"
        leaves = [abi_string(*value["value"]) for value in values]
        order = list(range(n))
    assert [value["treeIndex"] for value in values] == [2 * n - 2 - order.index(i) for i in range(n)]
    tree = mc.MerkleTree([leaves[i] for i in order], profile)
    assert tree.root == stored[0]
    assert [tree.leaf_hash(i) for i in range(n)] == stored[: n - 2 : -1]


# ---- FISCO BCOS: the root in a block of 51 transactions ----------------------------------------------------


def test_the_root_of_a_block_of_fisco_bcos(vectors):
    block = json.loads((vectors / "blocks/fisco-bcos/bcos3-block-9-c403e7f3.json").read_text())
    hashes = [bytes.fromhex(item[2:]) for item in block["transactions"]]
    assert len(hashes) == 51  # lone nodes at three levels: 51, 13, 7
    root = bytes.fromhex(block["txsRoot"][2:])
    assert mc.merkle_root(hashes, "fisco-bcos") == root
    assert mc.MerkleTree(hashes, "fisco-bcos").root == root
    for odd in ("split", "duplicate", "pad"):
        assert mc.merkle_root(hashes, mc.profiles["fisco-bcos"].replace(odd=odd)) != root


# ---- Bitcoin: the root in the header is the root over the ids ----------------------------------------------


class Cursor:
    """Enough of the block format (Bitcoin's protocol documentation, BIP 144) to find the ids."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        assert self.at <= len(self.data)
        return self.data[self.at - count : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def compact_size(self):
        first = self.number(1)
        return first if first < 0xFD else self.number(1 << first - 0xFC)

    def transaction_id(self):
        version = self.take(4)
        segwit = self.data[self.at : self.at + 2] == b"\0\1"
        self.at += 2 * segwit
        start = self.at
        inputs = self.compact_size()
        for _ in range(inputs):
            self.take(36)
            self.take(self.compact_size() + 4)
        for _ in range(self.compact_size()):
            self.take(8)
            self.take(self.compact_size())
        body = self.data[start : self.at]
        if segwit:
            for _ in range(inputs):
                for _ in range(self.compact_size()):
                    self.take(self.compact_size())
        return sha256(sha256(version + body + self.take(4)).digest()).digest()

    def block(self):
        header = self.take(80)
        return header[36:68], [self.transaction_id() for _ in range(self.compact_size())]


def framed(data):
    """Blocks of a block file: magic, length, block."""
    cursor = Cursor(data)
    while cursor.at < len(data):
        assert cursor.take(4) == bytes.fromhex("f9beb4d9")
        yield cursor.take(cursor.number(4))


def read(vectors, name):
    data = (vectors / "blocks/bitcoin" / name).read_bytes()
    return bz2.decompress(data) if name.endswith("bz2") else data


RUST = "rust-bitcoin/{}_block_{}.raw"
BLOCKS = {  # transactions
    "block413567/block413567.raw": 1557,
    RUST.format("mainnet", "000000000000000000000c835b2adcaedc20fdf6ee440009c249452c726dafae"): 2500,
    RUST.format("testnet", "000000000000045e0b1660b6445b5e5c5ab63c9a4f956be7e1e69be04fa4497b"): 15,
}
FILES = {  # blocks, transactions
    "btcd/277647.dat.bz2": (1, 213),
    "btcd/blocks1-256.bz2": (255, 262),
    "nbitcoin/blk00000.dat": (300, 307),
}


def check_block(data):
    root, ids = Cursor(data).block()
    tree = mc.MerkleTree(ids, "bitcoin")
    assert tree.root == mc.merkle_root(ids, "bitcoin") == root
    assert not tree.mutated
    for index in {0, len(ids) // 2, len(ids) - 1}:
        proof = tree.prove(index)
        assert proof.path == bitcoin_path(index, tuple(ids))
        proof.verify(root, ids[index], index=index, size=len(ids), profile="bitcoin")
    return len(ids)


@pytest.mark.parametrize("name", BLOCKS)
def test_roots_of_bitcoin_blocks(vectors, name):
    assert check_block(read(vectors, name)) == BLOCKS[name]


@pytest.mark.parametrize("name", FILES)
def test_roots_of_bitcoin_block_files(vectors, name):
    counts = [check_block(block) for block in framed(read(vectors, name))]
    assert (len(counts), sum(counts)) == FILES[name]


def test_block_170(vectors):
    """The first payment: two transactions, ids and root as every explorer shows them."""
    block = list(framed(read(vectors, "nbitcoin/blk00000.dat")))[170]
    root, ids = Cursor(block).block()
    assert [item[::-1].hex() for item in ids] == [
        "b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082",
        "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16",
    ]
    assert root[::-1].hex() == "7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff"
    assert mc.merkle_root(ids, "bitcoin") == root
