"""Hashing of one message, at once or piece by piece, of very many, and of pairs of nodes."""

from __future__ import annotations

from merklecore import _backend
from merklecore._backend import blake2b_256, blake3, keccak256, sha3_256, sha256, sha256d, sha512, sm3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol, Self, SupportsIndex, TypeAlias, TypeVar, overload

    from _typeshed import ReadableBuffer, WriteableBuffer
    from numpy import uint8
    from numpy.typing import NDArray

    class ArrowArray(Protocol):
        """A column in one piece: Apache Arrow, "The Arrow PyCapsule Interface"."""

        def __arrow_c_array__(self, requested_schema: Any = None, /) -> Any: ...

    class ArrowStream(Protocol):
        """A column in any number of pieces, by the same."""

        def __arrow_c_stream__(self, requested_schema: Any = None, /) -> Any: ...

    Data: TypeAlias = ReadableBuffer | NDArray[Any]
    Messages: TypeAlias = Sequence[Data] | Data | ArrowArray | ArrowStream
    Out = TypeVar("Out", bound=WriteableBuffer | NDArray[Any])

    class Hash(Protocol):
        """What ``new`` returns: what all objects of hashlib have."""

        @property
        def name(self) -> str: ...
        @property
        def digest_size(self) -> int: ...
        @property
        def block_size(self) -> int: ...
        def update(self, data: ReadableBuffer, /) -> None: ...
        def digest(self) -> bytes: ...
        def hexdigest(self) -> str: ...
        def copy(self) -> Self: ...


__all__ = [
    "algorithms",
    "blake2b_256",
    "blake3",
    "cpu_info",
    "digest",
    "hash_many",
    "hash_pairs",
    "keccak256",
    "new",
    "sha3_256",
    "sha256",
    "sha256d",
    "sha512",
    "sm3",
]


def algorithms() -> tuple[str, ...]:
    """Return the names of the hash algorithms, as every ``algorithm=`` takes them.

    >>> "sha256" in algorithms()
    True
    """
    return tuple(_backend.DIGEST_SIZES)


def digest(data: Data, algorithm: str = "sha256") -> bytes:
    """Return the digest of one contiguous bytes-like object: d bytes.

    ``sha256`` and ``sha512`` (the one with d = 64) are FIPS 180-4; ``sha256d`` is SHA-256 of its digest, as
    Bitcoin has it; ``sha3_256`` is FIPS 202, ``keccak256`` the same with the padding before that standard,
    as Ethereum has it; ``sm3`` is GB/T 32905-2016; ``blake3`` its paper with 32 bytes of output;
    ``blake2b_256`` RFC 7693 with that digest length and no key. InputError for an unknown algorithm or memory
    that is not contiguous, TypeError for what is not bytes-like.

    >>> digest(b"abc").hex()
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    """
    return _backend.digest(data, algorithm)


def new(algorithm: str, data: Data = b"") -> Hash:
    """Return a hash that takes its message piece by piece, as hashlib has it.

    ``update(data)`` appends to the message and ``digest()`` gives d bytes for what it is so far,
    ``hexdigest()`` the same as text; ``copy()`` goes its own way; ``name``, ``digest_size`` and
    ``block_size`` (both in bytes) are hashlib's, ``blake2b`` for ``blake2b_256``. Where hashlib has the
    algorithm the object is hashlib's.

    data: bytes-like, of any length: the start of the message. InputError for an unknown algorithm or memory
    that is not contiguous, TypeError for what is not bytes-like. Standards: see ``digest``.

    >>> h = new("keccak256", b"a")
    >>> h.update(b"bc")
    >>> h.digest() == digest(b"abc", "keccak256")
    True
    """
    return _backend.new(algorithm, data)


if TYPE_CHECKING:

    @overload
    def hash_many(
        messages: Messages,
        algorithm: str = "sha256",
        *,
        prefix: Data = b"",
        threads: SupportsIndex | None = None,
        out: None = None,
    ) -> NDArray[uint8]: ...

    @overload
    def hash_many(
        messages: Messages,
        algorithm: str = "sha256",
        *,
        prefix: Data = b"",
        threads: SupportsIndex | None = None,
        out: Out,
    ) -> Out: ...


def hash_many(
    messages: Messages,
    algorithm: str = "sha256",
    *,
    prefix: Data = b"",
    threads: SupportsIndex | None = None,
    out: Any = None,
) -> Any:
    """Hash n messages: row i of the result is H(prefix || messages[i]).

    messages: a list or tuple of bytes-like objects of any lengths; an array or other C-contiguous buffer of
    bytes, shape (n, w); a NumPy array of ``S`` or ``V`` items, whose raw bytes are taken, trailing NULs
    included; or a column of pyarrow, polars, pandas or whatever else exports it (Apache Arrow, "The Arrow
    PyCapsule Interface"): binary, large_binary, fixed_size_binary or binary_view without nulls. A flat buffer
    does not say where a message ends and is refused.
    prefix: bytes-like, of any length.
    threads: None (as many as the CPUs when the work is large), or 1 to 1024. The result is the same.
    out: a writable buffer of bytes, shape (n, d) or (n * d,), that shares no memory with the input; it is
    filled and returned.

    Returns uint8, shape (n, d). InputError for input that is wrong, TypeError for a wrong type; of a list
    both name the position.

    >>> hash_many([b"", b"abc"]).shape
    (2, 32)
    >>> hash_many([b"abc"], prefix=b"\\x00")[0].tobytes() == digest(b"\\x00abc")
    True
    """
    return _backend.hash_many(messages, algorithm, prefix, threads, out)


if TYPE_CHECKING:

    @overload
    def hash_pairs(
        nodes: Messages,
        algorithm: str = "sha256",
        *,
        prefix: Data = b"",
        threads: SupportsIndex | None = None,
        out: None = None,
    ) -> NDArray[uint8]: ...

    @overload
    def hash_pairs(
        nodes: Messages,
        algorithm: str = "sha256",
        *,
        prefix: Data = b"",
        threads: SupportsIndex | None = None,
        out: Out,
    ) -> Out: ...


def hash_pairs(
    nodes: Messages,
    algorithm: str = "sha256",
    *,
    prefix: Data = b"",
    threads: SupportsIndex | None = None,
    out: Any = None,
) -> Any:
    """Hash one level of a tree: row i of the result is H(prefix || nodes[2 i] || nodes[2 i + 1]).

    nodes: n digests, n even: uint8, shape (n, d); n * d bytes in one flat buffer; or a list or an Arrow
    column of d bytes each.
    prefix, threads, out: as in ``hash_many``; the result has n // 2 rows.

    Returns uint8, shape (n // 2, d). InputError for an odd n, another width, or an ``out`` that does not fit.

    >>> hash_pairs(bytes(128)).shape
    (2, 32)
    >>> hash_pairs(bytes(64))[0].tobytes() == digest(bytes(64))
    True
    """
    return _backend.hash_pairs(nodes, algorithm, prefix, threads, out)


def cpu_info() -> dict[str, Any]:
    """Return what the CPU offers and what of it is used.

    ``backend``; ``cpu``: its name; ``features`` that kernels use, and those ``disabled`` by
    MERKLECORE_DISABLE_CPU; ``kernels``: algorithm, then shape ("node", "prefixed node", "messages"), to the
    names of the usable ones, best first; ``chosen``: the same to the one in use; ``failed``: kernels that did
    not pass their self-test; ``threads``: CPUs this process may run on.

    >>> sorted(cpu_info()["chosen"]["sha256"])
    ['messages', 'node', 'prefixed node']
    """
    return _backend.cpu_info()
