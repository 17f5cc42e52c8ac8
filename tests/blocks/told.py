"""What a backend says of a block, as plain values: for comparing one with another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import merklecore as mc
from tests.blocks.cases import UNCHECKED

FIELDS = (
    "faults fault_count warnings warning_count unchecked root block_hash size tx_count next_context"
).split()  # of Checked


def names_of(bits: int) -> frozenset[str]:
    """Return the names of the rules that were not checked."""
    assert bits >> len(UNCHECKED) == 0
    return frozenset(name for i, name in enumerate(UNCHECKED) if bits >> i & 1)


def bits_of(names: Iterable[str]) -> int:
    return sum(1 << UNCHECKED.index(name) for name in names)


def told(checked: Any) -> dict[str, Any]:
    """Return everything a Checked says."""
    return {name: getattr(checked, name) for name in FIELDS}


def table_told(rules: Any, data: bytes) -> Any:
    """Return table and ids of the transactions, or the words of the refusal."""
    answers: list[Any] = []
    for call in (rules.tx_table, rules.txids):
        try:
            found = call(data)
            answers.append((found.dtype.descr, found.shape, found.tobytes()))
        except mc.MerkleCoreError as error:
            answers.append((type(error), str(error)))
    return answers


def headers_told(rules: Any, rows: Any, context: Any, now: int | None) -> Any:
    codes, hashes, chainwork, unchecked, following = rules.check_headers(rows, context, now)
    arrays = [(found.dtype.str, found.shape, found.tobytes()) for found in (codes, hashes, chainwork)]
    return *arrays, unchecked, following
