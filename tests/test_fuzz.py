"""The fuzzers of encodings, for a second each; `make fuzz` takes longer. They find guards left out."""

from __future__ import annotations

import random

import pytest

import merklecore as mc
from fuzz import common, genuine, proofs, texts
from merklecore.tree.proofs import encoding, flagged, partial
from merklecore.tree.proofs.base import HashProof

pytestmark = pytest.mark.any_kernel

FEW = 1500  # inputs


def fuzzed(module, inputs=FEW, kind=""):
    kept = list(module.corpus(kind))
    return common.run(
        "name", module.target, kept, module.TOKENS, seconds=60, inputs=inputs, mutate=module.mutated, seed=1
    )


@pytest.mark.parametrize(("module", "traces"), [(proofs, 150), (texts, 80)], ids=["bytes", "texts"])
def test_the_kept_corpus_and_its_mutations(module, traces):
    done = fuzzed(module)
    assert done.tried == FEW
    assert len(done.traces) >= traces


def test_what_is_kept_is_what_is_written():
    """The formats are promises: encodings of another day decode, and are written the same today."""
    kept = {path.name: path.read_bytes() for path in (genuine.CORPORA / "bytes").iterdir()}
    assert kept == {name: bytes(made) for name, made in genuine.KEPT_IN_BYTES.items()}
    for name, data in kept.items():
        assert type(genuine.KEPT_IN_BYTES[name]).from_bytes(data) == genuine.KEPT_IN_BYTES[name]
    kept = {path.name: path.read_text() for path in (genuine.CORPORA / "texts").iterdir()}
    assert kept == texts.genuine()


def test_every_kind_is_among_what_is_kept():
    kinds = {
        getattr(mc, name) for name in mc.__all__ if name.endswith(("Proof", "Proofs", "PartialMerkleTree"))
    }
    assert kinds == {type(case.proof) for case in genuine.CASES}
    assert kinds | {mc.CompactRange, mc.MerkleTree} == set(proofs.KINDS)


def nothing(*_args):
    """Stand in for a guard."""


def lenient(data, count, at):
    return bytes([byte >> i & 1 for byte in data for i in range(8)])[:count]


def any_size(reader, what):
    first = reader.take(1, what)[0]
    return first if first < 0xFD else int.from_bytes(reader.take(1 << first - 0xFC, what), "little")


def careless(text, *_args):
    import json

    return json.loads(text)


GUARDS = {
    "bytes after the end": (proofs, "", encoding.Reader, "end", nothing),
    "bits after the last flag": (proofs, "Flagged", flagged, "unpacked", lenient),
    "bits after the last flag of a walk": (proofs, "Partial", partial, "unpacked", lenient),
    "CompactSize in its shortest form": (proofs, "Partial", partial, "_compact_size", any_size),
    "the root is compared": (proofs, "Flagged", flagged, "holds", nothing),
    "keys and types of JSON": (texts, "", encoding, "object_of", careless),
    "hashes of one length": (
        texts,
        "Multi",
        HashProof,
        "from_path",
        classmethod(lambda cls, path: cls._made(32, b"".join(path))),
    ),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_is_missing_is_found(guard, monkeypatch, tmp_path):
    module, kind, where, name, instead = GUARDS[guard]
    monkeypatch.setattr(common, "FOUND", tmp_path)
    monkeypatch.setattr(where, name, instead)
    if where is encoding:  # others have it by name
        for user in ("base", "flagged", "partial", "many"):
            monkeypatch.setattr(f"merklecore.tree.proofs.{user}.{name}", instead)
    with pytest.raises(common.Finding):
        fuzzed(module, 20_000, kind)
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith("name-")


def test_a_proof_that_differs_may_not_hold():
    one, other = (case for case in genuine.CASES if case.name in ("RangeProof-rfc6962", "RangeProof-wide"))
    for backend in genuine.BACKENDS:
        with genuine.bound(backend):
            assert one.verdict(one.proof, backend) == "holds"
            assert one.verdict(other.proof, backend).startswith("ProofError")
            with pytest.raises(AssertionError, match="genuine: False: holds"):
                one._replace(proof=other.proof).verdict(one.proof, backend)


def test_memory_and_time_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "FOUND", tmp_path)
    common.frugal(1000, lambda: bytes(100_000))
    with pytest.raises(AssertionError, match="bytes held for an input of 1000"):
        common.frugal(1000, lambda: bytes(1_000_000))
    monkeypatch.setattr(common, "SLOW", 0.0)
    with pytest.raises(common.Finding, match="took"):
        common.tried("slow", lambda data: sum(range(100_000)), b"")


def test_a_backend_is_bound_for_as_long_as_it_is_asked():
    before = {name: getattr(mc._backend, name) for name in mc._backend.__all__}
    for backend in genuine.BACKENDS:
        with pytest.raises(KeyError), genuine.bound(backend):  # noqa: PT012  # it must end however it is left
            assert mc.MerkleTree([b"a"])._nodes.__class__ is backend.Nodes
            raise KeyError
    assert before == {name: getattr(mc._backend, name) for name in mc._backend.__all__}
    assert mc.MerkleTree([b"a"])._nodes.__class__ is before["Nodes"]


def test_texts_are_changed_within_their_values():
    draw = random.Random(1)
    text = genuine.CASES[0].proof.to_json().encode()
    changed = {texts.mutated(text, [text], texts.TOKENS, draw) for _ in range(300)}
    assert len(changed) > 200
    assert len([data for data in changed if data.startswith(b'{"type"') and data.endswith(b"}")]) > 100
