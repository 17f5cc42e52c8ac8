"""Messages: `hash_many` over rows of an array and over lists, of one length and of mixed lengths."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import peers
import pytest
import workloads
from workloads import Means, Timed


class Shape(NamedTuple):
    """``make`` gives the messages, ``n`` of them."""

    n: int
    make: Callable[[int], Any]
    prefix: bytes = b""


SHAPES = {
    "array of 64 bytes": Shape(1 << 16, partial(workloads.rows, width=64)),
    "array of 1,000 bytes": Shape(1 << 13, partial(workloads.rows, width=1000)),
    "list of 100 bytes, prefixed": Shape(1 << 15, lambda n: workloads.items(workloads.rows(n, 100)), b"\x00"),
    "list of mixed lengths": Shape(1 << 15, workloads.mixed),
    "list of mixed lengths, prefixed": Shape(1 << 15, workloads.mixed, b"\x00"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("algorithm", "way"), workloads.by_algorithm())
def test_messages(timed: Timed, algorithm: str, way: Means, shape: str) -> None:
    n, make, prefix = SHAPES[shape]
    messages = make(n)
    if way.module is peers:
        call = partial(loop, algorithm, prefix, [bytes(message) for message in messages])
    else:
        call = partial(way.module.hash_many, messages, algorithm, prefix=prefix, **way.options)
    timed(
        call,
        group=f"{algorithm}, {shape}",
        means=way.name,
        unit="message",
        count=n,
        nbytes=sum(map(len, messages)),
    )


def loop(algorithm: str, prefix: bytes, messages: list[bytes]) -> list[bytes]:
    many = peers.LOOPS[algorithm].many
    return many([prefix + message for message in messages] if prefix else messages)
