"""The target of every period of mainnet, as others have written it down: each follows from the one before.

The lists have no times. But a target and the next one tell, to some seconds, how long the period took: so the
rule is asked for the seconds that come out, must give the genuine bits for them, and for none a minute off.
"""

from __future__ import annotations

import csv
import json
from struct import pack

import pytest

from tests.blocks.builder import BEFORE, MAINNET, PERIOD, compact, expand
from tests.blocks.cases import CODES
from tests.blocks.real import read

LIMIT = expand(0x1D00FFFF)
WEEKS = 1_209_600  # seconds that a period should take
TIME = 1_700_000_000


@pytest.fixture
def checkpoints(vectors):
    """Hash of the last block of period i, target of period i + 1; in front the first target."""
    return [("", LIMIT), *json.loads(read(vectors, "electrum/checkpoints.json"))]


def wanted(rules, height, last, old, seconds, bits):
    """Return the bits that a header at this height must have, after a period that took so long."""
    context = BEFORE._replace(
        height=height - 1, prev_hash=last, times=(TIME,), period_start=TIME - seconds, bits=old
    )
    header = pack("<i", 4) + last + bytes(32) + pack("<III", TIME, bits, 0)
    checked = rules.check_block(header, tuple(context), None)
    said = {found[0]: found for found in checked.faults}
    assert CODES["PREV_HASH"] not in said
    if CODES["BITS"] not in said:
        return bits
    _, offset, _, given, asked = said[CODES["BITS"]]
    assert (offset, given) == (72, bits)
    return asked


def test_the_target_of_every_period(backend, checkpoints):
    rules = backend.Bitcoin(*MAINNET)
    clamped, at_limit = [], 0
    for period in range(1, len(checkpoints)):
        (hash_, new), (_, before) = checkpoints[period], checkpoints[period - 1]
        assert int(hash_, 16) <= before  # the last block of the period before has its work
        old, bits, last = compact(before), compact(new), bytes.fromhex(hash_)[::-1]
        assert expand(bits) == new
        took = new * WEEKS // before

        def at(seconds, height=period * PERIOD, last=last, old=old, bits=bits):
            return wanted(rules, height, last, old, seconds, bits)

        assert bits in (at(took), at(took + 1)), period
        longer, shorter = at(took + 60), at(took - 60)
        if new == LIMIT:
            at_limit += 1
            assert longer == bits
        else:
            assert expand(longer) > new
        if took == WEEKS // 4:  # a quarter is the least that counts
            clamped.append(period)
            assert shorter == bits
        else:
            assert expand(shorter) < new
    assert (len(checkpoints), at_limit, clamped) == (474, 15, [34])


def test_targets_of_every_day(vectors, backend, checkpoints):
    """NBitcoin's, at every 144th height: those of the periods, and between two of them nothing changes."""
    rules = backend.Bitcoin(*MAINNET)
    rows = list(csv.reader(read(vectors, "nbitcoin/targethistory.csv").decode().splitlines()))
    history = {int(height): int(target) for height, target in rows}
    assert list(history) == list(range(144, 304_416 + 1, 144))
    for height, target in history.items():
        period, bits = height // PERIOD, compact(target)
        assert target == checkpoints[period][1]
        if height % PERIOD:
            old = compact(history.get(height - 144, LIMIT))
            for time in (0, WEEKS * 9):
                assert wanted(rules, height, bytes(32), old, time, bits) == bits
            assert wanted(rules, height, bytes(32), old, WEEKS, bits - 1) == old
    assert sum(height % PERIOD == 0 for height in history) == 151
