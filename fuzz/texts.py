"""Fuzzes what decodes text: the JSON of proofs and contexts, and the hexadecimal lists of other tools.

A text is refused with InputError, or decodes to what is read back equal from the text and the bytes that are
made of it; a proof that does not equal the genuine one does not hold in its place.

python -m fuzz.texts [--seconds 60] [--seed N] [FILE...]
"""

from __future__ import annotations

import json
import random
import sys
import zlib
from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from typing import Any

import merklecore as mc
from fuzz import common
from fuzz.genuine import BACKENDS, CASES, CONTEXTS, CORPORA, bound, told
from merklecore import blocks

TOKENS = (
    *(
        f'"type":"{name}","version":1,'.encode()
        for name in "inclusion inclusions multi range consistency flagged partial context".split()
    ),
    *b'[ ] { } , : " [] {} "" [[]] null true false -1 0 1.0 1e9 1e999 NaN Infinity 4294967296'.split(),
    *(b'"hashes":', b'"flags":', b'"total":', b'"proofs":', b'"proof":', b'"proofFlags":', b'"times":'),
    b'"0x',
    b"\\ud800",
    b"\\u0061",
    "\u0130\uff41\u0661".encode(),  # longer in lower case; a letter and a digit that are not ASCII
    b"\0",
    b"ab" * 32,
    b"9" * 80,
    b"9" * 4000,
    b"[" * 1500,
    b'{"a":' * 800,
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        1.0,
        1 << 32,
        1 << 64,
        1 << 256,
        float("nan"),
        "",
        "00",
        "0x00",
        "ab" * 32,
    ),
    *([], {}, [[]], [None], [True], [1], ["00"], ["0000", "00"], ["00"] * 129, "\ud800", "AB", "0x"),
)
KINDS: tuple[Any, ...] = (*dict.fromkeys(type(case.proof) for case in CASES), blocks.Context)


def target(data: bytes) -> Hashable:
    """Decode with every decoder of text there is, and verify what comes out by both backends."""
    text = data.decode(errors="surrogateescape")  # so that what is no UTF-8 is text too
    if zlib.crc32(data) % 16 == 0:  # the input alone decides
        for kind in KINDS:
            common.frugal(len(data), partial(decoded, kind, text))
    return tuple([answer(kind, text) for kind in KINDS]), of_hex(text), of_openzeppelin(text)


def decoded(kind: Any, text: str) -> Any:
    """Return what a text decodes to, or the refusal."""
    try:
        return kind.from_json(text)
    except mc.InputError as error:
        return error


def answer(kind: Any, text: str) -> str:
    """Return which way a text went through one decoder."""
    made = decoded(kind, text)
    if isinstance(made, mc.InputError):
        return told(made)
    assert kind.from_json(made.to_json()) == made, f"{kind.__name__}: unequal to itself in JSON"
    return kind.__name__ if kind is blocks.Context else verified(made)


def verified(made: Any) -> str:
    """Return what backends say of a proof in the place of genuine ones; they must agree."""
    kind = type(made)
    assert kind.from_bytes(bytes(made)) == made, f"{kind.__name__}: unequal to itself in bytes"
    said = []
    for backend in BACKENDS:
        with bound(backend):
            said.append([case.verdict(made, backend) for case in CASES if type(case.proof) is kind])
    assert said[0] == said[1], f"{said[0]} != {said[1]}"
    return f"{kind.__name__} {'holds' in said[0]} {len(made.path).bit_length()}"


def of_hex(text: str) -> str:
    """Decode the lines of a text as the hexadecimal list of other tools."""
    try:
        made = mc.InclusionProof.from_hex(text.split("\n"))
    except mc.InputError as error:
        return told(error)
    assert mc.InclusionProof.from_hex(made.to_hex()) == made, "hex: unequal to itself"
    return verified(made)


def of_openzeppelin(text: str) -> str:
    """Decode a JSON text as OpenZeppelin's multiproof, which is read by whoever calls."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return "no JSON"
    if not isinstance(found, dict):
        return "no object"
    try:
        made = mc.FlaggedMultiProof.from_openzeppelin(found)
    except (mc.InputError, TypeError) as error:  # a wrong type in a list that the caller read is a TypeError
        return told(error)
    assert mc.FlaggedMultiProof.from_openzeppelin(made.to_openzeppelin()) == made, "unequal to itself"
    return verified(made)


def mutated(data: bytes, pool: Sequence[bytes], tokens: Sequence[bytes], draw: random.Random) -> bytes:
    """Return a text with one value of its JSON put in the place of another, or changed as any bytes are."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    places = _places(found)
    if not places or draw.randrange(2):
        return common.mutated(data, pool, tokens, draw)
    outer: Any = found
    place = draw.choice(places)
    while (below := _places(outer[place])) and draw.randrange(2):
        outer, place = outer[place], draw.choice(below)
    inner = outer[place]
    how = draw.randrange(6)
    if how == 0:
        del outer[place]
    elif how == 1:
        other = draw.choice(_places(outer))
        outer[place], outer[other] = outer[other], outer[place]
    elif how == 2 and isinstance(outer, list):
        outer.insert(place, draw.choice((inner, draw.choice(VALUES))))
    elif how == 2 or how == 3:
        outer[place] = [inner] if how == 2 else str(inner)
    else:
        outer[place] = draw.choice(VALUES)
    return json.dumps(found, separators=(",", ":")).encode()[: common.LONGEST]


def _places(value: Any) -> Sequence[Any]:
    """Return keys or positions of what a JSON value holds."""
    if isinstance(value, dict):
        return list(value)
    return range(len(value)) if isinstance(value, list) else ()


def genuine() -> dict[str, str]:
    """Return the texts that the corpus is made of."""
    found = {case.name: case.proof.to_json() for case in CASES}
    found |= {name: context.to_json() for name, context in CONTEXTS.items()}
    for case in CASES:
        if type(case.proof) is mc.FlaggedMultiProof:
            found[f"openzeppelin-{case.name}"] = json.dumps(case.proof.to_openzeppelin())
        elif type(case.proof) is mc.InclusionProof:
            found[f"hex-{case.name}"] = "\n".join(case.proof.to_hex())
    return found


def corpus(kind: str = "") -> Iterator[bytes]:
    """Yield the kept inputs, of one kind or all."""
    for path in sorted((CORPORA / "texts").glob(f"{kind}*")):
        yield path.read_bytes()


if __name__ == "__main__":
    sys.exit(common.main("texts", target, corpus, TOKENS, mutated))
