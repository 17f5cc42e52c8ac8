"""The fuzzer, for a few seconds of every run; `make fuzz` takes longer."""

from __future__ import annotations

import random

import pytest

from fuzz import blocks, common

pytestmark = [pytest.mark.native_only, pytest.mark.any_kernel]


def test_the_kept_corpus_and_its_mutations():
    kept = list(blocks.corpus())
    assert len(kept) > 200
    done = common.run("blocks", blocks.target, kept, blocks.TOKENS, seconds=3, seed=413567)
    assert done.tried >= len(kept)
    codes = {code for trace in done.traces for code in trace[0]}
    assert len(codes) >= 45  # all but those that need a large block


def test_a_seed_gives_the_same_inputs():
    def some(seed):
        draw = random.Random(seed)
        return [common.mutated(b"seed" * 30, [b"other"], blocks.TOKENS, draw) for _ in range(200)]

    assert some(1) == some(1) != some(2)
    assert len(set(some(1))) > 150
    assert max(map(len, some(3))) <= common.LONGEST


def test_what_is_found_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(common, "FOUND", tmp_path / "fuzz")

    def target(data):
        if b"\xff" * 4 in data:
            raise ValueError("four of them")
        return len(data)

    with pytest.raises(common.Finding, match="four of them"):
        common.run("name", target, [b"abc"], blocks.TOKENS, seconds=60)
    (kept,) = (tmp_path / "fuzz").iterdir()
    assert kept.name.startswith("name-")
    assert b"\xff" * 4 in kept.read_bytes()
