"""Every rule, on both backends: hostile blocks, each beside the valid one at the border."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from tests.blocks.builder import (
    BEFORE,
    COIN,
    MAINNET,
    REGTEST,
    SIGNET,
    TESTNET3,
    TESTNET4,
    Tx,
    chain,
    coinbase,
    compact,
    expand,
    follow,
    retarget,
)
from tests.blocks.cases import BODY, CODES, HEADER, HEIGHT, STATE, UNCHECKED, Case, block, fault
from tests.blocks.table import TABLE
from tests.blocks.told import names_of


@cache
def cases(name: str) -> tuple[Case, ...]:
    """Blocks that take time to build are built once for both backends."""
    return tuple(TABLE[name]())


@pytest.mark.parametrize("name", TABLE)
def test_rule(backend, name):
    for one in cases(name):
        checked = backend.Bitcoin(*one.network).check_block(*one.args)
        said = f"{name}: {one.name}"
        assert tuple(checked.faults) == one.faults, said
        assert checked.fault_count == (len(one.faults) if one.count is None else one.count), said
        assert names_of(checked.unchecked) == one.unchecked, said
        assert tuple(checked.warnings) == one.warnings, said


def test_every_code_has_rows_and_every_rule_a_valid_block():
    """BAD_MAGIC is of block files, see test_files.py; a million transactions stand below."""
    seen = {found[0] for name in TABLE for one in cases(name) for found in (*one.faults, *one.warnings)}
    assert set(CODES.values()) - seen == {CODES["BAD_MAGIC"], CODES["TOO_MANY_TRANSACTIONS"]}
    for name in TABLE:
        if name not in ("counts", "lengths", "linkage"):
            assert any(not one.faults for one in cases(name)) or name in ALWAYS_UNMINED, name


# On mainnet's terms nothing is mined here: the valid ones lack nothing but the work.
ALWAYS_UNMINED = {"difficulty_between", "difficulty_boundary", "twenty_minutes"}


def test_every_rule_is_left_unchecked_somewhere_and_checked_elsewhere():
    left = Counter(rule for name in TABLE for one in cases(name) for rule in one.unchecked)
    total = sum(len(cases(name)) for name in TABLE)
    for rule in UNCHECKED:
        if rule in STATE:
            assert left[rule] == total
        elif rule == "signet":  # a rule that has all it needs, but for the whole scan
            assert left[rule] == 0
        else:
            assert 0 < left[rule] < total, rule


@pytest.mark.parametrize("network", [SIGNET, REGTEST._replace(bip94=True)], ids=["signet", "bip94"])
def test_networks_with_more_rules_name_them_too(backend, network):
    more = {"signet", "signet_script"} if network.signet_challenge else {"timewarp"}
    rules = backend.Bitcoin(*network)
    assert names_of(rules.check_block(b"", None, None).unchecked) == HEADER | BODY | STATE | more
    whole_header = names_of(rules.check_block(bytes(80), None, 0).unchecked)
    assert "signet" in whole_header or not network.signet_challenge
    assert {"proof_of_work", "target", "future_time"}.isdisjoint(whole_header)


def million(rules, count):
    """Check a block of so many transactions of ten bytes, the least that one can have."""
    made = block(first=coinbase(HEIGHT)).build()
    data = (
        made.data[:80]
        + b"\xfe"
        + count.to_bytes(4, "little")
        + made.data[81:]
        + Tx((), ()).raw() * (count - 1)
    )
    checked = rules.check_block(data, None, None)
    codes = [found[0] for found in checked.faults]
    assert checked.tx_count == count
    start = [fault("TOO_MANY_TRANSACTIONS", 80, -1, count, 1_000_000)] if count > 1_000_000 else []
    body = [found for found in checked.faults if found[0] >= 60]
    assert body[: len(start) + 1] == [*start, fault("BLOCK_SIZE", 0, -1, len(data), 1_000_000)]
    assert len(checked.faults) == 100
    assert codes[:2] == [CODES["MERKLE_ROOT"], CODES["MERKLE_MUTATED"]]
    # Each of the small ones lacks inputs and outputs; all but the first have its id.
    assert checked.fault_count == 2 + len(start) + 1 + 2 * (count - 1) + count - 2


@pytest.mark.native_only
@pytest.mark.any_kernel
def test_a_million_transactions():
    from merklecore import _native

    million(_native.Bitcoin(*REGTEST), 1_000_000)
    million(_native.Bitcoin(*REGTEST), 1_000_001)


@pytest.mark.long
def test_a_million_transactions_by_the_reference():
    from merklecore import reference

    million(reference.Bitcoin(*REGTEST), 1_000_001)


# ---- chains ------------------------------------------------------------------------------------------------


def test_a_chain_from_context_to_context(backend):
    """A valid chain, each block with the context that the one before gave, which is the one expected."""
    rules = backend.Bitcoin(*REGTEST)
    context = BEFORE
    for height, made in enumerate(chain(40)):
        given = None if height == 0 else tuple(context)
        checked = rules.check_block(made.data, given, made.data[68] + 2_000_000_000)
        assert checked.faults == []
        assert checked.fault_count == 0
        if height:
            assert names_of(checked.unchecked) == STATE
        context = follow(context, made.data, REGTEST)
        if height:
            assert checked.next_context == tuple(context)
        assert checked.block_hash == made.hash
        assert checked.root == made.root
        assert checked.size == len(made.data)
        assert checked.tx_count == len(made.txs)
        if height == 0:
            context = context._replace(period_start=int.from_bytes(made.data[68:72], "little"))


@pytest.mark.parametrize(
    "network", [MAINNET, TESTNET3, TESTNET4, REGTEST], ids=["mainnet", "testnet3", "testnet4", "regtest"]
)
def test_next_context(backend, network):
    """What is known goes on, what is not stays unknown, whether the block holds or not."""
    rules = backend.Bitcoin(*network)
    limit = compact(network.pow_limit)
    for height in (50, 2015, 2016, 2017):
        for bits in (limit, 0x1C00FFFF, 0x1D00FFFE):
            parent = follow(BEFORE._replace(height=height - 2, chainwork=7), bytes(80), network)
            parent = parent._replace(
                times=(5, 3, 9), period_bits=0x1B0404CB, real_bits=0x1C012345, period_start=77
            )
            made = block(bits=bits, mined=False).build()
            got = rules.check_block(made.data, tuple(parent), None).next_context
            assert got == tuple(follow(parent, made.data, network)), (height, hex(bits))
            for missing in parent._fields:
                there = parent._replace(**{missing: None})
                got = rules.check_block(made.data, tuple(there), None).next_context
                wanted = follow(parent, made.data, network)
                boundary = (height % 2016) == 0
                usual = bits != limit
                if missing == "height":
                    continue  # whether it is a boundary is not known
                if missing == "times":
                    wanted = wanted._replace(times=wanted.times[-1:])
                if missing == "chainwork":
                    wanted = wanted._replace(chainwork=None)
                if missing == "period_start" and not boundary:
                    wanted = wanted._replace(period_start=None)
                if missing == "period_bits" and not boundary:
                    wanted = wanted._replace(period_bits=None)
                if missing == "real_bits" and not (boundary or usual):
                    wanted = wanted._replace(real_bits=None)
                assert got == tuple(wanted), (missing, height, hex(bits))
    invalid = block(bits=0x20FFFFFF).build()
    got = rules.check_block(invalid.data, tuple(parent), None).next_context
    assert got[5] == parent.chainwork  # no work in what is no target
    assert rules.check_block(b"\0" * 79, tuple(parent), None).next_context is None


def test_the_builder_agrees_with_well_known_figures():
    """What the table rests on, by figures of others: BIP 34, and mainnet's first changes of difficulty."""
    assert coinbase(227931).raw()[42:46].hex() == "035b7a03"
    assert expand(0x1B0404CB) == 0x404CB << 192
    assert compact(expand(0x1B0404CB)) == 0x1B0404CB
    # Block 32256, the first change: from 1261130161 to 1262152739 by the clocks of the period.
    assert retarget(0x1D00FFFF, 1262152739 - 1261130161, MAINNET.pow_limit) == 0x1D00D86A
    assert SIGNET.magic.hex() == "0a03cf40"
    assert 50 * COIN >> 1 == 2_500_000_000
