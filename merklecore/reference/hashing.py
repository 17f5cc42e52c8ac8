"""Batches of messages and nodes over hashlib. Adding an algorithm is one function and one row of ``MANY``."""

from __future__ import annotations

from hashlib import sha256 as _sha256

from merklecore.errors import BackendError, InputError
from merklecore.reference.inputs import Rows, check_threads, contiguous, fill, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, SupportsIndex

    from merklecore.reference.inputs import Bytes, Data, Messages

__all__ = [
    "DIGEST_SIZES",
    "check_kernel",
    "digest",
    "hash_many",
    "hash_pairs",
    "many",
    "sha256",
    "sha256d",
]


def _sha256_many(messages: Iterable[Bytes]) -> list[bytes]:
    """SHA-256, FIPS 180-4 section 6.2."""
    return [_sha256(message).digest() for message in messages]


def _sha256d_many(messages: Iterable[Bytes]) -> list[bytes]:
    """SHA-256 of the SHA-256, Bitcoin's hash."""
    return [_sha256(_sha256(message).digest()).digest() for message in messages]


MANY: dict[str, Callable[[Iterable[Bytes]], list[bytes]]] = {"sha256": _sha256_many, "sha256d": _sha256d_many}
DIGEST_SIZES = {"sha256": 32, "sha256d": 32}


def many(algorithm: str) -> Callable[[Iterable[Bytes]], list[bytes]]:
    """Return the function that hashes every message of an iterable."""
    if not isinstance(algorithm, str):
        raise TypeError(f"algorithm: a name is needed, not {type(algorithm).__name__}")
    if algorithm not in MANY:
        raise InputError(f"algorithm {algorithm!r} is none of {', '.join(MANY)}")
    return MANY[algorithm]


def check_kernel(kernel: str | None) -> None:
    """Check the name of a kernel: there is one, ``python``."""
    if kernel is not None and not isinstance(kernel, str):
        raise TypeError(f"kernel: a name is needed, not {type(kernel).__name__}")
    if kernel not in (None, "python"):
        raise BackendError(f"kernel {kernel!r} is not usable here (usable: python)")


def sha256(data: Data, /) -> bytes:
    """SHA-256 of a bytes-like object, 32 bytes (FIPS 180-4).

    >>> sha256(b"abc").hex()
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    """
    return _sha256(contiguous(data, "data")).digest()


def sha256d(data: Data, /) -> bytes:
    """SHA-256 of the SHA-256 of a bytes-like object, 32 bytes: Bitcoin's hash.

    >>> sha256d(b"abc").hex()
    '4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358'
    """
    return _sha256(_sha256(contiguous(data, "data")).digest()).digest()


def digest(data: Data, algorithm: str, kernel: str | None = None) -> bytes:
    """H(data)."""
    hash_all = many(algorithm)
    check_kernel(kernel)
    return hash_all((contiguous(data, "data"),))[0]


def hash_many(
    messages: Messages,
    algorithm: str,
    prefix: Data = b"",
    threads: SupportsIndex | None = None,
    out: Any = None,
    kernel: str | None = None,
) -> Any:
    """out[i] = H(prefix || messages[i])."""
    hash_all = many(algorithm)
    check_kernel(kernel)
    head = contiguous(prefix, "prefix")
    rows = Rows(messages, "messages")
    check_threads(threads)
    result = output(out, rows.n, DIGEST_SIZES[algorithm], (*rows.pieces(), head))
    items = rows.block(0, rows.n)
    if len(head):
        start = bytes(head)
        items = [start + item for item in items]
    return fill(result, hash_all(items))


def hash_pairs(
    nodes: Messages,
    algorithm: str,
    prefix: Data = b"",
    threads: SupportsIndex | None = None,
    out: Any = None,
    kernel: str | None = None,
) -> Any:
    """out[i] = H(prefix || nodes[2 i] || nodes[2 i + 1])."""
    hash_all = many(algorithm)
    check_kernel(kernel)
    d = DIGEST_SIZES[algorithm]
    head = contiguous(prefix, "prefix")
    rows = Rows(nodes, "nodes", d)
    if rows.n % 2:
        raise InputError(f"nodes: {rows.n} nodes do not make pairs")
    check_threads(threads)
    result = output(out, rows.n // 2, d, (*rows.pieces(), head))
    each = iter(rows.block(0, rows.n))
    start = bytes(head)
    digests = hash_all([start + bytes(left) + right for left, right in zip(each, each, strict=True)])
    return fill(result, digests)
