"""Columns of Apache Arrow beside the array and the list with the same values, of 32 bytes each."""

from __future__ import annotations

from functools import partial
from typing import Any

import columns
import pytest
import workloads
from workloads import Timed

import merklecore as mc

VALUES = 1 << 17
KINDS = ("array", "list", "fixed_size_binary", "binary", "binary_view", "in-chunks")


def given(kind: str) -> Any:
    rows = workloads.rows(VALUES, 32)
    if kind in ("array", "list"):
        return rows if kind == "array" else workloads.items(rows)
    return columns.of(rows)[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_hash_many(timed: Timed, kind: str) -> None:
    timed(
        partial(mc.hash_many, given(kind), out=workloads.empty(VALUES, 32), threads=1),
        group="hash_many of a column",
        means=kind,
        unit="message",
        count=VALUES,
        nbytes=32 * VALUES,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", ["rfc6962", "ssz"])
def test_root(timed: Timed, profile: str, kind: str) -> None:
    timed(
        partial(mc.merkle_root, given(kind), profile, threads=1),
        group=f"merkle_root of a column, {profile}",
        means=kind,
        unit="leaf",
        count=VALUES,
        nbytes=32 * VALUES,
    )
