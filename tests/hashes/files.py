"""Known answers in the files of others: pairs of message and digest."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography_vectors import open_vector_file

Pairs = list[tuple[bytes, bytes]]


def botan(path: Path, section: str) -> Pairs:
    """What stands below `[section]`, as lines `In = ` and `Out = `."""
    text = path.read_text(encoding="ascii").partition(f"[{section}]")[2].partition("\n[")[0]
    rows = [line.partition("=") for line in text.splitlines() if line.startswith(("In", "Out"))]
    values = [bytes.fromhex(value) for _, _, value in rows]
    assert [key.strip() for key, _, _ in rows] == ["In", "Out"] * (len(rows) // 2)
    return list(zip(values[::2], values[1::2], strict=True))


def blake3(path: Path) -> Pairs:
    """Byte i of a message is i mod 251; an output goes on after its 32 bytes."""
    pattern = bytes(i % 251 for i in range(1 << 17))
    cases = json.loads(path.read_text(encoding="ascii"))["cases"]
    return [(pattern[: case["input_len"]], bytes.fromhex(case["hash"])[:32]) for case in cases]


def nist(name: str) -> Pairs:
    """A response file of the NIST CAVP: lengths are in bits, and a message of none is written as one byte."""
    pairs, n, message = [], 0, b""
    for key, value in fields(name):
        if key == "Len":
            n = int(value) // 8
        elif key == "Msg":
            message = bytes.fromhex(value)[:n]
        elif key == "MD":
            pairs.append((message, bytes.fromhex(value)))
    return pairs


def monte_carlo(name: str) -> tuple[bytes, list[bytes]]:
    """The seed and the hundred checkpoints."""
    rows = fields(name)
    (seed,) = (bytes.fromhex(value) for key, value in rows if key == "Seed")
    return seed, [bytes.fromhex(value) for key, value in rows if key == "MD"]


def fields(name: str) -> list[tuple[str, str]]:
    with open_vector_file(f"hashes/{name}", "r") as file:
        lines = [line.partition("=") for line in file if "=" in line and line[0] not in "#["]
    return [(key.strip(), value.strip()) for key, _, value in lines]
