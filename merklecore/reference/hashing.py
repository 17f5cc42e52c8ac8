"""Batches of messages and nodes: over hashlib where it has the algorithm, else over ``hashes``.

Adding an algorithm is one row of ``MANY``, ``DIGEST_SIZES`` and ``NEW``, and a function of its name.
"""

from __future__ import annotations

import hashlib

from merklecore.errors import BackendError, InputError
from merklecore.reference.hashes import blake3 as _blake3
from merklecore.reference.hashes import keccak as _keccak
from merklecore.reference.hashes import sm3 as _sm3
from merklecore.reference.incremental import Blake3, Keccak256, Sha256d, Sm3
from merklecore.reference.inputs import Rows, check_threads, contiguous, fill, output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, SupportsIndex, TypeAlias

    from merklecore.reference.incremental import Hash
    from merklecore.reference.inputs import Bytes, Data, Messages

    Many: TypeAlias = Callable[[Iterable[Bytes]], list[bytes]]

__all__ = [
    "DIGEST_SIZES",
    "blake2b_256",
    "blake3",
    "check_kernel",
    "digest",
    "hash_many",
    "hash_pairs",
    "keccak256",
    "many",
    "new",
    "sha3_256",
    "sha256",
    "sha256d",
    "sha512",
    "sm3",
]

_sha256, _sha512, _sha3_256 = hashlib.sha256, hashlib.sha512, hashlib.sha3_256
_blake2b, _named = hashlib.blake2b, hashlib.new


def _blake2b_256(data: Bytes) -> Hash:
    return _blake2b(data, digest_size=32)


def _openssl_sm3(data: Bytes) -> Hash:
    return _named("sm3", data)


def _has_sm3() -> bool:
    """Whether this OpenSSL was built with SM3."""
    try:
        _named("sm3")
    except ValueError:
        return False
    return True


def _each(hash_one: Callable[[Bytes], Hash]) -> Many:
    """A constructor of hashlib, message after message; no call stands between, for this is a baseline."""
    return lambda messages: [hash_one(message).digest() for message in messages]


def _plain(hash_one: Callable[[bytes], bytes]) -> Many:
    """A function written from its standard, message after message."""
    return lambda messages: [hash_one(bytes(message)) for message in messages]


def _sha256d_many(messages: Iterable[Bytes]) -> list[bytes]:
    """SHA-256 of the SHA-256, Bitcoin's hash."""
    return [_sha256(_sha256(message).digest()).digest() for message in messages]


def _openssl_sm3_many(messages: Iterable[Bytes]) -> list[bytes]:
    """SM3, GB/T 32905-2016."""
    return [_named("sm3", message).digest() for message in messages]


def _blake2b_256_many(messages: Iterable[Bytes]) -> list[bytes]:
    """BLAKE2b, RFC 7693, with the digest length 32 in its parameter block."""
    return [_blake2b(message, digest_size=32).digest() for message in messages]


HAS_SM3 = _has_sm3()
MANY: dict[str, Many] = {
    "sha256": _each(_sha256),
    "sha256d": _sha256d_many,
    "sha512": _each(_sha512),
    "sha3_256": _each(_sha3_256),
    "keccak256": _plain(_keccak.keccak256),
    "sm3": _openssl_sm3_many if HAS_SM3 else _plain(_sm3.sm3),
    "blake3": _plain(_blake3.blake3),
    "blake2b_256": _blake2b_256_many,
}
DIGEST_SIZES = dict.fromkeys(MANY, 32) | {"sha512": 64}
NEW: dict[str, Callable[[Bytes], Hash]] = {
    "sha256": _sha256,
    "sha256d": Sha256d,
    "sha512": _sha512,
    "sha3_256": _sha3_256,
    "keccak256": Keccak256,
    "sm3": _openssl_sm3 if HAS_SM3 else Sm3,
    "blake3": Blake3,
    "blake2b_256": _blake2b_256,
}


def many(algorithm: str) -> Many:
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


def new(algorithm: str, data: Data = b"") -> Hash:
    """An incremental hash: hashlib's own where it has the algorithm, else one with the same interface."""
    many(algorithm)
    return NEW[algorithm](contiguous(data, "data"))


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


def sha512(data: Data, /) -> bytes:
    """SHA-512 of a bytes-like object, 64 bytes (FIPS 180-4).

    >>> sha512(b"abc").hex()[:64]
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a'
    """
    return _sha512(contiguous(data, "data")).digest()


def sha3_256(data: Data, /) -> bytes:
    """SHA3-256 of a bytes-like object, 32 bytes (FIPS 202).

    >>> sha3_256(b"abc").hex()
    '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532'
    """
    return _sha3_256(contiguous(data, "data")).digest()


def keccak256(data: Data, /) -> bytes:
    """Keccak-256 of a bytes-like object, 32 bytes: Ethereum's hash, with the padding before FIPS 202.

    >>> keccak256(b"abc").hex()
    '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'
    """
    return _keccak.keccak256(bytes(contiguous(data, "data")))


def sm3(data: Data, /) -> bytes:
    """SM3 of a bytes-like object, 32 bytes (GB/T 32905-2016).

    >>> sm3(b"abc").hex()
    '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0'
    """
    return MANY["sm3"]((contiguous(data, "data"),))[0]


def blake3(data: Data, /) -> bytes:
    """BLAKE3 of a bytes-like object, its default output of 32 bytes (the BLAKE3 paper, section 2).

    >>> blake3(b"abc").hex()
    '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85'
    """
    return _blake3.blake3(bytes(contiguous(data, "data")))


def blake2b_256(data: Data, /) -> bytes:
    """BLAKE2b-256 of a bytes-like object, 32 bytes: that digest length, no key (RFC 7693).

    >>> blake2b_256(b"abc").hex()
    'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319'
    """
    return _blake2b_256(contiguous(data, "data")).digest()


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
