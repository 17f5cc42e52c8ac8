"""Fuzzes blocks, headers and block files: native and reference must say the same of any bytes.

python -m fuzz.blocks [--seconds 60] [--seed N] [FILE...]
"""

from __future__ import annotations

import sys
import tempfile
import zlib
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import merklecore as mc
from fuzz.common import main
from merklecore import _native, blocks, reference

CORPUS = Path(__file__).parents[1] / "tests" / "vectors" / "blocks" / "corpus"
NOW = 1_600_060_000
EASY = 0x207FFFFF
TIMES = tuple(NOW - 600 * k for k in range(11, 0, -1))
CONTEXTS: tuple[Any, ...] = (  # of a parent: unknown, whole, at a boundary, with holes
    None,
    (100, bytes(range(32)), TIMES, 1_600_000_000, EASY, 202, EASY, EASY),
    (4031, bytes(32), TIMES, NOW - 1_209_600, 0x1D00FFFF, 1 << 40, 0x1C00FFFF, 0x1C00FFFF),
    (None, bytes(range(32)), None, None, None, None, None, None),
    (5, None, TIMES[:6], None, 0x1D00FFFF, 0, None, None),
)
TOKENS = (
    b"\0\1",
    b"\xfd\0\0",
    b"\xfd\xff\xff",
    b"\xfe\0\0\0\2",
    b"\xfe\1\0\0\2",
    b"\xff" * 9,
    b"\xff" * 4,
    b"\0" * 32,
    b"\0" * 32 + b"\xff" * 4,
    bytes.fromhex("6a24aa21a9ed"),
    bytes.fromhex("ecc7daa2"),
    b"\xac" * 20,
    b"\xae",
    b"\x4c\xff",
    b"\x4d\xff\xff",
    b"\x4e\xff\xff\xff\xff",
    bytes.fromhex("fabfb5da"),
    bytes.fromhex("f9beb4d9"),
    (21 * 10**14).to_bytes(8, "little"),
    b"\xff\xff\xff\x7f",
    EASY.to_bytes(4, "little"),
)
FIELDS = (
    "faults fault_count warnings warning_count unchecked root block_hash size tx_count next_context"
).split()


def pair(params: blocks.Params) -> tuple[Any, Any]:
    """Return the rules of a network by both backends."""
    values = [getattr(params, name) for name in params.__dataclass_fields__ if name != "name"]
    return _native.Bitcoin(*values), reference.Bitcoin(*values)


RULES = [pair(params) for params in blocks.networks.values()]
ENGINE = blocks.Engine("bitcoin-regtest", threads=2)


def target(data: bytes) -> Hashable:
    """Check a block, a run of headers and, now and then, a file."""
    drawn = zlib.crc32(data)  # the input alone decides what it is checked with
    rules, context = RULES[drawn % len(RULES)], CONTEXTS[(drawn >> 8 & 0xFFFF) % len(CONTEXTS)]
    now = NOW if drawn >> 24 & 1 else None
    found, expected = (of_block(one, data, context, now) for one in rules)
    assert found == expected, f"block: {found} != {expected}"
    bounded(found, len(data))
    ids, expected_ids = (of_table(one, data) for one in rules)
    assert ids == expected_ids, f"table: {ids} != {expected_ids}"
    rows = data[: len(data) // 80 * 80]
    heads, expected_heads = (of_headers(one, rows, context, now) for one in rules)
    assert heads == expected_heads, f"headers: {heads} != {expected_heads}"
    if drawn >> 25 & 15 == 0:
        of_file(data)
    codes = tuple(dict.fromkeys(fault[0] for fault in found["faults"]))
    return codes, found["unchecked"], found["tx_count"].bit_length(), type(ids[0]).__name__


def of_block(rules: Any, data: bytes, context: Any, now: int | None) -> dict[str, Any]:
    """Return all that is said of a block."""
    checked = rules.check_block(data, context, now)
    return {name: getattr(checked, name) for name in FIELDS}


def bounded(found: dict[str, Any], size: int) -> None:
    """Assert what holds for every block."""
    assert 0 <= found["size"] <= size
    assert len(found["faults"]) == min(found["fault_count"], 100)
    assert len(found["warnings"]) == min(found["warning_count"], 100)
    for _, offset, tx, _, _ in (*found["faults"], *found["warnings"]):
        assert 0 <= offset <= size
        assert -1 <= tx <= max(found["tx_count"], size)


def of_table(rules: Any, data: bytes) -> list[Any]:
    """Return the bytes of table and ids, or type and words of the refusal."""
    answers: list[Any] = []
    for call in (rules.tx_table, rules.txids):
        try:
            answers.append(call(data).tobytes())
        except mc.InputError as error:
            answers.append((type(error), str(error)))
    return answers


def of_headers(rules: Any, rows: bytes, context: Any, now: int | None) -> list[Any]:
    """Return all that is said of headers."""
    codes, hashes, chainwork, unchecked, following = rules.check_headers(rows, context, now)
    return [codes.tobytes(), hashes.tobytes(), chainwork.tobytes(), unchecked, following]


def of_file(data: bytes) -> None:
    """Check the bytes as a block file: reports in order, nothing raised, no byte told of twice."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "blk00000.dat"
        path.write_bytes(data)
        at = 0
        for report in ENGINE.check_file(path, now=NOW):
            assert at <= report.offset <= report.end <= len(data), "file: reports out of order"
            at = report.end
            assert report.errors or report.ok


def corpus() -> Iterator[bytes]:
    """Yield the kept inputs, and some of them as a block file."""
    for path in sorted(CORPUS.iterdir()):
        data = path.read_bytes()
        yield data
        yield bytes.fromhex("fabfb5da") + len(data).to_bytes(4, "little") + data


if __name__ == "__main__":
    sys.exit(main("blocks", target, corpus, TOKENS))
