"""A mutation fuzzer in a page: what targets share.

A target takes bytes and returns a trace, anything hashable that says which way the input went (codes, sizes
by their magnitude); it raises where something is wrong. An input with a trace not seen before is mutated
further. The same seed gives the same inputs; one that finds something is kept below ``build/fuzz``.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
import traceback
import tracemalloc
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

FOUND = Path(__file__).parents[1] / "build" / "fuzz"
LONGEST = 4096  # bytes of an input: small ones find as much, in less time
SLOW = 2.0  # seconds of CPU that no input may take: the slowest take some milliseconds
EDGES = (0, 1, 2, 0x7F, 0x80, 0xFC, 0xFD, 0xFE, 0xFF)

Target = Callable[[bytes], Hashable]
Mutator = Callable[[bytes, Sequence[bytes], Sequence[bytes], random.Random], bytes]


class Finding(Exception):
    """A target raised: the message says where the input is kept."""


class Done(NamedTuple):
    """What a run came to: inputs tried, the pool with what was new, and all traces."""

    tried: int
    pool: list[bytes]
    traces: set[Hashable]


def mutated(data: bytes, pool: Sequence[bytes], tokens: Sequence[bytes], draw: random.Random) -> bytes:
    """Return an input changed in one to four places."""
    out = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        place = draw.randrange(len(out) + 1)
        length = draw.choice((1, 1, 2, 4, 8, 32, 80))
        how = draw.randrange(8)
        if how == 0 and out:
            out[place - 1] ^= 1 << draw.randrange(8)
        elif how == 1 and out:
            out[place - 1] = draw.choice(EDGES)
        elif how == 2:
            out[place : place + length] = draw.randbytes(length)
        elif how == 3:
            del out[place : place + length]
        elif how == 4:
            out[place:place] = out[place : place + length]
        elif how == 5:
            token = draw.choice(tokens)
            out[place : place + draw.choice((0, 1, len(token)))] = token
        elif how == 6:
            other = draw.choice(pool)
            start = draw.randrange(len(other) + 1)
            out[place : place + length] = other[start : start + length]
        else:
            other = draw.choice(pool)
            out[place:] = other[draw.randrange(len(other) + 1) :]
    return bytes(out[:LONGEST])


def run(
    name: str,
    target: Target,
    corpus: Iterable[bytes],
    tokens: Sequence[bytes],
    *,
    seconds: float,
    seed: int = 0,
    inputs: int = sys.maxsize,
    mutate: Mutator = mutated,
) -> Done:
    """Try the corpus, then mutations of it, for so long and so many in all.

    Finding at the first input that the target refuses.
    """
    draw = random.Random(seed)
    kept = list(dict.fromkeys(corpus)) or [b""]
    pool = list(kept)
    traces = {tried(name, target, data) for data in pool}
    count, until = len(pool), time.monotonic() + seconds
    while count < inputs and time.monotonic() < until:
        data = mutate(draw.choice(draw.choice((kept, pool))), pool, tokens, draw)
        trace = tried(name, target, data)
        count += 1
        if trace not in traces:
            traces.add(trace)
            pool.append(data)
    return Done(count, pool, traces)


def tried(name: str, target: Target, data: bytes) -> Hashable:
    """Return the trace of an input, or keep it and raise Finding."""
    try:
        began = time.process_time()
        trace = target(data)
        took = time.process_time() - began
        assert took < SLOW, f"took {took:.1f} s"
        return trace
    except Exception as error:  # whatever it is: no input may raise it
        FOUND.mkdir(parents=True, exist_ok=True)
        path = FOUND / f"{name}-{hashlib.sha256(data).hexdigest()[:16]}"
        path.write_bytes(data)
        raise Finding(f"{path}: {type(error).__name__}: {error}") from error


def frugal(size: int, call: Callable[[], object]) -> None:
    """Call what decodes an input of so many bytes: it may hold a small multiple of them, whatever they claim.

    Python's objects make it a multiple: 56 bytes and a pointer for the list that is ``[],`` in JSON.
    """
    tracemalloc.start()
    try:
        call()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 128 * size + (64 << 10), f"{peak} bytes held for an input of {size}"


def main(
    name: str,
    target: Target,
    corpus: Callable[[], Iterable[bytes]],
    tokens: Sequence[bytes],
    mutate: Mutator = mutated,
) -> int:
    """Run a target from the command line: for so many seconds, or over the files that are named."""
    parser = argparse.ArgumentParser(description=f"Fuzz {name}.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="try these inputs, nothing else")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="another one each time, which is printed")
    args = parser.parse_args()
    if args.files:
        for path in args.files:
            print(path, target(path.read_bytes()))
        return 0
    seed = random.SystemRandom().randrange(1 << 32) if args.seed is None else args.seed
    print(f"{name}: seed {seed}, {args.seconds:g} s", flush=True)
    try:
        done = run(name, target, corpus(), tokens, seconds=args.seconds, seed=seed, mutate=mutate)
    except Finding:
        traceback.print_exc()
        return 1
    print(f"{name}: {done.tried:,} inputs, {len(done.traces):,} traces, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit("run a target: python -m fuzz.blocks")
