"""Known answers: what the standards, their validation programme and the systems say a digest is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import merklecore as mc
from tests.known_answers import LONG, known_answers, parse


def rows(digests) -> list[bytes]:
    return [row.tobytes() for row in digests]


@pytest.mark.parametrize("algorithm", mc.algorithms())
def test_known_answers(backend: ModuleType, algorithm: str) -> None:
    """One by one and in one batch, on each kernel."""
    answers = [answer for answer in known_answers(algorithm) if answer.size < LONG]
    messages, digests = [a.message() for a in answers], [a.digest for a in answers]
    for kernel in backend.kernels(algorithm):
        found = rows(backend.hash_many(messages, algorithm, kernel=kernel))
        for answer, message, many in zip(answers, messages, found, strict=True):
            one = backend.digest(message, algorithm, kernel=kernel)
            assert one == many == answer.digest, f"{kernel}, {answer.source}, {answer.size} bytes"
    assert [getattr(backend, algorithm)(message) for message in messages] == digests


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", mc.algorithms())
def test_long_known_answers(backend: ModuleType, algorithm: str) -> None:
    for answer in known_answers(algorithm):
        if answer.size >= LONG:
            assert backend.digest(answer.message(), algorithm) == answer.digest, answer.source


def test_an_algorithm_without_known_answers_is_named() -> None:
    with pytest.raises(AssertionError, match=r"^md5 has no known answers: tests/vectors/hashes/md5\.vec is"):
        known_answers("md5")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("In = 61\nOut = ca", "line 2: 'Out = ca': where does it come from"),
        ("# somebody\nIn = 61\n\nOut = ca", "line 3: '': an input without its digest"),
        ("# somebody\nIn = 61\nIn = 62\nOut = ca", "line 3: 'In = 62': an input without its digest"),
        ("# somebody\n\nIn = 61\nOut = ca", "line 4: 'Out = ca': where does it come from"),
        ("# somebody\nIn = 61\n", "the last input has no digest"),
        ("# somebody\nOut = ca", "line 2: 'Out = ca': a digest of nothing"),
        ("# somebody\nMsg = 61\nOut = ca", "line 2: 'Msg = 61': In, Repeat or Out"),
    ],
)
def test_a_file_that_says_less_than_it_must_is_refused(text: str, said: str) -> None:
    with pytest.raises(AssertionError, match=f"^{said}"):
        parse(text)


def test_known_answers_of_botan(backend: ModuleType, vectors: Path) -> None:
    text = (vectors / "hashes/botan/sha2_32.vec").read_text()
    section = text.partition("[SHA-256]")[2].partition("[")[0].splitlines()
    lines = [line.partition("=")[2].strip() for line in section if line.startswith(("In", "Out"))]
    messages = [bytes.fromhex(line) for line in lines[::2]]
    digests = [bytes.fromhex(line) for line in lines[1::2]]
    assert len(messages) == len(digests) > 200
    assert rows(backend.hash_many(messages, "sha256")) == digests
    assert [backend.sha256(message) for message in messages] == digests


# ---- NIST's Monte Carlo test -------------------------------------------------------------------------------

# NIST CAVP, CAVS 11.1, SHA256Monte.rsp: its seed, the first checkpoint and the last.
SEED = bytes.fromhex("6d1e72ad03ddeb5de891e572e2396f8da015d899ef0e79503152d6010a3fe691")
FIRST = "e93c330ae5447738c8aa85d71a6c80f2a58381d05872d26bdd39f1fcd4f2b788"
LAST = "6a912ba4188391a78e6f13d88ed2d14e13afce9db6f7dcbf4a48c24f3db02778"


def checkpoints(hash_of: Callable[[bytes], bytes], seed: bytes) -> Iterator[bytes]:
    """Secure Hash Algorithm Validation System, section 6.4: a hundred times a thousand digests in a chain."""
    for _ in range(100):
        a = b = c = seed
        for _ in range(1000):
            a, b, c = b, c, hash_of(a + b + c)
        seed = c
        yield seed


@cache
def checkpoints_of_hashlib() -> list[bytes]:
    """NIST's file lists all hundred; between the two that stand above, hashlib is taken to be right."""
    return list(checkpoints(lambda message: hashlib.sha256(message).digest(), SEED))


def test_monte_carlo(backend: ModuleType) -> None:
    expected = checkpoints_of_hashlib()
    assert (expected[0].hex(), expected[-1].hex()) == (FIRST, LAST)
    digest = backend.digest
    for kernel in backend.kernels("sha256"):
        found = checkpoints(lambda message, kernel=kernel: digest(message, "sha256", kernel), SEED)
        assert list(found) == expected, kernel
