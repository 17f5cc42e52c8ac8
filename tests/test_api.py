"""The public face: names, signatures, documentation, and what importing it costs."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import merklecore as mc
from merklecore.tree import geometry

pytestmark = pytest.mark.any_kernel

NAMES = {
    *("BackendError", "BlockError", "BoundsError", "InputError", "MerkleCoreError", "ProofError", "errors"),
    *("algorithms", "cpu_info", "digest", "hash_many", "hash_pairs", "new"),
    *("sha256", "sha256d", "sha512", "sha3_256", "keccak256", "sm3", "blake3", "blake2b_256"),
    "blocks",
    "__version__",
    *(
        "CompactRange",
        "ConsistencyProof",
        "FlaggedMultiProof",
        "InclusionProofs",
        "MultiProof",
        "PartialMerkleTree",
        "RangeProof",
    ),
    *("InclusionProof", "MerkleTree", "Profile", "merkle_root", "openzeppelin_order", "profiles"),
}
SIGNATURES = {
    mc.algorithms: "()",
    mc.digest: "(data, algorithm='sha256')",
    mc.new: "(algorithm, data=b'')",
    mc.hash_many: "(messages, algorithm='sha256', *, prefix=b'', threads=None, out=None)",
    mc.hash_pairs: "(nodes, algorithm='sha256', *, prefix=b'', threads=None, out=None)",
    mc.cpu_info: "()",
    mc.merkle_root: "(leaves, profile='rfc6962', *, hashed=False, threads=None, executor=None)",
    mc.openzeppelin_order: "(leaves, profile='openzeppelin')",
    mc.MerkleTree.__init__: "(self, leaves=(), profile='rfc6962', *, hashed=False, threads=None)",
    mc.MerkleTree.append: "(self, leaf, *, hashed=False)",
    mc.MerkleTree.extend: "(self, leaves, *, hashed=False)",
    mc.MerkleTree.update: "(self, indices, leaves, *, hashed=False)",
    mc.MerkleTree.truncate: "(self, size)",
    mc.MerkleTree.nodes: "(self, level, start, stop)",
    mc.MerkleTree.save: "(self, path)",
    mc.MerkleTree.load: "(path, *, root=None, profile=None)",
    mc.MerkleTree.from_bytes: "(data, *, root=None, profile=None)",
    mc.MerkleTree.leaf_hash: "(self, index)",
    mc.MerkleTree.root_at: "(self, size)",
    mc.MerkleTree.prove: "(self, index, size=None)",
    mc.CompactRange.__init__: "(self, profile='rfc6962', start=0)",
    mc.CompactRange.append: "(self, leaf, *, hashed=False)",
    mc.CompactRange.extend: "(self, leaves, *, hashed=False, on_nodes=None, threads=None)",
    mc.CompactRange.merge: "(self, other)",
    mc.CompactRange.from_bytes: "(data)",
    mc.Profile.__init__: "(self, name, algorithm='sha256', *, leaf='hash', leaf_prefix=b'', node_prefix=b'', "
    "odd='split', sort_pairs=False, limit=None, empty=None)",
    mc.Profile.replace: "(self, **changes)",
    mc.InclusionProof.verify: "(self, root, leaf, *, index, size, profile='rfc6962', hashed=False)",
    mc.InclusionProof.compute_root: "(self, leaf, *, index, size, profile='rfc6962', hashed=False)",
    mc.InclusionProof.from_bytes: "(data)",
    mc.InclusionProof.from_path: "(path)",
    mc.InclusionProof.from_json: "(text)",
    mc.InclusionProof.to_json: "(self)",
    mc.MerkleTree.prove_many: "(self, indices, size=None)",
    mc.MerkleTree.prove_multi: "(self, indices, size=None)",
    mc.MerkleTree.prove_range: "(self, start, stop, size=None)",
    mc.MerkleTree.prove_consistency: "(self, old_size, new_size=None)",
    mc.InclusionProofs.verify: "(self, root, leaves, *, indices, size, profile='rfc6962', hashed=False)",
    mc.MultiProof.verify: "(self, root, leaves, *, indices, size, profile='rfc6962', hashed=False)",
    mc.RangeProof.verify: "(self, root, leaves, *, start, size, profile='rfc6962', hashed=False)",
    mc.ConsistencyProof.verify: "(self, old_root, new_root, *, old_size, new_size, profile='rfc6962')",
    geometry.consistency_nodes: "(old_size, new_size)",
    geometry.inclusion_nodes: "(index, size, odd='split', limit=None)",
}


def test_exactly_the_public_names_are_exported():
    assert set(mc.__all__) == NAMES
    assert len(mc.__all__) == len(NAMES)
    for name in NAMES:
        assert getattr(mc, name) is not None


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__qualname__)
def test_signatures_are_the_contract(function):
    signature = inspect.signature(function)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    assert str(signature.replace(parameters=bare, return_annotation=signature.empty)) == SIGNATURES[function]


BLOCKS = {
    *("Check", "Code", "Context", "Engine", "Fault", "Headers", "Params", "Report"),
    *("checks", "networks", "signet_magic"),
}


def test_exactly_the_public_names_of_blocks_are_exported():
    assert set(mc.blocks.__all__) == BLOCKS
    for name in BLOCKS:
        assert hasattr(mc.blocks, name)


def public_things():
    for name in (*mc.__all__, *mc.blocks.__all__):
        thing = getattr(mc, name, None) or getattr(mc.blocks, name)
        if callable(thing) and not (isinstance(thing, type) and issubclass(thing, Exception)):
            yield name, thing
            if isinstance(thing, type):
                for member, value in vars(thing).items():
                    value = getattr(value, "__func__", value)
                    if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                        yield f"{name}.{member}", value
    for name in geometry.__all__:
        yield f"geometry.{name}", getattr(geometry, name)


PUBLIC = dict(public_things())


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_thing_is_documented_with_an_example(name):
    assert ">>>" in (inspect.getdoc(PUBLIC[name]) or "")


def fresh(code):
    root = Path(mc.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_is_cheap():
    heavy = "{'numpy', 'json', 're', 'dataclasses', 'enum', 'typing', 'inspect', 'collections', 'argparse'}"
    code = "import sys; before = set(sys.modules); import merklecore; after = set(sys.modules)"
    assert fresh(f"{code}; print((after - before) & {heavy})") == "set()"


def test_trees_and_proofs_need_no_numpy():
    tree = "t = mc.MerkleTree([b'a', b'b']); mc.merkle_root([b''])"
    proof = "t.prove(1).verify(t.root, b'b', index=1, size=2)"
    assert fresh(f"import sys, merklecore as mc; {tree}; {proof}; print('numpy' in sys.modules)") == "False"


def test_there_is_a_version():
    assert mc.__version__.split(".")[0].isdigit()
