"""Ids and the two trees over them: what is hashed once for both, runs of leaves, the least transactions.

What is expected comes from the builder, which hashes every transaction and every node of both trees.
"""

from __future__ import annotations

import random
from itertools import product
from struct import pack

import pytest

from merklecore import _native, reference
from tests.blocks.builder import (
    REGTEST,
    Block,
    Input,
    Output,
    Tx,
    coinbase,
    committed,
    sha256d,
    size,
    somewhere,
)
from tests.blocks.cases import CODES, HEIGHT, NOW, PARENT, REWARD, TIME, block, spend
from tests.blocks.told import told

RUN = 4096  # leaves that the native backend reduces together
RULES = _native.Bitcoin, reference.Bitcoin
FIRST = coinbase(HEIGHT, value=REWARD)
COMMITMENT, MUTATED, ROOT = (CODES[name] for name in ("WITNESS_COMMITMENT", "MERKLE_MUTATED", "MERKLE_ROOT"))


def codes(rules, data):
    return [found[0] for found in rules.check_block(data, tuple(PARENT), NOW).faults]


def paying(i, witness=b""):
    return spend(i, witness=(witness,) if witness else ())


@pytest.mark.parametrize("n", range(1, 8))
def test_witnesses_at_every_place(backend, n):
    """Of the two trees any nodes may be the same, but for the left edge: the coinbase's wtxid is zero."""
    rules = backend.Bitcoin(*REGTEST)
    for pattern in product((b"", b"sig"), repeat=n - 1):
        txs = committed((FIRST, *(paying(i + 1, witness) for i, witness in enumerate(pattern))))
        assert codes(rules, block(*txs[1:], first=txs[0]).build().data) == [], pattern
        for i, witness in enumerate(pattern):  # one bent, or one too many, is seen wherever it stands
            others = [*txs[1:]]
            others[i] = paying(i + 1, b"sih" if witness else b"sig")
            assert codes(rules, block(*others, first=txs[0]).build().data) == [COMMITMENT], (pattern, i)


# ---- more leaves than are reduced together -----------------------------------------------------------------


def least(i):
    """Return a transaction of ten bytes: two faults, and an id like any other."""
    return pack("<IHI", i, 0, 7 * i)


def witnessed(i):
    return Tx((Input(somewhere(i), witness=(b"x",)),), (Output(1),), version=i).raw()


def ids(data):
    """Return txid and wtxid of one of these two."""
    stripped = data if len(data) == len(least(0)) else data[:4] + data[6:-7] + data[-4:]
    return sha256d(stripped), sha256d(data)


def top(leaves):
    while len(leaves) > 1:
        leaves = [*leaves, leaves[-1]] if len(leaves) % 2 else leaves
        leaves = [sha256d(leaves[i] + leaves[i + 1]) for i in range(0, len(leaves), 2)]
    return leaves[0]


def large(raw, repeated=0):
    """Return a block that commits to these. The last few stand there twice, of which no root knows."""
    hashed = [ids(data) for data in raw]
    script = bytes.fromhex("6a24aa21a9ed")
    script += sha256d(top([bytes(32), *(wtxid for _, wtxid in hashed)]) + bytes(32))
    inputs = (FIRST.inputs[0]._replace(witness=(bytes(32),)),)
    first = FIRST.but(inputs=inputs, outputs=(*FIRST.outputs, Output(0, script)))
    root = top([first.txid, *(txid for txid, _ in hashed)])
    head = Block((first,), PARENT.prev_hash, time=TIME, root=root).build().data[:80]
    again = raw[len(raw) - repeated :]
    return head + size(1 + len(raw) + repeated) + first.raw() + b"".join([*raw, *again])


PLACES = {
    "none": lambda n: (),
    "all": range,
    "every other": lambda n: range(1, n, 2),
    "first and last of runs": lambda n: (i for i in range(n) if i % RUN in (0, 1, RUN - 2, RUN - 1)),
    "the last": lambda n: (n - 1,),
    "a few": lambda n: random.Random(n).sample(range(n), n // 50),
    "a dense stretch": lambda n: range(n // 3, n // 3 + min(n // 3, 700)),
    "two": lambda n: (n // 2, n // 2 + 1),
}


@pytest.mark.native_only
@pytest.mark.slow
@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("n", [2, 257, 1000, RUN - 1, RUN, RUN + 1, RUN + 3, 2 * RUN, 2 * RUN + 1])
def test_runs_of_leaves(n, name):
    """A root that is wrong would be one fault more than the least transactions are."""
    places = {i for i in PLACES[name](n) if 0 < i < n}
    raw = [witnessed(i) if i in places else least(i) for i in range(1, n)]
    data = large(raw)
    answers = [rules(*REGTEST).check_block(data, tuple(PARENT), NOW) for rules in RULES]
    assert told(answers[0]) == told(answers[1])
    assert answers[0].fault_count == 2 * (n - 1 - len(places))


@pytest.mark.native_only
@pytest.mark.parametrize("n", [3, 5, 6, 12, RUN - 1, RUN + 1, RUN + 2, RUN + RUN // 2, 2 * RUN + 4, 3 * RUN])
def test_mutated_over_runs(n):
    """As many of the last leaves are repeated as stand below the lowest node without a sibling."""
    raw = [least(i) for i in range(1, n)]
    for rules in RULES:
        plain = codes(rules(*REGTEST), large(raw))
        assert {MUTATED, ROOT}.isdisjoint(plain)
        assert codes(rules(*REGTEST), large(raw, n & -n))[0] == MUTATED


# ---- the least transactions --------------------------------------------------------------------------------


def form(kind, i):
    """Return a transaction of few bytes, and what its id is the hash of."""
    version, end = pack("<I", i), pack("<I", 3 * i)
    if kind == "marked":
        return version + b"\0\1\0\0" + end, version + b"\0\0" + end
    if kind == "paying":
        data = Tx((Input(somewhere(i)),), (Output(1),), version=i).raw()
    else:  # 10 to 18 bytes: without inputs and outputs, their number in one of its forms
        data = version + size(0, kind) + b"\0" + end
    return data, data


@pytest.mark.parametrize("n", [*range(1, 10), 100, 2047, 2048, 2049])
def test_ids_of_the_least(backend, n):
    """However they are mixed, with each other and with others: all of one form, in stretches, at random."""
    drawn = random.Random(n)
    rules = backend.Bitcoin(*REGTEST)
    for some in ((1,), (3,), ("marked",), (1, 3), (1, "paying"), (1, 3, 5, 9, "marked", "paying")):
        for stretch in (1, 3, 70):
            kinds = [drawn.choice(some) for _ in range(n // stretch + 1)]
            made = [form(kinds[i // stretch], i) for i in range(n)]
            data = bytes(80) + size(n) + b"".join(data for data, _ in made)
            assert rules.txids(data).tobytes() == b"".join(sha256d(hashed) for _, hashed in made), (
                some,
                stretch,
            )
