"""Fuzzes what decodes bytes: proofs of every kind, compact ranges and trees.

Bytes are refused, or they are the one encoding of what they decode to; a proof that does not equal the
genuine one does not hold in its place; native and reference say the same.

python -m fuzz.proofs [--seconds 60] [--seed N] [FILE...]
"""

from __future__ import annotations

import hashlib
import random
import sys
import zlib
from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from typing import Any

import merklecore as mc
from fuzz import common
from fuzz.genuine import BACKENDS, CASES, CORPORA, bound, told

HEADER = bytes(range(80))  # of a merkleblock
TOKENS = (
    *(bytes((kind, 1, 32, 0, 0, 0)) for kind in range(1, 7)),
    b"\x20\1\0\0\0",
    b"\xff" * 4,
    b"\0\0\0\1",
    b"\0" * 8,
    b"\0" * 32,
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xfd\xfd\0",
    b"\xfe\0\0\1\0",
    b"\x07rfc6962\x06sha256",
    b"\x05blake3",
    b"\x09keccak256",
    b"\x06sha512",
    b"\1\0\0\0\0\0\0\0\3",
    b"\x89MCTREE\n\1\0\0\0",
    HEADER,
)
ANOTHER = ("InputError offset : type", "InputError offset :  is not the mark")  # what is meant for others


def merkleblock(data: bytes) -> mc.PartialMerkleTree:
    """Return the proof of a merkleblock message, which must give back the header too."""
    header, proof = mc.PartialMerkleTree.from_merkleblock(data)
    assert proof.to_merkleblock(header) == data, "merkleblock: another encoding of the same"
    return proof


KINDS: tuple[Any, ...] = (*dict.fromkeys(type(case.proof) for case in CASES), mc.CompactRange, mc.MerkleTree)


def target(data: bytes) -> Hashable:
    """Decode with every decoder there is, by both backends, and verify what comes out."""
    if zlib.crc32(data) % 16 == 0:  # the input alone decides
        for kind in KINDS:
            common.frugal(len(data), partial(decoded, kind, data))
    found, expected = (answers(data, backend) for backend in BACKENDS)
    assert found == expected, f"{found} != {expected}"
    return tuple([trace for _, trace in found if not trace.startswith(ANOTHER)])


def decoded(kind: Any, data: bytes) -> Any:
    """Return what bytes decode to, or the refusal."""
    try:
        return kind.from_bytes(data)
    except mc.InputError as error:
        return error


def answers(data: bytes, backend: Any) -> list[tuple[Any, str]]:
    """Return all that one backend says, and of each thing which way it went."""
    said = []
    with bound(backend):
        for kind in KINDS:
            said.append(answer(kind, data, backend))
        try:
            said.append((merkleblock(data), "merkleblock"))
        except mc.InputError as error:
            said.append((str(error), told(error)))
        sealed = data[:-32] + checksum(data)
        if sealed != data:  # a checksum keeps out mutations, but not who writes it anew
            said.append(answer(mc.MerkleTree, sealed, backend))
    return said


def answer(kind: Any, data: bytes, backend: Any) -> tuple[Any, str]:
    """Return what one decoder makes of bytes, and what its object then says."""
    made = decoded(kind, data)
    if isinstance(made, mc.InputError):
        return str(made), told(made)
    name = kind.__name__
    assert bytes(made) == data, f"{name}: another encoding of the same"
    again = kind.from_bytes(bytes(made))
    assert again == made, f"{name}: unequal to itself"
    said: list[Any] = [repr(made)]
    if kind is mc.CompactRange:
        said += [made.start, made.size, made.nodes, root_of(made)]
    elif kind is mc.MerkleTree:
        assert made.nbytes <= 64 * 1024 + 4 * len(data), f"{name}: {made.nbytes} bytes of {len(data)}"
        said += [len(made), root_of(made), made.mutated]
    else:
        verdicts = [case.verdict(made, backend) for case in CASES if type(case.proof) is kind]
        return (said, verdicts), f"{name} {'holds' in verdicts} {len(made.path).bit_length()}"
    return said, f"{name} {made.profile.odd} {made.profile.leaf} {said[1].bit_length()}"


def root_of(made: Any) -> bytes | str:
    """Return the root, or why there is none."""
    try:
        root: bytes = made.root
    except mc.InputError as error:
        return str(error)
    return root


def checksum(data: bytes) -> bytes:
    """Return the checksum that a tree in these bytes should have (docs/formats.md), by the definition."""
    end = 21 + int.from_bytes(data[9:13], "big")
    if len(data) < end + 32:
        return data[-32:]
    head, rows = (hashlib.sha256(b"\0" + part).digest() for part in (data[:end], data[end:-32]))
    return hashlib.sha256(b"\1" + head + rows).digest() if len(data) > end + 32 else head


def mutated(data: bytes, pool: Sequence[bytes], tokens: Sequence[bytes], draw: random.Random) -> bytes:
    """Return an input changed where its numbers and flags stand, for most of it is hashes; or anywhere."""
    if not data or draw.randrange(2):
        return common.mutated(data, pool, tokens, draw)
    out = bytearray(data)
    size = len(out)
    place = draw.choice(
        (draw.randrange(min(72, size)), draw.randrange(min(16, size)), max(0, size - draw.randrange(1, 5)))
    )
    how = draw.randrange(5)
    if how == 0:
        out[place] ^= 1 << draw.randrange(8)
    elif how == 1:
        out[place] = draw.choice(common.EDGES)
    elif how == 2:
        out[place] = out[place] + draw.choice((1, -1)) & 0xFF
    elif how == 3:  # the same number as Bitcoin writes larger ones
        mark, width = draw.choice(((0xFD, 2), (0xFE, 4), (0xFF, 8)))
        out[place : place + 1] = bytes((mark,)) + out[place].to_bytes(width, "little")
    else:
        del out[place:]
        out += data[draw.randrange(size) :]
    return bytes(out[: common.LONGEST])


def corpus(kind: str = "") -> Iterator[bytes]:
    """Yield the kept inputs, of one kind or all, and those that a merkleblock is made of as such."""
    for path in sorted((CORPORA / "bytes").glob(f"{kind}*")):
        data = path.read_bytes()
        yield data
        if path.name.startswith("PartialMerkleTree"):
            yield HEADER + data


if __name__ == "__main__":
    sys.exit(common.main("proofs", target, corpus, TOKENS, mutated))
